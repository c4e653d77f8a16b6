package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/report"
	"xiezhi/internal/report/reporttest"
)

func TestSpans(t *testing.T) {
	for in, want := range map[string]struct {
		span         report.Span
		name, before string
	}{
		"2026-10": {report.Span{Kind: "month", First: "2026-10-01", Last: "2026-10-31"}, "2026-10", "2026-09"},
		"2026-01": {report.Span{Kind: "month", First: "2026-01-01", Last: "2026-01-31"}, "2026-01", "2025-12"},
		"2024-02": {report.Span{Kind: "month", First: "2024-02-01", Last: "2024-02-29"}, "2024-02", "2024-01"},
		"2026-Q1": {report.Span{Kind: "quarter", First: "2026-01-01", Last: "2026-03-31"}, "2026-Q1", "2025-Q4"},
		"2026-q4": {report.Span{Kind: "quarter", First: "2026-10-01", Last: "2026-12-31"}, "2026-Q4", "2026-Q3"},
		"2026":    {report.Span{Kind: "year", First: "2026-01-01", Last: "2026-12-31"}, "2026", "2025"},
	} {
		got, err := report.ParseSpan(in)
		if err != nil || got != want.span || got.Name() != want.name {
			t.Errorf("%s is %+v (%s), %v", in, got, got.Name(), err)
		}
		before, ok := got.Before()
		if !ok || before.Name() != want.before {
			t.Errorf("before %s lies %s", in, before.Name())
		}
	}
	for _, in := range []string{"", "2026-13", "2026-Q5", "2026-Q0", "26", "2026-1", "9999", "1969-12", "2026-10-01", "x\x1b[2J"} {
		if got, err := report.ParseSpan(in); err == nil || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%q is %+v, %v", in, got, err)
		}
	}
	days := report.Between("2026-03-10", "2026-03-16")
	if b, ok := days.Before(); !ok || b != report.Between("2026-03-03", "2026-03-09") || days.Name() != "2026-03-10-to-2026-03-16" {
		t.Errorf("before a week lies %+v; it is called %s", b, days.Name())
	}
	if _, ok := report.Between("", "2026-03-16").Before(); ok || report.Between("", "2026-03-16").Name() != "until-2026-03-16" || !report.Between("", "").All() {
		t.Error("open spans")
	}
}

// TestMonthInItsCourse cuts June out of a year in which defects were mended
// and came back.
func TestMonthInItsCourse(t *testing.T) {
	msgs := messages(t)
	year := reporttest.Lived(1, msgs)
	june, err := report.ParseSpan("2025-06")
	if err != nil {
		t.Fatal(err)
	}
	r := report.Cut(year, june, msgs)
	p := r.Period
	if len(p.Course) != 6 || p.Course[0].Month != "2025-01" || p.Course[5].Month != "2025-06" {
		t.Fatalf("the course is %+v", p.Course)
	}
	for _, m := range p.Course {
		if m.APIs != year.Statistics.AttackedAPIsByMonth[m.Month] {
			t.Errorf("%s has %d APIs, the year says %d", m.Month, m.APIs, year.Statistics.AttackedAPIsByMonth[m.Month])
		}
	}
	if p.Now.AttackedAPIs != p.Course[5].APIs || p.Now.AttackedAPIs == 0 {
		t.Errorf("%d APIs in the month, %d in the course", p.Now.AttackedAPIs, p.Course[5].APIs)
	}
	if p.Previous == nil || p.Previous.Partly || p.Previous.First != "2025-05-01" || p.Previous.Figures.AttackedAPIs != p.Course[4].APIs {
		t.Errorf("before it: %+v", p.Previous)
	}
	requests := uint64(0)
	for _, n := range p.Now.Scenarios {
		requests += n
	}
	if requests != p.Now.Requests || requests == 0 {
		t.Errorf("%d requests by scenario, %d in all", requests, p.Now.Requests)
	}
	if p.Now.Fixed != 1 || p.Now.Returned != 1 {
		t.Errorf("%d fixed, %d came back: %+v", p.Now.Fixed, p.Now.Returned, p.Changes)
	}
	seen := map[string]int{}
	known := map[string]*report.Defect{}
	for i := range r.Defects {
		known[r.Defects[i].ID] = &r.Defects[i]
	}
	for i, c := range p.Changes {
		seen[c.Change]++
		if known[c.Defect] == nil {
			t.Errorf("%s of a defect that the month does not have", c.Change)
		}
		if i > 0 && c.Time.Before(p.Changes[i-1].Time) {
			t.Error("the changes are not in order")
		}
	}
	if seen["claimed"] != 1 || seen["fixed"] != 1 || seen["returned"] != 1 {
		t.Errorf("changes %v", seen)
	}
	if err := validate(t, compiled(t), r); err != nil {
		t.Error(err)
	}
	again, err := report.Read(strings.NewReader(encode(t, r)))
	if err != nil || encode(t, again) != encode(t, r) {
		t.Errorf("the month does not come back: %v", err)
	}
}

