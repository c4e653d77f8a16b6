package attack

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestNth compares quickselect with sorting.
func TestNth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(0, 9).Draw(t, "v")) }), 1, 60).Draw(t, "x")
		k := rapid.IntRange(0, len(x)-1).Draw(t, "k")
		want := slices.Sorted(slices.Values(x))[k]
		if got := nth(x, k); got != want {
			t.Fatalf("nth %v, sorting gives %v", got, want)
		}
	})
}

// TestIndex compares the table of keys with a map, over several uses.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x index
		for range 3 {
			keys := rapid.SliceOf(rapid.Uint64Range(0, 300)).Draw(t, "keys")
			x.reset(len(keys))
			plain := map[uint64]int32{}
			for _, k := range keys {
				want, known := plain[k]
				if !known {
					want = int32(len(plain))
					plain[k] = want
				}
				if at, fresh := x.add(k); at != want || fresh == known {
					t.Fatalf("key %d: number %d new %v, want %d %v", k, at, fresh, want, !known)
				}
			}
			for k := range uint64(320) {
				want, ok := plain[k]
				if !ok {
					want = -1
				}
				if at := x.find(k); at != want {
					t.Fatalf("find %d: %d, want %d", k, at, want)
				}
			}
		}
	})
}

// TestGroups compares the grouping of cells by key with sorting them.
func TestGroups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := New(Config{})
		n := rapid.IntRange(0, 80).Draw(t, "cells")
		e.desk.cells = nil
		s := &scene{e: e, desk: &e.desk, taken: make([]bool, n), refs: make([]ref, n)}
		wanted := make([]bool, n)
		type plain struct {
			n  int
			at []int32
		}
		want := map[uint64]*plain{}
		for i := range n {
			c := &cell{cohort: rapid.Uint64Range(0, 6).Draw(t, "key")}
			c.n = rapid.Uint32Range(1, 9).Draw(t, "n")
			e.desk.cells = append(e.desk.cells, c)
			wanted[i], s.taken[i] = rapid.Bool().Draw(t, "wanted"), rapid.IntRange(0, 3).Draw(t, "taken") == 0
			if c.cohort == 0 || !wanted[i] || s.taken[i] {
				continue
			}
			if want[c.cohort] == nil {
				want[c.cohort] = &plain{}
			}
			want[c.cohort].n += int(c.n)
			want[c.cohort].at = append(want[c.cohort].at, int32(i))
		}
		members, least := int32(rapid.IntRange(1, 4).Draw(t, "members")), rapid.IntRange(0, 40).Draw(t, "least")
		gate := func(c *tally, _ bool) bool { return c.n%2 == 0 }
		for k, p := range want {
			if len(p.at) < int(members) || p.n < least || p.n%2 != 0 {
				delete(want, k)
			}
		}
		last := uint64(0)
		s.desk.brief(s)
		copy(s.desk.floors, s.desk.counts)
		got := s.groups(scopeCohort, wanted, members, least, gate, least >= floorSum)
		if len(got) != len(want) {
			t.Fatalf("%d groups, want %d", len(got), len(want))
		}
		for _, g := range got {
			if g.key <= last {
				t.Fatal("groups are not in order of key")
			}
			last = g.key
			if p := want[g.key]; p == nil || p.n != g.n || !slices.Equal(p.at, s.members(g)) {
				t.Fatalf("group %d: %v, want %+v", g.key, s.members(g), p)
			}
		}
	})
}

