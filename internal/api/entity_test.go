package api

import (
	"net/netip"
	"net/url"
	"slices"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel"
	"xiezhi/internal/report"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
)

// seenRows is a house with someRows, as of their end, and an attack from
// networks that are told apart.
func seenRows(t *testing.T) (*house, *guest, report.Attack) {
	t.Helper()
	end := observationtest.Start.Add(manyRows * time.Second)
	h := newHouse(t, func(c *Config) {
		c.Observations, c.Seen, c.Networks = someRows(t), func() time.Time { return end }, intel.Default()
	})
	x := h.report.Attacks[0]
	x.ID, x.LastSeen = "attack-10", end // as some rows say
	x.Actors.IPs = []string{"192.0.2.3", "198.51.100.77"}
	x.Actors.Networks = []report.NetworkCount{{ASN: 64500, IPs: 2}}
	x.Actors.Countries, x.Actors.Types = []report.CountryCount{{Country: "CN", IPs: 2}}, []report.TypeCount{{Type: "data_centre", IPs: 2}}
	keepOne(t, h, x)
	return h, h.admin(), x
}

// TestEntitiesAreWhatRowsAndRecordsSay holds each kind against a plain loop.
func TestEntitiesAreWhatRowsAndRecordsSay(t *testing.T) {
	_, g, x := seenRows(t)
	some := observationtest.Row(10) // of attack-10
	for _, c := range []struct {
		kind, key string
		of        func(*observation.Row) bool
		facets    bool
	}{
		{"client", "192.0.2.3", func(r *observation.Row) bool { return r.Client == netip.MustParseAddr("192.0.2.3") }, true},
		{"client", "::ffff:192.0.2.3", func(r *observation.Row) bool { return r.Client == netip.MustParseAddr("192.0.2.3") }, true},
		{"prefix", "192.0.2.0/30", func(r *observation.Row) bool { return netip.MustParsePrefix("192.0.2.0/30").Contains(r.Client) }, false},
		{"country", "cn", func(r *observation.Row) bool { return r.Country.String() == "CN" }, false},
		{"network", some.Network.String(), func(r *observation.Row) bool { return r.Network == some.Network }, false},
		{"actor", observation.Token(some.Actor), func(r *observation.Row) bool { return r.Actor == some.Actor }, true},
		{"account", observation.Token(some.Account), func(r *observation.Row) bool { return r.Account == some.Account }, true},
		{"session", observation.Token(some.Session), func(r *observation.Row) bool { return r.Session == some.Session }, true},
		{"agent", observation.Token(some.Agent), func(r *observation.Row) bool { return r.Agent == some.Agent }, true},
	} {
		var e v1.Entity
		g.holds("GET", "/api/v1/entities/"+c.kind+"/"+url.PathEscape(c.key), nil).into(t, &e)
		want := v1.EntityVerdicts{}
		sites := map[string]int64{}
		var first, last time.Time
		for _, r := range theRows() {
			if !c.of(&r) {
				continue
			}
			switch r.Verdict {
			case observation.Normal:
				want.Normal++
			case observation.Attack:
				want.Attack++
			}
			if r.Site != "" {
				sites[r.Site]++
			}
			if last = moments(r.Time); first.IsZero() {
				first = last
			}
		}
		if e.Rows.Verdicts != want || e.Rows.Rows != want.Normal+want.Attack || want == (v1.EntityVerdicts{}) || len(e.Rows.Sites) != len(sites) {
			t.Errorf("%s %s: %+v, want %+v", c.kind, c.key, e.Rows.Verdicts, want)
		}
		for _, s := range e.Rows.Sites {
			if sites[s.Key] != s.Value {
				t.Errorf("%s: %d at %s, want %d", c.kind, s.Value, s.Key, sites[s.Key])
			}
		}
		if c.facets != (len(e.Rows.Facets) > 0) || c.facets && (!e.Rows.First.Equal(first) || !e.Rows.Last.Equal(last)) {
			t.Errorf("%s: %d facets, from %s to %s", c.kind, len(e.Rows.Facets), e.Rows.First, e.Rows.Last)
		}
		if !slices.ContainsFunc(e.Attacks, func(a v1.EntityAttack) bool { return a.Id == x.ID }) || e.AttacksTotal != int64(len(e.Attacks)) {
			t.Errorf("%s %s: attacks %+v of %d", c.kind, c.key, e.Attacks, e.AttacksTotal)
		}
	}
	var as v1.Entity
	g.holds("GET", "/api/v1/entities/asn/AS64500", nil).into(t, &as)
	if as.Key != "64500" || len(as.Attacks) != 1 || as.Rows.Rows != 0 {
		t.Errorf("%+v", as)
	}
	var known v1.Entity
	g.holds("GET", "/api/v1/entities/client/8.8.8.8", nil).into(t, &known)
	if known.Intel.Asn == 0 || known.Intel.Owner == "" || known.Intel.Country == "" || known.Rows.Rows != 0 || len(known.Attacks) != 0 {
		t.Errorf("%+v", known)
	}
	for _, path := range []string{"client/x", "client/fe80::1%25eth0", "prefix/10.0.0.0", "asn/0", "asn/x", "country/XX", "country/123", "network/none", "actor/1", "session/0000000000000000",
		"client/192.0.2.1?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "client/192.0.2.1?from=2020-01-01T00:00:00Z"} {
		g.must(400, "GET", "/api/v1/entities/"+path, nil)
	}
}

