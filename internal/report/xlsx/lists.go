package xlsx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// maxAddresses is how many source addresses a row names.
const maxAddresses = 20

var four = []taxonomy.Scenario{taxonomy.MarketingFraud, taxonomy.AccountRisk, taxonomy.DataTheft, taxonomy.TrafficFraud}

func (b *book) overview() error {
	in := &b.r.Input
	s := b.list("overview", []column{{"xlsx.code", 32}, {"xlsx.detail", 60}}, b.t("html.title"))
	if in.First != nil && in.Last != nil {
		s.add(b.t("xlsx.first"), *in.First)
		s.add(b.t("xlsx.last"), *in.Last)
	}
	s.add(b.t("html.zone"), b.cfg.Zone.String())
	s.add(b.t("html.version"), b.t("html.version_value", "version", b.r.Version))
	if b.r.Rules != "" {
		s.add(b.t("html.rules"), b.r.Rules)
	}
	dropped, counted := uint64(0), 0
	for _, d := range in.Dropped {
		dropped += d.Count
	}
	for i := range b.r.Attacks {
		if b.r.Attacks[i].Verdict != taxonomy.Suspicious.String() {
			counted++
		}
	}
	s.add(b.t("html.quality.in"), in.Exchanges)
	s.add(b.t("html.quality.analysed"), in.Analysed)
	s.add(b.t("html.quality.dropped"), dropped)
	s.add(b.t("html.kpi.apis"), len(b.r.APIs))
	s.add(b.t("html.kpi.defects"), len(b.r.Open()))
	s.add(b.t("html.kpi.attacks"), counted)
	s.add(b.t("html.kpi.campaigns"), len(b.r.Campaigns))
	for i := range b.r.Sites {
		x := &b.r.Sites[i]
		s.add(b.t("xlsx.site"), x.Name+" · "+b.name("industry", x.Industry)+" · "+x.TimeZone)
	}
	return s.close()
}

func (b *book) scenarios() error {
	s := b.list("scenarios", []column{{"html.attacks.scenario", 20}, {"xlsx.share", 16}, {"html.attacks.requests", 16}, {"html.attacks.apis", 12}, {"html.attacks.what", 60}})
	st := b.r.Statistics.ScenarioShare
	total := uint64(0)
	for _, id := range four {
		total += st[string(id)].Requests
	}
	for _, id := range four {
		x := st[string(id)]
		part := share(0)
		if total > 0 {
			part = share(float64(x.Requests) / float64(total))
		}
		s.add(b.name("scenario", string(id)), part, x.Requests, x.APIs, prose(b.t("html.scenario.what."+string(id))))
	}
	x := st[string(taxonomy.Exploitation)]
	s.add(b.name("scenario", string(taxonomy.Exploitation)), b.t("html.scenario.beside_label"), x.Requests, x.APIs, prose(b.t("html.scenario.what.exploitation")))
	return s.close()
}

func (b *book) industries() error {
	columns := []column{{"html.industry.head", 20}}
	all := append(slices.Clone(four), taxonomy.Exploitation)
	for _, id := range all {
		columns = append(columns, column{"scenario." + string(id), 16})
	}
	s := b.list("industries", append(columns, column{"html.total", 16}))
	for _, ind := range slices.Sorted(maps.Keys(b.r.Statistics.IndustryByScenario)) {
		row, sum := []any{b.name("industry", ind)}, uint64(0)
		for _, id := range all {
			n := b.r.Statistics.IndustryByScenario[ind][string(id)]
			row, sum = append(row, n), sum+n
		}
		s.add(append(row, sum)...)
	}
	return s.close()
}

func (b *book) level(id string) level { return level{b.name("severity", id), id} }

func (b *book) classes() error {
	s := b.list("classes", []column{{"html.defects.class", 26}, {"html.defects.harm", 12}, {"html.defects.exploitability", 14}, {"html.defects.prevalence", 12}, {"html.defects.count", 10}})
	for _, c := range taxonomy.DefectClasses {
		i := slices.IndexFunc(b.r.Statistics.DefectRanking, func(r report.ClassRating) bool { return r.Class == string(c) })
		if i < 0 {
			s.add(b.name("defect_class", string(c)), "", "", "", 0)
			continue
		}
		x := b.r.Statistics.DefectRanking[i]
		s.add(b.name("defect_class", string(c)), b.level(x.Harm), b.level(x.Exploitability), b.level(x.Prevalence), x.Count)
	}
	return s.close()
}

