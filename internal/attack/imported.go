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
	"xiezhi/internal/rule/scenario"
	"xiezhi/internal/taxonomy"
)

// Rules that people bring along (scenarios of CrowdSec) are counted in buckets
// beside the detectors. What runs over becomes evidence for an attack of ours of
// the same kind from the same address, and an attack of its own where there is
// none: at most a likely one, since a rule knows what requests look like and how
// many they are, and nothing of what they were for.

const (
	maxIncidents  = 2048
	maxIncidentIP = 1000
	maxAgents     = 64
	maxAlerts     = 4096           // kept to be listed
	incidentGap   = int64(86400e9) // alerts further apart are two attacks
	incidentRules = 32
	supportCap    = 2.0 // what a rule adds to a finding of ours
)

// imported is the state of rules that people brought along.
type imported struct {
	pool   *scenario.Pool
	list   []*incident
	by     map[incidentKey]*incident
	alerts []scenario.Alert
	lost   uint64 // alerts without room
}

// incidentKey joins alerts: one address, or the bucket of a rule that groups by
// something else.
type incidentKey struct {
	kind taxonomy.AttackKind
	ip   netip.Addr
	rule string
}

// incident is what alerts of one kind about one source add up to.
type incident struct {
	key         incidentKey
	first, last int64
	firstID     string
	requests    uint64
	blocked     uint64
	ips         []netip.Addr // sorted
	more        bool
	agents      []uint64 // sorted
	anyAgent    bool
	rules       []ruleSum
	rows        []Activity
}

type ruleSum struct {
	rule   *scenario.Rule
	alerts int
	events uint32 // of the largest
}

// addRules makes the engine count rules; nil counts none.
func (e *Engine) addRules(s *scenario.Set) {
	if len(s.Rules()) > 0 {
		e.imported = &imported{pool: scenario.NewPool(s, e.cfg.Budget.Buckets), by: map[incidentKey]*incident{}}
	}
}

// Aside counts what is no exchange for the rules that look at such things.
func (e *Engine) Aside(ev *catalog.Event) {
	if e.now = max(e.now, ev.End); e.imported != nil {
		e.imported.observe(e, ev)
	}
}

// Alerts lists the first alerts of rules that people brought along.
func (e *Engine) Alerts() []scenario.Alert {
	if e.imported == nil {
		return nil
	}
	return slices.Clone(e.imported.alerts)
}

func (m *imported) observe(e *Engine, ev *catalog.Event) {
	x := scenario.Event{At: ev.End, ID: ev.ID, Client: ev.Who.Client.Unmap(), Agent: ev.Agent, Blocked: blocked(ev)}
	m.pool.Pour(ev.Hits, x, func(a *scenario.Alert) { m.alert(e, a) })
}

func (m *imported) alert(e *Engine, a *scenario.Alert) {
	key := incidentKey{kind: a.Rule.Attack}
	if len(a.Sources) == 1 && a.Sources[0].IsValid() {
		key.ip = a.Sources[0]
	} else {
		key.rule = a.Rule.Name
	}
	x := m.by[key]
	if x != nil && a.First > x.last+incidentGap {
		x = nil
	}
	if a.Muted {
		if x != nil {
			x.take(e, a)
		}
		return
	}
	if len(m.alerts) < maxAlerts {
		m.alerts = append(m.alerts, *a)
	}
	if x == nil {
		if len(m.list) == maxIncidents {
			m.lost++
			return
		}
		x = &incident{key: key, first: a.First, last: a.At, firstID: a.FirstID}
		m.by[key] = x
		m.list = append(m.list, x)
	}
	x.take(e, a)
	i := slices.IndexFunc(x.rules, func(r ruleSum) bool { return r.rule == a.Rule })
	if i < 0 {
		if len(x.rules) == incidentRules {
			m.lost++
			return
		}
		i = len(x.rules)
		x.rules = append(x.rules, ruleSum{rule: a.Rule})
	}
	r := &x.rules[i]
	r.alerts++
	r.events = max(r.events, a.Events)
}

// take adds what an alert counted.
func (x *incident) take(e *Engine, a *scenario.Alert) {
	if a.First < x.first {
		x.first, x.firstID = a.First, a.FirstID
	}
	x.last = max(x.last, a.At)
	x.requests += uint64(a.Events)
	x.blocked += uint64(a.Blocked)
	x.more = x.more || a.More
	for _, ip := range a.Sources {
		if i, ok := slices.BinarySearchFunc(x.ips, ip, netip.Addr.Compare); !ok && ip.IsValid() {
			if len(x.ips) < maxIncidentIP {
				x.ips = slices.Insert(x.ips, i, ip)
			} else {
				x.more = true
			}
		}
	}
	x.anyAgent = x.anyAgent || a.AnyAgent
	for _, v := range a.Agents {
		if i, ok := slices.BinarySearch(x.agents, v); !ok {
			if len(x.agents) < maxAgents {
				x.agents = slices.Insert(x.agents, i, v)
			} else {
				x.anyAgent = true
			}
		}
	}
	day := civil(e.days.of(a.At)).Format(time.DateOnly)
	if n := len(x.rows); n == 0 || x.rows[n-1].Day != day && n < maxActivityDays {
		x.rows = append(x.rows, Activity{Day: day})
	}
	row := &x.rows[len(x.rows)-1]
	row.Requests += uint64(a.Events)
	row.Blocked += uint64(a.Blocked)
}

// maxActivityDays bounds the rows of an incident; later days go to the last.
const maxActivityDays = 366

