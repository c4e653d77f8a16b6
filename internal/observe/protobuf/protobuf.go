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
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

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

// single reports a message that JSON writes as its only field.
func (r *Reader) single(b []byte, t *Message, depth, from, to int) {
	for i := from; i < to; i++ {
		if f := t.field(r.fields[i].num); f != nil && r.fields[i].first {
			r.known(b, i, f, depth)
			return
		}
	}
	switch {
	case t.fields == nil:
	case t.fields[0].entry != nil: // an empty Struct
		r.w.Object()
		r.w.Close()
	case t.fields[0].list:
		r.w.Array()
		r.w.Close()
	default:
		r.leaf(jsonleaf.Null, null)
	}
}

var null = []byte("null")

// timestamp reports a point in time as JSON does.
func (r *Reader) timestamp(from, to int) {
	var seconds int64
	for _, e := range r.fields[from:to] {
		if e.num == 1 && e.wire == wireVarint {
			seconds = int64(e.value)
		}
	}
	if seconds < -62135596800 || seconds > 253402300799 { // the years 1 to 9999
		r.integer(seconds)
		return
	}
	r.num = time.Unix(seconds, 0).UTC().AppendFormat(r.num[:0], time.RFC3339)
	r.leaf(jsonleaf.String, r.num)
}

// anything reports a message that names its own type.
func (r *Reader) anything(b []byte, t *Message, depth, from, to int) {
	var name, value []byte
	cut := false
	for _, e := range r.fields[from:to] {
		switch {
		case e.wire != wireLen:
		case e.num == 1:
			name = b[e.from:e.to]
		case e.num == 2:
			value, cut = b[e.from:e.to], e.cut
		}
	}
	inner := t.schema.any(name)
	if inner == nil || depth >= maxDepth {
		r.message(b, t, depth, from, to)
		return
	}
	r.w.Key(typeKey)
	r.text(name)
	at := len(r.fields)
	if end, _ := r.index(value, at, cut); end > at {
		r.message(value, inner, depth, at, end)
	}
	r.fields = r.fields[:at]
}

var typeKey = []byte("@type")

// known reports a field whose type is known: all occurrences of a list, one of
// any other.
func (r *Reader) known(b []byte, i int, f *Field, depth int) {
	switch {
	case f.entry != nil:
		r.w.Object()
		for i := int32(i); ; {
			e := r.fields[i]
			r.pair(b[e.from:e.to], &e, f, depth)
			if i = e.next; i <= 0 || r.full {
				break
			}
		}
		r.w.Close()
	case f.list:
		r.w.Array()
		for i := int32(i); ; {
			e := r.fields[i]
			r.element(b, &e, f, depth)
			if i = e.next; i <= 0 || r.full {
				break
			}
		}
		r.w.Close()
	default:
		e := r.fields[i]
		r.value(b, &e, f, depth)
	}
}

// pair reports one entry of a map.
func (r *Reader) pair(b []byte, e *entry, f *Field, depth int) {
	if e.wire != wireLen {
		return
	}
	from := len(r.fields)
	to, _ := r.index(b, from, e.cut)
	value := -1
	r.num = r.num[:0]
	for i := from; i < to; i++ {
		switch x := &r.fields[i]; {
		case x.num == 1 && x.wire == wireLen:
			r.num = append(r.num[:0], b[x.from:x.to]...)
		case x.num == 1:
			r.num = strconv.AppendInt(r.num[:0], signed(f.entry.fields[0].kind, x.value), 10)
		case x.num == 2:
			value = i
		}
	}
	if v := f.entry.field(2); value >= 0 && v != nil {
		r.w.Key(r.num)
		x := r.fields[value]
		r.value(b, &x, v, depth)
	}
	r.fields = r.fields[:from]
}

// element reports one occurrence of a list, which may be packed.
func (r *Reader) element(b []byte, e *entry, f *Field, depth int) {
	w := wireOf(f.kind)
	if e.wire != wireLen || w == wireLen || w == wireGroup {
		r.value(b, e, f, depth)
		return
	}
	v := b[e.from:e.to]
	for len(v) > 0 && !r.full {
		x := entry{wire: w}
		size := 0
		switch w {
		case wireVarint:
			x.value, size = varint(v)
		case wireFixed32:
			x.value, size = fixed(v, 4)
		default:
			x.value, size = fixed(v, 8)
		}
		if size <= 0 {
			return
		}
		r.value(nil, &x, f, depth)
		v = v[size:]
	}
}

// value reports one value of a known type. Bytes that do not fit the type are
// reported as those of an unknown field are.
func (r *Reader) value(b []byte, e *entry, f *Field, depth int) {
	if w := wireOf(f.kind); e.wire != w {
		g := guessText
		if e.wire == wireLen || e.wire == wireGroup {
			g = r.guess(b[e.from:e.to], e, depth)
		}
		if g == guessPacked {
			g = guessBytes
		}
		r.guessed(b, e, g, depth)
		return
	}
	switch f.kind {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		v := b[e.from:e.to]
		if depth >= maxDepth || !r.nested(v, f.message, e.cut, depth) {
			r.text(v)
		}
	case protoreflect.StringKind:
		r.text(b[e.from:e.to])
	case protoreflect.BytesKind:
		if v := b[e.from:e.to]; printable(v) {
			r.text(v)
		} else {
			r.leaf(jsonleaf.String, nil)
		}
	case protoreflect.BoolKind:
		if e.value != 0 {
			r.leaf(jsonleaf.Bool, yes)
		} else {
			r.leaf(jsonleaf.Bool, no)
		}
	case protoreflect.EnumKind:
		if f.null {
			r.leaf(jsonleaf.Null, null)
		} else if name := f.enum[int32(e.value)]; name != nil {
			r.leaf(jsonleaf.String, name)
		} else {
			r.integer(int64(int32(e.value)))
		}
	case protoreflect.FloatKind:
		r.float(float64(math.Float32frombits(uint32(e.value))), 32)
	case protoreflect.DoubleKind:
		r.float(math.Float64frombits(e.value), 64)
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		r.num = strconv.AppendUint(r.num[:0], e.value, 10)
		r.leaf(jsonleaf.Int, r.num)
	default:
		r.integer(signed(f.kind, e.value))
	}
}

var yes, no = []byte("true"), []byte("false")

// signed gives an integer of a signed kind.
func signed(k protoreflect.Kind, v uint64) int64 {
	switch k {
	case protoreflect.Int32Kind, protoreflect.Sfixed32Kind:
		return int64(int32(v))
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return int64(v>>1) ^ -int64(v&1)
	}
	return int64(v)
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
