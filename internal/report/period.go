package report

import (
	"cmp"
	"slices"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Period says of a report that was cut to a stretch of time how it stands in
// the course of things: the months up to its end, its figures beside those of
// the stretch before, and what became of defects in it.
type Period struct {
	Kind     string       `json:"kind"`
	First    string       `json:"first"` // day, empty where it is open
	Last     string       `json:"last"`
	Course   []MonthCount `json:"course"` // the months that the data covers up to the end, in order
	Now      Figures      `json:"now"`
	Previous *Previous    `json:"previous,omitempty"` // where the data reaches back to it
	Changes  []Change     `json:"changes"`            // in order of time
}

// Span is the stretch that the report is about.
func (p *Period) Span() Span { return Span{p.Kind, p.First, p.Last} }

// MonthCount is how many APIs came under confirmed attack in a calendar month.
type MonthCount struct {
	Month string `json:"month"` // 2006-01
	APIs  int    `json:"apis"`
}

// Previous is the stretch before the period. When the data begins within it,
// its figures are too small to compare with.
type Previous struct {
	First   string  `json:"first"`
	Last    string  `json:"last"`
	Partly  bool    `json:"partly"`
	Figures Figures `json:"figures"`
}

// Figures sum up a stretch of time. Attacks count from likely on.
type Figures struct {
	AttackedAPIs int               `json:"attacked_apis"` // with a confirmed attack
	Attacks      int               `json:"attacks"`
	Requests     uint64            `json:"requests"`
	Blocked      uint64            `json:"blocked"`
	Succeeded    uint64            `json:"succeeded"`
	People       uint64            `json:"people"` // whose data the largest single attack read
	Campaigns    int               `json:"campaigns"`
	Scenarios    map[string]uint64 `json:"scenarios"` // requests
	Open         int               `json:"open"`      // defects at the end of it
	Severe       int               `json:"severe"`    // of these, critical and high
	Exploited    int               `json:"exploited"` // of these, used by an attack in it
	Found        int               `json:"found"`     // defects in it
	Fixed        int               `json:"fixed"`
	Returned     int               `json:"returned"`
	APIs         int               `json:"apis"`
	NewAPIs      int               `json:"new_apis"`
}

// What can become of a defect in a period.
const (
	ChangeFound    = "found"
	ChangeClaimed  = "claimed" // somebody said that it is fixed
	ChangeFixed    = "fixed"   // traffic proved it
	ChangeReturned = "returned"
)

// Change is what became of a defect at some time.
type Change struct {
	Time   time.Time `json:"time"`
	Change string    `json:"change"`
	Defect string    `json:"defect"`
}

// Cut gives what of a report went on in a stretch of time, with how that
// stands in the course of things; see Days for what cannot be split. All of
// time is the report itself.
func Cut(r *Report, s Span, msgs *message.Catalog) *Report {
	if s.All() {
		return r
	}
	out := Days(r, s.First, s.Last, msgs)
	p := &Period{Kind: s.Kind, First: s.First, Last: s.Last, Course: []MonthCount{}, Changes: changes(out, s)}
	for _, m := range r.Months(r.Zone(time.UTC)) {
		if s.Last == "" || m.Month <= s.Last[:7] {
			p.Course = append(p.Course, m)
		}
	}
	p.Now = figures(out, s, p.Changes)
	if b, ok := s.Before(); ok && r.Input.First != nil && r.Input.Last != nil {
		zone := r.Zone(time.UTC)
		began := r.Input.First.In(zone)
		if began.Format(time.DateOnly) <= b.Last && r.Input.Last.In(zone).Format(time.DateOnly) >= s.First {
			was := Days(r, b.First, b.Last, msgs)
			// A day less than the whole is the edge of a recording.
			partly := began.AddDate(0, 0, -1).Format(time.DateOnly) > b.First
			p.Previous = &Previous{First: b.First, Last: b.Last, Partly: partly, Figures: figures(was, b, changes(was, b))}
		}
	}
	out.Period = p
	return out
}

// changes tells what became of defects in a stretch. That somebody accepted a
// risk, or that an API is gone, has no date in a report.
func changes(r *Report, s Span) []Change {
	out := []Change{}
	at, siteOf := r.zoneOf(), r.siteOf()
	for i := range r.Defects {
		d := &r.Defects[i]
		zone := at(siteOf(d))
		if s.holds(d.FirstSeen.In(zone).Format(time.DateOnly)) {
			out = append(out, Change{d.FirstSeen, ChangeFound, d.ID})
		}
		if d.Life == nil {
			continue
		}
		for _, x := range d.Life.History {
			what := map[string]string{string(taxonomy.FixClaimed): ChangeClaimed, string(taxonomy.Fixed): ChangeFixed, string(taxonomy.Regressed): ChangeReturned}[x.Status]
			if what != "" && s.holds(x.Time.In(zone).Format(time.DateOnly)) {
				out = append(out, Change{x.Time, what, d.ID})
			}
		}
	}
	slices.SortFunc(out, func(a, b Change) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Defect, b.Defect), cmp.Compare(a.Change, b.Change))
	})
	return out
}

