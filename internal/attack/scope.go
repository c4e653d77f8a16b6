package attack

import (
	"cmp"
	"slices"
)

// scopeKind says what the members of a scope share. Narrow scopes name one
// asker or one victim and are judged first; what they explain is taken out
// before the wide ones are looked at.
type scopeKind uint8

const (
	scopeTarget scopeKind = iota + 1
	scopeCredential
	scopeActor
	scopeAddress
	scopeDevice // as the request names it
	scopePayee  // to whom goods or money go
	scopeSecret // password that an account was opened with, see secret.go
	scopeIssuer // of the cards
	scopePrefix
	scopePrint // fingerprint and parameter structure
	scopeCohort
	scopeShape
	scopeAgent
	scopeUnit // all who look alike at these APIs, when nothing else is shared
	scopeFace // all at an API whose clients nobody else has, see swarm.go
)

var scopeNames = [...]string{"", "account", "credential", "actor", "address", "device", "payee", "password", "issuer", "prefix", "fingerprint+structure", "fingerprint", "structure", "agent", "api", "faces"}

func (k scopeKind) String() string { return scopeNames[k] }
func (k scopeKind) wide() bool     { return k >= scopeDevice }

// key gives a cell's key in a scope of that kind, 0 when it has none.
func (k scopeKind) key(c *cell) uint64 {
	switch k {
	case scopeCredential:
		return c.cred
	case scopeActor:
		return c.who
	case scopeAddress:
		return c.addr
	case scopeDevice:
		return c.device
	case scopePayee:
		return c.payee
	case scopeSecret:
		return c.secret
	case scopeIssuer:
		return c.issuer
	case scopePrefix:
		return c.net
	case scopePrint:
		if c.cohort != 0 && c.shape != 0 {
			return join(c.cohort, c.shape)
		}
	case scopeCohort:
		return c.cohort
	case scopeShape:
		return c.shape
	case scopeAgent:
		return c.agent
	case scopeUnit:
		return uint64(c.api) + 1
	case scopeFace:
		if c.alone {
			return uint64(c.api) + 1
		}
	}
	return 0
}

// A scope is a set of cells that share a key, with the sum over its members,
// that is those cells that look like the abuse in question.
type scope struct {
	kind    scopeKind
	key     uint64
	all     []int32 // positions in scene.refs, last active first
	members []int32
	kin     []int32 // cells that belong to the members, see kin.go
	targets []mark  // other accounts that it takes in turn
	also    mark    // a wider key that nobody else has either
	sum     tally
	addrs   int // different addresses among the members
	nets    int
	agents  int
	shapes  int
	tools   int // members whose agent says it is a tool
}

// turnout reports whether the members have the API alone in common.
func (sc *scope) turnout() bool { return sc.kind == scopeUnit && sc.sum.blind == 0 }

// inside is the set of a scope's members.
func (sc *scope) inside() map[int32]bool {
	in := make(map[int32]bool, len(sc.members))
	for _, i := range sc.members {
		in[i] = true
	}
	return in
}

// actorOf gives the actor cell behind an API cell, nil when it is gone.
func (s *scene) actorOf(c *cell) *cell {
	if c.api == 0 {
		return c
	}
	if c.actor == 0 {
		return nil
	}
	if a := s.e.cells.at(c.actor); a.gen == c.actGen {
		return a
	}
	return nil
}

// survey marks the cells that look like the abuse of an axis and gives the
// number of their requests. An axis of the unit has been read off all cells at
// once, see read.
func (s *scene) survey(ax *axis) int {
	d := s.desk
	d.brief(s)
	n := 0
	if ax.bit == 0 {
		for i, c := range d.cells {
			soft := !s.taken[i] && ax.like(s, c, false) && !s.claimed(ax, s.refs[i], c)
			s.soft[i], s.hard[i] = soft, soft && ax.like(s, c, true)
			if soft {
				n += int(c.n)
			}
		}
		return n
	}
	contested := ax.name == "send" || ax.name == "guess" || ax.name == "seek" || ax.name == "read" || ax.name == "machine" || ax.name == "swarm" || s.traded()
	for i, look := range d.looks {
		soft := look&ax.bit != 0 && !s.taken[i] && !(contested && s.claimed(ax, s.refs[i], d.cells[i]))
		s.soft[i], s.hard[i] = soft, soft && look&(ax.bit<<strictBit) != 0
		if soft {
			n += int(d.counts[i])
		}
	}
	return n
}

