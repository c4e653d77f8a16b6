package api

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
)

// TestTableIsWhole: the table and the document name the same operations.
func TestTableIsWhole(t *testing.T) {
	h := newHouse(t)
	for p := range table {
		if h.api.shapes.operations[p] == nil {
			t.Errorf("%s is in the table and not in the document", p)
		}
	}
	if len(table) != len(h.api.shapes.operations) || len(table) < 50 {
		t.Errorf("%d in the table, %d in the document", len(table), len(h.api.shapes.operations))
	}
}

// TestEveryOperationForEveryRole asks for everything as everybody: nobody, each
// role in a session, each role with a token, a session without proof of its
// origin. The table alone says what may be answered; whether the request then
// makes sense is another matter.
func TestEveryOperationForEveryRole(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Observations, c.TestRules = someRows(t), compileRules })
	admin := h.admin()
	type asker struct {
		name string
		role v1.Role
		kind string
		g    func() *guest
	}
	askers := []asker{{"nobody", "", "none", func() *guest { return &guest{h: h} }}}
	for _, role := range []v1.Role{v1.RoleViewer, v1.RoleAnalyst, v1.RoleResponder, v1.RoleAdministrator} {
		h.user(admin, role)
		name := fmt.Sprintf("%s-1", role)
		g := h.login(name)
		var made v1.TokenOnce
		g.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "t", "role": role, "days": 3}).into(t, &made)
		askers = append(askers,
			asker{string(role) + " in a session", role, "session", func() *guest { return h.login(name) }},
			asker{string(role) + " with a token", role, "token", func() *guest { return &guest{h: h, token: made.Token} }},
			asker{string(role) + " without proof", role, "unproved", func() *guest { g := h.login(name); g.csrf = "x"; return g }})
	}
	answered := 0
	for pattern, rule := range table {
		if pattern == streamPattern {
			continue // TestEvents asks for it
		}
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{id}", "none", "{site}", "none", "{kind}", "client", "{key}", "192.0.2.1", "{name}", "ops").Replace(path)
		for _, who := range askers {
			g := who.g()
			var body any
			if h.api.shapes.operations[pattern].body != nil {
				body = `{"nonsense":1}`
			}
			a := g.ask(method, path, body)
			want := ""
			switch {
			case rule.least == "":
			case who.kind == "none":
				want = "unauthenticated"
			case rule.people && who.kind == "token":
				want = "people"
			case ranks[who.role] < ranks[rule.least]:
				want = "role"
			case who.kind == "unproved" && method != "GET":
				want = "csrf"
			}
			if want == "" {
				answered++
				if a.code == 403 && rule.least != "" || a.code == 401 && rule.least != "" {
					t.Errorf("%s is refused %s: %d %s", who.name, pattern, a.code, a.body)
				}
				if a.code >= 500 {
					t.Errorf("%s: %s: %d %s", who.name, pattern, a.code, a.body)
				}
				continue
			}
			if p := a.problem(t); p.Code != want {
				t.Errorf("%s: %s gives %d %s, want %s", who.name, pattern, a.code, p.Code, want)
			}
		}
	}
	if answered < 200 {
		t.Errorf("only %d requests were let through: the test is broken", answered)
	}
}

func TestWhatIsServedNowhereElse(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	for path, code := range map[string]string{"/api/v1/": "no_path", "/api/v1/nothing": "no_path", "/": "no_path", "/api/v2/apis": "no_path", "/api/v1/apis/": "no_path", "/api/v1/apis/a/b": "no_path"} {
		if p := g.ask("GET", path, nil).problem(t); p.Code != code || p.Status != 404 {
			t.Errorf("%s: %+v", path, p)
		}
	}
	a := g.ask("DELETE", "/api/v1/apis", nil)
	if a.code != 405 || a.head.Get("Allow") != "GET" {
		t.Errorf("%d, Allow %q", a.code, a.head.Get("Allow"))
	}
	if a := g.ask("HEAD", "/api/v1/events", nil); a.code != 405 {
		t.Errorf("the head of a stream: %d", a.code)
	}
	if a := g.ask("GET", "/api/v1/apis?text="+strings.Repeat("x", maxURI), nil); a.code != 414 {
		t.Errorf("a long address: %d", a.code)
	}
	for _, m := range []string{"OPTIONS", "TRACE", "CONNECT", "FOO"} {
		if a := g.ask(m, "/api/v1/apis", nil); a.code < 400 || a.code >= 500 {
			t.Errorf("%s gives %d", m, a.code)
		}
	}
}

