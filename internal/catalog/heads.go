package catalog

import (
	"net/netip"
	"strings"

	"xiezhi/internal/observe"
)

// MaxHeads is how many sets of header parameters of an API are told apart. At
// the cap nothing new is remembered, and WaysOver counts the exchanges.
const MaxHeads = 16

// Head is one set of parameters that stood in the header of granted requests;
// that of Form 0 is empty. Kind and Status are not used.
type Head struct {
	Way
	Client  netip.Addr // who sent it first
	Several bool       // somebody else did, too
}

// head notes which parameters stood in the header of a request. It comes behind
// way, which counts requests. An API costs nothing here until a request has one.
func (p *op) head(o *observe.Observation, client netip.Addr) {
	if o.HeadForm == 0 && p.Heads == nil {
		return
	}
	before := p.ways.requests - 1
	if p.Heads == nil && before > 0 {
		p.Heads = append(p.Heads, Head{Way: Way{Count: before, First: p.First, Last: min(p.Last, o.Start)}, Several: true})
	}
	for i := range p.Heads {
		if h := &p.Heads[i]; h.Form == o.HeadForm {
			h.again(o)
			h.Several = h.Several || h.Client != client
			return
		}
	}
	if len(p.Heads) == MaxHeads {
		p.WaysOver++
		return
	}
	p.Heads = append(p.Heads, Head{Way: Way{Form: o.HeadForm, Count: 1, At: before, Before: before, First: o.Start, Last: o.Start, Exchange: strings.Clone(o.ID)}, Client: client})
}

// absorbHeads adds those of another operation that turned out to be this one.
func (p *op) absorbHeads(other *op) {
	if p.Heads == nil && other.Heads == nil {
		return
	}
	for _, x := range [...]*op{p, other} {
		if n := x.ways.requests; x.Heads == nil && n > 0 {
			x.Heads = []Head{{Way: Way{Count: n, First: x.First, Last: x.Last}, Several: true}}
		}
	}
next:
	for i := range other.Heads {
		h := &other.Heads[i]
		for k := range p.Heads {
			x := &p.Heads[k]
			if x.Form != h.Form {
				continue
			}
			x.Several = x.Several || h.Several || x.Client != h.Client
			if h.First < x.First {
				x.First, x.Exchange, x.Client = h.First, h.Exchange, h.Client
			}
			x.Count, x.Last = x.Count+h.Count, max(x.Last, h.Last)
			x.At, x.Before = min(x.At, h.At), min(x.Before, h.Before)
			continue next
		}
		if len(p.Heads) == MaxHeads {
			p.WaysOver += h.Count
			continue
		}
		p.Heads = append(p.Heads, *h)
	}
}
