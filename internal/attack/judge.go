package attack

import (
	"xiezhi/internal/taxonomy"
)

// An axis is one way to abuse a unit: which cells look like it, in which
// scopes to search, and how to weigh a scope.
type axis struct {
	name   string
	narrow []scopeKind
	wide   []scopeKind
	least  int  // requests below which a scope is not looked at
	kin    bool // requests of the members' clients that do not look like it belong to it too
	// like reports whether a cell looks like the abuse. strict is set for
	// scopes in which honest askers stand beside attackers: then any sign of
	// honest business clears the cell.
	like func(s *scene, c *cell, strict bool) bool
	// gate is what a scope must count at least, judged before its sets are
	// added up.
	gate  func(t *tally, wide bool) bool
	weigh func(s *scene, sc *scope) *fusion
	// floor, if given, is what a cell adds to a sum of at least floorSum that
	// every group passing the gate reaches: the few that may are found cheaply.
	floor func(t *tally) uint32
	// crowd and purity are how many cells of a wide scope, and which share of
	// them, must look like the abuse, for weigh to say anything but no: judged
	// before anything is added up. A crowd is at least five.
	crowd  int32
	purity float64
	joined bool   // a wide scope may be of joinLeast cells
	bit    uint32 // of desk.looks; 0: of no unit
	sums   bool   // what several askers do to one victim adds up
	// keep, if given, reports whether a member stays one, where like says who is
	// looked for.
	keep func(c *cell) bool
}

var (
	narrowActors = []scopeKind{scopeActor, scopeAddress}
	narrowOwners = []scopeKind{scopeCredential, scopeActor, scopeAddress}
	wideScopes   = []scopeKind{scopePrint, scopePrefix, scopeShape, scopeCohort, scopeAgent}
	guessScopes  = append(wideScopes[:len(wideScopes):len(wideScopes)], scopeUnit)
	wideActors   = []scopeKind{scopePrefix, scopeCohort, scopeAgent}
)

// Places in desk.looks: strict looks are as far from the others, and whether an
// attack ever claimed a cell in the place of the cell's actor.
const (
	strictBit  = 16
	suspectBit = 1 << 31
)

// axesOf gives the ways to abuse a unit; units of one role share them.
func (e *Engine) axesOf(u *unit) []axis {
	key := string(u.role)
	if u.id == "site" {
		key = u.id
	}
	list, ok := e.axes[key]
	if !ok {
		list = axes(u)
		for i := range list {
			list[i].bit = 1 << i
		}
		e.axes[key] = list
	}
	return list
}

// axes makes the ways to abuse a unit.
func axes(u *unit) []axis {
	guess := axis{name: "guess", kin: true, narrow: narrowActors, wide: guessScopes, least: 8, like: likeGuess, gate: gateGuess, weigh: weighGuess}
	flood := axis{name: "flood", narrow: narrowActors, wide: wideActors, least: floodLeast, like: likeFlood, gate: gateFlood, weigh: weighFlood}
	switch {
	case u.id == "site":
		return []axis{
			{name: "scan", kin: true, narrow: narrowActors, wide: wideActors, least: probeSigs, like: likeProbe, gate: gateProbe, weigh: weighProbe, purity: probePurity},
			scatterAxis,
			{name: "script", narrow: []scopeKind{scopeActor}, wide: []scopeKind{scopeAgent, scopePrefix}, least: copiedSteps, like: likeScript, gate: gateScript, weigh: weighScript},
		}
	case u.role == taxonomy.RoleRegister:
		return []axis{
			{name: "register", kin: true, narrow: narrowActors, wide: wideScopes, least: 5, like: likeRegister, gate: gateRegister, weigh: weighRegister, purity: registerPurity},
			{name: "farm", wide: []scopeKind{scopePrint, scopePrefix, scopeCohort, scopeAgent}, least: accountsMadeWide, like: likeFarm, gate: gateRegister, weigh: weighFarm},
			guess, flood, machineAxis, swarmAxis(),
		}
	case u.role == taxonomy.RoleIdentityCheck || u.role == taxonomy.RoleQueryProgress || u.role == taxonomy.RoleCodeSend || u.role == taxonomy.RolePasswordReset:
		guess.like, guess.gate = likeAsk, gateAsk
		if u.role == taxonomy.RoleCodeSend {
			return []axis{guess, sendAxis, flood, machineAxis, swarmAxis()}
		}
		if u.role == taxonomy.RoleQueryProgress {
			return []axis{guess, seekAxis, flood, machineAxis, swarmAxis()}
		}
		return []axis{guess, flood, machineAxis, swarmAxis()}
	case u.role == taxonomy.RoleClaim:
		return []axis{promoAxis()}
	case u.role == taxonomy.RoleOrderCreate:
		return []axis{hoardAxis(), rushAxis()}
	case u.role == taxonomy.RolePayment:
		return []axis{cardAxis()}
	case u.role != "":
		return []axis{guess, flood, machineAxis, swarmAxis()}
	}
	return []axis{
		flood,
		abroadAxis,
		stolenAxis,
		{name: "read", kin: true, narrow: narrowOwners, wide: wideScopes, least: 5, like: likeRead, gate: gateRead, weigh: weighRead, crowd: readCrowd, purity: readPurity, floor: floorRead},
		{name: "bulk", narrow: narrowActors, wide: wideActors, least: bulkLeast, like: likeBulk, gate: gateBulk, weigh: weighBulk, purity: bulkPurity},
		volumeAxis(),
		abroadOpenAxis,
		seekAxis,
		{name: "bot", narrow: narrowActors, least: botLeast, like: likeBot, gate: gateBot, weigh: weighBot},
		machineAxis,
		swarmAxis(),
	}
}

