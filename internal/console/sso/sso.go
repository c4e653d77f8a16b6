package sso

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	attemptTime = 10 * time.Minute
	askTime     = 10 * time.Second // for one answer of the provider
	maxAnswer   = 1 << 20          // bytes of it
	maxValues   = 1000             // of a claim
	maxNext     = 2 << 10          // bytes of the page that is gone to then
)

// Person is whom the provider vouches for.
type Person struct {
	Subject string // issuer and subject: no two people have one
	Name    string
	Role    string
}

// Problem is why somebody is not signed in: the id of a message for them, and
// what the log is told.
type Problem struct {
	ID  string
	Err error
}

func (p *Problem) Error() string { return fmt.Sprintf("sign in by the provider: %v", p.Err) }

func (p *Problem) Unwrap() error { return p.Err }

func problem(id string, err error) error { return &Problem{"console.sso." + id, err} }

// Provider signs in. It asks the issuer for its endpoints and keys when they
// are needed first, so that a service starts without it.
type Provider struct {
	cfg    Config
	secret string
	seal   cipher.AEAD
	random io.Reader
	now    func() time.Time
	client *http.Client

	mu    sync.Mutex
	found *oidc.Provider
}

// New makes a provider of a checked configuration. transport may be nil.
func New(cfg Config, random io.Reader, now func() time.Time, transport http.RoundTripper) (*Provider, error) {
	secret, err := cfg.Secret()
	if err != nil {
		return nil, err
	}
	var key [32]byte // of this process: what is under way when it ends is begun again
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	cfg.Name = cmp.Or(cfg.Name, cfg.host())
	cfg.UserClaim, cfg.RoleClaim = cmp.Or(cfg.UserClaim, "preferred_username"), cmp.Or(cfg.RoleClaim, "groups")
	if cfg.Scopes == nil {
		cfg.Scopes = []string{"profile", "email"}
	}
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &Provider{cfg: cfg, secret: secret, seal: seal, random: random, now: now, client: &http.Client{Transport: bounded{transport}, Timeout: askTime}}, nil
}

// Name is what people call the provider.
func (p *Provider) Name() string { return p.cfg.Name }

// Secure reports whether browsers reach the console over TLS.
func (p *Provider) Secure() bool { return len(p.cfg.PublicURL) > 5 && p.cfg.PublicURL[:5] == "https" }

// bounded cuts answers off that are too long.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}

// discover asks the issuer for its endpoints, until it has answered once.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		// The keys are fetched with this context later as well: it must not end
		// with the request.
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.cfg.Issuer)
		if err != nil {
			return nil, nil, problem("away", err)
		}
		p.found = found
	}
	redirect, err := url.JoinPath(p.cfg.PublicURL, CallbackPath)
	if err != nil {
		return nil, nil, err
	}
	return p.found, &oauth2.Config{ClientID: p.cfg.ClientID, ClientSecret: p.secret, Endpoint: p.found.Endpoint(), RedirectURL: redirect, Scopes: append([]string{oidc.ScopeOpenID}, p.cfg.Scopes...)}, nil
}

// attempt is what the browser keeps, sealed.
type attempt struct {
	State, Nonce, Verifier, Next string
	Until                        time.Time
}

// AttemptTime is how long the browser keeps what Begin gives.
const AttemptTime = attemptTime

// Begin gives the provider's page, and what the browser has to bring back with
// the answer. next is the page that is gone to then.
func (p *Provider) Begin(ctx context.Context, next string) (page, keep string, err error) {
	_, oauth, err := p.discover(ctx)
	if err != nil {
		return "", "", err
	}
	if len(next) > maxNext {
		next = "/"
	}
	a := attempt{Next: next, Until: p.now().Add(attemptTime)}
	for _, s := range []*string{&a.State, &a.Nonce, &a.Verifier} {
		var b [32]byte
		if _, err := io.ReadFull(p.random, b[:]); err != nil {
			return "", "", fmt.Errorf("draw random bytes: %w", err)
		}
		*s = base64.RawURLEncoding.EncodeToString(b[:])
	}
	if keep, err = p.close(a); err != nil {
		return "", "", err
	}
	return oauth.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), keep, nil
}

