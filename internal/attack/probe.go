package attack

import "xiezhi/internal/taxonomy"

// Vulnerability scanning: looking for what is not there, attack patterns,
// parameter names out of a word list.

const (
	probePaths = 10
	probeNames = 30
	probeSigs  = 3

	probePurity = 0.8 // share of a wide scope that must look guilty
)

// likeProbe looks at actors: a scan goes anywhere.
func likeProbe(s *scene, c *cell, strict bool) bool {
	guesses := c.missing*2 >= c.n && !s.e.links.mostly(c.sets[setPaths])
	if strict {
		return c.business == 0 && (guesses || c.sigs > 0)
	}
	return guesses || c.sigs > 0 || c.sets[setNames].count() >= probeNames
}

func weighProbe(s *scene, sc *scope) *fusion {
	t := &sc.sum
	paths := t.count(setPaths) - float64(s.e.links.broken(t.sets[setPaths]))
	names := t.count(setNames)
	rules := t.count(setRules)
	missing := share(t.missing, max(t.n, 1))
	least := float64(probePaths)
	if sc.kind.wide() {
		least = 3 * probePaths
	}
	byPaths := paths >= least && missing >= 0.5
	// Texts that match one pattern and are accepted are more likely content.
	bySigs := t.sigs >= probeSigs && (rules >= 3 || t.grave >= probeSigs || t.sigs >= 8 && t.sigOK*5 < t.sigs*4)
	byNames := names >= probeNames && !s.noisyNames(sc)
	if !byPaths && !bySigs && !byNames {
		return nil
	}
	f := &fusion{kind: taxonomy.AttackVulnerabilityScan}
	if sc.kind.wide() {
		z, purity := s.herd(sc, s.looksGuilty)
		if purity < probePurity || z < 4 {
			return nil
		}
		f.say(taxonomy.FamilyHerd, ramp(z, 4, 2, 20, 5), "herd", len(sc.members), max(1, int(float64(len(sc.all))*0.15)))
	}
	if byPaths {
		f.say(taxonomy.FamilySet, ramp(paths, probePaths, 3.5, 50, 6), "paths", int(paths), 2)
		f.say(taxonomy.FamilyOutcome, ramp(missing, 0.5, 2, 0.95, 4), "not_found", missing, 0.02)
		// Someone who is signed in and at work meets stale objects, not paths.
		if t.business > 0 && t.junk*10 < t.missing && t.sigs == 0 {
			f.say(taxonomy.FamilySequence, -4, "busy", int(t.business), nil)
		}
	}
	if t.sigs > 0 {
		f.say(taxonomy.FamilyParameter, ramp(float64(t.sigs), 1, 1.5, 10, 6), "signatures", int(t.sigs), 0)
		if rules >= 3 {
			f.say(taxonomy.FamilySet, ramp(rules, 3, 1.5, 8, 3), "rules", int(rules), 0)
		}
		if t.grave >= probeSigs {
			f.say(taxonomy.FamilySet, ramp(float64(t.grave), probeSigs, 2.5, 10, 4), "grave", int(t.grave), 0)
		}
		if t.sigs >= probeSigs {
			f.say(taxonomy.FamilyOutcome, ramp(float64(t.hurt+1), 2, 2, 6, 4), "hurt", int(t.hurt), 0)
			f.say(taxonomy.FamilyOutcome, ramp(share(t.sigs, t.n), 0.3, 1.5, 0.9, 3), "sig_share", share(t.sigs, t.n), 0.001)
		}
	}
	if byNames {
		f.say(taxonomy.FamilySet, ramp(names, probeNames, 4, 100, 6), "names", int(names), 3)
		f.say(taxonomy.FamilyParameter, ramp(names/float64(t.n), 1, 2, 5, 4), "names_each", round2(names/float64(t.n)), 0)
	}
	s.timing(f, sc)
	s.protocol(f, sc)
	s.idle(f, sc)
	return f
}

// noisyNames reports whether other askers use names of their own too: then the
// API takes free-form keys.
func (s *scene) noisyNames(sc *scope) bool {
	in := sc.inside()
	noisy, others := 0, 0
	for i := range s.refs {
		if in[int32(i)] {
			continue
		}
		others++
		if s.cell(int32(i)).sets[setNames].count() >= 10 {
			noisy++
		}
	}
	return noisy >= 3 && noisy*5 >= others
}

func gateProbe(t *tally, wide bool) bool {
	return t.missing >= probePaths || t.sigs >= probeSigs || t.aLast != 0 && t.missing == 0
}
