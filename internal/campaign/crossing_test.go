package campaign

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"xiezhi/internal/attack"
)

const second = int64(1e9)

// TestCrossings: who is looked for at three sites within ten minutes, and who
// is not.
func TestCrossings(t *testing.T) {
	type at struct {
		site string
		sec  int64
		used bool
	}
	for _, c := range []struct {
		name string
		list []at
		want int
	}{
		{"three sites", []at{{"a", 0, false}, {"b", 100, false}, {"c", 500, false}}, 3},
		{"two sites", []at{{"a", 0, false}, {"b", 100, false}, {"a", 200, false}, {"b", 300, false}}, 0},
		{"too slow", []at{{"a", 0, false}, {"b", 500, false}, {"c", 1000, false}}, 0},
		{"one after the other", []at{{"a", 0, false}, {"b", 400, false}, {"c", 550, false}, {"d", 900, false}}, 4},
		{"its owner pays at the first", []at{{"a", 0, true}, {"b", 100, false}, {"c", 300, false}, {"d", 500, false}}, 0},
		{"paid long ago", []at{{"a", 0, true}, {"b", 700, false}, {"c", 800, false}, {"d", 900, false}}, 3},
		{"its owner pays", []at{{"a", 0, false}, {"b", 100, false}, {"c", 500, true}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			told := map[string][]attack.Lookup{}
			for _, x := range c.list {
				told[x.site] = append(told[x.site], attack.Lookup{Subject: 7, Client: 1, Time: x.sec * second, Used: x.used})
			}
			r := NewCrossings()
			r.Put(told)
			n := 0
			for _, l := range r.Ripe(0, true) {
				n += len(l)
			}
			if n != c.want {
				t.Errorf("%d lookups cross, want %d", n, c.want)
			}
		})
	}
}

// TestCrossingsByParts: however the lookups are cut into lists, the same cross.
func TestCrossingsByParts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var all []sought
	for i := range 3000 {
		all = append(all, sought{site: fmt.Sprint(rng.IntN(5)), l: attack.Lookup{Subject: uint64(1 + rng.IntN(400)), Client: uint64(1 + rng.IntN(3)), Time: int64(i) * 9 * second, Used: rng.IntN(30) == 0}})
	}
	cut := func(every int64) map[string][]attack.Crossing {
		r, out := NewCrossings(), map[string][]attack.Crossing{}
		take := func(m map[string][]attack.Crossing) {
			for site, l := range m {
				out[site] = append(out[site], l...)
			}
		}
		told := map[string][]attack.Lookup{}
		next := every
		for _, s := range all {
			for s.l.Time >= next {
				r.Put(told)
				told = map[string][]attack.Lookup{}
				take(r.Ripe(next, false))
				next += every
			}
			told[s.site] = append(told[s.site], s.l)
		}
		r.Put(told)
		take(r.Ripe(0, true))
		return out
	}
	want := cut(1 << 60)
	if len(want) == 0 {
		t.Fatal("nothing crosses")
	}
	for _, every := range []int64{60 * second, 300 * second, 3600 * second} {
		if got := cut(every); !reflect.DeepEqual(got, want) {
			t.Errorf("lists of %d s give other crossings", every/second)
		}
	}
}

// TestCrossingsAtTheCap: what finds no room is counted.
func TestCrossingsAtTheCap(t *testing.T) {
	r := NewCrossings()
	list := make([]attack.Lookup, maxSought+10)
	for i := range list {
		list[i] = attack.Lookup{Subject: uint64(i), Time: int64(i)}
	}
	r.Put(map[string][]attack.Lookup{"a": list})
	if r.Lost() != 10 {
		t.Errorf("%d lost, want 10", r.Lost())
	}
	if r.Ripe(0, true); len(r.queue)+len(r.byWhom) != 0 {
		t.Errorf("%d lookups, %d subjects left", len(r.queue), len(r.byWhom))
	}
}
