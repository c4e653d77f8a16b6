// Package api is the HTTP API of a service: what the console and programs read
// of findings, and what people decide.
//
// It takes records, a way to hand decisions to the judges and a view of the
// service's health, and gives an http.Handler for /api/v1/ as
// schema/openapi.yaml describes it. Invariants: the table in table.go says who
// may ask for what, and nothing is served beside it; every change is written in
// one batch with its audit entry; a body, a parameter or a field that the
// document does not describe is refused; no answer holds a password, a hash of
// one, or a token but in the answer that made it. Limits: the caps below and in
// the LIMITS document; sessions live in memory and end with the process.
package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/respond"
	"xiezhi/internal/respond/bouncer"
	"xiezhi/internal/respond/gate"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
	"xiezhi/schema"
)

// Config is what an API needs. Store, Messages and Decide have to be there.
type Config struct {
	Store    record.Store
	Messages *message.Catalog
	Version  string // of the program
	Rules    string // version of the rule data

	// Decide hands a decision to the judges as an event in their order. It may
	// be called again with the same ID after an unknown end, and has to take
	// that for the same decision. An error that wraps ErrRefused says that the
	// judges cannot follow it; any other that it is to be tried again.
	Decide func(context.Context, Decision) error
	// Observations keeps the rows of traffic; nil: what asks for them is refused.
	Observations observation.Store
	// Status says how the service is; nil: only what the API itself knows.
	Status func(context.Context) v1.Status
	// Input says what was read and lost, as of when findings were written down
	// last; nil, or giving nil: nobody knows.
	Input func() *report.Input
	// Seen is the time of the traffic up to which everything is judged; nil, or
	// giving zero: that of the newest finding.
	Seen func() time.Time
	// Networks says where addresses are; nil: nobody knows.
	Networks *intel.Map
	// OwnRules lists the rules of the owner that are in use.
	OwnRules func() []policy.Rule
	// TestRules compiles rules; its error names lines. nil: testing is refused.
	TestRules func(*policy.File) error
	// TryRules applies rules that compile to recent traffic and uses them for
	// nothing. nil: that is refused.
	TryRules func(context.Context, *policy.File, v1.RuleDryRun) (v1.DryRun, error)
	// Hunt judges stored traffic anew and tells how far it is. nil: that is refused.
	Hunt func(ctx context.Context, o HuntOrder, told func(HuntTold)) (HuntTold, *report.Report, error)

	// Library knows of askers; nil: what asks for that is refused.
	Library *library.Library

	// Desk decides what gateways do; nil: what asks for that is refused.
	Desk *respond.Desk
	// Gate carries decisions out in the own proxy; nil: none does.
	Gate *gate.Gate
	// Bouncers knows the gateways that ask for decisions; nil: nothing of them.
	Bouncers *bouncer.Server

	// Notifier tells findings to people and to SIEMs; nil: nobody is told.
	Notifier *Notifier

	// Plain serves sessions over HTTP without TLS, for a listener on loopback:
	// the cookie is then without Secure and the prefix __Host-.
	Plain bool
	// Client gives the address of who asks; nil: the connection's.
	Client func(*http.Request) netip.Addr
	Lang   string // where a request prefers none: "zh" or "en"

	Now    func() time.Time // nil: time.Now
	Random io.Reader        // nil: crypto/rand
	Log    *slog.Logger     // nil: nothing is logged

	hashing hashing // of passwords; zero: the default
}

// Decision is what a person decided, as the judges take it.
type Decision struct {
	ID    string // the same for the same decision
	By    string // id of the user
	Site  string // empty: every site
	Entry policy.Entry
	Ends  bool // the entry of this ID holds no longer; its Expires says since when
}

// ErrRefused: the judges cannot follow a decision, now or later.
var ErrRefused = errors.New("the decision cannot be followed")

// API serves. Its methods with a context are those of v1.StrictServerInterface.
type API struct {
	cfg      Config
	mux      *http.ServeMux
	shapes   *shapes
	sessions *sessions
	throttle *throttle
	hash     *hasher
	hub      *hub
	reports  *turns
	trials   *turns
	hunts    hunts
	drifts   drifts
	rates    rates
	settings atomic.Pointer[map[string]string]
	started  time.Time

	deciding    sync.Mutex // one decision or change of a user at a time
	setup       setup
	invitations invitations
	health      health
	faults      atomic.Uint64 // panics and errors of our own
}

var _ v1.StrictServerInterface = (*API)(nil)

// New makes an API.
func New(ctx context.Context, cfg Config) (*API, error) {
	if cfg.Store == nil || cfg.Messages == nil || cfg.Decide == nil {
		return nil, errors.New("api: Store, Messages and Decide have to be given")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Client == nil {
		cfg.Client = remote
	}
	if cfg.hashing == (hashing{}) {
		cfg.hashing = defaultHashing
	}
	doc, err := schema.FS.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	a := &API{cfg: cfg, mux: http.NewServeMux(), throttle: newThrottle(), hub: newHub(), reports: newTurns(reportsAtOnce, reportsWait), trials: newTurns(trialsAtOnce, trialsWait), drifts: drifts{sites: map[string]*drifted{}}, started: cfg.Now()}
	if a.shapes, err = readShapes(doc); err != nil {
		return nil, err
	}
	if a.hash, err = newHasher(cfg.hashing, cfg.Random); err != nil {
		return nil, err
	}
	a.sessions = newSessions(a.random)
	if err := a.readSettings(ctx); err != nil {
		return nil, err
	}
	if err := a.readWords(ctx); err != nil {
		return nil, err
	}
	strict := v1.NewStrictHandlerWithOptions(a, nil, v1.StrictHTTPServerOptions{
		RequestErrorHandlerFunc: a.badRequest, ResponseErrorHandlerFunc: a.fail,
	})
	v1.HandlerWithOptions(strict, v1.StdHTTPServerOptions{BaseRouter: a.mux, ErrorHandlerFunc: a.badRequest})
	for pattern := range a.shapes.operations {
		if _, ok := table[pattern]; !ok {
			return nil, fmt.Errorf("api: nobody says who may ask for %s", pattern)
		}
	}
	return a, a.openSetup(ctx)
}

// Run does what is to be done from time to time until the context ends: hands
// over decisions that could not be, ends sessions that are over. One at a time.
func (a *API) Run(ctx context.Context) {
	t := time.NewTicker(resumeEvery)
	defer t.Stop()
	for {
		if err := a.Resume(ctx); err != nil && ctx.Err() == nil {
			a.cfg.Log.Warn("decisions wait to be handed over", "error", err)
		}
		a.sessions.sweep(a.cfg.Now(), a.idle(), a.most())
		select {
		case <-ctx.Done():
			a.hunts.close()
			return
		case <-t.C:
		}
	}
}

const resumeEvery = 10 * time.Second

// Changed tells listeners that records were written.
func (a *API) Changed(list []record.Record) {
	for i := range list {
		r := &list[i]
		switch r.Kind {
		case record.API, record.Defect, record.Attack, record.Campaign, record.Site:
			a.hub.publish(Event{Topic: string(r.Kind), ID: r.ID, Site: r.Site})
		}
	}
}

// StatusChanged tells listeners that the service's health is another.
func (a *API) StatusChanged() { a.hub.publish(Event{Topic: "status"}) }

// random gives n bytes as lower case hexadecimal.
func (a *API) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(a.cfg.Random, b); err != nil {
		return "", fmt.Errorf("draw random bytes: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// Server gives a server with the time limits that the API counts on: heads and
// bodies have to come soon, answers are bounded one by one, streams have none.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	if log != nil {
		s.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	}
	return s
}
