package wire

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"golang.org/x/net/http2/hpack"
)

const (
	hpackDefault  = 4096     // size of a dynamic table until the sender says otherwise (RFC 7541, 4.2)
	maxHpackTable = 64 << 10 // beyond this the oldest entries of a table are not kept
	hpackOverhead = 32       // what an entry counts besides its text
)

var errHpack = errors.New("header block does not decode")

// hpackTable is one direction's header compression state. x/net's decoder
// gives up at the first reference it cannot resolve; in a capture that began
// late, or has a hole, such references are the rule. Entries are numbered from
// the newest, so a table that lacks old entries is never wrong, only
// incomplete: what it does not hold is unknown.
type hpackTable struct {
	text    []byte // of the entries, oldest first, with a free part before and behind
	entries []hpackEntry
	first   int // of entries: the oldest one held
	size    int // as RFC 7541 counts it
	limit   int
	whole   bool   // no entry was missed, so that a reference to none is an error
	scratch []byte // a field that is not kept
}

type hpackEntry struct {
	at, name, value int32 // start in text; lengths
	unknown         bool  // its name is not known
}

func (t *hpackTable) reset() {
	*t = hpackTable{text: t.text[:0], entries: t.entries[:0], scratch: t.scratch[:0], limit: hpackDefault}
}

// lose says that blocks were missed: how many entries they added is not known.
func (t *hpackTable) lose() {
	t.clear()
	t.whole = false
}

func (t *hpackTable) clear() {
	t.entries, t.first, t.size, t.text = t.entries[:0], 0, 0, t.text[:0]
}

// room is the memory the table holds.
func (t *hpackTable) room() int {
	return cap(t.text) + cap(t.scratch) + cap(t.entries)*16
}

// resize follows a size update. An encoder evicts then, and so does this.
func (t *hpackTable) resize(n uint64) {
	if n > maxHpackTable {
		n, t.whole = maxHpackTable, false
	}
	t.limit = int(n)
	t.evict(t.limit)
}

func (t *hpackTable) evict(limit int) {
	for t.size > limit && t.first < len(t.entries) {
		e := &t.entries[t.first]
		t.size -= int(e.name+e.value) + hpackOverhead
		t.first++
	}
	if t.first == len(t.entries) {
		t.clear()
	}
}

// add makes an entry of the newest field.
func (t *hpackTable) add(name, value []byte, unknown bool) {
	n := len(name) + len(value)
	if n+hpackOverhead > t.limit {
		t.clear()
		return
	}
	t.evict(t.limit - n - hpackOverhead)
	if len(t.text)+n > cap(t.text) {
		t.compact(n)
	}
	if len(t.entries) == cap(t.entries) && t.first > cap(t.entries)/2 {
		t.entries = append(t.entries[:0], t.entries[t.first:]...)
		t.first = 0
	}
	at := int32(len(t.text))
	t.text = append(append(t.text, name...), value...)
	t.entries = append(t.entries, hpackEntry{at, int32(len(name)), int32(len(value)), unknown})
	t.size += n + hpackOverhead
}

// compact moves the text of the live entries to the front, in a room twice as
// large as they need if the present one is too small.
func (t *hpackTable) compact(n int) {
	from := len(t.text)
	if t.first < len(t.entries) {
		from = int(t.entries[t.first].at)
	}
	live := t.text[from:]
	dst := t.text[:0]
	if need := 2 * (len(live) + n); cap(dst) < need {
		dst = make([]byte, 0, max(need, 512))
	}
	t.text = append(dst, live...)
	for i := t.first; i < len(t.entries); i++ {
		t.entries[i].at -= int32(from)
	}
}

// at gives the field with an HPACK index, its value behind its name; known is
// false for one not held.
func (t *hpackTable) at(index uint64) (text []byte, name int, known bool) {
	if index <= uint64(len(hpackStatic)) {
		e := &hpackStatic[index-1]
		return e.text, e.name, true
	}
	index -= uint64(len(hpackStatic)) + 1
	if index >= uint64(len(t.entries)-t.first) {
		return nil, 0, false
	}
	e := &t.entries[len(t.entries)-1-int(index)]
	return t.text[e.at : e.at+e.name+e.value], int(e.name), !e.unknown
}

// hpackField is one field of a block. Its bytes lie in the buffer given to
// next, name before value.
type hpackField struct {
	nameLen int
	index   int  // of a name in the static table, else 0
	unknown bool // name, or name and value, are not known
	none    bool // a size update, no field
}

