package attack

import (
	"slices"

	"xiezhi/internal/sketch"
	"xiezhi/internal/taxonomy"
)

// Rings are accounts that act together: people share a target or two with each
// other, not most of what they act on.

const (
	ringLeast  = 8 // accounts
	ringShared = 3 // targets that they have in common
	ringLikely = 0.5
	maxRing    = 1024
	ringPairs  = 1 << 16 // pairs of accounts compared
	ringCrowd  = 128     // accounts of a target beyond which it connects nobody
)

// rings finds accounts that act on the same targets: each pair shares at least
// three, which make up half of what either acts on.
func (h *house) rings() (found []*candidate) {
	s := h.s
	type account struct {
		key     uint64
		targets []uint64
		cells   []int32
	}
	byKey := make(map[uint64]int)
	var list []account
	for i := range s.refs {
		c := s.cell(int32(i))
		set := c.sets[setTargets]
		if s.taken[i] || c.cred == 0 || set == nil || set.dense != nil {
			continue
		}
		k, ok := byKey[c.cred]
		if !ok {
			if len(list) >= maxRing {
				continue
			}
			k = len(list)
			byKey[c.cred] = k
			list = append(list, account{key: c.cred})
		}
		a := &list[k]
		a.cells = append(a.cells, int32(i))
		for _, t := range set.small {
			if len(a.targets) < exactMax && !slices.Contains(a.targets, t) {
				a.targets = append(a.targets, t)
			}
		}
	}
	who := make(map[uint64][]int32)
	var order []uint64
	for k := range list {
		if len(list[k].targets) < ringShared {
			continue
		}
		for _, t := range list[k].targets {
			if who[t] == nil {
				order = append(order, t)
			}
			who[t] = append(who[t], int32(k))
		}
	}
	// What nearly everybody acts on connects nobody.
	pairs := make(map[uint64]int)
	for _, t := range order {
		w := who[t]
		if len(w) > ringCrowd {
			continue
		}
		for i, a := range w {
			for _, b := range w[i+1:] {
				key := uint64(a)<<32 | uint64(b)
				if _, ok := pairs[key]; ok || len(pairs) < ringPairs {
					pairs[key]++
				}
			}
		}
	}
	together := sketch.NewGroups(len(list))
	for pair, n := range pairs { // the components do not depend on the order
		a, b := int32(pair>>32), int32(pair&0xffffffff)
		if n >= ringShared && float64(n) >= ringLikely*float64(len(list[a].targets)+len(list[b].targets)-n) {
			together.Join(a, b)
		}
	}
	rings := make(map[int32][]int32)
	for k := range list {
		if r := together.Of(int32(k)); len(list[k].targets) >= ringShared {
			rings[r] = append(rings[r], int32(k))
		}
	}
	for k := range list {
		ring := rings[int32(k)]
		if len(ring) < ringLeast {
			continue
		}
		sc := &scope{kind: scopeCredential, key: list[ring[0]].key}
		counts := make(map[uint64]int)
		for _, a := range ring {
			sc.members = append(sc.members, list[a].cells...)
			for _, t := range list[a].targets {
				counts[t]++
			}
		}
		slices.Sort(sc.members)
		sc.all = sc.members
		shared, top := 0, int32(-1)
		for i := range h.stages {
			n := counts[h.stages[i].key]
			if n*2 >= len(ring) {
				shared++
				if top < 0 || n > counts[h.stages[top].key] {
					top = int32(i)
				}
			}
		}
		if shared < ringShared {
			continue
		}
		f := &fusion{kind: taxonomy.AttackFakeEngagement}
		f.say(taxonomy.FamilyHerd, ramp(float64(len(ring)), ringLeast, 3.5, 30, 5.5), "synchrony", len(ring), shared)
		if c := h.weigh(f, sc, &h.stages[top], h.stages[top].bare); c != nil {
			found = append(found, c)
		}
	}
	return found
}
