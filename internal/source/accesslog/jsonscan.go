package accesslog

import (
	"bytes"
	"unicode/utf8"
)

// scanner steps through one line of JSON.
type scanner struct {
	b []byte
	i int
}

// space skips white space and gives the next byte, 0 at the end.
func (s *scanner) space() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// string gives the bytes between the quotes.
func (s *scanner) string() (in []byte, escaped, ok bool) {
	start := s.i + 1
	for i := start; i < len(s.b); {
		j := bytes.IndexByte(s.b[i:], '"')
		if j < 0 {
			return nil, false, false
		}
		e := bytes.IndexByte(s.b[i:i+j], '\\')
		if e < 0 {
			in = s.b[start : i+j]
			s.i = i + j + 1
			return in, escaped, true
		}
		escaped = true
		// Step over escapes up to the quote found, instead of searching anew.
		for i += e; i < len(s.b); i++ {
			if s.b[i] == '\\' {
				i++
			} else if s.b[i] == '"' {
				break
			}
		}
	}
	return nil, false, false
}

func (s *scanner) scalar() []byte {
	start := s.i
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ',', '}', ']', ' ', '\t', '"', '{', '[', ':':
			return s.b[start:s.i]
		}
		s.i++
	}
	return s.b[start:s.i]
}

// skip passes over an object or array.
func (s *scanner) skip() bool {
	depth := 0
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case '"':
			if _, _, ok := s.string(); !ok {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				s.i++
				return true
			}
		}
		s.i++
	}
	return false
}

// unicode decodes \uXXXX at the start of s, two of them for a pair, and gives
// the length read, 0 if it is none.
func (p *parser) unicode(s []byte) int {
	r, ok := hex4(s)
	if !ok {
		return 0
	}
	n := 6
	if 0xd800 <= r && r < 0xdc00 {
		if lo, ok := hex4(s[6:]); ok && 0xdc00 <= lo && lo < 0xe000 {
			r, n = 0x10000+((r-0xd800)<<10|(lo-0xdc00)), 12
		}
	}
	p.text = utf8.AppendRune(p.text, r)
	return n
}

func hex4(s []byte) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range s[2:6] {
		v, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(v)
	}
	return r, true
}
