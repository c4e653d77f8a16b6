// Package html writes the report as one self-contained HTML page: the document
// that a security lead forwards unchanged.
//
// It takes a report and a language and gives a page: a summary of one page for
// management, the source report's chapters (overview, defects, methods of
// attack, cases, conclusion) or those of another outline, and appendices. A
// report that was cut to a stretch of time is told in its course. Invariant: the page needs nothing from elsewhere, holds no
// script, shows every attacker-made string inert, and is the same bytes for
// the same input. Limits: the lists are cut at the caps in limits.go and say
// so; the JSON report and the XLSX hold all.
package html

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
)

// Config says how the page is written.
type Config struct {
	Lang      string         // "zh", or anything else for English
	Zone      *time.Location // of times in the page; nil: UTC. Months are the sites' own
	Messages  *message.Catalog
	Generated time.Time // shown on the cover; zero: left out
	Outline   string    // order of the chapters; empty: OutlineReport
}

// Outlines: the source report's chapters, or the process that GB/T 46796-2025
// describes. Of that standard's words only those are used whose text was read,
// and none of its clause numbers.
const (
	OutlineReport = "report"
	OutlineGBT    = "gbt"
)

//go:embed style.css templates/*.tmpl
var files embed.FS

// Write writes the page.
func Write(w io.Writer, r *report.Report, cfg Config) error {
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Lang != "zh" {
		cfg.Lang = "en"
	}
	css, err := files.ReadFile("style.css")
	if err != nil {
		return err
	}
	v := newView(report.InertCopy(r), cfg)
	style := strings.ReplaceAll(string(css), "RUNNING-TITLE", strings.NewReplacer(`"`, "", `\`, "", "\n", "").Replace(v.running()))
	sum := sha256.Sum256([]byte(style))
	v.Style = template.CSS(style) //nolint:gosec // our own file and a title of the catalogue
	v.Policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	t, err := template.New("report").Funcs(v.funcs()).ParseFS(files, "templates/*.tmpl")
	if err != nil {
		return fmt.Errorf("html report: %w", err)
	}
	v.build()
	return t.ExecuteTemplate(w, "report.tmpl", v)
}
