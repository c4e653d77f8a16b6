package html

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// view is what the templates read. Every string of the report in it is inert.
type view struct {
	cfg    Config
	R      *report.Report
	open   []report.Defect // about which something is to be done
	Style  template.CSS
	Policy string
	Locale string // BCP 47
	Title  string

	api      map[string]*report.API
	site     map[string]*report.Site
	attack   map[string]*report.Attack
	defect   map[string]*report.Defect
	counted  []*report.Attack // likely and confirmed, in the report's order
	detailed map[string]bool  // ids that chapter 2 to 4 tell about
	figures  int
	tables   int

	Cover    cover
	Exec     executive
	Compare  compare
	Mended   mended
	Chapters []chapter
	Overview overview
	Classes  []class
	Attacks  counts
	Kinds    []kind
	Cases    []story
	Fallback bool // cases are attacks, not campaigns
	Unlisted int  // campaigns not told
	End      ending
	Appendix appendix
	GBT      bool // the outline of GB/T 46796-2025
	Faces    interfaces
}

func newView(r *report.Report, cfg Config) *view {
	v := &view{cfg: cfg, R: r, Locale: "en", api: make(map[string]*report.API, len(r.APIs)), site: map[string]*report.Site{},
		attack: map[string]*report.Attack{}, defect: map[string]*report.Defect{}, detailed: map[string]bool{}}
	if cfg.Lang == "zh" {
		v.Locale = "zh-CN"
	}
	v.open = r.Open()
	for i := range r.Sites {
		v.site[r.Sites[i].Name] = &r.Sites[i]
	}
	for i := range r.APIs {
		v.api[r.APIs[i].ID] = &r.APIs[i]
	}
	for i := range r.Defects {
		v.defect[r.Defects[i].ID] = &r.Defects[i]
	}
	for i := range r.Attacks {
		a := &r.Attacks[i]
		v.attack[a.ID] = a
		if a.Verdict != taxonomy.Suspicious.String() {
			v.counted = append(v.counted, a)
		}
	}
	return v
}

// build fills the chapters. Later ones know what earlier ones told.
func (v *view) build() {
	v.Overview = v.overview()
	v.Compare, v.Mended = v.compare(), v.mended()
	v.Classes = v.classes()
	t := v.totals()
	v.Attacks = counts{len(v.counted), t.requests, v.suspicious()}
	v.Kinds = v.kinds()
	v.Cases, v.Fallback, v.Unlisted = v.stories()
	v.End = v.ending()
	v.Appendix = v.appendix()
	v.Cover, v.Exec = v.cover(), v.executive()
	if v.GBT = v.cfg.Outline == OutlineGBT; v.GBT {
		v.Faces = v.interfaces()
	}
	v.Chapters, v.Title = v.chapters(), v.title()
}

func (v *view) funcs() template.FuncMap {
	return template.FuncMap{
		"t": v.t, "name": v.name, "Name": func(kind, id string) string { return capital(v.name(kind, id)) }, "cap": capital, "n": v.n, "pct": message.Percent,
		"when": v.when, "day": v.day, "text": func(x message.Text) string { return x.In(v.cfg.Lang) }, "api": v.apiLabel, "dash": v.dash,
		"figure": func() string { v.figures++; return v.t("html.figure", "n", strconv.Itoa(v.figures)) },
		"table":  func() string { v.tables++; return v.t("html.table", "n", strconv.Itoa(v.tables)) },
	}
}

// t is a message; args are name, value, name, value.
func (v *view) t(id string, args ...any) string {
	var m message.Args
	if len(args) > 0 {
		m = message.Args{}
		for i := 0; i+1 < len(args); i += 2 {
			m[args[i].(string)] = args[i+1]
		}
	}
	return v.cfg.Messages.Text(id, m).In(v.cfg.Lang)
}

// name is the name of a taxonomy id; an id that has none, such as one of a
// later version, stands for itself.
func (v *view) name(kind, id string) string {
	if key := kind + "." + id; v.cfg.Messages.Has(key) {
		return v.t(key)
	}
	return id
}

// names joins names, in the order given.
func (v *view) names(kind string, ids []string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = v.name(kind, id)
	}
	return strings.Join(out, v.t("html.comma"))
}

