package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
)

// detectLines is how many lines decide what a file is.
const detectLines = 64

// Detect reports whether head looks like an access log: of its first complete
// lines at least half are requests. Lines of an access log that are no
// exchange (a TLS handshake, an empty request) count for it; directives and
// messages of the server, which are mixed in, count neither way. layout is that
// of Config.Format, or empty. why says what
// the text is instead, as far as it can be told.
func Detect(head []byte, layout string) (ok bool, why string) {
	f, err := compile(layout)
	if err != nil {
		f = nil // New says what is wrong with it
	}
	p := newParser(nil, f)
	var x exchange.Exchange
	head = bytes.TrimPrefix(head, byteOrderMark)
	good, bad, messages, objects, wrapped := 0, 0, 0, 0, 0
	var t tableShape
	for first := true; good+bad < detectLines && len(head) > 0; first = false {
		line := head
		if i := bytes.IndexByte(head, '\n'); i >= 0 {
			line, head = head[:i], head[i+1:]
		} else if !first {
			break // most likely cut
		} else {
			head = nil
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		switch p.parse(line, &x) {
		case "", whyEmpty, whyHandshake, whyRequest, whyYear:
			good++
		case whyDirective, heldBack:
		case whyMessage:
			messages++
		default:
			bad++
			t.add(line)
			switch {
			case line[0] == '{':
				objects++
			case p.outer != stamp{}:
				wrapped++
			}
		}
	}
	switch {
	case good > 0 && good >= bad:
		return true, ""
	case messages > 0 && good == 0:
		return false, "a log of a server's or application's messages, without requests"
	case messages > bad:
		return false, "a log of a server's or application's messages, with too few requests among them"
	case wrapped > 0 && 2*wrapped >= bad:
		return false, "a system log without HTTP requests"
	case objects > 0 && 2*objects >= bad:
		return false, "JSON lines without method, target and time of a request"
	case len(p.memory.columns) > 0:
		return false, "a W3C log whose #Fields lack method, target or time"
	case good == 0 && t.lines > 1 && t.same:
		return false, "a table (CSV), which is no access log"
	}
	return false, ""
}

// tableShape tells whether lines have equally many of one separator.
type tableShape struct {
	lines, count int
	separator    byte
	same         bool
}

func (t *tableShape) add(line []byte) {
	if t.lines++; t.lines == 1 {
		for _, c := range []byte(",;\t") {
			if n := bytes.Count(line, []byte{c}); n > t.count {
				t.count, t.separator = n, c
			}
		}
		t.same = t.count > 0
	} else if t.same {
		t.same = bytes.Count(line, []byte{t.separator}) == t.count
	}
}
