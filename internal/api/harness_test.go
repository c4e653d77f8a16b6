package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/report/reporttest"
	"xiezhi/internal/respond"
	"xiezhi/internal/respond/bouncer"
	"xiezhi/internal/respond/gate"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/record/recordtest"
	"xiezhi/rules"
)

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// locked makes the model safe for many at once.
type locked struct {
	mu sync.Mutex
	*recordtest.Model
	fail error // of every Write, if set
}

func (l *locked) Write(ctx context.Context, b record.Batch) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return 0, l.fail
	}
	return l.Model.Write(ctx, b)
}

func (l *locked) Get(ctx context.Context, k record.Kind, id string) (record.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Model.Get(ctx, k, id)
}

func (l *locked) List(ctx context.Context, q record.Query) (record.Page, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Model.List(ctx, q)
}

func (l *locked) Tally(ctx context.Context, q record.Query) ([]record.Group, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Model.Tally(ctx, q)
}

func (l *locked) Count(ctx context.Context, q record.Query) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Model.Count(ctx, q)
}

func (l *locked) Holding(ctx context.Context, q record.Query, words []string) ([]uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Model.Holding(ctx, q, words)
}

func (l *locked) Audit(ctx context.Context, before uint64, limit int) ([]record.Sealed, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Model.Audit(ctx, before, limit)
}

func (l *locked) Verify(ctx context.Context, h record.Head) (record.Head, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Model.Verify(ctx, h)
}

// house is an API with its store, a clock and what the judges were told.
type house struct {
	t      testing.TB
	api    *API
	desk   *respond.Desk
	store  *locked
	msgs   *message.Catalog
	report *report.Report

	mu      sync.Mutex
	now     time.Time
	decided []Decision
	deaf    error // what the judges answer
}

var theMessages = sync.OnceValues(func() (*message.Catalog, error) { return message.Load(rules.FS, "messages") })

func newHouse(t testing.TB, change ...func(*Config)) *house {
	t.Helper()
	msgs, err := theMessages()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, msgs: msgs, now: start, store: &locked{Model: recordtest.NewModel(record.NewChain([32]byte{1}))}, report: reporttest.Small(3, msgs)}
	list, err := kept.All(h.report, 1)
	if err != nil {
		t.Fatal(err)
	}
	for len(list) > 0 {
		n := min(len(list), record.MaxBatch)
		if _, err := h.store.Write(t.Context(), record.Batch{Put: list[:n]}); err != nil {
			t.Fatal(err)
		}
		list = list[n:]
	}
	h.open(change...)
	return h
}

// open starts an API on the store.
func (h *house) open(change ...func(*Config)) {
	h.t.Helper()
	cfg := Config{Store: h.store, Messages: h.msgs, Version: "v9", Rules: "r1", Lang: "en", Random: &dice{r: rand.NewChaCha8([32]byte{7})},
		Now:     func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now },
		hashing: hashing{memory: 64, time: 1, threads: 1},
		Decide: func(_ context.Context, d Decision) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.deaf == nil {
				h.decided = append(h.decided, d)
			}
			return h.deaf
		}}
	var err error
	if h.desk, err = respond.New(h.t.Context(), respond.Config{Store: h.store, Messages: h.msgs, Now: cfg.Now, Random: &dice{r: rand.NewChaCha8([32]byte{9})}}); err != nil {
		h.t.Fatal(err)
	}
	cfg.Desk = h.desk
	if cfg.Bouncers, err = bouncer.New(h.t.Context(), bouncer.Config{Store: h.store, Desk: h.desk, Now: cfg.Now}); err != nil {
		h.t.Fatal(err)
	}
	guard, err := outbound.New(outbound.Config{})
	if err != nil {
		h.t.Fatal(err)
	}
	cfg.Library, err = library.New(library.Config{Guard: guard, Keep: shelf{}, Now: cfg.Now, Hash: func(t indicator.Type, plain string) string {
		return fmt.Sprintf("hmac:%x", sha256.Sum256([]byte(t.String()+plain)))[:37]
	},
		Feeds: []library.Feed{{Name: "drop", URL: "https://lists.example.com/drop.txt?key=secret", Licence: "free to use"}}, Share: library.Share{Who: "Acme", Owner: true, Others: "green"}})
	if err != nil {
		h.t.Fatal(err)
	}
	withReceivers(h.t)(&cfg)
	cfg.Gate = &gate.Gate{}
	cfg.Gate.Counts.Unread.Add(3)
	for _, c := range change {
		c(&cfg)
	}
	if h.api, err = New(h.t.Context(), cfg); err != nil {
		h.t.Fatal(err)
	}
}

