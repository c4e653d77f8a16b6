package attack

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"xiezhi/internal/catalog"
	"xiezhi/internal/exchange"
	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// busy is a script with several attacks at once.
func busy(seed uint64) *script {
	s := newScript(seed)
	s.oracle = true
	s.crowd(50, 0, 400)
	s.nat(ip4(77, 1, 1, 1), 20, 500, 0, 400)
	s.stuff(60, 3, func(i int) *client { return s.browser(ip4(88, 1, 2, 1+i)) }, func(i int) uint64 { return 90_000 + uint64(i) })
	c := s.tool(ip4(45, 9, 1, 7))
	for i := range 120 {
		s.login(c, 30+float64(i)*0.4, 5_000_000+uint64(i), 99, []string{"absent", "wrong"}[i%2], "scan")
	}
	b := s.browser(ip4(45, 9, 1, 8))
	b.credential, b.principal = 77, 78
	for i := range 200 {
		s.read(b, 100+float64(i)*0.3, "detail", uint64(i)*50, 1_000_000+uint64(i%50), "bola")
	}
	return s
}

var compare = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
var comparePrefix = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestSameEventsSameFindings(t *testing.T) {
	a, b := busy(3).run(t), busy(3).run(t)
	if d := cmp.Diff(a.findings, b.findings, compare, comparePrefix); d != "" {
		t.Error(d)
	}
	if len(a.findings) < 3 {
		t.Errorf("only %d findings", len(a.findings))
	}
}

// TestFindingsIsPure: asking in between changes nothing later.
func TestFindingsIsPure(t *testing.T) {
	s := busy(4)
	want := s.run(t).findings
	e := New(Config{Messages: messages(t), Site: "shop"})
	for i, ev := range s.events {
		e.Observe(&ev.Event)
		if i%97 == 0 {
			e.Findings(nil)
		}
	}
	e.Findings(nil)
	if d := cmp.Diff(want, e.Findings(nil), compare, comparePrefix); d != "" {
		t.Error(d)
	}
}

// TestIDsOutliveGrowth: an id once seen stays, or is folded into an older one.
func TestIDsOutliveGrowth(t *testing.T) {
	s := busy(5)
	s.sortEvents()
	e := New(Config{Messages: messages(t), Site: "shop"})
	ever := map[string]bool{}
	for i, ev := range s.events {
		e.Observe(&ev.Event)
		if i%500 == 0 {
			for _, ep := range e.book.eps {
				ever[ep.id] = true
			}
		}
	}
	final := e.Findings(nil)
	kept := 0
	seen := map[string]bool{}
	for _, f := range final {
		if ever[f.ID] {
			kept++
		}
		if seen[f.ID] {
			t.Errorf("two findings with id %s", f.ID)
		}
		seen[f.ID] = true
	}
	if kept == 0 || len(final) > 8 {
		t.Errorf("%d of %d findings kept the id of their birth", kept, len(final))
	}
}

// TestMergeOfAPIs: events split over two handles that merge later give the
// same attacks as one handle from the start.
func TestMergeOfAPIs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64Range(0, 1000).Draw(rt, "seed")
		where := rapid.Float64Range(0.1, 0.9).Draw(rt, "where")
		build := func() *script {
			s := newScript(seed)
			s.crowd(15, 0, 200)
			b := s.browser(ip4(45, 9, 1, 8))
			b.credential, b.principal = 77, 78
			for i := range 100 {
				s.read(b, 50+float64(i)*0.3, "detail", uint64(i)*50, 1_000_000+uint64(i%50), "bola")
			}
			s.sortEvents()
			return s
		}
		one := build()
		want := one.run(t)
		two := build()
		twin := *two.apis["detail"]
		twin.Handle, twin.ID = 99, "twin"
		at := int(float64(len(two.events)) * where)
		e := New(Config{Messages: messages(t), Site: "shop"})
		for i, ev := range two.events {
			if i < at && ev.API == two.apis["detail"] && i%2 == 0 {
				ev.API = &twin
			}
			if i == at {
				ev.Merges = []catalog.Merge{{From: 99, Into: two.apis["detail"].Handle}}
			}
			e.Observe(&ev.Event)
		}
		got := e.Findings(nil)
		if len(got) != len(want.findings) {
			rt.Fatalf("%d findings, want %d", len(got), len(want.findings))
		}
		for i := range got {
			if got[i].Kind != want.findings[i].Kind || got[i].Requests != want.findings[i].Requests || !reflect.DeepEqual(got[i].Selector, want.findings[i].Selector) {
				rt.Fatalf("finding %d: %+v\nwant %+v", i, got[i], want.findings[i])
			}
		}
	})
}

