package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"xiezhi/internal/engine"
	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/rules"
)

// maxTold is how many problems of scenarios a run tells; rules check tells all.
const maxTold = 20

func (a *app) rules() *cobra.Command {
	c := &cobra.Command{Use: "rules", Short: "List the built-in rules; check and try out rules of your own", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("rules: name what to do, as in rules check FILE")
		}}
	c.AddCommand(a.rulesList(), a.rulesCheck(), a.rulesTest())
	return c
}

// outputFlag adds -o to a list.
func outputFlag(c *cobra.Command, to *string) {
	c.Flags().StringVarP(to, "output", "o", "text", "text or json")
}

// list writes a list as JSON, or as text by the function.
func (a *app) list(format string, v any, text func(w io.Writer)) error {
	switch format {
	case "json":
		enc := json.NewEncoder(a.stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	case "text":
		w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
		text(w)
		return w.Flush()
	}
	return usagef("--output %q: use text or json", format)
}

func (a *app) rulesList() *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the built-in rules: kind of defect or kind/component, title, number of cases",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			t, err := loadTools([32]byte{})
			if err != nil {
				return err
			}
			all, err := t.BuiltIns()
			if err != nil {
				return err
			}
			return a.list(format, all, func(w io.Writer) {
				for _, r := range all {
					fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", r.ID, r.Class, r.Cases, r.Title.In(a.lang))
				}
			})
		},
	}
	outputFlag(c, &format)
	return c
}

func (a *app) rulesCheck() *cobra.Command {
	var format string
	var data []string
	c := &cobra.Command{
		Use:   "check FILE|DIR ...",
		Short: "Compile rule packs and CrowdSec scenarios and name what is wrong with its place",
		Long: `Compiles rule packs; what is wrong with one is an error with its line and
column. Of CrowdSec scenarios it lists which are translated into rules of ours,
and what of the others cannot be: file, line, construct, reason (-); a remark
about one that runs all the same begins with ~.

Exit codes: 0 everything runs, 1 a scenario does not, 2 usage.`,
		Example: `  xiezhi rules check pack.yaml
  xiezhi rules check --rules-data /var/lib/crowdsec/data /etc/crowdsec/scenarios`,
		Args: someArgs("rules check: name a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return usagef("--output %q: use text or json", format)
			}
			loaded, err := loadRules(args, data)
			if err != nil {
				return err
			}
			n, types, err := engine.CheckRules(loaded.packs...)
			if err != nil {
				return usageError{err}
			}
			if loaded.hub == nil || len(loaded.packs) > 0 {
				if _, err = fmt.Fprintf(a.stderr, "%s: in order: %d rules, %d data types\n", strings.Join(args, ", "), n, types); err != nil || loaded.hub == nil {
					return err
				}
			}
			msgs, err := message.Load(rules.FS, "messages")
			if err != nil {
				return err
			}
			whole, err := a.checkScenarios(msgs, format, loaded.hub)
			if err != nil {
				return err
			}
			if a.tellScenarios(msgs, loaded.hub, 0); !whole {
				return exitError{exitFindings}
			}
			return nil
		},
	}
	outputFlag(c, &format)
	rulesDataFlag(c, &data)
	return c
}

// rulesDataFlag adds the folders of scenarios' data files.
func rulesDataFlag(c *cobra.Command, to *[]string) {
	c.Flags().StringSliceVar(to, "rules-data", nil, "data files of CrowdSec scenarios, in `DIR` (repeatable; default: beside the scenario, and data beside it)")
}

