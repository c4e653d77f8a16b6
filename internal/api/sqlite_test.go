package api

import (
	"fmt"
	"testing"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/report/reporttest"
	"xiezhi/internal/store"
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