// claimed reports whether a cell is explained by what another axis found where
// two look at the same requests: messages are sent, or questions asked, but not
// both; and what abuses trade says more than a flood.
//
// What is known to be asked across sites is a matter of its own.
func (s *scene) claimed(ax *axis, r ref, c *cell) bool {
	if c.asks > 0 {
		if ep := s.e.book.ownerOf(r, c); ep != nil && ep.axis == "crossing" && ep.score >= scoreLikely {
			return true
		}
	}
	if ax.name == "machine" || ax.name == "swarm" {
		ep := s.e.book.ownerOf(r, c)
		return ep != nil && ep.axis != ax.name && ep.score >= scoreLikely
	}
	if s.u.role == "" && s.e.apis[c.api].trade != 0 {
		ep := s.e.book.ownerOf(r, c)
		return ep != nil && tradeAxis(ep.axis) && ep.score >= scoreLikely
	}
	if ax.name != "send" && ax.name != "guess" || c.asked == 0 {
		return false
	}
	ep := s.e.book.ownerOf(r, c)
	return ep != nil && ep.axis != ax.name && (ep.axis == "send" || ep.axis == "guess") && ep.score >= scoreLikely
}

// A group is the cells that share a key, as a chain in order of position.
type group struct {
	key        uint64
	n          int // their requests
	count      int32
	head, tail int32
}

// groups gives every group of at least members untaken cells of the wanted
// sort that share a key of that kind, count at least least requests and pass
// the gate, in order of key. It is valid until the next call.
func (s *scene) groups(k scopeKind, wanted []bool, members int32, least int, gate func(*tally, bool) bool, floor bool) []group {
	d, keys := s.desk, s.keysOf(k)
	if floor {
		wanted = s.promising(keys, wanted)
	}
	d.index.reset(len(keys))
	d.next = slices.Grow(d.next[:0], len(keys))[:len(keys)]
	order := d.order[:0]
	for i, key := range keys {
		if !wanted[i] || s.taken[i] || key == 0 {
			continue
		}
		at, fresh := d.index.add(key)
		if fresh {
			order = append(order, group{key: key, head: -1})
		}
		g := &order[at]
		if fresh {
			g.head = int32(i)
		} else {
			d.next[g.tail] = int32(i)
		}
		d.next[i] = -1
		g.tail = int32(i)
		g.n += int(d.counts[i])
		g.count++
	}
	d.order = order
	// Most groups are too small or fail the gate.
	order = slices.DeleteFunc(order, func(g group) bool {
		return g.count < members || g.n < least || !s.passes(g, gate)
	})
	slices.SortFunc(order, func(a, b group) int { return cmp.Compare(a.key, b.key) })
	return order
}

// promising gives those wanted cells whose group may reach the floor: sums over
// keys that share a place in a small table are never too low.
func (s *scene) promising(keys []uint64, wanted []bool) []bool {
	d := s.desk
	d.sums = [sumPlaces]uint64{}
	for i, key := range keys {
		if wanted[i] {
			d.sums[place(key)] += uint64(d.floors[i])
		}
	}
	d.some = slices.Grow(d.some[:0], len(keys))[:len(keys)]
	for i, key := range keys {
		d.some[i] = wanted[i] && d.sums[place(key)] >= floorSum
	}
	return d.some
}

const (
	floorSum  = 30
	sumPlaces = 1 << 12
)

func place(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> 52 }

// members gives the positions of a group's cells.
func (s *scene) members(g group) []int32 {
	all := make([]int32, 0, g.count)
	for i := g.head; i >= 0; i = s.desk.next[i] {
		all = append(all, i)
	}
	return all
}

// passes applies a gate to the counts of a group.
func (s *scene) passes(g group, gate func(*tally, bool) bool) bool {
	if gate == nil {
		return true
	}
	if g.count == 1 {
		return gate(&s.cell(g.head).tally, false)
	}
	t := &s.desk.sum
	*t = tally{}
	for i := g.head; i >= 0; i = s.desk.next[i] {
		t.addCounts(&s.cell(i).tally)
	}
	return gate(t, false)
}

