package catalog

import (
	"sort"
	"strings"

	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/policy"
	"xiezhi/internal/sketch"
	"xiezhi/internal/taxonomy"
)

// Config of one site's catalogue.
type Config struct {
	Site  string
	Roles *Lexicon // from Load; nil: no word is known
}

// Stats counts what the catalogue holds and what its caps cost.
type Stats struct {
	APIs    int
	Nodes   int
	Junk    uint64 // exchanges that belong to no API
	Forced  uint64 // words taken for values because there were too many
	Refused uint64 // operations or nodes not learned at a cap
	Merged  uint64 // merges so far
	Evicted uint64 // candidates and remembered values forgotten
}

// Catalog is the learned catalogue of one site. Only Lookup, Get, Resolve and
// APIs may be called by readers, and not at the same time as Assign.
type Catalog struct {
	site    string
	lex     *Lexicon `snapshot:"-"`
	roots   map[string]*node
	places  *places
	shared  *node // root of the hosts beyond the cap
	ops     []*op // by handle
	parents []Handle
	live    int
	nodes   int
	merges  []Merge
	pending []Merge            // that edits caused
	edits   []*policy.Template // in effect
	hosts   []string           // of roots, in order
	stats   Stats
	junk    junk
	codes   codes
	data    *sketch.Recent[struct{}]         // tokens of word-like values seen in answers
	known   *sketch.Recent[struct{}]         // tokens of accounts that exist
	given   *sketch.Recent[struct{}]         // (principal, object) that stood in a list
	mine    *sketch.Recent[struct{}]         // (principal, API) with objects of its own
	room    [observe.MaxSegments + 1]segment `snapshot:"-"` // one for the operation
}

// New makes an empty catalogue.
func New(cfg Config) *Catalog {
	if cfg.Roles == nil {
		cfg.Roles = &Lexicon{}
	}
	return &Catalog{
		site: cfg.Site, lex: cfg.Roles, roots: map[string]*node{}, places: newPlaces(),
		ops: []*op{nil}, parents: []Handle{0},
		junk: newJunk(), codes: newCodes(),
		data: sketch.NewRecent[struct{}](1 << 16), known: sketch.NewRecent[struct{}](1 << 17),
		given: sketch.NewRecent[struct{}](1 << 16), mine: sketch.NewRecent[struct{}](1 << 16),
	}
}

// hostName groups hosts: beyond the cap the Host header is mostly somebody's
// invention, and those share one tree.
func (c *Catalog) hostName(host string) string {
	if _, ok := c.roots[host]; ok || len(c.roots) < maxHosts {
		return host
	}
	return "*"
}

// root gives the tree of a host; make says whether it may be added.
func (c *Catalog) root(host string, make bool) *node {
	if n := c.roots[host]; n != nil {
		return n
	}
	if len(c.roots) >= maxHosts {
		if c.shared == nil && make {
			c.shared = c.newNode("")
			c.shared.key = c.places.child(0, "*")
			c.begin(c.shared, "*")
		}
		return c.shared
	}
	if !make {
		return nil
	}
	n := c.newNode("")
	n.key = c.places.child(0, host)
	c.roots[host] = n
	c.hosts = append(c.hosts, host)
	c.begin(n, host)
	return n
}

func canonical(method string) string {
	if method == "HEAD" {
		return "GET"
	}
	return method
}

// lookup gives the API of a request and the segments that lead to it.
func (c *Catalog) lookup(o *observe.Observation, segs []segment) (*op, []segment) {
	if o.Method == "OPTIONS" {
		return nil, segs
	}
	n := c.root(o.Host, false)
	if n == nil {
		return nil, segs
	}
	return c.resolve(n, o, segs)
}

// Lookup gives the API that an observation belongs to as far as is known, or
// nil. It does not write.
func (c *Catalog) Lookup(o *observe.Observation) *API {
	if len(o.Segments) > shortPath {
		return c.lookupLong(o)
	}
	var room [2*shortPath + 1]segment // twice: a segment may hold a custom verb
	return c.lookupIn(o, room[:0])
}

