package engine

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/source"
	"xiezhi/internal/stream"
	"xiezhi/internal/taxonomy"
)

// ingest puts what was observed on the bus.
type ingest struct {
	ctx    context.Context
	bus    stream.Bus
	forms  *form.Table
	ledger *source.Ledger
	name   string // of this process, in ids
	n      atomic.Uint64
	rooms  sync.Pool // of *ingestRoom
	log    *slog.Logger

	numbers *numbers   // of a sensor; nil: it is none
	namer   *siteNamer // of the configured sites; nil: there are none

	ending chan struct{}         // closed when the service is to end
	full   atomic.Pointer[error] // why nothing is taken at the moment; nil: it is
}

// ingestRoom is what an Add works in.
type ingestRoom struct {
	data  []byte
	order [][]int32 // by partition
}

// eventBytes is how large an event is meant to be; a batch that gives more is
// cut.
const eventBytes = 256 << 10

func newIngest(ctx context.Context, bus stream.Bus, forms *form.Table, ledger *source.Ledger, random io.Reader, log *slog.Logger) (*ingest, error) {
	var name [8]byte
	if _, err := io.ReadFull(random, name[:]); err != nil {
		return nil, fmt.Errorf("name the process: %w", err)
	}
	g := &ingest{ctx: ctx, bus: bus, forms: forms, ledger: ledger, name: hex.EncodeToString(name[:]), log: log, ending: make(chan struct{})}
	g.rooms.New = func() any { return &ingestRoom{order: make([][]int32, bus.Partitions())} }
	return g, nil
}

// Add implements keeper: a nil return means that the batch is in the stream.
func (g *ingest) Add(b *observe.Batch) error {
	if b.Len() == 0 {
		return nil
	}
	r := g.rooms.Get().(*ingestRoom)
	defer g.rooms.Put(r)
	forms := g.forms.Fresh()
	if g.bus.Partitions() == 1 {
		if err := g.tellForms(0, forms); err != nil {
			return err
		}
		return g.cut(r, 0, b, nil)
	}
	for p := range g.bus.Partitions() { // each is offered once, and any may need it later
		if err := g.tellForms(p, forms); err != nil {
			return err
		}
	}
	g.split(r, b)
	for p, order := range r.order {
		if len(order) > 0 {
			if err := g.cut(r, p, b, order); err != nil {
				return err
			}
		}
	}
	return nil
}

// split says which observations of a batch go to which partition.
func (g *ingest) split(r *ingestRoom, b *observe.Batch) {
	for i := range r.order {
		r.order[i] = r.order[i][:0]
	}
	for i := range b.Len() {
		p := g.bus.Partition(g.key(b.At(i)))
		r.order[p] = append(r.order[p], int32(i))
	}
}

// once writes an event, or says why it cannot be written now.
func (g *ingest) once(ctx context.Context, b stream.Batch) error {
	err := g.bus.Publish(ctx, b)
	if errors.Is(err, stream.ErrFull) && g.full.Swap(&err) == nil {
		g.log.Error("nothing can be taken until there is room", "why", err)
	} else if err == nil && g.full.Swap(nil) != nil {
		g.log.Info("the stream has room again")
	}
	return err
}

// key: what one site is made of goes to one partition.
func (g *ingest) key(o *observe.Observation) string {
	if n := g.namer; n != nil {
		if n.only != "" {
			return n.only
		}
		if o.Site == "" {
			if site, ok := n.configured(o.Host); ok {
				return site
			}
		}
	}
	switch {
	case o.Site != "":
		return o.Site
	case o.Host != "":
		return o.Host
	}
	return o.Server.String()
}

// tellForms publishes forms in events of at most eventBytes unless one form is
// larger.
func (g *ingest) tellForms(partition int, forms []form.Offer) error {
	if len(forms) == 0 {
		return nil
	}
	text, err := json.Marshal(forms)
	if err != nil {
		return err
	}
	if n := len(forms); len(text) > eventBytes && n > 1 {
		if err := g.tellForms(partition, forms[:n/2]); err != nil {
			return err
		}
		return g.tellForms(partition, forms[n/2:])
	}
	return g.publish(partition, append([]byte{eventForms}, text...), 0)
}

