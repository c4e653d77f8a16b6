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
)

// documentFlags name the files that a report is written to.
type documentFlags struct {
	json, html string
}

func (d *documentFlags) register(f *pflag.FlagSet) {
	f.StringVar(&d.json, "json", "", "write the report as JSON to `FILE` (- for standard output)")
	f.StringVar(&d.html, "html", "", "write the report as one HTML page to `FILE`")
}

// documents are the opened files.
type documents struct {
	flags      documentFlags
	json, html io.Writer
}

func (d documentFlags) open(o *outputs) (docs documents, err error) {
	docs.flags = d
	for _, f := range []struct {
		name string
		w    *io.Writer
	}{{d.json, &docs.json}, {d.html, &docs.html}} {
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
	return nil
}
