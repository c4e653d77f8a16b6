package observe

import (
	"net/netip"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

type addr = netip.Addr

// interner makes strings of bytes. Words that recur are kept in two
// generations of at most internHalf each: when the young one is full it
// becomes the old one, so that a flood of names that never recur costs one
// generation and not the words in use. It only saves work: the strings are the
// same without it.
type interner struct {
	young, old map[string]string
	chunk      []byte
}

const (
	internHalf  = 32 << 10
	internBytes = 256
	chunkBytes  = 4 << 10
)

// word gives the string of b, shared with earlier ones.
func (t *interner) word(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > internBytes {
		return string(b)
	}
	if s, ok := t.young[string(b)]; ok {
		return s
	}
	s, ok := t.old[string(b)]
	if !ok {
		s = t.unique(b)
	}
	if len(t.young) >= internHalf {
		t.old, t.young = t.young, t.old
		clear(t.young)
	}
	if t.young == nil {
		t.young = make(map[string]string)
	}
	t.young[s] = s
	return s
}

// unique gives the string of b, cut out of a chunk shared with its neighbours:
// chunks are small, so that a string that is kept holds little else.
func (t *interner) unique(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > chunkBytes/8 {
		return string(b)
	}
	if cap(t.chunk)-len(t.chunk) < len(b) {
		t.chunk = make([]byte, 0, chunkBytes)
	}
	n := len(t.chunk)
	t.chunk = append(t.chunk, b...)
	return unsafe.String(&t.chunk[n], len(b)) // these bytes are never written again
}

// appendClean appends b as text that may be kept: valid UTF-8 without control
// or direction characters, at most MaxText bytes.
func appendClean(dst, b []byte) []byte {
	limit := len(dst) + MaxText
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if len(dst) >= limit {
				break
			}
			if c < ' ' || c == 0x7f {
				c = ' '
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		i += n
		if hidden(r) {
			r = utf8.RuneError
		}
		if len(dst)+utf8.RuneLen(r) > limit {
			break
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

func hidden(r rune) bool {
	return r < 0xA0 || r == 0xFEFF || r >= 0x200B && r <= 0x200F || r >= 0x2028 && r <= 0x202E ||
		r >= 0x2060 && r <= 0x206F || r >= 0xE0000 || unicode.Is(unicode.Co, r)
}

// plain reports whether b may be kept as it is.
func plain(b []byte) bool {
	if len(b) > MaxText {
		return false
	}
	for _, c := range b {
		if c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// word interns b as clean text.
func (o *Observer) word(b []byte) string {
	if !plain(b) {
		o.clean = appendClean(o.clean[:0], b)
		b = o.clean
	}
	return o.text.word(b)
}

// once is word for text that hardly recurs.
func (o *Observer) once(b []byte) string {
	if !plain(b) {
		o.clean = appendClean(o.clean[:0], b)
		b = o.clean
	}
	return o.text.unique(b)
}
