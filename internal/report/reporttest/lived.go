package reporttest

import (
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
)

// fate is what became of a defect of Year, by its place in the list of flaws:
// steps after it was found, each in a month of the year.
type fate struct {
	flaw   int
	status []string
	month  []time.Month
	by     string // who decided, if anybody did
}

var fates = []fate{
	{0, []string{"fix_claimed", "verifying", "fixed", "regressed"}, []time.Month{3, 3, 4, 6}, ""},
	{2, []string{"fix_claimed", "verifying", "fixed"}, []time.Month{5, 6, 6}, ""},
	{6, []string{"fix_claimed", "verifying"}, []time.Month{6, 6}, ""},
	{7, []string{"fixed"}, []time.Month{10}, ""},
	{9, nil, nil, "wang"},
}

// Lived is the report of Year in which defects were mended, came back or were
// accepted on the way.
func Lived(seed uint64, msgs *message.Catalog) *report.Report {
	r := Year(seed, msgs)
	reasons := map[string]int{}
	for i, f := range flaws {
		reasons[f.reasonEn] = i
	}
	for i := range r.Defects {
		d := &r.Defects[i]
		for _, f := range fates {
			if f.flaw != reasons[d.Reason.En] {
				continue
			}
			d.FirstSeen = time.Date(2025, 1, 9+f.flaw, 2, 30, 0, 0, time.UTC)
			d.Life = &report.Life{History: []report.Step{{Time: d.FirstSeen, Status: d.Status, Text: message.Text{Zh: "首次发现", En: "first seen"}}}}
			for j, s := range f.status {
				at := time.Date(2025, f.month[j], 3+5*j, 4, 0, 0, 0, time.UTC)
				d.Life.History = append(d.Life.History, report.Step{Time: at, Status: s, Text: message.Text{Zh: "状态变化", En: "changed"}})
				if d.Status = s; s == "fixed" {
					d.LastSeen = at.AddDate(0, 0, -9)
				}
			}
			switch {
			case d.Status == "verifying":
				d.Life.Progress = &report.Progress{Since: time.Date(2025, 6, 8, 4, 0, 0, 0, time.UTC), Claimed: true, Requests: 12, Needed: 41, Hours: 3, HoursNeeded: 9, Days: 2.5, DaysNeeded: 7, Traffic: 0.8, TrafficNeed: 0.2}
			case f.by != "":
				d.Status = "accepted_risk"
				d.Life.Decision = &report.Decision{By: f.by, Reason: "the old console goes in December"}
			case d.Status == "regressed":
				d.LastSeen = time.Date(2025, 12, 1, 4, 0, 0, 0, time.UTC)
			}
		}
	}
	report.Order(r)
	r.Statistics = report.Count(r)
	return r
}
