package attack

import (
	"fmt"
	"math"
	"sort"
	"strconv"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Verdict thresholds in log-odds, and the cap of one family: one family alone
// can never confirm.
const (
	scoreSuspicious = 6.0
	scoreLikely     = 9.0
	scoreConfirmed  = 11.5
	familyCap       = 6.0
)

// evidence is one thing observed, with its weight in log-odds.
type evidence struct {
	family   taxonomy.ReasonFamily
	weight   float64
	id       string // message attack.why.<id>
	observed string
	expected string
	args     message.Args
}

// fusion adds up what speaks for and against one kind of attack.
type fusion struct {
	kind  taxonomy.AttackKind
	items []evidence
}

// say adds evidence; a weight of 0 says nothing. The message's parameters are
// {n}, what was observed, and {m}, what is expected.
func (f *fusion) say(family taxonomy.ReasonFamily, weight float64, id string, n, m any) {
	if math.Abs(weight) < 0.05 {
		return
	}
	f.items = append(f.items, evidence{family, math.Round(weight*100) / 100, id, number(n), number(m), message.Args{"n": plain(n), "m": plain(m)}})
}

// score is the sum over families, each capped, and the families that count.
func (f *fusion) score() float64 {
	var sum float64
	for _, fam := range f.families() {
		sum += fam.weight
	}
	return sum
}

type familyWeight struct {
	family taxonomy.ReasonFamily
	weight float64
}

func (f *fusion) families() []familyWeight {
	var out []familyWeight
	for _, ev := range f.items {
		found := false
		for i := range out {
			if out[i].family == ev.family {
				out[i].weight += ev.weight
				found = true
			}
		}
		if !found {
			out = append(out, familyWeight{ev.family, ev.weight})
		}
	}
	for i := range out {
		limit := capOf(out[i].family)
		out[i].weight = min(max(out[i].weight, -limit), limit)
	}
	return out
}

// capOf bounds a family. Nobody is led to a decoy: a touch alone makes an attack
// likely, and no other family can.
func capOf(f taxonomy.ReasonFamily) float64 {
	if f == taxonomy.FamilyDecoy {
		return lureWeight
	}
	return familyCap
}

// verdict applies the thresholds: confirmation needs two families, one of them
// about what the requests achieved and not about how they look.
func (f *fusion) verdict() taxonomy.Verdict {
	score := f.score()
	strong, purpose := 0, false
	for _, fam := range f.families() {
		if fam.weight < 1 {
			continue
		}
		strong++
		switch fam.family {
		case taxonomy.FamilyOutcome, taxonomy.FamilySet, taxonomy.FamilyHerd, taxonomy.FamilyDecoy:
			purpose = true
		}
	}
	switch {
	case score >= scoreConfirmed && strong >= 2 && purpose:
		return taxonomy.Confirmed
	case score >= scoreLikely:
		return taxonomy.Likely
	case score >= scoreSuspicious:
		return taxonomy.Suspicious
	}
	return taxonomy.NoVerdict
}

// confidence turns log-odds into a probability, on the prior that one scope in
// e^6 looked at is an attack.
func (f *fusion) confidence() float64 {
	p := 1 / (1 + math.Exp(-(f.score()-scoreSuspicious)*0.8))
	return math.Round(p*1000) / 1000
}

// reasons renders the evidence, strongest first.
func (f *fusion) reasons(m *message.Catalog) []Reason {
	out := make([]Reason, 0, len(f.items))
	for _, ev := range f.items {
		out = append(out, Reason{Family: ev.family, Weight: min(max(ev.weight, -capOf(ev.family)), capOf(ev.family)), Observed: ev.observed, Expected: ev.expected, Text: m.Text("attack.why."+ev.id, ev.args)})
	}
	sort.SliceStable(out, func(i, j int) bool { return math.Abs(out[i].Weight) > math.Abs(out[j].Weight) })
	return out
}

// ramp grows with the logarithm of x: 0 below x0, w0 at x0, w1 from x1 on.
func ramp(x, x0, w0, x1, w1 float64) float64 {
	switch {
	case x < x0:
		return 0
	case x >= x1:
		return w1
	}
	return w0 + (w1-w0)*math.Log(x/x0)/math.Log(x1/x0)
}

// sprt is the log-likelihood ratio of a guesser (5 % success) against a user
// (85 % success) after these answers.
func sprt(fail, success float64) float64 {
	return fail*math.Log(0.95/0.15) + success*math.Log(0.05/0.85)
}

// lift is the z-score of finding f of n members alike when the others show fo
// of no; the prior keeps a cold start honest.
func lift(f, n, fo, no, priorBad, priorAll float64) float64 {
	p := min((fo+priorBad)/(no+priorAll), 1)
	mu := n * p
	return (f - mu) / math.Sqrt(mu*(1-p)+0.01*mu*mu+0.25)
}

// number writes a figure without thousands separators.
// plain keeps to the types that texts know, which a snapshot can hold.
func plain(v any) any {
	switch v.(type) {
	case string, message.Text, float64, int, int64, uint64, uint32:
		return v
	}
	return fmt.Sprint(v)
}

func number(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return fmt.Sprint(v)
}
