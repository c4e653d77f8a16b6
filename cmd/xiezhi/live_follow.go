package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"

	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/internal/source/tail"
)

// followWay is --follow: files are read as they grow.
type followWay struct {
	paths      []string
	checkpoint string
	source     *tail.Source
}

func (*followWay) flag() string { return "follow" }

func (w *followWay) register(f *pflag.FlagSet) {
	f.StringArrayVar(&w.paths, "follow", nil, "read an access log or file of HAR lines as it grows, through rotation: `FILE` or 'PATTERN' (repeatable)")
	f.StringVar(&w.checkpoint, "checkpoint", "", "remember in `FILE` how far --follow has read, and go on from there")
}

func (w *followWay) open(a *app) ([]source.Source, error) {
	if len(w.paths) == 0 {
		if w.checkpoint != "" {
			return nil, usagef("--checkpoint is for --follow; name a file to follow")
		}
		return nil, nil
	}
	for _, p := range w.paths {
		found, err := filepath.Glob(p)
		if err != nil {
			return nil, usagef("--follow %s: %w", p, err)
		}
		if len(found) == 0 {
			fmt.Fprintf(a.stderr, "waiting for %s\n", report.Inert(p))
		}
	}
	s, err := tail.New(tail.Config{Paths: w.paths, Log: a.log, Checkpoint: w.checkpoint})
	if err != nil {
		return nil, usagef("--follow: %w", err)
	}
	w.source = s
	return []source.Source{s}, nil
}

// finish remembers how far was read, now that its result is safe.
func (w *followWay) finish() error {
	if w.source == nil {
		return nil
	}
	return w.source.Save()
}
