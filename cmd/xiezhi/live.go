package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"xiezhi/internal/engine"
	"xiezhi/internal/source"
)

// liveWay is one way of taking traffic as it happens: its flags, and the
// sources that they ask for. Listeners and interfaces are opened here, so that
// a wrong address or a missing privilege is told before anything is read.
type liveWay interface {
	flag() string // the flag that asks for it
	register(f *pflag.FlagSet)
	open(a *app) ([]source.Source, error)
}

// liveFinish is a way that has something to do once the result is safe.
type liveFinish interface{ finish() error }

// sealer is a liveWay that gives something up once every way is open:
// privileges.
type sealer interface {
	seal(a *app, outs *outputs) error
}

// liveFlags are the flags of every live way.
type liveFlags struct {
	ways   []liveWay
	tls    *tlsFlags
	tokens *tokenFlags
	keys   *keylogFlags
	proxy  *proxyWay
	span   time.Duration
	outs   *outputs // files that must stay within reach when privileges are given up
}

func newLiveFlags() *liveFlags {
	t, tokens, k := &tlsFlags{}, &tokenFlags{}, &keylogFlags{}
	p := &proxyWay{tls: t}
	return &liveFlags{tls: t, tokens: tokens, keys: k, proxy: p, ways: []liveWay{
		&livePackets{keys: k},
		p,
		&collectorWay{tls: t, tokens: tokens},
		&followWay{},
		&envoyWay{tls: t, tokens: tokens},
	}}
}

func (l *liveFlags) register(f *pflag.FlagSet) {
	for _, w := range l.ways {
		w.register(f)
	}
	l.tls.register(f)
	l.tokens.register(f)
	l.keys.register(f)
	f.DurationVar(&l.span, "for", 0, "end a live run after this time, as 10m (default: until interrupted)")
}

// asked reports whether a live way was asked for, so that no file need be named.
func (l *liveFlags) asked(f *pflag.FlagSet) bool {
	for _, w := range l.ways {
		if f.Changed(w.flag()) {
			return true
		}
	}
	return false
}

// open gives the live sources that the flags ask for; with none of them set,
// there are none. The first interrupt ends a live run as --for does, and its
// report is made; the second one ends the program.
func (l *liveFlags) open(ctx context.Context, a *app) (live engine.Live, analysis context.Context, err error) {
	if live.Sources, err = l.sources(a); err != nil {
		return live, nil, err
	}
	if len(live.Sources) == 0 {
		if l.span != 0 {
			return live, nil, usagef("--for is for live sources; name one")
		}
		return live, ctx, nil
	}
	until, cancel := ctx, context.CancelFunc(func() {})
	if l.span > 0 {
		until, cancel = context.WithTimeout(ctx, l.span)
	}
	live.Until = until
	context.AfterFunc(until, func() {
		cancel()
		a.restoreSignals()
	})
	fmt.Fprintln(a.stderr, "reading live traffic; interrupt (Ctrl-C) to end and see the result")
	return live, context.WithoutCancel(ctx), nil
}

// sources opens what the flags ask for, and gives up what opening needed.
func (l *liveFlags) sources(a *app) (list []source.Source, err error) {
	for _, w := range l.ways {
		s, err := w.open(a)
		if err != nil {
			return nil, err
		}
		list = append(list, s...)
	}
	if err := l.tokens.unused(); err != nil {
		return nil, err
	}
	for _, w := range l.ways {
		if s, ok := w.(sealer); ok {
			if err := s.seal(a, l.outs); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// finish is called when the result is where it should be.
func (l *liveFlags) finish() error {
	for _, w := range l.ways {
		if f, ok := w.(liveFinish); ok {
			if err := f.finish(); err != nil {
				return err
			}
		}
	}
	return nil
}
