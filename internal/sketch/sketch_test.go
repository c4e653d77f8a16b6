package sketch

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestDistinctIsExactThenClose(t *testing.T) {
	var d Distinct
	for i := uint64(0); i < 300_000; i++ {
		d.Add(i)
		d.Add(i)
		n := i + 1
		if n <= exactMax && d.Count() != n {
			t.Fatalf("after %d values: %d", n, d.Count())
		}
		if n > exactMax && (n&(n-1)) == 0 || n == 300_000 {
			if e := math.Abs(float64(d.Count())-float64(n)) / float64(n); e > 0.12 {
				t.Errorf("after %d values: %d, error %.3f", n, d.Count(), e)
			}
		}
	}
}

func TestDistinctMergeEqualsUnion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Uint64Range(0, 400), 0, 300).Draw(t, "xs")
		ys := rapid.SliceOfN(rapid.Uint64Range(0, 400), 0, 300).Draw(t, "ys")
		var a, b, both Distinct
		for _, x := range xs {
			a.Add(x)
			both.Add(x)
		}
		for _, y := range ys {
			b.Add(y)
			both.Add(y)
		}
		a.Merge(&b)
		if a.Count() != both.Count() {
			t.Fatalf("merged %d, union %d", a.Count(), both.Count())
		}
	})
}

func TestRecentIsBoundedAndKeepsWhatIsUsed(t *testing.T) {
	r := NewRecent[int](100)
	for i := range 10_000 {
		r.Put(uint64(i), i)
		if v, ok := r.Get(0); !ok || v != 0 {
			t.Fatalf("key in use was forgotten after %d", i)
		}
		if v, ok := r.Peek(uint64(i)); !ok || v != i {
			t.Fatalf("key %d lost at once", i)
		}
		if r.Len() > 100 {
			t.Fatalf("%d keys held", r.Len())
		}
	}
	if r.Evicted() == 0 || r.Evicted()+uint64(r.Len()) != 10_000 {
		t.Errorf("evicted %d, held %d", r.Evicted(), r.Len())
	}
}

func BenchmarkDistinctAdd(b *testing.B) {
	b.ReportAllocs()
	var d Distinct
	for i := 0; b.Loop(); i++ {
		d.Add(uint64(i & 0xffff))
	}
}

func TestCountMinIsNeverTooLow(t *testing.T) {
	c := NewCountMin(1000)
	const n = 20_000
	for i := range uint64(n) {
		c.Add(i % 5000) // four times each
	}
	for range 500 {
		c.Add(1 << 40)
	}
	copied := c.Clone()
	copied.Add(1 << 40)
	if c.Count(1<<40) < 500 || c.Count(1<<40) > 520 || copied.Count(1<<40) != c.Count(1<<40)+1 {
		t.Errorf("a frequent key: %d, in the copy %d", c.Count(1<<40), copied.Count(1<<40))
	}
	over := uint64(0)
	for i := range uint64(5000) {
		if c.Count(i) < 4 {
			t.Fatalf("key %d counted %d times, added 4 times", i, c.Count(i))
		}
		over += c.Count(i) - 4
	}
	if mean := float64(over) / 5000; mean > 3*float64(n)/1024 {
		t.Errorf("counts are too high by %.1f on average", mean)
	}
}
