package siem

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/respond/notify/channel"
	"xiezhi/internal/respond/outbox"
)

// Opened is a target that may be sent to.
type Opened struct {
	Target
	way transport
}

// Host is where it goes, to show.
func (o *Opened) Host() string { return o.way.where() }

// Open makes the targets: secrets are read, URLs looked at. lang is that of
// targets that name none.
func (c *FileConfig) Open(t channel.Tools, lang string) ([]Opened, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	t, err := t.Guarded(c.Allow)
	if err != nil {
		return nil, err
	}
	var out []Opened
	for i := range c.Targets {
		x := c.Targets[i]
		if x.Lang == "" {
			x.Lang = lang
		}
		way, err := x.open(&t)
		if err != nil {
			return nil, fmt.Errorf("siem: targets[%d] %s: %w", i, x.Name, err)
		}
		out = append(out, Opened{x, way})
	}
	return out, nil
}

func (x *Target) open(t *channel.Tools) (transport, error) {
	secret, err := t.Secret("secret", "", x.SecretFile, x.SecretEnv)
	if err != nil {
		return nil, err
	}
	switch x.Transport {
	case File:
		return &file{x.Path}, nil
	case TCP, TLS, UDP:
		host, _, _ := net.SplitHostPort(x.Address)
		if _, err := t.Guard.Check("http://" + x.Address + "/"); err != nil {
			return nil, fmt.Errorf("address: %w", err)
		}
		if x.Transport == UDP {
			return &datagram{t.Guard.Dial, x.Address, host}, nil
		}
		s := &stream{dial: t.Guard.Dial, address: x.Address, host: host}
		if x.Transport == TLS {
			if s.tls, err = channel.TLS(t, host, x.CAFile); err != nil {
				return nil, err
			}
		}
		return s, nil
	case Kafka:
		host, _, _ := net.SplitHostPort(x.Brokers[0])
		for _, b := range x.Brokers {
			if _, err := t.Guard.Check("http://" + b + "/"); err != nil {
				return nil, fmt.Errorf("brokers: %w", err)
			}
		}
		return newQueue(x, t.Guard, t, secret, host)
	}
	u, err := t.Guard.Check(x.URL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	w := &web{client: channel.Client(t.Guard), url: u.String(), host: u.Hostname(), kind: x.Transport, index: x.Index, now: t.Now}
	switch {
	case secret == "":
	case x.Transport == Splunk:
		w.auth = "Splunk " + secret
	case x.Transport == Elasticsearch && x.User != "":
		w.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(x.User+":"+secret))
	case x.Transport == Elasticsearch:
		w.auth = "ApiKey " + secret
	default:
		w.auth = "Bearer " + secret
	}
	return w, nil
}

func dialTLS(dial func(context.Context, string, string) (net.Conn, error), cfg *tls.Config) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		own := cfg.Clone()
		own.ServerName, _, _ = net.SplitHostPort(address)
		c := tls.Client(conn, own)
		if err := c.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return c, nil
	}
}

const batch = 50

// Lanes gives the lanes of targets.
func Lanes(list []Opened) (out []outbox.Lane) {
	for i := range list {
		x := &list[i]
		out = append(out, outbox.Lane{Name: x.Name, Batch: batch, Send: func(ctx context.Context, items []outbox.Item) error {
			lines := make([]line, len(items))
			for i := range items {
				if err := json.Unmarshal(items[i].Body, &lines[i]); err != nil {
					return &outbox.Failure{Why: "the event cannot be read", Final: true}
				}
			}
			return x.way.send(ctx, lines)
		}})
	}
	return out
}

// render writes an event as a target takes it. One that is too large goes
// without what it rests on.
func (x *Target) render(e *Event, version string) (line, error) {
	sum := sha256.Sum256([]byte(e.UID + "\x00" + x.Name + "\x00" + strconv.Itoa(e.Change) + "\x00" + e.At.UTC().Format(time.RFC3339Nano) + "\x00" + e.Status + "\x00" + e.Campaign + "\x00" + strconv.FormatUint(e.Requests, 10)))
	out := line{UID: e.UID, ID: hex.EncodeToString(sum[:12]), Unix: e.At.UnixMilli()}
	var err error
	if out.Text, err = x.format(e, version); err != nil {
		return out, err
	}
	if len(out.Text) > outbox.MaxBody/2 {
		slim := *e
		slim.Evidence, slim.Members, slim.IPs = nil, nil, nil
		out.Text, err = x.format(&slim, version)
	}
	return out, err
}

func (x *Target) format(e *Event, version string) (text string, err error) {
	var b []byte
	switch x.Format {
	case OCSF:
		b, err = json.Marshal(ocsf(e, version))
		text = string(b)
	case ECS:
		b, err = json.Marshal(ecs(e, version))
		text = string(b)
	default:
		text = cef(e, version)
	}
	if x.Transport == TCP || x.Transport == TLS || x.Transport == UDP {
		text = syslog(e, x.Host, text)
	}
	return text, err
}

// Test sends one event that says that it is a test.
func (o *Opened) Test(ctx context.Context, texts *message.Catalog, version, id string, now time.Time) error {
	reason := texts.Text("notify.test.reason", message.Args{"name": o.Name}).In(o.Lang)
	e := &Event{Of: Attack, UID: "test-" + id, Change: Created, At: now, First: now, Kind: "test", Name: texts.Text("notify.test", nil).In(o.Lang), Severity: 1, Status: "test", Reason: reason}
	l, err := o.render(e, version)
	if err != nil {
		return err
	}
	return o.way.send(ctx, []line{l})
}
