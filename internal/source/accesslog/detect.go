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
	good, bad, messages, directives, objects := 0, 0, 0, 0, 0
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
		case whyDirective:
			directives++
		case whyMessage, whyPart:
			messages++
		default:
			bad++
			if line[0] == '{' {
				objects++
			}
		}
	}
	switch {
	case good > 0 && good >= bad:
		return true, ""
	case good == 0 && bad == 0 && messages > 0:
		return false, "a log of a server's or application's messages, without requests"
	case messages > bad:
		return false, "a log of a server's or application's messages, with too few requests among them"
	case objects > 0 && 2*objects >= bad:
		return false, "JSON lines without method, target and time of a request"
	case len(p.memory.columns) > 0:
		return false, "a W3C log whose #Fields lack method, target or time"
	}
	return false, ""
}
