package measure

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// The intervals are Newcombe's worked examples and the textbook's ends.
func TestWilson(t *testing.T) {
	for _, c := range []struct{ hit, of, low, high float64 }{
		{81, 263, 0.2553, 0.3662}, // Newcombe 1998, table I, method 3
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718},
		{10, 10, 0.7225, 1},
		{0, 0, 0, 1},
	} {
		low, high := Share{c.hit, c.of}.Wilson()
		near(t, "low", low, c.low, 6e-5)
		near(t, "high", high, c.high, 6e-5)
	}
	if v := (Share{}).Value(); !math.IsNaN(v) {
		t.Errorf("a share of nothing is %v", v)
	}
	low, high := Share{150, 150}.Wilson()
	if high != 1 || low < 0.97 {
		t.Errorf("all of 150: %v to %v", low, high)
	}
}

func TestAveragePrecision(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []Step
		cases float64
		want  float64
	}{
		{"all right", []Step{{9, 3, 3, 0}, {5, 1, 1, 0}}, 4, 1},
		{"half never found", []Step{{9, 2, 2, 0}}, 4, 0.5},
		// Ranks: right, wrong, right. Recall 1/2 at 1, then 1/2 at 2/3.
		{"one wrong between", []Step{{3, 1, 1, 0}, {2, 0, 0, 1}, {1, 1, 1, 0}}, 2, 0.5 + 0.5*2.0/3},
		{"order of steps is nothing", []Step{{1, 1, 1, 0}, {3, 1, 1, 0}, {2, 0, 0, 1}}, 2, 0.5 + 0.5*2.0/3},
		// A tie is one step: two right of four entries.
		{"tie", []Step{{1, 1, 1, 0}, {1, 0, 0, 2}, {1, 1, 1, 0}}, 2, 0.5},
		// The second report about a campaign adds to precision, not to recall.
		{"said twice", []Step{{3, 1, 1, 0}, {2, 0, 1, 0}, {1, 1, 1, 1}}, 2, 0.5 + 0.5*0.75},
		{"nothing reported", nil, 3, 0},
		{"only wrong", []Step{{1, 0, 0, 5}}, 3, 0},
		{"no cases", []Step{{1, 0, 0, 5}}, 0, math.NaN()},
	} {
		near(t, c.name, AveragePrecision(c.steps, c.cases), c.want, 1e-12)
	}
}

func TestQuantile(t *testing.T) {
	v := []float64{9, 1, 5, 3, 7, 2, 8, 4, 6, 10}
	for _, c := range []struct{ q, want float64 }{{0.5, 5}, {0.9, 9}, {0.91, 10}, {0, 1}, {1, 10}} {
		near(t, "quantile", Quantile(v, c.q), c.want, 0)
	}
	near(t, "of none", Quantile(nil, 0.5), math.NaN(), 0)
	if v[0] != 9 {
		t.Error("the values were sorted in place")
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct{ n, low, high float64 }{{0, 0, 3.69}, {1, 0.025, 5.57}, {10, 4.80, 18.39}} { // exact Poisson limits
		low, high := Rate{c.n, 2}.Interval()
		near(t, "low", low*2, c.low, 0.03)
		near(t, "high", high*2, c.high, 0.05)
	}
	near(t, "value", Rate{3, 4}.Value(), 0.75, 0)
	near(t, "over nothing", Rate{3, 0}.Value(), math.NaN(), 0)
}

func TestBCubed(t *testing.T) {
	// Two gangs of three requests; one cluster holds all of A and one of B.
	p, r := BCubed(map[Pair]float64{{"A", "x"}: 3, {"B", "x"}: 1, {"B", "y"}: 2})
	near(t, "purity", p, (3*3.0/4+1*1.0/4+2*1.0)/6, 1e-12)
	near(t, "completeness", r, (3*1.0+1*1.0/3+2*2.0/3)/6, 1e-12)
	p, r = BCubed(map[Pair]float64{{"A", "x"}: 2, {"B", "y"}: 5})
	near(t, "purity of a perfect one", p, 1, 0)
	near(t, "completeness of a perfect one", r, 1, 0)
	p, _ = BCubed(nil)
	near(t, "of nothing", p, math.NaN(), 0)
}
