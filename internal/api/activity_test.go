package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/record"
)

// TestActivity sums attacks up by day, by what tells them apart, and by lanes of
// a campaign.
func TestActivity(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	attack := func(id, kind, scenario, site string, days ...report.Activity) report.Attack {
		at := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
		return report.Attack{ID: id, Kind: kind, Scenario: scenario, Site: site, Verdict: "confirmed", FirstSeen: at, LastSeen: at.Add(100 * time.Hour), Activity: days}
	}
	day := func(d string, n uint64) report.Activity {
		return report.Activity{Day: d, Requests: n, Succeeded: n / 2, Blocked: n / 5}
	}
	list := []report.Attack{
		attack("00000000000000a1", "scraping", "data_theft", "s1", day("2031-01-01", 10), day("2031-01-03", 20)),
		attack("00000000000000a2", "scraping", "data_theft", "s2", day("2031-01-03", 100)),
		attack("00000000000000a3", "sms_abuse", "marketing_fraud", "s2", day("2031-01-02", 5), day("not a day", 7)),
	}
	for _, a := range list {
		keepOne(t, h, a)
	}
	c := report.Campaign{ID: "00000000000000c4", Name: "G-4", Attacks: []string{list[0].ID, list[2].ID, "00000000000000ff"}}
	r, err := kept.Campaign(&c, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Write(t.Context(), record.Batch{Put: []record.Record{r}}); err != nil {
		t.Fatal(err)
	}
	of := func(query string) (out v1.Activity) {
		t.Helper()
		g.holds("GET", "/api/v1/counts/activity?"+query, nil).into(t, &out)
		return out
	}
	const from = "from=2031-01-01T00:00:00Z"
	line := func(key string, n ...int64) v1.ActivityLine {
		l := v1.ActivityLine{Key: key, Rest: key == "", Requests: n}
		for _, x := range n {
			l.Succeeded, l.Blocked = append(l.Succeeded, x/2), append(l.Blocked, x/5)
		}
		return l
	}
	for query, want := range map[string][]v1.ActivityLine{
		from:                            {line("scraping", 10, 0, 120), line("sms_abuse", 0, 5, 0)},
		from + "&by=scenario":           {line("data_theft", 10, 0, 120), line("marketing_fraud", 0, 5, 0)},
		from + "&by=site&kind=scraping": {line("s2", 0, 0, 100), line("s1", 10, 0, 20)},
		from + "&by=verdict&site=s1":    {line("confirmed", 10, 0, 20)},
		from + "&by=attack&lines=1":     {line(list[1].ID, 0, 0, 100), line("", 10, 5, 20)},
		"campaign=" + c.ID + "&by=site": {line("s1", 10, 0, 20), line("s2", 0, 5, 0)},
		"campaign=" + c.ID + "&from=2031-01-02T00:00:00Z&to=2031-01-02T12:00:00Z": {line("sms_abuse", 5)},
		"campaign=" + c.ID + "&to=2030-01-01T00:00:00Z":                           {},
	} {
		got := of(query)
		if !slices.EqualFunc(got.Lines, want, func(a, b v1.ActivityLine) bool {
			x, _ := json.Marshal(a)
			y, _ := json.Marshal(b)
			return string(x) == string(y)
		}) {
			t.Errorf("%s: %+v, want %+v", query, got.Lines, want)
		}
		if len(want) > 0 && got.Days != len(want[0].Requests) || got.LeftOut != 0 {
			t.Errorf("%s: %d days, %d left out", query, got.Days, got.LeftOut)
		}
	}
	if got := of(from); got.Attacks != 3 || got.First.String() != "2031-01-01" {
		t.Errorf("%+v", got)
	}
	g.must(http.StatusNotFound, "GET", "/api/v1/counts/activity?campaign=none", nil)
}
