package catalog

import (
	"testing"

	"pgregory.net/rapid"
)

// A table gives what a map gives, whatever was put and dropped, keys that fall
// on one place included.
func TestTableIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, want := newTable[int](), map[uint64]int{}
		for range rapid.IntRange(1, 400).Draw(t, "n") {
			k := rapid.Uint64Range(0, 40).Draw(t, "key") * rapid.SampledFrom([]uint64{1, 64, 1 << 20}).Draw(t, "apart")
			if rapid.Bool().Draw(t, "drop") {
				x.drop(k)
				delete(want, k)
			} else {
				v := rapid.IntRange(1, 1000).Draw(t, "value")
				x.put(k, v)
				want[k] = v
			}
			if x.n != len(want) {
				t.Fatalf("%d stand here, %d in the map", x.n, len(want))
			}
		}
		for k, v := range want {
			if x.get(k) != v {
				t.Fatalf("%d gives %d, want %d", k, x.get(k), v)
			}
		}
	})
}
