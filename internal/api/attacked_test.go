package api

import (
	"testing"

	v1 "xiezhi/internal/api/v1"
)

// TestAttackedMonthsAreThoseOfAReport holds the months against the statistics of
// the report that the API gives of the same.
func TestAttackedMonthsAreThoseOfAReport(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	for _, site := range []string{"", h.report.Attacks[0].Site} {
		var got v1.AttackedAPIs
		g.holds("GET", "/api/v1/counts/attacked?site="+site, nil).into(t, &got)
		var r struct {
			Statistics struct {
				AttackedAPIsByMonth map[string]int64 `json:"attacked_apis_by_month"`
			} `json:"statistics"`
		}
		g.must(200, "GET", "/api/v1/report?site="+site, nil).into(t, &r)
		want := r.Statistics.AttackedAPIsByMonth
		if site == "" && len(want) == 0 {
			t.Fatal("the report has no month with attacks")
		}
		if len(got.Months) != len(want) || got.LeftOut != 0 {
			t.Fatalf("site %q: %+v, want %v", site, got, want)
		}
		for i, m := range got.Months {
			if want[m.Month] != m.Apis {
				t.Errorf("site %q, %s: %d APIs, want %d", site, m.Month, m.Apis, want[m.Month])
			}
			if i > 0 && m.Month <= got.Months[i-1].Month {
				t.Errorf("%s comes after %s", m.Month, got.Months[i-1].Month)
			}
		}
	}
}
