package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/internal/api"
	"xiezhi/internal/decoy"
	"xiezhi/internal/intel/feed"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/lure"
)

func (a *app) decoy() *cobra.Command {
	var listen, out, consent, keyFile string
	c := &cobra.Command{
		Use:   "decoy --consent \"NAME, DAY\" --out FILE",
		Short: "Serve decoys: APIs that look worth attacking, and write down who touches them",
		Long: `Serves sensors that look like a login, a sender of codes, queries, an export, a
console, actuators, descriptions of APIs and configurations with credentials. All
that they say is made up. Who touches one is written to a file as an indicator,
one JSON line each, which analyze and serve read by intel.indicators with the role
decoy. Nothing is sent to anybody but the answer.`,
		Example: `  xiezhi decoy --listen 127.0.0.1:8700 --consent "Zhang San, 2026-11-01" --out touches.jsonl`,
		Args:    noArgs,
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		by, on, _ := strings.Cut(consent, ",")
		if strings.TrimSpace(by) == "" || strings.TrimSpace(on) == "" {
			return usagef("decoy: say who agreed to decoys and when, as --consent \"Zhang San, 2026-11-01\"")
		}
		if out == "" {
			return usagef("decoy: name a file for what is found with --out")
		}
		if keyFile == "" {
			var err error
			if keyFile, err = a.defaultKeyFile(); err != nil {
				return err
			}
		}
		key, err := loadKey(keyFile, rand.Reader)
		if err != nil {
			return err
		}
		f, err := os.OpenFile(out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		var mu sync.Mutex
		s, err := decoy.New(decoy.Config{Consent: lure.Consent{By: by, On: on}, Seed: key, Now: time.Now, Told: func(t decoy.Touch) {
			mu.Lock()
			defer mu.Unlock()
			if err := feed.Encode(f, feed.JSONL, t.Indicators(), feed.Out{Most: indicator.Red}); err != nil {
				fmt.Fprintln(a.stderr, "error: a touch could not be written:", err)
			}
		}})
		if err != nil {
			return usageError{err}
		}
		l, err := net.Listen("tcp", listen)
		if err != nil {
			return usagef("--listen %s: %w", listen, err)
		}
		fmt.Fprintf(a.stderr, "decoys at http://%s/, agreed to by %s on %s\n", l.Addr(), strings.TrimSpace(by), strings.TrimSpace(on))
		server := api.Server(s, nil)
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()
		select {
		case <-cmd.Context().Done():
			ending, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), closeTime)
			defer cancel()
			_ = server.Shutdown(ending)
			err = <-served
		case err = <-served:
		}
		touches, hushed, refused := s.Counts()
		fmt.Fprintf(a.stderr, "%d touches, %d of them within a minute of another, %d requests without room\n", touches, hushed, refused)
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	}
	fs := c.Flags()
	fs.StringVar(&listen, "listen", "127.0.0.1:8700", "serve decoys at `HOST:PORT`; port 0 picks one")
	fs.StringVar(&out, "out", "", "`FILE` that touches are added to, as JSON lines of indicators")
	fs.StringVar(&consent, "consent", "", "who agreed to decoys here, and when: `\"NAME, DAY\"`")
	fs.StringVar(&keyFile, "key", "", "`FILE` with the installation's key, of which made-up values are made")
	return c
}
