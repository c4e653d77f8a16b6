package accesslog

import (
	"bytes"
	"time"

	"xiezhi/internal/exchange"
)

// maxWrappers bounds the layers around a server's line: a container runtime's
// or a collector's around syslog's.
const maxWrappers = 3

// stamp is the time a wrapper gives. Without a year, ns is 0 and the rest says
// month, day and second of the day.
type stamp struct {
	ns                 int64
	month, day, second int
}

// unwrap takes off one layer: syslog (RFC 3164 with or without priority, RFC
// 5424), a Kubernetes container's (time, stream, F for a full line), Docker
// Compose's service name, or a time put before the line by kubectl and docker.
// A line without wrapper comes back as it is.
func (p *parser) unwrap(line []byte) ([]byte, string) {
	if len(line) < 24 {
		return line, ""
	}
	switch c := line[0]; {
	case c == '{' || c == '[':
		return line, ""
	case c-'0' <= 9:
		if line[4] == '-' && line[7] == '-' {
			return p.dated(line)
		}
		return line, ""
	case c == '<':
		i := bytes.IndexByte(line[:6], '>')
		if i < 2 {
			return line, ""
		}
		if _, ok := digits(line[1:i]); !ok {
			return line, ""
		}
		rest := line[i+1:]
		if len(rest) > 2 && rest[0] == '1' && rest[1] == ' ' {
			return p.rfc5424(rest[2:]), ""
		}
		return rest, ""
	case c-'A' <= 25 && line[3] == ' ' && line[6] == ' ' && line[9] == ':' && line[12] == ':':
		return p.rfc3164(line), ""
	}
	return service(line), ""
}

// dated handles lines that begin with an ISO 8601 time.
func (p *parser) dated(line []byte) ([]byte, string) {
	i := bytes.IndexByte(line[:min(len(line), 40)], ' ')
	if i < 19 || line[10] != 'T' {
		return line, ""
	}
	ns, zoned, ok := exchange.ParseLocalTime(line[:i])
	if !ok {
		return line, ""
	}
	rest := line[i+1:]
	if len(rest) > 9 && (string(rest[:7]) == "stdout " || string(rest[:7]) == "stderr ") && rest[8] == ' ' {
		full := rest[7] == 'F'
		if !full && rest[7] != 'P' {
			return line, ""
		}
		var why string
		if rest, why = p.memory.piece(rest, rest[9:], full); why != "" {
			return nil, why
		}
	} else if tail := tag(rest); tail != nil {
		rest = tail
	} else if !startsLine(rest) {
		return line, "" // a time of the line's own, as load balancers write it
	}
	if !zoned {
		ns = p.clock.local(ns)
	}
	p.outer = stamp{ns: ns}
	return rest, ""
}

// pieces holds the beginning of a line of one stream.
type pieces struct {
	text []byte
	over bool // it is larger than a line may be
	done bool // the line in hand ends it
}

// piece takes the next piece of a line of the stream, stdout or stderr, and
// gives the line once it is full.
func (m *memory) piece(stream, piece []byte, full bool) (line []byte, why string) {
	h := &m.pieces[0]
	if stream[3] == 'e' {
		h = &m.pieces[1]
	}
	if len(h.text) == 0 && full && !h.over {
		return piece, ""
	}
	if len(h.text)+len(piece) > MaxLine {
		h.over = true
	} else if !h.over {
		h.text = append(h.text, piece...)
	}
	h.done = full
	m.ended = m.ended || full
	switch {
	case !full:
		return nil, heldBack
	case h.over:
		return nil, whyLong
	}
	return h.text, ""
}

// forget empties what lines before have ended.
func (m *memory) forget() {
	for i := range m.pieces {
		if h := &m.pieces[i]; h.done {
			*h = pieces{text: h.text[:0]}
		}
	}
	m.ended = false
}

// waiting reports whether a line has begun and not ended.
func (h *pieces) waiting() bool { return !h.done && (len(h.text) > 0 || h.over) }

