package attack

import (
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// TestKeyTable compares the table of cells by key with a map: keys that share
// a home, the growth, and gaps that deletions leave.
func TestKeyTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x keyTable
		plain := map[uint64]ref{}
		key := rapid.Custom(func(t *rapid.T) uint64 {
			return rapid.Uint64Range(0, 12).Draw(t, "high")<<20 | rapid.Uint64Range(56, 63).Draw(t, "home")
		})
		for i := range rapid.IntRange(0, 300).Draw(t, "steps") {
			k := key.Draw(t, "key")
			switch rapid.IntRange(0, 2).Draw(t, "do") {
			case 0:
				x.set(k, ref(i+1))
				plain[k] = ref(i + 1)
			case 1:
				x.del(k)
				delete(plain, k)
			}
			if got := x.get(k); got != plain[k] {
				t.Fatalf("key %x: %d, want %d", k, got, plain[k])
			}
		}
		if x.count != len(plain) {
			t.Fatalf("%d keys, want %d", x.count, len(plain))
		}
		for k, r := range plain {
			if got := x.get(k); got != r {
				t.Fatalf("key %x: %d, want %d", k, got, r)
			}
		}
	})
}

// TestLists plays a crowd and checks that the window of a walk holds every cell
// that was active in it, though lists are put in order now and then only.
func TestLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newScript(1)
		e := New(Config{})
		last, now := map[ref]int64{}, t0
		for range rapid.IntRange(1, 120).Draw(t, "events") {
			now += rapid.Int64Range(0, 3*listGrain/2).Draw(t, "gap")
			ev := s.send(s.tool(ip4(9, 9, 9, rapid.IntRange(1, 9).Draw(t, "who"))), float64(now-t0)/1e9, "news", "", nil)
			ev.Agent, ev.Who.Cohort, ev.HeaderOrder = 1, 2, 3
			e.Observe(&ev.Event)
			for r := ref(1); int(r) < e.cells.size; r++ {
				if c := e.cells.at(r); c.n > 0 && c.api == 0 {
					last[r] = c.last
				}
			}
		}
		from := e.now - rapid.Int64Range(0, 40*listGrain).Draw(t, "window")
		want := 0
		for _, at := range last {
			if at >= from {
				want++
			}
		}
		if got := len(e.look(&e.units[0], from, nil).refs); got != want {
			t.Fatalf("%d cells since %d, want %d", got, from, want)
		}
	})
}

// TestNarrow checks that a shorter window taken out of a longer one holds what
// a walk would have found, keys included.
func TestNarrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := New(Config{})
		u := &unit{}
		for i := range rapid.IntRange(1, 4).Draw(t, "apis") {
			e.apis = append(e.apis, apiState{})
			api := int32(len(e.apis) - 1)
			u.apis = append(u.apis, api)
			for k := range rapid.IntRange(0, 12).Draw(t, "cells") {
				r, c := e.cells.insert(uint64(i*100 + k + 1))
				c.api, c.cohort = api, uint64(i*100+k+1)
				c.last = rapid.Int64Range(1, 20).Draw(t, "last") * listGrain / 4 // late arrivals, too
				e.cells.stamp(r, c)
				e.cells.now = max(e.cells.now, c.last)
				e.cells.pushAPI(&e.apis[api].cells, r)
			}
		}
		from := []int64{rapid.Int64Range(0, 20).Draw(t, "from"), 0}
		from[1] = rapid.Int64Range(from[0], 20).Draw(t, "later")
		from[0], from[1] = from[0]*listGrain/4, from[1]*listGrain/4
		long := e.look(u, from[0], nil)
		long.keysOf(scopeCohort)
		short := e.look(u, from[1], long)
		refs, keys := slices.Clone(short.refs), slices.Clone(short.keysOf(scopeCohort))
		plain := e.look(u, from[1], nil)
		if !slices.Equal(refs, plain.refs) || !slices.Equal(keys, plain.keysOf(scopeCohort)) {
			t.Fatalf("narrowed to %v %v, walking gives %v %v", refs, keys, plain.refs, plain.keysOf(scopeCohort))
		}
	})
}

// TestCellSize keeps what judgements ask of most cells in the first two cache
// lines.
func TestCellSize(t *testing.T) {
	var c cell
	if n := unsafe.Offsetof(c.level); n >= 128 {
		t.Errorf("level stands at %d, beyond the second cache line", n)
	}
}
