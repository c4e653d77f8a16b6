package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"xiezhi/internal/engine"
	"xiezhi/internal/judge"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
)

func (a *app) analyze() *cobra.Command {
	var (
		attributed, apis, keyFile, configFile string
		policyFile, openapiDir                string
		packs, specFiles, rulesData           []string
		documents                             documentFlags
		format, logFormat, zone, since, until string
		site                                  string
		trusted, protos                       []string
		workers                               int
		all, quiet                            bool
	)
	live := newLiveFlags()
	c := &cobra.Command{
		Use:   "analyze FILE|DIR|GLOB|- ...",
		Short: "Find APIs, defects and attacks in captures, HAR files and access logs",
		Long: `Reads packet captures (pcap, pcapng), HAR, HAR lines, Burp's and GoReplay's
files and access logs, also compressed (.gz, .zst), tells what they are from
their content, and prints what matters: APIs, defects, attacks, and what could
not be seen.

Exit codes: 0 nothing found, 1 findings, 2 usage, 3 something could not be
opened or recognised, or nothing could be inspected.`,
		Example: `  xiezhi analyze capture.pcap
  xiezhi analyze --json report.json /var/log/nginx/
  zcat traffic.har.gz | xiezhi analyze -`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && !live.asked(c.Flags()) {
				return usagef("analyze: name a file, a folder, a pattern or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if keyFile == "" {
				if keyFile, err = a.defaultKeyFile(); err != nil {
					return err
				}
			}
			cfg := engine.AnalyzeConfig{Version: version, Site: site, Workers: workers, Random: rand.Reader, Temp: tempFile}
			key, err := loadKey(keyFile, rand.Reader)
			if err != nil {
				return err
			}
			if cfg.File, err = loadConfig(configFile); err != nil {
				return err
			}
			if cfg.Policy, err = loadPolicy(policyFile); err != nil {
				return err
			}
			loaded, err := loadRules(packs, rulesData)
			if err != nil {
				return err
			}
			cfg.Packs, cfg.Hub = loaded.packs, loaded.hub
			if cfg.Specs, err = loadSpecs(specFiles); err != nil {
				return err
			}
			if cfg.Format, err = parseFormat(format); err != nil {
				return err
			}
			if cfg.Zone, err = a.zone(zone, cfg.File); err != nil {
				return err
			}
			cfg.Log = engine.LogConfig{Location: cfg.Zone, Format: logFormat}
			if err := engine.CheckLog(cfg.Log); err != nil {
				return usagef("--log-format: %w", err)
			}
			if cfg.Trusted, err = engine.ParsePrefixes(append(trusted, cfg.File.TrustedProxies...)); err != nil {
				return usagef("--trusted-proxy: %w", err)
			}
			if cfg.Since, err = parseTime(since, cfg.Zone); err != nil {
				return usagef("--since: %w", err)
			}
			if cfg.Until, err = parseTime(until, cfg.Zone); err != nil {
				return usagef("--until: %w", err)
			}
			types, err := loadDescriptors(protos)
			if err != nil {
				return err
			}
			inputs, refused := a.inputs(args)
			cfg.Inputs = inputs
			outs := &outputs{stdout: a.stdout}
			defer outs.discard()
			if cfg.Attributed, err = outs.open(attributed); err != nil {
				return err
			}
			if cfg.APIs, err = outs.open(apis); err != nil {
				return err
			}
			docs, err := documents.open(outs, "", a.lang)
			if err != nil {
				return err
			}
			if cfg.Tools, err = loadTools(key); err != nil {
				return err
			}
			cfg.Tools.Describe(types)
			if _, _, err := engine.CheckRules(append(cfg.Packs[:len(cfg.Packs):len(cfg.Packs)], cfg.Policy)...); err != nil {
				return usageError{err}
			}
			a.tellScenarios(cfg.Tools.Messages, cfg.Hub, maxTold)
			if cfg.Keys, err = live.keys.open(a, live.asked(cmd.Flags())); err != nil {
				return err
			}
			defer cfg.Keys.Close()
			ctx := cmd.Context()
			a.log = cfg.Log
			live.outs = outs
			if cfg.Live, ctx, err = live.open(ctx, a); err != nil {
				return err
			}
			bar := a.bar(quiet, totalSize(inputs))
			cfg.Meter = bar.update
			res, err := engine.Analyze(ctx, cfg)
			bar.clear()
			if err != nil {
				return err
			}
			refused = append(refused, res.Refused...)
			a.refusals(cfg.Tools.Messages, refused, len(refused) == 0 && !res.Inspected())
			shown := cfg.Zone
			if zone == "" {
				shown = res.Report.Zone(shown)
			}
			if err := docs.write(context.WithoutCancel(ctx), res.Report, a.lang, shown, res.Messages); err != nil {
				return err
			}
			if openapiDir != "" {
				described, err := res.Report.OpenAPI("", a.lang, res.Messages)
				if err == nil {
					err = writeDocuments(openapiDir, described)
				}
				if err != nil {
					return err
				}
			}
			if !outs.toStdout {
				if err := a.summary(res.Messages, res.Report, shown, all); err != nil {
					return err
				}
			}
			if err := outs.commit(); err != nil {
				return err
			}
			if err := live.finish(); err != nil {
				return err
			}
			switch {
			case len(refused) > 0 || !res.Inspected():
				return exitError{exitRuntime}
			case res.Findings():
				return exitError{exitFindings}
			}
			return nil
		},
	}
	f := c.Flags()
	documents.register(f)
	live.register(f)
	f.StringVar(&attributed, "attributed", "", "write one line per exchange of a likely or confirmed attack to `FILE`")
	f.StringVar(&apis, "apis", "", "write one line per observation with its API, or null, to `FILE`")
	f.StringVar(&format, "format", "auto", "what the inputs are: auto, har, harl, pcap, burp, gor, accesslog")
	f.StringVar(&logFormat, "log-format", "", "layout of access logs, as nginx's log_format, Apache's LogFormat, HAProxy's or Envoy's")
	f.StringSliceVar(&protos, "proto", nil, "names of gRPC messages: a descriptor set in `FILE`, as protoc -o and buf build -o write it (repeatable)")
	f.StringVar(&keyFile, "key", "", "key of the tokens in `FILE` (default: created in the state folder)")
	f.StringVar(&configFile, "config", "", "configuration `FILE` (YAML)")
	f.StringVar(&policyFile, "policy", "", "what people decided, in `FILE` (YAML): public APIs, approvals, verdicts, fixes; see policy check")
	f.StringSliceVar(&packs, "rules", nil, "rules and data types of your own, or CrowdSec scenarios, in `FILE|DIR` (YAML, repeatable); see rules check and rules test")
	rulesDataFlag(c, &rulesData)
	f.StringVar(&openapiDir, "openapi", "", "write OpenAPI 3.1 of every site, one file each, into `DIR`")
	f.StringSliceVar(&specFiles, "spec", nil, "compare with what developers described in `FILE`: OpenAPI 3 or Swagger 2 (repeatable); see api drift")
	f.StringVar(&site, "site", "", "judge everything as one site of this name")
	f.StringVar(&zone, "tz", "", "time zone of local log times and of months (default Asia/Shanghai for zh, else UTC)")
	f.StringSliceVar(&trusted, "trusted-proxy", nil, "network whose X-Forwarded-For is believed (repeatable)")
	f.StringVar(&since, "since", "", "leave out what ended before this time")
	f.StringVar(&until, "until", "", "leave out what ended after this time")
	f.IntVar(&workers, "workers", runtime.GOMAXPROCS(0), "observers that work at the same time; the result does not depend on it")
	f.BoolVar(&all, "all", false, "print every API, defect and attack")
	f.BoolVar(&quiet, "quiet", false, "no progress bar")
	return c
}

