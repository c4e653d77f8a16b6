package console

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"

	"xiezhi/internal/message"
	"xiezhi/rules"
)

// fakeAPI answers what the pages ask for and notes what it was sent.
type fakeAPI struct {
	needed string // "true" while there is no administrator
	status int
	answer string
	asked  []*http.Request
	bodies []string
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/api/v1/setup" {
		_, _ = io.WriteString(w, `{"needed":`+f.needed+`}`)
		return
	}
	b, _ := io.ReadAll(r.Body)
	f.asked, f.bodies = append(f.asked, r), append(f.bodies, string(b))
	if f.status == http.StatusCreated {
		http.SetCookie(w, &http.Cookie{Name: "xiezhi", Value: "session", HttpOnly: true})
	}
	if f.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "7")
	}
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.answer)
}

func newConsole(t *testing.T, api http.Handler) *Console {
	t.Helper()
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{API: api, Messages: msgs, Files: fstest.MapFS{
		"index.html":       {Data: []byte(`<meta nonce="XIEZHI_NONCE"><script nonce="XIEZHI_NONCE" src="/assets/a-1.js"></script>`)},
		"assets/a-1.js":    {Data: []byte(strings.Repeat("console.log(1);\n", 500))},
		"favicon.svg":      {Data: []byte("<svg/>")},
		"assets/b-2.woff2": {Data: []byte{0, 1, 2}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(c http.Handler, target string, heads ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(heads); i += 2 {
		r.Header.Set(heads[i], heads[i+1])
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

func post(c http.Handler, target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

func TestEveryPageHasAPolicyWithAFreshNonce(t *testing.T) {
	c := newConsole(t, &fakeAPI{needed: "false"})
	nonces := map[string]bool{}
	for _, path := range []string{"/", "/inventory?open=api~1", "/login", "/%2e%2e/etc", "/login"} {
		w := get(c, path)
		policy := w.Header().Get("Content-Security-Policy")
		m := regexp.MustCompile(`'nonce-([A-Za-z0-9_-]{20,})'`).FindStringSubmatch(policy)
		if w.Code != http.StatusOK || m == nil {
			t.Fatalf("%s: status %d, policy %q", path, w.Code, policy)
		}
		if !strings.Contains(w.Body.String(), m[1]) || strings.Contains(w.Body.String(), placeholder) {
			t.Errorf("%s: the page does not hold the nonce of its policy", path)
		}
		if nonces[m[1]] {
			t.Errorf("%s: a nonce came twice", path)
		}
		nonces[m[1]] = true
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s", path, want)
			}
		}
		if strings.Contains(policy, "script-src 'unsafe") || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: heads %v", path, w.Header())
		}
	}
}

func TestFilesOfTheBuild(t *testing.T) {
	c := newConsole(t, &fakeAPI{needed: "false"})
	plain := get(c, "/assets/a-1.js")
	if plain.Code != 200 || plain.Header().Get("Content-Type") != "text/javascript; charset=utf-8" || !strings.Contains(plain.Header().Get("Cache-Control"), "immutable") {
		t.Fatalf("status %d, heads %v", plain.Code, plain.Header())
	}
	packed := get(c, "/assets/a-1.js", "Accept-Encoding", "gzip, deflate, br;q=0.9")
	if packed.Header().Get("Content-Encoding") != "br" {
		t.Fatalf("heads %v", packed.Header())
	}
	b, err := io.ReadAll(brotli.NewReader(packed.Body))
	if err != nil || string(b) != plain.Body.String() {
		t.Errorf("what was compressed is not what was not: %v", err)
	}
	if got := get(c, "/assets/a-1.js", "Accept-Encoding", "br;q=0, gzip;q=0.0").Header().Get("Content-Encoding"); got != "" {
		t.Errorf("an encoding that is refused was used: %s", got)
	}
	if got := get(c, "/assets/a-1.js", "If-None-Match", plain.Header().Get("ETag")).Code; got != http.StatusNotModified {
		t.Errorf("a known file came again: %d", got)
	}
	for _, path := range []string{"/assets/none.js", "/assets/../index.html", "/assets/"} {
		if got := get(c, path).Code; got != http.StatusNotFound {
			t.Errorf("%s: status %d", path, got)
		}
	}
	if got := post(c, "/", nil).Code; got != http.StatusMethodNotAllowed {
		t.Errorf("a change of a page: %d", got)
	}
}

func TestSignIn(t *testing.T) {
	for _, tc := range []struct {
		name, target, to string
		status           int
		answer           string
		want             int
		shown            string
	}{
		{name: "goes where one wanted to", target: "/login?next=%2Fdefects%3Fopen%3Dx", status: 201, want: 303, to: "/defects?open=x"},
		{name: "never to another host", target: "/login?next=%2F%2Fevil.example", status: 201, want: 303, to: "/"},
		{name: "nor with a backslash", target: "/login?next=%2F%5Cevil.example", status: 201, want: 303, to: "/"},
		{name: "nor with a scheme", target: "/login?next=https%3A%2F%2Fevil.example", status: 201, want: 303, to: "/"},
		{name: "shows a refusal", target: "/login", status: 401, answer: `{"title":"Wrong <b>name</b>","detail":"try again"}`, want: 401, shown: "Wrong &lt;b&gt;name&lt;/b&gt; try again"},
		{name: "hands on how long to wait", target: "/login", status: 429, answer: `{"title":"Too many"}`, want: 429, shown: "Too many"},
		{name: "an answer that is none", target: "/login", status: 500, answer: `oops`, want: 500, shown: "Internal"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &fakeAPI{needed: "false", status: tc.status, answer: tc.answer}
			w := post(newConsole(t, f), tc.target, url.Values{"name": {`a"><script>`}, "password": {"p"}})
			if w.Code != tc.want || w.Header().Get("Location") != tc.to {
				t.Fatalf("status %d to %q", w.Code, w.Header().Get("Location"))
			}
			if !strings.Contains(w.Body.String(), tc.shown) || strings.Contains(w.Body.String(), "<script>") {
				t.Errorf("page: %s", w.Body)
			}
			if strings.Contains(w.Body.String(), `value="p"`) {
				t.Error("the password came back")
			}
			if got := f.asked[0].Header.Get("Sec-Fetch-Site"); got != "same-origin" {
				t.Errorf("the API is not told where the form came from: %q", got)
			}
			if (w.Header().Get("Set-Cookie") != "") != (tc.status == 201) {
				t.Errorf("cookie %q", w.Header().Get("Set-Cookie"))
			}
			if tc.status == 429 && w.Header().Get("Retry-After") != "7" {
				t.Error("no Retry-After")
			}
		})
	}
}

func TestSetUp(t *testing.T) {
	f := &fakeAPI{needed: "true", status: 201}
	c := newConsole(t, f)
	if w := get(c, "/login"); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/setup") {
		t.Errorf("nobody is there to sign in: %d %v", w.Code, w.Header())
	}
	w := get(c, "/setup?token=one%22time", "Accept-Language", "zh-CN,zh;q=0.9")
	if !strings.Contains(w.Body.String(), `value="one&#34;time"`) || !strings.Contains(w.Body.String(), `<html lang="zh">`) || !strings.Contains(w.Body.String(), "至少 12 个字符") {
		t.Errorf("page: %s", w.Body)
	}
	if n := strings.Count(w.Body.String(), "autofocus"); n != 1 {
		t.Errorf("%d fields take the focus", n)
	}
	form := url.Values{"token": {" one "}, "name": {"admin"}, "password": {"a"}, "repeat": {"b"}}
	if w := post(c, "/setup?lang=zh", form); w.Code != 422 || len(f.asked) > 0 || !strings.Contains(w.Body.String(), "不一致") {
		t.Errorf("passwords that differ: %d, asked %d", w.Code, len(f.asked))
	}
	form.Set("repeat", "a")
	if w := post(c, "/setup", form); w.Code != 303 || w.Header().Get("Set-Cookie") == "" || f.bodies[0] != `{"name":"admin","password":"a","token":"one"}` {
		t.Errorf("status %d, sent %v", w.Code, f.bodies)
	}
	f.needed = "false"
	if w := get(c, "/setup"); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/login") {
		t.Errorf("there is an administrator: %d", w.Code)
	}
	if w := post(c, "/login", url.Values{"name": {strings.Repeat("x", formSize)}}); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a form beyond the limit: %d", w.Code)
	}
}

