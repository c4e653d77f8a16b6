package recordtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"xiezhi/internal/store/record"
)

// Opener opens the store of a folder; the same folder again after Close gives
// what was written before.
type Opener func(folder string, c record.Chain) (record.Store, error)

// Contract holds a store against the model.
func Contract(t *testing.T, open Opener) {
	t.Run("does what the model does", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			m := &machine{open: open, folder: t.TempDir(), chain: record.NewChain([32]byte{1})}
			m.model = NewModel(m.chain)
			m.start(rt)
			defer func() { _ = m.store.Close() }()
			rt.Repeat(map[string]func(*rapid.T){
				"write": m.write, "again": m.again, "reopen": m.reopen, "": m.same,
			})
		})
	})
	t.Run("counts replays once", func(t *testing.T) { replays(t, fresh(t, open)) })
	t.Run("refuses what is not as it has to be", func(t *testing.T) { refusals(t, fresh(t, open)) })
	t.Run("pages each record once", func(t *testing.T) { pages(t, fresh(t, open)) })
	t.Run("serves many at once", func(t *testing.T) { many(t, fresh(t, open)) })
}

func fresh(t *testing.T, open Opener) record.Store {
	t.Helper()
	s, err := open(t.TempDir(), record.NewChain([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// machine does the same to a store and to the model.
type machine struct {
	open    Opener
	folder  string
	chain   record.Chain
	store   record.Store
	model   *Model
	past    []record.Batch
	entries int
	heads   []record.Head
}

func (m *machine) start(t *rapid.T) {
	var err error
	if m.store, err = m.open(m.folder, m.chain); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) reopen(t *rapid.T) {
	if err := m.store.Close(); err != nil {
		t.Fatal(err)
	}
	m.start(t)
}

func (m *machine) write(t *rapid.T) {
	var b record.Batch
	for range rapid.IntRange(0, 3).Draw(t, "puts") {
		b.Put = append(b.Put, m.some(t))
	}
	for range rapid.IntRange(0, 1).Draw(t, "deletions") {
		r := m.some(t)
		b.Delete = append(b.Delete, record.Key{Kind: r.Kind, ID: r.ID, Rev: r.Rev})
	}
	for range rapid.IntRange(0, 2).Draw(t, "entries") {
		m.entries++
		b.Audit = append(b.Audit, Entry(m.entries))
	}
	if len(m.past) > 0 && len(b.Audit) > 0 && rapid.IntRange(0, 9).Draw(t, "old entry") == 0 {
		b.Audit[0].ID = Entry(rapid.IntRange(1, m.entries).Draw(t, "which")).ID
	}
	m.past = append(m.past, b)
	m.both(t, b)
}

// again writes some batch of the past once more, as one does who does not know
// what became of it.
func (m *machine) again(t *rapid.T) {
	if len(m.past) > 0 {
		m.both(t, rapid.SampledFrom(m.past).Draw(t, "batch"))
	}
}

func (m *machine) both(t *rapid.T, b record.Batch) {
	ctx := context.Background()
	want, wantErr := m.model.Write(ctx, b)
	got, err := m.store.Write(ctx, b)
	if got != want || class(err) != class(wantErr) {
		t.Fatalf("Write(%+v) = %d, %v; the model says %d, %v", b, got, err, want, wantErr)
	}
}

// some gives a record that often follows what is there and sometimes does not.
func (m *machine) some(t *rapid.T) record.Record {
	k := rapid.SampledFrom(record.Kinds[:]).Draw(t, "kind")
	r := Record(k, rapid.IntRange(0, 2).Draw(t, "id"))
	old, _ := m.model.Get(context.Background(), k, r.ID)
	r.Rev = max(1, old.Rev+uint64(rapid.IntRange(0, 2).Draw(t, "later")))
	r.Site = rapid.SampledFrom([]string{"", "a.example", "b.example"}).Draw(t, "site")
	r.Type = rapid.SampledFrom([]string{"", "x"}).Draw(t, "type")
	r.State = rapid.SampledFrom([]string{"new", "fixed"}).Draw(t, "state")
	r.Severity = rapid.SampledFrom([]string{"", "high"}).Draw(t, "severity")
	r.Words = rapid.SampledFrom([]string{"", "get /orders", "100% 订单_x"}).Draw(t, "words")
	if k.Derived() {
		r.Body = []byte(rapid.SampledFrom([]string{`{"n":0}`, `{"apis":["ab12","cd34"]}`, `{"apis":["ab123"]}`}).Draw(t, "body"))
	}
	r.Name = rapid.SampledFrom([]string{"", "/orders", "/订单"}).Draw(t, "name")
	for i := range r.Ranks {
		r.Ranks[i] = rapid.SampledFrom([]int64{0, -1, 7, math.MaxInt64}).Draw(t, "rank")
	}
	r.First = r.First.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "first")))
	r.Last = r.First.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "last")))
	return r
}

