package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/policy"
	"xiezhi/internal/store"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

func (h *house) told() []Decision {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Decision{}, h.decided...)
}

func (h *house) answer(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deaf = err
}

func TestDecisionsReachTheJudges(t *testing.T) {
	h := newHouse(t)
	root := h.admin()
	g := h.user(root, v1.RoleResponder)
	d, site := h.report.Defects[0].ID, ""
	for _, a := range h.report.APIs {
		if a.ID == h.report.Defects[0].API {
			site = a.Site
		}
	}
	var e v1.PolicyEntry
	g.must(201, "POST", "/api/v1/defects/"+d+"/verdict", map[string]any{"verdict": "false_positive", "reason": "a test field"}).into(t, &e)
	if e.State != v1.PolicyEntryStateLive || e.Rev != 2 || e.ByName != "responder-1" || e.Defect != d || e.Site != site || !e.At.Equal(start) {
		t.Errorf("%+v", e)
	}
	told := h.told()
	if len(told) != 1 || told[0].ID != e.Id || told[0].By != e.By || told[0].Site != site || told[0].Ends {
		t.Fatalf("the judges were told %+v", told)
	}
	v := told[0].Entry.Verdict
	if v == nil || v.Verdict != taxonomy.FalsePositive || v.Match.Defect != d || v.Reason != "a test field" || v.By != "responder-1" || told[0].Entry.At != start.UnixNano() || v.Expires.IsZero() {
		t.Errorf("%+v", v)
	}

	g.must(201, "POST", "/api/v1/policy/approvals", map[string]any{"site": "s", "approval": "partner", "reason": "r", "clients": []string{"10.1.2.3", "2001:db8::/32"}, "max_records": 7, "kinds": []string{"bulk_response"}, "expires": "2026-04-01T00:00:00+08:00"}).into(t, &e)
	p := h.told()[1].Entry.Approval
	if p == nil || len(p.Clients) != 2 || p.MaxRecords != 7 || p.Kinds[0] != "bulk_response" || !p.Expires.Equal(time.Date(2026, 3, 31, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", p)
	}

	h.pass(time.Hour - time.Minute)
	var ended v1.PolicyEntry
	g.must(200, "POST", "/api/v1/policy/"+e.Id+"/end", map[string]any{"reason": "the contract ended"}).into(t, &ended)
	last := h.told()[2]
	if ended.State != v1.PolicyEntryStateEnded || ended.EndedBy != e.By || !last.Ends || last.ID != e.Id || !last.Entry.Approval.Expires.Equal(ended.Ended) {
		t.Errorf("%+v, told %+v", ended, last)
	}
	if p := g.ask("POST", "/api/v1/policy/"+e.Id+"/end", map[string]any{"reason": "again"}).problem(t); p.Code != "not_live" {
		t.Errorf("%+v", p)
	}
}

func TestTheRulesOfAPolicyFileHold(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	d := h.report.Defects[0].ID
	for _, c := range []struct{ path, body, code, want string }{
		{"/policy/public", `{"template":"a","reason":"r"}`, "decision", "does not begin with /"},
		{"/policy/public", `{"template":"/a/*/b","reason":"r"}`, "decision", "star"},
		{"/policy/public", `{"template":"/a","reason":"` + strings.Repeat("长", 400) + `"}`, "decision", "1000 bytes"},
		{"/templates", `{"template":"/a/{id}","edit":"split","reason":"r"}`, "decision", "ends in a parameter"},
		{"/templates", `{"template":"/a","edit":"role","role":"wizard","reason":"r"}`, "decision", "role"},
		{"/policy/approvals", `{"approval":"export","reason":"r","kinds":["nonsense"]}`, "decision", "no kind of defect"},
		{"/defects/" + d + "/verdict", `{"verdict":"accepted_risk","reason":"r"}`, "invalid", ""},
		{"/defects/none/verdict", `{"verdict":"confirmed","reason":"r"}`, "not_found", ""},
		{"/defects/none/fix", `{}`, "not_found", ""},
	} {
		p := g.ask("POST", "/api/v1"+c.path, c.body).problem(t)
		if p.Code != c.code || c.want != "" && !strings.Contains(p.Errors[0].Detail, c.want) {
			t.Errorf("%s %.80s: %+v", c.path, c.body, p)
		}
	}
	if n := len(h.told()); n != 0 {
		t.Errorf("the judges were told %d decisions that do not hold", n)
	}
}

// TestANewNameTakesThePlaceOfTheFormer: an API is named again, a name is taken
// back; what is split stays, and what contradicts it is refused.
func TestANewNameTakesThePlaceOfTheFormer(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	var first, second, split v1.PolicyEntry
	g.must(201, "POST", "/api/v1/templates", `{"template":"/users/{name}","edit":"rename","title":"Users","reason":"r"}`).into(t, &first)
	g.must(201, "POST", "/api/v1/templates", `{"template":"/users/{name}","edit":"rename","title":"People","reason":"r"}`).into(t, &second)
	g.must(200, "GET", "/api/v1/policy/"+first.Id, nil).into(t, &first)
	if first.State != v1.PolicyEntryStateEnded || !strings.Contains(first.EndedReason, second.Id) || second.State != v1.PolicyEntryStateLive {
		t.Errorf("first %+v, second %+v", first, second)
	}
	g.must(200, "POST", "/api/v1/policy/"+second.Id+"/end", `{"reason":"r"}`).into(t, &second)
	if second.State != v1.PolicyEntryStateEnded {
		t.Errorf("%+v", second)
	}
	ends := []string{}
	for _, d := range h.told() {
		if d.Ends {
			ends = append(ends, d.ID)
		}
	}
	if !slices.Equal(ends, []string{first.Id, second.Id}) {
		t.Errorf("the judges were told that %v end", ends)
	}
	g.must(201, "POST", "/api/v1/templates", `{"template":"/shops/{city}","edit":"merge","reason":"r"}`).into(t, &split)
	p := g.ask("POST", "/api/v1/templates", `{"template":"/shops/{town}/x","edit":"split","reason":"r"}`).problem(t)
	if p.Code != "contradiction" || !strings.Contains(p.Errors[0].Detail, "contradicts") {
		t.Errorf("%+v", p)
	}
	if p := g.ask("POST", "/api/v1/policy/"+split.Id+"/end", `{"reason":"r"}`).problem(t); p.Code != "endless" {
		t.Errorf("%+v", p)
	}
}

// TestDecisionsThatCouldNotBeHandedOver: nothing that was acknowledged is lost,
// whether the judges were away or the process ended in between.
func TestDecisionsThatCouldNotBeHandedOver(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	h.answer(errors.New("the stream is full"))
	var first, second v1.PolicyEntry
	g.must(201, "POST", "/api/v1/policy/public", `{"template":"/a","reason":"r"}`).into(t, &first)
	h.pass(time.Second)
	g.must(201, "POST", "/api/v1/policy/public", `{"template":"/b","reason":"r"}`).into(t, &second)
	if first.State != v1.PolicyEntryStatePending || second.State != v1.PolicyEntryStatePending {
		t.Fatalf("%+v", first)
	}
	if err := h.api.Resume(t.Context()); err != nil || len(h.told()) != 0 {
		t.Fatalf("%v, %d told", err, len(h.told()))
	}
	h.open() // the process ended
	h.answer(nil)
	if err := h.api.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := h.told()
	if len(told) != 2 || told[0].ID != first.Id || told[1].ID != second.Id {
		t.Fatalf("told %+v", told)
	}
	if err := h.api.Resume(t.Context()); err != nil || len(h.told()) != 2 {
		t.Errorf("%v, told %d times", err, len(h.told()))
	}
	g = h.login("root")
	var e v1.PolicyEntry
	g.must(200, "GET", "/api/v1/policy/"+first.Id, nil).into(t, &e)
	if e.State != v1.PolicyEntryStateLive {
		t.Errorf("%+v", e)
	}

	// The end waits, too.
	h.answer(errors.New("away"))
	g.must(200, "POST", "/api/v1/policy/"+first.Id+"/end", `{"reason":"r"}`).into(t, &e)
	if e.State != v1.PolicyEntryStateEnding {
		t.Errorf("%+v", e)
	}
	h.answer(nil)
	if err := h.api.Resume(t.Context()); err != nil || len(h.told()) != 3 || !h.told()[2].Ends {
		t.Errorf("%v, told %+v", err, h.told())
	}

	// An end that the judges cannot follow leaves the decision in effect.
	h.answer(fmt.Errorf("%w: too late", ErrRefused))
	if p := g.ask("POST", "/api/v1/policy/"+second.Id+"/end", `{"reason":"r"}`).problem(t); p.Code != "refused" {
		t.Errorf("%+v", p)
	}
	if g.must(200, "GET", "/api/v1/policy/"+second.Id, nil).into(t, &e); e.State != v1.PolicyEntryStateLive {
		t.Errorf("%+v", e)
	}

	// The judges cannot follow one.
	h.answer(fmt.Errorf("%w: no such site", ErrRefused))
	if p := g.ask("POST", "/api/v1/policy/public", `{"template":"/c","reason":"r"}`).problem(t); p.Code != "refused" {
		t.Errorf("%+v", p)
	}
	var page v1.PolicyEntryPage
	g.must(200, "GET", "/api/v1/policy?state=refused", nil).into(t, &page)
	if len(page.Items) != 1 || page.Items[0].Template != "/c" {
		t.Errorf("%+v", page)
	}
}

// TestEveryChangeIsAudited changes everything once and looks that a batch never
// holds a change without an entry, nor an entry a secret.
func TestEveryChangeIsAudited(t *testing.T) {
	h := newHouse(t)
	watch := &watched{locked: h.store}
	h.open(func(c *Config) { c.Store = watch })
	root := h.admin()
	g := h.user(root, v1.RoleResponder)
	d := h.report.Defects[0].ID
	var made v1.TokenOnce
	var e v1.PolicyEntry
	g.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "a", "role": "responder", "days": 9}).into(t, &made)
	bot := &guest{h: h, token: made.Token}
	bot.must(201, "POST", "/api/v1/policy/public", `{"template":"/a","reason":"`+strings.Repeat("r", 900)+`","host":"h.example"}`).into(t, &e)
	bot.must(200, "POST", "/api/v1/policy/"+e.Id+"/end", map[string]any{"reason": strings.Repeat("\x01<", 500)})
	g.must(201, "POST", "/api/v1/defects/"+d+"/fix", `{"reason":"v2"}`)
	root.must(200, "PUT", "/api/v1/settings/organisation.name", map[string]any{"rev": 0, "value": "某某公司"})
	root.must(200, "PATCH", "/api/v1/users/"+userID("responder-1"), map[string]any{"rev": 1, "password": goodPassword + "!"})
	root.must(204, "DELETE", "/api/v1/tokens/"+made.Info.Id, nil)
	root.must(204, "DELETE", "/api/v1/users/"+userID("responder-1"), nil)
	root.must(204, "DELETE", "/api/v1/session", nil)
	for _, b := range watch.bare {
		t.Errorf("written without an entry: %s", b)
	}
	log, err := h.store.Audit(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	actions := map[string]int{}
	for _, s := range log {
		actions[s.Action]++
		for _, secret := range []string{goodPassword, made.Token, "argon2id", root.csrf} {
			if strings.Contains(string(s.Detail)+s.Target+s.By, secret) {
				t.Errorf("entry %s holds a secret: %s", s.Action, s.Detail)
			}
		}
		if !json.Valid(s.Detail) || !strings.Contains(string(s.Detail), "192.0.2.1") {
			t.Errorf("entry %s does not say from where: %s", s.Action, s.Detail)
		}
	}
	for a, n := range map[string]int{"user.setup": 1, "user.create": 1, "session.login": 1, "token.create": 1, "policy.add": 2, "policy.end": 1, "setting.change": 1, "user.change": 1, "token.delete": 1, "user.delete": 1, "session.logout": 1} {
		if actions[a] != n {
			t.Errorf("%s is %d times in the log, want %d", a, actions[a], n)
		}
	}
	root = h.login("root")
	var page v1.AuditEntryPage
	root.must(200, "GET", "/api/v1/audit?action=policy&by="+userID("responder-1"), nil).into(t, &page)
	if len(page.Items) != 3 || !strings.Contains(page.Items[1].By+page.Items[2].By, " token:"+made.Info.Id[:16]) {
		t.Errorf("%+v", page)
	}
	for q, want := range map[string]int{"to=2026-03-01T08:00:00Z": 0, "from=2026-03-01T08:00:00Z": len(log) + 1, "from=2026-03-01T08:00:01Z": 0, "target=" + e.Id: 2, "action=policy.end": 1, "action=pol": 0} {
		page = v1.AuditEntryPage{}
		if root.must(200, "GET", "/api/v1/audit?limit=500&"+q, nil).into(t, &page); len(page.Items) != want {
			t.Errorf("%s: %d entries, want %d", q, len(page.Items), want)
		}
	}
	seen := 0
	for cursor := ""; ; cursor = "&cursor=" + page.Next {
		page = v1.AuditEntryPage{}
		root.must(200, "GET", "/api/v1/audit?limit=4"+cursor, nil).into(t, &page)
		if seen += len(page.Items); page.Next == "" {
			break
		}
	}
	if seen != len(log)+1 { // and the login since
		t.Errorf("%d entries on all pages, want %d", seen, len(log)+1)
	}
}

