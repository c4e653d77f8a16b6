package judge

import (
	"math"
	"net/netip"

	"xiezhi/internal/attack"
	"xiezhi/internal/catalog"
	"xiezhi/internal/taxonomy"
)

// Marks tells, while traffic goes on, to which of the attacks that are known by
// now an exchange belongs: by their selectors, beyond the last exchange that
// was counted.
type Marks struct {
	byIP  map[netip.Addr][]*attack.Finding
	other []*attack.Finding
}

// markSpan is how long, in event time, an attack is looked for after its last
// exchange.
const markSpan = int64(3600e9)

// NewMarks takes the attacks of a result as of a moment of event time. They are
// the marks' own from then on.
func NewMarks(attacks []attack.Finding, now int64) *Marks {
	m := &Marks{byIP: map[netip.Addr][]*attack.Finding{}}
	for i := range attacks {
		a := &attacks[i]
		if a.Selector.To < now-markSpan {
			continue
		}
		a.Selector.To = math.MaxInt64
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

// Of gives the attack with the strongest verdict that the exchange belongs to,
// the empty id for none.
func (m *Marks) Of(ev *catalog.Event) (id string, v taxonomy.Verdict) {
	if m == nil {
		return "", v
	}
	for _, list := range [2][]*attack.Finding{m.byIP[ev.Who.Client.Unmap()], m.other} {
		for _, a := range list {
			if (id == "" || a.Verdict > v) && a.Selector.Match(ev) {
				id, v = a.ID, a.Verdict
			}
		}
	}
	return id, v
}

// NewLateMarks takes the attacks of a result for exchanges that were judged
// before it, since a moment of event time, and whose rows wait. They stay the
// result's.
func NewLateMarks(attacks []attack.Finding, since int64) *Marks {
	m := &Marks{byIP: map[netip.Addr][]*attack.Finding{}}
	for i := range attacks {
		a := &attacks[i]
		if a.Selector.To < since {
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

// OfTrait is Of for what was kept of an exchange.
func (m *Marks) OfTrait(t *attack.Trait) (id string, v taxonomy.Verdict) {
	if m == nil {
		return "", v
	}
	for _, list := range [2][]*attack.Finding{m.byIP[t.Client()], m.other} {
		for _, a := range list {
			if (id == "" || a.Verdict > v) && a.Selector.Takes(t) {
				id, v = a.ID, a.Verdict
			}
		}
	}
	return id, v
}
