package attack

import "xiezhi/internal/taxonomy"

// Looking up strangers: numbers that have nothing to do with each other or with
// the asker, whose answers are made no use of. Cars looked for are targeted
// lookups, unless they are counted through; where the answer says who is a
// member, as in the search for friends, it is account scanning.

const (
	seekNarrow = 10 // numbers that one asker looks up in a day
	seekAlone  = 20 // … where nobody is there to compare him with
	seekWide   = 20
	seekPurity = 0.8
	seekStaff  = 4    // others who do the same work
	seekUsed   = 0.05 // share of answers made use of, at most
)

var seekAxis = axis{name: "seek", kin: true, narrow: narrowOwners, wide: wideScopes, least: seekNarrow, like: likeSeek, gate: gateSeek, weigh: weighSeek, crowd: seekWide / 2, purity: seekPurity}

// likeSeek: asks about people and makes no use of the answers. At APIs that are
// for asking, numbers of people are the guesser's matter.
func likeSeek(s *scene, c *cell, strict bool) bool {
	if c.asks == 0 || s.u.role != "" && c.numbers&aboutCar == 0 || c.asks*2 < c.n || c.lookSigned*2 > c.asks {
		return false
	}
	n := c.sets[setAsked].count()
	if float64(c.heeded) > seekUsed*n {
		return false
	}
	if strict {
		a := s.actorOf(c)
		return a != nil && (a.business <= c.n || n >= seekNarrow)
	}
	return true
}

func gateSeek(t *tally, wide bool) bool {
	if wide {
		return t.asks >= seekWide
	}
	return t.asks >= seekNarrow
}

// staff reports whether a scope is of people whose work is to ask, as attendants
// and clerks do who settle elsewhere: all are signed in, by browser or app, at
// one place, and most of the signed-in people who ask ask about as many.
func (s *scene) staff(sc *scope) bool {
	if sc.kind.wide() && sc.kind != scopePrefix || sc.tools > 0 {
		return false
	}
	most := 0.0
	for _, i := range sc.members {
		c := s.cell(i)
		if c.cred == 0 {
			return false
		}
		most = max(most, c.sets[setAsked].count())
	}
	asked := map[uint64]float64{} // most of any cell, by credential
	for i := range s.refs {
		if c := s.cell(int32(i)); c.cred != 0 && c.asks > 0 && c.tool == 0 {
			asked[c.cred] = max(asked[c.cred], c.sets[setAsked].count())
		}
	}
	busy := 0
	for _, n := range asked {
		if n*3 >= most {
			busy++
		}
	}
	return busy > seekStaff && busy*2 > len(asked)
}

// seekKind names what is looked for. It does not depend on how many there are,
// so that an attack keeps its kind while it grows.
func (s *scene) seekKind(sc *scope) taxonomy.AttackKind {
	t := &sc.sum
	role := s.e.apis[s.cell(sc.members[0]).api].role
	switch {
	case targeted(t):
		return taxonomy.AttackTargetedLookup
	case t.numbers&(aboutCar|aboutPerson) == 0 && (role == taxonomy.RoleSearch || role == taxonomy.RoleList || role == taxonomy.RoleProfile || role == taxonomy.RoleDetail):
		return taxonomy.AttackAccountScanning
	}
	return taxonomy.AttackScraping
}

// targeted reports whether a scope looks for cars that have nothing to do with
// each other.
func targeted(t *tally) bool {
	n := t.count(setAsked)
	return t.asks*2 >= t.n && t.numbers&aboutCar != 0 && t.steps*2 < uint32(n) && !t.climbs(n)
}

// pays reports whether most of what was found was paid for: a fleet asks where
// its cars stand and settles there. Who sells what he finds pays for nothing.
func (t *tally) pays() bool {
	return t.heeded >= 3 && t.heeded*2 >= t.succ && float64(t.heeded)*20 >= t.count(setAsked)
}

func weighSeek(s *scene, sc *scope) *fusion {
	t := &sc.sum
	asked := t.count(setAsked)
	least := float64(seekNarrow)
	if sc.kind.wide() {
		least = seekWide
	}
	if asked < least || float64(t.heeded) > seekUsed*asked || t.pays() || t.lookSigned*2 > t.asks {
		return nil
	}
	f := &fusion{kind: s.seekKind(sc)}
	if sc.kind == scopeAddress && sc.agents >= 4 || s.staff(sc) {
		return nil // many people behind one address, or whose work it is
	}
	rate, of := s.usedBy(sc)
	measured := of >= 10 && rate >= 0.1
	if sc.kind.wide() {
		z, purity := s.herd(sc, s.looksGuilty)
		// Where nobody is seen to make use of an answer, everybody looks like it.
		if purity < seekPurity || z < 4 || !measured && sc.tools*10 < len(sc.members)*8 {
			return nil
		}
		f.say(taxonomy.FamilyHerd, ramp(z, 4, 2, 20, 5.5), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
	} else if !s.louder(f, sc, func(c *cell) float64 { return c.sets[setAsked].count() }) {
		if asked < seekAlone {
			return nil
		}
	} else if len(f.items) == 0 {
		return nil // others ask about as many
	}
	f.say(taxonomy.FamilySet, ramp(asked, seekNarrow, 3, 60, 5.5), "lookups", int(asked), 2)
	s.weighUnused(f, sc)
	if a := share(t.absent, t.absent+t.told+t.exists); f.kind == taxonomy.AttackAccountScanning && a >= 0.3 {
		f.say(taxonomy.FamilyOutcome, 3, "absent", round2(a), 0.1)
	}
	if people := t.count(setExposed); f.kind != taxonomy.AttackAccountScanning {
		f.say(taxonomy.FamilyOutcome, ramp(people, 5, 1, 60, 2.5), "people", int(people), nil)
	}
	if !sc.kind.wide() && (t.steps > 10 && t.steps*2 >= t.asks || t.climbs(asked)) {
		f.say(taxonomy.FamilySequence, 3, "rises", int(max(t.steps, t.rises)), 0)
	}
	s.timing(f, sc)
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	s.idle(f, sc)
	return f
}
