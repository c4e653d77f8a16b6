package errors

import (
	"cmp"
	"math"
	"slices"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

const (
	maxTimings      = 1024
	maxRefused      = 8192
	timed           = 128                          // refusals kept per group, the latest
	minTimed        = 50                           // per group
	minTimedPeople  = 10                           // identities per group
	perIdentity     = 3                            // refusals of one that are kept
	minGap          = int64(30 * time.Millisecond) // between the medians
	minDominance    = 0.8                          // Cliff's delta
	medianEvery     = 8                            // refusals after which it is computed anew: whoever guesses passwords makes many
	enoughToCompare = 10                           // known ones, before refusals of others are compared with them
)

// Timing finds APIs that need visibly longer to refuse identities that exist
// than those that do not: only for the former is a password hashed. Sources
// that tell no duration are not judged.
type Timing struct {
	states  *defect.States[timing]
	refused *defect.Table[uint64, catalog.Handle] // identities not known to exist, and where they were refused last
}

type timing struct {
	known, others group
	public        bool
	told          *gap // once there was enough evidence; a repair does not take it back
	span          defect.Span
	samples       defect.Samples
	trials        defect.Trials // refusals of identities that are not known
}

// group is the latest refusals of one kind of identity, in order of time.
type group struct {
	last   []lapse
	median int64 // of last, as of a few refusals ago
	behind int   // how many
}

type lapse struct {
	at, took int64
	id       uint64
}

// gap is how the groups differ.
type gap struct {
	known, others int64 // medians
	delta         float64
	n, m          int
}

// NewTiming returns the detector.
func NewTiming() *Timing {
	return &Timing{states: defect.NewStates[timing](maxTimings), refused: defect.NewTable[uint64, catalog.Handle](maxRefused)}
}

// Observe takes one event.
func (d *Timing) Observe(ev *defect.Event) {
	if ev.Handle == 0 || !asks(ev.API.Role) || ev.Status == 0 {
		return
	}
	id := subject(ev)
	if id != 0 && (ev.Who.Registered || ev.OK && opens(ev.API.Role)) {
		if h := d.refused.Get(id); h != nil {
			if s := d.states.Get(*h); s != nil {
				s.exists(id)
			}
			d.refused.Delete(id)
		}
	}
	if ev.OK || ev.End <= ev.Start || id == 0 || id == ev.Who.Principal || !comparable(ev) || ownProof(ev) {
		return
	}
	s := d.states.Ensure(ev.Handle)
	s.public = s.public || !ev.Who.Private
	took := ev.End - ev.Start
	if ev.Who.Registered {
		s.known.add(lapse{ev.End, took, id})
	} else {
		fired := false
		if len(s.known.last) >= enoughToCompare {
			fired = abs(s.known.median-took) >= minGap/2
			if g := s.told; g != nil { // times scatter: nearer to which of the two?
				fired = abs(took-g.others) < abs(took-g.known)
			}
			s.trials.Count(ev.End, fired)
		}
		*d.refused.Ensure(id) = ev.Handle
		s.others.add(lapse{ev.End, took, id})
		if fired {
			s.span.Add(ev.End)
			if e := s.samples.Show(ev, 0); e != nil {
				e.What, e.Status, e.N, e.Value = "defect.evidence.timing", ev.Status, uint64(took/1e6), shapeOf(ev)
			}
		}
	}
	s.tell()
}

// opens reports whether a success means that the account exists. A code may be
// sent to any number.
func opens(r taxonomy.Role) bool {
	return r == taxonomy.RoleLogin || r == taxonomy.RoleLoginCode || r == taxonomy.RoleRegister
}

func abs(x int64) int64 { return max(x, -x) }

// exists moves the refusals of an identity that turns out to exist.
func (s *timing) exists(id uint64) {
	kept := s.others.last[:0]
	for _, l := range s.others.last {
		if l.id == id {
			s.known.last = append(s.known.last, l)
		} else {
			kept = append(kept, l)
		}
	}
	if len(kept) < len(s.others.last) {
		s.others.last = kept
		s.others.median = s.others.middle()
		s.known.sort()
	}
}

// add takes a refusal. A few per identity are enough: a device with an old
// password would be heard more often than all others together.
func (g *group) add(l lapse) {
	n, oldest := 0, -1
	for i := range g.last {
		if g.last[i].id == l.id {
			if n++; oldest < 0 {
				oldest = i
			}
		}
	}
	if n >= perIdentity {
		g.last = slices.Delete(g.last, oldest, oldest+1)
	}
	if len(g.last) == timed {
		copy(g.last, g.last[1:])
		g.last[timed-1] = l
	} else {
		g.last = append(g.last, l)
	}
	if g.behind++; g.behind >= medianEvery || len(g.last) <= enoughToCompare {
		g.median, g.behind = g.middle(), 0
	}
}

func (g *group) middle() int64 {
	if len(g.last) == 0 {
		return 0
	}
	var room [timed]int64
	t := room[:len(g.last)]
	for i := range g.last {
		t[i] = g.last[i].took
	}
	slices.Sort(t)
	return t[len(t)/2]
}

func (g *group) fold(o *group) {
	g.last = append(g.last, o.last...)
	g.sort()
}

// sort puts the refusals in order and keeps the latest.
func (g *group) sort() {
	slices.SortStableFunc(g.last, func(a, b lapse) int { return cmp.Compare(a.at, b.at) })
	g.last = slices.Clone(g.last[max(0, len(g.last)-timed):])
	g.median, g.behind = g.middle(), 0
}

// enough reports whether a group can be compared: refusals and identities.
func (g *group) enough() bool {
	if len(g.last) < minTimed {
		return false
	}
	people := 0
	for i := range g.last {
		if !slices.ContainsFunc(g.last[:i], func(l lapse) bool { return l.id == g.last[i].id }) {
			people++
		}
	}
	return people >= minTimedPeople
}

// tell notes the difference when it is a telling one.
func (s *timing) tell() {
	if s.told != nil || s.known.behind > 0 && s.others.behind > 0 || abs(s.known.median-s.others.median) < minGap || !s.known.enough() || !s.others.enough() {
		return
	}
	g := gap{known: s.known.middle(), others: s.others.middle(), n: len(s.known.last), m: len(s.others.last)}
	g.delta = dominance(s.known.last, s.others.last)
	if abs(g.known-g.others) >= minGap && math.Abs(g.delta) >= minDominance {
		s.told = &g
	}
}

// dominance is Cliff's delta: how much more often a value of a is the larger
// one of a pair than a value of b.
func dominance(a, b []lapse) float64 {
	n := 0
	for i := range a {
		for k := range b {
			n += cmp.Compare(a[i].took, b[k].took)
		}
	}
	return float64(n) / float64(len(a)*len(b))
}

// Merge folds the state of one API into another.
func (d *Timing) Merge(from, into catalog.Handle) {
	d.states.Move(from, into, func(dst, src *timing) {
		dst.known.fold(&src.known)
		dst.others.fold(&src.others)
		dst.public = dst.public || src.public
		if dst.told == nil {
			dst.told = src.told
		}
		dst.span.Fold(src.span)
		dst.samples.Fold(&src.samples)
		dst.trials.Fold(&src.trials)
		dst.tell()
	})
	d.refused.Each(func(_ uint64, h *catalog.Handle) {
		if *h == from {
			*h = into
		}
	})
}

// Findings reports what is known. The network and the load blur times, hence
// it is never more than probable.
func (d *Timing) Findings(r *defect.Report) {
	d.states.Each(func(h catalog.Handle, s *timing) {
		if r.API(h) == nil || s.told == nil || s.span.Count == 0 {
			return
		}
		g := s.told
		args := message.Args{"api": r.Name(h), "known": int(g.known / 1e6), "others": int(g.others / 1e6), "n": g.n, "m": g.m, "delta": int(math.Round(math.Abs(g.delta) * 100))}
		r.Add(defect.Draft{
			Kind: taxonomy.DefectTimingOracle, API: h, Span: s.span, Samples: s.samples, Trials: &s.trials,
			Harm: taxonomy.Elevated, HarmWhy: "defect.rating.h.oracle", Reach: defect.Reach{Public: s.public, Anonymous: true, Guessable: true},
			Confidence: min(defect.Confidence(0.65, defect.If(math.Abs(g.delta) >= 0.95, 0.2)), 0.75),
			Reason:     r.Text("defect.timing_oracle.reason", args), Advice: r.Text("defect.timing_oracle.advice", args),
		})
	})
}

// Counters says what was dropped.
func (d *Timing) Counters() []defect.Counter {
	return []defect.Counter{{What: "defect.timing.apis", Count: d.states.Evicted}, {What: "defect.timing.accounts", Count: d.refused.Evicted}}
}

var _ defect.Detector = (*Timing)(nil)