func (a *app) rulesTest() *cobra.Command {
	var format, site, keyFile, logFormat string
	var data []string
	c := &cobra.Command{
		Use:   "test FILE|DIR INPUT ...",
		Short: "Try rules out on captures, HAR files and access logs",
		Long: `Applies the rules and data types of FILE to the inputs and says, per rule and
API, how many exchanges could fire and how many did, with ids of some that did
(as convert gives them), and per data type in which fields it was seen. Of
CrowdSec scenarios it lists the alerts: when, how many events, who. Nothing is
reported as a finding, whatever the rule's minimum.

Exit codes: 0 nothing was met, 1 something was, 2 usage, 3 an input could not be opened.`,
		Example: `  xiezhi rules test rules.yaml traffic.har`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("rules test: name a rule file and what to try it on")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if format != "text" && format != "json" {
				return usagef("--output %q: use text or json", format)
			}
			if keyFile == "" {
				if keyFile, err = a.defaultKeyFile(); err != nil {
					return err
				}
			}
			key, err := loadKey(keyFile, rand.Reader)
			if err != nil {
				return err
			}
			cfg := engine.AnalyzeConfig{Version: version, Site: site, Workers: runtime.GOMAXPROCS(0), Random: rand.Reader, Temp: tempFile, Format: engine.Auto, Log: engine.LogConfig{Format: logFormat}}
			loaded, err := loadRules(args[:1], data)
			if err != nil {
				return err
			}
			cfg.Packs, cfg.Hub = loaded.packs, loaded.hub
			if cfg.Zone, err = a.zone("", &engine.FileConfig{}); err != nil {
				return err
			}
			cfg.Log.Location = cfg.Zone
			if err := engine.CheckLog(cfg.Log); err != nil {
				return usagef("--log-format: %w", err)
			}
			if cfg.Tools, err = loadTools(key); err != nil {
				return err
			}
			if _, _, err := engine.CheckRules(cfg.Packs...); err != nil {
				return usageError{err}
			}
			a.tellScenarios(cfg.Tools.Messages, cfg.Hub, maxTold)
			inputs, refused := a.inputs(args[1:])
			cfg.Inputs = inputs
			res, err := engine.Analyze(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			refused = append(refused, res.Refused...)
			a.refusals(cfg.Tools.Messages, refused, len(refused) == 0 && !res.Inspected())
			if err := a.hits(format, &loaded, res); err != nil {
				return err
			}
			fired := len(res.TypeHits()) > 0 || len(res.Alerts) > 0
			for i := range res.Hits {
				fired = fired || res.Hits[i].Fired > 0
			}
			switch {
			case len(refused) > 0 || !res.Inspected():
				return exitError{exitRuntime}
			case fired:
				return exitError{exitFindings}
			}
			return nil
		},
	}
	outputFlag(c, &format)
	rulesDataFlag(c, &data)
	c.Flags().StringVar(&site, "site", "", "judge everything as one site of this name")
	c.Flags().StringVar(&keyFile, "key", "", "key of the tokens in `FILE` (default: created in the state folder)")
	c.Flags().StringVar(&logFormat, "log-format", "", "layout of access logs, as nginx's log_format, Apache's LogFormat, HAProxy's or Envoy's")
	return c
}

// hits writes what the rules met, and which met nothing.
func (a *app) hits(format string, from *ruleFiles, res *engine.AnalyzeResult) error {
	for _, l := range res.Report.Input.Limits {
		if strings.HasPrefix(l.What, "defect.custom.") || strings.HasPrefix(l.What, "rules.") {
			fmt.Fprintf(a.stderr, "%s: %d\n", l.What, l.Count)
		}
	}
	list := res.Hits
	if list == nil {
		list = []engine.RuleHit{}
	}
	types := res.TypeHits()
	alerts := res.Alerts
	if alerts == nil {
		alerts = []engine.Alert{}
	}
	all := struct {
		Rules  []engine.RuleHit `json:"rules"`
		Types  []engine.TypeHit `json:"data_types"`
		Alerts []engine.Alert   `json:"alerts"`
	}{list, types, alerts}
	return a.list(format, all, func(w io.Writer) {
		for _, pack := range from.packs {
			a.packLines(w, pack, list, types)
		}
		alertLines(w, from.hub, alerts)
	})
}

// packLines writes what the rules and types of one pack met.
func (a *app) packLines(w io.Writer, pack *policy.File, list []engine.RuleHit, types []engine.TypeHit) {
	for i := range pack.DataTypes {
		d := &pack.DataTypes[i]
		fmt.Fprintf(w, "%s\t\t%s\n", d.ID, report.Inert(d.Name.In(a.lang)))
		for _, h := range types {
			if strings.HasSuffix(h.Type, "."+d.ID) {
				fmt.Fprintf(w, "  %s %s\t%d\t%s %s %s\n", report.Inert(h.Method), report.Inert(h.Template), h.Exchanges, report.Inert(h.Host), h.In, report.Inert(h.Path))
			}
		}
	}
	for i := range pack.Rules {
		r := &pack.Rules[i]
		fired, eligible := uint64(0), uint64(0)
		for _, h := range list {
			if h.Rule == r.ID {
				fired, eligible = fired+h.Fired, eligible+h.Eligible
			}
		}
		fmt.Fprintf(w, "%s\t%d / %d\t%s\n", r.ID, fired, eligible, report.Inert(r.Title.In(a.lang)))
		for _, h := range list {
			if h.Rule == r.ID && h.Fired > 0 {
				fmt.Fprintf(w, "  %s %s\t%d / %d\t%s %s\n", report.Inert(h.Method), report.Inert(h.Template), h.Fired, h.Eligible, report.Inert(h.Host), report.Inert(strings.Join(h.Examples, " ")))
			}
		}
	}
}