// crowds calls f with every wide group in which at least ax.crowd cells and the
// share ax.purity of all look guilty, honest members included, in order of key.
func (s *scene) crowds(ax *axis, k scopeKind, f func(key uint64, all []int32)) {
	d, keys := s.desk, s.keysOf(k)
	// Most keys are shared by few who look guilty: counts over keys that share a
	// place are never too low.
	d.sums = [sumPlaces]uint64{}
	enough := false
	for i, key := range keys {
		if s.hard[i] && !s.taken[i] && key != 0 {
			n := &d.sums[place(key)]
			*n++
			enough = enough || *n >= uint64(ax.crowd)
		}
	}
	if !enough {
		return
	}
	d.index.reset(len(keys))
	mixed := d.mixed[:0]
	for i, key := range keys {
		if s.taken[i] || key == 0 || d.sums[place(key)] < uint64(ax.crowd) {
			continue
		}
		at, fresh := d.index.add(key)
		if fresh {
			mixed = append(mixed, mixture{key: key})
		}
		m := &mixed[at]
		m.all++
		if s.hard[i] {
			m.hard++
			m.n += int(d.counts[i])
		}
	}
	d.mixed = mixed
	some := 0
	for i := range mixed {
		m := &mixed[i]
		if m.hard >= ax.crowd && m.n >= ax.least && float64(m.hard)/float64(m.all) >= ax.purity {
			m.members = make([]int32, 0, m.all)
			some++
		}
	}
	if some == 0 {
		return
	}
	for i, key := range keys {
		if s.taken[i] || key == 0 {
			continue
		}
		if at := d.index.find(key); at >= 0 && mixed[at].members != nil {
			mixed[at].members = append(mixed[at].members, int32(i))
		}
	}
	mixed = slices.DeleteFunc(mixed, func(m mixture) bool { return m.members == nil })
	slices.SortFunc(mixed, func(a, b mixture) int { return cmp.Compare(a.key, b.key) })
	for _, m := range mixed {
		f(m.key, m.members)
	}
	clear(mixed)
}

// mixture is how many of the cells that share a key look guilty.
type mixture struct {
	key       uint64
	all, hard int32
	n         int // requests of those who do
	members   []int32
}

// gather makes the scope of a group's wanted cells, with their counts but not
// yet their sets.
func (s *scene) gather(k scopeKind, key uint64, all []int32, wanted []bool) *scope {
	sc := &scope{kind: k, key: key, all: all}
	for _, i := range all {
		if wanted[i] {
			sc.members = append(sc.members, i)
			sc.sum.addCounts(&s.cell(i).tally)
		}
	}
	return sc
}

// resum recomputes the sum and the spread of a scope over its members.
func (s *scene) resum(sc *scope) {
	sc.sum.free(s.pool)
	sc.sum = tally{}
	sc.tools = 0
	for _, i := range sc.members {
		c := s.cell(i)
		sc.sum.add(s.pool, &c.tally)
		if c.tool > 0 {
			sc.tools++
		}
	}
	sc.addrs = s.spread(sc, scopeAddress)
	sc.nets = s.spread(sc, scopePrefix)
	sc.agents = s.spread(sc, scopeAgent)
	sc.shapes = s.spread(sc, scopeShape)
}

// spread counts the different keys among a scope's members, no key being one.
func (s *scene) spread(sc *scope, k scopeKind) int {
	if len(sc.members) == 1 {
		return 1
	}
	keys := s.keysOf(k)
	d := s.desk
	d.spread = d.spread[:0]
	for _, i := range sc.members {
		d.spread = append(d.spread, keys[i])
	}
	slices.Sort(d.spread)
	return len(slices.Compact(d.spread))
}

// take removes a scope's members from what is left to explain.
func (s *scene) take(sc *scope) {
	s.explained = true
	for _, i := range sc.members {
		s.taken[i] = true
	}
	for _, i := range sc.kin {
		s.taken[i] = true
	}
}
