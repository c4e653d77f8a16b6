// Package recordtest holds what every store of records has to pass: a plain
// model in memory and a contract that compares a store with it, step by step.
//
// It takes a way to open a store and runs subtests. Invariant: the model says
// what a store means in the simplest words that do it, maps and slices, and
// shares nothing with a store but record's own checks. Limits: full disks,
// damage and locks are a store's own to test.
package recordtest

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"xiezhi/internal/store/record"
)

type key struct {
	kind record.Kind
	id   string
}

// Model is a store in memory. It is not safe for concurrent use.
type Model struct {
	chain   record.Chain
	records map[key]record.Record
	log     []record.Sealed
}

var _ record.Store = (*Model)(nil)

// NewModel is an empty store.
func NewModel(c record.Chain) *Model {
	return &Model{chain: c, records: map[key]record.Record{}}
}

func (m *Model) Write(_ context.Context, b record.Batch) (int, error) {
	if err := b.Check(); err != nil {
		return 0, err
	}
	known := 0
	for _, e := range b.Audit {
		i := slices.IndexFunc(m.log, func(s record.Sealed) bool { return s.ID == e.ID })
		if i < 0 {
			continue
		}
		if !m.log[i].Equal(&e) {
			return 0, record.ErrConflict
		}
		known++
	}
	if known > 0 && known == len(b.Audit) {
		return 0, nil
	}
	if known > 0 {
		return 0, record.ErrConflict
	}
	next, changed := maps.Clone(m.records), 0
	for _, d := range b.Delete {
		k := key{d.Kind, d.ID}
		old, ok := next[k]
		if !ok {
			continue
		}
		if old.Rev != d.Rev {
			return 0, record.ErrConflict
		}
		delete(next, k)
		changed++
	}
	for _, r := range b.Put {
		k := key{r.Kind, r.ID}
		old := next[k] // Rev 0 when there is none
		switch {
		case r.Kind.Derived() && r.Rev <= old.Rev, old.Rev == r.Rev && old.Equal(&r):
			continue
		case !r.Kind.Derived() && r.Rev != old.Rev+1:
			return 0, record.ErrConflict
		}
		r.First, r.Last, r.Body = r.First.UTC(), r.Last.UTC(), bytes.Clone(r.Body)
		next[k] = r
		changed++
	}
	for _, e := range b.Audit {
		e.At, e.Detail = e.At.UTC(), bytes.Clone(e.Detail)
		m.log = append(m.log, m.chain.Next(m.head(), e))
		changed++
	}
	m.records = next
	return changed, nil
}

func (m *Model) head() record.Head {
	if len(m.log) == 0 {
		return record.Head{}
	}
	return m.log[len(m.log)-1].Head()
}

func (m *Model) Get(_ context.Context, kind record.Kind, id string) (record.Record, error) {
	r, ok := m.records[key{kind, id}]
	if !ok {
		return record.Record{}, record.ErrNotFound
	}
	return r, nil
}

func (m *Model) List(_ context.Context, q record.Query) (record.Page, error) {
	limit, after, err := q.Check()
	if err != nil {
		return record.Page{}, err
	}
	all := m.match(&q)
	order := func(a, b record.Record) int { return q.Compare(q.PlaceOf(&a), q.PlaceOf(&b)) }
	slices.SortFunc(all, order)
	if after != nil {
		all = slices.DeleteFunc(all, func(r record.Record) bool { return q.Compare(q.PlaceOf(&r), *after) <= 0 })
	}
	if len(all) <= limit {
		return record.Page{Records: all}, nil
	}
	return record.Page{Records: all[:limit], Next: q.Cursor(q.PlaceOf(&all[limit-1]))}, nil
}

func (m *Model) Count(_ context.Context, q record.Query) (uint64, error) {
	if _, _, err := q.Check(); err != nil {
		return 0, err
	}
	return uint64(len(m.match(&q))), nil
}

func (m *Model) Holding(_ context.Context, q record.Query, words []string) ([]uint64, error) {
	if _, _, err := q.Check(); err != nil {
		return nil, err
	}
	if err := record.CheckHeld(words); err != nil {
		return nil, err
	}
	out := make([]uint64, len(words))
	for _, r := range m.match(&q) {
		for i, w := range words {
			if strings.Contains(r.Words, w) {
				out[i]++
			}
		}
	}
	return out, nil
}

func (m *Model) match(q *record.Query) (all []record.Record) {
	for _, r := range m.records {
		if r.Kind == q.Kind && (q.Site == "" || q.Site == r.Site) && is(q.Type, r.Type) && is(q.State, r.State) && is(q.Severity, r.Severity) &&
			!slices.ContainsFunc(q.Words, func(w string) bool { return !strings.Contains(r.Words, w) }) && !slices.ContainsFunc(q.Mentions, func(m string) bool { return !strings.Contains(string(r.Body), `"`+m+`"`) }) &&
			(q.From.IsZero() || !r.Last.Before(q.From)) && (q.To.IsZero() || r.Last.Before(q.To)) &&
			(q.Born.From.IsZero() || !r.First.Before(q.Born.From)) && (q.Born.To.IsZero() || r.First.Before(q.Born.To)) {
			all = append(all, r)
		}
	}
	return all
}

func is(want []string, have string) bool { return len(want) == 0 || slices.Contains(want, have) }

func (m *Model) Tally(_ context.Context, q record.Query) ([]record.Group, error) {
	if _, _, err := q.Check(); err != nil {
		return nil, err
	}
	counts := map[record.Group]uint64{}
	for _, r := range m.match(&q) {
		counts[record.Group{Site: r.Site, Type: r.Type, State: r.State, Severity: r.Severity}]++
	}
	var out []record.Group
	for g, n := range counts {
		g.Count = n
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b record.Group) int {
		return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Type, b.Type), cmp.Compare(a.State, b.State), cmp.Compare(a.Severity, b.Severity))
	})
	return out, nil
}

func (m *Model) Audit(_ context.Context, before uint64, limit int) ([]record.Sealed, error) {
	limit, err := record.CheckPage(limit)
	if err != nil {
		return nil, err
	}
	var out []record.Sealed
	for _, s := range slices.Backward(m.log) {
		if (before == 0 || s.Seq < before) && len(out) < limit {
			out = append(out, s)
		}
	}
	return out, nil
}

func (m *Model) Verify(_ context.Context, known record.Head) (record.Head, error) {
	w := m.chain.Walk(known)
	for _, s := range m.log {
		if err := w.Step(s); err != nil {
			return record.Head{}, err
		}
	}
	return w.End()
}

func (m *Model) Close() error { return nil }
