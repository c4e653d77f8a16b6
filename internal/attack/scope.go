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
	scopePrefix
	scopePrint // fingerprint and parameter structure
	scopeCohort
	scopeShape
	scopeAgent
)

var scopeNames = [...]string{"", "account", "credential", "actor", "address", "prefix", "fingerprint+structure", "fingerprint", "structure", "agent"}

func (k scopeKind) String() string { return scopeNames[k] }
func (k scopeKind) wide() bool     { return k >= scopePrefix }

// key gives a cell's key in a scope of that kind, 0 when it has none.
func (k scopeKind) key(c *cell) uint64 {
	switch k {
	case scopeCredential:
		return c.cred
	case scopeActor:
		return c.who
	case scopeAddress:
		if c.ip.IsValid() {
			return hashAddr(c.ip)
		}
	case scopePrefix:
		if c.ip.IsValid() {
			return hashAddr(prefixOf(c.ip).Addr())
		}
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
	}
	return 0
}

// A scene is what one judgement looks at: the cells of a unit that were active
// in a window, minus those already explained.
type scene struct {
	e     *Engine
	u     *unit
	now   int64
	from  int64
	refs  []ref
	taken []bool
	pool  pool // storage of sums
	order []keyed

	askers map[uint64]*asker // built on demand, see peers.go
	roll   []*asker          // the same in order of birth
}

type keyed struct {
	key uint64
	at  int32
}

// A scope is a set of cells that share a key, with the sum over its members,
// that is those cells that look like the abuse in question.
type scope struct {
	kind    scopeKind
	key     uint64
	all     []int32 // positions in scene.refs, in order of birth
	members []int32
	sum     tally
	addrs   int // different addresses among the members
	nets    int
	prints  int // fingerprints
	agents  int
	shapes  int
	actors  int
	tools   int // members whose agent says it is a tool
	bad     bool
}

// look collects the cells of a unit active since from.
func (e *Engine) look(u *unit, from int64) *scene {
	s := &scene{e: e, u: u, now: e.now, from: from}
	for _, i := range u.apis {
		for r := e.apis[i].cells.head; r != 0; {
			c := e.cells.at(r)
			// The list is in order of last request, but for late arrivals.
			if c.last < from {
				break
			}
			s.refs = append(s.refs, r)
			r = c.aNext
		}
	}
	slices.SortFunc(s.refs, func(a, b ref) int { return cmp.Compare(e.cells.at(a).seq, e.cells.at(b).seq) })
	s.taken = make([]bool, len(s.refs))
	return s
}

func (s *scene) cell(i int32) *cell { return s.e.cells.at(s.refs[i]) }

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

// groups calls f with every group of untaken cells that share a key of that
// kind and count at least least requests, in order of key.
func (s *scene) groups(k scopeKind, least int, f func(key uint64, all []int32)) {
	s.order = s.order[:0]
	for i := range s.refs {
		if s.taken[i] {
			continue
		}
		if key := k.key(s.cell(int32(i))); key != 0 {
			s.order = append(s.order, keyed{key, int32(i)})
		}
	}
	order := s.order
	slices.SortFunc(order, func(a, b keyed) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Compare(a.at, b.at)
	})
	var all []int32
	for i := 0; i < len(order); {
		j, n := i, 0
		for ; j < len(order) && order[j].key == order[i].key; j++ {
			n += int(s.cell(order[j].at).n)
		}
		if n >= least {
			all = make([]int32, 0, j-i)
			for _, o := range order[i:j] {
				all = append(all, o.at)
			}
			f(order[i].key, all)
		}
		i = j
	}
}

// gather sums up the cells of a group that pass like.
func (s *scene) gather(k scopeKind, key uint64, all []int32, like func(*cell) bool) *scope {
	sc := &scope{kind: k, key: key, all: all}
	for _, i := range all {
		if like(s.cell(i)) {
			sc.members = append(sc.members, i)
		}
	}
	s.resum(sc)
	return sc
}

// resum recomputes the sum and the spread of a scope over its members.
func (s *scene) resum(sc *scope) {
	sc.sum.free(&s.pool)
	sc.sum = tally{}
	sc.tools = 0
	var addrs, nets, prints, agents, shapes, actors = map[uint64]struct{}{}, map[uint64]struct{}{}, map[uint64]struct{}{}, map[uint64]struct{}{}, map[uint64]struct{}{}, map[uint64]struct{}{}
	for _, i := range sc.members {
		c := s.cell(i)
		sc.sum.add(&s.pool, &c.tally)
		if c.ip.IsValid() {
			addrs[hashAddr(c.ip)] = struct{}{}
			nets[scopePrefix.key(c)] = struct{}{}
		}
		prints[c.cohort] = struct{}{}
		agents[c.agent] = struct{}{}
		shapes[c.shape] = struct{}{}
		actors[c.who] = struct{}{}
		if c.tool > 0 {
			sc.tools++
		}
	}
	sc.addrs, sc.nets, sc.prints, sc.agents, sc.shapes, sc.actors = len(addrs), len(nets), len(prints), len(agents), len(shapes), len(actors)
}

// take removes a scope's members from what is left to explain.
func (s *scene) take(sc *scope) {
	for _, i := range sc.members {
		s.taken[i] = true
	}
}
