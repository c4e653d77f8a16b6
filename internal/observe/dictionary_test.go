package observe

import (
	"strings"
	"testing"
)

// FuzzDictionary holds references by place in memory against references by
// value: equal strings in different places have one number.
func FuzzDictionary(f *testing.F) {
	f.Add("a b a c b a", uint8(3))
	f.Add(strings.Repeat("x y zz ", 200), uint8(1))
	f.Fuzz(func(t *testing.T, text string, step uint8) {
		var d dictionary
		for range 2 { // the second time nothing of the first may be left
			d.reset()
			plain := map[string]uint32{}
			words := strings.Fields(text)
			for i, w := range words {
				switch (i * int(step)) % 3 {
				case 1:
					w = strings.Clone(w)
				case 2:
					w = w[:(len(w)+1)/2] // the same place, another length
				}
				want, known := plain[w]
				if !known {
					want = uint32(len(plain) + 1)
					plain[w] = want
				}
				if got, have := d.ref(w); got != want || have != known {
					t.Fatalf("%q is %d (%v), not %d (%v)", w, got, have, want, known)
				}
			}
		}
	})
}
