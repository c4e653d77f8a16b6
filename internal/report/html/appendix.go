package html

import (
	"fmt"
	"slices"
	"time"

	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// appendix holds what nobody reads from end to end and everybody looks up.
type appendix struct {
	Defects     []defectRow
	MoreDefects int
	Attacks     []attackRow
	MoreAttacks int
	Sites       []siteAPIs
	APIs        int
	MoreAPIs    int
	Changes     []changeRow
	MoreChanges int
	DriftLead   string
	Drift       []driftRow
	MoreDrift   int
	Quality     qualityList
	Method      []string
	Terms       []term
}

type defectRow struct {
	finding
	Told bool // chapter 2 has it; the row links there
}

type attackRow struct {
	example
	Told bool
}

type siteAPIs struct {
	Site string
	Rows []apiRow
}

type apiRow struct {
	Method, Template, Role, Auth, Calls, Data string
	Defects, Attacks                          string
}

// changeRow is something that an API did not do before.
type changeRow struct {
	Time      time.Time
	API, Site string
	Text      string
}

// driftRow is a difference from a description.
type driftRow struct{ Kind, API, What, Calls, File string }

// maxDrift is how many differences from descriptions the page lists.
const maxDrift = 300

// maxAPIChanges is how many changes of APIs the page lists, the latest first.
const maxAPIChanges = 60

type qualityList struct {
	Dropped                           []fact
	Notes, Blind, Places, Kinds, Full []string
	MoreBlind, MorePlaces             int
}

type term struct{ Term, Meaning string }

// terms of the glossary, in its order.
var terms = []string{"bola", "bfla", "scanning", "stuffing", "scraping", "gang", "verdict", "selector", "collateral", "token", "shape", "ja4"}

// notes on method, in their order.
var methodNotes = []string{"api", "month", "mean", "scenario", "verdict", "severity", "blocked", "people", "privacy", "rounding"}

func (v *view) appendix() appendix {
	var a appendix
	for i := range v.R.Defects {
		if i == maxDefects {
			a.MoreDefects = len(v.R.Defects) - maxDefects
			break
		}
		d := &v.R.Defects[i]
		told := v.detailed[d.ID]
		a.Defects = append(a.Defects, defectRow{v.finding(d), told})
	}
	for i := range v.R.Attacks {
		if i == maxAttacks {
			a.MoreAttacks = len(v.R.Attacks) - maxAttacks
			break
		}
		x := &v.R.Attacks[i]
		told := v.detailed[x.ID]
		a.Attacks = append(a.Attacks, attackRow{v.example(x), told})
	}
	v.inventory(&a)
	v.changes(&a)
	v.drift(&a)
	a.Quality = v.qualityList()
	for _, id := range methodNotes {
		a.Method = append(a.Method, v.t("html.method."+id))
	}
	for _, id := range terms {
		a.Terms = append(a.Terms, term{v.t("html.term." + id), v.t("html.term." + id + ".def")})
	}
	return a
}

// inventory lists the APIs by site.
func (v *view) inventory(a *appendix) {
	defects, attacks := map[string]int{}, map[string]int{}
	for i := range v.R.Defects {
		defects[v.R.Defects[i].API]++
	}
	for _, x := range v.counted {
		for _, id := range x.APIs {
			attacks[id]++
		}
	}
	a.APIs = len(v.R.APIs)
	for i := range v.R.APIs {
		if i == maxAPIs {
			a.MoreAPIs = len(v.R.APIs) - maxAPIs
			break
		}
		x := &v.R.APIs[i]
		if n := len(a.Sites); n == 0 || a.Sites[n-1].Site != x.Site {
			a.Sites = append(a.Sites, siteAPIs{Site: x.Site})
		}
		template := clip(x.Template, 160)
		if x.Host != x.Site {
			template = clip(x.Host, 80) + template
		}
		s := &a.Sites[len(a.Sites)-1]
		s.Rows = append(s.Rows, apiRow{clip(x.Method, 16), template, v.name("role", x.Role), v.name("auth", x.Auth), v.n(x.Exchanges), v.data(x), v.dash(defects[x.ID]), v.dash(attacks[x.ID])})
	}
}

// changes lists what changed about APIs, the latest first.
func (v *view) changes(a *appendix) {
	for i := range v.R.APIs {
		x := &v.R.APIs[i]
		if x.Contract == nil {
			continue
		}
		for _, c := range x.Contract.Changes {
			a.Changes = append(a.Changes, changeRow{c.Time, clip(x.Method+" "+x.Template, 160), clip(x.Site, 80), clip(report.ChangeText(c, v.cfg.Messages).In(v.cfg.Lang), 200)})
		}
	}
	slices.SortStableFunc(a.Changes, func(x, y changeRow) int { return y.Time.Compare(x.Time) })
	if n := len(a.Changes); n > maxAPIChanges {
		a.Changes, a.MoreChanges = a.Changes[:maxAPIChanges], n-maxAPIChanges
	}
}

// drift lists the differences from descriptions, by kind.
func (v *view) drift(a *appendix) {
	d := v.R.Drift
	if d == nil {
		return
	}
	a.DriftLead = report.DriftSummary(d, v.cfg.Lang, v.cfg.Messages)
	for _, x := range report.DriftRows(d, v.cfg.Lang, v.cfg.Messages) {
		if len(a.Drift) == maxDrift {
			a.MoreDrift++
			continue
		}
		a.Drift = append(a.Drift, driftRow{x.Kind, clip(x.API, 160), clip(x.What, 200), v.dash(int(x.Exchanges)), clip(x.At, 120)})
	}
	a.MoreDrift += d.Over
}

// data names the gravest type of unmasked data that an API returns.
func (v *view) data(a *report.API) string {
	best, top := "", 0
	types := map[string]bool{}
	for _, s := range a.Sensitive {
		if s.In != "response" || s.Masked {
			continue
		}
		types[s.Type] = true
		if id, ok := taxonomy.ParseSensitive(s.Type); ok && id.Level() > top {
			best, top = s.Type, id.Level()
		}
	}
	if best == "" {
		return "–"
	}
	s := v.name("sensitive", best)
	if len(types) > 1 {
		s += fmt.Sprintf(" +%d", len(types)-1)
	}
	return s
}

func (v *view) qualityList() qualityList {
	in := &v.R.Input
	var q qualityList
	for _, d := range in.Dropped {
		q.Dropped = append(q.Dropped, fact{v.name("drop_reason", d.Reason), v.n(d.Count)})
	}
	for i, x := range in.Quality {
		if i == maxPlaces {
			break
		}
		q.Notes = append(q.Notes, v.qualityLine(x))
	}
	for i, b := range in.Blind {
		if i == maxPlaces {
			q.MoreBlind = len(in.Blind) - maxPlaces
			break
		}
		who := b.Server
		if b.Name != "" {
			who += " (" + b.Name + ")"
		}
		q.Blind = append(q.Blind, v.t("report.blind", "server", who, "protocol", b.Protocol, "connections", b.Connections, "mb", fmt.Sprintf("%.1f", float64(b.Bytes)/1e6), "detail", b.Detail(v.cfg.Messages, v.cfg.Lang)))
	}
	for i, p := range in.Problems {
		if i == maxPlaces {
			q.MorePlaces = len(in.Problems) - maxPlaces
			break
		}
		place := fmt.Sprintf("%s:%d", p.File, p.Line)
		if p.Line == 0 {
			place = v.t("report.at_offset", "file", p.File, "offset", fmt.Sprint(p.Offset))
		}
		q.Places = append(q.Places, place+v.t("report.colon")+p.Text.In(v.cfg.Lang))
	}
	q.Kinds = v.notJudged(false)
	for i, l := range in.Limits {
		if i == maxPlaces {
			break
		}
		what := l.What
		if id := "limit." + what; v.cfg.Messages.Has(id) {
			what = v.t(id)
		}
		q.Full = append(q.Full, v.t("report.limit", "what", what, "n", l.Count))
	}
	q.Notes = append(q.Notes, v.R.MapLines(v.cfg.Messages, v.cfg.Lang)...)
	if in.Addresses == "token" {
		q.Notes = append(q.Notes, v.t("report.addresses_hidden"))
	}
	return q
}
