package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"xiezhi/internal/engine"
	"xiezhi/internal/intel"
	"xiezhi/internal/intel/feed"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/rules"
)

// intelFlags are those of the commands that read intelligence.
type intelFlags struct {
	configFile, output, role, format, to, tlp, who string
	reliability                                    float64
	at                                             string
	least                                          int
}

func (a *app) intel() *cobra.Command {
	c := &cobra.Command{Use: "intel", Short: "Work with intelligence: list, search, sources, export, derive from reports, fetch feeds", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("intel: name what to do, as in intel search 198.51.100.7 feed.txt")
		}}
	c.AddCommand(a.intelList(), a.intelSearch(), a.intelSources(), a.intelExport(), a.intelDerive(), a.intelFetch())
	return c
}

func (f *intelFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.configFile, "config", "", "configuration `FILE`, whose intel.indicators are read")
	fs.StringVar(&f.role, "role", "feed", "how the files named are to be taken: feed, own, decoy, analyst, peer, negative")
	fs.Float64Var(&f.reliability, "reliability", 0.5, "how far the files named are to be believed, 0 to 1")
	fs.StringVar(&f.format, "format", "", "format of the files named: plain, csv, jsonl, misp, stix or crowdsec (default: by content)")
	fs.StringVar(&f.at, "at", "", "as of this `TIME`, as 2006-01-02T15:04:05Z (default: now)")
}

// load reads what the flags and arguments name.
func (f *intelFlags) load(files []string) (*indicator.Set, int64, error) {
	at := time.Now()
	if f.at != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, f.at); err != nil {
			return nil, 0, usagef("--at %q: write a time as 2006-01-02T15:04:05Z", f.at)
		}
	}
	var list []engine.IndicatorFile
	if f.configFile != "" {
		cfg, err := loadConfig(f.configFile)
		if err != nil {
			return nil, 0, err
		}
		for _, x := range cfg.Intel.Indicators {
			x.File = besideFile(f.configFile, x.File)
			list = append(list, x)
		}
	}
	for _, name := range files {
		list = append(list, engine.IndicatorFile{File: name, Role: f.role, Format: f.format, Reliability: &f.reliability})
	}
	if len(list) == 0 {
		return nil, 0, usagef("intel: name files of intelligence, or a configuration with --config")
	}
	if err := (&engine.IntelConfig{Indicators: list}).Check(); err != nil {
		return nil, 0, usageError{err}
	}
	set, err := engine.LoadIndicators(list, func(name string) (io.ReadCloser, error) { return os.Open(name) }, at.UnixNano())
	if err != nil {
		return nil, 0, usageError{err}
	}
	return set, at.UnixNano(), nil
}

// known is an indicator as it is listed.
type known struct {
	Type    string   `json:"type"`
	Value   string   `json:"value"`
	Score   int      `json:"score"`
	Block   bool     `json:"blockable"`
	Tags    []string `json:"tags"`
	Sources []string `json:"sources"`
	Not     string   `json:"never_block,omitempty"`
	Last    string   `json:"last,omitempty"`
}

func knownOf(t indicator.Type, value string, x *indicator.Assessment) known {
	k := known{Type: t.String(), Value: value, Score: x.Score, Block: x.Blockable(), Tags: x.Tags.Names(), Sources: []string{}, Not: x.Negative}
	if k.Tags == nil {
		k.Tags = []string{}
	}
	last := int64(0)
	for _, s := range x.Says {
		if !slices.Contains(k.Sources, s.Source) {
			k.Sources = append(k.Sources, s.Source)
		}
		last = max(last, s.Row.Last)
	}
	if last > 0 {
		k.Last = time.Unix(0, last).UTC().Format(time.RFC3339)
	}
	return k
}

