package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/source/sensor"
)

// form is how a body is laid out.
type form uint8

const (
	harl form = iota
	apisix
)

func (s *Source) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/harl", func(w http.ResponseWriter, r *http.Request) { s.deliver(w, r, harl) })
	mux.HandleFunc("/v1/apisix", func(w http.ResponseWriter, r *http.Request) { s.deliver(w, r, apisix) })
	mux.HandleFunc("/healthz", s.health)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.refuse(w, http.StatusNotFound, "there is only POST /v1/harl, POST /v1/apisix and GET /healthz")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Whatever of a body is not wanted is read or waited for no longer
		// than a head.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.cfg.Limits.HeadFor))
		mux.ServeHTTP(w, r)
	})
}

func (s *Source) health(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		s.refuse(w, http.StatusMethodNotAllowed, "use GET")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

// refuse answers a request that nothing was taken of.
func (s *Source) refuse(w http.ResponseWriter, status int, why string) {
	s.stats.refused(status)
	answer(w, status, struct {
		Error string `json:"error"`
	}{why})
}

func answer(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil { // our own structures
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // whoever has gone sends it again
}

// Answer is what a body that was read is answered with.
type Answer struct {
	Accepted   uint64      `json:"accepted"`
	Duplicates uint64      `json:"duplicates"`
	Rejected   []Rejection `json:"rejected"`
	More       uint64      `json:"rejected_more,omitempty"` // rejected lines that are not listed
}

func (s *Source) deliver(w http.ResponseWriter, r *http.Request, f form) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		s.refuse(w, http.StatusMethodNotAllowed, "use POST")
		return
	}
	// Pages in a browser on this machine can reach its own addresses; no
	// sensor sends an Origin.
	if r.Header.Get("Origin") != "" {
		s.refuse(w, http.StatusForbidden, "browsers may not deliver")
		return
	}
	who, ok := s.cfg.Tokens.Bearer(r.Header.Get("Authorization"))
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer realm="xiezhi"`)
		s.refuse(w, http.StatusUnauthorized, "send Authorization: Bearer TOKEN with a token of the token file")
		return
	}
	coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	switch coding {
	case "", "identity", "gzip", "zstd":
	default:
		w.Header().Set("Accept-Encoding", "gzip, zstd")
		s.refuse(w, http.StatusUnsupportedMediaType, "Content-Encoding may be gzip or zstd")
		return
	}
	if media := strings.ToLower(r.Header.Get("Content-Type")); strings.HasPrefix(media, "multipart/") {
		s.refuse(w, http.StatusUnsupportedMediaType, "send the lines as the body itself, not as multipart")
		return
	}
	if r.ContentLength > s.cfg.Limits.Wire {
		s.refuse(w, http.StatusRequestEntityTooLarge, errTooLarge.Error())
		return
	}
	c, wait := s.shares.begin(who)
	if c == nil {
		s.busy(w, wait, "this sensor sends more than it may")
		return
	}
	defer c.end()
	b := s.batches.Get().(*batch)
	j := &job{batch: b, sensor: who, lost: lostOf(r.Header), done: make(chan error, 1)}
	queued := false
	defer func() {
		if !queued { // else it may still be in use
			b.reset()
			s.batches.Put(b)
		}
	}()
	if err := s.read(w, r, f, coding, who, c, b); err != nil {
		s.refuseBody(w, err)
		return
	}
	c.spent(len(b.hashes))
	select {
	case <-s.stop:
		s.refuseBody(w, errStopped)
		return
	default:
	}
	select {
	case s.queue <- j:
		queued = true
	default:
		s.busy(w, time.Second, errBusy.Error())
		return
	}
	var err error
	select {
	case err = <-j.done:
	case <-s.stop:
		// It may have been taken in the last moment; a sender that asks again
		// is told so by its ids.
		select {
		case err = <-j.done:
		case <-time.After(time.Second):
			err = errStopped
		}
	}
	if err != nil {
		s.refuseBody(w, errStopped)
		return
	}
	queued = false
	a := Answer{j.accepted, j.duplicates, b.rejects, b.unlisted}
	if a.Rejected == nil {
		a.Rejected = []Rejection{}
	}
	status := http.StatusOK
	if a.Accepted+a.Duplicates == 0 && len(a.Rejected) > 0 {
		status = http.StatusBadRequest // nothing in it was an exchange
		s.stats.refused(status)
	}
	answer(w, status, a)
}

// read takes the body off the wire and decodes it.
func (s *Source) read(w http.ResponseWriter, r *http.Request, f form, coding string, who sensor.Sensor, c *claim, b *batch) error {
	raw, err := s.body(w, r, c, b)
	if err != nil {
		return err
	}
	var d *decoder
	select {
	case d = <-s.decoders:
	case <-r.Context().Done():
		return context.Cause(r.Context())
	case <-s.stop:
		return errStopped
	}
	defer func() { s.decoders <- d }()
	return d.decode(f, coding, raw, who.Name, who.Site, c, b)
}

// body reads what was sent, into memory that is claimed before it is there.
func (s *Source) body(w http.ResponseWriter, r *http.Request, c *claim, b *batch) ([]byte, error) {
	control, l := http.NewResponseController(w), s.cfg.Limits
	room := int64(16 << 10)
	if r.ContentLength >= 0 {
		room = min(r.ContentLength+1, 1<<20) // a length is a promise only
	}
	if err := c.take(room); err != nil {
		return nil, err
	}
	if int64(cap(b.raw)) < room {
		b.raw = make([]byte, room)
	}
	buf, n := b.raw[:room], 0
	last := time.Now().Add(l.BodyFor)
	for {
		if n == len(buf) {
			if int64(n) > l.Wire {
				return nil, errTooLarge
			}
			grown := min(int64(2*n), l.Wire+1)
			if r.ContentLength >= int64(n) {
				grown = min(grown, r.ContentLength+1)
			}
			if err := c.take(grown - int64(n)); err != nil {
				return nil, err
			}
			next := make([]byte, grown)
			copy(next, buf)
			buf, b.raw = next, next
		}
		deadline := time.Now().Add(l.Stall)
		if deadline.After(last) {
			deadline = last
		}
		_ = control.SetReadDeadline(deadline)
		k, err := r.Body.Read(buf[n:])
		n += k
		switch {
		case int64(n) > l.Wire:
			return nil, errTooLarge
		case err == io.EOF:
			// From here on the connection is watched for the client's leaving;
			// that must not time out.
			_ = control.SetReadDeadline(time.Time{})
			return buf[:n], nil
		case err != nil:
			return nil, err
		}
	}
}

// refuseBody answers for a body that could not be read or taken as a whole.
func (s *Source) refuseBody(w http.ResponseWriter, err error) {
	var timeout net.Error
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, errEntries):
		w.Header().Set("Connection", "close") // the rest of it is not read
		s.refuse(w, http.StatusRequestEntityTooLarge, err.Error())
	case errors.Is(err, errBusy):
		w.Header().Set("Connection", "close")
		s.busy(w, time.Second, err.Error())
	case errors.Is(err, errCompressed):
		s.refuse(w, http.StatusBadRequest, err.Error())
	case errors.Is(err, errStopped):
		w.Header().Set("Retry-After", "5")
		s.refuse(w, http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		w.Header().Set("Connection", "close")
		s.refuse(w, http.StatusRequestTimeout, "the body came too slowly")
	default:
		w.Header().Set("Connection", "close")
		s.refuse(w, http.StatusBadRequest, "the body ends early or its framing is broken")
	}
}

func (s *Source) busy(w http.ResponseWriter, wait time.Duration, why string) {
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	s.refuse(w, http.StatusTooManyRequests, why)
}