// startsLine reports whether s begins as a server's line does.
func startsLine(s []byte) bool {
	if len(s) == 0 {
		return false
	}
	if s[0] == '{' || s[0] == '<' {
		return true
	}
	w, rest := word(s)
	w2, _ := word(rest)
	return address(w).IsValid() && len(w2) > 0 && (w2[0] == '-' || w2[0] == '[')
}

// tag takes off "host tag[pid]: " or "tag[pid]: ", nil if there is none.
func tag(s []byte) []byte {
	for n := 0; n < 2; n++ {
		w, rest := word(s)
		if len(w) < 2 || len(w) > 128 || w[0] == '[' || w[0] == '"' {
			return nil
		}
		if w[len(w)-1] == ':' {
			return rest
		}
		s = rest
	}
	return nil
}

// rfc3164 takes off "Oct 10 13:55:36 host tag: ", and an ISO year after the
// day that some devices write.
func (p *parser) rfc3164(line []byte) []byte {
	m := month(line[:3])
	day, ok := digits(bytes.TrimLeft(line[4:6], " "))
	h, ok1 := digits(line[7:9])
	mi, ok2 := digits(line[10:12])
	s, ok3 := digits(line[13:15])
	if m == 0 || !ok || !ok1 || !ok2 || !ok3 || day < 1 || day > 31 || h > 23 || mi > 59 || s > 60 {
		return line
	}
	i := bytes.IndexByte(line[15:], ' ')
	if i < 0 {
		return line
	}
	rest := line[15+i+1:]
	tail := tag(rest)
	if tail == nil {
		return line
	}
	p.outer = stamp{month: m, day: day, second: h*3600 + mi*60 + s}
	return tail
}

// rfc5424 takes off "time host app procid msgid structured-data ".
func (p *parser) rfc5424(s []byte) []byte {
	w, rest := word(s)
	if ns, zoned, ok := exchange.ParseLocalTime(w); ok {
		if !zoned {
			ns = p.clock.local(ns)
		}
		p.outer = stamp{ns: ns}
	}
	for range 4 {
		_, rest = word(rest)
	}
	if len(rest) > 0 && rest[0] == '[' {
		rest = structured(rest)
	} else {
		_, rest = word(rest)
	}
	return bytes.TrimPrefix(bytes.TrimLeft(rest, " "), byteOrderMark)
}

// structured passes over [id name="value" …][…]; a backslash escapes within
// values.
func structured(s []byte) []byte {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			if i+1 == len(s) || s[i+1] != '[' {
				return s[i+1:]
			}
		}
	}
	return nil
}

// service takes off "web-1  | " as Docker Compose writes it.
func service(line []byte) []byte {
	i := bytes.Index(line[:min(len(line), 96)], []byte(" | "))
	if i < 1 {
		return line
	}
	name := bytes.TrimRight(line[:i], " ")
	for _, c := range name {
		if c-'0' > 9 && (c|0x20)-'a' > 25 && c != '-' && c != '_' && c != '.' {
			return line
		}
	}
	return line[i+3:]
}

// wrapped gives the wrapper's time for a line that has none. A time without a
// year takes the year that brings it closest to the latest exchange before.
func (p *parser) wrapped() (int64, string) {
	o := p.outer
	switch {
	case o.ns > 0:
		return o.ns, ""
	case o.month == 0:
		return 0, whyTime
	case p.memory.last == 0:
		return 0, whyYear
	}
	last := p.memory.last
	year := time.Unix(0, last).In(p.clock.loc).Year()
	best, found := int64(0), false
	for y := year - 1; y <= year+1; y++ {
		if o.month == 2 && o.day == 29 && (y%4 != 0 || y%100 == 0 && y%400 != 0) {
			continue
		}
		ns := p.clock.local((exchange.DaysSinceEpoch(y, o.month, o.day)*86400 + int64(o.second)) * 1e9)
		if ns > 0 && (!found || distance(ns, last) < distance(best, last)) {
			best, found = ns, true
		}
	}
	if !found {
		return 0, whyTime
	}
	return best, ""
}

func distance(a, b int64) int64 {
	if a < b {
		return b - a
	}
	return a - b
}
