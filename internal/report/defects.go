package report

import (
	"fmt"
	"io"
	"strings"

	"xiezhi/internal/message"
)

// DefectList prints defects as a table; apis names the APIs that they are of.
func DefectList(w io.Writer, defects []Defect, apis map[string]*API, lang string, msgs *message.Catalog) error {
	t := texts{msgs, lang}
	if len(defects) == 0 {
		_, err := fmt.Fprintln(w, t.say("defect.none", nil))
		return err
	}
	rows := [][]string{{t.say("api.head.id", nil), t.say("defect.head.severity", nil), t.say("defect.head.status", nil), t.say("defect.head.kind", nil), t.say("api.head.api", nil), t.say("api.head.site", nil), t.say("defect.head.count", nil)}}
	for i := range defects {
		d := &defects[i]
		name, site := t.api(apis[d.API])
		rows = append(rows, []string{d.ID, t.word("severity", d.Severity), t.word("defect_status", d.Status), t.word("defect_kind", d.Kind), name, site, fmt.Sprint(d.Count)})
	}
	return grid(w, "", rows)
}

// api names an API; a defect of none is one of the site.
func (t texts) api(a *API) (name, site string) {
	if a == nil {
		return t.say("report.any_api", nil), ""
	}
	return a.Method + " " + a.Template, a.Site
}

// DefectDetail prints all that is known of one defect.
func DefectDetail(w io.Writer, d *Defect, a *API, lang string, msgs *message.Catalog) error {
	t := texts{msgs, lang}
	var b strings.Builder
	name, site := t.api(a)
	fmt.Fprintf(&b, "[%s] %s  %s  (%s)\n", t.word("severity", d.Severity), t.word("defect_kind", d.Kind), Inert(name), d.ID)
	fmt.Fprintln(&b, strings.TrimPrefix(Inert(site)+" · ", " · ")+t.word("defect_class", d.Class)+" · "+t.word("defect_status", d.Status))
	fmt.Fprintln(&b, t.say("defect.seen", message.Args{"first": stamp(d.FirstSeen), "last": stamp(d.LastSeen), "count": fmt.Sprint(d.Count), "confidence": fmt.Sprintf("%.2f", d.Confidence)}))
	t.section(&b, "defect.section.reason", Inert(d.Reason.In(lang)))
	if d.Why != nil {
		t.section(&b, "defect.section.rating", Inert(d.Why.Harm.In(lang)), Inert(d.Why.Exploitability.In(lang)), Inert(d.Why.Prevalence.In(lang)))
	} else {
		t.section(&b, "defect.section.rating", Inert(d.Rating.In(lang)))
	}
	t.section(&b, "defect.section.advice", Inert(d.Advice.In(lang)))
	var lines []string
	for _, e := range d.Evidence {
		lines = append(lines, strings.TrimSpace(Inert(e.What.In(lang))+"  "+Inert(e.Value)+"  "+Inert(e.Exchange)))
		for _, part := range [...][]string{e.Request, e.Response} {
			for _, s := range part {
				lines = append(lines, "    "+Inert(s))
			}
		}
	}
	t.section(&b, "defect.section.evidence", lines...)
	lines = nil
	if d.Life != nil {
		for _, s := range d.Life.History {
			lines = append(lines, stamp(s.Time)+"  "+t.word("defect_status", s.Status)+"  "+Inert(s.Text.In(lang)))
		}
		if p := d.Life.Progress; p != nil {
			lines = append(lines, t.say("report.proof", message.Args{"have": p.Requests, "need": p.Needed, "days": int(p.Days), "need_days": int(p.DaysNeeded), "hours": p.Hours, "need_hours": p.HoursNeeded}))
		}
		if x := d.Life.Decision; x != nil {
			lines = append(lines, strings.TrimSpace(Inert(x.Reason)+"  "+Inert(x.By)))
		}
	}
	t.section(&b, "defect.section.life", lines...)
	if refs := append(append([]string{}, d.OWASP...), d.CWE...); len(refs) > 0 {
		t.section(&b, "defect.section.refs", strings.Join(refs, ", "))
	}
	if len(d.ExploitedBy) > 0 {
		t.section(&b, "defect.section.exploited", strings.Join(d.ExploitedBy, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// section prints a heading and its lines, unless there are none.
func (t texts) section(b *strings.Builder, id string, lines ...string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", t.say(id, nil))
	for _, l := range lines {
		fmt.Fprintf(b, "  %s\n", l)
	}
}
