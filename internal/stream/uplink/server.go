package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"xiezhi/internal/source/sensor"
	"xiezhi/internal/stream"
)

// Limits bound what sensors can make the centre hold.
const (
	maxBodies = 8                // bodies in hand
	maxKnown  = sensor.MaxTokens // sensors whose state is known; more are refused
	headFor   = 10 * time.Second
	bodyFor   = time.Minute
	idleFor   = 2 * time.Minute
	drainFor  = 10 * time.Second
)

// ServerConfig is what a Server is made of.
type ServerConfig struct {
	Tokens *sensor.Tokens // nil: anybody who reaches the listener, under any name
	Sealer *stream.Sealer
	// Take takes the next batch of a sensor, which is the caller's again when it
	// returns. An error that wraps stream.ErrRefused is the batch's fault.
	Take func(ctx context.Context, sensor string, b stream.Batch) error
	Now  func() time.Time
	Log  *slog.Logger // nil: nothing is told
}

// Server is the centre's end.
type Server struct {
	cfg    ServerConfig
	bodies chan *room

	mu    sync.Mutex // guards the next
	known map[string]*peer
}

// room is what a request is read and opened in.
type room struct{ body, data []byte }

// peer is a sensor.
type peer struct {
	one   chan struct{} // one request at a time
	heard time.Time
	state State
}

// NewServer gives a server that nothing has been sent to.
func NewServer(cfg ServerConfig) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, bodies: make(chan *room, maxBodies), known: map[string]*peer{}}
	for range maxBodies {
		s.bodies <- &room{}
	}
	return s
}

// Heard is a sensor as it was heard of last.
type Heard struct {
	Name  string
	At    time.Time
	State State
}

// Heard gives the sensors that sent something since the process began, by name.
func (s *Server) Heard() []Heard {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Heard, 0, len(s.known))
	for name, p := range s.known {
		list = append(list, Heard{name, p.heard, p.state})
	}
	slices.SortFunc(list, func(a, b Heard) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Serve serves a listener until ctx is done, and lets requests that have begun
// come to their end.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	server := &http.Server{Handler: s, Protocols: protocols, ReadHeaderTimeout: headFor, ReadTimeout: bodyFor, IdleTimeout: idleFor,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn)}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
		defer cancel()
		if server.Shutdown(within) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(l)
	if !stop() {
		<-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// answer is what a request is answered with.
type answer struct {
	Taken int    `json:"taken"`
	Error string `json:"error,omitempty"`
}

func say(w http.ResponseWriter, status, taken int, format string, args ...any) {
	a := answer{Taken: taken}
	if format != "" {
		a.Error = fmt.Sprintf(format, args...)
	}
	b, _ := json.Marshal(a) //nolint:errchkjson // a number and a text
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // whoever has gone sends it again
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != Path:
		say(w, http.StatusNotFound, 0, "there is only POST %s", Path)
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST")
		say(w, http.StatusMethodNotAllowed, 0, "use POST")
		return
	case r.Header.Get("Origin") != "":
		say(w, http.StatusForbidden, 0, "browsers may not deliver")
		return
	case r.ContentLength < 0 || r.ContentLength > MaxBody:
		w.Header().Set("Connection", "close")
		say(w, http.StatusRequestEntityTooLarge, 0, "a body of at most %d bytes is wanted, its length told before", MaxBody)
		return
	}
	name, status, why := s.who(r)
	if status != 0 {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="xiezhi"`)
		}
		say(w, status, 0, "%s", why)
		return
	}
	p := s.peer(name)
	if p == nil {
		say(w, http.StatusForbidden, 0, "more than %d sensors are not known", maxKnown)
		return
	}
	select {
	case <-p.one:
		defer func() { p.one <- struct{}{} }()
	default:
		w.Header().Set("Retry-After", "1")
		say(w, http.StatusTooManyRequests, 0, "another request of this sensor is in hand")
		return
	}
	s.hear(p, r.Header)
	if r.ContentLength == 0 {
		say(w, http.StatusOK, 0, "")
		return
	}
	select {
	case room := <-s.bodies:
		defer func() { s.bodies <- room }()
		s.take(w, r, name, room)
	default:
		w.Header().Set("Retry-After", "1")
		say(w, http.StatusTooManyRequests, 0, "more sensors deliver than can be taken at once")
	}
}

// who says which sensor sends, or what to refuse it with.
func (s *Server) who(r *http.Request) (name string, status int, why string) {
	name = r.Header.Get(sensorHeader)
	if !sensor.IsName(name) {
		return "", http.StatusBadRequest, "a sensor names itself in " + sensorHeader
	}
	if s.cfg.Tokens == nil {
		return name, 0, ""
	}
	who, ok := s.cfg.Tokens.Bearer(r.Header.Get("Authorization"))
	switch {
	case !ok:
		return "", http.StatusUnauthorized, "send Authorization: Bearer TOKEN with a token of the token file"
	case who.Name != name:
		return "", http.StatusForbidden, "the token is of another sensor than " + name
	case who.Site != "" || who.Rate != 0:
		return "", http.StatusForbidden, "site= and rate= of the token file are for those who send exchanges; give --site to the sensor"
	}
	return name, 0, ""
}

func (s *Server) peer(name string) *peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.known[name]
	if p == nil {
		if len(s.known) >= maxKnown {
			return nil
		}
		p = &peer{one: make(chan struct{}, 1)}
		p.one <- struct{}{}
		s.known[strings.Clone(name)] = p
	}
	return p
}

func (s *Server) hear(p *peer, h http.Header) {
	number := func(name string) uint64 { n, _ := strconv.ParseUint(h.Get(name), 10, 63); return n }
	st := State{number(bufferedHeader), time.Duration(number(oldestHeader)) * time.Millisecond, number(shedHeader)}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.heard, p.state = s.cfg.Now(), st
}

// take reads the batches of a body and hands them on.
func (s *Server) take(w http.ResponseWriter, r *http.Request, name string, room *room) {
	n := int(r.ContentLength)
	if cap(room.body) < n {
		room.body = make([]byte, n)
	}
	body := room.body[:n]
	if _, err := io.ReadFull(r.Body, body); err != nil {
		w.Header().Set("Connection", "close")
		status := http.StatusBadRequest
		if errors.Is(err, os.ErrDeadlineExceeded) {
			status = http.StatusRequestTimeout
		}
		say(w, status, 0, "the body ends early or came too slowly")
		return
	}
	taken := 0
	for len(body) > 0 {
		id, sealed, rest, err := nextRecord(body)
		if err != nil {
			say(w, http.StatusBadRequest, taken, "%v", err)
			return
		}
		if room.data, err = s.cfg.Sealer.Open(room.data, 0, id, sealed); err != nil {
			say(w, http.StatusConflict, taken, "a batch cannot be opened: %v; give sensor and centre the same key file", err)
			return
		}
		switch err := s.cfg.Take(r.Context(), name, stream.Batch{ID: id, Data: room.data}); {
		case err == nil:
			taken++
		case errors.Is(err, stream.ErrRefused):
			say(w, http.StatusUnprocessableEntity, taken, "%v", err)
			return
		default:
			w.Header().Set("Retry-After", "1")
			say(w, http.StatusServiceUnavailable, taken, "%v", err)
			return
		}
		body = rest
	}
	say(w, http.StatusOK, taken, "")
}
