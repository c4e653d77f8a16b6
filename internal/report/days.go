package report

import (
	"slices"
	"strings"
	"time"

	"xiezhi/internal/message"
)

// Days cuts a report to the days from first to last, both included, written
// 2006-01-02 and taken in each site's own zone; an empty bound is open. What
// attacks did is cut by day; an attack without rows by day, and defects and
// APIs, stay when they were seen in that time. Calls per API and the totals of
// the input cannot be split and stay.
func Days(r *Report, first, last string, msgs *message.Catalog) *Report {
	out := *r
	out.Sites = slices.Clone(r.Sites)
	zone := make(map[string]*time.Location, len(r.Sites))
	for i := range r.Sites {
		if l, err := time.LoadLocation(r.Sites[i].TimeZone); err == nil {
			zone[r.Sites[i].Name] = l
		}
	}
	in := func(day string) bool { return (first == "" || day >= first) && (last == "" || day <= last) }
	touches := func(site string, from, to time.Time) bool {
		l := zone[site]
		if l == nil {
			l = time.UTC
		}
		return (last == "" || from.In(l).Format(time.DateOnly) <= last) && (first == "" || to.In(l).Format(time.DateOnly) >= first)
	}
	site := make(map[string]string, len(r.APIs))
	out.APIs, out.Defects, out.Attacks = []API{}, []Defect{}, []Attack{}
	for _, a := range r.APIs {
		site[a.ID] = a.Site
		if touches(a.Site, a.FirstSeen, a.LastSeen) {
			out.APIs = append(out.APIs, a)
		}
	}
	for _, d := range r.Defects {
		if touches(site[d.API], d.FirstSeen, d.LastSeen) {
			d.ExploitedBy = slices.Clone(d.ExploitedBy)
			out.Defects = append(out.Defects, d)
		}
	}
	for _, a := range r.Attacks {
		if len(a.Activity) == 0 {
			if touches(a.Site, a.FirstSeen, a.LastSeen) {
				out.Attacks = append(out.Attacks, a)
			}
			continue
		}
		whole := len(a.Activity)
		a.Activity = slices.DeleteFunc(slices.Clone(a.Activity), func(x Activity) bool { return !in(x.Day) })
		if len(a.Activity) == 0 {
			continue
		}
		if len(a.Activity) < whole {
			a.sum()
			a.clamp(first, last, zone[a.Site])
		}
		out.Attacks = append(out.Attacks, a)
	}
	out.Input = r.Input
	out.Input.First, out.Input.Last = clampTimes(r, first, last, zone)
	finish(&out, msgs)
	ids := map[string]bool{}
	for i := range out.Attacks {
		ids[out.Attacks[i].ID] = true
	}
	out.Campaigns = slices.DeleteFunc(slices.Clone(out.Campaigns), func(c Campaign) bool {
		return !slices.ContainsFunc(c.Attacks, func(id string) bool { return ids[id] })
	})
	return &out
}

// clamp moves an attack's first and last moment into the days.
func (a *Attack) clamp(first, last string, l *time.Location) {
	if l == nil {
		l = time.UTC
	}
	if from, err := time.ParseInLocation(time.DateOnly, first, l); err == nil && a.FirstSeen.Before(from) {
		a.FirstSeen = from.UTC()
	}
	if to, err := time.ParseInLocation(time.DateOnly, last, l); err == nil {
		if end := to.AddDate(0, 0, 1).Add(-time.Nanosecond); a.LastSeen.After(end) {
			a.LastSeen = end.UTC()
		}
	}
}

// clampTimes gives the report's own first and last moment within the days, in
// the zone that reaches furthest.
func clampTimes(r *Report, first, last string, zone map[string]*time.Location) (from, to *time.Time) {
	from, to = r.Input.First, r.Input.Last
	if from == nil || to == nil {
		return from, to
	}
	begin, end := time.Time{}, time.Time{}
	zones := []*time.Location{}
	for _, l := range zone {
		zones = append(zones, l)
	}
	slices.SortFunc(zones, func(a, b *time.Location) int { return strings.Compare(a.String(), b.String()) })
	if len(zones) == 0 {
		zones = append(zones, time.UTC)
	}
	for _, l := range zones {
		if t, err := time.ParseInLocation(time.DateOnly, first, l); err == nil && (begin.IsZero() || t.Before(begin)) {
			begin = t
		}
		if t, err := time.ParseInLocation(time.DateOnly, last, l); err == nil {
			if t = t.AddDate(0, 0, 1).Add(-time.Nanosecond); t.After(end) {
				end = t
			}
		}
	}
	if !begin.IsZero() && from.Before(begin) {
		b := begin.UTC()
		from = &b
	}
	if !end.IsZero() && to.After(end) {
		e := end.UTC()
		to = &e
	}
	return from, to
}
