package api

import (
	"cmp"
	"encoding/json"
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
		a.FirstSeen, a.LastSeen = a.FirstSeen.Add(time.Duration(i%7)*time.Minute), a.LastSeen.Add(time.Duration(i%11)*time.Hour)
		a.Auth, a.Gone, a.Contract = auth[i%4], i%5 == 0, &contract.Contract{Samples: 5}
		if i%4 < 2 {
			a.Contract.Changes = []contract.Change{{Kind: contract.StatusAdded, Name: "400", Time: a.LastSeen.Add(-time.Duration(20+20*(i%4)) * 24 * time.Hour)}}
		}
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
	for i := range r.Attacks {
		x := &r.Attacks[i]
		x.Confidence = float64(50+i%40) / 100
		keep(kept.Attack(x, 2))
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
		var sum struct{ Total int }
		g.must(200, "GET", "/api/v1/counts/"+path+"?"+q.Encode(), nil).into(t, &sum)
		var first struct{ Total int }
		one := maps.Clone(q)
		one.Set("limit", "1")
		g.must(200, "GET", "/api/v1/"+path+"?"+one.Encode(), nil).into(t, &first)
		if sum.Total != len(w) || first.Total != len(w) {
			t.Errorf("%s?%s: %d are counted, the list says %d, want %d", path, q.Encode(), sum.Total, first.Total, len(w))
		}
	}
	chosen := 0
	for _, q := range []url.Values{{}, {"site": {a0.Site}}, {"role": {a0.Role}}, {"role": {a0.Role, r.APIs[0].Role}}, {"lifecycle": {"active"}}, {"auth": {"none"}}, {"exposure": {a0.Exposure}},
		{"method": {"post"}}, {"data": {"email"}}, {"sensitive": {"true"}}, {"sensitive": {"false"}}, {"gone": {"true"}}, {"changed": {"true"}}, {"path": {strings.ToUpper(a0.Template[:len(a0.Template)-1])}}, {"path": {a0.Template[1:]}}, {"text": {strings.ToUpper(a0.Template)}}, {"text": {a0.Host}},
		{"from": {middle}}, {"to": {middle}}, {"first_from": {a0.FirstSeen.UTC().Format(time.RFC3339Nano)}}, {"site": {a0.Site}, "auth": {"required"}, "data": {"cn_mobile"}}, {"site": {"nowhere"}}} {
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
				changed := a.Contract != nil && len(a.Contract.Changes) > 0 && i%4 == 0
				plain, types := false, []string{}
				for _, s := range a.Sensitive {
					plain = plain || s.In == "response" && !s.Masked
					types = append(types, s.Type)
				}
				if in(q, "site", a.Site) && in(q, "role", a.Role) && in(q, "lifecycle", a.Lifecycle) && in(q, "auth", a.Auth) && in(q, "exposure", a.Exposure) &&
					in(q, "method", strings.ToLower(a.Method)) && (q.Get("data") == "" || slices.Contains(types, q.Get("data"))) && (q.Get("sensitive") != "true" || plain) &&
					(q.Get("gone") == "" || a.Gone) && (q.Get("changed") == "" || changed) && strings.HasPrefix(strings.ToLower(a.Template), strings.ToLower(q.Get("path"))) && has(a.Method+" "+a.Template, a.Host, a.Title, a.ID)(q.Get("text")) && during(q, a.FirstSeen, a.LastSeen) {
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
		{"verdict": {"confirmed"}}, {"from": {middle}}, {"to": {middle}}, {"first_to": {middle}}, {"first_from": {middle}}, {"text": {x0.ID}}} {
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
					in(q, "kind", a.Kind) && in(q, "scenario", a.Scenario) && in(q, "verdict", a.Verdict) && during(q, a.FirstSeen, a.LastSeen) && (q.Get("text") == "" || a.ID == q.Get("text")) {
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

func during(q url.Values, first, last time.Time) bool {
	at := func(name string) time.Time {
		t, _ := time.Parse(time.RFC3339Nano, q.Get(name))
		return t
	}
	return (q.Get("from") == "" || !last.Before(at("from"))) && (q.Get("to") == "" || last.Before(at("to"))) &&
		(q.Get("first_from") == "" || !first.Before(at("first_from"))) && (q.Get("first_to") == "" || first.Before(at("first_to")))
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
		hidden := int64(1)
		if masked {
			hidden = 2
		}
		exp := fmt.Sprint([]v1.ExposedData{{Type: "cn_mobile", In: "response", Masked: masked, Plain: !masked, Fields: 2, MaskedFields: hidden, Exchanges: 7, MaxPerResponse: 9}, {Type: "email", In: "request", Plain: true, Fields: 1, Exchanges: 1}})
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
	left := want
	for _, auth := range []string{"none", "optional", "required", "unknown"} {
		p = v1.ExposurePage{}
		g.must(200, "GET", "/api/v1/exposure?limit=500&sort=exchanges&auth="+auth, nil).into(t, &p)
		for i, e := range p.Items {
			if e.Auth != auth || i > 0 && e.Exchanges > p.Items[i-1].Exchanges {
				t.Errorf("auth=%s: %s with %d exchanges comes at %d", auth, e.Auth, e.Exchanges, i)
			}
		}
		left -= len(p.Items)
	}
	if left != 0 {
		t.Errorf("%d APIs are under no auth", left)
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

// TestListsAreInTheOrderAskedFor turns the pages of every order, both ways.
func TestListsAreInTheOrderAskedFor(t *testing.T) {
	_, g := varied(t)
	type element struct {
		ID                         string
		Template, Method, Severity string
		Exchanges, Requests        uint64
		Actors                     json.RawMessage // of APIs a number
		Subjects                   uint64          `json:"subjects_exposed"`
		Confidence                 float64
		First                      time.Time `json:"first_seen"`
		Last                       time.Time `json:"last_seen"`
		Sensitive                  []report.SensitiveData
	}
	parse := func(b json.RawMessage) (n uint64) {
		if err := json.Unmarshal(b, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	seen := func(a, b element) int { return a.Last.Compare(b.Last) }
	levels := map[string]int{"moderate": 1, "elevated": 2, "high": 3, "critical": 4}
	orders := map[string]func(a, b element) int{
		"last_seen": seen, "first_seen": func(a, b element) int { return a.First.Compare(b.First) },
		"exchanges": func(a, b element) int { return cmp.Compare(a.Exchanges, b.Exchanges) }, "actors": func(a, b element) int { return cmp.Compare(parse(a.Actors), parse(b.Actors)) },
		"exposed": func(a, b element) int {
			return cmp.Compare(kept.Exposed(&report.API{Sensitive: a.Sensitive}), kept.Exposed(&report.API{Sensitive: b.Sensitive}))
		},
		"template":         func(a, b element) int { return cmp.Compare(a.Template+" "+a.Method, b.Template+" "+b.Method) },
		"severity":         func(a, b element) int { return cmp.Or(cmp.Compare(levels[a.Severity], levels[b.Severity]), seen(a, b)) },
		"requests":         func(a, b element) int { return cmp.Compare(a.Requests, b.Requests) },
		"subjects_exposed": func(a, b element) int { return cmp.Compare(a.Subjects, b.Subjects) },
		"confidence":       func(a, b element) int { return cmp.Compare(a.Confidence, b.Confidence) },
	}
	for _, pattern := range []string{"apis", "defects", "attacks", "campaigns"} {
		op := g.h.api.shapes.operations["GET /api/v1/"+pattern]
		for _, sort := range op.query["sort"].Enum {
			differ := false
			for _, order := range []string{"", "desc", "asc"} {
				q := url.Values{"sort": {sort}, "limit": {"7"}}
				if order != "" {
					q.Set("order", order)
				}
				up := order == "asc" || order == "" && sort == "template"
				var list []element
				total := -1
				for {
					var p struct {
						Items []element
						Next  string
						Total int
					}
					g.must(200, "GET", "/api/v1/"+pattern+"?"+q.Encode(), nil).into(t, &p)
					list = append(list, p.Items...)
					if total >= 0 && p.Total != total {
						t.Errorf("%s: %d in all, then %d", pattern, total, p.Total)
					}
					if total = p.Total; p.Next == "" {
						break
					}
					q.Set("cursor", p.Next)
				}
				if len(list) != total || total < 2 {
					t.Fatalf("%s by %s: %d come, there are %d", pattern, sort, len(list), total)
				}
				for i := 1; i < len(list); i++ {
					c := orders[sort](list[i-1], list[i])
					differ = differ || c != 0
					if c = cmp.Or(c, cmp.Compare(list[i].ID, list[i-1].ID)); up && c >= 0 || !up && c <= 0 {
						t.Fatalf("%s by %s %s: %+v comes before %+v", pattern, sort, order, list[i-1], list[i])
					}
				}
			}
			if !differ {
				t.Errorf("%s by %s: all are alike", pattern, sort)
			}
		}
	}
	var p v1.APIPage
	g.must(200, "GET", "/api/v1/apis?sort=actors&limit=1", nil).into(t, &p)
	if a := g.must(400, "GET", "/api/v1/apis?sort=exchanges&cursor="+p.Next, nil).problem(t); a.Code != "query" {
		t.Errorf("a place of another order: %+v", a)
	}
	g.must(400, "GET", "/api/v1/campaigns?sort=confidence", nil)
}

// TestTagsAreCounted holds the counts of filters against lists held to them.
func TestTagsAreCounted(t *testing.T) {
	_, g := varied(t)
	for _, extra := range []string{"", "&lifecycle=active", "&auth=none&text=a"} {
		var c v1.Counts
		g.must(200, "GET", "/api/v1/counts/apis?tags=true"+extra, nil).into(t, &c)
		if len(c.Tags) < 5 {
			t.Errorf("%s: %+v", extra, c.Tags)
		}
		for _, tag := range c.Tags {
			if strings.Contains(extra, tag.Name+"=") {
				continue
			}
			var p v1.APIPage
			if g.must(200, "GET", "/api/v1/apis?limit=1&"+tag.Name+"="+tag.Value+extra, nil).into(t, &p); p.Total != tag.Count {
				t.Errorf("%s=%s%s: %d in the list, %d are counted", tag.Name, tag.Value, extra, p.Total, tag.Count)
			}
		}
	}
	var c v1.Counts
	if g.must(200, "GET", "/api/v1/counts/apis", nil).into(t, &c); c.Tags != nil {
		t.Error("tags that nobody asked for")
	}
}
