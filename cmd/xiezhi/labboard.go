package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"xiezhi/lab/arena"
	"xiezhi/lab/score/board"
)

// boardFlags are the flags of lab score that make the scoreboard.
type boardFlags struct {
	seeds, workers                 int
	only                           []uint
	keep, markdown, misses, output string
}

// names are the flags that a comparison of one report does not take.
func (f *boardFlags) names() []string {
	return []string{"seeds", "seed", "workers", "keep", "markdown", "misses", "output"}
}

func (f *boardFlags) register(c *cobra.Command) {
	c.Flags().IntVar(&f.seeds, "seeds", 30, "scoreboard: how many matches of six campaigns")
	c.Flags().UintSliceVar(&f.only, "seed", nil, "scoreboard: these matches only (`N,…`)")
	c.Flags().IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "scoreboard: matches at a time")
	c.Flags().StringVar(&f.keep, "keep", "", "scoreboard: folder of what was played, to go on from (`DIR`)")
	c.Flags().StringVar(&f.markdown, "markdown", "", "scoreboard: write scoreboard.md and scoreboard.zh.md (`DIR`)")
	c.Flags().StringVar(&f.misses, "misses", "", "scoreboard: write what was missed and why (`FILE`)")
	outputFlag(c, &f.output)
}

// maxSeeds bounds a board.
const maxSeeds = 10_000

// scoreBoard plays the arena and prints how well the product and its rivals
// tell attacks from the public.
func (a *app) scoreBoard(ctx context.Context, f *boardFlags) error {
	switch {
	case f.seeds < 1 || f.seeds > maxSeeds:
		return usagef("--seeds %d: use 1 to %d", f.seeds, maxSeeds)
	case f.workers < 1:
		return usagef("--workers %d: use 1 or more", f.workers)
	case f.output != "text" && f.output != "json":
		return usagef("--output %q: use text or json", f.output)
	}
	tools, err := loadTools([32]byte{})
	if err != nil {
		return err
	}
	matches := arena.Matches(arena.Seeds(f.seeds))
	if len(f.only) > 0 {
		all := matches
		matches = nil
		for _, n := range f.only {
			if n < 1 || n > uint(len(all)) {
				return usagef("--seed %d is not between 1 and --seeds, %d", n, len(all))
			}
			matches = append(matches, all[n-1])
		}
	}
	games, err := board.Games(matches, arena.Play)
	if err != nil {
		return err
	}
	stamp := ""
	if f.keep != "" {
		if stamp, err = program(); err != nil {
			return err
		}
	}
	bar := a.bar(false, int64(len(games)))
	season := board.Season{Games: games, World: board.World{Tools: tools, Random: rand.Reader, Temp: tempFile}, Workers: f.workers, Keep: f.keep, Stamp: stamp,
		Meter: func(done, kept int) {
			bar.steps(int64(done), fmt.Sprintf("%d of %d matches, %d kept", done, len(games), kept))
		}}
	bar.steps(0, fmt.Sprintf("0 of %d matches", len(games)))
	records, err := season.Play(ctx)
	bar.clear()
	if err != nil {
		return err
	}
	b := board.Make(records)
	if f.markdown != "" {
		for _, x := range [...]struct{ lang, name string }{{"en", "scoreboard.md"}, {"zh", "scoreboard.zh.md"}} {
			if err := writeWhole(filepath.Join(f.markdown, x.name), func(w io.Writer) error { return b.Markdown(w, tools.Messages, x.lang) }); err != nil {
				return err
			}
		}
	}
	if f.misses != "" {
		if err := writeWhole(f.misses, func(w io.Writer) error { return board.Misses(w, records) }); err != nil {
			return err
		}
	}
	if f.output == "json" {
		err = a.printJSON(b)
	} else {
		err = b.Print(a.stdout, tools.Messages, a.lang)
	}
	if err != nil {
		return err
	}
	for _, x := range b.Bars {
		if !x.Met {
			return exitError{exitFindings}
		}
	}
	return nil
}

// writeWhole writes a file at once: a failure leaves no half of it.
func writeWhole(name string, write func(io.Writer) error) error {
	var out bytes.Buffer
	if err := write(&out); err != nil {
		return err
	}
	return os.WriteFile(name, out.Bytes(), 0o644)
}

// program is the digest of the running program: what was played by another
// one is played again.
func program() (string, error) {
	name, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
