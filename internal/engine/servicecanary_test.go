package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/api"
	"xiezhi/internal/engine"
	"xiezhi/internal/judge/sequence"
	"xiezhi/internal/source"
	"xiezhi/internal/store"
	"xiezhi/internal/store/observation/duckdb"
	stored "xiezhi/internal/store/record"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/internal/store/state"
	"xiezhi/internal/stream/jetstream"
)

// TestCanaryOfAService feeds the canary traffic to a service and looks for the
// values in its whole data folder, its log, the answers of its API, and in what
// leaves as notifications and as records of a SIEM.
func TestCanaryOfAService(t *testing.T) {
	values, input := canaryFile(t)
	key := [32]byte{1, 2, 3} // of the tools
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	folder, err := store.Take(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	bus, err := jetstream.Open(t.Context(), jetstream.Config{Partitions: 1, Key: key, Random: rand.Reader, Log: logger}, jetstream.Folder{Path: folder.Path()})
	if err != nil {
		t.Fatal(err)
	}
	records, err := sqlite.Open(t.Context(), folder, sqlite.Config{Chain: stored.NewChain(key)})
	if err != nil {
		t.Fatal(err)
	}
	states, err := state.Open(folder, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cfg := engine.ServiceConfig{Version: "test", Tools: tools(t), Workers: 2, Bus: bus, Records: records, States: states, Now: time.Now, Random: rand.Reader, Log: logger,
		Order: sequence.Config{Hold: time.Second}, SaveEvery: time.Second}
	db, err := duckdb.Open(t.Context(), folder, duckdb.Config{})
	if err == nil {
		cfg.Rows = db
	} else if !errors.Is(err, duckdb.ErrAbsent) {
		t.Fatal(err)
	}
	src, ended := engine.FileSource(input)
	cfg.Sources = []source.Source{src}
	s, err := engine.NewService(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-ended
	for begun := time.Now(); s.Report() == nil || s.Report().Input.Analysed < canaries || len(s.Report().Defects) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("it found nothing: %+v", s.Status(t.Context()))
		}
	}
	outputs := answersOf(t, records, cfg.Rows != nil, api.Config{Store: records, Messages: cfg.Tools.Messages, Observations: cfg.Rows, Status: s.Status, Plain: true, Log: logger,
		Decide: func(context.Context, api.Decision) error { return nil }})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	maps.Copy(outputs, toldOf(t, records, cfg.Tools.Messages))
	if err := errors.Join(bus.Close(), records.Close()); err != nil {
		t.Fatal(err)
	}
	if db != nil {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	err = filepath.WalkDir(folder.Path(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		outputs["file "+strings.TrimPrefix(path, folder.Path())] = b
		return err
	})
	if err := errors.Join(err, folder.Release()); err != nil {
		t.Fatal(err)
	}
	if len(outputs) < 15 {
		t.Errorf("only %d places were looked at", len(outputs))
	}
	outputs["log"] = log.Bytes()
	searchCanaries(t, values, outputs)
}

// answersOf gives what the API answers.
func answersOf(t *testing.T, records stored.Store, rows bool, cfg api.Config) map[string][]byte {
	t.Helper()
	web, err := api.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(web)
	defer server.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	body, err := json.Marshal(map[string]string{"token": web.SetupToken(), "name": "admin", "password": "a long enough passphrase 7!"})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/v1/setup", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", server.URL)
	if _, status := answer(t, client, req); status != http.StatusCreated {
		t.Fatalf("set up: %d", status)
	}
	out := map[string][]byte{}
	paths := []string{"apis?limit=500", "defects?limit=500", "attacks?limit=500", "campaigns", "sites", "exposure?limit=500", "status", "report"}
	if rows {
		paths = append(paths, "observations?limit=500")
	}
	for _, kind := range []stored.Kind{stored.Defect, stored.Attack, stored.API} {
		p, err := records.List(t.Context(), stored.Query{Kind: kind, Limit: 3})
		if err != nil || len(p.Records) == 0 {
			t.Fatal(kind, err)
		}
		for _, r := range p.Records {
			paths = append(paths, string(kind)+"s/"+r.ID)
		}
	}
	for _, path := range paths {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, status := answer(t, client, req)
		if status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, b)
		}
		out["GET "+path] = b
	}
	return out
}

func answer(t *testing.T, client *http.Client, req *http.Request) ([]byte, int) {
	t.Helper()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", req.URL.Path, err))
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b, res.StatusCode
}