// TestPeers compares the figures of the others with plain sums and sorting.
func TestPeers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := New(Config{})
		n := rapid.IntRange(1, 60).Draw(t, "cells")
		s := &scene{e: e, desk: &e.desk, taken: make([]bool, n), refs: make([]ref, n)}
		e.desk.cells = nil
		var sc scope
		for i := range n {
			c := &cell{who: rapid.Uint64Range(1, 40).Draw(t, "who")}
			c.n, c.bulk = rapid.Uint32Range(1, 300).Draw(t, "n"), rapid.Uint32Range(0, 3).Draw(t, "bulk")
			c.foreign, c.own = rapid.SampledFrom([]uint32{0, 0, 0, 1, 7, 127, 128, 500}).Draw(t, "foreign"), rapid.Uint32Range(0, 2).Draw(t, "own")
			c.obj, c.unissued = c.n, rapid.Uint32Range(0, c.n).Draw(t, "unissued")
			for v := range rapid.IntRange(0, 150).Draw(t, "objects") {
				e.pool.add(&c.sets[setObjects], uint64(v+1))
			}
			e.desk.cells = append(e.desk.cells, c)
			if s.taken[i] = rapid.IntRange(0, 5).Draw(t, "taken") == 0; s.taken[i] {
				s.explained = true
			}
			if rapid.IntRange(0, 5).Draw(t, "member") == 0 {
				sc.members = append(sc.members, int32(i))
			}
		}
		got := s.peersOf(&sc)
		s.sumShares(&got)

		out := map[uint64]bool{}
		for _, i := range sc.members {
			out[askerOf(s.cell(i))] = true
		}
		var order []uint64
		sum := map[uint64]*asker{}
		for i, c := range e.desk.cells {
			out[askerOf(c)] = out[askerOf(c)] || s.taken[i]
			a := sum[askerOf(c)]
			if a == nil {
				a = &asker{}
				sum[askerOf(c)] = a
				order = append(order, askerOf(c))
			}
			a.objects += c.sets[setObjects].count()
			a.foreign += float64(c.foreign)
			a.own += float64(c.own)
			a.obj += float64(c.obj)
			a.guessed += float64(c.unissued)
			a.n += c.n
			a.bulk += c.bulk
		}
		want := peers{unissued: 1}
		var objects, foreign, all []float64
		var fs, us, ns float64
		for _, k := range order {
			a := sum[k]
			all = append(all, a.objects)
			if out[k] {
				continue
			}
			want.count++
			want.n += a.n
			want.bulk += a.bulk
			objects, foreign = append(objects, a.objects), append(foreign, a.foreign)
			if a.obj > 0 {
				us += min(a.guessed/a.obj, 1)
				ns++
			}
			if a.foreign+a.own > 0 {
				want.known++
				fs += a.foreign / (a.foreign + a.own)
			}
		}
		p95 := func(x []float64) float64 {
			if len(x) == 0 {
				return 0
			}
			slices.Sort(x)
			return x[min(len(x)*95/100, len(x)-1)]
		}
		want.objects, want.foreign = p95(objects), p95(foreign)
		if ns >= 3 {
			want.unissued = us / ns
		}
		if want.known > 0 {
			want.foreignShare = fs / float64(want.known)
		}
		if got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		usual := 0.0
		if slices.Sort(all); len(all) >= 4 {
			usual = all[len(all)/2-1]
		}
		if s.usual != usual {
			t.Fatalf("usual %v, want %v", s.usual, usual)
		}
	})
}

// TestKeysOf checks that keys fetched together are those of each kind.
func TestKeysOf(t *testing.T) {
	e := New(Config{})
	e.desk.cells = []*cell{{cohort: 1, shape: 2, agent: 3, who: 4, cred: 5, addr: 6, net: 7, api: 8}, {cohort: 1}, {shape: 2}}
	for k := scopeTarget; k <= scopeUnit; k++ {
		e.desk.briefed = false
		s := &scene{e: e, desk: &e.desk, refs: make([]ref, 3)}
		for _, first := range []scopeKind{k, scopeAgent} {
			s.keysOf(first)
			for i, c := range e.desk.cells {
				if got := s.keysOf(k)[i]; got != k.key(c) {
					t.Errorf("%v: key %d, want %d", k, got, k.key(c))
				}
			}
		}
	}
}

