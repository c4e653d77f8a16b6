package attack

import (
	"math"
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Cards tried out: stolen or made-up numbers of cards that are paid with to
// learn which are good, and security codes tried on one card. Nearly all are
// declined, while others pay as ever; where everybody is declined the gateway
// is down, and nobody is accused of that.

const (
	cardsTried   = 5 // by one asker or one herd
	proofsTried  = 5 // codes and dates on one card
	cardDeclined = 0.7
	cardPurity   = 0.6 // share of those with that key who are declined, who pay by card
	smallAmount  = 10  // below 2^10 hundredths
)

func cardAxis() axis {
	return axis{name: "card", kin: true, narrow: []scopeKind{scopeCredential, scopeActor},
		wide:  []scopeKind{scopeAddress, scopeDevice, scopePrint, scopePrefix, scopeCohort, scopeShape, scopeAgent, scopeSecret, scopeIssuer},
		least: cardsTried, like: likeCard, gate: gateCard, weigh: weighCard, keep: keepCard}
}

// cardTargetAxis is the way to try one card, from wherever.
func cardTargetAxis() axis {
	return axis{name: "card", kin: true, least: proofsTried, like: likeCard, gate: gateCard, weigh: weighOneCard, keep: keepCard}
}

// countCard counts a payment by card; proof is its security code and expiry
// date, as far as they are shown.
func (e *Engine) countCard(ev *catalog.Event, c *cell, card, proof uint64) {
	c.trades++
	c.subj++
	e.pool.add(&c.sets[setSubjects], card)
	if proof != 0 {
		e.pool.add(&c.sets[setPairs], join(card, proof))
	}
	if proof != 0 && declined(ev) {
		e.targets.fail(&e.pool, e.apis[c.api].trade, card, uint32(proof)|1, proofsTried, ev.End)
	}
}

// declined reports whether a payment was refused, and not for a fault.
func declined(ev *catalog.Event) bool {
	switch ev.Outcome {
	case catalog.OutcomeRejected, catalog.OutcomeInvalid, catalog.OutcomeThrottled:
		return true
	case catalog.OutcomeDenied:
		return ev.MessageSays&observe.SaysUnauthorized == 0
	}
	return false
}

// likeCard: paid by card in vain.
func likeCard(_ *scene, c *cell, _ bool) bool {
	return c.trades > 0 && c.fail > 0 && c.fail*10 >= c.n*7 && c.signed*2 <= c.n
}

func keepCard(c *cell) bool { return c.trades > 0 }

func gateCard(t *tally, _ bool) bool {
	return t.fail >= cardsTried && float64(t.fail) >= cardDeclined*0.9*float64(t.answered())
}

// tester is the log-likelihood ratio of somebody who tries cards (one in five
// is good) against somebody who pays (one in eight is declined).
func tester(fail, success float64) float64 {
	return fail*math.Log(0.8/0.125) + success*math.Log(0.2/0.875)
}

// payers counts the cells that pay by card under a scope's key and how many of
// them are declined.
func (s *scene) payers(sc *scope) (all, bad int) {
	for i, key := range s.keysOf(sc.kind) {
		if c := s.cell(int32(i)); key == sc.key && c.trades > 0 {
			all++
			if s.hard[i] {
				bad++
			}
		}
	}
	return all, bad
}

func weighCard(s *scene, sc *scope) *fusion {
	t := &sc.sum
	peers, many := s.cardPeers(sc)
	if many >= 5 && peers > 0.5 {
		return nil // everybody is declined alike
	}
	all, bad := s.payers(sc)
	if float64(bad) < cardPurity*float64(all) {
		return nil
	}
	// Where nobody pays at the time the gateway may be down: tell by the cards, or
	// by its being one asker.
	if (sc.kind >= scopeAddress || t.count(setCreds) > 3) && !s.paying(sc) && !(&fusion{}).numbers(s, sc) {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackCarding}
	if sc.kind >= scopeAddress {
		z := lift(float64(bad), float64(all), peers*float64(many), float64(many), 1.5, 10)
		if z < 5 {
			return nil
		}
		if bad*4 >= all*3 { // of one tool: those that were approved are what it is for
			s.widen(sc)
			if sc.kind == scopeAgent || sc.kind == scopeShape || sc.kind == scopePrefix {
				s.oneTool(sc)
			}
			t = &sc.sum
		}
		if sc.kind != scopeAddress && sc.kind != scopeDevice || all > 3 {
			f.say(taxonomy.FamilyHerd, ramp(z, 5, 2, 20, 5), "declined_herd", bad, max(1, int(peers*float64(all))))
		}
	}
	cards, proofs := t.count(setSubjects), t.count(setPairs)
	each := proofs / max(cards, 1)
	switch {
	case each >= 3 && proofs >= proofsTried:
		f.say(taxonomy.FamilySet, ramp(proofs, proofsTried, 3, 20, 6), "proofs", int(proofs), int(cards))
	case cards >= cardsTried:
		f.say(taxonomy.FamilySet, ramp(cards, cardsTried, 2.5, 25, 5.5), "cards", int(cards), 2)
	default:
		return nil
	}
	fails := min(float64(t.fail), max(cards, proofs))
	llr := tester(fails, float64(t.succ)) * (1 - max(peers-0.125, 0)/0.875)
	if llr <= 0 || share(t.fail, t.answered()) < cardDeclined {
		return nil
	}
	f.say(taxonomy.FamilyOutcome, min(llr, 5.5), "declined", share(t.fail, t.answered()), round2(peers))
	if !f.numbers(s, sc) && sc.kind == scopeIssuer {
		return nil // its bank may be down
	}
	if small := share(t.small, t.amounts); t.amounts >= 5 && small >= 0.8 {
		if others, of := s.smallShare(sc); of >= 10 && others <= 0.3 {
			f.say(taxonomy.FamilyParameter, 1.5, "small_amounts", small, round2(others))
		}
	}
	s.timing(f, sc)
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	return f
}

// numbers weighs the cards as a set, whatever their order: that they are of one
// issuer, lie side by side or cannot be. It reports whether they do.
func (f *fusion) numbers(s *scene, sc *scope) bool {
	t := &sc.sum
	cards, rows, issuers := t.count(setSubjects), t.count(setRows), t.count(setIssuers)
	found := false
	if rows > 0 && cards >= cardsTried && cards >= 3*rows {
		f.say(taxonomy.FamilySet, ramp(cards/rows, 3, 2.5, 20, 5), "card_rows", int(cards), int(rows))
		found = true
	}
	if flawed := share(t.flawed, t.trades); flawed >= 0.3 && t.flawed >= cardsTried {
		f.say(taxonomy.FamilySet, 2.5, "card_flawed", flawed, 0.02)
		found = true
	}
	if issuers > 0 && cards >= 8 && cards >= 6*issuers && sc.kind != scopeIssuer {
		if each := s.othersPerIssuer(sc, cards); each > 0 && cards/issuers >= 3*each {
			f.say(taxonomy.FamilySet, 1.5, "issuers", int(issuers), int(cards))
		}
	}
	return found
}

// othersPerIssuer is how many cards of one issuer there are among as many cards
// of others, 0 when others show fewer.
func (s *scene) othersPerIssuer(sc *scope, cards float64) float64 {
	in := sc.inside()
	var t tally
	for i := range s.refs {
		if c := s.cell(int32(i)); !in[int32(i)] && c.trades > 0 && t.count(setSubjects) < cards {
			s.pool.union(&t.sets[setSubjects], c.sets[setSubjects])
			s.pool.union(&t.sets[setIssuers], c.sets[setIssuers])
		}
	}
	others, issuers := t.count(setSubjects), t.count(setIssuers)
	t.free(s.pool)
	if others < cards {
		return 0
	}
	return max(others/max(issuers, 1), 1)
}

// smallShare is the share of small payments among others.
func (s *scene) smallShare(sc *scope) (rate float64, of uint32) {
	in := sc.inside()
	var small uint32
	for i := range s.refs {
		if c := s.cell(int32(i)); !in[int32(i)] && c.amounts > 0 {
			of += c.amounts
			small += c.small
		}
	}
	return share(small, of), of
}

// cardPeers is the share of other askers at the time whose cards are declined,
// and how many others there are.
func (s *scene) cardPeers(sc *scope) (rate float64, many int) {
	in := sc.inside()
	from, to := s.core(sc)
	bad := 0
	for i := range s.refs {
		c := s.cell(int32(i))
		if in[int32(i)] || s.taken[i] || c.trades == 0 || c.last < from || c.first > to || sc.kind.key(c) == sc.key || s.e.book.accused(s.refs[i], c) {
			continue
		}
		many++
		if s.hard[i] {
			bad++
		}
	}
	if many == 0 {
		return 0.125, 0
	}
	return float64(bad) / float64(many), many
}

// core is the time in which the middle half of the members came.
func (s *scene) core(sc *scope) (from, to int64) {
	firsts := make([]int64, len(sc.members))
	for k, i := range sc.members {
		firsts[k] = s.cell(i).first
	}
	slices.Sort(firsts)
	from, to = firsts[len(firsts)/4], firsts[len(firsts)*3/4]
	if from == to { // of one asker or few
		to = sc.sum.last
	}
	return from, to
}

// paying reports whether anybody's card is taken in the middle of a scope's
// time.
func (s *scene) paying(sc *scope) bool {
	from, to := s.core(sc)
	good, bad := 0, 0
	for i := range s.refs {
		c := s.cell(int32(i))
		if c.trades == 0 || c.last < from || c.first > to {
			continue
		}
		if c.succ > 0 && c.last <= to {
			good++
		} else if s.hard[i] {
			bad++
		}
	}
	return good > 0 && good*20 >= bad
}

// widen makes members of all who trade under a scope's key while its members do.
func (s *scene) widen(sc *scope) {
	s.trim(sc)
	from, to := sc.sum.window()
	sc.members = sc.members[:0:0]
	for i, key := range s.keysOf(sc.kind) {
		if c := s.cell(int32(i)); key == sc.key && !s.taken[i] && c.trades > 0 && c.last >= from-burstGap && c.first <= to+burstGap {
			sc.members = append(sc.members, int32(i))
		}
	}
	s.resum(sc)
}

// weighOneCard weighs the attempts on one card, from wherever they came.
func weighOneCard(s *scene, sc *scope) *fusion {
	t := &sc.sum
	proofs := t.count(setPairs) - t.count(setSubjects) + 1 // members may have tried another
	if proofs < proofsTried || share(t.fail, t.answered()) < cardDeclined {
		return nil
	}
	peers, many := s.cardPeers(sc)
	if many >= 5 && peers > 0.5 {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackCarding}
	f.say(taxonomy.FamilySet, ramp(proofs, proofsTried, 3, 20, 6), "proofs", int(proofs), 1)
	llr := tester(min(float64(t.fail), proofs), float64(t.succ)) * (1 - max(peers-0.125, 0)/0.875)
	f.say(taxonomy.FamilyOutcome, min(max(llr, 0), 5.5), "declined", share(t.fail, t.answered()), round2(peers))
	if sc.addrs >= 3 {
		f.say(taxonomy.FamilyHerd, ramp(float64(sc.addrs), 3, 1.5, 20, 4), "card_sources", sc.addrs, 1)
	}
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	return f
}
