// Package score compares a report with the truth of the lab.
//
// It takes truth.json, the report's JSON and, for what needs single exchanges,
// the labels and the attributed exchanges; it gives figures with their
// differences, precision and recall by kind, the purity and completeness of
// campaigns, and which defects were found. Invariant: what was not compared is
// said to be so and never counts as passed. Limits: holds one entry per
// attacked exchange, at most MaxLabels of them.
package score

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xiezhi/internal/report"
	"xiezhi/lab/score/measure"
	"xiezhi/lab/truth"
)

// Result is the comparison.
type Result struct {
	Figures   []Figure   `json:"figures"`
	Exchanges *Exchanges `json:"exchanges"` // null: labels or attributed exchanges were not given
	Defects   Defects    `json:"defects"`
}

// Figure is one table of the report's statistics.
type Figure struct {
	Name        string       `json:"name"`
	Equal       bool         `json:"equal"`
	Differences []Difference `json:"differences"`
}

// Difference is one cell that is not what it should be.
type Difference struct {
	Cell string `json:"cell"`
	Want uint64 `json:"want"`
	Got  uint64 `json:"got"`
}

// Exchanges says how single exchanges were judged.
type Exchanges struct {
	Attacked         int        `json:"attacked"`
	Attributed       int        `json:"attributed"`
	HonestAttributed int        `json:"honest_attributed"`
	Kinds            []Kind     `json:"kinds"`
	Attacks          []Attack   `json:"attacks"` // those not wholly attributed as what they are
	Found            int        `json:"found"`   // attacks of which at least half was attributed as what they are
	Of               int        `json:"of"`
	ByRequests       Clustering `json:"campaigns_by_requests"`
	ByAttacks        Clustering `json:"campaigns_by_attacks"`
}

// Kind is how one kind of attack was recognised, exchange by exchange.
type Kind struct {
	Kind      string  `json:"kind"`
	Truth     int     `json:"truth"`
	Right     int     `json:"right"`
	Wrong     int     `json:"wrong"` // attributed as this kind and none
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
}

// Attack is one attack of the truth and what became of its exchanges.
type Attack struct {
	ID       string         `json:"id"`
	Kind     string         `json:"kind"`
	Requests int            `json:"requests"`
	As       map[string]int `json:"as"` // by kind attributed; an exchange may count under several
	Missed   int            `json:"missed"`
	Pieces   int            `json:"pieces"` // attacks of the report that it is spread over
}

// Clustering is B-cubed: purity is its precision, completeness its recall.
type Clustering struct {
	Purity       float64 `json:"purity"`
	Completeness float64 `json:"completeness"`
}

// Defects says which seeded defects were found.
type Defects struct {
	Seeded int      `json:"seeded"`
	Found  int      `json:"found"`
	Missed []string `json:"missed"`
	Others []string `json:"others"` // reported and not seeded: extras or consequences
}

// Recall is the share of seeded defects that were found.
func (d *Defects) Recall() float64 {
	if d.Seeded == 0 {
		return 1
	}
	return float64(d.Found) / float64(d.Seeded)
}

// FiguresEqual reports whether every table is right.
func (r *Result) FiguresEqual() bool {
	for _, f := range r.Figures {
		if !f.Equal {
			return false
		}
	}
	return len(r.Figures) > 0
}

// Compare scores a report. Labels and attributed may be nil together.
func Compare(t *truth.Truth, r *report.Report, labels *Labels, attributed *Attributed) *Result {
	res := &Result{Figures: figures(t, r), Defects: defects(t, r)}
	if labels != nil && attributed != nil {
		res.Exchanges = exchanges(r, labels, attributed)
	}
	return res
}

func figures(t *truth.Truth, r *report.Report) []Figure {
	st := &r.Statistics
	want, got := [4]map[string]uint64{}, [4]map[string]uint64{}
	for i := range want {
		want[i], got[i] = map[string]uint64{}, map[string]uint64{}
	}
	for m, n := range t.AttackedAPIsByMonth {
		want[0][m] = uint64(n)
	}
	for m, n := range st.AttackedAPIsByMonth {
		got[0][m] = uint64(n)
	}
	for s, c := range t.ScenarioShare {
		want[1][s], want[2][s] = c.Requests, uint64(c.APIs)
	}
	for s, c := range st.ScenarioShare {
		got[1][s], got[2][s] = c.Requests, uint64(c.APIs)
	}
	for i, row := range t.IndustryByScenario {
		for s, n := range row {
			want[3][i+" "+s] = n
		}
	}
	for i, row := range st.IndustryByScenario {
		for s, n := range row {
			got[3][i+" "+s] = n
		}
	}
	var out []Figure
	for i, name := range []string{"attacked_apis_by_month", "scenario_share.requests", "scenario_share.apis", "industry_by_scenario"} {
		f := Figure{Name: name, Differences: []Difference{}}
		cells := map[string]bool{}
		for c := range want[i] {
			cells[c] = true
		}
		for c := range got[i] {
			cells[c] = true
		}
		for _, c := range slices.Sorted(maps.Keys(cells)) {
			if want[i][c] != got[i][c] {
				f.Differences = append(f.Differences, Difference{c, want[i][c], got[i][c]})
			}
		}
		f.Equal = len(f.Differences) == 0
		out = append(out, f)
	}
	return out
}

// blank writes a template with unnamed parameters.
func blank(template string) string {
	parts := strings.Split(template, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "{}"
		}
	}
	return strings.Join(parts, "/")
}

