package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/lab"
)

// labCommand generates synthetic traffic with its truth.
func (a *app) labCommand() *cobra.Command {
	var (
		cfg        lab.Config
		start, out string
	)
	c := &cobra.Command{
		Use:   "lab --out DIR",
		Short: "Generate months of synthetic traffic, honest and hostile, with its truth",
		Long: `Plays ten applications, an honest public and gangs of attackers, and writes
what a sensor in front of the applications would have recorded:

  DIR/traffic/2022-01.harl.zst …  one file a month, HAR lines in order of time
  DIR/config.yaml                 the sites, for analyze --config
  DIR/truth.json                  figures, attacks, gangs, defects that are there
  DIR/labels.jsonl.zst            one line per exchange: honest, or which attack

The same seed gives the same bytes. Persons, numbers and addresses are made up
and belong to nobody.`,
		Example: `  xiezhi lab --out year
  xiezhi analyze --config year/config.yaml year/traffic`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("lab: name the folder to write to with --out")
			}
			var err error
			if cfg.Start, err = time.ParseInLocation("2006-01", start, lab.Zone()); err != nil {
				return usagef("--start %q is no month; write it as 2022-01", start)
			}
			if cfg.Months < 1 {
				return usagef("--months %d: use 1 to %d", cfg.Months, lab.MaxMonths)
			}
			if err := cfg.Check(); err != nil {
				return usagef("--%w", err)
			}
			t, err := lab.Write(cmd.Context(), cfg, out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s: %d months, %d exchanges, %d of them in %d attacks by %d gangs, %d defects on %d sites\n",
				out, t.Months, t.Exchanges, t.Exchanges-t.Honest, len(t.Attacks), len(t.Campaigns), len(t.Defects), len(t.Sites))
			return err
		},
	}
	f := c.Flags()
	c.AddCommand(a.labMatch(), a.labScore(), a.labVictims())
	f.StringVar(&out, "out", "", "folder to write to (`DIR`)")
	f.IntVar(&cfg.Months, "months", 12, "how many months")
	f.StringVar(&start, "start", "2022-01", "first month")
	f.Uint64Var(&cfg.Seed, "seed", 1, "what everything depends on")
	f.StringVar(&cfg.Scale, "scale", "small", "how much traffic: small, medium, large")
	return c
}
