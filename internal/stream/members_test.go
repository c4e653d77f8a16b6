package stream

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestShare(t *testing.T) {
	if got := fmt.Sprint(Share([]string{"c", "a", "b", "a"}, 7)); got != "[a a c c a b b]" {
		t.Errorf("shares are %s", got)
	}
	if got := Share(nil, 3); !slices.Equal(got, []string{"", "", ""}) {
		t.Errorf("without members: %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,8}`), 2, 12, rapid.ID).Draw(t, "members")
		partitions := rapid.IntRange(1, 64).Draw(t, "partitions")
		all := Share(members, partitions)
		load := map[string]int{}
		for p, m := range all {
			if !slices.Contains(members, m) {
				t.Fatalf("partition %d is of %q", p, m)
			}
			load[m]++
		}
		most := (partitions + len(members) - 1) / len(members)
		for m, n := range load {
			if n > most {
				t.Errorf("%s has %d of %d partitions among %d", m, n, partitions, len(members))
			}
		}
		shuffled := rapid.Permutation(members).Draw(t, "order")
		if !slices.Equal(all, Share(shuffled, partitions)) {
			t.Error("the order of the names matters")
		}
	})
}

// TestShareMovesLittle: when a member goes, beside its own few partitions move.
func TestShareMovesLittle(t *testing.T) {
	moved, own, of := 0, 0, 0
	for n := 3; n < 9; n++ {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprint("judge-", i))
		}
		before := Share(members, 64)
		for gone := range members {
			after := Share(slices.Delete(slices.Clone(members), gone, gone+1), 64)
			for p := range before {
				of++
				switch {
				case before[p] == members[gone]:
					own++
				case before[p] != after[p]:
					moved++
				}
			}
		}
	}
	if moved > own {
		t.Errorf("of %d partitions %d had to move and %d more did", of, own, moved)
	}
	t.Logf("of %d partitions %d had to move and %d more did", of, own, moved)
}