// A candidate is a scope that stands out, with what speaks for it.
type candidate struct {
	axis  string
	scope *scope
	fuse  *fusion
	score float64
}

// Which windows a judgement looks at.
const (
	lookDue   = iota // those with enough news
	lookHot          // those that can be afforded: something stands out
	lookFinal        // all, for a report: nothing is noted
)

// judge looks at a unit over windows and folds what stands out into the book.
func (e *Engine) judge(b *book, u *unit, which int) {
	final := which == lookFinal
	seen := -1
	var longer *scene
	for w := len(windows) - 1; w >= 0; w-- {
		sch := &u.schedule[w]
		if which == lookDue && !e.dueWindow(u, w, sch, false) && !e.dueWindow(u, w, sch, true) || which == lookHot && !u.affords(w) {
			continue
		}
		s := e.look(u, e.now-windows[w], longer)
		longer = s
		if !final {
			sch.size, sch.dirty, sch.last = len(s.refs), 0, e.now
		}
		if len(s.refs) == 0 || len(s.refs) == seen {
			continue // nothing there, or the same as in the longer window
		}
		seen = len(s.refs)
		s.excuse()
		s.targets(b)
		if e.acted(u) {
			s.applause(b)
		}
		for _, ax := range e.axesOf(u) {
			if ax.name == "swarm" {
				s.reopen()
			}
			for _, c := range s.search(ax) {
				b.fold(s, c)
				c.scope.sum.free(s.pool)
			}
		}
		if u.role == taxonomy.RoleCodeSend {
			s.victims(b)
		}
	}
	if !final {
		u.wanted, u.events = false, 0
	}
}

// search finds the scopes of one axis that stand out: narrow ones first, then
// what is left by the wide scope that explains most.
func (s *scene) search(ax axis) []*candidate {
	if s.survey(&ax) < ax.least {
		return nil
	}
	var found, weak []*candidate
	for _, k := range ax.narrow {
		wanted := s.soft
		if k == scopeAddress {
			wanted = s.hard // honest people may share the address
		}
		least := int32(1)
		if k == scopeAddress {
			least = 2 // the actor scope has judged it
		}
		for _, g := range s.groups(k, wanted, least, ax.least, ax.gate, ax.floor != nil) {
			c := s.try(ax, k, g.key, s.members(g), wanted)
			switch {
			case c == nil:
			case c.score >= scoreLikely:
				s.adopt(&ax, c)
				found = append(found, c)
				s.take(c.scope)
			default:
				weak = append(weak, c)
			}
		}
	}
	found, weak = s.join(ax, found, weak)
	ax.crowd = max(ax.crowd, 5)
	// At most one attack of a kind shares a key at a time; eight rounds cover
	// eight attacks on one unit at once.
	for range 8 {
		if !s.crowded(&ax) {
			break
		}
		var best *candidate
		for _, k := range ax.wide {
			s.crowds(&ax, k, func(key uint64, all []int32) {
				c := s.try(ax, k, key, all, s.hard)
				if c != nil && (best == nil || better(c, best)) {
					best = c
				}
			})
		}
		if best == nil {
			break
		}
		s.adopt(&ax, best)
		found = append(found, best)
		s.take(best.scope)
	}
	for _, c := range weak {
		free := true
		for _, i := range c.scope.members {
			free = free && !s.taken[i]
		}
		if free {
			found = append(found, c)
			s.take(c.scope)
		}
	}
	return found
}

// crowded reports whether enough is left to make one wide scope.
func (s *scene) crowded(ax *axis) bool {
	cells, requests := int32(0), 0
	for i, n := range s.desk.counts {
		if s.hard[i] && !s.taken[i] {
			cells++
			requests += int(n)
			if cells >= ax.crowd && requests >= ax.least {
				return true
			}
		}
	}
	return false
}

// excuse takes out what actors did who are known to scan the site: whatever
// they read was read by the scan. Guessing at accounts stays a matter of its
// own.
func (s *scene) excuse() {
	if s.u.id == "site" || s.u.role != "" || len(s.e.book.owner) == 0 {
		return
	}
	s.desk.brief(s)
	for i, look := range s.desk.looks {
		if look&suspectBit != 0 && s.e.scanner(s.cell(int32(i))) {
			s.taken[i], s.explained = true, true
		}
	}
}

