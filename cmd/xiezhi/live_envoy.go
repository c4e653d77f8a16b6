package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/pflag"

	"xiezhi/internal/source"
	"xiezhi/internal/source/envoy"
)

// envoyWay is --envoy: Envoy shows exchanges by its external processing filter
// or its access log service.
type envoyWay struct {
	tls     *tlsFlags
	tokens  *tokenFlags
	address string
}

func (*envoyWay) flag() string { return "envoy" }

func (w *envoyWay) register(f *pflag.FlagSet) {
	f.StringVar(&w.address, w.flag(), "", "serve Envoy's ext_proc filter and access log service (gRPC) at `HOST:PORT`; port 0 picks one")
}

func (w *envoyWay) open(a *app) ([]source.Source, error) {
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
	scheme := "h2c"
	if conf != nil {
		scheme = "https"
	}
	fmt.Fprintf(a.stderr, "envoy: %s://%s\n", scheme, l.Addr())
	s := envoy.New(envoy.Config{Listener: l, TLS: conf, Tokens: tokens, Log: slog.New(slog.NewTextHandler(a.stderr, nil))})
	return []source.Source{&envoyTeller{s, a.stderr}}, nil
}

// envoyTeller tells at the end what happened.
type envoyTeller struct {
	*envoy.Source
	to io.Writer
}

// Run implements source.Source.
func (e *envoyTeller) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	err := e.Source.Run(ctx, sink, ledger)
	s := e.Stats()
	fmt.Fprintf(e.to, "envoy: %d streams of ext_proc, %d access log entries; %d exchanges left out, %d with bodies cut; %d streams broken, %d calls without a known token\n",
		s.Streams, s.Logs, s.Overload, s.Cut, s.Broken, s.Refused)
	return err
}
