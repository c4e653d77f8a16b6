// Package envoy takes exchanges from Envoy: what its external processing
// filter (ext_proc) shows of requests and responses, and the entries of its
// access log service (ALS).
//
// It takes a listener and serves, over gRPC,
//
//	envoy.service.ext_proc.v3.ExternalProcessor/Process
//	envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs
//	grpc.health.v1.Health/Check
//
// and gives the exchanges to a sink. One stream of ext_proc is one exchange,
// whose headers, bodies and trailers may come in any order. Invariant: traffic
// comes first. In observability mode nothing is answered and streams are read
// at the speed at which they come, whatever the sink does; otherwise each
// message is answered at once with "go on", and nothing is ever changed. When
// analysis is slower than traffic, bodies stop being copied, then whole
// exchanges are left out and counted as overload. Every message is decoded by
// hand within caps (see Config), so that a length that a peer claims costs
// nothing until it is sent.
//
// Limits: Envoy gives headers in lower case and adds its own, so their order
// is no fingerprint; what a client sent in front of Envoy's own limits is not
// seen. The access log service has no bodies, and only the headers that its
// configuration names.
package envoy

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/sensor"
	"xiezhi/internal/taxonomy"
)

// Config of the source. Zero values of bounds take the defaults.
type Config struct {
	Listener net.Listener   // taken over; closed when Run ends
	TLS      *tls.Config    // nil: HTTP/2 without TLS
	Tokens   *sensor.Tokens // nil: anybody who reaches the listener
	Clock    func() time.Time
	Log      *slog.Logger // nil: silent. Never given any bytes of traffic

	MaxBody    int           // 1 MiB copied per body
	MaxMessage int           // 4 MiB read of one message; what is beyond is passed over
	MaxHeld    int64         // 64 MiB of copies in flight and waiting, all together
	MaxStreams int           // 4096 exchanges in flight
	MaxConns   int           // 128 connections; more wait to be accepted
	MaxQueue   int           // 4096 exchanges waiting for the sink
	Idle       time.Duration // 5 min without a message end an exchange
	Grace      time.Duration // 5 s for streams under way when Run is asked to end
}

func (c *Config) defaults() {
	for _, d := range [...]struct {
		v *int
		d int
	}{{&c.MaxBody, 1 << 20}, {&c.MaxMessage, 4 << 20}, {&c.MaxStreams, 4096}, {&c.MaxConns, 128}, {&c.MaxQueue, 4096}} {
		if *d.v <= 0 {
			*d.v = d.d
		}
	}
	if c.MaxHeld <= 0 {
		c.MaxHeld = 64 << 20
	}
	if c.Idle <= 0 {
		c.Idle = 5 * time.Minute
	}
	if c.Grace <= 0 {
		c.Grace = 5 * time.Second
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Stats is what happened at the door.
type Stats struct {
	Streams  uint64 // of ext_proc
	Logs     uint64 // entries of access logs
	Refused  uint64 // streams without a known token
	Overload uint64 // exchanges left out
	Broken   uint64 // streams that ended before there was a request, or were no protocol
	Cut      uint64 // exchanges with a body of which bytes are missing
}

// Source serves Envoy.
type Source struct {
	cfg   Config
	queue chan *record
	held  atomic.Int64 // bytes of copies and of messages being read
	open  atomic.Int64 // exchanges in flight
	spare sync.Pool    // *record
	rooms sync.Pool    // *[]byte for messages

	mu       sync.Mutex
	active   map[*stream]struct{}
	ending   bool // nothing new is taken
	handlers sync.WaitGroup

	streams, logs, refused, overload, broken, cut atomic.Uint64
	sinkErr                                       atomic.Pointer[error]
}

var _ source.Source = (*Source)(nil)

// New gives a source that owns the listener; nothing is served before Run.
func New(cfg Config) *Source {
	cfg.defaults()
	s := &Source{cfg: cfg, queue: make(chan *record, cfg.MaxQueue), active: map[*stream]struct{}{}}
	s.spare.New = func() any { return &record{} }
	s.rooms.New = func() any { b := make([]byte, 0, 8<<10); return &b }
	return s
}

// Stats gives the counts so far.
func (s *Source) Stats() Stats {
	return Stats{s.streams.Load(), s.logs.Load(), s.refused.Load(), s.overload.Load(), s.broken.Load(), s.cut.Load()}
}

// Run implements source.Source: it serves until ctx is done, then ends the
// streams under way, whose exchanges are given as far as they have come. An
// error of the sink ends the copying, not the streams, and is returned at the
// end.
func (s *Source) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	srv := s.server()
	served := make(chan error, 1)
	go func() {
		l := newLimited(s.cfg.Listener, s.cfg.MaxConns)
		if s.cfg.TLS != nil {
			served <- srv.ServeTLS(l, "", "")
		} else {
			served <- srv.Serve(l)
		}
	}()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.watch(ctx, served)
		s.endAll()
		grace, done := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Grace)
		defer done()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close()
		}
		s.handlers.Wait()
	}()
	s.drain(sink, ledger, ended)
	var err error
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = e
	}
	ledger.Drop(taxonomy.DropOverload, s.overload.Load())
	ledger.Drop(taxonomy.DropTruncated, s.broken.Load())
	if p := s.sinkErr.Load(); p != nil {
		err = errors.Join(err, *p)
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// watch ends streams that say nothing any more, until the time is up or the
// listener has failed.
func (s *Source) watch(ctx context.Context, served chan error) {
	tick := time.NewTicker(min(s.cfg.Idle/4, 5*time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-served:
			served <- err
			return
		case <-tick.C:
			before := s.cfg.Clock().Add(-s.cfg.Idle).UnixNano()
			s.mu.Lock()
			for st := range s.active {
				if st.last.Load() < before {
					st.end()
				}
			}
			s.mu.Unlock()
		}
	}
}

// endAll takes no new streams and ends those under way.
func (s *Source) endAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	for st := range s.active {
		st.end()
	}
}

// drain gives finished exchanges to the sink until serving has ended.
func (s *Source) drain(sink source.Sink, ledger *source.Ledger, ended <-chan struct{}) {
	var seen exchange.Occurrences
	var seq uint64
	take := func(r *record) {
		defer s.release(r)
		if s.sinkErr.Load() != nil {
			s.overload.Add(1)
			return
		}
		seq++
		r.x.Seq = seq
		h := r.hash()
		id := h.ID(seen.Next(h))
		r.x.ID = id[:]
		ledger.AddBytes(r.size())
		if r.cut {
			s.cut.Add(1)
		}
		if err := sink.Accept(&r.x); err != nil {
			s.cfg.Log.Error("the analysis of what Envoy shows has ended; its streams are read on", "error", err)
			s.sinkErr.Store(&err)
			s.overload.Add(1)
			return
		}
		ledger.AddAccepted(1)
	}
	for {
		select {
		case r := <-s.queue:
			take(r)
		case <-ended:
			for {
				select {
				case r := <-s.queue:
					take(r)
				default:
					return
				}
			}
		}
	}
}

// deliver hands a finished exchange over, or leaves it out when there are too
// many already: nobody waits here.
func (s *Source) deliver(r *record) {
	select {
	case s.queue <- r:
	default:
		s.overload.Add(1)
		s.release(r)
	}
}
