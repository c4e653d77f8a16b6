package siem

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"xiezhi/internal/respond/notify/channel"
	"xiezhi/internal/respond/outbox"
)

// line is one event as a target takes it.
type line struct {
	UID  string `json:"uid"` // of the finding
	ID   string `json:"id"`  // of this event: the same whenever it is sent
	Text string `json:"text"`
	Unix int64  `json:"unix"` // of the event, in ms
}

// transport hands lines over, all or none as far as it can tell.
type transport interface {
	send(context.Context, []line) error
	where() string
}

// MaxDatagram is how long a message over UDP is; longer ones are cut.
const MaxDatagram = 8192

// file appends to a file. It is opened for each batch, so that whoever rotates
// files has nothing to tell us.
type file struct{ path string }

func (f *file) where() string { return f.path }

func (f *file) send(_ context.Context, list []line) (err error) {
	out, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return &outbox.Failure{Why: err.Error()}
	}
	defer func() {
		if e := out.Close(); err == nil && e != nil {
			err = &outbox.Failure{Why: e.Error()}
		}
	}()
	var b bytes.Buffer
	if torn(out) {
		b.WriteByte('\n') // what a crash cut off stays a line of its own
	}
	for _, l := range list {
		b.WriteString(flatLine(l.Text) + "\n")
	}
	if _, err := out.Write(b.Bytes()); err != nil {
		return &outbox.Failure{Why: err.Error()}
	}
	if err := out.Sync(); err != nil {
		return &outbox.Failure{Why: err.Error()}
	}
	return nil
}

func torn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 || !info.Mode().IsRegular() {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

// stream is syslog over TCP or TLS, each message behind its length (RFC 6587,
// RFC 5425).
type stream struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	address string
	host    string
	tls     *tls.Config // nil: TCP

	mu   sync.Mutex
	conn net.Conn
}

func (s *stream) where() string { return s.host }

func (s *stream) send(ctx context.Context, list []line) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && closed(s.conn) {
		s.drop()
	}
	if s.conn == nil {
		conn, err := s.open(ctx)
		if err != nil {
			return channel.Unreached(s.host, err)
		}
		s.conn = conn
	}
	var b bytes.Buffer
	for _, l := range list {
		b.WriteString(strconv.Itoa(len(l.Text)) + " " + l.Text)
	}
	until, ok := ctx.Deadline()
	if !ok {
		until = time.Now().Add(30 * time.Second)
	}
	err := s.conn.SetWriteDeadline(until)
	if err == nil {
		_, err = s.conn.Write(b.Bytes())
	}
	if err != nil {
		s.drop()
		return channel.Unreached(s.host, err)
	}
	return nil
}

func (s *stream) open(ctx context.Context) (net.Conn, error) {
	conn, err := s.dial(ctx, "tcp", s.address)
	if err != nil || s.tls == nil {
		return conn, err
	}
	t := tls.Client(conn, s.tls)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return t, nil
}

func (s *stream) drop() {
	_ = s.conn.Close()
	s.conn = nil
}

// closed looks whether the receiver went away: it never says anything, so that
// whatever is read but a time-out is an end.
func closed(c net.Conn) bool {
	if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return true
	}
	var b [1]byte
	_, err := c.Read(b[:])
	var ne net.Error
	return err != nil && !(errors.As(err, &ne) && ne.Timeout()) || errors.Is(err, io.EOF)
}

// datagram is syslog over UDP: nobody says that it came.
type datagram struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	address string
	host    string
}

func (d *datagram) where() string { return d.host }

func (d *datagram) send(ctx context.Context, list []line) error {
	conn, err := d.dial(ctx, "udp", d.address)
	if err != nil {
		return channel.Unreached(d.host, err)
	}
	defer conn.Close()
	for _, l := range list {
		if _, err := conn.Write([]byte(valid(l.Text, MaxDatagram))); err != nil {
			return channel.Unreached(d.host, err)
		}
	}
	return nil
}
