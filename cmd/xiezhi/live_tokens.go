package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/spf13/pflag"

	"xiezhi/internal/report"
	"xiezhi/internal/source/sensor"
)

// tokenFlags say who may deliver to this machine. Every listener that takes
// traffic from sensors shares them.
type tokenFlags struct {
	file string
	used bool
}

func (t *tokenFlags) register(f *pflag.FlagSet) {
	f.StringVar(&t.file, "tokens", "", "sensors that may deliver, one a line of `FILE`: NAME TOKEN|sha256:HEX [site=NAME] [rate=N]")
}

// unused refuses tokens that no listener asked for.
func (t *tokenFlags) unused() error {
	if t.file != "" && !t.used {
		return usagef("--tokens is for a listener that sensors deliver to; name one, as --listen 127.0.0.1:8400")
	}
	return nil
}

// listen opens the address of a flag for sensors. secure says whether they
// will speak TLS.
func (t *tokenFlags) listen(a *app, flag, address string, secure bool) (net.Listener, *sensor.Tokens, error) {
	t.used = true
	tokens, err := t.read(a)
	if err != nil {
		return nil, nil, err
	}
	l, err := sensor.Listen(context.Background(), address, tokens)
	if err != nil {
		return nil, nil, usagef("--%s %s: %w", flag, address, err)
	}
	if !secure && sensor.Exposed(l) {
		fmt.Fprintf(a.stderr, "warning: --%s %s: tokens and traffic cross the network in the clear; give --tls-cert and --tls-key\n", flag, report.Inert(address))
	}
	return l, tokens, nil
}

func (t *tokenFlags) read(a *app) (*sensor.Tokens, error) {
	if t.file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(t.file)
	if err != nil {
		return nil, usagef("--tokens: %w", err)
	}
	tokens, err := sensor.ParseTokens(t.file, data)
	if err != nil {
		return nil, usagef("--tokens: %w", err)
	}
	if st, err := os.Stat(t.file); err == nil && st.Mode().Perm()&0o077 != 0 && sensor.Plain(data) {
		fmt.Fprintf(a.stderr, "warning: %s holds tokens and others may read it; chmod 600 it, or keep sha256: hashes in it\n", report.Inert(t.file))
	}
	return tokens, nil
}
