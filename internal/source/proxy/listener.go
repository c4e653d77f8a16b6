package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/wire"
)

// clientConn is an accepted connection. A client that takes nothing of what it
// is sent for a while is cut off, so that it cannot hold the upstream.
type clientConn struct {
	net.Conn
	ordinal atomic.Uint32 // of the exchanges on it
	secure  *tls.ConnectionState
	hello   []byte // what the client sent first, until the handshake is done
	ja4     string
	release func()
	once    sync.Once
	early   bool // keep what is read as the hello
}

// sendPause is how long a client may take nothing.
const sendPause = time.Minute

// maxHello bounds what is kept of a handshake.
const maxHello = 16 << 10

// Read implements net.Conn.
func (c *clientConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.early && len(c.hello) < maxHello {
		c.hello = append(c.hello, b[:min(n, maxHello-len(c.hello))]...)
	}
	return n, err
}

// Write implements net.Conn.
func (c *clientConn) Write(b []byte) (int, error) {
	_ = c.Conn.SetWriteDeadline(time.Now().Add(sendPause))
	return c.Conn.Write(b)
}

// Close implements net.Conn.
func (c *clientConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.release)
	return err
}

// CloseWrite passes on that the upstream sends no more.
func (c *clientConn) CloseWrite() error {
	if c, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// listener accepts clients up to a bound and does TLS handshakes itself, since
// the server must see a plain connection to have the head's bytes tapped.
type listener struct {
	net.Listener
	tls     *tls.Config
	timeout time.Duration
	slots   chan struct{}
	ready   chan net.Conn
	failed  chan error
	ctx     context.Context // until closed
	end     context.CancelFunc
	wg      sync.WaitGroup
}

func newListener(l net.Listener, cfg *tls.Config, conns int, timeout time.Duration) *listener {
	ln := &listener{Listener: l, timeout: timeout, slots: make(chan struct{}, conns),
		ready: make(chan net.Conn), failed: make(chan error, 1)}
	ln.ctx, ln.end = context.WithCancel(context.Background())
	if cfg != nil {
		ln.tls = cfg.Clone()
		for _, p := range []string{"h2", "http/1.1"} {
			if !slices.Contains(ln.tls.NextProtos, p) {
				ln.tls.NextProtos = append(ln.tls.NextProtos, p)
			}
		}
	}
	ln.wg.Go(ln.accept)
	return ln
}

func (l *listener) accept() {
	for {
		select {
		case l.slots <- struct{}{}:
		case <-l.ctx.Done():
			return
		}
		raw, err := l.Listener.Accept()
		if err != nil {
			<-l.slots
			if temporary(err) {
				select { // out of file descriptors, most likely: others end soon
				case <-time.After(50 * time.Millisecond):
					continue
				case <-l.ctx.Done():
				}
			}
			l.failed <- err
			return
		}
		c := &clientConn{Conn: raw, release: func() { <-l.slots }}
		if l.tls == nil {
			l.deliver(&tap{Conn: c, info: c})
			continue
		}
		l.wg.Go(func() { l.handshake(c) })
	}
}

func temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

func (l *listener) handshake(c *clientConn) {
	c.early = true
	t := tls.Server(c, l.tls)
	ctx, cancel := context.WithTimeout(l.ctx, l.timeout)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return
	}
	c.early = false
	c.ja4, c.hello = wire.HelloJA4(c.hello).String(), nil
	state := t.ConnectionState()
	c.secure = &state
	if state.NegotiatedProtocol == "h2" {
		l.deliver(t) // net/http wants to see TLS itself here
		return
	}
	l.deliver(&tap{Conn: t, info: c})
}

func (l *listener) deliver(c net.Conn) {
	select {
	case l.ready <- c:
	case <-l.ctx.Done():
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case err := <-l.failed:
		return nil, err
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.end()
	return l.Listener.Close()
}

// wait returns when no handshake is under way.
func (l *listener) wait() { l.wg.Wait() }