// TestStateAtTheEnd: a defect that was mended later was open then, and one that
// nobody asked for in the month is open all the same.
func TestStateAtTheEnd(t *testing.T) {
	msgs := messages(t)
	year := reporttest.Lived(1, msgs)
	status := func(month, kind string) string {
		s, err := report.ParseSpan(month)
		if err != nil {
			t.Fatal(err)
		}
		r := report.Cut(year, s, msgs)
		apis := map[string]bool{}
		for i := range r.APIs {
			apis[r.APIs[i].ID] = true
		}
		for i := range r.Defects {
			d := &r.Defects[i]
			if !apis[d.API] {
				t.Errorf("%s: a defect of an API that is not listed", month)
			}
			if d.LastSeen.After(r.Input.Last.AddDate(0, 0, 1)) {
				t.Errorf("%s: a defect seen at %v", month, d.LastSeen)
			}
			if d.Kind == kind && d.Life != nil {
				return d.Status
			}
		}
		return "none"
	}
	kind := ""
	for i := range year.Defects {
		if d := &year.Defects[i]; d.Status == "regressed" {
			kind = d.Kind
		}
	}
	for month, want := range map[string]string{"2025-02": "confirmed", "2025-03": "verifying", "2025-04": "fixed", "2025-05": "none", "2025-06": "regressed", "2025-12": "regressed"} {
		if got := status(month, kind); got != want {
			t.Errorf("at the end of %s it is %s, expected %s", month, got, want)
		}
	}
}

func TestCutOfNothing(t *testing.T) {
	msgs := messages(t)
	year := reporttest.Year(1, msgs)
	if report.Cut(year, report.Span{}, msgs) != year {
		t.Error("all of time is another report")
	}
	s, err := report.ParseSpan("2031")
	if err != nil {
		t.Fatal(err)
	}
	r := report.Cut(year, s, msgs)
	if r.Input.First != nil || r.Input.Last != nil || r.Period.Previous != nil || len(r.Attacks) != 0 || len(r.Period.Changes) != 0 {
		t.Errorf("a year after the data holds %+v", r.Period)
	}
	january := report.Span{Kind: report.SpanMonth, First: "2025-01-01", Last: "2025-01-31"}
	if p := report.Cut(year, january, msgs).Period; p.Previous != nil {
		t.Errorf("the data begins with January, yet before it: %+v", p.Previous)
	}
	from := time.Date(2025, 1, 15, 0, 0, 0, 0, time.UTC)
	year.Input.First = &from
	february := report.Span{Kind: report.SpanMonth, First: "2025-02-01", Last: "2025-02-28"}
	if p := report.Cut(year, february, msgs).Period; p.Previous == nil || !p.Previous.Partly {
		t.Errorf("the data begins within January: %+v", p.Previous)
	}
}

// TestCutLeavesTheReport: what is cut out of is as it was.
func TestCutLeavesTheReport(t *testing.T) {
	msgs := messages(t)
	year := reporttest.Lived(1, msgs)
	for i := range year.Attacks {
		year.Attacks[i].Signature = []report.Mark{{Key: "ja4", Value: "t13d1516h2_8daaf6152771_02713d6af862", Share: 1, Others: 1, Of: 1000}}
	}
	year.Input.Limits = []report.LimitCount{{What: "campaign.pairs", Count: 2848}, {What: "observe.items", Count: 4}}
	before := encode(t, year)
	june := report.Span{Kind: report.SpanMonth, First: "2025-06-01", Last: "2025-06-30"}
	r := report.Cut(year, june, msgs)
	if encode(t, year) != before {
		t.Errorf("the year is another one after a month was cut out of it:\n%s", cmp.Diff(before, encode(t, year)))
	}
	for _, l := range r.Input.Limits {
		if l.What == "" {
			t.Errorf("limits %+v", r.Input.Limits)
		}
	}
}
