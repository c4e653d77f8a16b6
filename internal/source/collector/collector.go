// Package collector takes exchanges over HTTP, as sensors and gateways send
// them.
//
// It takes a listener and gives what arrives there to a sink:
//
//	POST /v1/harl    HAR lines, one entry a line
//	POST /v1/apisix  APISIX's http-logger: an array, one object, or one object a line
//	GET  /healthz    200 while it takes anything
//
// A body is decoded as a whole before any of it is taken, so one that is cut
// short, too large or too slow changes nothing. It is answered with 200 only
// after the sink accepted it; a sender that gets no answer or 429 sends it
// again, and entries with an _id that was taken before are counted as
// duplicates. Invariants: one goroutine, Run's, calls the sink; every line is
// accepted, a duplicate, or rejected and counted as dropped; nothing of a body
// reaches a disk, an answer or an error. Limits: see Limits; ids are remembered
// for about a million exchanges.
package collector

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/sensor"
	"xiezhi/internal/taxonomy"
)

// Limits bound what senders can make a collector hold.
type Limits struct {
	Conns    int           // connections; beyond, the one that has waited longest without a request goes
	Head     int           // bytes of a request's head
	Wire     int64         // bytes of a body as sent
	Body     int64         // bytes of a body after decompression
	Entry    int           // bytes of one entry
	Entries  int           // entries of a body
	Memory   int64         // bytes of all bodies in hand; of one sensor's, half of it
	Decoders int           // bodies that are decoded at the same time
	Queue    int           // bodies that wait for the sink
	Sensor   int           // requests of one sensor at the same time
	HeadFor  time.Duration // time to send a head
	Stall    time.Duration // time without a byte of a body
	BodyFor  time.Duration // time to send a whole body
	Idle     time.Duration // time between two requests
	Drain    time.Duration // time to finish what has begun at the end
}

// DefaultLimits are the limits of a collector that is given none.
func DefaultLimits() Limits {
	return Limits{
		Conns: 1024, Head: 16 << 10, Wire: 64 << 20, Body: 64 << 20, Entry: 8 << 20, Entries: 65536, Memory: 384 << 20,
		Decoders: max(2, runtime.GOMAXPROCS(0)), Queue: 64, Sensor: 16,
		HeadFor: 10 * time.Second, Stall: 10 * time.Second, BodyFor: 2 * time.Minute, Idle: time.Minute, Drain: 10 * time.Second,
	}
}

// Config of the source.
type Config struct {
	Listener net.Listener
	Tokens   *sensor.Tokens // nil: anybody who reaches the listener
	TLS      *tls.Config    // nil: plain HTTP
	Limits   Limits         // the zero value means DefaultLimits
	Random   io.Reader      // 16 bytes are the key under which ids are remembered
	Now      func() time.Time
	Location *time.Location // of log times without an offset; nil means UTC
}

// Source is a collector.
type Source struct {
	cfg      Config
	server   *http.Server
	conns    *connections
	shares   *shares
	decoders chan *decoder
	batches  sync.Pool // of *batch
	queue    chan *job
	stop     chan struct{} // closed when nothing is taken any more
	recent   *recent
	stats    counters
}

// New gives a source that owns the listener; nothing is served before Run.
func New(cfg Config) (*Source, error) {
	if cfg.Limits == (Limits{}) {
		cfg.Limits = DefaultLimits()
	}
	l := cfg.Limits
	s := &Source{cfg: cfg, conns: newConnections(l.Conns), shares: newShares(l, cfg.Now),
		decoders: make(chan *decoder, l.Decoders), queue: make(chan *job, l.Queue), stop: make(chan struct{})}
	s.batches.New = func() any { return &batch{} }
	var err error
	if s.recent, err = newRecent(cfg.Random, recentBuckets); err != nil {
		return nil, err
	}
	for range l.Decoders {
		d, err := newDecoder(l, cfg.Location)
		if err != nil {
			return nil, err
		}
		s.decoders <- d
	}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true) // sensors need no more, and there is less to attack
	s.server = &http.Server{
		Handler: s.handler(), Protocols: protocols, ConnState: s.conns.changed,
		ReadHeaderTimeout: l.HeadFor, IdleTimeout: l.Idle, MaxHeaderBytes: l.Head,
		ErrorLog: log.New(io.Discard, "", 0), // it would hold what clients sent
	}
	return s, nil
}

