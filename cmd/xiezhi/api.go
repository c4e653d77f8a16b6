package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"crypto/rand"

	"github.com/spf13/cobra"

	"xiezhi/internal/catalog/drift"
	"xiezhi/internal/catalog/openapi"
	"xiezhi/internal/engine"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/rules"
)

// apiFlags say where the APIs come from: reports that analyze wrote, or inputs.
type apiFlags struct {
	reports                   []string
	keyFile, configFile, site string
	format, output            string
	workers                   int
}

func (f *apiFlags) register(c *cobra.Command, lists bool) {
	s := c.Flags()
	s.StringSliceVar(&f.reports, "report", nil, "take them from what analyze --json wrote in `FILE` (repeatable); without it, from the inputs")
	s.StringVar(&f.keyFile, "key", "", "key of the tokens in `FILE` (default: created in the state folder)")
	s.StringVar(&f.configFile, "config", "", "configuration `FILE` (YAML)")
	s.StringVar(&f.site, "site", "", "only this site")
	s.StringVar(&f.format, "format", "auto", "what the inputs are: auto, har, harl, pcap, burp, gor, accesslog")
	s.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "observers that work at the same time; the result does not depend on it")
	if lists {
		s.StringVarP(&f.output, "output", "o", "text", "text or json")
	}
}

// apis gives the report that the flags name. failed says that some input could
// not be read.
func (a *app) apis(c *cobra.Command, f *apiFlags, args []string, specs []*openapi.Spec) (r *report.Report, msgs *message.Catalog, failed bool, err error) {
	if f.output != "text" && f.output != "json" && f.output != "" {
		return nil, nil, false, usagef("--output %q: use text or json", f.output)
	}
	switch {
	case len(f.reports) > 0 && len(args) > 0:
		return nil, nil, false, usagef("%s: name either reports (--report) or inputs", c.CommandPath())
	case len(f.reports) == 0 && len(args) == 0:
		return nil, nil, false, usagef("%s: name the report that analyze --json wrote (--report FILE), or files of traffic", c.CommandPath())
	case len(f.reports) > 0:
		if msgs, err = message.Load(rules.FS, "messages"); err != nil {
			return nil, nil, false, err
		}
		runs, failed := a.readRuns(f.reports, msgs)
		if len(runs) == 0 {
			return nil, nil, true, exitError{exitRuntime}
		}
		if r = runs[0]; len(runs) > 1 {
			r, _ = report.Merge(runs, msgs)
		}
		if len(specs) > 0 {
			r.Drift = drift.Compare(specs, r.Described(f.site))
		}
		return r, msgs, failed, nil
	}
	if f.keyFile == "" {
		if f.keyFile, err = a.defaultKeyFile(); err != nil {
			return nil, nil, false, err
		}
	}
	key, err := loadKey(f.keyFile, rand.Reader)
	if err != nil {
		return nil, nil, false, err
	}
	cfg := engine.AnalyzeConfig{Version: version, Workers: f.workers, Random: rand.Reader, Temp: tempFile, Specs: specs}
	if cfg.File, err = loadConfig(f.configFile); err != nil {
		return nil, nil, false, err
	}
	if cfg.Format, err = parseFormat(f.format); err != nil {
		return nil, nil, false, err
	}
	if cfg.Zone, err = a.zone("", cfg.File); err != nil {
		return nil, nil, false, err
	}
	if cfg.Trusted, err = engine.ParsePrefixes(cfg.File.TrustedProxies); err != nil {
		return nil, nil, false, usagef("trusted_proxies: %w", err)
	}
	if cfg.Tools, err = loadTools(key); err != nil {
		return nil, nil, false, err
	}
	cfg.Log = engine.LogConfig{Location: cfg.Zone}
	inputs, refused := a.inputs(args)
	cfg.Inputs = inputs
	res, err := engine.Analyze(c.Context(), cfg)
	if err != nil {
		return nil, nil, false, err
	}
	refused = append(refused, res.Refused...)
	a.refusals(cfg.Tools.Messages, refused, len(refused) == 0 && !res.Inspected())
	if len(specs) > 0 && f.site != "" {
		res.Report.Drift = drift.Compare(specs, res.Report.Described(f.site))
	}
	return res.Report, cfg.Tools.Messages, len(refused) > 0 || !res.Inspected(), nil
}

func (a *app) api() *cobra.Command {
	c := &cobra.Command{Use: "api", Short: "List APIs, show one, write OpenAPI, compare with descriptions", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("api: name what to do, as in api list --report run.json")
		}}
	c.AddCommand(a.apiList(), a.apiShow(), a.apiExport(), a.apiDrift())
	return c
}

func (a *app) apiList() *cobra.Command {
	var f apiFlags
	c := &cobra.Command{
		Use:     "list [--report RUN.json | FILE|DIR|GLOB|- ...]",
		Short:   "List the APIs of a report or of traffic",
		Example: "  xiezhi api list --report run.json\n  xiezhi api list -o json capture.pcap",
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		r, msgs, failed, err := a.apis(cmd, &f, args, nil)
		if err != nil {
			return err
		}
		list := []report.API{}
		for i := range r.APIs {
			if f.site == "" || r.APIs[i].Site == f.site {
				list = append(list, r.APIs[i])
			}
		}
		if f.output == "json" {
			err = a.printJSON(list)
		} else {
			err = report.APIList(a.stdout, list, a.lang, msgs)
		}
		return done(err, failed)
	}
	f.register(c, true)
	return c
}

