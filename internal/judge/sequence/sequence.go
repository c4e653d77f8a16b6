// Package sequence puts the observations of a running service into the order
// in which they are judged.
//
// It takes encoded batches in the order of the bus, each with the time at which
// the bus took it, and ticks, and gives observations in the order of
// observe.Compare as soon as no earlier one is waited for: Hold behind the
// newest end that was seen. What comes later than that goes to a lane of its
// sender (Order), or is counted as late and not given (Sequencer); an end that lies further ahead of the bus than Ahead is of a clock
// that is wrong, and is not given either; the same exchange twice is given once.
//
// Invariant: what is given, and in which order, is a function of the batches,
// ticks and times alone, never of where the state was saved and restored. Limits: at most Memory encoded bytes wait;
// beyond that the oldest are given early, which is counted, and whatever would
// have come before them is late.
package sequence

import (
	"bytes"
	"container/heap"
	"slices"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
)

// Defaults of Config.
const (
	DefaultHold   = 30 * time.Second
	DefaultAhead  = 10 * time.Minute
	DefaultMemory = 256 << 20
)

// Config of a Sequencer; zero values are the defaults.
type Config struct {
	Hold   time.Duration // how long an earlier observation is waited for
	Ahead  time.Duration // how far a sender's clock may be ahead of the bus
	Memory int           // encoded bytes that may wait
}

func (c *Config) defaults() {
	if c.Hold <= 0 {
		c.Hold = DefaultHold
	}
	if c.Ahead <= 0 {
		c.Ahead = DefaultAhead
	}
	if c.Memory <= 0 {
		c.Memory = DefaultMemory
	}
}

// Counts are of exchanges, but for Forced, which counts batches.
type Counts struct {
	Given     uint64
	Late      uint64
	Ahead     uint64
	Duplicate uint64
	Forced    uint64 // given before their time, for want of room
}

// Sequencer is the order of one partition. It is not safe for concurrent use.
type Sequencer struct {
	cfg     Config
	open    cursors // by their next observation
	later   []*cursor
	number  uint64 // of the next cursor
	bytes   int    // encoded, that wait
	newest  int64  // end that was seen
	high    int64  // the same, or later when ticks said so
	mark    int64  // all ends before it are given
	any     bool
	counts  Counts
	scratch observe.Batch
	order   []int32
	free    []*observe.Batch

	ceiling int64 // the mark stays below it; 0: it is not bounded

	end   int64 // of what was given last
	first name
	group map[name]struct{} // given with that end, when there are several
}

// name tells an observation from others of the same end.
type name struct {
	id   string
	part uint8
}

// cursor is a batch that waits, in order.
type cursor struct {
	data   []byte // encoded
	number uint64
	from   int64 // end of its first observation
	to     int64 // end of its last
	batch  *observe.Batch
	at     int
}

func (c *cursor) next() *observe.Observation { return c.batch.At(c.at) }

// New returns a sequencer that has seen nothing.
func New(cfg Config) *Sequencer {
	cfg.defaults()
	return &Sequencer{cfg: cfg, group: map[name]struct{}{}}
}

// Counts gives what was counted so far.
func (s *Sequencer) Counts() Counts { return s.counts }

// Waiting is how many encoded bytes wait.
func (s *Sequencer) Waiting() int { return s.bytes }

// Mark is the event time up to which everything was given.
func (s *Sequencer) Mark() time.Time { return time.Unix(0, s.mark).UTC() }

// High is the newest event time that was seen, zero before there was any.
func (s *Sequencer) High() (t time.Time) {
	if s.any {
		t = time.Unix(0, s.high).UTC()
	}
	return t
}

// Add takes a batch that the bus took at a time, and gives, in order, what is
// not to be waited for any longer; an observation is valid during the call.
// data is not kept. An error means that it is no encoded batch; nothing of it
// is taken then.
func (s *Sequencer) Add(data []byte, took time.Time, give func(o *observe.Observation)) error {
	b := &s.scratch
	b.Reset()
	if err := b.Decode(data); err != nil {
		return err
	}
	s.add(b, data, nil, took, give)
	return nil
}

// add takes the observations of a batch that list names, all without one; data
// is the batch encoded.
func (s *Sequencer) add(b *observe.Batch, data []byte, list []int32, took time.Time, give func(o *observe.Observation)) {
	limit := took.UnixNano() + int64(s.cfg.Ahead)
	s.order = s.order[:0]
	sorted, high, newest, any := true, s.high, s.newest, s.any
	n := b.Len()
	if list != nil {
		n = len(list)
	}
	for k := range n {
		i := k
		if list != nil {
			i = int(list[k])
		}
		o := b.At(i)
		switch {
		case o.End > limit:
			s.count(o, &s.counts.Ahead)
			continue
		case s.any && o.End < s.mark:
			s.count(o, &s.counts.Late)
			continue
		}
		if n := len(s.order); n > 0 && observe.Compare(b.At(int(s.order[n-1])), o) > 0 {
			sorted = false
		}
		s.order = append(s.order, int32(i))
		if !any || o.End > high {
			high = o.End
		}
		if !any || o.End > newest {
			newest = o.End
		}
		any = true
	}
	if len(s.order) == 0 {
		return
	}
	if !sorted {
		slices.SortStableFunc(s.order, func(x, y int32) int { return observe.Compare(b.At(int(x)), b.At(int(y))) })
	}
	var kept []byte
	if sorted && len(s.order) == b.Len() {
		kept = bytes.Clone(data)
	} else {
		kept = b.AppendEncodedOrder(nil, s.order)
	}
	if !s.any {
		s.any, s.mark = true, high-int64(s.cfg.Hold)
	}
	s.newest = newest
	s.wait(kept, b.At(int(s.order[0])).End, b.At(int(s.order[len(s.order)-1])).End)
	s.advance(high)
	s.each(give)
}

