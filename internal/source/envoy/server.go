package envoy

import (
	"encoding/binary"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/source/sensor"
)

// Status codes of gRPC.
const (
	statusOK              = 0
	statusInvalid         = 3
	statusExhausted       = 8
	statusUnimplemented   = 12
	statusUnavailable     = 14
	statusUnauthenticated = 16
)

const (
	pathProcess = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
	pathLogs    = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs"
	pathHealth  = "/grpc.health.v1.Health/Check"
)

// spareStreams is how many streams of a connection may be open beyond
// MaxStreams.
const spareStreams = 1024

// server speaks HTTP/2 only, which is what gRPC needs.
func (s *Source) server() *http.Server {
	p := &http.Protocols{}
	if s.cfg.TLS != nil {
		p.SetHTTP2(true)
	} else {
		p.SetUnencryptedHTTP2(true)
	}
	return &http.Server{
		Handler:   http.HandlerFunc(s.serve),
		Protocols: p,
		TLSConfig: s.cfg.TLS,
		// What a connection may send before it is read is all that it can make
		// the server hold.
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerConnection: 2 << 20, MaxReceiveBufferPerStream: 256 << 10,
			// Those beyond the cap are let in, to be sent away in peace.
			MaxConcurrentStreams: s.cfg.MaxStreams + spareStreams,
			SendPingTimeout:      time.Minute, PingTimeout: 15 * time.Second, WriteByteTimeout: time.Minute,
		},
		MaxHeaderBytes: 16 << 10, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 10 * time.Minute,
		ErrorLog: log.New(io.Discard, "", 0), // it would hold what peers sent
	}
}

// serve answers one call.
func (s *Source) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	w.Header().Set("Content-Type", "application/grpc")
	who, ok := s.cfg.Tokens.Bearer(r.Header.Get("Authorization"))
	if !ok {
		s.refused.Add(1)
		fail(w, statusUnauthenticated, "no known token in the authorization metadata")
		return
	}
	switch r.URL.Path {
	case pathProcess, pathLogs:
	case pathHealth:
		_, _ = w.Write([]byte{0, 0, 0, 0, 2, 8, 1}) // SERVING
		trail(w, statusOK, "")
		return
	default:
		fail(w, statusUnimplemented, "only ext_proc and the access log service are served here")
		return
	}
	st := &stream{s: s, body: r.Body, control: http.NewResponseController(w)}
	if !s.enter(st) {
		fail(w, statusUnavailable, "the source has ended")
		return
	}
	defer s.leave(st)
	w.WriteHeader(http.StatusOK)
	if st.control.Flush() != nil {
		return
	}
	if r.URL.Path == pathLogs {
		s.serveLogs(w, st, who)
		return
	}
	s.serveProcess(w, st, who)
}

// fail ends a call that has not begun.
func fail(w http.ResponseWriter, code int, msg string) {
	w.Header().Set("Grpc-Status", strconv.Itoa(code))
	w.Header().Set("Grpc-Message", msg)
	w.WriteHeader(http.StatusOK)
}

// trail ends a call.
func trail(w http.ResponseWriter, code int, msg string) {
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", strconv.Itoa(code))
	if msg != "" {
		w.Header().Set(http.TrailerPrefix+"Grpc-Message", msg)
	}
}

// serveProcess reads a stream of ext_proc.
func (s *Source) serveProcess(w http.ResponseWriter, st *stream, who sensor.Sensor) {
	s.streams.Add(1)
	p := s.newProcessor(who)
	crowded := s.open.Load() > int64(s.cfg.MaxStreams)
	if crowded {
		p.leaveOut()
	}
	defer p.finish()
	for {
		msg, missing, err := st.next()
		switch {
		case errors.Is(err, io.EOF):
			trail(w, statusOK, "")
			return
		case errors.Is(err, errShed):
			p.leaveOut()
			if !p.observe { // whoever waits for an answer that cannot be given is told
				trail(w, statusExhausted, "too much to hold at once")
				return
			}
			continue
		case errors.Is(err, errCompressed):
			trail(w, statusUnimplemented, err.Error())
			return
		case err != nil: // cut off, idle, or asked to end
			trail(w, statusOK, "")
			return
		}
		answer, ok := p.take(msg, missing)
		if !ok {
			st.giveBack()
			trail(w, statusInvalid, "no ProcessingRequest, or one too large to be sent back")
			return
		}
		if answer != nil {
			st.frame = binary.BigEndian.AppendUint32(append(st.frame[:0], 0), uint32(len(answer)))
			_, err := w.Write(append(st.frame, answer...))
			if err == nil {
				err = st.control.Flush()
			}
			if err != nil {
				st.giveBack()
				return
			}
		}
		st.giveBack()
		if crowded && p.observe {
			trail(w, statusOK, "") // Envoy sends no more of it
			return
		}
	}
}

