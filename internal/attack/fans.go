package attack

import (
	"slices"

	"xiezhi/internal/taxonomy"
)

// Who gives a target what others of its kind do not get: one client that gives
// the rest hardly any, or askers whom nothing showed it.

// actKeys are what askers of a target may have in common, narrow first.
var actKeys = [...]scopeKind{scopeAddress, scopePrint, scopePrefix, scopeCohort, scopeShape, scopeAgent}

// byClient looks for the one client that gives a target what others of its
// kind do not get.
func (h *house) byClient(st *stage) *candidate {
	s := h.s
	others := h.acts - len(st.cells)
	if others < actsLeast {
		return nil
	}
	usual := h.usual()
	var best *candidate
	for _, k := range actKeys {
		keys := s.keysOf(k)
		mine := make(map[uint64]int)
		for _, i := range st.cells {
			if key := keys[i]; key != 0 && !s.taken[i] {
				mine[key]++
			}
		}
		key, n := uint64(0), 0
		for x, m := range mine {
			if m > n || m == n && x < key {
				key, n = x, m
			}
		}
		if n < actsLeast || float64(n) < actsExcess*(float64(len(st.cells))-usual) {
			continue
		}
		elsewhere := 0
		for j := range h.stages {
			if h.stages[j].key != st.key {
				for _, i := range h.stages[j].cells {
					if keys[i] == key && !s.taken[i] {
						elsewhere++
					}
				}
			}
		}
		z := lift(float64(n), float64(len(st.cells)), float64(elsewhere), float64(others), 0.5, 10)
		if z < actsLift {
			continue
		}
		part := min((float64(elsewhere)+0.5)/(float64(others)+10), 0.99)
		honest := float64(len(st.cells)-n) * part / (1 - part)
		sc := &scope{kind: k, key: key}
		for _, i := range st.cells {
			if keys[i] != key || s.taken[i] {
				continue
			}
			sc.all = append(sc.all, i)
			if c := s.cell(i); honest <= actsImpure*float64(n) || c.bare*2 > c.acts {
				sc.members = append(sc.members, i)
			}
		}
		f := &fusion{kind: taxonomy.AttackFakeEngagement}
		f.say(taxonomy.FamilyHerd, ramp(z, actsLift, 3, 20, 5.5), "target_client", share(uint32(n), uint32(len(st.cells))), round2(part))
		if c := h.weigh(f, sc, st, st.bare); c != nil && (best == nil || better(c, best)) {
			if best != nil {
				best.scope.sum.free(s.pool)
			}
			best = c
		} else if c != nil {
			c.scope.sum.free(s.pool)
		}
	}
	return best
}

// byBare looks for the targets on which askers act whom nothing showed them.
func (h *house) byBare(hot []int32) *candidate {
	s := h.s
	sc := &scope{kind: scopeUnit, key: uint64(s.u.apis[0]) + 1}
	in := make(map[int32]bool)
	var top *stage
	// What is usual is taken from the targets that are not hot, where there are
	// enough of them.
	acts, bare := h.acts, h.bare
	for _, i := range hot {
		acts -= len(h.stages[i].cells)
		bare -= h.stages[i].bare
	}
	z := 0.0
	for _, i := range hot {
		st := &h.stages[i]
		a, n := acts, bare
		if a < actsLeast {
			a, n = h.acts-len(st.cells), h.bare-st.bare
		}
		if a < actsLeast {
			continue
		}
		zi := lift(float64(st.bare), float64(len(st.cells)), float64(n), float64(a), 0.5, 10)
		part := (float64(n) + 0.5) / (float64(a) + 10)
		if zi < actsLift || part > 0.5 || st.bare < actsLeast || float64(len(st.cells)-st.bare)*part/(1-part) > actsImpure*float64(st.bare) {
			continue
		}
		z = max(z, zi)
		if top == nil {
			top = st
		}
		for _, m := range st.cells {
			if c := s.cell(m); !in[m] && !s.taken[m] && c.bare*2 > c.acts {
				in[m] = true
				sc.members = append(sc.members, m)
			}
		}
	}
	if len(sc.members) < actsLeast {
		return nil
	}
	slices.Sort(sc.members)
	sc.all = sc.members
	f := &fusion{kind: taxonomy.AttackFakeEngagement}
	f.say(taxonomy.FamilyHerd, ramp(z, actsLift, 2, 20, 4), "herd", len(sc.members), max(1, int(float64(len(sc.members))*(float64(bare)+0.5)/(float64(acts)+10))))
	return h.weigh(f, sc, top, top.bare)
}