// shelf keeps nothing.
type shelf struct{}

func (shelf) Save(string, func(io.Writer) error) error          { return nil }
func (shelf) Load(string, func(io.Reader) error) (error, error) { return nil, errors.New("nothing") }

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// dice is randomness that many may draw from.
type dice struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (d *dice) Read(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.Read(b)
}

// guest is somebody who asks: with a cookie jar or a token.
type guest struct {
	h      *house
	cookie string
	csrf   string
	token  string
	addr   string
	lang   string
	head   map[string]string
}

type answer struct {
	code int
	head http.Header
	body []byte
}

func (a answer) into(t testing.TB, x any) {
	t.Helper()
	if err := json.Unmarshal(a.body, x); err != nil {
		t.Fatalf("%d %s: %v", a.code, a.body, err)
	}
}

func (a answer) problem(t testing.TB) (p v1.Problem) {
	t.Helper()
	if ct := a.head.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("%d %s is no problem: %s", a.code, ct, a.body)
	}
	a.into(t, &p)
	return p
}

func (g *guest) request(method, path string, body any) *http.Request {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		data, err := json.Marshal(b)
		if err != nil {
			g.h.t.Fatal(err)
		}
		r = bytes.NewReader(data)
	}
	q := httptest.NewRequest(method, "https://console.example"+path, r)
	q.TLS = &tls.ConnectionState{}
	if q.RemoteAddr = "192.0.2.1:5000"; g.addr != "" {
		q.RemoteAddr = g.addr
	}
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	if g.cookie != "" {
		q.AddCookie(&http.Cookie{Name: cookieName, Value: g.cookie})
		q.Header.Set(csrfHeader, g.csrf)
	}
	if g.token != "" {
		q.Header.Set("Authorization", "Bearer "+g.token)
	}
	if g.lang != "" {
		q.Header.Set("Accept-Language", g.lang)
	}
	for k, v := range g.head {
		q.Header.Set(k, v)
	}
	return q
}

func (g *guest) ask(method, path string, body any) answer {
	w := httptest.NewRecorder()
	q := g.request(method, path, body)
	g.h.api.ServeHTTP(w, q)
	res := w.Result()
	for _, c := range res.Cookies() {
		if g.cookie = c.Value; c.MaxAge < 0 {
			g.cookie = ""
		}
	}
	return answer{res.StatusCode, res.Header, w.Body.Bytes()}
}

// must asks and wants a status.
func (g *guest) must(code int, method, path string, body any) answer {
	g.h.t.Helper()
	a := g.ask(method, path, body)
	if a.code != code {
		g.h.t.Fatalf("%s %s gives %d, want %d: %s", method, path, a.code, code, a.body)
	}
	return a
}

func (g *guest) signed(a answer) *guest {
	var me v1.Me
	a.into(g.h.t, &me)
	g.csrf = me.Csrf
	return g
}

const goodPassword = "lantern-orbit-velvet-93"

// admin sets the house up.
func (h *house) admin() *guest {
	g := &guest{h: h}
	return g.signed(g.must(201, "POST", "/api/v1/setup", map[string]string{"token": h.api.SetupToken(), "name": "root", "password": goodPassword}))
}

// user makes one and signs in.
func (h *house) user(admin *guest, role v1.Role) *guest {
	name := fmt.Sprintf("%s-1", role)
	admin.must(201, "POST", "/api/v1/users", map[string]any{"name": name, "role": role, "password": goodPassword})
	return h.login(name)
}

func (h *house) login(name string) *guest {
	g := &guest{h: h}
	return g.signed(g.must(201, "POST", "/api/v1/session", map[string]string{"name": name, "password": goodPassword}))
}

func remoteOf(addr string) netip.Addr { return remote(&http.Request{RemoteAddr: addr}) }

func keepOne(t testing.TB, h *house, a report.Attack) {
	t.Helper()
	r, err := kept.Attack(&a, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Write(t.Context(), record.Batch{Put: []record.Record{r}}); err != nil {
		t.Fatal(err)
	}
}

func keepDefect(t testing.TB, h *house, d report.Defect) {
	t.Helper()
	r, err := kept.Defect(&d, "", nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Write(t.Context(), record.Batch{Put: []record.Record{r}}); err != nil {
		t.Fatal(err)
	}
}
