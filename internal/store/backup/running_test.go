//go:build cgo

package backup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/store"
	"xiezhi/internal/store/backup"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/duckdb"
	"xiezhi/internal/store/observation/observationtest"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/internal/store/state"
)

// stores are all of a data folder.
type stores struct {
	folder  *store.Folder
	records *sqlite.DB
	rows    *duckdb.DB
	states  *state.Files
}

func open(t *testing.T, path string) *stores {
	t.Helper()
	f, err := store.Take(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &stores{folder: f}
	if s.records, err = sqlite.Open(t.Context(), f, sqlite.Config{Chain: record.NewChain([32]byte{1})}); err != nil {
		t.Fatal(err)
	}
	if s.rows, err = duckdb.Open(t.Context(), f, duckdb.Config{}); err != nil {
		t.Fatal(err)
	}
	if s.states, err = state.Open(f, [32]byte{1}, rand.Reader); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stores) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(s.rows.Close(), s.records.Close(), s.folder.Release()); err != nil {
		t.Fatal(err)
	}
}

func (s *stores) parts() []backup.Part {
	return []backup.Part{
		backup.Files(s.folder.Path(), "state"),
		backup.One("records.db", s.folder.Path(), s.records.Backup),
		s.rows.Backup,
	}
}

// step writes one of everything: first what is counted, then what counts.
func (s *stores) step(ctx context.Context, n int) error {
	const size = 50
	rows := observationtest.Rows(n*size, (n+1)*size)
	for i := range rows {
		rows[i].Time += int64(i%2) * int64(2*time.Hour) // two days
	}
	if err := s.rows.Append(ctx, rows); err != nil {
		return err
	}
	if _, err := s.records.Write(ctx, record.Batch{Audit: []record.Entry{recordtest.Entry(n)}}); err != nil {
		return err
	}
	return s.states.Save("site", func(w io.Writer) error { _, err := fmt.Fprint(w, n); return err })
}

// TestBackupWhileRunning makes backups while a writer and readers are at work.
// What is restored holds at least what its state counts, and what is written
// again from there on is there once.
func TestBackupWhileRunning(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "data"))
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	steps := 0
	if err := s.step(ctx, 0); err != nil {
		t.Fatal(err)
	}
	wg.Go(func() {
		for steps = 1; ctx.Err() == nil; steps++ {
			if err := s.step(context.WithoutCancel(ctx), steps); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.rows.Top(context.WithoutCancel(ctx), observation.TopQuery{Of: observation.BySession}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	copied := filepath.Join(t.TempDir(), "copy")
	var b bytes.Buffer
	err1 := backup.ToFolder(t.Context(), copied, time.Unix(1, 0), s.parts()...)
	err2 := backup.ToTar(t.Context(), "copy.tar", &b, time.Unix(1, 0), s.parts()...)
	stop()
	wg.Wait()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	s.close(t)
	dir := t.TempDir()
	_, err1 = backup.FromFolder(t.Context(), copied, filepath.Join(dir, "a"))
	_, err2 = backup.FromTar(t.Context(), "copy.tar", &b, filepath.Join(dir, "b"))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		r := open(t, filepath.Join(dir, name))
		var n int
		if passed, err := r.states.Load("site", func(in io.Reader) error { _, err := fmt.Fscan(in, &n); return err }); passed != nil || err != nil {
			t.Fatal(passed, err)
		}
		head, err := r.records.Verify(t.Context(), record.Head{})
		if err != nil || int(head.Seq) < n || int(head.Seq) > steps {
			t.Errorf("%s: %d entries, the state counts %d, %v", name, head.Seq, n, err)
		}
		count := func() uint64 {
			top, err := r.rows.Top(t.Context(), observation.TopQuery{Of: observation.ByVerdict})
			if err != nil {
				t.Fatal(err)
			}
			return top.Total
		}
		// The state is saved behind the rows of its step.
		if rows := count(); rows < uint64(n+1)*50 || rows > uint64(steps)*50 {
			t.Errorf("%s: %d rows, the state counts %d steps", name, rows, n+1)
		}
		for i := n; i < steps; i++ { // what the stream would give once more
			if err := r.step(t.Context(), i); err != nil {
				t.Fatal(err)
			}
		}
		if rows := count(); rows != uint64(steps)*50 {
			t.Errorf("%s: %d rows of %d after the repetition", name, rows, steps*50)
		}
		r.close(t)
	}
}
