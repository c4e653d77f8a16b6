package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"xiezhi/internal/judge/sequence"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
	"xiezhi/internal/store/record"
	"xiezhi/internal/stream"
	"xiezhi/internal/stream/streamtest"
	"xiezhi/rules"
)

// TestServiceFindsWhatAnalyzeFinds: the same traffic through the bus gives the
// same report, in the records as well.
func TestServiceFindsWhatAnalyzeFinds(t *testing.T) {
	h := newHall(t)
	s := h.served(h.config(newFileSource(vampiCapture)))
	want := h.analysed(vampiCapture)
	if len(want.Attacks) < 5 || len(want.Defects) < 5 {
		t.Fatalf("%d attacks, %d defects", len(want.Attacks), len(want.Defects))
	}
	sameFindings(t, found(s.Report()), found(want))
	kept, cut, bad, err := kept.Report(t.Context(), h.records, "test", rules.Version)
	if err != nil || bad != 0 || len(cut) != 0 {
		t.Fatal(err, bad, cut)
	}
	for what, pair := range map[string][2]any{"APIs": {kept.APIs, want.APIs}, "defects": {kept.Defects, want.Defects}, "attacks": {kept.Attacks, want.Attacks}, "campaigns": {kept.Campaigns, want.Campaigns}, "sites": {kept.Sites, want.Sites}} {
		a, _ := json.Marshal(pair[0])
		b, _ := json.Marshal(pair[1])
		if !bytes.Equal(a, b) {
			t.Errorf("%s in the records differ: %d and %d", what, reflect.ValueOf(pair[0]).Len(), reflect.ValueOf(pair[1]).Len())
		}
	}
}

