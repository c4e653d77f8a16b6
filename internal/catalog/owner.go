package catalog

import (
	"strings"

	"xiezhi/internal/identity"
	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
)

// Owner learning starts cold within minutes: a few people reading their own
// things are enough. The shares are judged per principal, so that one who
// enumerates everybody's objects cannot talk the field out of being an owner
// field.
const (
	maxOwnerFields     = 6
	maxLeafPaths       = 32
	maxOwnerPrincipals = 64
	minPrincipals      = 3
	minResponses       = 10
	minOwners          = 5
	judgeEach          = 128 // judged at every response up to here, then at every 64th
)

// ownership is an API's evidence for which response field names the owner.
type ownership struct {
	paths     []leafPath
	fields    []*ownerField
	learned   *ownerField
	responses uint32 // single-object successes
	anonymous uint32 // of them, without a credential
}

type leafPath struct {
	path  string
	named bool // by the lexicon
	field *ownerField
}

type ownerField struct {
	path       string
	named      bool
	responses  uint32
	known      uint32 // values that are known accounts
	values     [minOwners]uint64
	distinct   int // of values, up to minOwners
	principals []ownerPrincipal
	proven     bool // values are principals: the field speaks the same language
}

type ownerPrincipal struct {
	account    uint64
	total, own uint32
	firstOwn   bool
}

// ownish reports whether a principal mostly gets its own objects, or began
// with one of them.
func (p *ownerPrincipal) ownish() bool { return p.own*2 >= p.total || p.firstOwn }

// own learns from a granted request and fills in the event's owner: from the
// response's owner field, else from a path parameter that names the asker.
func (c *Catalog) own(p *op, ev *Event, segs []segment) {
	if ev.Outcome != OutcomeSuccess || len(ev.Issued) > 0 {
		return
	}
	c.give(ev)
	comparable := false
	if ev.Records <= 1 && len(ev.Leaves) > 0 {
		comparable = c.ownResponse(p, ev)
	}
	at := c.askerNode(p, ev, segs)
	if ev.Owner == 0 && at >= 0 {
		ev.Owner, comparable = segs[at].token, true
	}
	if token := c.askerParam(p, ev); ev.Owner == 0 && token != 0 {
		ev.Owner, comparable = token, true
	}
	if ev.Owner == 0 || ev.Who.Principal == 0 {
		return
	}
	if ev.Who.Is(ev.Owner) {
		ev.Ownership = OwnershipOwn
		c.remember(c.mine, sketch.Join(ev.Who.Principal, uint64(p.Handle)))
	} else if _, known := c.known.Get(ev.Owner); known || comparable {
		ev.Ownership = OwnershipForeign
		if c.entrusted(p, ev) {
			ev.Ownership = OwnershipEntrusted
		}
	}
}

// maxGiven is how many objects of one list are remembered.
const maxGiven = 64

// give remembers the objects that a list gives to the asker.
func (c *Catalog) give(ev *Event) {
	if ev.Who.Principal == 0 || ev.Records < 2 {
		return
	}
	n := 0
	for i := range ev.Leaves {
		if l := &ev.Leaves[i]; l.Token != 0 && strings.Contains(l.Path, "[]") {
			c.remember(c.given, sketch.Join(ev.Who.Principal, l.Token))
			if n++; n >= maxGiven {
				return
			}
		}
	}
}

// entrusted reports whether the asker was given the object before and has none
// of its own here.
func (c *Catalog) entrusted(p *op, ev *Event) bool {
	if ev.Object == 0 {
		return false
	}
	if _, own := c.mine.Peek(sketch.Join(ev.Who.Principal, uint64(p.Handle))); own {
		return false
	}
	_, given := c.given.Peek(sketch.Join(ev.Who.Principal, ev.Object))
	return given
}

// ownResponse learns which field names the owner and gives its value; true
// means that the field is proven to speak of principals.
func (c *Catalog) ownResponse(p *op, ev *Event) bool {
	s := &p.owner
	s.responses++
	if !ev.Who.Known() {
		s.anonymous++
	}
	for i := range ev.Leaves {
		l := &ev.Leaves[i]
		if l.Record != 0 || l.Token == 0 || l.Type == observe.TypeBool {
			continue
		}
		if f := c.ownerField(s, l); f != nil {
			f.learn(c, l.Token, &ev.Who)
		}
	}
	if s.responses <= judgeEach || s.responses%64 == 0 {
		s.judge()
		p.Owner = ""
		if s.learned != nil {
			p.Owner = s.learned.path
		}
	}
	if s.learned == nil {
		return false
	}
	for i := range ev.Leaves {
		if l := &ev.Leaves[i]; l.Record == 0 && l.Path == s.learned.path {
			ev.Owner = l.Token
			return s.learned.proven
		}
	}
	return false
}

