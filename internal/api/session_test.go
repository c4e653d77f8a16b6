package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestSetupWorksOnce(t *testing.T) {
	h := newHouse(t)
	token := h.api.SetupToken()
	if len(token) < 32 {
		t.Fatalf("the token is %q", token)
	}
	g := &guest{h: h}
	setup := func(token, password string) answer {
		return g.ask("POST", "/api/v1/setup", map[string]string{"token": token, "name": "root", "password": password})
	}
	if p := setup("wrong", goodPassword).problem(t); p.Code != "setup" {
		t.Errorf("%+v", p)
	}
	if p := setup(token, "password1234").problem(t); p.Code != "weak_password" || p.Errors[0].Field != "password" {
		t.Errorf("%+v", p)
	}
	if a := setup(token, goodPassword); a.code != 201 || g.cookie == "" {
		t.Fatalf("%d %s", a.code, a.body)
	}
	if p := setup(token, goodPassword).problem(t); p.Code != "setup" || h.api.SetupToken() != "" {
		t.Errorf("the token works twice: %+v", p)
	}
	h.open() // the service starts again
	if h.api.SetupToken() != "" {
		t.Error("there is a setup token though somebody can sign in")
	}
	h.login("ROOT")
}

func TestSetupTokenIsNotGuessed(t *testing.T) {
	h := newHouse(t)
	g := &guest{h: h}
	throttled := false
	for i := range 20 {
		p := g.ask("POST", "/api/v1/setup", map[string]string{"token": fmt.Sprint(i), "name": "root", "password": goodPassword}).problem(t)
		throttled = throttled || p.Code == "throttled"
	}
	if !throttled {
		t.Error("the setup token may be guessed without waiting")
	}
}

func TestCookie(t *testing.T) {
	h := newHouse(t)
	set := func(plain bool, tls bool) *http.Cookie {
		t.Helper()
		h.open(func(c *Config) { c.Plain = plain })
		g := &guest{h: h}
		r := g.request("POST", "/api/v1/session", map[string]string{"name": "root", "password": goodPassword})
		if !tls {
			r.TLS = nil
		}
		w := httptest.NewRecorder()
		h.api.ServeHTTP(w, r)
		list := w.Result().Cookies()
		if w.Code != 201 || len(list) != 1 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return list[0]
	}
	h.admin()
	for _, c := range []struct{ plain, tls, secure bool }{{false, true, true}, {false, false, true}, {true, true, true}, {true, false, false}} {
		k := set(c.plain, c.tls)
		name := map[bool]string{true: "__Host-xiezhi", false: "xiezhi"}[c.secure]
		if k.Name != name || k.Secure != c.secure || !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Path != "/" || k.Domain != "" || len(k.Value) != 64 {
			t.Errorf("plain %v, TLS %v: %+v", c.plain, c.tls, k)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	h := newHouse(t)
	root := h.admin()
	g := h.login("root")
	h.pass(59 * time.Minute)
	g.must(200, "GET", "/api/v1/session", nil)
	h.pass(59 * time.Minute) // used in between
	g.must(200, "GET", "/api/v1/session", nil)
	root.must(401, "GET", "/api/v1/session", nil) // unused
	h.pass(61 * time.Minute)
	g.must(401, "GET", "/api/v1/session", nil)

	g = h.login("root")
	for range 15 { // used all the time
		h.pass(50 * time.Minute)
		if a := g.ask("GET", "/api/v1/session", nil); a.code == 401 {
			break
		}
	}
	if a := g.ask("GET", "/api/v1/session", nil); a.code != 401 {
		t.Error("a session lives longer than 12 h")
	}

	g = h.login("root")
	stolen := *g
	g.must(204, "DELETE", "/api/v1/session", nil)
	stolen.must(401, "GET", "/api/v1/session", nil)
	if g.cookie != "" {
		t.Error("the cookie stays in the browser")
	}
}

func TestSessionIdsAreReplaced(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	first := *g
	g.must(200, "GET", "/api/v1/session", nil)
	if g.cookie != first.cookie {
		t.Fatal("the id is replaced at once")
	}
	h.pass(rotateAfter)
	g.must(200, "GET", "/api/v1/session", nil)
	if g.cookie == first.cookie {
		t.Fatal("the id is never replaced")
	}
	late := first
	late.must(200, "GET", "/api/v1/session", nil) // under way while it was replaced
	g.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "a", "role": "viewer", "days": 1})
	h.pass(rotateGrace)
	late.must(401, "GET", "/api/v1/session", nil)
	g.must(401, "GET", "/api/v1/session", nil) // the thief and the owner are not told apart

	// Signing in never takes an id that was there before.
	fixed := &guest{h: h, cookie: strings.Repeat("a", 64)}
	fixed.must(201, "POST", "/api/v1/session", map[string]string{"name": "root", "password": goodPassword})
	if fixed.cookie == strings.Repeat("a", 64) {
		t.Error("a session has the id that the browser brought")
	}
}

