package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"xiezhi/internal/judge"
	"xiezhi/internal/judge/sequence"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/source"
	"xiezhi/internal/store"
	"xiezhi/internal/store/observation/observationtest"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/internal/store/state"
	"xiezhi/internal/stream"
	"xiezhi/internal/stream/streamtest"
	"xiezhi/rules"
)

const vampiCapture = "../../testdata/vampi/vampi.pcap.zst"

// fileSource reads files as a live source does: it stays when they have ended.
type fileSource struct {
	names []string
	ended chan struct{}
}

func newFileSource(names ...string) *fileSource { return &fileSource{names, make(chan struct{})} }

func (f *fileSource) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	in, err := source.Expand(f.names, nil)
	if err != nil {
		return err
	}
	plan, err := recognise(in, Auto, LogConfig{}, nil)
	if err != nil {
		return err
	}
	for _, s := range plan.sources {
		if err := s.Run(ctx, sink, ledger); err != nil {
			return err
		}
	}
	if s, ok := sink.(source.Flusher); ok {
		if err := s.Flush(); err != nil {
			return err
		}
	}
	close(f.ended)
	<-ctx.Done()
	return ctx.Err()
}

// hall is what services stand on in tests: a bus, a data folder and a clock
// that is moved by hand.
type hall struct {
	t       *testing.T
	bus     stream.Bus
	folder  *store.Folder
	records record.Store
	states  *state.Files
	tools   *Tools
	clock   atomic.Int64 // ns
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t}
	h.clock.Store(time.Now().UnixNano())
	h.bus = streamtest.NewModel(1, h.now)
	var err error
	if h.tools, err = LoadTools(rules.FS, [32]byte{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	h.open(t.TempDir())
	t.Cleanup(func() { h.close(); _ = h.bus.Close() })
	return h
}

func (h *hall) open(dir string) {
	h.t.Helper()
	var err error
	if h.folder, err = store.Take(dir); err != nil {
		h.t.Fatal(err)
	}
	if h.records, err = sqlite.Open(h.t.Context(), h.folder, sqlite.Config{}); err != nil {
		h.t.Fatal(err)
	}
	if h.states, err = state.Open(h.folder, [32]byte{1, 2, 3}, rand.Reader); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hall) close() {
	if err := errors.Join(h.records.Close(), h.folder.Release()); err != nil {
		h.t.Error(err)
	}
}

func (h *hall) now() time.Time { return time.Unix(0, h.clock.Load()) }

func (h *hall) config(sources ...source.Source) ServiceConfig {
	return ServiceConfig{Version: "test", Tools: h.tools, Workers: 2, Sources: sources, Bus: h.bus, Records: h.records, States: h.states, Now: h.now, Random: rand.Reader}
}

// run starts a service and gives what ends it.
func (h *hall) run(cfg ServiceConfig) (s *Service, end func()) {
	h.t.Helper()
	s, err := NewService(h.t.Context(), cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() {
		err := s.Run(ctx)
		if err != nil {
			h.t.Error(err)
		}
		for _, src := range cfg.Sources {
			if f, ok := src.(*fileSource); ok && err != nil {
				close(f.ended)
			}
		}
		done <- err
	}()
	return s, func() {
		h.t.Helper()
		cancel()
		<-done
	}
}

// idle lets so much time pass that everything is judged.
func (h *hall) idle(s *Service) {
	h.t.Helper()
	stats, err := h.bus.Stats(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for reached := false; !reached; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		reached = s.part.seq >= stats[0].Last
		s.mu.Unlock()
	}
	h.clock.Add(int64(time.Hour))
	if err := s.oneTick(); err != nil {
		h.t.Fatal(err)
	}
}

// found is what a report says of the traffic, without what is of the run.
func found(r *report.Report) []byte {
	b, err := json.MarshalIndent([]any{r.Sites, r.APIs, r.Defects, r.Attacks, r.Campaigns, r.Statistics, r.Input.Exchanges, r.Input.Analysed, r.Input.Dropped, r.Input.Observations, r.Input.Bytes}, "", " ")
	if err != nil {
		panic(err)
	}
	return b
}

func sameFindings(t *testing.T, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	n := 0
	for n < min(len(got), len(want)) && got[n] == want[n] {
		n++
	}
	t.Errorf("they differ at byte %d:\n%s\n---\n%s", n, got[max(0, n-300):min(len(got), n+300)], want[max(0, n-300):min(len(want), n+300)])
}

func (h *hall) analysed(names ...string) *report.Report {
	h.t.Helper()
	in, err := source.Expand(names, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	dir := h.t.TempDir()
	res, err := Analyze(h.t.Context(), AnalyzeConfig{Inputs: in, Version: "test", Tools: h.tools, Random: rand.Reader,
		Temp: func() (judge.SpillFile, error) { return os.CreateTemp(dir, "spill-*") }})
	if err != nil {
		h.t.Fatal(err)
	}
	return res.Report
}

// TestServiceFindsWhatAnalyzeFinds: the same traffic through the bus gives the
// same report, in the records as well.
func TestServiceFindsWhatAnalyzeFinds(t *testing.T) {
	h := newHall(t)
	src := newFileSource(vampiCapture)
	s, end := h.run(h.config(src))
	<-src.ended
	h.idle(s)
	end()
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

// TestServiceGoesOn: services that take over from each other at odd moments,
// some of which lost their state, find what one finds.
func TestServiceGoesOn(t *testing.T) {
	h := newHall(t)
	src := newFileSource(vampiCapture)
	s, end := h.run(h.config(src))
	<-src.ended
	h.idle(s)
	end()
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
			other := &Service{cfg: s.cfg, tools: s.tools, part: p}
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
	src := newFileSource(vampiCapture)
	s, end := h.run(h.config(src))
	<-src.ended
	h.idle(s)
	end()
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
	src := newFileSource(vampiCapture)
	s, end := h.run(h.config(src))
	<-src.ended
	h.idle(s)
	end()
	want := s.Report()
	id, kind := s.Report().Defects[0].ID, s.Report().Defects[0].Kind
	s, end = h.run(h.config())
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
	other := &Service{cfg: s.cfg, tools: s.tools, part: fresh}
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
	if err := s.Decide(t.Context(), "d2", "u1", "", policy.Entry{Template: &policy.Template{}}, true); !errors.Is(err, ErrRefused) {
		t.Errorf("an edit ended: %v", err)
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
	s, end := h.run(cfg)
	<-cfg.Sources[0].(*fileSource).ended
	h.idle(s)
	end()
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
	if err := os.RemoveAll(filepath.Join(h.folder.Path(), "state")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(h.folder.Path(), "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	before := count()
	cfg.Sources = nil
	s, end = h.run(cfg)
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

// laterTraffic is a file of sixty exchanges after the capture's.
func laterTraffic(t *testing.T) string {
	var b bytes.Buffer
	for i := range 60 {
		fmt.Fprintf(&b, `{"_id":"later-%d","_client":{"ip":"10.77.1.%d","port":40000},"_server":{"ip":"10.77.0.1","port":80},"startedDateTime":"2026-11-24T10:%02d:00Z","time":20,`+
			`"request":{"method":"GET","url":"http://10.77.0.1/books/v1","httpVersion":"HTTP/1.1","headers":[{"name":"Host","value":"10.77.0.1"}]},`+
			`"response":{"status":200,"httpVersion":"HTTP/1.1","headers":[{"name":"Content-Type","value":"application/json"}],"content":{"size":2,"mimeType":"application/json","text":"{}"}}}`+"\n", i, i%5+1, i)
	}
	name := filepath.Join(t.TempDir(), "later.harl")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
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
			s, end := h.run(cfg)
			<-cfg.Sources[0].(*fileSource).ended
			h.idle(s)
			end()
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
			s, end = h.run(cfg)
			<-cfg.Sources[0].(*fileSource).ended
			h.idle(s)
			end()
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
