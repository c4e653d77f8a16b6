package html

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// scenarios are the four of the source report, in the order of its text;
// exploitation is counted beside them.
var scenarios = []string{string(taxonomy.MarketingFraud), string(taxonomy.AccountRisk), string(taxonomy.DataTheft), string(taxonomy.TrafficFraud)}

const beside = string(taxonomy.Exploitation)

// cover is the first page and the one that says it all.
type cover struct {
	Period, Zone, Sites, Version, Generated string
	About                                   string // the period by its name, where it has one
	Tiles                                   []tile
	Columns                                 int
	Points                                  []string
}

type tile struct {
	Label, Value, Note, Class string
}

// overview is chapter 1.
type overview struct {
	Months     months
	Scenarios  []scenario // the four, largest first
	Beside     scenario
	HasShares  bool
	Ring       []arc
	Largest    string // sentence
	Industries heat
	Dropped    uint64
	Volume     string
	Unseen     []string
}

type scenario struct {
	ID       string
	Requests uint64
	APIs     int
	Percent  float64
	Share    string
}

func (v *view) overview() overview {
	o := overview{Months: v.months(), Industries: v.industries()}
	st := &v.R.Statistics
	counts := make([]uint64, len(scenarios))
	for i, id := range scenarios {
		counts[i] = st.ScenarioShare[id].Requests
		o.HasShares = o.HasShares || counts[i] > 0
	}
	for i, p := range shares(counts) {
		s := scenario{ID: scenarios[i], Requests: counts[i], APIs: st.ScenarioShare[scenarios[i]].APIs, Percent: p, Share: percent(p)}
		o.Scenarios = append(o.Scenarios, s)
	}
	slices.SortStableFunc(o.Scenarios, func(a, b scenario) int { return cmp.Compare(b.Requests, a.Requests) })
	o.Ring = ring(o.Scenarios)
	x := st.ScenarioShare[beside]
	o.Beside = scenario{ID: beside, Requests: x.Requests, APIs: x.APIs}
	if first := o.Scenarios[0]; o.HasShares {
		o.Largest = v.t("html.scenario.result", "first", capital(v.name("scenario", first.ID)), "share", first.Share, "apis", first.APIs)
	}
	for _, d := range v.R.Input.Dropped {
		o.Dropped += d.Count
	}
	o.Volume = volume(v.R.Input.Bytes)
	o.Unseen = v.unseen()
	return o
}

// volume is a number of bytes for reading.
func volume(n int64) string {
	f, unit := float64(n), 0
	for f >= 1000 && unit < 4 {
		f, unit = f/1000, unit+1
	}
	digits := 0
	if f < 100 && unit > 0 {
		digits = 1
	}
	return trimFloat(f, digits) + []string{" B", " kB", " MB", " GB", " TB"}[unit]
}

// unseen says in one line each what the input did not show.
func (v *view) unseen() []string {
	in := &v.R.Input
	var out []string
	for _, d := range in.Dropped {
		out = append(out, v.t("report.dropped", "n", d.Count, "why", v.name("drop_reason", d.Reason)))
	}
	if n := len(in.Blind); n > 0 {
		out = append(out, v.t("html.key.blind", "n", n))
	}
	for _, q := range in.Quality {
		if q.Code == string(taxonomy.QualityNoBodies) || q.Code == string(taxonomy.QualityNoResponses) || q.Code == string(taxonomy.QualityOneSided) {
			out = append(out, v.qualityLine(q))
		}
	}
	return append(out, v.notJudged(true)...)
}

func (v *view) qualityLine(q report.QualityCount) string {
	detail := ""
	if q.Detail != "" {
		detail = v.t("report.detail", "detail", q.Detail)
	}
	return v.t("quality_line."+q.Code, "n", q.Count, "detail", detail)
}

// notJudged groups kinds by the reason why they could not be judged; in short,
// a long list is a number.
func (v *view) notJudged(short bool) []string {
	var whys []string
	kinds := map[string][]string{}
	for _, n := range v.R.Input.NotJudged {
		why := n.Why.In(v.cfg.Lang)
		if len(kinds[why]) == 0 {
			whys = append(whys, why)
		}
		name := v.name("defect_kind", n.Kind)
		if name == n.Kind {
			name = v.name("attack_kind", n.Kind)
		}
		kinds[why] = append(kinds[why], name)
	}
	out := make([]string, len(whys))
	for i, why := range whys {
		if out[i] = why + strings.Join(kinds[why], v.t("html.comma")); short && len(kinds[why]) > fewKinds {
			out[i] = why + v.t("html.quality.kinds", "n", len(kinds[why]))
		}
	}
	return out
}

