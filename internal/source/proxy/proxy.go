// Package proxy is a reverse proxy that tells what passes through it.
//
// It takes a listener and an upstream, carries HTTP/1.1, HTTP/2 and WebSocket
// between clients and the upstream as httputil.ReverseProxy does, and gives a
// copy of every exchange to its sink. Invariant: traffic comes first. Copies
// are bounded (see Config); when analysis is slower than traffic, bodies stop
// being copied, then whole exchanges are left out and counted as overload;
// when the sink fails or blocks, traffic goes on. A Gate may refuse requests
// and change responses; what happens when the Gate itself fails is the
// operator's choice.
//
// Limits: header order and spelling are known for HTTP/1 only, since net/http
// forgets them; request line and fields are those the client sent, the
// response's those it was given. HTTP/3 is not served.
package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// Config is one reverse proxy. Zero values of bounds take the defaults.
type Config struct {
	Listener net.Listener // taken over; closed when Run ends
	TLS      *tls.Config  // nil: HTTP/1.1 and HTTP/2 without TLS on the same port
	Upstream *url.URL     // http, https, or h2c for HTTP/2 without TLS
	Sensor   string       // written into each exchange
	Site     string       // likewise

	Gate       Gate // nil: everything passes
	FailClosed bool // a Gate that panics refuses (503) instead of letting pass

	Transport http.RoundTripper // nil: one tuned for an upstream nearby
	Clock     func() time.Time  // nil: time.Now
	Log       *slog.Logger      // nil: silent. Never given any bytes of traffic

	MaxBody     int           // 1 MiB copied per body
	MaxCopied   int64         // 64 MiB of copies in flight and waiting, all together
	MaxQueue    int           // 4096 exchanges waiting for the sink
	MaxConns    int           // 16384 client connections; more wait to be accepted
	MaxHeader   int           // 64 KiB of request head
	HeadTimeout time.Duration // 10 s for a request head
	IdleTimeout time.Duration // 2 min between requests
	BodyPause   time.Duration // 30 s without a byte of a request body end the connection
	Grace       time.Duration // 5 s for requests under way when Run is asked to end
}

func (c *Config) defaults() {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&c.MaxBody, 1<<20)
	def(&c.MaxQueue, 4096)
	def(&c.MaxConns, 16384)
	def(&c.MaxHeader, 64<<10)
	if c.MaxCopied <= 0 {
		c.MaxCopied = 64 << 20
	}
	for _, d := range []struct {
		v *time.Duration
		d time.Duration
	}{{&c.HeadTimeout, 10 * time.Second}, {&c.IdleTimeout, 2 * time.Minute}, {&c.BodyPause, 30 * time.Second}, {&c.Grace, 5 * time.Second}} {
		if *d.v <= 0 {
			*d.v = d.d
		}
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		c.Transport = transport(c.Upstream.Scheme == "h2c")
	}
}

// transport is tuned for one upstream nearby: many kept connections, bodies
// passed on as they are.
func transport(h2c bool) *http.Transport {
	t := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns:          2048,
		MaxIdleConnsPerHost:   2048,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
		ReadBufferSize:        16 << 10,
		WriteBufferSize:       16 << 10,
	}
	if h2c {
		p := &http.Protocols{}
		p.SetUnencryptedHTTP2(true)
		t.Protocols = p
	}
	return t
}

// Source is a running reverse proxy.
type Source struct {
	cfg    Config
	rp     *httputil.ReverseProxy
	queue  chan *record
	copied atomic.Int64 // bytes of copies held
	spare  sync.Pool    // *record
	active sync.WaitGroup

	overload atomic.Uint64 // exchanges left out
	gateOut  atomic.Uint64 // calls of the Gate that panicked
	sinkErr  atomic.Pointer[error]
}

var _ source.Source = (*Source)(nil)

// New makes a proxy. It serves once Run is called.
func New(cfg Config) *Source {
	cfg.defaults()
	s := &Source{cfg: cfg, queue: make(chan *record, cfg.MaxQueue)}
	s.spare.New = func() any { return &record{} }
	s.rp = s.reverseProxy()
	return s
}

// Run implements source.Source: it serves until ctx is done, then lets the
// requests under way finish. An error of the sink ends the copying, not the
// traffic, and is returned at the end.
func (s *Source) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	srv := s.server(base)
	ln := newListener(s.cfg.Listener, s.cfg.TLS, s.cfg.MaxConns, s.cfg.HeadTimeout)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case err := <-served: // the listener has failed
			served <- err
		case <-ctx.Done():
		}
		grace, done := context.WithTimeout(base, s.cfg.Grace)
		defer done()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close()
		}
		cancel()
		s.active.Wait()
	}()
	s.drain(sink, ledger, ended)
	var err error
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = e
	}
	ln.wait()
	if n := s.overload.Load(); n > 0 {
		ledger.Drop(taxonomy.DropOverload, n)
	}
	if t, ok := s.cfg.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	if p := s.sinkErr.Load(); p != nil {
		err = errors.Join(err, *p)
	}
	return err
}

// drain gives finished copies to the sink until serving has ended.
func (s *Source) drain(sink source.Sink, ledger *source.Ledger, ended <-chan struct{}) {
	var seq uint64
	take := func(r *record) {
		defer s.release(r)
		if s.sinkErr.Load() != nil {
			s.overload.Add(1)
			return
		}
		seq++
		r.x.Seq = seq
		ledger.AddBytes(r.size())
		if err := sink.Accept(&r.x); err != nil {
			s.cfg.Log.Error("the analysis of proxied traffic has ended; traffic goes on", "error", err)
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
