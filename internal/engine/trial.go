package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/attack"
	"xiezhi/internal/catalog"
	"xiezhi/internal/defect"
	"xiezhi/internal/exchange"
	"xiezhi/internal/identity"
	"xiezhi/internal/judge"
	"xiezhi/internal/observe"
	"xiezhi/internal/policy"
	"xiezhi/internal/rule"
	"xiezhi/internal/stream"
	"xiezhi/internal/taxonomy"
)

// Trial says over what rules are tried out. The zero value of the bounds takes
// the defaults.
type Trial struct {
	Since   time.Duration // of traffic, back from the newest
	Site    string        // empty: all
	Samples int           // of each rule, the newest
	Most    int           // exchanges; 0 for 200 000
	Took    time.Duration // by the clock; 0 for 20 s
}

const (
	trialMost  = 200_000
	trialTook  = 20 * time.Second
	trialSites = 64
	trialAPIs  = 50 // of each rule that are told apart
	trialBlock = 16 // events that are read at once going back, twice as many each time
	trialLarge = 1024
)

// Tried is what a trial gave.
type Tried struct {
	Exchanges uint64 // that were looked at
	First     int64  // their time, ns; 0 without any
	Last      int64
	Stopped   string // why older ones were left out: age, number, time; empty: there are none
	OfNoAPI   uint64 // of those looked at
	Elsewhere uint64 // of sites beyond the cap
	Rules     []TriedRule
}

// TriedRule is what one rule met.
type TriedRule struct {
	ID       string
	Looked   uint64 // exchanges of APIs that it is about
	Apart    uint64 // of these, not ones that could fire
	Matched  uint64
	Failed   uint64
	Costly   uint64
	Verdicts [taxonomy.Confirmed + 1]uint64 // of what matched: verdict on the strongest attack, known by now, that it belongs to
	APIs     []TriedAPI                     // most matches first
	Further  uint64                         // matches of APIs beyond the cap
	Samples  []TriedSample                  // newest first
}

// TriedAPI is what a rule met at one API.
type TriedAPI struct {
	ID, Site, Host, Method, Template string
	Looked, Matched                  uint64
}

// TriedSample is one exchange that a rule matched: names and shapes, no values.
type TriedSample struct {
	ID                string
	Time              int64
	Site, API         string
	Method, Template  string
	Status            uint16
	Attack            string // that it belongs to
	Verdict           taxonomy.Verdict
	Request, Response []string
}

// knownSite is what is known of a site's attacks, and of the APIs that their
// selectors name.
type knownSite struct {
	attacks []attack.Finding
	apis    []*catalog.API
}

func knownOf(results []judge.Result) *map[string]*knownSite {
	out := make(map[string]*knownSite, len(results))
	for i := range results {
		out[results[i].Site.Name] = &knownSite{slices.Clone(results[i].Attacks), results[i].APIs}
	}
	return &out
}

// claims finds the attacks of a site that an exchange belongs to.
type claims struct {
	handles map[string]catalog.Handle // of the site's judge, by id of the API
	byIP    map[netip.Addr][]*attack.Finding
	other   []*attack.Finding
}

func newClaims(k *knownSite) *claims {
	c := &claims{handles: map[string]catalog.Handle{}, byIP: map[netip.Addr][]*attack.Finding{}}
	if k == nil {
		return c
	}
	for _, a := range k.apis {
		c.handles[a.ID] = a.Handle
	}
	for i := range k.attacks {
		a := &k.attacks[i]
		if len(a.Selector.IP) == 0 {
			c.other = append(c.other, a)
		}
		for _, ip := range a.Selector.IP {
			c.byIP[ip] = append(c.byIP[ip], a)
		}
	}
	return c
}

