package exchange

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"
)

// maxDepth bounds nesting; a HAR entry needs seven levels, page scripts in
// ignored fields a few dozen.
const maxDepth = 512

// HARError says what is wrong with an entry and where. Its text holds no input
// bytes, so it may be logged.
type HARError struct {
	Path   string // JSON path within the entry, such as request.headers[3].value
	Offset int    // byte offset within the entry
	What   string
}

func (e *HARError) Error() string {
	path := e.Path
	if path == "" {
		path = "entry"
	}
	return path + ": " + e.What + " at byte " + strconv.Itoa(e.Offset)
}

// within prefixes the path of a failing member.
func within(key string, err error) error {
	if e, ok := err.(*HARError); ok { //nolint:errorlint // our own error, never wrapped; errors.As would allocate per member
		switch {
		case e.Path == "":
			e.Path = key
		case e.Path[0] == '[':
			e.Path = key + e.Path
		default:
			e.Path = key + "." + e.Path
		}
	}
	return err
}

func withinIndex(i int, err error) error { return within("["+strconv.Itoa(i)+"]", err) }

// parser walks one JSON text. Strings without escapes alias the input, the
// others are built in text, which its owner reuses. Malformed UTF-8 passes
// through unchanged, and \udc80…\udcff stand for single raw bytes, so that
// bytes which are no text survive a HAR (the convention of Python's
// surrogateescape, which the encoder uses too).
type parser struct {
	b     []byte
	i     int
	depth int
	text  []byte
}

func (p *parser) fail(what string) error { return &HARError{Offset: p.i, What: what} }

func (p *parser) failAt(off int, what string) error { return &HARError{Offset: off, What: what} }

func (p *parser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\n', '\r', '\t':
			p.i++
		default:
			return
		}
	}
}

