package observe

import "encoding/binary"

// Writer encodes observations one by one: a merge that cuts a sorted stream
// into blocks has no Batch to hold what it cuts. The zero value is ready.
type Writer struct {
	dict dictionary
	body []byte
	n    int
	last int64
}

// Append adds an observation to the block; o is not kept.
func (w *Writer) Append(o *Observation) {
	if w.n == 0 {
		w.dict.reset()
	}
	e := encoder{dst: w.body, dict: &w.dict, last: w.last}
	e.observation(o)
	w.body, w.last = e.dst, e.last
	w.n++
}

// Len is the number of observations in the block, Size its bytes so far.
func (w *Writer) Len() int  { return w.n }
func (w *Writer) Size() int { return len(w.body) }

// Finish appends the block as an encoded batch and starts the next one.
func (w *Writer) Finish(dst []byte) []byte {
	dst = append(dst, codecMagic, codecVersion)
	dst = binary.AppendUvarint(dst, uint64(w.n))
	dst = append(dst, w.body...)
	w.body, w.n, w.last = w.body[:0], 0, 0
	return dst
}
