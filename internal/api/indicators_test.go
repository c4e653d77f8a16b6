package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel/feed"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/store/record"
)

// TestWordsOfPeople: what somebody says counts at once, is there after a
// restart, is written in the audit log, and can be taken back with a reason.
func TestWordsOfPeople(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	score := func(value string) (v1.Known, bool) {
		var x v1.Knowledge
		g.must(200, "POST", "/api/v1/indicators/lookup", map[string]any{"value": value}).into(t, &x)
		if len(x.Items) == 0 {
			return v1.Known{}, false
		}
		return x.Items[0], true
	}
	add := func(typ, value, verdict string) (w v1.Word) {
		t.Helper()
		g.must(201, "POST", "/api/v1/indicators", map[string]any{"type": typ, "value": value, "verdict": verdict, "reason": "seen in a fraud case"}).into(t, &w)
		return w
	}
	hostile := add("address", "45.9.1.7", "hostile")
	if k, _ := score("45.9.1.7"); k.Score < indicator.Blocks || !k.Blockable || k.Local != 1 {
		t.Errorf("%+v", k)
	}
	harmless := add("network", "45.9.1.0/24", "harmless")
	if k, _ := score("45.9.1.7"); k.Score != 0 || k.Never != library.HarmlessSource {
		t.Errorf("%+v", k)
	}
	phone := add("phone", "+86 138-0013-8000", "hostile")
	if !strings.HasPrefix(phone.Value, "hmac:") {
		t.Errorf("%+v", phone)
	}
	if k, ok := score("13800138000"); !ok || k.Type != "phone" || k.Score == 0 {
		t.Errorf("%+v", k)
	}
	if err := record.Every(t.Context(), h.store, record.Query{Kind: record.Indicator}, func(r *record.Record) error {
		if b, _ := json.Marshal(r); bytes.Contains(b, []byte("13800138000")) || bytes.Contains(b, []byte("138-0013")) {
			t.Errorf("a phone is kept: %s", b)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	h.open() // a restart
	g = h.login("root")
	if k, _ := score("45.9.1.7"); k.Never != library.HarmlessSource {
		t.Errorf("after a restart %+v", k)
	}
	var w v1.Word
	g.must(200, "POST", "/api/v1/indicators/"+harmless.Id+"/retire", map[string]any{"reason": "they left"}).into(t, &w)
	if w.State != v1.WordStateRetired || w.RetiredReason != "they left" || w.RetiredBy == "" {
		t.Errorf("%+v", w)
	}
	g.must(409, "POST", "/api/v1/indicators/"+harmless.Id+"/retire", map[string]any{"reason": "again"})
	if k, _ := score("45.9.1.7"); k.Score < indicator.Blocks {
		t.Errorf("%+v", k)
	}
	h.pass(25 * time.Hour) // an address ages within a day
	g = h.login("root")
	if k, _ := score("45.9.1.7"); k.Score != 0 {
		t.Errorf("it does not age: %+v", k)
	}
	var list v1.Words
	g.must(200, "GET", "/api/v1/indicators?text=45.9.1", nil).into(t, &list)
	if len(list.Items) != 2 {
		t.Errorf("%+v", list)
	}
	for want, body := range map[string]map[string]any{
		"private": {"type": "address", "value": "10.1.1.1"}, "too wide": {"type": "network", "value": "0.0.0.0/1"}, "no value": {"type": "bin", "value": "x"},
	} {
		body["verdict"], body["reason"] = "hostile", "x"
		a := g.must(422, "POST", "/api/v1/indicators", body)
		if !strings.Contains(strings.ToLower(string(a.body)), want) {
			t.Errorf("%v gives %s", body, a.body)
		}
	}
	var audit v1.AuditEntryPage
	g.must(200, "GET", "/api/v1/audit?action=indicator", nil).into(t, &audit)
	actions := map[string]int{}
	for _, e := range audit.Items {
		actions[e.Action]++
		if b, _ := json.Marshal(e); bytes.Contains(b, []byte("13800138000")) {
			t.Errorf("a phone is in the audit log: %s", b)
		}
	}
	if actions["indicator.hostile"] != 2 || actions["indicator.harmless"] != 1 || actions["indicator.retire"] != 1 {
		t.Errorf("%v", actions)
	}
	_ = hostile
}

// TestWrongAttackCountsAgainstItsSources: once, until it is taken back.
func TestWrongAttackCountsAgainstItsSources(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	id := h.report.Attacks[0].ID
	h.api.cfg.Library.Attacks([]indicator.Attack{{ID: id, Kind: "k", Site: "shop", First: start.UnixNano(), Last: start.UnixNano(), Traits: []indicator.Trait{{Key: "header_order", Value: "00000000000a11ce", Share: 1, Of: 100}}}}, nil)
	known := func() int {
		var x v1.Knowledge
		g.must(200, "POST", "/api/v1/indicators/lookup", map[string]any{"value": "00000000000a11ce", "type": "fingerprint"}).into(t, &x)
		if len(x.Items) == 0 {
			return 0
		}
		return x.Items[0].Score
	}
	_ = h.api.cfg.Library.Tell(t.Context())
	if known() == 0 {
		t.Fatal("the attack gave nothing")
	}
	var w v1.Word
	g.must(201, "POST", "/api/v1/attacks/"+id+"/wrong", map[string]any{"reason": "our load test"}).into(t, &w)
	if known() != 0 || len(w.Sources) != 1 || w.Sources[0] != library.OwnSource {
		t.Errorf("%d, %+v", known(), w)
	}
	g.must(409, "POST", "/api/v1/attacks/"+id+"/wrong", map[string]any{"reason": "again"})
	g.must(404, "POST", "/api/v1/attacks/none/wrong", map[string]any{"reason": "again"})
	g.must(200, "POST", "/api/v1/indicators/"+w.Id+"/retire", map[string]any{"reason": "it was one"})
	if known() == 0 {
		t.Error("the attack does not count again")
	}
	g.must(201, "POST", "/api/v1/attacks/"+id+"/wrong", map[string]any{"reason": "after all"})
}

func TestFeedsAreToldOf(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	a := g.must(200, "GET", "/api/v1/feeds", nil)
	var f v1.Feeds
	a.into(t, &f)
	if len(f.Items) != 1 || f.Items[0].State != v1.FeedStateNever || f.Items[0].Licence == "" || f.Items[0].Host != "lists.example.com" || len(f.Shared) != 2 {
		t.Errorf("%+v", f)
	}
	if bytes.Contains(a.body, []byte("secret")) {
		t.Errorf("the URL's key is told: %s", a.body)
	}
	g.must(404, "POST", "/api/v1/feeds/none/refresh", nil)
}

// TestExports: each format is what it says, and holds nothing stricter than was
// asked for, nor what feeds say.
func TestExports(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	for i, tlp := range []string{"green", "amber", "red"} {
		g.must(201, "POST", "/api/v1/indicators", map[string]any{"type": "address", "value": "45.9.1." + string(rune('1'+i)), "verdict": "hostile", "tlp": tlp, "reason": "x"})
	}
	for _, f := range feed.Outs() {
		a := g.must(200, "GET", "/api/v1/indicators/export?format="+string(f)+"&tlp=amber", nil)
		if !bytes.Contains(a.body, []byte("45.9.1.1")) || !bytes.Contains(a.body, []byte("45.9.1.2")) || bytes.Contains(a.body, []byte("45.9.1.3")) || !strings.Contains(a.head.Get("Content-Disposition"), "xiezhi-indicators") {
			t.Errorf("%s: %s %s", f, a.head.Get("Content-Disposition"), a.body)
		}
		if f == feed.MISP || f == feed.STIX || f == feed.CSV || f == feed.JSONL || f == feed.Plain {
			r, err := feed.Decode(f, a.body, feed.Options{Name: "x", Now: start.UnixNano()})
			if err != nil || len(r.Rows) != 2 {
				t.Errorf("%s: %v", f, err)
				continue
			}
			if f == feed.MISP || f == feed.JSONL { // all of it comes back
				for _, x := range r.Rows {
					i := strings.LastIndex(x.Value, ".")
					if x.Confidence != 90 || x.Sightings != 1 || x.First != start.UnixNano() || x.Last != start.UnixNano() || x.TLP.String() != map[string]string{".1": "green", ".2": "amber"}[x.Value[i:]] {
						t.Errorf("%s: %+v", f, x)
					}
				}
			}
		}
	}
}

// TestTokensForIntelligence: a token with a scope reads its collection and
// nothing else, whoever made it.
func TestTokensForIntelligence(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	make := func(g *guest, code int, scope string) (x v1.TokenOnce) {
		t.Helper()
		body := map[string]any{"name": "node", "role": "viewer", "days": 30}
		if scope != "" {
			body["scope"] = scope
		}
		if a := g.must(code, "POST", "/api/v1/tokens", body); code == 201 {
			a.into(t, &x)
		}
		return x
	}
	owner, others, plain := make(g, 201, "intelligence_owner"), make(g, 201, "intelligence_others"), make(g, 201, "")
	if string(owner.Info.Scope) != "intelligence_owner" || plain.Info.Scope != "" {
		t.Errorf("%+v", owner)
	}
	srv := httptest.NewServer(h.api.TAXII())
	defer srv.Close()
	get := func(token, path string, basic bool) int {
		r, _ := http.NewRequest("GET", srv.URL+path, nil)
		if basic {
			r.SetBasicAuth("anybody", token)
		} else {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	mine, theirs := "/taxii2/api/collections/"+library.OwnerCollection+"/objects/", "/taxii2/api/collections/"+library.OthersCollection+"/objects/"
	for _, basic := range []bool{false, true} {
		for token, want := range map[string][2]int{owner.Token: {200, 404}, others.Token: {404, 200}, plain.Token: {200, 200}, "xz_wrong": {401, 401}, "": {401, 401}} {
			if got := [2]int{get(token, mine, basic), get(token, theirs, basic)}; got != want {
				t.Errorf("%.8s reads %v, want %v", token, got, want)
			}
		}
	}
	for _, path := range []string{"/api/v1/attacks", "/api/v1/session", "/api/v1/feeds"} {
		if a := (&guest{h: h, token: others.Token}).must(403, "GET", path, nil); !bytes.Contains(a.body, []byte("token_scope")) {
			t.Errorf("%s", a.body)
		}
	}
	(&guest{h: h, token: plain.Token}).must(200, "GET", "/api/v1/feeds", nil)
	g.must(204, "DELETE", "/api/v1/tokens/"+others.Info.Id, nil)
	if get(others.Token, theirs, false) != 401 {
		t.Error("a token that was ended still reads")
	}
	// Whom intelligence goes to, administrators say.
	g.must(201, "POST", "/api/v1/users", map[string]any{"name": "lei", "role": "responder", "password": goodPassword})
	lei := &guest{h: h}
	lei.signed(lei.must(201, "POST", "/api/v1/session", map[string]string{"name": "lei", "password": goodPassword}))
	make(lei, 403, "intelligence_others")
}

func TestNothingIsKnownWithoutALibrary(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Library = nil })
	g := h.admin()
	for path, body := range map[string]map[string]any{"/indicators/lookup": {"value": "x"}, "/indicators": {"type": "address", "value": "45.9.1.7", "verdict": "hostile", "reason": "x"}, "/feeds/a/refresh": nil} {
		g.must(503, "POST", "/api/v1"+path, body)
	}
	g.must(503, "GET", "/api/v1/feeds", nil)
	g.must(503, "GET", "/api/v1/indicators/export?format=stix", nil)
	if h.api.TAXII() != nil {
		t.Error("something is served")
	}
}
