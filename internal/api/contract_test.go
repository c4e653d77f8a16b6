package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/respond"
	"xiezhi/internal/store/observation/observationtest"
	"xiezhi/schema"
)

// contracted holds answers against the document.
type contracted struct {
	doc    *openapi3.T
	router routers.Router
}

var theContract = sync.OnceValues(func() (*contracted, error) {
	data, err := schema.FS.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(doc)
	return &contracted{doc, router}, err
})

// holds asks and compares the answer with the document.
func (g *guest) holds(method, path string, body any) answer {
	t := g.h.t
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	a := g.ask(method, path, body)
	c.check(t, g.request(method, path, body), a)
	return a
}

func (c *contracted) check(t testing.TB, r *http.Request, a answer) {
	t.Helper()
	route, params, err := c.router.FindRoute(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	media := a.head.Get("Content-Type")
	if m, _, _ := strings.Cut(media, ";"); m == "text/html" || strings.HasPrefix(m, "application/vnd.") || m == "text/event-stream" || m == "application/sarif+json" {
		return // no reader of such bodies is there
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 a.code, Header: a.head, Body: io.NopCloser(bytes.NewReader(a.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: false, MultiError: true},
	}
	if err := openapi3filter.ValidateResponse(t.Context(), in); err != nil {
		t.Errorf("%s %s: %d is not what the document says: %.3000v", r.Method, r.URL, a.code, err)
	}
}

func init() {
	openapi3filter.RegisterBodyDecoder("application/problem+json", openapi3filter.JSONBodyDecoder)
}

func TestDocumentIsValid(t *testing.T) {
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// readings are the paths, without their beginning, of everything that can be
// read and is there.
func readings(r *report.Report) []string {
	site := r.Sites[0].Name
	return []string{"/sites", "/sites/" + site, "/sites/" + site + "/openapi", "/apis", "/apis?site=" + site + "&lifecycle=active&lifecycle=new&auth=none&text=a",
		"/apis/" + r.APIs[0].ID, "/defects", "/defects?open=true&class=excessive_exposure&class=unauthorized_access", "/defects/" + r.Defects[0].ID,
		"/attacks", "/attacks?scenario=account_risk&api=" + r.APIs[0].ID, "/attacks/" + r.Attacks[0].ID, "/campaigns", "/campaigns?site=" + site, "/campaigns/" + r.Campaigns[0].ID,
		"/exposure", "/agenda", "/overview", "/overview?from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z&offset=480&site=" + site, "/counts/apis", "/counts/apis?tags=true&auth=none", "/apis?sort=exposed&order=asc", "/campaigns?sort=requests", "/counts/defects?site=" + site, "/counts/attacks", "/counts/activity", "/counts/activity?by=attack&campaign=" + r.Campaigns[0].ID, "/counts/campaigns?site=" + site, "/counts/attacked", "/counts/attacked?from=2026-01-01T00:00:00Z&site=" + site,
		"/apis/" + r.APIs[0].ID + "/history", "/campaigns/" + r.Campaigns[0].ID + "/timeline", "/attacks/" + r.Attacks[0].ID + "/contrast",
		"/sensors", "/search?q=a", "/entities/client/192.0.2.3?to=2026-03-02T00:00:00Z", "/entities/prefix/192.0.2.0%2F24?to=2026-03-02T00:00:00Z",
		"/observations?verdict=attack&verdict=suspicious&limit=5", "/observations/series?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&step=hour&by=verdict&offset=480",
		"/observations/top?of=client&measure=bytes_out", "/observations/pivot?of=api&key=" + observationtest.Row(1).API, "/observations/days",
		"/report?site=" + site + "&from=2022-01-01T00:00:00Z&to=2022-02-01T00:00:00Z", "/report", "/report?format=html&lang=zh", "/report?format=xlsx", "/report?format=sarif", "/report?period=2025-06&format=html&outline=gbt", "/report?period=2025-Q2&format=xlsx&lang=zh", "/report?period=2025", "/policy", "/decisions?state=active&action=block&text=a", "/enforcement", "/bouncers", "/feeds", "/indicators?text=a&limit=5", "/indicators/export?format=stix&tlp=amber&least=1", "/rules", "/settings", "/status"}
}

// TestEveryAnswerIsAsDocumented asks for every operation in a way that
// succeeds, and counts them.
func TestEveryAnswerIsAsDocumented(t *testing.T) {
	h := newHouse(t, func(c *Config) {
		c.TestRules, c.Hunt = compileRules, noHunt
		c.Observations = someRows(t)
		c.OwnRules = ownRules
		c.Status = func(context.Context) v1.Status {
			return v1.Status{Status: v1.StatusStatusDegraded, Exchanges: 9, Analysed: 8, Dropped: []v1.Loss{{Reason: "overload", Count: 1}},
				Sources: []v1.Part{{Name: "collector", State: v1.PartStateOk}}, Stream: v1.Part{Name: "stream", State: v1.PartStateOk}}
		}
	})
	done := map[string]bool{}
	do := func(g *guest, code int, method, path string, body any) answer {
		t.Helper()
		a := g.holds(method, path, body)
		if a.code != code {
			t.Fatalf("%s %s gives %d, want %d: %s", method, path, a.code, code, a.body)
		}
		_, p := h.api.mux.Handler(g.request(method, path, nil))
		done[p] = true
		return a
	}
	nobody := &guest{h: h}
	do(nobody, 200, "GET", "/api/v1/setup", nil)
	do(nobody, 200, "GET", "/api/v1/health", nil)
	g := &guest{h: h}
	token := h.api.SetupToken()
	setup := map[string]string{"token": token, "name": "root", "password": goodPassword}
	g.signed(do(g, 201, "POST", "/api/v1/setup", setup))
	do(&guest{h: h}, 403, "POST", "/api/v1/setup", setup)
	g.signed(do(g, 201, "POST", "/api/v1/session", map[string]string{"name": "Root", "password": goodPassword}))
	do(g, 200, "GET", "/api/v1/session", nil)
	invited, err := h.api.Invite(t.Context(), userID("root"))
	if err != nil {
		t.Fatal(err)
	}
	do(&guest{h: h}, 201, "POST", "/api/v1/session/invitation", map[string]string{"token": invited})
	g.signed(do(g, 200, "PUT", "/api/v1/session/password", map[string]string{"current": goodPassword, "new": goodPassword + "x"}))

	r := h.report
	site := r.Sites[0].Name
	for _, path := range readings(r) {
		do(g, 200, "GET", "/api/v1"+path, nil)
	}
	var public v1.PolicyEntry
	do(g, 201, "POST", "/api/v1/policy/public", map[string]any{"site": site, "template": "/status/**", "reason": "a status page"}).into(t, &public)
	do(g, 201, "POST", "/api/v1/policy/approvals", map[string]any{"approval": "partner", "reason": "nightly export", "clients": []string{"10.0.0.0/8"}, "max_records": 500, "kinds": []string{"bulk_response"}})
	do(g, 200, "POST", "/api/v1/policy/preview", map[string]any{"kind": "public", "site": site, "template": "/**"})
	do(g, 201, "POST", "/api/v1/templates", map[string]any{"site": site, "template": "/a/{id}", "edit": "merge", "reason": "ids"})
	d := r.Defects[0].ID
	do(g, 201, "POST", "/api/v1/defects/"+d+"/verdict", map[string]any{"verdict": "accepted_risk", "reason": "known", "expires": "2026-09-01T00:00:00Z"})
	do(g, 201, "POST", "/api/v1/defects/"+d+"/fix", map[string]any{})
	var many v1.Verdicts
	do(g, 200, "POST", "/api/v1/verdicts", map[string]any{"defects": []string{d, r.Defects[1].ID, "none"}, "verdict": "confirmed", "reason": "seen"}).into(t, &many)
	if len(many.Items) != 2 || len(many.Failed) != 1 || many.Failed[0].Code != "not_found" || many.Failed[0].Title == "" {
		t.Errorf("%+v", many)
	}
	doc := do(g, 200, "GET", "/api/v1/sites/"+site+"/openapi", nil)
	var dr v1.Drift
	do(g, 200, "POST", "/api/v1/sites/"+site+"/drift", map[string]any{"name": "own.json", "document": string(doc.body)}).into(t, &dr)
	if dr.Compared == 0 || dr.Matched != dr.Compared {
		t.Errorf("what was exported differs from what was learned: %+v", dr)
	}
	do(g, 200, "POST", "/api/v1/sites/"+site+"/drift", map[string]any{"name": "none.yaml", "document": "openapi: 3.1.0\npaths: {}\n"}).into(t, &dr)
	if len(dr.Items) == 0 || dr.Items[0].Kind != "shadow" {
		t.Errorf("%+v", dr)
	}
	do(g, 200, "PUT", "/api/v1/sites/"+site+"/descriptions", map[string]any{"name": "own.json", "document": string(doc.body)})
	do(g, 200, "GET", "/api/v1/sites/"+site+"/descriptions", nil)
	do(g, 200, "GET", "/api/v1/sites/"+site+"/drift", nil)
	do(g, 204, "DELETE", "/api/v1/sites/"+site+"/descriptions/own.json", nil)
	do(g, 422, "POST", "/api/v1/sites/"+site+"/drift", map[string]any{"name": "\x1b[2Jx", "document": "[1,2"})
	do(g, 200, "GET", "/api/v1/policy?kind=verdict&defect="+d, nil)
	do(g, 200, "GET", "/api/v1/policy/"+public.Id, nil)
	do(g, 200, "POST", "/api/v1/policy/"+public.Id+"/end", map[string]any{"reason": "gone"})
	var hunted v1.Hunt
	do(g, 202, "POST", "/api/v1/hunts", map[string]any{"yaml": "version: 1\n"}).into(t, &hunted)
	h.api.hunts.over.Wait()
	do(g, 200, "GET", "/api/v1/hunts", nil)
	do(g, 200, "GET", "/api/v1/hunts/"+hunted.Id, nil)
	do(g, 200, "GET", "/api/v1/hunts/"+hunted.Id+"/report?format=json", nil)
	do(g, 204, "DELETE", "/api/v1/hunts/"+hunted.Id, nil)
	do(g, 200, "POST", "/api/v1/rules/test", map[string]any{"yaml": "version: 1\nrules:\n- {id: a, title: {zh: 甲, en: A}, when: 'true', harm: high, advice: {zh: 乙, en: B}}\n"})

	var dec v1.Decision
	new := map[string]any{"site": site, "action": "block", "keys": map[string]any{"ip": []string{"203.0.113.9"}}, "seconds": 600, "reason": "seen"}
	do(g, 200, "POST", "/api/v1/decisions/preview", new)
	do(g, 201, "POST", "/api/v1/decisions", new).into(t, &dec)
	do(g, 200, "GET", "/api/v1/decisions/"+dec.ID, nil)
	do(g, 200, "GET", "/api/v1/decisions", nil)
	do(g, 200, "POST", "/api/v1/decisions/"+dec.ID+"/undo", map[string]any{"reason": "wrong"})
	var wide v1.Decision
	wideOne, err := h.desk.Create(t.Context(), respond.Person{ID: "u-other"}, respond.Decision{Site: site, Action: "block", Selector: respond.Selector{Keys: respond.Keys{Prefix: []string{"203.0.0.0/16"}}},
		Reason: message.Text{Zh: "甲", En: "A"}, Expires: start.Add(time.Hour)}, false)
	if err != nil {
		t.Fatal(err)
	}
	do(g, 200, "POST", "/api/v1/decisions/"+wideOne.ID+"/approve", nil).into(t, &wide)
	if wide.State != respond.Active || len(wide.Approvals) != 1 {
		t.Errorf("%+v", wide)
	}
	var enforcement v1.Enforcement
	do(g, 200, "PUT", "/api/v1/enforcement", map[string]any{"stopped": true, "reason": "drill"}).into(t, &enforcement)
	if !enforcement.Stopped || enforcement.Active != 1 || enforcement.Gate.Unread != 3 {
		t.Errorf("%+v", enforcement)
	}
	var key v1.BouncerOnce
	do(g, 201, "POST", "/api/v1/bouncers", map[string]any{"name": "edge"}).into(t, &key)
	do(g, 200, "GET", "/api/v1/bouncers", nil)
	do(g, 204, "DELETE", "/api/v1/bouncers/"+key.Info.Id, nil)
	do(g, 200, "GET", "/api/v1/notifications", nil)
	do(g, 200, "POST", "/api/v1/notifications/receivers/ops/test", nil)
	do(g, 404, "POST", "/api/v1/notifications/dead/none/resend", nil)
	do(g, 404, "DELETE", "/api/v1/notifications/dead/none", nil)

	var word v1.Word
	do(g, 201, "POST", "/api/v1/indicators", map[string]any{"type": "network", "value": "45.9.1.9/24", "verdict": "hostile", "tags": []string{"proxy", "rotating"}, "confidence": 80, "tlp": "green", "days": 30, "reason": "seen"}).into(t, &word)
	if word.Value != "45.9.1.0/24" || word.State != v1.WordStateLive || word.Until.IsZero() {
		t.Errorf("%+v", word)
	}
	var known v1.Knowledge
	do(g, 200, "POST", "/api/v1/indicators/lookup", map[string]any{"value": "45.9.1.7"}).into(t, &known)
	if len(known.Items) != 1 || known.Items[0].Score != 76 || len(known.Items[0].Says) != 1 || known.Items[0].Says[0].Value != word.Value {
		t.Errorf("%+v", known)
	}
	do(g, 200, "POST", "/api/v1/indicators/"+word.Id+"/retire", map[string]any{"reason": "mistaken"}).into(t, &word)
	do(g, 200, "GET", "/api/v1/indicators", nil)
	do(g, 201, "POST", "/api/v1/attacks/"+r.Attacks[0].ID+"/wrong", map[string]any{"reason": "a load test"}).into(t, &word)
	if word.Verdict != v1.WordVerdictNoAttack || word.Attack != r.Attacks[0].ID {
		t.Errorf("%+v", word)
	}
	do(g, 202, "POST", "/api/v1/feeds/drop/refresh", nil)

	var u v1.User
	do(g, 201, "POST", "/api/v1/users", map[string]any{"name": "李雷", "role": "analyst", "password": goodPassword}).into(t, &u)
	do(g, 200, "GET", "/api/v1/users", nil)
	do(g, 200, "GET", "/api/v1/users/"+u.Id, nil)
	do(g, 200, "PATCH", "/api/v1/users/"+u.Id, map[string]any{"rev": u.Rev, "role": "responder"})
	do(g, 204, "DELETE", "/api/v1/users/"+u.Id, nil)
	var made v1.TokenOnce
	do(g, 201, "POST", "/api/v1/tokens", map[string]any{"name": "ci", "role": "viewer", "days": 30}).into(t, &made)
	do(g, 200, "GET", "/api/v1/tokens", nil)
	do(&guest{h: h, token: made.Token}, 200, "GET", "/api/v1/session", nil)
	do(g, 204, "DELETE", "/api/v1/tokens/"+made.Info.Id, nil)
	do(g, 200, "PUT", "/api/v1/settings/session.hours", map[string]any{"rev": 0, "value": "8"})
	do(g, 200, "GET", "/api/v1/audit?action=policy&limit=3", nil)
	var v v1.AuditVerification
	do(g, 200, "GET", "/api/v1/audit/verification", nil).into(t, &v)
	if !v.Whole || v.Entries < 10 {
		t.Errorf("the log: %+v", v)
	}
	do(g, 204, "DELETE", "/api/v1/session", nil)
	do(g, 401, "GET", "/api/v1/session", nil)
	for p := range table {
		if !done[p] && p != streamPattern { // TestEvents
			t.Errorf("%s was not asked for", p)
		}
	}
}

// TestReportIsAReport reads what the API gives as every reader of reports does.
func TestReportIsAReport(t *testing.T) {
	h := newHouse(t)
	a := h.admin().must(200, "GET", "/api/v1/report", nil)
	r, err := report.Read(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.APIs) != len(h.report.APIs) || len(r.Attacks) != len(h.report.Attacks) || r.Version != "v9" || r.Rules != "r1" {
		t.Errorf("%d APIs, %d attacks, version %s", len(r.APIs), len(r.Attacks), r.Version)
	}
	if !strings.Contains(a.head.Get("Content-Disposition"), "xiezhi.json") {
		t.Error(a.head)
	}
}

// TestReportSaysWhatWasNotSeen: losses and the quality of input are in the
// report, of everything and of a site.
func TestReportSaysWhatWasNotSeen(t *testing.T) {
	in := report.NewInput()
	in.Exchanges, in.Analysed, in.Addresses = 12, 9, "plain"
	in.Dropped = append(in.Dropped, report.ReasonCount{Reason: "overload", Count: 3})
	in.Quality = append(in.Quality, report.QualityCount{Code: "no_bodies", Count: 4})
	in.Limits = append(in.Limits, report.LimitCount{What: "engine.hosts", Count: 1})
	h := newHouse(t, func(c *Config) { c.Input = func() *report.Input { return &in } })
	g := h.admin()
	for _, site := range []string{"", h.report.Sites[1].Name} { // the first carries what was lost
		r, err := report.Read(bytes.NewReader(g.must(200, "GET", "/api/v1/report?site="+site, nil).body))
		if err != nil {
			t.Fatal(err)
		}
		dropped := 1
		if site != "" {
			dropped = 0
		}
		if len(r.Input.Dropped) != dropped || len(r.Input.Quality) != 1 || len(r.Input.Limits) != 1 || site == "" && r.Input.Exchanges != 12 {
			t.Errorf("%q: %+v", site, r.Input)
		}
	}
}

// TestReportOfAPeriod: a month comes in its course, in the order that was asked
// for, in a file that is called after it.
func TestReportOfAPeriod(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	a := g.must(200, "GET", "/api/v1/report?period=2025-02", nil)
	r, err := report.Read(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.Period == nil || r.Period.First != "2025-02-01" || r.Period.Now.AttackedAPIs != h.report.Statistics.AttackedAPIsByMonth["2025-02"] || len(r.Attacks) == len(h.report.Attacks) {
		t.Errorf("the month is %+v with %d attacks", r.Period, len(r.Attacks))
	}
	for path, want := range map[string][2]string{
		"period=2025-02": {"xiezhi-2025-02.json", `"kind":"month"`},
		"period=2025-Q1&format=html&lang=zh&outline=gbt": {"xiezhi-2025-Q1-zh.html", "二、数据接口"},
		"period=2025-02&format=html&lang=en":             {"xiezhi-2025-02-en.html", "Monthly API Security Report"},
		"period=2025&format=xlsx&lang=zh":                {"xiezhi-2025-zh.xlsx", "PK"},
		"format=html&lang=en&outline=report":             {"xiezhi-en.html", "1 Overview of API risk"},
		"from=2025-02-01T00:00:00Z&format=sarif&lang=en": {"xiezhi-en.sarif", "2.1.0"},
	} {
		a := g.must(200, "GET", "/api/v1/report?"+path, nil)
		if !strings.Contains(a.head.Get("Content-Disposition"), `"`+want[0]+`"`) || !bytes.Contains(a.body, []byte(want[1])) {
			t.Errorf("%s: %s, without %s", path, a.head.Get("Content-Disposition"), want[1])
		}
	}
	for _, path := range []string{"period=2025-13", "period=2025-Q5", "period=25", "period=2025-02&from=2025-01-01T00:00:00Z", "period=9999", "outline=iso"} {
		g.must(400, "GET", "/api/v1/report?"+path, nil)
	}
}

// TestStreamAnswersAsDocumented is TestEvents' part of the contract.
func TestStreamAnswersAsDocumented(t *testing.T) {
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "https://console.example/api/v1/events", nil)
	route, _, err := c.router.FindRoute(r)
	if err != nil || route.Operation.Responses.Status(200).Value.Content.Get("text/event-stream") == nil {
		t.Errorf("the document has no stream of events: %v", err)
	}
}
