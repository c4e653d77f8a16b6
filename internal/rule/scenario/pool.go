package scenario

import (
	"net/netip"
	"slices"

	"xiezhi/internal/observe"
)

// Caps of the buckets of one site.
const (
	DefaultBuckets = 1 << 16
	maxSeen        = 1024 // values told apart in one bucket; beyond, the oldest are forgotten
	maxSources     = 64   // addresses known of one bucket
	maxAgents      = 8
)

// Alert says that a bucket ran over.
type Alert struct {
	Rule    *Rule
	At      int64  // event time, ns
	First   int64  // of the events in the bucket
	FirstID string // of the exchange that began it
	Events  uint32 // poured into the bucket, this one included
	Blocked uint32 // of them, refused by a control
	Sources []netip.Addr
	More    bool // there were more addresses
	Agents  []uint64
	// AnyAgent: there were more agents than are listed.
	AnyAgent bool
	// Muted: the key was told about a short while ago.
	Muted bool
}

// Event is what a bucket needs to know of an exchange that met a rule.
type Event struct {
	At      int64
	ID      string
	Client  netip.Addr
	Agent   uint64 // token
	Blocked bool
}

// Losses is what the pool gave up at its caps.
type Losses struct {
	Buckets uint64 // given up before their time
	Seen    uint64 // values forgotten that a bucket told apart
	Unknown uint64 // hits of rules that the set does not hold
}

// Pool keeps the buckets of one site in event time. It is not safe for
// concurrent use.
type Pool struct {
	set     *Set
	limit   int
	buckets map[place]*bucket
	silent  map[place]int64 // until when nothing is told about a key
	free    []*bucket
	newest  *bucket // by the last event
	oldest  *bucket
	due     []*bucket // counters, by the end of their time
	now     int64
	Losses  Losses
}

type place struct {
	rule int32
	key  uint64
}

type bucket struct {
	at           place
	newer, older *bucket
	level        int64 // ns of leaking that the bucket has room for
	first, last  int64
	end          int64 // of a counter
	firstID      string
	events       uint32
	blocked      uint32
	seen         []uint64 // a ring, once it is full
	index        map[uint64]struct{}
	ring         int
	sources      []netip.Addr
	more         bool
	agents       []uint64
	anyAgent     bool
	sums         sums
}

// NewPool gives a pool that has seen nothing; limit 0 is the default.
func NewPool(s *Set, limit int) *Pool {
	if limit <= 0 {
		limit = DefaultBuckets
	}
	return &Pool{set: s, limit: limit, buckets: map[place]*bucket{}, silent: map[place]int64{}}
}

// Pour takes the hits of one exchange, and tells what runs over.
func (p *Pool) Pour(hits []observe.Hit, ev Event, tell func(*Alert)) {
	p.Tick(ev.At, tell)
	for i := range hits {
		h := &hits[i]
		n, ok := p.set.byName[h.Rule]
		if !ok {
			p.Losses.Unknown++
			continue
		}
		p.pour(p.set.rules[n], n, h, &ev, tell)
	}
}

// Tick moves event time on: counters whose time has come are told.
func (p *Pool) Tick(now int64, tell func(*Alert)) {
	p.now = max(p.now, now)
	for len(p.due) > 0 && p.due[0].end <= p.now {
		b := p.due[0]
		r := p.set.rules[b.at.rule]
		a := b.alert(r, b.end)
		p.drop(b)
		if r.overflow == nil || r.overflow(&b.sums) {
			p.tell(r, b.at, a, tell)
		}
		p.recycle(b)
	}
}

func (p *Pool) pour(r *Rule, n int32, h *observe.Hit, ev *Event, tell func(*Alert)) {
	at := place{n, h.Key}
	if r.ByAddress {
		at.key = mix(at.key, ev.Client)
	}
	b := p.buckets[at]
	if b != nil && r.Kind == Leaky && ev.At > b.last && ev.At-b.last > int64(r.Span) {
		p.drop(b) // it has been empty for long
		p.recycle(b)
		b = nil
	}
	value := h.Distinct
	if r.PerAddress {
		value = mix(value, ev.Client)
	}
	if b != nil && r.Distinct && b.known(value) {
		return
	}
	if h.Cancel {
		if b != nil {
			p.drop(b)
			p.recycle(b)
		}
		return
	}
	if b == nil {
		b = p.open(r, at, ev)
	}
	if r.Distinct && b.learn(value) {
		p.Losses.Seen++
	}
	over := b.add(r, h, ev)
	if !over {
		p.touch(b)
		return
	}
	a := b.alert(r, ev.At)
	p.drop(b)
	if r.overflow == nil || r.overflow(&b.sums) {
		p.tell(r, at, a, tell)
	}
	p.recycle(b)
}

// add pours one event and reports whether the bucket runs over.
func (b *bucket) add(r *Rule, h *observe.Hit, ev *Event) bool {
	if elapsed := ev.At - b.last; elapsed > 0 && r.Kind == Leaky {
		b.level = min(b.level+elapsed, int64(r.Capacity)*int64(r.Leak))
	}
	b.last = max(b.last, ev.At)
	b.events++
	if ev.Blocked {
		b.blocked++
	}
	b.sums.n++
	for i := range r.inner {
		if h.Marks&(1<<i) != 0 {
			b.sums.inner[i]++
		}
	}
	if !slices.Contains(b.sources, ev.Client) {
		if len(b.sources) < maxSources {
			b.sources = append(b.sources, ev.Client)
		} else {
			b.more = true
		}
	}
	if !slices.Contains(b.agents, ev.Agent) {
		if len(b.agents) < maxAgents {
			b.agents = append(b.agents, ev.Agent)
		} else {
			b.anyAgent = true
		}
	}
	switch r.Kind {
	case Trigger:
		return true
	case Leaky:
		if b.level < int64(r.Leak) {
			return true
		}
		b.level -= int64(r.Leak)
	}
	return false
}

