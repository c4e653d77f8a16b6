package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"xiezhi/lab/arena"
)

// boardSeeds is how many matches of the board can be named.
const boardSeeds = 999

// labMatch writes one match of the scoreboard.
func (a *app) labMatch() *cobra.Command {
	var (
		out, name string
		seed      uint64
	)
	c := &cobra.Command{
		Use:   "match --out DIR --name MATCH",
		Short: "Play one match of the scoreboard of attacks, with its truth",
		Long: `Plays a few applications with an honest public, several campaigns of attack at
once, each with knobs of its own, and honest events that look like attacks, and
writes the files that lab writes. MATCH is board-001 … board-999, or one of the
source report's cases: ` + strings.Join(arena.CaseNames, ", ") + `.

Client addresses are of public blocks of clouds and carriers, as numbers in the
files only; persons and accounts are made up.`,
		Example: `  xiezhi lab match --name case-parking --out parking
  xiezhi analyze --config parking/config.yaml parking/traffic`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("lab match: name the folder to write to with --out")
			}
			m, err := arena.Find(name, seed, boardSeeds)
			if err != nil {
				return usagef("lab match --name: %w", err)
			}
			t, err := arena.Write(cmd.Context(), m, out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s: %d exchanges on %d sites, %d attacks by %d gangs, %d honest events\n", out, t.Exchanges, len(t.Sites), len(t.Attacks), len(t.Campaigns), len(t.Events))
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&out, "out", "", "folder to write to (`DIR`)")
	f.StringVar(&name, "name", "", "which match")
	f.Uint64Var(&seed, "seed", 1, "what a case depends on; a match of the board has its own")
	return c
}
