package attack

import (
	"net/netip"
	"slices"
	"strings"

	"xiezhi/internal/catalog"
)

// Match reports whether an exchange belongs to the attack.
func (s *Selector) Match(ev *catalog.Event) bool {
	if ev.End < s.From || ev.End > s.To {
		return false
	}
	if len(s.APIs)+len(s.Path) > 0 && (ev.API == nil || !slices.Contains(s.APIs, ev.API.Handle)) &&
		(len(s.Path) == 0 || !slices.Contains(s.Path, pathHash(ev))) {
		return false
	}
	ip := ev.Who.Client.Unmap()
	return in(s.IP, ip) && in(s.Prefix, prefixOf(ip)) && in(s.JA4, ev.JA4) && in(s.HeaderOrder, ev.HeaderOrder) &&
		in(s.ParamShape, ev.ParamShape) && in(s.Agent, ev.Agent) && in(s.Credential, ev.Who.Credential) && in(s.Account, ev.Who.Subject)
}

// A Trait is what selectors look at in an exchange, for when the exchange itself
// is gone.
type Trait struct {
	End int64

	api        *catalog.API
	path       uint64
	ip         netip.Addr
	ja4        string
	header     uint64
	shape      uint64
	agent      uint64
	credential uint64
	account    uint64
}

// TraitOf keeps what selectors look at.
func TraitOf(ev *catalog.Event) Trait {
	return Trait{End: ev.End, api: ev.API, path: pathHash(ev), ip: ev.Who.Client.Unmap(), ja4: strings.Clone(ev.JA4), header: ev.HeaderOrder,
		shape: ev.ParamShape, agent: ev.Agent, credential: ev.Who.Credential, account: ev.Who.Subject}
}

// Client is the address that asked.
func (t *Trait) Client() netip.Addr { return t.ip }

// Takes is Match for what was kept of an exchange.
func (s *Selector) Takes(t *Trait) bool {
	if t.End < s.From || t.End > s.To {
		return false
	}
	if len(s.APIs)+len(s.Path) > 0 && (t.api == nil || !slices.Contains(s.APIs, t.api.Handle)) &&
		(len(s.Path) == 0 || !slices.Contains(s.Path, t.path)) {
		return false
	}
	return in(s.IP, t.ip) && in(s.Prefix, prefixOf(t.ip)) && in(s.JA4, t.ja4) && in(s.HeaderOrder, t.header) &&
		in(s.ParamShape, t.shape) && in(s.Agent, t.agent) && in(s.Credential, t.credential) && in(s.Account, t.account)
}

