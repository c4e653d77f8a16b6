package engine

import (
	"strings"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
)

// siteClock is how far a site is judged in a service, and what brought it there.
type siteClock struct {
	End     int64
	Run     uint64
	Ticked  int64     // to which silence was told
	Feeders [4]feeder // sensors of which something was judged
	More    bool      // there is more than these: a source of this process, as a rule
}

// feeder is the name of a sender.
type feeder string

// heldRun is the run of what was held because its host was no site.
const heldRun = ^uint64(0)

// inRun judges what a run of the order gives. Judges go forward only: what lies
// before what was judged of its site, since it came by a late lane, is counted
// as late. Of one time, a run gives everything together.
func (b *bench) inRun(o *observe.Observation, run uint64) {
	j := b.judge(o)
	name := j.Config().Site.Name
	c := b.clocks[name]
	switch {
	case c == nil:
		c = &siteClock{}
		b.clocks[name] = c
	case run != 0 && (o.End < max(c.End, c.Ticked) || o.End == c.End && c.Run != run):
		if o.Part == 0 && o.Aside == exchange.AsideNone {
			b.late++
		}
		return
	}
	c.End, c.Run = max(c.End, o.End), run
	c.feed(o)
	b.observeBy(j, o)
}

// feed notes the sender of an observation.
func (c *siteClock) feed(o *observe.Observation) {
	if c.More {
		return
	}
	name, _, _ := strings.Cut(o.Sensor, "/")
	for i, f := range c.Feeders {
		switch {
		case name == "":
			c.More = true
			return
		case f == feeder(name):
			return
		case f == "":
			c.Feeders[i] = feeder(strings.Clone(name))
			return
		}
	}
	c.More = true
}
