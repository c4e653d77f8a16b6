package attack

import "xiezhi/internal/taxonomy"

// Account farms: accounts made by machine that are used, to collect a bonus,
// say. What gives them away is not idleness but that their makers do nothing
// else on the site, are built alike, and make several each.

// likeFarm: registers, and does little more with each account.
func likeFarm(s *scene, c *cell, strict bool) bool {
	if c.succ == 0 {
		return false
	}
	a := s.actorOf(c)
	return a != nil && a.business <= 4*a.made && a.n <= 12*a.made
}

func weighFarm(s *scene, sc *scope) *fusion {
	t := &sc.sum
	made := float64(t.succ)
	if made < accountsMadeWide {
		return nil
	}
	// Newcomers whom an advertisement brings register in numbers too, but each
	// for himself, from wherever he is, with his own browser.
	machine := sc.tools*10 >= len(sc.members)*8 || sc.addrs >= 8*sc.nets && sc.addrs >= 8 || made >= 2*float64(sc.addrs)
	if !machine {
		return nil
	}
	// How many of the site's clients with that key register, against how many
	// of the others.
	var all, reg, allOthers, regOthers float64
	for r := s.e.apis[0].cells.head; r != 0 && !s.e.cells.past(r, s.from); r = s.e.cells.after(r) {
		c := s.e.cells.at(r)
		if c.last < s.from {
			continue
		}
		made := c.made > 0
		if sc.kind == scopePrint && c.cohort == s.cell(sc.members[0]).cohort || sc.kind != scopePrint && sc.kind.key(c) == sc.key {
			all++
			if made {
				reg++
			}
		} else {
			allOthers++
			if made {
				regOthers++
			}
		}
	}
	if reg < 5 || reg < 0.7*all || allOthers < 20 {
		return nil
	}
	z := lift(reg, all, regOthers, allOthers, 1.5, 10)
	if z < 6 {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackMassRegistration}
	f.say(taxonomy.FamilyHerd, ramp(z, 6, 3, 20, 5.5), "register_only", int(reg), round2(regOthers/allOthers*all))
	f.say(taxonomy.FamilySet, ramp(made, accountsMade, 3, 60, 6), "made", int(made), 1)
	f.alike(t, made)
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	return f
}
