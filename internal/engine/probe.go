package engine

import (
	"xiezhi/internal/judge"
	"xiezhi/internal/observe"
)

// Probe looks into a run while it judges, to measure how soon an attack is
// found: after an exchange it asks what would be said of it if the input ended
// there. It changes nothing of the result. Each look judges everything that is
// pending, so looks are for the lab and not for use.
type Probe struct {
	// Due says whether to look after this exchange. It is asked of every
	// observation, in the order of judging.
	Due func(id string) bool
	// Look gets the attacks, likely or confirmed, that the exchange would be
	// attributed to. The hits are valid until it returns.
	Look func(id string, hits []Hit)
}

// Hit is one attribution of an exchange.
type Hit struct {
	Attack string
	Kind   string
}

// observe looks after an observation, if it is due.
func (p *Probe) observe(j *judge.Judge, o *observe.Observation) {
	if p == nil || !p.Due(o.ID) {
		return
	}
	m := judge.NewMatcher(j, j.Attacks())
	var hits []Hit
	m.Each(o, j.Lookup(o), func(id, kind string) { hits = append(hits, Hit{id, kind}) })
	p.Look(o.ID, hits)
}
