package engine

import (
	"context"
	"sync"
	"sync/atomic"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
	"xiezhi/internal/source"
)

// Exchanges travel to the observers in batches: large enough that the channel
// costs nothing, small enough that memory stays flat.
const (
	batchExchanges = 256
	batchBytes     = 1 << 20
)

// keeper takes what was observed: the sorter of a run, the bus of a service.
// The batch is the caller's again when Add returns.
type keeper interface {
	Add(b *observe.Batch) error
}

// pipeline carries exchanges from the sources to any number of observers and
// from there to whoever keeps them.
type pipeline struct {
	work   chan job
	free   chan *exchange.Batch
	sorter keeper
	ahead  *ahead // nil: everything is judged in the sorter's order
	turns  *turns // nil: what was observed is kept in any order
	handed atomic.Uint64
	census *hostCensus
	since  int64
	until  int64
	asides bool // somebody looks at what is no exchange

	in      atomic.Uint64 // exchanges handed over
	outside atomic.Uint64 // exchanges outside --since/--until
	obs     atomic.Uint64
	caps    capCounts

	wg    sync.WaitGroup
	mu    sync.Mutex
	fail  error
	done  chan struct{} // closed on the first failure
	fails sync.Once
}

// job is a batch of exchanges and its number, in the order of reading when
// sources are read one after the other.
type job struct {
	batch *exchange.Batch
	n     uint64
	done  func() // when it was kept, or cannot be; may be nil
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

func newPipeline(workers, lanes int, observers []*observe.Observer, sorter keeper, ahead *ahead, turns *turns, census *hostCensus, spare func() (*observe.Observer, error), ledger *source.Ledger) *pipeline {
	p := &pipeline{
		work: make(chan job, workers), free: make(chan *exchange.Batch, 2*workers+1+lanes),
		sorter: sorter, ahead: ahead, turns: turns, census: census, done: make(chan struct{}),
	}
	for range cap(p.free) {
		p.free <- &exchange.Batch{}
	}
	for i := range workers {
		p.wg.Add(1)
		w := &worker{p: p, observer: observers[i], look: (*observe.Observer).Observe, spare: spare, ledger: ledger, out: &observe.Batch{}}
		go w.run()
	}
	return p
}

// lane is one source's way into the pipeline. A lane serves one goroutine;
// sources that run at the same time have a lane each.
type lane struct {
	p       *pipeline
	cur     *exchange.Batch
	ordinal uint32
	live    bool                 // hand over at once what nothing else is waiting behind
	handing func() (done func()) // called with every batch; may be nil
}

// Accept implements source.Sink: it copies the exchange into the current batch
// and hands full batches to the observers.
func (l *lane) Accept(x *exchange.Exchange) error {
	p := l.p
	if x.End < p.since || p.until != 0 && x.End > p.until {
		p.outside.Add(1)
		return nil
	}
	if l.cur == nil {
		select {
		case l.cur = <-p.free:
		case <-p.done:
			return p.err()
		}
	}
	x.Ordinal = l.ordinal
	if x.Aside == exchange.AsideNone {
		p.caps.add(x)
		p.in.Add(1)
	}
	l.cur.Append(x)
	if l.cur.Len() >= batchExchanges || l.cur.Bytes() >= batchBytes || l.live && len(p.work) == 0 {
		return l.hand()
	}
	return nil
}

// Wants implements source.Witness: rules written for logs look at what is no
// exchange, and nothing else does.
func (l *lane) Wants() bool { return l.p.asides }

// Witness implements source.Witness.
func (l *lane) Witness(x *exchange.Exchange) error {
	if x.End < l.p.since || l.p.until != 0 && x.End > l.p.until {
		return nil
	}
	return l.Accept(x)
}

func (l *lane) hand() error {
	if l.cur == nil || l.cur.Len() == 0 {
		return nil
	}
	j := job{batch: l.cur, n: l.p.handed.Add(1) - 1}
	if l.handing != nil {
		j.done = l.handing()
	}
	select {
	case l.p.work <- j:
		l.cur = nil
		return nil
	case <-l.p.done:
		if j.done != nil {
			j.done()
		}
		return l.p.err()
	}
}

// run drives one source.
func (p *pipeline) run(ctx context.Context, s source.Source, ledger *source.Ledger, ordinal uint32, live bool) error {
	l := &lane{p: p, ordinal: ordinal, live: live}
	err := s.Run(ctx, l, ledger)
	if e := l.hand(); err == nil {
		err = e
	}
	return err
}

// finish waits for the observers.
func (p *pipeline) finish() error {
	close(p.work)
	p.wg.Wait()
	p.free = nil // the judges need the room
	return p.err()
}

func (p *pipeline) err() error { p.mu.Lock(); defer p.mu.Unlock(); return p.fail }

// receive gives the next job; with turns, its number is the order in which jobs
// were received.
func (p *pipeline) receive() (job, bool) {
	t := p.turns
	if t == nil {
		j, ok := <-p.work
		return j, ok
	}
	t.take.Lock()
	defer t.take.Unlock()
	j, ok := <-p.work
	j.n = t.taken
	t.taken++
	return j, ok
}

// turns lets observers keep their batches in the order in which they received
// them, so that the one whose turn it is never waits.
type turns struct {
	take  sync.Mutex // guards receiving, and the next
	taken uint64

	mu   sync.Mutex // guards the next
	next uint64
	more sync.Cond
}

func newTurns() *turns {
	t := &turns{}
	t.more.L = &t.mu
	return t
}

// wait returns when it is the n-th batch's turn.
func (t *turns) wait(n uint64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	for t.next < n {
		t.more.Wait()
	}
	t.mu.Unlock()
}

// done ends the n-th batch's turn, which it waits for.
func (t *turns) done(n uint64) {
	if t == nil {
		return
	}
	t.wait(n)
	t.mu.Lock()
	t.next = n + 1
	t.mu.Unlock()
	t.more.Broadcast()
}
