package attack

import (
	"slices"

	"xiezhi/internal/taxonomy"
)

// Flood: the same request over and over, far faster than anybody's business.

const (
	floodPeak  = 30.0 // bucket level: 20 a second for 3 s
	floodLeast = 60
	floodPart  = 30
	floodWide  = 15.0 // requests a second of a herd
)

func likeFlood(s *scene, c *cell, strict bool) bool {
	if c.api == 0 || c.repeats*10 < c.n*7 {
		return false
	}
	// A share of a flood: the same thing at least once a second for half a
	// minute. Alone it is a busy poll.
	part := c.n >= floodPart && c.gapSum <= float64(c.gaps) && c.repeats*10 >= c.n*9
	if c.peak < floodPeak && !part {
		return false
	}
	a := s.actorOf(c)
	return a != nil && (!strict || a.n <= c.n*2)
}

func weighFlood(s *scene, sc *scope) *fusion {
	t := &sc.sum
	if t.n < floodLeast {
		return nil
	}
	in := sc.inside()
	var others []float64
	for i := range s.refs {
		if !in[int32(i)] && !s.taken[i] {
			others = append(others, float64(s.cell(int32(i)).peak))
		}
	}
	slices.Sort(others)
	f := &fusion{kind: taxonomy.AttackFlood}
	rate := float64(t.n) / max(t.seconds(), 0.5)
	if float64(t.peak) < floodPeak {
		if !sc.kind.wide() {
			return nil
		}
		z, purity := s.herd(sc, s.looksGuilty)
		if rate < floodWide || z < 6 || purity < 0.8 || len(others) < 3 && !s.peopled(in) {
			return nil
		}
		f.say(taxonomy.FamilyHerd, ramp(z, 6, 3, 20, 5), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
		f.say(taxonomy.FamilyTiming, ramp(rate, floodWide, 3.5, 150, 6), "burst", round2(rate), 1)
		f.say(taxonomy.FamilySet, ramp(share(t.repeats, t.n), 0.7, 2, 0.98, 3), "identical", share(t.repeats, t.n), 0.1)
		s.protocol(f, sc)
		s.idle(f, sc)
		return f
	}
	f.say(taxonomy.FamilyTiming, ramp(float64(t.peak), floodPeak, 4.5, 150, 6), "burst", round2(rate), 1)
	f.say(taxonomy.FamilySet, ramp(share(t.repeats, t.n), 0.7, 2, 0.98, 3), "identical", share(t.repeats, t.n), 0.1)
	if len(others) >= 5 {
		p := max(others[len(others)*95/100], 1)
		if float64(t.peak) < 3*p {
			return nil // everybody hurries: a sale, not a flood
		}
		f.say(taxonomy.FamilyHerd, ramp(float64(t.peak)/p, 3, 1.5, 20, 3), "peers", round2(float64(t.peak)/p), 1)
	}
	if bad := t.err + t.blocked; bad*10 >= t.n {
		f.say(taxonomy.FamilyOutcome, 1.5, "strained", share(bad, t.n), 0.01)
	}
	s.protocol(f, sc)
	s.idle(f, sc)
	return f
}

// visits is how many honest askers a site has seen that is known to have
// visitors, even on a day when hardly anybody comes.
const visits = 50

// peopled reports whether others are about on the site who leave this API
// alone, or have been before.
func (s *scene) peopled(in map[int32]bool) bool {
	if s.e.crowd.of[markIP] >= visits {
		return true
	}
	mine := make(map[uint64]bool, len(in))
	for i := range s.refs {
		if in[int32(i)] {
			mine[s.cell(int32(i)).who] = true
		}
	}
	n := 0
	for r := s.e.apis[0].cells.head; r != 0 && n < 5 && !s.e.cells.past(r, s.from); r = s.e.cells.after(r) {
		if c := s.e.cells.at(r); c.last >= s.from && !mine[c.who] {
			n++
		}
	}
	return n >= 5
}

func gateFlood(t *tally, wide bool) bool { return t.n >= floodLeast }