// scanner reports whether a cell's actor is known to scan and does no
// business.
func (e *Engine) scanner(c *cell) bool {
	if c.actor == 0 || !e.book.known(c.actor) {
		return false
	}
	a := e.cells.at(c.actor)
	if a.gen != c.actGen || a.business > 0 {
		return false
	}
	ep := e.book.ownerOf(c.actor, a)
	return ep != nil && ep.axis == "scan" && ep.score >= scoreLikely
}

// better prefers the verdict, then what explains more, then the purer.
func better(a, b *candidate) bool {
	if ua, ub := a.scope.turnout(), b.scope.turnout(); ua != ub && min(a.score, b.score) >= scoreLikely {
		return ub // what shares a key is told from the rest before the rest is looked at
	}
	if va, vb := a.fuse.verdict(), b.fuse.verdict(); va != vb {
		return va > vb
	}
	// Of two that explain about as much, the one with fewer honest askers and
	// then the narrower key says it better.
	na, nb := int(a.scope.sum.n), int(b.scope.sum.n)
	// Where a wider key tells another story, it joins two attacks.
	if a.fuse.kind != b.fuse.kind && a.scope.kind != b.scope.kind && na*4 >= nb && nb*4 >= na {
		return a.scope.kind < b.scope.kind
	}
	if na*4 >= nb*3 && nb*4 >= na*3 {
		pa, pb := len(a.scope.members)*len(b.scope.all), len(b.scope.members)*len(a.scope.all)
		if pa*20 > pb*21 || pb*20 > pa*21 {
			return pa > pb
		}
		if a.scope.kind != b.scope.kind {
			return a.scope.kind < b.scope.kind
		}
	}
	if na != nb {
		return na > nb
	}
	return len(a.scope.members)*len(b.scope.all) > len(b.scope.members)*len(a.scope.all)
}

func (s *scene) try(ax axis, k scopeKind, key uint64, all []int32, wanted []bool) *candidate {
	sc := s.gather(k, key, all, wanted)
	if int(sc.sum.n) < ax.least {
		return nil
	}
	least := 5
	if ax.joined {
		least = joinLeast
	}
	if k.wide() && len(sc.members) < least || !ax.gate(&sc.sum, k.wide()) {
		return nil
	}
	s.resum(sc)
	f := ax.weigh(s, sc)
	score := 0.0
	if f != nil {
		s.known(f, sc)
		score = f.score()
	}
	if score >= scoreSuspicious && k.wide() && s.trim(sc) {
		// Judged again without those who came at another time.
		if len(sc.members) < least || !ax.gate(&sc.sum, true) {
			f, score = nil, 0
		} else if f = ax.weigh(s, sc); f != nil {
			s.known(f, sc)
			score = f.score()
		} else {
			score = 0
		}
	}
	if score < scoreSuspicious {
		sc.sum.free(s.pool)
		return nil
	}
	return &candidate{axis: ax.name, scope: sc, fuse: f, score: score}
}

// besides gives the other accounts under guessing that members of a scope try as
// well: what takes one after the other is one attack on all of them.
func (s *scene) besides(subject uint64, sc *scope) (more []mark) {
	if !sc.sum.sets[setSubjects].several() {
		return nil
	}
	for _, i := range s.e.targets.hot {
		x := &s.e.targets.slots[i]
		if x.subject == subject || s.e.units[x.unit].id != s.u.id || x.last < s.from {
			continue
		}
		if in, ok := sc.sum.sets[setSubjects].has(x.subject); in && ok {
			more = append(more, mark{scopeTarget, x.subject})
		}
	}
	return more
}

// targets judges the accounts under guessing, each from all its sources.
func (s *scene) targets(b *book) {
	if s.u.role == "" || len(s.e.targets.hot) == 0 {
		return
	}
	ax := axis{name: "guess", kin: true, like: likeGuess, gate: gateGuess, weigh: weighTarget, least: guessBurst}
	if s.u.role == taxonomy.RolePayment {
		ax = cardTargetAxis()
	}
	s.survey(&ax)
	for _, i := range s.e.targets.hot {
		x := &s.e.targets.slots[i]
		if s.e.units[x.unit].id != s.u.id || x.last < s.from {
			continue
		}
		var all []int32
		for k := range s.refs {
			if s.taken[k] || !s.hard[k] {
				continue
			}
			if in, ok := s.cell(int32(k)).sets[setSubjects].has(x.subject); in && ok {
				all = append(all, int32(k))
			}
		}
		all = s.together(all)
		if c := s.try(ax, scopeTarget, x.subject, all, s.hard); c != nil && c.scope.addrs > 1 {
			c.scope.targets = s.besides(x.subject, c.scope)
			s.adopt(&ax, c)
			b.fold(s, c)
			s.take(c.scope)
		}
	}
}