// TestBounded: a million keys seen once neither grow the state nor push out
// those who come twice.
func TestBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("a million events")
	}
	const limit = 1 << 13
	s := newScript(1)
	e := New(Config{Messages: messages(t), Site: "shop", Budget: Budget{Cells: limit, SetBytes: 1 << 20, Targets: 512, Pending: 1024, Names: 512, Episodes: 16}})
	ev := &s.send(s.browser(ip4(1, 2, 3, 4)), 0, "login", "", nil).Event
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 1_000_000 {
		o := ev.Observation
		o.End = t0 + int64(i)*1e6
		v := rng.Uint64()
		ev.Who = identity.Who{Client: netip.AddrFrom4([4]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)}), Cohort: v, Subject: v}
		o.Agent, o.ParamShape, o.HeaderOrder = v, v, v
		o.Accounts = []observe.Account{{Token: v}}
		o.Passwords = []observe.Password{{Use: observe.PasswordCurrent, Tag: uint32(v)}}
		o.Issued = []observe.Credential{{Token: v}}
		o.Params = []observe.Param{{Name: fmt.Sprint("p", v%100_000), Token: v}}
		o.JA4 = fmt.Sprint(v % 50_000)
		ev.Outcome = catalog.Outcome(1 + v%4)
		ev.Object = v
		e.Observe(ev)
	}
	if e.Live() > limit {
		t.Errorf("%d cells live, cap %d", e.Live(), limit)
	}
	if e.pool.used > 1<<20 {
		t.Errorf("sets hold %d bytes", e.pool.used)
	}
	if len(e.targets.slots) > 512 || len(e.pending.ring) > 1024 || len(e.names.index) > 512 || len(e.labels.text) > maxLabels || len(e.book.eps) > 16 {
		t.Errorf("a memory exceeds its cap: %d %d %d %d %d", len(e.targets.slots), len(e.pending.ring), len(e.names.index), len(e.labels.text), len(e.book.eps))
	}
	l := e.Losses()
	if l.Cells == 0 || l.Pending == 0 || l.Names == 0 || l.Labels == 0 {
		t.Errorf("losses not counted: %+v", l)
	}
}

// TestSetsAccount: the pool's books balance when everything is released.
func TestSetsAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pool{budget: rapid.Int64Range(100, 100_000).Draw(t, "budget")}
		var sets [5]*distinct
		for range rapid.IntRange(0, 300).Draw(t, "n") {
			i := rapid.IntRange(0, 4).Draw(t, "i")
			switch rapid.IntRange(0, 6).Draw(t, "op") {
			case 0:
				p.release(sets[i])
				sets[i] = nil
			case 1:
				p.union(&sets[i], sets[(i+1)%5])
			default:
				p.add(&sets[i], uint64(rapid.IntRange(0, 200).Draw(t, "v")))
			}
			if p.used > p.budget {
				t.Fatalf("pool uses %d of %d", p.used, p.budget)
			}
		}
		for _, d := range sets {
			p.release(d)
		}
		if p.used != 0 {
			t.Fatalf("%d bytes unaccounted", p.used)
		}
	})
}

func TestDistinctCounts(t *testing.T) {
	var p pool
	for _, n := range []int{0, 1, 4, 5, 64, 65, 200, 1000, 20_000} {
		var d *distinct
		for i := range n {
			p.add(&d, uint64(i))
			p.add(&d, uint64(i))
		}
		got := d.count()
		if tol := float64(n) * 0.1; n <= 64 && got != float64(n) || got < float64(n)-tol || got > float64(n)+tol {
			t.Errorf("%d values counted as %v", n, got)
		}
	}
}

