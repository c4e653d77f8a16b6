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
	scopeUnit // all who look alike at these APIs, when nothing else is shared
)

var scopeNames = [...]string{"", "account", "credential", "actor", "address", "prefix", "fingerprint+structure", "fingerprint", "structure", "agent", "api"}

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
	case scopeUnit:
		return uint64(c.api) + 1
	}
	return 0
}

// A scene is what one judgement looks at: the cells of a unit that were active
// in a window, minus those already explained.
type scene struct {
	e      *Engine
	u      *unit
	now    int64
	from   int64
	refs   []ref
	taken  []bool
	soft   []bool // looks like the abuse of the axis being searched
	hard   []bool // … and shows no honest business
	pool   *pool  // storage of sums
	keys   []uint64
	counts tally
	order  []keyed

	askers       map[uint64]*asker // built on demand, see peers.go
	roll         []*asker          // the same in order
	work         int8              // whether others do signed-in business: 1 yes, -1 no
	usual        float64           // objects that an ordinary asker reads
	usualForeign float64
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
	all     []int32 // positions in scene.refs, last active first
	members []int32
	kin     []int32 // cells that belong to the members, see kin.go
	sum     tally
	addrs   int // different addresses among the members
	nets    int
	agents  int
	shapes  int
	tools   int // members whose agent says it is a tool
}

// look collects the cells of a unit active since from.
func (e *Engine) look(u *unit, from int64) *scene {
	s := &scene{e: e, u: u, pool: &e.scratch, now: e.now, from: from}
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

// survey marks the cells that look like the abuse of an axis and gives the
// number of their requests.
func (s *scene) survey(ax *axis) int {
	if s.soft == nil {
		s.soft, s.hard = make([]bool, len(s.refs)), make([]bool, len(s.refs))
	}
	n := 0
	for i := range s.refs {
		c := s.cell(int32(i))
		s.soft[i] = !s.taken[i] && ax.like(s, c, false)
		s.hard[i] = s.soft[i] && ax.like(s, c, true)
		if s.soft[i] {
			n += int(c.n)
		}
	}
	return n
}

// groups calls f with every group of untaken cells of the wanted sort that
// share a key of that kind, count at least least requests and pass the gate, in
// order of key. Most groups fail the gate, so it comes before any allocation.
func (s *scene) groups(k scopeKind, wanted []bool, least int, gate func(*tally, bool) bool, f func(key uint64, all []int32)) {
	s.order = s.order[:0]
	for i := range s.refs {
		if s.taken[i] || !wanted[i] {
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
	for i := 0; i < len(order); {
		j, n := i, 0
		for ; j < len(order) && order[j].key == order[i].key; j++ {
			n += int(s.cell(order[j].at).n)
		}
		if n >= least && s.passes(order[i:j], gate) {
			all := make([]int32, 0, j-i)
			for _, o := range order[i:j] {
				all = append(all, o.at)
			}
			f(order[i].key, all)
		}
		i = j
	}
}

// passes applies a gate to the counts of a group.
func (s *scene) passes(group []keyed, gate func(*tally, bool) bool) bool {
	if gate == nil {
		return true
	}
	if len(group) == 1 {
		return gate(&s.cell(group[0].at).tally, false)
	}
	s.counts = tally{}
	for _, o := range group {
		s.counts.addCounts(&s.cell(o.at).tally)
	}
	return gate(&s.counts, false)
}

// crowds calls f with every wide group in which at least five cells look
// guilty, honest members included.
func (s *scene) crowds(k scopeKind, least int, f func(key uint64, all []int32)) {
	var keys []uint64
	at := map[uint64]int{}
	s.groups(k, s.hard, least, nil, func(key uint64, hard []int32) {
		if len(hard) >= 5 {
			at[key] = len(keys)
			keys = append(keys, key)
		}
	})
	if len(keys) == 0 {
		return
	}
	all := make([][]int32, len(keys))
	for i := range s.refs {
		if s.taken[i] {
			continue
		}
		if g, ok := at[k.key(s.cell(int32(i)))]; ok {
			all[g] = append(all[g], int32(i))
		}
	}
	for g, key := range keys {
		f(key, all[g])
	}
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
	sc.addrs = s.spread(sc, scopeAddress.key)
	sc.nets = s.spread(sc, scopePrefix.key)
	sc.agents = s.spread(sc, func(c *cell) uint64 { return c.agent })
	sc.shapes = s.spread(sc, func(c *cell) uint64 { return c.shape })
}

// spread counts the different keys among a scope's members.
func (s *scene) spread(sc *scope, key func(*cell) uint64) int {
	s.keys = s.keys[:0]
	for _, i := range sc.members {
		s.keys = append(s.keys, key(s.cell(i)))
	}
	slices.Sort(s.keys)
	return len(slices.Compact(s.keys))
}

// take removes a scope's members from what is left to explain.
func (s *scene) take(sc *scope) {
	for _, i := range sc.members {
		s.taken[i] = true
	}
	for _, i := range sc.kin {
		s.taken[i] = true
	}
}
