package attack

import (
	"cmp"
	"maps"
	"slices"

	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// guilty reports whether a member still looks like the abuse that its episode
// is about; one that turned out to be in honest business is let go.
func (e *Engine) guilty(ep *episode, c *cell) bool {
	s := &scene{e: e, u: e.unitOf(ep.unit)}
	if s.u.role == "" && ep.axis != "scan" && e.scanner(c) {
		return false
	}
	if ep.kin[c.gen] {
		return e.kin(c)
	}
	for _, ax := range e.axesOf(s.u) {
		if ax.name == ep.axis && ax.keep != nil {
			return ax.keep(c)
		}
		if ax.name == ep.axis {
			return ax.like(s, c, ep.scope.wide() || ep.scope == scopeTarget || ep.scope == scopeAddress)
		}
	}
	return true
}

func (e *Engine) unitOf(id string) *unit {
	if i, ok := e.byUnit[id]; ok {
		return &e.units[i]
	}
	return &e.units[0]
}

// rosterOf sums up an episode: what is settled and what is live.
func (b *book) rosterOf(e *Engine, ep *episode, p *pool) roster {
	var r roster
	r.fold(p, &ep.settled)
	for _, m := range ep.live {
		c := e.cells.at(m.at)
		if c.gen == m.gen && c.n > 0 && e.guilty(ep, c) {
			r.add(p, c, &e.apis[c.api])
		}
	}
	if ep.axis == "swarm" && ep.core[1] != 0 {
		r.aFirst, r.aLast = max(r.aFirst, ep.core[0]), min(r.aLast, ep.core[1])
	}
	return r
}

// rosterOf sums up a scope's members.
func (s *scene) rosterOf(sc *scope) roster {
	var r roster
	for _, list := range [2][]int32{sc.members, sc.kin} {
		for _, i := range list {
			c := s.cell(i)
			r.add(s.pool, c, &s.e.apis[c.api])
		}
	}
	return r
}

// window is the span of what looks like abuse.
func (t *tally) window() (from, to int64) {
	if t.aLast != 0 {
		return t.aFirst, t.aLast
	}
	return t.first, t.last
}

// clone copies the book, so that a report can judge what is pending without
// changing what the next event will meet.
func (b *book) clone() *book {
	o := newBook(b.limit)
	o.trial = true
	o.serial, o.checked, o.lost, o.ever = b.serial, b.checked, b.lost, slices.Clone(b.ever)
	for _, ep := range b.eps {
		c := *ep
		c.settled = roster{}
		c.settled.fold(&o.pool, &ep.settled)
		c.shown = ep.shown.clone()
		c.done = ledger{}
		c.done.fold(&ep.done)
		c.live, c.kin = slices.Clone(ep.live), maps.Clone(ep.kin)
		c.marks = maps.Clone(ep.marks)
		o.eps = append(o.eps, &c)
		for _, m := range c.live {
			o.owner[m.at], o.gens[m.at] = &c, m.gen
		}
	}
	return o
}

// Findings gives the attacks known now, strongest first. It changes nothing.
func (e *Engine) Findings(cat *catalog.Catalog) []Finding {
	b := e.book.clone()
	real := e.book
	e.book = b
	defer func() { e.book, e.around = real, nil }()
	for i := range e.units {
		if e.units[i].watch {
			e.judge(b, &e.units[i], lookFinal)
		}
	}
	for _, ep := range b.eps {
		if !ep.closed {
			b.absorb(e, ep)
		}
	}
	var out []Finding
	fuses := map[string]*fusion{}
	for _, ep := range b.eps {
		if f, ok := e.finding(b, ep); ok {
			out = append(out, f)
			fuses[f.ID] = &fusion{ep.fuse.kind, slices.Clone(ep.fuse.items)}
		}
	}
	out = e.incidents(out, fuses)
	out = e.luredFindings(out, fuses)
	slices.SortStableFunc(out, func(x, y Finding) int {
		if c := cmp.Compare(y.Verdict, x.Verdict); c != 0 {
			return c
		}
		if c := cmp.Compare(y.Confidence, x.Confidence); c != 0 {
			return c
		}
		if c := cmp.Compare(y.Requests, x.Requests); c != 0 {
			return c
		}
		return cmp.Compare(x.ID, y.ID)
	})
	return out
}

// finding renders an episode.
func (e *Engine) finding(b *book, ep *episode) (Finding, bool) {
	var p pool
	r := b.rosterOf(e, ep, &p)
	if r.n == 0 || ep.fuse == nil {
		return Finding{}, false
	}
	verdict := ep.fuse.verdict()
	if verdict == taxonomy.NoVerdict {
		return Finding{}, false
	}
	first, last := r.window()
	f := Finding{
		ID: ep.id, Kind: ep.kind, Site: e.cfg.Site,
		Verdict: verdict, Confidence: ep.fuse.confidence(),
		First: first, Last: last,
		Requests: uint64(r.n), Blocked: uint64(r.blocked), Succeeded: succeeded(ep.kind, &r.tally, r.counts()),
		IPs: r.sorted(), IPCount: r.addrCount(),
		Accounts:        uint64(min(r.count(setSubjects), float64(r.subj))),
		SubjectsExposed: max(uint64(r.count(setExposed)), uint64(r.people)),
		Reasons:         ep.fuse.reasons(e.msg),
		Activity:        e.activity(ep, &r.tally),
	}
	if ep.kind != taxonomy.AttackScraping && ep.kind != taxonomy.AttackBOLAExploitation && ep.kind != taxonomy.AttackBot {
		f.SubjectsExposed = uint64(r.count(setExposed))
	}
	if ep.axis == "script" || ep.axis == "applause" { // accounts are played and not aimed at
		f.Accounts = uint64(r.count(setCreds))
	}
	if ep.axis == "seek" || ep.axis == "crossing" {
		f.Accounts = uint64(r.count(setAsked))
	}
	f.Marks = e.marks(ep, r.n)
	f.Selector = e.selector(ep, &r)
	f.Collateral = e.collateral(ep, &f.Selector)
	f.Action = action(ep.kind, verdict, f.Collateral)
	for _, i := range r.families.list {
		if name := e.labels.text[i]; name != "" {
			f.Fingerprints = append(f.Fingerprints, name)
		}
	}
	slices.Sort(f.Fingerprints)
	f.Reason = e.sentence(ep, &f, &r)
	return f, true
}

// action proposes the mildest response that stops the attack at a collateral
// the verdict can carry.
func action(kind taxonomy.AttackKind, v taxonomy.Verdict, collateral float64) taxonomy.Action {
	switch {
	case v == taxonomy.Suspicious:
		return taxonomy.ActTag
	case v == taxonomy.Confirmed && collateral <= 0.001:
		return taxonomy.ActBlock
	case collateral > 0.05:
		return taxonomy.ActTag
	}
	switch kind {
	case taxonomy.AttackAccountScanning, taxonomy.AttackCredentialStuffing, taxonomy.AttackPasswordSpraying, taxonomy.AttackBruteForce, taxonomy.AttackMassRegistration,
		taxonomy.AttackCodeCracking, taxonomy.AttackSMSAbuse, taxonomy.AttackPromotionAbuse, taxonomy.AttackScalping, taxonomy.AttackCarding,
		taxonomy.AttackFakeEngagement:
		return taxonomy.ActChallenge
	case taxonomy.AttackScraping, taxonomy.AttackBOLAExploitation, taxonomy.AttackCrossBorderAccess, taxonomy.AttackTargetedLookup:
		return taxonomy.ActMask
	}
	return taxonomy.ActRateLimit
}
