package attack

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"net/netip"
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// An episode is one attack over its life. It is born when a scope crosses a
// threshold and keeps its id; later judgements add members; it closes when
// idle. Members still in the table are counted where they stand, so a cell
// that turns honest leaves; cells that go are settled.
type episode struct {
	id      string
	serial  uint64 // order of birth
	kind    taxonomy.AttackKind
	axis    string
	unit    string
	scope   scopeKind
	key     uint64
	score   float64
	fuse    *fusion
	tools   bool
	settled roster
	done    ledger // what is settled, by day and API
	shown   signature
	live    []member
	kin     map[uint32]bool // generations of members that do not look like it themselves
	first   int64
	last    int64
	closed  bool
	marks   map[mark]struct{} // keys that its members share
	pure    bool              // hardly anybody else has them
	core    [2]int64          // when nearly all of a swarm came
}

type member struct {
	at  ref
	gen uint32
}

// A book holds the episodes of a site: at most limit; the oldest closed or
// weakest goes first.
type book struct {
	eps     []*episode // in order of birth
	owner   map[ref]*episode
	gens    map[ref]uint32
	ever    []bool // places in owner that were ever taken
	pool    pool
	serial  uint64
	limit   int
	checked int64
	lost    uint64
	folded  uint64 // times that a ledger was full
	trial   bool   // a copy, made for findings
}

func newBook(limit int) *book {
	return &book{owner: make(map[ref]*episode), gens: make(map[ref]uint32), limit: limit}
}

func (b *book) ownerOf(r ref, c *cell) *episode {
	if !b.known(r) {
		return nil
	}
	if ep := b.owner[r]; ep != nil && b.gens[r] == c.gen {
		return ep
	}
	return nil
}

// known reports whether the place of a cell ever belonged to an attack: most
// never do.
func (b *book) known(r ref) bool { return int(r) < len(b.ever) && b.ever[r] }

func (b *book) owns(r ref, c *cell) bool { return b.ownerOf(r, c) != nil }

// accused reports whether an attack at least likely owns the cell.
func (b *book) accused(r ref, c *cell) bool {
	ep := b.ownerOf(r, c)
	return ep != nil && ep.score >= scoreLikely
}

// fold takes a candidate into the book: into the oldest episode that owns some
// of its members, else into one that it belongs to, else as a new episode.
func (b *book) fold(s *scene, c *candidate) {
	r := s.rosterOf(c.scope)
	defer r.tally.free(s.pool)
	into := b.match(s, c, &r)
	if into == nil {
		into = b.birth(s, c)
	}
	score := c.score
	switch {
	case into.fuse == nil || score >= into.score || vague(into.axis) && !vague(c.axis) && score >= scoreLikely:
		into.fuse, into.score = c.fuse, score
		// What it is may become clearer; the id stays.
		if vague(into.axis) && !vague(c.axis) {
			into.cover()
		}
		into.kind, into.axis = c.fuse.kind, c.axis
		into.scope = max(into.scope, c.scope.kind)
	case c.scope.kind.wide():
		into.scope = max(into.scope, c.scope.kind)
	}
	into.tools = into.tools || c.scope.tools*2 > len(c.scope.members)
	into.closed = false
	if into.first == 0 {
		into.first = r.aFirst
	}
	into.first = min(into.first, r.aFirst)
	into.last = max(into.last, r.aLast, r.last)
	into.know(c.scope)
	if c.axis == "swarm" {
		into.crowding(s, c.scope)
	}
	for _, i := range c.scope.members {
		c := s.cell(i)
		if b.keeps(into, s.refs[i], c) {
			continue
		}
		b.own(into, s.refs[i], c.gen)
		delete(into.kin, c.gen)
		b.accuse(s, into, c)
	}
	for _, i := range c.scope.kin {
		c := s.cell(i)
		if b.keeps(into, s.refs[i], c) {
			continue
		}
		b.own(into, s.refs[i], c.gen)
		if into.kin == nil {
			into.kin = make(map[uint32]bool)
		}
		into.kin[c.gen] = true
		b.accuse(s, into, c)
	}
}

// keeps reports whether a cell stays with an attack that is at least likely, where
// another one is merely suspected.
func (b *book) keeps(ep *episode, r ref, c *cell) bool {
	old := b.ownerOf(r, c)
	return old != nil && old != ep && ep.score < scoreLikely && old.score >= scoreLikely
}

// accuse notes on a cell and its asker that an attack at least likely claims
// them.
func (b *book) accuse(s *scene, ep *episode, c *cell) {
	if b.trial || ep.score < scoreLikely {
		return
	}
	c.accused = true
	if a := s.actorOf(c); a != nil {
		a.accused = true
	}
}

// own gives a cell to an episode, taking it from another.
func (b *book) own(ep *episode, at ref, gen uint32) {
	if old := b.owner[at]; old != nil && b.gens[at] == gen {
		if old == ep {
			return
		}
		old.live = slices.DeleteFunc(old.live, func(m member) bool { return m.at == at })
	}
	b.owner[at], b.gens[at] = ep, gen
	for int(at) >= len(b.ever) {
		b.ever = append(b.ever, make([]bool, 1<<slabBits)...)
	}
	b.ever[at] = true
	ep.live = append(ep.live, member{at, gen})
}

