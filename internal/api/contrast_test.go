package api

import (
	"net/netip"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/catalog"
	"xiezhi/internal/report"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
)

// TestContrastTellsAttackersFromOthers: a fast reader of many accounts beside
// people who look at their own; one row of it was judged before it was known.
func TestContrastTellsAttackersFromOthers(t *testing.T) {
	m := &lockedRows{Model: observationtest.NewModel()}
	begin := observationtest.Start
	var list []observation.Row
	add := func(at time.Duration, session, account uint64, ip string, v observation.Verdict, good bool) {
		r := observationtest.Row(1)
		r.Position = observation.Position{Partition: 1, Seq: uint64(begin.Add(at).UnixNano())}
		r.Time, r.Site, r.API, r.Session, r.Actor, r.Account, r.Client, r.Verdict = begin.Add(at).UnixNano(), "s", "00000000000000a1", session, session, account, netip.MustParseAddr(ip), v
		r.Attack, r.Outcome = "", catalog.OutcomeRejected
		if good {
			r.Outcome, r.Subjects = catalog.OutcomeSuccess, 1
		}
		if v == observation.Attack {
			r.Attack = "x1"
		}
		list = append(list, r)
	}
	for i := range 40 {
		v := observation.Attack
		if i < 3 {
			v = observation.Normal
		}
		add(time.Duration(i)*2*time.Second+1, 900, uint64(i+1), "198.51.100.9", v, i%2 == 0)
	}
	for p := range 12 {
		for i := range p%3 + 2 {
			add(time.Duration(p)*time.Second+time.Duration(i)*40*time.Second+2, uint64(100+p), uint64(100+p), "203.0.113."+string(rune('1'+p%9)), observation.Normal, true)
		}
	}
	// Rows come in the order of time.
	ordered := list[:0:0]
	for len(list) > 0 {
		first := 0
		for i := range list {
			if list[i].Time < list[first].Time || list[i].Time == list[first].Time && i < first {
				first = i
			}
		}
		r := list[first]
		r.Position.Index = uint32(len(ordered))
		ordered = append(ordered, r)
		list = append(list[:first:first], list[first+1:]...)
	}
	if err := m.Append(t.Context(), ordered); err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(c *Config) { c.Observations = m })
	keepOne(t, h, report.Attack{ID: "x1", Kind: "scraping", Verdict: "confirmed", Site: "s", APIs: []string{"00000000000000a1"}, FirstSeen: begin, LastSeen: begin.Add(80 * time.Second),
		Actors: report.Actors{IPs: []string{"198.51.100.9"}}})
	g := h.admin()
	var c v1.Contrast
	g.holds("GET", "/api/v1/attacks/x1/contrast", nil).into(t, &c)
	if c.By != "session" || len(c.Attackers) != 1 || len(c.Ordinary) != 3 || len(c.Features) != 6 {
		t.Fatalf("by %s: %d attackers, %d others, %d features", c.By, len(c.Attackers), len(c.Ordinary), len(c.Features))
	}
	x := c.Attackers[0]
	if x.Requests != 40 || x.Targets != 40 || x.Spacing != 2 || x.Success != 0.5 || x.Clients != 1 || len(x.Rows) != contrastRows {
		t.Errorf("%+v", x)
	}
	for _, o := range c.Ordinary {
		if o.Key == x.Key || o.Targets != 1 || o.Success != 1 || o.Requests > 4 {
			t.Errorf("%+v", o)
		}
	}
	if f := c.Features[0]; f.Name != "targets" || f.Attack != 40 || f.Ordinary != 1 || f.Ratio != 40 {
		t.Errorf("%+v", c.Features)
	}
	keepOne(t, h, report.Attack{ID: "x2", Kind: "scraping", Verdict: "likely", Site: "nowhere", APIs: []string{"00000000000000a9"}, FirstSeen: begin, LastSeen: begin})
	if g.holds("GET", "/api/v1/attacks/x2/contrast", nil).into(t, &c); len(c.Attackers)+len(c.Ordinary)+len(c.Features) != 0 {
		t.Errorf("nothing was seen of it: %+v", c)
	}
	g.must(404, "GET", "/api/v1/attacks/none/contrast", nil)
	none := newHouse(t)
	if p := none.admin().ask("GET", "/api/v1/attacks/"+none.report.Attacks[0].ID+"/contrast", nil).problem(t); p.Code != "unavailable" {
		t.Errorf("%+v", p)
	}
}
