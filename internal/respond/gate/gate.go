// Package gate carries out decisions in Xiezhi's own reverse proxy: it is the
// proxy's Gate.
//
// It takes requests before they go on, reads them as the judges' observers do,
// so that the keys of a selector mean the same here and there, and asks the
// Table of the respond package. What is decided becomes a refusal, a token
// bucket of the whole cohort, a proof of work, a mark for the upstream, or a
// patch of the answer: masked fields, shorter lists, one answer in place of
// several. Invariants: traffic that nothing is decided about is passed on
// without being read; whatever the gate cannot read, or has no room for, passes
// (counted); answers are changed in no byte that the patch does not name.
// Limits: a proof binds to an address and lasts minutes; answers beyond
// MaxAnswer, or coded in a way that is not known, pass as they are; times of
// answers are not made alike; buckets are this process's own.
package gate

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/attack"
	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/respond"
	"xiezhi/internal/source/proxy"
	"xiezhi/internal/taxonomy"
)

// Caps.
const (
	MaxRead    = 64 << 10 // bytes of a request's body that are read to decide
	MaxAnswer  = 4 << 20  // bytes of an answer that is patched
	maxBuckets = 100_000  // rate limits that are counted at once
)

// RiskHeader marks a request for the upstream: the strongest action that it is
// subject to, and the decision's id.
const RiskHeader = "X-Xiezhi-Risk"

// Config of a gate.
type Config struct {
	Table func() *respond.Table // newest decisions; may give nil
	// Reader makes what reads requests: an observer, and a resolver that knows
	// the trusted proxies. It is not used by two at once.
	Reader func() (*observe.Observer, *identity.Resolver, error)
	Key    [32]byte         // that proofs are signed with
	Now    func() time.Time // nil: time.Now
}

// Gate is a proxy.Gate.
type Gate struct {
	cfg     Config
	readers sync.Pool
	key     []byte
	buckets buckets

	Counts Counts
}

// Counts is what the gate did since it began.
type Counts struct {
	Asked, Blocked, Limited, Challenged, Proved, Tagged, Patched, Unread, Unpatched atomic.Uint64
}

var (
	_ proxy.Gate     = (*Gate)(nil)
	_ proxy.BodyGate = (*Gate)(nil)
)

// New makes a gate.
func New(cfg Config) (*Gate, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	m := hmac.New(sha256.New, cfg.Key[:])
	m.Write([]byte("xiezhi proof of work v1"))
	g := &Gate{cfg: cfg, key: m.Sum(nil), buckets: buckets{of: map[string]*bucket{}}}
	first, err := g.newReader() // or none ever
	if err != nil {
		return nil, err
	}
	g.readers.Put(first)
	return g, nil
}

// reader reads one request at a time.
type reader struct {
	observer *observe.Observer
	resolver *identity.Resolver
	batch    observe.Batch
	asked    respond.Asked
	used     int
}

func (g *Gate) newReader() (*reader, error) {
	o, w, err := g.cfg.Reader()
	return &reader{observer: o, resolver: w}, err
}

// Request implements proxy.Gate. Decisions that look at a body are asked in
// RequestBody.
func (g *Gate) Request(r *http.Request) proxy.Verdict {
	t := g.cfg.Table()
	if t.Idle(hostOf(r)) {
		return proxy.Verdict{}
	}
	if t.Bodies(hostOf(r)) && shown(r) {
		return proxy.Verdict{NeedBody: MaxRead}
	}
	return g.decide(t, r, nil)
}

// RequestBody implements proxy.BodyGate.
func (g *Gate) RequestBody(r *http.Request, body []byte) proxy.Verdict {
	return g.decide(g.cfg.Table(), r, body)
}

// decided is what was found out of a request, for its answer.
type decided struct {
	patches []*respond.Live
}

// readAgain bounds how many requests one reader takes before its batch is
// emptied.
const readAgain = 64

