package jetstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"xiezhi/internal/stream"
)

// Cluster is NATS servers that others run, with JetStream switched on.
type Cluster struct {
	Servers     []string    // nats://host:port, tls://host:port
	Credentials string      // file of a user's JWT and seed; empty: none
	TLS         *tls.Config // nil: as the addresses say, with the system's authorities
	Replicas    int         // of what is written, 1 to 5; default 3
	Name        string      // what this installation's streams begin with; default XIEZHI
}

const (
	reconnectWait = 250 * time.Millisecond
	connectWait   = 2 * time.Second
	pingEvery     = 5 * time.Second // two without an answer, and another server is taken
)

// Dial opens the stream that a cluster keeps, and makes it if it is not there.
func Dial(ctx context.Context, cfg Config, c Cluster) (*Bus, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	if c.Replicas == 0 {
		c.Replicas = 3
	}
	if c.Name == "" {
		c.Name = embeddedTag
	}
	switch {
	case len(c.Servers) == 0:
		return nil, fmt.Errorf("%w: no servers are named", stream.ErrRefused)
	case c.Replicas < 1 || c.Replicas > 5:
		return nil, fmt.Errorf("%w: %d replicas, 1 to 5 are allowed", stream.ErrRefused, c.Replicas)
	case strings.ContainsFunc(c.Name, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-')
	}):
		return nil, fmt.Errorf("%w: %q is no name for streams, letters, digits and dashes are allowed", stream.ErrRefused, c.Name)
	}
	url := strings.Join(c.Servers, ",")
	where := strings.Join(unnamed(c.Servers), ",")
	b := &Bus{cfg: cfg, where: where, prefix: c.Name, replicas: c.Replicas, folder: nothing{}}
	b.dial = func() (*link, error) {
		options := []nats.Option{
			nats.Timeout(connectWait), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.PingInterval(pingEvery),
			nats.MaxPingsOutstanding(2), nats.ReconnectBufSize(-1), // what is not sent is tried again under its id
		}
		if c.Credentials != "" {
			options = append(options, nats.UserCredentials(c.Credentials))
		}
		if c.TLS != nil {
			options = append(options, nats.Secure(c.TLS))
		}
		l, err := connect(&b.cfg, url, options...)
		if err != nil {
			return nil, dialFault(where, err)
		}
		if n := l.write.nc.MaxPayload(); n < int64(maxMessage) {
			l.close()
			return nil, &stream.Fault{What: "use the stream's servers", Where: where, Do: fmt.Sprintf("set their max_payload to %d at least", 1<<20),
				Err: fmt.Errorf("they take messages of %d bytes, a batch may have %d", n, maxMessage)}
		}
		return l, nil
	}
	var err error
	if b.link, err = b.dial(); err != nil {
		return nil, err
	}
	err = b.open(ctx, func(s jetstream.StreamConfig) jetstream.StreamConfig {
		s.Replicas = c.Replicas
		return s
	})
	if err != nil {
		b.link.close()
		if b.sealer != nil {
			b.sealer.Close()
		}
		return nil, err
	}
	return b, nil
}

// unnamed are addresses for messages: without users and passwords.
func unnamed(servers []string) []string {
	list := make([]string, len(servers))
	for i, s := range servers {
		scheme, rest, ok := strings.Cut(s, "://")
		if !ok {
			scheme, rest = "nats", s
		}
		list[i] = scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:]
	}
	return list
}

// nothing is a folder of nobody.
type nothing struct{}

func (nothing) Close() error { return nil }

func dialFault(where string, err error) error {
	if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAccountAuthExpired) {
		return &stream.Fault{What: "connect to the stream's servers", Where: where, Do: "look at the credentials file and the user's rights", Err: err}
	}
	return &stream.Fault{What: "connect to the stream's servers", Where: where, Do: "see whether they run and can be reached from here",
		Err: fmt.Errorf("%w (%w)", stream.ErrAway, err)}
}
