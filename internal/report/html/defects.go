package html

import (
	"slices"
	"strconv"
	"strings"

	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// class is one section of chapter 2.
type class struct {
	ID        string
	Number    int
	Rating    *report.ClassRating // nil: none found
	Count     int
	Exploited int
	Found     string
	Unjudged  string
	Advice    []string
	Worst     []finding
	More      int
}

// finding is a defect as the page tells it.
type finding struct {
	D        *report.Defect
	Anchor   string
	Title    string
	API      string
	Site     string
	Evidence []evidence
	Asked    []string // the best exchange, by lines
	Told     []string
	UsedBy   []ref
	UsedMore int
	Refs     string
}

type evidence struct {
	What, Value string
	Times       int
}

// generalAdvice is how many lines of advice a class may have.
const generalAdvice = 5

func (v *view) classes() []class {
	unjudged := map[string]bool{}
	for _, n := range v.R.Input.NotJudged {
		unjudged[n.Kind] = true
	}
	var out []class
	for i, id := range taxonomy.DefectClasses {
		c := class{ID: string(id), Number: i + 1}
		for j := range v.R.Statistics.DefectRanking {
			if r := &v.R.Statistics.DefectRanking[j]; r.Class == c.ID {
				c.Rating = r
			}
		}
		kinds, missing := 0, 0
		for k, cl := range taxonomy.ClassOf {
			if cl == id && k != taxonomy.DefectCustom {
				if kinds++; unjudged[string(k)] {
					missing++
				}
			}
		}
		if missing > 0 {
			c.Unjudged = v.t("html.defects.unjudged", "n", missing, "all", kinds)
		}
		for n := 1; n <= generalAdvice; n++ {
			if key := "html.class." + c.ID + ".advice" + strconv.Itoa(n); v.cfg.Messages.Has(key) {
				c.Advice = append(c.Advice, v.t(key))
			}
		}
		v.fillClass(&c)
		out = append(out, c)
	}
	return out
}

// fillClass adds what was found.
func (v *view) fillClass(c *class) {
	levels, apis := map[string]int{}, map[string]bool{}
	var mine []*report.Defect
	for i := range v.open {
		d := &v.open[i]
		if d.Class != c.ID {
			continue
		}
		mine = append(mine, d)
		levels[d.Severity]++
		apis[d.API] = true
		if len(d.ExploitedBy) > 0 {
			c.Exploited++
		}
	}
	if c.Count = len(mine); c.Count == 0 {
		c.Found = v.t("html.defects.found_none")
		return
	}
	var parts []string
	for s := taxonomy.Critical; s >= taxonomy.Moderate; s-- {
		if n := levels[s.String()]; n > 0 {
			parts = append(parts, v.t("html.defects.level_n", "level", v.name("severity", s.String()), "n", n))
		}
	}
	c.Found = v.t("html.defects.found", "n", c.Count, "apis", len(apis), "levels", strings.Join(parts, v.t("html.comma")))
	if c.Exploited > 0 {
		c.Found = joinSentences(v.cfg.Lang, c.Found, v.t("html.defects.found_exploited", "n", c.Exploited))
	}
	// The report's order is by severity; one of each kind comes before a
	// second of any, so that three examples show three things.
	seen := map[string]int{}
	order := make([]int, len(mine))
	for i, d := range mine {
		order[i] = seen[d.Kind]
		seen[d.Kind]++
	}
	for round := 0; len(c.Worst) < maxWorst && round < len(mine); round++ {
		for i, d := range mine {
			if order[i] == round && len(c.Worst) < maxWorst {
				c.Worst = append(c.Worst, v.finding(d))
			}
		}
	}
	c.More = c.Count - len(c.Worst)
}

// joinSentences puts sentences after each other as the language does.
func joinSentences(lang string, s ...string) string {
	if lang == "zh" {
		return strings.Join(s, "")
	}
	return strings.Join(s, " ")
}

func (v *view) finding(d *report.Defect) finding {
	v.detailed[d.ID] = true
	f := finding{D: d, Anchor: anchor("d-", d.ID), Title: v.defectTitle(d), API: v.apiLabel(d.API)}
	if a := v.api[d.API]; a != nil {
		f.Site = clip(a.Site, 80)
	}
	for _, e := range d.Evidence {
		if len(f.Asked) == 0 {
			f.Asked, f.Told = lines(e.Request), lines(e.Response)
		}
		what := e.What.In(v.cfg.Lang)
		if n := len(f.Evidence); n > 0 && f.Evidence[n-1].What == what && f.Evidence[n-1].Value == e.Value {
			f.Evidence[n-1].Times++
			continue
		}
		if len(f.Evidence) < maxEvidence {
			f.Evidence = append(f.Evidence, evidence{What: what, Value: clip(e.Value, 200), Times: 1})
		}
	}
	f.UsedBy, f.UsedMore = v.attackRefs(d.ExploitedBy)
	f.Refs = strings.Join(append(slices.Clone(d.OWASP), d.CWE...), v.t("html.comma"))
	return f
}

// lines are the lines of an exchange, each short enough for a page.
func lines(in []string) []string {
	out := make([]string, 0, len(in))
	for _, l := range in {
		out = append(out, clip(l, 160))
	}
	return out
}

// defectTitle names a defect, with its component where it has one.
func (v *view) defectTitle(d *report.Defect) string {
	s := capital(v.name("defect_kind", d.Kind))
	if d.Component != "" {
		s += v.t("report.detail", "detail", clip(d.Component, 60))
	}
	return s
}

// attackRefs links to attacks, the earliest of them.
func (v *view) attackRefs(ids []string) (out []ref, more int) {
	var list []*report.Attack
	for _, id := range ids {
		if a := v.attack[id]; a != nil {
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(a, b *report.Attack) int { return a.FirstSeen.Compare(b.FirstSeen) })
	for _, a := range list[:min(maxRefs, len(list))] {
		out = append(out, ref{anchor("a-", a.ID), v.name("attack_kind", a.Kind) + " " + v.day(a.FirstSeen)})
	}
	return out, len(list) - len(out)
}

// defectRefs links to defects.
func (v *view) defectRefs(ids []string) (out []ref, more int) {
	for _, id := range ids {
		d := v.defect[id]
		if d == nil {
			continue
		}
		if len(out) == maxRefs {
			more++
			continue
		}
		out = append(out, ref{anchor("d-", id), v.defectTitle(d) + v.t("html.colon") + v.apiLabel(d.API)})
	}
	return out, more
}
