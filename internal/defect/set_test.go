package defect

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

func TestSetIsExactBelowItsCapacity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Uint64Range(0, 80), 0, 200).Draw(t, "tokens")
		s := Set{Cap: 128}
		truth := map[uint64]bool{}
		for _, x := range xs {
			s.Add(x)
			if x != 0 {
				truth[x] = true
			}
		}
		if int(s.Count()) != len(truth) || !s.Exact() {
			t.Fatalf("counted %d of %d", s.Count(), len(truth))
		}
	})
}

func TestSetUnionEqualsBothStreams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Uint64(), 0, 300).Draw(t, "tokens")
		var whole, left, right Set
		for i, x := range xs {
			whole.Add(x)
			if i%3 == 0 {
				left.Add(x)
			} else {
				right.Add(x)
			}
		}
		right.Union(&left)
		if whole.Count() != right.Count() || len(whole.h) != len(right.h) {
			t.Fatalf("whole %d, union %d", whole.Count(), right.Count())
		}
	})
}

func TestSetEstimates(t *testing.T) {
	for _, n := range []uint64{500, 5000, 100000} {
		s := Set{Cap: 128}
		for i := range n {
			s.Add(i + 1)
		}
		if e := math.Abs(float64(s.Count())-float64(n)) / float64(n); e > 0.3 || s.Exact() {
			t.Errorf("%d distinct: counted %d", n, s.Count())
		}
	}
}

func TestCommon(t *testing.T) {
	var a, b Set
	for i := range uint64(40) {
		a.Add(i + 1)
		b.Add(i + 31)
	}
	if got := Common(&a, &b); got != 10 {
		t.Errorf("common %d, want 10", got)
	}
	for i := range uint64(4000) {
		a.Add(i + 1)
		b.Add(i + 2001)
	}
	if got := Common(&a, &b); got < 800 || got > 3600 {
		t.Errorf("common about %d, want about 2000", got)
	}
}

func TestRecentForgetsTheOldestOnly(t *testing.T) {
	r := NewRecent(100)
	for i := range uint64(10000) {
		r.Add(i + 1)
		for back := range uint64(100) {
			if i >= back && !r.Has(i+1-back) {
				t.Fatalf("after %d: forgot %d", i+1, i+1-back)
			}
		}
	}
	if r.Has(1) || r.Lossless() || r.Has(0) {
		t.Error("remembers too much")
	}
}

func TestTableAgainstAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := NewTable[int, int](16)
		model := map[int]int{}
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			k := rapid.IntRange(0, 12).Draw(t, "key")
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				*table.Ensure(k)++
				model[k]++
			case 2:
				table.Delete(k)
				delete(model, k)
			case 3:
				to := rapid.IntRange(0, 12).Draw(t, "into")
				if to == k {
					continue
				}
				if v, ok := model[k]; ok {
					model[to] += v
					delete(model, k)
				}
				table.Move(k, to, func(dst, src *int) { *dst += *src })
			}
			if table.Len() != len(model) {
				t.Fatalf("%d entries, want %d", table.Len(), len(model))
			}
			for k, v := range model {
				if p := table.Get(k); p == nil || *p != v {
					t.Fatalf("key %d is not %d", k, v)
				}
			}
		}
	})
}

func TestTableEvictsTheUnused(t *testing.T) {
	table := NewTable[int, int](4)
	for k := range 4 {
		table.Ensure(k)
	}
	for k := 4; k < 100; k++ {
		table.Get(0) // in constant use
		table.Ensure(k)
		if table.Len() != 4 {
			t.Fatalf("%d entries", table.Len())
		}
	}
	if table.Evicted != 96 {
		t.Errorf("counted %d evictions", table.Evicted)
	}
}

func TestSamplesDoNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.StringMatching(`x[0-9]{1,3}`), 1, 60).Draw(t, "ids")
		rank := func(id string) uint32 { return uint32(HashText(id) % 3) }
		var forward, backward, left, right Samples
		for i, id := range ids {
			forward.Offer(id, rank(id))
			backward.Offer(ids[len(ids)-1-i], rank(ids[len(ids)-1-i]))
			if i%2 == 0 {
				left.Offer(id, rank(id))
			} else {
				right.Offer(id, rank(id))
			}
		}
		left.Fold(&right)
		if forward != backward || forward != left {
			t.Fatalf("%v\n%v\n%v", forward, backward, left)
		}
	})
}