func (g *Gate) decide(t *respond.Table, r *http.Request, body []byte) (v proxy.Verdict) {
	g.Counts.Asked.Add(1)
	x := proxy.ExchangeOf(r)
	if x == nil {
		g.Counts.Unread.Add(1)
		return v
	}
	rd, _ := g.readers.Get().(*reader)
	if rd == nil {
		var err error
		if rd, err = g.newReader(); err != nil {
			g.Counts.Unread.Add(1)
			return v
		}
	}
	head := *x
	head.Request.Body, head.Request.BodySize = body, int64(len(body))
	if n := r.ContentLength; n > int64(len(body)) {
		head.Request.BodySize = n
		head.Request.Truncated = n - int64(len(body))
	}
	from := rd.batch.Len()
	rd.observer.Observe(&head, &rd.batch)
	defer func() {
		if rd.used++; rd.used >= readAgain {
			rd.batch.Reset()
			rd.used = 0
		}
		g.readers.Put(rd)
	}()
	if rd.batch.Len() == from {
		g.Counts.Unread.Add(1)
		return v
	}
	now := g.cfg.Now()
	var strongest *respond.Live
	var d decided
	use := func(l *respond.Live) {
		if l.Masks() {
			if !slices.Contains(d.patches, l) {
				d.patches = append(d.patches, l)
			}
			return
		}
		if l.Action == taxonomy.ActRateLimit && g.buckets.pass(l.ID, l.Rate, now) {
			return
		}
		if strongest == nil || respond.Rank(l.Action) > respond.Rank(strongest.Action) {
			strongest = l
		}
	}
	for i := from; i < rd.batch.Len(); i++ { // one, or one of each call
		o := rd.batch.At(i)
		who := rd.resolver.Resolve(o)
		Fill(&rd.asked, o, &who)
		t.Match(&rd.asked, now, use)
	}
	if len(d.patches) > 0 {
		v.Note = &d
	}
	if strongest == nil {
		return v
	}
	switch strongest.Action {
	case taxonomy.ActTag:
		g.Counts.Tagged.Add(1)
		v.Forward = http.Header{RiskHeader: {string(strongest.Action) + " " + strongest.ID}}
		return v
	case taxonomy.ActRateLimit:
		g.Counts.Limited.Add(1)
		return refusal(http.StatusTooManyRequests, strongest.ID, http.Header{"Retry-After": {strconv.Itoa(1 + 60/max(strongest.Rate, 1))}})
	case taxonomy.ActChallenge:
		if g.proved(r, rd.asked.IP, now) {
			g.Counts.Proved.Add(1)
			return v
		}
		g.Counts.Challenged.Add(1)
		return g.challenge(r, rd.asked.IP, strongest.ID, now)
	case taxonomy.ActBlock:
		g.Counts.Blocked.Add(1)
		return refusal(http.StatusForbidden, strongest.ID, nil)
	}
	return v
}

// refusal is the answer in the upstream's place. It says no more than the id by
// which the owner finds the decision.
func refusal(status int, id string, h http.Header) proxy.Verdict {
	if h == nil {
		h = http.Header{}
	}
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	return proxy.Verdict{Status: status, Header: h, Body: []byte(`{"error":"` + http.StatusText(status) + `","reference":"` + id + `"}` + "\n")}
}

// Fill is what an observation shows to decisions.
func Fill(a *respond.Asked, o *observe.Observation, who *identity.Who) {
	c := a.Credentials[:0]
	for i := range o.Credentials {
		if t := o.Credentials[i].Token; t != 0 {
			c = append(c, t)
		}
	}
	*a = respond.Asked{Host: o.Host, Method: o.Method, Segments: o.Segments, Operation: o.Operation, Root: o.Root, Path: attack.PathOf(o), IP: who.Client.Unmap(), JA4: o.JA4,
		HeaderOrder: o.HeaderOrder, ParamShape: o.ParamShape, Agent: o.Agent, Account: who.Subject, Credentials: c}
}

// hostOf gives a request's host as observations have it: in lower case, without
// port or final dot.
func hostOf(r *http.Request) string {
	h := r.Host
	if len(h) > 0 && h[0] == '[' {
		if end := strings.IndexByte(h, ']'); end > 0 {
			h = h[1:end]
		}
	} else if i := strings.LastIndexByte(h, ':'); i >= 0 && strings.IndexByte(h, ':') == i {
		h = h[:i]
	}
	if len(h) > 1 {
		h = strings.TrimSuffix(h, ".")
	}
	return strings.ToLower(h)
}

// shown reports whether a request's body is to be read before deciding: not one
// whose sender waits for answers while it goes on.
func shown(r *http.Request) bool {
	return r.ContentLength != 0 && r.Body != nil && r.Body != http.NoBody && r.Header.Get("Upgrade") == "" && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc")
}

// buckets count what rate limits let through, of all that a decision is about
// together: a cohort that changes its address with every request is one.
type buckets struct {
	mu sync.Mutex
	of map[string]*bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// pass takes one of a bucket that holds a minute's rate and fills evenly.
func (b *buckets) pass(id string, rate int, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.of[id]
	if x == nil {
		if len(b.of) >= maxBuckets {
			clear(b.of)
		}
		x = &bucket{left: float64(rate), at: now}
		b.of[id] = x
	}
	if d := now.Sub(x.at).Minutes(); d > 0 {
		x.left = min(float64(rate), x.left+d*float64(rate))
		x.at = now
	}
	if x.left < 1 {
		return false
	}
	x.left--
	return true
}
