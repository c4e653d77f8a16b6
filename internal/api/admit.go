package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
)

// Names of the cookie, and of the head that proves that a change comes from
// whoever could read the session.
const (
	cookieName  = "__Host-xiezhi"
	plainCookie = "xiezhi"
	csrfHeader  = "X-CSRF-Token"
)

// tokenPrefix marks tokens, so that one that leaks is recognised as such.
const tokenPrefix = "xz_"

// admit decides whether a request may be served and says who asks.
func (a *API) admit(w http.ResponseWriter, r *http.Request, rule access, x *asked) error {
	if err := crossed.Check(r); err != nil {
		return refuse(http.StatusForbidden, "origin", nil)
	}
	if rule.least == "" {
		return nil
	}
	if err := a.identify(w, r, x); err != nil {
		return err
	}
	if x.who.id == "" {
		return refuse(http.StatusUnauthorized, "unauthenticated", nil)
	}
	if x.who.scope != "" { // for one thing, and that is not here
		return refuse(http.StatusForbidden, "token_scope", nil)
	}
	if rule.people && x.who.session == nil {
		return refuse(http.StatusForbidden, "people", nil)
	}
	if !rule.allows(x.who.role) {
		return refuse(http.StatusForbidden, "role", map[string]any{"role": string(rule.least)})
	}
	if s := x.who.session; s != nil && !safe(r.Method) && subtle.ConstantTimeCompare([]byte(r.Header.Get(csrfHeader)), []byte(s.csrf)) != 1 {
		return refuse(http.StatusForbidden, "csrf", nil)
	}
	return nil
}

// crossed refuses changes that another origin's page asks for: by
// Sec-Fetch-Site, and by Origin against Host where a browser sends no such head.
var crossed = http.NewCrossOriginProtection()

func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// identify finds who asks. A token that does not hold is an error rather than
// nobody: its owner should hear it.
func (a *API) identify(w http.ResponseWriter, r *http.Request, x *asked) error {
	ctx := r.Context()
	if given := r.Header.Get("Authorization"); given != "" {
		scheme, token, _ := strings.Cut(given, " ")
		if !strings.EqualFold(scheme, "Bearer") || len(token) > 256 {
			return refuse(http.StatusUnauthorized, "token", nil)
		}
		return a.byToken(ctx, token, x)
	}
	c, err := r.Cookie(a.cookieName(x.secure))
	if err != nil || len(c.Value) > 256 {
		return nil
	}
	now := a.cfg.Now()
	s, end, fresh, err := a.sessions.use(c.Value, now, a.idle(), a.most())
	if s == nil || err != nil {
		return err
	}
	u, ok, err := a.account(ctx, s.user)
	if err != nil {
		return err
	}
	if !ok || u.Disabled {
		a.sessions.endUser(s.user, nil)
		return nil
	}
	if fresh != "" {
		http.SetCookie(w, a.cookie(fresh, x.secure, a.most()))
	}
	x.who = caller{id: s.user, name: u.Name, role: v1.Role(u.Role), session: s, expires: end}
	return nil
}

func (a *API) byToken(ctx context.Context, token string, x *asked) error {
	id := tokenID(token)
	r, err := a.cfg.Store.Get(ctx, record.Token, id)
	if errors.Is(err, record.ErrNotFound) {
		return refuse(http.StatusUnauthorized, "token", nil)
	}
	if err != nil {
		return err
	}
	var t record.Access
	if err := json.Unmarshal(r.Body, &t); err != nil {
		return err
	}
	u, ok, err := a.account(ctx, t.By)
	if err != nil {
		return err
	}
	if !ok || u.Disabled || !a.cfg.Now().Before(t.Expires) {
		return refuse(http.StatusUnauthorized, "token", nil)
	}
	role := v1.Role(t.Role)
	if ranks[v1.Role(u.Role)] < ranks[role] { // its maker may less than then
		role = v1.Role(u.Role)
	}
	x.who = caller{id: t.By, name: u.Name, role: role, token: id, scope: t.Scope, expires: t.Expires}
	return nil
}

func tokenID(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// account reads a user.
func (a *API) account(ctx context.Context, id string) (record.Account, bool, error) {
	r, err := a.cfg.Store.Get(ctx, record.User, id)
	if errors.Is(err, record.ErrNotFound) {
		return record.Account{}, false, nil
	}
	if err != nil {
		return record.Account{}, false, err
	}
	var u record.Account
	return u, true, json.Unmarshal(r.Body, &u)
}

func (a *API) cookieName(secure bool) string {
	if a.cfg.Plain && !secure {
		return plainCookie
	}
	return cookieName
}

// cookie carries a session; an empty value ends it in the browser.
func (a *API) cookie(value string, secure bool, most time.Duration) *http.Cookie {
	c := &http.Cookie{Name: a.cookieName(secure), Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: !(a.cfg.Plain && !secure), MaxAge: int(most / time.Second)}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

func unescape(s string) string {
	if t, err := url.PathUnescape(s); err == nil {
		return t
	}
	return s
}
