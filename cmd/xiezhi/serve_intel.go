package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"xiezhi/internal/engine"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/redact"
)

// intelligence makes what knows of askers. A service that is put together by
// others without files of states has none.
func (s *standing) intelligence(ctx context.Context, cfg engine.ServiceConfig, key [32]byte) error {
	in := &cfg.File.Intel
	guard, err := outbound.New(outbound.Config{Allow: in.Allow})
	if err != nil {
		return usageError{err}
	}
	trusted, err := engine.ParsePrefixes(cfg.File.TrustedProxies)
	if err != nil {
		return err
	}
	l, err := library.New(library.Config{
		Feeds: in.Feeds, Share: in.Share, Fixed: cfg.File.IndicatorSet(), Egress: append(own(), trusted...), Networks: cfg.Networks(), Hash: hashOf(key), Guard: guard, Keep: cfg.States,
		Open: func(name string) (io.ReadCloser, error) { return os.Open(name) },
		Now:  cfg.Now, Seen: s.service.Now, Publish: s.service.Inform, Log: cfg.Log,
	})
	if err != nil {
		return fmt.Errorf("intel: %w", err)
	}
	s.known, err = engine.NewKnowledge(ctx, l, cfg.Records, cfg.Log)
	return err
}

// hashOf gives what phones and accounts are known by, of this installation.
func hashOf(key [32]byte) indicator.Hash {
	return func(t indicator.Type, plain string) string {
		r := redact.New(key)
		return "hmac:" + r.External("intelligence "+t.String(), r.TokenString(plain))
	}
}
