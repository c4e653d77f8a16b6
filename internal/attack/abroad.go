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
	abroadLevel  = 2    // of what was read
	abroadPeople = 3    // whose data was read, where it is of the most sensitive
	abroadMany   = 10   // … where it is contacts: a shopper abroad sees a few
	abroadPeers  = 20   // askers of the API or people of the site to compare with
	abroadUsual  = 0.05 // share of them in a country that makes it usual
	abroadBefore = int64(86400e9)
	abroadWorked = 5 // requests at home, for somebody to have worked there
	abroadLands  = 3 // countries that one account is in within a day, by relays of somebody's
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
	return c.level >= abroadLevel && c.api != 0 && c.sets[setExposed] != nil && c.signed*2 <= c.n && c.own*2 <= max(c.obj, 1) && s.e.abroad(c) != 0
}

func gateAbroad(t *tally, wide bool) bool { return t.level >= abroadLevel }

func weighAbroad(s *scene, sc *scope) *fusion {
	people := sc.sum.count(setExposed)
	contacts := sc.sum.level < 3 // a partner in a foreign cloud reads these as well
	least, most := float64(abroadPeople), 100.0
	if contacts {
		least, most = abroadMany, 300
	}
	if people < least || contacts && people < abroadPeople*float64(s.principals(sc)) {
		return nil // everybody his own
	}
	if s.exit(sc) {
		return nil
	}
	land := s.oneLand(sc)
	here, others := s.abroadShare(sc, land)
	usual, _ := s.e.travels.foreign(land, 1)
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
	f.say(taxonomy.FamilyOutcome, ramp(people, least, 2, most, 5.5), "abroad_people", int(people), 0)
	w := 2.5
	if here > 0.01 {
		w = 1.5
	}
	if land != 0 {
		f.say(taxonomy.FamilyNetwork, w, "abroad_new", land.String(), s.e.travels.home().String())
	} else {
		f.say(taxonomy.FamilyNetwork, w, "abroad_share", len(sc.members), round2(here))
	}
	j := s.journeys(sc)
	switch {
	case j.settled*2 > j.seen:
		return nil // they live there
	case j.torn*2 > j.seen:
		f.say(taxonomy.FamilySequence, 2.5, "abroad_torn", j.torn, 0)
	case j.home*2 > j.seen:
		f.say(taxonomy.FamilySequence, 1.5, "abroad_never", j.home, 0)
	case contacts:
		return nil
	}
	s.louder(f, sc, func(c *cell) float64 { return c.sets[setExposed].count() })
	s.origin(f, sc)
	s.timing(f, sc)
	s.protocol(f, sc)
	if n := s.landsOf(sc); n >= abroadLands && sc.kind == scopeCredential {
		f.say(taxonomy.FamilySequence, 3, "abroad_lands", n, 1)
	} else {
		s.idle(f, sc)
	}
	return f
}

// landsOf is how many countries abroad a scope's members are in.
func (s *scene) landsOf(sc *scope) int {
	seen := map[intel.Country]bool{}
	for _, i := range sc.members {
		if c := s.cell(i); s.e.abroad(c) != 0 {
			seen[placed(c.where)] = true
		}
	}
	return len(seen)
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

// foreignTool reports whether a scope is of one client that nobody at home has.
func (s *scene) foreignTool(sc *scope) bool {
	if s.spreadOf(sc) > 1 {
		return false
	}
	rate, known := s.strange(sc, func(a *cell) bool { return s.e.abroad(a) != 0 })
	return known && rate == 1
}

// exit reports whether many people work behind the members' addresses, as
// behind a company's way out through a cloud. One hand has many accounts behind
// one address, too, but one client that people do not have.
func (s *scene) exit(sc *scope) bool {
	mine := map[uint64]bool{}
	for _, i := range sc.members {
		mine[s.cell(i).addr] = true
	}
	if s.foreignTool(sc) {
		return false
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