// shortPath is how many segments most paths have: clearing room for the longest
// takes longer than to find one of these.
const shortPath = 6

//go:noinline
func (c *Catalog) lookupLong(o *observe.Observation) *API {
	var room [observe.MaxSegments + 1]segment
	return c.lookupIn(o, room[:0])
}

func (c *Catalog) lookupIn(o *observe.Observation, room []segment) *API {
	p, _ := c.lookup(o, named(o, c.path(o, room)))
	if p == nil || c.hidden(p) {
		return nil
	}
	if o.Status == 404 && c.throughWords(p.node) {
		if c.noRoute(missKey(o)) {
			return nil
		}
	}
	return &p.API
}

// Assign judges the next observation in order, learns from it and fills in the
// event. who is copied into the event.
func (c *Catalog) Assign(o *observe.Observation, who *identity.Who, ev *Event) {
	c.merges = append(ev.Merges[:0], c.pending...)
	c.stats.Merged -= uint64(len(c.pending)) // counted when they happened
	c.pending = c.pending[:0]
	*ev = Event{Observation: o, Who: *who}
	if who.Principal != 0 {
		c.remember(c.known, who.Principal)
		for _, a := range who.Aliases {
			if a == 0 {
				break
			}
			if _, ok := c.known.Peek(a); !ok {
				c.known.Put(a, struct{}{})
			}
		}
	}
	if who.Registered {
		c.remember(c.known, who.Subject)
	}
	segs := named(o, c.path(o, c.room[:0]))
	out := c.outcome(o)
	p, segs := c.lookup(o, segs)
	switch {
	case p == nil && out == OutcomeSuccess && c.plausible(o, segs):
		p, segs = c.admit(o, segs)
	case p == nil && out == OutcomeNotFound:
		c.missing(o, nil)
	case p == nil:
		segs = byRoot(o, segs)
		if c.candidacy(o, who, segs, out) {
			if p = c.place(c.root(o.Host, true), segs, o, answer(o), o.Method); p != nil && p.Exchanges == 0 {
				p.refused = true
			}
		}
	case out == OutcomeNotFound && c.missing(o, p):
		p = nil
	case out == OutcomeSuccess && o.Method == p.Method:
		p = c.learn(o, segs, p)
	}
	if p != nil && out == OutcomeSuccess && len(o.Dispatch) > 0 && p.Operation == "" && o.Method == p.Method {
		p, segs = c.learnDispatch(p, o, segs)
	}
	if p == nil {
		c.stats.Junk++
		if out == OutcomeError && tells(o) && o.Method != "OPTIONS" {
			ev.Beside = c.besides(o, segs)
		}
		ev.Object = object(o, segs, nil)
		ev.Outcome, ev.Merges = out, c.merges
		return
	}
	p = c.ops[c.Resolve(p.Handle)]
	ev.Object = object(o, segs, p.node)
	ev.Outcome = p.refine(o, out)
	ev.API, ev.Merges = &p.API, c.merges
	ev.ResponseClass = p.class(o)
	c.count(p, ev)
	p.travel(ev)
	c.judge(p, ev)
	c.own(p, ev, segs)
	if ev.Outcome == OutcomeSuccess {
		p.refused = false
		c.learnValues(o)
	}
	c.stats.Merged += uint64(len(c.merges))
}

// besides finds the API that a path misses by one segment.
func (c *Catalog) besides(o *observe.Observation, segs []segment) Handle {
	n := c.root(o.Host, false)
	if n == nil {
		return 0
	}
	budget := findBudget
	if p := c.beside(n, segs, canonical(o.Method), &budget); p != nil {
		return c.Resolve(p.Handle)
	}
	return 0
}

// learn places a successful observation and takes note of its answer.
func (c *Catalog) learn(o *observe.Observation, segs []segment, found *op) *op {
	v := answer(o)
	p := c.place(c.root(o.Host, true), segs, o, v, o.Method)
	if p == nil {
		return found
	}
	if p.Exchanges == 0 && page(o) {
		p.catchall, p.sized = answerKey(o), sized(o)
	} else if p.catchall != 0 && p.catchall != answerKey(o) {
		p.catchall = 0
	}
	c.note(p, v, o)
	// What was noted can have made values of the path's words, and have joined
	// the operation with an older one.
	return c.ops[c.Resolve(p.Handle)]
}