// TestServiceGoesOn: partitions that take over from each other at odd moments,
// each from the state of the one before, find what one finds.
func TestServiceGoesOn(t *testing.T) {
	h := newHall(t)
	s := h.served(h.config(newFileSource(vampiCapture)))
	want := found(s.Report())

	stats, err := h.bus.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, every := range []int{1, 7} {
		t.Run(fmt.Sprint(every), func(t *testing.T) {
			fresh := func() *partition {
				p, err := s.fresh()
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			p := fresh()
			saves, n := 0, 0
			over := errors.New("over")
			err := h.bus.Read(t.Context(), 0, 0, func(m stream.Message) error {
				p.take(m)
				if n++; n%every == 0 {
					var b bytes.Buffer
					if err := p.save(&b); err != nil {
						t.Fatal(err)
					}
					whole := b.Bytes()
					next := fresh()
					if err := next.restore(bytes.NewReader(whole), sequence.Config{}); err != nil {
						t.Fatal(err)
					}
					if saves++; saves%5 == 0 {
						if err := fresh().restore(bytes.NewReader(whole[:len(whole)*2/3]), sequence.Config{}); err == nil {
							t.Error("a part of a state was taken for one")
						}
					}
					p = next
				}
				if m.Seq == stats[0].Last {
					return over
				}
				return nil
			})
			if !errors.Is(err, over) || saves < 2 {
				t.Fatal(err, saves)
			}
			other := &judging{cfg: s.cfg, tools: s.tools, part: p}
			r, _ := other.build()
			sameFindings(t, found(r), want)
		})
	}
}

// TestServiceStartsAgain: what a service knew is there after a restart, also
// without its state as long as the stream holds the traffic, and is not counted
// twice.
func TestServiceStartsAgain(t *testing.T) {
	h := newHall(t)
	s := h.served(h.config(newFileSource(vampiCapture)))
	want := found(s.Report())

	again := func(what string) {
		s, end := h.run(h.config())
		<-s.Ready()
		end()
		t.Log(what)
		sameFindings(t, found(s.Report()), want)
	}
	again("with its state")
	files, err := filepath.Glob(filepath.Join(h.folder.Path(), "state", "*.state"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.Truncate(files[0], 1000); err != nil {
		t.Fatal(err)
	}
	again("with a damaged state")
	for _, pattern := range []string{"*.state", "*.before"} {
		files, _ := filepath.Glob(filepath.Join(h.folder.Path(), "state", pattern))
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	again("without a state")
}

// TestDecisionsAreEvents: a verdict is in effect after a restart from nothing
// but the stream.
func TestDecisionsAreEvents(t *testing.T) {
	h := newHall(t)
	s := h.served(h.config(newFileSource(vampiCapture)))
	want := s.Report()
	id, kind := s.Report().Defects[0].ID, s.Report().Defects[0].Kind
	s, end := h.run(h.config())
	<-s.Ready()
	f, err := policy.Parse("test", fmt.Appendf(nil, "version: 1\nverdicts: [{defect: %s, kind: %s, verdict: false_positive, reason: tried, at: %s}]", id, kind, s.cfg.Now().Format(time.RFC3339Nano)))
	if err != nil {
		t.Fatal(err)
	}
	entry := f.Entries("")[0]
	for range 2 { // whoever has no answer asks again
		if err := s.Decide(t.Context(), "d1", "u1", "", entry, false); err != nil {
			t.Fatal(err)
		}
	}
	end()
	if s.part.damaged != 0 || s.part.gaps != 0 {
		t.Errorf("%d damaged, %d gaps", s.part.damaged, s.part.gaps)
	}
	status := func(r *report.Report) string {
		for _, d := range r.Defects {
			if d.ID == id {
				return d.Status
			}
		}
		return ""
	}
	fresh, err := s.fresh()
	if err != nil {
		t.Fatal(err)
	}
	other := &judging{cfg: s.cfg, tools: s.tools, part: fresh}
	stats, _ := h.bus.Stats(t.Context())
	_ = h.bus.Read(t.Context(), 0, 0, func(m stream.Message) error {
		other.part.take(m)
		if m.Seq == stats[0].Last {
			return errReached
		}
		return nil
	})
	before := status(want)
	replayed, _ := other.build()
	if got := status(replayed); got != "false_positive" || status(s.Report()) != got {
		t.Errorf("the status is %q, in the stream's replay %q", status(s.Report()), got)
	}
	s, end = h.run(h.config())
	<-s.Ready()
	if err := s.Decide(t.Context(), "d1", "u1", "", entry, true); err != nil {
		t.Fatal(err)
	}
	if err := s.Decide(t.Context(), "d2", "u1", "", policy.Entry{Template: &policy.Template{Edit: policy.EditSplit}}, true); !errors.Is(err, ErrRefused) {
		t.Errorf("a split ended: %v", err)
	}
	h.reach(s)
	s.mu.Lock()
	now, _ := s.build()
	s.mu.Unlock()
	if got := status(now); got != before {
		t.Errorf("the verdict was taken back, no traffic came, and the status is %q, %q before it", got, before)
	}
	end()
	if got := status(s.Report()); got != before {
		t.Errorf("the verdict was taken back and the status is %q, %q before it", got, before)
	}
}

// TestRowsOfAService: a row for every exchange, marked with what is known of
// attacks, none twice after a restart without a state, none older than allowed.
func TestRowsOfAService(t *testing.T) {
	h := newHall(t)
	kept := observationtest.NewModel()
	cfg := h.config(newFileSource(vampiCapture))
	cfg.Rows = kept
	s := h.served(cfg)
	count := func() (n uint64) {
		r, err := kept.Range(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range r.Days {
			n += uint64(d.Rows)
		}
		return n
	}
	if n := count(); n != s.Report().Input.Observations || n < 7000 {
		t.Errorf("%d rows of %d observations", n, s.Report().Input.Observations)
	}
	// All of the capture came in at once: which rows are of an attack became known
	// while they waited.
	top, err := kept.Top(t.Context(), observation.TopQuery{Of: observation.ByVerdict})
	if err != nil {
		t.Fatal(err)
	}
	hostile, marked := uint64(0), uint64(0)
	for i := range s.Report().Attacks {
		hostile += s.Report().Attacks[i].Requests
	}
	for _, x := range top.List {
		if x.Key == observation.Attack.String() {
			marked = x.Value
		}
	}
	if marked < hostile*9/10 || hostile < 1000 {
		t.Errorf("%d rows are of attacks, which had %d requests: %v", marked, hostile, top.List)
	}
	if err := os.RemoveAll(filepath.Join(h.folder.Path(), "state")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(h.folder.Path(), "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := count()
	cfg.Sources = nil
	s, end := h.run(cfg)
	<-s.Ready()
	end()
	if n := count(); n != before {
		t.Errorf("%d rows after they were judged again, %d before", n, before)
	}
	days, err := (&rows{store: kept}).retain(t.Context(), s.Now().Add(72*time.Hour), 24*time.Hour)
	if err != nil || days == 0 || count() != 0 {
		t.Errorf("%d days dropped, %v, %d rows left", days, err, count())
	}
}

// TestServiceOnAnotherStream: with the state and the records of a backup and an
// empty stream, what is judged next is written down as well.
func TestServiceOnAnotherStream(t *testing.T) {
	later := laterTraffic(t)
	for _, lost := range []string{"nothing", "state"} {
		t.Run(lost, func(t *testing.T) {
			h := newHall(t)
			kept := observationtest.NewModel()
			cfg := h.config(newFileSource(vampiCapture))
			cfg.Rows = kept
			s := h.served(cfg)
			first := s.Report().Input.Analysed
			if lost == "state" {
				if err := os.RemoveAll(filepath.Join(h.folder.Path(), "state")); err != nil {
					t.Fatal(err)
				}
				if err := os.Mkdir(filepath.Join(h.folder.Path(), "state"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			h.bus = streamtest.NewModel(1, h.now)
			cfg = h.config(newFileSource(later))
			cfg.Rows = kept
			s = h.served(cfg)
			want := uint64(60)
			if lost == "nothing" {
				want += first
			}
			if got := s.Report().Input.Analysed; got != want {
				t.Errorf("%d exchanges, want %d", got, want)
			}
			r, err := h.records.Get(t.Context(), record.Site, "10.77.0.1")
			if lost == "state" {
				want = 42 // of a host that was none for the first twenty, but for the last minutes of them
			}
			if err != nil || !bytes.Contains(r.Body, fmt.Appendf(nil, `"exchanges":%d,`, want)) {
				t.Errorf("the record of the site is %s, %v", r.Body, err)
			}
			days, err := kept.Range(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rows := uint64(0)
			for _, d := range days.Days {
				rows += uint64(d.Rows)
			}
			if rows != first+60 {
				t.Errorf("%d rows, want %d", rows, first+60)
			}
		})
	}
}
