package attack

import "xiezhi/internal/taxonomy"

// Hoarding: orders that keep seats, tickets or stock from others and are given
// up without being paid for, until a buyer is found. Where nobody can pay,
// everybody gives up.

const (
	ordersHeld = 20
	heldShare  = 0.8 // of the orders placed that were given up
	heldOthers = 0.5 // of others' orders: more, and something else is wrong
	undecided  = int64(900e9)
)

func hoardAxis() axis {
	return axis{name: "hoard", narrow: []scopeKind{scopeCredential, scopeActor},
		wide:  []scopeKind{scopeDevice, scopePayee, scopeSecret, scopeAddress, scopePrint, scopePrefix, scopeCohort, scopeShape, scopeAgent},
		least: ordersHeld, like: likeHoard, gate: gateHoard, weigh: weighHoard, purity: heldShare, keep: func(c *cell) bool { return c.trades > 0 }}
}

// likeHoard: gave up what was ordered.
func likeHoard(_ *scene, c *cell, _ bool) bool {
	return c.dropped > 0 && c.dropped*2 >= c.succ && c.paid*5 <= c.succ && c.signed*2 <= c.n
}

func gateHoard(t *tally, _ bool) bool { return t.succ >= ordersHeld && t.dropped*5 >= t.succ*4 }

func weighHoard(s *scene, sc *scope) *fusion {
	t := &sc.sum
	in := sc.inside()
	var placed, dropped, paid, open, askers float64
	for i := range s.refs {
		c := s.cell(int32(i))
		if in[int32(i)] || s.taken[i] || c.succ == 0 || s.e.book.accused(s.refs[i], c) {
			continue
		}
		askers++
		placed += float64(c.succ)
		dropped += float64(min(c.dropped, c.succ))
		paid += float64(c.paid)
		// An order that was placed a moment ago may yet go either way.
		if settled := c.dropped + c.paid; s.now-c.last > undecided && settled < c.succ {
			open += float64(c.succ - settled)
		}
	}
	usual := (dropped + 1) / (dropped + paid + open + 4)
	// Where payments are seen, and hardly anybody's now, nobody can pay.
	if usual > heldOthers || s.e.market.paid && dropped+paid+open >= 10 && paid < 0.15*(dropped+paid+open) {
		return nil
	}
	if sc.kind >= scopeAddress {
		z, purity := s.herd(sc, s.looksGuilty)
		if purity < heldShare || z < 5 {
			return nil
		}
		f := &fusion{kind: taxonomy.AttackScalping}
		f.say(taxonomy.FamilyHerd, ramp(z, 5, 2, 20, 5), "hoard_herd", len(sc.members), max(1, int(usual*float64(len(sc.all)))))
		return s.weighHeld(f, sc, usual, placed, paid)
	}
	f := &fusion{kind: taxonomy.AttackScalping}
	if askers >= 5 {
		times := float64(t.succ) / max(placed/askers, 1)
		f.say(taxonomy.FamilyHerd, ramp(times, 4, 2, 30, 4), "orders_more", round2(times), 1)
	}
	return s.weighHeld(f, sc, usual, placed, paid)
}

func (s *scene) weighHeld(f *fusion, sc *scope, usual, placed, paid float64) *fusion {
	t := &sc.sum
	rate := share(min(t.dropped, t.succ), t.succ)
	f.say(taxonomy.FamilyOutcome, ramp(float64(t.dropped), ordersHeld*heldShare, 4, 60, 6)*(1-usual), "given_up", round2(rate), round2(usual))
	f.say(taxonomy.FamilySet, ramp(float64(t.succ), ordersHeld, 3, 100, 5), "orders_held", int(t.succ), 2)
	if placed >= 10 && paid >= 0.3*placed && t.paid == 0 {
		f.say(taxonomy.FamilyOutcome, 1.5, "never_paid", 0, round2(min(paid/placed, 1)))
	}
	s.concentration(f, sc, t.count(setSubjects))
	s.timing(f, sc)
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	return f
}
