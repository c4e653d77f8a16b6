package engine

import (
	"fmt"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// worker observes batches of exchanges. A panic costs the exchange that caused
// it and nothing else: observing is pure, so the others of the batch are
// observed again by an observer that the panic did not leave half way.
type worker struct {
	p        *pipeline
	observer *observe.Observer
	look     func(o *observe.Observer, x *exchange.Exchange, out *observe.Batch) // (*observe.Observer).Observe
	spare    func() (*observe.Observer, error)
	ledger   *source.Ledger
	out      *observe.Batch
	bad      map[int]bool // exchanges of the batch that caused a panic
}

func (w *worker) run() {
	defer w.p.wg.Done()
	for {
		j, ok := w.p.receive()
		if !ok {
			return
		}
		if err := w.batch(j.batch, j.n); err != nil {
			w.p.failed(err)
			w.p.ahead.lose(j.n)
		}
		w.p.turns.done(j.n)
		if j.done != nil {
			j.done()
		}
		j.batch.Reset()
		w.p.free <- j.batch
	}
}

func (w *worker) batch(b *exchange.Batch, number uint64) error {
	p := w.p
	clear(w.bad)
	for from, to := 0, b.Len(); from < b.Len(); {
		w.out.Reset()
		if n := w.observe(b, from, to); n < to {
			if err := w.lost(b, n); err != nil {
				return err
			}
			to = n // what stands before it is observed again, and given
			continue
		}
		p.obs.Add(uint64(w.out.Len()))
		p.census.add(w.out)
		p.turns.wait(number)
		if err := p.sorter.Add(w.out); err != nil {
			return err
		}
		if from == 0 && to == b.Len() {
			w.out = p.ahead.give(number, w.out)
		} else {
			p.ahead.lose(number) // an exchange was lost, and its batch is in pieces
		}
		from, to = max(to, from+1), b.Len()
	}
	return nil
}

// observe observes the exchanges from from to to and gives the one that caused
// a panic, to when there is none.
func (w *worker) observe(b *exchange.Batch, from, to int) (n int) {
	n = from
	defer func() {
		if n < to {
			_ = recover() // its text may hold what was observed
		}
	}()
	for ; n < to; n++ {
		if !w.bad[n] {
			w.look(w.observer, b.At(n), w.out)
		}
	}
	return n
}

// lost gives up an exchange.
func (w *worker) lost(b *exchange.Batch, n int) (err error) {
	if w.bad == nil {
		w.bad = map[int]bool{}
	}
	w.bad[n] = true
	if b.At(n).Aside != exchange.AsideNone { // it is counted as lost already
		w.observer, err = w.spare()
		return err
	}
	w.p.in.Add(^uint64(0))
	w.ledger.DropAt(source.Problem{File: fmt.Sprintf("exchange %.64q", b.At(n).ID), Reason: taxonomy.DropCorrupt, Text: "the exchange could not be observed"})
	w.observer, err = w.spare()
	return err
}

// failed keeps the first failure and stops the sources.
func (p *pipeline) failed(err error) {
	p.fails.Do(func() {
		p.mu.Lock()
		p.fail = err
		p.mu.Unlock()
		close(p.done)
	})
}
