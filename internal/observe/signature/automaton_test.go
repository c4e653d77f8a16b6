package signature

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// plainHits is what the automaton must find, by strings.Contains' means: every
// (literal, end) in order of end.
func plainHits(literals []string, b []byte) (hits [][2]int) {
	text := fold(string(b))
	for end := 1; end <= len(text); end++ {
		for id, l := range literals {
			if strings.HasSuffix(text[:end], l) {
				hits = append(hits, [2]int{id, end})
			}
		}
	}
	return hits
}

func checkAutomaton(t interface{ Fatalf(string, ...any) }, literals []string, b []byte) {
	a, err := newAutomaton(literals)
	if err != nil {
		t.Fatalf("%q: %v", literals, err)
	}
	var got [][2]int
	a.scan(b, func(id int32, end int) { got = append(got, [2]int{int(id), end}) })
	slices.SortFunc(got, func(a, b [2]int) int {
		if a[1] != b[1] {
			return a[1] - b[1]
		}
		return a[0] - b[0]
	})
	want := plainHits(literals, b)
	if !slices.Equal(got, want) {
		t.Fatalf("%q in %q: %v, want %v", literals, b, got, want)
	}
	occurs := false
	for _, l := range literals {
		occurs = occurs || strings.Contains(fold(string(b)), l)
	}
	if a.occurs(b) != occurs || (a.first(b) >= 0) != occurs {
		t.Fatalf("%q in %q: occurs %v, first %d, want %v", literals, b, a.occurs(b), a.first(b), occurs)
	}
	if occurs && a.first(b) != want[0][1] {
		t.Fatalf("%q in %q: first %d, want %d", literals, b, a.first(b), want[0][1])
	}
}

func TestAutomaton(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		literals := rapid.SliceOfNDistinct(rapid.StringMatching(`[ab%]{1,5}`), 1, 12, rapid.ID[string]).Draw(t, "literals")
		b := rapid.StringMatching(`[abAB%x]{0,60}`).Draw(t, "text")
		checkAutomaton(t, literals, []byte(b))
	})
}

// A literal is found wherever it stands across the lanes of a long text.
func TestAutomatonLanes(t *testing.T) {
	a, err := newAutomaton([]string{"needle", "pin", "a longer needle than others"})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{256, 257, 258, 259, 300, 1023} {
		for _, l := range []string{"needle", "PIN", "a longer Needle than others"} {
			for at := 0; at+len(l) <= n; at++ {
				b := bytes.Repeat([]byte("n"), n)
				copy(b[at:], l)
				if !a.occurs(b) {
					t.Fatalf("%q at %d of %d is not found", l, at, n)
				}
			}
		}
		if a.occurs(bytes.Repeat([]byte("needl"), n/5)) {
			t.Fatalf("found in %d bytes without it", n)
		}
	}
}

func TestAutomatonRejects(t *testing.T) {
	for _, l := range []string{"", "Upper"} {
		if _, err := newAutomaton([]string{l}); err == nil {
			t.Errorf("%q accepted", l)
		}
	}
}

func FuzzGate(f *testing.F) {
	s := load(f)
	gates := []*gate{&s.value, &s.path, &s.response, &s.narrow}
	f.Add([]byte("1' UNION SELECT 1"), 3)
	f.Add([]byte("\tat com.x.Y.z(Y.java:12)"), 100)
	f.Add([]byte("AAAA../../ETC/passwd"), 70)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		// Long texts take the lanes.
		b = bytes.Repeat(b, 1+min(max(n, 0), 200))
		b = b[:min(len(b), 4096)]
		for _, g := range gates {
			want := false
			folded := fold(string(b))
			for n, l := range g.texts {
				if len(g.wakes[n]) > 0 && strings.Contains(folded, l) {
					want = true
					break
				}
			}
			if got := g.mayHit(b); got != want {
				t.Fatalf("%q: gate says %v, strings.Contains %v", b, got, want)
			}
		}
	})
}