func defects(t *truth.Truth, r *report.Report) Defects {
	apis := map[string]*report.API{}
	for i := range r.APIs {
		apis[r.APIs[i].ID] = &r.APIs[i]
	}
	d := Defects{Seeded: len(t.Defects), Missed: []string{}, Others: []string{}}
	used := make([]bool, len(r.Defects))
	for _, s := range t.Defects {
		found := false
		for i := range r.Defects {
			x := &r.Defects[i]
			api := apis[x.API]
			if api == nil || api.Site != s.Site || !slices.Contains(s.Kinds, x.Kind) {
				continue
			}
			// Defects of a whole site are reported on the API that shows them best.
			if siteWide[x.Kind] || api.Method == s.Method && blank(api.Template) == s.Path {
				found, used[i] = true, true
			}
		}
		if found {
			d.Found++
		} else {
			d.Missed = append(d.Missed, fmt.Sprintf("%s %s %s: %s", s.Site, s.Method, s.Path, strings.Join(s.Kinds, " or ")))
		}
	}
	for i := range r.Defects {
		if used[i] {
			continue
		}
		x := &r.Defects[i]
		where := "?"
		if api := apis[x.API]; api != nil {
			where = api.Site + " " + api.Method + " " + api.Template
		}
		d.Others = append(d.Others, where+": "+x.Kind)
	}
	slices.Sort(d.Others)
	return d
}

// siteWide are the defects of an application and not of one of its APIs.
var siteWide = map[string]bool{"cleartext": true, "jwt_weak_secret": true, "cors": true, "secret_in_url": true, "weak_in_use": true, "api_docs": true, "exposed_component": true, "exposed_file": true}

func exchanges(r *report.Report, labels *Labels, attributed *Attributed) *Exchanges {
	e := &Exchanges{Attacked: len(labels.attacked), Kinds: []Kind{}, Attacks: []Attack{}}
	kinds := map[string]*Kind{}
	kind := func(k string) *Kind {
		if kinds[k] == nil {
			kinds[k] = &Kind{Kind: k}
		}
		return kinds[k]
	}
	attacks := map[string]*Attack{}
	pieces := map[[2]string]bool{}
	for _, id := range labels.order {
		l := labels.attacked[id]
		a := attacks[l.Attack]
		if a == nil {
			a = &Attack{ID: l.Attack, Kind: l.Kind, As: map[string]int{}}
			attacks[l.Attack] = a
		}
		a.Requests++
		kind(l.Kind).Truth++
		hits := attributed.hits[id]
		if len(hits) == 0 {
			a.Missed++
		}
		seen := map[string]bool{}
		for _, h := range hits {
			pieces[[2]string{l.Attack, h.Attack}] = true
			if !seen[h.Kind] {
				seen[h.Kind] = true
				a.As[h.Kind]++
			}
		}
		if seen[l.Kind] {
			kind(l.Kind).Right++
		}
		for k := range seen {
			if k != l.Kind {
				kind(k).Wrong++
			}
		}
	}
	for id, hits := range attributed.hits {
		e.Attributed++
		if labels.attacked[id].Attack != "" {
			continue
		}
		if labels.neutral[id] {
			continue
		}
		e.HonestAttributed++
		seen := map[string]bool{}
		for _, h := range hits {
			if !seen[h.Kind] {
				seen[h.Kind] = true
				kind(h.Kind).Wrong++
			}
		}
	}
	for p := range pieces {
		attacks[p[0]].Pieces++
	}
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		x := *kinds[k]
		x.Precision, x.Recall = 1, 1
		if n := x.Right + x.Wrong; n > 0 {
			x.Precision = float64(x.Right) / float64(n)
		}
		if x.Truth > 0 {
			x.Recall = float64(x.Right) / float64(x.Truth)
		}
		e.Kinds = append(e.Kinds, x)
	}
	for _, a := range attacks {
		e.Of++
		if 2*a.As[a.Kind] >= a.Requests {
			e.Found++
		}
		if a.As[a.Kind] != a.Requests || len(a.As) > 1 {
			e.Attacks = append(e.Attacks, *a)
		}
	}
	slices.SortFunc(e.Attacks, func(x, y Attack) int { return cmp.Compare(x.ID, y.ID) })
	e.cluster(r, labels, attributed, attacks)
	return e
}

// cluster is B-cubed between the gangs of the truth and the campaigns of the
// report. An attack in no campaign is a campaign of its own. Exchanges that no
// attack holds are no items: recall by kind tells of them.
func (e *Exchanges) cluster(r *report.Report, labels *Labels, attributed *Attributed, attacks map[string]*Attack) {
	of := map[string]string{}
	for _, c := range r.Campaigns {
		for _, a := range c.Attacks {
			of[a] = c.ID
		}
	}
	weights := [2]map[measure.Pair]float64{{}, {}}
	for _, id := range labels.order {
		hits := attributed.hits[id]
		if len(hits) == 0 {
			continue
		}
		l := labels.attacked[id]
		c, ok := of[hits[0].Attack]
		if !ok {
			c = hits[0].Attack
		}
		key := measure.Pair{True: l.Campaign, Found: c}
		weights[0][key]++
		weights[1][key] += 1 / float64(attacks[l.Attack].Requests-attacks[l.Attack].Missed)
	}
	e.ByRequests, e.ByAttacks = bcubed(weights[0]), bcubed(weights[1])
}

func bcubed(n map[measure.Pair]float64) Clustering {
	if len(n) == 0 {
		return Clustering{}
	}
	var c Clustering
	c.Purity, c.Completeness = measure.BCubed(n)
	return c
}