// cut publishes the observations of a batch that order lists, nil for all, in
// events of at most eventBytes unless one observation is larger.
func (g *ingest) cut(r *ingestRoom, partition int, b *observe.Batch, order []int32) error {
	n := len(order)
	if r.data = append(r.data[:0], eventObserved); order == nil {
		r.data, n = b.AppendEncoded(r.data), b.Len()
	} else {
		r.data = b.AppendEncodedOrder(r.data, order)
	}
	switch {
	case n == 1 && len(r.data) > stream.MaxData-maxEnvelope:
		g.ledger.DropAt(source.Problem{File: "stream", Offset: -1, Reason: taxonomy.DropOversize, Text: "what was observed of the exchange is larger than an event may be"})
		return nil
	case n == 1 || len(r.data) <= eventBytes:
		return g.publish(partition, r.data, exchangesIn(b, order))
	}
	if order == nil {
		order = make([]int32, n)
		for i := range order {
			order[i] = int32(i)
		}
	}
	if err := g.cut(r, partition, b, order[:n/2]); err != nil {
		return err
	}
	return g.cut(r, partition, b, order[n/2:])
}

// tick publishes a tick to a partition.
func (g *ingest) tick(partition int, now time.Time, t tally) error {
	data, err := newTick(now, t)
	if err != nil {
		return err
	}
	return g.publish(partition, data, 0)
}

// fullEvery is how often a stream without room is tried again.
const fullEvery = time.Second

// publish writes an event with so many exchanges. While the stream has no room it waits, so that the
// sources do what they do when nobody takes what they have: the proxy lets
// traffic pass unseen and counts it, the collector tells its senders to come
// again. When the service is to end meanwhile, it fails.
func (g *ingest) publish(partition int, data []byte, exchanges uint64) error {
	if g.numbers != nil {
		return g.numbers.next(data, exchanges, func(b stream.Batch) error { return g.write(b) })
	}
	return g.write(stream.Batch{Partition: partition, ID: g.name + "/" + strconv.FormatUint(g.n.Add(1), 10), Data: data})
}

func (g *ingest) write(b stream.Batch) error {
	for {
		err := g.bus.Publish(g.ctx, b)
		if err == nil || !errors.Is(err, stream.ErrFull) {
			if g.full.Swap(nil) != nil && err == nil {
				g.log.Info("the stream has room again")
			}
			return err
		}
		if g.full.Swap(&err) == nil {
			g.log.Error("nothing can be taken until there is room", "why", err)
		}
		select {
		case <-g.ending:
			return err
		case <-time.After(fullEvery):
		}
	}
}

// intake is a source's way into a service: what it has taken is in the stream
// once it was flushed.
type intake struct {
	mu   sync.Mutex
	lane lane

	waits   sync.Mutex
	settled sync.Cond // some batch that was handed over is kept, or cannot be
	out     int       // batches handed over that are not
}

func newIntake(p *pipeline, ordinal uint32) *intake {
	t := &intake{lane: lane{p: p, ordinal: ordinal, live: true}}
	t.settled.L = &t.waits
	t.lane.handing = func() func() {
		t.waits.Lock()
		t.out++
		t.waits.Unlock()
		return func() {
			t.waits.Lock()
			t.out--
			t.waits.Unlock()
			t.settled.Broadcast()
		}
	}
	return t
}

// Accept implements source.Sink.
func (t *intake) Accept(x *exchange.Exchange) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lane.Accept(x)
}

// Wants implements source.Witness.
func (t *intake) Wants() bool { return t.lane.Wants() }

// Witness implements source.Witness.
func (t *intake) Witness(x *exchange.Exchange) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lane.Witness(x)
}

// Flush implements source.Flusher.
func (t *intake) Flush() error {
	if err := t.hand(); err != nil {
		return err
	}
	t.waits.Lock()
	for t.out > 0 {
		t.settled.Wait()
	}
	t.waits.Unlock()
	return t.lane.p.err()
}

// hand gives over what waits for a batch to be full.
func (t *intake) hand() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lane.hand()
}

// handEvery is how long an exchange may wait for others to share its batch.
const handEvery = 200 * time.Millisecond

// run drives a source. What it took is in the stream when run returns.
func (t *intake) run(ctx context.Context, s source.Source, ledger *source.Ledger) error {
	ended, stop := make(chan struct{}), time.NewTicker(handEvery)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer stop.Stop()
		for {
			select {
			case <-ended:
				return
			case <-stop.C:
				_ = t.hand() // the next Accept or Flush tells what is wrong
			}
		}
	})
	err := s.Run(ctx, t, ledger)
	close(ended)
	wg.Wait()
	if e := t.Flush(); err == nil {
		err = e
	}
	return err
}
