package html

import (
	"cmp"
	"slices"

	"xiezhi/internal/report"
	"xiezhi/internal/taxonomy"
)

// interfaces is what the outline of GB/T 46796-2025 tells of the data
// interfaces themselves.
type interfaces struct {
	Sites   []siteRow
	More    int // sites not listed
	Counts  []countGroup
	Exposed []exposedRow
	Rest    int // interfaces with plain data that are not listed
}

type siteRow struct {
	Name, Industry, Zone, Exchanges string
	APIs                            int
}

// countGroup counts APIs by a property.
type countGroup struct {
	Title string
	Items []fact
}

// exposedRow is an API that returns sensitive data in the clear.
type exposedRow struct {
	API, Site, Auth, Data, Calls string
	Most                         string // records in one response
	Level                        int
	most                         uint32
	calls                        uint64
}

// Caps of the list; docs/en/LIMITS.md has rows for them.
const (
	maxSiteRows = 50
	maxExposed  = 20
)

func (v *view) interfaces() (x interfaces) {
	apis := map[string]int{}
	by := map[string]map[string]int{"lifecycle": {}, "exposure": {}, "auth": {}}
	for i := range v.R.APIs {
		a := &v.R.APIs[i]
		apis[a.Site]++
		by["lifecycle"][a.Lifecycle]++
		by["exposure"][a.Exposure]++
		by["auth"][a.Auth]++
		if r, ok := v.exposedRow(a); ok {
			x.Exposed = append(x.Exposed, r)
		}
	}
	for i := range v.R.Sites {
		if i == maxSiteRows {
			x.More = len(v.R.Sites) - maxSiteRows
			break
		}
		s := &v.R.Sites[i]
		x.Sites = append(x.Sites, siteRow{clip(s.Name, 80), capital(v.name("industry", s.Industry)), s.TimeZone, v.n(s.Exchanges), apis[s.Name]})
	}
	for _, g := range []string{"lifecycle", "exposure", "auth"} {
		group := countGroup{Title: v.t("html.gbt.by_" + g)}
		for _, id := range most(by[g]) {
			group.Items = append(group.Items, fact{capital(v.name(g, id)), v.n(by[g][id])})
		}
		x.Counts = append(x.Counts, group)
	}
	slices.SortStableFunc(x.Exposed, func(a, b exposedRow) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(b.most, a.most), cmp.Compare(b.calls, a.calls))
	})
	if n := len(x.Exposed); n > maxExposed {
		x.Exposed, x.Rest = x.Exposed[:maxExposed], n-maxExposed
	}
	return x
}

// exposedRow tells of the plain sensitive data that an API returns, the gravest
// types first.
func (v *view) exposedRow(a *report.API) (exposedRow, bool) {
	level := map[string]int{}
	r := exposedRow{API: v.apiLabel(a.ID), Site: clip(a.Site, 80), Auth: v.name("auth", a.Auth), Calls: v.n(a.Exchanges), calls: a.Exchanges}
	for _, s := range a.Sensitive {
		if s.In != "response" || s.Masked {
			continue
		}
		if id, ok := taxonomy.ParseSensitive(s.Type); ok {
			level[s.Type] = id.Level()
		} else {
			level[s.Type] = 1 // a type of the operator's own
		}
		r.Level = max(r.Level, level[s.Type])
		r.most = max(r.most, s.MaxPerResponse)
	}
	if len(level) == 0 {
		return r, false
	}
	types := most(level)
	r.Data = v.names("sensitive", types[:min(4, len(types))])
	if len(types) > 4 {
		r.Data += v.t("report.and_more", "n", len(types)-4)
	}
	r.Most = v.n(r.most)
	return r, true
}
