package notify

import (
	"strconv"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/respond/finding"
	"xiezhi/internal/taxonomy"
)

// worse is how many times more something has to be to be told again.
const worse = 10

// campaignStep is how far people were told of a campaign.
type campaignStep struct {
	Sites     int    `json:"sites"`
	Requests  uint64 `json:"requests"`
	Succeeded bool   `json:"succeeded"`
	Exposed   uint64 `json:"exposed"`
}

func stepOf(c *finding.Campaign) campaignStep {
	return campaignStep{len(c.Sites), c.Requests, c.Succeeded > 0, c.SubjectsExposed}
}

// rung is one way in which a campaign got worse.
type rung struct {
	id string
	n  uint64
}

// climbed says in what a campaign got worse since it was told of, worst first.
// More of the same is nothing to wake anybody for, unless it is ten times more.
func (told campaignStep) climbed(now campaignStep) (out []rung) {
	if now.Exposed >= max(worse*told.Exposed, 1) {
		out = append(out, rung{"exposed", now.Exposed})
	}
	if now.Succeeded && !told.Succeeded {
		out = append(out, rung{"success", 0})
	}
	if now.Sites > told.Sites {
		out = append(out, rung{"sites", uint64(now.Sites)})
	}
	if now.Requests >= max(worse*told.Requests, 1) {
		out = append(out, rung{"requests", now.Requests})
	}
	return out
}

// campaign makes the notice of a campaign; how is empty when it is a new one.
func (v voice) campaign(c *finding.Campaign, how []rung, zone *time.Location) *Notice {
	n := &Notice{Kind: "campaign.new", Severity: Warning, Subject: c.ID, Sites: c.Sites, At: c.LastSeen.UTC(), Reason: c.Reason, Path: "/attacks/campaigns/" + c.ID}
	if c.Succeeded > 0 || c.SubjectsExposed > 0 {
		n.Severity = Critical
	}
	if len(how) == 0 {
		kind := message.Text{}
		if len(c.Kinds) > 0 {
			kind = v.texts.Text("attack_kind."+c.Kinds[0], nil)
		}
		n.Title = v.texts.Text("notify.campaign.new", message.Args{"name": c.Name, "kind": kind, "where": v.where(c.Sites)})
	} else {
		n.Kind = "campaign.grown"
		var list []message.Text
		for _, r := range how {
			list = append(list, v.texts.Text("notify.grown."+r.id, message.Args{"n": r.n}))
		}
		n.Title = v.texts.Text("notify.campaign.grown", message.Args{"name": c.Name, "how": v.list(list)})
	}
	v.fact(n, "time", v.texts.Text("notify.fact.span", message.Args{"from": c.FirstSeen.In(zone).Format(minute), "to": c.LastSeen.In(zone).Format(minute), "zone": c.LastSeen.In(zone).Format(offset)}))
	v.fact(n, "todo", v.texts.Text("notify.todo.campaign", nil))
	return n
}

func (v voice) fact(n *Notice, id string, value message.Text) {
	n.Facts = append(n.Facts, Fact{v.texts.Text("notify.fact."+id, nil), value})
}

// list joins texts.
func (v voice) list(list []message.Text) (out message.Text) {
	and := v.texts.Text("notify.grown.and", nil)
	for i, t := range list {
		if i > 0 {
			out.Zh, out.En = out.Zh+and.Zh, out.En+and.En
		}
		out.Zh, out.En = out.Zh+t.Zh, out.En+t.En
	}
	return out
}

const (
	minute = "2006-01-02 15:04"
	offset = "UTC-07:00"
)

// clock writes a moment with its zone.
func clock(t time.Time, zone *time.Location) string {
	return t.In(zone).Format(minute + " " + offset)
}

// where names one site, and counts several.
func (v voice) where(sites []string) message.Text {
	if len(sites) == 1 {
		return same(sites[0])
	}
	return v.texts.Text("notify.sites", message.Args{"n": len(sites)})
}

// defectStep is what people were told of a defect.
type defectStep struct {
	Critical  bool `json:"critical"`
	Regressed bool `json:"regressed"`
}

// defectNow is where a defect stands: what is not sure yet, or what people
// closed, is nothing to tell.
func defectNow(d *finding.Defect) defectStep {
	switch taxonomy.DefectStatus(d.Status) {
	case taxonomy.Regressed:
		return defectStep{d.Severity == taxonomy.Critical.String(), true}
	case taxonomy.Established:
		return defectStep{d.Severity == taxonomy.Critical.String(), false}
	}
	return defectStep{}
}

// defect makes the notice of a defect, and nil when it climbed no step.
func (v voice) defect(d *finding.Defect, site string, a *finding.API, told defectStep, zone *time.Location) *Notice {
	now := defectNow(d)
	n := &Notice{Kind: "defect.critical", Severity: Critical, Subject: d.ID, At: d.LastSeen.UTC(), Reason: d.Reason, Path: "/defects?open=defect~" + d.ID}
	switch {
	case now.Regressed && !told.Regressed:
		n.Kind = "defect.regressed"
		if !now.Critical {
			n.Severity = Warning
		}
	case now.Critical && !told.Critical:
	default:
		return nil
	}
	n.Title = v.texts.Text("notify."+n.Kind, message.Args{"kind": v.texts.Text("defect_kind."+d.Kind, nil), "site": site})
	if site != "" {
		n.Sites = []string{site}
	}
	if a != nil {
		v.fact(n, "api", same(a.Method+" "+a.Host+a.Template))
	}
	v.fact(n, "since", same(clock(d.FirstSeen, zone)))
	v.fact(n, "todo", d.Advice)
	return n
}

// Surge is attack traffic of the last minutes of traffic beside what was usual.
type Surge struct {
	On       bool
	From     time.Time
	Requests uint64
	Usual    float64 // in as long a time before
}

// surgeStep is how far people were told of a surge.
type surgeStep struct {
	On       bool      `json:"on"`
	Requests uint64    `json:"requests"`
	Quiet    time.Time `json:"quiet,omitzero"` // since when it is over
}

// calm is how long a surge has to be over until the next one is news.
const calm = 30 * time.Minute

// next gives the step after s, and the notice's kind unless there is none.
func (told surgeStep) next(s Surge, now time.Time) (surgeStep, string) {
	switch {
	case s.On && !told.On:
		return surgeStep{On: true, Requests: s.Requests}, "surge.begun"
	case s.On && s.Requests >= worse*max(told.Requests, 1):
		return surgeStep{On: true, Requests: s.Requests}, "surge.grown"
	case s.On:
		told.Quiet = time.Time{}
	case told.On && told.Quiet.IsZero():
		told.Quiet = now.UTC()
	case told.On && now.Sub(told.Quiet) >= calm:
		return surgeStep{}, ""
	}
	return told, ""
}

func (v voice) surge(s Surge, kind string) *Notice {
	n := &Notice{Kind: kind, Severity: Critical, At: s.From.UTC(), Title: v.texts.Text("notify."+kind, message.Args{"n": s.Requests}), Path: "/attacks?from=" + s.From.UTC().Format(time.RFC3339)}
	n.Reason = v.texts.Text("notify.surge.none", nil)
	if s.Usual > 0 {
		n.Reason = v.texts.Text("notify.surge.reason", message.Args{"usual": usual(s.Usual)})
	}
	v.fact(n, "todo", v.texts.Text("notify.todo.surge", nil))
	return n
}

func usual(f float64) string {
	if f >= 10 || f == float64(int64(f)) {
		return strconv.FormatInt(int64(f+0.5), 10)
	}
	return strconv.FormatFloat(f, 'f', 1, 64)
}
