package sketch

import (
	"testing"

	"pgregory.net/rapid"
)

// TestGroups compares with groups that are written out: whatever the order, two
// numbers are together when a chain of joins connects them.
func TestGroups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		g, name := NewGroups(n), make([]int32, n)
		for i := range name {
			name[i] = int32(i)
		}
		for range rapid.IntRange(0, 30).Draw(t, "joins") {
			a, b := rapid.Int32Range(0, int32(n-1)).Draw(t, "a"), rapid.Int32Range(0, int32(n-1)).Draw(t, "b")
			g.Join(a, b)
			x, y := name[a], name[b]
			for i := range name {
				if name[i] == max(x, y) {
					name[i] = min(x, y)
				}
			}
		}
		for i := range name {
			if got := g.Of(int32(i)); got != name[i] {
				t.Fatalf("%d is in %d, want %d", i, got, name[i])
			}
		}
	})
}
