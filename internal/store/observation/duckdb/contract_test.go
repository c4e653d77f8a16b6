//go:build cgo

package duckdb

import (
	"context"
	"flag"
	"testing"

	"xiezhi/internal/store"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
)

// held is a store with its folder.
type held struct {
	*DB
	folder *store.Folder
}

func (h held) Close() error {
	if err := h.DB.Close(); err != nil {
		return err
	}
	return h.folder.Release()
}

func take(path string, cfg Config) (held, error) {
	f, err := store.Take(path)
	if err != nil {
		return held{}, err
	}
	d, err := Open(context.Background(), f, cfg)
	if err != nil {
		_ = f.Release()
		return held{}, err
	}
	return held{d, f}, nil
}

func must(t testing.TB, path string, cfg Config) held {
	t.Helper()
	h, err := take(path, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestContract sums up early, so that sums and rows are asked together, keeps
// two days open only, and remembers few values; the second time nearly all.
func TestContract(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("5"); err != nil { // each opens days hundreds of times
			t.Fatal(err)
		}
		defer func() { _ = f.Value.Set(f.DefValue) }()
	}
	for name, cfg := range map[string]Config{
		"small": {Open: 2, rollAt: 7, chunkAt: 11, best: 2, words: 3},
		"large": {rollAt: 30, chunkAt: 13, best: 3},
	} {
		t.Run(name, func(t *testing.T) {
			observationtest.Contract(t, func(path string) (observation.Store, error) { return take(path, cfg) })
		})
	}
}