// same compares all that can be read.
func (m *machine) same(t *rapid.T) {
	ctx := context.Background()
	for _, k := range record.Kinds {
		for i := range 3 {
			id := Record(k, i).ID
			want, wantErr := m.model.Get(ctx, k, id)
			got, err := m.store.Get(ctx, k, id)
			if class(err) != class(wantErr) || err == nil && !got.Equal(&want) {
				t.Fatalf("Get(%s, %s) = %+v, %v; the model says %+v, %v", k, id, got, err, want, wantErr)
			}
		}
	}
	q := record.Query{
		Kind:     rapid.SampledFrom(record.Kinds[:]).Draw(t, "listed"),
		Site:     rapid.SampledFrom([]string{"", "a.example"}).Draw(t, "of site"),
		Type:     rapid.SampledFrom([][]string{nil, {"x"}, {""}}).Draw(t, "of type"),
		State:    rapid.SampledFrom([][]string{nil, {"new"}, {"fixed", "new"}, {"none"}}).Draw(t, "of state"),
		Severity: rapid.SampledFrom([][]string{nil, {"high", "low"}}).Draw(t, "of severity"),
		Words:    rapid.SampledFrom([][]string{nil, {"orders"}, {"0%", "单_"}, {"orders", "get"}, {"GET"}, {"%"}}).Draw(t, "with words"),
		Mentions: rapid.SampledFrom([][]string{nil, nil, {"ab12"}, {"cd34", "ab12"}}).Draw(t, "mentions"),
		Limit:    rapid.IntRange(0, 2).Draw(t, "limit"),
		Sort:     record.Sort(rapid.IntRange(0, int(record.ByRank2)).Draw(t, "in order of")),
		Upwards:  rapid.Bool().Draw(t, "upwards"),
	}
	if rapid.Bool().Draw(t, "bounded") {
		q.From, q.To = start.Add(1), start.Add(3)
	}
	if rapid.Bool().Draw(t, "born in a time") {
		q.Born = record.Span{From: start.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "born from"))), To: start.Add(2)}
	}
	wantTally, _ := m.model.Tally(ctx, q)
	if got, err := m.store.Tally(ctx, q); err != nil || !slices.Equal(got, wantTally) {
		t.Fatalf("Tally(%+v) = %+v, %v; the model says %+v", q, got, err, wantTally)
	}
	wantCount, _ := m.model.Count(ctx, q)
	if got, err := m.store.Count(ctx, q); err != nil || got != wantCount {
		t.Fatalf("Count(%+v) = %d, %v; the model says %d", q, got, err, wantCount)
	}
	held := []string{"orders", "0%", "none"}[:rapid.IntRange(0, 3).Draw(t, "words counted")]
	wantHeld, _ := m.model.Holding(ctx, q, held)
	if got, err := m.store.Holding(ctx, q, held); err != nil || !slices.Equal(got, wantHeld) {
		t.Fatalf("Holding(%+v, %q) = %d, %v; the model says %d", q, held, got, err, wantHeld)
	}
	for {
		want, wantErr := m.model.List(ctx, q)
		got, err := m.store.List(ctx, q)
		if class(err) != class(wantErr) || !cmp.Equal(got, want) {
			t.Fatalf("List(%+v) = %+v, %v; the model says %+v, %v", q, got, err, want, wantErr)
		}
		if q.After = got.Next; q.After == "" {
			break
		}
	}
	before, limit := uint64(rapid.IntRange(0, 5).Draw(t, "before")), rapid.IntRange(0, 3).Draw(t, "entries read")
	want, _ := m.model.Audit(ctx, before, limit)
	got, err := m.store.Audit(ctx, before, limit)
	if err != nil || len(got) != len(want) {
		t.Fatalf("Audit(%d, %d) = %+v, %v; the model says %+v", before, limit, got, err, want)
	}
	for i := range want {
		if got[i].Head() != want[i].Head() || !got[i].Equal(&want[i].Entry) {
			t.Fatalf("Audit(%d, %d)[%d] = %+v; the model says %+v", before, limit, i, got[i], want[i])
		}
	}
	m.heads = append(m.heads, m.model.head())
	known := rapid.SampledFrom(m.heads).Draw(t, "known")
	if h, err := m.store.Verify(ctx, known); err != nil || h != m.model.head() {
		t.Fatalf("Verify = %v, %v; the model says %v", h, err, m.model.head())
	}
}

func class(err error) error {
	for _, c := range []error{record.ErrInvalid, record.ErrNotFound, record.ErrConflict, record.ErrTampered} {
		if errors.Is(err, c) {
			return c
		}
	}
	return err
}

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// Record gives a record that every store takes, the same for the same number.
func Record(k record.Kind, n int) record.Record {
	r := record.Record{Kind: k, ID: fmt.Sprintf("%s-%d", k, n), Rev: 1, Site: "a.example", Type: "x", State: "new",
		First: start, Last: start.Add(time.Duration(n) * time.Second), Body: fmt.Appendf(nil, `{"n":%d}`, n)}
	switch k {
	case record.User:
		r.Body = fmt.Appendf(nil, `{"name":"u%d","role":"viewer","password":"$argon2id$v=19$m=65536,t=3,p=2$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA"}`, n)
	case record.Token:
		sum := sha256.Sum256(fmt.Appendf(nil, "token %d", n))
		r.ID, r.Body = hex.EncodeToString(sum[:]), fmt.Appendf(nil, `{"name":"t%d","role":"viewer","by":"u1","expires":"2027-01-01T00:00:00Z"}`, n)
	}
	return r
}

// Entry gives an audit entry, the same for the same number.
func Entry(n int) record.Entry {
	return record.Entry{ID: fmt.Sprintf("e%d", n), At: start.Add(time.Duration(n)), By: "u1", Action: "verdict", Target: "attack-1", Detail: []byte(`{"reason":"seen"}`)}
}
