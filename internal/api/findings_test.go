package api

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/catalog/contract"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// all turns the pages of a list and gives the ids.
func all[P any](t *testing.T, g *guest, path string, q url.Values, of func(*P) ([]string, string)) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	q = maps.Clone(q)
	for {
		var p P
		g.must(200, "GET", path+"?"+q.Encode(), nil).into(t, &p)
		ids, next := of(&p)
		for _, id := range ids {
			if out[id] {
				t.Errorf("%s comes twice", id)
			}
			out[id] = true
		}
		if next == "" {
			return out
		}
		q.Set("cursor", next)
	}
}

// varied gives a house whose findings differ in what lists can be held to.
func varied(t *testing.T) (*house, *guest) {
	t.Helper()
	h := newHouse(t)
	r := h.report
	var put []record.Record
	keep := func(x record.Record, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		put = append(put, x)
	}
	apis := map[string]*report.API{}
	auth := []string{"none", "optional", "required", "unknown"}
	for i := range r.APIs {
		a := &r.APIs[i]
		a.Auth, a.Gone, a.Contract = auth[i%4], i%5 == 0, &contract.Contract{Samples: 5}
		if i%3 == 0 {
			a.Sensitive = []report.SensitiveData{{Path: "a", Type: "cn_mobile", In: "response", Masked: i%2 == 0, Exchanges: 5, MaxPerResponse: 9},
				{Path: "b", Type: "cn_mobile", In: "response", Masked: true, Exchanges: 7, MaxPerResponse: 2}, {Path: "c", Type: "email", In: "request", Exchanges: 1}}
		} else {
			a.Sensitive = []report.SensitiveData{}
		}
		apis[a.ID] = a
		keep(kept.API(a, 2))
	}
	states := []string{"candidate", "probable", "confirmed", "fix_claimed", "verifying", "fixed", "regressed", "accepted_risk", "false_positive", "retired"}
	for i := range r.Defects {
		d := &r.Defects[i]
		d.Status = states[i%len(states)]
		of := apis[d.API]
		keep(kept.Defect(d, of.Site, of, 2))
	}
	for i := 0; i < len(put); i += record.MaxBatch {
		if _, err := h.store.Write(t.Context(), record.Batch{Put: put[i:min(len(put), i+record.MaxBatch)]}); err != nil {
			t.Fatal(err)
		}
	}
	return h, h.admin()
}

