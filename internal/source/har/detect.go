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
	for {
		c, ok := s.peek()
		if !ok || c == '}' {
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
			return None
		}
		if c, ok = s.peek(); !ok || c != ':' {
			return None
		}
		s.pos++
		c, ok = s.peek()
		if !ok {
			return None
		}
		switch string(key) {
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
			// Loggers have a request object too; url tells a HAR's.
			if c == '{' && hasMember(b[s.pos:], `"url"`) && hasMember(b[s.pos:], `"method"`) {
				return Lines
			}
		}
		if _, whole := s.value(false); !whole {
			return None
		}
	}
}

// hasMember reports whether the object that b begins with has a member of the
// quoted name, as far as b goes.
func hasMember(b []byte, name string) bool {
	s := stream{buf: b, n: len(b), mark: -1, limit: len(b), err: errHead}
	s.pos = 1
	for {
		c, ok := s.peek()
		if ok && c == ',' {
			s.pos++
			continue
		}
		if !ok || c != '"' {
			return false
		}
		key, whole := s.value(true)
		if !whole {
			return false
		}
		if string(key) == name {
			return true
		}
		if c, ok = s.peek(); !ok || c != ':' {
			return false
		}
		s.pos++
		if _, ok = s.peek(); !ok {
			return false
		}
		if _, whole := s.value(false); !whole {
			return false
		}
	}
}