// TestCampaignsOfAnEntity: those that hold its attacks.
func TestCampaignsOfAnEntity(t *testing.T) {
	h, g, _ := seenRows(t)
	c := &h.report.Campaigns[0]
	var ip string
	for i := range h.report.Attacks {
		if a := &h.report.Attacks[i]; slices.Contains(c.Attacks, a.ID) && len(a.Actors.IPs) > 0 {
			ip = a.Actors.IPs[0]
		}
	}
	if ip == "" {
		t.Skip("no attack of the first campaign is in the small report")
	}
	var e v1.Entity
	g.holds("GET", "/api/v1/entities/client/"+ip, nil).into(t, &e)
	if !slices.ContainsFunc(e.Campaigns, func(x v1.EntityCampaign) bool { return x.Id == c.ID && x.Attacks > 0 }) {
		t.Errorf("%s is of %s: %+v", ip, c.ID, e.Campaigns)
	}
}

func TestSearchFindsEverything(t *testing.T) {
	h, g, x := seenRows(t)
	r := h.report
	some := observationtest.Row(10)
	for _, c := range []struct{ q, kind, id string }{
		{r.APIs[0].ID, "api", r.APIs[0].ID}, {r.APIs[0].Template, "api", r.APIs[0].ID}, {r.Defects[0].ID, "defect", r.Defects[0].ID}, {x.ID, "attack", x.ID}, {"198.51.100.77", "client", "198.51.100.77"},
		{"198.51.100.77", "attack", x.ID}, {r.Campaigns[0].Name, "campaign", r.Campaigns[0].ID}, {r.Sites[0].Name, "site", r.Sites[0].Name}, {"10.1.2.3/8", "prefix", "10.0.0.0/8"},
		{"as15169", "asn", "15169"}, {"CN", "country", "CN"}, {observation.Token(some.Session), "session", observation.Token(some.Session)}, {observation.Token(some.Agent), "agent", observation.Token(some.Agent)},
	} {
		var s v1.SearchResult
		g.holds("GET", "/api/v1/search?q="+url.QueryEscape(c.q), nil).into(t, &s)
		found, n := false, 0
		for _, group := range s.Groups {
			if n += len(group.Hits); len(group.Hits) == 0 {
				t.Errorf("%q: an empty group of %s", c.q, group.Kind)
			}
			found = found || string(group.Kind) == c.kind && slices.ContainsFunc(group.Hits, func(h v1.SearchHit) bool { return h.Id == c.id })
		}
		if !found && c.q != r.APIs[0].Template || n > 50 {
			t.Errorf("%q: no %s %s among %d hits: %+v", c.q, c.kind, c.id, n, s)
		}
	}
	var s v1.SearchResult
	if g.holds("GET", "/api/v1/search?q=nothing-is-called-so", nil).into(t, &s); len(s.Groups) != 0 {
		t.Errorf("%+v", s)
	}
	if g.holds("GET", "/api/v1/search?q=a&site="+url.QueryEscape(r.Sites[0].Name), nil).into(t, &s); len(s.Groups) == 0 {
		t.Error("nothing of a site")
	}
	for _, group := range s.Groups {
		for _, hit := range group.Hits {
			if hit.Site != r.Sites[0].Name && group.Kind != "campaign" {
				t.Errorf("%s of %q", group.Kind, hit.Site)
			}
		}
	}
	g.must(400, "GET", "/api/v1/search", nil)
	g.must(400, "GET", "/api/v1/search?q=", nil)
}
