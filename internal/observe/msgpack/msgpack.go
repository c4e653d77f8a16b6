// Package msgpack walks MessagePack and reports every leaf with its path.
//
// It takes body bytes and reports them by the events of a jsonleaf.Walker, so
// that a document has the paths that the same data has as JSON. Several
// documents may follow one another. Text that breaks off or is no MessagePack
// any more ends the walk; what was read until then has been reported.
// Invariants: every step consumes a byte, so a length that the bytes do not
// back costs nothing; equal input gives equal events. Limits: below the depth
// of the walker values are stepped over; extension values are reported as
// their bytes in hexadecimal up to maxExt, longer ones not at all.
package msgpack

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"unicode/utf8"

	"xiezhi/internal/observe/jsonleaf"
)

const (
	maxDepth = 512 // nesting that is stepped over without giving up
	maxExt   = 32
)

// Reader walks bodies one after the other. The zero value is ready.
type Reader struct {
	b    []byte
	w    *jsonleaf.Walker
	num  []byte
	max  uint32
	full bool
}

// Read reports the leaves of b to v, at most max of them. complete says that
// all of b was read; over, that there were more leaves.
func (r *Reader) Read(b []byte, w *jsonleaf.Walker, v jsonleaf.Visitor, max uint32) (complete, over bool) {
	r.b, r.w, r.max, r.full = b, w, max, false
	w.Begin(v)
	ok := true
	for ok && len(r.b) > 0 {
		ok = r.value(0)
	}
	w.End()
	complete = ok && len(r.b) == 0
	r.b, r.w = nil, nil
	return complete, r.full
}

// take gives the next n bytes.
func (r *Reader) take(n uint64) ([]byte, bool) {
	if n > uint64(len(r.b)) {
		return nil, false
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v, true
}

// size reads a big-endian number of n bytes.
func (r *Reader) size(n uint64) (v uint64, ok bool) {
	b, ok := r.take(n)
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v, ok
}

func (r *Reader) leaf(k jsonleaf.Kind, v []byte) bool {
	if r.w.Leaves >= r.max {
		r.full = true
		return false
	}
	r.w.Value(k, v)
	return true
}

func (r *Reader) value(depth int) bool {
	if depth > maxDepth || len(r.b) == 0 {
		return false
	}
	c := r.b[0]
	r.b = r.b[1:]
	switch {
	case c < 0x80:
		return r.integer(int64(c))
	case c < 0x90:
		return r.object(uint64(c&0x0f), depth)
	case c < 0xa0:
		return r.array(uint64(c&0x0f), depth)
	case c < 0xc0:
		return r.text(uint64(c & 0x1f))
	case c >= 0xe0:
		return r.integer(int64(int8(c)))
	}
	switch c {
	case 0xc0:
		return r.leaf(jsonleaf.Null, []byte("null"))
	case 0xc2:
		return r.leaf(jsonleaf.Bool, []byte("false"))
	case 0xc3:
		return r.leaf(jsonleaf.Bool, []byte("true"))
	case 0xc4, 0xc5, 0xc6, 0xd9, 0xda, 0xdb: // bin, str
		n := uint64(1) << ((c - 0xc4) % 3)
		if c >= 0xd9 {
			n = 1 << (c - 0xd9)
		}
		n, ok := r.size(n)
		return ok && r.text(n)
	case 0xc7, 0xc8, 0xc9:
		n, ok := r.size(1 << (c - 0xc7))
		return ok && r.extension(n)
	case 0xca, 0xcb:
		n, ok := r.size(4 << (c - 0xca))
		if !ok {
			return false
		}
		f := math.Float64frombits(n)
		if c == 0xca {
			f = float64(math.Float32frombits(uint32(n)))
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return r.leaf(jsonleaf.Null, []byte("null"))
		}
		r.num = strconv.AppendFloat(r.num[:0], f, 'f', -1, 64)
		k := jsonleaf.Float
		if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			k = jsonleaf.Int
		}
		return r.leaf(k, r.num)
	case 0xcc, 0xcd, 0xce, 0xcf:
		n, ok := r.size(1 << (c - 0xcc))
		r.num = strconv.AppendUint(r.num[:0], n, 10)
		return ok && r.leaf(jsonleaf.Int, r.num)
	case 0xd0, 0xd1, 0xd2, 0xd3:
		width := uint64(1) << (c - 0xd0)
		n, ok := r.size(width)
		shift := 64 - 8*width
		return ok && r.integer(int64(n<<shift)>>shift)
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return r.extension(1 << (c - 0xd4))
	case 0xdc, 0xdd:
		n, ok := r.size(2 << (c - 0xdc))
		return ok && r.array(n, depth)
	case 0xde, 0xdf:
		n, ok := r.size(2 << (c - 0xde))
		return ok && r.object(n, depth)
	}
	return false // 0xc1 is never used
}

