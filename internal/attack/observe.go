package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/taxonomy"
)

const (
	floodLeak    = 10.0 // requests a second that a bucket leaks
	manyPeople   = 20   // people in one response that make it a bulk read
	namesPerAPI  = 512
	leavesGiven  = 64
	tokensMade   = 16
	pathDistinct = 3 // askers after which a missing path with the site's referrer is a broken link
)

// Observe takes the next event of the site, in order.
func (e *Engine) Observe(ev *catalog.Event) {
	for _, m := range ev.Merges {
		e.merge(m)
	}
	if ev.Observation == nil || ev.Stream == observe.StreamTold {
		return // what a server sends unasked is nobody's doing
	}
	if ev.End > e.now {
		e.now = ev.End
	}
	e.cells.now = e.now
	e.expire(2)
	if e.imported != nil {
		e.imported.observe(e, ev)
	}

	e.marked = false
	if refused(ev) {
		fixed := *ev
		fixed.Outcome = catalog.OutcomeRejected
		e.event = fixed
		ev = &e.event
	}
	i := e.api(ev.API)
	f := fingerprint(ev)
	ar, actor := e.cell(ev, 0, f, f)
	e.countActor(ev, actor, i)
	actor.who = f
	if actor.n == 1 {
		e.faces.add(actor.cohort)
	}
	e.tell(ev, actor)
	e.touch(ar, actor)
	e.travel(ev, actor.n == 1)
	e.use(ev, actor)
	plays := e.follow(ev, actor, i)
	e.came = e.flowed(ev, actor, i)
	if plays {
		e.mark(actor, actor.first)
		e.mark(actor, ev.End)
	}
	site := e.marked
	e.marked = false
	if d := e.door(ev, i); d != 0 {
		i = d
	}
	if i != 0 {
		e.observeAPI(ev, i, f, ar, actor)
	}
	u := &e.units[0]
	if site && (plays || actor.sigs+actor.missing >= 5 || actor.sets[setNames] != nil) {
		u.watch = true
	}
	if site {
		e.news(u)
	}
	e.heated(u, actor, site)
	e.expireBook()
}

// touch moves a cell to the front of its recency lists.
func (e *Engine) touch(r ref, c *cell) { e.cells.touch(r, c, &e.apis[c.api].cells) }

func (e *Engine) expireBook() {
	if e.now-e.book.checked > 60e9 {
		e.book.close(e, e.now)
	}
}

// news counts an event for a unit and judges it when there is enough.
func (e *Engine) news(u *unit) {
	for w := range u.schedule {
		u.schedule[w].dirty++
	}
	if e.due(u, false) {
		e.judge(e.book, u, lookDue)
	}
}

// fingerprint is what tells askers behind one address apart.
func fingerprint(ev *catalog.Event) uint64 {
	return join(join(hashAddr(ev.Who.Client), ev.Who.Cohort), ev.Agent)
}

// principal is who asks, as stable as can be known.
func principal(ev *catalog.Event) uint64 {
	if ev.Who.Principal != 0 {
		return ev.Who.Principal
	}
	return ev.Who.Credential
}

// subjectOf is the account that the request is about.
func subjectOf(ev *catalog.Event) uint64 {
	if ev.Who.Subject != 0 {
		return ev.Who.Subject
	}
	if len(ev.Accounts) > 0 {
		return ev.Accounts[0].Token
	}
	return 0
}

// cell finds or makes the cell with that sub-key in API i, counts the request
// in it and gives it.
func (e *Engine) cell(ev *catalog.Event, i int32, sub, target uint64) (ref, *cell) {
	key := cellKey(sub, e.apis[i].handle)
	r := e.cells.index.get(key)
	if r != 0 {
		c := e.cells.at(r)
		// A busy cell ends with its burst, so that an old and quiet history
		// neither hides nor stretches what comes later.
		if c.n >= 8 && !c.failing() && (ev.End-c.last > burstGap || ev.End-c.first > burstSpan && !e.book.owns(r, c)) {
			follow, business := c.follow > 0, c.business
			e.retire(r, c)
			r, c = e.insert(ev, i, sub, key)
			if follow {
				c.follow = 1
			}
			c.business = min(business, 1)
		}
		e.count(ev, c, target)
		e.cells.stamp(r, c)
		return r, c
	}
	r, c := e.insert(ev, i, sub, key)
	e.count(ev, c, target)
	e.cells.stamp(r, c)
	return r, c
}