// n is a number for reading.
func (v *view) n(x any) string {
	switch x := x.(type) {
	case int:
		return message.Count(int64(x), v.cfg.Lang)
	case uint64:
		return message.Count(int64(min(x, math.MaxInt64)), v.cfg.Lang)
	case int64:
		return message.Count(x, v.cfg.Lang)
	case uint32:
		return message.Count(int64(x), v.cfg.Lang)
	}
	return fmt.Sprint(x)
}

// dash is a number, or a dash for none.
func (v *view) dash(x any) string {
	if s := v.n(x); s != "0" {
		return s
	}
	return "–"
}

// mean is an average for reading: one decimal while it tells something.
func (v *view) mean(f float64) string {
	if f >= 100 || f == math.Trunc(f) {
		return v.n(int64(math.Round(f)))
	}
	return strconv.FormatFloat(f, 'f', 1, 64)
}

func (v *view) when(t time.Time) string { return t.In(v.cfg.Zone).Format("2006-01-02 15:04") }
func (v *view) day(t time.Time) string  { return t.In(v.cfg.Zone).Format(time.DateOnly) }

// zone names the page's time zone with its offset.
func (v *view) zone(at time.Time) string {
	offset := at.In(v.cfg.Zone).Format("-07:00")
	if name := v.cfg.Zone.String(); name != "UTC" {
		return name + " (UTC" + offset + ")"
	}
	return "UTC"
}

// month is a calendar month "2006-01" for reading.
func (v *view) month(m string) string {
	t, err := time.Parse("2006-01", m)
	if err != nil {
		return m
	}
	if v.cfg.Lang == "zh" {
		return fmt.Sprintf("%d 年 %d 月", t.Year(), t.Month())
	}
	return t.Format("January 2006")
}

// apiLabel names an API: method and template.
func (v *view) apiLabel(id string) string {
	if a := v.api[id]; a != nil {
		return clip(a.Method+" "+a.Template, 160)
	}
	return v.t("report.any_api")
}

// apiLabels names the first of several APIs.
func (v *view) apiLabels(ids []string) string {
	if len(ids) == 0 {
		return v.t("report.any_api")
	}
	s := v.apiLabel(ids[0])
	if len(ids) > 1 {
		s += v.t("report.and_more", "n", len(ids)-1)
	}
	return s
}

// capital makes the first letter a capital where the script has any.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 || !unicode.IsLower(r) {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// clip shortens s to n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// counts head chapter 3.
type counts struct {
	N          int
	Requests   uint64
	Suspicious int
}

// ref is a link within the page.
type ref struct{ ID, Text string }

// anchor of a finding; ids of reports are hexadecimal, others are escaped by
// the template.
func anchor(prefix, id string) string { return prefix + id }

// shares turns counts into percentages with one decimal that add up to 100:
// the largest remainders are rounded up.
func shares(counts []uint64) []float64 {
	total := 0.0
	for _, c := range counts {
		total += float64(c)
	}
	out := make([]float64, len(counts))
	if total == 0 {
		return out
	}
	type part struct {
		i    int
		rest float64
	}
	left := 1000
	parts := make([]part, len(counts))
	for i, c := range counts {
		exact := float64(c) / total * 1000
		whole := math.Floor(exact)
		out[i], left = whole, left-int(whole)
		parts[i] = part{i, exact - whole}
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		switch {
		case a.rest > b.rest:
			return -1
		case a.rest < b.rest:
			return 1
		}
		return 0
	})
	for i := 0; i < left; i++ {
		out[parts[i%len(parts)].i]++
	}
	for i := range out {
		out[i] /= 10
	}
	return out
}

// percent writes a percentage of one decimal.
func percent(p float64) string { return strconv.FormatFloat(p, 'f', 1, 64) + "%" }

// share writes a share from 0 to 1; what is there never reads as nothing.
func share(f float64) string {
	if f > 0 && f < 0.0005 {
		return "<0.1%"
	}
	return message.Percent(f)
}

// of is a share for reading, a dash when there is no whole.
func (v *view) of(part, whole uint64) string {
	if whole == 0 {
		return "–"
	}
	return share(float64(part) / float64(whole))
}