func TestHeadsOfEveryAnswer(t *testing.T) {
	h := newHouse(t)
	for _, a := range []answer{h.admin().ask("GET", "/api/v1/apis", nil), (&guest{h: h}).ask("GET", "/api/v1/apis", nil), (&guest{h: h}).ask("GET", "/nothing", nil)} {
		for k, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=31536000"} {
			if got := a.head.Get(k); got != want {
				t.Errorf("%d: %s is %q", a.code, k, got)
			}
		}
		if !strings.HasPrefix(a.head.Get("Content-Security-Policy"), "default-src 'none'") || a.head.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%d: %v", a.code, a.head)
		}
	}
}

// dated notes the deadline that an answer has.
type dated struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (d *dated) SetWriteDeadline(t time.Time) error {
	d.until = t
	return nil
}

// TestEveryAnswerHasItsTime: a connection that is used again must not have the
// end of the answer before.
func TestEveryAnswerHasItsTime(t *testing.T) {
	h := newHouse(t)
	root := h.admin()
	for _, c := range []struct {
		g    *guest
		path string
	}{{&guest{h: h}, "/api/v1/apis"}, {&guest{h: h}, "/nothing"}, {root, "/api/v1/apis"}} {
		w := &dated{ResponseRecorder: httptest.NewRecorder()}
		h.api.ServeHTTP(w, c.g.request("GET", c.path, nil))
		if left := time.Until(w.until); left < patience || left > 2*patience {
			t.Errorf("%s (%d) has %v", c.path, w.Code, left)
		}
	}
}

func TestProblemsSpeakBothLanguages(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct{ accept, lang, title string }{
		{"", "en", "Nobody is signed in"}, {"zh-CN,zh;q=0.9,en;q=0.8", "zh", "尚未登录"}, {"en-GB, zh;q=0.5", "en", "Nobody is signed in"},
		{"fr", "en", "Nobody is signed in"}, {"zh-TW", "zh", "尚未登录"}, {";;;q=", "en", "Nobody is signed in"}, {strings.Repeat("zh,", 1000), "en", "Nobody is signed in"},
	} {
		a := (&guest{h: h, lang: c.accept}).ask("GET", "/api/v1/apis", nil)
		p := a.problem(t)
		if p.Title != c.title || a.head.Get("Content-Language") != c.lang || p.Status != 401 || p.Type != "urn:xiezhi:problem:unauthenticated" || p.Detail == "" {
			t.Errorf("%q: %+v", c.accept, p)
		}
	}
}

// TestEveryProblemHasTexts looks for the codes in the sources.
func TestEveryProblemHasTexts(t *testing.T) {
	h := newHouse(t)
	codes, fields := sources(t)
	if len(codes) < 25 || len(fields) < 20 {
		t.Fatalf("found %d codes and %d fields: the search is broken", len(codes), len(fields))
	}
	for _, c := range codes {
		for _, id := range []string{"http.title." + c, "http.detail." + c} {
			if !h.msgs.Has(id) {
				t.Errorf("no text %s", id)
			}
		}
	}
	for _, f := range fields {
		if !h.msgs.Has("http.field." + f) {
			t.Errorf("no text http.field.%s", f)
		}
	}
	for _, id := range h.msgs.IDs() {
		if c, ok := strings.CutPrefix(id, "http.title."); ok && !slices.Contains(codes, c) {
			t.Errorf("nothing gives the problem %s", c)
		}
	}
}