// next decodes the first representation in b and appends the field's name and
// value to buf.
func (t *hpackTable) next(b, buf []byte) (rest, out []byte, f hpackField, err error) {
	c := b[0]
	start := len(buf)
	switch {
	case c&0x80 != 0:
		i, rest := uint64(c&0x7f), b[1:]
		if i == 0x7f || i == 0 {
			var ok bool
			if i, rest, ok = hpackInt(b, 7); !ok || i == 0 {
				return nil, buf, f, errHpack
			}
		}
		text, name, known := t.at(i)
		if !known && t.whole {
			return nil, buf, f, errHpack
		}
		f.nameLen, f.unknown = name, !known
		if i <= uint64(len(hpackStatic)) {
			f.index = int(i)
		}
		return rest, append(buf, text...), f, nil
	case c&0xe0 == 0x20:
		n, rest, ok := hpackInt(b, 5)
		if !ok {
			return nil, buf, f, errHpack
		}
		t.resize(n)
		return rest, buf, hpackField{none: true}, nil
	}
	bits := uint(4)
	if c&0x40 != 0 {
		bits = 6
	}
	i, rest, ok := hpackInt(b, bits)
	if !ok {
		return nil, buf, f, errHpack
	}
	if i > 0 {
		text, name, known := t.at(i)
		if !known && t.whole {
			return nil, buf, f, errHpack
		}
		buf = append(buf, text[:name]...)
		f.unknown = !known
		if i <= uint64(len(hpackStatic)) {
			f.index = int(i)
		}
	} else if rest, buf, ok = hpackString(rest, buf); !ok {
		return nil, buf[:start], f, errHpack
	}
	f.nameLen = len(buf) - start
	if rest, buf, ok = hpackString(rest, buf); !ok {
		return nil, buf[:start], f, errHpack
	}
	if c&0x40 != 0 {
		t.add(buf[start:start+f.nameLen], buf[start+f.nameLen:], f.unknown)
	}
	return rest, buf, f, nil
}

// hpackInt reads an integer with a prefix of that many bits (RFC 7541, 5.1).
// What does not fit into 32 bits is refused.
func hpackInt(b []byte, bits uint) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	mask := uint64(1)<<bits - 1
	n = uint64(b[0]) & mask
	b = b[1:]
	if n < mask {
		return n, b, true
	}
	for shift := uint(0); shift < 63 && len(b) > 0; shift += 7 { // zeros may stand in front
		c := b[0]
		b = b[1:]
		if c&0x7f != 0 && shift > 28 {
			return 0, nil, false
		}
		n += uint64(c&0x7f) << shift
		if c&0x80 == 0 {
			return n, b, n <= 1<<32-1
		}
	}
	return 0, nil, false
}

// hpackString reads a string and appends it to buf.
func hpackString(b, buf []byte) (rest, out []byte, ok bool) {
	if len(b) == 0 {
		return nil, buf, false
	}
	huffman := b[0]&0x80 != 0
	n, b, ok := hpackInt(b, 7)
	if !ok || n > uint64(len(b)) {
		return nil, buf, false
	}
	if !huffman {
		return b[n:], append(buf, b[:n]...), true
	}
	buf, ok = huffmanDecode(buf, b[:n])
	return b[n:], buf, ok
}

// hpackCheck reports whether b has the form of a header block; references are
// not looked up.
func hpackCheck(b []byte) bool {
	for len(b) > 0 {
		c, i, ok := b[0], uint64(0), false
		switch {
		case c&0x80 != 0:
			if i, b, ok = hpackInt(b, 7); !ok || i == 0 || i > 2048 {
				return false
			}
			continue
		case c&0xe0 == 0x20:
			if _, b, ok = hpackInt(b, 5); !ok {
				return false
			}
			continue
		case c&0x40 != 0:
			i, b, ok = hpackInt(b, 6)
		default:
			i, b, ok = hpackInt(b, 4)
		}
		if !ok || i > 2048 {
			return false
		}
		for strings := 1; strings >= 0; strings-- {
			if strings == 1 && i != 0 {
				continue
			}
			n, rest, ok := hpackInt(b, 7)
			if !ok || n > uint64(len(rest)) {
				return false
			}
			b = rest[n:]
		}
	}
	return true
}

type staticEntry struct {
	text []byte // value behind name
	name int
}

