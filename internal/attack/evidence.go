package attack

import (
	"math"

	"xiezhi/internal/taxonomy"
)

// Evidence that every detector weighs the same way: how the requests came, not
// what they were for.

// timing weighs the pace of one asker: people need seconds to fill in a form
// or to read a page, and never keep a beat.
func (s *scene) timing(f *fusion, sc *scope) {
	t := &sc.sum
	if sc.kind.wide() || t.n < 10 {
		return
	}
	rate := float64(t.n) / max(t.seconds(), 1)
	if rate >= 0.5 {
		f.say(taxonomy.FamilyTiming, ramp(rate, 0.5, 0.5, 10, 3), "rate", round2(rate), 0.3)
	}
	if t.gaps >= 20 {
		mean := t.gapSum / float64(t.gaps)
		sd := math.Sqrt(max(t.gapSq/float64(t.gaps)-mean*mean, 0))
		if cv := sd / max(mean, 1e-6); mean > 0.02 && cv < 0.3 {
			f.say(taxonomy.FamilyTiming, 1.5, "beat", round2(cv), 0.3)
		}
	}
}

// protocol weighs what the client says it is.
func (s *scene) protocol(f *fusion, sc *scope) {
	switch {
	case sc.sum.scanner*2 >= sc.sum.n:
		f.say(taxonomy.FamilyProtocol, 2.5, "scanner", int(sc.sum.scanner), 0)
	case sc.tools*10 >= len(sc.members)*8:
		f.say(taxonomy.FamilyProtocol, 1.5, "tool", sc.tools, 0)
	}
	if sc.agents >= 5 && sc.agents*2 >= sc.addrs && (sc.addrs == 1 || sc.shapes == 1 && sc.kind.wide() && sc.agents*3 >= len(sc.members)*2) {
		f.say(taxonomy.FamilyProtocol, 1.5, "masquerade", sc.agents, 2)
	}
}

// structure weighs parameters built alike by these askers and by hardly
// anybody else.
func (s *scene) structure(f *fusion, sc *scope) {
	if sc.shapes != 1 || len(sc.members) == 0 {
		return
	}
	shape := s.cell(sc.members[0]).shape
	if shape == 0 {
		return
	}
	in := sc.inside()
	others, same := 0, 0
	for i := range s.refs {
		if in[int32(i)] {
			continue
		}
		others++
		if s.cell(int32(i)).shape == shape {
			same++
		}
	}
	if others >= 10 && same*50 <= others {
		f.say(taxonomy.FamilyParameter, 1.5, "structure", share(uint32(same), uint32(others)), nil)
	}
}

// network weighs addresses that sit side by side, and what networks they are of.
func (s *scene) network(f *fusion, sc *scope) {
	if s.relayed(sc) {
		return
	}
	s.origin(f, sc)
	if sc.addrs >= 8 && sc.addrs >= 8*sc.nets {
		f.say(taxonomy.FamilyNetwork, ramp(float64(sc.addrs)/float64(sc.nets), 8, 1.5, 60, 2.5), "neighbours", sc.addrs, sc.nets)
	}
}

// idle weighs what these askers do besides, and how they came.
func (s *scene) idle(f *fusion, sc *scope) {
	s.skips(f, sc)
	business, actors := uint32(0), 0
	seen := make(map[uint64]bool, len(sc.members))
	for _, i := range sc.members {
		if a := s.actorOf(s.cell(i)); a != nil && !seen[a.key] {
			seen[a.key] = true
			actors++
			business += a.business
		}
	}
	switch {
	case actors > 0 && business == 0 && s.othersWork():
		f.say(taxonomy.FamilySequence, 1.5, "idle", 0, nil)
	case business > sc.sum.n/2:
		f.say(taxonomy.FamilySequence, -2, "busy", int(business), nil)
	}
}

// othersWork reports whether signed-in business is there to be seen: where
// nobody is ever signed in, as in an access log, its absence says nothing.
func (s *scene) othersWork() bool {
	if s.work == 0 {
		s.work = -1
		all, at := 0, 0
		for r := s.e.apis[0].cells.head; r != 0 && !s.e.cells.past(r, s.from); r = s.e.cells.after(r) {
			if s.e.cells.links[r].last < s.from || s.e.cells.at(r).accused {
				continue // an attack may be most of all
			}
			all++
			if !s.e.worked && all >= 5 {
				break // enough to know
			}
			if s.e.cells.at(r).business > 0 {
				at++
			}
		}
		if all < 5 || at >= 10 || at*10 >= all {
			s.work = 1
		}
	}
	return s.work > 0
}

