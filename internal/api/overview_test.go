package api

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
	"xiezhi/internal/taxonomy"
)

// TestOverviewCountsWhatIsKept holds every figure against a plain loop.
func TestOverviewCountsWhatIsKept(t *testing.T) {
	seen := time.Time{}
	in := report.NewInput()
	in.Quality = append(in.Quality, report.QualityCount{Code: "detector_not_warm", Count: 1, Detail: "a\x1b[2Jb"})
	in.Blind = append(in.Blind, report.Blind{Server: "192.0.2.9:443", Protocol: "tls", Connections: 4, Bytes: 9})
	h := newHouse(t, func(c *Config) {
		c.Input, c.Seen = func() *report.Input { return &in }, func() time.Time { return seen }
		c.Status = func(context.Context) v1.Status {
			return v1.Status{Status: v1.StatusStatusOk, Stream: v1.Part{Name: "stream", State: v1.PartStateOk},
				Judges: []v1.Part{{Name: "order", State: v1.PartStateOk, Figures: map[string]float64{"late": 5, "clock_ahead": 2}}}}
		}
	})
	r := h.report
	seen = r.Attacks[0].LastSeen
	g := h.admin()
	for _, days := range []int{1, 7, 60, 300} {
		for _, site := range []string{"", r.Attacks[0].Site} {
			from := seen.AddDate(0, 0, -days)
			var o v1.Overview
			g.holds("GET", fmt.Sprintf("/api/v1/overview?from=%s&to=%s&site=%s", from.UTC().Format(time.RFC3339), seen.UTC().Format(time.RFC3339), site), nil).into(t, &o)
			if o.From.After(from) || o.To.Before(seen) || o.Rows.Traffic.Starts != nil {
				t.Fatalf("%s to %s, rows %+v", o.From, o.To, o.Rows)
			}
			back := o.From.Add(-o.To.Sub(o.From))
			went := func(first, last time.Time, of string, f *v1.Figure) {
				if site != "" && of != site {
					return
				}
				if !last.Before(o.From) && first.Before(o.To) {
					f.Value++
				}
				if !last.Before(back) && first.Before(o.From) {
					f.Before++
				}
			}
			var apis, attacks, fresh v1.Figure
			for i := range r.APIs {
				a := &r.APIs[i]
				went(a.FirstSeen, a.LastSeen, a.Site, &apis)
				went(a.FirstSeen, a.FirstSeen, a.Site, &fresh)
			}
			requests := map[string]int64{}
			for i := range r.Attacks {
				a := &r.Attacks[i]
				if a.Verdict == "suspicious" {
					continue
				}
				went(a.FirstSeen, a.LastSeen, a.Site, &attacks)
				if site != "" && a.Site != site || a.LastSeen.Before(o.From) || !a.FirstSeen.Before(o.To) {
					continue
				}
				for _, d := range a.Activity {
					if d.Day >= o.From.Format(time.DateOnly) && d.Day <= o.To.Add(-1).Format(time.DateOnly) {
						requests[a.Scenario] += int64(d.Requests)
					}
				}
			}
			if o.Apis != apis || o.Attacks != attacks || o.NewApis != fresh {
				t.Errorf("%d days of %q: APIs %v, new %v, attacks %v; want %v, %v, %v", days, site, o.Apis, o.NewApis, o.Attacks, apis, fresh, attacks)
			}
			share := 0.0
			for _, s := range o.Scenarios {
				if share += s.Share; s.Requests != requests[s.Scenario] {
					t.Errorf("%s: %d requests, want %d", s.Scenario, s.Requests, requests[s.Scenario])
				}
			}
			if len(o.Scenarios) > 0 && (share < 0.999 || share > 1.001) && requests[o.Scenarios[0].Scenario] > 0 || o.ScenariosLeftOut != 0 {
				t.Errorf("the shares sum up to %f", share)
			}
			want := int64(0)
			for i := range r.Defects {
				if d := &r.Defects[i]; !d.Closed() && (site == "" || siteOf(r, d.API) == site) {
					want++
				}
			}
			if o.Defects.Value != want || o.Defects.Before+o.Defects.New != want {
				t.Errorf("%+v, want %d open defects", o.Defects, want)
			}
			q := o.Quality
			if len(q.Codes) != 1 || !q.NotWarm || q.Late != 5 || q.Ahead != 2 || len(q.Blind) != 1 || len(q.Sites) == 0 || slices.Contains([]byte(q.Codes[0].Text.En), 0x1b) {
				t.Errorf("%+v", q)
			}
			if site == "" && len(o.Agenda) != 5 {
				t.Errorf("%d to do", len(o.Agenda))
			}
		}
	}
	for _, q := range []string{"from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from=2020-01-01T00:00:00Z", "from=1970-01-01T00:00:00Z&to=1970-06-01T00:00:00Z", "offset=841"} {
		g.must(400, "GET", "/api/v1/overview?"+q, nil)
	}
}

