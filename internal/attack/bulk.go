package attack

import "xiezhi/internal/taxonomy"

// Bulk reading: few requests, each the data of many people, without any
// credential.

const (
	bulkLeast  = 8
	bulkPurity = 0.9 // share of a wide scope that must look guilty
)

func likeBulk(s *scene, c *cell, strict bool) bool {
	if c.bulk == 0 || c.bulk*2 < c.n {
		return false
	}
	if strict {
		a := s.actorOf(c)
		return a != nil && a.business == 0
	}
	return true
}

func weighBulk(s *scene, sc *scope) *fusion {
	t := &sc.sum
	if t.bulk < bulkLeast {
		return nil
	}
	p := s.peersOf(sc)
	// A list that everybody reads is public by intent, however badly chosen:
	// that is a defect to report, not an attack.
	if p.count >= 5 && p.bulk*2 >= t.bulk {
		return nil
	}
	if p.bulk > 0 && t.bulk < 3*p.bulk {
		return nil
	}
	if sc.kind.wide() {
		if _, purity := s.herd(sc, s.looksGuilty); purity < bulkPurity {
			return nil
		}
	}
	f := &fusion{kind: taxonomy.AttackScraping}
	weight := ramp(float64(t.bulk), bulkLeast, 3, 25, 4.5)
	if t.level >= 3 {
		weight++
	}
	f.say(taxonomy.FamilyOutcome, weight, "bulk", int(t.bulk), nil)
	f.say(taxonomy.FamilySet, ramp(float64(t.people), 2, 1, 100, 4), "per_response", int(t.people), 1)
	if p.count < 5 {
		f.say(taxonomy.FamilyHerd, 1.5, "alone", p.count, nil)
	}
	s.timing(f, sc)
	s.protocol(f, sc)
	s.idle(f, sc)
	return f
}

func gateBulk(t *tally, wide bool) bool { return t.bulk >= bulkLeast }
