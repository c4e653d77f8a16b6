package sequence

import (
	"cmp"
	"slices"

	"xiezhi/internal/observe"
)

// State is a sequencer that can be kept: plain data.
type State struct {
	Any    bool
	Newest int64
	High   int64
	Mark   int64
	Counts Counts
	Wait   []Waiting // in the order of the bus
}

// Waiting is an encoded batch, of which At observations were given.
type Waiting struct {
	Data []byte
	At   int
}

// State gives the state; the batches in it are not to be changed.
func (s *Sequencer) State() State {
	out := State{Any: s.any, Newest: s.newest, High: s.high, Mark: s.mark, Counts: s.counts}
	all := slices.Concat(s.later, s.open)
	slices.SortFunc(all, func(a, b *cursor) int { return cmp.Compare(a.number, b.number) })
	for _, c := range all {
		out.Wait = append(out.Wait, Waiting{c.data, c.at})
	}
	return out
}

// Restore gives the sequencer of a state. An error means that a batch in it is
// none.
func Restore(cfg Config, st State) (*Sequencer, error) {
	s := New(cfg)
	for _, w := range st.Wait {
		b := &s.scratch
		b.Reset()
		if err := b.Decode(w.Data); err != nil || w.At < 0 || w.At >= b.Len() {
			return nil, observe.ErrEncoding
		}
		s.later = append(s.later, &cursor{data: w.Data, number: s.number, from: b.At(w.At).End, to: b.At(b.Len() - 1).End, at: w.At})
		s.number++
		s.bytes += len(w.Data)
	}
	s.any, s.newest, s.high, s.mark, s.counts = st.Any, st.Newest, st.High, st.Mark, st.Counts
	return s, nil
}
