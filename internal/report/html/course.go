package html

import (
	"strconv"
	"time"

	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// compare sets the figures of a period beside those of the one before.
type compare struct {
	Any          bool
	Before, Now  string // heads of the columns
	Rows         []compareRow
	Note         string
	Scenarios    int  // rows from the first that are shares of the requests
	Incomparable bool // the data begins within the period before
}

type compareRow struct {
	Label, Before, Now, Change string
	Class                      string // worse, better, or nothing
	Part                       bool   // of the row above
}

// mended is what became of defects in a period.
type mended struct {
	Any    bool
	Result string
	Groups []mendedGroup
}

type mendedGroup struct {
	Title string
	Class string
	Rows  []mendedRow
	More  int
}

type mendedRow struct {
	Day, Title, API, Site, Severity, Link string
}

// span names the period for reading.
func (v *view) span(s report.Span) string {
	t, err := time.Parse(time.DateOnly, s.First)
	switch {
	case err == nil && s.Kind == report.SpanMonth:
		return v.month(s.First[:7])
	case err == nil && s.Kind == report.SpanQuarter:
		return v.quarter(t)
	case err == nil && s.Kind == report.SpanYear:
		return v.t("html.span.year", "year", strconv.Itoa(t.Year()))
	case s.First == "":
		return v.t("html.span.until", "last", s.Last)
	case s.Last == "":
		return v.t("html.span.since", "first", s.First)
	}
	return v.t("html.period_value", "first", s.First, "last", s.Last)
}

// before names the stretch before in a sentence: "the month before".
func (v *view) before() string { return v.t("html.before." + v.R.Period.Kind) }

// previous is what the period can be compared with; nil where the data does
// not reach back to the beginning of it.
func (v *view) previous() *report.Figures {
	if p := v.R.Period; p != nil && p.Previous != nil && !p.Previous.Partly {
		return &p.Previous.Figures
	}
	return nil
}

// than says how a number stands to that of the period before.
func (v *view) than(now, before uint64) string {
	switch {
	case now == before:
		return v.t("html.than.same", "before", v.before())
	case before == 0:
		return v.t("html.than.from_none", "before", v.before())
	case now > before:
		return v.t("html.than.more", "before", v.before(), "n", now-before, "share", grown(now, before))
	}
	return v.t("html.than.less", "before", v.before(), "n", before-now, "share", grown(now, before))
}

// grown is the change in percent, with its sign.
func grown(now, before uint64) string {
	p := (float64(now)/float64(before) - 1) * 100
	switch {
	case p >= 1000:
		return "×" + strconv.FormatFloat(float64(now)/float64(before), 'f', 0, 64)
	case p > 0:
		return "+" + strconv.FormatFloat(p, 'f', 0, 64) + "%"
	}
	return "−" + strconv.FormatFloat(-p, 'f', 0, 64) + "%"
}

// course is the sentence above the chart of months: the period and how it
// stands among them.
func (v *view) course(m *months) string {
	p := v.R.Period
	if v.R.Input.First == nil {
		return v.t("html.exec.no_data", "period", v.span(p.Span()))
	}
	s := v.t("html.course.now", "period", v.span(p.Span()), "n", p.Now.AttackedAPIs, "than", v.clause(v.attackedThan()))
	if m.Covered > 1 {
		s = joinSentences(v.cfg.Lang, s, v.t("html.course.mean", "months", m.Covered, "mean", v.mean(m.Mean), "month", v.month(m.PeakMonth), "peak", m.Peak))
	}
	return s
}

// attackedThan is the clause for APIs under attack.
func (v *view) attackedThan() string {
	was := v.previous()
	if was == nil {
		return ""
	}
	return v.than(uint64(v.R.Period.Now.AttackedAPIs), uint64(was.AttackedAPIs))
}

// clause follows a sentence, where there is one.
func (v *view) clause(text string) string {
	if text == "" {
		return ""
	}
	return v.t("html.clause", "text", text)
}

func (v *view) compare() (c compare) {
	p := v.R.Period
	if p == nil {
		return c
	}
	now, was := &p.Now, (*report.Figures)(nil)
	c.Now = v.span(p.Span())
	if p.Previous != nil {
		was = &p.Previous.Figures
		c.Before = v.span(report.Span{Kind: p.Kind, First: p.Previous.First, Last: p.Previous.Last})
		if c.Incomparable = p.Previous.Partly; c.Incomparable {
			c.Note = v.t("html.compare.partly")
		}
	} else {
		c.Before, c.Note = capital(v.before()), v.t("html.compare.none")
	}
	c.Any = true
	row := func(id string, take func(*report.Figures) uint64, worse int, part bool) {
		r := compareRow{Label: v.t(id), Now: v.n(take(now)), Before: "—", Part: part}
		if was != nil {
			r.Before = v.n(take(was))
			if !c.Incomparable {
				r.Change, r.Class = v.change(take(now), take(was), worse)
			}
		}
		c.Rows = append(c.Rows, r)
	}
	of := func(take func(*report.Figures) int) func(*report.Figures) uint64 {
		return func(f *report.Figures) uint64 { return uint64(take(f)) }
	}
	row("html.compare.attacked", of(func(f *report.Figures) int { return f.AttackedAPIs }), 1, false)
	row("html.compare.attacks", of(func(f *report.Figures) int { return f.Attacks }), 1, false)
	row("html.compare.requests", func(f *report.Figures) uint64 { return f.Requests }, 1, false)
	for _, s := range append(scenarios[:len(scenarios):len(scenarios)], beside) {
		r := len(c.Rows)
		row("scenario."+s, func(f *report.Figures) uint64 { return f.Scenarios[s] }, 1, true)
		c.Rows[r].Label = capital(c.Rows[r].Label)
	}
	row("html.compare.succeeded", func(f *report.Figures) uint64 { return f.Succeeded }, 1, false)
	blocked := compareRow{Label: v.t("html.compare.blocked"), Now: v.of(now.Blocked, now.Requests), Before: "—"}
	if was != nil {
		blocked.Before = v.of(was.Blocked, was.Requests)
	}
	c.Rows = append(c.Rows, blocked)
	row("html.compare.people", func(f *report.Figures) uint64 { return f.People }, 1, false)
	row("html.compare.campaigns", of(func(f *report.Figures) int { return f.Campaigns }), 1, false)
	row("html.compare.open", of(func(f *report.Figures) int { return f.Open }), 1, false)
	row("html.compare.severe", of(func(f *report.Figures) int { return f.Severe }), 1, true)
	row("html.compare.exploited", of(func(f *report.Figures) int { return f.Exploited }), 1, true)
	row("html.compare.found", of(func(f *report.Figures) int { return f.Found }), 0, false)
	row("html.compare.fixed", of(func(f *report.Figures) int { return f.Fixed }), -1, false)
	row("html.compare.returned", of(func(f *report.Figures) int { return f.Returned }), 1, false)
	row("html.compare.new_apis", of(func(f *report.Figures) int { return f.NewAPIs }), 0, false)
	return c
}

// change is the difference for reading, and whether it is for the worse: more
// is, less is (-1), or neither (0).
func (v *view) change(now, before uint64, worse int) (text, class string) {
	if now == before {
		return "0", ""
	}
	up := now > before
	switch {
	case up:
		text = "+" + v.n(now-before)
	default:
		text = "−" + v.n(before-now)
	}
	if before > 0 {
		text += v.t("html.compare.percent", "share", grown(now, before))
	}
	if worse != 0 {
		class = "better"
		if up == (worse > 0) {
			class = "worse"
		}
	}
	return text, class
}

// maxChanges is how many defects each group of chapter 2's changes lists.
const maxChanges = 20

func (v *view) mended() (m mended) {
	p := v.R.Period
	if p == nil {
		return m
	}
	m.Any = true
	m.Result = v.t("html.mended.result", "period", v.span(p.Span()), "found", p.Now.Found, "fixed", p.Now.Fixed, "returned", p.Now.Returned, "open", p.Now.Open, "severe", p.Now.Severe)
	proving := 0
	for i := range v.open {
		if s := v.open[i].Status; s == string(taxonomy.FixClaimed) || s == string(taxonomy.Verifying) {
			proving++
		}
	}
	if proving > 0 {
		m.Result = joinSentences(v.cfg.Lang, m.Result, v.t("html.mended.proving", "n", proving))
	}
	for _, g := range []struct{ change, class string }{{report.ChangeFixed, "ok"}, {report.ChangeReturned, "critical"}, {report.ChangeClaimed, "likely"}, {report.ChangeFound, "elevated"}} {
		group := mendedGroup{Title: v.t("html.mended." + g.change), Class: g.class}
		for _, c := range p.Changes {
			d := v.defect[c.Defect]
			if c.Change != g.change || d == nil {
				continue
			}
			if len(group.Rows) == maxChanges {
				group.More++
				continue
			}
			r := mendedRow{Day: v.day(c.Time), Title: v.defectTitle(d), API: v.apiLabel(d.API), Severity: d.Severity, Link: "#" + anchor("d-", d.ID)}
			if a := v.api[d.API]; a != nil {
				r.Site = clip(a.Site, 80)
			}
			group.Rows = append(group.Rows, r)
		}
		if len(group.Rows) > 0 {
			m.Groups = append(m.Groups, group)
		}
	}
	return m
}
