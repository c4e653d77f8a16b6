package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/rules"
)

// Caps of the report command; docs/en/LIMITS.md has rows for them.
const (
	maxRuns     = 1_000
	maxRunBytes = 1 << 30
)

func (a *app) report() *cobra.Command {
	var (
		documents  documentFlags
		span       spanFlags
		data, zone string
		all        bool
	)
	c := &cobra.Command{
		Use:   "report [RUN.json|DIR ...]",
		Short: "Write the report of a service, or of several runs, about a month or any other time",
		Long: `Writes the report of what a service keeps in its data folder, which may go on
running, or of what analyze --json wrote, one file or many: runs that overlap in
time on the same sites count once, and a folder is read for its .json files. The
report of a month, quarter, year or of days tells the time and its course: the
months up to it, the figures beside those of the time before, what was mended.
Without an output file it prints the summary. Where a folder is named for an
output file, the file in it is called after the time and the language.

Exit codes: 0 no findings, 1 findings, 2 usage, 3 a file could not be read.`,
		Example: `  xiezhi report --month 2026-11 --pdf november.pdf
  xiezhi report --data /var/lib/xiezhi --quarter 2026-Q4 --html . --xlsx .
  xiezhi report --html 2026.html runs/
  xiezhi --lang zh report --month 2026-11 --outline gbt --html 11.html runs/*.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, err := span.span()
			if err != nil {
				return err
			}
			if data != "" && len(args) > 0 {
				return usagef("report: give --data or files of analyze --json, not both")
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
			outs := &outputs{stdout: a.stdout}
			defer outs.discard()
			docs, err := documents.open(outs, about.Name(), a.lang)
			if err != nil {
				return err
			}
			r, notes, failed, err := a.reported(cmd.Context(), data, args, msgs)
			if err != nil {
				return err
			}
			if !about.All() {
				notes = append(notes, msgs.Text("merge.whole", nil))
			}
			for _, n := range notes {
				fmt.Fprintf(a.stderr, "%s: %s\n", msgs.Text("cli.note", nil).In(a.lang), n.In(a.lang))
			}
			r = report.Cut(r, about, msgs)
			if zone == "" {
				at = r.Zone(at)
			}
			if err := docs.write(cmd.Context(), r, a.lang, at, msgs); err != nil {
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
		},
	}
	f := c.Flags()
	documents.register(f)
	span.register(f)
	f.StringVar(&data, "data", "", "data `FOLDER` of xiezhi serve (default without files: xiezhi/data in the state folder)")
	f.StringVar(&zone, "tz", "", "time zone of times in the documents (default that of most sites, else Asia/Shanghai for zh, UTC for en)")
	f.BoolVar(&all, "all", false, "print every API, defect and attack")
	return c
}

// spanFlags say which stretch of time a report is about.
type spanFlags struct{ since, until, month, quarter, year string }

func (s *spanFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.month, "month", "", "one month: 2006-01")
	f.StringVar(&s.quarter, "quarter", "", "one quarter: 2006-Q1")
	f.StringVar(&s.year, "year", "", "one year: 2006")
	for _, name := range []string{"from", "since"} {
		f.StringVar(&s.since, name, "", "from this day on (2006-01-02), in each site's zone")
	}
	for _, name := range []string{"to", "until"} {
		f.StringVar(&s.until, name, "", "until this day, included")
	}
}

func (s *spanFlags) span() (report.Span, error) {
	if n := len(slices.DeleteFunc([]string{s.since + s.until, s.month, s.quarter, s.year}, func(s string) bool { return s == "" })); n > 1 {
		return report.Span{}, usagef("give --from and --to, or --month, or --quarter, or --year")
	}
	for _, f := range []struct{ flag, value, kind, layout string }{
		{"month", s.month, report.SpanMonth, "a month as 2006-01"}, {"quarter", s.quarter, report.SpanQuarter, "a quarter as 2006-Q1"}, {"year", s.year, report.SpanYear, "a year as 2006"},
	} {
		if f.value == "" {
			continue
		}
		span, err := report.ParseSpan(f.value)
		if err != nil || span.Kind != f.kind {
			return report.Span{}, usagef("--%s %q: write %s", f.flag, f.value, f.layout)
		}
		return span, nil
	}
	for _, f := range []struct{ flag, value string }{{"from", s.since}, {"to", s.until}} {
		if _, err := time.Parse(time.DateOnly, f.value); f.value != "" && err != nil {
			return report.Span{}, usagef("--%s %q: write a day as 2006-01-02", f.flag, f.value)
		}
	}
	if s.since != "" && s.until != "" && s.until < s.since {
		return report.Span{}, usagef("--to %s lies before --from %s", s.until, s.since)
	}
	return report.Between(s.since, s.until), nil
}

// reported reads what the report is of: files, or what a service keeps.
func (a *app) reported(ctx context.Context, data string, args []string, msgs *message.Catalog) (r *report.Report, notes []message.Text, failed bool, err error) {
	if len(args) > 0 {
		names, err := runFiles(args)
		if err != nil {
			return nil, nil, false, err
		}
		runs, failed := a.readRuns(names, msgs)
		if len(runs) == 0 {
			return nil, nil, true, exitError{exitRuntime}
		}
		r, notes := report.Merge(runs, msgs)
		return r, notes, failed, nil
	}
	named := data != ""
	if data, err = a.dataFolder(data); err != nil {
		return nil, nil, false, err
	}
	view, err := sqlite.Beside(ctx, data)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil, nil, false, usagef("report: name the files that analyze --json wrote, or their folder, or the data folder of a service with --data")
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, false, usagef("report: %s is no data folder of a service", data)
	case err != nil:
		return nil, nil, false, err
	}
	defer view.Close()
	r, cut, bad, err := kept.Report(ctx, view, version, rules.Version)
	if err != nil {
		return nil, nil, false, err
	}
	for _, k := range cut {
		r.Input.Limits = append(r.Input.Limits, report.LimitCount{What: "report." + string(k), Count: 1})
	}
	if bad > 0 {
		notes = append(notes, msgs.Text("merge.unreadable", message.Args{"n": bad}))
	}
	return r, notes, false, nil
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