// weigh says what the rules say. cap bounds the sum.
func (x *incident) weigh(e *Engine, f *fusion) {
	f.kind = x.key.kind
	for i := range x.rules {
		r := &x.rules[i]
		f.items = append(f.items, evidence{family: taxonomy.FamilyIntel, weight: trust(r.rule), id: "rule", observed: r.rule.Name, expected: "",
			args: message.Args{"n": r.alerts, "m": "", "rule": r.rule.Name, "title": r.rule.Title}})
	}
	best := slices.MaxFunc(x.rules, func(a, b ruleSum) int {
		return cmp.Or(cmp.Compare(a.events, b.events), cmp.Compare(b.rule.Name, a.rule.Name))
	})
	alerts := 0
	for i := range x.rules {
		alerts += x.rules[i].alerts
	}
	f.say(taxonomy.FamilyTiming, ramp(float64(alerts), 1, 3, 10, 4), "bucket", int(best.events), best.rule.Capacity)
}

// trust turns what a rule says of itself into a weight.
func trust(r *scenario.Rule) float64 {
	w := 4.0
	switch r.Labels.Confidence {
	case 3:
		w = 6
	case 2:
		w = 5
	case 0:
		w = 3
	}
	return max(w-float64(r.Labels.Spoofable), 1)
}

// incidents gives the findings that stand alone; those that speak for a finding
// of ours are added to it.
func (e *Engine) incidents(found []Finding, fuses map[string]*fusion) []Finding {
	if e.imported == nil {
		return found
	}
	own := len(found)
	for _, x := range e.imported.list {
		if !e.support(x, found[:own], fuses) {
			found = append(found, e.incident(x))
		}
	}
	return found
}

// support adds an incident to a finding of the same kind, time and addresses.
func (e *Engine) support(x *incident, found []Finding, fuses map[string]*fusion) bool {
	for i := range found {
		f := &found[i]
		// whatever a scanner reads was read by the scan
		same := f.Kind == x.key.kind || f.Kind == taxonomy.AttackVulnerabilityScan && x.key.kind == taxonomy.AttackScraping && f.Verdict >= taxonomy.Likely
		if !same || x.more || len(x.ips) == 0 || x.first > f.Last+burstGap || x.last < f.First-burstGap {
			continue
		}
		if slices.ContainsFunc(x.ips, func(ip netip.Addr) bool { _, ok := slices.BinarySearchFunc(f.IPs, ip, netip.Addr.Compare); return !ok }) {
			continue
		}
		fuse := fuses[f.ID]
		for k := range x.rules {
			r := &x.rules[k]
			have := 0.0
			for _, ev := range fuse.items {
				if ev.family == taxonomy.FamilyIntel {
					have += ev.weight
				}
			}
			fuse.items = append(fuse.items, evidence{family: taxonomy.FamilyIntel, weight: max(0, min(trust(r.rule), supportCap-have)), id: "rule", observed: r.rule.Name,
				args: message.Args{"n": r.alerts, "m": "", "rule": r.rule.Name, "title": r.rule.Title}})
		}
		f.Verdict, f.Confidence, f.Reasons = fuse.verdict(), fuse.confidence(), fuse.reasons(e.msg)
		f.Action = action(f.Kind, f.Verdict, f.Collateral)
		return true
	}
	return false
}

func (e *Engine) incident(x *incident) Finding {
	fuse := &fusion{}
	x.weigh(e, fuse)
	f := Finding{ID: e.incidentID(x), Kind: x.key.kind, Site: e.cfg.Site, Verdict: min(max(fuse.verdict(), taxonomy.Suspicious), taxonomy.Likely), Confidence: fuse.confidence(),
		First: x.first, Last: x.last, Requests: x.requests, Blocked: x.blocked, IPs: slices.Clone(x.ips), IPCount: uint64(len(x.ips)),
		Reasons: fuse.reasons(e.msg), Activity: slices.Clone(x.rows)}
	f.Selector = Selector{IP: slices.Clone(x.ips), From: x.first, To: x.last}
	if x.more {
		f.Selector.IP = nil
	}
	if !x.anyAgent {
		f.Selector.Agent = slices.Clone(x.agents)
	}
	if len(f.Selector.IP)+len(f.Selector.Agent) == 0 { // nothing that would tell it from others
		f.Verdict = taxonomy.Suspicious
	}
	f.Collateral = e.bystanding(&f.Selector)
	f.Action = action(f.Kind, f.Verdict, f.Collateral)
	who := e.msg.Text("attack.who.addresses", message.Args{"n": f.IPCount})
	switch {
	case len(x.ips) == 1:
		who = e.msg.Text("attack.who.address", message.Args{"ip": x.ips[0].String()})
	case len(x.ips) == 0:
		who = e.msg.Text("attack.who.unknown", nil)
	}
	f.Reason = e.msg.Text("attack.sum.rule", message.Args{"who": who, "span": e.span(x.last - x.first), "rule": x.rules[0].rule.Name, "rules": len(x.rules), "requests": x.requests, "blocked": x.blocked})
	return f
}

func (e *Engine) incidentID(x *incident) string {
	h := sha256.New()
	for _, part := range []string{e.cfg.Site, string(x.key.kind), "rule", x.key.rule, x.firstID} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// bystanding is the share of the site's requests in the selector's time that
// honest business makes and that it would touch.
func (e *Engine) bystanding(s *Selector) float64 {
	var hit, all uint64
	for r := e.apis[0].cells.head; r != 0; r = e.cells.after(r) {
		c := e.cells.at(r)
		if c.last < s.From || c.first > s.To {
			continue
		}
		all += uint64(c.n)
		if c.business > 0 && e.covers(s, c) {
			hit += uint64(c.n)
		}
	}
	if all == 0 {
		return 0
	}
	return float64(hit) / float64(all)
}
