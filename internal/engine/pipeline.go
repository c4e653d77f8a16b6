package engine

import (
	"context"
	"sync"
	"sync/atomic"

	"xiezhi/internal/exchange"
	"xiezhi/internal/judge"
	"xiezhi/internal/observe"
	"xiezhi/internal/source"
)

// Exchanges travel to the observers in batches: large enough that the channel
// costs nothing, small enough that memory stays flat.
const (
	batchExchanges = 256
	batchBytes     = 1 << 20
)

// pipeline carries exchanges from the sources, which run one after the other,
// to any number of observers and from there into the sorter.
type pipeline struct {
	work   chan *exchange.Batch
	free   chan *exchange.Batch
	sorter *judge.Sorter
	census *hostCensus
	since  int64
	until  int64

	cur     *exchange.Batch
	ordinal uint32
	in      atomic.Uint64 // exchanges handed over
	outside uint64        // exchanges outside --since/--until
	obs     atomic.Uint64
	caps    capCounts

	wg    sync.WaitGroup
	mu    sync.Mutex
	fail  error
	done  chan struct{} // closed on the first failure
	fails sync.Once
}

// capCounts counts what the sources could not see, for data quality.
type capCounts struct {
	noResponse, noBodies, noOrder, noTLS, total atomic.Uint64
}

func (c *capCounts) add(x *exchange.Exchange) {
	c.total.Add(1)
	if x.Caps&exchange.CapResponse == 0 {
		c.noResponse.Add(1)
	}
	if x.Caps&(exchange.CapRequestBody|exchange.CapResponseBody) == 0 {
		c.noBodies.Add(1)
	}
	if x.Caps&exchange.CapHeaderOrder == 0 {
		c.noOrder.Add(1)
	}
	if x.Caps&exchange.CapTLS == 0 {
		c.noTLS.Add(1)
	}
}

func newPipeline(workers int, observers []*observe.Observer, sorter *judge.Sorter, census *hostCensus) *pipeline {
	p := &pipeline{
		work: make(chan *exchange.Batch, workers), free: make(chan *exchange.Batch, 2*workers+2),
		sorter: sorter, census: census, done: make(chan struct{}),
	}
	for range 2*workers + 2 {
		p.free <- &exchange.Batch{}
	}
	for i := range workers {
		p.wg.Add(1)
		go p.observe(observers[i])
	}
	return p
}

// Accept implements source.Sink: it copies the exchange into the current batch
// and hands full batches to the observers.
func (p *pipeline) Accept(x *exchange.Exchange) error {
	if x.End < p.since || p.until != 0 && x.End > p.until {
		p.outside++
		return nil
	}
	if p.cur == nil {
		select {
		case p.cur = <-p.free:
		case <-p.done:
			return p.err()
		}
	}
	x.Ordinal = p.ordinal
	p.caps.add(x)
	p.cur.Append(x)
	p.in.Add(1)
	if p.cur.Len() >= batchExchanges || p.cur.Bytes() >= batchBytes {
		return p.hand()
	}
	return nil
}

func (p *pipeline) hand() error {
	if p.cur == nil || p.cur.Len() == 0 {
		return nil
	}
	select {
	case p.work <- p.cur:
		p.cur = nil
		return nil
	case <-p.done:
		return p.err()
	}
}

// run drives one source.
func (p *pipeline) run(ctx context.Context, s source.Source, ledger *source.Ledger, ordinal uint32) error {
	p.ordinal = ordinal
	err := s.Run(ctx, p, ledger)
	if e := p.hand(); err == nil {
		err = e
	}
	return err
}

// finish waits for the observers.
func (p *pipeline) finish() error {
	err := p.hand()
	close(p.work)
	p.wg.Wait()
	if e := p.err(); e != nil {
		return e
	}
	return err
}

func (p *pipeline) observe(o *observe.Observer) {
	defer p.wg.Done()
	var out observe.Batch
	for b := range p.work {
		out.Reset()
		for i := range b.Len() {
			o.Observe(b.At(i), &out)
		}
		p.obs.Add(uint64(out.Len()))
		p.census.add(&out)
		if err := p.sorter.Add(&out); err != nil {
			p.fails.Do(func() {
				p.mu.Lock()
				p.fail = err
				p.mu.Unlock()
				close(p.done)
			})
		}
		b.Reset()
		p.free <- b
	}
}

func (p *pipeline) err() error { p.mu.Lock(); defer p.mu.Unlock(); return p.fail }
