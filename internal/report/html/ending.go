package html

import (
	"cmp"
	"slices"

	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// ending is chapter 5.
type ending struct {
	Paragraph string
	Groups    []group
}

// group is what has to be done in one stretch of time.
type group struct {
	Title, Note string
	Jobs        []job
	Rest        string
}

// job is one thing that somebody can take on.
type job struct {
	Number                       int
	Title, How, Owner, Why, Site string
	Level                        string // severity
	Link                         string
}

func (v *view) ending() ending {
	t := v.totals()
	e := ending{Paragraph: v.t("html.end.sum", "apis", len(v.R.APIs), "defects", len(v.open), "attacks", len(v.counted))}
	switch {
	case t.exploited > 0:
		e.Paragraph = joinSentences(v.cfg.Lang, e.Paragraph, v.t("html.end.sum_bad", "exploited", t.exploited))
	case len(v.open) > 0:
		e.Paragraph = joinSentences(v.cfg.Lang, e.Paragraph, v.t("html.end.sum_quiet"))
	case len(v.counted) == 0:
		e.Paragraph = joinSentences(v.cfg.Lang, e.Paragraph, v.t("html.end.sum_clean"))
	}
	urgent, other := v.fixes()
	now := group{Title: v.t("html.end.now"), Note: v.t("html.end.now_note"), Jobs: append(urgent, v.stops()...)}
	soon := group{Title: v.t("html.end.soon"), Note: v.t("html.end.soon_note"), Jobs: other}
	always := group{Title: v.t("html.end.always"), Note: v.t("html.end.always_note"), Jobs: v.habits()}
	number := 0
	for _, g := range []group{now, soon, always} {
		if len(g.Jobs) == 0 {
			continue
		}
		if n := len(g.Jobs); n > maxActions {
			g.Jobs, g.Rest = g.Jobs[:maxActions], v.t("html.end.rest", "n", n-maxActions)
		}
		for i := range g.Jobs {
			number++
			g.Jobs[i].Number = number
		}
		e.Groups = append(e.Groups, g)
	}
	return e
}

// fixes are the defects as jobs: those in use or critical at once, one each;
// the other high ones by kind and site.
func (v *view) fixes() (urgent, other []job) {
	var list []*report.Defect
	for i := range v.open {
		list = append(list, &v.open[i])
	}
	slices.SortStableFunc(list, v.urgency)
	type key struct{ kind, site string }
	grouped := map[key]int{}
	apis := map[key][]string{}
	for _, d := range list {
		if d.Status == "fixed" || d.Status == "false_positive" || d.Status == "accepted_risk" || d.Status == "retired" {
			continue
		}
		j := job{How: d.Advice.In(v.cfg.Lang), Owner: v.t("html.end.owner." + d.Class), Level: d.Severity, Link: "#" + anchor("d-", d.ID), Why: v.t("html.end.because_level", "level", capital(v.name("severity", d.Severity)))}
		site := ""
		if a := v.api[d.API]; a != nil {
			site = a.Site
			j.Site = clip(site, 80)
		}
		if len(d.ExploitedBy) > 0 {
			j.Why = v.t("html.end.because_exploited", "level", capital(v.name("severity", d.Severity)), "n", len(d.ExploitedBy))
			if n := v.exposed(d); n > 0 {
				j.Why += v.t("html.end.because_people", "n", n)
			}
		}
		j.Title = v.t("html.end.fix", "kind", v.name("defect_kind", d.Kind), "api", v.apiLabel(d.API))
		switch {
		case len(d.ExploitedBy) > 0 || d.Severity == taxonomy.Critical.String():
			urgent = append(urgent, j)
		case d.Severity == taxonomy.High.String():
			k := key{d.Kind, site}
			apis[k] = append(apis[k], d.API)
			if i, ok := grouped[k]; ok {
				other[i].Title = v.t("html.end.fix_many", "kind", v.name("defect_kind", d.Kind), "api", v.apiLabel(apis[k][0]), "n", len(apis[k]))
				continue
			}
			grouped[k] = len(other)
			other = append(other, j)
		}
	}
	return urgent, other
}

// urgency orders defects: those in use first, then the gravest, then those that
// most people's data went through.
func (v *view) urgency(a, b *report.Defect) int {
	return cmp.Or(cmp.Compare(boolInt(len(b.ExploitedBy) > 0), boolInt(len(a.ExploitedBy) > 0)), cmp.Compare(severityRank(b.Severity), severityRank(a.Severity)), cmp.Compare(v.exposed(b), v.exposed(a)))
}

func severityRank(severity string) int {
	for s := taxonomy.Moderate; s <= taxonomy.Critical; s++ {
		if s.String() == severity {
			return int(s)
		}
	}
	return 0
}

// exposed is how many people the attacks through a defect read, at most.
func (v *view) exposed(d *report.Defect) (n uint64) {
	for _, id := range d.ExploitedBy {
		if a := v.attack[id]; a != nil {
			n = max(n, a.SubjectsExposed)
		}
	}
	return n
}

// stops are confirmed attacks that succeed, are hardly blocked and go through
// no known defect: mending the defect is the better way where there is one.
func (v *view) stops() []job {
	var out []job
	seen := map[string]bool{}
	for _, a := range v.counted {
		k := a.Kind + "\x00" + v.apiLabels(a.APIs) + "\x00" + a.Site
		if a.Verdict != taxonomy.Confirmed.String() || a.Succeeded == 0 || a.Blocked*2 > a.Requests || len(a.Through) > 0 || seen[k] {
			continue
		}
		seen[k] = true
		out = append(out, job{Title: v.t("html.end.stop", "kind", v.name("attack_kind", a.Kind), "api", v.apiLabels(a.APIs)), Site: clip(a.Site, 80), Owner: v.t("html.end.owner.attack"),
			How: v.t("html.end.stop_how", "action", v.name("action", a.Action.Kind), "share", share(a.Action.Collateral)),
			Why: v.t("html.end.because_attack", "verdict", capital(v.name("verdict", a.Verdict)), "succeeded", a.Succeeded, "share", v.of(a.Blocked, a.Requests)), Level: taxonomy.High.String(), Link: "#" + anchor("a-", a.ID)})
	}
	return out
}

// habits are what the input could not show, and what keeps the figures right.
func (v *view) habits() []job {
	in := &v.R.Input
	owner := v.t("html.end.owner.visibility")
	var out []job
	if n := len(in.Blind); n > 0 {
		out = append(out, job{Title: v.t("html.end.see_encrypted", "n", n), Owner: owner})
	}
	for _, q := range in.Quality {
		if q.Code == string(taxonomy.QualityNoBodies) {
			out = append(out, job{Title: v.t("html.end.see_bodies", "n", q.Count), Owner: owner})
			break
		}
	}
	if n := v.Overview.Dropped; n > 0 && in.Exchanges > 0 && float64(n) > 0.001*float64(in.Exchanges) {
		out = append(out, job{Title: v.t("html.end.see_dropped", "n", n, "share", v.of(n, in.Exchanges)), Owner: owner})
	}
	if v.Overview.Industries.Unset && len(v.R.Sites) > 0 {
		out = append(out, job{Title: v.t("html.end.habit_industry"), Owner: owner})
	}
	return append(out, job{Title: v.t("html.end.habit_month"), Owner: owner})
}
