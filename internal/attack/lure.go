package attack

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// What intelligence and decoys say of who asks.
//
// Nobody is led to a decoy: whoever touches one goes through things that nobody
// links, and so does everything that looks like it. The first touch labels its
// cohort: the address, and the client where it is not one that people have, with
// what it did up to then. What intelligence knows speaks for an attack of ours
// that stands out by itself. A tool of a gang, which nobody in business here has,
// is recognised by its first few requests where they fail, too: three families
// that have to agree.

const (
	maxLured    = 1024
	maxLuredIP  = 1000
	maxLures    = 16
	lureBack    = int64(3600e9) // before the first touch
	lureWeight  = 9.5
	lureTouched = 6.0 // by some of an attack's members
	gangMeans   = 0.5
	gangLeast   = 5 // requests
	gangWeight  = 6.0
	knownMeans  = 3.0
	knownSource = 1.5
)

// lured is a cohort that touched a decoy.
type lured struct {
	kind        taxonomy.AttackKind
	cohort      uint64 // 0: people have that client; the addresses alone are meant
	agent       uint64
	first, last int64
	firstID     string
	requests    uint64
	blocked     uint64
	touches     uint64
	means       float32 // how well intelligence knows its tool; 0: not
	fails       uint64
	shared      bool         // people in business have the client, too
	ips         []netip.Addr // sorted
	more        bool
	headers     []uint64 // sorted
	lures       []uint64 // hashes of what was touched, sorted
	rows        []Activity
}

// lures are the cohorts of a site.
type lures struct {
	list []*lured
	lost uint64
}

// tell notes what is known of an asker.
func (e *Engine) tell(ev *catalog.Event, actor *cell) {
	if ev.Known.Source > 0 {
		actor.knownSource = max(actor.knownSource, float32(ev.Known.Source))
	}
	if ev.Known.Means > 0 {
		actor.knownMeans = max(actor.knownMeans, float32(ev.Known.Means))
	}
	if ev.Lure != "" {
		actor.touched++
		e.lure(ev, actor)
	} else if kind := gangOf(ev); kind != "" && e.luredBy(ev, actor) == nil {
		e.recognise(ev, actor, kind)
	} else if len(e.lures.list) > 0 {
		if x := e.luredBy(ev, actor); x != nil {
			x.take(e, ev)
		}
	}
}

// gangOf gives the kind of attack that a tool is known for, empty where it is not
// known well enough.
func gangOf(ev *catalog.Event) taxonomy.AttackKind {
	if ev.Known.Means < gangMeans || ev.Known.MeansOf == nil {
		return ""
	}
	kind := taxonomy.AttackKind(ev.Known.MeansOf.Note)
	if _, ok := taxonomy.ScenarioOf[kind]; !ok {
		return ""
	}
	return kind
}

// recognise begins a cohort of a tool that a gang is known for.
func (e *Engine) recognise(ev *catalog.Event, actor *cell, kind taxonomy.AttackKind) {
	if ev.Who.Cohort == 0 || actor.honest() || len(e.lures.list) >= maxLured || e.peopleHave(ev) {
		return
	}
	x := &lured{kind: kind, cohort: ev.Who.Cohort, agent: ev.Agent, first: ev.Start, last: ev.End, firstID: ev.ID}
	e.lures.list = append(e.lures.list, x)
	x.take(e, ev)
}

// stands reports whether a cohort is a finding.
func (x *lured) stands() bool {
	return x.touches > 0 || !x.shared && x.requests >= gangLeast && x.fails*2 >= x.requests
}

// luredBy finds the cohort that a request belongs to.
func (e *Engine) luredBy(ev *catalog.Event, actor *cell) *lured {
	for i := len(e.lures.list) - 1; i >= 0; i-- {
		x := e.lures.list[i]
		if ev.End-x.last > burstGap {
			continue
		}
		if x.cohort != 0 && x.cohort == ev.Who.Cohort && x.agent == ev.Agent {
			if actor.honest() {
				x.shared = true
				continue
			}
			return x
		}
		if _, ok := slices.BinarySearchFunc(x.ips, ev.Who.Client.Unmap(), netip.Addr.Compare); ok && x.cohort == 0 && x.agent == ev.Agent {
			return x
		}
	}
	return nil
}

// lure is a touch.
func (e *Engine) lure(ev *catalog.Event, actor *cell) {
	x := e.luredBy(ev, actor)
	if x == nil {
		if len(e.lures.list) >= maxLured {
			e.lures.lost++
			return
		}
		x = &lured{kind: ev.Lure, cohort: ev.Who.Cohort, agent: ev.Agent, first: ev.Start, last: ev.End, firstID: ev.ID}
		if e.peopleHave(ev) {
			x.cohort = 0
		}
		e.lures.list = append(e.lures.list, x)
		x.ip(ev.Who.Client.Unmap())
		x.before(e, actor)
	}
	x.touches++
	what := pathHash(ev)
	if i, ok := slices.BinarySearch(x.lures, what); !ok && len(x.lures) < maxLures {
		x.lures = slices.Insert(x.lures, i, what)
	}
	x.take(e, ev)
}

