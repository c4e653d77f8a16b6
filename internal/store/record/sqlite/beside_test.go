package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
)

// TestBeside reads while another holds the folder and writes: the view is of
// the moment when it was opened.
func TestBeside(t *testing.T) {
	path := filled(t, 20)
	h := take(t, path, Config{})
	v, err := Beside(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	count := func(v *View) int {
		t.Helper()
		n, q := 0, record.Query{Kind: record.Attack, Limit: 7}
		for {
			p, err := v.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			n += len(p.Records)
			if q.After = p.Next; q.After == "" {
				return n
			}
		}
	}
	if n := count(v); n != 20 {
		t.Errorf("%d records", n)
	}
	if _, err := h.Write(t.Context(), record.Batch{Put: []record.Record{recordtest.Record(record.Attack, 77)}}); err != nil {
		t.Errorf("the view keeps the writer from writing: %v", err)
	}
	if n := count(v); n != 20 {
		t.Errorf("%d records after one was written", n)
	}
	if _, err := v.conn.ExecContext(t.Context(), "DELETE FROM record"); err == nil {
		t.Error("a view writes")
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	// Nobody holds it now, and what SQLite kept beside the file is gone.
	t.Chdir(filepath.Dir(path))
	if v, err = Beside(t.Context(), filepath.Base(path)); err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if n := count(v); n != 21 {
		t.Errorf("%d records where nobody writes", n)
	}
}

func TestBesideRefuses(t *testing.T) {
	empty, text, old, next := t.TempDir(), t.TempDir(), filled(t, 2), filled(t, 2)
	if err := os.WriteFile(filepath.Join(text, fileName), []byte(strings.Repeat("text ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	script(t, filepath.Join(old, fileName), "PRAGMA user_version = 0")
	script(t, filepath.Join(next, fileName), "PRAGMA user_version = 99")
	for name, want := range map[string]error{empty: fs.ErrNotExist, text: store.ErrDamaged, old: nil, next: store.ErrNewer} {
		v, err := Beside(t.Context(), name)
		var fault *store.Fault
		if !errors.As(err, &fault) || fault.Do == "" || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, expected %v", filepath.Base(name), err, want)
		}
		if err == nil {
			_ = v.Close()
		}
	}
	if left, _ := filepath.Glob(filepath.Join(empty, "*")); len(left) > 0 {
		t.Errorf("a look leaves %v", left)
	}
}
