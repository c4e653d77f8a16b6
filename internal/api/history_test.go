package api

import (
	"slices"
	"strings"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/record"
)

// TestHistoryOfAnAPI: what became of its defects, the attacks on it and what
// people decided are there once, in order of time.
func TestHistoryOfAnAPI(t *testing.T) {
	h := newHouse(t)
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	api := report.API{ID: "00000000000000a1", Site: "s", Host: "s.example", Method: "GET", Template: "/orders/{id}", Lifecycle: "retired", FirstSeen: at(-100), LastSeen: at(-1)}
	say := message.Text{Zh: "甲", En: "A"}
	d := report.Defect{ID: "d1", Kind: "bola", API: api.ID, Status: "verifying", Severity: "high", FirstSeen: at(-90), LastSeen: at(-50), Reason: say, Life: &report.Life{
		History:  []report.Step{{Time: at(-80), Status: "confirmed", Text: say}, {Time: at(-70), Status: "fix_claimed", Text: say}, {Time: at(-60), Status: "regressed", Text: say}, {Time: at(-40), Status: "fix_claimed", Text: say}},
		Progress: &report.Progress{Since: at(-40), Claimed: true, Requests: 7, Needed: 14, Hours: 2, HoursNeeded: 6, Days: 1.5, DaysNeeded: 7, Traffic: 0.8, TrafficNeed: 0.5},
	}}
	x := report.Attack{ID: "x1", Kind: "scraping", Verdict: "likely", Site: "s", APIs: []string{api.ID}, FirstSeen: at(-30), LastSeen: at(-20), Reason: say}
	other := report.Attack{ID: "x2", Kind: "scraping", Verdict: "likely", Site: "s", APIs: []string{"00000000000000a2"}, FirstSeen: at(-30), LastSeen: at(-20), Reason: say}
	var put []record.Record
	for _, made := range []func() (record.Record, error){
		func() (record.Record, error) { return kept.API(&api, 1) }, func() (record.Record, error) { return kept.Defect(&d, "s", &api, 1) },
		func() (record.Record, error) { return kept.Attack(&x, 1) }, func() (record.Record, error) { return kept.Attack(&other, 1) },
	} {
		r, err := made()
		if err != nil {
			t.Fatal(err)
		}
		put = append(put, r)
	}
	if _, err := h.store.Write(t.Context(), record.Batch{Put: put}); err != nil {
		t.Fatal(err)
	}
	g := h.admin()
	g.must(201, "POST", "/api/v1/policy/public", map[string]any{"site": "s", "template": "/orders/**", "reason": "why\x1bnot"})
	g.must(201, "POST", "/api/v1/policy/public", map[string]any{"site": "elsewhere", "template": "/orders/**", "reason": "no"})
	var got v1.APIHistory
	g.holds("GET", "/api/v1/apis/"+api.ID+"/history", nil).into(t, &got)
	var kinds []string
	for _, i := range got.Items {
		kinds = append(kinds, strings.TrimSuffix(string(i.Kind)+" "+i.State, " "))
		if i.Text.Zh == "" || i.Text.En == "" || strings.ContainsRune(i.Text.En, 0x1b) {
			t.Errorf("%+v", i)
		}
	}
	want := []string{"decision live", "silent", "attack likely", "defect_state fix_claimed", "defect_state regressed", "defect_state fix_claimed", "defect_state confirmed", "defect verifying", "appeared"}
	if !slices.Equal(kinds, want) || got.LeftOut != 0 {
		t.Errorf("%q, want %q", kinds, want)
	}
	if len(got.Defects) != 1 || got.Defects[0].Claims != 2 || got.Defects[0].Returns != 1 || got.Defects[0].Progress.DaysLeft != 5.5 || got.Defects[0].Progress.RequestsNeeded != 14 {
		t.Errorf("%+v", got.Defects)
	}
	if g.holds("GET", "/api/v1/apis/"+api.ID+"/history?limit=2", nil).into(t, &got); len(got.Items) != 2 || got.LeftOut != int64(len(want)-2) {
		t.Errorf("%d items, %d left out", len(got.Items), got.LeftOut)
	}
	g.must(404, "GET", "/api/v1/apis/none/history", nil)
}