func (p *Provider) close(a attempt) (string, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, p.seal.NonceSize(), p.seal.NonceSize()+len(text)+p.seal.Overhead())
	if _, err := io.ReadFull(p.random, nonce); err != nil {
		return "", fmt.Errorf("draw random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(p.seal.Seal(nonce, nonce, text, nil)), nil
}

func (p *Provider) open(keep string) (a attempt, err error) {
	b, err := base64.RawURLEncoding.DecodeString(keep)
	if n := p.seal.NonceSize(); err == nil && len(b) < n {
		err = io.ErrUnexpectedEOF
	} else if err == nil {
		b, err = p.seal.Open(nil, b[:n], b[n:], nil)
	}
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	return a, err
}

// Finish takes what the provider sent the browser back with and what the
// browser kept.
func (p *Provider) Finish(ctx context.Context, answer url.Values, keep string) (who Person, next string, err error) {
	a, err := p.open(keep)
	switch {
	case err != nil:
		return who, "", problem("stale", fmt.Errorf("what the browser kept is not ours or of an earlier start: %w", err))
	case !p.now().Before(a.Until):
		return who, "", problem("stale", errors.New("it took too long"))
	case subtle.ConstantTimeCompare([]byte(a.State), []byte(answer.Get("state"))) != 1:
		return who, "", problem("stale", errors.New("the answer is to another attempt"))
	case answer.Get("error") != "":
		return who, "", problem("refused", fmt.Errorf("the provider says %.200q %.500q", answer.Get("error"), answer.Get("error_description")))
	}
	provider, oauth, err := p.discover(ctx)
	if err != nil {
		return who, "", err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := oauth.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		var said *oauth2.RetrieveError
		if errors.As(err, &said) && said.Response.StatusCode < 500 {
			return who, "", problem("refused", fmt.Errorf("the provider takes the code for nothing: %s %.200q", said.Response.Status, said.ErrorCode))
		}
		return who, "", problem("away", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return who, "", problem("untrue", errors.New("the provider's answer has no ID token"))
	}
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: p.cfg.ClientID, Now: p.now}).Verify(ctx, raw)
	if err != nil {
		return who, "", problem("untrue", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return who, "", problem("untrue", errors.New("the ID token is of another attempt"))
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return who, "", problem("untrue", err)
	}
	if claims[p.cfg.UserClaim] == nil || claims[p.cfg.RoleClaim] == nil {
		if err := p.more(ctx, provider, token, id.Subject, claims); err != nil {
			return who, "", err
		}
	}
	who.Subject = id.Issuer + " " + id.Subject
	who.Name, _ = claims[p.cfg.UserClaim].(string)
	if who.Name == "" {
		return who, "", problem("nameless", fmt.Errorf("the ID token has no claim %q with a name", p.cfg.UserClaim))
	}
	if who.Role = p.cfg.role(values(claims[p.cfg.RoleClaim])); who.Role == "" {
		return who, "", problem("role", fmt.Errorf("no value of the claim %q has a role", p.cfg.RoleClaim))
	}
	return who, a.Next, nil
}

// more adds what the provider says of the person elsewhere: many keep groups out
// of the ID token.
func (p *Provider) more(ctx context.Context, provider *oidc.Provider, token *oauth2.Token, subject string, claims map[string]any) error {
	if provider.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return problem("away", err)
	}
	if info.Subject != subject {
		return problem("untrue", errors.New("the provider tells of somebody else"))
	}
	var others map[string]any
	if err := info.Claims(&others); err != nil {
		return problem("untrue", err)
	}
	for k, v := range others {
		if claims[k] == nil {
			claims[k] = v
		}
	}
	return nil
}

// values are those of a claim: one text, or a list.
func values(claim any) (out []string) {
	switch c := claim.(type) {
	case string:
		return []string{c}
	case []any:
		for _, v := range c[:min(len(c), maxValues)] {
			if s, ok := v.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}