// match finds the episode that a candidate continues, and merges episodes that
// it shows to be one.
func (b *book) match(s *scene, c *candidate, r *roster) *episode {
	if c.axis == "crossing" {
		for _, ep := range b.eps {
			if ep.axis == c.axis && ep.unit == s.u.id && ep.scope == c.scope.kind && ep.key == c.scope.key && ep.last+horizon >= r.first {
				return ep
			}
		}
		return nil
	}
	owned := map[*episode]int{}
	for _, i := range c.scope.members {
		// Axes are judged apart: a reader may also flood.
		if ep := b.ownerOf(s.refs[i], s.cell(i)); ep != nil && (ep.axis == c.axis || vague(ep.axis) && ep.unit == s.u.id) {
			owned[ep]++
		}
	}
	var into *episode
	for _, ep := range slices.Clone(b.eps) { // in order of birth
		n := owned[ep]
		if c.clears(ep) && ep.unit == s.u.id {
			if into == nil {
				into = ep
			} else {
				b.merge(into, ep)
			}
			continue
		}
		// A narrow scope of another kind that was a small part of a wide one
		// has become an attack of its own.
		if n == 0 || ep.kind != c.fuse.kind && n*2 < len(ep.live) {
			continue
		}
		if into == nil {
			into = ep
		} else if ep.kind == into.kind || c.clears(into) {
			b.merge(into, ep)
		}
	}
	if into != nil {
		return into
	}
	for _, ep := range b.eps {
		if _, same := ep.marks[mark{c.scope.kind, c.scope.key}]; tradeAxis(c.axis) && !same {
			continue // what many do at a sale is no link
		}
		if ep.kind == c.fuse.kind && (ep.axis == c.axis || c.axis == "swarm") && ep.unit == s.u.id && b.near(s, ep, r, c.scope.kind.wide()) {
			return ep
		}
	}
	return nil
}

// vague reports whether an axis tells that something is at work and not what it
// is after: that becomes clear with time.
func vague(axis string) bool { return axis == "swarm" || axis == "machine" }

// cover makes kin of an episode's members: what it turns out to be after would not
// tell of each that it is one.
func (ep *episode) cover() {
	if ep.kin == nil {
		ep.kin = make(map[uint32]bool, len(ep.live))
	}
	for _, m := range ep.live {
		ep.kin[m.gen] = true
	}
}

// clears reports whether a candidate says what an episode under its key is after.
func (c *candidate) clears(ep *episode) bool {
	_, same := ep.marks[mark{c.scope.kind, c.scope.key}]
	return same && vague(ep.axis) && !vague(c.axis) && c.score >= scoreLikely && ep.score >= scoreLikely
}

// near reports whether new members belong to an episode: close in time, and
// the same asker, tool or parameter structure.
func (b *book) near(s *scene, ep *episode, r *roster, wide bool) bool {
	from, to := r.window()
	if ep.last+burstGap < from {
		return false
	}
	have := b.rosterOf(s.e, ep, s.pool)
	defer have.tally.free(s.pool)
	hf, ht := have.window()
	if from > ht+burstGap || hf > to+burstGap {
		return false
	}
	for a := range r.addrs {
		if _, ok := have.addrs[a]; ok {
			return true
		}
	}
	if shares(r.cohorts.list, have.cohorts.list, 0) && (shares(r.agents.list, have.agents.list, 0) || shares(r.shapes.list, have.shapes.list, 0)) {
		return true
	}
	if ep.axis != "guess" && ep.axis != "register" || ep.scope.wide() != wide || from > ht+nearGap || hf > to+nearGap {
		return false
	}
	return shares(r.shapes.list, have.shapes.list, 0) || shares(r.prefixes.list, have.prefixes.list, netip.Prefix{})
}

// nearGap is how close in time attackers must follow each other to be taken
// for one by their network or parameter structure alone.
const nearGap = int64(60e9)

func shares[T comparable](a, b []T, zero T) bool {
	for _, v := range a {
		if v != zero && slices.Contains(b, v) {
			return true
		}
	}
	return false
}

// merge folds a younger episode into an older one.
func (b *book) merge(into, from *episode) {
	into.settled.fold(&b.pool, &from.settled)
	b.folded += into.done.fold(&from.done)
	into.shown.fold(&from.shown)
	from.settled.tally.free(&b.pool)
	for _, m := range from.live {
		b.owner[m.at] = into
		into.live = append(into.live, m)
	}
	if vague(from.axis) && !vague(into.axis) {
		from.cover()
	}
	if into.kin == nil {
		into.kin = from.kin
	} else {
		maps.Copy(into.kin, from.kin)
	}
	from.live = nil
	if from.score > into.score {
		into.score, into.fuse = from.score, from.fuse
	}
	into.scope = max(into.scope, from.scope)
	into.first, into.last = min(into.first, from.first), max(into.last, from.last)
	if from.core[1] != 0 {
		widen(&into.core[0], &into.core[1], from.core[0], from.core[1])
	}
	if into.pure = into.pure && from.pure; len(into.marks)+len(from.marks) <= maxMarks {
		maps.Copy(into.marks, from.marks)
	}
	into.tools = into.tools || from.tools
	b.eps = slices.DeleteFunc(b.eps, func(ep *episode) bool { return ep == from })
}