func TestBodiesAndParametersAreStrict(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	long := strings.Repeat("x", 2000)
	for _, c := range []struct {
		method, path, body string
		code               int
		field, problem     string
	}{
		{"POST", "/api/v1/policy/public", `{"template":"/a","reason":"r","surprise":1}`, 400, "surprise", "invalid"},
		{"POST", "/api/v1/policy/public", `{"reason":"r"}`, 400, "template", "invalid"},
		{"POST", "/api/v1/policy/public", `{"template":7,"reason":"r"}`, 400, "template", "invalid"},
		{"POST", "/api/v1/policy/public", `{"template":"/a","template":"/b","reason":"r"}`, 400, "template", "invalid"},
		{"POST", "/api/v1/policy/public", `{"Template":"/a","reason":"r"}`, 400, "Template", "invalid"},
		{"POST", "/api/v1/policy/public", `{"template":"/a","reason":"r","expires":"tomorrow"}`, 400, "expires", "invalid"},
		{"POST", "/api/v1/policy/public", `{"template":"/a","reason":"r","expires":"2020-01-01T00:00:00Z"}`, 400, "expires", "invalid"},
		{"POST", "/api/v1/policy/public", `{"template":"/` + long + `","reason":"r"}`, 400, "template", "invalid"},
		{"POST", "/api/v1/policy/public", `{"template":"/a","reason":"a\u0000b"}`, 400, "reason", "invalid"},
		{"POST", "/api/v1/policy/public", `{"template":null,"reason":"r"}`, 400, "template", "invalid"},
		{"POST", "/api/v1/policy/approvals", `{"approval":"export","reason":"r","clients":["10.0.0.0/8",5]}`, 400, "clients[1]", "invalid"},
		{"POST", "/api/v1/policy/approvals", `{"approval":"export","reason":"r","clients":["everywhere"]}`, 400, "clients", "invalid"},
		{"POST", "/api/v1/policy/approvals", `{"approval":"other","reason":"r"}`, 400, "approval", "invalid"},
		{"POST", "/api/v1/policy/approvals", `{"approval":"export","reason":"r","max_records":-1}`, 400, "max_records", "invalid"},
		{"POST", "/api/v1/policy/approvals", `{"approval":"export","reason":"r","max_records":1e3}`, 400, "max_records", "invalid"},
		{"POST", "/api/v1/policy/public", `[]`, 400, "", "invalid"},
		{"POST", "/api/v1/policy/public", `{"template":"/a"} {}`, 400, "", "malformed"},
		{"POST", "/api/v1/policy/public", `{"template":`, 400, "", "malformed"},
		{"POST", "/api/v1/policy/public", "{\"template\":\"\xff\"}", 400, "", "malformed"},
		{"POST", "/api/v1/policy/public", strings.Repeat("[", 100) + strings.Repeat("]", 100), 400, "", "malformed"},
		{"POST", "/api/v1/policy/public", `{"template":"` + strings.Repeat("x", maxBody) + `"}`, 413, "", "too_large"},
		{"GET", "/api/v1/apis?limit=0", "", 400, "limit", "invalid"},
		{"GET", "/api/v1/apis?limit=501", "", 400, "limit", "invalid"},
		{"GET", "/api/v1/apis?limit=ten", "", 400, "limit", "invalid"},
		{"GET", "/api/v1/apis?limit=1&limit=2", "", 400, "limit", "invalid"},
		{"GET", "/api/v1/apis?sort=name", "", 400, "sort", "invalid"},
		{"GET", "/api/v1/apis?sensitive=maybe", "", 400, "sensitive", "invalid"},
		{"GET", "/api/v1/apis?from=yesterday", "", 400, "from", "invalid"},
		{"GET", "/api/v1/apis?cursor=???", "", 400, "", "query"},
		{"GET", "/api/v1/apis?text=%ff", "", 400, "text", "invalid"},
		{"GET", "/api/v1/apis?text=%zz", "", 400, "", "malformed"},
		{"GET", "/api/v1/audit?cursor=-1", "", 400, "cursor", "invalid"},
		{"GET", "/api/v1/apis?role=" + strings.Repeat("a&role=", 70), "", 400, "role", "invalid"},
	} {
		var body any
		if c.body != "" {
			body = c.body
		}
		p := g.ask(c.method, c.path, body).problem(t)
		if p.Status != c.code || p.Code != c.problem {
			t.Errorf("%s %.80s %.80s: %d %s", c.method, c.path, c.body, p.Status, p.Code)
			continue
		}
		if c.problem == "invalid" && (len(p.Errors) == 0 || p.Errors[0].Field != c.field || strings.HasPrefix(p.Errors[0].Detail, "http.")) {
			t.Errorf("%s %.80s %.80s names %+v, want %q", c.method, c.path, c.body, p.Errors, c.field)
		}
	}
	g.head = map[string]string{"Content-Type": "text/plain"}
	if p := g.ask("POST", "/api/v1/policy/public", `{}`).problem(t); p.Code != "media" {
		t.Errorf("text is taken for JSON: %+v", p)
	}
}

// FuzzShape: whatever stands in a body is a problem or fits the schema, and the
// check ends.
func FuzzShape(f *testing.F) {
	h := newHouse(f)
	for _, s := range []string{`{"template":"/a","reason":"r"}`, `{"a":[[{}]],"b":1e999}`, `{"reason":"\ud800"}`, `"x"`, `null`, `{"clients":["a",null]}`} {
		f.Add([]byte(s))
	}
	var bodies []*shape
	for _, o := range h.api.shapes.operations {
		if o.body != nil {
			bodies = append(bodies, o.body)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !json.Valid(b) || deep(b) {
			return
		}
		for _, s := range bodies {
			var x map[string]any
			if len(s.json("", b)) == 0 && json.Unmarshal(b, &x) != nil {
				t.Fatalf("%q fits a schema of an object", b)
			}
		}
	})
}
