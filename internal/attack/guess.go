package attack

import "xiezhi/internal/taxonomy"

// Guessing at identity APIs: account scanning, credential stuffing, password
// spraying and brute force differ in what varies from request to request, so
// they share one search and are told apart by it.

const (
	accountsNarrow = 20 // different accounts that one asker must try
	accountsSpray  = 15
	accountsWide   = 30
	mostAbsent     = 0.6 // share of accounts that are not there, for whoever has no list of them
	officeUsed     = 0.2 // share of answers made use of behind one address, from which on it is people's
	fewAsked       = 2.5 // accounts for each address of a herd, that people ask about
)

// likeGuess: refused again and again. In scopes shared with honest askers, one
// who gets in and goes about his business is honest.
func likeGuess(s *scene, c *cell, strict bool) bool {
	if c.blind > 0 && c.subj == 0 {
		return likeBlind(s, c)
	}
	if c.fail == 0 || c.succ*4 > c.fail {
		return false
	}
	if strict {
		a := s.actorOf(c)
		return a != nil && a.business*2 <= c.fail && (c.follow == 0 || c.fail >= 8)
	}
	return true
}

// likeAsk: asks about accounts, at APIs that tell.
func likeAsk(s *scene, c *cell, strict bool) bool {
	if c.subj == 0 {
		return false
	}
	// Codes that lead to a registration belong to it.
	if s.u.role == taxonomy.RoleCodeSend {
		if a := s.actorOf(c); a != nil && a.made*2 >= c.n {
			return false
		}
	}
	if strict {
		a := s.actorOf(c)
		return a != nil && a.business == 0
	}
	return true
}

// weighGuess decides which kind of guessing a scope shows and weighs it.
func weighGuess(s *scene, sc *scope) *fusion {
	t := &sc.sum
	if t.blind*2 > t.n {
		return s.weighBlind(sc)
	}
	if sc.kind == scopeUnit {
		return s.weighTurnout(sc)
	}
	if t.asks > 0 && (t.lookSigned*2 > t.asks || float64(t.heeded)*5 >= t.count(setAsked) || t.pays()) {
		return nil // an integration asks about its customers, a cashier takes their money
	}
	asks := s.asks()
	answered := t.answered()
	if answered < 8 {
		return nil
	}
	peers, many := s.peerFail(sc)
	failing := share(t.fail, answered)
	if s.codes(t) {
		asks = false // a code that is refused is a measure
	}
	if !asks && failing < max(0.8, peers+0.25) {
		return nil
	}
	if !asks && many >= 5 && peers > 0.6 {
		return nil // everybody fails alike
	}
	dist := t.count(setSubjects)
	if dist == 0 || t.asks*2 > t.n && (s.people(sc) || s.staff(sc)) {
		return nil
	}
	f := &fusion{kind: s.guessKind(sc, dist)}
	if f.kind == "" || f.kind == taxonomy.AttackPasswordSpraying && s.e.initial.gives(t.sets[setTags], dist) {
		return nil
	}
	if sc.kind.wide() {
		s.unmeant(f, sc)
		if dist = t.count(setSubjects); dist == 0 || !s.weighHerd(f, sc) {
			return nil
		}
		dist = t.count(setSubjects) // members may have shrunk
	}
	f.outcome(t, dist, peers, asks)
	f.variety(t, dist, sc)
	if asks || f.kind == taxonomy.AttackAccountScanning {
		s.volume(f, sc)
	}
	if people := t.count(setExposed); f.kind == taxonomy.AttackScraping || f.kind == taxonomy.AttackTargetedLookup {
		f.say(taxonomy.FamilyOutcome, ramp(people, 10, 2, 300, 4.5), "people", int(people), nil)
	}
	s.timing(f, sc)
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	s.idle(f, sc)
	return f
}

// asks reports whether the unit's APIs answer questions about accounts, so that
// refusal is no measure.
func (s *scene) asks() bool {
	r := s.u.role
	return r != taxonomy.RoleLogin && r != taxonomy.RoleLoginCode && r != taxonomy.RoleRegister
}

