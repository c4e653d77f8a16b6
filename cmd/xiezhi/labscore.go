package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"xiezhi/internal/report"
	"xiezhi/lab/score"
	"xiezhi/lab/truth"
	"xiezhi/lab/victim"
)

// labScore compares a report with the truth of the lab.
func (a *app) labScore() *cobra.Command {
	var (
		truthFile, reportFile, attributedFile, labelsFile string
		asJSON                                            bool
		boards                                            boardFlags
		bars                                              struct {
			precision, recall, purity, completeness, defects float64
			figures                                          bool
		}
	)
	c := &cobra.Command{
		Use:   "score [--truth truth.json --report report.json]",
		Short: "Compare a report with the lab's truth, or play the scoreboard",
		Long: `With --truth and --report: prints whether the report's figures equal the truth, precision and recall of
every kind of attack, purity and completeness of campaigns (B-cubed), and which
of the seeded defects were found. With the truth of lab victims, precision and
recall of every kind of defect.

Without: plays matches of the arena, gangs of every kind and equipment against
several applications and their public, and prints how well attacks are told
from the public, by request, attack and campaign, how soon, with and without
client addresses, and beside two rivals in the same play. A match takes about
half a minute of one core.

Exit codes: 0 every bar is met, 1 one is not, 2 usage, 3 a file cannot be read.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if truthFile == "" && reportFile == "" && attributedFile == "" && labelsFile == "" {
				return a.scoreBoard(c.Context(), &boards)
			}
			for _, n := range boards.names() {
				if c.Flags().Changed(n) {
					return usagef("lab score: --%s is of the scoreboard, which takes no --truth and no --report", n)
				}
			}
			if truthFile == "" || reportFile == "" {
				return usagef("lab score: name the truth with --truth and the report with --report")
			}
			if (attributedFile == "") != (labelsFile == "") {
				return usagef("lab score: --attributed and --labels go together")
			}
			var t truth.Truth
			if err := readJSON(truthFile, &t); err != nil {
				return err
			}
			if t.Schema != truth.Schema && t.Schema != victim.Schema {
				return fmt.Errorf("%s: schema %q is neither %s nor %s", truthFile, t.Schema, truth.Schema, victim.Schema)
			}
			var r report.Report
			if err := readJSON(reportFile, &r); err != nil {
				return err
			}
			if r.Schema != report.SchemaID {
				return fmt.Errorf("%s: schema %q is not %s", reportFile, r.Schema, report.SchemaID)
			}
			if t.Schema == victim.Schema {
				return a.scoreVictims(truthFile, &r)
			}
			var labels *score.Labels
			var attributed *score.Attributed
			if labelsFile != "" {
				var err error
				if labels, err = readLines(labelsFile, score.ReadLabels); err != nil {
					return err
				}
				if attributed, err = readLines(attributedFile, score.ReadAttributed); err != nil {
					return err
				}
			}
			res := score.Compare(&t, &r, labels, attributed)
			if asJSON {
				enc := json.NewEncoder(a.stdout)
				enc.SetIndent("", "  ")
				if err := enc.Encode(res); err != nil {
					return err
				}
			} else if err := res.Print(a.stdout); err != nil {
				return err
			}
			below := res.Below(score.Bars{Figures: bars.figures, Precision: bars.precision, Recall: bars.recall, Purity: bars.purity, Completeness: bars.completeness, Defects: bars.defects})
			for _, b := range below {
				fmt.Fprintln(a.stderr, "below the bar:", b)
			}
			if len(below) > 0 {
				return exitError{exitFindings}
			}
			return nil
		},
	}
	boards.register(c)
	f := c.Flags()
	f.StringVar(&truthFile, "truth", "", "the truth (`FILE`)")
	f.StringVar(&reportFile, "report", "", "the report of analyze --json (`FILE`)")
	f.StringVar(&attributedFile, "attributed", "", "what analyze --attributed wrote (`FILE`)")
	f.StringVar(&labelsFile, "labels", "", "the lab's labels (`FILE`)")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	f.BoolVar(&bars.figures, "bar-figures", true, "the figures must be equal")
	f.Float64Var(&bars.precision, "bar-precision", 0.98, "least precision of every kind")
	f.Float64Var(&bars.recall, "bar-recall", 0.95, "least recall of every kind")
	f.Float64Var(&bars.purity, "bar-purity", 0.9, "least purity of campaigns")
	f.Float64Var(&bars.completeness, "bar-completeness", 0.9, "least completeness of campaigns")
	f.Float64Var(&bars.defects, "bar-defects", 0.9, "least share of seeded defects found")
	return c
}

// Bars of the services with switches.
const (
	victimPrecision = 0.95
	victimRecall    = 0.9
)

// scoreVictims compares a report with the truth of services with switches.
func (a *app) scoreVictims(truthFile string, r *report.Report) error {
	var t victim.Truth
	if err := readJSON(truthFile, &t); err != nil {
		return err
	}
	b := victim.NewBoard()
	b.AddTruth(&t, r)
	if err := b.Print(a.stdout); err != nil {
		return err
	}
	below := false
	for _, bar := range []struct {
		what     string
		got, bar float64
	}{{"precision", b.Precision(), victimPrecision}, {"recall", b.Recall(), victimRecall}} {
		if bar.got < bar.bar {
			below = true
			fmt.Fprintf(a.stderr, "below the bar: %s %.4f, bar %.4f\n", bar.what, bar.got, bar.bar)
		}
	}
	if below {
		return exitError{exitFindings}
	}
	return nil
}

func readJSON(name string, v any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// readLines reads a file of lines, compressed or not.
func readLines[T any](name string, read func(io.Reader) (T, error)) (out T, err error) {
	f, err := os.Open(name)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, 4)
	n, _ := io.ReadFull(f, head)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return out, err
	}
	var r io.Reader = f
	if n == 4 && string(head) == "\x28\xb5\x2f\xfd" {
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return out, fmt.Errorf("%s: %w", name, err)
		}
		defer z.Close()
		r = z
	}
	if out, err = read(r); err != nil {
		return out, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}
