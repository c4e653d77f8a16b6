package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
)

// refused opens a folder whose file is not as it should be, and looks that it
// stays as it was.
func refused(t *testing.T, path string, want error) string {
	t.Helper()
	name := filepath.Join(path, fileName)
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := store.Take(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Release() }()
	_, err = Open(t.Context(), f, Config{Chain: record.NewChain([32]byte{1})})
	var fault *store.Fault
	if !errors.Is(err, want) || !errors.As(err, &fault) || fault.Where != name || fault.Do == "" {
		t.Fatalf("expected %v of %s, got %v", want, name, err)
	}
	if after, err := os.ReadFile(name); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the refused file was changed, %v", err)
	}
	return err.Error()
}

func script(t *testing.T, path string, text string) {
	t.Helper()
	err := inspect(t.Context(), path, func(c *sql.Conn) error {
		_, err := c.ExecContext(t.Context(), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func filled(t *testing.T, n int) string {
	t.Helper()
	path := t.TempDir()
	h := take(t, path, Config{})
	for i := range n {
		if _, err := h.Write(t.Context(), record.Batch{Put: []record.Record{recordtest.Record(record.Attack, i)}, Audit: []record.Entry{recordtest.Entry(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNewerFileIsRefused(t *testing.T) {
	path := filled(t, 1)
	script(t, filepath.Join(path, fileName), "PRAGMA user_version = 99")
	if said := refused(t, path, store.ErrNewer); !strings.Contains(said, "99") || !strings.Contains(said, fmt.Sprintf("%s.v%d", fileName, schemaVersion(t))) {
		t.Errorf("it does not say which version, and which copy goes back: %s", said)
	}
}

func TestForeignFileIsRefused(t *testing.T) {
	path := t.TempDir()
	script(t, filepath.Join(path, fileName), "CREATE TABLE bookmarks (url TEXT)")
	refused(t, path, store.ErrDamaged)
}

func TestDamagedFileIsRefused(t *testing.T) {
	for what, damage := range map[string]func(b []byte) []byte{
		"head": func(b []byte) []byte { copy(b, "not a database  "); return b },
		"cut":  func(b []byte) []byte { return b[:len(b)/2] },
		"page": func(b []byte) []byte { copy(b[pageSize:2*pageSize], bytes.Repeat([]byte{0xa5}, pageSize)); return b },
		"text": func([]byte) []byte { return []byte(strings.Repeat("hello\n", 2000)) },
	} {
		t.Run(what, func(t *testing.T) {
			path := filled(t, 60)
			name := filepath.Join(path, fileName)
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, path, store.ErrDamaged)
		})
	}
}

// TestFullDisk lets the cap of the file stand for a disk: SQLite tells both as
// the same error.
func TestFullDisk(t *testing.T) {
	path := t.TempDir()
	h := take(t, path, Config{MaxBytes: 40 * pageSize})
	big := func(i int) record.Batch {
		r := recordtest.Record(record.Attack, i)
		r.Body = []byte(`"` + strings.Repeat("x", 4*pageSize) + `"`)
		return record.Batch{Put: []record.Record{r}, Audit: []record.Entry{recordtest.Entry(i)}}
	}
	written := 0
	var err error
	for ; err == nil && written < 100; written++ {
		_, err = h.Write(t.Context(), big(written))
	}
	written--
	var f *store.Fault
	if !errors.Is(err, store.ErrFull) || !errors.As(err, &f) || written < 2 {
		t.Fatalf("after %d records: %v", written, err)
	}
	p, err := h.List(t.Context(), record.Query{Kind: record.Attack})
	if err != nil || len(p.Records) != written {
		t.Errorf("%d records can be read, %v; %d were acknowledged", len(p.Records), err, written)
	}
	if head, err := h.Verify(t.Context(), record.Head{}); err != nil || int(head.Seq) != written {
		t.Errorf("the log ends at %d, %v; expected %d", head.Seq, err, written)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = take(t, path, Config{})
	defer h.Close()
	if n, err := h.Write(t.Context(), big(written)); err != nil || n != 2 {
		t.Errorf("with room made, the refused batch changed %d, %v", n, err)
	}
}

func TestUpgradeFromVersionsBefore(t *testing.T) {
	for _, c := range []struct{ version, had, left int }{{1, 2, 2}, {2, 3, 2}, {3, 4, 4}, {4, 4, 4}} {
		t.Run(fmt.Sprint(c.version), func(t *testing.T) { upgrade(t, c.version, c.had, c.left) })
	}
}

// TestUpgradeRanksWhatIsThere: lists of findings that nobody wrote anew since
// are in order.
func TestUpgradeRanksWhatIsThere(t *testing.T) {
	for _, v := range []int{3, 4} {
		t.Run(fmt.Sprint(v), func(t *testing.T) { ranked(t, v) })
	}
}

func ranked(t *testing.T, version int) {
	path := t.TempDir()
	old, err := os.ReadFile(fmt.Sprintf("testdata/v%d.sql", version))
	if err != nil {
		t.Fatal(err)
	}
	script(t, filepath.Join(path, fileName), string(old))
	h := take(t, path, Config{})
	defer h.Close()
	for _, c := range []struct {
		kind  record.Kind
		id    string
		name  string
		ranks [record.Ranks]int64
	}{
		{record.Attack, "finding-7", "", [...]int64{70, 12, 875_000}},
		{record.API, "finding-8", "/订单/{id} GET", [...]int64{400, 31, 50}},
		{record.Defect, "finding-9", "", [...]int64{3<<60 | 1772352007000000000>>3, 0, 0}},
		{record.Setting, "zone", "", [...]int64{0, 0, 0}},
	} {
		r, err := h.Get(t.Context(), c.kind, c.id)
		if err != nil || r.Name != c.name || r.Ranks != c.ranks {
			t.Errorf("%s: %q, %d, %v; want %q, %d", c.id, r.Name, r.Ranks, err, c.name, c.ranks)
		}
	}
}

func upgrade(t *testing.T, from, had, want int) {
	path := t.TempDir()
	name := filepath.Join(path, fileName)
	old, err := os.ReadFile(fmt.Sprintf("testdata/v%d.sql", from))
	if err != nil {
		t.Fatal(err)
	}
	script(t, name, string(old))
	h := take(t, path, Config{})
	defer h.Close()
	r, err := h.Get(t.Context(), record.Attack, "finding-7")
	if err != nil || r.Rev != 9 || r.State != "likely" || from < 3 && string(r.Body) != `{"n":7}` || r.Last.Sub(r.First).Seconds() != 7 {
		t.Errorf("after the upgrade it is %+v, %v", r, err)
	}
	var left int
	if err := h.read.QueryRowContext(t.Context(), "SELECT count(*) FROM record").Scan(&left); err != nil || left != want {
		t.Errorf("%d records are left, %v; what is of no known kind goes", left, err)
	}
	next := recordtest.Record(record.Setting, 1)
	next.ID, next.Rev = "zone", 4
	if n, err := h.Write(t.Context(), record.Batch{Put: []record.Record{next}, Audit: []record.Entry{recordtest.Entry(1)}}); err != nil || n != 2 {
		t.Errorf("writing after the upgrade: %d, %v", n, err)
	}
	// The copy from before is of the version before, with the same rows.
	err = inspect(t.Context(), fmt.Sprintf("%s.v%d", name, from), func(c *sql.Conn) error {
		app, version, _, err := stamp(t.Context(), c)
		var rows int
		err = errors.Join(err, c.QueryRowContext(t.Context(), "SELECT count(*) FROM record").Scan(&rows))
		if app != magic || version != from || rows != had {
			t.Errorf("the copy has application %x, version %d, %d records", app, version, rows)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestStepThatFailsLeavesTheVersionBefore has a step break in its middle.
func TestStepThatFailsLeavesTheVersionBefore(t *testing.T) {
	path := filled(t, 3)
	list, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(path, fileName)
	broken := append(list[:len(list):len(list)], "DROP TABLE record; CREATE TABLE audit (again TEXT)")
	if _, err := open(context.Background(), name, Config{}, broken); err == nil {
		t.Fatal("a broken step passed")
	}
	good := append(list[:len(list):len(list)], "ALTER TABLE record ADD COLUMN owner TEXT NOT NULL DEFAULT ''")
	d, err := open(context.Background(), name, Config{}, good)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if p, err := d.List(t.Context(), record.Query{Kind: record.Attack}); err != nil || len(p.Records) != 3 {
		t.Errorf("%d records, %v", len(p.Records), err)
	}
	if _, err := os.Stat(fmt.Sprintf("%s.v%d", name, len(list))); err != nil {
		t.Errorf("no copy from before the step: %v", err)
	}
}

// schemaVersion is the version that this program writes.
func schemaVersion(t *testing.T) int {
	t.Helper()
	list, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
