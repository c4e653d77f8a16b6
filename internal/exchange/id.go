package exchange

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"

	"github.com/dchest/siphash"
)

// The keys are fixed: an id has to be the same on every installation and is
// no secret. Each kind of content has its own, so that kinds never collide.
const (
	lineKey0, lineKey1     = 0x786965_7a68692d, 0x6c6f672d_6c696e65
	entryKey0, entryKey1   = 0x786965_7a68692d, 0x6861722d_656e7472
	memberKey0, memberKey1 = 0x786965_7a68692d, 0x6861722d_6d656d62
	againKey0, againKey1   = 0x786965_7a68692d, 0x6f636375_72727265
)

// ContentHash is a 128-bit hash of an input's content.
type ContentHash struct{ Lo, Hi uint64 }

// ID is 32 hexadecimal characters.
type ID [32]byte

// String gives the id as text.
func (id ID) String() string { return string(id[:]) }

// ID gives the id of the content's occurrence, the first being 0.
func (h ContentHash) ID(occurrence int) (id ID) {
	var b [24]byte
	binary.BigEndian.PutUint64(b[:], h.Hi)
	binary.BigEndian.PutUint64(b[8:], h.Lo)
	if occurrence > 0 {
		binary.BigEndian.PutUint64(b[16:], uint64(occurrence))
		lo, hi := siphash.Hash128(againKey0, againKey1, b[:])
		binary.BigEndian.PutUint64(b[:], hi)
		binary.BigEndian.PutUint64(b[8:], lo)
	}
	hex.Encode(id[:], b[:16])
	return id
}

// HashLine hashes one log line without its line end.
func HashLine(line []byte) ContentHash {
	lo, hi := siphash.Hash128(lineKey0, lineKey1, line)
	return ContentHash{lo, hi}
}

// LogLineID gives the id of a log line.
func LogLineID(line []byte, occurrence int) ID { return HashLine(line).ID(occurrence) }

// HAREntryID gives the id of a HAR entry. An entry that is no JSON is hashed
// as the bytes it is.
func HAREntryID(raw []byte, occurrence int) ID {
	var d HARDecoder
	h, err := d.Hash(raw)
	if err != nil {
		h = HashLine(raw)
	}
	return h.ID(occurrence)
}

// Hash hashes what an entry says, not how it is written: white space, the
// order of members, escapes and the spelling of numbers make no difference,
// because pretty-printers and converters change all of them. It walks the text
// bottom up and keeps nothing.
func (d *HARDecoder) Hash(raw []byte) (ContentHash, error) {
	d.h = parser{b: raw, text: d.h.text[:0]}
	p := &d.h
	h, err := p.hash()
	if err == nil {
		err = p.end()
	}
	p.b = nil
	if cap(p.text) > maxKept {
		p.text = nil
	}
	return h, err
}

func tagged(tag byte, b []byte) ContentHash {
	lo, hi := siphash.Hash128(entryKey0, entryKey1+uint64(tag), b)
	return ContentHash{lo, hi}
}

func (p *parser) hash() (ContentHash, error) {
	var buf [32]byte
	switch p.peek() {
	case '{':
		// Members commute: the sum of their hashes, each a keyed function of
		// name and value.
		var sum ContentHash
		err := p.object(func(key []byte) error {
			k := tagged('k', key)
			v, err := p.hash()
			if err != nil {
				return within("?", err)
			}
			var m [32]byte
			put(m[:], k)
			put(m[16:], v)
			lo, hi := siphash.Hash128(memberKey0, memberKey1, m[:])
			sum.Lo += lo
			sum.Hi += hi
			p.text = p.text[:0]
			return nil
		})
		put(buf[:], sum)
		return tagged('{', buf[:16]), err
	case '[':
		acc := ContentHash{}
		err := p.array(func(int) error {
			v, err := p.hash()
			if err != nil {
				return err
			}
			var m [32]byte
			put(m[:], acc)
			put(m[16:], v)
			acc = tagged(',', m[:])
			return nil
		})
		put(buf[:], acc)
		return tagged('[', buf[:16]), err
	case '"':
		start := len(p.text)
		s, err := p.str()
		h := tagged('"', s)
		p.text = p.text[:start]
		return h, err
	case 't', 'f', 'n':
		c := p.b[p.i]
		return tagged(c, nil), p.skip()
	default:
		text, err := p.number()
		if err != nil {
			return ContentHash{}, err
		}
		f, _ := strconv.ParseFloat(string(text), 64) // beyond float64 all are infinite, which is enough here
		if f == 0 {
			f = 0 // -0 is 0
		}
		binary.BigEndian.PutUint64(buf[:], math.Float64bits(f))
		return tagged('0', buf[:8]), nil
	}
}

func put(b []byte, h ContentHash) {
	binary.BigEndian.PutUint64(b, h.Hi)
	binary.BigEndian.PutUint64(b[8:], h.Lo)
}
