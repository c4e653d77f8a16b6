// Package markup reads XML and HTML as leaves with paths.
//
// It takes body bytes in UTF-8 and reports, by the events of a jsonleaf.Walker,
// the values of XML elements and attributes, or the records of HTML tables and
// the fields of HTML forms; of HTML it also gives what the page says to its
// reader (errors, alerts). It is made for captured traffic: wrong nesting,
// missing ends and unknown entities are read as far as they make sense.
// Invariants: time is linear in the input, entities beyond the five of XML and
// the numeric ones are never expanded, a document type is stepped over, and
// equal input gives equal events. Limits: the Max constants; what lies beyond
// them is left out and said so.
package markup

import (
	"bytes"
	"unicode/utf8"
)

const (
	// MaxNodes is how many elements, attributes and texts of one XML document
	// are kept; MaxDepth how deep elements may nest.
	MaxNodes = 1 << 16
	MaxDepth = 48
	// MaxInner is how many documents inside the texts of one are given.
	MaxInner = 8
	// MaxCells is how many cells of one HTML table are kept.
	MaxCells = 1 << 15
	// MaxFields is how many form fields of a page are kept.
	MaxFields = 256
	// MaxMessages is how many texts of a page may be its message.
	MaxMessages = 16
	// MaxCell is how many bytes of a cell or message are kept.
	MaxCell = 1024

	maxAttributes = 64
	maxName       = 128
)

// appendText appends character data: references are resolved, sections of
// CDATA opened, comments and tags left out.
func appendText(dst, b []byte) []byte {
	for i := 0; i < len(b); {
		switch b[i] {
		case '&':
			n, r := reference(b[i:])
			if n == 0 {
				dst = append(dst, '&')
				i++
				continue
			}
			dst = utf8.AppendRune(dst, r)
			i += n
		case '<':
			rest := b[i:]
			switch {
			case bytes.HasPrefix(rest, cdata):
				end := bytes.Index(rest, cdataEnd)
				if end < 0 {
					return append(dst, rest[len(cdata):]...)
				}
				dst = append(dst, rest[len(cdata):end]...)
				i += end + len(cdataEnd)
			case bytes.HasPrefix(rest, comment):
				end := bytes.Index(rest, commentEnd)
				if end < 0 {
					return dst
				}
				i += end + len(commentEnd)
			default:
				_, n := readTag(rest)
				if n == 0 {
					dst = append(dst, '<')
					n = 1
				}
				i += n
			}
		default:
			end := bytes.IndexAny(b[i:], "&<")
			if end < 0 {
				return append(dst, b[i:]...)
			}
			dst = append(dst, b[i:i+end]...)
			i += end
		}
	}
	return dst
}

var (
	cdata, cdataEnd     = []byte("<![CDATA["), []byte("]]>")
	comment, commentEnd = []byte("<!--"), []byte("-->")
)

// reference reads the character reference at b; n is 0 when it is none that is
// resolved.
func reference(b []byte) (n int, r rune) {
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 2 {
		return 0, 0
	}
	name := b[1:end]
	if name[0] != '#' {
		switch string(name) {
		case "amp":
			return end + 1, '&'
		case "lt":
			return end + 1, '<'
		case "gt":
			return end + 1, '>'
		case "quot":
			return end + 1, '"'
		case "apos":
			return end + 1, '\''
		case "nbsp":
			return end + 1, ' '
		}
		return 0, 0
	}
	base, digits := rune(10), name[1:]
	if len(digits) > 0 && digits[0]|0x20 == 'x' {
		base, digits = 16, digits[1:]
	}
	if len(digits) == 0 {
		return 0, 0
	}
	for _, c := range digits {
		d := rune(99)
		switch {
		case c-'0' < 10:
			d = rune(c - '0')
		case (c|0x20)-'a' < 6:
			d = rune((c|0x20)-'a') + 10
		}
		if d >= base {
			return 0, 0
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, 0
		}
	}
	if r == 0 {
		return 0, 0
	}
	return end + 1, r
}

// tag is what stands between "<" and ">".
type tag struct {
	name  []byte // with its prefix
	attrs []byte
	end   bool // </name>
	alone bool // <name/>
}

// readTag reads the tag at b, whose first byte is "<". n is its length, 0 when
// there is none.
func readTag(b []byte) (t tag, n int) {
	i := 1
	if i < len(b) && b[i] == '/' {
		t.end = true
		i++
	}
	start := i
	for i < len(b) && nameByte[b[i]] {
		i++
	}
	if i == start || b[start]-'0' < 10 || i-start > maxName {
		return t, 0
	}
	t.name = b[start:i]
	start = i
	for i < len(b) && b[i] != '>' {
		switch c := b[i]; c {
		case '"', '\'':
			if b[i-1] != '=' && !blankByte(b[i-1]) { // no value begins here: an apostrophe
				break
			}
			end := bytes.IndexByte(b[i+1:min(len(b), i+1+maxAttribute)], c)
			if end < 0 {
				return t, 0
			}
			i += end + 1
		case '<':
			return t, 0
		}
		i++
	}
	if i >= len(b) {
		return t, 0
	}
	t.attrs = b[start:i]
	if len(t.attrs) > 0 && t.attrs[len(t.attrs)-1] == '/' {
		t.alone, t.attrs = true, t.attrs[:len(t.attrs)-1]
	}
	return t, i + 1
}

// maxAttribute is how long the value of an attribute may be.
const maxAttribute = 64 << 10

func blankByte(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// nameByte holds the bytes of names: letters, digits, joints, everything
// beyond ASCII.
var nameByte = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x80 || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == ':' || c == '_' || c == '-' || c == '.'
	}
	return t
}()

// nextAttribute takes one attribute off a; name is nil at the end.
func nextAttribute(a []byte) (name, value, rest []byte) {
	i := 0
	for i < len(a) && !nameByte[a[i]] {
		i++
	}
	start := i
	for i < len(a) && nameByte[a[i]] {
		i++
	}
	name = a[start:i]
	if len(name) == 0 {
		return nil, nil, nil
	}
	for i < len(a) && blankByte(a[i]) {
		i++
	}
	if i >= len(a) || a[i] != '=' {
		return name, nil, a[i:]
	}
	i++
	for i < len(a) && blankByte(a[i]) {
		i++
	}
	if i < len(a) && (a[i] == '"' || a[i] == '\'') {
		end := bytes.IndexByte(a[i+1:], a[i])
		if end < 0 {
			return name, a[i+1:], nil
		}
		return name, a[i+1 : i+1+end], a[i+end+2:]
	}
	start = i
	for i < len(a) && !blankByte(a[i]) {
		i++
	}
	return name, a[start:i], a[i:]
}

// attribute gives the value of the named attribute.
func attribute(a []byte, name string) (value []byte, ok bool) {
	for n := 0; n < maxAttributes; n++ {
		var k, v []byte
		if k, v, a = nextAttribute(a); k == nil {
			return nil, false
		}
		if equalFold(k, name) {
			return v, true
		}
	}
	return nil, false
}

// equalFold compares with a name in lower case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c-'A' < 26 {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// local is a name without its prefix.
func local(name []byte) []byte {
	if i := bytes.LastIndexByte(name, ':'); i >= 0 && i+1 < len(name) {
		return name[i+1:]
	}
	return name
}

func trim(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}
