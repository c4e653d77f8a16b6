package html

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"xiezhi/internal/taxonomy"
)

// arc is one scenario's piece of the ring. The ring's length is 100.
type arc struct {
	ID          string
	Dash        string // drawn and not drawn
	Offset      float64
	LabelX      float64
	LabelY      float64
	Label       string
	Placed      bool // the label has room
	Description string
}

// gap keeps neighbours apart where colours fail.
const gap = 0.6

func ring(list []scenario) []arc {
	var out []arc
	start := 0.0
	for _, s := range list {
		if s.Percent == 0 {
			continue
		}
		drawn := s.Percent - gap
		if s.Percent >= 100 {
			drawn = 100
		}
		a := arc{ID: s.ID, Dash: fmt.Sprintf("%.1f %.1f", math.Max(drawn, 0.2), 100-math.Max(drawn, 0.2)), Offset: tenth(25 - start), Label: s.Share, Placed: s.Percent >= 6}
		angle := (start+s.Percent/2)/100*2*math.Pi - math.Pi/2
		a.LabelX, a.LabelY = tenth(120+78*math.Cos(angle)), tenth(120+78*math.Sin(angle)+4)
		out = append(out, a)
		start += s.Percent
	}
	return out
}

// heat is the matrix of industries and scenarios.
type heat struct {
	Columns []string // scenario ids
	Rows    []heatRow
	Totals  []string
	Total   string
	Result  string
	Unset   bool // no site names its industry
}

type heatRow struct {
	ID    string
	Main  string // scenario with most requests
	Cells []heatCell
	Total uint64
	Share string
}

type heatCell struct {
	Value string
	Shade int // 0 to 6
}

func (v *view) industries() heat {
	h := heat{Columns: append(slices.Clone(scenarios), beside), Unset: true}
	for i := range v.R.Sites {
		if v.R.Sites[i].Industry != string(taxonomy.IndustryOther) {
			h.Unset = false
		}
	}
	matrix := v.R.Statistics.IndustryByScenario
	most, least, all := uint64(0), uint64(math.MaxUint64), uint64(0)
	sums := make([]uint64, len(h.Columns))
	for _, row := range matrix {
		for i, s := range h.Columns {
			most, all, sums[i] = max(most, row[s]), all+row[s], sums[i]+row[s]
			if row[s] > 0 {
				least = min(least, row[s])
			}
		}
	}
	if all == 0 {
		return h
	}
	for _, id := range slices.Sorted(maps.Keys(matrix)) {
		r := heatRow{ID: id}
		best := uint64(0)
		for _, s := range h.Columns {
			n := matrix[id][s]
			r.Total += n
			if n > best {
				best, r.Main = n, s
			}
			r.Cells = append(r.Cells, heatCell{v.dash(n), shade(n, least, most)})
		}
		r.Share = v.of(r.Total, all)
		h.Rows = append(h.Rows, r)
	}
	slices.SortStableFunc(h.Rows, func(a, b heatRow) int { return cmp.Compare(b.Total, a.Total) })
	for _, n := range sums {
		h.Totals = append(h.Totals, v.dash(n))
	}
	h.Total = v.n(all)
	top := h.Rows[0]
	if !h.Unset {
		h.Result = v.t("html.industry.result", "industry", capital(v.name("industry", top.ID)), "n", top.Total, "share", top.Share, "scenario", v.name("scenario", top.Main))
	}
	return h
}

// shade is a step of a logarithmic scale between the least and the most.
func shade(n, least, most uint64) int {
	switch {
	case n == 0:
		return 0
	case least == most:
		return 5
	}
	return 1 + int(5*math.Log(float64(n)/float64(least))/math.Log(float64(most)/float64(least))+1e-9)
}
