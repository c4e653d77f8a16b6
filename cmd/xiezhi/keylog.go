package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"xiezhi/internal/source/keylog"
)

// keylogFlags name the secrets of TLS connections.
type keylogFlags struct {
	names []string
	log   *keylog.Log // once opened; nil for none
}

func (k *keylogFlags) register(f *pflag.FlagSet) {
	f.StringArrayVar(&k.names, "keylog", nil, "TLS key log `FILE`, as SSLKEYLOGFILE writes it: opens TLS in captures and live packets (repeatable)")
}

// open reads the key logs; nil when none is named. In a live run they are read
// on as they grow, and may not exist yet.
func (k *keylogFlags) open(a *app, live bool) (*keylog.Log, error) {
	if len(k.names) == 0 {
		return nil, nil
	}
	l, err := keylog.Open(k.names, keylog.Config{Live: live, Now: time.Now})
	if err != nil {
		return nil, usagef("--keylog %w", err)
	}
	for _, name := range l.Waiting() {
		fmt.Fprintf(a.stderr, "note: the key log %s does not exist yet; it is looked for as TLS connections come\n", name)
	}
	k.log = l
	return l, nil
}
