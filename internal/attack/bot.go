package attack

import "xiezhi/internal/taxonomy"

// Bot: machine-like reading of personal data for which no better name fits.

const botLeast = 40

func likeBot(s *scene, c *cell, strict bool) bool {
	return c.level >= 2 && c.own*3 <= c.n && c.bulk*2 < c.n
}

func weighBot(s *scene, sc *scope) *fusion {
	t := &sc.sum
	people := t.count(setExposed)
	if people < 50 || people*2 < float64(t.n) {
		return nil
	}
	p := s.peersOf(sc)
	if t.signed*2 > t.n || p.count < 3 && t.obj > 0 && t.unissued*10 < t.obj {
		return nil // one system reads what another listed for it
	}
	if p.count >= 3 && float64(t.n) < 5*float64(p.n)/float64(p.count) {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackBot}
	s.timing(f, sc)
	s.protocol(f, sc)
	if len(f.items) == 0 {
		return nil // a diligent person
	}
	f.say(taxonomy.FamilyOutcome, ramp(people, 50, 2, 500, 4), "people", int(people), nil)
	s.idle(f, sc)
	if p.count >= 3 {
		f.say(taxonomy.FamilyHerd, 2, "peers", round2(float64(t.n)*float64(p.count)/float64(max(p.n, 1))), 1)
	}
	return f
}

func gateBot(t *tally, wide bool) bool { return t.n >= botLeast }