func TestScore(t *testing.T) {
	for _, c := range []struct {
		h, e, p taxonomy.Severity
		score   int
		level   taxonomy.Severity
	}{
		{4, 4, 4, 100, taxonomy.Critical}, {4, 4, 2, 87, taxonomy.Critical}, {4, 4, 1, 76, taxonomy.High}, {3, 3, 3, 75, taxonomy.High},
		{4, 1, 1, 50, taxonomy.Elevated}, {2, 2, 2, 50, taxonomy.Elevated}, {1, 4, 4, 50, taxonomy.Elevated}, {1, 1, 1, 25, taxonomy.Moderate},
	} {
		if s := Score(c.h, c.e, c.p); s != c.score || Level(s) != c.level {
			t.Errorf("(%d,%d,%d): %d %s, want %d %s", c.h, c.e, c.p, s, Level(s), c.score, c.level)
		}
	}
}

func TestLocalPrevalence(t *testing.T) {
	for _, c := range []struct {
		affected, scope int
		want            taxonomy.Severity
	}{{1, 1, 1}, {1, 1000, 1}, {2, 200, 2}, {3, 1000, 1}, {5, 100, 3}, {20, 100, 4}, {3, 14, 4}, {2, 0, 4}} {
		if got := Local(c.affected, c.scope); got != c.want {
			t.Errorf("%d of %d: %d, want %d", c.affected, c.scope, got, c.want)
		}
	}
}

func TestHarmOfTypes(t *testing.T) {
	for _, c := range []struct {
		types    []taxonomy.Sensitive
		subjects uint64
		personal bool
		want     taxonomy.Severity
	}{
		{[]taxonomy.Sensitive{taxonomy.SensPassword}, 1, true, 4},
		{[]taxonomy.Sensitive{taxonomy.SensCNResidentID}, 1, true, 3},
		{[]taxonomy.Sensitive{taxonomy.SensCNResidentID}, 1000, true, 4},
		{[]taxonomy.Sensitive{taxonomy.SensEmail}, 5000, true, 2},
		{[]taxonomy.Sensitive{taxonomy.SensPersonName, taxonomy.SensCNMobile, taxonomy.SensAddress}, 2, true, 3},
		{[]taxonomy.Sensitive{taxonomy.SensPersonName}, 2, false, 2},
		{[]taxonomy.Sensitive{taxonomy.SensPhone, taxonomy.SensAddress}, 2, false, 2},
		{[]taxonomy.Sensitive{taxonomy.SensPersonName, taxonomy.SensPhone}, 2, true, 2},
		{[]taxonomy.Sensitive{taxonomy.SensIPAddress}, 2, false, 1},
	} {
		s := TypesOf(c.types...)
		if s.HarmOf(c.subjects) != c.want || s.Personal() != c.personal {
			t.Errorf("%v × %d: harm %d personal %v", c.types, c.subjects, s.HarmOf(c.subjects), s.Personal())
		}
	}
}

func TestExploitability(t *testing.T) {
	for _, c := range []struct {
		reach Reach
		want  taxonomy.Severity
	}{
		{Reach{Public: true, Anonymous: true, Guessable: true}, 4}, {Reach{Public: true, Anonymous: true}, 3},
		{Reach{Public: true, Register: true, Guessable: true}, 3}, {Reach{Public: true, Register: true}, 2},
		{Reach{Anonymous: true, Guessable: true}, 1},
	} {
		if got, _ := c.reach.Exploitability(); got != c.want {
			t.Errorf("%+v: %d, want %d", c.reach, got, c.want)
		}
	}
}

func TestStatusAndConfidence(t *testing.T) {
	for c, want := range map[float64]taxonomy.DefectStatus{0.5: taxonomy.Candidate, 0.6: taxonomy.Probable, 0.79: taxonomy.Probable, 0.8: taxonomy.Established} {
		if got := StatusOf(c); got != want {
			t.Errorf("%v: %s", c, got)
		}
	}
	if c := Confidence(0.6, 0.5, 0); c != 0.8 {
		t.Errorf("joined to %v", c)
	}
}

func TestMoveKeepsASingleState(t *testing.T) {
	s := NewStates[Span](4)
	s.Ensure(catalog.Handle(1)).Add(5)
	s.Move(1, 2, func(dst, src *Span) { dst.Fold(*src) })
	s.Move(3, 2, func(dst, src *Span) { t.Error("nothing to fold") })
	if v := s.Get(2); v == nil || v.Count != 1 || s.Get(1) != nil {
		t.Errorf("moved to %+v", v)
	}
}
