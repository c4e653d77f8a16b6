// Package observationtest is what every store of observations has to pass: a
// plain model in memory and a contract that compares a store with it, step by
// step.
//
// It takes a way to open a store and runs subtests. Invariant: the model says
// what a store means in the simplest words that do it, a slice that is gone
// through, and shares nothing with a store but observation's own checks and
// measures. Limits: full disks, damage, crashes and speed are a store's own to
// test.
package observationtest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"xiezhi/internal/store/observation"
)

type writer struct {
	day       int
	partition uint32
}

// Model is a store in memory. It is not safe for concurrent use.
type Model struct {
	rows    []observation.Row
	marks   map[writer]observation.Position
	floor   int // days before are dropped
	leftOut uint64
}

var _ observation.Store = (*Model)(nil)

// NewModel is an empty store.
func NewModel() *Model { return &Model{marks: map[writer]observation.Position{}} }

// Reopen does what closing and opening does.
func (m *Model) Reopen() { m.leftOut = 0 }

func (m *Model) Append(_ context.Context, rows []observation.Row) error {
	if err := observation.Check(rows); err != nil {
		return err
	}
	for _, r := range rows {
		w := writer{r.Day(), r.Partition}
		if w.day < m.floor {
			m.leftOut++
			continue
		}
		if p, ok := m.marks[w]; ok && r.Position.Compare(p) <= 0 {
			continue
		}
		m.marks[w] = r.Position
		m.rows = append(m.rows, r)
	}
	return nil
}

func (m *Model) Retain(_ context.Context, before time.Time) (int, error) {
	m.floor = max(m.floor, int(before.UnixNano()/observation.DayLength))
	days := map[int]bool{}
	m.rows = slices.DeleteFunc(m.rows, func(r observation.Row) bool {
		if r.Day() < m.floor {
			days[r.Day()] = true
			return true
		}
		return false
	})
	for w := range m.marks {
		if w.day < m.floor {
			delete(m.marks, w)
		}
	}
	return len(days), nil
}

func (m *Model) Range(context.Context) (observation.Range, error) {
	count := map[int]uint64{}
	for i := range m.rows {
		count[m.rows[i].Day()]++
	}
	r := observation.Range{LeftOut: m.leftOut}
	for day, n := range count {
		r.Days = append(r.Days, observation.Day{Start: time.Unix(0, int64(day)*observation.DayLength).UTC(), Rows: n})
	}
	slices.SortFunc(r.Days, func(a, b observation.Day) int { return a.Start.Compare(b.Start) })
	return r, nil
}

func (m *Model) match(f *observation.Filter, do func(*observation.Row)) {
	for i := range m.rows {
		if f.Match(&m.rows[i]) {
			do(&m.rows[i])
		}
	}
}

func (m *Model) Series(_ context.Context, q observation.SeriesQuery) (observation.Series, error) {
	q, err := q.Check()
	if err != nil {
		return observation.Series{}, err
	}
	var out observation.Series
	for i := range q.Steps() {
		out.Starts = append(out.Starts, q.From.Add(time.Duration(i)*q.Step.Length()).UnixNano())
	}
	type line struct {
		all observation.Sums
		by  []observation.Sums
	}
	newLine := func() *line { return &line{by: make([]observation.Sums, q.Steps())} }
	lines := map[string]*line{}
	m.match(&q.Filter, func(r *observation.Row) {
		step := int((r.Time - q.From.UnixNano()) / int64(q.Step.Length()))
		q.By.Keys(r, func(key string) {
			l := lines[key]
			if l == nil {
				l = newLine()
				lines[key] = l
			}
			l.all.Add(r)
			l.by[step].Add(r)
		})
	})
	var keys []string
	for k := range lines {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(lines[b].all.Of(q.Measure), lines[a].all.Of(q.Measure)), cmp.Compare(a, b))
	})
	give := func(key string, rest bool, l *line) {
		o := observation.Line{Key: key, Rest: rest, Total: l.all.Of(q.Measure)}
		for _, s := range l.by {
			o.Values = append(o.Values, s.Of(q.Measure))
		}
		out.Lines = append(out.Lines, o)
	}
	for _, k := range keys[:min(len(keys), q.Lines)] {
		give(k, false, lines[k])
	}
	if len(keys) > q.Lines {
		rest := newLine()
		for _, k := range keys[q.Lines:] {
			rest.all.Join(lines[k].all)
			for i, s := range lines[k].by {
				rest.by[i].Join(s)
			}
		}
		give("", true, rest)
	}
	return out, nil
}

func (m *Model) Top(_ context.Context, q observation.TopQuery) (observation.Top, error) {
	q, err := q.Check()
	if err != nil {
		return observation.Top{}, err
	}
	var all observation.Sums
	by := map[string]observation.Sums{}
	m.match(&q.Filter, func(r *observation.Row) {
		all.Add(r)
		q.Of.Keys(r, func(key string) {
			if key != "" {
				s := by[key]
				s.Add(r)
				by[key] = s
			}
		})
	})
	out := observation.Top{Total: all.Of(q.Measure)}
	for k, s := range by {
		out.List = append(out.List, observation.Tally{Key: k, Value: s.Of(q.Measure)})
	}
	slices.SortFunc(out.List, func(a, b observation.Tally) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Key, b.Key))
	})
	out.List = out.List[:min(len(out.List), q.Limit)]
	return out, nil
}

func (m *Model) Search(_ context.Context, q observation.SearchQuery) (observation.Page, error) {
	q, after, err := q.Check()
	if err != nil {
		return observation.Page{}, err
	}
	var all []observation.Row
	m.match(&q.Filter, func(r *observation.Row) {
		if after == nil || r.Place().Compare(*after) < 0 {
			all = append(all, *r)
		}
	})
	slices.SortFunc(all, func(a, b observation.Row) int { return b.Place().Compare(a.Place()) })
	if len(all) <= q.Limit {
		return observation.Page{Rows: all}, nil
	}
	all = all[:q.Limit]
	return observation.Page{Rows: all, Next: all[len(all)-1].Place().String()}, nil
}

func (m *Model) Pivot(_ context.Context, q observation.PivotQuery) (observation.Pivot, error) {
	q, err := q.Check()
	if err != nil {
		return observation.Pivot{}, err
	}
	see := func(s observation.Sighting, r *observation.Row) observation.Sighting {
		if s.Rows == 0 {
			s.First, s.Last = r.Time, r.Time
		}
		s.Rows, s.First, s.Last = s.Rows+1, min(s.First, r.Time), max(s.Last, r.Time)
		return s
	}
	var all observation.Sighting
	m.match(&q.Filter, func(r *observation.Row) { all = see(all, r) })
	out := observation.Pivot{Rows: all.Rows, First: all.First, Last: all.Last}
	for _, d := range q.Facets() {
		by := map[string]observation.Sighting{}
		m.match(&q.Filter, func(r *observation.Row) {
			d.Keys(r, func(key string) {
				if key != "" {
					by[key] = see(by[key], r)
				}
			})
		})
		f := observation.Facet{Dimension: d, Distinct: uint64(len(by))}
		for k, s := range by {
			s.Key = k
			f.Top = append(f.Top, s)
		}
		slices.SortFunc(f.Top, func(a, b observation.Sighting) int {
			return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.Key, b.Key))
		})
		f.Top = f.Top[:min(len(f.Top), q.Limit)]
		out.Facets = append(out.Facets, f)
	}
	return out, nil
}

func (m *Model) Close() error { return nil }
