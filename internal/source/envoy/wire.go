package envoy

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// fields goes through the fields of a message. A length-delimited field that
// the message does not hold to its end is given as far as it goes, with cut
// set; what makes no sense ends the message.
type fields struct {
	rest []byte

	num  protowire.Number
	n    uint64 // of a number
	data []byte // of a length-delimited field
	cut  bool
	lack uint64 // bytes that a cut field claims beyond what is there
	bad  bool
}

func (f *fields) next() bool {
	if len(f.rest) == 0 || f.cut || f.bad {
		return false
	}
	num, typ, k := protowire.ConsumeTag(f.rest)
	if k < 0 {
		f.bad = true
		return false
	}
	f.rest, f.num, f.n, f.data = f.rest[k:], num, 0, nil
	switch typ {
	case protowire.VarintType:
		f.n, k = protowire.ConsumeVarint(f.rest)
	case protowire.Fixed64Type:
		f.n, k = protowire.ConsumeFixed64(f.rest)
	case protowire.Fixed32Type:
		var v uint32
		v, k = protowire.ConsumeFixed32(f.rest)
		f.n = uint64(v)
	case protowire.BytesType:
		size, n := protowire.ConsumeVarint(f.rest)
		if n < 0 {
			f.bad = true
			return false
		}
		f.rest = f.rest[n:]
		f.data = f.rest[:min(size, uint64(len(f.rest)))]
		f.lack = size - uint64(len(f.data))
		f.cut = f.lack > 0
		k = len(f.data)
	default:
		f.bad = true
		return false
	}
	if k < 0 {
		f.bad = true
		return false
	}
	f.rest = f.rest[k:]
	return true
}

// in gives the fields of the message that the present field holds.
func (f *fields) in() fields { return fields{rest: f.data} }

// pair reads an entry of a map.
func pair(b []byte) (key, value []byte) {
	for f := (fields{rest: b}); f.next(); {
		switch f.num {
		case 1:
			key = f.data
		case 2:
			value = f.data
		}
	}
	return key, value
}

// wrapped reads a number in a wrapper message.
func wrapped(b []byte) (n uint64) {
	for f := (fields{rest: b}); f.next(); {
		if f.num == 1 {
			n = f.n
		}
	}
	return n
}

// nanoseconds reads a Timestamp or a Duration.
func nanoseconds(b []byte) (n int64, ok bool) {
	var seconds, nanos int64
	for f := (fields{rest: b}); f.next(); {
		switch f.num {
		case 1:
			seconds = int64(f.n)
		case 2:
			nanos = int64(int32(f.n))
		}
	}
	const most = 9_000_000_000 // seconds that nanoseconds can count
	if seconds < -most || seconds > most {
		return 0, false
	}
	return seconds*1e9 + nanos, true
}
