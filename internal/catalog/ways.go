package catalog

import (
	"strconv"
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Caps of what an API remembers about how it was asked and answered. At a cap
// nothing new is remembered, what is known goes on being counted, and WaysOver
// says how many exchanges that concerned.
const (
	MaxRequestWays  = 48
	MaxResponseWays = 96
	maxShown        = 8 // kinds of credential
	settledAuth     = 20
)

// Way is one way in which an API was asked (Status 0) or answered. Form is the
// key under which observers keep what it is made of, 0 when it has no fields.
type Way struct {
	Form     uint64
	Kind     observe.BodyKind
	Status   uint16
	Count    uint64
	At       uint64 // exchanges before it: requests, or answers of its status
	Before   uint64 // exchanges before it, of any status
	First    int64
	Last     int64
	Exchange string // the first
}

// Shown is a kind of credential that requests which were granted showed.
type Shown struct {
	Kind  observe.CredentialKind
	In    observe.Location
	Name  string
	JWT   bool
	Count uint64
}

// Shift says when successes of the other kind began: without a credential
// where all had shown one, or with one where none had.
type Shift struct {
	Shown    bool // they show one
	At       int64
	Exchange string
}

// PathParameter is a parameter in a template.
type PathParameter struct {
	Name      string
	Class     observe.ValueClass // that most values have
	Pure      bool               // all of them
	Sensitive taxonomy.Sensitive
}

// ways is what the catalogue alone keeps about the ways of an API.
type ways struct {
	last      [2]uint8 // position of the way met last, by side
	requests  uint64
	responses uint64
	noCred    int64 // of the last success without a credential
	withCred  int64
}

// travel notes how an exchange was asked and answered.
func (p *op) travel(ev *Event) {
	o := ev.Observation
	if o.Method != p.Method {
		return // HEAD
	}
	if ev.Outcome == OutcomeSuccess {
		kind := o.ReqKind
		p.way(o, 0, kind, o.ReqForm)
		p.head(o, ev.Who.Client)
		p.authShift(ev)
		for i := range o.Credentials {
			p.show(&o.Credentials[i])
		}
	}
	if o.Status != 0 && o.Stream != observe.StreamAsked {
		p.way(o, o.Status, o.RespKind, o.RespForm)
	}
}

func (p *op) way(o *observe.Observation, status uint16, kind observe.BodyKind, form uint64) {
	side, seen, most := 0, &p.ways.requests, MaxRequestWays
	if status != 0 {
		side, seen, most = 1, &p.ways.responses, MaxResponseWays
	}
	before := *seen
	*seen++
	if i := int(p.ways.last[side]); i < len(p.Ways) && p.Ways[i].is(form, kind, status) {
		p.Ways[i].again(o)
		return
	}
	n, at := 0, uint64(0)
	for i := range p.Ways {
		w := &p.Ways[i]
		if w.Status == status {
			at += w.Count
		}
		if w.is(form, kind, status) {
			p.ways.last[side] = uint8(i)
			w.again(o)
			return
		}
		if w.Status != 0 == (status != 0) {
			n++
		}
	}
	if n >= most {
		p.WaysOver++
		return
	}
	p.ways.last[side] = uint8(len(p.Ways))
	p.Ways = append(p.Ways, Way{Form: form, Kind: kind, Status: status, Count: 1, At: at, Before: before, First: o.Start, Last: o.Start, Exchange: strings.Clone(o.ID)})
}

func (w *Way) is(form uint64, kind observe.BodyKind, status uint16) bool {
	return w.Form == form && w.Kind == kind && w.Status == status
}

func (w *Way) again(o *observe.Observation) {
	w.Count++
	w.First, w.Last = min(w.First, o.Start), max(w.Last, o.Start)
}

func (p *op) show(c *observe.Credential) {
	for i := range p.Shown {
		if s := &p.Shown[i]; s.Kind == c.Kind && s.In == c.In && s.Name == c.Name && s.JWT == (c.JWT != nil) {
			s.Count++
			return
		}
	}
	if len(p.Shown) < maxShown {
		p.Shown = append(p.Shown, Shown{c.Kind, c.In, strings.Clone(c.Name), c.JWT != nil, 1})
	}
}

// authShift notes the first success of the other kind. It comes behind count.
func (p *op) authShift(ev *Event) {
	o := ev.Observation
	switch {
	case ev.Who.Known():
		p.ways.withCred = max(p.ways.withCred, o.Start)
		if p.WithCred == 1 && p.NoCred >= settledAuth {
			p.Shifts = append(p.Shifts, Shift{true, o.Start, strings.Clone(o.ID)})
		}
	case p.NoCred > 0:
		p.ways.noCred = max(p.ways.noCred, o.Start)
		if p.NoCred == 1 && p.WithCred >= settledAuth {
			p.Shifts = append(p.Shifts, Shift{false, o.Start, strings.Clone(o.ID)})
		}
	}
	p.LastShown, p.LastBare = p.ways.withCred, p.ways.noCred
}

// absorbWays adds the ways of another operation that turned out to be this one.
func (p *op) absorbWays(other *op) {
	n := [2]int{}
	for i := range p.Ways {
		n[boolInt(p.Ways[i].Status != 0)]++
	}
next:
	for i := range other.Ways {
		w := &other.Ways[i]
		for k := range p.Ways {
			x := &p.Ways[k]
			if !x.is(w.Form, w.Kind, w.Status) {
				continue
			}
			if w.First < x.First {
				x.First, x.Exchange = w.First, w.Exchange
			}
			x.Count, x.Last = x.Count+w.Count, max(x.Last, w.Last)
			x.At, x.Before = min(x.At, w.At), min(x.Before, w.Before)
			continue next
		}
		side := boolInt(w.Status != 0)
		if n[side] >= [2]int{MaxRequestWays, MaxResponseWays}[side] {
			p.WaysOver += w.Count
			continue
		}
		n[side]++
		p.Ways = append(p.Ways, *w)
	}
	p.WaysOver += other.WaysOver
	p.absorbHeads(other)
	p.ways.requests += other.ways.requests
	p.ways.responses += other.ways.responses
	p.ways.noCred, p.ways.withCred = max(p.ways.noCred, other.ways.noCred), max(p.ways.withCred, other.ways.withCred)
	p.LastShown, p.LastBare = p.ways.withCred, p.ways.noCred
	for i := range other.Shown {
		s := &other.Shown[i]
		known := false
		for k := range p.Shown {
			if x := &p.Shown[k]; x.Kind == s.Kind && x.In == s.In && x.Name == s.Name && x.JWT == s.JWT {
				x.Count += s.Count
				known = true
			}
		}
		if !known && len(p.Shown) < maxShown {
			p.Shown = append(p.Shown, *s)
		}
	}
	// What was settled at one place of a template need not be so at the others.
	p.Shifts = nil
}

// parameters lists the parameters of an operation's template, in its order.
func (c *Catalog) parameters(p *op) []PathParameter {
	var parts [observe.MaxSegments + 2]*node
	k := len(parts)
	for n := p.node; n.parent != nil && k > 0; n = n.parent {
		k--
		parts[k] = n
	}
	var out []PathParameter
	for i := k; i < len(parts); i++ {
		n := parts[i]
		if !n.param {
			continue
		}
		name, same := n.text, 1
		for j := k; j < i; j++ {
			if parts[j].param && parts[j].text == n.text {
				same++
			}
		}
		if same > 1 {
			name += strconv.Itoa(same)
		}
		x := PathParameter{Name: name, Sensitive: n.naming.sens}
		kinds := 0
		for class, count := range n.naming.classes {
			if count == 0 {
				continue
			}
			kinds++
			if count > n.naming.classes[x.Class] {
				x.Class = observe.ValueClass(class)
			}
		}
		x.Pure = kinds == 1
		out = append(out, x)
	}
	return out
}
