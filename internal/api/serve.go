package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	v1 "xiezhi/internal/api/v1"
)

// asked is what an operation knows of its request beside the parameters.
type asked struct {
	who    caller
	client netip.Addr
	lang   string
	secure bool
	when   time.Time
	head   http.Header
}

// caller is who asks: nobody, a user in a session, or a token of a user.
type caller struct {
	id      string // of the user
	name    string
	role    v1.Role
	token   string   // id of the token, or empty
	scope   string   // of the token: what alone it is for; empty: all that the role may
	session *session // or nil
	expires time.Time
}

// by is who the audit log names.
func (c *caller) by() string {
	if c.token != "" {
		return c.id + " token:" + c.token[:min(16, len(c.token))]
	}
	return c.id
}

type askedKey struct{}

func ask(ctx context.Context) *asked {
	if x, ok := ctx.Value(askedKey{}).(*asked); ok {
		return x
	}
	return &asked{}
}

// patience is how long one answer may take; a stream has no end.
const patience = 60 * time.Second

const streamPattern = "GET /api/v1/events"

// ServeHTTP answers a request under /api/v1/.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w, r)
	sent := &sentWriter{ResponseWriter: w}
	defer func() {
		x := recover()
		if x == nil {
			return
		}
		if x == http.ErrAbortHandler {
			panic(x)
		}
		a.faults.Add(1)
		a.cfg.Log.Error("a request panicked", "operation", r.Pattern, "panic", fmt.Sprint(x), "stack", string(debug.Stack()))
		if sent.begun {
			panic(http.ErrAbortHandler) // the answer is broken off, not finished wrongly
		}
		a.write(sent, r, refuse(http.StatusInternalServerError, "internal", nil))
	}()
	if err := a.serve(sent, r); err != nil {
		a.fail(sent, r, err)
	}
}

func (a *API) serve(w http.ResponseWriter, r *http.Request) error {
	// Of every answer, refusals too: the one that the request before on this
	// connection left may be over. A stream sets its own with each write.
	control := http.NewResponseController(w)
	err := control.SetWriteDeadline(time.Now().Add(patience + 10*time.Second))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if len(r.URL.RequestURI()) > maxURI {
		return refuse(http.StatusRequestURITooLong, "long_uri", nil)
	}
	_, pattern := a.mux.Handler(r)
	op, rule := a.shapes.operations[pattern], table[pattern]
	if op == nil {
		return a.unrouted(w, r)
	}
	r.Pattern = pattern
	if pattern == streamPattern && r.Method == http.MethodHead {
		w.Header().Set("Allow", http.MethodGet)
		return refuse(http.StatusMethodNotAllowed, "method", nil)
	}
	x := &asked{client: a.cfg.Client(r), lang: a.lang(r), secure: r.TLS != nil, when: a.cfg.Now(), head: w.Header()}
	if err := a.admit(w, r, rule, x); err != nil {
		return err
	}
	ctx := context.WithValue(r.Context(), askedKey{}, x)
	if pattern != streamPattern {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	r = r.WithContext(ctx)
	values(r, pattern)
	if err := op.check(w, r); err != nil {
		return err
	}
	a.mux.ServeHTTP(w, r)
	return nil
}

// values fills in what the path says before the router does, which has matched
// it already.
func values(r *http.Request, pattern string) {
	_, path, _ := strings.Cut(pattern, " ")
	parts, got := strings.Split(path, "/"), strings.Split(r.URL.EscapedPath(), "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") && i < len(got) {
			r.SetPathValue(strings.Trim(p, "{}"), unescape(got[i]))
		}
	}
}

// maxURI is the longest path and query together, in bytes.
const maxURI = 8 << 10

// unrouted says that there is no such path, or not with this method.
func (a *API) unrouted(w http.ResponseWriter, r *http.Request) error {
	var allow []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		try := r.Clone(r.Context())
		try.Method = m
		if _, p := a.mux.Handler(try); a.shapes.operations[p] != nil {
			allow = append(allow, m)
		}
	}
	if len(allow) == 0 {
		return refuse(http.StatusNotFound, "no_path", nil)
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	return refuse(http.StatusMethodNotAllowed, "method", nil)
}

// protect sets the heads that every answer has: nothing of it is a page, is
// kept, or is for other origins.
func protect(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Vary", "Accept-Language, Cookie, Authorization")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// sentWriter knows whether an answer has begun.
type sentWriter struct {
	http.ResponseWriter
	begun bool
}

func (s *sentWriter) WriteHeader(status int) {
	s.begun = true
	s.ResponseWriter.WriteHeader(status)
}

func (s *sentWriter) Write(b []byte) (int, error) {
	s.begun = true
	return s.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (s *sentWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// remote gives the address of the connection.
func remote(r *http.Request) netip.Addr {
	p, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr().Unmap().WithZone("")
}
