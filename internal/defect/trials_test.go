package defect

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Counting in any order and in any split gives the same history, but for what
// came before the first firing, which here fires always.
func TestTrialsFoldInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ats := rapid.SliceOfN(rapid.Int64Range(-50*hour, 2000*hour), 1, 600).Draw(t, "at")
		var whole, a, b Trials
		for _, at := range ats {
			whole.Count(at, true)
		}
		cut := rapid.IntRange(0, len(ats)).Draw(t, "cut")
		for i := len(ats) - 1; i >= cut; i-- {
			a.Count(ats[i], true)
		}
		for _, at := range ats[:cut] {
			b.Count(at, true)
		}
		a.Fold(&b)
		if a.Width() != whole.Width() || !slices.Equal(a.Buckets(), whole.Buckets()) {
			t.Fatalf("folded %d buckets of %d, whole %d of %d", len(a.Buckets()), a.Width(), len(whole.Buckets()), whole.Width())
		}
		total := uint32(0)
		for i, x := range whole.Buckets() {
			total += x.Fired
			if x.Start%whole.Width() != 0 || i > 0 && x.Start <= whole.Buckets()[i-1].Start {
				t.Fatalf("bucket %d starts at %d", i, x.Start)
			}
		}
		if int(total) != len(ats) || len(whole.Buckets()) > MaxBuckets {
			t.Fatalf("%d of %d counted in %d buckets", total, len(ats), len(whole.Buckets()))
		}
	})
}

func TestTrialsStartWithAFiring(t *testing.T) {
	var h Trials
	h.Count(0, false)
	if len(h.Buckets()) != 0 {
		t.Fatal("a history without a firing")
	}
	h.Count(hour, true)
	h.Count(hour+1, false)
	if want := []Bucket{{hour, 2, 1}}; !slices.Equal(h.Buckets(), want) {
		t.Fatalf("%v", h.Buckets())
	}
}
