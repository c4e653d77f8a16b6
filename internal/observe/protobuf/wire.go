package protobuf

import (
	"encoding/binary"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Wire types.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireLen     = 2
	wireGroup   = 3
	wireEnd     = 4
	wireFixed32 = 5
)

// entry is one field of a message.
type entry struct {
	value    uint64 // of a number
	from, to int32  // content of a LEN or group
	next     int32  // the next field of that number, 0 none
	num      uint32
	wire     uint8
	first    bool // no earlier field has that number
	cut      bool // the message ends before its content does
}

const (
	nearNumbers = 64 // field numbers whose occurrences are always found
	farFields   = 64 // fields looked back over for those of other numbers
)

// index splits b into its fields, which it puts at from. It gives where they
// end and how far b was read: to its end, or, if cut is allowed, to what does
// not fit any more. end is -1 when b is no message.
func (r *Reader) index(b []byte, from int, cut bool) (to, end int) {
	r.fields = r.fields[:from]
	var last [nearNumbers]int32
	i := 0
	for i < len(b) {
		tag, n := varint(b[i:])
		num := tag >> 3
		if n <= 0 || num == 0 || num > 1<<29-1 || len(r.fields)-from >= maxFields || len(r.fields) >= 2*maxFields {
			return r.broken(from, i, cut)
		}
		e := entry{num: uint32(num), wire: uint8(tag & 7), first: true}
		at := i + n
		switch e.wire {
		case wireVarint:
			if e.value, n = varint(b[at:]); n <= 0 {
				return r.broken(from, i, cut)
			}
			at += n
		case wireFixed64:
			if e.value, n = fixed(b[at:], 8); n <= 0 {
				return r.broken(from, i, cut)
			}
			at += n
		case wireFixed32:
			if e.value, n = fixed(b[at:], 4); n <= 0 {
				return r.broken(from, i, cut)
			}
			at += n
		case wireLen:
			size, n := varint(b[at:])
			if n <= 0 {
				return r.broken(from, i, cut)
			}
			at += n
			if size > uint64(len(b)-at) {
				if !cut || at == len(b) {
					return r.broken(from, i, cut)
				}
				size, e.cut = uint64(len(b)-at), true
			}
			e.from, e.to = int32(at), int32(at)+int32(size)
			at = int(e.to)
		case wireGroup:
			size, next := group(b[at:], e.num)
			if next < 0 {
				return r.broken(from, i, cut)
			}
			e.from, e.to = int32(at), int32(at+size)
			at += next
		default:
			return r.broken(from, i, cut)
		}
		pos := int32(len(r.fields))
		if prev := r.previous(&last, from, e.num); prev >= 0 && r.fields[prev].wire == e.wire {
			r.fields[prev].next, e.first = pos, false
		}
		if num < nearNumbers {
			last[num] = pos + 1
		}
		r.fields = append(r.fields, e)
		i = at
	}
	return len(r.fields), i
}

// previous finds the last field of a number, -1 when there is none.
func (r *Reader) previous(last *[nearNumbers]int32, from int, num uint32) int32 {
	if num < nearNumbers {
		return last[num] - 1
	}
	for i := len(r.fields) - 1; i >= from && i >= len(r.fields)-farFields; i-- {
		if r.fields[i].num == num {
			return int32(i)
		}
	}
	return -1
}

func (r *Reader) broken(from, at int, cut bool) (to, end int) {
	if cut {
		return len(r.fields), at
	}
	r.fields = r.fields[:from]
	return from, -1
}

// varint reads a number of at most ten bytes; n is 0 when b ends before it
// does or it is longer.
func varint(b []byte) (v uint64, n int) {
	for i, c := range b {
		if i == 9 && c > 1 || i > 9 {
			return 0, 0
		}
		v |= uint64(c&0x7f) << (7 * uint(i))
		if c < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

func fixed(b []byte, size int) (v uint64, n int) {
	if len(b) < size {
		return 0, 0
	}
	if size == 4 {
		return uint64(binary.LittleEndian.Uint32(b)), 4
	}
	return binary.LittleEndian.Uint64(b), 8
}

// group gives the length of a group's content, which ends with the end tag of
// its number, and where what follows it begins; next is -1 when it has no end.
func group(b []byte, num uint32) (size, next int) {
	open := 1
	for i := 0; i < len(b); {
		tag, n := varint(b[i:])
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return 0, -1
		}
		start := i
		i += n
		switch tag & 7 {
		case wireVarint:
			_, n = varint(b[i:])
		case wireFixed64:
			_, n = fixed(b[i:], 8)
		case wireFixed32:
			_, n = fixed(b[i:], 4)
		case wireLen:
			var size uint64
			if size, n = varint(b[i:]); n > 0 && size <= uint64(len(b)-i-n) {
				n += int(size)
			} else {
				n = 0
			}
		case wireGroup:
			if open++; open > maxDepth {
				return 0, -1
			}
			continue
		case wireEnd:
			if open--; open == 0 {
				if tag>>3 != uint64(num) {
					return 0, -1
				}
				return start, i
			}
			continue
		default:
			n = 0
		}
		if n <= 0 {
			return 0, -1
		}
		i += n
	}
	return 0, -1
}

// wireOf is the wire type of a kind.
func wireOf(k protoreflect.Kind) uint8 {
	switch k {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return wireLen
	case protoreflect.GroupKind:
		return wireGroup
	case protoreflect.DoubleKind, protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return wireFixed64
	case protoreflect.FloatKind, protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return wireFixed32
	}
	return wireVarint
}