// refusals says which inputs were not read and why, or that nothing was.
func (a *app) refusals(msgs *message.Catalog, list []engine.Refusal, nothing bool) {
	head := msgs.Text("cli.error", nil).In(a.lang)
	for _, r := range list {
		why := r.Err.Error()
		if id := "refused." + why; msgs.Has(id) {
			why = msgs.Text(id, nil).In(a.lang)
		}
		fmt.Fprintf(a.stderr, "%s: %s: %s\n", head, report.Inert(r.Name), report.Inert(why))
	}
	if nothing {
		fmt.Fprintf(a.stderr, "%s: %s\n", head, msgs.Text("cli.nothing", nil).In(a.lang))
	}
}

// summary prints what people read.
func (a *app) summary(msgs *message.Catalog, r *report.Report, zone *time.Location, all bool) error {
	cfg := report.TerminalConfig{Lang: a.lang, Zone: zone, Messages: msgs, All: all}
	if f, ok := a.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		cfg.Colour = a.getenv("NO_COLOR") == ""
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			cfg.Width = w
		}
	}
	return report.Terminal(a.stdout, r, cfg)
}

// zone is the time zone of months and of log times without one.
func (a *app) zone(flag string, file *engine.FileConfig) (*time.Location, error) {
	name := flag
	if name == "" {
		name = file.TimeZone
	}
	if name == "" && a.lang == "zh" {
		name = "Asia/Shanghai"
	}
	if name == "" {
		return time.UTC, nil
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil, usagef("--tz %q is unknown: use a name like Asia/Shanghai or UTC", name)
	}
	return l, nil
}

// parseTime reads a moment; empty gives the zero time.
func parseTime(s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; write it as 2006-01-02T15:04:05+08:00 or 2006-01-02", s)
}

func parseFormat(s string) (engine.Format, error) {
	for _, f := range engine.Formats {
		if string(f) == s {
			return f, nil
		}
	}
	return "", usagef("--format %q is unknown; one of %v", s, engine.Formats)
}

// tempFile opens an unlinked temporary file: it is gone with the process.
func tempFile() (judge.SpillFile, error) {
	f, err := os.CreateTemp("", "xiezhi-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// outputs are the files that a run writes. Each is written beside its place
// and moved there at the end, so that a failed run leaves no half file.
type outputs struct {
	stdout   io.Writer
	toStdout bool
	files    []*os.File
	targets  []string
}

func (o *outputs) open(name string) (io.Writer, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
		if o.toStdout {
			return nil, usagef("only one output can go to standard output")
		}
		o.toStdout = true
		return o.stdout, nil
	}
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() && !st.IsDir() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0) // a device or a pipe is written directly
		if err != nil {
			return nil, err
		}
		o.files, o.targets = append(o.files, f), append(o.targets, "")
		return f, nil
	}
	f, err := os.OpenFile(name+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, usagef("cannot write %s: %w", name, err)
	}
	o.files, o.targets = append(o.files, f), append(o.targets, name)
	return f, nil
}

func (o *outputs) commit() error {
	for i, f := range o.files {
		if err := f.Close(); err != nil {
			return err
		}
		if o.targets[i] == "" {
			continue
		}
		if err := os.Rename(f.Name(), o.targets[i]); err != nil {
			return err
		}
	}
	o.files = nil
	return nil
}

func (o *outputs) discard() {
	for i, f := range o.files {
		f.Close()
		if o.targets[i] != "" {
			_ = os.Remove(f.Name())
		}
	}
}