func (r *Reader) integer(v int64) bool {
	r.num = strconv.AppendInt(r.num[:0], v, 10)
	return r.leaf(jsonleaf.Int, r.num)
}

// text reports a string; bytes that are no text count for nothing but their
// being there.
func (r *Reader) text(n uint64) bool {
	v, ok := r.take(n)
	if !ok {
		return false
	}
	if !utf8.Valid(v) {
		v = nil
	}
	return r.leaf(jsonleaf.String, v)
}

func (r *Reader) extension(n uint64) bool {
	kind, ok := r.take(1)
	if !ok {
		return false
	}
	v, ok := r.take(n)
	if !ok {
		return false
	}
	switch {
	case kind[0] == 0xff && n == 4: // seconds since the epoch
		return r.integer(int64(binary.BigEndian.Uint32(v)))
	case kind[0] == 0xff && n == 8:
		return r.integer(int64(binary.BigEndian.Uint64(v) & (1<<34 - 1)))
	case kind[0] == 0xff && n == 12:
		return r.integer(int64(binary.BigEndian.Uint64(v[4:])))
	case n > maxExt:
		v = nil
	}
	r.num = hex.AppendEncode(r.num[:0], v)
	return r.leaf(jsonleaf.String, r.num)
}

func (r *Reader) array(n uint64, depth int) bool {
	r.w.Array()
	for ; n > 0; n-- {
		if !r.value(depth + 1) {
			return false
		}
	}
	r.w.Close()
	return true
}

func (r *Reader) object(n uint64, depth int) bool {
	r.w.Object()
	for ; n > 0; n-- {
		if !r.key() || !r.value(depth+1) {
			return false
		}
	}
	r.w.Close()
	return true
}

// key reads a key of a map: a string or a number.
func (r *Reader) key() bool {
	if len(r.b) == 0 {
		return false
	}
	c := r.b[0]
	r.b = r.b[1:]
	var n uint64
	ok := true
	switch {
	case c < 0x80 || c >= 0xe0:
		r.num = strconv.AppendInt(r.num[:0], int64(int8(c)), 10)
		r.w.Key(r.num)
		return true
	case c >= 0xa0 && c < 0xc0:
		n = uint64(c & 0x1f)
	case c >= 0xd9 && c <= 0xdb:
		n, ok = r.size(1 << (c - 0xd9))
	case c >= 0xc4 && c <= 0xc6:
		n, ok = r.size(1 << (c - 0xc4))
	case c >= 0xcc && c <= 0xcf:
		n, ok = r.size(1 << (c - 0xcc))
		r.num = strconv.AppendUint(r.num[:0], n, 10)
		r.w.Key(r.num)
		return ok
	case c >= 0xd0 && c <= 0xd3:
		width := uint64(1) << (c - 0xd0)
		n, ok = r.size(width)
		shift := 64 - 8*width
		r.num = strconv.AppendInt(r.num[:0], int64(n<<shift)>>shift, 10)
		r.w.Key(r.num)
		return ok
	default:
		return false
	}
	if !ok {
		return false
	}
	k, ok := r.take(n)
	if !ok || !utf8.Valid(k) || len(k) > 4096 {
		return false
	}
	r.w.Key(k)
	return true
}
