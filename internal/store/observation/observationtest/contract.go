package observationtest

import (
	"context"
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"xiezhi/internal/store/observation"
)

// Opener opens the store of a folder; the same folder again after Close gives
// what was written before.
type Opener func(folder string) (observation.Store, error)

// Contract holds a store against the model.
func Contract(t *testing.T, open Opener) {
	t.Run("does what the model does", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			m := &machine{open: open, folder: t.TempDir(), model: NewModel(), next: map[uint32]uint64{}}
			m.start(rt)
			defer func() { _ = m.store.Close() }()
			rt.Repeat(map[string]func(*rapid.T){
				"append": m.append, "again": m.again, "reopen": m.reopen, "retain": m.retain, "": m.same,
			})
		})
	})
	t.Run("counts replays once", func(t *testing.T) { replays(t, fresh(t, open)) })
	t.Run("refuses what is not as it has to be", func(t *testing.T) { refusals(t, fresh(t, open)) })
	t.Run("pages each row once", func(t *testing.T) { pages(t, fresh(t, open)) })
	t.Run("sums what is many", func(t *testing.T) { sums(t, fresh(t, open)) })
	t.Run("serves many at once", func(t *testing.T) { many(t, fresh(t, open)) })
}

func fresh(t *testing.T, open Opener) observation.Store {
	t.Helper()
	s, err := open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// machine does the same to a store and to the model.
type machine struct {
	open   Opener
	folder string
	store  observation.Store
	model  *Model
	past   [][]observation.Row
	next   map[uint32]uint64 // by partition
}

func (m *machine) start(t *rapid.T) {
	var err error
	if m.store, err = m.open(m.folder); err != nil {
		t.Fatal(err)
	}
	m.model.Reopen()
}

func (m *machine) reopen(t *rapid.T) {
	if err := m.store.Close(); err != nil {
		t.Fatal(err)
	}
	m.start(t)
}

func (m *machine) append(t *rapid.T) {
	var b []observation.Row
	for range rapid.IntRange(0, 8).Draw(t, "rows") {
		r := some(t)
		r.Partition = uint32(rapid.IntRange(0, 1).Draw(t, "partition"))
		n := m.next[r.Partition]
		m.next[r.Partition]++
		r.Seq, r.Index = n/3, uint32(n%3)
		b = append(b, r)
	}
	m.past = append(m.past, b)
	m.both(t, b)
}

// again gives some batch of the past once more, or the whole past behind it, as
// a writer does that went on from an older snapshot.
func (m *machine) again(t *rapid.T) {
	if len(m.past) == 0 {
		return
	}
	from := rapid.IntRange(0, len(m.past)-1).Draw(t, "from batch")
	if rapid.Bool().Draw(t, "one") {
		m.both(t, m.past[from])
		return
	}
	var b []observation.Row
	for _, p := range m.past[from:] {
		b = append(b, p...)
	}
	m.both(t, b)
}

func (m *machine) both(t *rapid.T, b []observation.Row) {
	ctx := context.Background()
	want, err := m.model.Append(ctx, b), m.store.Append(ctx, b)
	if class(err) != class(want) {
		t.Fatalf("Append(%+v): %v; the model says %v", b, err, want)
	}
}

func (m *machine) retain(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "retain") > 0 {
		return // rarely, or nothing is left
	}
	before := Start.Add(pick(t, moments, "before"))
	want, _ := m.model.Retain(context.Background(), before)
	got, err := m.store.Retain(context.Background(), before)
	if err != nil || got != want {
		t.Fatalf("Retain(%s) = %d, %v; the model says %d", before, got, err, want)
	}
}

// same compares all that can be asked.
func (m *machine) same(t *rapid.T) {
	ctx := context.Background()
	want, _ := m.model.Range(ctx)
	got, err := m.store.Range(ctx)
	for i := range got.Days {
		if got.Days[i].Bytes <= 0 {
			t.Fatalf("a day of %d bytes: %+v", got.Days[i].Bytes, got)
		}
		got.Days[i].Bytes = 0
	}
	agree(t, "Range", nil, got, want, err, nil)

	pq := observation.PivotQuery{Filter: filter(t), Of: pick(t, observation.PivotDimensions[:], "entity"), Limit: rapid.IntRange(0, 3).Draw(t, "values")}
	if keys := m.keys(pq.Of); len(keys) > 0 {
		pq.Key = pick(t, keys, "key")
	}
	compare(t, "Pivot", pq, m.store.Pivot, m.model.Pivot)

	tq := observation.TopQuery{Filter: filter(t), Of: pick(t, observation.Dimensions(), "of"), Measure: some8[observation.Measure](t, 5, "measure"),
		Limit: rapid.IntRange(0, 3).Draw(t, "entries")}
	compare(t, "Top", tq, m.store.Top, m.model.Top)

	sq := observation.SeriesQuery{Filter: filter(t), Step: some8[observation.Step](t, 2, "step"), Measure: some8[observation.Measure](t, 5, "measured"),
		By: some8[observation.Dimension](t, 6, "by"), Lines: rapid.IntRange(0, 3).Draw(t, "lines"),
		Offset: pick(t, []time.Duration{0, 8 * time.Hour, -5 * time.Hour, 330 * time.Minute}, "offset")}
	compare(t, "Series", sq, m.store.Series, m.model.Series)

	q := observation.SearchQuery{Filter: filter(t), Limit: rapid.IntRange(1, 5).Draw(t, "limit")}
	for {
		p := compare(t, "Search", q, m.store.Search, m.model.Search)
		if q.After = p.Next; q.After == "" {
			break
		}
	}
}

func some8[N ~uint8](t *rapid.T, most int, what string) N {
	return N(rapid.IntRange(0, most).Draw(t, what))
}

// keys are the values that are there in a dimension.
func (m *machine) keys(d observation.Dimension) []string {
	var out []string
	for i := range m.model.rows {
		d.Keys(&m.model.rows[i], func(k string) { out = append(out, k) })
	}
	return out
}

func compare[Q, A any](t *rapid.T, what string, q Q, store, model func(context.Context, Q) (A, error)) A {
	want, wantErr := model(context.Background(), q)
	got, err := store(context.Background(), q)
	agree(t, what, q, got, want, err, wantErr)
	return got
}

func agree(t *rapid.T, what string, q, got, want any, err, wantErr error) {
	if class(err) != class(wantErr) {
		t.Fatalf("%s(%+v): %v; the model says %v", what, q, err, wantErr)
	}
	if diff := gocmp.Diff(want, got, equal...); diff != "" {
		t.Fatalf("%s(%+v) is not what the model says (-model +store):\n%s", what, q, diff)
	}
}

func class(err error) error {
	if errors.Is(err, observation.ErrInvalid) {
		return observation.ErrInvalid
	}
	return err
}
