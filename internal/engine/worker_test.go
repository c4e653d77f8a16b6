package engine

import (
	"fmt"
	"slices"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/judge"
	"xiezhi/internal/observe"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

// An exchange at which observing panics is dropped and named; every other of
// its batch is observed once, by an observer that was not left half way.
func TestPanicCostsOneExchange(t *testing.T) {
	tools, err := LoadTools(rules.FS, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	first, err := tools.observer(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]int{nil, {0}, {9}, {4}, {3, 4, 7}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}} {
		ledger := &source.Ledger{}
		sorter := judge.NewSorter(judge.SorterConfig{})
		p := &pipeline{sorter: sorter, census: newHostCensus(tools.redactor.TokenString)}
		w := &worker{p: p, out: &observe.Batch{}, ledger: ledger, spare: func() (*observe.Observer, error) { return tools.observer(nil) }, observer: first, look: func(o *observe.Observer, x *exchange.Exchange, out *observe.Batch) {
			if slices.Contains(bad, int(x.Seq)) {
				o.Observe(x, out)
				panic("planted")
			}
			o.Observe(x, out)
		}}
		var b exchange.Batch
		var want []string
		for i := range 10 {
			id := fmt.Sprintf("exchange %d", i)
			b.Append(&exchange.Exchange{ID: []byte(id), Seq: uint64(i), Method: []byte("GET"), Target: []byte("/a"), Status: 200})
			if !slices.Contains(bad, i) {
				want = append(want, id)
			}
		}
		p.in.Store(10)
		if err := w.batch(&b, 0); err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := sorter.Each(func(o *observe.Observation) error { got = append(got, o.ID); return nil }); err != nil {
			t.Fatal(err)
		}
		totals := ledger.Totals()
		if !slices.Equal(got, want) || totals.Dropped[taxonomy.DropCorrupt] != uint64(len(bad)) || len(totals.Problems) != len(bad) || p.in.Load() != uint64(len(want)) {
			t.Errorf("bad %v: observed %q, want %q; %d dropped, %d in", bad, got, want, totals.Dropped[taxonomy.DropCorrupt], p.in.Load())
		}
	}
}