// birth makes an episode; its id never changes.
func (b *book) birth(s *scene, c *candidate) *episode {
	b.serial++
	ep := &episode{serial: b.serial, kind: c.fuse.kind, axis: c.axis, unit: s.u.id, scope: c.scope.kind, key: c.scope.key}
	first := s.cell(c.scope.members[0])
	for _, list := range [2][]int32{c.scope.members, c.scope.kin} {
		for _, i := range list {
			m := s.cell(i)
			if k := cmp.Compare(m.first, first.first); k < 0 || k == 0 && m.seq < first.seq {
				first = m
			}
		}
	}
	h := sha256.New()
	for _, part := range []string{s.e.cfg.Site, string(ep.kind), s.u.id, ep.scope.String()} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], first.firstID)
	h.Write(n[:])
	ep.id = hex.EncodeToString(h.Sum(nil)[:12])
	if slices.ContainsFunc(b.eps, func(o *episode) bool { return o.id == ep.id }) {
		h.Write([]byte(ep.axis)) // another way to abuse it began with the same request
		ep.id = hex.EncodeToString(h.Sum(nil)[:12])
	}
	b.eps = append(b.eps, ep)
	if len(b.eps) > b.limit {
		b.drop()
	}
	return ep
}

// drop gives up one episode: a closed one of the lowest score, else the lowest.
func (b *book) drop() {
	worst := 0
	for i, ep := range b.eps[:len(b.eps)-1] {
		w := b.eps[worst]
		if ep.closed && !w.closed || ep.closed == w.closed && ep.score < w.score {
			worst = i
		}
	}
	ep := b.eps[worst]
	for _, m := range ep.live {
		delete(b.owner, m.at)
		delete(b.gens, m.at)
	}
	ep.settled.tally.free(&b.pool)
	b.eps = slices.Delete(b.eps, worst, worst+1)
	b.lost++
}

// settle takes over what an episode owns of a cell that goes.
func (b *book) settle(e *Engine, r ref, c *cell) {
	ep := b.ownerOf(r, c)
	if ep == nil {
		return
	}
	if e.guilty(ep, c) {
		b.account(e, ep, c)
	}
	ep.live = slices.DeleteFunc(ep.live, func(m member) bool { return m.at == r })
	delete(ep.kin, c.gen)
	delete(b.owner, r)
	delete(b.gens, r)
}

// account adds a member that goes, or an episode that closes, to what is settled.
func (b *book) account(e *Engine, ep *episode, c *cell) {
	ep.settled.add(&b.pool, c, &e.apis[c.api])
	b.folded += ep.done.cell(e, c)
	ep.shown.cell(e, c)
}

// pass hands the ownership of a folded cell on.
func (b *book) pass(r ref, c *cell, to ref, into *cell) {
	ep := b.ownerOf(r, c)
	if ep == nil {
		return
	}
	ep.live = slices.DeleteFunc(ep.live, func(m member) bool { return m.at == r })
	delete(b.owner, r)
	delete(b.gens, r)
	if b.ownerOf(to, into) == nil {
		b.own(ep, to, into.gen)
		if ep.kin[c.gen] {
			ep.kin[into.gen] = true
		}
	}
	delete(ep.kin, c.gen)
}

// close ends idle episodes and lets go of their cells.
func (b *book) close(e *Engine, now int64) {
	b.checked = now
	for _, ep := range b.eps {
		if ep.closed {
			continue
		}
		for _, m := range ep.live {
			if c := e.cells.at(m.at); c.gen == m.gen {
				ep.last = max(ep.last, c.aLast)
			}
		}
		if now-ep.last <= burstGap {
			continue
		}
		if b.absorb(e, ep); now-ep.last <= ep.patience(e) {
			continue
		}
		ep.closed = true
		for _, m := range ep.live {
			if c := e.cells.at(m.at); c.gen == m.gen && e.guilty(ep, c) {
				b.account(e, ep, c)
			}
			delete(b.owner, m.at)
			delete(b.gens, m.at)
			e.spent(m)
		}
		ep.live, ep.kin = nil, nil
	}
}

// spent forgets a cell whose requests an episode has accounted for, so that
// they are not found again.
func (e *Engine) spent(m member) {
	if c := e.cells.at(m.at); c.gen == m.gen && c.n > 0 {
		e.retire(m.at, c)
	}
}

// rename follows an API merge.
func (b *book) rename(from, into catalog.Handle) {
	for _, ep := range b.eps {
		ep.done.rename(from, into)
		l := &ep.settled.apis
		for i, h := range l.list {
			if h == from {
				l.list = slices.Delete(l.list, i, i+1)
				l.add(into, 256)
				break
			}
		}
	}
}
