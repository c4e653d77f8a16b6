package jetstream

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// link is a way to the servers. What is read and what is written go over
// connections of their own, so that acknowledgements do not wait for data.
type link struct {
	write, read *connection
	server      *embedded // nil: servers of others
}

func (l *link) close() {
	l.write.nc.Close()
	l.read.nc.Close()
	if l.server != nil {
		l.server.stop()
	}
}

// connection knows when it was cut off.
type connection struct {
	nc *nats.Conn
	js jetstream.JetStream

	mu  sync.Mutex // guards the following
	cut context.Context
	end context.CancelFunc
}

// connect makes the two connections of a link.
func connect(cfg *Config, url string, options ...nats.Option) (*link, error) {
	write, err := open(cfg, "write", url, options...)
	if err != nil {
		return nil, err
	}
	read, err := open(cfg, "read", url, options...)
	if err != nil {
		write.nc.Close()
		return nil, err
	}
	return &link{write: write, read: read}, nil
}

func open(cfg *Config, what, url string, options ...nats.Option) (*connection, error) {
	c := &connection{}
	c.cut, c.end = context.WithCancel(context.Background())
	var err error
	c.nc, err = nats.Connect(url, append([]nats.Option{
		nats.Name("xiezhi " + what), nats.DisconnectErrHandler(c.lost),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			level := slog.LevelWarn
			if errors.Is(err, nats.ErrSlowConsumer) {
				level = slog.LevelDebug // a reader that had no time: it sees the hole and goes back to it
			}
			cfg.Log.Log(context.Background(), level, "connection of the stream", "error", err)
		}),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	if c.js, err = jetstream.New(c.nc, jetstream.WithDefaultTimeout(callTimeout)); err != nil {
		c.nc.Close()
		return nil, err
	}
	return c, nil
}

// lost ends the requests that wait for an answer.
func (c *connection) lost(*nats.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
	c.cut, c.end = context.WithCancel(context.Background())
}

// on makes a request, within callTimeout and as long as the connection holds:
// what was sent over one that is lost is not answered any more.
func (c *connection) on(ctx context.Context, request func(context.Context) error) error {
	c.mu.Lock()
	cut := c.cut
	c.mu.Unlock()
	switch {
	case c.nc.IsClosed():
		return nats.ErrConnectionClosed
	case !c.nc.IsConnected():
		return nats.ErrDisconnected
	}
	within, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	defer context.AfterFunc(cut, cancel)()
	err := request(within)
	if err != nil && cut.Err() != nil && ctx.Err() == nil {
		return nats.ErrDisconnected
	}
	return err
}
