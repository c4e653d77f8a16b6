package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"xiezhi/internal/engine"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
	"xiezhi/rules"
)

func (a *app) convert() *cobra.Command {
	var to, format, logFormat, zone string
	var quiet bool
	live := newLiveFlags()
	c := &cobra.Command{
		Use:   "convert --to har|harl FILE|DIR|GLOB|- ...",
		Short: "Turn any source into HAR or HAR lines on standard output",
		Long: `Writes every HTTP exchange of the inputs to standard output as HAR or as HAR
lines (one entry per line), bodies as text or base64. A request without a
response has status 0. The result is plaintext: passwords, tokens and personal
data stand in it as they stood in the traffic.

Exit code 0 unless nothing could be opened.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && !live.asked(c.Flags()) {
				return usagef("convert: name a file, a folder, a pattern or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			target := engine.Format(to)
			if target != engine.HAR && target != engine.HARL {
				return usagef("--to %q: use har or harl", to)
			}
			f, err := parseFormat(format)
			if err != nil {
				return err
			}
			l, err := a.zone(zone, &engine.FileConfig{})
			if err != nil {
				return err
			}
			log := engine.LogConfig{Location: l, Format: logFormat}
			if err := engine.CheckLog(log); err != nil {
				return usagef("--log-format: %w", err)
			}
			inputs, refused := a.inputs(args)
			fmt.Fprintln(a.stderr, "note: the output is plaintext; it holds whatever personal data and secrets the traffic holds")
			keys, err := live.keys.open(a, live.asked(cmd.Flags()))
			if err != nil {
				return err
			}
			defer keys.Close()
			a.log = log
			traffic, ctx, err := live.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			bar := a.bar(quiet, totalSize(inputs))
			res, err := engine.Convert(ctx, engine.ConvertConfig{Inputs: inputs, Format: f, To: target, Version: version,
				Log: log, Live: traffic, Keys: keys, Meter: bar.update}, a.stdout)
			bar.clear()
			if err != nil {
				return err
			}
			if err := live.finish(); err != nil {
				return err
			}
			refused = append(refused, res.Refused...)
			msgs, err := message.Load(rules.FS, "messages")
			if err != nil {
				return err
			}
			a.refusals(msgs, refused, false)
			lost := uint64(0)
			for _, n := range res.Totals.Dropped {
				lost += n
			}
			for _, p := range res.Totals.Problems {
				if p.Line > 0 && keys != nil {
					fmt.Fprintf(a.stderr, "note: %s:%d: %s\n", report.Inert(p.File), p.Line, p.Text)
				}
			}
			fmt.Fprintf(a.stderr, "%d exchanges written, %d dropped\n", res.Written, lost)
			tlsNote(a.stderr, res.Totals.Quality)
			if len(refused) > 0 && len(refused) >= len(inputs) && res.Written == 0 {
				return exitError{exitRuntime}
			}
			return nil
		},
	}
	f := c.Flags()
	live.register(f)
	f.StringVar(&to, "to", "harl", "format of the result: har or harl")
	f.StringVar(&format, "format", "auto", "what the inputs are: auto, har, harl, pcap, burp, gor, accesslog")
	f.StringVar(&logFormat, "log-format", "", "layout of access logs, as nginx's log_format, Apache's LogFormat, HAProxy's or Envoy's")
	f.StringVar(&zone, "tz", "", "time zone of log times that name none")
	f.BoolVar(&quiet, "quiet", false, "no progress bar")
	return c
}

// tlsNote says how many connections could and could not be decrypted.
func tlsNote(w io.Writer, quality map[source.QualityKey]uint64) {
	var open, shut uint64
	for k, n := range quality {
		switch k.Code {
		case taxonomy.QualityDecrypted:
			open += n
		case taxonomy.QualityEncrypted:
			shut += n
		}
	}
	if open > 0 {
		fmt.Fprintf(w, "%d TLS connections decrypted\n", open)
	}
	if shut > 0 {
		fmt.Fprintf(w, "%d connections could not be read; analyze lists their servers\n", shut)
	}
}
