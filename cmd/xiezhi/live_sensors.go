package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/spf13/pflag"

	"xiezhi/internal/engine"
	"xiezhi/internal/source"
	"xiezhi/internal/source/sensor"
	"xiezhi/internal/stream"
	"xiezhi/internal/stream/uplink"
)

// sensorsWay is --sensors: xiezhi sensors send what they have observed. It is of
// serve alone.
type sensorsWay struct {
	tls     *tlsFlags
	tokens  *tokenFlags
	address string
	door    *sensorDoor
}

func (*sensorsWay) flag() string { return "sensors" }

func (w *sensorsWay) register(f *pflag.FlagSet) {
	f.StringVar(&w.address, "sensors", "", "let xiezhi sensors send to `HOST:PORT`; port 0 picks one")
}

func (w *sensorsWay) open(a *app) ([]source.Source, error) {
	if w.address == "" {
		return nil, nil
	}
	conf, err := w.tls.config()
	if err != nil {
		return nil, err
	}
	l, tokens, err := w.tokens.listen(a, w.flag(), w.address, conf != nil)
	if err != nil {
		return nil, err
	}
	scheme := "http"
	if conf != nil {
		scheme, l = "https", tls.NewListener(l, conf)
	}
	fmt.Fprintf(a.stderr, "sensors may send to %s://%s\n", scheme, l.Addr())
	w.door = &sensorDoor{listener: l, tokens: tokens}
	return []source.Source{w.door}, nil
}

// sensedTaker takes what sensors send.
type sensedTaker interface {
	TakeSensed(ctx context.Context, sensor string, b stream.Batch) error
}

// take has the key, and whoever takes what sensors send. It is called before
// anything runs.
func (w *sensorsWay) take(key [32]byte, cfg *engine.ServiceConfig) (with func(sensedTaker), close func() error, err error) {
	if w == nil || w.door == nil {
		return func(sensedTaker) {}, func() error { return nil }, nil
	}
	sealer, err := stream.NewSealer(rand.Reader, key)
	if err != nil {
		return nil, nil, err
	}
	var service sensedTaker
	server := uplink.NewServer(uplink.ServerConfig{Tokens: w.door.tokens, Sealer: sealer, Now: time.Now, Log: cfg.Log,
		Take: func(ctx context.Context, sensor string, b stream.Batch) error {
			return service.TakeSensed(ctx, sensor, b)
		}})
	w.door.server, cfg.Heard = server, server.Heard
	return func(s sensedTaker) { service = s }, func() error { sealer.Close(); return nil }, nil
}

// sensorDoor is where sensors send to. What they send goes on the bus as it is,
// and not through the sink.
type sensorDoor struct {
	listener net.Listener
	tokens   *sensor.Tokens
	server   *uplink.Server
}

// Run implements source.Source.
func (d *sensorDoor) Run(ctx context.Context, _ source.Sink, _ *source.Ledger) error {
	if err := d.server.Serve(ctx, d.listener); err != nil {
		return err
	}
	return ctx.Err()
}
