package attack

import (
	"strings"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// observeAPI counts the event in its API's cell.
func (e *Engine) observeAPI(ev *catalog.Event, i int32, print uint64, ar ref, actor *cell) {
	s := &e.apis[i]
	s.n++
	if len(ev.Passwords) > 0 {
		s.pw++
	}
	e.party = e.agreed(ev, s)
	p := principal(ev)
	// Headers differ between reading and writing, so what an anonymous client
	// was offered is remembered by address and agent.
	reader := p
	if reader == 0 {
		reader = join(hashAddr(ev.Who.Client), ev.Agent)
	}
	target := join(ev.Object, ev.ParamShape)
	if s.role == taxonomy.RoleSearch || s.role == taxonomy.RoleList {
		target = ev.ParamShape // what is searched for makes it no other request: floods change it past caches
	}
	sub := join(join(print, ev.ParamShape), p)
	if s.id == "door" {
		sub = join(sub, s.door+1)
	}
	r, c := e.cell(ev, i, sub, target)
	c.actor, c.actGen, c.whole = ar, actor.gen, actor.n
	c.shape, c.cred, c.who = ev.ParamShape, p, actor.sub
	if cr := ev.Who.Credential; cr != 0 {
		e.pool.add(&c.sets[setCreds], cr)
	}
	switch e.came {
	case cameUsual:
		c.usual++
	case cameDirect:
		c.direct++
	}
	e.countSend(ev, i, c) // may make a unit
	u := &e.units[s.unit]
	// A request that carries an attack signature is evidence for a scan; as a
	// login or a read it means nothing.
	if patterns(ev) != sigPayload {
		if u.role != "" {
			e.countIdentity(ev, c, actor, s, u)
		} else {
			e.countObjects(ev, c, u, reader)
			e.countVolume(ev, c, s)
		}
	}
	if patterns(ev) != sigPayload {
		e.countLook(ev, c, s, reader)
		e.countEngagement(ev, c, s, reader)
	}
	e.countUse(ev, s, reader)
	e.remember(ev, reader)
	e.trade(ev, i, r, c)
	e.touch(r, c)
	if c.n >= floodPart && c.repeats*10 >= c.n*9 && c.gapSum <= float64(c.gaps) {
		u.watch = true
		e.mark(c, c.first)
		e.mark(c, ev.End)
	}
	if c.peak >= floodPeak {
		u.watch = true
		e.mark(c, c.surge)
		e.mark(c, ev.End)
	}
	e.machined(ev, c, actor, s, u)
	e.swarmed(ev, c, s, u)
	if e.marked {
		e.hintAPI(ev, c, s)
		e.news(u)
	}
	e.heated(u, c, e.marked)
}

// countIdentity counts what a request to an identity API says about accounts.
func (e *Engine) countIdentity(ev *catalog.Event, c, actor *cell, s *apiState, u *unit) {
	subject := subjectOf(ev)
	says := ev.MessageSays
	set := observe.SetFeature{}
	if len(ev.Accounts) > 0 {
		set = ev.Accounts[0].Set
	}
	if subject == 0 && looksUp(u.role) {
		subject, set = lookup(ev)
	}
	code := codeOf(ev)
	if code != 0 && takesCode(u.role) && subject == 0 {
		// A step of a dialogue names nobody: it is about who is in the dialogue.
		if subject = principal(ev); subject == 0 {
			subject = actor.sub
		}
	}
	ok := ev.Outcome == catalog.OutcomeSuccess
	asked := u.role == taxonomy.RoleIdentityCheck || u.role == taxonomy.RolePasswordReset || u.role == taxonomy.RoleQueryProgress
	if asked {
		says |= ev.Verdict.Says // {"registered":true}
	}
	if c.blind >= 8 {
		u.watch = true
		e.mark(c, ev.End)
	}
	var tag uint32
	for k := range ev.Passwords {
		if p := &ev.Passwords[k]; p.Use != observe.PasswordConfirm {
			tag = p.Tag | 1<<31 // tag 0 is a tag
			break
		}
	}
	if u.role == taxonomy.RoleLogin && unseen(ev) {
		if c.blind == 0 {
			s.tried++
		}
		c.blind++
		if !c.moved && ev.Status >= 300 && ev.Status < 400 {
			c.moved = true
			s.on++
		}
	}
	if code != 0 && takesCode(u.role) {
		e.countCode(c, subject, code)
	}
	if tag != 0 {
		c.pw++
		e.pool.add(&c.sets[setTags], uint64(tag))
	}
	if subject != 0 {
		c.subj++
		e.pool.add(&c.sets[setSubjects], subject)
		if ev.Who.NewSubject {
			c.novel++
		}
		if ev.Who.Registered && u.role != taxonomy.RoleRegister {
			c.registered++
		}
		if tag != 0 {
			e.pool.add(&c.sets[setPairs], join(subject, uint64(tag)))
		}
		if len(ev.Accounts) > 0 {
			e.pool.add(&c.sets[setPatterns], pattern(&ev.Accounts[0]))
		}
		e.walkTo(c, set)
	}
	switch {
	case says&observe.SaysNotRegistered != 0 || ev.Outcome == catalog.OutcomeNotFound && says&(observe.SaysBadPair|observe.SaysWrongSecret) == 0:
		c.absent++
	case says&observe.SaysRegistered != 0, says&observe.SaysWrongSecret != 0 && tag != 0 && u.role != taxonomy.RoleRegister:
		c.exists++
	case ok && u.role != taxonomy.RoleRegister:
		c.told++
	}
	if says&observe.SaysWrongSecret != 0 {
		c.wrong++
	}
	failed := !ok && ev.Outcome != catalog.OutcomeUnknown && ev.Outcome != catalog.OutcomeError && ev.Outcome != catalog.OutcomeRedirect
	if failed || asked && (u.role != taxonomy.RolePasswordReset || ev.Verdict.Hash != 0) {
		class := ev.ResponseClass
		if ok && u.role == taxonomy.RoleIdentityCheck && ev.Verdict.Hash == 0 && ev.RespBytes < yesOrNo {
			class ^= uint32(ev.RespBytes) << 16 // yes and no of one form, in words that nobody reads, differ in length
		}
		c.class(class, 1)
	}
	if !ok && !failed && c.fail >= 8 && c.succ*4 <= c.fail {
		e.mark(c, ev.End) // a guesser goes on when the server is down
	}
	if failed {
		e.mark(c, ev.End)
		guess := tag
		if code != 0 && takesCode(u.role) {
			guess = uint32(code) | 1<<31
		}
		if subject != 0 && e.targets.fail(&e.pool, s.unit, subject, guess, guessBurst, ev.End) {
			u.watch = true
		}
		u.watch = true
	}
	if ok {
		if looksUp(u.role) {
			e.countExposed(ev, c, u)
		}
		if tag != 0 && subject != 0 && u.role == taxonomy.RoleLogin {
			e.initial.open(&e.pool, tag, subject)
		}
		if len(ev.Issued) > 0 {
			c.issued++
			for k := range ev.Issued {
				e.wait(join(ev.Issued[k].Token, 1), c)
			}
		}
		if u.role == taxonomy.RoleRegister {
			u.watch = true
			actor.made++
			e.mark(c, ev.End)
			if subject != 0 {
				e.wait(join(subject, 2), c)
			}
		} else if identityRole(u.role) && len(ev.Issued) == 0 {
			u.watch = true
			e.mark(c, ev.End)
		}
	}
}

func (e *Engine) wait(key uint64, c *cell) {
	if r := e.cells.index.get(c.key); r != 0 {
		e.pending.put(key, r, c.gen, e.now)
	}
}

// pattern hashes what serial account names share: place, length and the first
// characters that the shape shows.
func pattern(a *observe.Account) uint64 {
	lead := a.Shape
	for i := range len(lead) {
		if b := lead[i]; b < 'A' && b != '+' || b == '*' {
			lead = lead[:i]
			break
		}
	}
	return join(hashText(lead), uint64(a.Kind))
}

// countObjects counts what a request to any other API says about whose data
// was read.
func (e *Engine) countObjects(ev *catalog.Event, c *cell, u *unit, asker uint64) {
	ok := ev.Outcome == catalog.OutcomeSuccess
	if e.party {
		c.signed++
	}
	if ev.Object != 0 {
		c.obj++
		e.countWalk(ev, c)
		switch {
		case ok:
			e.countRead(ev, c, u, asker)
		case ev.Outcome == catalog.OutcomeNotFound || ev.Outcome == catalog.OutcomeDenied:
			c.miss++
			e.mark(c, ev.End)
		}
	}
	if ok && ev.Method != "HEAD" {
		e.countExposed(ev, c, u)
	}
}

func (e *Engine) countRead(ev *catalog.Event, c *cell, u *unit, asker uint64) {
	s := &e.apis[c.api]
	s.reads++
	e.pool.add(&c.sets[setObjects], ev.Object)
	mine := e.made.has(join(asker, ev.Object))
	switch {
	case ev.Ownership == catalog.OwnershipForeign:
		c.foreign++
		if ev.Owner != 0 {
			e.pool.add(&c.sets[setOwners], ev.Owner)
		}
		mine = false
	case ev.Ownership == catalog.OwnershipOwn || mine:
		c.own++
		mine = true
	}
	if !mine {
		e.mark(c, ev.End)
		if !e.given.has(join(asker, ev.Object)) {
			c.unissued++
		}
	}
	if c.foreign >= 5 || c.obj >= 20 || s.reads >= 50 {
		u.watch = true
	}
}

// countWalk follows the order in which objects are asked for, found or not.
func (e *Engine) countWalk(ev *catalog.Event, c *cell) {
	e.walkTo(c, objectSet(ev))
}

// walkTo follows the place of what is asked for in its space.
func (e *Engine) walkTo(c *cell, set observe.SetFeature) {
	if set.Prefix == 0 {
		return
	}
	c.enum++
	e.pool.add(&c.sets[setBlocks], set.Prefix)
	step := int16(set.Position) - int16(c.lastPos)
	if set.Prefix == c.lastPrefix && step != 0 && step == c.lastStep {
		c.steps++
	}
	if set.Prefix == c.lastPrefix && step > 0 && step <= 8 {
		c.rises++
	}
	if set.Prefix == c.lastPrefix {
		c.lastStep = step
	}
	c.lastPrefix, c.lastPos = set.Prefix, set.Position
}

// numbered reports whether the request names an object by number at a known
// API: one that is not there is an id that does not exist and no path.
func numbered(ev *catalog.Event) bool {
	return ev.API != nil && ev.Object != 0 && objectSet(ev).Prefix != 0
}

// objectSet finds where the named object stands in its space.
func objectSet(ev *catalog.Event) observe.SetFeature {
	for k := range ev.Segments {
		if s := &ev.Segments[k]; s.Token == ev.Object {
			if s.Set.Prefix == 0 && s.Class == observe.ClassFile {
				return fileSet(s.Text)
			}
			return s.Set
		}
	}
	for k := range ev.Params {
		if ev.Params[k].Token == ev.Object {
			return ev.Params[k].Set
		}
	}
	return observe.SetFeature{}
}

// fileSet finds the number in a file name such as 123456.html or item-77.jpg:
// pages of a shop or a forum are numbered so.
func fileSet(name string) observe.SetFeature {
	stem, _, _ := strings.Cut(name, ".")
	from := len(stem)
	for from > 0 && stem[from-1] >= '0' && stem[from-1] <= '9' {
		from--
	}
	if d := len(stem) - from; d < 2 || d > 18 {
		return observe.SetFeature{}
	}
	var v uint64
	for i := from; i < len(stem); i++ {
		v = v*10 + uint64(stem[i]-'0')
	}
	return observe.SetFeature{Prefix: join(hashText(stem[:from]), v/64) | 1, Position: uint16(v % 64)}
}

// countExposed counts whose sensitive data a response gave, by the type that
// names most people: several types of one record are one person.
func (e *Engine) countExposed(ev *catalog.Event, c *cell, u *unit) {
	var most *observe.Exposure
	level := 0
	for k := range ev.Exposures {
		x := &ev.Exposures[k]
		if !x.Response || x.Masked || x.Type.Level() < 2 {
			continue
		}
		level = max(level, x.Type.Level())
		if most == nil || x.Distinct > most.Distinct {
			most = x
		}
	}
	if most == nil {
		return
	}
	e.apis[c.api].people++
	c.level = max(c.level, uint8(level))
	c.people = max(c.people, most.Distinct)
	for _, s := range most.Subjects {
		e.pool.add(&c.sets[setExposed], s)
	}
	if level >= abroadLevel && e.abroad(c) != 0 {
		u.watch = true
		e.mark(c, ev.End)
	}
	if ev.Who.Credential == 0 && !e.party && (most.Distinct >= manyPeople || level >= 3 && most.Distinct >= 2) {
		c.bulk++
		u.watch = true
		e.mark(c, ev.End)
	}
}

// remember keeps which objects the asker wrote itself and which a response
// handed to it, so that reading them later is no guess.
func (e *Engine) remember(ev *catalog.Event, asker uint64) {
	if ev.Outcome != catalog.OutcomeSuccess {
		return
	}
	if (ev.Method == "POST" || ev.Method == "PUT") && (ev.API == nil || ev.API.Operation == "" || !ev.API.Reads()) {
		for k := range min(len(ev.Params), tokensMade) {
			if t := ev.Params[k].Token; t != 0 {
				e.made.add(join(asker, t))
			}
		}
		if ev.Method == "POST" {
			for k := range min(len(ev.Leaves), tokensMade) {
				if ev.Leaves[k].Record == 0 {
					e.made.add(join(asker, ev.Leaves[k].Token))
				}
			}
		}
	}
	for k := range min(len(ev.Leaves), leavesGiven) {
		e.given.add(join(asker, ev.Leaves[k].Token))
	}
}
