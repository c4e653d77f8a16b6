package attack

import "xiezhi/internal/taxonomy"

// Attempts that share no client, no structure and no network still change what
// comes of signing in at a site: of those who try, far more than before give up,
// and they name accounts that are not there, or all try the same few passwords.
// What comes of it in the day before is the measure, in proportion to those who
// get in, so that a busy hour is no news; a broken release makes people fail at
// the accounts they have.

const (
	turnoutLeast  = 40  // askers who give up
	turnoutBefore = 30  // askers of the day before
	turnoutAbsent = 0.4 // share of their answers that know no such account
	turnoutMost   = 0.1 // … before
	turnoutShare  = 0.7 // of all who try
	turnoutEach   = 5   // attempts of one asker: more are his own doing
)

// turnout is what came of the attempts at an API.
type turnout struct{ all, quit, absent, answers float64 }

func (t *turnout) add(c *cell, quit bool) {
	t.all++
	if quit {
		t.quit++
	}
	t.absent += float64(c.absent)
	t.answers += float64(c.answered())
}

// before sums up the day that led to a scene, without what attacks did.
func (s *scene) before(api int32) (t turnout) {
	for r := s.e.apis[api].cells.head; r != 0 && !s.e.cells.past(r, s.now-horizon); r = s.e.cells.after(r) {
		if c := s.e.cells.at(r); c.last < s.from && c.answered() > 0 && !c.accused {
			t.add(c, s.quits(c))
		}
	}
	return t
}

// quits reports whether an asker named an account, got nowhere and did nothing
// else.
func (s *scene) quits(c *cell) bool {
	if c.subj == 0 || c.follow > 0 || c.n > turnoutEach {
		return false
	}
	a := s.actorOf(c)
	if a == nil || a.business > 0 || a.made > 0 {
		return false
	}
	return s.asks() && c.absent > 0 || !s.asks() && c.fail > 0 && c.succ == 0
}

// common gives the passwords that many of a scope's askers try, each by one in
// twenty of them, when hardly anybody tries another one: two people with a
// password in common are no wonder, a crowd is.
func (s *scene) common(sc *scope) map[uint64]bool {
	n := make(map[uint64]int)
	for _, i := range sc.members {
		if set := s.cell(i).sets[setTags]; set != nil {
			for _, tag := range set.small {
				n[tag]++
			}
		}
	}
	few, with := make(map[uint64]bool), 0
	for tag, k := range n {
		if k >= turnoutLeast/4 && k*20 >= len(sc.members) {
			few[tag] = true
			with += k
		}
	}
	if with*10 < len(sc.members)*7 {
		return nil
	}
	return few
}

// weighTurnout weighs attempts that have the API alone in common.
func (s *scene) weighTurnout(sc *scope) *fusion {
	if s.now-s.from >= horizon || len(sc.members) < turnoutLeast {
		return nil // nothing came before
	}
	api := s.cell(sc.members[0]).api
	var is turnout
	for i := range s.refs {
		if c := s.cell(int32(i)); c.api == api && !s.taken[i] && !c.accused && c.answered() > 0 {
			is.add(c, s.quits(c))
		}
	}
	if is.quit < turnoutLeast || is.quit < turnoutShare*is.all {
		return nil
	}
	was := s.before(api)
	z := lift(is.quit, is.all, was.quit, was.all, 1.5, 10)
	if was.all < turnoutBefore || z < 6 {
		return nil
	}
	few := s.common(sc)
	kept := sc.members[:0]
	for _, i := range sc.members {
		c := s.cell(i)
		if !s.quits(c) || c.shared {
			continue
		}
		if few == nil && c.registered == 0 || few != nil && within(c.sets[setTags], few) {
			kept = append(kept, i) // nobody is blamed for failing at an account of his own
		}
	}
	sc.members = kept
	s.resum(sc)
	t := &sc.sum
	dist := t.count(setSubjects)
	if len(kept) < turnoutLeast || dist < accountsWide || dist*2 < float64(len(kept)) || sc.addrs*2 < len(kept) {
		return nil
	}
	f := &fusion{kind: s.guessKind(sc, dist)}
	f.say(taxonomy.FamilyHerd, ramp(z, 6, 2.5, 20, 5), "turnout", round2(is.quit/is.all), round2(was.quit/was.all))
	absent := share(t.absent, t.answered())
	switch {
	case few != nil:
		if s.e.initial.gives(t.sets[setTags], dist) {
			return nil
		}
		f.kind = taxonomy.AttackPasswordSpraying
		f.say(taxonomy.FamilyParameter, 3, "one_password", int(t.count(setTags)), int(dist))
	case f.kind == "" || f.kind == taxonomy.AttackBruteForce || f.kind == taxonomy.AttackCodeCracking:
		return nil
	case absent < turnoutAbsent || !s.asks() && was.absent > turnoutMost*was.answers:
		return nil
	}
	if absent >= turnoutAbsent {
		f.say(taxonomy.FamilyOutcome, 4, "absent", absent, 0.02)
	}
	f.say(taxonomy.FamilySet, ramp(dist, accountsWide, 3, 200, 5), "accounts", int(dist), 2)
	return f
}

// within reports whether all of a set's values are among those given.
func within(d *distinct, of map[uint64]bool) bool {
	if d == nil || d.dense != nil {
		return false
	}
	for _, v := range d.small {
		if !of[v] {
			return false
		}
	}
	return true
}