// peek skips space and gives the next byte, 0 at the end.
func (p *parser) peek() byte {
	p.space()
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

// end fails unless only space is left.
func (p *parser) end() error {
	p.space()
	if p.i < len(p.b) {
		return p.fail("end of the entry expected")
	}
	return nil
}

// object calls member for each member, positioned before the value. A member
// that returns without consuming the value is an error of this package.
func (p *parser) object(member func(key []byte) error) error {
	if p.peek() != '{' {
		return p.fail("object expected")
	}
	if p.depth++; p.depth > maxDepth {
		return p.fail("nested too deeply")
	}
	p.i++
	if p.peek() == '}' {
		p.i++
		p.depth--
		return nil
	}
	for {
		if p.peek() != '"' {
			return p.fail("member name expected")
		}
		key, err := p.str()
		if err != nil {
			return err
		}
		if p.peek() != ':' {
			return p.fail("colon expected")
		}
		p.i++
		if err := member(key); err != nil {
			return err
		}
		switch p.peek() {
		case ',':
			p.i++
		case '}':
			p.i++
			p.depth--
			return nil
		default:
			return p.fail("comma or closing brace expected")
		}
	}
}

// array calls element for each element, positioned before it.
func (p *parser) array(element func(i int) error) error {
	if p.peek() != '[' {
		return p.fail("array expected")
	}
	if p.depth++; p.depth > maxDepth {
		return p.fail("nested too deeply")
	}
	p.i++
	if p.peek() == ']' {
		p.i++
		p.depth--
		return nil
	}
	for n := 0; ; n++ {
		if err := element(n); err != nil {
			return withinIndex(n, err)
		}
		switch p.peek() {
		case ',':
			p.i++
		case ']':
			p.i++
			p.depth--
			return nil
		default:
			return withinIndex(n, p.fail("comma or closing bracket expected"))
		}
	}
}

// skip validates and passes over one value.
func (p *parser) skip() error {
	switch c := p.peek(); {
	case c == '{':
		return p.object(func([]byte) error { return p.skip() })
	case c == '[':
		return p.array(func(int) error { return p.skip() })
	case c == '"':
		_, _, err := p.rawStr()
		return err
	case c == 't':
		return p.literal("true")
	case c == 'f':
		return p.literal("false")
	case c == 'n':
		return p.literal("null")
	default:
		_, err := p.number()
		return err
	}
}

func (p *parser) literal(word string) error {
	if len(p.b)-p.i < len(word) || string(p.b[p.i:p.i+len(word)]) != word {
		return p.fail("value expected")
	}
	p.i += len(word)
	return nil
}

// null passes over null and reports whether it was there.
func (p *parser) null() (bool, error) {
	if p.peek() != 'n' {
		return false, nil
	}
	return true, p.literal("null")
}

// number gives the text of a JSON number.
func (p *parser) number() ([]byte, error) {
	p.space()
	start := p.i
	digits := func() bool {
		s := p.i
		for p.i < len(p.b) && p.b[p.i]-'0' <= 9 {
			p.i++
		}
		return p.i > s
	}
	if p.i < len(p.b) && p.b[p.i] == '-' {
		p.i++
	}
	if p.i < len(p.b) && p.b[p.i] == '0' {
		p.i++
	} else if !digits() {
		p.i = start
		return nil, p.fail("value expected")
	}
	if p.i < len(p.b) && p.b[p.i] == '.' {
		p.i++
		if !digits() {
			return nil, p.fail("digit expected")
		}
	}
	if p.i < len(p.b) && p.b[p.i]|0x20 == 'e' {
		p.i++
		if p.i < len(p.b) && (p.b[p.i] == '+' || p.b[p.i] == '-') {
			p.i++
		}
		if !digits() {
			return nil, p.fail("digit expected")
		}
	}
	return p.b[start:p.i], nil
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// special marks the bytes of w that end a run of plain string bytes: quote,
// backslash and controls. The lowest mark is exact.
func special(w uint64) uint64 {
	q := w ^ '"'*lowBits
	e := w ^ '\\'*lowBits
	return ((q-lowBits)&^q | (e-lowBits)&^e | (w-0x20*lowBits)&^w) & highBits
}

// rawStr gives the bytes between the quotes and whether they hold escapes,
// which it has validated.
func (p *parser) rawStr() (raw []byte, escaped bool, err error) {
	if p.peek() != '"' {
		return nil, false, p.fail("string expected")
	}
	b, i := p.b, p.i+1
	for start := i; ; {
		for i+8 <= len(b) {
			if m := special(binary.LittleEndian.Uint64(b[i:])); m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 {
			i++
		}
		if i >= len(b) {
			return nil, false, p.failAt(len(b), "unterminated string")
		}
		switch b[i] {
		case '"':
			p.i = i + 1
			return b[start:i], escaped, nil
		case '\\':
			n := escapeLen(b[i:])
			if n == 0 {
				return nil, false, p.failAt(i, "bad escape")
			}
			escaped = true
			i += n
		default:
			return nil, false, p.failAt(i, "control character in string")
		}
	}
}

func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		v, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(v)
	}
	return r, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c-'0' <= 9:
		return c - '0', true
	case (c|0x20)-'a' <= 5:
		return (c | 0x20) - 'a' + 10, true
	}
	return 0, false
}

// str gives a string's content.
func (p *parser) str() ([]byte, error) {
	raw, escaped, err := p.rawStr()
	if err != nil || !escaped {
		return raw, err
	}
	start := len(p.text)
	p.text = appendUnescaped(p.text, raw)
	return p.text[start:len(p.text):len(p.text)], nil
}

// appendUnescaped undoes the escapes of a validated JSON string.
func appendUnescaped(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			j := i + 1
			for j < len(s) && s[j] != '\\' {
				j++
			}
			dst = append(dst, s[i:j]...)
			i = j
			continue
		}
		switch s[i+1] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(s[i+2:])
			i += 6
			switch {
			case 0xd800 <= r && r < 0xdc00:
				if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
					if lo, _ := hex4(s[i+2:]); 0xdc00 <= lo && lo < 0xe000 {
						dst = utf8.AppendRune(dst, 0x10000+((r-0xd800)<<10|(lo-0xdc00)))
						i += 6
						continue
					}
				}
				dst = utf8.AppendRune(dst, utf8.RuneError)
			case 0xdc80 <= r && r <= 0xdcff:
				dst = append(dst, byte(r-0xdc00))
			default:
				dst = utf8.AppendRune(dst, r) // other lone surrogates become U+FFFD
			}
			continue
		default:
			dst = append(dst, s[i+1])
		}
		i += 2
	}
	return dst
}
