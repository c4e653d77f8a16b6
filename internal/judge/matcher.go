package judge

import (
	"net/netip"

	"xiezhi/internal/attack"
	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Matcher tells which attacks an observation belongs to, by their selectors
// alone: the same test that a gateway would make.
type Matcher struct {
	judge *Judge
	// byIP indexes the attacks whose selector names addresses; the others are
	// tried one by one.
	byIP  map[netip.Addr][]*attack.Finding
	other []*attack.Finding
	event catalog.Event
}

// NewMatcher prepares the attacks from likely on.
func NewMatcher(j *Judge, attacks []attack.Finding) *Matcher {
	return NewMatcherFrom(j, attacks, taxonomy.Likely)
}

// NewMatcherFrom prepares the attacks from a verdict on.
func NewMatcherFrom(j *Judge, attacks []attack.Finding, from taxonomy.Verdict) *Matcher {
	m := &Matcher{judge: j, byIP: map[netip.Addr][]*attack.Finding{}}
	for i := range attacks {
		a := &attacks[i]
		if a.Verdict < from {
			continue
		}
		if len(a.Selector.IP) == 0 {
			m.other = append(m.other, a)
			continue
		}
		for _, ip := range a.Selector.IP {
			m.byIP[ip] = append(m.byIP[ip], a)
		}
	}
	return m
}

// Each calls fn for every attack that o belongs to, o's API being api.
func (m *Matcher) Each(o *observe.Observation, api *catalog.API, fn func(id, kind string)) {
	ev := &m.event
	*ev = catalog.Event{Observation: o, API: api, Who: m.judge.identity.Resolve(o)}
	for _, list := range [2][]*attack.Finding{m.byIP[ev.Who.Client], m.other} {
		for _, a := range list {
			if a.Selector.Match(ev) {
				fn(a.ID, string(a.Kind))
			}
		}
	}
}
