// Package xlsx writes the report as a workbook: one sheet per list, for people
// who sort, filter and assign.
//
// It takes a report and a language and gives a workbook with real numbers and
// dates, frozen headings and filters. Invariant: a cell is a value or inert
// text, never a formula: what an attacker wrote cannot be computed, fetched or
// hidden. Limits: a sheet holds maxRows rows and says what it left out; a cell
// holds maxCell characters.
package xlsx

import (
	"bytes"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
)

// Config says how the workbook is written.
type Config struct {
	Lang     string // "zh", or anything else for English
	Zone     *time.Location
	Messages *message.Catalog
}

// Caps of what a sheet holds; docs/en/LIMITS.md has a row for each.
const (
	maxRows = 1_000_000 // below what the format allows
	maxCell = 8_000     // characters; the format allows 32 767
)

// Write writes the workbook.
func Write(w io.Writer, r *report.Report, cfg Config) error {
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Lang != "zh" {
		cfg.Lang = "en"
	}
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	b := &book{cfg: cfg, r: report.InertCopy(r), f: f}
	b.index()
	if err := b.styles(); err != nil {
		return err
	}
	for _, s := range []func() error{b.overview, b.monthly, b.compare, b.scenarios, b.industries, b.classes, b.defects, b.changes, b.attacks, b.campaigns, b.apis, b.exposure, b.drift, b.quality} {
		if err := s(); err != nil {
			return err
		}
	}
	made := never.Format(time.RFC3339)
	if err := f.SetDocProps(&excelize.DocProperties{Creator: "Xiezhi", Title: b.t("html.title"), Language: map[string]string{"zh": "zh-CN", "en": "en"}[cfg.Lang], Created: made, Modified: made}); err != nil {
		return err
	}
	f.SetActiveSheet(0)
	var raw bytes.Buffer
	if _, err := f.WriteTo(&raw); err != nil {
		return err
	}
	return ordered(w, raw.Bytes())
}

// book is a workbook in the making.
type book struct {
	cfg    Config
	r      *report.Report
	f      *excelize.File
	sheets int

	api      map[string]*report.API
	campaign map[string]string // by attack id

	head, title, wrap, date, share, number, mean, plain, good, bad int // styles
}

func (b *book) index() {
	b.api, b.campaign = make(map[string]*report.API, len(b.r.APIs)), map[string]string{}
	for i := range b.r.APIs {
		b.api[b.r.APIs[i].ID] = &b.r.APIs[i]
	}
	for i := range b.r.Campaigns {
		for _, id := range b.r.Campaigns[i].Attacks {
			b.campaign[id] = b.r.Campaigns[i].Name
		}
	}
}

func (b *book) styles() error {
	font := map[string]string{"zh": "Microsoft YaHei", "en": "Arial"}[b.cfg.Lang]
	rule := []excelize.Border{{Type: "bottom", Color: "D5DCE3", Style: 1}}
	for _, s := range []struct {
		to *int
		st excelize.Style
	}{
		{&b.title, excelize.Style{Font: &excelize.Font{Family: font, Size: 14, Bold: true, Color: "0B3C5D"}}},
		{&b.head, excelize.Style{Font: &excelize.Font{Family: font, Size: 10, Bold: true, Color: "FFFFFF"}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"0B3C5D"}}, Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}}},
		{&b.plain, excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: rule, Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&b.wrap, excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: rule, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}}},
		{&b.number, excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: rule, NumFmt: 3, Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&b.mean, excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: rule, CustomNumFmt: ptr("0.0"), Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&b.share, excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: rule, CustomNumFmt: ptr("0.0%"), Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&b.date, excelize.Style{Font: &excelize.Font{Family: font, Size: 10}, Border: rule, CustomNumFmt: ptr("yyyy-mm-dd hh:mm:ss"), Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&b.bad, excelize.Style{Font: &excelize.Font{Family: font, Size: 10, Bold: true, Color: "FFFFFF"}, Border: rule, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"7D0F22"}}, Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&b.good, excelize.Style{Font: &excelize.Font{Family: font, Size: 10, Bold: true}, Border: rule, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"F0C35A"}}, Alignment: &excelize.Alignment{Vertical: "top"}}},
	} {
		id, err := b.f.NewStyle(&s.st)
		if err != nil {
			return err
		}
		*s.to = id
	}
	return nil
}

func ptr[T any](v T) *T { return &v }

func (b *book) t(id string, args ...any) string {
	m := message.Args{}
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i].(string)] = args[i+1]
	}
	return b.cfg.Messages.Text(id, m).In(b.cfg.Lang)
}

func (b *book) name(kind, id string) string {
	if key := kind + "." + id; b.cfg.Messages.Has(key) {
		return b.t(key)
	}
	return id
}

func (b *book) names(kind string, ids []string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = b.name(kind, id)
	}
	return strings.Join(out, b.t("html.comma"))
}

func (b *book) apiLabel(id string) string {
	if a := b.api[id]; a != nil {
		return a.Method + " " + a.Template
	}
	return b.t("report.any_api")
}

// text makes a string that no spreadsheet takes for a formula, whatever
// imports the sheet or its CSV later: the marks that start one get an
// apostrophe in front. InertCopy has made control characters visible.
func text(s string) string {
	if utf8.RuneCountInString(s) > maxCell {
		s = string([]rune(s)[:maxCell]) + "…"
	}
	switch r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \u00a0\u3000")); r {
	case '=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%':
		return "'" + s
	}
	return s
}