// askerNode learns which path parameters name the asker (/users/{username}/…)
// and gives the segment of one that does, or -1. All operations below a
// parameter teach it together, reads apart from writes: looking at others is
// common where changing them is not.
func (c *Catalog) askerNode(p *op, ev *Event, segs []segment) int {
	write := 0
	if ev.Method != "GET" && ev.Method != "HEAD" {
		write = 1
	}
	found := -1
	n := p.node
	for i := len(segs) - 1; i >= 0 && n != nil; i, n = i-1, n.parent {
		if !n.param || segs[i].token == 0 {
			continue
		}
		f := n.askers[write]
		if f == nil {
			if _, known := c.known.Peek(segs[i].token); !known {
				continue
			}
			f = &ownerField{}
			n.askers[write] = f
		}
		f.learn(c, segs[i].token, &ev.Who)
		if f.responses <= judgeEach || f.responses%64 == 0 {
			f.prove()
		}
		if f.proven {
			found = i
			if p.Owner == "" {
				p.Owner = "{" + n.text + "}"
			}
		}
	}
	return found
}

// ownerField gives the evidence of a leaf's path, when it may name an owner:
// by its name, or because it carried the name of a known account.
func (c *Catalog) ownerField(s *ownership, l *observe.Leaf) *ownerField {
	var at *leafPath
	for i := range s.paths {
		if s.paths[i].path == l.Path {
			at = &s.paths[i]
			break
		}
	}
	if at == nil {
		if len(s.paths) >= maxLeafPaths {
			return nil
		}
		s.paths = append(s.paths, leafPath{path: l.Path, named: c.lex.isOwner(l.Path)})
		at = &s.paths[len(s.paths)-1]
	}
	if at.field == nil && len(s.fields) < maxOwnerFields {
		if !at.named {
			if _, known := c.known.Peek(l.Token); !known {
				return nil
			}
		}
		at.field = &ownerField{path: l.Path, named: at.named}
		s.fields = append(s.fields, at.field)
	}
	return at.field
}

func (f *ownerField) learn(c *Catalog, value uint64, who *identity.Who) {
	principal := who.Principal
	f.responses++
	if _, known := c.known.Peek(value); known {
		f.known++
	}
	f.value(value)
	if principal == 0 {
		return
	}
	own := who.Is(value)
	for i := range f.principals {
		if p := &f.principals[i]; p.account == principal {
			p.total++
			if own {
				p.own++
			}
			return
		}
	}
	if len(f.principals) < maxOwnerPrincipals {
		p := ownerPrincipal{account: principal, total: 1, firstOwn: own}
		if own {
			p.own = 1
		}
		f.principals = append(f.principals, p)
	}
}

func (f *ownerField) value(v uint64) {
	for _, x := range f.values[:f.distinct] {
		if x == v {
			return
		}
	}
	if f.distinct < len(f.values) {
		f.values[f.distinct] = v
		f.distinct++
	}
}

// prove judges whether most principals get their own, and gives their share.
func (f *ownerField) prove() float64 {
	ownish, n := 0, len(f.principals)
	for i := range f.principals {
		if f.principals[i].ownish() {
			ownish++
		}
	}
	if n == 0 {
		return 0
	}
	share := float64(ownish) / float64(n)
	f.proven = n >= minPrincipals && f.responses >= minResponses && share >= 0.6 && ownish >= 2
	return share
}

func (f *ownerField) merge(from *ownerField) {
	f.responses += from.responses
	f.known += from.known
	for _, v := range from.values[:from.distinct] {
		f.value(v)
	}
	for _, p := range from.principals {
		f.addPrincipal(p)
	}
}

// judge picks the owner field. Two ways lead there: most principals get their
// own objects, or nearly every value is an account of this site. The second is
// void for what the public reads: an author is not somebody to hide from.
func (s *ownership) judge() {
	var best *ownerField
	bestShare := -1.0
	for _, f := range s.fields {
		n, share := len(f.principals), f.prove()
		accounts := f.named && f.distinct >= minOwners && f.known*10 >= f.responses*9 &&
			s.anonymous*5 <= s.responses && (n < minPrincipals || share >= 0.4)
		if !f.proven && !accounts {
			continue
		}
		if f.named {
			share += 0.2
		}
		if f.proven {
			share++
		}
		if share > bestShare {
			best, bestShare = f, share
		}
	}
	s.learned = best
}

func (s *ownership) merge(o *ownership) {
	s.responses += o.responses
	s.anonymous += o.anonymous
	for _, from := range o.fields {
		var into *ownerField
		for _, f := range s.fields {
			if f.path == from.path {
				into = f
			}
		}
		if into == nil {
			if len(s.fields) >= maxOwnerFields {
				continue
			}
			s.fields = append(s.fields, from)
			s.link(from)
			continue
		}
		into.merge(from)
	}
	s.judge()
}

func (s *ownership) link(f *ownerField) {
	for i := range s.paths {
		if s.paths[i].path == f.path {
			s.paths[i].field = f
			return
		}
	}
	if len(s.paths) < maxLeafPaths {
		s.paths = append(s.paths, leafPath{f.path, f.named, f})
	}
}

func (f *ownerField) addPrincipal(p ownerPrincipal) {
	for i := range f.principals {
		if q := &f.principals[i]; q.account == p.account {
			q.total += p.total
			q.own += p.own
			q.firstOwn = q.firstOwn || p.firstOwn
			return
		}
	}
	if len(f.principals) < maxOwnerPrincipals {
		f.principals = append(f.principals, p)
	}
}
