package observationtest

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"xiezhi/internal/store/observation"
)

// equal takes no rows and none for the same, and addresses by their value.
var equal = gocmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{})}

// Rows gives rows from a number up to before another.
func Rows(from, to int) []observation.Row {
	var out []observation.Row
	for i := from; i < to; i++ {
		out = append(out, Row(i))
	}
	return out
}

func count(t *testing.T, s observation.Store) uint64 {
	t.Helper()
	r, err := s.Range(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var n uint64
	for _, d := range r.Days {
		n += d.Rows
	}
	return n
}

// replays writes what a writer does that was killed and goes on from before:
// the same rows in other batches, over the end of a day.
func replays(t *testing.T, s observation.Store) {
	ctx := t.Context()
	for _, b := range [][2]int{{3500, 3550}, {3550, 3650}, {3500, 3620}, {3590, 3700}, {3500, 3700}, {3699, 3701}} {
		if err := s.Append(ctx, Rows(b[0], b[1])); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, s); n != 201 {
		t.Errorf("%d rows of 201", n)
	}
	// Another partition has positions of its own.
	b := Rows(3500, 3510)
	for i := range b {
		b[i].Partition = 2
	}
	if err := s.Append(ctx, b); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != 211 {
		t.Errorf("%d rows of 211 in two partitions", n)
	}
	top, err := s.Top(ctx, observation.TopQuery{Of: observation.ByVerdict})
	if err != nil || top.Total != 211 {
		t.Errorf("counted are %d, %v", top.Total, err)
	}
	// What was dropped does not come back.
	if n, err := s.Retain(ctx, Start.Add(time.Hour)); err != nil || n != 1 {
		t.Errorf("%d days dropped, %v", n, err)
	}
	if err := s.Append(ctx, Rows(3500, 3700)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != 101 {
		t.Errorf("%d rows of 101 are left", n)
	}
	if r, err := s.Range(ctx); err != nil || r.LeftOut != 100 {
		t.Errorf("%d rows left out, %v", r.LeftOut, err)
	}
}

func refusals(t *testing.T, s observation.Store) {
	ctx := t.Context()
	with := func(change func(*observation.Row)) []observation.Row {
		b := Rows(0, 2)
		change(&b[1])
		return b
	}
	long := strings.Repeat("x", observation.MaxText+1)
	for what, b := range map[string][]observation.Row{
		"too many":             make([]observation.Row, observation.MaxBatch+1),
		"no time":              with(func(r *observation.Row) { r.Time = 0 }),
		"late":                 with(func(r *observation.Row) { r.Time = observation.MaxTime }),
		"long site":            with(func(r *observation.Row) { r.Site = long }),
		"site not UTF-8":       with(func(r *observation.Row) { r.Site = "\xff" }),
		"API with NUL":         with(func(r *observation.Row) { r.API = "a\x00" }),
		"no verdict":           with(func(r *observation.Row) { r.Verdict = 0 }),
		"unknown verdict":      with(func(r *observation.Row) { r.Verdict = 4 }),
		"unknown outcome":      with(func(r *observation.Row) { r.Outcome = 99 }),
		"status":               with(func(r *observation.Row) { r.Status = 1000 }),
		"bytes":                with(func(r *observation.Row) { r.BytesOut = math.MaxUint64 }),
		"type of nothing":      with(func(r *observation.Row) { r.Types = 1 }),
		"zone":                 with(func(r *observation.Row) { r.Client = netip.MustParseAddr("fe80::1%eth0") }),
		"IPv4 as IPv6":         with(func(r *observation.Row) { r.Client = netip.MustParseAddr("::ffff:192.0.2.1") }),
		"position that stands": with(func(r *observation.Row) { r.Seq = 0 }),
		"position":             with(func(r *observation.Row) { r.Seq = math.MaxUint64 }),
	} {
		if err := s.Append(ctx, b); !errors.Is(err, observation.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := count(t, s); n != 0 {
		t.Errorf("%d rows of refused batches", n)
	}
	bad := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, observation.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	day := observation.Filter{From: Start, To: Start.Add(24 * time.Hour)}
	for what, q := range map[string]observation.SeriesQuery{
		"no ends":    {},
		"backwards":  {Filter: observation.Filter{From: day.To, To: day.From}},
		"many steps": {Filter: observation.Filter{From: Start, To: Start.Add(40 * time.Hour)}},
		"long":       {Filter: observation.Filter{From: Start, To: Start.AddDate(3, 0, 0)}, Step: observation.Daily},
		"step":       {Filter: day, Step: 9},
		"measure":    {Filter: day, Step: observation.Hour, Measure: 99},
		"dimension":  {Filter: day, Step: observation.Hour, By: observation.BySession},
		"offset":     {Filter: day, Step: observation.Hour, Offset: time.Second},
		"far offset": {Filter: day, Step: observation.Hour, Offset: 15 * time.Hour},
		"lines":      {Filter: day, Step: observation.Hour, Lines: observation.MaxLines + 1},
		"site":       {Filter: observation.Filter{From: day.From, To: day.To, Site: long}, Step: observation.Hour},
	} {
		_, err := s.Series(ctx, q)
		bad("series, "+what, err)
	}
	for what, q := range map[string]observation.TopQuery{
		"dimension": {}, "unknown dimension": {Of: 99}, "measure": {Of: observation.ByAPI, Measure: 99},
		"limit": {Of: observation.ByAPI, Limit: observation.MaxTop + 1}, "negative": {Of: observation.ByAPI, Limit: -1},
		"time": {Of: observation.ByAPI, Filter: observation.Filter{From: time.Unix(-1, 0)}},
	} {
		_, err := s.Top(ctx, q)
		bad("top, "+what, err)
	}
	for what, q := range map[string]observation.SearchQuery{
		"limit": {Limit: observation.MaxPage + 1}, "place": {After: "?"}, "short place": {After: "AAAA"}, "long place": {After: strings.Repeat("A", 100)},
		"time": {Filter: observation.Filter{To: time.Unix(1<<40, 0)}},
	} {
		_, err := s.Search(ctx, q)
		bad("search, "+what, err)
	}
	scope := observation.Scope{Site: "a", From: day.From, To: day.To}
	scoped := func(change func(*observation.Scope)) observation.Filter {
		one := scope
		change(&one)
		return observation.Filter{Within: []observation.Scope{scope, one}}
	}
	for what, f := range map[string]observation.Filter{
		"scopes": {Within: make([]observation.Scope, observation.MaxScopes+1)}, "left out": {Not: make([]observation.Filter, observation.MaxNot+1)},
		"left out of what is left out": {Not: []observation.Filter{{Not: []observation.Filter{{}}}}}, "left out by time": {Not: []observation.Filter{{From: day.From}}},
		"bad one left out": {Not: []observation.Filter{{Site: long}}},
		"no site":          scoped(func(s *observation.Scope) { s.Site = "" }),
		"no beginning":     scoped(func(s *observation.Scope) { s.From = time.Time{} }),
		"scope backwards":  scoped(func(s *observation.Scope) { s.From, s.To = s.To, s.From }),
		"scope's API":      scoped(func(s *observation.Scope) { s.APIs = []string{long} }),
		"scope's address":  scoped(func(s *observation.Scope) { s.Clients = []netip.Addr{{}} }),
		"scope's clients":  scoped(func(s *observation.Scope) { s.Clients = make([]netip.Addr, observation.MaxScopeKeys+1) }),
	} {
		_, err := s.Top(ctx, observation.TopQuery{Of: observation.ByAPI, Filter: f})
		bad("filter, "+what, err)
	}
	for what, q := range map[string]observation.PivotQuery{
		"nothing": {}, "verdict": {Of: observation.ByVerdict, Key: "normal"}, "address": {Of: observation.ByClient, Key: "a.example"},
		"token": {Of: observation.ByActor, Key: "12"}, "no key": {Of: observation.ByAPI}, "limit": {Of: observation.ByAPI, Key: "a", Limit: -1},
		"contradiction": {Of: observation.ByAPI, Key: "a", Filter: observation.Filter{API: "b"}},
	} {
		_, err := s.Pivot(ctx, q)
		bad("pivot, "+what, err)
	}
}

// pages turns pages while newer rows come in.
func pages(t *testing.T, s observation.Store) {
	ctx := t.Context()
	const from, n = 3400, 400 // over the end of a day
	b := Rows(from, from+n)
	for i := range b {
		b[i].Time -= b[i].Time % int64(7*time.Second) // several at one time
	}
	if err := s.Append(ctx, b); err != nil {
		t.Fatal(err)
	}
	seen, q := map[uint64]int{}, observation.SearchQuery{Limit: 9}
	last := observation.Place{Time: math.MaxInt64}
	for i := 0; ; i++ {
		p, err := s.Search(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rows {
			seen[r.Seq]++
			if r.Place().Compare(last) >= 0 {
				t.Fatalf("%+v comes behind %+v", r.Place(), last)
			}
			last = r.Place()
		}
		if q.After = p.Next; q.After == "" {
			break
		}
		if err := s.Append(ctx, Rows(from+n+i, from+n+i+1)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint64(n) {
		if seen[from+i] != 1 {
			t.Errorf("row %d came %d times", from+i, seen[from+i])
		}
	}
	if len(seen) != n {
		t.Errorf("%d rows seen, expected %d", len(seen), n)
	}
}

// sums writes as many rows as stores begin to sum up, in batches of all sizes,
// and compares the sums with the model's.
func sums(t *testing.T, s observation.Store) {
	ctx, m := t.Context(), NewModel()
	const n = 12_000
	for i, size := 0, 1; i < n; i, size = i+size, size*3%4001+1 {
		b := Rows(i, min(i+size, n))
		if err := errors.Join(s.Append(ctx, b), m.Append(ctx, b)); err != nil {
			t.Fatal(err)
		}
	}
	end := Start.Add(n * time.Second)
	for _, f := range []observation.Filter{{}, {Site: "a.example"}, {Verdicts: observation.SetOf(observation.Attack)},
		{From: Start.Add(30 * time.Minute), To: end.Add(-45 * time.Minute)}, {From: Start.Add(2 * time.Hour)}} {
		for _, d := range observation.Dimensions() {
			for _, measure := range []observation.Measure{observation.Rows, observation.Subjects, observation.MeanLatency} {
				q := observation.TopQuery{Filter: f, Of: d, Measure: measure, Limit: 5}
				want, _ := m.Top(ctx, q)
				got, err := s.Top(ctx, q)
				if diff := gocmp.Diff(want, got, equal...); err != nil || diff != "" {
					t.Errorf("Top(%+v): %v (-model +store):\n%s", q, err, diff)
				}
			}
		}
		if f.From.IsZero() {
			f.From = Start
		}
		if f.To.IsZero() {
			f.To = end
		}
		q := observation.SeriesQuery{Filter: f, By: observation.ByOutcome, Measure: observation.BytesOut}
		want, _ := m.Series(ctx, q)
		got, err := s.Series(ctx, q)
		if diff := gocmp.Diff(want, got, equal...); err != nil || diff != "" {
			t.Errorf("Series(%+v): %v (-model +store):\n%s", q, err, diff)
		}
	}
}

// many has writers of several partitions append while others read.
func many(t *testing.T, s observation.Store) {
	const writers, batches, size = 3, 8, 40
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for b := range batches {
				rows := Rows(b*size, (b+1)*size)
				for i := range rows {
					rows[i].Partition = uint32(w)
					rows[i].Time += int64(w) * int64(time.Hour) // two days
				}
				if err := s.Append(context.WithoutCancel(t.Context()), rows); err != nil {
					t.Error(err)
					return
				}
				p, err := s.Search(t.Context(), observation.SearchQuery{Limit: observation.MaxPage})
				if err != nil {
					t.Error(err)
					return
				}
				mine := 0
				for _, r := range p.Rows {
					if r.Partition == uint32(w) {
						mine++
					}
				}
				if mine != (b+1)*size {
					t.Errorf("writer %d sees %d of its %d rows", w, mine, (b+1)*size)
				}
				if _, err := s.Top(t.Context(), observation.TopQuery{Of: observation.ByAPI}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := count(t, s); n != writers*batches*size {
		t.Errorf("%d rows of %d", n, writers*batches*size)
	}
}