func (v *view) cover() cover {
	in := &v.R.Input
	c := cover{Version: v.t("html.version_value", "version", v.R.Version), Period: v.t("html.period_none")}
	at := time.Unix(0, 0)
	if in.First != nil && in.Last != nil {
		at = *in.Last
		c.Period = v.t("html.period_value", "first", v.day(*in.First), "last", v.day(*in.Last))
		if v.day(*in.First) == v.day(*in.Last) {
			c.Period = v.t("html.period_value", "first", v.when(*in.First), "last", in.Last.In(v.cfg.Zone).Format("15:04"))
		}
	}
	if p := v.R.Period; p != nil {
		c.About, c.Period = v.span(p.Span()), v.t("html.period_value", "first", p.First, "last", p.Last)
		if p.First == "" || p.Last == "" {
			c.Period = c.About
		}
		switch {
		case in.First == nil:
			c.Period = v.t("html.period_uncovered", "period", c.Period)
		case p.First != "" && v.day(*in.First) > p.First || p.Last != "" && v.day(*in.Last) < p.Last:
			// A site far to the east has its first day while ours is the one before.
			from, to := max(v.day(*in.First), p.First), v.day(*in.Last)
			if p.Last != "" {
				to = min(to, p.Last)
			}
			c.Period = v.t("html.period_covered", "period", c.Period, "covered", v.t("html.period_value", "first", from, "last", to))
		}
	}
	c.Zone = v.zone(at)
	var names []string
	for i := range v.R.Sites {
		if i == maxSites {
			break
		}
		names = append(names, clip(v.R.Sites[i].Name, 60))
	}
	list := strings.Join(names, v.t("html.comma"))
	if len(v.R.Sites) > maxSites {
		list = v.t("html.sites_more", "names", list)
	}
	if c.Sites = v.t("html.sites_value", "n", len(v.R.Sites), "names", list); len(names) == 0 {
		c.Sites = "0"
	}
	if !v.cfg.Generated.IsZero() {
		c.Generated = v.when(v.cfg.Generated)
	}
	c.Tiles, c.Points = v.tiles(), v.points()
	c.Columns = 3
	if n := len(c.Tiles); n%3 != 0 && n > 6 {
		c.Columns = 4
	}
	return c
}

// totals are the figures that several places quote.
type totals struct {
	requests, blocked, people uint64
	confirmed, theft          int
	exploited, critical, high int
	exploitedAPIs             int
	through                   int // attacks that go through a defect
}

func (v *view) totals() (t totals) {
	apis := map[string]bool{}
	for _, a := range v.counted {
		t.requests, t.blocked, t.people = t.requests+a.Requests, t.blocked+a.Blocked, max(t.people, a.SubjectsExposed)
		if a.Verdict == taxonomy.Confirmed.String() {
			t.confirmed++
		}
		if a.Scenario == string(taxonomy.DataTheft) {
			t.theft++
		}
		if len(a.Through) > 0 {
			t.through++
		}
	}
	for i := range v.open {
		d := &v.open[i]
		switch d.Severity {
		case taxonomy.Critical.String():
			t.critical++
		case taxonomy.High.String():
			t.high++
		}
		if len(d.ExploitedBy) > 0 {
			t.exploited++
			if !apis[d.API] {
				apis[d.API] = true
				t.exploitedAPIs++
			}
		}
	}
	return t
}

