package attack

import (
	"math"
	"slices"

	"xiezhi/internal/taxonomy"
)

// Bonus hunting: many accounts, one hand. Coupons, red packets and rewards for
// bringing friends are one to a person, so a hunter comes as many persons. His
// accounts share the device, the payee, the inviter or the client; what tells
// them from a family, a dormitory and the friends of somebody popular is that
// they go through the same steps at the same pace, come one after the other
// like a clock, or were all made just before.

const (
	claimersShared = 5  // accounts of one device or payee, from which it is looked at
	claimersClock  = 15 // accounts that keep a clock's time: fewer may by chance
	claimersWide   = 10 // accounts of one client, network, structure or address
	promoPurity    = 0.8
	promoPaces     = 8   // accounts whose pace is known, for it to say anything
	promoCopied    = 0.7 // of them at one pace; of people, a third are at most
	promoRegular   = 0.2 // variation of the time from one account to the next
	promoHumanGap  = 0.33
	promoPause     = int64(1200e6) // below, an app may claim by itself when it starts
)

func promoAxis() axis {
	return axis{name: "promo", wide: []scopeKind{scopeDevice, scopePayee, scopeSecret, scopeAddress, scopePrint, scopePrefix, scopeCohort, scopeShape, scopeAgent},
		least: claimersShared, like: likePromo, gate: gatePromo, weigh: weighPromo, purity: promoPurity, keep: func(c *cell) bool { return c.trades > 0 }}
}

// likePromo: claims, and has never paid for anything.
func likePromo(s *scene, c *cell, _ bool) bool {
	if c.trades == 0 || c.signed*2 > c.n {
		return false
	}
	t := s.e.market.trader(c.cred, false)
	return t == nil || t.spent == 0
}

func gatePromo(t *tally, _ bool) bool { return t.trades >= claimersShared }

// A stamp is the hand that claims show.
type stamp struct {
	copied, of int     // accounts at the commonest pace of a step, of those whose pace is known
	usual      float64 // that share among others
	regular    float64 // variation of the time between accounts; 1 unknown
	newborn    float64 // share of accounts made just before
	others     float64 // that share among others
}

// telling reports whether so many at one pace are no chance.
func (st *stamp) telling() bool {
	n, p := float64(st.of), st.usual
	return float64(st.copied)-n*p >= 4*math.Sqrt(n*p*(1-p))
}

// stampOf compares how the members of a scope came to claim with how others do.
func (s *scene) stampOf(sc *scope) stamp {
	in := sc.inside()
	var mine, rest []int32
	mine = sc.members
	for i := range s.refs {
		if c := s.cell(int32(i)); !in[int32(i)] && !s.taken[i] && c.trades > 0 {
			rest = append(rest, int32(i))
		}
	}
	var st stamp
	st.copied, st.of = s.pace(mine)
	st.usual = promoHumanGap
	if n, of := s.pace(rest); of >= promoPaces {
		st.usual = max(st.usual, float64(n)/float64(of))
	}
	st.regular = s.clockwork(mine)
	st.newborn, _ = s.newborn(mine)
	if share, of := s.newborn(rest); of >= 8 {
		st.others = share
	} else {
		st.others = 0.2
	}
	return st
}

// pace counts the accounts whose step to the claim took the commonest time, by
// the API that they came from, and those whose time is known.
func (s *scene) pace(cells []int32) (copied, of int) {
	steps := make(map[int32]*pause)
	var order []int32
	for _, i := range cells {
		c := s.cell(i)
		if c.from == 0 || c.from == c.api || c.gap < promoPause || c.gap > burstGap {
			continue
		}
		b := steps[c.from]
		if b == nil {
			b = &pause{}
			steps[c.from] = b
			order = append(order, c.from)
		}
		b.n++
		b.slots[slotOf(c.gap)]++
		of++
	}
	for _, from := range order {
		if b := steps[from]; b.n >= promoPaces/2 {
			_, n := b.tempo()
			copied += int(n)
		}
	}
	return copied, of
}

