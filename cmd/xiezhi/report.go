package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/rules"
)

// Caps of the report command; docs/en/LIMITS.md has rows for them.
const (
	maxRuns     = 1_000
	maxRunBytes = 1 << 30
)

func (a *app) report() *cobra.Command {
	var (
		documents                       documentFlags
		since, until, month, year, zone string
		all                             bool
	)
	c := &cobra.Command{
		Use:   "report RUN.json|DIR ...",
		Short: "Join the reports of several runs and write them as one",
		Long: `Reads what analyze --json wrote, one file or many, and gives one report: for
months of history, and to write an earlier run as HTML, XLSX or SARIF. Runs
that overlap in time on the same sites count once. Without an output file it
prints the summary. A folder is read for its .json files.

Exit codes: 0 no findings, 1 findings, 2 usage, 3 a file could not be read.`,
		Example: `  xiezhi report --html 2026.html runs/
  xiezhi report --month 2026-11 --xlsx november.xlsx runs/*.json
  xiezhi --lang zh report run.json`,
		Args: someArgs("report: name the files that analyze --json wrote, or their folder"),
	}
	c.RunE = func(_ *cobra.Command, args []string) error {
		first, last, err := days(since, until, month, year)
		if err != nil {
			return err
		}
		file, err := loadConfig("")
		if err != nil {
			return err
		}
		at, err := a.zone(zone, file)
		if err != nil {
			return err
		}
		msgs, err := message.Load(rules.FS, "messages")
		if err != nil {
			return err
		}
		names, err := runFiles(args)
		if err != nil {
			return err
		}
		outs := &outputs{stdout: a.stdout}
		defer outs.discard()
		docs, err := documents.open(outs)
		if err != nil {
			return err
		}
		runs, failed := a.readRuns(names, msgs)
		if len(runs) == 0 {
			return exitError{exitRuntime}
		}
		r, notes := report.Merge(runs, msgs)
		if first != "" || last != "" {
			r = report.Days(r, first, last, msgs)
			notes = append(notes, msgs.Text("merge.whole", nil))
		}
		for _, n := range notes {
			fmt.Fprintf(a.stderr, "%s: %s\n", msgs.Text("cli.note", nil).In(a.lang), n.In(a.lang))
		}
		if zone == "" {
			at = r.Zone(at)
		}
		if err := docs.write(r, a.lang, at, msgs); err != nil {
			return err
		}
		if !documents.any() {
			if err := a.summary(msgs, r, at, all); err != nil {
				return err
			}
		}
		if err := outs.commit(); err != nil {
			return err
		}
		switch {
		case failed:
			return exitError{exitRuntime}
		case len(r.Defects)+len(r.Attacks) > 0:
			return exitError{exitFindings}
		}
		return nil
	}
	f := c.Flags()
	documents.register(f)
	f.StringVar(&since, "since", "", "from this day on (2006-01-02), in each site's zone")
	f.StringVar(&until, "until", "", "until this day, included")
	f.StringVar(&month, "month", "", "one month: 2006-01")
	f.StringVar(&year, "year", "", "one year: 2006")
	f.StringVar(&zone, "tz", "", "time zone of times in the documents (default that of most sites, else Asia/Shanghai for zh, UTC for en)")
	f.BoolVar(&all, "all", false, "print every API, defect and attack")
	return c
}

// days turns the flags into a first and a last day.
func days(since, until, month, year string) (first, last string, err error) {
	if n := len(slices.DeleteFunc([]string{since + until, month, year}, func(s string) bool { return s == "" })); n > 1 {
		return "", "", usagef("give --since and --until, or --month, or --year")
	}
	check := func(flag, s string) error {
		if _, err := time.Parse(time.DateOnly, s); s != "" && err != nil {
			return usagef("--%s %q: write a day as 2006-01-02", flag, s)
		}
		return nil
	}
	switch {
	case month != "":
		t, err := time.Parse("2006-01", month)
		if err != nil {
			return "", "", usagef("--month %q: write a month as 2006-01", month)
		}
		return t.Format(time.DateOnly), t.AddDate(0, 1, -1).Format(time.DateOnly), nil
	case year != "":
		t, err := time.Parse("2006", year)
		if err != nil {
			return "", "", usagef("--year %q: write a year as 2006", year)
		}
		return t.Format(time.DateOnly), t.AddDate(1, 0, -1).Format(time.DateOnly), nil
	}
	if err := errors.Join(check("since", since), check("until", until)); err != nil {
		return "", "", usageError{err}
	}
	if since != "" && until != "" && until < since {
		return "", "", usagef("--until %s lies before --since %s", until, since)
	}
	return since, until, nil
}

// runFiles lists the files, folders by their .json files.
func runFiles(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		st, err := os.Stat(arg)
		if err != nil || !st.IsDir() {
			out = append(out, arg) // a file that is not there is told with the others
			continue
		}
		list, err := filepath.Glob(filepath.Join(escapeGlob(arg), "*.json"))
		if err != nil {
			return nil, usagef("%s: %w", arg, err)
		}
		if len(list) == 0 {
			return nil, usagef("%s holds no .json file", arg)
		}
		out = append(out, list...)
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > maxRuns {
		return nil, usagef("%d files; at most %d can be joined at once", len(out), maxRuns)
	}
	return out, nil
}

var escapeGlob = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace

// readRuns reads the reports; one that cannot be read is told and left out.
func (a *app) readRuns(names []string, msgs *message.Catalog) (runs []*report.Report, failed bool) {
	total := int64(0)
	for _, name := range names {
		r, n, err := readRun(name)
		if total += n; err == nil && total > maxRunBytes {
			err = fmt.Errorf("the files together exceed %d MiB: join some of them with --json first", maxRunBytes>>20)
		}
		if err != nil {
			fmt.Fprintf(a.stderr, "%s: %s: %s\n", msgs.Text("cli.error", nil).In(a.lang), report.Inert(name), err)
			failed = true
			continue
		}
		runs = append(runs, r)
	}
	return runs, failed
}

func readRun(name string) (*report.Report, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err // the name is said already
		}
		return nil, 0, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	r, err := report.Read(f)
	return r, st.Size(), err
}
