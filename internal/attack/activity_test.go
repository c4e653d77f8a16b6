package attack

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// sums asserts that a finding's rows add up to its figures and are in order.
func sums(tb interface {
	Helper()
	Errorf(string, ...any)
}, f *Finding) {
	tb.Helper()
	var n, blocked, ok uint64
	var last entry
	lastDay := ""
	for i, a := range f.Activity {
		n, blocked, ok = n+a.Requests, blocked+a.Blocked, ok+a.Succeeded
		if i > 0 && (a.Day < lastDay || a.Day == lastDay && a.API <= last.api) {
			tb.Errorf("%s: row %d is out of order", f.Kind, i)
		}
		last, lastDay = entry{api: a.API}, a.Day
	}
	if n != f.Requests || blocked != f.Blocked || ok != f.Succeeded {
		tb.Errorf("%s: rows add up to %d/%d/%d, the finding says %d/%d/%d", f.Kind, n, blocked, ok, f.Requests, f.Blocked, f.Succeeded)
	}
}

// abuse adds an attack of a random kind that may last for days.
func (s *script) abuse(at, gap float64, n int, truth string) {
	c := s.tool(ip4(45, 9, s.rng.IntN(200), 7))
	kind := s.rng.IntN(6)
	for i := range n {
		switch kind {
		case 0:
			s.login(c, at, 5_000_000+uint64(i), 99, []string{"absent", "wrong"}[s.rng.IntN(2)], truth)
		case 1:
			s.login(c, at, 6_000_000+uint64(i), 7000+uint64(i), "wrong", truth)
		case 2:
			s.read(c, at, "detail", 900_000+uint64(i), 77, truth)
		case 3:
			s.register(c, at, 7_000_000+uint64(i), truth)
		case 4:
			s.send(c, at, []string{"news", "list", "health", ""}[s.rng.IntN(4)], truth, func(ev *scripted) {
				if ev.API == nil {
					ev.obs.Status, ev.Outcome = 404, catalog.OutcomeNotFound
					ev.obs.Segments = append(ev.obs.Segments, segment(fmt.Sprint("admin", i)))
				}
			})
		case 5:
			s.send(c, at, "check", truth, func(ev *scripted) {
				s.account(ev, 8_000_000+uint64(i), 0, c)
				if i%3 == 0 {
					ev.Outcome, ev.obs.Status = catalog.OutcomeThrottled, 429
				}
			})
		}
		at += gap * (0.5 + s.rng.Float64())
	}
}

func TestActivityAddsUp(t *testing.T) {
	msgs := messages(t)
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		s := newScript(rapid.Uint64().Draw(t, "seed"))
		s.crowd(30, 0, 400)
		for range rapid.IntRange(1, 3).Draw(t, "attacks") {
			s.abuse(float64(rapid.IntRange(0, 90_000).Draw(t, "at")), rapid.SampledFrom([]float64{0.2, 5, 400, 3000}).Draw(t, "gap"), rapid.IntRange(10, 200).Draw(t, "n"), "x")
		}
		s.sortEvents()
		e := New(Config{Messages: msgs, Site: "shop", Zone: time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600),
			Budget: Budget{Cells: rapid.SampledFrom([]int{0, 64, 300}).Draw(t, "cells"), SetBytes: rapid.SampledFrom([]int64{0, 4096}).Draw(t, "bytes")}})
		merge := rapid.IntRange(0, len(s.events)*2).Draw(t, "merge")
		for i, ev := range s.events {
			if i == merge {
				ev.Merges = []catalog.Merge{{From: s.apis["list"].Handle, Into: s.apis["news"].Handle}, {From: s.apis["check"].Handle, Into: s.apis["login"].Handle}}
			}
			e.Observe(&ev.Event)
			if i%997 == 0 {
				for _, f := range e.Findings(nil) {
					sums(t, &f)
				}
			}
		}
		for _, f := range e.Findings(nil) {
			sums(t, &f)
			found++
		}
	})
	if found == 0 {
		t.Error("no attack was found: the test shows nothing")
	}
}

