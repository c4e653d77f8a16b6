package protobuf

import (
	"math"
	"strconv"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"xiezhi/internal/observe/jsonleaf"
)

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