// of gives the strongest verdict on the attacks that an event belongs to.
func (c *claims) of(ev *catalog.Event) (id string, v taxonomy.Verdict) {
	if ev.API != nil { // as the judge of the site numbers it
		api, x := *ev.API, *ev
		api.Handle = c.handles[api.ID]
		x.API = &api
		ev = &x
	}
	for _, list := range [2][]*attack.Finding{c.byIP[ev.Who.Client.Unmap()], c.other} {
		for _, a := range list {
			if a.Verdict > v && a.Selector.Match(ev) {
				id, v = a.ID, a.Verdict
			}
		}
	}
	return id, v
}

// trial is a trial under way. Its catalogues are its own: it learns the APIs of
// what it looks at while it goes back, and applies the rules in a second pass, so
// that judges are not disturbed and do not wait. Both passes go from the newest
// events to the oldest: when time is over, the oldest are left out.
type trial struct {
	cfg    Trial
	now    func() time.Time
	until  time.Time
	bench  *bench
	known  map[string]*knownSite
	edits  []policy.Entry
	rules  []*rule.Rule
	look   func(*trialSite, *defect.Event) // instead of rules; nil: rules
	view   rule.View
	sites  map[string]*trialSite
	order  []map[string]*TriedAPI // by rule
	batch  observe.Batch
	out    Tried
	newest int64
	enough int // exchanges of a partition that are to be looked at
}

type trialSite struct {
	name     string
	identity *identity.Resolver
	catalog  *catalog.Catalog
	event    catalog.Event
	claims   *claims
}

// TryRules applies rules to what the stream still holds, the newest first, and
// uses them for nothing. The error names what does not compile.
func (s *Service) TryRules(ctx context.Context, files []*policy.File, cfg Trial) (*Tried, error) {
	types, set, err := compileRules(s.tools.redactor, files)
	if err != nil {
		return nil, err
	}
	t, err := s.newTrial(cfg)
	if err != nil {
		return nil, err
	}
	t.rules, t.view = set.Rules(), rule.View{Types: types}
	for _, r := range t.rules {
		t.out.Rules = append(t.out.Rules, TriedRule{ID: r.ID})
		t.order = append(t.order, map[string]*TriedAPI{})
	}
	return t.run(ctx, s.cfg.Bus)
}

// newTrial makes a trial of nothing yet.
func (s *Service) newTrial(cfg Trial) (*trial, error) {
	if cfg.Most <= 0 {
		cfg.Most = trialMost
	}
	if cfg.Took <= 0 {
		cfg.Took = trialTook
	}
	fresh, err := s.fresh()
	if err != nil {
		return nil, err
	}
	t := &trial{cfg: cfg, now: s.cfg.Now, until: s.cfg.Now().Add(cfg.Took), bench: fresh.bench, sites: map[string]*trialSite{}}
	if k := s.known.Load(); k != nil {
		t.known = *k
	}
	s.mu.Lock()
	for h := range s.part.bench.namer.admitted {
		t.bench.namer.admitted[h] = true
	}
	for _, f := range append(s.part.bench.files[:len(s.part.bench.files):len(s.part.bench.files)], s.part.bench.cfg.Policy) {
		t.edits = append(t.edits, f.Entries(cfg.Site)...)
	}
	for _, d := range s.part.bench.decisions {
		t.edits = append(t.edits, d.Entry)
	}
	s.mu.Unlock()
	return t, nil
}

func (t *trial) run(ctx context.Context, bus stream.Bus) (*Tried, error) {
	stats, err := bus.Stats(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the stream: %w", err)
	}
	half := t.now().Add(t.until.Sub(t.now()) / 2) // each pass has a half
	for p := range stats {
		t.enough = t.cfg.Most / len(stats)
		blocks, err := t.back(ctx, bus, p, &stats[p], half)
		if err != nil {
			return nil, err
		}
		for _, b := range blocks {
			if t.now().After(t.until) {
				t.out.Stopped = "time"
				break
			}
			if err := read(ctx, bus, p, b, func(m stream.Message) error { return t.each(m, t.apply) }); err != nil {
				return nil, err
			}
		}
	}
	t.finish()
	return &t.out, nil
}