// serveLogs reads a stream of the access log service, which is not answered
// until its end.
func (s *Source) serveLogs(w http.ResponseWriter, st *stream, who sensor.Sensor) {
	for {
		msg, _, err := st.next()
		switch {
		case errors.Is(err, errShed):
			s.overload.Add(1) // at least one entry; how many is not known
			continue
		case errors.Is(err, errCompressed):
			trail(w, statusUnimplemented, err.Error())
			return
		case err != nil:
			_, _ = w.Write([]byte{0, 0, 0, 0, 0})
			trail(w, statusOK, "")
			return
		}
		ok := s.takeLogs(msg, who)
		st.giveBack()
		if !ok {
			s.broken.Add(1)
			trail(w, statusInvalid, "no StreamAccessLogsMessage")
			return
		}
	}
}

// stream reads the messages of one call.
type stream struct {
	s       *Source
	body    io.Reader
	control *http.ResponseController
	last    atomic.Int64 // when the last message came
	room    *[]byte
	held    int64
	frame   []byte
}

var (
	errShed       = errors.New("too many bytes in flight")
	errCompressed = errors.New("compressed messages are not taken")
)

// enter notes a stream under way; false when no more are taken.
func (s *Source) enter(st *stream) bool {
	st.last.Store(s.cfg.Clock().UnixNano())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return false
	}
	s.open.Add(1)
	s.handlers.Add(1)
	s.active[st] = struct{}{}
	return true
}

func (s *Source) leave(st *stream) {
	st.giveBack()
	s.mu.Lock()
	delete(s.active, st)
	s.mu.Unlock()
	s.open.Add(-1)
	s.handlers.Done()
}

// end makes the next read fail.
func (st *stream) end() { _ = st.control.SetReadDeadline(time.Unix(1, 0)) }

// next gives the next message, valid until giveBack. Of a message beyond the
// cap the first part is given, and how much is missing.
func (st *stream) next() (msg []byte, missing int64, err error) {
	var head [5]byte
	if _, err := io.ReadFull(st.body, head[:]); err != nil {
		return nil, 0, err
	}
	s := st.s
	st.last.Store(s.cfg.Clock().UnixNano())
	size := int64(binary.BigEndian.Uint32(head[1:]))
	if head[0] != 0 {
		return nil, 0, errCompressed
	}
	if size == 0 {
		return nil, 0, nil
	}
	keep := min(size, int64(s.cfg.MaxMessage))
	st.room, _ = s.rooms.Get().(*[]byte)
	b := (*st.room)[:0]
	defer func() {
		*st.room = b
		if err != nil {
			st.giveBack()
		}
	}()
	// The room grows as bytes come, and all rooms together have a cap: twice
	// that of the copies, so that bodies go first.
	for int64(len(b)) < keep {
		n := min(keep-int64(len(b)), 32<<10)
		if s.held.Add(n) > 2*s.cfg.MaxHeld {
			s.held.Add(-n)
			if err := st.pass(size - int64(len(b))); err != nil {
				return nil, 0, err
			}
			return nil, 0, errShed
		}
		st.held += n
		at := len(b)
		b = slices.Grow(b, int(n))[:at+int(n)]
		if _, err := io.ReadFull(st.body, b[at:]); err != nil {
			return nil, 0, err
		}
	}
	if err := st.pass(size - keep); err != nil {
		return nil, 0, err
	}
	return b, size - keep, nil
}

// pass passes over bytes.
func (st *stream) pass(n int64) error {
	_, err := io.CopyN(io.Discard, st.body, n)
	return err
}

// giveBack returns the room of the last message.
func (st *stream) giveBack() {
	if st.room == nil {
		return
	}
	st.s.held.Add(-st.held)
	st.held = 0
	if cap(*st.room) <= maxSpare {
		*st.room = (*st.room)[:0]
		st.s.rooms.Put(st.room)
	}
	st.room = nil
}

// limited is a listener with a bound on its connections: more wait to be
// accepted.
type limited struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newLimited(l net.Listener, n int) *limited {
	return &limited{Listener: l, slots: make(chan struct{}, n), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slotted{Conn: c, free: func() { <-l.slots }}, nil
}

// Close implements net.Listener.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type slotted struct {
	net.Conn
	free func()
	once sync.Once
}

// Close implements net.Conn.
func (c *slotted) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.free)
	return err
}
