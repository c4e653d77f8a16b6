//go:build cgo

package duckdb

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
	"time"

	"xiezhi/internal/store"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
)

var (
	firstDay  = observationtest.Start.Truncate(24 * time.Hour)
	secondDay = firstDay.Add(24 * time.Hour)
)

func dayPath(path string, day time.Time) string {
	return filepath.Join(Folder(path), day.Format(dayFormat)+extension)
}

// filled makes a folder with rows of two days: the numbers from 3000 on, 600 of
// the first day.
func filled(t *testing.T, n int) string {
	t.Helper()
	path := t.TempDir()
	h := must(t, path, Config{rollAt: 500})
	if err := errors.Join(h.Append(t.Context(), observationtest.Rows(3000, 3000+n)), h.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// script does something to a file beside the store.
func script(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func total(t *testing.T, h held, f observation.Filter) uint64 {
	t.Helper()
	top, err := h.Top(t.Context(), observation.TopQuery{Filter: f, Of: observation.BySession, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	return top.Total
}

// TestDamagedDayIsSetAside damages the file of one day in many ways: the other
// day is served, the damaged file stays under another name, and the day takes
// rows again.
func TestDamagedDayIsSetAside(t *testing.T) {
	for what, damage := range map[string]func(b []byte) []byte{
		"magic":   func(b []byte) []byte { copy(b[8:], "NOPE"); return b },
		"header":  func(b []byte) []byte { copy(b[4096:3*4096], bytes.Repeat([]byte{0xa5}, 2*4096)); return b },
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
		"stub":    func(b []byte) []byte { return b[:100] },
		"text":    func([]byte) []byte { return []byte(strings.Repeat("hello\n", 4000)) },
		"blocks":  func(b []byte) []byte { copy(b[3*4096:], bytes.Repeat([]byte{0x5a}, len(b)-3*4096)); return b },
		"foreign": nil,
	} {
		t.Run(what, func(t *testing.T) {
			path := filled(t, 900)
			name := dayPath(path, firstDay)
			if damage == nil {
				if err := os.Remove(name); err != nil {
					t.Fatal(err)
				}
				script(t, name, "CREATE TABLE bookmarks (url TEXT)")
			} else {
				b, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, damage(b), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			h := must(t, path, Config{})
			defer h.Close()
			if n := total(t, h, observation.Filter{}); n != 300 {
				t.Errorf("%d rows of the other day's 300", n)
			}
			r, err := h.Range(t.Context())
			if err != nil || len(r.Days) != 1 || len(r.Aside) != 1 || !r.Aside[0].Day.Equal(firstDay) || r.Aside[0].Bytes == 0 {
				t.Errorf("%+v, %v", r, err)
			}
			if err := h.Append(t.Context(), observationtest.Rows(3000, 3900)); err != nil {
				t.Fatal(err)
			}
			if n := total(t, h, observation.Filter{}); n != 900 {
				t.Errorf("%d rows of 900 once the day was written again", n)
			}
		})
	}
}

// TestAnyDamage flips a few bytes at one place after another: whatever becomes
// of that day, the process goes on and the other day is served.
func TestAnyDamage(t *testing.T) {
	whole, err := os.ReadFile(dayPath(filled(t, 900), firstDay))
	if err != nil {
		t.Fatal(err)
	}
	path := filled(t, 900)
	aside := 0
	for i, at := 0, 0; at < len(whole); i, at = i+1, at+len(whole)/24+i*37 {
		b := bytes.Clone(whole)
		for j := at; j < min(at+16, len(b)); j++ {
			b[j] ^= 0xff
		}
		if err := os.WriteFile(dayPath(path, firstDay), b, 0o600); err != nil {
			t.Fatal(err)
		}
		h := must(t, path, Config{})
		n := total(t, h, observation.Filter{})
		if n != 300 && n != 900 {
			t.Errorf("damage at %d: %d rows", at, n)
		}
		if _, err := h.Search(t.Context(), observation.SearchQuery{Filter: observation.Filter{To: secondDay}}); err != nil {
			t.Errorf("damage at %d: %v", at, err)
		}
		if n := total(t, h, observation.Filter{From: secondDay}); n != 300 {
			t.Errorf("damage at %d: %d rows of the other day", at, n)
		}
		r, err := h.Range(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		aside += len(r.Aside)
		for _, a := range r.Aside {
			if err := os.Remove(filepath.Join(Folder(path), a.Name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Close(); err != nil {
			t.Errorf("damage at %d: %v", at, err)
		}
	}
	if aside < 5 {
		t.Errorf("damage was met %d times only", aside)
	}
}

// TestDamagedLog: a log of what is not in the file yet that makes no sense
// takes its day out of use, and no other.
func TestDamagedLog(t *testing.T) {
	path := filled(t, 900)
	if err := os.WriteFile(logName(dayPath(path, firstDay)), bytes.Repeat([]byte("hello"), 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	h := must(t, path, Config{})
	defer h.Close()
	if n := total(t, h, observation.Filter{From: secondDay}); n != 300 {
		t.Errorf("%d rows of the other day", n)
	}
	if n := total(t, h, observation.Filter{}); n != 300 && n != 900 {
		t.Errorf("%d rows", n)
	}
}

func TestNewerFileIsRefused(t *testing.T) {
	path := filled(t, 900)
	name := dayPath(path, secondDay)
	script(t, name, "UPDATE about SET version = 99")
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = take(path, Config{})
	var f *store.Fault
	if !errors.Is(err, store.ErrNewer) || !errors.As(err, &f) || f.Where != name || !strings.Contains(err.Error(), "99") {
		t.Errorf("%v", err)
	}
	if after, err := os.ReadFile(name); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the refused file was changed, %v", err)
	}
	// An older day that is newer shows when it is asked for, and only then.
	path = filled(t, 900)
	script(t, dayPath(path, firstDay), "UPDATE about SET version = 99")
	h := must(t, path, Config{})
	defer h.Close()
	if n := total(t, h, observation.Filter{From: secondDay}); n != 300 {
		t.Errorf("%d rows of the other day", n)
	}
	if _, err := h.Top(t.Context(), observation.TopQuery{Of: observation.BySite}); !errors.Is(err, store.ErrNewer) {
		t.Errorf("a question over the newer file: %v", err)
	}
	if err := h.Append(t.Context(), observationtest.Rows(3000, 3001)); !errors.Is(err, store.ErrNewer) {
		t.Errorf("writing to the newer file: %v", err)
	}
}

func TestFileInUseIsRefused(t *testing.T) {
	path := filled(t, 900)
	h := must(t, path, Config{})
	defer h.Close()
	if _, err := take(path, Config{}); !errors.Is(err, store.ErrInUse) {
		t.Errorf("a second process: %v", err)
	}
}

// TestUpgrade brings files up by a further step, each when it is opened; a step
// that breaks leaves the version before.
func TestUpgrade(t *testing.T) {
	path := filled(t, 900)
	list, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	openWith := func(step string) (*DB, error) {
		return open(context.Background(), Folder(path), Config{}, append(list[:len(list):len(list)], step))
	}
	if _, err := openWith("ALTER TABLE $day.observed ADD COLUMN extra INTEGER; CREATE TABLE $day.observed (again TEXT)"); err == nil {
		t.Fatal("a broken step passed")
	}
	d, err := openWith("CREATE TABLE $day.remark (text VARCHAR)")
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Search(t.Context(), observation.SearchQuery{Limit: 1000})
	if err != nil || len(p.Rows) != 900 {
		t.Errorf("%d rows after the upgrade, %v", len(p.Rows), err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := take(path, Config{}); !errors.Is(err, store.ErrNewer) {
		t.Errorf("the version before opens the newer file: %v", err)
	}
}

// TestNoWayOut: the database reads and writes in its folder only, loads no
// extension, and nobody can tell it otherwise.
func TestNoWayOut(t *testing.T) {
	h := must(t, t.TempDir(), Config{Memory: 100 << 20, Threads: 1})
	defer h.Close()
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"SELECT * FROM " + quote(secret),
		"SELECT * FROM read_text(" + quote(secret) + ")",
		"COPY (SELECT 1) TO " + quote(filepath.Join(filepath.Dir(secret), "out.csv")),
		"ATTACH " + quote(filepath.Join(filepath.Dir(secret), "other.duckdb")),
		"SELECT * FROM 'http://127.0.0.1:1/x.csv'",
		"INSTALL httpfs", "LOAD httpfs", "INSTALL sqlite FROM community",
		"SET enable_external_access = true", "SET autoload_known_extensions = true", "SET memory_limit = '100GB'",
	} {
		if _, err := h.sql.Exec(q); err == nil {
			t.Errorf("%s passed", q)
		}
	}
	for name, want := range map[string]string{"memory_limit": "100.0 MiB", "threads": "1", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
		"enable_external_access": "false", "lock_configuration": "true", "temp_directory": filepath.Join(h.dir, tempName)} {
		var got string
		if err := h.sql.QueryRow("SELECT value FROM duckdb_settings() WHERE name = ?", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, %v; expected %s", name, got, err, want)
		}
	}
}

// TestTooManyDays: whatever times traffic claims, the number of files is
// bounded and what is left out is counted.
func TestTooManyDays(t *testing.T) {
	h := must(t, t.TempDir(), Config{MaxDays: 3, Open: 1})
	defer h.Close()
	rows := observationtest.Rows(0, 6)
	for i := range rows {
		rows[i].Time = firstDay.AddDate(i, 0, 0).UnixNano()
	}
	if err := h.Append(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	r, err := h.Range(t.Context())
	if err != nil || len(r.Days) != 3 || r.LeftOut != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if n, err := h.Retain(t.Context(), firstDay.AddDate(1, 0, 0)); err != nil || n != 1 {
		t.Errorf("%d days dropped, %v", n, err)
	}
	if err := h.Append(t.Context(), rows[3:]); err != nil {
		t.Fatal(err)
	}
	if r, err := h.Range(t.Context()); err != nil || len(r.Days) != 3 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestWordsThatAreForgotten: values that get a second number are still one.
func TestWordsThatAreForgotten(t *testing.T) {
	path := t.TempDir()
	for range 3 {
		h := must(t, path, Config{words: 2})
		r, err := h.Range(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, d := range r.Days {
			n += int(d.Rows)
		}
		if err := errors.Join(h.Append(t.Context(), observationtest.Rows(n, n+100)), h.Close()); err != nil {
			t.Fatal(err)
		}
	}
	h := must(t, path, Config{})
	defer h.Close()
	var twice int
	first := observationtest.Row(0)
	if err := h.sql.QueryRow(fmt.Sprintf("SELECT count(*) - count(DISTINCT value) FROM day%d.word_session", first.Day())).Scan(&twice); err != nil || twice < 10 {
		t.Fatalf("%d values have several numbers, %v", twice, err)
	}
	m := observationtest.NewModel()
	if err := m.Append(t.Context(), observationtest.Rows(0, 300)); err != nil {
		t.Fatal(err)
	}
	for _, dim := range observation.Dimensions() {
		q := observation.TopQuery{Of: dim, Limit: 20}
		got, err := h.Top(t.Context(), q)
		want, _ := m.Top(t.Context(), q)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v; the model says %v", dim, got, err, want)
		}
	}
	one := observationtest.Row(6)
	p, err := h.Search(t.Context(), observation.SearchQuery{Filter: observation.Filter{Session: one.Session, Site: one.Site}, Limit: 1000})
	if err != nil || len(p.Rows) < 5 {
		t.Errorf("%d rows of a session, %v", len(p.Rows), err)
	}
}

// TestCancelled: a question or batch that is given up leaves nothing behind.
func TestCancelled(t *testing.T) {
	path := filled(t, 900)
	h := must(t, path, Config{})
	defer h.Close()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Append(gone, observationtest.Rows(3900, 4000)); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled batch: %v", err)
	}
	if _, err := h.Top(gone, observation.TopQuery{Of: observation.BySession}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled question: %v", err)
	}
	for i := range 20 {
		short, cancel := context.WithTimeout(t.Context(), time.Duration(i)*200*time.Microsecond)
		_ = h.Append(short, observationtest.Rows(3900, 4000)) // done or not
		_, _ = h.Pivot(short, observation.PivotQuery{Of: observation.ByAPI, Key: "api-1"})
		cancel()
	}
	if err := h.Append(t.Context(), observationtest.Rows(3900, 4000)); err != nil {
		t.Fatal(err)
	}
	if n := total(t, h, observation.Filter{}); n != 1000 {
		t.Errorf("%d rows of 1000", n)
	}
}
