package api

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/report/reporttest"
	"xiezhi/internal/store"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/duckdb"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/sqlite"
)

// onDisk is the store of a service.
func onDisk(t testing.TB) record.Store {
	t.Helper()
	f, err := store.Take(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), f, sqlite.Config{Chain: record.NewChain([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := f.Release(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestOnDisk goes through a day of work on the store that a service has.
func TestOnDisk(t *testing.T) {
	h := newHouse(t)
	list, err := kept.All(h.report, 1)
	if err != nil {
		t.Fatal(err)
	}
	s := onDisk(t)
	for len(list) > 0 {
		n := min(len(list), record.MaxBatch)
		if _, err := s.Write(t.Context(), record.Batch{Put: list[:n]}); err != nil {
			t.Fatal(err)
		}
		list = list[n:]
	}
	h.open(func(c *Config) { c.Store = s })
	root := h.admin()
	g := h.user(root, v1.RoleAnalyst)
	var page v1.DefectPage
	g.holds("GET", "/api/v1/defects?open=true&severity=critical&severity=high", nil).into(t, &page)
	if len(page.Items) == 0 {
		t.Fatal("no defects")
	}
	for _, d := range page.Items {
		if d.Closed() || d.Severity != "critical" && d.Severity != "high" {
			t.Errorf("%s is %s, %s", d.ID, d.Severity, d.Status)
		}
	}
	g.must(201, "POST", "/api/v1/defects/"+page.Items[0].ID+"/verdict", map[string]any{"verdict": "confirmed", "reason": "seen"})
	var counts v1.Counts
	g.holds("GET", "/api/v1/counts/apis", nil).into(t, &counts)
	if counts.Total != int64(len(h.report.APIs)) {
		t.Errorf("%d APIs, want %d", counts.Total, len(h.report.APIs))
	}
	var all v1.AttackPage
	seen := map[string]int{}
	for cursor := ""; ; cursor = "&cursor=" + all.Next {
		all = v1.AttackPage{}
		g.holds("GET", "/api/v1/attacks?limit=7"+cursor, nil).into(t, &all)
		for _, a := range all.Items {
			seen[a.ID]++
		}
		if all.Next == "" {
			break
		}
	}
	if len(seen) != len(h.report.Attacks) {
		t.Errorf("%d attacks on all pages, want %d", len(seen), len(h.report.Attacks))
	}
	var v v1.AuditVerification
	if root.holds("GET", "/api/v1/audit/verification", nil).into(t, &v); !v.Whole || v.Entries != 4 {
		t.Errorf("%+v", v)
	}
}

// onDiskRows is the store of rows of a service, with the same rows as someRows.
func onDiskRows(t testing.TB) observation.Store {
	t.Helper()
	f, err := store.Take(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d, err := duckdb.Open(t.Context(), f, duckdb.Config{})
	if errors.Is(err, duckdb.ErrAbsent) {
		t.Skip("this build has no DuckDB")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(d.Close(), f.Release()); err != nil {
			t.Error(err)
		}
	})
	if err := d.Append(t.Context(), theRows()); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestStoresAnswerAlike reads everything from the model of the stores and from
// those that a service has.
func TestStoresAnswerAlike(t *testing.T) {
	one := newHouse(t, func(c *Config) { c.Observations = someRows(t) })
	s := onDisk(t)
	list, err := kept.All(one.report, 1)
	if err != nil {
		t.Fatal(err)
	}
	for len(list) > 0 {
		n := min(len(list), record.MaxBatch)
		if _, err := s.Write(t.Context(), record.Batch{Put: list[:n]}); err != nil {
			t.Fatal(err)
		}
		list = list[n:]
	}
	rows := onDiskRows(t)
	two := newHouse(t, func(c *Config) { c.Store, c.Observations = s, rows })
	a, b := one.admin(), two.admin()
	compared := 0
	for _, path := range readings(one.report) {
		if strings.Contains(path, "xlsx") || strings.HasSuffix(path, "/days") || path == "/status" { // times of making, sizes on disk
			continue
		}
		x, y := a.must(200, "GET", "/api/v1"+path, nil), b.must(200, "GET", "/api/v1"+path, nil)
		if compared++; string(x.body) != string(y.body) {
			t.Errorf("%s: the model gives\n%.2000s\nthe stores\n%.2000s", path, x.body, y.body)
		}
	}
	if compared < 30 {
		t.Errorf("%d answers were compared", compared)
	}
}

// BenchmarkOverview asks for the first screen over the rows that
// BenchmarkQuestions of duckdb left in XIEZHI_ROWS_KEEP, and 20 000 attacks.
func BenchmarkOverview(b *testing.B) {
	path := os.Getenv("XIEZHI_ROWS_KEEP")
	if path == "" {
		b.Skip("XIEZHI_ROWS_KEEP names no folder of rows")
	}
	f, err := store.Take(path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Release() }()
	rows, err := duckdb.Open(b.Context(), f, duckdb.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	have, err := rows.Range(b.Context())
	if err != nil || len(have.Days) == 0 {
		b.Fatal(have, err)
	}
	end := have.Days[len(have.Days)-1].Start.AddDate(0, 0, 1)
	h := newHouse(b)
	s := onDisk(b)
	r := reporttest.Small(5, h.msgs)
	for i := 0; i < 20_000; i += 500 {
		var batch record.Batch
		for j := i; j < i+500; j++ {
			api, attack, d := r.APIs[j%len(r.APIs)], r.Attacks[j%len(r.Attacks)], r.Defects[j%len(r.Defects)]
			api.ID, attack.ID, d.ID, attack.APIs, d.API = fmt.Sprintf("%016x", j), fmt.Sprintf("%016x", j), fmt.Sprintf("%016x", j), []string{fmt.Sprintf("%016x", j)}, fmt.Sprintf("%016x", j)
			api.LastSeen, attack.LastSeen, attack.FirstSeen = end.Add(-time.Duration(j)*time.Minute), end.Add(-time.Duration(j)*time.Minute), end.Add(-time.Duration(j)*time.Minute-time.Hour)
			api.FirstSeen = api.LastSeen.Add(-time.Hour)
			x, err1 := kept.API(&api, 1)
			y, err2 := kept.Attack(&attack, 1)
			z, err3 := kept.Defect(&d, api.Site, &api, 1)
			if err := errors.Join(err1, err2, err3); err != nil {
				b.Fatal(err)
			}
			if batch.Put = append(batch.Put, x, y); j%10 == 0 {
				batch.Put = append(batch.Put, z)
			}
			if len(batch.Put) > record.MaxBatch-3 {
				if _, err := s.Write(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				batch.Put = nil
			}
		}
		if _, err := s.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	h.open(func(c *Config) { c.Store, c.Observations, c.Seen = s, rows, func() time.Time { return end } })
	g := h.admin()
	for _, days := range []int{1, 2, len(have.Days)} {
		for _, part := range []string{"", "&site=" + r.Sites[0].Name} {
			b.Run(fmt.Sprintf("%d days%s", days, part), func(b *testing.B) {
				var took []time.Duration
				cpu := spent()
				for b.Loop() {
					t := time.Now()
					g.must(200, "GET", "/api/v1/overview?from="+end.AddDate(0, 0, -days).Format(time.RFC3339)+"&to="+end.Format(time.RFC3339)+part, nil)
					took = append(took, time.Since(t))
				}
				cpu = spent() - cpu
				slices.Sort(took)
				b.ReportMetric(float64(cpu.Microseconds())/1000/float64(len(took)), "cpu-ms")
				b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			})
		}
	}
}

// spent is the time that processors worked for this process, which says more
// than the clock where others work too.
func spent() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLists asks for pages of 50 among 20 000 APIs and 20 000 attacks on
// disk, as the console does.
func BenchmarkLists(b *testing.B) {
	h := newHouse(b)
	s := onDisk(b)
	r := reporttest.Small(5, h.msgs)
	for i := 0; i < 20_000; i += 500 {
		var batch record.Batch
		for j := i; j < i+500; j++ {
			api, attack := r.APIs[j%len(r.APIs)], r.Attacks[j%len(r.Attacks)]
			api.ID, attack.ID, attack.APIs = fmt.Sprintf("%016x", j), fmt.Sprintf("%016x", j), []string{fmt.Sprintf("%016x", j)}
			x, err1 := kept.API(&api, 1)
			y, err2 := kept.Attack(&attack, 1)
			if err1 != nil || err2 != nil {
				b.Fatal(err1, err2)
			}
			batch.Put = append(batch.Put, x, y)
		}
		if _, err := s.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	h.open(func(c *Config) { c.Store = s })
	g := h.admin()
	for name, path := range map[string]string{
		"apis": "/apis", "apis by text": "/apis?text=nothing-has-this", "attacks": "/attacks", "attacks on an API": "/attacks?api=" + fmt.Sprintf("%016x", 77), "counts": "/counts/apis",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g.must(200, "GET", "/api/v1"+path, nil)
			}
		})
	}
}
