package proxy

import (
	"net/http"
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

// Verdict answers a request in the upstream's place when Status is not 0.
type Verdict struct {
	Status int // such as 403, 429
	Header http.Header
	Body   []byte
}

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
	return s.cfg.Gate.Request(r)
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