func (b *book) defects() error {
	s := b.list("defects", []column{{"html.app.severity", 9}, {"html.defects.class", 20}, {"xlsx.code", 26}, {"html.defects.component", 14}, {"xlsx.site", 18}, {"xlsx.api", 36},
		{"xlsx.reason", 60}, {"html.defects.fix", 60}, {"html.defects.evidence", 40}, {"html.defects.harm", 9}, {"html.defects.exploitability", 9}, {"html.defects.prevalence", 9},
		{"xlsx.confidence", 9}, {"html.defects.status", 12}, {"html.defects.count", 10}, {"html.defects.exploited", 10}, {"xlsx.first", 19}, {"xlsx.last", 19}, {"xlsx.owasp", 14}, {"xlsx.cwe", 14}, {"xlsx.exchanges", 36}, {"xlsx.id", 18}})
	for i := range b.r.Defects {
		d := &b.r.Defects[i]
		site := ""
		if a := b.api[d.API]; a != nil {
			site = a.Site
		}
		var what, exchanges []string
		for _, e := range d.Evidence {
			if line := strings.TrimSpace(e.What.In(b.cfg.Lang) + " " + e.Value); !slices.Contains(what, line) {
				what = append(what, line)
			}
			exchanges = append(exchanges, e.Exchange)
		}
		s.add(b.level(d.Severity), b.name("defect_class", d.Class), b.name("defect_kind", d.Kind), d.Component, site, b.apiLabel(d.API),
			prose(d.Reason.In(b.cfg.Lang)), prose(d.Advice.In(b.cfg.Lang)), prose(strings.Join(what, b.t("html.stop"))), b.name("severity", d.Harm), b.name("severity", d.Exploitability), b.name("severity", d.Prevalence),
			share(d.Confidence), b.name("defect_status", d.Status), d.Count, len(d.ExploitedBy), d.FirstSeen, d.LastSeen, strings.Join(d.OWASP, ", "), strings.Join(d.CWE, ", "), strings.Join(exchanges, ", "), d.ID)
	}
	return s.close()
}

func (b *book) attacks() error {
	s := b.list("attacks", []column{{"html.attacks.verdict", 10}, {"html.attacks.kind", 20}, {"html.attacks.scenario", 14}, {"xlsx.site", 18}, {"xlsx.api", 36}, {"xlsx.reason", 70},
		{"html.attacks.requests", 12}, {"html.attacks.succeeded", 12}, {"html.attacks.blocked", 12}, {"html.attacks.people", 12}, {"xlsx.sources", 10}, {"xlsx.accounts", 10},
		{"html.attacks.reason", 60}, {"html.attacks.action", 12}, {"xlsx.collateral", 9}, {"xlsx.campaign", 12}, {"xlsx.confidence", 9}, {"xlsx.first", 19}, {"xlsx.last", 19}, {"xlsx.addresses", 40}, {"xlsx.places", 40}, {"xlsx.id", 26}})
	for i := range b.r.Attacks {
		a := &b.r.Attacks[i]
		var apis, why []string
		for _, id := range a.APIs {
			apis = append(apis, b.apiLabel(id))
		}
		if len(apis) == 0 {
			apis = []string{b.t("report.any_api")}
		}
		for _, x := range a.Reasons {
			why = append(why, b.name("family", x.Family)+b.t("html.colon")+map[string]string{"zh": x.Zh, "en": x.En}[b.cfg.Lang])
		}
		verdict := level{b.name("verdict", a.Verdict), map[string]string{"confirmed": "critical", "likely": "elevated"}[a.Verdict]}
		s.add(verdict, b.name("attack_kind", a.Kind), b.name("scenario", a.Scenario), a.Site, strings.Join(apis, b.t("html.comma")), prose(a.Reason.In(b.cfg.Lang)),
			a.Requests, a.Succeeded, a.Blocked, a.SubjectsExposed, a.Actors.IPCount, a.Actors.Accounts, prose(strings.Join(why, b.t("html.stop"))), b.name("action", a.Action.Kind), share(a.Action.Collateral),
			b.campaign[a.ID], share(a.Confidence), a.FirstSeen, a.LastSeen, strings.Join(a.Actors.IPs[:min(maxAddresses, len(a.Actors.IPs))], ", "), prose(a.Actors.Where(b.cfg.Messages, b.cfg.Lang)), a.ID)
	}
	return s.close()
}

func (b *book) campaigns() error {
	s := b.list("campaigns", []column{{"xlsx.campaign", 12}, {"xlsx.reason", 60}, {"html.attacks.kind", 24}, {"xlsx.site", 24}, {"html.cases.outcome", 14}, {"html.industry.head", 14}, {"html.attacks.requests", 12}, {"html.attacks.succeeded", 12}, {"html.attacks.blocked", 12},
		{"html.attacks.people", 12}, {"xlsx.sources", 12}, {"html.attacks.n", 10}, {"xlsx.links", 40}, {"xlsx.first", 19}, {"xlsx.last", 19}, {"xlsx.id", 18}})
	for i := range b.r.Campaigns {
		c := &b.r.Campaigns[i]
		var links []string
		for _, l := range c.Links {
			links = append(links, b.name("html.mark", l.Key))
		}
		s.add(c.Name, prose(c.Reason.In(b.cfg.Lang)), prose(b.names("attack_kind", c.Kinds)), prose(strings.Join(c.Sites, b.t("html.comma"))), "", prose(b.names("industry", c.Industries)), c.Requests, c.Succeeded, c.Blocked,
			c.SubjectsExposed, c.IPCount, len(c.Attacks), prose(strings.Join(links, b.t("html.comma"))), c.FirstSeen, c.LastSeen, c.ID)
		for _, t := range c.Targets {
			s.add(c.Name, "", "", t.Site, level{b.name("html.cases.outcome", t.Outcome), t.Outcome}, b.name("industry", t.Industry), t.Requests, t.Succeeded, t.Blocked, "", "", "", "", time.Time{}, time.Time{}, c.ID)
		}
	}
	return s.close()
}

