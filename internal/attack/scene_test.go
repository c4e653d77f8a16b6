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
		members, least := int32(rapid.IntRange(1, 4).Draw(t, "members")), rapid.IntRange(0, 30).Draw(t, "least")
		gate := func(c *tally, _ bool) bool { return c.n%2 == 0 }
		for k, p := range want {
			if len(p.at) < int(members) || p.n < least || p.n%2 != 0 {
				delete(want, k)
			}
		}
		last := uint64(0)
		got := s.groups(scopeCohort, wanted, members, least, gate)
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