// TestListsGiveWhatIsAskedFor holds every filter against a plain loop.
func TestListsGiveWhatIsAskedFor(t *testing.T) {
	h, g := varied(t)
	r := h.report
	has := func(texts ...string) func(string) bool {
		return func(s string) bool {
			return strings.Contains(strings.ToLower(strings.Join(texts, "\n")), strings.ToLower(s))
		}
	}
	a0, d0, x0, c0 := &r.APIs[len(r.APIs)/2], &r.Defects[0], &r.Attacks[0], &r.Campaigns[0]
	middle := x0.LastSeen.UTC().Format(time.RFC3339Nano)
	compare := func(path string, q url.Values, got map[string]bool, want func() []string) {
		t.Helper()
		w := want()
		slices.Sort(w)
		if ids := slices.Sorted(maps.Keys(got)); !slices.Equal(ids, w) {
			t.Errorf("%s?%s gives %d, want %d", path, q.Encode(), len(ids), len(w))
		}
	}
	chosen := 0
	for _, q := range []url.Values{{}, {"site": {a0.Site}}, {"role": {a0.Role}}, {"role": {a0.Role, r.APIs[0].Role}}, {"lifecycle": {"active"}}, {"auth": {"none"}}, {"exposure": {a0.Exposure}},
		{"method": {"post"}}, {"data": {"email"}}, {"sensitive": {"true"}}, {"sensitive": {"false"}}, {"gone": {"true"}}, {"text": {strings.ToUpper(a0.Template)}}, {"text": {a0.Host}},
		{"from": {middle}}, {"to": {middle}}, {"site": {a0.Site}, "auth": {"required"}, "data": {"cn_mobile"}}, {"site": {"nowhere"}}} {
		got := all(t, g, "/api/v1/apis", q, func(p *v1.APIPage) (ids []string, next string) {
			for _, a := range p.Items {
				if ids = append(ids, a.ID); a.Contract != nil {
					t.Error("a list holds contracts")
				}
			}
			return ids, p.Next
		})
		compare("apis", q, got, func() (ids []string) {
			for i := range r.APIs {
				a := &r.APIs[i]
				plain, types := false, []string{}
				for _, s := range a.Sensitive {
					plain = plain || s.In == "response" && !s.Masked
					types = append(types, s.Type)
				}
				if in(q, "site", a.Site) && in(q, "role", a.Role) && in(q, "lifecycle", a.Lifecycle) && in(q, "auth", a.Auth) && in(q, "exposure", a.Exposure) &&
					in(q, "method", strings.ToLower(a.Method)) && (q.Get("data") == "" || slices.Contains(types, q.Get("data"))) && (q.Get("sensitive") != "true" || plain) &&
					(q.Get("gone") == "" || a.Gone) && has(a.Method+" "+a.Template, a.Host, a.Title, a.ID)(q.Get("text")) && during(q, a.LastSeen) {
					ids = append(ids, a.ID)
				}
			}
			chosen += len(ids)
			return ids
		})
	}
	site := map[string]string{}
	for i := range r.APIs {
		site[r.APIs[i].ID] = r.APIs[i].Site
	}
	for _, q := range []url.Values{{}, {"site": {site[d0.API]}}, {"api": {d0.API}}, {"class": {d0.Class}}, {"class": {d0.Class}, "kind": {"nothing"}}, {"kind": {d0.Kind}}, {"severity": {"critical", "high"}},
		{"status": {"fixed", "retired"}}, {"open": {"true"}}, {"open": {"true"}, "status": {"fixed"}}, {"open": {"false"}}, {"class": {"none"}}, {"text": {d0.ID}}} {
		got := all(t, g, "/api/v1/defects", q, func(p *v1.DefectPage) (ids []string, next string) {
			for _, d := range p.Items {
				ids = append(ids, d.ID)
			}
			return ids, p.Next
		})
		compare("defects", q, got, func() (ids []string) {
			for i := range r.Defects {
				if d := &r.Defects[i]; in(q, "site", site[d.API]) && in(q, "api", d.API) && in(q, "class", d.Class) && in(q, "kind", d.Kind) && in(q, "severity", d.Severity) &&
					in(q, "status", d.Status) && (q.Get("open") != "true" || !d.Closed()) && (q.Get("text") == "" || d.ID == q.Get("text")) {
					ids = append(ids, d.ID)
				}
			}
			chosen += len(ids)
			return ids
		})
	}
	through := ""
	for i := range r.Attacks {
		if len(r.Attacks[i].Through) > 0 {
			through = r.Attacks[i].Through[0]
		}
	}
	for _, q := range []url.Values{{}, {"site": {x0.Site}}, {"api": {x0.APIs[0]}}, {"defect": {through}}, {"kind": {x0.Kind}}, {"scenario": {x0.Scenario}}, {"scenario": {"account_risk"}, "kind": {"scraping"}},
		{"verdict": {"confirmed"}}, {"from": {middle}}, {"to": {middle}}, {"text": {x0.ID}}} {
		got := all(t, g, "/api/v1/attacks", q, func(p *v1.AttackPage) (ids []string, next string) {
			for _, a := range p.Items {
				if ids = append(ids, a.ID); len(a.Actors.IPs) > shortIPs || len(a.Selector.Keys.IP) > shortIPs || len(a.Activity)+len(a.Signature) > 0 {
					t.Error("a list holds attacks at full length")
				}
			}
			return ids, p.Next
		})
		compare("attacks", q, got, func() (ids []string) {
			for i := range r.Attacks {
				if a := &r.Attacks[i]; in(q, "site", a.Site) && (q.Get("api") == "" || slices.Contains(a.APIs, q.Get("api"))) && (q.Get("defect") == "" || slices.Contains(a.Through, q.Get("defect"))) &&
					in(q, "kind", a.Kind) && in(q, "scenario", a.Scenario) && in(q, "verdict", a.Verdict) && during(q, a.LastSeen) && (q.Get("text") == "" || a.ID == q.Get("text")) {
					ids = append(ids, a.ID)
				}
			}
			chosen += len(ids)
			return ids
		})
	}
	for _, q := range []url.Values{{}, {"site": {c0.Sites[0]}}, {"attack": {c0.Attacks[0]}}, {"scenario": {c0.Scenarios[0]}}, {"text": {c0.Name}}} {
		got := all(t, g, "/api/v1/campaigns", q, func(p *v1.CampaignPage) (ids []string, next string) {
			for _, c := range p.Items {
				ids = append(ids, c.ID)
			}
			return ids, p.Next
		})
		compare("campaigns", q, got, func() (ids []string) {
			for i := range r.Campaigns {
				if c := &r.Campaigns[i]; (q.Get("site") == "" || slices.Contains(c.Sites, q.Get("site"))) && (q.Get("attack") == "" || slices.Contains(c.Attacks, q.Get("attack"))) &&
					(q.Get("scenario") == "" || slices.Contains(c.Scenarios, q.Get("scenario"))) && (q.Get("text") == "" || c.Name == q.Get("text")) {
					ids = append(ids, c.ID)
				}
			}
			chosen += len(ids)
			return ids
		})
	}
	if chosen < 100 {
		t.Errorf("the filters leave %d over: too few to compare", chosen)
	}
	var full report.Attack
	if g.must(200, "GET", "/api/v1/attacks/"+x0.ID, nil).into(t, &full); len(full.Activity) != len(x0.Activity) || len(full.Actors.IPs) != len(x0.Actors.IPs) {
		t.Error("an attack is cut short")
	}
	var api report.API
	if g.must(200, "GET", "/api/v1/apis/"+a0.ID, nil).into(t, &api); api.Contract == nil {
		t.Error("an API comes without its contract")
	}
}

