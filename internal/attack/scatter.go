package attack

import "xiezhi/internal/taxonomy"

// Scatter: a scan through so many addresses and programs that no two requests
// share anything. What is left is what they ask for: each of them alone asks
// for what only scanners ask, and together they go through a list. People never
// ask for such places; broken clients ask for the same one again and again.

const (
	scatterActors = 8  // who each asked for what only scanners ask
	scatterAsked  = 12 // sensitive places and attack patterns, different ones
	scatterRules  = 5  // kinds of them
)

var scatterAxis = axis{name: "scatter", wide: []scopeKind{scopeUnit}, least: scatterAsked, like: likeScatter, gate: gateScatter, weigh: weighScatter, crowd: scatterActors}

// likeScatter: what it was refused carries the mark of a scanner, it is at least
// half of what it did, and it never did any business. A text that looks like an
// attack and is taken is content.
func likeScatter(s *scene, c *cell, strict bool) bool {
	return c.business == 0 && c.sigs > c.sigOK && max(c.sigs, c.missing)*2 >= c.n
}

func gateScatter(t *tally, wide bool) bool { return wide && t.sigs >= scatterAsked }

func weighScatter(s *scene, sc *scope) *fusion {
	t := &sc.sum
	asked, rules := t.count(setProbes), t.count(setRules)
	if asked < scatterAsked || rules < scatterRules || sc.addrs < scatterActors {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackVulnerabilityScan}
	f.say(taxonomy.FamilySet, ramp(asked, scatterAsked, 4, 40, 6), "scattered", int(asked), len(sc.members))
	f.say(taxonomy.FamilyOutcome, ramp(share(t.missing, max(t.n, 1)), 0.4, 1.5, 0.9, 3), "not_found", share(t.missing, max(t.n, 1)), 0.02)
	f.say(taxonomy.FamilyParameter, ramp(float64(t.sigs), scatterAsked, 3, 40, 5), "signatures", int(t.sigs), 0)
	f.say(taxonomy.FamilySet, ramp(rules, scatterRules, 1.5, 12, 3), "rules", int(rules), 0)
	s.protocol(f, sc)
	s.idle(f, sc)
	return f
}
