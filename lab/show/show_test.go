package show_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"os"
	"testing"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/exchange"
	"xiezhi/internal/judge"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/lab"
	"xiezhi/lab/show"
	"xiezhi/rules"
)

var until = time.Date(2026, 11, 27, 15, 30, 0, 0, lab.Zone())

// TestHistory analyses a shorter history and holds it to what a demonstration
// has to show.
func TestHistory(t *testing.T) {
	s, err := show.New(show.Config{Seed: 1, Until: until, Months: 7})
	if err != nil {
		t.Fatal(err)
	}
	tools, err := engine.LoadTools(rules.FS, [32]byte{4, 5, 6})
	if err != nil {
		t.Fatal(err)
	}
	conf, err := s.Config()
	if err != nil {
		t.Fatal(err)
	}
	spill := t.TempDir()
	res, err := engine.Analyze(t.Context(), engine.AnalyzeConfig{Version: "test", Tools: tools, File: conf, Policy: s.Claims(), Zone: lab.Zone(), Workers: 2, Random: rand.Reader,
		Live: engine.Live{Sources: []source.Source{s}}, Temp: func() (judge.SpillFile, error) { return os.CreateTemp(spill, "spill-*") }})
	if err != nil {
		t.Fatal(err)
	}
	r := res.Report
	sites, industries := map[string]bool{}, map[string]bool{}
	for _, x := range r.Sites {
		sites[x.Name], industries[x.Industry] = true, true
	}
	classes, statuses := map[string]bool{}, map[string]int{}
	for i := range r.Defects {
		classes[r.Defects[i].Class] = true
		statuses[r.Defects[i].Status]++
	}
	kinds, recent := map[string]bool{}, 0
	for i := range r.Attacks {
		kinds[r.Attacks[i].Kind] = true
		if r.Attacks[i].LastSeen.After(until.Add(-5 * time.Hour)) {
			recent++
		}
	}
	across := 0
	for i := range r.Campaigns {
		if len(r.Campaigns[i].Sites) > 1 {
			across++
		}
	}
	for _, c := range []struct {
		what        string
		have, least int
	}{
		{"sites", len(sites), 10},
		{"industries", len(industries), 9},
		{"classes of defects", len(classes), 5},
		{"kinds of attack", len(kinds), 8},
		{"attacks of the last hours", recent, 6},
		{"campaigns across sites", across, 2},
		{"defects proven mended", statuses["fixed"], 1},
		{"defects that came back", statuses["regressed"], 1},
		{"defects whose repair is being proven", statuses["verifying"] + statuses["fix_claimed"], 1},
		{"months with attacked APIs", len(r.Statistics.AttackedAPIsByMonth), 6},
	} {
		if c.have < c.least {
			t.Errorf("%d %s, at least %d", c.have, c.what, c.least)
		}
	}
	for _, kind := range []string{"carding", "scalping", "promotion_abuse"} {
		if !kinds[kind] {
			t.Errorf("no %s", kind)
		}
	}
	for kind, x := range r.Statistics.ScenarioShare {
		if x.Requests == 0 {
			t.Errorf("nothing of scenario %s", kind)
		}
	}
	if len(r.Input.Dropped) > 0 {
		t.Errorf("dropped: %v", r.Input.Dropped)
	}
	if t.Failed() {
		t.Log(found(r))
	}
}

// found lists findings, to read when the test fails.
func found(r *report.Report) string {
	out := map[string]map[string]int{"defects": {}, "attacks": {}}
	for i := range r.Defects {
		out["defects"][r.Defects[i].Kind+" "+r.Defects[i].Status]++
	}
	for i := range r.Attacks {
		out["attacks"][r.Attacks[i].Kind]++
	}
	b, _ := json.MarshalIndent(out, "", " ") // of strings and numbers
	return string(b)
}

// played gives the exchanges of a play, as a hash and a number.
func played(t *testing.T, cfg show.Config, more func(*show.Show)) (sum [32]byte, n int) {
	t.Helper()
	s, err := show.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if more != nil {
		go func() {
			<-s.Filled()
			more(s)
			stop()
		}()
	}
	h := sha256.New()
	var enc exchange.HAREncoder
	var last int64
	err = s.Run(ctx, source.SinkFunc(func(x *exchange.Exchange) error {
		if x.Start < last {
			t.Errorf("%s begins before the one before", x.ID)
		}
		last = x.Start
		n++
		h.Write(enc.Append(nil, x))
		return nil
	}), &source.Ledger{})
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(h.Sum(nil)), n
}

// TestSameHistory: the history depends on the configuration alone.
func TestSameHistory(t *testing.T) {
	cfg := show.Config{Seed: 3, Until: until, Months: 1}
	a, n := played(t, cfg, nil)
	if b, _ := played(t, cfg, nil); a != b {
		t.Error("two plays differ")
	}
	if n < 5000 {
		t.Errorf("%d exchanges", n)
	}
	cfg.Seed = 4
	if b, _ := played(t, cfg, nil); a == b {
		t.Error("another seed gives the same")
	}
}

// TestLive: when the history is over, traffic goes on as the clock does, past
// midnight too.
func TestLive(t *testing.T) {
	begun := time.Now()
	fast := func() time.Time { return until.Add(time.Since(begun) * 36_000) } // ten hours a second
	_, history := played(t, show.Config{Seed: 3, Until: until, Months: 1}, nil)
	_, n := played(t, show.Config{Seed: 3, Until: until, Months: 1, Clock: fast}, func(s *show.Show) {
		for {
			if _, n := s.Progress(); int(n) > history+3000 {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	if n <= history+3000 {
		t.Errorf("%d exchanges, %d of them history", n, history)
	}
}

func TestRefusesMonths(t *testing.T) {
	for _, n := range []int{0, -1, lab.MaxMonths + 1} {
		if _, err := show.New(show.Config{Until: until, Months: n}); err == nil {
			t.Errorf("%d months are taken", n)
		}
	}
}
