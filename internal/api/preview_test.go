package api

import (
	"net/netip"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
	"xiezhi/internal/store/record"
)

// TestPreviewOfPolicy: an entry covers what a plain loop says, and is not made.
func TestPreviewOfPolicy(t *testing.T) {
	now := observationtest.Start.Add(time.Hour)
	rows := &lockedRows{Model: observationtest.NewModel()}
	h := newHouse(t, func(c *Config) { c.Observations, c.Seen = rows, func() time.Time { return now } })
	var put []record.Record
	keep := func(r record.Record, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		put = append(put, r)
	}
	for _, a := range []report.API{{ID: "00000000000000a1", Template: "/status/{id}"}, {ID: "00000000000000a2", Template: "/status"}, {ID: "00000000000000a3", Template: "/statuses"}} {
		a.Site, a.Host, a.Method, a.FirstSeen, a.LastSeen = "s", "s.example", "GET", now, now
		keep(kept.API(&a, 1))
	}
	for _, d := range []report.Defect{{ID: "d1", Kind: "unauthenticated_sensitive", Status: "confirmed", API: "00000000000000a1"}, {ID: "d2", Kind: "unauthenticated_sensitive", Status: "fixed", API: "00000000000000a1"},
		{ID: "d3", Kind: "bulk_response", Status: "confirmed", API: "00000000000000a2"}, {ID: "d4", Kind: "unauthenticated_file", Status: "probable", API: "00000000000000a3"}} {
		d.Severity, d.FirstSeen, d.LastSeen = "high", now, now
		keep(kept.Defect(&d, "s", nil, 1))
	}
	for _, x := range []report.Attack{{ID: "x1", APIs: []string{"00000000000000a1"}, Actors: report.Actors{IPs: []string{"192.0.2.3"}}}, {ID: "x2", APIs: []string{"00000000000000a2"}, Actors: report.Actors{IPs: []string{"198.51.100.1"}}},
		{ID: "x3", APIs: []string{"00000000000000a3"}, Actors: report.Actors{IPs: []string{"192.0.2.3"}}}} {
		x.Site, x.Kind, x.Verdict, x.FirstSeen, x.LastSeen, x.Requests = "s", "scraping", "likely", now, now, 5
		keep(kept.Attack(&x, 1))
	}
	if _, err := h.store.Write(t.Context(), record.Batch{Put: put}); err != nil {
		t.Fatal(err)
	}
	var list []observation.Row
	for i := range 60 {
		r := observationtest.Row(i)
		r.Position = observation.Position{Partition: 1, Seq: uint64(i + 1)}
		r.Site, r.API, r.Client = "s", []string{"00000000000000a1", "00000000000000a2", "00000000000000a3"}[i%3], netip.MustParseAddr([]string{"192.0.2.3", "198.51.100.1"}[i%2])
		r.Verdict = observation.Normal
		if i%6 == 0 {
			r.Verdict = observation.Attack
		}
		list = append(list, r)
	}
	if err := rows.Append(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	g := h.admin()
	for _, c := range []struct {
		body                             map[string]any
		apis, defects, attacks, ok, evil int64
	}{
		{map[string]any{"kind": "public", "site": "s", "template": "/status/**"}, 2, 1, 2, 30, 10},
		{map[string]any{"kind": "public", "site": "s", "template": "/status/{other}", "method": "get"}, 1, 1, 1, 10, 10},
		{map[string]any{"kind": "public", "site": "nowhere", "template": "/status/**"}, 0, 0, 0, 0, 0},
		{map[string]any{"kind": "approval", "site": "s", "template": "/status/**"}, 2, 1, 2, 30, 10},
		{map[string]any{"kind": "approval", "site": "s", "clients": []string{"192.0.2.0/24"}, "kinds": []string{"bulk_response", "unauthenticated_file"}}, 3, 2, 2, 20, 10},
		{map[string]any{"kind": "approval", "site": "s", "clients": []string{"192.0.2.3", "198.51.100.1"}}, 3, 1, 3, 50, 10},
	} {
		var p v1.PolicyPreview
		g.holds("POST", "/api/v1/policy/preview", c.body).into(t, &p)
		if p.Apis != c.apis || p.DefectsTotal != c.defects || p.AttacksTotal != c.attacks || p.Rows.Normal != c.ok || p.Rows.Attack != c.evil || p.LeftOut != 0 || p.Rows.AtLeast ||
			len(p.Defects) != int(c.defects) || len(p.Attacks) != int(c.attacks) || len(p.Shown) != int(c.apis) {
			t.Errorf("%v: %+v, want %+v", c.body, p, c)
		}
	}
	if len(h.decided) != 0 {
		t.Error("a preview was decided")
	}
	var policy v1.PolicyEntryPage
	if g.must(200, "GET", "/api/v1/policy", nil).into(t, &policy); len(policy.Items) != 0 {
		t.Error("a preview was kept")
	}
	g.must(400, "POST", "/api/v1/policy/preview", map[string]any{"kind": "approval", "clients": []string{"x"}})
	g.must(400, "POST", "/api/v1/policy/preview", map[string]any{"kind": "verdict"})
	g.must(422, "POST", "/api/v1/policy/preview", map[string]any{"kind": "public", "template": "status"})
}