func TestSessionsOfAUserAreBounded(t *testing.T) {
	h := newHouse(t)
	h.admin()
	first := h.login("root")
	for range maxUserSessions {
		h.pass(time.Second)
		h.login("root")
	}
	first.must(401, "GET", "/api/v1/session", nil)
	if n := h.api.sessions.count; n != maxUserSessions || len(h.api.sessions.byKey) != n {
		t.Errorf("%d sessions, %d ids", n, len(h.api.sessions.byKey))
	}
	h.pass(24 * time.Hour)
	h.api.sessions.sweep(h.api.cfg.Now(), h.api.idle(), h.api.most())
	if len(h.api.sessions.byKey) != 0 || len(h.api.sessions.byUser) != 0 || h.api.sessions.count != 0 {
		t.Error("sessions that are over stay in memory")
	}
}

func TestChangesFromOtherSites(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	body := map[string]any{"name": "a", "role": "viewer", "days": 1}
	for _, c := range []struct {
		head map[string]string
		want string
	}{
		{map[string]string{"Sec-Fetch-Site": "cross-site"}, "origin"},
		{map[string]string{"Sec-Fetch-Site": "same-site"}, "origin"},
		{map[string]string{"Origin": "https://evil.example"}, "origin"},
		{map[string]string{"Origin": "null"}, "origin"},
		{map[string]string{csrfHeader: ""}, "csrf"},
		{map[string]string{csrfHeader: strings.Repeat("0", 64)}, "csrf"},
		{map[string]string{"Sec-Fetch-Site": "same-origin"}, ""},
		{map[string]string{"Origin": "https://console.example"}, ""},
	} {
		g.head = c.head
		a := g.ask("POST", "/api/v1/tokens", body)
		if c.want == "" {
			if a.code != 201 {
				t.Errorf("%v: %d %s", c.head, a.code, a.body)
			}
		} else if p := a.problem(t); p.Code != c.want || p.Status != 403 {
			t.Errorf("%v: %+v", c.head, p)
		}
	}
	g.head = map[string]string{"Sec-Fetch-Site": "cross-site"}
	fresh := &guest{h: h, head: g.head}
	if p := fresh.ask("POST", "/api/v1/session", map[string]string{"name": "root", "password": goodPassword}).problem(t); p.Code != "origin" {
		t.Errorf("another site's page signs its visitor in: %+v", p)
	}
}

func TestSigningInIsThrottled(t *testing.T) {
	h := newHouse(t)
	h.admin()
	try := func(name, addr, password string) answer {
		return (&guest{h: h, addr: addr}).ask("POST", "/api/v1/session", map[string]string{"name": name, "password": password})
	}
	// One account from one address.
	for i := range freePair {
		if a := try("root", "198.51.100.1:1", "wrong"); a.code != 401 {
			t.Fatalf("try %d: %d", i, a.code)
		}
	}
	a := try("root", "198.51.100.1:1", goodPassword)
	if a.code != 429 || a.head.Get("Retry-After") != "1" {
		t.Fatalf("%d, Retry-After %q", a.code, a.head.Get("Retry-After"))
	}
	if log, err := h.store.Audit(t.Context(), 0, 1); err != nil || log[0].Action != "session.throttled" || log[0].By != anonymous || log[0].Target != userID("root") {
		t.Errorf("the log does not tell of it: %+v, %v", log, err)
	}
	// Its owner elsewhere gets in.
	if a := try("root", "203.0.113.9:1", goodPassword); a.code != 201 {
		t.Errorf("the owner is locked out: %d", a.code)
	}
	h.pass(time.Second)
	if a := try("root", "198.51.100.1:1", "wrong"); a.code != 401 {
		t.Errorf("after the wait: %d", a.code)
	}
	if a := try("root", "198.51.100.1:1", "wrong"); a.head.Get("Retry-After") != "2" {
		t.Errorf("the wait does not double: %q", a.head.Get("Retry-After"))
	}
	h.pass(2 * time.Second)
	if a := try("root", "198.51.100.1:1", goodPassword); a.code != 201 {
		t.Errorf("%d", a.code)
	}
	if a := try("root", "198.51.100.1:1", "wrong"); a.code != 401 {
		t.Errorf("success does not forget: %d", a.code)
	}
	// Many accounts from one network.
	h.pass(time.Hour)
	blocked := false
	for i := range freeNet + 5 {
		blocked = blocked || try(fmt.Sprintf("u%d", i), fmt.Sprintf("[2001:db8:0:1::%x]:1", i), "wrong").code == 429
	}
	if !blocked {
		t.Error("one network may try as many accounts as it likes")
	}
	// One account from many networks: slowed down for a minute at most.
	longest := ""
	for i := range freeAccount + 20 {
		if a := try("root", fmt.Sprintf("10.1.%d.1:1", i), "wrong"); a.code == 429 {
			longest = a.head.Get("Retry-After")
			h.pass(longestLock)
		}
	}
	if longest == "" {
		t.Error("one account may be tried from as many networks as one has")
	}
}

