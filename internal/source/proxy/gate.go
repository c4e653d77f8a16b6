package proxy

import (
	"bytes"
	"io"
	"net/http"

	"xiezhi/internal/exchange"
)

// Gate decides about traffic while it passes. Its methods are called from many
// goroutines and before anything else of an exchange goes on, so they must be
// quick and must not block.
type Gate interface {
	// Request sees a request before its body was read. A zero Verdict lets it
	// pass. The request must not be changed.
	Request(r *http.Request) Verdict
	// Response sees the upstream's response before the client does; it may
	// change header and body, as masking does.
	Response(r *http.Response)
}

// BodyGate is a Gate that may have to see a request's body first.
type BodyGate interface {
	Gate
	// RequestBody sees a request for which Request gave a NeedBody, with as much
	// of its body as that. Its verdict counts.
	RequestBody(r *http.Request, body []byte) Verdict
}

// Verdict answers a request in the upstream's place when Status is not 0.
type Verdict struct {
	Status int // such as 403, 429
	Header http.Header
	Body   []byte

	Forward  http.Header // fields that the request gets for the upstream, in place of what the client sent
	Note     any         // for Response: what NoteOf gives there
	NeedBody int         // bytes of the body that a BodyGate wants to see before it decides
}

// noteKey is where a request on its way keeps what the Gate said of it.
type noteKey struct{}

type said struct {
	note    any
	forward http.Header
}

// NoteOf gives what the Gate noted of the request that a response answers; nil
// for nothing.
func NoteOf(r *http.Response) any {
	if r.Request == nil {
		return nil
	}
	s, _ := r.Request.Context().Value(noteKey{}).(*said)
	if s == nil {
		return nil
	}
	return s.note
}

// ExchangeOf gives what is known of a request that passes, as sinks will see it:
// head, peer and TLS, without bodies. It is not to be kept or changed, and nil
// for a request of another server.
func ExchangeOf(r *http.Request) *exchange.Exchange {
	rec, _ := r.Context().Value(recordKey{}).(*record)
	if rec == nil {
		return nil
	}
	return &rec.x
}

// readBody reads the beginning of a body for the Gate and puts it back.
func readBody(r *http.Request, most int) []byte {
	if r.Body == nil || r.Body == http.NoBody || most <= 0 {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, int64(most)))
	rest := r.Body
	var end io.Reader = rest
	if err != nil {
		end = failing{err}
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(b), end), rest}
	return b
}

// failing gives the error that a body ended with.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// askRequest asks the Gate about a request. A Gate that panics has no opinion,
// or refuses when it is to fail closed.
func (s *Source) askRequest(r *http.Request) (v Verdict) {
	if s.cfg.Gate == nil {
		return v
	}
	defer func() {
		if recover() != nil {
			s.gateFailed()
			v = Verdict{}
			if s.cfg.FailClosed {
				v = Verdict{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {"1"}}}
			}
		}
	}()
	v = s.cfg.Gate.Request(r)
	if b, ok := s.cfg.Gate.(BodyGate); ok && v.NeedBody > 0 && v.Status == 0 {
		v = b.RequestBody(r, readBody(r, v.NeedBody))
	}
	return v
}

// askResponse lets the Gate change a response. It reports false when the
// response must not go out.
func (s *Source) askResponse(r *http.Response) (ok bool) {
	if s.cfg.Gate == nil {
		return true
	}
	defer func() {
		if recover() != nil {
			s.gateFailed()
			ok = !s.cfg.FailClosed
		}
	}()
	s.cfg.Gate.Response(r)
	return true
}

func (s *Source) gateFailed() {
	if s.gateOut.Add(1) == 1 {
		s.cfg.Log.Error("the gate failed", "fail_closed", s.cfg.FailClosed)
	}
}

// GateFailures counts the calls in which the Gate panicked.
func (s *Source) GateFailures() uint64 { return s.gateOut.Load() }