// job is one decoded body on its way to the sink.
type job struct {
	batch                *batch
	sensor               sensor.Sensor
	lost                 lost
	accepted, duplicates uint64
	done                 chan error // gets one value
}

// Run serves until ctx is done, finishes the requests that have begun, and
// returns. An error of the sink is final: whoever waits gets 503.
func (s *Source) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	listener := s.cfg.Listener
	if s.cfg.TLS != nil {
		listener = tls.NewListener(listener, s.cfg.TLS)
	}
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(listener) }()
	t := &taker{s: s, sink: sink, ledger: ledger}
	if f, ok := sink.(source.Flusher); ok {
		t.flush = f.Flush
	}

	var err error
	for err == nil {
		select {
		case j := <-s.queue:
			err = t.take(j)
			continue
		case err = <-served:
			served <- err
		case <-ctx.Done():
			err = s.drain(t)
		}
		break
	}
	s.close(err)
	if e := <-served; err == nil && !errors.Is(e, http.ErrServerClosed) {
		err = e
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// close ends the server. Whoever still waits is told to come again: after an
// error of the sink that is everybody.
func (s *Source) close(err error) {
	close(s.stop)
	for waiting := true; waiting; {
		select {
		case j := <-s.queue:
			j.done <- errStopped
		default:
			waiting = false
		}
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = s.server.Shutdown(ctx)
		cancel()
	}
	_ = s.server.Close()
}

// drain takes no new connections and goes on until the requests in hand are
// answered or the time for it is over.
func (s *Source) drain(t *taker) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.Limits.Drain)
	defer cancel()
	ended := make(chan struct{})
	go func() { _ = s.server.Shutdown(ctx); close(ended) }()
	s.conns.closeWaiting()
	for {
		select {
		case j := <-s.queue:
			if err := t.take(j); err != nil {
				return err
			}
		case <-ended:
			return nil
		}
	}
}

// errStopped answers those who come when it is over.
var errStopped = errors.New("the collector has ended")

// taker hands decoded bodies to the sink, in the order in which they came.
type taker struct {
	s      *Source
	sink   source.Sink
	flush  func() error
	ledger *source.Ledger
	seen   exchange.Occurrences
	id     exchange.ID
	seq    uint64
	lost   lostCounts
}

// take answers a job after everything in it was accepted.
func (t *taker) take(j *job) error {
	err := t.accept(j)
	if err == nil && t.flush != nil && j.accepted > 0 {
		err = t.flush()
	}
	name := "collector:" + j.sensor.Name
	t.ledger.AddAccepted(j.accepted)
	t.ledger.AddBytes(j.batch.read)
	for _, r := range j.batch.rejects {
		t.ledger.DropAt(source.Problem{File: name, Offset: -1, Line: r.Line, Reason: r.reason, Text: r.Error})
	}
	t.ledger.Drop(taxonomy.DropCorrupt, j.batch.unlisted)
	t.ledger.Drop(taxonomy.DropOverload, t.lost.since(j.sensor.Name, j.lost))
	t.s.stats.took(j)
	j.done <- err
	return err
}

func (t *taker) accept(j *job) error {
	b := j.batch
	for i, h := range b.hashes {
		x := b.exchanges.At(i)
		if len(x.ID) == 0 {
			t.id = h.ID(t.seen.Next(h))
			x.ID = t.id[:]
		} else if !t.s.recent.add(j.sensor.Name, x.ID) {
			j.duplicates++
			continue
		}
		t.seq++
		x.Seq = t.seq
		if err := t.sink.Accept(x); err != nil {
			return err // final, so what recent holds does not matter any more
		}
		j.accepted++
	}
	return nil
}
