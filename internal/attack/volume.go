package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// Volume: reading off a catalogue where what is read has no name that a sensor
// sees: pages of a list, or records asked for in bodies that are not recorded.
// Then the number of requests, how different their answers are, and the pace
// remain, each against the other askers.

const (
	volumeLeast   = 100 // requests of one asker
	volumeSeen    = 40  // requests before the answers of a cell are told apart
	volumeAnswers = 25  // different pages or answers: a poll sees the same few
	volumePeers   = 20  // other askers to compare with
	volumeTimes   = 10  // … times what they ask for on average
	volumeRate    = 0.2 // requests a second: nobody reads that fast for so long
)

func volumeAxis() axis {
	return axis{name: "volume", narrow: []scopeKind{scopeActor}, least: volumeLeast, like: likeVolume, gate: gateVolume, weigh: weighVolume}
}

// reads reports whether an API shows what a site has to offer.
func reads(r taxonomy.Role) bool {
	return r == taxonomy.RoleList || r == taxonomy.RoleSearch || r == taxonomy.RoleDetail
}

// countVolume tells apart what a busy asker of a list asks for: by what the
// request names, else by the length of the answer.
func (e *Engine) countVolume(ev *catalog.Event, c *cell, s *apiState) {
	if c.n < volumeSeen || !reads(s.role) || ev.Object != 0 {
		return
	}
	what := uint64(0)
	for k := range ev.Params {
		if t := ev.Params[k].Token; t != 0 {
			what += mix64(t)
		}
	}
	if what == 0 {
		what = ev.RespBytes
	}
	if what == 0 {
		return
	}
	e.pool.add(&c.sets[setAnswers], what)
	if c.n >= volumeLeast && c.n%16 == 0 {
		e.units[s.unit].watch = true
		e.mark(c, c.first)
		e.mark(c, ev.End)
	}
}

func likeVolume(s *scene, c *cell, strict bool) bool {
	if c.n < volumeLeast || c.sets[setAnswers] == nil || c.obj*2 >= c.n || c.signed*2 > c.n || c.fail*2 > c.n {
		return false
	}
	if float64(c.n) < volumeRate*c.seconds() || c.sets[setAnswers].count() < volumeAnswers {
		return false
	}
	a := s.actorOf(c)
	return a != nil && a.n <= c.n*2
}

func gateVolume(t *tally, _ bool) bool { return t.n >= volumeLeast }

func weighVolume(s *scene, sc *scope) *fusion {
	t := &sc.sum
	answers := t.count(setAnswers)
	if s.crawler(sc) && t.level == 0 || answers < volumeAnswers {
		return nil
	}
	p := s.peersOf(sc)
	if p.count < volumePeers || float64(t.n)*float64(p.count) < volumeTimes*float64(p.n) {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackScraping}
	if !s.louder(f, sc, func(c *cell) float64 { return float64(c.n) }) {
		return nil
	}
	f.say(taxonomy.FamilySet, ramp(answers, volumeAnswers, 2, 250, 4.5), "answers", int(answers), nil)
	s.timing(f, sc)
	s.protocol(f, sc)
	s.idle(f, sc)
	if t.obj == 0 && t.sets[setExposed] == nil {
		f.say(taxonomy.FamilyOutcome, -0.5, "unseen_objects", nil, nil)
	}
	return f
}
