package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/html"
	"xiezhi/internal/report/pdf"
	"xiezhi/internal/report/sarif"
	"xiezhi/internal/report/xlsx"
)

// documentFlags name the files that a report is written to.
type documentFlags struct {
	json, html, pdf, xlsx, sarif string
	browser, outline             string
}

func (d *documentFlags) register(f *pflag.FlagSet) {
	f.StringVar(&d.json, "json", "", "write the report as JSON to `FILE` (- for standard output)")
	f.StringVar(&d.html, "html", "", "write the report as one HTML page to `FILE`")
	f.StringVar(&d.pdf, "pdf", "", "print the report as PDF to `FILE`, with an installed Chromium, Chrome or Edge")
	f.StringVar(&d.xlsx, "xlsx", "", "write the report as an Excel workbook to `FILE`")
	f.StringVar(&d.sarif, "sarif", "", "write the findings as SARIF 2.1.0 to `FILE`")
	f.StringVar(&d.browser, "browser", "", "`PROGRAM` that prints the PDF (default: the first browser that is found)")
	f.StringVar(&d.outline, "outline", html.OutlineReport, "order of the chapters of HTML and PDF: report, or gbt for the process of GB/T 46796-2025")
}

func (d *documentFlags) any() bool { return d.json+d.html+d.pdf+d.xlsx+d.sarif != "" }

// documents are the opened files.
type documents struct {
	flags                        documentFlags
	json, html, pdf, xlsx, sarif io.Writer
}

// open opens the files. Where a folder is named, the file in it is called after
// what it is about.
func (d documentFlags) open(o *outputs, about, lang string) (docs documents, err error) {
	if d.outline != html.OutlineReport && d.outline != html.OutlineGBT {
		return docs, usagef("--outline %q is unknown: report or gbt", d.outline)
	}
	if d.pdf != "" { // not after an hour of analysis
		if d.browser, err = pdf.Find(d.browser); errors.Is(err, pdf.ErrNoBrowser) {
			return docs, usagef("--pdf: %w; install one (apt install chromium), name it with --browser, or write --html and print that from any browser", err)
		} else if err != nil {
			return docs, usageError{err}
		}
	}
	for _, f := range []struct {
		name *string
		w    *io.Writer
		ext  string
	}{{&d.json, &docs.json, "json"}, {&d.html, &docs.html, "html"}, {&d.pdf, &docs.pdf, "pdf"}, {&d.xlsx, &docs.xlsx, "xlsx"}, {&d.sarif, &docs.sarif, "sarif"}} {
		if st, err := os.Stat(*f.name); err == nil && st.IsDir() {
			*f.name = filepath.Join(*f.name, report.FileName(about, lang, f.ext))
		}
		if *f.w, err = o.open(*f.name); err != nil {
			return docs, err
		}
	}
	docs.flags = d
	return docs, nil
}

// write writes the report in every form that was asked for.
func (d documents) write(ctx context.Context, r *report.Report, lang string, zone *time.Location, msgs *message.Catalog) error {
	if d.json != nil {
		enc := json.NewEncoder(d.json)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("write %s: %w", d.flags.json, err)
		}
	}
	page := html.Config{Lang: lang, Zone: zone, Messages: msgs, Outline: d.flags.outline}
	if d.html != nil {
		if err := html.Write(d.html, r, page); err != nil {
			return fmt.Errorf("write %s: %w", d.flags.html, err)
		}
	}
	if d.pdf != nil {
		var b bytes.Buffer
		err := html.Write(&b, r, page)
		if err == nil {
			var printed []byte
			if printed, err = pdf.Print(ctx, b.Bytes(), pdf.Config{Browser: d.flags.browser}); err == nil {
				_, err = d.pdf.Write(printed)
			}
		}
		if err != nil {
			return fmt.Errorf("print %s: %w; write --html and print that from a browser, or name another with --browser", d.flags.pdf, err)
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