// clockwork is the variation of the time from one account's claim to the
// next's; people come at random, which is 1.
func (s *scene) clockwork(cells []int32) float64 {
	at := make([]int64, 0, len(cells))
	for _, i := range cells {
		if c := s.cell(i); c.at != 0 {
			at = append(at, c.at)
		}
	}
	if len(at) < claimersClock {
		return 1
	}
	slices.Sort(at)
	var sum, sq float64
	n := 0
	for i := 1; i < len(at); i++ {
		if gap := float64(at[i]-at[i-1]) / 1e9; gap <= float64(burstGap)/1e9 {
			sum += gap
			sq += gap * gap
			n++
		}
	}
	mean := sum / float64(max(n, 1))
	if n < claimersClock-1 || mean < 0.05 {
		return 1
	}
	return math.Sqrt(max(sq/float64(n)-mean*mean, 0)) / mean
}

func (s *scene) newborn(cells []int32) (rate float64, of int) {
	n := 0
	for _, i := range cells {
		of++
		if s.cell(i).newborn > 0 {
			n++
		}
	}
	if of == 0 {
		return 0, 0
	}
	return float64(n) / float64(of), of
}

// usualSharing is how many accounts a device or payee of others has: what
// nineteen of twenty do not exceed.
func (s *scene) usualSharing(sc *scope) float64 {
	in := sc.inside()
	accounts := make(map[uint64]float64)
	for i, key := range s.keysOf(sc.kind) {
		if key != 0 && key != sc.key && !in[int32(i)] && !s.taken[i] {
			accounts[key] += s.cell(int32(i)).sets[setSubjects].count()
		}
	}
	if len(accounts) < 5 {
		return 2
	}
	all := make([]float64, 0, len(accounts))
	for _, n := range accounts {
		all = append(all, n)
	}
	return max(nth(all, len(all)*95/100), 1)
}

func weighPromo(s *scene, sc *scope) *fusion {
	t := &sc.sum
	accounts := t.count(setSubjects)
	shared := sc.kind == scopeDevice || sc.kind == scopePayee || sc.kind == scopeSecret
	if least := float64(claimersWide); accounts < claimersShared || !shared && accounts < least {
		return nil
	}
	if float64(t.trades) > 4*accounts {
		return nil // what one person does again and again is no coupon
	}
	traders := 0
	for i, key := range s.keysOf(sc.kind) {
		if key == sc.key && s.cell(int32(i)).trades > 0 {
			traders++
		}
	}
	if float64(len(sc.members)) < promoPurity*float64(traders) {
		return nil
	}
	if !shared && sc.kind != scopeAddress {
		s.oneTool(sc)
		if accounts = t.count(setSubjects); accounts < claimersWide {
			return nil
		}
	}
	st := s.stampOf(sc)
	f := &fusion{kind: taxonomy.AttackPromotionAbuse}
	invited := t.invited*2 > t.trades
	hand := false // something that people do not show
	if pace := float64(st.copied) / float64(max(st.of, 1)); st.of >= promoPaces && st.of*2 >= len(sc.members) && pace >= promoCopied && pace >= st.usual+0.25 && st.telling() {
		f.say(taxonomy.FamilyTiming, ramp(float64(st.copied), promoPaces, 3.5, 40, 5), "same_pace", round2(pace), round2(st.usual))
		hand = true
	}
	if st.regular < promoRegular {
		f.say(taxonomy.FamilyTiming, ramp(accounts, claimersClock, 2.5, 40, 4.5), "clockwork", round2(st.regular), 1)
		hand = true
	}
	if quick := s.quickShare(sc.members); quick >= 0.6 && len(sc.members) >= claimersShared {
		if others := s.quickOthers(sc); others <= 0.3 {
			f.say(taxonomy.FamilyTiming, ramp(float64(len(sc.members)), claimersShared, 3, 20, 4.5), "at_opening", round2(quick), round2(others))
			hand = true
		}
	}
	if accounts >= claimersShared && st.newborn >= 0.7 && st.newborn >= st.others+0.4 {
		f.say(taxonomy.FamilySequence, 3, "newborn", round2(st.newborn), round2(st.others))
		// Who helps others register, at one place and one after the other, is seen
		// with new accounts only.
		hand = hand || !invited && sc.addrs*2 >= len(sc.members)
	}
	switch {
	case shared && sc.kind == scopePayee && invited:
		// Somebody popular brings many; a hunter brings his own.
		f.say(taxonomy.FamilySet, ramp(accounts, claimersShared, 1.5, 50, 3), "same_inviter", int(accounts), 3)
		if clients := s.spreadOf(sc); accounts >= claimersWide && clients*5 <= len(sc.members) {
			f.say(taxonomy.FamilyHerd, 2.5, "one_client", clients, len(sc.members))
		}
		if !hand {
			return nil
		}
	case shared:
		usual := s.usualSharing(sc)
		if accounts < 2.5*usual {
			return nil // a till, a school, a maker that gives all its devices one id
		}
		id := "same_device"
		switch sc.kind {
		case scopePayee:
			id = "same_payee"
		case scopeSecret:
			id = "same_secret"
		}
		f.say(taxonomy.FamilySet, ramp(accounts, claimersShared, 2.5, 25, 5.5), id, int(accounts), int(math.Round(usual)))
		f.say(taxonomy.FamilyHerd, ramp(accounts/usual, 2.5, 1.5, 20, 4), "shared_more", round2(accounts/usual), 1)
		if !hand && sc.kind == scopeDevice || sc.kind == scopeSecret && !hand && !s.ownTool(sc) {
			// Somebody's staff may help people, one after the other, and an employer
			// gives all of his the same password.
			f.say(taxonomy.FamilyTiming, -4, "unhurried", len(sc.members), nil)
		}
	default:
		if !hand {
			return nil
		}
		z := s.claimers(sc)
		if z < 4 {
			return nil
		}
		f.say(taxonomy.FamilyHerd, ramp(z, 4, 2, 20, 4.5), "claim_herd", len(sc.members), nil)
		s.concentration(f, sc, accounts)
	}
	if purpose := s.single(sc); purpose >= 0.8 {
		f.say(taxonomy.FamilyOutcome, ramp(accounts, claimersShared, 1, 30, 2.5), "coupons_only", round2(purpose), nil)
	}
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	return f
}

