package har

import (
	"bytes"
	"io"
)

// errHead ends a stream that has nothing but its buffer.
var errHead = io.EOF

// Format is how entries are laid out.
type Format uint8

const (
	None     Format = iota // no HAR
	Document               // one JSON document with log.entries
	Lines                  // one entry per line
)

// Detect recognises HAR by the names of its first members, from the first
// bytes of an input, decompressed. A line of a .harl file that is damaged does
// not hide the others.
func Detect(head []byte) Format {
	head = bytes.TrimPrefix(head, bom)
	for range 32 {
		head = bytes.TrimLeft(head, " \t\r\n")
		if len(head) == 0 {
			return None
		}
		if head[0] == '{' {
			if f := members(head); f != None {
				return f
			}
		}
		i := bytes.IndexByte(head, '\n')
		if i < 0 {
			return None
		}
		head = head[i+1:]
	}
	return None
}

// members looks at the member names of the object that b begins with, as far
// as b goes.
func members(b []byte) Format {
	s := stream{buf: b, n: len(b), mark: -1, limit: len(b), err: errHead}
	s.pos = 1
	// cut is the answer when b ends too early: loggers have a request object
	// too, with a URL and a method, but no startedDateTime behind it.
	cut := None
	for {
		c, ok := s.peek()
		if !ok {
			return cut
		}
		if c == '}' {
			return None
		}
		if c == ',' {
			s.pos++
			continue
		}
		if c != '"' {
			return None
		}
		key, whole := s.value(true)
		if !whole {
			return cut
		}
		name := string(key)
		if c, ok = s.peek(); !ok || c != ':' {
			return cut
		}
		s.pos++
		c, ok = s.peek()
		if !ok {
			return cut
		}
		switch name {
		case `"log"`:
			if c == '{' {
				return Document
			}
			return None
		case `"startedDateTime"`:
			if c == '"' {
				return Lines
			}
			return None
		case `"request"`:
			if c == '{' && hasMember(b[s.pos:], `"url"`) && hasMember(b[s.pos:], `"method"`) {
				if h := member(b[s.pos:], `"headers"`); len(h) == 0 || h[0] == '[' {
					cut = Lines
				}
			}
		default:
			if c == '{' && wrapsLog(b[s.pos:]) {
				return Document
			}
		}
		if _, whole := s.value(false); !whole {
			return cut
		}
	}
}

// hasMember reports whether the object that b begins with has a member of the
// quoted name, as far as b goes.
func hasMember(b []byte, name string) bool { return member(b, name) != nil }

// member gives what follows the colon of the member of the quoted name, as far
// as b goes; nil if there is none.
func member(b []byte, name string) []byte {
	s := stream{buf: b, n: len(b), mark: -1, limit: len(b), err: errHead}
	s.pos = 1
	for {
		c, ok := s.peek()
		if ok && c == ',' {
			s.pos++
			continue
		}
		if !ok || c != '"' {
			return nil
		}
		key, whole := s.value(true)
		if !whole {
			return nil
		}
		found := string(key) == name
		if c, ok = s.peek(); !ok || c != ':' {
			return nil
		}
		s.pos++
		if found {
			s.peek() // the end of b is an answer too
			return s.buf[s.pos:s.n:s.n]
		}
		if _, ok = s.peek(); !ok {
			return nil
		}
		if _, whole := s.value(false); !whole {
			return nil
		}
	}
}

// wrapsLog reports whether the object that b begins with holds a HAR's log, as
// tools write it that put the document into one of their own.
func wrapsLog(b []byte) bool {
	log := member(b, `"log"`)
	return len(log) > 0 && log[0] == '{' && (hasMember(log, `"entries"`) || hasMember(log, `"creator"`) || hasMember(log, `"version"`))
}

// Why says what is wrong with a text that sets out as a HAR document and is
// none; "" if it does not.
func Why(head []byte) string {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, bom), " \t\r\n")
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return ""
	}
	if head[0] == '{' {
		if log := member(head, `"log"`); len(log) > 0 && (log[0] == '[' || log[0] == 'n' || log[0]-'0' <= 9) {
			return "a HAR document whose log is no object"
		}
	}
	inner := bytes.TrimLeft(head[1:], " \t\r\n")
	if len(inner) == 0 || head[0] == '{' && inner[0] != '"' || head[0] == '[' && inner[0] != '{' {
		return "" // no JSON
	}
	line, _, more := bytes.Cut(head, []byte("\n"))
	if line = bytes.TrimSpace(line); more && len(line) > 0 && line[len(line)-1] != '}' {
		return "a JSON document without log.entries, so no HAR"
	}
	return ""
}
