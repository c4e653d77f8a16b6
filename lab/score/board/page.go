package board

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"xiezhi/internal/message"
	"xiezhi/lab/score/measure"
	"xiezhi/lab/score/rival"
)

// page writes a board for people, as a Markdown document or for a terminal.
type page struct {
	out  io.Writer
	msg  *message.Catalog
	lang string
	mark bool // Markdown
	err  error
}

// Markdown writes the document docs/scoreboard.md is.
func (b *Board) Markdown(out io.Writer, msg *message.Catalog, lang string) error {
	p := &page{out: out, msg: msg, lang: lang, mark: true}
	b.write(p)
	return p.err
}

// Print writes the board for a terminal.
func (b *Board) Print(out io.Writer, msg *message.Catalog, lang string) error {
	p := &page{out: out, msg: msg, lang: lang}
	b.write(p)
	return p.err
}

func (p *page) say(id string) string { return p.with(id, nil) }
func (p *page) with(id string, args message.Args) string {
	return p.msg.Text("score."+id, args).In(p.lang)
}

func (p *page) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format, args...)
	}
}

func (p *page) head(level int, id string) {
	if p.mark {
		p.printf("%s %s\n\n", strings.Repeat("#", level), p.say(id))
		return
	}
	p.printf("%s\n\n", p.say(id))
}

func (p *page) note(text string) {
	if p.mark {
		p.printf("%s\n\n", text)
	}
}

// table writes rows under column ids.
func (p *page) table(columns []string, rows [][]string) {
	heads := make([]string, len(columns))
	for i, c := range columns {
		heads[i] = p.say("col." + c)
	}
	if p.mark {
		p.printf("| %s |\n|%s\n", strings.Join(heads, " | "), strings.Repeat("---|", len(heads)))
		for _, r := range rows {
			p.printf("| %s |\n", strings.Join(r, " | "))
		}
		p.printf("\n")
		return
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	line := func(cells []string) {
		if p.err == nil {
			_, p.err = fmt.Fprintln(w, strings.ReplaceAll(strings.Join(cells, "\t"), "**", ""))
		}
	}
	line(heads)
	for _, r := range rows {
		line(r)
	}
	p.err = cmp.Or(p.err, w.Flush())
	p.printf("\n")
}

func (b *Board) write(p *page) {
	p.head(1, "title")
	p.printf("%s\n\n", p.with("made", message.Args{"games": b.Games, "seeds": b.Seeds, "campaigns": b.Campaigns, "attacks": b.Attacks, "exchanges": b.Exchanges, "benign": b.Benign, "days": int(math.Round(b.SiteDays))}))
	p.note(p.say("why"))
	p.note(p.say("caveat"))
	b.writeBars(p)
	p.head(2, "all")
	p.note(p.say("all_note"))
	for _, s := range []struct {
		id   string
		side *Side
	}{{"without_mimics", &b.Open}, {"mimics", &b.Mimic}} {
		p.head(3, s.id)
		if s.id == "mimics" {
			p.note(p.say("mimics_note"))
		}
		p.side(s.side)
	}
	p.head(2, "kinds")
	p.kinds(b.Kinds)
	p.head(2, "cells")
	p.note(p.say("cells_note"))
	p.cells(b.Cells)
	p.head(2, "families")
	p.note(p.say("families_note"))
	what := map[string]string{}
	for _, f := range b.Folds {
		what[f.Family] = p.stump(&f.Stump)
	}
	p.recalls([]string{"family"}, b.Families, func(r *Row) []string { return []string{p.say("family." + r.Name)} }, func(r *Row) []string { return []string{what[r.Name]} }, "fitted")
	p.head(2, "knobs")
	p.recalls([]string{"knob", "value"}, b.Knobs, func(r *Row) []string {
		return []string{p.say("knob." + r.Of), p.say("knob." + r.Of + "." + r.Name)}
	}, nil)
	p.head(2, "sensors")
	p.recalls([]string{"sensor"}, b.Sensors, func(r *Row) []string { return []string{p.say("sensor." + r.Name)} }, nil)
	p.head(2, "events")
	var rows [][]string
	for _, e := range b.Events {
		rows = append(rows, []string{p.say("event." + e.Name), text(e.Times), whole(e.Attributed.Of), whole(e.Attributed.Hit)})
	}
	p.table([]string{"event", "times", "requests", "attributed"}, rows)
	p.head(2, "rivals")
	p.note(p.say("rivals_note"))
}

func (b *Board) writeBars(p *page) {
	p.head(2, "bars")
	p.note(p.say("bars_note"))
	var rows [][]string
	for _, x := range b.Bars {
		sign, verdict := "≤", p.say("missed")
		if x.Least {
			sign = "≥"
		}
		if x.Met {
			verdict = p.say("met")
		}
		reached, between := figure(float64(x.Value)), "–"
		if x.Kept != nil {
			if x.Of > 0 && math.IsInf(float64(x.Value), 1) {
				reached = p.say("never")
			}
			between = percent(*x.Kept)
		} else if x.Low != x.High && x.Low.Known() {
			between = figure(float64(x.Low)) + " … " + figure(float64(x.High))
		}
		rows = append(rows, []string{p.say("bar." + x.ID), sign + " " + figure(x.Want), reached, between, figure(x.Of), verdict})
	}
	p.table([]string{"what", "asked", "reached", "interval", "of", "verdict"}, rows)
}

func (p *page) side(s *Side) {
	row := func(who string, f *Figures) []string {
		return []string{p.say("who." + who), pair(f.Campaign), auc(f.Campaign.AP), pair(f.Cohort), auc(f.Cohort.AP), pair(f.Request), auc(f.Request.AP), short(f.Named.Recall),
			figure(f.FalseRequests.Value() * 1e6), rate(f.FalseAttacks), rate(f.FalseCampaign), auc(f.Purity) + " / " + auc(f.Completeness)}
	}
	rows := [][]string{row("plain", s.Plain), row("blind", s.Blind)}
	x := s.Stump
	rows = append(rows, []string{p.say("who.stump"), short(x.Windows) + " / " + short(x.Campaign), "–", "–", "–", auc(x.Precision) + " / " + short(x.Request), auc(x.AP), "–",
		figure(x.False.Value() * 1e6), rate(x.Alarms), "–", "–"})
	b := row("buckets", s.Buckets)
	b[7], b[11] = "–", "–"
	rows = append(rows, b)
	p.table([]string{"who", "campaign", "campaign_auc", "cohort", "cohort_auc", "request", "request_auc", "named", "fpm", "fpd", "fpw", "purity"}, rows)
}

func (p *page) kinds(list []Row) {
	var rows [][]string
	for i := range list {
		r := &list[i]
		f := r.Plain
		rows = append(rows, []string{p.kind(r.Name), whole(f.Cohort.Recall.Of), percent(f.Campaign.Recall), pair(f.Campaign), pair(f.Cohort), pair(f.Request), short(f.Named.Recall), figure(f.FalseRequests.Value() * 1e6), rate(f.FalseAttacks),
			spread(f.Probes, f.NeverFound), short(r.Blind.Campaign.Recall), short(r.Stump.Campaign), short(r.Buckets.Campaign.Recall)})
	}
	p.table([]string{"kind", "attacks", "recall", "campaign", "cohort", "request", "named", "fpm", "fpd", "probes", "blind", "stump", "buckets"}, rows)
}

func (p *page) cells(list []Row) {
	var rows [][]string
	for i := range list {
		r := &list[i]
		f := r.Plain
		rows = append(rows, []string{p.kind(r.Name), p.say("difficulty." + r.Of), whole(f.Cohort.Recall.Of), pair(f.Request), auc(f.Request.AP), pair(f.Cohort), auc(f.Cohort.AP), pair(f.Campaign), auc(f.Campaign.AP),
			spread(f.Probes, f.NeverFound), times(f.Seconds, f.NeverFound), figure(measure.Quantile(f.Lost, 0.5)), text(f.NeverFound), short(r.Blind.Campaign.Recall), short(r.Stump.Campaign), short(r.Buckets.Campaign.Recall)})
	}
	p.table([]string{"kind", "difficulty", "attacks", "request", "request_auc", "cohort", "cohort_auc", "campaign", "campaign_auc", "probes", "time", "lost", "never", "blind", "stump", "buckets"}, rows)
}

// recalls is a table of how many campaigns of each row were found.
func (p *page) recalls(first []string, list []Row, name, more func(*Row) []string, extra ...string) {
	var rows [][]string
	for i := range list {
		r := &list[i]
		row := append(name(r), whole(r.Plain.Campaign.Recall.Of), percent(r.Plain.Campaign.Recall), short(r.Plain.Request.Recall), percent(r.Blind.Campaign.Recall), short(r.Stump.Campaign), short(r.Buckets.Campaign.Recall))
		if more != nil {
			row = append(row, more(r)...)
		}
		rows = append(rows, row)
	}
	p.table(append(append(first, "campaigns", "recall", "request_recall", "blind", "stump", "buckets"), extra...), rows)
}

func (p *page) kind(id string) string { return p.msg.Text("attack_kind."+id, nil).In(p.lang) }

// stump says a stump in words.
func (p *page) stump(s *rival.Stump) string {
	if s.F1 == 0 {
		return "–"
	}
	sign := "≥"
	if s.Below {
		sign = "≤"
	}
	return p.with("stump", message.Args{"feature": p.say("feature." + rival.FeatureIDs[s.Feature]), "entity": p.say("entity." + rival.EntityIDs[s.Entity]), "span": span(rival.Spans[s.Span].Seconds()), "than": sign + " " + figure(math.Round(s.Threshold()*100)/100)})
}

// figure writes a number with as many digits as it deserves.
func figure(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 0):
		return "∞"
	case v == math.Trunc(v) || v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.3f", v), "0"), ".")
}