// known reports whether a value is among those that the bucket has seen.
func (b *bucket) known(v uint64) bool {
	if b.index != nil {
		_, ok := b.index[v]
		return ok
	}
	return slices.Contains(b.seen, v)
}

// learn remembers a value, and reports whether another was forgotten for it.
func (b *bucket) learn(v uint64) bool {
	if len(b.seen) < maxSeen {
		if b.seen = append(b.seen, v); b.index != nil {
			b.index[v] = struct{}{}
		} else if len(b.seen) > 32 {
			b.index = make(map[uint64]struct{}, 64)
			for _, x := range b.seen {
				b.index[x] = struct{}{}
			}
		}
		return false
	}
	delete(b.index, b.seen[b.ring])
	b.seen[b.ring] = v
	b.index[v] = struct{}{}
	b.ring = (b.ring + 1) % maxSeen
	return true
}

func (b *bucket) alert(r *Rule, at int64) *Alert {
	a := &Alert{Rule: r, At: at, First: b.first, FirstID: b.firstID, Events: b.events, Blocked: b.blocked, Sources: slices.Clone(b.sources), More: b.more, Agents: slices.Clone(b.agents), AnyAgent: b.anyAgent}
	slices.SortFunc(a.Sources, netip.Addr.Compare)
	return a
}

// tell gives an alert, unless its key is to be kept quiet about.
func (p *Pool) tell(r *Rule, at place, a *Alert, tell func(*Alert)) {
	if r.Blackhole > 0 {
		if until, ok := p.silent[at]; ok && a.At < until {
			a.Muted = true
			tell(a)
			return
		}
		if len(p.silent) >= p.limit {
			for k, until := range p.silent { // what is deleted does not depend on the order
				if until <= a.At {
					delete(p.silent, k)
				}
			}
		}
		if len(p.silent) < p.limit {
			p.silent[at] = a.At + int64(r.Blackhole)
		} else {
			p.Losses.Buckets++
		}
	}
	tell(a)
}

func mix(key uint64, a netip.Addr) uint64 {
	b := a.As16()
	for i := range 2 {
		var v uint64
		for _, c := range b[8*i : 8*i+8] {
			v = v<<8 | uint64(c)
		}
		key = (key ^ v) * 0x9e3779b97f4a7c15
		key ^= key >> 29
	}
	return key
}

// open makes a bucket; when there are too many, the one idle longest goes.
func (p *Pool) open(r *Rule, at place, ev *Event) *bucket {
	if len(p.buckets) >= p.limit {
		b := p.oldest
		old := p.set.rules[b.at.rule]
		if old.Kind != Leaky || ev.At-b.last <= int64(old.Span) {
			p.Losses.Buckets++
		}
		p.drop(b)
		p.recycle(b)
	}
	var b *bucket
	if n := len(p.free); n > 0 {
		b, p.free = p.free[n-1], p.free[:n-1]
	} else {
		b = &bucket{}
	}
	b.at, b.first, b.last, b.firstID = at, ev.At, ev.At, ev.ID
	b.level = int64(r.Capacity) * int64(r.Leak)
	p.buckets[at] = b
	p.link(b)
	if r.Kind == Counter {
		b.end = ev.At + int64(r.Span)
		i, _ := slices.BinarySearchFunc(p.due, b, earlier)
		p.due = slices.Insert(p.due, i, b)
	}
	return b
}

func earlier(a, b *bucket) int {
	switch {
	case a.end != b.end:
		return compare64(a.end, b.end)
	case a.at.rule != b.at.rule:
		return int(a.at.rule) - int(b.at.rule)
	}
	return compare64(int64(a.at.key), int64(b.at.key))
}

func compare64(a, b int64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

func (p *Pool) link(b *bucket) {
	b.older, b.newer = p.newest, nil
	if p.newest != nil {
		p.newest.newer = b
	} else {
		p.oldest = b
	}
	p.newest = b
}

func (p *Pool) unlink(b *bucket) {
	if b.newer != nil {
		b.newer.older = b.older
	} else {
		p.newest = b.older
	}
	if b.older != nil {
		b.older.newer = b.newer
	} else {
		p.oldest = b.newer
	}
	b.newer, b.older = nil, nil
}

func (p *Pool) touch(b *bucket) {
	if p.newest != b {
		p.unlink(b)
		p.link(b)
	}
}

// drop takes a bucket out; its content stays until it is recycled.
func (p *Pool) drop(b *bucket) {
	delete(p.buckets, b.at)
	p.unlink(b)
	if p.set.rules[b.at.rule].Kind == Counter {
		if i, ok := slices.BinarySearchFunc(p.due, b, earlier); ok {
			p.due = slices.Delete(p.due, i, i+1)
		}
	}
}

// recycle keeps a bucket for the next one; large ones go.
func (p *Pool) recycle(b *bucket) {
	if len(p.free) < 1024 && b.index == nil {
		*b = bucket{seen: b.seen[:0], sources: b.sources[:0], agents: b.agents[:0]}
		p.free = append(p.free, b)
	}
}

// Live is how many buckets there are.
func (p *Pool) Live() int { return len(p.buckets) }