// hpackStatic is the static table, read out of x/net's decoder.
var hpackStatic = func() (t [61]staticEntry) {
	i := 0
	d := hpack.NewDecoder(hpackDefault, func(f hpack.HeaderField) {
		t[i] = staticEntry{[]byte(f.Name + f.Value), len(f.Name)}
		i++
	})
	for j := range t {
		if _, err := d.Write([]byte{0x80 | byte(j+1)}); err != nil {
			panic("wire: the static table has fewer entries than RFC 7541 gives it: " + err.Error())
		}
	}
	return t
}()

const huffBits = 12

// huffShort holds for the next 12 bits of a string which one or two
// characters they begin with.
type huffShort struct {
	bits  uint8 // 0: the code is longer
	first uint8 // bits of the first character's code
	n     uint8
	chars [2]byte
}

type huffCode struct {
	code uint32 // left-aligned
	bits uint8
	char byte
}

// huffman is HPACK's code (RFC 7541, appendix B), read out of x/net's encoder.
var huffman = func() (t struct {
	short [1 << huffBits]huffShort
	long  []huffCode // of more than 12 bits, by code
}) {
	var codes [256]huffCode
	for c := range codes {
		s := string([]byte{byte(c)})
		bits := hpack.HuffmanEncodeLength(strings.Repeat(s, 8))
		code := uint32(0)
		for i, b := range append(hpack.AppendHuffmanString(nil, s), 0, 0, 0)[:4] {
			code |= uint32(b) << (24 - 8*i)
		}
		code &= ^uint32(0) << (32 - bits)
		codes[c] = huffCode{code, uint8(bits), byte(c)}
	}
	for _, c := range codes {
		if c.bits > huffBits {
			t.long = append(t.long, c)
			continue
		}
		from := c.code >> (32 - huffBits)
		for i := range uint32(1) << (huffBits - c.bits) {
			t.short[from+i] = huffShort{bits: c.bits, first: c.bits, n: 1, chars: [2]byte{c.char}}
		}
	}
	slices.SortFunc(t.long, func(a, b huffCode) int { return cmp.Compare(a.code, b.code) })
	for i := range t.short {
		e := &t.short[i]
		for _, c := range codes {
			if e.n == 1 && c.bits <= huffBits-e.bits && uint32(i)<<(32-huffBits)<<e.bits>>(32-c.bits) == c.code>>(32-c.bits) {
				e.n, e.chars[1] = 2, c.char
				e.bits += c.bits
				break
			}
		}
	}
	return t
}()

// huffmanDecode appends the decoded string. The padding must be shorter than a
// byte and all ones.
func huffmanDecode(dst, src []byte) ([]byte, bool) {
	var acc uint64 // the next bits, left-aligned
	n := uint(0)
	for {
		if len(src) >= 8 {
			acc |= binary.BigEndian.Uint64(src) >> n
			k := (63 - n) / 8
			src = src[k:]
			n += k * 8
		} else {
			for n <= 56 && len(src) > 0 {
				acc |= uint64(src[0]) << (56 - n)
				src = src[1:]
				n += 8
			}
			if n < huffBits {
				break
			}
		}
		e := &huffman.short[acc>>(64-huffBits)]
		if e.n == 2 {
			dst = append(dst, e.chars[0], e.chars[1])
			acc <<= e.bits
			n -= uint(e.bits)
			continue
		}
		if e.n == 1 {
			dst = append(dst, e.chars[0])
			acc <<= e.bits
			n -= uint(e.bits)
			continue
		}
		c, ok := huffLong(uint32(acc >> 32))
		if !ok || uint(c.bits) > n {
			return dst, false
		}
		dst = append(dst, c.char)
		acc <<= c.bits
		n -= uint(c.bits)
	}
	for n > 0 {
		// The end: what is not there counts as ones, as padding does.
		e := &huffman.short[(acc|^uint64(0)>>n)>>(64-huffBits)]
		if e.n == 0 || uint(e.first) > n {
			break
		}
		dst = append(dst, e.chars[0])
		acc <<= e.first
		n -= uint(e.first)
	}
	return dst, n < 8 && acc|^uint64(0)>>n == ^uint64(0)
}

// huffLong finds the code of more than 12 bits at the start of code.
func huffLong(code uint32) (c huffCode, ok bool) {
	lo, hi := 0, len(huffman.long)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); huffman.long[mid].code <= code {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return c, false
	}
	c = huffman.long[lo-1]
	return c, (code^c.code)>>(32-c.bits) == 0
}