func (a *app) printKnown(list []known, output string) error {
	if output == "json" {
		return a.printJSON(list)
	}
	messages, err := message.Load(rules.FS, "messages")
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SCORE\tTYPE\tVALUE\tTAGS\tSOURCES\tLAST")
	for _, k := range list {
		tags := make([]string, 0, len(k.Tags))
		for _, t := range k.Tags {
			tags = append(tags, a.tag(messages, t))
		}
		if k.Not != "" {
			tags = append(tags, "!"+k.Not)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", k.Score, k.Type, report.Inert(k.Value), report.Inert(strings.Join(tags, " ")), report.Inert(strings.Join(k.Sources, " ")), k.Last)
	}
	return w.Flush()
}

// tag is the market's word for a tag.
func (a *app) tag(messages *message.Catalog, name string) string {
	return messages.Text("intel_tag."+name, nil).In(a.lang)
}

func intelOutput(c *cobra.Command, into *string) {
	c.Flags().StringVarP(into, "output", "o", "text", "form of what is printed: text or json")
}

func checkOutput(s string) error {
	if s != "text" && s != "json" {
		return usagef("--output %q: use text or json", s)
	}
	return nil
}

func (a *app) intelList() *cobra.Command {
	var f intelFlags
	c := &cobra.Command{Use: "list [--config FILE] [FILE ...]", Short: "List indicators with their score, the highest first", Example: "  xiezhi intel list --config xiezhi.yaml\n  xiezhi intel list -o json drop.txt"}
	c.RunE = func(_ *cobra.Command, args []string) error {
		if err := checkOutput(f.output); err != nil {
			return err
		}
		set, at, err := f.load(args)
		if err != nil {
			return err
		}
		list, seen := []known{}, map[indicator.Key]bool{}
		for _, s := range set.Sources() {
			for _, x := range set.Of(s.Name) {
				k := indicator.Key{Type: x.Type, Value: x.Value}
				if seen[k] || s.Role == indicator.Negative {
					continue
				}
				seen[k] = true
				var y indicator.Assessment
				if ip, err := netip.ParseAddr(x.Value); err == nil && x.Type == indicator.Address {
					y = set.Address(ip, 0, at)
				} else {
					y = set.Value(x.Type, x.Value, at)
				}
				if y.Score >= f.least {
					list = append(list, knownOf(x.Type, x.Value, &y))
				}
			}
		}
		slices.SortStableFunc(list, func(x, y known) int { return y.Score - x.Score })
		return a.printKnown(list, f.output)
	}
	f.register(c)
	intelOutput(c, &f.output)
	c.Flags().IntVar(&f.least, "least", 0, "only those with at least this score")
	return c
}

func (a *app) intelSearch() *cobra.Command {
	var f intelFlags
	c := &cobra.Command{Use: "search VALUE [--config FILE] [FILE ...]", Short: "Say what is known of an address, network, system, client, tool, domain or URL",
		Example: "  xiezhi intel search 198.51.100.7 --config xiezhi.yaml", Args: someArgs("intel search: name a value and where to look")}
	c.RunE = func(_ *cobra.Command, args []string) error {
		if err := checkOutput(f.output); err != nil {
			return err
		}
		set, at, err := f.load(args[1:])
		if err != nil {
			return err
		}
		list := []known{}
		if ip, err := netip.ParseAddr(args[0]); err == nil {
			x := set.Address(ip, intel.Default().Lookup(ip).ASN, at)
			list = append(list, knownOf(indicator.Address, ip.Unmap().String(), &x))
		} else {
			for _, name := range indicator.Types() {
				t, _ := indicator.ParseType(name)
				v, err := indicator.Canonical(t, args[0], nil)
				if err != nil || t == indicator.Address {
					continue
				}
				if x := set.Value(t, v, at); len(x.Says) > 0 || x.Negative != "" {
					list = append(list, knownOf(t, v, &x))
				}
			}
		}
		if err := a.printKnown(list, f.output); err != nil {
			return err
		}
		for _, k := range list {
			if k.Score > 0 {
				return exitError{exitFindings}
			}
		}
		return nil
	}
	f.register(c)
	intelOutput(c, &f.output)
	return c
}

func (a *app) intelSources() *cobra.Command {
	var f intelFlags
	c := &cobra.Command{Use: "sources [--config FILE] [FILE ...]", Short: "List sources: what was taken, what was refused and why, how far they are believed", Example: "  xiezhi intel sources --config xiezhi.yaml"}
	c.RunE = func(_ *cobra.Command, args []string) error {
		if err := checkOutput(f.output); err != nil {
			return err
		}
		set, at, err := f.load(args)
		if err != nil {
			return err
		}
		type source struct {
			Name    string                      `json:"name"`
			Role    string                      `json:"role"`
			Weight  float64                     `json:"weight"`
			Rows    int                         `json:"rows"`
			Refused map[indicator.Reason]uint64 `json:"refused"`
			Stale   bool                        `json:"stale"`
			Licence string                      `json:"licence,omitempty"`
		}
		list := []source{}
		for _, s := range set.Sources() {
			list = append(list, source{s.Name, s.Role.String(), s.Weight(), len(set.Of(s.Name)), s.Refused, s.Stale(at), s.Licence})
		}
		if f.output == "json" {
			return a.printJSON(list)
		}
		w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "SOURCE\tROLE\tWEIGHT\tROWS\tREFUSED\tLICENCE")
		for _, s := range list {
			var no []string
			for r, n := range s.Refused {
				no = append(no, string(r)+"="+strconv.FormatUint(n, 10))
			}
			slices.Sort(no)
			fmt.Fprintf(w, "%s\t%s\t%.2f\t%d\t%s\t%s\n", report.Inert(s.Name), s.Role, s.Weight, s.Rows, strings.Join(no, " "), report.Inert(s.Licence))
		}
		return w.Flush()
	}
	f.register(c)
	intelOutput(c, &f.output)
	return c
}

