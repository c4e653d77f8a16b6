package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"
)

type (
	connKey   struct{}
	recordKey struct{}
)

// connOf keeps what is known of a connection at hand for its requests.
type connOf struct {
	info *clientConn
	tap  *tap // nil for HTTP/2 over TLS
}

// server serves under ctx, which ends what has left HTTP.
func (s *Source) server(ctx context.Context) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		Protocols:         &protocols,
		ReadHeaderTimeout: s.cfg.HeadTimeout,
		IdleTimeout:       s.cfg.IdleTimeout,
		MaxHeaderBytes:    s.cfg.MaxHeader,
		ErrorLog:          stdlog.New(io.Discard, "", 0), // its lines would hold bytes of traffic
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			k := &connOf{}
			switch c := c.(type) {
			case *tap:
				k.info, k.tap = c.info, c
			case *tls.Conn:
				k.info, _ = c.NetConn().(*clientConn)
			}
			return context.WithValue(ctx, connKey{}, k)
		},
	}
}

// serve handles one request.
func (s *Source) serve(w http.ResponseWriter, r *http.Request) {
	s.active.Add(1)
	defer s.active.Done()
	conn, _ := r.Context().Value(connKey{}).(*connOf)
	rec := s.begin(r, conn)
	defer s.end(rec) // also when the response could not be finished
	r = r.WithContext(context.WithValue(r.Context(), recordKey{}, rec))
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &requestBody{ReadCloser: r.Body, rec: rec, rc: http.NewResponseController(w), pause: s.cfg.BodyPause}
	}
	v := s.askRequest(r)
	if v.Status != 0 {
		answer(w, v, rec)
		return
	}
	if v.Note != nil || len(v.Forward) > 0 {
		r = r.WithContext(context.WithValue(r.Context(), noteKey{}, &said{v.Note, v.Forward}))
	}
	s.rp.ServeHTTP(w, r)
}

// answer gives the Gate's own response.
func answer(w http.ResponseWriter, v Verdict, rec *record) {
	h := w.Header()
	for k, vs := range v.Header {
		h[k] = vs
	}
	rec.response(v.Status, h, rec.s.cfg.Clock())
	w.WriteHeader(v.Status)
	n, _ := w.Write(v.Body)
	rec.copy(&rec.resp, v.Body[:n])
}

// reverseProxy is httputil's, told to leave requests as they are.
func (s *Source) reverseProxy() *httputil.ReverseProxy {
	up := *s.cfg.Upstream
	if up.Scheme == "h2c" {
		up.Scheme = "http"
	}
	return &httputil.ReverseProxy{
		Transport:  s.cfg.Transport,
		BufferPool: &bufferPool{},
		ErrorLog:   stdlog.New(io.Discard, "", 0),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&up)
			p.Out.Host = p.In.Host
			p.Out.URL.RawQuery = joinQuery(up.RawQuery, p.In.URL.RawQuery) // also what net/url cannot parse
			p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
			p.SetXForwarded()
			if s.cfg.Gate != nil {
				for name := range p.Out.Header { // clients do not speak for the gate
					if strings.HasPrefix(name, "X-Xiezhi-Risk") {
						delete(p.Out.Header, name)
					}
				}
			}
			if n, ok := p.In.Context().Value(noteKey{}).(*said); ok {
				for name, values := range n.forward {
					p.Out.Header[name] = values
				}
			}
			if c, ok := p.In.Context().Value(connKey{}).(*connOf); ok && c.info != nil && c.info.secure != nil {
				p.Out.Header.Set("X-Forwarded-Proto", "https")
			}
			if _, ok := p.In.Header["User-Agent"]; !ok {
				p.Out.Header["User-Agent"] = nil // or the transport adds its own
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if !s.askResponse(r) {
				return errGate
			}
			rec, _ := r.Request.Context().Value(recordKey{}).(*record)
			if rec == nil {
				return nil
			}
			if len(r.Trailer) > 0 {
				r.Header.Del("Content-Length") // HTTP/1 has trailers behind chunks only
			}
			rec.response(r.StatusCode, r.Header, s.cfg.Clock())
			rec.length = r.ContentLength
			if r.StatusCode == http.StatusSwitchingProtocols {
				if up, ok := r.Body.(io.ReadWriteCloser); ok {
					r.Body = rec.upgrade(up, r.Header)
				}
				return nil
			}
			rec.upstream = r
			r.Body = &responseBody{ReadCloser: r.Body, rec: rec}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			rec, _ := r.Context().Value(recordKey{}).(*record)
			if r.Context().Err() != nil && !rec.slow.Load() {
				panic(http.ErrAbortHandler) // the client has gone
			}
			status := http.StatusBadGateway
			var tooSlow net.Error
			switch {
			case errors.Is(err, errGate):
				status = http.StatusServiceUnavailable
			case rec.slow.Load():
				w.Header().Set("Connection", "close")
				status = http.StatusRequestTimeout
			case errors.As(err, &tooSlow) && tooSlow.Timeout():
				status = http.StatusGatewayTimeout
			}
			s.cfg.Log.Warn("a request was not answered by the upstream", "status", status)
			rec.response(status, w.Header(), s.cfg.Clock())
			w.WriteHeader(status)
		},
	}
}

var errGate = errors.New("the gate failed and is to fail closed")

func joinQuery(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

// requestBody copies what the client sends, and gives up on a client that
// sends nothing for too long.
type requestBody struct {
	io.ReadCloser
	rec   *record
	rc    *http.ResponseController
	pause time.Duration
}

func (b *requestBody) Read(p []byte) (int, error) {
	_ = b.rc.SetReadDeadline(time.Now().Add(b.pause))
	n, err := b.ReadCloser.Read(p)
	b.rec.copy(&b.rec.req, p[:n])
	switch {
	case err == nil:
	case err == io.EOF:
		_ = b.rc.SetReadDeadline(time.Time{})
	default:
		b.rec.cut(&b.rec.req)
		var ne net.Error
		if errors.As(err, &ne) && ne.Timeout() {
			b.rec.slow.Store(true)
		}
	}
	return n, err
}

// responseBody copies what the upstream sends.
type responseBody struct {
	io.ReadCloser
	rec *record
}

func (b *responseBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.rec.copy(&b.rec.resp, p[:n])
	if err != nil && err != io.EOF {
		b.rec.cut(&b.rec.resp)
	}
	if err == io.EOF {
		b.rec.complete()
	}
	return n, err
}

// bufferPool lends the buffers that bodies are passed on through.
type bufferPool struct{ pool sync.Pool }

const bufferSize = 32 << 10

func (b *bufferPool) Get() []byte {
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:]
	}
	return new([bufferSize]byte)[:]
}

func (b *bufferPool) Put(p []byte) {
	if len(p) == bufferSize {
		b.pool.Put((*[bufferSize]byte)(p))
	}
}