// failing reports whether a cell does little but fail to get in, or have codes
// sent that nobody enters, or ask about one account or object after the other: slow abuse shows over a day only, and there is no
// honest history that could hide it.
func (c *cell) failing() bool {
	return c.api != 0 && (c.subj > 0 && c.fail*5 >= c.n*4 || c.blind*2 >= c.n || c.asked*5 >= c.n*4 && c.follow == 0 ||
		c.subj >= 8 && c.sets[setSubjects].count() >= 8 && c.follow == 0 || c.asks*5 >= c.n*4 && c.heeded == 0 || max(c.steps, c.rises) >= 15 && max(c.steps, c.rises)*2 >= c.obj)
}

func (e *Engine) insert(ev *catalog.Event, i int32, sub, key uint64) (ref, *cell) {
	for v := e.cells.victim(); v != 0; v = e.cells.victim() {
		e.retire(v, e.cells.at(v))
		e.cells.Evicted++
	}
	r, c := e.cells.insert(key)
	c.sub, c.api = sub, i
	c.ip, c.cohort, c.agent, c.header = ev.Who.Client.Unmap(), ev.Who.Cohort, ev.Agent, ev.HeaderOrder
	if c.ip.IsValid() {
		c.addr, c.net = hashAddr(c.ip), hashAddr(prefixOf(c.ip).Addr())
	}
	c.ja4, c.family, c.h2 = e.labels.of(ev.JA4), e.labels.of(ev.AgentFamily), e.labels.of(ev.H2)
	c.where = ev.Net
	c.shared = ev.Who.Shared
	c.firstID = hashText(ev.ID)
	e.cells.pushAPI(&e.apis[i].cells, r)
	return r, c
}

// count counts what every cell counts.
func (e *Engine) count(ev *catalog.Event, c *cell, target uint64) {
	now := ev.End
	if day := e.days.of(now); day != c.day {
		e.turn(c, day)
	}
	if c.n > 0 {
		gap := float64(now-c.last) / 1e9
		if gap < 0 {
			gap = 0
		}
		c.gaps++
		c.gapSum += gap
		c.gapSq += gap * gap
		c.bucket = max(0, c.bucket-float32(gap*floodLeak))
		if c.lastTarget == target {
			c.repeats++
		}
	}
	c.lastTarget = target
	if c.bucket == 0 {
		c.surge = now
	}
	c.bucket++
	c.peak = max(c.peak, c.bucket)
	widen(&c.first, &c.last, now, now)
	c.n++
	if ev.AgentTool {
		c.tool++
	}
	switch ev.Outcome {
	case catalog.OutcomeSuccess:
		c.succ++
	case catalog.OutcomeRejected, catalog.OutcomeDenied, catalog.OutcomeThrottled, catalog.OutcomeNotFound, catalog.OutcomeInvalid:
		c.fail++
	case catalog.OutcomeError:
		c.err++
	}
	if ev.Status == 0 && ev.Caps != 0 {
		c.err++
	}
	if e.refused = blocked(ev); e.refused {
		c.blocked++
	}
}

// refused reports whether a login that is taken for a success says itself that
// it is none; while an attack makes up most of the answers, the catalogue may
// take the code of its refusals for that of success.
func refused(ev *catalog.Event) bool {
	const no = observe.SaysNotRegistered | observe.SaysWrongSecret | observe.SaysBadPair
	return ev.Outcome == catalog.OutcomeSuccess && ev.MessageSays&no != 0 && ev.MessageSays&observe.SaysSuccess == 0 &&
		len(ev.Passwords) > 0 && len(ev.Issued) == 0
}

// blocked reports whether a control refused the request, as opposed to the
// application judging what it asked.
func blocked(ev *catalog.Event) bool {
	switch ev.Outcome {
	case catalog.OutcomeThrottled:
		return true
	case catalog.OutcomeDenied:
		const judged = observe.SaysWrongSecret | observe.SaysBadPair | observe.SaysNotRegistered
		// A login that shows no password in a log answers 401 to a wrong one.
		login := ev.API != nil && ev.API.Role == taxonomy.RoleLogin || ev.API == nil && namesLogin(ev)
		return len(ev.Passwords) == 0 && ev.MessageSays&judged == 0 && !(login && ev.Status == 401)
	}
	return ev.MessageSays&(observe.SaysThrottled|observe.SaysLocked|observe.SaysCaptcha) != 0 && ev.Outcome != catalog.OutcomeSuccess
}

// mark notes that the request looks like abuse; only such requests are news.
func (e *Engine) mark(c *cell, now int64) {
	switch {
	case now <= c.first:
		c.lead = 0
	case c.aLast == 0 && now == c.last:
		c.lead = c.n - 1
	case c.aLast == 0:
		c.lead = c.n
	}
	c.atMark = c.n
	widen(&c.aFirst, &c.aLast, now, now)
	e.marked = true
}

