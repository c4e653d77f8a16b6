package attack

import "xiezhi/internal/taxonomy"

// Rushing: many accounts of one hand buy in the moment in which something goes
// on sale. One enthusiast with a good clock does so too, and so do all who have
// the shop's app at a sale that everybody waits for; a herd of accounts that is
// faster than the others are is neither.

const (
	rushAccounts = 5
	rushShare    = 0.6 // of a herd's accounts that are there at the opening
	rushAll      = 0.9 // … of those who have only the structure in common
	rushOthers   = 0.3 // of the others', at most
)

func rushAxis() axis {
	return axis{name: "rush", wide: []scopeKind{scopeDevice, scopePayee, scopeSecret, scopeAddress, scopePrint, scopePrefix, scopeCohort, scopeShape, scopeAgent},
		least: rushAccounts, like: likeRush, gate: gateRush, weigh: weighRush, purity: rushShare, keep: func(c *cell) bool { return c.trades > 0 }}
}

// likeRush: was there when it opened.
func likeRush(_ *scene, c *cell, _ bool) bool { return c.quick > 0 && c.signed*2 <= c.n }

func gateRush(t *tally, _ bool) bool { return t.quick >= rushAccounts }

// quickShare is the share of accounts that were there at the opening.
func (s *scene) quickShare(cells []int32) float64 {
	n := 0
	for _, i := range cells {
		if s.cell(i).quick > 0 {
			n++
		}
	}
	return float64(n) / float64(max(len(cells), 1))
}

// quickOthers is that share among those who are no members and have another
// key, counted towards a fifth where they are few.
func (s *scene) quickOthers(sc *scope) float64 {
	in := sc.inside()
	n, of := 1.0, 5.0
	for i := range s.refs {
		c := s.cell(int32(i))
		if in[int32(i)] || s.taken[i] || c.trades == 0 || sc.kind.key(c) == sc.key || s.e.book.accused(s.refs[i], c) {
			continue
		}
		of++
		if c.quick > 0 {
			n++
		}
	}
	return n / of
}

func weighRush(s *scene, sc *scope) *fusion {
	accounts := sc.sum.count(setSubjects)
	if accounts < rushAccounts {
		return nil
	}
	traders := 0
	for i, key := range s.keysOf(sc.kind) {
		if key == sc.key && !s.taken[i] && s.cell(int32(i)).trades > 0 {
			traders++
		}
	}
	quick := len(sc.members)
	others := s.quickOthers(sc)
	z, _ := s.herd(sc, s.looksGuilty)
	if float64(quick) < rushShare*float64(traders) || others > rushOthers || z < 4 {
		return nil
	}
	s.widen(sc) // those of them that came late are of the same hand
	switch sc.kind {
	case scopePrefix:
		s.oneTool(sc)
	case scopeAgent, scopeShape, scopeCohort:
		// Those who have the page may be faster than those who have the app, but not
		// nearly all of them.
		if !(sc.kind == scopeShape && float64(quick) >= rushAll*float64(traders)) && !s.oneHand(sc) {
			return nil
		}
	}
	t := &sc.sum
	accounts = t.count(setSubjects)
	f := &fusion{kind: taxonomy.AttackScalping}
	f.say(taxonomy.FamilyTiming, ramp(float64(quick), rushAccounts, 3.5, 30, 6), "at_opening", round2(float64(quick)/float64(traders)), round2(others))
	f.say(taxonomy.FamilyHerd, ramp(z, 4, 2.5, 20, 5), "rush_herd", quick, max(1, int(others*float64(traders))))
	s.concentration(f, sc, accounts)
	if won, lost := share(t.succ, max(t.trades, 1)), s.othersWin(sc); won >= 0.5 && lost <= 0.5*won {
		f.say(taxonomy.FamilyOutcome, 2, "got_more", round2(won), round2(lost))
	}
	if t.peak > 15 {
		f.say(taxonomy.FamilyTiming, 1, "retries", int(t.peak), 8)
	}
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	if sc.kind == scopeSecret && s.ownTool(sc) {
		f.say(taxonomy.FamilySet, ramp(accounts, rushAccounts, 2.5, 25, 5), "same_secret", int(accounts), 1)
	}
	if sc.kind != scopeDevice && sc.kind != scopePayee && len(f.families()) < 3 {
		return nil // an app is faster than a page: something else must tell them apart
	}
	return f
}

// oneHand leaves out the few members that do not build their requests by the
// program that the others are of, and reports whether there is such a program, or
// all are of clients that people do not have. People of one browser, or of one
// page, who hurry are no herd.
func (s *scene) oneHand(sc *scope) bool {
	n := make(map[uint64]int, 4)
	for _, i := range sc.members {
		n[handOf(s.cell(i))]++
	}
	for h, k := range n {
		if k*10 < len(sc.members)*6 {
			continue
		}
		kept := make([]int32, 0, k)
		for _, i := range sc.members {
			if handOf(s.cell(i)) == h {
				kept = append(kept, i)
			}
		}
		if len(kept) < len(sc.members) {
			sc.members = kept
			s.resum(sc)
		}
		return true
	}
	mine := make(map[uint64]bool, len(sc.members))
	for _, i := range sc.members {
		mine[s.cell(i).who] = true
	}
	by, all := s.clients(func(a *cell) bool { return mine[a.sub] })
	if all < clientPeers {
		return false
	}
	strange := make([]int32, 0, len(sc.members))
	for _, i := range sc.members {
		if float64(by[s.cell(i).cohort]) <= clientRare*float64(all) {
			strange = append(strange, i)
		}
	}
	if len(strange)*10 < len(sc.members)*6 || len(strange) < rushAccounts {
		return false
	}
	if len(strange) < len(sc.members) {
		sc.members = strange
		s.resum(sc)
	}
	return true
}

// handOf is what the requests of one program have in common.
func handOf(c *cell) uint64 { return join(printOf(c), c.shape) }

// concentration weighs devices and receivers that are fewer than the accounts.
func (s *scene) concentration(f *fusion, sc *scope, accounts float64) {
	if d := sc.sum.count(setDevices); d > 0 && accounts >= claimersShared && accounts >= 3*d {
		f.say(taxonomy.FamilySet, ramp(accounts/d, 3, 2, 10, 4), "few_devices", int(d), int(accounts))
	}
	if p := sc.sum.count(setPayees); p > 0 && sc.sum.invited*2 <= sc.sum.trades && // many may know one who invites
		accounts >= claimersShared && accounts >= 3*p {
		f.say(taxonomy.FamilySet, ramp(accounts/p, 3, 2, 10, 4), "few_payees", int(p), int(accounts))
	}
}

// othersWin is the share of others' orders that are taken.
func (s *scene) othersWin(sc *scope) float64 {
	in := sc.inside()
	var won, of uint32
	for i := range s.refs {
		if c := s.cell(int32(i)); !in[int32(i)] && c.trades > 0 {
			won += c.succ
			of += c.trades
		}
	}
	if of < 5 {
		return 1
	}
	return share(won, of)
}
