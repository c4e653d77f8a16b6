package api

import (
	"slices"
	"testing"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/report/reporttest"
	"xiezhi/internal/store/record"
)

// TestTimelineOfACampaign: lanes, addresses and the graph of the largest campaign
// of a year are what a plain loop gives.
func TestTimelineOfACampaign(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Networks = intel.Default() })
	r := reporttest.Year(3, h.msgs)
	list, err := kept.All(r, 2)
	if err != nil {
		t.Fatal(err)
	}
	for len(list) > 0 {
		n := min(len(list), record.MaxBatch)
		if _, err := h.store.Write(t.Context(), record.Batch{Put: list[:n]}); err != nil {
			t.Fatal(err)
		}
		list = list[n:]
	}
	g := h.admin()
	if len(r.Campaigns) == 0 {
		t.Fatal("the year has no campaigns")
	}
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		var got v1.CampaignTimeline
		g.holds("GET", "/api/v1/campaigns/"+c.ID+"/timeline", nil).into(t, &got)
		want := v1.LaneFigures{}
		ips, sites := map[string]bool{}, map[string]bool{}
		for k := range r.Attacks {
			a := &r.Attacks[k]
			if !slices.Contains(c.Attacks, a.ID) {
				continue
			}
			sites[a.Site] = true
			for _, d := range a.Activity {
				want.Requests, want.Blocked, want.Succeeded = want.Requests+int64(d.Requests), want.Blocked+int64(d.Blocked), want.Succeeded+int64(d.Succeeded)
			}
			for _, ip := range a.Actors.IPs {
				ips[ip] = true
			}
		}
		sum := v1.LaneFigures{}
		for _, l := range got.Lanes {
			var lane v1.LaneFigures
			for d := range got.Days {
				lane.Requests, lane.Blocked, lane.Succeeded = lane.Requests+l.Requests[d], lane.Blocked+l.Blocked[d], lane.Succeeded+l.Succeeded[d]
			}
			if lane != l.Total || l.Api != "" && l.Template == "" {
				t.Errorf("%s: a lane of %+v says %+v", c.ID, lane, l.Total)
			}
			sum.Requests, sum.Blocked, sum.Succeeded = sum.Requests+lane.Requests, sum.Blocked+lane.Blocked, sum.Succeeded+lane.Succeeded
		}
		if got.LanesLeftOut == 0 && sum != want || sum.Requests == 0 || got.LeftOut != 0 || !slices.IsSorted(got.Days) {
			t.Errorf("%s: lanes of %+v, want %+v", c.ID, sum, want)
		}
		if len(got.Actors.Addresses) != min(len(ips), timelineAddresses) || len(got.Targets) != len(c.Targets) {
			t.Errorf("%s: %d addresses of %d, %d targets", c.ID, len(got.Actors.Addresses), len(ips), len(got.Targets))
		}
		kinds := map[v1.CampaignNodeKind]int{}
		nodes := map[string]bool{}
		for _, n := range got.Nodes {
			if kinds[n.Kind]++; nodes[n.Id] {
				t.Errorf("%s: node %s twice", c.ID, n.Id)
			}
			nodes[n.Id] = true
		}
		for _, e := range got.Edges {
			if !nodes[e.From] || !nodes[e.To] {
				t.Errorf("%s: an edge from %s to %s", c.ID, e.From, e.To)
			}
		}
		if kinds["attack"] != min(len(c.Attacks), timelineGraph) || kinds["site"] != len(sites) || kinds["link"] != len(c.Links) {
			t.Errorf("%s: %v; %d attacks, %d sites, %d links", c.ID, kinds, len(c.Attacks), len(sites), len(c.Links))
		}
	}
	g.must(404, "GET", "/api/v1/campaigns/none/timeline", nil)
}

// TestTimelineIsBounded: a campaign of very many attacks, some no longer kept.
func TestTimelineIsBounded(t *testing.T) {
	h := newHouse(t)
	a := h.report.Attacks[0]
	c := report.Campaign{ID: "c-many", Name: "G-1", Sites: []string{a.Site}, FirstSeen: a.FirstSeen, LastSeen: a.LastSeen}
	var put []record.Record
	for i := range timelineAttacks + 20 {
		x := a
		x.ID = "many-" + string(rune('a'+i%26)) + string(rune('a'+i/26))
		c.Attacks = append(c.Attacks, x.ID)
		r, err := kept.Attack(&x, 1)
		if err != nil {
			t.Fatal(err)
		}
		if i%10 != 0 {
			put = append(put, r)
		}
	}
	c.Links = []report.Link{{Key: "ja4", Rarity: 9, Attacks: c.Attacks}}
	r, err := kept.Campaign(&c, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Write(t.Context(), record.Batch{Put: append(put, r)}); err != nil {
		t.Fatal(err)
	}
	var got v1.CampaignTimeline
	h.admin().holds("GET", "/api/v1/campaigns/c-many/timeline", nil).into(t, &got)
	if got.LeftOut != 20+timelineAttacks/10 || len(got.Lanes) != timelineLanes || got.LanesLeftOut == 0 || len(got.Nodes) > 600 || len(got.Edges) > timelineEdges {
		t.Errorf("%d left out, %d lanes and %d more, %d nodes, %d edges", got.LeftOut, len(got.Lanes), got.LanesLeftOut, len(got.Nodes), len(got.Edges))
	}
}