// countActor counts what concerns the site as a whole: missing paths,
// signatures, foreign parameter names, business.
func (e *Engine) countActor(ev *catalog.Event, c *cell, i int32) {
	part := counts{n: 1}
	if ev.Outcome == catalog.OutcomeSuccess {
		part.succ = 1
	}
	if e.refused {
		part.blocked = 1
	}
	e.enter(c, c.day, i, part)
	p := principal(ev)
	if p != 0 {
		e.pool.add(&c.sets[setCreds], p)
	}
	if ev.Outcome == catalog.OutcomeSuccess && p != 0 && i != 0 && !identityRole(e.apis[i].role) && patterns(ev) != sigPayload {
		if c.business++; c.business == 1 {
			e.fleet.add(c.cohort)
		}
		e.worked = true
	}
	bad := false
	sig := patterns(ev)
	if sig == sigAgent {
		c.scanner++
	}
	nowhere := ev.API == nil && ev.Status >= 400 && ev.Status < 500
	if nowhere {
		c.junk++
	}
	if (nowhere || ev.Outcome == catalog.OutcomeNotFound && len(ev.Passwords) == 0 && !numbered(ev)) && ev.Method != "OPTIONS" {
		e.missing(ev, c)
		bad = true
	}
	// To ask for one sensitive path again and again is monitoring or a broken
	// client; every further path counts.
	if sig == sigPayload || sig == sigProbe && ev.Outcome != catalog.OutcomeSuccess && e.pool.add(&c.sets[setProbes], pathHash(ev)) {
		bad = true
		e.countPattern(ev, c)
	}
	if e.newNames(ev, c, i) {
		bad = true
	}
	if bad {
		e.mark(c, ev.End)
		if ev.Method != "" {
			e.hint(c, markPath, pathHash(ev))
		}
	}
}

func pathHash(ev *catalog.Event) uint64 { return PathOf(ev.Observation) }

// PathOf names what was asked for, as selectors do for what is no API.
func PathOf(ev *observe.Observation) uint64 {
	h := hashText(ev.Method)
	for k := range ev.Segments {
		s := &ev.Segments[k]
		if s.Token != 0 {
			h = join(h, s.Token)
		} else {
			h = join(h, hashText(s.Text))
		}
	}
	if name := operation(ev); name != "" {
		h = join(h, hashText(name))
	}
	return h
}

// operation is what is asked for where one path serves many functions; of
// GraphQL by its root fields, since clients name operations as they like.
func operation(ev *observe.Observation) string {
	switch {
	case ev.Protocol == rpc.None:
		return ""
	case ev.Root != "":
		return ev.Root
	}
	return ev.Operation
}

// missing counts a request for something that is not there.
func (e *Engine) missing(ev *catalog.Event, c *cell) {
	h := pathHash(ev)
	fresh := e.pool.add(&c.sets[setPaths], h)
	if fresh && ev.Referer != "" {
		e.links.followed(h)
	}
	c.missing++
}

// newNames looks for parameter names that nobody else uses; a parameter
// structure that is known needs no look.
func (e *Engine) newNames(ev *catalog.Event, c *cell, i int32) bool {
	if len(ev.Params) == 0 || i == 0 {
		return false
	}
	s := &e.apis[i]
	if s.shapes == nil {
		s.shapes = new([shapeSlots]uint64)
	}
	slot := &s.shapes[ev.ParamShape%shapeSlots]
	if ev.ParamShape != 0 && *slot == ev.ParamShape {
		return false
	}
	foreign := false
	for k := range ev.Params {
		h := join(hashText(ev.Params[k].Name), uint64(s.handle))
		un, learned := e.names.use(h, c.sub, s.named < namesPerAPI)
		if learned {
			s.named++
		}
		if un {
			foreign = true
			e.pool.add(&c.sets[setNames], h)
		}
	}
	if !foreign {
		*slot = ev.ParamShape
	}
	return foreign
}

// use credits a cell with the first use of what it obtained.
func (e *Engine) use(ev *catalog.Event, actor *cell) {
	if c := ev.Who.Credential; c != 0 {
		e.credit(join(c, 1), ev)
	}
	if p := ev.Who.Principal; p != 0 && ev.Who.Credential != 0 {
		e.credit(join(p, 2), ev)
	}
	if ev.API != nil && ev.API.Role == taxonomy.RoleLogin && ev.Outcome == catalog.OutcomeSuccess {
		if s := subjectOf(ev); s != 0 {
			e.credit(join(s, 2), ev)
		}
	}
}

func (e *Engine) credit(key uint64, ev *catalog.Event) {
	if len(e.pending.index) == 0 {
		return
	}
	if w, ok := e.pending.take(key); ok {
		if c := e.cells.at(w.at); c.gen == w.gen {
			c.follow++
		}
	}
}