// peopleHave reports whether a client is one that honest people use.
func (e *Engine) peopleHave(ev *catalog.Event) bool {
	for r := e.apis[0].cells.head; r != 0; r = e.cells.after(r) {
		if c := e.cells.at(r); c.cohort == ev.Who.Cohort && c.agent == ev.Agent && c.honest() {
			return true
		}
	}
	return ev.Who.Cohort == 0
}

// honest reports whether an actor is in business and touched no decoy.
func (c *cell) honest() bool { return c.business > 0 && c.touched == 0 }

// before takes what the cohort did up to its first touch. The request of the
// touch itself is counted by take.
func (x *lured) before(e *Engine, actor *cell) {
	for r := e.apis[0].cells.head; r != 0; r = e.cells.after(r) {
		c := e.cells.at(r)
		if c.last < x.first-lureBack || c.agent != x.agent || c.knownOut(x, actor) {
			continue
		}
		n := uint64(c.n)
		if c == actor {
			n--
		}
		if n == 0 {
			continue
		}
		x.requests += n
		x.blocked += uint64(c.blocked)
		x.first = min(x.first, max(c.first, x.first-lureBack))
		x.ip(c.ip)
		x.header(c.header)
	}
}

// knownOut reports whether a cell is no part of a cohort.
func (c *cell) knownOut(x *lured, actor *cell) bool {
	if x.cohort == 0 {
		return c.addr != actor.addr
	}
	return c.cohort != x.cohort
}

func (x *lured) take(e *Engine, ev *catalog.Event) {
	x.last = max(x.last, ev.End)
	x.requests++
	x.means = max(x.means, float32(ev.Known.Means))
	switch ev.Outcome {
	case catalog.OutcomeRejected, catalog.OutcomeDenied, catalog.OutcomeThrottled, catalog.OutcomeNotFound, catalog.OutcomeInvalid:
		x.fails++
	}
	if blocked(ev) {
		x.blocked++
	}
	x.ip(ev.Who.Client.Unmap())
	x.header(ev.HeaderOrder)
	day := civil(e.days.of(ev.End)).Format(time.DateOnly)
	if n := len(x.rows); n == 0 || x.rows[n-1].Day != day && n < maxActivityDays {
		x.rows = append(x.rows, Activity{Day: day, Requests: x.requests - 1})
	}
	x.rows[len(x.rows)-1].Requests++
}

func (x *lured) ip(ip netip.Addr) {
	i, ok := slices.BinarySearchFunc(x.ips, ip, netip.Addr.Compare)
	switch {
	case ok || !ip.IsValid():
	case len(x.ips) < maxLuredIP:
		x.ips = slices.Insert(x.ips, i, ip)
	default:
		x.more = true
	}
}

func (x *lured) header(h uint64) {
	if i, ok := slices.BinarySearch(x.headers, h); !ok && len(x.headers) < maxAgents {
		x.headers = slices.Insert(x.headers, i, h)
	}
}

// weigh says what the touches say.
func (x *lured) weigh(f *fusion) {
	f.kind = x.kind
	if x.touches == 0 {
		f.say(taxonomy.FamilyIntel, gangWeight*float64(x.means), "gang_tool", 1, 0)
		f.say(taxonomy.FamilyOutcome, ramp(float64(x.fails)/float64(x.requests), 0.5, 2, 1, 3), "gang_fails", round2(float64(x.fails)/float64(x.requests)), 0)
		f.say(taxonomy.FamilyHerd, 2, "gang_alone", 0, 0)
		return
	}
	f.say(taxonomy.FamilyDecoy, lureWeight, "decoy", int(x.touches), 0)
	f.say(taxonomy.FamilySet, ramp(float64(len(x.lures)), 2, 2, 6, 4), "decoys", len(x.lures), 0)
	f.say(taxonomy.FamilyTiming, ramp(float64(x.requests), 10, 1, 100, 2), "lured", int(x.requests), 0)
}

// luredFindings gives the cohorts that stand alone; what speaks for a finding of
// ours is added to it.
func (e *Engine) luredFindings(found []Finding, fuses map[string]*fusion) []Finding {
	own := len(found)
	for _, x := range e.lures.list {
		if x.stands() && !e.luredSupport(x, found[:own], fuses) {
			found = append(found, e.luredFinding(x))
		}
	}
	return found
}

