package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"xiezhi/internal/judge/sequence"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/stream"
	"xiezhi/internal/taxonomy"
)

// partition judges what one partition of the bus carries: a state machine over
// its events. It knows no clock; what it has found is a function of the events
// alone.
type partition struct {
	number int
	bench  *bench
	order  *sequence.Order
	admit  *admit
	forms  *form.Table
	only   func(*observe.Observation) bool // what is judged of what comes; nil: everything

	seq       uint64               // of the last event
	id        string               // of the same
	base      uint64               // added to it in revisions of records: those of streams before this one
	row       observation.Position // of the last row
	at        time.Time            // when the bus took it
	tally     tally
	gaps      uint64 // events that the stream no longer had
	damaged   uint64 // events that could not be read
	passed    int64  // event time at which silent sites were told of it
	files     []policyText
	decisions map[string]*decision // by id, those that hold
	sensors   map[string]*sensed   // by name
	snapshot  []byte               // of intelligence, that judges were told last
}

func newPartition(number int, b *bench, order sequence.Config) *partition {
	return &partition{number: number, bench: b, order: sequence.NewOrder(order), admit: newAdmit(b), forms: form.NewTable(0), decisions: map[string]*decision{}, sensors: map[string]*sensed{}}
}

// take takes the next event. What it cannot read is counted and left out.
func (p *partition) take(m stream.Message) {
	if lost := m.Seq - p.seq - 1; p.seq != 0 && m.Seq > p.seq && lost > 0 {
		p.damaged += lost // told by the stream where it happens
	}
	p.seq, p.id, p.at = m.Seq, m.ID, m.At
	if err := p.event(m.Data); err != nil {
		p.damaged++
	}
	p.order.Expire(m.At, p.observe)
	p.pass(p.order.Mark().UnixNano())
}

// waits reports whether something that came is not judged yet.
func (p *partition) waits() bool {
	return p.order.Waiting() > 0 || p.admit.size > 0 || p.admit.open.Len() > 0
}

// isTick reports whether an event only tells of the time and what was counted.
func isTick(data []byte) bool { return len(data) > 0 && data[0] == eventTick }

func (p *partition) event(data []byte) error {
	if len(data) == 0 {
		return errEvent
	}
	switch data[0] {
	case eventSensed:
		return p.sensed(data)
	case eventObserved:
		return p.order.Add(data[1:], p.at, p.observe)
	case eventForms:
		var list []form.Offer
		if err := json.Unmarshal(data[1:], &list); err != nil {
			return errEvent
		}
		p.forms.Take(list)
		return nil
	case eventTick:
		var t tick
		if err := json.Unmarshal(data[1:], &t); err != nil {
			return errEvent
		}
		p.tally.add(&t.Tally)
		if t.Now != 0 {
			p.order.Tick(time.Unix(0, t.Now), p.at, p.observe)
		}
		return nil
	case eventPolicy:
		var t policyText
		if err := json.Unmarshal(data[1:], &t); err != nil {
			return errEvent
		}
		return p.policy(t)
	case eventDecided:
		var d decision
		if err := json.Unmarshal(data[1:], &d); err != nil {
			return errEvent
		}
		p.decide(&d)
		return nil
	case eventKnown:
		return p.inform(data[1:])
	}
	return errEvent
}

func (p *partition) observe(o *observe.Observation, run uint64) {
	if p.only == nil || p.only(o) {
		p.admit.observe(o, run)
	}
}

// silence is how long a site has to be without traffic until it is told that
// time has passed.
const silence = int64(3600e9)

// pass tells the judges of silent sites that time has passed at others.
func (p *partition) pass(now int64) {
	p.admit.expire(now)
	if now < p.passed+silence {
		return
	}
	p.passed = now
	for _, name := range p.bench.order {
		if j, to := p.bench.judges[name], p.through(name, now); j.Time() < to-silence {
			j.Tick(to)
			if c := p.bench.clocks[name]; c != nil {
				c.Ticked = to
			}
		}
	}
}

// drain judges all that waits: nothing comes any more.
func (p *partition) drain() {
	p.order.Drain(p.observe)
	p.admit.settle()
}

// seen counts exchanges: those that are judged or will be, and what could not
// be seen of all.
func (p *partition) seen() seen {
	s := p.tally.Seen
	s.Analysed = p.order.Counts().Given - p.bench.late
	return s
}

// dropped counts exchanges that came in and are not judged.
func (p *partition) dropped() map[taxonomy.DropReason]uint64 {
	out := make(map[taxonomy.DropReason]uint64, len(p.tally.Dropped)+2)
	for r, n := range p.tally.Dropped {
		out[r] = n
	}
	c := p.order.Counts()
	if n := c.Late + c.Ahead + p.bench.late; n > 0 {
		out[taxonomy.DropLate] += n
	}
	if c.Duplicate > 0 {
		out[taxonomy.DropDuplicate] += c.Duplicate
	}
	return out
}

// add adds what was counted since.
func (t *tally) add(x *tally) {
	t.Bytes += x.Bytes
	if t.Dropped == nil {
		t.Dropped = map[taxonomy.DropReason]uint64{}
	}
	for r, n := range x.Dropped {
		t.Dropped[r] += n
	}
	for _, q := range x.Quality {
		t.quality(q)
	}
	for _, pr := range x.Problems {
		if len(t.Problems) >= maxTallied {
			t.Problems = t.Problems[1:] // the newest help most
			t.Hidden++
		}
		t.Problems = append(t.Problems, pr)
	}
	t.Hidden += x.Hidden
	t.Seen.Total += x.Seen.Total
	t.Seen.Analysed += x.Seen.Analysed
	t.Seen.NoResponse += x.Seen.NoResponse
	t.Seen.NoBodies += x.Seen.NoBodies
	t.Seen.NoOrder += x.Seen.NoOrder
	t.Seen.NoTLS += x.Seen.NoTLS
}

// What a tally keeps of each at most.
const maxTallied = 64

func (t *tally) quality(q qualityTally) {
	for i := range t.Quality {
		if t.Quality[i].Key == q.Key {
			t.Quality[i].Count += q.Count
			return
		}
	}
	if len(t.Quality) >= maxTallied && q.Key.Detail != "" {
		q.Key.Detail = ""
		t.quality(q)
		return
	}
	t.Quality = append(t.Quality, q)
}

func (p *partition) String() string { return fmt.Sprintf("partition-%d", p.number) }