// TestTexts: every sentence is filled in, in both languages.
func TestTexts(t *testing.T) {
	for seed := range uint64(3) {
		for _, f := range busy(seed).run(t).findings {
			texts := []string{f.Reason.Zh, f.Reason.En}
			for _, r := range f.Reasons {
				texts = append(texts, r.Text.Zh, r.Text.En)
			}
			for _, s := range texts {
				if s == "" || strings.Contains(strings.ReplaceAll(s, "{id}", ""), "{") || strings.HasPrefix(s, "attack.") || strings.Contains(s, "%!") || strings.Contains(s, "<nil>") {
					t.Errorf("%s: %q", f.Kind, s)
				}
			}
		}
	}
}

// TestEpisodeEndsAndReturns: an attack closes when idle and keeps its numbers;
// the same asker hours later is a new attack.
func TestEpisodeEndsAndReturns(t *testing.T) {
	s := newScript(9)
	s.crowd(20, 0, 300)
	c := s.tool(ip4(45, 9, 1, 7))
	for burst := range 2 {
		for i := range 100 {
			s.login(c, 50+float64(burst)*4*3600+float64(i)*0.5, 5_000_000+uint64(burst*1000+i), 90_000+uint64(burst*1000+i), "wrong", fmt.Sprint("burst", burst))
		}
	}
	s.sortEvents()
	e := New(Config{Messages: messages(t), Site: "shop"})
	last := int64(0)
	for _, ev := range s.events {
		for ; last != 0 && last+60e9 < ev.obs.End; last += 60e9 {
			e.Tick(last)
		}
		last = ev.obs.End
		e.Observe(&ev.Event)
	}
	r := s.score(e, e.Findings(nil))
	if len(r.findings) != 2 {
		t.Fatalf("want two findings:\n%s", r)
	}
	for _, f := range r.findings {
		if f.Requests < 99 || f.Requests > 101 || f.Last-f.First > 60e9 {
			t.Errorf("finding of %d requests over %d s:\n%s", f.Requests, (f.Last-f.First)/1e9, r)
		}
	}
	r.found(t, "burst0", 0.95, taxonomy.AttackCredentialStuffing)
	r.found(t, "burst1", 0.95, taxonomy.AttackCredentialStuffing)
}

// TestNoAddress: a source that cannot see clients still gives findings.
func TestNoAddress(t *testing.T) {
	s := newScript(2)
	s.crowd(20, 0, 300)
	for i := range 100 {
		c := s.tool(netip.Addr{})
		c.cohort, c.agent, c.header, c.shape = 5, 6, 7, 8
		s.login(c, 50+float64(i)*0.5, 5_000_000+uint64(i), 90_000+uint64(i), "wrong", "stuff")
	}
	r := s.run(t)
	r.found(t, "stuff", 0.9, taxonomy.AttackCredentialStuffing)
	r.innocent(t)
}

// TestOddEvents: events with nothing in them do no harm.
func TestOddEvents(t *testing.T) {
	e := New(Config{})
	for i := range 300 {
		e.Observe(&catalog.Event{Observation: &observe.Observation{}})
		e.Observe(&catalog.Event{Observation: &observe.Observation{End: int64(i), Status: 404, Caps: exchange.CapWire}, API: &catalog.API{Handle: catalog.Handle(i % 7)}})
		e.Observe(&catalog.Event{Merges: []catalog.Merge{{From: 1, Into: 2}, {From: 2, Into: 1}, {From: 3, Into: 3}}})
		e.Tick(int64(i) * 1e12)
	}
	e.Findings(nil)
}

func BenchmarkObserve(b *testing.B) {
	s := newScript(1)
	s.crowd(500, 0, 400)
	s.sortEvents()
	e := New(Config{Messages: messages(b), Site: "shop"})
	span := s.events[len(s.events)-1].obs.End - t0 + 1e9
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		ev := s.events[i%len(s.events)]
		if i >= len(s.events) {
			ev.obs.End += span
		}
		e.Observe(&ev.Event)
	}
	b.ReportMetric(float64(e.Live()), "cells")
}

func BenchmarkFindings(b *testing.B) {
	s := busy(1)
	s.sortEvents()
	e := New(Config{Messages: messages(b), Site: "shop"})
	for _, ev := range s.events {
		e.Observe(&ev.Event)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.Findings(nil)
	}
}
