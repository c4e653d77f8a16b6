package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report"
	"xiezhi/internal/store/record"
)

// What a timeline shows.
const (
	timelineAttacks   = 500 // that are opened, the latest
	timelineDays      = 400
	timelineLanes     = 100
	timelineAddresses = 100
	timelineNetworks  = 20
	timelineShares    = 50
)

// GetCampaignTimeline says how a campaign went, who took part and what joins it.
func (a *API) GetCampaignTimeline(ctx context.Context, r v1.GetCampaignTimelineRequestObject) (v1.GetCampaignTimelineResponseObject, error) {
	c, err := one[report.Campaign](ctx, a, record.Campaign, r.Id)
	if err != nil {
		return nil, err
	}
	t := timeline{out: v1.CampaignTimeline{Campaign: c.ID, Days: []string{}, Lanes: []v1.CampaignLane{}, Targets: []v1.CampaignTarget{}, Nodes: []v1.CampaignNode{}, Edges: []v1.CampaignEdge{}}, days: map[string]int{}}
	for _, x := range c.Targets {
		t.out.Targets = append(t.out.Targets, v1.CampaignTarget{Site: x.Site, Industry: x.Industry, Requests: int64(x.Requests), Blocked: int64(x.Blocked), Succeeded: int64(x.Succeeded), Outcome: x.Outcome})
	}
	ids := c.Attacks[max(0, len(c.Attacks)-timelineAttacks):] // the oldest stand first
	t.out.LeftOut = int64(len(c.Attacks) - len(ids))
	for _, id := range ids {
		x, err := one[report.Attack](ctx, a, record.Attack, id)
		switch {
		case errors.Is(err, record.ErrNotFound): // written a moment before or after its campaign
			t.out.LeftOut++
		case err != nil:
			return nil, err
		default:
			t.attacks = append(t.attacks, x)
		}
	}
	t.spread()
	if err := t.name(ctx, a); err != nil {
		return nil, err
	}
	t.actors(a, &c)
	t.graph(&c)
	return v1.GetCampaignTimeline200JSONResponse(t.out), nil
}

// timeline is one that is put together.
type timeline struct {
	out     v1.CampaignTimeline
	attacks []report.Attack
	days    map[string]int
}

// spread makes the lanes.
func (t *timeline) spread() {
	for i := range t.attacks {
		for _, d := range t.attacks[i].Activity {
			t.days[d.Day] = 0
		}
	}
	for d := range t.days {
		t.out.Days = append(t.out.Days, d)
	}
	slices.Sort(t.out.Days)
	t.out.Days = t.out.Days[max(0, len(t.out.Days)-timelineDays):]
	clear(t.days)
	for i, d := range t.out.Days {
		t.days[d] = i
	}
	for i := range t.attacks {
		x := &t.attacks[i]
		lanes := map[string]int{}
		for _, d := range x.Activity {
			at, ok := t.days[d.Day]
			if !ok {
				continue
			}
			n, ok := lanes[d.API]
			if !ok {
				n = len(t.out.Lanes)
				lanes[d.API] = n
				row := func() []int64 { return make([]int64, len(t.out.Days)) }
				t.out.Lanes = append(t.out.Lanes, v1.CampaignLane{Attack: x.ID, Kind: x.Kind, Scenario: x.Scenario, Verdict: x.Verdict, Site: x.Site, Api: d.API, FirstSeen: x.FirstSeen, LastSeen: x.LastSeen,
					Requests: row(), Blocked: row(), Succeeded: row()})
			}
			l := &t.out.Lanes[n]
			l.Requests[at] += int64(d.Requests)
			l.Blocked[at] += int64(d.Blocked)
			l.Succeeded[at] += int64(d.Succeeded)
			l.Total.Requests += int64(d.Requests)
			l.Total.Blocked += int64(d.Blocked)
			l.Total.Succeeded += int64(d.Succeeded)
		}
	}
	slices.SortFunc(t.out.Lanes, func(a, b v1.CampaignLane) int {
		return cmp.Or(cmp.Compare(b.Total.Requests, a.Total.Requests), strings.Compare(a.Attack, b.Attack), strings.Compare(a.Api, b.Api))
	})
	if n := len(t.out.Lanes); n > timelineLanes {
		t.out.LanesLeftOut, t.out.Lanes = int64(n-timelineLanes), t.out.Lanes[:timelineLanes]
	}
}

// name gives the lanes the names of their APIs.
func (t *timeline) name(ctx context.Context, a *API) error {
	names := map[string]string{"": ""}
	for i := range t.out.Lanes {
		l := &t.out.Lanes[i]
		name, ok := names[l.Api]
		if !ok {
			r, err := a.cfg.Store.Get(ctx, record.API, l.Api)
			if err != nil && !errors.Is(err, record.ErrNotFound) {
				return err
			}
			var x struct{ Method, Template string }
			if err == nil && json.Unmarshal(r.Body, &x) == nil {
				name = x.Method + " " + x.Template
			}
			names[l.Api] = name
		}
		l.Template = name
	}
	return nil
}