func in(q url.Values, name, have string) bool {
	return len(q[name]) == 0 || slices.Contains(q[name], have)
}

func during(q url.Values, last time.Time) bool {
	at := func(name string) time.Time {
		t, _ := time.Parse(time.RFC3339Nano, q.Get(name))
		return t
	}
	return (q.Get("from") == "" || !last.Before(at("from"))) && (q.Get("to") == "" || last.Before(at("to")))
}

func TestExposureIsAMatrix(t *testing.T) {
	h, g := varied(t)
	var p v1.ExposurePage
	g.holds("GET", "/api/v1/exposure?limit=500", nil).into(t, &p)
	want := 0
	for i := range h.report.APIs {
		if len(h.report.APIs[i].Sensitive) > 0 {
			want++
		}
	}
	if len(p.Items) != want || want == 0 {
		t.Errorf("%d APIs carry data, want %d", len(p.Items), want)
	}
	for _, e := range p.Items {
		i := slices.IndexFunc(h.report.APIs, func(a report.API) bool { return a.ID == e.Api })
		masked := i%2 == 0
		exp := fmt.Sprint([]v1.ExposedData{{Type: "cn_mobile", In: "response", Masked: masked, Plain: !masked, Fields: 2, Exchanges: 7, MaxPerResponse: 9}, {Type: "email", In: "request", Plain: true, Fields: 1, Exchanges: 1}})
		if got := fmt.Sprint(e.Data); got != exp {
			t.Errorf("%s carries %s, want %s", e.Api, got, exp)
		}
	}
	for q, plain := range map[string]bool{"sensitive=true": true, "data=email": false} {
		p = v1.ExposurePage{}
		g.must(200, "GET", "/api/v1/exposure?limit=500&"+q, nil).into(t, &p)
		if len(p.Items) == 0 || plain && len(p.Items) >= want {
			t.Errorf("%s: %d", q, len(p.Items))
		}
	}
}

func TestCounts(t *testing.T) {
	h, g := varied(t)
	var c v1.Counts
	g.holds("GET", "/api/v1/counts/defects", nil).into(t, &c)
	by := map[string]int64{}
	for _, x := range c.Groups {
		by[x.State] += x.Count
	}
	want := map[string]int64{}
	for i := range h.report.Defects {
		want[h.report.Defects[i].Status]++
	}
	if !maps.Equal(by, want) || c.Total != int64(len(h.report.Defects)) {
		t.Errorf("%v, want %v", by, want)
	}
	x := h.report.Campaigns[0]
	g.holds("GET", "/api/v1/counts/campaigns?site="+url.QueryEscape(x.Sites[0]), nil).into(t, &c)
	n := int64(0)
	for i := range h.report.Campaigns {
		if slices.Contains(h.report.Campaigns[i].Sites, x.Sites[0]) {
			n++
		}
	}
	if c.Total != n || n == 0 {
		t.Errorf("%d campaigns, want %d", c.Total, n)
	}
}

func TestOpenStatesAreThoseOfDefects(t *testing.T) {
	if !slices.Contains(open, string(taxonomy.Regressed)) || slices.Contains(open, string(taxonomy.Fixed)) || len(open) != 6 {
		t.Error(open)
	}
	for _, c := range []struct{ have, and, want []string }{{nil, []string{"a"}, []string{"a"}}, {[]string{"a", "b"}, []string{"b", "c"}, []string{"b"}}, {[]string{"a"}, []string{"b"}, []string{none}}} {
		if got := both(c.have, c.and); !slices.Equal(got, c.want) {
			t.Errorf("%v and %v give %v", c.have, c.and, got)
		}
	}
}
