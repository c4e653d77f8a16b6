package lab_test

import (
	"testing"

	"xiezhi/internal/intel/lure"
	"xiezhi/internal/redact"
	"xiezhi/lab"
	"xiezhi/lab/crowd"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// decoyPaths are what the sensors serve by default.
func decoyPaths(t *testing.T) *lure.Plan {
	t.Helper()
	p, err := lure.New(lure.Config{Consent: lure.Consent{By: "lab", On: "2026-11-01"}, Paths: lure.DefaultPaths()}, redact.New([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestNoBenignCrowdTouchesADecoy plays a day of the public of all applications
// with thirty seeds.
func TestNoBenignCrowdTouchesADecoy(t *testing.T) {
	plan := decoyPaths(t)
	seen := 0
	for seed := range uint64(30) {
		town := people.New(seed)
		apps := scene.Build(seed, lab.DefaultStart, town)
		st := stage.New(seed, apps, func(e *stage.Event) error {
			seen++
			if path := e.Exchange.Target; plan.Path(string(path)) {
				t.Errorf("seed %d: %s at %s touches %s", seed, e.Label.Kind, e.App.Name, path)
			}
			return nil
		})
		public := crowd.New(seed, st, town, 0.5)
		public.Day(lab.DefaultStart)
		if err := st.Play(lab.DefaultStart.AddDate(0, 0, 1)); err != nil {
			t.Fatal(err)
		}
		st.Close()
	}
	if seen < 3000 {
		t.Errorf("only %d requests were seen", seen)
	}
}

// TestEverySweepTouchesADecoy: scanners of four months go for what the sensors
// serve, and how soon.
func TestEverySweepTouchesADecoy(t *testing.T) {
	plan := decoyPaths(t)
	type sweep struct{ n, first int }
	sweeps := map[string]*sweep{}
	_, err := lab.Play(t.Context(), lab.Config{Seed: 5, Months: 4}, func(e *stage.Event) error {
		if e.Label.Kind != "vulnerability_scan" {
			if plan.Path(string(e.Exchange.Target)) {
				t.Errorf("%q at %s touches %s", e.Label.Kind, e.App.Name, e.Exchange.Target)
			}
			return nil
		}
		s := sweeps[e.Label.Attack]
		if s == nil {
			s = &sweep{}
			sweeps[e.Label.Attack] = s
		}
		if s.n++; s.first == 0 && plan.Path(string(e.Exchange.Target)) {
			s.first = s.n
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(sweeps) < 3 {
		t.Fatalf("%d sweeps in four months", len(sweeps))
	}
	for id, s := range sweeps {
		if s.first == 0 || s.first > 60 {
			t.Errorf("%s: the first touch among %d requests is number %d", id, s.n, s.first)
		}
		t.Logf("%s: touch %d of %d requests", id, s.first, s.n)
	}
}
