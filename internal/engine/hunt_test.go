package engine

import (
	"slices"
	"testing"
	"time"

	"xiezhi/internal/policy"
	"xiezhi/internal/report"
)

// TestHuntFindsWhatWasFound: judged anew with nothing new, the stream gives what
// the judges found, decisions of people included; with a rule it gives that too,
// and the judges know nothing of it.
func TestHuntFindsWhatWasFound(t *testing.T) {
	h := newHall(t)
	s := h.served(h.config(newFileSource(vampiCapture)))
	live := found(s.Report())
	told := 0
	got, err := s.Hunt(t.Context(), Hunt{Told: func(x Hunted) { told++ }})
	if err != nil {
		t.Fatal(err)
	}
	sameFindings(t, found(got.Report), live)
	if got.Stopped != "" || got.Exchanges != s.Report().Input.Analysed || got.Events == 0 || got.Events != got.All || got.First == 0 || got.Last < got.First {
		t.Errorf("%d exchanges of %d, %d events of %d, stopped %q", got.Exchanges, s.Report().Input.Analysed, got.Events, got.All, got.Stopped)
	}

	got, err = s.Hunt(t.Context(), Hunt{Name: "rules", Text: []byte(triedRules)})
	if err != nil {
		t.Fatal(err)
	}
	custom := func(r *report.Report) (n int) {
		for _, d := range r.Defects {
			if d.Kind == "custom" {
				n++
			}
		}
		return n
	}
	if custom(got.Report) == 0 || custom(s.Report()) != 0 {
		t.Errorf("the rule found %d, the judges %d", custom(got.Report), custom(s.Report()))
	}
	if len(got.Report.Defects) < len(s.Report().Defects) {
		t.Errorf("%d defects with rules, %d without", len(got.Report.Defects), len(s.Report().Defects))
	}
	sameFindings(t, found(s.Report()), live)
}

// TestHuntIsBounded: by period, number and time; what does not compile is an
// error of the text.
func TestHuntIsBounded(t *testing.T) {
	h := newHall(t)
	s := h.served(h.config(newFileSource(vampiCapture)))
	all, err := s.Hunt(t.Context(), Hunt{})
	if err != nil {
		t.Fatal(err)
	}
	middle := time.Unix(0, (all.First+all.Last)/2)
	before, err := s.Hunt(t.Context(), Hunt{To: middle})
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.Hunt(t.Context(), Hunt{From: middle})
	if err != nil {
		t.Fatal(err)
	}
	if before.Exchanges == 0 || after.Exchanges == 0 || before.Exchanges+after.Exchanges != all.Exchanges {
		t.Errorf("%d and %d are not %d", before.Exchanges, after.Exchanges, all.Exchanges)
	}
	if before.Last >= middle.UnixNano() || after.First < middle.UnixNano() {
		t.Error("the halves overlap")
	}
	few, err := s.Hunt(t.Context(), Hunt{Most: 100})
	if err != nil || few.Stopped != "number" || few.Exchanges < 100 || few.Exchanges == all.Exchanges {
		t.Errorf("%v, %d exchanges, stopped %q", err, few.Exchanges, few.Stopped)
	}
	short, err := s.Hunt(t.Context(), Hunt{Took: -1})
	if err != nil || short.Stopped != "time" {
		t.Errorf("%v, stopped %q", err, short.Stopped)
	}
	if _, err := s.Hunt(t.Context(), Hunt{Name: "rules", Text: []byte("version: 1\nrules:\n- {id: x, title: {zh: 坏, en: Bad}, when: 'response.', harm: low, advice: {zh: 看, en: look}}\n")}); err == nil {
		t.Error("a rule that does not compile was used")
	}
}

// TestHuntHoldsToDecisions: what a person decided holds in a hunt as well, from
// its own time on.
func TestHuntHoldsToDecisions(t *testing.T) {
	h := newHall(t)
	cfg := h.config(newFileSource(vampiCapture))
	s, end := h.run(cfg)
	<-cfg.Sources[0].(*fileSource).ended
	h.idle(s)
	soon(t, "something is found", func() bool { return s.Report() != nil && len(s.Report().Defects) > 0 })
	d := s.Report().Defects[0]
	f, err := policy.Parse("verdict", []byte("version: 1\nverdicts:\n- {defect: "+d.ID+", verdict: false_positive, reason: a test}\n"))
	if err != nil {
		t.Fatal(err)
	}
	e := f.Entries("")[0]
	e.At = s.Now().UnixNano()
	if err := s.Decide(t.Context(), "d-1", "u-1", "", e, false); err != nil {
		t.Fatal(err)
	}
	h.idle(s)
	end()
	live := found(s.Report())
	got, err := s.Hunt(t.Context(), Hunt{})
	if err != nil {
		t.Fatal(err)
	}
	sameFindings(t, found(got.Report), live)
	i := slices.IndexFunc(got.Report.Defects, func(x report.Defect) bool { return x.ID == d.ID })
	if i >= 0 && got.Report.Defects[i].Status == d.Status {
		t.Errorf("the defect is still %v", d.Status)
	}
}
