package api

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
)

// TestOverviewKnowsByNow counts rows of an attack that were judged before it was
// known, each once.
func TestOverviewKnowsByNow(t *testing.T) {
	m := &lockedRows{Model: observationtest.NewModel()}
	seen := time.Time{}
	h := newHouse(t, func(c *Config) { c.Observations, c.Seen = m, func() time.Time { return seen } })
	var x *report.Attack
	for i := range h.report.Attacks {
		if a := &h.report.Attacks[i]; a.Verdict == "confirmed" && len(a.Actors.IPs) > 0 && len(a.APIs) > 0 {
			x = a
		}
	}
	if x == nil {
		t.Fatal("the report has no attack to look for")
	}
	seen = x.LastSeen.Add(time.Minute)
	var list []observation.Row
	add := func(n int, v observation.Verdict, attack string, client string, outcome uint8) {
		for range n {
			r := observationtest.Row(1)
			r.Position = observation.Position{Partition: 1, Seq: uint64(len(list) + 1)}
			r.Time, r.Site, r.API, r.Client, r.Verdict, r.Attack, r.Subjects = x.LastSeen.UnixNano(), x.Site, x.APIs[0], netip.MustParseAddr(client), v, attack, 2
			if r.Outcome = 1; outcome != 0 {
				r.Outcome = 3
			}
			list = append(list, r)
		}
	}
	theirs := x.Actors.IPs[0]
	add(60, observation.Normal, "", theirs, 0)             // before it was known
	add(5, observation.Normal, "", theirs, 1)              // … and refused
	add(3, observation.Suspicious, "", theirs, 1)          // … and suspected
	add(7, observation.Attack, x.ID, theirs, 0)            // since
	add(11, observation.Normal, "", "203.0.113.250", 0)    // somebody else
	add(1, observation.Suspicious, "", "203.0.113.251", 0) // and another
	if err := m.Append(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	g := h.admin()
	var o v1.Overview
	g.holds("GET", fmt.Sprintf("/api/v1/overview?site=%s", x.Site), nil).into(t, &o)
	want := v1.RequestFigures{Normal: v1.Figure{Value: 11}, Suspicious: v1.Figure{Value: 1}, Attack: v1.Figure{Value: 75}, Blocked: v1.Figure{Value: 8}}
	if o.Rows.Requests != want || o.Rows.People != (v1.Figure{Value: 150}) || o.Rows.Records != (v1.Figure{Value: 174}) {
		t.Errorf("%+v, want %+v", o.Rows, want)
	}
	if s := o.Rows.Surge; s.Requests != 75 || !s.Surge {
		t.Errorf("%+v", s)
	}
	sum := func(list []int64) (n int64) {
		for _, v := range list {
			n += v
		}
		return n
	}
	if tr := o.Rows.Traffic; sum(tr.Normal) != 11 || sum(tr.Suspicious) != 1 || sum(tr.Attack) != 75 || sum(tr.Blocked) != 8 {
		t.Errorf("%+v", tr)
	}
	// After the period nothing is left, and what was is of the period before.
	g.must(200, "GET", fmt.Sprintf("/api/v1/overview?site=%s&from=%s&to=%s", x.Site, o.To.Format(time.RFC3339), o.To.Add(o.To.Sub(o.From)).Format(time.RFC3339)), nil).into(t, &o)
	if o.Rows.Requests.Attack != (v1.Figure{Before: 75}) || o.Rows.People.Before != 150 {
		t.Errorf("%+v", o.Rows)
	}
}
