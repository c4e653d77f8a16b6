package sensitive

// Mask is the set of kinds of bytes that a text holds. It is computed in one
// pass and tells which recognisers cannot know the text, so that most values
// are asked nothing else.
type Mask uint32

const (
	HasDigit Mask = 1 << iota
	HasUpper
	HasLower
	HasHexLetter // a letter of a..f, beside its case
	HasLetter    // a letter beyond f, beside its case
	HasUnder
	HasDash
	HasDot
	HasBlank   // blank, tab, line feed, carriage return
	HasControl // other bytes below the blank
	HasAt
	HasStar
	HasColon
	HasEquals
	HasSlash
	HasOpen // { < "
	HasSign // other bytes of ASCII
	HasHan  // lead byte of U+4000 to U+9FFF
	HasTail // continuation byte
	HasLead // lead byte of a masking character or of a full-width sign
	HasHigh // other bytes beyond ASCII

	HasBeyond = HasHan | HasTail | HasLead | HasHigh

	maskLetter = HasUpper | HasLower | HasHexLetter | HasLetter
	maskToken  = HasDigit | maskLetter | HasUnder | HasDash
)

var maskTable = func() (t [256]Mask) {
	for c := range t {
		switch b := byte(c); {
		case isDigit(b):
			t[c] = HasDigit
		case b >= 'a' && b <= 'f':
			t[c] = HasLower | HasHexLetter
		case b >= 'A' && b <= 'F':
			t[c] = HasUpper | HasHexLetter
		case b >= 'a' && b <= 'z':
			t[c] = HasLower | HasLetter
		case b >= 'A' && b <= 'Z':
			t[c] = HasUpper | HasLetter
		case b == '_':
			t[c] = HasUnder
		case b == '-':
			t[c] = HasDash
		case b == '.':
			t[c] = HasDot
		case b == ' ' || b == '\t' || b == '\n' || b == '\r':
			t[c] = HasBlank
		case b < ' ':
			t[c] = HasControl
		case b == '@':
			t[c] = HasAt
		case b == '*':
			t[c] = HasStar
		case b == ':':
			t[c] = HasColon
		case b == '=':
			t[c] = HasEquals
		case b == '/':
			t[c] = HasSlash
		case b == '{' || b == '<' || b == '"':
			t[c] = HasOpen
		case b < 0x80:
			t[c] = HasSign
		case b < 0xC0:
			t[c] = HasTail
		case b >= 0xE4 && b <= 0xE9:
			t[c] = HasHan
		case b == 0xE2 || b == 0xEF:
			t[c] = HasLead
		default:
			t[c] = HasHigh
		}
	}
	return t
}()

// MaskOf gives the mask of b.
func MaskOf(b []byte) (m Mask) {
	for len(b) >= 4 {
		m |= maskTable[b[0]] | maskTable[b[1]] | maskTable[b[2]] | maskTable[b[3]]
		b = b[4:]
	}
	for _, c := range b {
		m |= maskTable[c]
	}
	return m
}

// silent reports whether ScanText finds nothing in a text of n bytes, by its
// mask. What a lone token run of up to eleven bytes can be needs text around
// it, but for a mobile number.
func silent(m Mask, n int) bool {
	switch {
	case m&(HasDigit|HasDash|HasAt|HasStar|HasColon|HasEquals|HasLead) == 0:
		return n < 16
	case m == HasDigit:
		return n < 11 || n > 19 || n == 12 || n == 14 || n == 17
	}
	return m&^maskToken == 0 && n <= 11
}

// quiet reports whether Scan finds nothing in n bytes with this mask, whatever
// stands before them.
func quiet(m Mask, n int) bool {
	return n < 16 && m&(HasDigit|HasDash|HasAt|HasStar) == 0
}

// masking reports whether Masked may hold: without a masking character only
// digits around x remain. White space of other scripts is trimmed there, hence
// other scripts are asked.
func masking(m Mask) bool {
	return m&(HasStar|HasLead|HasHigh) != 0 || m&^(HasDigit|HasUpper|HasLower|HasLetter) == 0 && m&HasDigit != 0 && m&HasLetter != 0
}

// A hanSet is a set of ideographs from U+4000 to U+9FFF.
type hanSet [(0xA000 - 0x4000) / 64]uint64

func (s *hanSet) add(r rune) bool {
	if r < 0x4000 || r >= 0xA000 {
		return false
	}
	s[(r-0x4000)>>6] |= 1 << (r & 63)
	return true
}

// has asks for the character whose three bytes begin with lead; the bytes are
// those of an ideograph of the range.
func (s *hanSet) has(lead, second, third byte) bool {
	i := uint(lead-0xE4)<<6 | uint(second&0x3F)
	return s[i%uint(len(s))]>>(third&0x3F)&1 != 0
}

func newHanSet(list string) (s hanSet) {
	for _, r := range list {
		s.add(r)
	}
	return s
}

// ideograph reports whether an ideograph of U+4000 to U+9FFF begins at i.
func ideograph(v []byte, i int) bool {
	return i+2 < len(v) && v[i]-0xE4 < 6 && v[i+1]&0xC0 == 0x80 && v[i+2]&0xC0 == 0x80
}
