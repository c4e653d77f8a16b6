package attack

import (
	"xiezhi/internal/intel"
	"xiezhi/internal/taxonomy"
)

// Cross-border access: somebody in a country where nobody uses the site from
// reads the most sensitive data of several people. A traveller reads his own;
// a site whose users are everywhere has no abroad; an exit that many people
// work behind is where their company's traffic leaves and not where they are.

const (
	abroadPeople = 3    // whose data was read
	abroadPeers  = 20   // askers of the API or people of the site to compare with
	abroadUsual  = 0.05 // share of them in a country that makes it usual
	abroadBefore = int64(86400e9)
	abroadExit   = 3 // people working behind one address
	abroadSoon   = int64(2 * 3600e9)
)

// Somebody signed in is told by where he is: his own requests from home are
// none of it, so this is looked for before other reading. Who reads without
// credentials is abroad only if he does not scrape.
var (
	abroadAxis     = axis{name: "abroad", narrow: []scopeKind{scopeActor, scopeAddress, scopeCredential}, wide: abroadWide, least: 1, like: likeAbroad, gate: gateAbroad, weigh: weighAbroad}
	abroadOpenAxis = axis{name: "abroad_open", narrow: narrowActors, wide: abroadWide, least: 1, like: likeAbroadOpen, gate: gateAbroad, weigh: weighAbroad}
	abroadWide     = []scopeKind{scopePrefix, scopePrint, scopeCohort, scopeAgent}
)

// abroad gives the country of a cell that is not where the site's people are.
func (e *Engine) abroad(c *cell) intel.Country {
	land := placed(c.where)
	if land == 0 || c.shared {
		return 0
	}
	if home := e.travels.home(); home == 0 || home == land {
		return 0
	}
	return land
}

func likeAbroad(s *scene, c *cell, strict bool) bool { return c.cred != 0 && s.readsAbroad(c) }

func likeAbroadOpen(s *scene, c *cell, strict bool) bool { return c.cred == 0 && s.readsAbroad(c) }

func (s *scene) readsAbroad(c *cell) bool {
	return c.level >= 3 && c.api != 0 && c.sets[setExposed] != nil && c.signed*2 <= c.n && c.own*2 <= max(c.obj, 1) && s.e.abroad(c) != 0
}

func gateAbroad(t *tally, wide bool) bool { return t.level >= 3 }

func weighAbroad(s *scene, sc *scope) *fusion {
	people := sc.sum.count(setExposed)
	if people < abroadPeople {
		return nil
	}
	land := s.oneLand(sc)
	if land == 0 || s.exit(sc) {
		return nil
	}
	here, others := s.landShare(sc, land)
	usual := s.e.travels.usual(land, 1)
	switch {
	case others < abroadPeers && s.e.travels.people.total < abroadPeers:
		return nil // hardly anybody to tell what is normal
	case others >= abroadPeers && here >= abroadUsual || !sc.kind.wide() && usual >= abroadUsual:
		return nil // people are there
	}
	f := &fusion{kind: taxonomy.AttackCrossBorderAccess}
	if sc.kind.wide() {
		z, purity := s.herd(sc, s.looksGuilty)
		if z < 5 || purity < 0.9 {
			return nil
		}
		f.say(taxonomy.FamilyHerd, ramp(z, 5, 2, 20, 4), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
	}
	f.say(taxonomy.FamilyOutcome, ramp(people, abroadPeople, 2, 100, 5.5), "abroad_people", int(people), 0)
	w := 2.5
	if here > 0.01 {
		w = 1.5
	}
	f.say(taxonomy.FamilyNetwork, w, "abroad_new", land.String(), s.e.travels.home().String())
	if !s.itinerary(f, sc, land) {
		return nil
	}
	s.louder(f, sc, func(c *cell) float64 { return c.sets[setExposed].count() })
	s.origin(f, sc)
	s.timing(f, sc)
	s.protocol(f, sc)
	s.idle(f, sc)
	return f
}

// oneLand gives the country of nearly all members, 0 when there is none.
func (s *scene) oneLand(sc *scope) intel.Country {
	var l lands
	for _, i := range sc.members {
		l.add(s.cell(i).where.Country)
	}
	var best intel.Country
	for i := range l.used {
		if float64(l.list[i].n) >= 0.8*float64(l.total) {
			best = l.list[i].land
		}
	}
	return best
}

// landShare is the share of a country among the API's other askers whose
// country is known, and how many they are. What an attack explains is no
// measure of what is normal.
func (s *scene) landShare(sc *scope, land intel.Country) (float64, int) {
	in := sc.inside()
	there, all := map[uint64]bool{}, map[uint64]bool{}
	for i := range s.refs {
		c := s.cell(int32(i))
		at := placed(c.where)
		if at == 0 || in[int32(i)] || s.taken[i] || s.e.book.accused(s.refs[i], c) {
			continue
		}
		who := c.cred
		if who == 0 {
			who = c.who
		}
		if all[who] = true; at == land {
			there[who] = true
		}
	}
	if len(all) == 0 {
		return 0, 0
	}
	return float64(len(there)) / float64(len(all)), len(all)
}

// exit reports whether many people work behind the members' addresses, as
// behind a company's way out through a cloud.
func (s *scene) exit(sc *scope) bool {
	mine := map[uint64]bool{}
	for _, i := range sc.members {
		mine[s.cell(i).addr] = true
	}
	behind := map[uint64]map[uint64]bool{}
	for i := range s.refs {
		c := s.cell(int32(i))
		if !mine[c.addr] || c.cred == 0 || c.succ*2 < c.n {
			continue
		}
		if behind[c.addr] == nil {
			behind[c.addr] = map[uint64]bool{}
		}
		behind[c.addr][c.cred] = true
	}
	for _, people := range behind {
		if len(people) >= abroadExit {
			return true
		}
	}
	return false
}

// itinerary weighs where the members' principals were before. It is false when
// most of them have been abroad for longer: they live there.
func (s *scene) itinerary(f *fusion, sc *scope, land intel.Country) bool {
	home := s.e.travels.home()
	seen := map[uint64]bool{}
	stays, settled, new, torn := 0, 0, 0, 0
	for _, i := range sc.members {
		c := s.cell(i)
		if c.cred == 0 || seen[c.cred] {
			continue
		}
		seen[c.cred] = true
		x, ok := s.e.travels.stays.Peek(c.cred)
		if !ok {
			continue
		}
		stays++
		there, at := x.at(land), x.at(home)
		if there < 0 {
			continue // it was so long ago that it is forgotten
		}
		first := x.lands[there].first
		if c.first-first >= abroadBefore {
			settled++
			continue
		}
		if at < 0 || x.lands[at].n < 5 {
			continue
		}
		new++
		if last := x.lands[at].last; last > first || first-last < abroadSoon {
			torn++
		}
	}
	switch {
	case settled*2 > stays && stays > 0:
		return false
	case torn*2 > stays:
		f.say(taxonomy.FamilySequence, 2.5, "abroad_torn", torn, 0)
	case new*2 > stays:
		f.say(taxonomy.FamilySequence, 1.5, "abroad_never", new, 0)
	}
	return true
}
