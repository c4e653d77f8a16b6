// Package ssotest is an OpenID Connect provider for tests: it listens on
// loopback, signs what a test tells it to, and checks what it is asked. Limits:
// one person, one key, for tests only.
package ssotest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// Issuer is a provider with one person, whose claims a test changes.
type Issuer struct {
	*httptest.Server
	Console string // where the provider sends browsers back to, without path
	t       testing.TB
	Key     *ecdsa.PrivateKey
	Signer  *ecdsa.PrivateKey // signs tokens; usually key
	Claims  map[string]any    // beside the usual ones; nil values take one away
	Info    map[string]any    // at the userinfo endpoint; nil: there is none
	Codes   map[string]string // code: challenge, until used
	Nonce   string
	Now     time.Time
	Asked   int // requests
	Down    bool
}

// New starts one on loopback.
func New(t testing.TB) *Issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &Issuer{Console: "https://xiezhi.example.com", t: t, Key: key, Signer: key, Codes: map[string]string{}, Now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP answers as a provider does.
func (s *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Asked++
	if s.Down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	tell := func(x any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(x)
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		doc := map[string]any{"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"}}
		if s.Info != nil {
			doc["userinfo_endpoint"] = s.URL + "/info"
		}
		tell(doc)
	case "/keys":
		tell(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.Key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	case "/info":
		tell(s.Info)
	case "/token":
		challenge, ok := s.Codes[r.PostFormValue("code")]
		delete(s.Codes, r.PostFormValue("code"))
		if !ok || Challenge(r.PostFormValue("code_verifier")) != challenge {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			tell(map[string]string{"error": "invalid_grant"})
			return
		}
		tell(map[string]any{"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": s.token()})
	default:
		http.NotFound(w, r)
	}
}

func (s *Issuer) token() string {
	claims := map[string]any{"iss": s.URL, "sub": "42", "aud": "xiezhi", "exp": s.Now.Add(time.Minute).Unix(), "iat": s.Now.Unix(), "nonce": s.Nonce,
		"preferred_username": "lin", "groups": []string{"soc", "staff"}}
	for k, v := range s.Claims {
		if claims[k] = v; v == nil {
			delete(claims, k)
		}
	}
	sig, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.Signer, KeyID: "k"}}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		s.t.Fatal(err)
	}
	j, err := sig.Sign(text)
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := j.CompactSerialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

// Agree is what the person does at the provider's page.
func (s *Issuer) Agree(page string) url.Values {
	s.t.Helper()
	u, err := url.Parse(page)
	if err != nil {
		s.t.Fatal(err)
	}
	q := u.Query()
	if !strings.HasPrefix(page, s.URL+"/authorize?") || q.Get("response_type") != "code" || q.Get("client_id") != "xiezhi" || q.Get("redirect_uri") != s.Console+"/login/callback" ||
		q.Get("code_challenge_method") != "S256" || len(q.Get("nonce")) < 32 || len(q.Get("state")) < 32 || q.Get("scope") != "openid profile email" {
		s.t.Fatalf("the browser is sent to %s", page)
	}
	s.Nonce, s.Codes["c0de"] = q.Get("nonce"), q.Get("code_challenge")
	return url.Values{"code": {"c0de"}, "state": {q.Get("state")}}
}

// Challenge is that of a verifier.
func Challenge(verifier string) string {
	return oauth2.S256ChallengeFromVerifier(verifier)
}