func whole(v float64) string { return fmt.Sprintf("%.0f", v) }

func auc(n Number) string {
	if !n.Known() {
		return "–"
	}
	return fmt.Sprintf("%.3f", float64(n))
}

func short(s measure.Share) string { return auc(Number(s.Value())) }

func pair(l Level) string { return short(l.Precision) + " / " + short(l.Recall) }

// percent is a share with its interval.
func percent(s measure.Share) string {
	if !s.Known() {
		return "–"
	}
	low, high := s.Wilson()
	return fmt.Sprintf("%.3f (%.2f–%.2f)", s.Value(), low, high)
}

func rate(r measure.Rate) string { return figure(math.Round(r.Value()*1000) / 1000) }

// spread is median and worst tenth of attacks; those never found are worst.
func spread(values []float64, never int) string {
	all := values[:len(values):len(values)]
	for range never {
		all = append(all, inf)
	}
	return figure(measure.Quantile(all, 0.5)) + " / " + figure(measure.Quantile(all, 0.9))
}

func times(values []float64, never int) string {
	all := values[:len(values):len(values)]
	for range never {
		all = append(all, inf)
	}
	return span(measure.Quantile(all, 0.5)) + " / " + span(measure.Quantile(all, 0.9))
}

func span(seconds float64) string {
	if math.IsNaN(seconds) || math.IsInf(seconds, 0) {
		return figure(seconds)
	}
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return strings.Replace(fmt.Sprintf("%.1f h", d.Hours()), ".0 h", " h", 1)
}