// figures sums up a report that was cut to a stretch.
func figures(r *Report, s Span, changes []Change) Figures {
	f := Figures{Scenarios: map[string]uint64{}, APIs: len(r.APIs)}
	attacked := map[string]bool{}
	counted := map[string]bool{}
	at := r.zoneOf()
	for i := range r.Attacks {
		a := &r.Attacks[i]
		if a.Verdict == taxonomy.Suspicious.String() {
			continue
		}
		counted[a.ID] = true
		f.Attacks++
		f.Requests, f.Blocked, f.Succeeded, f.People = f.Requests+a.Requests, f.Blocked+a.Blocked, f.Succeeded+a.Succeeded, max(f.People, a.SubjectsExposed)
		f.Scenarios[a.Scenario] += a.Requests
		if a.Verdict == taxonomy.Confirmed.String() {
			for _, api := range a.touched() {
				attacked[api] = true
			}
		}
	}
	f.AttackedAPIs = len(attacked)
	for i := range r.Campaigns {
		if slices.ContainsFunc(r.Campaigns[i].Attacks, func(id string) bool { return counted[id] }) {
			f.Campaigns++
		}
	}
	open := r.Open()
	f.Open = len(open)
	for i := range open {
		if rank(open[i].Severity) >= int(taxonomy.High) {
			f.Severe++
		}
		if len(open[i].ExploitedBy) > 0 {
			f.Exploited++
		}
	}
	for _, c := range changes {
		switch c.Change {
		case ChangeFound:
			f.Found++
		case ChangeFixed:
			f.Fixed++
		case ChangeReturned:
			f.Returned++
		}
	}
	for i := range r.APIs {
		if a := &r.APIs[i]; s.holds(a.FirstSeen.In(at(a.Site)).Format(time.DateOnly)) {
			f.NewAPIs++
		}
	}
	return f
}

// zoneOf gives the time zone of sites.
func (r *Report) zoneOf() func(site string) *time.Location {
	zones := make(map[string]*time.Location, len(r.Sites))
	for i := range r.Sites {
		if l, err := time.LoadLocation(r.Sites[i].TimeZone); err == nil {
			zones[r.Sites[i].Name] = l
		}
	}
	return func(site string) *time.Location { return cmp.Or(zones[site], time.UTC) }
}

// edge is how much of the first or last month of the data must be covered for
// a month without attacks to count.
const edge = 24 * time.Hour

// maxMonths is how many months are listed, a hundred years of them.
const maxMonths = 1_200

// Months lists the months that the data covers, in order. Months are the
// sites'; where they disagree, or are unknown, the fallback decides about the
// edges.
func (r *Report) Months(fallback *time.Location) []MonthCount {
	zone := fallback
	for i := range r.Sites {
		l, err := time.LoadLocation(r.Sites[i].TimeZone)
		if err != nil || i > 0 && l.String() != zone.String() {
			zone = fallback
			break
		}
		zone = l
	}
	counts := r.Statistics.AttackedAPIsByMonth
	var first, last time.Time
	grow := func(m time.Time) {
		if first.IsZero() || m.Before(first) {
			first = m
		}
		if last.IsZero() || m.After(last) {
			last = m
		}
	}
	if in := &r.Input; in.First != nil && in.Last != nil {
		from, to := in.First.In(zone), in.Last.In(zone)
		start := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, zone)
		if from.Month() != to.Month() || from.Year() != to.Year() {
			if start.AddDate(0, 1, 0).Sub(from) < edge {
				start = start.AddDate(0, 1, 0)
			}
			if to.Sub(time.Date(to.Year(), to.Month(), 1, 0, 0, 0, 0, zone)) < edge {
				to = to.AddDate(0, 0, -to.Day())
			}
		}
		grow(time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, time.UTC))
		grow(time.Date(to.Year(), to.Month(), 1, 0, 0, 0, 0, time.UTC))
	}
	for m := range counts {
		if t, err := time.Parse("2006-01", m); err == nil {
			grow(t)
		}
	}
	var out []MonthCount
	for m := first; !first.IsZero() && !m.After(last) && len(out) < maxMonths; m = m.AddDate(0, 1, 0) {
		name := m.Format("2006-01")
		out = append(out, MonthCount{name, counts[name]})
	}
	return out
}
