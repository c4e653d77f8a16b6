package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"xiezhi/internal/source"
	"xiezhi/internal/source/collector"
)

// collectorWay is --listen: sensors and gateways send over HTTP.
type collectorWay struct {
	tls     *tlsFlags
	tokens  *tokenFlags
	address string
}

func (*collectorWay) flag() string { return "listen" }

func (w *collectorWay) register(f *pflag.FlagSet) {
	f.StringVar(&w.address, "listen", "", "take HAR lines and APISIX's http-logger over HTTP at `HOST:PORT`; port 0 picks one")
}

func (w *collectorWay) open(a *app) ([]source.Source, error) {
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
	c, err := collector.New(collector.Config{Listener: l, Tokens: tokens, TLS: conf, Random: rand.Reader, Now: time.Now, Location: a.log.Location})
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	scheme := "http"
	if conf != nil {
		scheme = "https"
	}
	fmt.Fprintf(a.stderr, "listening on %s://%s\n", scheme, l.Addr())
	return []source.Source{&doorkeeper{c, a.stderr}}, nil
}

// doorkeeper tells at the end what happened at the door.
type doorkeeper struct {
	*collector.Source
	to io.Writer
}

// Run implements source.Source.
func (d *doorkeeper) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	err := d.Source.Run(ctx, sink, ledger)
	s := d.Stats()
	fmt.Fprintf(d.to, "collector: %d requests with %d exchanges, %d duplicates, %d lines rejected%s\n",
		s.Requests, s.Accepted, s.Duplicates, s.Rejected, refusals(s))
	return err
}

func refusals(s collector.Stats) string {
	var parts []string
	for status, n := range s.Refused {
		parts = append(parts, fmt.Sprintf("%d with %d", n, status))
	}
	slices.Sort(parts)
	text := ""
	if len(parts) > 0 {
		text = "; requests refused: " + strings.Join(parts, ", ")
	}
	if s.PushedOut > 0 {
		text += fmt.Sprintf("; %d connections closed to make room", s.PushedOut)
	}
	return text
}
