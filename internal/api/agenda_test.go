package api

import (
	"context"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
)

func TestAgendaIsOfWhatIsKept(t *testing.T) {
	in := report.NewInput()
	in.Quality = append(in.Quality, report.QualityCount{Code: "packets_dropped", Count: 3})
	var seen time.Time
	h := newHouse(t, func(c *Config) {
		c.Input = func() *report.Input { return &in }
		c.Seen = func() time.Time { return seen }
		c.Status = func(context.Context) v1.Status {
			return v1.Status{Status: v1.StatusStatusDegraded, Sources: []v1.Part{{Name: "sources", State: v1.PartStateOff, Text: message.Text{Zh: "无", En: "none"}}}, Stream: v1.Part{Name: "stream", State: v1.PartStateOk}}
		}
	})
	g := h.admin()
	var a v1.Agenda
	g.holds("GET", "/api/v1/agenda", nil).into(t, &a)
	kinds := map[string]int{}
	for _, x := range a.Items {
		kinds[x.Kind]++
	}
	if kinds["defect"] == 0 || kinds["source"] != 2 || a.Now.IsZero() {
		t.Errorf("%v as of %s", kinds, a.Now)
	}
	// At the time of an attack it goes on.
	x := h.report.Attacks[0]
	x.Verdict, x.Blocked, seen = "confirmed", 0, x.LastSeen
	keep := x
	keep.ID = "0000000000000000000000aa"
	keepOne(t, h, keep)
	g.holds("GET", "/api/v1/agenda?limit=5&site="+x.Site, nil).into(t, &a)
	if len(a.Items) == 0 || len(a.Items) > 5 || a.Items[0].Kind != "attack" || !a.Now.Equal(seen) {
		t.Errorf("%+v", a)
	}
	for _, x := range a.Items {
		if x.Site != keep.Site {
			t.Errorf("%s is of %q", x.ID, x.Site)
		}
	}
	g.must(400, "GET", "/api/v1/agenda?limit=21", nil)
}

// TestNothingSeenHasNoTime: a judge that has seen nothing is at the beginning of
// time, which is no time of traffic.
func TestNothingSeenHasNoTime(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Seen = func() time.Time { return time.Unix(0, 0) } })
	var with, without v1.Overview
	h.admin().must(200, "GET", "/api/v1/overview", nil).into(t, &with)
	h = newHouse(t)
	g := h.admin()
	g.must(200, "GET", "/api/v1/overview", nil).into(t, &without)
	if list, err := h.api.agenda(t.Context(), "", time.Time{}, 5); err != nil || list == nil {
		t.Errorf("an agenda of no time: %v, %v", list, err)
	}
	if !with.Seen.Equal(without.Seen) || with.Seen.Year() < 1980 {
		t.Errorf("seen %s, want what findings tell: %s", with.Seen, without.Seen)
	}
}
