// Package protobuf walks Protocol Buffers messages and reports every leaf with
// its path.
//
// It takes message bytes and reports them by the events of a jsonleaf.Walker.
// With a message type of a Schema the paths are those that the same data has
// as JSON ("user.phone"); without one they are field numbers ("1.3[].2"), a
// field that occurs more than once in its message being an array, and what a
// field is, is guessed from its bytes (see guess.go). Invariants: equal bytes
// and types give equal events; nothing is allocated once the scratch has
// grown; a length that the bytes do not back is never believed. Limits: below
// maxDepth messages are bytes; a message has at most maxFields fields, and at
// most as many leaves are reported as the caller allows.
package protobuf

import (
	"math"
	"strconv"
	"unicode/utf8"

	"xiezhi/internal/observe/jsonleaf"
)

const (
	// maxDepth is how deep messages are opened.
	maxDepth = jsonleaf.MaxDepth
	// maxFields bounds the fields of one message; with those of the messages
	// around it there may be twice as many.
	maxFields = 1 << 16
)

// Reader walks messages one after the other. The zero value is ready.
type Reader struct {
	w      *jsonleaf.Walker
	fields []entry // of the open messages, the innermost last
	num    []byte
	max    uint32
	full   bool
}

// Begin starts a body of one or several messages; at most max leaves of it are
// reported to v.
func (r *Reader) Begin(w *jsonleaf.Walker, v jsonleaf.Visitor, max uint32) {
	r.w, r.max, r.full = w, max, false
	w.Begin(v)
}

// Message reports one message of type t, nil when it is not known. complete
// says that all of it was read; what is damaged or cut is reported as far as
// it can be read.
func (r *Reader) Message(b []byte, t *Message) (complete bool) {
	if len(b) > math.MaxInt32 {
		b = b[:math.MaxInt32]
	}
	r.fields = r.fields[:0]
	to, end := r.index(b, 0, true)
	if to == 0 && len(b) > 0 {
		return false
	}
	r.w.Object()
	r.message(b, t, 1, 0, to)
	r.w.Close()
	return end == len(b) && !r.full && (to == 0 || !r.fields[to-1].cut)
}

// End ends the body and says whether there was more than was reported.
func (r *Reader) End() (over bool) {
	r.w.End()
	r.w = nil
	if cap(r.fields) > 1<<15 {
		r.fields = nil
	}
	return r.full
}

// Plausible reports whether b is a message from its first to its last byte.
func (r *Reader) Plausible(b []byte) bool {
	if len(b) > math.MaxInt32 {
		return false
	}
	r.fields = r.fields[:0]
	to, end := r.index(b, 0, false)
	return end == len(b) && (to > 0 || len(b) == 0)
}

// message reports the fields from and to of the message b.
func (r *Reader) message(b []byte, t *Message, depth, from, to int) {
	for i := from; i < to && !r.full; i++ {
		e := &r.fields[i]
		f := t.field(e.num)
		if f == nil {
			if e.first {
				r.num = strconv.AppendUint(r.num[:0], uint64(e.num), 10)
				r.w.Name(r.num)
				r.unknown(b, i, depth)
			}
			continue
		}
		if e.first || !f.list { // a second value of a single field is reported too
			r.w.Name(f.name)
			r.known(b, i, f, depth)
		}
	}
}

// unknown reports the occurrences of a field of which only the number is known.
func (r *Reader) unknown(b []byte, i, depth int) {
	g := r.guessField(b, i, depth)
	list := r.fields[i].next > 0 || g == guessPacked
	if list {
		r.w.Array()
	}
	for i := int32(i); ; {
		e := r.fields[i]
		r.guessed(b, &e, g, depth)
		if i = e.next; i <= 0 || r.full {
			break
		}
	}
	if list {
		r.w.Close()
	}
}

// guessed reports one occurrence of an unknown field.
func (r *Reader) guessed(b []byte, e *entry, g guess, depth int) {
	switch e.wire {
	case wireVarint:
		r.varint(e.value)
	case wireFixed32:
		r.fixed32(uint32(e.value))
	case wireFixed64:
		r.fixed64(e.value)
	default:
		v := b[e.from:e.to]
		switch g {
		case guessMessage:
			if r.nested(v, nil, e.cut, depth) {
				return
			}
			r.text(v)
		case guessPacked:
			for len(v) > 0 && !r.full {
				n, size := varint(v)
				if size <= 0 {
					return
				}
				r.varint(n)
				v = v[size:]
			}
		case guessBytes:
			r.leaf(jsonleaf.String, nil)
		default:
			r.text(v)
		}
	}
}

// nested reports the message v; false when it is none.
func (r *Reader) nested(v []byte, t *Message, cut bool, depth int) bool {
	from := len(r.fields)
	to, end := r.index(v, from, cut)
	if end < 0 || to == from && len(v) > 0 {
		r.fields = r.fields[:from]
		return false
	}
	switch t.kind() {
	case single:
		r.single(v, t, depth+1, from, to)
	case timestamp:
		r.timestamp(from, to)
	case anything:
		r.w.Object()
		r.anything(v, t, depth+1, from, to)
		r.w.Close()
	default:
		r.w.Object()
		r.message(v, t, depth+1, from, to)
		r.w.Close()
	}
	r.fields = r.fields[:from]
	return true
}

func (r *Reader) leaf(k jsonleaf.Kind, v []byte) {
	if r.w.Leaves >= r.max {
		r.full = true
		return
	}
	r.w.Value(k, v)
}

// text reports a string; bytes that are no text count for nothing but their
// being there.
func (r *Reader) text(v []byte) {
	if !utf8.Valid(v) {
		v = nil
	}
	r.leaf(jsonleaf.String, v)
}

func (r *Reader) integer(v int64) {
	r.num = strconv.AppendInt(r.num[:0], v, 10)
	r.leaf(jsonleaf.Int, r.num)
}

// float reports a number as JSON writes it.
func (r *Reader) float(f float64, bits int) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.leaf(jsonleaf.Null, null)
		return
	}
	k := jsonleaf.Float
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		k, bits = jsonleaf.Int, 64
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-9 || a >= 1e21) {
		format = 'g'
	}
	r.num = strconv.AppendFloat(r.num[:0], f, format, -1, bits)
	r.leaf(k, r.num)
}
