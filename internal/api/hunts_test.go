package api

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report"
	"xiezhi/internal/report/reporttest"
)

// hunting is a way to hunt that waits until it is let go.
type hunting struct {
	gate  chan error
	order HuntOrder
	found *report.Report
}

func (x *hunting) hunt(ctx context.Context, o HuntOrder, told func(HuntTold)) (HuntTold, *report.Report, error) {
	x.order = o
	told(HuntTold{Progress: .5, Exchanges: 10, First: start, Last: start.Add(time.Hour)})
	select {
	case err := <-x.gate:
		return HuntTold{Progress: .9, Exchanges: 20, First: start, Last: start.Add(2 * time.Hour)}, x.found, err
	case <-ctx.Done():
		return HuntTold{}, nil, ctx.Err()
	}
}

func TestHunts(t *testing.T) {
	x := &hunting{gate: make(chan error)}
	h := newHouse(t, func(c *Config) { c.Hunt = x.hunt })
	more, both := reporttest.Small(5, h.msgs), *h.report
	both.Defects = append(both.Defects[:len(both.Defects):len(both.Defects)], more.Defects[0])
	both.Attacks = append(both.Attacks[:len(both.Attacks):len(both.Attacks)], more.Attacks[0])
	x.found = &both
	g := h.admin()
	var got v1.Hunt
	g.must(202, "POST", "/api/v1/hunts", map[string]any{"yaml": "version: 1\n", "from": start, "to": start.Add(time.Hour)}).into(t, &got)
	if got.State != v1.HuntStateRunning || got.Id == "" || !got.From.Equal(start) {
		t.Fatalf("%+v", got)
	}
	if p := g.ask("POST", "/api/v1/hunts", map[string]any{}).problem(t); p.Code != "hunting" || p.Detail == "" {
		t.Errorf("%+v", p)
	}
	one := "/api/v1/hunts/" + got.Id
	wait := func(holds func() bool) {
		t.Helper()
		for i := 0; !holds(); i++ {
			if i > 5000 {
				t.Fatalf("%+v", got)
			}
			time.Sleep(time.Millisecond)
			g.must(200, "GET", one, nil).into(t, &got)
		}
	}
	wait(func() bool { return got.Exchanges == 10 })
	if got.Progress != .5 || !got.First.Equal(start) || string(x.order.Text) != "version: 1\n" || !x.order.To.Equal(start.Add(time.Hour)) {
		t.Errorf("%+v %+v", got, x.order)
	}
	g.must(404, "GET", one+"/report", nil)
	x.gate <- nil
	wait(func() bool { return got.State == v1.HuntStateDone })
	if got.Progress != 1 || got.Exchanges != 20 || got.Found.Defects != int64(len(x.found.Defects)) || len(got.New) != 2 || got.New[0].Id != more.Attacks[0].ID || got.New[1].Id != more.Defects[0].ID || got.Ended.IsZero() {
		t.Errorf("%d new, %d exchanges, progress %v, found %+v", len(got.New), got.Exchanges, got.Progress, got.Found)
	}
	for _, f := range got.New {
		if f.Id == "" || f.Reason.En == "" || f.Reason.Zh == "" || f.Record == "" {
			t.Errorf("%+v", f)
		}
	}
	for _, format := range []string{"json", "html", "xlsx", "sarif"} {
		if a := g.must(200, "GET", one+"/report?format="+format, nil); len(a.body) < 1000 || a.head.Get("Content-Disposition") == "" {
			t.Errorf("%s: %d bytes, %v", format, len(a.body), a.head)
		}
	}
	g.must(204, "DELETE", one, nil)
	g.must(404, "GET", one, nil)
	g.must(404, "DELETE", one, nil)
}

// TestHuntsEnd: one that fails says so, one that is ended ends, and so do all
// with the API.
func TestHuntsEnd(t *testing.T) {
	x := &hunting{gate: make(chan error)}
	h := newHouse(t, func(c *Config) { c.Hunt = x.hunt })
	x.found = h.report
	g := h.admin()
	begin := func() (got v1.Hunt) {
		t.Helper()
		g.must(202, "POST", "/api/v1/hunts", map[string]any{}).into(t, &got)
		return got
	}
	states := func() string {
		var list v1.Hunts
		g.must(200, "GET", "/api/v1/hunts", nil).into(t, &list)
		out := ""
		for _, i := range list.Items {
			out += " " + string(i.State)
		}
		return out
	}
	become := func(want string) {
		t.Helper()
		for i := 0; states() != want; i++ {
			if i > 5000 {
				t.Fatalf("%q is not %q", states(), want)
			}
			time.Sleep(time.Millisecond)
		}
	}
	begin()
	x.gate <- errors.New("the stream is gone")
	become(" failed")
	ended := begin()
	g.must(204, "DELETE", "/api/v1/hunts/"+ended.Id, nil)
	h.api.hunts.over.Wait()
	become(" failed")
	for range maxHunts + 2 {
		begin()
		x.gate <- nil
		h.api.hunts.over.Wait()
	}
	var list v1.Hunts
	g.must(200, "GET", "/api/v1/hunts", nil).into(t, &list)
	if len(list.Items) != maxHunts || list.Items[0].State != v1.HuntStateDone || len(list.Items[0].New) != 0 {
		t.Errorf("%d are remembered: %s", len(list.Items), states())
	}
	begin()
	h.api.hunts.close()
	if s := states(); s[:7] != " failed" {
		t.Errorf("one outlived the API: %s", s)
	}
}

func TestWhatIsNotHunted(t *testing.T) {
	x := &hunting{gate: make(chan error)}
	h := newHouse(t, func(c *Config) { c.Hunt, c.TestRules = x.hunt, compileRules })
	g := h.admin()
	for body, code := range map[string]string{
		`{"yaml":"version: 1\nrules: [{id: x, when: \"response.\"}]\n"}`: "hunt_text",
		`{"yaml":"no: policy\n"}`:                                     "hunt_text",
		`{"from":"2026-03-01T00:00:00Z","to":"2026-02-01T00:00:00Z"}`: "invalid",
		`{"from":"yesterday"}`:                                        "invalid",
		`{"more":1}`:                                                  "invalid",
		`{"yaml":"a: ` + strings.Repeat("[", 400) + `"}`:              "hunt_text",
	} {
		if p := g.ask("POST", "/api/v1/hunts", json.RawMessage(body)).problem(t); p.Code != code {
			t.Errorf("%s: %+v", cut(body, 80), p)
		}
	}
	if p := newHouse(t).admin().ask("POST", "/api/v1/hunts", map[string]any{}).problem(t); p.Code != "unavailable" {
		t.Errorf("%+v", p)
	}
}

// noHunt finds nothing.
func noHunt(context.Context, HuntOrder, func(HuntTold)) (HuntTold, *report.Report, error) {
	return HuntTold{}, &report.Report{Input: report.NewInput()}, nil
}
