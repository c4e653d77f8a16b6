package attack

import "xiezhi/internal/taxonomy"

// Mass registration: accounts made to be had, not to be used.

const (
	accountsMade     = 10
	accountsMadeWide = 20
	registerPurity   = 0.8          // share of a wide scope that must look guilty
	settle           = int64(120e9) // time an honest newcomer is given to come back
)

// likeRegister: made accounts that nobody uses.
func likeRegister(s *scene, c *cell, strict bool) bool {
	if c.succ == 0 || c.follow*10 > c.succ {
		return false
	}
	if strict {
		a := s.actorOf(c)
		return a != nil && a.business == 0
	}
	return true
}

func weighRegister(s *scene, sc *scope) *fusion {
	t := &sc.sum
	made := float64(t.succ)
	least := float64(accountsMade)
	if sc.kind.wide() {
		least = accountsMadeWide
	}
	if made < least {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackMassRegistration}
	// Newcomers who came a moment ago have had no time to use anything.
	var ripe, fresh uint32
	for _, i := range sc.members {
		c := s.cell(i)
		if s.now-c.last >= settle || c.succ >= 5 {
			ripe += c.succ
		} else {
			fresh += c.succ
		}
	}
	serial := f.alike(t, made)
	if sc.kind.wide() {
		z, purity := s.herd(sc, s.looksGuilty)
		if purity < registerPurity || z < 5 || float64(ripe) < least && !serial {
			return nil
		}
		f.say(taxonomy.FamilyHerd, ramp(z, 5, 2, 20, 5), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
	}
	f.say(taxonomy.FamilySet, ramp(made, accountsMade, 3, 60, 6), "made", int(made), 1)
	if float64(ripe) >= least/2 {
		f.say(taxonomy.FamilyOutcome, ramp(float64(ripe), 5, 2.5, 30, 5), "unused", 1-share(t.follow, max(t.succ, 1)), 0.2)
	}
	s.timing(f, sc)
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	return f
}

// alike weighs accounts made from one mould: one password for all, names that
// begin alike. It reports whether they are.
func (f *fusion) alike(t *tally, made float64) bool {
	found := false
	if tags := t.count(setTags); t.pw > 0 && tags > 0 && tags*5 <= made {
		f.say(taxonomy.FamilyParameter, 2.5, "same_password", int(tags), int(made))
		found = true
	}
	if p := t.count(setPatterns); p > 0 && p*6 <= made {
		f.say(taxonomy.FamilyParameter, 2, "serial", int(p), int(made))
		found = true
	}
	return found
}

func gateRegister(t *tally, wide bool) bool { return t.succ >= accountsMade }
