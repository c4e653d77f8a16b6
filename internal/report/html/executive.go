package html

import (
	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// executive is the page for management: three sentences, three figures, three
// things to do.
type executive struct {
	Sentences []sentence
	Figures   []execFigure
	Actions   []job
}

type sentence struct{ Title, Text string }

// execFigure is a number with a drawing.
type execFigure struct {
	tile
	Spark []spark // of months, or nil
	Parts []part  // of a whole, or nil
}

// spark is a bar of a small chart 120 wide and 40 high.
type spark struct {
	X, Y, W, H float64
	Now        bool
}

// part is a piece of a bar 120 wide.
type part struct {
	X, W         float64
	Class, Label string
}

// What fits the page: things to do, and characters of how to do one.
const (
	execActions = 3
	maxHow      = 220
)

func (v *view) executive() executive {
	e := executive{Sentences: []sentence{{v.t("html.exec.happened"), v.happened()}, {v.t("html.exec.worst"), v.worst()}, {v.t("html.exec.stands"), v.stands()}},
		Figures: []execFigure{v.execAPIs(), v.execRequests(), v.execDefects()}}
	for _, g := range v.End.Groups {
		for _, j := range g.Jobs {
			if j.How = sentences(j.How, maxHow); len(e.Actions) < execActions {
				e.Actions = append(e.Actions, j)
			}
		}
	}
	return e
}

// happened is what attackers did.
func (v *view) happened() string {
	t, m := v.totals(), &v.Overview.Months
	if v.R.Input.Analysed == 0 {
		return v.t("html.key.nothing")
	}
	if p := v.R.Period; p != nil && v.R.Input.First == nil {
		return v.t("html.exec.no_data", "period", v.span(p.Span()))
	}
	if len(v.counted) == 0 {
		return v.t("html.exec.no_attack")
	}
	scenario := v.name("scenario", v.largestScenario())
	succeeded := uint64(0)
	for _, a := range v.counted {
		succeeded += a.Succeeded
	}
	args := []any{"attacks", len(v.counted), "requests", t.requests, "succeeded", succeeded, "share", v.of(t.blocked, t.requests), "scenario", scenario}
	switch p := v.R.Period; {
	case p != nil:
		return v.t("html.exec.period", append(args, "period", v.span(p.Span()), "apis", p.Now.AttackedAPIs, "than", v.clause(v.attackedThan()))...)
	case m.Any && m.Covered > 1:
		return v.t("html.exec.mean", append(args, "mean", v.mean(m.Mean), "month", v.month(m.PeakMonth), "peak", m.Peak)...)
	}
	return v.t("html.exec.some", args...)
}

// largestScenario is that of most requests, of the four where they have any.
func (v *view) largestScenario() string {
	if v.Overview.HasShares {
		return v.Overview.Scenarios[0].ID
	}
	return beside
}

// worst is the defect to know of.
func (v *view) worst() string {
	urgent := v.gravestDefect()
	if urgent == nil {
		return v.t("html.exec.no_defect")
	}
	site := ""
	if a := v.api[urgent.API]; a != nil {
		site = clip(a.Site, 60)
	}
	args := []any{"kind", v.name("defect_kind", urgent.Kind), "api", v.apiLabel(urgent.API), "site", site, "level", v.name("severity", urgent.Severity)}
	t := v.totals()
	if len(urgent.ExploitedBy) == 0 {
		return v.t("html.exec.quiet", append(args, "n", len(v.open))...)
	}
	id := "html.exec.used"
	if n := v.exposed(urgent); n > 0 {
		id, args = "html.exec.used_people", append(args, "people", n)
	}
	return v.t(id, append(args, "n", t.exploited, "attacks", len(urgent.ExploitedBy))...)
}

// gravestDefect is the one that chapter 5 names first.
func (v *view) gravestDefect() *report.Defect {
	var best *report.Defect
	for i := range v.open {
		d := &v.open[i]
		if best == nil || v.urgency(d, best) < 0 {
			best = d
		}
	}
	return best
}

// stands is where things stand and what was mended.
func (v *view) stands() string {
	t := v.totals()
	if p := v.R.Period; p != nil {
		return v.t("html.exec.mended", "found", p.Now.Found, "fixed", p.Now.Fixed, "returned", p.Now.Returned, "open", p.Now.Open, "severe", p.Now.Severe)
	}
	return v.t("html.exec.inventory", "apis", len(v.R.APIs), "sites", len(v.R.Sites), "defects", len(v.open), "severe", t.critical+t.high)
}

func (v *view) execAPIs() execFigure {
	m := &v.Overview.Months
	f := execFigure{tile: tile{Label: v.t("html.exec.apis")}}
	list := v.coverage()
	switch p := v.R.Period; {
	case p != nil:
		f.Value = v.n(p.Now.AttackedAPIs)
		f.Note = capital(v.attackedThan())
	case m.Any:
		f.Label, f.Value = v.t("html.kpi.month"), v.mean(m.Mean)
		f.Note = v.t("html.kpi.month_note", "month", v.month(m.PeakMonth), "n", m.Peak)
	default:
		f.Value = "0"
	}
	f.Spark = sparks(list)
	return f
}

// maxSparks is how many months the small chart has.
const maxSparks = 13

func sparks(list []monthCount) []spark {
	list = list[max(0, len(list)-maxSparks):]
	peak := 0
	for _, m := range list {
		peak = max(peak, m.n)
	}
	if len(list) < 2 || peak == 0 {
		return nil
	}
	slot := 120.0 / float64(len(list))
	var out []spark
	for i, m := range list {
		h := tenth(36 * float64(m.n) / float64(peak))
		out = append(out, spark{X: tenth(slot*float64(i) + slot*0.12), Y: tenth(38 - h), W: tenth(slot * 0.76), H: h, Now: m.now})
	}
	return out
}

func (v *view) execRequests() execFigure {
	requests, blocked, succeeded := uint64(0), uint64(0), uint64(0)
	for _, a := range v.counted {
		requests, blocked, succeeded = requests+a.Requests, blocked+a.Blocked, succeeded+a.Succeeded
	}
	f := execFigure{tile: tile{Label: v.t("html.exec.requests"), Value: v.n(requests)}}
	if requests == 0 {
		return f
	}
	f.Note = v.t("html.exec.requests_note", "succeeded", v.of(succeeded, requests), "blocked", v.of(blocked, requests))
	rest := requests - min(requests, blocked+succeeded)
	f.Parts = parts([]uint64{succeeded, rest, blocked}, []string{"critical", "none", "ok"}, []string{v.t("html.attacks.succeeded"), v.t("html.exec.failed"), v.t("html.attacks.blocked")})
	return f
}

func (v *view) execDefects() execFigure {
	t := v.totals()
	f := execFigure{tile: tile{Label: v.t("html.exec.severe"), Value: v.n(t.critical + t.high)}}
	f.Note = v.t("html.exec.severe_note", "open", len(v.open), "exploited", t.exploited)
	counts := map[string]uint64{}
	for i := range v.open {
		counts[v.open[i].Severity]++
	}
	var ns []uint64
	var classes, labels []string
	for s := taxonomy.Critical; s >= taxonomy.Moderate; s-- {
		ns, classes, labels = append(ns, counts[s.String()]), append(classes, s.String()), append(labels, v.name("severity", s.String()))
	}
	f.Parts = parts(ns, classes, labels)
	return f
}

// parts cuts a bar in the shares of numbers.
func parts(ns []uint64, classes, labels []string) []part {
	var out []part
	x := 0.0
	for i, p := range shares(ns) {
		if ns[i] == 0 {
			continue
		}
		w := tenth(p * 1.2)
		out = append(out, part{X: tenth(x), W: w, Class: classes[i], Label: capital(labels[i])})
		x += p * 1.2
	}
	return out
}

// sentences takes as many whole sentences as n characters have room for; of a
// single long one as many words.
func sentences(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	word, stop := 0, 0
	for i, c := range r[:n] {
		switch {
		case c == '。' || c == '；' || (c == '.' || c == ';') && i+1 < len(r) && r[i+1] == ' ':
			stop = i + 1
		case c == ' ' || c == '，' || c == '、':
			word = i
		}
	}
	switch {
	case stop > 0:
		return string(r[:stop])
	case word > 0:
		return string(r[:word]) + "…"
	}
	return clip(s, n)
}
