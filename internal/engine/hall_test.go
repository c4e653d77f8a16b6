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
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"xiezhi/internal/judge"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/internal/store"
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
	once  sync.Once
}

func newFileSource(names ...string) *fileSource {
	return &fileSource{names: names, ended: make(chan struct{})}
}

// end lets go of those who wait for the source, also when its service failed.
func (f *fileSource) end() { f.once.Do(func() { close(f.ended) }) }

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
	f.end()
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
	return s, h.start(s, cfg)
}

// start runs a service that was made.
func (h *hall) start(s *Service, cfg ServiceConfig) (end func()) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() {
		err := s.Run(ctx)
		if err != nil {
			h.t.Error(err)
		}
		for _, src := range cfg.Sources {
			if f, ok := src.(*fileSource); ok && err != nil {
				f.end()
			}
		}
		done <- err
	}()
	return func() {
		h.t.Helper()
		cancel()
		<-done
	}
}

// served runs a service of one file source until it has judged everything.
func (h *hall) served(cfg ServiceConfig) *Service {
	h.t.Helper()
	s, end := h.run(cfg)
	<-cfg.Sources[0].(*fileSource).ended
	h.idle(s)
	end()
	return s
}

// idle lets so much time pass that everything is judged.
func (h *hall) idle(s *Service) {
	h.t.Helper()
	h.reach(s)
	h.clock.Add(int64(time.Hour))
	if err := s.oneTick(); err != nil {
		h.t.Fatal(err)
	}
}

// reach waits until all that is on the bus was taken.
func (h *hall) reach(s *Service) {
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