func (a *app) intelExport() *cobra.Command {
	var f intelFlags
	c := &cobra.Command{Use: "export --to FORMAT [--config FILE] [FILE ...]", Short: "Write indicators for others: STIX, MISP, CSV, JSON lines, lists of firewalls",
		Example: "  xiezhi intel export --to stix --tlp green gang.jsonl > gang.json\n  xiezhi intel export --to edl --least 70 --config xiezhi.yaml > block.txt"}
	c.RunE = func(_ *cobra.Command, args []string) error {
		level, ok := indicator.ParseTLP(f.tlp)
		if !ok {
			return usagef("--tlp %q: use clear, green, amber or red", f.tlp)
		}
		if !slices.Contains(feed.Outs(), feed.Format(f.to)) {
			return usagef("--to %q: use one of %v", f.to, feed.Outs())
		}
		set, at, err := f.load(args)
		if err != nil {
			return err
		}
		var rows []indicator.Indicator
		for _, s := range set.Sources() {
			if s.Role == indicator.Negative {
				continue
			}
			for _, x := range set.Of(s.Name) {
				y := set.Value(x.Type, x.Value, at)
				if ip, err := netip.ParseAddr(x.Value); err == nil && x.Type == indicator.Address {
					y = set.Address(ip, 0, at)
				}
				if y.Negative != "" || y.Score < f.least || slices.ContainsFunc(rows, func(o indicator.Indicator) bool { return f.least > 0 && o.Type == x.Type && o.Value == x.Value }) {
					continue
				}
				rows = append(rows, x)
			}
		}
		return feed.Encode(a.stdout, feed.Format(f.to), rows, feed.Out{Now: at, Most: level, Who: f.who})
	}
	f.register(c)
	c.Flags().StringVar(&f.to, "to", "stix", "format: plain, csv, jsonl, misp, stix, edl, nginx, ipset, cisco or routeros")
	c.Flags().StringVar(&f.tlp, "tlp", "green", "write nothing that is marked stricter: clear, green, amber or red")
	c.Flags().StringVar(&f.who, "who", "", "`NAME` of the owner in what is written")
	c.Flags().IntVar(&f.least, "least", 0, "only those with at least this score; 70 may be blocked by itself")
	return c
}

func (a *app) intelDerive() *cobra.Command {
	c := &cobra.Command{Use: "derive RUN.json|DIR ...", Short: "Make indicators of the confirmed attacks in reports, as JSON lines", Example: "  xiezhi intel derive run.json > gang.jsonl",
		Args: someArgs("intel derive: name reports that analyze --json wrote")}
	c.RunE = func(_ *cobra.Command, args []string) error {
		names, err := runFiles(args)
		if err != nil {
			return err
		}
		tools, err := loadTools([32]byte{})
		if err != nil {
			return err
		}
		runs, failed := a.readRuns(names, tools.Messages)
		var attacks []indicator.Attack
		for _, r := range runs {
			attacks = append(attacks, engine.IntelligenceOf(r)...)
		}
		rows := indicator.Derive(attacks, indicator.World{Networks: intel.Default()})
		if err := feed.Encode(a.stdout, feed.JSONL, rows, feed.Out{Now: time.Now().UnixNano(), Most: indicator.Red}); err != nil {
			return err
		}
		fmt.Fprintf(a.stderr, "%d indicators of %d attacks\n", len(rows), len(attacks))
		if failed {
			return exitError{exitRuntime}
		}
		return nil
	}
	return c
}

var errSum = errors.New("the content is not what --sha256 says; nothing was written")