// maxValues is how many values of one answer are remembered.
const maxValues = 16

// learnValues remembers word-like values that answers carry: a path segment
// that is one of them is a value, whatever it looks like.
func (c *Catalog) learnValues(o *observe.Observation) {
	n := 0
	for i := range o.Leaves {
		l := &o.Leaves[i]
		switch l.Class {
		case observe.ClassWord, observe.ClassMixed, observe.ClassFile, observe.ClassOther:
			c.remember(c.data, l.Token)
			if n++; n >= maxValues {
				return
			}
		}
	}
}

func (c *Catalog) remember(set *sketch.Recent[struct{}], token uint64) {
	if token == 0 {
		return
	}
	if _, ok := set.Get(token); !ok {
		set.Put(token, struct{}{})
	}
}

// object is the token of what a request names: the last value in its path,
// else an identifier among its parameters.
func object(o *observe.Observation, segs []segment, at *node) uint64 {
	for i := len(segs) - 1; i >= 0; i-- {
		if segs[i].value || at != nil && at.param {
			return segs[i].token
		}
		if at != nil {
			at = at.parent
		}
	}
	for i := range o.Params {
		p := &o.Params[i]
		if p.Token != 0 && isID(lastName(p.Name)) {
			return p.Token
		}
	}
	return 0
}

func isID(name string) bool {
	return strings.EqualFold(name, "id") || strings.EqualFold(name, "uuid") || strings.HasSuffix(name, "_id") ||
		strings.HasSuffix(name, "Id") || strings.HasSuffix(name, "ID") || strings.HasSuffix(name, "_no") || strings.HasSuffix(name, "No")
}

// Resolve follows merges to the surviving handle; 0 for a handle that never was.
func (c *Catalog) Resolve(h Handle) Handle {
	if int(h) >= len(c.parents) {
		return 0
	}
	for c.parents[h] != h {
		h = c.parents[h]
	}
	return h
}

// Get gives the API of a handle, following merges; nil when there is none.
func (c *Catalog) Get(h Handle) *API {
	if h = c.Resolve(h); h == 0 {
		return nil
	}
	return &c.ops[h].API
}

// APIs lists the catalogue by template and method. Places that only ever gave
// the page which answers every path are left out.
func (c *Catalog) APIs() []*API {
	list := make([]*API, 0, c.live)
	unseen := c.credentialsUnseen()
	for h, p := range c.ops {
		if h == 0 || c.parents[h] != Handle(h) {
			continue
		}
		if c.hidden(p) {
			continue
		}
		p.Unseen = unseen
		p.Path = c.parameters(p)
		list = append(list, &p.API)
	}
	succeed(list)
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.Template != b.Template {
			return a.Template < b.Template
		}
		if a.Method != b.Method {
			return a.Method < b.Method
		}
		return a.Host < b.Host
	})
	return list
}

// credentialsUnseen reports whether people sign in here and never show it: the
// recording leaves credentials out, as exports from browsers do, and their
// absence says nothing.
func (c *Catalog) credentialsUnseen() bool {
	signs := false
	for h, p := range c.ops {
		if h == 0 || c.parents[h] != Handle(h) {
			continue
		}
		if p.WithCred > 0 {
			return false
		}
		switch p.Role {
		case taxonomy.RoleLogin, taxonomy.RoleLoginCode, taxonomy.RoleLogout, taxonomy.RoleProfile:
			signs = signs || p.NoCred > 0
		}
	}
	return signs
}

// Stats gives sizes and what the caps cost.
func (c *Catalog) Stats() Stats {
	s := c.stats
	s.APIs, s.Nodes = c.live, c.nodes
	s.Evicted = c.junk.candidates.Evicted() + c.data.Evicted() + c.known.Evicted() + c.given.Evicted() + c.mine.Evicted()
	return s
}
