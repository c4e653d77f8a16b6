package attack

import (
	"math"
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// Copied scripts: many accounts that go through the same steps in the same
// time. A bot that plays the whole business, from the login to the order, shows
// nothing odd in any single request; but people think between two steps, each
// for as long as he needs, and a program waits as long as it was told. Judged
// are the steps of a program (agent and TLS fingerprint) and not of an address:
// each address may play one account only.

const (
	maxPrograms = 256
	maxPauses   = 32 // steps from one API to another that are followed in a program
	maxKept     = 12 // last steps of a stroll
	pauseSlots  = 96

	pauseLeast  = int64(300e6) // below, a page loads what it shows
	pauseSpread = 5            // slots that a program's own jitter may take: half as much again
	pauseCount  = 12           // steps before a pause says anything
	pauseShare  = 0.7          // of the steps within that spread; of people's, a sixth is

	copiedSteps    = 40
	copiedShare    = 0.7 // of all steps of the program
	copiedKinds    = 3
	copiedAccounts = 10
	conform        = 0.6 // of a client's own steps
	playersWide    = 5   // clients that are judged together
)

// A pause is one step from an API to another, with how long it took.
type pause struct {
	from, to int32
	n        uint32
	slots    [pauseSlots]uint16
}

// slotOf is the place of a duration on a logarithmic scale: ten per cent each.
func slotOf(gap int64) int {
	return min(int(math.Log(float64(gap)/float64(pauseLeast))/math.Log(1.1)), pauseSlots-1)
}

// tempo gives the first of the slots that hold most steps, and how many they
// hold.
func (b *pause) tempo() (at int, n uint32) {
	sum := uint32(0)
	for i := range b.slots {
		sum += uint32(b.slots[i])
		if i >= pauseSpread {
			sum -= uint32(b.slots[i-pauseSpread])
		}
		if sum > n {
			at, n = max(i-pauseSpread+1, 0), sum
		}
	}
	return at, n
}

// A program is all clients with one agent and TLS fingerprint.
type program struct {
	key      uint64
	since    int64
	last     int64
	n        uint32 // steps
	pauses   []pause
	strolls  []int32
	accounts *distinct // who signed in

	flagged bool
	set     map[[2]int32]int // tempo of the steps that are copied
	copied  uint32
	share   float64
}

// A stroll is one client of a program on its way through the site or, once it
// shows a credential, one account: a client may play several at a time, and an
// account may change its address.
type stroll struct {
	key      uint64
	program  uint64
	last     int64
	api      int32
	steps    [maxKept]step
	n        uint32
	blind    bool   // has just signed in, and it was not seen who
	scripted bool   // plays the script, or has played an account that does
	played   uint32 // of a client: steps of accounts that do
	told     uint32 // of an account: steps that its clients know of
}

type step struct {
	client   uint64 // that took it
	from, to int32
	slot     int16
}

// scripts follows programs and their clients. At the caps the one that was
// silent for longest goes.
type scripts struct {
	programs map[uint64]*program
	index    map[uint64]int32
	strolls  []stroll
	limit    int
	next     int
	lost     uint64
}

func (x *scripts) init(limit int) {
	x.programs, x.index, x.limit = make(map[uint64]*program), make(map[uint64]int32), limit
}

// program gives the state of a program, made or begun anew where it was silent.
func (x *scripts) program(p *pool, key uint64, now int64) *program {
	g := x.programs[key]
	if g != nil && (now-g.last > 2*burstGap || !g.flagged && now-g.since > horizon) {
		x.drop(p, g)
		g = nil
	}
	if g != nil {
		return g
	}
	if len(x.programs) >= maxPrograms {
		var oldest *program
		for _, o := range x.programs {
			if oldest == nil || o.last < oldest.last || o.last == oldest.last && o.key < oldest.key {
				oldest = o
			}
		}
		x.drop(p, oldest)
		x.lost++
	}
	g = &program{key: key, since: now, last: now}
	x.programs[key] = g
	return g
}

func (x *scripts) drop(p *pool, g *program) {
	p.release(g.accounts)
	delete(x.programs, g.key)
}

// stroll gives the state of a client.
func (x *scripts) stroll(key, program uint64, g *program) *stroll {
	if i, ok := x.index[key]; ok {
		w := &x.strolls[i]
		if w.last < g.since { // of another time
			*w = stroll{key: key, program: program}
			x.enlist(g, i)
		}
		return w
	}
	var i int32
	if len(x.strolls) < x.limit {
		i = int32(len(x.strolls))
		x.strolls = append(x.strolls, stroll{})
	} else {
		i = int32(x.next)
		x.next = (x.next + 1) % len(x.strolls)
		delete(x.index, x.strolls[i].key)
		x.lost++
	}
	x.index[key] = i
	x.strolls[i] = stroll{key: key, program: program}
	x.enlist(g, i)
	return &x.strolls[i]
}

// enlist adds a client to its program's list. Slots are used again, so the
// list is cleaned of those that have gone to others before it outgrows them.
func (x *scripts) enlist(g *program, i int32) {
	if len(g.strolls) >= 2*x.limit {
		slices.Sort(g.strolls)
		g.strolls = slices.DeleteFunc(slices.Compact(g.strolls), func(i int32) bool { return x.strolls[i].program != g.key })
	}
	g.strolls = append(g.strolls, i)
}

// strollKey names a client whatever its headers: they differ between reading
// and writing.
func strollKey(addr, agent uint64, ja4 uint16) uint64 {
	return join(join(addr, agent), uint64(ja4)+1)
}

// follow takes the next request of a client to an API and reports whether the
// client plays a copied script.
func (e *Engine) follow(ev *catalog.Event, c *cell, i int32) bool {
	if i == 0 || ev.Agent == 0 || c.addr == 0 {
		return false
	}
	x := &e.scripts
	now := ev.End
	key := join(ev.Agent, uint64(c.ja4)+1)
	account, blind := uint64(0), false
	if role := e.apis[i].role; role == taxonomy.RoleLogin || role == taxonomy.RoleLoginCode {
		if ev.Outcome == catalog.OutcomeSuccess {
			account = subjectOf(ev)
		}
		blind = account == 0 && unseen(ev) // who signs in is told by what is shown then
	}
	if account == 0 && !blind && x.programs[key] == nil {
		return false // a program is followed from the first account that it signs in
	}
	g := x.program(&e.pool, key, now)
	client := strollKey(c.addr, c.agent, c.ja4)
	w := x.stroll(client, key, g)
	if cred := ev.Who.Credential; cred != 0 && account == 0 {
		if w.blind {
			e.pool.add(&g.accounts, cred)
		}
		w = x.account(join(cred, key), key, g, w, now)
	}
	from, gap := w.api, now-w.last
	w.api, w.last, w.blind, g.last = i, now, blind, max(g.last, now)
	if account != 0 {
		e.pool.add(&g.accounts, account)
		for k := range ev.Issued {
			a := x.stroll(join(ev.Issued[k].Token, key), key, g)
			a.api, a.last = i, now
		}
		w = x.stroll(client, key, g) // they may have moved
	}
	if identityRole(e.apis[i].role) || from == 0 || from == i || gap < pauseLeast || gap > burstGap {
		return w.scripted
	}
	at := slotOf(gap)
	g.n++
	b := g.pause(from, i)
	if b == nil {
		return w.scripted
	}
	b.n++
	if b.slots[at] < math.MaxUint16 {
		b.slots[at]++
	}
	w.steps[w.n%maxKept] = step{client, from, i, int16(at)}
	w.n++
	if g.n >= copiedSteps && g.n%16 == 0 {
		x.judge(e, g)
	}
	if g.flagged && g.plays(w) {
		x.caught(w)
	}
	return w.scripted
}

// account gives the state of an account that a client shows the credential of. One
// that is new comes from where the client was, which signed it in.
func (x *scripts) account(key, program uint64, g *program, client *stroll, now int64) *stroll {
	api, last := client.api, client.last
	client.api, client.last, client.blind = 0, now, false
	w := x.stroll(key, program, g)
	if w.last == 0 {
		w.api, w.last = api, last
	}
	return w
}

// caught notes that a stroll plays the script, and that the clients did that took
// its steps.
func (x *scripts) caught(w *stroll) {
	w.scripted = true
	for w.told = max(w.told, w.n-min(w.n, maxKept)); w.told < w.n; w.told++ {
		s := &w.steps[w.told%maxKept]
		if i, ok := x.index[s.client]; ok && s.client != w.key {
			x.strolls[i].scripted = true
			x.strolls[i].played++
		}
	}
}

// most reports whether most of a client's n requests are of the script: people may
// share its address, and have its program, too.
func (w *stroll) most(n uint32) bool { return w.played == 0 || w.played*2 >= n }

// pause finds a step, nil when the program has more kinds of steps than are
// followed: then it wanders.
func (g *program) pause(from, to int32) *pause {
	for i := range g.pauses {
		if b := &g.pauses[i]; b.from == from && b.to == to {
			return b
		}
	}
	if len(g.pauses) >= maxPauses {
		return nil
	}
	g.pauses = append(g.pauses, pause{from: from, to: to})
	return &g.pauses[len(g.pauses)-1]
}

// judge decides whether a program's clients copy one script.
func (x *scripts) judge(e *Engine, g *program) {
	if g.accounts.count() < copiedAccounts {
		return
	}
	set := map[[2]int32]int{}
	copied, entry := uint32(0), false
	for i := range g.pauses {
		b := &g.pauses[i]
		at, n := b.tempo()
		if b.n < pauseCount || float64(n) < pauseShare*float64(b.n) || x.common(g, b) {
			continue
		}
		set[[2]int32{b.from, b.to}] = at
		copied += n
		entry = entry || identityRole(e.apis[b.from].role)
	}
	g.copied, g.share = copied, share(copied, g.n)
	if len(set) < copiedKinds || !entry || copied < copiedSteps || g.share < copiedShare {
		return
	}
	g.flagged, g.set = true, set
	for _, i := range g.strolls {
		if w := &x.strolls[i]; w.program == g.key && w.last >= g.since && g.plays(w) {
			x.caught(w)
		}
	}
}

// common reports whether other programs take the step in their own fixed time:
// then it is the site's doing, a page that polls or a timer.
func (x *scripts) common(g *program, b *pause) bool {
	for _, o := range x.programs {
		if o == g || o.flagged {
			continue
		}
		for i := range o.pauses {
			p := &o.pauses[i]
			if p.from != b.from || p.to != b.to || p.n < pauseCount {
				continue
			}
			if _, n := p.tempo(); float64(n) >= pauseShare*float64(p.n) {
				return true
			}
		}
	}
	return false
}

// plays reports whether a client's steps keep the tempo of the script.
func (g *program) plays(w *stroll) bool {
	n := min(w.n, maxKept)
	if n == 0 {
		return false
	}
	hits := 0
	for _, s := range w.steps[:n] {
		if at, ok := g.set[[2]int32{s.from, s.to}]; ok && int(s.slot) >= at-1 && int(s.slot) <= at+pauseSpread {
			hits++
		}
	}
	return float64(hits) >= conform*float64(n)
}

// likeScript looks at actors: the script goes through many APIs.
func likeScript(s *scene, c *cell, _ bool) bool {
	i, ok := s.e.scripts.index[strollKey(c.addr, c.agent, c.ja4)]
	return ok && s.e.scripts.strolls[i].scripted && s.e.scripts.strolls[i].most(c.n)
}

func weighScript(s *scene, sc *scope) *fusion {
	if len(sc.members) == 0 {
		return nil
	}
	c := s.cell(sc.members[0])
	g := s.e.scripts.programs[join(c.agent, uint64(c.ja4)+1)]
	if g == nil || !g.flagged {
		return nil
	}
	if !sc.kind.wide() && s.players(c) >= playersWide {
		return nil // one of many
	}
	for _, i := range sc.members { // one program, one script
		if m := s.cell(i); m.agent != c.agent || m.ja4 != c.ja4 {
			return nil
		}
	}
	f := &fusion{kind: taxonomy.AttackBot}
	f.say(taxonomy.FamilyTiming, ramp(g.share, copiedShare, 3.5, 0.95, 5), "copied", g.share, 1.0/6)
	f.say(taxonomy.FamilyHerd, ramp(g.accounts.count(), copiedAccounts, 4, 60, 6), "same_script", int(g.accounts.count()), 1)
	f.say(taxonomy.FamilySequence, ramp(float64(g.n)/float64(len(g.pauses)), 5, 1, 30, 3), "few_steps", len(g.pauses), int(g.n))
	s.protocol(f, sc)
	s.network(f, sc)
	return f
}

// players counts the askers that play a cell's program.
func (s *scene) players(c *cell) int {
	n := 0
	for i := range s.refs {
		if m := s.cell(int32(i)); m.agent == c.agent && m.ja4 == c.ja4 && likeScript(s, m, true) {
			n++
		}
	}
	return n
}

func gateScript(t *tally, _ bool) bool { return t.n >= copiedSteps }