func (s *Sequencer) count(o *observe.Observation, n *uint64) {
	if o.Part == 0 && o.Aside == exchange.AsideNone {
		*n++
	}
}

func (s *Sequencer) wait(data []byte, from, to int64) {
	s.later = append(s.later, &cursor{data: data, number: s.number, from: from, to: to})
	s.number++
	s.bytes += len(data)
	if s.bytes <= s.cfg.Memory {
		return
	}
	// The oldest batch is given whole, so that room comes free.
	oldest := int64(0)
	for i, c := range s.later {
		if i == 0 || c.to < oldest {
			oldest = c.to
		}
	}
	for _, c := range s.open {
		oldest = min(oldest, c.to)
	}
	s.counts.Forced++
	s.mark = max(s.mark, oldest+1)
}

// advance sets the newest end.
func (s *Sequencer) advance(high int64) {
	s.high = max(s.high, high)
	s.mark = max(s.mark, s.high-int64(s.cfg.Hold))
	if s.ceiling != 0 {
		s.mark = min(s.mark, s.ceiling)
	}
}

// Tick says how late it is when nothing comes, and gives as Add does. Time moves
// only until everything is given: a sender that was away for an hour and sends
// what it kept is not late for that.
func (s *Sequencer) Tick(now time.Time, give func(o *observe.Observation)) {
	if s.any {
		s.advance(min(now.UnixNano(), s.newest+int64(s.cfg.Hold)+1))
		s.each(give)
	}
}

// Drain gives everything that waits: nothing comes any more.
func (s *Sequencer) Drain(give func(o *observe.Observation)) {
	if s.any {
		s.mark = max(s.mark, s.high+1)
		s.each(give)
	}
}

func (s *Sequencer) each(fn func(o *observe.Observation)) {
	s.opening()
	for len(s.open) > 0 {
		c := s.open[0]
		o := c.next()
		if o.End >= s.mark {
			return
		}
		if s.once(o) {
			s.count(o, &s.counts.Given)
			fn(o)
		} else {
			s.count(o, &s.counts.Duplicate)
		}
		if c.at++; c.at < c.batch.Len() {
			heap.Fix(&s.open, 0)
			continue
		}
		heap.Pop(&s.open)
		s.close(c)
	}
}

// opening decodes the batches that have something to give.
func (s *Sequencer) opening() {
	keep := s.later[:0]
	for _, c := range s.later {
		if c.from >= s.mark {
			keep = append(keep, c)
			continue
		}
		s.decode(c)
		heap.Push(&s.open, c)
	}
	clear(s.later[len(keep):])
	s.later = keep
}

func (s *Sequencer) decode(c *cursor) {
	if n := len(s.free); n > 0 {
		c.batch, s.free = s.free[n-1], s.free[:n-1]
	} else {
		c.batch = &observe.Batch{}
	}
	if err := c.batch.Decode(c.data); err != nil {
		panic("sequence: a batch that was decoded before is none: " + err.Error())
	}
}

// keepBatches is how many decoded batches are kept for reuse.
const keepBatches = 16

func (s *Sequencer) close(c *cursor) {
	s.bytes -= len(c.data)
	c.batch.Reset()
	if len(s.free) < keepBatches {
		s.free = append(s.free, c.batch)
	}
	c.batch, c.data = nil, nil
}

// once reports whether an observation is given for the first time. A sender
// that had no answer sends again; since all of one end are given together and
// what comes later is late, only those of the same end need to be looked at.
func (s *Sequencer) once(o *observe.Observation) bool {
	n := name{o.ID, o.Part}
	switch {
	case o.End != s.end || s.first == name{}:
		clear(s.group)
		s.end, s.first = o.End, n
		return true
	case len(s.group) == 0:
		s.group[s.first] = struct{}{}
	}
	if _, twice := s.group[n]; twice {
		return false
	}
	s.group[n] = struct{}{}
	return true
}

type cursors []*cursor

func (h cursors) Len() int { return len(h) }
func (h cursors) Less(i, j int) bool {
	if c := observe.Compare(h[i].next(), h[j].next()); c != 0 {
		return c < 0
	}
	return h[i].number < h[j].number
}
func (h cursors) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *cursors) Push(x any)   { *h = append(*h, x.(*cursor)) }
func (h *cursors) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return c
}
