package jwt

import (
	"cmp"
	"slices"
	"testing"

	"github.com/ccojocar/zxcvbn-go/frequency"
)

// The merge gives what sorting all words by weight gives.
func TestWordListIsSorted(t *testing.T) {
	type weighted struct {
		word
		weight int
	}
	var all []weighted
	for i, l := range []struct {
		name, id string
		weight   int
	}{{"Passwords", "passwords", 1}, {"English", "english", 2}, {"FemaleNames", "names", 6}, {"MaleNames", "names", 6}, {"Surname", "names", 8}} {
		for rank, text := range frequency.Lists[l.name].List {
			weight := (rank + 1) * l.weight
			if i > 0 {
				weight += commonWords
			}
			if len(text) >= minWord {
				all = append(all, weighted{word{text, l.id}, weight})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b weighted) int { return cmp.Compare(a.weight, b.weight) })
	got := wordList()
	if len(got) != min(len(all), maxWords) {
		t.Fatalf("%d words, want %d", len(got), min(len(all), maxWords))
	}
	for i, w := range got {
		if w != all[i].word {
			t.Fatalf("word %d is %v, want %v", i, w, all[i].word)
		}
	}
}