func (b *book) apis() error {
	s := b.list("apis", []column{{"xlsx.site", 20}, {"xlsx.host", 24}, {"html.app.method_head", 9}, {"html.app.template", 50}, {"html.app.role", 16}, {"html.app.auth", 12}, {"html.app.calls", 12}, {"xlsx.actors", 10},
		{"xlsx.lifecycle", 10}, {"xlsx.exposure", 10}, {"html.app.d", 8}, {"html.app.a", 8}, {"xlsx.data_all", 50}, {"xlsx.first", 19}, {"xlsx.last", 19}, {"xlsx.id", 18}})
	defects, attacks := map[string]int{}, map[string]int{}
	for i := range b.r.Defects {
		defects[b.r.Defects[i].API]++
	}
	for i := range b.r.Attacks {
		if b.r.Attacks[i].Verdict != taxonomy.Suspicious.String() {
			for _, id := range b.r.Attacks[i].APIs {
				attacks[id]++
			}
		}
	}
	for i := range b.r.APIs {
		a := &b.r.APIs[i]
		var data []string
		for _, x := range a.Sensitive {
			line := b.t("xlsx.in."+x.In) + " " + b.name("sensitive", x.Type) + " " + x.Path
			if x.Masked {
				line += " " + b.t("xlsx.masked")
			}
			data = append(data, line)
		}
		s.add(a.Site, a.Host, a.Method, a.Template, b.name("role", a.Role), b.name("auth", a.Auth), a.Exchanges, a.Actors, b.name("lifecycle", a.Lifecycle), b.name("exposure", a.Exposure),
			defects[a.ID], attacks[a.ID], prose(strings.Join(data, b.t("html.stop"))), a.FirstSeen, a.LastSeen, a.ID)
	}
	return s.close()
}

// drift is a sheet only where a description was compared.
func (b *book) drift() error {
	d := b.r.Drift
	if d == nil {
		return nil
	}
	s := b.list("drift", []column{{"html.app.drift_what", 34}, {"xlsx.host", 24}, {"html.app.template", 50}, {"html.app.drift_where", 60}, {"html.app.calls", 12}, {"html.app.drift_file", 40}})
	for _, x := range report.DriftRows(d, b.cfg.Lang, b.cfg.Messages) {
		s.add(x.Kind, x.Host, x.API, prose(x.What), x.Exchanges, x.At)
	}
	return s.close()
}

func (b *book) quality() error {
	in := &b.r.Input
	s := b.list("quality", []column{{"xlsx.code", 34}, {"html.app.count", 14}, {"xlsx.detail", 90}})
	for _, d := range in.Dropped {
		s.add(b.t("html.app.dropped"), d.Count, b.name("drop_reason", d.Reason))
	}
	for _, q := range in.Quality {
		detail := ""
		if q.Detail != "" {
			detail = b.t("report.detail", "detail", q.Detail)
		}
		s.add(b.t("html.app.notes"), q.Count, prose(b.t("quality_line."+q.Code, "n", q.Count, "detail", detail)))
	}
	for _, x := range in.Blind {
		who := x.Server
		if x.Name != "" {
			who += " (" + x.Name + ")"
		}
		s.add(b.t("html.app.blind"), x.Connections, prose(who+" · "+x.Protocol+x.Detail(b.cfg.Messages, b.cfg.Lang)))
	}
	for _, p := range in.Problems {
		place := fmt.Sprintf("%s:%d", p.File, p.Line)
		if p.Line == 0 {
			place = b.t("report.at_offset", "file", p.File, "offset", fmt.Sprint(p.Offset))
		}
		s.add(b.t("html.app.problems"), 1, prose(place+b.t("report.colon")+p.Text.In(b.cfg.Lang)))
	}
	for _, n := range in.NotJudged {
		name := b.name("defect_kind", n.Kind)
		if name == n.Kind {
			name = b.name("attack_kind", n.Kind)
		}
		s.add(b.t("html.app.not_judged"), 1, prose(n.Why.In(b.cfg.Lang)+name))
	}
	for _, line := range b.r.MapLines(b.cfg.Messages, b.cfg.Lang) {
		s.add(b.t("html.app.notes"), 1, prose(line))
	}
	for _, l := range in.Limits {
		s.add(b.t("html.app.limits"), l.Count, b.name("limit", l.What))
	}
	return s.close()
}