func (v *view) tiles() []tile {
	t, m := v.totals(), &v.Overview.Months
	out := []tile{{Label: v.t("html.kpi.apis"), Value: v.n(len(v.R.APIs)), Note: v.t("html.kpi.apis_note", "n", len(v.R.Sites))}}
	if p := v.R.Period; p != nil {
		out = append(out, tile{Label: v.t("html.exec.apis"), Value: v.n(p.Now.AttackedAPIs), Note: v.t("html.kpi.period_note", "mean", v.mean(m.Mean), "months", m.Covered)})
	} else if m.Any {
		out = append(out, tile{Label: v.t("html.kpi.month"), Value: v.mean(m.Mean), Note: v.t("html.kpi.month_note", "month", v.month(m.PeakMonth), "n", m.Peak)})
	}
	out = append(out, tile{Label: v.t("html.kpi.attacks"), Value: v.n(len(v.counted)), Note: v.t("html.kpi.attacks_note", "confirmed", t.confirmed, "likely", len(v.counted)-t.confirmed)},
		tile{Label: v.t("html.kpi.requests"), Value: v.n(t.requests), Note: v.t("html.kpi.requests_note", "share", v.of(t.blocked, t.requests))})
	if v.Overview.HasShares {
		s := v.Overview.Scenarios[0]
		out = append(out, tile{Label: v.t("html.kpi.scenario"), Value: capital(v.name("scenario", s.ID)), Note: v.t("html.kpi.scenario_note", "share", s.Share), Class: "words"})
	}
	bad := ""
	if t.exploited > 0 {
		bad = "bad"
	}
	out = append(out, tile{Label: v.t("html.kpi.defects"), Value: v.n(len(v.open)), Note: v.t("html.kpi.defects_note", "critical", t.critical, "high", t.high)},
		tile{Label: v.t("html.kpi.exploited"), Value: v.n(t.exploited), Note: v.t("html.kpi.exploited_note", "n", t.exploitedAPIs), Class: bad})
	if t.people > 0 {
		out = append(out, tile{Label: v.t("html.kpi.people"), Value: v.n(t.people), Note: v.t("html.kpi.people_note", "n", t.theft), Class: "bad"})
	}
	if n := len(v.R.Campaigns); n > 0 {
		joined := map[string]bool{}
		for i := range v.R.Campaigns {
			for _, id := range v.R.Campaigns[i].Attacks {
				joined[id] = true
			}
		}
		out = append(out, tile{Label: v.t("html.kpi.campaigns"), Value: v.n(n), Note: v.t("html.kpi.campaigns_note", "n", len(joined))})
	}
	return out
}

// points are the sentences that a reader takes away.
func (v *view) points() []string {
	if v.R.Input.Analysed == 0 {
		return []string{v.t("html.key.nothing")}
	}
	var out []string
	t, m, o := v.totals(), &v.Overview.Months, &v.Overview
	switch {
	case v.R.Period != nil:
		out = append(out, v.course(m))
	case m.Any && m.Covered > 1:
		out = append(out, v.t("html.key.month", "mean", v.mean(m.Mean), "month", v.month(m.PeakMonth), "n", m.Peak))
	case m.Any:
		out = append(out, v.t("html.key.one_month", "month", v.month(m.PeakMonth), "n", m.Peak))
	}
	if o.HasShares {
		first, second := o.Scenarios[0], o.Scenarios[1]
		if second.Requests > 0 {
			out = append(out, v.t("html.key.scenario_two", "first", v.name("scenario", first.ID), "share", first.Share, "second", v.name("scenario", second.ID), "share2", second.Share))
		} else {
			out = append(out, v.t("html.key.scenario", "first", v.name("scenario", first.ID), "share", first.Share))
		}
	}
	if h := &o.Industries; len(h.Rows) > 1 {
		out = append(out, v.t("html.key.industry", "industry", v.name("industry", h.Rows[0].ID), "n", h.Rows[0].Total, "scenario", v.name("scenario", h.Rows[0].Main)))
	}
	if len(v.open) > 0 {
		worst := &v.open[0] // the list is in the order of what to do first
		out = append(out, v.t("html.key.defect", "n", len(v.open), "class", v.name("defect_class", worst.Class),
			"count", v.R.Statistics.DefectsByClass[worst.Class], "severity", v.name("severity", worst.Severity)))
	}
	if t.exploited > 0 {
		out = append(out, v.t("html.key.exploited", "n", t.exploited, "attacks", t.through))
	}
	if len(v.R.Campaigns) > 0 {
		big := slices.MaxFunc(v.largestCampaigns(), func(a, b *report.Campaign) int {
			return cmp.Or(cmp.Compare(a.Requests, b.Requests), cmp.Compare(b.ID, a.ID))
		})
		out = append(out, v.t("html.key.gang", "n", len(v.R.Campaigns), "name", big.Name, "sites", len(big.Sites), "requests", big.Requests))
	}
	if t.people > 0 {
		out = append(out, v.t("html.key.people", "n", t.people))
	}
	if len(v.open) == 0 && len(v.counted) == 0 {
		out = append(out, v.t("html.key.clean"))
	}
	if n := len(v.R.Input.Blind); n > 0 {
		out = append(out, v.t("html.key.blind", "n", n))
	}
	return out
}