func siteOf(r *report.Report, api string) string {
	for i := range r.APIs {
		if r.APIs[i].ID == api {
			return r.APIs[i].Site
		}
	}
	return ""
}

// TestOverviewCountsClosedDefects: what was mended since was open before.
func TestOverviewCountsClosedDefects(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	now := h.report.Attacks[0].LastSeen
	var before v1.Overview
	path := "/api/v1/overview?to=" + now.UTC().Format(time.RFC3339)
	g.must(200, "GET", path, nil).into(t, &before)
	for i, at := range []time.Time{now.Add(-time.Hour), now.AddDate(0, 0, -9)} {
		d := h.report.Defects[0]
		d.ID, d.Status, d.FirstSeen, d.LastSeen = fmt.Sprintf("%016x", i+1), string(taxonomy.Fixed), now.AddDate(0, 0, -20), now
		d.Life = &report.Life{History: []report.Step{{Time: at, Status: d.Status, Text: message.Text{Zh: "修复", En: "fixed"}}}}
		keepDefect(t, h, d)
	}
	var after v1.Overview
	if g.must(200, "GET", path, nil).into(t, &after); after.Defects.Value != before.Defects.Value || after.Defects.Before != before.Defects.Before+1 {
		t.Errorf("%+v, before %+v", after.Defects, before.Defects)
	}
}

// TestOverviewOfRows counts rows of a made-up day with a surge at its end.
func TestOverviewOfRows(t *testing.T) {
	m := &lockedRows{Model: observationtest.NewModel()}
	start := observationtest.Start.Truncate(24 * time.Hour)
	var list []observation.Row
	add := func(at time.Duration, n int, v observation.Verdict, status uint16, people uint32) {
		for range n {
			r := observationtest.Row(1)
			r.Position = observation.Position{Partition: 1, Seq: uint64(len(list) + 1)}
			r.Time, r.Verdict, r.Subjects, r.Site, r.Outcome = start.Add(at).UnixNano(), v, people, "a.example", 1
			if status == 403 {
				r.Outcome = 3
			}
			list = append(list, r)
		}
	}
	add(-20*time.Hour, 7, observation.Normal, 200, 1)
	add(2*time.Hour, 5, observation.Normal, 200, 2)
	add(18*time.Hour, 160, observation.Attack, 403, 0)
	add(21*time.Hour+50*time.Minute, 90, observation.Attack, 200, 3)
	add(21*time.Hour+55*time.Minute, 2, observation.Suspicious, 403, 0)
	if err := m.Append(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(c *Config) {
		c.Observations, c.Seen = m, func() time.Time { return start.Add(22 * time.Hour) }
	})
	g := h.admin()
	var o v1.Overview
	g.holds("GET", "/api/v1/overview?site=a.example", nil).into(t, &o)
	x := o.Rows
	want := v1.RequestFigures{Normal: v1.Figure{Value: 5, Before: 7}, Attack: v1.Figure{Value: 250}, Suspicious: v1.Figure{Value: 2}, Blocked: v1.Figure{Value: 162}}
	if x.Requests != want || x.People != (v1.Figure{Value: 270}) || x.Records != (v1.Figure{Value: 280, Before: 7}) {
		t.Errorf("%+v", x)
	}
	if s := x.Surge; s.Requests != 90 || s.Reference != 10 || s.Ratio != 9 || !s.Surge || !s.To.Equal(start.Add(22*time.Hour)) {
		t.Errorf("%+v", s)
	}
	if o.Step != v1.StepHour || len(x.Traffic.Starts) != 24 || len(x.Traffic.Blocked) != 24 || x.Traffic.Normal[4] != 5 {
		t.Errorf("%s %+v", o.Step, x.Traffic)
	}
	if g.holds("GET", "/api/v1/overview?site=b.example", nil).into(t, &o); o.Rows.Requests.Attack.Value != 0 || len(o.Rows.Traffic.Attack) != 24 {
		t.Errorf("nothing of a site gives %+v", o.Rows)
	}
}