// guessKind tells the kinds apart by what varies: passwords per account,
// accounts per password, and whether the answers tell who exists.
func (s *scene) guessKind(sc *scope, dist float64) taxonomy.AttackKind {
	t := &sc.sum
	tags, pairs := t.count(setTags), t.count(setPairs)
	seen := t.pw*2 >= t.n
	per := float64(t.subj) / dist
	least := float64(accountsNarrow)
	if sc.kind.wide() {
		least = accountsWide
	}
	absent := share(t.absent, t.answered())
	if s.codes(t) {
		if t.count(setCodePairs) < codesNarrow {
			return ""
		}
		return taxonomy.AttackCodeCracking
	}
	if seen && s.u.role != taxonomy.RoleRegister {
		guesses := pairs / dist
		switch {
		case guesses >= 5 && tags >= guessBurst && (dist <= 3 || guesses*2 >= dist || tags > dist/2):
			return taxonomy.AttackBruteForce
		case dist >= least && per <= 2 && absent >= 0.3 && s.serial(t, dist):
			// Account names counted through: nobody leaks such a list.
			return taxonomy.AttackAccountScanning
		case tags <= 2 || tags <= dist/10 || tags <= dist/5 && pairs*2 >= dist*tags:
			// A few passwords walked over many accounts; a list of pairs uses its
			// popular passwords here and there, and the most popular one in a
			// hundred times. Is it the passwords or the accounts that are being
			// tried? Who asks for accounts has no need of a second password, and
			// most of what he asks for is not there.
			if per <= 2 && tags <= 2 && (absent >= mostAbsent || s.serial(t, dist)) {
				if dist >= least {
					return taxonomy.AttackAccountScanning
				}
				return "" // it will be, when there are more
			}
			if dist >= max(accountsSpray, least-5) {
				return taxonomy.AttackPasswordSpraying
			}
			return ""
		case dist >= least && per <= 3:
			return taxonomy.AttackCredentialStuffing
		}
		return ""
	}
	if dist < least || per > 2 {
		return ""
	}
	if s.u.role == taxonomy.RoleLogin && absent < 0.3 && t.split() < 0.1 {
		return taxonomy.AttackCredentialStuffing
	}
	if t.asked*2 > t.n && !tells(t) {
		return "" // every answer the same: messages are sent, nothing is told
	}
	if looksUp(s.u.role) && (givesPeople(t) || s.e.apis[s.cell(sc.members[0]).api].givesPeople()) {
		if targeted(t) {
			return taxonomy.AttackTargetedLookup
		}
		return taxonomy.AttackScraping
	}
	return taxonomy.AttackAccountScanning
}

// people reports whether a scope of lookups is of people: those who share its
// key with the members, and do not look like a guesser, make use of answers.
// Who made use of none is then one of those who changed their minds, and in a
// wide scope nothing tells him from who never meant to.
func (s *scene) people(sc *scope) bool {
	keys, key, least := s.keysOf(sc.kind), sc.key, officeUsed
	switch {
	case sc.addrs == 1:
		keys, key = s.keysOf(scopeAddress), s.cell(sc.members[0]).addr
	case sc.kind.wide():
		least = seekUsed
	default:
		return false
	}
	asked, used := 0.0, 0.0
	for i, k := range keys {
		if c := s.cell(int32(i)); k == key && c.asks > 0 && !s.taken[i] {
			n := c.sets[setAsked].count()
			asked += n
			used += min(float64(c.heeded), n)
		}
	}
	return asked > 0 && used >= least*asked
}

// serial reports whether the accounts lie side by side: many out of each of a
// few blocks of numbers.
func (s *scene) serial(t *tally, dist float64) bool {
	b := t.count(setBlocks)
	return b > 0 && t.enum*10 >= t.subj*9 && dist >= 20 && (dist >= 15*b || dist >= 5*b && t.steps*2 >= t.subj)
}