// luredSupport adds the touches to a finding of the same kind that holds all
// addresses of the cohort.
func (e *Engine) luredSupport(x *lured, found []Finding, fuses map[string]*fusion) bool {
	for i := range found {
		f := &found[i]
		fuse := fuses[f.ID]
		if fuse == nil || f.Kind != x.kind || f.Verdict < taxonomy.Suspicious || x.more || len(x.ips) == 0 || x.first > f.Last+burstGap || x.last < f.First-burstGap || f.Requests*2 < x.requests {
			continue
		}
		if slices.ContainsFunc(x.ips, func(ip netip.Addr) bool {
			_, ok := slices.BinarySearchFunc(f.IPs, ip, netip.Addr.Compare)
			return !ok
		}) {
			continue
		}
		if x.touches > 0 {
			fuse.say(taxonomy.FamilyDecoy, lureWeight, "decoy", int(x.touches), 0)
		}
		f.Verdict, f.Confidence, f.Reasons = fuse.verdict(), fuse.confidence(), fuse.reasons(e.msg)
		f.Action = action(f.Kind, f.Verdict, f.Collateral)
		return true
	}
	return false
}

func (e *Engine) luredFinding(x *lured) Finding {
	fuse := &fusion{}
	x.weigh(fuse)
	h := sha256.New()
	for _, part := range []string{e.cfg.Site, string(x.kind), "decoy", x.firstID} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	f := Finding{ID: hex.EncodeToString(h.Sum(nil)[:12]), Kind: x.kind, Site: e.cfg.Site, Verdict: fuse.verdict(), Confidence: fuse.confidence(), First: x.first, Last: x.last,
		Requests: x.requests, Blocked: x.blocked, IPs: slices.Clone(x.ips), IPCount: uint64(len(x.ips)), Reasons: fuse.reasons(e.msg), Activity: slices.Clone(x.rows)}
	f.Selector = Selector{From: x.first, To: x.last, IP: slices.Clone(x.ips), Agent: []uint64{x.agent}}
	if x.more {
		f.Selector.IP = nil
	}
	if x.cohort != 0 && len(x.headers) < maxAgents && !slices.Contains(x.headers, 0) {
		f.Selector.HeaderOrder = slices.Clone(x.headers)
		for _, v := range x.headers {
			f.Marks = append(f.Marks, Mark{Key: markNames[markHeader], Value: v, Share: 1})
		}
	}
	for i, ip := range x.ips {
		if i < samples[markIP] {
			f.Marks = append(f.Marks, Mark{Key: markNames[markIP], Net: netip.PrefixFrom(ip, ip.BitLen()), Share: 1 / float64(len(x.ips))})
		}
	}
	f.Collateral = e.bystanding(&f.Selector)
	f.Action = action(f.Kind, f.Verdict, f.Collateral)
	who := e.msg.Text("attack.who.addresses", message.Args{"n": f.IPCount})
	switch len(x.ips) {
	case 0:
		who = e.msg.Text("attack.who.unknown", nil)
	case 1:
		who = e.msg.Text("attack.who.address", message.Args{"ip": x.ips[0].String()})
	}
	if x.touches == 0 {
		f.Reason = e.msg.Text("attack.sum.gang", message.Args{"who": who, "span": e.span(x.last - x.first), "requests": x.requests})
		return f
	}
	f.Reason = e.msg.Text("attack.sum.decoy", message.Args{"who": who, "span": e.span(x.last - x.first), "touches": x.touches, "lures": cmp.Or(len(x.lures), 1), "requests": x.requests})
	return f
}

// known says what intelligence and decoys say of a scope's members.
func (s *scene) known(f *fusion, sc *scope) {
	var all, means, source, touched float64
	var bestMeans, bestSource float32
	for _, i := range sc.members {
		c := s.cell(i)
		all += float64(c.n)
		a := s.actorOf(c)
		if a == nil {
			continue
		}
		if a.knownMeans > 0 {
			means += float64(c.n)
			bestMeans = max(bestMeans, a.knownMeans)
		}
		if a.knownSource > 0 {
			source += float64(c.n)
			bestSource = max(bestSource, a.knownSource)
		}
		if a.touched > 0 {
			touched += float64(c.n)
		}
	}
	if all == 0 {
		return
	}
	if p := means / all; p >= 0.5 {
		f.say(taxonomy.FamilyIntel, knownMeans*p*float64(bestMeans), "known_means", round2(p), 0)
	}
	if p := source / all; p >= 0.5 {
		f.say(taxonomy.FamilyIntel, knownSource*p*float64(bestSource), "known_source", round2(p), 0)
	}
	if p := touched / all; p > 0 {
		f.say(taxonomy.FamilyDecoy, lureTouched*min(1, p*2), "decoy_part", round2(p), 0)
	}
}