// TestCrowds compares the wide groups with plain counts.
func TestCrowds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := New(Config{})
		n := rapid.IntRange(0, 80).Draw(t, "cells")
		s := &scene{e: e, desk: &e.desk, taken: make([]bool, n), hard: make([]bool, n), refs: make([]ref, n)}
		ax := axis{crowd: int32(rapid.IntRange(1, 6).Draw(t, "crowd")), least: rapid.IntRange(0, 30).Draw(t, "least"), purity: rapid.SampledFrom([]float64{0, 0.5, 0.9}).Draw(t, "purity")}
		all, hard, sum := map[uint64][]int32{}, map[uint64]int32{}, map[uint64]int{}
		for i := range n {
			c := &cell{net: rapid.Uint64Range(0, 6).Draw(t, "key")}
			c.n = rapid.Uint32Range(1, 9).Draw(t, "n")
			e.desk.cells = append(e.desk.cells, c)
			s.hard[i], s.taken[i] = rapid.IntRange(0, 3).Draw(t, "hard") > 0, rapid.IntRange(0, 5).Draw(t, "taken") == 0
			if c.net == 0 || s.taken[i] {
				continue
			}
			all[c.net] = append(all[c.net], int32(i))
			if s.hard[i] {
				hard[c.net]++
				sum[c.net] += int(c.n)
			}
		}
		last := uint64(0)
		s.crowds(&ax, scopePrefix, func(key uint64, members []int32) {
			if key <= last {
				t.Fatal("crowds are not in order of key")
			}
			last = key
			if !slices.Equal(members, all[key]) {
				t.Fatalf("crowd %d: %v, want %v", key, members, all[key])
			}
			if hard[key] < ax.crowd || sum[key] < ax.least || float64(hard[key])/float64(len(members)) < ax.purity {
				t.Fatalf("crowd %d: %d of %d cells, %d requests, for %+v", key, hard[key], len(members), sum[key], ax)
			}
			delete(all, key)
		})
		for key, members := range all {
			if hard[key] >= ax.crowd && sum[key] >= ax.least && float64(hard[key])/float64(len(members)) >= ax.purity {
				t.Fatalf("crowd %d is not found", key)
			}
		}
	})
}

// askerOf is who a cell belongs to.
func askerOf(c *cell) uint64 {
	if c.cred != 0 {
		return c.cred
	}
	return c.who
}

// TestJoinEnds: what is weighed may leave members out, so that a joined scope
// holds none of the candidates that it was to join.
func TestJoinEnds(t *testing.T) {
	e := New(Config{})
	e.units = append(e.units, unit{})
	s := &scene{e: e, u: &e.units[len(e.units)-1], desk: &e.desk, pool: &e.scratch}
	const n = 6
	for i := range n {
		c := &cell{cohort: 7, shape: 8, who: uint64(i + 1), net: 9}
		c.n = 3
		e.desk.cells = append(e.desk.cells, c)
	}
	s.refs, s.taken, s.soft, s.hard = make([]ref, n), make([]bool, n), make([]bool, n), make([]bool, n)
	for i := range s.hard {
		s.soft[i], s.hard[i] = true, true
	}
	left := 0
	ax := axis{name: "x", wide: wideScopes, least: 1, gate: func(*tally, bool) bool { return true }, like: func(*scene, *cell, bool) bool { return true },
		weigh: func(_ *scene, sc *scope) *fusion {
			left++
			sc.members = sc.members[:1]
			return &fusion{items: []evidence{{weight: 6, family: "a"}, {weight: 6, family: "b"}}}
		}}
	weak := make([]*candidate, 3)
	for i := range weak {
		sc := s.gather(scopeActor, uint64(i+1), []int32{int32(2 * i)}, s.soft)
		weak[i] = &candidate{axis: "x", scope: sc, fuse: &fusion{}, score: 7}
	}
	found, rest := s.join(ax, nil, weak)
	if left == 0 || len(found) != 0 || len(rest) != len(weak) {
		t.Errorf("%d weighed, %d found, %d left", left, len(found), len(rest))
	}
}
