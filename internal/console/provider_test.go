package console

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"xiezhi/internal/api"
	"xiezhi/internal/console/sso"
	"xiezhi/internal/console/sso/ssotest"
	"xiezhi/internal/message"
	"xiezhi/rules"
)

// newProvided is a console with a provider that says where it is and no more.
func newProvided(t *testing.T, f http.Handler, issuer string, vouch func(context.Context, sso.Person) (string, error)) *Console {
	t.Helper()
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	p, err := sso.New(sso.Config{Issuer: issuer, ClientID: "xiezhi", PublicURL: "http://127.0.0.1:8650", Default: "viewer", Name: "<b>Staff"}, rand.Reader, time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{API: f, Messages: msgs, SSO: p, Vouch: vouch, Files: fstest.MapFS{"index.html": {Data: []byte(`<script nonce="XIEZHI_NONCE"></script>`)}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func visit(c *Console, target string, heads ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(heads); i += 2 {
		r.Header.Set(heads[i], heads[i+1])
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

func TestProviderIsOffered(t *testing.T) {
	f := &fakeAPI{needed: "false"}
	issuer := httptest.NewServer(nil)
	defer issuer.Close()
	issuer.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": issuer.URL, "authorization_endpoint": issuer.URL + "/authorize", "token_endpoint": issuer.URL + "/token", "jwks_uri": issuer.URL + "/keys"})
	})
	c := newProvided(t, f, issuer.URL, func(context.Context, sso.Person) (string, error) { return "", errors.New("nobody came") })
	page := visit(c, "/login?lang=zh&next=/attacks").Body.String()
	if !strings.Contains(page, "用 &lt;b&gt;Staff 登录") || !strings.Contains(page, `href="/login/provider?lang=zh&amp;next=%2Fattacks"`) {
		t.Errorf("the page does not offer the provider:\n%s", page)
	}
	w := visit(c, "/login/provider?next=//evil.example/x")
	cookie := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), issuer.URL+"/authorize?") || len(cookie) != 1 || !cookie[0].HttpOnly || cookie[0].SameSite != http.SameSiteLaxMode || cookie[0].Path != "/login/callback" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	// An answer that nobody asked for, with and without a cookie: a page that
	// says what to do, and nothing goes to the API.
	for _, h := range [][]string{nil, {"Cookie", "xiezhi_sign_in=" + cookie[0].Value}} {
		w = visit(c, "/login/callback?lang=en&code=x&state=%3Cscript%3E", h...)
		if body := w.Body.String(); w.Code != http.StatusForbidden || !strings.Contains(body, "does not hold any more") || strings.Contains(body, "<script") {
			t.Errorf("%d %s", w.Code, body)
		}
	}
	if len(f.asked) != 0 {
		t.Errorf("the API was asked for %v", f.asked[0].URL)
	}
	if w := visit(newConsole(t, f), "/login/callback?code=x"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "nonce") {
		t.Errorf("without a provider: %d", w.Code) // the console's own page
	}
}

// TestProviderSignsIn: from the button to the page that was wanted.
func TestProviderSignsIn(t *testing.T) {
	issuer := ssotest.New(t)
	issuer.Console, issuer.Now = "http://127.0.0.1:8650", time.Now()
	f := &fakeAPI{needed: "false", status: http.StatusCreated, answer: `{}`}
	var came sso.Person
	c := newProvided(t, f, issuer.URL, func(_ context.Context, p sso.Person) (string, error) { came = p; return "one-time", nil })
	w := visit(c, "/login/provider?next=/attacks")
	keep := w.Result().Cookies()[0]
	back := "/login/callback?" + issuer.Agree(w.Header().Get("Location")).Encode()
	w = visit(c, back, "Cookie", keep.Name+"="+keep.Value, "Sec-Fetch-Site", "cross-site", "User-Agent", "browser")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/attacks" || came != (sso.Person{Subject: issuer.URL + " 42", Name: "lin", Role: "viewer"}) {
		t.Fatalf("%d %v %+v\n%s", w.Code, w.Header(), came, w.Body)
	}
	var signedIn, forgotten bool
	for _, k := range w.Result().Cookies() {
		signedIn = signedIn || k.Name == "xiezhi" && k.Value == "session"
		forgotten = forgotten || k.Name == keep.Name && k.MaxAge < 0
	}
	if !signedIn || !forgotten {
		t.Errorf("cookies: %v", w.Result().Cookies())
	}
	if len(f.asked) != 1 || f.asked[0].URL.Path != "/api/v1/session/invitation" || f.bodies[0] != `{"token":"one-time"}` || f.asked[0].Header.Get("Sec-Fetch-Site") != "" || f.asked[0].Header.Get("User-Agent") != "browser" {
		t.Errorf("the API was asked %v %v", f.asked, f.bodies)
	}
	if w = visit(c, back, "Cookie", keep.Name+"="+keep.Value); w.Code != http.StatusForbidden {
		t.Errorf("a code signed in twice: %d", w.Code)
	}
}

func TestProviderIsAway(t *testing.T) {
	issuer := httptest.NewServer(nil)
	issuer.Close()
	c := newProvided(t, &fakeAPI{needed: "false"}, issuer.URL, func(context.Context, sso.Person) (string, error) { return "", nil })
	w := visit(c, "/login/provider?lang=en")
	if body := w.Body.String(); w.Code != http.StatusBadGateway || !strings.Contains(body, "does not answer") || !strings.Contains(body, `name="password"`) {
		t.Errorf("%d %s", w.Code, body)
	}
}

// TestWhyNobodyIsLetIn: the API does not take every word.
func TestWhyNobodyIsLetIn(t *testing.T) {
	c := newProvided(t, &fakeAPI{needed: "false"}, "http://127.0.0.1:1", func(context.Context, sso.Person) (string, error) { return "", nil })
	for _, tt := range []struct {
		err    error
		status int
		want   string
	}{
		{api.ErrNameTaken, 403, "has your name"},
		{api.ErrBadName, 403, "user_claim"},
		{api.ErrShutOut, 403, "disabled"},
		{api.ErrFull, 403, "no room"},
		{errors.New("disk"), 500, "Internal Server Error"},
	} {
		w := httptest.NewRecorder()
		c.refuse(w, httptest.NewRequest(http.MethodGet, "/login/callback?lang=en", nil), tt.err)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%v: %d %s", tt.err, w.Code, w.Body)
		}
	}
}