// weighHerd weighs a wide scope; false when its members do not stand out from
// the honest askers beside them. Where they are mixed, only those who tried
// two accounts or more are accused: a single failure is anybody's typo.
func (s *scene) weighHerd(f *fusion, sc *scope) bool {
	guilty := s.looksGuilty
	if s.asks() && sc.tools*10 >= len(sc.members)*9 {
		guilty = func(i int32) bool { return s.hard[i] && s.cell(i).tool > 0 } // everybody asks, but not by program
	}
	z, purity := s.herd(sc, guilty)
	// A single question at an API that tells is anybody's, unless one tool asks.
	if f.kind == taxonomy.AttackCodeCracking && purity >= 0.5 {
		// nobody else submits a wrong code by the tool of those who do
	} else if purity < 0.8 || s.asks() && sc.kind != scopePrint && sc.tools*10 < len(sc.members)*9 {
		keen := sc.members[:0]
		for _, i := range sc.members {
			if s.cell(i).sets[setSubjects].several() {
				keen = append(keen, i)
			}
		}
		sc.members = keen
		s.resum(sc)
		if len(sc.members) < 10 || sc.sum.count(setSubjects) < accountsWide {
			return false
		}
		z, _ = s.herd(sc, func(i int32) bool { return s.hard[i] && s.cell(i).sets[setSubjects].several() })
	}
	if z < 6 && len(sc.members) >= 8 || z < 4 || s.asks() && f.kind != taxonomy.AttackCodeCracking && s.everybodys(sc) {
		return false
	}
	f.say(taxonomy.FamilyHerd, ramp(z, 4, 2, 20, 5.5), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
	return true
}

// everybodys reports whether a herd that asks looks like the people of one app
// or one network: each asks about a number or two, all over the number space,
// by clients that the site's signed-in people have too.
func (s *scene) everybodys(sc *scope) bool {
	t := &sc.sum
	dist := t.count(setSubjects)
	if dist > fewAsked*float64(sc.addrs) || sc.tools*10 >= len(sc.members)*2 || s.serial(t, dist) {
		return false
	}
	busy, all := make(map[uint64]int), 0
	for r := s.e.apis[0].cells.head; r != 0 && !s.e.cells.past(r, s.now-horizon); r = s.e.cells.after(r) {
		if a := s.e.cells.at(r); a.business > 0 && !a.accused {
			busy[a.cohort]++
			all++
		}
	}
	usual := 0
	clients := make(map[uint64]map[uint64]bool) // agents at each address
	for _, i := range sc.members {
		c := s.cell(i)
		if busy[c.cohort] >= max(2, all/20) {
			usual++
		}
		if clients[c.addr] == nil {
			clients[c.addr] = make(map[uint64]bool)
		}
		clients[c.addr][c.agent] = true
	}
	changing := 0
	for _, agents := range clients {
		if len(agents) > 1 {
			changing++
		}
	}
	return usual*10 >= len(sc.members)*9 && changing*4 <= len(clients)
}

// outcome weighs the answers.
func (f *fusion) outcome(t *tally, dist, peers float64, asks bool) {
	if asks {
		if a := share(t.absent, t.answered()); a >= 0.3 {
			f.say(taxonomy.FamilyOutcome, 4, "absent", a, 0.02)
		} else if sp := t.split(); sp >= 0.1 || sp >= 0.02 && t.fail == 0 {
			f.say(taxonomy.FamilyOutcome, 3, "split", sp, nil)
		}
		return
	}
	fails := float64(t.fail)
	if f.kind != taxonomy.AttackBruteForce && f.kind != taxonomy.AttackCodeCracking {
		fails = min(fails, dist) // the same account again is no news
	}
	llr := sprt(fails, float64(t.succ)) * (1 - max(peers-0.15, 0)/0.85)
	f.say(taxonomy.FamilyOutcome, min(max(llr, -familyCap), familyCap), "refused", share(t.fail, t.answered()), round2(peers))
	if a := share(t.absent, t.answered()); a >= 0.3 {
		f.say(taxonomy.FamilyOutcome, 2, "absent", a, 0.02)
	}
}

// variety weighs what was tried.
func (f *fusion) variety(t *tally, dist float64, sc *scope) {
	tags, pairs := t.count(setTags), t.count(setPairs)
	switch f.kind {
	case taxonomy.AttackCodeCracking:
		f.codes(t, dist)
		return
	case taxonomy.AttackBruteForce:
		f.say(taxonomy.FamilySet, ramp(pairs, guessBurst, 2.5, 40, 6), "passwords", int(pairs), 3)
		return
	case taxonomy.AttackPasswordSpraying:
		f.say(taxonomy.FamilyParameter, 2, "one_password", int(tags), int(dist))
	case taxonomy.AttackCredentialStuffing:
		if tags > 0 {
			f.say(taxonomy.FamilyParameter, 1, "pairs", int(pairs), nil)
		}
	}
	least := float64(accountsSpray)
	f.say(taxonomy.FamilySet, ramp(dist, least, 3, 100, 5.5), "accounts", int(dist), 2)
	if known := share(t.registered, max(t.subj, 1)); known <= 0.1 {
		f.say(taxonomy.FamilySet, 0.5, "strangers", 1-known, nil)
	}
}

// weighTarget weighs the attempts on one account, from wherever they came.
func weighTarget(s *scene, sc *scope) *fusion {
	t := &sc.sum
	kind, tags, least := taxonomy.AttackBruteForce, t.count(setTags), float64(guessBurst)
	if s.codes(t) {
		kind, tags, least = taxonomy.AttackCodeCracking, t.count(setCodes), codesNarrow
	}
	if tags < least || share(t.fail, t.answered()) < 0.8 {
		return nil
	}
	peers, many := s.peerFail(sc)
	if many >= 5 && peers > 0.6 {
		return nil
	}
	f := &fusion{kind: kind}
	f.outcome(t, t.count(setSubjects), peers, false)
	f.variety(t, t.count(setSubjects), sc)
	if sc.addrs >= 3 {
		f.say(taxonomy.FamilyHerd, ramp(float64(sc.addrs), 3, 1.5, 20, 4), "sources", sc.addrs, 1)
	}
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	s.idle(f, sc)
	return f
}

func gateGuess(t *tally, wide bool) bool {
	if t.blind*2 > t.n {
		return t.blind >= blindNarrow
	}
	return t.answered() >= 8 && t.subj >= 8 && t.fail*5 >= t.answered()*4
}

func gateAsk(t *tally, wide bool) bool { return t.subj >= accountsSpray }
