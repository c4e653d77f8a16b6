package attack

import (
	"xiezhi/internal/intel"
	"xiezhi/internal/taxonomy"
)

// Stolen accounts used abroad: many people's accounts, each reading its own
// owner's data, by one hand in countries where hardly any of the site's people
// are. One traveller reads his own with his own client from where he is; a
// handful of accounts that were at home before and now all are abroad with one
// client or behind one address are nobody's journey.

const (
	stolenAccounts = 5
	stolenPurity   = 0.9
	stolenHomes    = 3   // accounts that worked at home before with other clients …
	stolenAtHome   = 0.2 // … of those that are known; where nobody has the client that they all have, one is enough
)

var stolenAxis = axis{name: "stolen", narrow: []scopeKind{scopeAddress}, wide: []scopeKind{scopePrefix, scopePrint, scopeCohort, scopeShape, scopeAgent}, least: stolenAccounts,
	like: likeStolen, gate: gateStolen, weigh: weighStolen, purity: stolenPurity}

// likeStolen: signed in, abroad, and was told somebody's data.
func likeStolen(s *scene, c *cell, strict bool) bool {
	return c.cred != 0 && c.api != 0 && c.level >= abroadLevel && c.succ > 0 && c.signed*2 <= c.n && s.e.abroad(c) != 0
}

func gateStolen(t *tally, wide bool) bool { return t.succ >= stolenAccounts }

func weighStolen(s *scene, sc *scope) *fusion {
	accounts := s.principals(sc)
	if accounts < stolenAccounts || s.exit(sc) {
		return nil
	}
	// Where many of the others are abroad, too, there is no abroad.
	here, others := s.abroadShare(sc, 0)
	if others < abroadPeers { // then all who ever signed in
		here, others = s.e.travels.foreign(0, uint32(accounts))
	}
	if others < abroadPeers || here >= abroadUsual {
		return nil
	}
	z := lift(float64(len(sc.members)), float64(len(sc.all)), here*float64(others), float64(others), 1.5, 10)
	if z < 5 || float64(len(sc.members)) < stolenPurity*float64(len(sc.all)) {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackCrossBorderAccess}
	j := s.journeys(sc)
	tool := s.foreignTool(sc)
	switch {
	case j.settled*2 > j.seen:
		return nil // they live there
	case j.home == 0 || j.same*2 > j.home:
		return nil // who travels has his phone with him; an edition for abroad has people of its own
	case !tool && (j.home < stolenHomes || float64(j.home) < stolenAtHome*float64(j.seen)):
		return nil
	case j.torn*2 > j.home:
		f.say(taxonomy.FamilySequence, 2.5, "abroad_torn", j.torn, 0)
	default:
		f.say(taxonomy.FamilySequence, ramp(float64(j.home), 1, 1, 5, 2), "abroad_never", j.home, 0)
	}
	f.say(taxonomy.FamilyHerd, ramp(z, 5, 2, 20, 4), "herd", len(sc.members), max(1, int(here*float64(len(sc.all)))))
	f.say(taxonomy.FamilySet, ramp(float64(accounts), stolenAccounts, 2.5, 30, 5), "abroad_accounts", accounts, 1)
	f.say(taxonomy.FamilyNetwork, 2, "abroad_share", len(sc.members), round2(here))
	s.origin(f, sc)
	s.timing(f, sc)
	if tool {
		s.protocol(f, sc)
		s.structure(f, sc)
	}
	return f
}

// principals counts the accounts of a scope's members.
func (s *scene) principals(sc *scope) int {
	seen := make(map[uint64]bool, len(sc.members))
	for _, i := range sc.members {
		if c := s.cell(i); c.cred != 0 {
			seen[c.cred] = true
		}
	}
	return len(seen)
}

// abroadShare is the share of the API's other askers that are in a country,
// abroad anywhere for 0, of those whose country is known, and how many these
// are. What an attack explains is no measure of what is normal.
func (s *scene) abroadShare(sc *scope, land intel.Country) (float64, int) {
	in := sc.inside()
	clients := make(map[uint64]bool)
	if s.spreadOf(sc) == 1 {
		clients[printOf(s.cell(sc.members[0]))] = true // the rest of the same hand
	}
	there, all := map[uint64]bool{}, map[uint64]bool{}
	for i := range s.refs {
		c := s.cell(int32(i))
		if placed(c.where) == 0 || clients[printOf(c)] || in[int32(i)] || s.taken[i] || s.e.book.accused(s.refs[i], c) {
			continue
		}
		who := c.cred
		if who == 0 {
			who = c.who
		}
		if all[who] = true; land == 0 && s.e.abroad(c) != 0 || land != 0 && placed(c.where) == land {
			there[who] = true
		}
	}
	return share(uint32(len(there)), uint32(len(all))), len(all)
}

// journeys is where a scope's accounts were before.
type journeys struct {
	seen    int // whose journeys are known
	settled int // where they are for longer
	home    int // worked at home and came abroad now
	torn    int // … faster than anybody travels
	same    int // … with the client that they had there
}

func (s *scene) journeys(sc *scope) (j journeys) {
	at := s.e.travels.home()
	known := map[uint64]bool{}
	for _, i := range sc.members {
		c := s.cell(i)
		if c.cred == 0 || known[c.cred] {
			continue
		}
		x, ok := s.e.travels.stays.Peek(c.cred)
		if !ok {
			continue
		}
		there := x.at(placed(c.where))
		if there < 0 {
			continue // it was so long ago that it is forgotten
		}
		known[c.cred] = true
		j.seen++
		first := x.lands[there].first
		if c.first-first >= abroadBefore {
			j.settled++
			continue
		}
		home := x.at(at)
		if home < 0 || x.lands[home].n < abroadWorked {
			continue
		}
		j.home++
		if x.lands[home].client == c.cohort {
			j.same++
		}
		if last := x.lands[home].last; last > first || first-last < abroadSoon {
			j.torn++
		}
	}
	return j
}
