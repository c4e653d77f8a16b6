package report

import (
	"cmp"
	"slices"
	"time"

	"xiezhi/internal/defect"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Days cuts a report to the days from first to last, both included, written
// 2006-01-02 and taken in each site's own zone; an empty bound is open. What
// attacks did is cut by day; an attack without rows by day, and APIs, stay when
// they were seen in that time. A defect stays when it was seen or open in that
// time or something became of it, in the state that it had at the end; the API
// that it is of stays with it. Calls per API, the level of defects and the
// totals of the input cannot be split and stay.
func Days(r *Report, first, last string, msgs *message.Catalog) *Report {
	out := *r
	out.Sites = slices.Clone(r.Sites)
	span := Between(first, last)
	zone, siteOf := r.zoneOf(), r.siteOf()
	day := func(site string, t time.Time) string { return t.In(zone(site)).Format(time.DateOnly) }
	touches := func(site string, from, to time.Time) bool {
		return (last == "" || day(site, from) <= last) && (first == "" || day(site, to) >= first)
	}
	out.APIs, out.Defects, out.Attacks = []API{}, []Defect{}, []Attack{}
	needed := map[string]bool{}
	for _, d := range r.Defects {
		site := siteOf(&d)
		if last != "" && day(site, d.FirstSeen) > last {
			continue
		}
		d.until(last, zone(site))
		reached, over := false, false // something became of it in that time; before it, and it was over
		for _, x := range d.steps() {
			if reached = reached || span.holds(day(site, x.Time)); first != "" && day(site, x.Time) < first {
				over = defect.Closed(taxonomy.DefectStatus(x.Status))
			}
		}
		if !d.Closed() || reached || !over && touches(site, d.FirstSeen, d.LastSeen) {
			d.ExploitedBy = slices.Clone(d.ExploitedBy)
			out.Defects = append(out.Defects, d)
			needed[d.API] = true
		}
	}
	for _, a := range r.APIs {
		if touches(a.Site, a.FirstSeen, a.LastSeen) || needed[a.ID] {
			out.APIs = append(out.APIs, a)
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
		a.Activity = slices.DeleteFunc(slices.Clone(a.Activity), func(x Activity) bool { return !span.holds(x.Day) })
		if len(a.Activity) == 0 {
			continue
		}
		if len(a.Activity) < whole {
			a.sum()
			a.clamp(first, last, zone(a.Site))
		}
		out.Attacks = append(out.Attacks, a)
	}
	out.Input = r.Input
	// The search for campaigns counts anew, and puts these in order.
	out.Input.Limits, out.Input.Dropped, out.Input.Quality = slices.Clone(r.Input.Limits), slices.Clone(r.Input.Dropped), slices.Clone(r.Input.Quality)
	out.Input.First, out.Input.Last = clampTimes(r, first, last)
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

// siteOf gives the site of defects: a report that was read has it with the API.
func (r *Report) siteOf() func(*Defect) string {
	sites := make(map[string]string, len(r.APIs))
	for i := range r.APIs {
		sites[r.APIs[i].ID] = r.APIs[i].Site
	}
	return func(d *Defect) string { return cmp.Or(d.Site, sites[d.API]) }
}

func (d *Defect) steps() []Step {
	if d.Life == nil {
		return nil
	}
	return d.Life.History
}

// until puts a defect into the state that it had at the end of a day.
func (d *Defect) until(last string, l *time.Location) {
	end, ok := endOf(last, l)
	if !ok {
		return
	}
	if d.LastSeen.After(end) {
		d.LastSeen = end.UTC()
	}
	steps := d.steps()
	n := 0
	for n < len(steps) && !steps[n].Time.After(end) {
		n++
	}
	if n == len(steps) {
		return
	}
	// What is known of the proof and of decisions is of later.
	d.Life = &Life{History: steps[:n:n]}
	d.Status = steps[max(n-1, 0)].Status
}

// endOf is the last moment of a day.
func endOf(day string, l *time.Location) (time.Time, bool) {
	t, err := time.ParseInLocation(time.DateOnly, day, l)
	if err != nil {
		return time.Time{}, false
	}
	return t.AddDate(0, 0, 1).Add(-time.Nanosecond), true
}

// clamp moves an attack's first and last moment into the days.
func (a *Attack) clamp(first, last string, l *time.Location) {
	if from, err := time.ParseInLocation(time.DateOnly, first, l); err == nil && a.FirstSeen.Before(from) {
		a.FirstSeen = from.UTC()
	}
	if end, ok := endOf(last, l); ok && a.LastSeen.After(end) {
		a.LastSeen = end.UTC()
	}
}

// clampTimes gives the report's own first and last moment within the days, in
// the zone that reaches furthest; nothing when the data lies elsewhere.
func clampTimes(r *Report, first, last string) (from, to *time.Time) {
	from, to = r.Input.First, r.Input.Last
	if from == nil || to == nil {
		return from, to
	}
	zone := r.zoneOf()
	zones := []*time.Location{}
	for i := range r.Sites {
		zones = append(zones, zone(r.Sites[i].Name))
	}
	if len(zones) == 0 {
		zones = append(zones, time.UTC)
	}
	begin, end := time.Time{}, time.Time{}
	for _, l := range zones {
		if t, err := time.ParseInLocation(time.DateOnly, first, l); err == nil && (begin.IsZero() || t.Before(begin)) {
			begin = t
		}
		if t, ok := endOf(last, l); ok && t.After(end) {
			end = t
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
	if from.After(*to) {
		return nil, nil
	}
	return from, to
}
