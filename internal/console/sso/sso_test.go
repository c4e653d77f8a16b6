package sso

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/console/sso/ssotest"
)

func provider(t *testing.T, s *ssotest.Issuer, change ...func(*Config)) *Provider {
	t.Helper()
	cfg := Config{Issuer: s.URL, ClientID: "xiezhi", PublicURL: "https://xiezhi.example.com", Roles: map[string][]string{"administrator": {"sec-admins"}, "analyst": {"soc"}, "viewer": {"staff"}}}
	for _, c := range change {
		c(&cfg)
	}
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	p, err := New(cfg, rand.Reader, func() time.Time { return s.Now }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSomebodyIsVouchedFor(t *testing.T) {
	s := ssotest.New(t)
	p := provider(t, s)
	page, keep, err := p.Begin(t.Context(), "/attacks?from=1")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(keep, s.Nonce) && s.Nonce != "" || strings.Contains(page, "attacks") {
		t.Error("the browser can read what it keeps")
	}
	who, next, err := p.Finish(t.Context(), s.Agree(page), keep)
	if err != nil || who != (Person{s.URL + " 42", "lin", "analyst"}) || next != "/attacks?from=1" {
		t.Fatalf("%+v %q %v", who, next, err)
	}
	if _, _, err := p.Finish(t.Context(), url.Values{"code": {"c0de"}, "state": {"x"}}, keep); err == nil {
		t.Error("an answer to another attempt was taken")
	}
}

func TestWhatIsAskedElsewhere(t *testing.T) {
	s := ssotest.New(t)
	s.Claims = map[string]any{"groups": nil}
	s.Info = map[string]any{"sub": "42", "groups": "sec-admins", "preferred_username": "somebody else"}
	p := provider(t, s)
	page, keep, _ := p.Begin(t.Context(), "/")
	who, _, err := p.Finish(t.Context(), s.Agree(page), keep)
	if err != nil || who.Role != "administrator" || who.Name != "lin" {
		t.Fatalf("%+v %v", who, err)
	}
	s.Info["sub"] = "43"
	page, keep, _ = p.Begin(t.Context(), "/")
	if _, _, err = p.Finish(t.Context(), s.Agree(page), keep); id(err) != "console.sso.untrue" {
		t.Errorf("what is told of somebody else was taken: %v", err)
	}
}

func id(err error) string {
	var p *Problem
	if errors.As(err, &p) {
		return p.ID
	}
	return ""
}

// TestNobodyIsVouchedFor: each thing that does not hold, alone.
func TestNobodyIsVouchedFor(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, want string
		do         func(s *ssotest.Issuer, answer url.Values, keep *string)
	}{
		{"a token of another issuer", "untrue", func(s *ssotest.Issuer, _ url.Values, _ *string) {
			s.Claims = map[string]any{"iss": "https://evil.example"}
		}},
		{"for another client", "untrue", func(s *ssotest.Issuer, _ url.Values, _ *string) { s.Claims = map[string]any{"aud": "shop"} }},
		{"of another attempt", "untrue", func(s *ssotest.Issuer, _ url.Values, _ *string) { s.Nonce = strings.Repeat("x", 43) }},
		{"without nonce", "untrue", func(s *ssotest.Issuer, _ url.Values, _ *string) { s.Claims = map[string]any{"nonce": nil} }},
		{"expired", "untrue", func(s *ssotest.Issuer, _ url.Values, _ *string) {
			s.Claims = map[string]any{"exp": s.Now.Add(-time.Minute).Unix()}
		}},
		{"signed by somebody else", "untrue", func(s *ssotest.Issuer, _ url.Values, _ *string) { s.Signer = other }},
		{"no name", "nameless", func(s *ssotest.Issuer, _ url.Values, _ *string) { s.Claims = map[string]any{"preferred_username": 7} }},
		{"no role", "role", func(s *ssotest.Issuer, _ url.Values, _ *string) {
			s.Claims = map[string]any{"groups": []any{"guests", 1}}
		}},
		{"another state", "stale", func(_ *ssotest.Issuer, a url.Values, _ *string) { a.Set("state", "x") }},
		{"no state", "stale", func(_ *ssotest.Issuer, a url.Values, _ *string) { a.Del("state") }},
		{"nothing kept", "stale", func(_ *ssotest.Issuer, _ url.Values, k *string) { *k = "" }},
		{"something else kept", "stale", func(_ *ssotest.Issuer, _ url.Values, k *string) { *k = "A" + (*k)[1:] + "A" }},
		{"too late", "stale", func(s *ssotest.Issuer, _ url.Values, _ *string) { s.Now = s.Now.Add(attemptTime) }},
		{"no code", "refused", func(_ *ssotest.Issuer, a url.Values, _ *string) { a.Del("code") }},
		{"another's code", "refused", func(s *ssotest.Issuer, _ url.Values, _ *string) { s.Codes["c0de"] = ssotest.Challenge("another") }},
		{"not agreed", "refused", func(_ *ssotest.Issuer, a url.Values, _ *string) { a.Set("error", "access_denied") }},
		{"the provider is down", "away", func(s *ssotest.Issuer, _ url.Values, _ *string) { s.Down = true }},
		{"the provider is gone", "away", func(s *ssotest.Issuer, _ url.Values, _ *string) { s.Close() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := ssotest.New(t)
			p := provider(t, s)
			page, keep, err := p.Begin(t.Context(), "/")
			if err != nil {
				t.Fatal(err)
			}
			answer := s.Agree(page)
			tt.do(s, answer, &keep)
			who, _, err := p.Finish(t.Context(), answer, keep)
			if id(err) != "console.sso."+tt.want {
				t.Fatalf("%+v, %v", who, err)
			}
		})
	}
}

// TestProviderMayComeLater: a service starts without its provider.
func TestProviderMayComeLater(t *testing.T) {
	s := ssotest.New(t)
	s.Down = true
	p := provider(t, s)
	if _, _, err := p.Begin(t.Context(), "/"); id(err) != "console.sso.away" {
		t.Fatal(err)
	}
	s.Down = false
	if _, _, err := p.Begin(t.Context(), "/"); err != nil {
		t.Fatal(err)
	}
	before := s.Asked
	if _, _, err := p.Begin(t.Context(), "/"); err != nil || s.Asked != before {
		t.Errorf("%d requests, %v", s.Asked-before, err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{Issuer: "https://login.example.com/realms/x", ClientID: "c", PublicURL: "https://x.example.com/", Default: "viewer"}
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"good", func(*Config) {}, ""},
		{"loopback", func(c *Config) { c.Issuer, c.PublicURL = "http://127.0.0.1:8080", "http://localhost:8650" }, ""},
		{"no issuer", func(c *Config) { c.Issuer = "" }, "issuer: is missing"},
		{"plain issuer", func(c *Config) { c.Issuer = "http://login.example.com" }, "issuer: "},
		{"no URL", func(c *Config) { c.PublicURL = "xiezhi.example.com" }, "public_url: "},
		{"with a path", func(c *Config) { c.PublicURL = "https://x.example.com/console" }, "public_url: "},
		{"with a user", func(c *Config) { c.Issuer = "https://u:p@x.example.com" }, "issuer: "},
		{"no client", func(c *Config) { c.ClientID = "" }, "client_id: "},
		{"unknown role", func(c *Config) { c.Default = "root" }, "default_role: "},
		{"unknown roles", func(c *Config) { c.Roles = map[string][]string{"root": {"a"}} }, "roles: "},
		{"two roles", func(c *Config) { c.Roles = map[string][]string{"viewer": {"a"}, "analyst": {"a"}} }, "roles: \"a\""},
		{"nobody", func(c *Config) { c.Default = "" }, "roles: nobody"},
	} {
		c := good
		tt.change(&c)
		switch err := c.Check(); {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)):
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