// block is some events of a partition, both ends included.
type block struct{ from, to uint64 }

var errEnough = errors.New("that is enough")

// back looks for where to end, and learns APIs on its way.
func (t *trial) back(ctx context.Context, bus stream.Bus, p int, s *stream.Stats, half time.Time) (blocks []block, err error) {
	seen, size := 0, uint64(trialBlock)
	for first, end := max(s.First, 1), s.Last; end >= first; size = min(2*size, trialLarge) {
		b := block{max(first, end-min(end, size-1)), end}
		blocks, end = append(blocks, b), b.from-1
		old := true
		if err := read(ctx, bus, p, b, func(m stream.Message) error {
			return t.each(m, func(o *observe.Observation) {
				t.newest = max(t.newest, o.End)
				if t.young(o) {
					old = false
					seen++
					t.learn(o)
				}
			})
		}); err != nil {
			return nil, err
		}
		if end < first {
			break
		}
		switch {
		case seen >= t.enough:
			t.stop("number")
		case old && seen > 0:
			t.stop("age")
		case t.now().After(half):
			t.stop("time")
		default:
			continue
		}
		break
	}
	return blocks, nil
}

// stop says why older traffic was left out; the first reason stands.
func (t *trial) stop(why string) {
	if t.out.Stopped == "" {
		t.out.Stopped = why
	}
}

// young reports whether an observation is of the time that is asked for.
func (t *trial) young(o *observe.Observation) bool {
	return t.cfg.Since <= 0 || o.End >= t.newest-int64(t.cfg.Since)
}

// read calls fn with what a block holds; what is gone or damaged is left out.
func read(ctx context.Context, bus stream.Bus, p int, b block, fn func(stream.Message) error) error {
	last, to := b.from-1, b.to
	for {
		err := bus.Read(ctx, p, last, func(m stream.Message) error {
			if m.Seq > to {
				return errEnough
			}
			if err := fn(m); err != nil {
				return err
			}
			if last = m.Seq; last == to {
				return errEnough
			}
			return nil
		})
		var gap *stream.Gap
		switch {
		case errors.Is(err, errEnough):
			return nil
		case errors.As(err, &gap):
			if last = gap.Next - 1; last >= to {
				return nil
			}
		default:
			return err
		}
	}
}

// each calls fn with the exchanges of an event.
func (t *trial) each(m stream.Message, fn func(*observe.Observation)) error {
	data := m.Data
	if len(data) > 0 && data[0] == eventSensed {
		var e envelope
		if e.open(data) != nil {
			return nil // counted where it is judged
		}
		data = e.Event
	}
	if len(data) == 0 || data[0] != eventObserved {
		return nil
	}
	t.batch.Reset()
	if t.batch.Decode(data[1:]) != nil {
		return nil
	}
	for i := range t.batch.Len() {
		if o := t.batch.At(i); o.Aside == exchange.AsideNone {
			fn(o)
		}
	}
	return nil
}

// site gives what a site is known by, nil for one that is not asked for or has
// no room.
func (t *trial) site(o *observe.Observation) *trialSite {
	name := t.bench.namer.site(o)
	if t.cfg.Site != "" && name != t.cfg.Site {
		return nil
	}
	s := t.sites[name]
	if s != nil || len(t.sites) >= trialSites {
		return s
	}
	cfg := t.bench.config(name, trialSites)
	s = &trialSite{name: name, claims: newClaims(t.known[name]), identity: identity.New(cfg.Identity), catalog: catalog.New(catalog.Config{Site: name, Roles: cfg.Catalog.Roles})}
	for i := range t.edits {
		if e := &t.edits[i]; e.Template != nil && (e.Template.Site == "" || e.Template.Site == name) {
			s.catalog.Edit(e.Template)
		}
	}
	t.sites[name] = s
	return s
}

