package campaign

import (
	"cmp"
	"math/bits"
	"slices"

	"xiezhi/internal/sketch"
)

// postings lists, by value, the attacks that show it, oldest first.
func postings(ps []*profile, k int) map[int32][]int32 {
	out := map[int32][]int32{}
	for i, p := range ps {
		for _, v := range p.marks[k] {
			if v.bits > 0 && !v.shared {
				out[v.id] = append(out[v.id], int32(i))
			}
		}
	}
	return out
}

// hubs takes the weight from addresses and networks that attacks use which
// have nothing else in common: a proxy service sells to everybody.
func hubs(ps []*profile) {
	kin := relatives(ps)
	found := false
	for k := range keys {
		if traitOf[k].family != famNetwork {
			continue
		}
		shared := map[int32]bool{}
		for id, list := range postings(ps, k) {
			if strangers(ps, kin, list) {
				shared[id] = true
			}
		}
		if len(shared) == 0 {
			continue
		}
		found = true
		for _, p := range ps {
			for i := range p.marks[k] {
				if v := &p.marks[k][i]; shared[v.id] {
					v.shared = true
				}
			}
		}
	}
	if found {
		for _, p := range ps {
			p.weigh()
		}
	}
}

// relatives numbers the attacks so that those have one number whom a chain of
// rare traits other than networks connects.
func relatives(ps []*profile) []int32 {
	kin := sketch.NewGroups(len(ps))
	for k := range keys {
		if traitOf[k].family == famNetwork {
			continue
		}
		for id, list := range postings(ps, k) {
			rare := list[:0]
			for _, x := range list {
				p := ps[x]
				j, _ := slices.BinarySearchFunc(p.marks[k], id, func(v value, id int32) int { return int(v.id) - int(id) })
				ordinary := p.tool != "" && (traitOf[k].family == famTool || traitOf[k].family == famStructure)
				if v := &p.marks[k][j]; v.bits >= linkBits && !ordinary && (traitOf[k].sample || v.share >= 0.1) {
					rare = append(rare, x)
				}
			}
			for _, x := range rare {
				kin.Join(rare[0], x)
			}
		}
	}
	for i := range kin {
		kin[i] = kin.Of(int32(i))
	}
	return kin
}

// strangers reports whether two of the attacks have tools of their own and
// nothing that connects them but the network.
func strangers(ps []*profile, kin []int32, list []int32) bool {
	first := int32(-1)
	for _, x := range list {
		switch {
		case ps[x].tool != "" || max(ps[x].self[famTool], ps[x].self[famStructure]) < linkBits:
		case first < 0:
			first = kin[x]
		case kin[x] != first:
			return true
		}
	}
	return false
}

// spaced gives at most n of a list, evenly spread, first and last included.
func spaced(list []int32, n int) []int32 {
	if len(list) <= n {
		return list
	}
	out := make([]int32, n)
	for i := range out {
		out[i] = list[i*(len(list)-1)/(n-1)]
	}
	return out
}

type edge struct {
	a, b int32
	sim  float64
}

// edges compares attacks that share values of two families. Where more share a
// value than one is compared with, those next in time are.
func edges(ps []*profile) (out []edge, skipped uint64) {
	const common = 1 << families
	pairs := map[uint64]uint16{}
	for k := range keys {
		t := &traitOf[k]
		for _, list := range postings(ps, k) {
			bit := uint16(1) << t.family
			if len(list) > neighbours+1 {
				if t.family != famNetwork {
					bit |= common
				}
				n := uint64(len(list) - neighbours)
				skipped += n * (n - 1) / 2
			}
			for i, x := range list {
				for _, y := range list[i+1 : min(i+1+neighbours, len(list))] {
					pairs[uint64(x)<<32|uint64(y)] |= bit
				}
			}
		}
	}
	for pair, mask := range pairs {
		if mask&common == 0 && bits.OnesCount16(mask) < 2 {
			continue
		}
		x, y := int32(pair>>32), int32(pair&0xffffffff)
		if l := compare(ps[x], ps[y]); l.links >= 2 && l.sim >= minSim {
			out = append(out, edge{x, y, l.sim})
		}
	}
	slices.SortFunc(out, func(u, v edge) int {
		return cmp.Or(cmp.Compare(v.sim, u.sim), cmp.Compare(u.a, v.a), cmp.Compare(u.b, v.b))
	})
	return out, skipped
}

// cluster gives the groups of two attacks or more, each oldest first, in order
// of age. Likest pairs are joined first; two groups are joined when their
// attacks are alike on average.
func cluster(ps []*profile) (groups [][]*profile, skipped uint64) {
	hubs(ps)
	list, skipped := edges(ps)
	group := make([]int32, len(ps))
	members := make([][]int32, len(ps))
	for i := range ps {
		group[i], members[i] = int32(i), []int32{int32(i)}
	}
	type try struct{ a, b int32 }
	refused := map[try]int{} // size of both when they were found unlike
	for _, e := range list {
		a, b := group[e.a], group[e.b]
		if a == b {
			continue
		}
		if a > b {
			a, b = b, a
		}
		size := len(members[a]) + len(members[b])
		if refused[try{a, b}] == size {
			continue
		}
		if linkage(ps, members[a], members[b]) < minMean {
			refused[try{a, b}] = size
			continue
		}
		for _, m := range members[b] {
			group[m] = a
		}
		members[a] = append(members[a], members[b]...)
		slices.Sort(members[a])
		members[b] = nil
	}
	for _, m := range members {
		if len(m) < 2 {
			continue
		}
		g := make([]*profile, len(m))
		for i, x := range m {
			g[i] = ps[x]
		}
		groups = append(groups, g)
	}
	return groups, skipped
}

// linkage is the mean likeness between two groups.
func linkage(ps []*profile, a, b []int32) float64 {
	a, b = spaced(a, samples), spaced(b, samples)
	sum := 0.0
	for _, x := range a {
		for _, y := range b {
			sum += compare(ps[x], ps[y]).score()
		}
	}
	return sum / float64(len(a)*len(b))
}