func TestThrottleIsBounded(t *testing.T) {
	h := newHouse(t)
	th := h.api.throttle
	for i := range maxThrottled * 2 {
		_, _ = th.wait(fmt.Sprint(i), remoteOf(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)), start)
	}
	if len(th.byKey) > maxThrottled || th.order.Len() != len(th.byKey) {
		t.Errorf("%d keys, %d in order", len(th.byKey), th.order.Len())
	}
}

// TestNobodyTellsWhoIsThere: an unknown name and a wrong password answer alike.
func TestNobodyTellsWhoIsThere(t *testing.T) {
	h := newHouse(t)
	h.admin()
	var said []string
	for _, name := range []string{"root", "nobody"} {
		a := (&guest{h: h}).ask("POST", "/api/v1/session", map[string]string{"name": name, "password": "wrong"})
		said = append(said, fmt.Sprint(a.code, string(a.body), a.head.Get("Content-Length")))
	}
	h.api.hash.nobody = mustHash(t, h, "wrong") // whatever the stand-in's password is
	if a := (&guest{h: h}).ask("POST", "/api/v1/session", map[string]string{"name": "nobody", "password": "wrong"}); a.code != 401 {
		t.Errorf("who is not there signs in: %d", a.code)
	}
	if said[0] != said[1] {
		t.Errorf("%s\n%s", said[0], said[1])
	}
}

func mustHash(t *testing.T, h *house, password string) string {
	t.Helper()
	s, err := h.api.hash.make(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPasswords(t *testing.T) {
	for p, want := range map[string]string{
		"short-Pw9!": "password_short", "passwordpassword": "password_guessable", "qwertyuiop12345": "password_guessable", "administrator2026": "password_guessable",
		strings.Repeat("长", 100): "password_long", strings.Repeat("a", 256): "password_guessable", "\xff" + goodPassword: "text", goodPassword: "",
		"正确的马电池订书钉很长": "password_short", "月亮 石榴 火车 键盘 九十三": "",
	} {
		err := strong(p, "administrator")
		got := ""
		if err != nil {
			got = err.(*problem).fields[0].id
		}
		if got != want {
			t.Errorf("%.30q: %q, want %q", p, got, want)
		}
	}
}

func TestChangingThePasswordEndsOtherSessions(t *testing.T) {
	h := newHouse(t)
	g := h.admin()
	other := h.login("root")
	before := *g
	const next = "marble-tundra-quill-58"
	if p := g.ask("PUT", "/api/v1/session/password", map[string]string{"current": "wrong", "new": next}).problem(t); p.Code != "current_password" {
		t.Errorf("%+v", p)
	}
	g.signed(g.must(200, "PUT", "/api/v1/session/password", map[string]string{"current": goodPassword, "new": next}))
	other.must(401, "GET", "/api/v1/session", nil)
	before.must(401, "GET", "/api/v1/session", nil)
	g.must(200, "GET", "/api/v1/session", nil)
	g.must(201, "POST", "/api/v1/tokens", map[string]any{"name": "a", "role": "viewer", "days": 1})
	(&guest{h: h}).must(401, "POST", "/api/v1/session", map[string]string{"name": "root", "password": goodPassword})
	(&guest{h: h}).must(201, "POST", "/api/v1/session", map[string]string{"name": "root", "password": next})
}
