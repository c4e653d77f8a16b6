package catalog

import (
	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
	"xiezhi/internal/taxonomy"
)

// Caps per API.
const (
	MaxClasses   = 64 // response classes told apart; the rest share ClassOther
	ClassOther   = MaxClasses + 1
	maxSensitive = 64

	maxFormParams = 64
)

// op is an API with what the catalogue alone keeps about it.
type op struct {
	// What a look-up needs stands first, within one line of the cache.
	node     *node
	catchall uint64 // answer key it was listed with, when pages like it are suspect
	sized    bool   // of that answer only the size is known
	refused  bool   // listed for its refusals: never yet answered with success
	dirty    bool   // role must be judged again
	API
	variants []variant
	leaves   uint64   // leafBits of all variants
	classes  []uint64 // by number - 1
	actors   sketch.Distinct
	use      usage
	owner    ownership
	askers   []*ownerField // parameters that may name the asker
	dispatch []dispatch    // parameters that may name the operation
	ways     ways
	gone     goneRun
}

func (p *op) answered(key uint64) bool {
	for i := range p.variants {
		if p.variants[i].key == key {
			return true
		}
	}
	return false
}

// newOp lists an operation.
func (c *Catalog) newOp(n *node, method string, o *observe.Observation) *op {
	if c.live >= MaxAPIs || len(n.ops) >= 16 {
		c.stats.Refused++
		return nil
	}
	c.live++
	h := Handle(len(c.parents))
	c.parents = append(c.parents, h)
	p := &op{node: n, dirty: true}
	p.Handle, p.Site, p.Host, p.Method, p.Role = h, c.site, c.hostName(o.Host), method, taxonomy.RoleOther
	p.First, p.Last, p.Protocol = o.Start, o.Start, o.Protocol
	c.ops = append(c.ops, p)
	n.ops = append(n.ops, p)
	c.places.list(n, p)
	c.template(p)
	return p
}

// absorb adds everything that other has counted.
func (p *op) absorb(other *op) {
	p.Exchanges += other.Exchanges
	for i, n := range other.Outcomes {
		p.Outcomes[i] += n
	}
	p.actors.Merge(&other.actors)
	p.Actors = p.actors.Count()
	p.First, p.Last = min(p.First, other.First), max(p.Last, other.Last)
	p.WithCred += other.WithCred
	p.NoCred += other.NoCred
	p.Public += other.Public
	for i := range other.Sensitive {
		p.addSensitive(other.Sensitive[i])
	}
	for _, v := range other.variants {
		if !p.answered(v.key) && len(p.variants) < maxVariants {
			p.variants = append(p.variants, v)
		}
	}
	p.leaves |= other.leaves
	p.use.merge(&other.use)
	p.owner.merge(&other.owner)
	p.absorbAskers(other)
	p.absorbDispatch(other)
	p.absorbWays(other)
	p.refused = p.refused && other.refused
	p.gone, p.Gone = goneRun{}, false // what one of them refuses the other may give
	if p.catchall != other.catchall {
		p.catchall = 0
	}
	p.dirty = true
}

// class numbers the way an observation was answered.
func (p *op) class(o *observe.Observation) uint32 {
	k := sketch.Join(sketch.Join(uint64(o.Status), sketch.HashString(o.Code)), sketch.Join(o.MessageHash, o.Schema))
	if o.Verdict.Hash != 0 {
		k = sketch.Join(k, o.Verdict.Hash)
	}
	for i, c := range p.classes {
		if c == k {
			return uint32(i + 1)
		}
	}
	if len(p.classes) >= MaxClasses {
		return ClassOther
	}
	p.classes = append(p.classes, k)
	return uint32(len(p.classes))
}

// count adds one exchange.
func (c *Catalog) count(p *op, ev *Event) {
	o := ev.Observation
	p.Exchanges++
	p.Outcomes[ev.Outcome]++
	p.First, p.Last = min(p.First, o.Start), max(p.Last, o.Start)
	actor := ev.Who.Principal
	if actor == 0 {
		b := ev.Who.Client.As16()
		for i := range b {
			actor = (actor ^ uint64(b[i])) * 1099511628211
		}
	}
	if p.actors.Add(actor) {
		p.Actors = p.actors.Count()
	}
	c.leave(p, ev, actor)
	if ev.Outcome == OutcomeSuccess {
		switch {
		case ev.Who.Known():
			p.WithCred++
		case o.Caps&exchange.CapRequestHeaders != 0: // a log does not show them
			p.NoCred++
		}
	}
	if !ev.Who.Private {
		p.Public++
	}
	for i := range o.Exposures {
		x := &o.Exposures[i]
		// A request with more parameters than any form is a search for hidden
		// ones; what it names is the searcher's list.
		if !x.Response && len(o.Params) > maxFormParams {
			continue
		}
		p.addSensitive(Sensitive{Path: x.Path, Type: x.Type, Response: x.Response, Masked: x.Masked, Exchanges: 1, MaxPerResponse: x.Distinct})
	}
}

func (p *op) addSensitive(x Sensitive) {
	for i := range p.Sensitive {
		s := &p.Sensitive[i]
		if s.Type == x.Type && s.Response == x.Response && s.Masked == x.Masked && s.Path == x.Path {
			s.Exchanges += x.Exchanges
			s.MaxPerResponse = max(s.MaxPerResponse, x.MaxPerResponse)
			return
		}
	}
	if len(p.Sensitive) < maxSensitive {
		p.Sensitive = append(p.Sensitive, x)
		return
	}
	if !x.Response {
		return
	}
	// What the application gives out goes before what requesters send in.
	worst := -1
	for i := range p.Sensitive {
		if s := &p.Sensitive[i]; !s.Response && (worst < 0 || s.Exchanges < p.Sensitive[worst].Exchanges) {
			worst = i
		}
	}
	if worst >= 0 {
		p.Sensitive[worst] = x
	}
}
