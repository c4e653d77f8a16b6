package sequence

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
)

// MaxLanes is how many senders may have a late lane at the same time. What is
// late of others is counted and not given.
const MaxLanes = 16

// What part of Memory and of Hold a late lane has.
const (
	laneShare = 16
	laneHold  = 4
)

// Order is a Sequencer with late lanes. What comes too late from a sender opens
// a lane for it, in which all that it sends is put in order by itself, beside
// the others, until it has caught up with them; so a sender that was cut off
// and then sends what it kept finds its order again. What a lane gives may lie
// before what was given of the same site: whoever takes it tells by the run,
// which is 0 for what was in time and another number for each lane.
//
// A lane holds a quarter of Hold behind the newest of its own. It has caught up,
// and ends, when what it would give next is in time; so does one in which nothing
// comes any more for Hold, by the time of the bus.
//
// Invariants: a lane never gives what has not been passed by the others; what
// is given depends on batches, ticks and times alone. Limits: MaxLanes, each
// with a sixteenth of Memory; beyond it the oldest is given early.
type Order struct {
	cfg     Config
	main    *Sequencer
	lanes   map[string]*lane
	runs    uint64 // of lanes so far
	laned   uint64 // exchanges that lanes gave
	closed  Counts // of lanes that ended
	scratch observe.Batch
	rest    []int32            // of a batch, what is for no lane
	split   map[string][]int32 // of a batch, by lane
}

type lane struct {
	run  uint64
	took int64 // when the bus took the last batch of it
	seq  *Sequencer
}

// NewOrder returns an order that has seen nothing.
func NewOrder(cfg Config) *Order {
	cfg.defaults()
	return &Order{cfg: cfg, main: New(cfg), lanes: map[string]*lane{}, split: map[string][]int32{}}
}

// Counts gives what was counted so far, lanes included.
func (r *Order) Counts() Counts {
	c := r.closed
	c.add(r.main.counts)
	for _, l := range r.lanes {
		c.add(l.seq.counts)
	}
	return c
}

func (c *Counts) add(x Counts) {
	c.Given += x.Given
	c.Late += x.Late
	c.Ahead += x.Ahead
	c.Duplicate += x.Duplicate
	c.Forced += x.Forced
}

// Laned is how many exchanges came by late lanes.
func (r *Order) Laned() uint64 { return r.laned }

// Lanes is how many senders have one now.
func (r *Order) Lanes() int { return len(r.lanes) }

// Waiting is how many encoded bytes wait.
func (r *Order) Waiting() int {
	n := r.main.bytes
	for _, l := range r.lanes {
		n += l.seq.bytes
	}
	return n
}

// Mark is the event time up to which everything was given, but for lanes.
func (r *Order) Mark() time.Time { return r.main.Mark() }

// High is the newest event time that was seen.
func (r *Order) High() time.Time { return r.main.High() }

// sender names the lane of an observation: a sensor that sends for others puts
// its own name first.
func sender(o *observe.Observation) string {
	name, _, _ := strings.Cut(o.Sensor, "/")
	return name
}

// Add does as Sequencer.Add, and gives the run beside each observation.
func (r *Order) Add(data []byte, took time.Time, give func(o *observe.Observation, run uint64)) error {
	b := &r.scratch
	b.Reset()
	if err := b.Decode(data); err != nil {
		return err
	}
	main := func(o *observe.Observation) { give(o, 0) }
	if len(r.lanes) == 0 && !r.late(b) {
		r.main.add(b, data, nil, took, main)
		return nil
	}
	r.rest = r.rest[:0]
	clear(r.split)
	for i := range b.Len() {
		o := b.At(i)
		name := sender(o)
		if r.lanes[name] == nil && !(r.main.any && o.End < r.main.mark && r.open(name)) {
			r.rest = append(r.rest, int32(i))
			continue
		}
		r.split[name] = append(r.split[name], int32(i))
	}
	if len(r.rest) > 0 {
		r.main.add(b, data, r.rest, took, main)
	}
	for _, name := range slices.Sorted(maps.Keys(r.split)) {
		l := r.lanes[name]
		l.took = took.UnixNano()
		l.seq.ceiling = r.main.mark
		l.seq.add(b, data, r.split[name], took, r.from(l, give))
		if l.seq.mark >= r.main.mark {
			r.merge(name, l)
		}
	}
	r.main.each(main)
	r.expire(took, give)
	return nil
}

// late reports whether anything in a batch came too late.
func (r *Order) late(b *observe.Batch) bool {
	if !r.main.any {
		return false
	}
	for i := range b.Len() {
		if b.At(i).End < r.main.mark {
			return true
		}
	}
	return false
}

