package engine

import (
	"context"
	"crypto/rand"
	"os"
	"slices"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/judge"
	"xiezhi/internal/policy"
	"xiezhi/internal/source"
	"xiezhi/internal/stream"
)

const triedRules = `version: 1
rules:
- {id: refused, title: {zh: 被拒绝, en: Refused}, when: 'response.status == 401', harm: moderate, advice: {zh: 看, en: look}}
- {id: users, title: {zh: 用户, en: Users}, scope: {template: "/users/**"}, given: 'response.status < 300', when: 'who.anonymous', harm: moderate, advice: {zh: 看, en: look}}
- {id: breaks, title: {zh: 坏, en: Breaks}, when: 'response.leaves[100000].record == 1', harm: moderate, advice: {zh: 看, en: look}}
- {id: nowhere, title: {zh: 无, en: Nowhere}, scope: {site: nowhere.example}, when: 'true', harm: moderate, advice: {zh: 看, en: look}}
`

func parsedRules(t *testing.T, text string) *policy.File {
	t.Helper()
	f, err := policy.Parse("rules", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestTrialMeetsWhatAnalyzeMeets: rules that are tried out on what the stream
// holds meet what they meet in the same traffic as a file. What came before an
// API was recognised the trial counts, too, as it has learned the APIs by then.
func TestTrialMeetsWhatAnalyzeMeets(t *testing.T) {
	h := newHall(t)
	s := h.served(h.config(newFileSource(vampiCapture)))
	before := found(s.Report())
	f := parsedRules(t, triedRules)
	got, err := s.TryRules(t.Context(), []*policy.File{f}, Trial{Samples: 7})
	if err != nil {
		t.Fatal(err)
	}
	in, err := source.Expand([]string{vampiCapture}, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	want, err := Analyze(t.Context(), AnalyzeConfig{Inputs: in, Version: "test", Tools: h.tools, Packs: []*policy.File{f}, Random: rand.Reader,
		Temp: func() (judge.SpillFile, error) { return os.CreateTemp(dir, "spill-*") }})
	if err != nil {
		t.Fatal(err)
	}
	fired := map[string]uint64{}
	for _, x := range want.Hits {
		fired[x.Rule] += x.Fired
	}
	if got.Exchanges != want.Report.Input.Analysed || got.Stopped != "" || got.First == 0 || got.Last < got.First {
		t.Errorf("%d of %d exchanges were looked at, stopped: %q", got.Exchanges, want.Report.Input.Analysed, got.Stopped)
	}
	for _, r := range got.Rules {
		apis, verdicts := r.Further, uint64(0)
		for _, a := range r.APIs {
			apis += a.Matched
		}
		for _, n := range r.Verdicts {
			verdicts += n
		}
		if apis != r.Matched || verdicts != r.Matched || len(r.Samples) != int(min(7, r.Matched)) {
			t.Errorf("%s: %d matches, %d by API, %d by verdict, %d samples", r.ID, r.Matched, apis, verdicts, len(r.Samples))
		}
		if !slices.IsSortedFunc(r.Samples, func(a, b TriedSample) int { return int(b.Time - a.Time) }) {
			t.Errorf("%s: samples are in no order", r.ID)
		}
		switch r.ID {
		case "refused", "users":
			if r.Matched < fired[r.ID] || r.Matched > fired[r.ID]+fired[r.ID]/5+5 || fired[r.ID] == 0 {
				t.Errorf("%s matched %d, in the file %d", r.ID, r.Matched, fired[r.ID])
			}
			if r.ID == "refused" && r.Verdicts[3]+r.Verdicts[2]+r.Verdicts[1] == 0 {
				t.Error("no refused request belongs to an attack")
			}
			if r.ID == "users" && r.Apart == 0 {
				t.Error("every request could fire")
			}
		case "breaks":
			if r.Failed != r.Looked || r.Failed == 0 {
				t.Errorf("%d of %d failed", r.Failed, r.Looked)
			}
		case "nowhere":
			if r.Looked != 0 {
				t.Errorf("%d were looked at", r.Looked)
			}
		}
	}
	sameFindings(t, found(s.Report()), before) // nothing was used
	if _, err := s.TryRules(t.Context(), []*policy.File{parsedRules(t, "version: 1\nrules:\n- {id: a, title: {zh: 甲, en: A}, when: 'nothing', harm: high, advice: {zh: 乙, en: B}}\n")}, Trial{}); err == nil {
		t.Error("what does not compile was tried")
	}
}

// TestTrialIsBounded by number, by time and by age, and takes the newest.
func TestTrialIsBounded(t *testing.T) {
	h := newHall(t)
	s := h.served(h.config(newFileSource(vampiCapture)))
	f := []*policy.File{parsedRules(t, "version: 1\nrules:\n- {id: all, title: {zh: 全, en: All}, when: 'true', harm: high, advice: {zh: 乙, en: B}}\n")}
	all, err := s.TryRules(t.Context(), f, Trial{Samples: 1})
	if err != nil {
		t.Fatal(err)
	}
	recent, err := s.TryRules(t.Context(), f, Trial{Since: time.Duration(all.Last-all.First) / 4, Samples: 1})
	if err != nil {
		t.Fatal(err)
	}
	if recent.Exchanges == 0 || recent.Exchanges >= all.Exchanges || recent.Last != all.Last || recent.First < all.Last-(all.Last-all.First)/4 {
		t.Errorf("of the last quarter %d of %d were looked at, from %d to %d", recent.Exchanges, all.Exchanges, recent.First, recent.Last)
	}
	none, err := s.TryRules(t.Context(), f, Trial{Site: "nowhere.example"})
	if err != nil || none.Exchanges != 0 {
		t.Errorf("of no site: %+v, %v", none, err)
	}
	ticking := &judging{}
	*ticking = judging{cfg: s.cfg, tools: s.tools, part: s.part, ready: s.ready}
	now := h.now()
	ticking.cfg.Now = func() time.Time { now = now.Add(time.Second); return now }
	over := &Service{cfg: ticking.cfg, front: s.front, judging: ticking}
	late, err := over.TryRules(t.Context(), f, Trial{Took: time.Second})
	if err != nil || late.Stopped != "time" || late.Exchanges == all.Exchanges {
		t.Errorf("without time: %+v, %v", late, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.TryRules(gone, f, Trial{}); err == nil {
		t.Error("nobody waits for it any more, and it went on")
	}
	out, err := s.DryRun(t.Context(), f[0], v1.RuleDryRun{Hours: 168, Limit: 3})
	if err != nil || len(out.Rules) != 1 || len(out.Rules[0].Samples) != 3 || out.Rules[0].Samples[0].Exchange == "" || out.Last.IsZero() {
		t.Errorf("%+v, %v", out, err)
	}
	for _, x := range out.Rules[0].Samples {
		if len(x.Request) == 0 || !slices.Contains([]v1.TriedSampleVerdict{"none", "suspicious", "likely", "confirmed"}, x.Verdict) {
			t.Errorf("%+v", x)
		}
	}
}

// TestTrialReadsBlocks: nothing of a block is read twice or left out, and what is
// gone is passed over.
func TestTrialReadsBlocks(t *testing.T) {
	h := newHall(t)
	for range 40 {
		if err := h.bus.Publish(t.Context(), stream.Batch{ID: "x", Data: []byte{'?'}}); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := h.bus.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := stats[0].Last
	tr := &trial{now: h.now, enough: 1 << 30}
	blocks, err := tr.back(t.Context(), h.bus, 0, &stats[0], h.now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]int{}
	for _, b := range blocks {
		if err := read(t.Context(), h.bus, 0, b, func(m stream.Message) error { seen[m.Seq]++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for n := stats[0].First; n <= last; n++ {
		if seen[n] != 1 {
			t.Errorf("%d was read %d times", n, seen[n])
		}
	}
	if len(seen) != int(last-stats[0].First+1) || blocks[0].to != last {
		t.Errorf("%d of %d were read, in %v", len(seen), last, blocks)
	}
}
