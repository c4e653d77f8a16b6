// Package measure holds the figures of the scoreboard: shares with their
// intervals, the area under a precision-recall curve, order statistics.
//
// It takes counts and gives figures; it knows nothing of attacks. Invariant: a
// figure of nothing says so and is never 0 or 1 by accident. Limits: none; all
// of it is arithmetic over what the caller holds.
package measure

import (
	"cmp"
	"math"
	"slices"
)

// z is the normal quantile of a two-sided interval of 95 %.
const z = 1.959963984540054

// Share is how many of how many. Its zero value is a share of nothing.
type Share struct {
	Hit float64 `json:"hit"`
	Of  float64 `json:"of"`
}

// Add counts one case.
func (s *Share) Add(hit bool) {
	s.Of++
	if hit {
		s.Hit++
	}
}

// Plus adds another share's cases.
func (s Share) Plus(o Share) Share { return Share{s.Hit + o.Hit, s.Of + o.Of} }

// Known reports whether there was a case at all.
func (s Share) Known() bool { return s.Of > 0 }

// Value is the share, NaN of nothing.
func (s Share) Value() float64 {
	if s.Of <= 0 {
		return math.NaN()
	}
	return s.Hit / s.Of
}

// Wilson is the interval that holds the true share at 95 %; all of it when
// there was no case.
func (s Share) Wilson() (low, high float64) {
	if s.Of <= 0 {
		return 0, 1
	}
	n, p := s.Of, s.Hit/s.Of
	mid := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	den := 1 + z*z/n
	// Rounding must not put an end that is exact on the wrong side.
	return max(0, min(p, (mid-half)/den)), min(1, max(p, (mid+half)/den))
}

// Step is what a ranking holds at one score: so many cases found for the first
// time, so many entries that are right and so many that are not. In a ranking
// of requests found equals right; of a ranking of reports, two may be right
// about the same case, which is found once.
type Step struct {
	Score               float64
	Found, Right, Wrong float64
}

// AveragePrecision is the area under the precision-recall curve of a ranking,
// highest score first, in steps: every gain of recall counts with the precision
// at that score. Cases that are in no step are never found and add nothing.
// Steps of the same score are one. It is NaN when there are no cases.
func AveragePrecision(steps []Step, cases float64) float64 {
	if cases <= 0 {
		return math.NaN()
	}
	steps = slices.Clone(steps)
	slices.SortFunc(steps, func(a, b Step) int { return cmp.Compare(b.Score, a.Score) })
	var area, right, wrong float64
	for i := 0; i < len(steps); {
		found, score := 0.0, steps[i].Score
		for ; i < len(steps) && steps[i].Score == score; i++ {
			found += steps[i].Found
			right += steps[i].Right
			wrong += steps[i].Wrong
		}
		if right > 0 {
			area += found / cases * right / (right + wrong)
		}
	}
	return area
}

// Quantile is the smallest value that at least a share q of the values do not
// exceed: an observed value, never one in between. NaN of none.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(values))
	i := int(math.Ceil(q*float64(len(s)))) - 1
	return s[min(max(i, 0), len(s)-1)]
}

// Rate is events over an exposure, such as false alarms over site-days. Its
// interval is Poisson's by the chi-square approximation of Wilson and Hilferty,
// exact enough from the first event on; of none in E the upper end is 3.7/E.
type Rate struct {
	Events float64 `json:"events"`
	Over   float64 `json:"over"`
}

// Value is the rate, NaN over nothing.
func (r Rate) Value() float64 {
	if r.Over <= 0 {
		return math.NaN()
	}
	return r.Events / r.Over
}

// Interval holds the true rate at 95 %.
func (r Rate) Interval() (low, high float64) {
	if r.Over <= 0 {
		return 0, math.Inf(1)
	}
	if n := r.Events; n > 0 {
		c := 1 - 1/(9*n) - z/(3*math.Sqrt(n))
		low = n * c * c * c / r.Over
	}
	n := r.Events + 1
	c := 1 - 1/(9*n) + z/(3*math.Sqrt(n))
	return max(low, 0), n * c * c * c / r.Over
}

// Pair is the place of items in the truth and in a clustering of them.
type Pair struct{ True, Found string }

// BCubed compares a clustering with the truth, item by item, each pair weighing
// as much as its items: precision is how much of an item's cluster belongs with
// it, recall how much of what belongs with it is in its cluster. Both are NaN
// without items.
func BCubed(items map[Pair]float64) (precision, recall float64) {
	total, truth, found := 0.0, map[string]float64{}, map[string]float64{}
	keys := make([]Pair, 0, len(items))
	for k := range items {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b Pair) int { return cmp.Or(cmp.Compare(a.True, b.True), cmp.Compare(a.Found, b.Found)) })
	for _, k := range keys {
		total += items[k]
		truth[k.True] += items[k]
		found[k.Found] += items[k]
	}
	if total <= 0 {
		return math.NaN(), math.NaN()
	}
	for _, k := range keys {
		n := items[k]
		precision += n * n / found[k.Found] / total
		recall += n * n / truth[k.True] / total
	}
	return precision, recall
}