func (a *app) apiShow() *cobra.Command {
	var f apiFlags
	c := &cobra.Command{
		Use:   "show ID|'METHOD TEMPLATE' [--report RUN.json | FILE|DIR|GLOB|- ...]",
		Short: "Show what one API takes and gives, and what changed",
		Example: `  xiezhi api show 3f2a9c0d11e8b7aa --report run.json
  xiezhi api show 'GET /users/{user_id}' capture.pcap`,
		Args: someArgs("api show: name an API by its id or as 'METHOD TEMPLATE'; api list gives both"),
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		r, msgs, failed, err := a.apis(cmd, &f, args[1:], nil)
		if err != nil {
			return err
		}
		found := []report.API{}
		for i := range r.APIs {
			x := &r.APIs[i]
			if (f.site == "" || x.Site == f.site) && (x.ID == args[0] || strings.EqualFold(x.Method+" "+x.Template, args[0])) {
				found = append(found, *x)
			}
		}
		if len(found) == 0 {
			return usagef("api show: no API is %q; api list gives ids, methods and templates", args[0])
		}
		if f.output == "json" {
			return done(a.printJSON(found), failed)
		}
		for i := range found {
			if err := report.APIDetail(a.stdout, &found[i], a.lang, msgs); err != nil {
				return err
			}
		}
		return done(nil, failed)
	}
	f.register(c, true)
	return c
}

func (a *app) apiExport() *cobra.Command {
	var f apiFlags
	var dir string
	c := &cobra.Command{
		Use:   "export [--dir DIR] [--report RUN.json | FILE|DIR|GLOB|- ...]",
		Short: "Write OpenAPI 3.1 of every site",
		Long: `Writes one document per site into a folder, or, where there is one site, to
standard output. Names, types and formats are learned from traffic, examples are
made up.`,
		Example: "  xiezhi api export --dir openapi --report run.json\n  xiezhi api export --site shop.example.com capture.pcap > shop.json",
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		r, msgs, failed, err := a.apis(cmd, &f, args, nil)
		if err != nil {
			return err
		}
		docs, err := r.OpenAPI(f.site, a.lang, msgs)
		if err != nil {
			return err
		}
		switch {
		case dir != "":
			return done(writeDocuments(dir, docs), failed)
		case len(docs) == 0:
			return usagef("api export: no site %q has APIs", f.site)
		case len(docs) > 1:
			return usagef("api export: %d sites: name a folder (--dir) or one site (--site)", len(docs))
		}
		_, err = a.stdout.Write(docs[0].Data)
		return done(err, failed)
	}
	f.register(c, false)
	c.Flags().StringVar(&dir, "dir", "", "write one file per site into `DIR`")
	return c
}

func (a *app) apiDrift() *cobra.Command {
	var f apiFlags
	var files []string
	c := &cobra.Command{
		Use:   "drift --spec FILE ... [--report RUN.json | FILE|DIR|GLOB|- ...]",
		Short: "Compare traffic with what developers described (OpenAPI 3, Swagger 2)",
		Long: `Reads descriptions, OpenAPI 3.0 and 3.1 or Swagger 2.0, as JSON or YAML, and
tells which APIs are in use that nobody described, which are described and never
called, which are deprecated and still called, and which parameters, fields,
statuses and types differ. References that leave a file are refused, never
followed.

Exit codes: 0 no difference, 1 differences, 2 usage or a description that cannot
be read, 3 an input could not be read.`,
		Example: "  xiezhi api drift --spec openapi.yaml --report run.json\n  xiezhi api drift --spec shop.json --spec pay.json -o json capture.pcap",
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(files) == 0 {
			return usagef("api drift: name a description (--spec FILE)")
		}
		specs, err := loadSpecs(files)
		if err != nil {
			return err
		}
		r, msgs, failed, err := a.apis(cmd, &f, args, specs)
		if err != nil {
			return err
		}
		if f.output == "json" {
			err = a.printJSON(r.Drift)
		} else {
			err = report.DriftList(a.stdout, r.Drift, a.lang, msgs)
		}
		if err := done(err, failed); err != nil {
			return err
		}
		if len(r.Drift.Items) > 0 {
			return exitError{exitFindings}
		}
		return nil
	}
	f.register(c, true)
	c.Flags().StringSliceVar(&files, "spec", nil, "a description in `FILE` (repeatable)")
	return c
}

// done is the end of a command: what could not be read decides the exit code.
func done(err error, failed bool) error {
	if err == nil && failed {
		return exitError{exitRuntime}
	}
	return err
}

func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// loadSpecs reads descriptions.
func loadSpecs(files []string) ([]*openapi.Spec, error) {
	var out []*openapi.Spec
	for _, name := range files {
		data, err := readSpec(name)
		if err != nil {
			return nil, usagef("read the description: %w", err)
		}
		s, err := openapi.Read(name, data)
		if err != nil {
			return nil, usageError{err}
		}
		out = append(out, s)
	}
	return out, nil
}

func readSpec(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, openapi.MaxBytes+1))
}

// writeDocuments writes descriptions into a folder, each beside its place
// first, so that none is left half written.
func writeDocuments(dir string, docs []report.Document) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return usagef("cannot write %s: %w", dir, err)
	}
	for _, d := range docs {
		name := filepath.Join(dir, d.Name)
		if err := os.WriteFile(name+".part", d.Data, 0o600); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := os.Rename(name+".part", name); err != nil {
			return errors.Join(err, os.Remove(name+".part"))
		}
	}
	return nil
}
