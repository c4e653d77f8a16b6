package attack

import (
	"math"
	"math/bits"

	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// The business flow of a site: which API people come from before they use
// another, and which step they take next. It is learned from askers that
// nothing was found against. Programs that go straight for what they want skip
// what comes before, and take steps that nobody takes; that is evidence and
// never a verdict, as a saved link or a second sensor's traffic does the same.
//
// Followed are the first flowAPIs APIs of a site that were met; a session ends
// with half an hour of silence.
type flow struct {
	entered [flowAPIs]uint32           // sessions that came to the API
	with    [flowAPIs][flowAPIs]uint32 // … of these, sessions that had been at the other before
	before  [flowAPIs]int8             // the API that most come from, -1 none
	next    [flowAPIs][flowAPIs]uint32 // steps
	from    [flowAPIs]uint32           // steps that lead on from an API
	usual   [flowBins]uint32           // honest sessions by how surprising their steps are
	known   uint32                     // … all of them
}

const (
	flowAPIs    = 64
	flowLearned = 100 // sessions at an API before what they have in common is known
	flowRule    = 0.6 // share of sessions that came from the same API: an attack may be under way while it is learned
	flowSteps   = 6   // before a session's steps are judged
	flowBins    = 64
	flowBin     = 0.125 // nats of mean surprise
	flowUsual   = 500   // honest sessions before a surprise means anything
)

func newFlow() *flow {
	x := &flow{}
	for i := range x.before {
		x.before[i] = -1
	}
	return x
}

// came says how a request reached its API.
type came uint8

const (
	cameUnknown came = iota // not the session's first, or nothing is known of the API
	cameUsual
	cameDirect // without what people do before
)

// A session is what an actor has been at since it was last silent for long.
type session struct {
	visited  uint64 // APIs
	last     int64
	api      int32
	steps    uint32
	surprise float32 // sum of -ln p of its steps
}

// step takes the next request of an actor to an API and says how it came.
func (x *flow) step(s *session, i int32, now int64, learn bool) came {
	if i <= 0 || i >= flowAPIs {
		return cameUnknown
	}
	if s.last != 0 && now-s.last > burstGap {
		*s = session{}
	}
	s.last = now
	if j := s.api; j != 0 {
		s.steps++
		s.surprise -= float32(math.Log((float64(x.next[j][i]) + 0.5) / (float64(x.from[j]) + 0.5*flowAPIs)))
		if learn {
			x.next[j][i]++
			x.from[j]++
		}
	}
	s.api = i
	bit := uint64(1) << i
	if s.visited&bit != 0 {
		return cameUnknown
	}
	out := cameUnknown
	if b := x.before[i]; b >= 0 {
		out = cameDirect
		if s.visited>>uint(b)&1 != 0 {
			out = cameUsual
		}
	}
	if learn {
		x.entered[i]++
		for rest := s.visited; rest != 0; rest &= rest - 1 {
			x.with[i][bits.TrailingZeros64(rest)]++
		}
		if n := x.entered[i]; n >= flowLearned && n%32 == 0 {
			x.rule(i)
		}
	}
	s.visited |= bit
	return out
}

// rule finds what most sessions did before they came to an API.
func (x *flow) rule(i int32) {
	best := int8(-1)
	for j := range x.with[i] {
		if n := x.with[i][j]; float64(n) >= flowRule*float64(x.entered[i]) && (best < 0 || n > x.with[i][best]) {
			best = int8(j)
		}
	}
	x.before[i] = best
}

// learn counts an honest session that has ended.
func (x *flow) learn(s *session) {
	if s.steps >= flowSteps {
		x.known++
		x.usual[binOf(s)]++
	}
}

func binOf(s *session) int {
	return min(int(float64(s.surprise)/float64(s.steps)/flowBin), flowBins-1)
}

// odd is the first bin that hardly one honest session in a thousand reaches.
func (x *flow) odd() int {
	left := x.known
	for b, n := range x.usual {
		if left <= x.known/1000 {
			return b
		}
		left -= n
	}
	return flowBins
}

// flowed takes a request into the flow and says how it came.
func (e *Engine) flowed(ev *catalog.Event, actor *cell, i int32) came {
	return e.flow.step(&actor.session, i, ev.End, !actor.accused)
}

// skips weighs what the members' sessions left out that others do first, and
// steps that nobody takes.
func (s *scene) skips(f *fusion, sc *scope) {
	t := &sc.sum
	known := t.usual + t.direct
	if v := share(t.direct, known); known >= 20 && v >= 0.5 {
		if p, ok := s.othersSkip(sc); ok && p <= 0.2 && v >= 3*p {
			f.say(taxonomy.FamilySequence, ramp(v/p, 3, 1.5, 20, 3), "skips", round2(v), round2(p))
		}
	}
	x := s.e.flow
	if x.known < flowUsual {
		return
	}
	limit, judged, strange := x.odd(), 0, 0
	for _, i := range sc.members {
		if a := s.actorOf(s.cell(i)); a != nil && a.session.steps >= flowSteps {
			judged++
			if binOf(&a.session) >= limit {
				strange++
			}
		}
	}
	if judged > 0 && strange*2 >= judged {
		f.say(taxonomy.FamilySequence, ramp(float64(strange), 1, 1, 20, 2), "path", strange, judged)
	}
}

// othersSkip is the share of other sessions at the unit that leave out what
// comes before; false when too few are known.
func (s *scene) othersSkip(sc *scope) (float64, bool) {
	in := sc.inside()
	usual, direct := uint32(0), uint32(0)
	for i := range s.refs {
		if c := s.cell(int32(i)); !in[int32(i)] && !s.taken[i] && !c.accused {
			usual += c.usual
			direct += c.direct
		}
	}
	return (float64(direct) + 1) / (float64(usual+direct) + 2), usual+direct >= 50
}
