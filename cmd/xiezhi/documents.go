package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/html"
	"xiezhi/internal/report/sarif"
	"xiezhi/internal/report/xlsx"
)

// documentFlags name the files that a report is written to.
type documentFlags struct {
	json, html, xlsx, sarif string
}

func (d *documentFlags) register(f *pflag.FlagSet) {
	f.StringVar(&d.json, "json", "", "write the report as JSON to `FILE` (- for standard output)")
	f.StringVar(&d.html, "html", "", "write the report as one HTML page to `FILE`")
	f.StringVar(&d.xlsx, "xlsx", "", "write the report as an Excel workbook to `FILE`")
	f.StringVar(&d.sarif, "sarif", "", "write the findings as SARIF 2.1.0 to `FILE`")
}

func (d *documentFlags) any() bool { return d.json+d.html+d.xlsx+d.sarif != "" }

// documents are the opened files.
type documents struct {
	flags                   documentFlags
	json, html, xlsx, sarif io.Writer
}

func (d documentFlags) open(o *outputs) (docs documents, err error) {
	docs.flags = d
	for _, f := range []struct {
		name string
		w    *io.Writer
	}{{d.json, &docs.json}, {d.html, &docs.html}, {d.xlsx, &docs.xlsx}, {d.sarif, &docs.sarif}} {
		if *f.w, err = o.open(f.name); err != nil {
			return docs, err
		}
	}
	return docs, nil
}

// write writes the report in every form that was asked for.
func (d documents) write(r *report.Report, lang string, zone *time.Location, msgs *message.Catalog) error {
	if d.json != nil {
		enc := json.NewEncoder(d.json)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("write %s: %w", d.flags.json, err)
		}
	}
	if d.html != nil {
		if err := html.Write(d.html, r, html.Config{Lang: lang, Zone: zone, Messages: msgs}); err != nil {
			return fmt.Errorf("write %s: %w", d.flags.html, err)
		}
	}
	if d.xlsx != nil {
		if err := xlsx.Write(d.xlsx, r, xlsx.Config{Lang: lang, Zone: zone, Messages: msgs}); err != nil {
			return fmt.Errorf("write %s: %w", d.flags.xlsx, err)
		}
	}
	if d.sarif != nil {
		if err := sarif.Write(d.sarif, r, sarif.Config{Lang: lang, Messages: msgs}); err != nil {
			return fmt.Errorf("write %s: %w", d.flags.sarif, err)
		}
	}
	return nil
}
