package observationtest

import (
	"context"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/store/observation"
)

// locked makes the model safe for the contract, and keeps one for each folder.
type locked struct {
	mu *sync.Mutex
	m  *Model
}

func (l locked) Append(c context.Context, r []observation.Row) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.m.Append(c, r)
}

func guard[Q, A any](l locked, do func(context.Context, Q) (A, error), c context.Context, q Q) (A, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return do(c, q)
}

func (l locked) Series(c context.Context, q observation.SeriesQuery) (observation.Series, error) {
	return guard(l, l.m.Series, c, q)
}
func (l locked) Top(c context.Context, q observation.TopQuery) (observation.Top, error) {
	return guard(l, l.m.Top, c, q)
}
func (l locked) Search(c context.Context, q observation.SearchQuery) (observation.Page, error) {
	return guard(l, l.m.Search, c, q)
}
func (l locked) Pivot(c context.Context, q observation.PivotQuery) (observation.Pivot, error) {
	return guard(l, l.m.Pivot, c, q)
}
func (l locked) Retain(c context.Context, before time.Time) (int, error) {
	return guard(l, l.m.Retain, c, before)
}
func (l locked) Range(c context.Context) (observation.Range, error) {
	r, err := guard(l, func(c context.Context, _ int) (observation.Range, error) { return l.m.Range(c) }, c, 0)
	for i := range r.Days {
		r.Days[i].Bytes = 1
	}
	return r, err
}
func (l locked) Close() error { l.m.Reopen(); return nil }

// TestModelKeepsTheContract: the cases that are not compared with the model
// hold for the model, and the comparison itself runs.
func TestModelKeepsTheContract(t *testing.T) {
	folders := map[string]locked{}
	Contract(t, func(folder string) (observation.Store, error) {
		l, ok := folders[folder]
		if !ok {
			l = locked{&sync.Mutex{}, NewModel()}
			folders[folder] = l
		}
		return l, nil
	})
}