// open makes a lane, if there is room for one.
func (r *Order) open(name string) bool {
	if len(r.lanes) >= MaxLanes {
		return false
	}
	r.runs++
	cfg := r.cfg
	cfg.Hold, cfg.Memory = max(r.cfg.Hold/laneHold, 1), max(r.cfg.Memory/laneShare, 1)
	r.lanes[strings.Clone(name)] = &lane{run: r.runs, seq: New(cfg)}
	return true
}

func (r *Order) from(l *lane, give func(*observe.Observation, uint64)) func(*observe.Observation) {
	return func(o *observe.Observation) {
		if o.Part == 0 && o.Aside == exchange.AsideNone {
			r.laned++
		}
		give(o, l.run)
	}
}

// merge lets what waits in a lane wait with the others: it is in time.
func (r *Order) merge(name string, l *lane) {
	for _, w := range l.seq.State().Wait {
		r.main.join(w)
	}
	if l.seq.any {
		r.main.newest = max(r.main.newest, l.seq.newest)
		r.main.advance(l.seq.newest)
	}
	r.closed.add(l.seq.counts)
	delete(r.lanes, name)
}

// join takes a batch of which a part was given elsewhere.
func (s *Sequencer) join(w Waiting) {
	b := &s.scratch
	b.Reset()
	if err := b.Decode(w.Data); err != nil {
		panic("sequence: a batch that was decoded before is none: " + err.Error())
	}
	from, to := b.At(w.At).End, b.At(b.Len()-1).End
	s.any = true
	s.wait(w.Data, from, to)
	s.later[len(s.later)-1].at = w.At
}

// expire ends the lanes in which nothing comes any more.
func (r *Order) expire(took time.Time, give func(*observe.Observation, uint64)) {
	for _, name := range slices.Sorted(maps.Keys(r.lanes)) {
		l := r.lanes[name]
		if took.UnixNano()-l.took <= int64(r.cfg.Hold) {
			continue
		}
		l.seq.mark = r.main.mark
		l.seq.each(r.from(l, give))
		r.merge(name, l)
	}
}

// Tick says how late it is when nothing comes, and when the bus said so.
func (r *Order) Tick(now, took time.Time, give func(o *observe.Observation, run uint64)) {
	main := func(o *observe.Observation) { give(o, 0) }
	r.main.Tick(now, main)
	r.expire(took, give)
	r.main.each(main)
}

// Expire ends the lanes in which nothing came for Hold.
func (r *Order) Expire(took time.Time, give func(o *observe.Observation, run uint64)) {
	if len(r.lanes) > 0 {
		r.expire(took, give)
		r.main.each(func(o *observe.Observation) { give(o, 0) })
	}
}

// Drain gives everything that waits: nothing comes any more.
func (r *Order) Drain(give func(o *observe.Observation, run uint64)) {
	for _, name := range slices.Sorted(maps.Keys(r.lanes)) {
		l := r.lanes[name]
		l.seq.mark = r.main.mark
		l.seq.each(r.from(l, give))
		r.merge(name, l)
	}
	r.main.Drain(func(o *observe.Observation) { give(o, 0) })
}

// OrderState is an order that can be kept: plain data.
type OrderState struct {
	Main   State
	Lanes  []LaneState
	Runs   uint64
	Laned  uint64
	Closed Counts
}

// LaneState is a late lane.
type LaneState struct {
	Sender string
	Run    uint64
	Took   int64
	Order  State
}

// State gives the state; the batches in it are not to be changed.
func (r *Order) State() OrderState {
	out := OrderState{Main: r.main.State(), Runs: r.runs, Laned: r.laned, Closed: r.closed}
	for name, l := range r.lanes {
		out.Lanes = append(out.Lanes, LaneState{name, l.run, l.took, l.seq.State()})
	}
	slices.SortFunc(out.Lanes, func(a, b LaneState) int { return cmp.Compare(a.Run, b.Run) })
	return out
}

// RestoreOrder gives the order of a state. An error means that a batch in it is
// none.
func RestoreOrder(cfg Config, st OrderState) (*Order, error) {
	r := NewOrder(cfg)
	var err error
	if r.main, err = Restore(cfg, st.Main); err != nil {
		return nil, err
	}
	for _, x := range st.Lanes {
		if !r.open(x.Sender) {
			return nil, observe.ErrEncoding
		}
		l := r.lanes[x.Sender]
		if l.seq, err = Restore(l.seq.cfg, x.Order); err != nil {
			return nil, err
		}
		l.run, l.took = x.Run, x.Took
	}
	r.runs, r.laned, r.closed = st.Runs, st.Laned, st.Closed
	return r, nil
}
