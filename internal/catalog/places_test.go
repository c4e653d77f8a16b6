package catalog

import (
	"fmt"
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

// TestKeysAreOfTheSeedAlone: a state is restored by other processes, which have
// to find what is in it.
func TestKeysAreOfTheSeedAlone(t *testing.T) {
	p := &places{seed: [2]uint64{0x0123456789abcdef, 0xfedcba9876543210}}
	got := ""
	for _, text := range []string{"", "a", "v1", "orders", "a-word-of-several-eights"} {
		got += fmt.Sprintf("%x ", p.child(7, text))
	}
	if want := "12f3d9c7b84d480b 5cd288149ff11e5f 767272b7c98f65a5 83bda364988c0726 e3e18dab7df70d1d "; got != want {
		t.Errorf("keys are %q, they were %q", got, want)
	}
	seen := map[uint64]string{}
	for i := range 20_000 {
		for _, text := range []string{fmt.Sprint("w", i), fmt.Sprintf("a-long-word-%d-of-many", i)} {
			if other, twice := seen[p.child(7, text)]; twice {
				t.Fatalf("%s and %s have one key", text, other)
			}
			seen[p.child(7, text)] = text
		}
	}
}