func (s *trialSite) assign(o *observe.Observation) *catalog.Event {
	ev := &s.event
	merges := ev.Merges[:0]
	*ev = catalog.Event{Observation: o, Merges: merges}
	ev.Who = s.identity.Resolve(o)
	s.catalog.Assign(o, &ev.Who, ev)
	s.identity.Learn(o, ev.Who, ev.Outcome == catalog.OutcomeSuccess)
	return ev
}

func (t *trial) learn(o *observe.Observation) {
	if s := t.site(o); s != nil {
		s.assign(o)
	}
}

func (t *trial) apply(o *observe.Observation) {
	if !t.young(o) {
		return
	}
	s := t.site(o)
	if s == nil {
		if t.cfg.Site == "" {
			t.out.Elsewhere++
		}
		return
	}
	ev := defect.Event{Event: s.assign(o)}
	ev.Fill()
	if t.out.Exchanges++; t.out.First == 0 || o.End < t.out.First {
		t.out.First = o.End
	}
	t.out.Last = max(t.out.Last, o.End)
	if t.look != nil {
		t.look(s, &ev)
		return
	}
	if ev.API == nil {
		t.out.OfNoAPI++
		return
	}
	a := ev.API
	filled := false
	for i, r := range t.rules {
		if !r.Covers(s.name, a.Host, a.Method, a.Template) {
			continue
		}
		if !filled {
			filled = true
			t.view.Fill(o)
			t.view.API = rule.API{Site: s.name, Host: a.Host, Method: a.Method, Template: a.Template, Role: string(a.Role)}
			t.view.Who = rule.Who{Anonymous: ev.Anonymous, Known: ev.Who.Known(), Private: ev.Who.Private}
			t.view.Response.Outcome = ev.Outcome.String()
		}
		t.count(i, r.Evaluate(&t.view), &ev, s)
	}
}

func (t *trial) count(i int, v rule.Verdict, ev *defect.Event, s *trialSite) {
	x := &t.out.Rules[i]
	x.Looked++
	at := t.order[i][ev.API.ID]
	if at == nil && len(t.order[i]) < trialAPIs {
		at = &TriedAPI{ID: ev.API.ID, Site: s.name, Host: ev.API.Host, Method: ev.API.Method, Template: ev.API.Template}
		t.order[i][ev.API.ID] = at
	}
	if at != nil {
		at.Looked++
	}
	switch v {
	case rule.Apart:
		x.Apart++
	case rule.Failed:
		x.Failed++
	case rule.Costly:
		x.Costly++
	case rule.Fired:
		x.Matched++
		if at != nil {
			at.Matched++
		} else {
			x.Further++
		}
		id, verdict := s.claims.of(ev.Event)
		x.Verdicts[verdict]++
		if full := len(x.Samples) == t.cfg.Samples; full && (t.cfg.Samples == 0 || ev.End <= x.Samples[len(x.Samples)-1].Time) {
			return
		} else if full {
			x.Samples = x.Samples[:len(x.Samples)-1]
		}
		e := defect.ExhibitOf(ev)
		x.Samples = append(x.Samples, TriedSample{ID: strings.Clone(ev.ID), Time: ev.End, Site: s.name, API: ev.API.ID, Method: ev.API.Method, Template: ev.API.Template, Status: ev.Status,
			Attack: id, Verdict: verdict, Request: e.Request, Response: e.Response})
		slices.SortStableFunc(x.Samples, func(a, b TriedSample) int { return cmp.Compare(b.Time, a.Time) })
	}
}

func (t *trial) finish() {
	for i := range t.out.Rules {
		x := &t.out.Rules[i]
		for _, a := range t.order[i] {
			x.APIs = append(x.APIs, *a)
		}
		slices.SortFunc(x.APIs, func(a, b TriedAPI) int {
			return cmp.Or(cmp.Compare(b.Matched, a.Matched), cmp.Compare(b.Looked, a.Looked), cmp.Compare(a.ID, b.ID))
		})
	}
}
