// Package console serves the pages that people look at: the console, which is
// built from web/ and embedded, and the plain pages to sign in and to set up.
//
// It takes the handler of the HTTP API and the built files, and gives one
// handler for everything: /api/ goes to the API, /login, /setup and /enter are
// pages without a script (and /login/provider, /login/callback where a provider signs in), files of the build come under /assets/, every other
// path is the console's one page. Invariants: each page has a content security
// policy under which only files of this program run, with a fresh nonce for
// styles; the forms go through the API like any other caller's request, so that
// throttling, origin and audit are the API's; nothing but the hashed files of
// the build may be kept by a browser; a report that is shown has a policy of its
// own, under which nothing runs. Limits: a report of more than 64 MiB is not
// shown; a form holds at most 8 KiB; the build is held in memory, compressed
// once for those who take it.
package console

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"

	"xiezhi/internal/console/sso"
	"xiezhi/internal/message"
)

// Config is what the console needs. API, Files and Messages have to be there.
type Config struct {
	API      http.Handler // serves /api/v1/
	Files    fs.FS        // what web/ was built to: index.html and assets/
	Messages *message.Catalog
	Lang     string // of pages where a browser prefers none: "zh" or "en"
	// SSO signs in through a provider; nil: with passwords only. Vouch makes whom
	// it vouches for a user, and gives an invitation.
	SSO    *sso.Provider
	Vouch  func(context.Context, sso.Person) (string, error)
	Random io.Reader    // nil: crypto/rand
	Log    *slog.Logger // nil: nothing is logged
}

// Console is an http.Handler.
type Console struct {
	cfg   Config
	page  page
	files map[string]*file
	forms *forms
}

// New reads the build.
func New(cfg Config) (*Console, error) {
	if cfg.API == nil || cfg.Files == nil || cfg.Messages == nil {
		return nil, errors.New("console: API, Files and Messages have to be given")
	}
	if cfg.SSO != nil && cfg.Vouch == nil {
		return nil, errors.New("console: a provider signs in, and nobody takes its word")
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Console{cfg: cfg}
	var err error
	if c.page, err = readPage(cfg.Files); err != nil {
		return nil, err
	}
	if c.files, err = readFiles(cfg.Files); err != nil {
		return nil, err
	}
	c.forms, err = newForms(cfg.Messages)
	return c, err
}

// ServeHTTP answers every path.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/api" || strings.HasPrefix(path, "/api/"):
		c.cfg.API.ServeHTTP(w, r)
	case path == "/login":
		c.login(w, r)
	case path == ssoPath && c.cfg.SSO != nil:
		c.leave(w, r)
	case path == sso.CallbackPath && c.cfg.SSO != nil:
		c.back(w, r)
	case path == "/setup":
		c.setup(w, r)
	case path == "/enter":
		c.enter(w, r)
	case path == reportPath:
		c.view(w, r)
	case strings.HasPrefix(path, "/assets/"), path == "/favicon.svg", path == "/robots.txt":
		c.file(w, r)
	default:
		c.index(w, r)
	}
}

// protect sets the heads that every page has.
func protect(w http.ResponseWriter, r *http.Request, policy string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// nonce is fresh for each page.
func (c *Console) nonce() (string, error) {
	b := make([]byte, 18)
	if _, err := io.ReadFull(c.cfg.Random, b); err != nil {
		return "", fmt.Errorf("draw a nonce: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// reading reports whether a request only reads; what else is asked of a page is
// refused.
func reading(w http.ResponseWriter, r *http.Request, more ...string) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", strings.Join(append([]string{http.MethodGet, http.MethodHead}, more...), ", "))
	http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	return false
}

// fail answers with an error that is ours.
func (c *Console) fail(w http.ResponseWriter, err error) {
	c.cfg.Log.Error("a page could not be made", "error", err)
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}