// TestActivityByDay compares the rows of attacks that go past midnight and the
// month's end with what was sent.
func TestActivityByDay(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	midnight := float64(time.Date(2023, 12, 1, 0, 0, 0, 0, zone).Unix() - t0/1e9)
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newScript(seed)
			s.crowd(40, midnight-1200, midnight+1200)
			c := s.tool(ip4(45, 9, 1, 7))
			for i := range 300 {
				s.login(c, midnight-900+float64(i)*6, 5_000_000+uint64(i), 4000+uint64(i), "wrong", "guess")
			}
			d := s.tool(ip4(46, 9, 1, 7))
			for i := range 240 {
				at := midnight - 800 + float64(i)*5
				if i%2 == 0 {
					s.send(d, at, []string{"news", "list", "health"}[i/2%3], "scan", nil)
					continue
				}
				s.send(d, at, "", "scan", func(ev *scripted) {
					ev.obs.Status, ev.Outcome = 404, catalog.OutcomeNotFound
					ev.obs.Segments = append(ev.obs.Segments, segment(fmt.Sprint("backup", i)))
				})
			}
			s.sortEvents()
			e := New(Config{Messages: messages(t), Site: "shop", Zone: zone})
			want := map[string]map[string]uint64{"guess": {}, "scan": {}}
			for _, ev := range s.events {
				e.Observe(&ev.Event)
				if ev.truth != "" {
					h := catalog.Handle(0)
					if ev.API != nil {
						h = ev.API.Handle
					}
					want[ev.truth][fmt.Sprint(time.Unix(0, ev.End).In(zone).Format(time.DateOnly), " ", h)]++
				}
			}
			for _, f := range e.Findings(nil) {
				truth := map[taxonomy.AttackKind]string{taxonomy.AttackCredentialStuffing: "guess", taxonomy.AttackAccountScanning: "guess", taxonomy.AttackVulnerabilityScan: "scan"}[f.Kind]
				if truth == "" || f.Verdict < taxonomy.Likely {
					continue
				}
				got := map[string]uint64{}
				for _, a := range f.Activity {
					got[fmt.Sprint(a.Day, " ", a.API)] = a.Requests
				}
				if !maps.Equal(got, want[truth]) {
					t.Errorf("%s: got %v, want %v", f.Kind, got, want[truth])
				}
				delete(want, truth)
			}
			if len(want) > 0 {
				t.Errorf("not found: %v", slicesOf(want))
			}
		})
	}
}

func TestLedgerIsBounded(t *testing.T) {
	var l ledger
	var sent uint64
	lost := 0
	for i := range 10_000 {
		n := uint32(i%7 + 1)
		sent += uint64(n)
		if !l.add(entry{int32(19_700 + i*37%4000), catalog.Handle(i % 900)}, counts{n: n}) {
			lost++
		}
	}
	var kept uint64
	for _, n := range l.rows {
		kept += uint64(n.n)
	}
	if kept != sent || len(l.rows) > maxRows+maxRows/8 || lost == 0 {
		t.Errorf("kept %d of %d in %d rows, %d without a row of their own", kept, sent, len(l.rows), lost)
	}
	// At the cap a day joins the first day of its month on the same API.
	full := ledger{}
	for i := range maxRows {
		full.add(entry{int32(19_754 + i%10), catalog.Handle(i/10 + 1)}, counts{n: 1})
	}
	if full.add(entry{19_770, 5}, counts{n: 10}) || full.rows[entry{19_754, 5}].n != 11 {
		t.Errorf("the row went elsewhere: %v", full.rows[entry{19_754, 5}])
	}
}

func TestCalendar(t *testing.T) {
	for _, name := range []string{"UTC", "Asia/Shanghai", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		c := calendar{zone: zone}
		at := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC)
		for at.Year() < 2019 {
			if got, want := civil(c.of(at.UnixNano())).Format(time.DateOnly), at.In(zone).Format(time.DateOnly); got != want {
				t.Fatalf("%s: %v is on %s, not on %s", name, at, want, got)
			}
			at = at.Add(1777 * time.Second)
		}
	}
}

// segment is a path segment kept as text.
func segment(text string) observe.Segment { return observe.Segment{Text: text} }

func slicesOf(m map[string]map[string]uint64) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}
