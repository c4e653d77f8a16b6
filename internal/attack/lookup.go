package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Looking people up: an API that says whether an application was approved or
// where a car is parked takes a number and answers about its owner. Who asks
// with one number after the other wants the answers; where they give people's
// data it is scraping, where they say yes or no it is account scanning.

// yesOrNo is the size below which an answer can be no more than yes or no.
const yesOrNo = 256

// looksUp reports whether APIs of that role answer about whom a request names.
func looksUp(r taxonomy.Role) bool {
	return r == taxonomy.RoleQueryProgress || r == taxonomy.RoleIdentityCheck
}

// lookup gives what a request asks about that names no account: the first
// personal number, else the object.
func lookup(ev *catalog.Event) (token uint64, set observe.SetFeature) {
	for k := range ev.Params {
		if p := &ev.Params[k]; p.Token != 0 && p.Sensitive.Level() >= 2 && p.Sensitive.Level() < 4 {
			return p.Token, p.Set
		}
	}
	for k := range ev.Segments {
		if s := &ev.Segments[k]; s.Token != 0 && s.Sensitive.Level() >= 2 && s.Sensitive.Level() < 4 {
			return s.Token, s.Set
		}
	}
	if ev.Object != 0 {
		return ev.Object, objectSet(ev)
	}
	return 0, set
}

// givesPeople reports whether the answers of a scope give people's data in
// earnest.
func givesPeople(t *tally) bool {
	people := t.count(setExposed)
	return people >= 10 && people*10 >= t.count(setSubjects)
}

// givesPeople reports whether an API's answers give people's data, to whom they
// answer at all.
func (a *apiState) givesPeople() bool { return a.people >= 20 && a.people*10 >= a.n }

// volume weighs, for one asker, how many more accounts he names than others do
// and whether he counts them through.
func (s *scene) volume(f *fusion, sc *scope) {
	t := &sc.sum
	if sc.kind.wide() || f.kind == taxonomy.AttackBruteForce || f.kind == taxonomy.AttackCodeCracking {
		return
	}
	s.louder(f, sc, func(c *cell) float64 { return c.sets[setSubjects].count() })
	if t.steps > 10 && t.steps*2 >= t.subj {
		f.say(taxonomy.FamilySequence, 3, "steps", int(t.steps), 0)
	} else if t.climbs(float64(t.subj)) {
		f.say(taxonomy.FamilySequence, 3, "rises", int(t.rises), 0)
	}
}