// herd weighs how many askers behave alike against how many do elsewhere. It
// gives the z-score; a wide scope without lift is no scope.
func (s *scene) herd(sc *scope, guilty func(i int32) bool) (z float64, purity float64) {
	var fo, no float64
	client := s.oneClient(sc, guilty)
	for i := range s.refs {
		if c := s.cell(int32(i)); s.taken[i] || sc.kind.key(c) == sc.key || client != 0 && c.cohort == client {
			continue
		}
		no++
		if guilty(int32(i)) {
			fo++
		}
	}
	n, m := float64(len(sc.all)), float64(len(sc.members))
	return lift(m, n, fo, no, 1.5, 10), m / n
}

// oneClient gives the client of a scope of one structure that nearly all of it
// sends, 0 when there is none or when honest askers have it, too: a number that
// ends in a letter changes the structure, and the rest of an attack must not
// pass for the people that it is compared with.
func (s *scene) oneClient(sc *scope, guilty func(i int32) bool) uint64 {
	if sc.kind != scopePrint || len(sc.members) == 0 {
		return 0
	}
	client := s.cell(sc.members[0]).cohort
	all, bad := 0, 0
	for i := range s.refs {
		if s.cell(int32(i)).cohort == client && !s.taken[i] {
			all++
			if guilty(int32(i)) {
				bad++
			}
		}
	}
	if len(sc.all)*5 < all*4 || bad*10 < all*9 {
		return 0
	}
	return client
}

// looksGuilty is the usual test of herd.
func (s *scene) looksGuilty(i int32) bool { return s.hard[i] }

// peerFail is the share of refusals among everybody else, 0.15 when hardly
// anybody else is there. When it is high, refusal accuses nobody: something is
// broken. Askers are averaged by network, by fingerprint and by structure, and
// the lowest counts: what fails for everybody fails in all of them, while
// another attack next door fills one group.
func (s *scene) peerFail(sc *scope) (rate float64, peers int) {
	in := sc.inside()
	type mean struct{ sum, n float64 }
	kinds := [...]scopeKind{scopePrefix, scopeCohort, scopeShape}
	var groups [len(kinds)]map[uint64]*mean
	for g := range groups {
		groups[g] = map[uint64]*mean{}
	}
	for i := range s.refs {
		if in[int32(i)] || s.taken[i] || s.e.book.accused(s.refs[i], s.cell(int32(i))) {
			continue
		}
		c := s.cell(int32(i))
		a := c.answered()
		if a == 0 {
			continue
		}
		peers++
		for g, k := range kinds {
			key := k.key(c)
			m := groups[g][key]
			if m == nil {
				m = &mean{}
				groups[g][key] = m
			}
			m.sum += share(c.fail, a)
			m.n++
		}
	}
	if peers < 5 {
		return 0.15, peers
	}
	rate = 1
	for _, g := range groups {
		// Whole per mille, so that the order of the map cannot show.
		var sum int
		for _, m := range g {
			sum += int(m.sum/m.n*1000 + 0.5)
		}
		rate = min(rate, float64(sum)/float64(len(g))/1000)
	}
	return rate, peers
}

// louder weighs how much more the askers of a scope do than others: more than
// nearly all of them, many times over. It reports
// whether there are others to compare with.
func (s *scene) louder(f *fusion, sc *scope, much func(c *cell) float64) bool {
	times, known := s.loudness(sc, much)
	if known {
		f.peers(times)
	}
	return known
}

func (f *fusion) peers(times float64) {
	f.say(taxonomy.FamilyHerd, ramp(times, 4, 2, 30, 4), "peers", round2(times), 1)
}

// loudness is how many times as much a scope's askers do as nearly all others;
// known is false where there are too few to compare with.
func (s *scene) loudness(sc *scope, much func(c *cell) float64) (times float64, known bool) {
	in := sc.inside()
	mine, others := make(map[uint64]float64), make(map[uint64]float64)
	for i := range s.refs {
		c := s.cell(int32(i))
		switch {
		case in[int32(i)] && sc.kind == scopeCredential:
			mine[sc.key] += much(c) // one asker, from however many addresses
		case in[int32(i)]:
			mine[c.who] += much(c)
		case !s.taken[i] && !s.e.book.accused(s.refs[i], c):
			others[c.who] += much(c)
		}
	}
	if len(others) < 5 || len(mine) == 0 {
		return 0, false
	}
	all := make([]float64, 0, len(others))
	for who, n := range others {
		if _, ok := mine[who]; !ok && n > 0 {
			all = append(all, n)
		}
	}
	if len(all) < 5 {
		return 0, false
	}
	sum := 0.0
	for _, n := range mine {
		sum += n // whole numbers, so the order does not matter
	}
	return sum / float64(len(mine)) / max(nth(all, min(len(all)*95/100, len(all)-1)), 1), true
}

func round2(x float64) float64 { return math.Round(x*100) / 100 }