// watched notes what is written without an audit entry, but the states of
// decisions, which move on by themselves.
type watched struct {
	*locked
	bare []string
}

func (w *watched) Write(ctx context.Context, b record.Batch) (int, error) {
	if len(b.Audit) != 1 {
		for _, r := range b.Put {
			if r.Kind != record.Policy || r.Rev == 1 {
				w.bare = append(w.bare, fmt.Sprint(r.Kind, " ", r.ID))
			}
		}
		for _, k := range b.Delete {
			w.bare = append(w.bare, fmt.Sprint("deletion of ", k.Kind, " ", k.ID))
		}
	}
	return w.locked.Write(ctx, b)
}

// TestNothingChangesWhenNothingCanBeWritten fills the disk.
func TestNothingChangesWhenNothingCanBeWritten(t *testing.T) {
	h := newHouse(t)
	root := h.admin()
	h.store.mu.Lock()
	h.store.fail = &store.Fault{What: "write the records", Where: "/data/records.db", Do: "make room", Err: store.ErrFull}
	h.store.mu.Unlock()
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/policy/public", `{"template":"/a","reason":"r"}`},
		{"POST", "/users", `{"name":"a","role":"viewer","password":"` + goodPassword + `"}`},
		{"POST", "/tokens", `{"name":"a","role":"viewer","days":1}`},
		{"PUT", "/settings/session.hours", `{"rev":0,"value":"1"}`},
		{"POST", "/session", `{"name":"root","password":"` + goodPassword + `"}`},
	} {
		p := root.ask(c.method, "/api/v1"+c.path, c.body).problem(t)
		if p.Code != "storage" || p.Status != 503 || strings.Contains(p.Detail, "/data") {
			t.Errorf("%s: %+v", c.path, p)
		}
	}
	if len(h.told()) != 0 {
		t.Error("the judges were told what is not kept")
	}
	if h.api.most() != 12*time.Hour {
		t.Error("a setting that could not be kept is in effect")
	}
	root.must(200, "GET", "/api/v1/apis", nil)
}