// tallied counts keys, most first.
func tallied(n map[string]int64, most int) []v1.CampaignShare {
	out := make([]v1.CampaignShare, 0, len(n))
	for k, c := range n {
		out = append(out, v1.CampaignShare{Key: k, Count: c})
	}
	slices.SortFunc(out, func(a, b v1.CampaignShare) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Key, b.Key))
	})
	return out[:min(len(out), most)]
}

// actors sums up who took part: each address once.
func (t *timeline) actors(a *API, c *report.Campaign) {
	ips, prints := map[string]int64{}, map[string]int64{}
	countries, types := map[string]int64{}, map[string]int64{}
	systems := map[uint32]*v1.CampaignNetwork{}
	for i := range t.attacks {
		for _, ip := range t.attacks[i].Actors.IPs {
			ips[ip]++
		}
		for _, f := range t.attacks[i].Actors.Fingerprints {
			prints[f]++
		}
	}
	m := a.cfg.Networks
	out := v1.CampaignActors{AddressesTotal: int64(c.IPCount), Addresses: []v1.CampaignAddress{}, Networks: []v1.CampaignNetwork{}, Fingerprints: tallied(prints, timelineShares)}
	for _, x := range tallied(ips, len(ips)) {
		ip, err := netip.ParseAddr(x.Key) // a token where addresses are hidden
		n := v1.EntityIntel{}
		if err == nil {
			n = networkFacts(m, ip)
		}
		if len(out.Addresses) < timelineAddresses {
			out.Addresses = append(out.Addresses, v1.CampaignAddress{Ip: x.Key, Attacks: x.Count, Country: n.Country, Owner: n.Owner, Network: n.Network})
		}
		if n.Country != "" {
			countries[n.Country]++
		}
		if n.Network != "" {
			types[n.Network]++
		}
		if n.Asn != 0 {
			s := systems[uint32(n.Asn)]
			if s == nil {
				s = &v1.CampaignNetwork{Asn: n.Asn, Organisation: n.Owner, Country: n.Country, Type: n.Network}
				systems[uint32(n.Asn)] = s
			}
			s.Ips++
		}
	}
	out.Countries, out.NetworkTypes = tallied(countries, timelineShares), tallied(types, timelineShares)
	for _, s := range systems {
		out.Networks = append(out.Networks, *s)
	}
	slices.SortFunc(out.Networks, func(a, b v1.CampaignNetwork) int { return cmp.Or(cmp.Compare(b.Ips, a.Ips), cmp.Compare(a.Asn, b.Asn)) })
	out.Networks = out.Networks[:min(len(out.Networks), timelineNetworks)]
	t.out.Actors = out
}

// graph joins the attacks with what they share, where they were and what they
// went through.
func (t *timeline) graph(c *report.Campaign) {
	sites, defects := map[string]int{}, map[string]bool{}
	known := map[string]bool{}
	node := func(kind v1.CampaignNodeKind, id, what string, weight float64) {
		t.out.Nodes = append(t.out.Nodes, v1.CampaignNode{Id: id, Kind: kind, What: what, Weight: weight})
	}
	edge := func(from, to string, weight float64) {
		t.out.Edges = append(t.out.Edges, v1.CampaignEdge{From: from, To: to, Weight: weight})
	}
	shown := t.attacks[max(0, len(t.attacks)-timelineGraph):]
	for i := range shown {
		x := &shown[i]
		known[x.ID] = true
		node(v1.CampaignNodeKindAttack, x.ID, x.Kind, float64(x.Requests))
		if n, ok := sites[x.Site]; ok {
			t.out.Nodes[n].Weight += float64(x.Requests)
		} else {
			sites[x.Site] = len(t.out.Nodes)
			node(v1.CampaignNodeKindSite, "site:"+x.Site, x.Site, float64(x.Requests))
		}
		edge(x.ID, "site:"+x.Site, float64(x.Requests))
		for _, d := range x.Through[:min(len(x.Through), timelineThrough)] {
			if !defects[d] && len(defects) == timelineDefects {
				continue
			}
			if !defects[d] {
				defects[d] = true
				node(v1.CampaignNodeKindDefect, "defect:"+d, d, 0)
			}
			edge(x.ID, "defect:"+d, 0)
		}
	}
	for i, l := range c.Links[:min(len(c.Links), timelineLinks)] {
		id := fmt.Sprintf("link:%d", i)
		n := len(t.out.Edges)
		for _, x := range l.Attacks {
			if known[x] && len(t.out.Edges) < timelineEdges {
				edge(x, id, l.Rarity)
			}
		}
		if len(t.out.Edges) > n {
			node(v1.CampaignNodeKindLink, id, l.Key, l.Rarity)
		}
	}
}

// What a graph shows, so that it can be drawn.
const (
	timelineGraph   = 200 // attacks, the latest
	timelineThrough = 8   // defects of an attack
	timelineDefects = 100
	timelineLinks   = 100
	timelineEdges   = 4000
)
