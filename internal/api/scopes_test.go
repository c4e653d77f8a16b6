package api

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
	"xiezhi/internal/store/record"
)

// TestFinding asks for the rows of an attack of which most came before it was
// known, for those of its campaign, and for what others are.
func TestFinding(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Observations = someRows(t) })
	g := h.admin()
	attack := func(id string, from, to, ip int) report.Attack {
		first, last := observationtest.Row(from), observationtest.Row(to)
		return report.Attack{ID: id, Kind: "scraping", Scenario: "data_theft", Site: "a.example", APIs: []string{"api-1", "api-2"}, Verdict: "confirmed",
			FirstSeen: moments(first.Time), LastSeen: moments(last.Time), Requests: 1, Actors: report.Actors{IPs: []string{fmt.Sprintf("192.0.2.%d", ip), "192.0.2.5"}, IPCount: 2}}
	}
	a, b := attack("attack-10", 30, 150, 1), attack("00000000000000b2", 100, 290, 2)
	keepOne(t, h, a)
	keepOne(t, h, b)
	c := report.Campaign{ID: "00000000000000c3", Name: "G-1", Attacks: []string{a.ID, "0000000000000000", b.ID}, Sites: []string{"a.example"}, FirstSeen: a.FirstSeen, LastSeen: b.LastSeen}
	r, err := kept.Campaign(&c, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Write(t.Context(), record.Batch{Put: []record.Record{r}}); err != nil {
		t.Fatal(err)
	}
	of := func(x *report.Attack, r *observation.Row) bool {
		at := moments(r.Time)
		return r.Attack == x.ID || r.Site == x.Site && slices.Contains(x.APIs, r.API) && slices.Contains(x.Actors.IPs, r.Client.String()) && !at.Before(x.FirstSeen) && !at.After(x.LastSeen)
	}
	any := func(*observation.Row) bool { return true }
	for query, means := range map[string]func(*observation.Row) bool{
		"finding=" + a.ID: func(r *observation.Row) bool { return of(&a, r) },
		"finding=" + b.ID: func(r *observation.Row) bool { return of(&b, r) },
		"finding=" + c.ID: func(r *observation.Row) bool { return of(&a, r) || of(&b, r) },
		"finding=" + c.ID + "&not=client:192.0.2.5&api=api-1": func(r *observation.Row) bool {
			return (of(&a, r) || of(&b, r)) && r.Client.String() != "192.0.2.5" && r.API == "api-1"
		},
		"not=client:192.0.2.0/30&not=site:a.example": func(r *observation.Row) bool { return r.Client.As4()[3] > 3 && r.Site != "a.example" },
		"not=verdict:attack&not=type:phone&not=status:500": func(r *observation.Row) bool {
			return r.Verdict != observation.Attack && r.Types == 0 && r.Status != 500
		},
		"": any,
	} {
		want := int64(0)
		for _, r := range theRows() {
			if means(&r) {
				want++
			}
		}
		var p v1.ObservationPage
		g.holds("GET", "/api/v1/observations?limit=500&"+query, nil).into(t, &p)
		var top v1.Top
		g.holds("GET", "/api/v1/observations/top?of=site&"+query, nil).into(t, &top)
		if int64(len(p.Items)) != want || top.Total != want || want == 0 {
			t.Errorf("%s: %d rows, %d counted, want %d", query, len(p.Items), top.Total, want)
		}
	}
	g.must(http.StatusNotFound, "GET", "/api/v1/observations?finding=none", nil)
	for _, bad := range []string{"not=client:everywhere", "not=name:x", "not=x", "not=verdict:evil"} {
		if p := g.ask("GET", "/api/v1/observations?"+bad, nil).problem(t); p.Code != "invalid" || len(p.Errors) == 0 || p.Errors[0].Field != "not" {
			t.Errorf("%s: %+v", bad, p)
		}
	}
}