func TestSettings(t *testing.T) {
	h := newHouse(t)
	root := h.admin()
	put := func(name string, rev int, value string) answer {
		return root.ask("PUT", "/api/v1/settings/"+name, map[string]any{"rev": rev, "value": value})
	}
	for _, c := range []struct{ name, value string }{{"session.hours", "0"}, {"session.hours", "08"}, {"session.hours", "1e1"}, {"session.idle_minutes", "1441"},
		{"console.language", "fr"}, {"organisation.name", strings.Repeat("长", 100)}} {
		if p := put(c.name, 0, c.value).problem(t); p.Code != "setting" {
			t.Errorf("%s %q: %+v", c.name, c.value, p)
		}
	}
	if p := put("nothing", 0, "").problem(t); p.Code != "not_found" {
		t.Errorf("%+v", p)
	}
	if a := put("session.idle_minutes", 0, "5"); a.code != 200 {
		t.Fatalf("%s", a.body)
	}
	if p := put("session.idle_minutes", 0, "9").problem(t); p.Code != "conflict" {
		t.Errorf("%+v", p)
	}
	h.open()
	g := h.login("root")
	h.pass(6 * time.Minute)
	g.must(401, "GET", "/api/v1/session", nil)
}

// FuzzDecision: whatever people put into a decision, what the API takes the
// judges' reader takes, and it comes back as it was.
func FuzzDecision(f *testing.F) {
	f.Add("site", "h.example", "GET", "/a/{id}", "why", "title")
	f.Add("", "*.x", "", "/**", "\u2028\"\\</script>", "")
	f.Add("{{", "y: z", "#", "/a: b", "- x\n---\n", "&a *a !!b")
	f.Fuzz(func(t *testing.T, site, host, method, template, reason, title string) {
		for _, e := range []v1.PolicyEntry{
			{Kind: v1.PolicyEntryKindPublic, Site: site, Host: host, Method: method, Template: template, Reason: reason},
			{Kind: v1.PolicyEntryKindTemplate, Site: site, Host: host, Method: method, Template: template, Reason: reason, Edit: "rename", Title: title},
			{Kind: v1.PolicyEntryKindVerdict, Site: site, Defect: title, Reason: reason, Verdict: "confirmed"},
		} {
			e.At, e.ByName = start, title
			if b, err := json.Marshal(&e); err != nil || json.Unmarshal(b, &e) != nil {
				continue
			}
			x, err := parsed(&e)
			if err != nil {
				continue
			}
			var d policy.Decision
			switch {
			case x.Public != nil:
				d = x.Public.Decision
				if x.Public.Template != e.Template || x.Public.Site != e.Site {
					t.Fatalf("%+v comes back as %+v", e, x.Public)
				}
			case x.Template != nil:
				d = x.Template.Decision
			case x.Verdict != nil:
				d = x.Verdict.Decision
			}
			if d.Reason != e.Reason || !d.At.Equal(e.At) || d.By != e.ByName {
				t.Fatalf("%+v comes back as %+v", e, d)
			}
		}
	})
}