// oneTool leaves out the few members that are not of the tool that the others
// are of, where there is one: people have the agent that a tool claims to be.
func (s *scene) oneTool(sc *scope) {
	n := len(sc.members)
	if sc.members = s.together(sc.members); len(sc.members) < n {
		s.resum(sc)
	}
}

// spreadOf is how many clients, by fingerprint and agent, a scope's members use.
func (s *scene) spreadOf(sc *scope) int {
	seen := make(map[uint64]bool)
	for _, i := range sc.members {
		seen[printOf(s.cell(i))] = true
	}
	return len(seen)
}

// single is the share of members who did little but what it takes to claim.
func (s *scene) single(sc *scope) float64 {
	n := 0
	for _, i := range sc.members {
		c := s.cell(i)
		if t := s.e.market.trader(c.cred, false); t != nil && t.n <= 3*c.trades+6 || t == nil && c.cred == 0 {
			n++
		}
	}
	return float64(n) / float64(len(sc.members))
}

// claimers is the lift of how many of a client's, network's or structure's
// accounts claim in this window over how many of the others do. Those that
// cannot be compared, as a structure of claims is of claims alone, are taken by
// their share of all claims against the tenth that many have.
func (s *scene) claimers(sc *scope) float64 {
	if sc.kind == scopeShape || sc.kind == scopePrint {
		others := 0
		for i, key := range s.keysOf(sc.kind) {
			if key != sc.key && s.cell(int32(i)).trades > 0 {
				others++
			}
		}
		if others < 5 {
			return 4
		}
		return 6
	}
	var all, at, allOthers, atOthers float64
	for r := s.e.apis[0].cells.head; r != 0 && !s.e.cells.past(r, s.from); r = s.e.cells.after(r) {
		c := s.e.cells.at(r)
		if c.last < s.from {
			continue
		}
		mine := sc.kind.key(c) == sc.key
		claimed := s.e.rowsIn(c, s.u)
		switch {
		case mine && claimed:
			all++
			at++
		case mine:
			all++
		case claimed:
			allOthers++
			atOthers++
		default:
			allOthers++
		}
	}
	if all < claimersShared || at < 0.5*all {
		return 0
	}
	return lift(at, all, atOthers, allOthers, 1.5, 10)
}

// rowsIn reports whether an actor asked for one of the APIs of a unit of trade.
func (e *Engine) rowsIn(c *cell, u *unit) bool {
	for i := range c.rows {
		if a := c.rows[i].api; a != 0 && e.apis[a].trade != 0 && &e.units[e.apis[a].trade] == u {
			return true
		}
	}
	return false
}