func TestEnter(t *testing.T) {
	f := &fakeAPI{needed: "false", status: 201}
	c := newConsole(t, f)
	w := get(c, "/enter?token=one%22time", "Accept-Language", "zh-CN")
	if w.Code != 200 || len(f.asked) > 0 || !strings.Contains(w.Body.String(), `value="one&#34;time"`) || !strings.Contains(w.Body.String(), `<html lang="zh">`) {
		t.Errorf("status %d, asked %d: %s", w.Code, len(f.asked), w.Body)
	}
	if strings.Contains(w.Body.String(), `type="password"`) {
		t.Error("a password is asked for")
	}
	if w := post(c, "/enter", url.Values{"token": {"one"}}); w.Code != 303 || w.Header().Get("Location") != "/" || w.Header().Get("Set-Cookie") == "" || f.bodies[0] != `{"token":"one"}` {
		t.Errorf("status %d, sent %v", w.Code, f.bodies)
	}
	f.status, f.answer = 403, `{"title":"Used up"}`
	w = post(c, "/enter", url.Values{"token": {"one"}})
	if w.Code != 403 || !strings.Contains(w.Body.String(), "Used up") || !strings.Contains(w.Body.String(), `href="/login?lang=en"`) || strings.Contains(w.Body.String(), "<form") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if w := get(c, "/enter"); w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/login") {
		t.Errorf("without a token: %d", w.Code)
	}
}