func in[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// covers is Match for a cell: could some of its requests match?
func (e *Engine) covers(s *Selector, c *cell) bool {
	if c.last < s.From || c.first > s.To {
		return false
	}
	if a := &e.apis[c.api]; len(s.APIs)+len(s.Path) > 0 && !slices.Contains(s.APIs, a.handle) && (a.door == 0 || !slices.Contains(s.Path, a.door)) {
		return false
	}
	if !in(s.IP, c.ip) || len(s.Prefix) > 0 && !slices.Contains(s.Prefix, prefixOf(c.ip)) ||
		!in(s.JA4, e.labels.text[c.ja4]) || !in(s.HeaderOrder, c.header) || !in(s.Agent, c.agent) || c.api != 0 && !in(s.ParamShape, c.shape) {
		return false
	}
	return overlap(s.Credential, c.sets[setCreds]) && overlap(s.Account, c.sets[setSubjects])
}

func overlap(list []uint64, set *distinct) bool {
	if len(list) == 0 {
		return true
	}
	for _, v := range list {
		if has, ok := set.has(v); has || !ok {
			return true
		}
	}
	return false
}

// selector builds the narrowest rule that a gateway can evaluate and that
// covers every member.
func (e *Engine) selector(ep *episode, r *roster) Selector {
	var s Selector
	s.From, s.To = r.window()
	s.APIs = slices.Clone(r.apis.list)
	slices.Sort(s.APIs)
	s.Path = sorted(r.doors.list)
	site := ep.unit == "site"
	if site {
		s.APIs, s.Path = nil, nil
		if ep.axis == scatterAxis.name {
			s.Path = sorted(r.places.list) // the same people read pages, too
		}
	}
	byOwner := (ep.scope == scopeCredential || tradeAxis(ep.axis) && !r.anonymous) && r.sets[setCreds] != nil && r.sets[setCreds].dense == nil
	switch {
	case byOwner:
		s.Credential = slices.Clone(r.sets[setCreds].small)
		slices.Sort(s.Credential)
		if ep.axis == abroadAxis.name && r.spill == nil && !r.noAddr {
			s.IP = r.sorted() // what its owner does at home is none of it
		}
	case r.spill == nil && !r.noAddr:
		s.IP = r.sorted()
	case !r.noAddr && !r.prefixes.over:
		s.Prefix = slices.Clone(r.prefixes.list)
		slices.SortFunc(s.Prefix, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	}
	if ep.scope == scopeTarget && !tradeAxis(ep.axis) && len(ep.marks) < maxMarks && r.sets[setSubjects] != nil && r.sets[setSubjects].dense == nil {
		for m := range ep.marks {
			if m.kind == scopeTarget {
				s.Account = append(s.Account, m.key)
			}
		}
		slices.Sort(s.Account)
	}
	// Narrow by fingerprint where the source shows one: honest people may sit
	// behind the same address. Each key is kept if it excludes somebody, or if
	// it is what the members were recognised by.
	header := func() {
		if !r.headers.over && !slices.Contains(r.headers.list, 0) {
			s.HeaderOrder = sorted(r.headers.list)
		}
	}
	shape := func() {
		if !site && !r.shapes.over && len(r.shapes.list) > 0 {
			s.ParamShape = sorted(r.shapes.list)
		}
	}
	ja4 := func() {
		if !r.ja4s.over && !slices.Contains(r.ja4s.list, 0) {
			for _, i := range r.ja4s.list {
				s.JA4 = append(s.JA4, e.labels.text[i])
			}
			slices.Sort(s.JA4)
		}
	}
	switch {
	case byOwner:
		return s
	case ep.scope == scopePrint:
		header()
		ja4()
		shape()
		return s
	case ep.scope == scopeShape:
		shape()
	case ep.scope == scopeCohort || ep.scope == scopeActor:
		header()
		ja4()
	}
	agent := func() {
		if !r.agents.over {
			s.Agent = sorted(r.agents.list)
		}
	}
	past := ep.first < e.now-horizon // who else came then is forgotten: all that is known of the members tells them apart
	for _, narrow := range []func(){shape, header, ja4, agent} {
		if !past && e.bystanders(ep, &s) == 0 {
			break
		}
		narrow()
	}
	if e.bystanders(ep, &s) == 0 {
		return s
	}
	if ep.axis == "scan" && !r.places.over && 2*r.missing >= r.n {
		s.Path = sorted(r.places.list) // as many keys do not tell the scan from the public, what it asked for does
	}
	if tradeAxis(ep.axis) {
		e.cede(ep, r, &s)
		if set := r.sets[setCreds]; set != nil && set.dense == nil {
			// The few who were not signed in are given up where accounts tell better.
			own := Selector{From: s.From, To: s.To, APIs: s.APIs, Path: s.Path, Credential: sorted(set.small)}
			if n := e.bystanders(ep, &s); n > 0 && e.bystanders(ep, &own) < n {
				return own
			}
		}
	}
	return s
}

// cede takes those structures out of a selector that more requests of others than
// of the episode have: each key holds values of all members, so that together
// they cover what no member sent.
func (e *Engine) cede(ep *episode, r *roster, s *Selector) {
	if len(s.ParamShape) < 2 {
		return
	}
	others := make(map[uint64]uint64)
	e.others(ep, s, func(c *cell, n uint64) { others[c.shape] += n })
	kept := slices.DeleteFunc(slices.Clone(s.ParamShape), func(v uint64) bool { return others[v] > uint64(r.built[v]) })
	if len(kept) > 0 {
		s.ParamShape = kept
	}
}

func sorted(v []uint64) []uint64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v
}

// bystanders counts the requests of others that a selector covers.
func (e *Engine) bystanders(ep *episode, s *Selector) uint64 {
	hit, _ := e.touched(ep, s)
	return hit
}

// touched counts, among the requests of others to the selector's APIs in its
// window, those that it covers, and all. Requests are counted in proportion
// where a cell reaches beyond the window.
func (e *Engine) touched(ep *episode, s *Selector) (hit, all uint64) {
	all = e.others(ep, s, func(_ *cell, n uint64) { hit += n })
	return hit, all
}

// others calls f with the cells of others that a selector covers and how many of
// their requests, and counts the requests that it might have covered.
func (e *Engine) others(ep *episode, s *Selector, f func(c *cell, n uint64)) (all uint64) {
	u := e.unitOf(ep.unit)
	own := make(map[uint64]bool, len(ep.live))
	for _, m := range ep.live {
		if c := e.cells.at(m.at); c.gen == m.gen {
			own[c.who] = true
		}
	}
	e.within(u, func(i int32) {
		if a := &e.apis[i]; len(s.APIs)+len(s.Path) > 0 && !slices.Contains(s.APIs, a.handle) && !slices.Contains(s.Path, a.door) {
			return
		}
		for r := e.apis[i].cells.head; r != 0; {
			c := e.cells.at(r)
			at := r
			r = e.cells.after(r)
			if c.last < s.From || c.first > s.To {
				continue
			}
			o := e.book.ownerOf(at, c)
			if o == ep && e.guilty(ep, c) || o != nil && o != ep && o.score >= scoreLikely {
				continue
			}
			// The rest of what an attacker sent is no business of others.
			if own[c.who] && c.succ == 0 {
				continue
			}
			n := uint64(c.n)
			if span := c.last - c.first; span > 0 {
				part := float64(min(c.last, s.To)-max(c.first, s.From)) / float64(span)
				n = max(1, uint64(float64(n)*part))
			}
			all += n
			if e.covers(s, c) {
				f(c, n)
			}
		}
	})
	return all
}

// collateral is the share of other people's requests that the selector would
// touch.
func (e *Engine) collateral(ep *episode, s *Selector) float64 {
	hit, all := e.touched(ep, s)
	if all == 0 {
		return 0
	}
	return float64(hit) / float64(all)
}
