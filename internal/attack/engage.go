package attack

import (
	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// Engagement: what makes a target look liked, read or followed. People act on
// what they have opened, or on what a list showed them; who is paid for numbers
// has no need to.

// engages reports whether requests of that role count for a target.
func engages(r taxonomy.Role) bool {
	switch r {
	case taxonomy.RoleView, taxonomy.RoleLike, taxonomy.RoleComment, taxonomy.RoleFollow, taxonomy.RoleVote:
		return true
	}
	return false
}

// engagedWith is the target of an act: the object that the request names, else
// its first value that can be an id.
func engagedWith(ev *catalog.Event) uint64 {
	if ev.Object != 0 {
		return ev.Object
	}
	for k := range min(len(ev.Params), 8) {
		p := &ev.Params[k]
		if p.Token == 0 || p.Sensitive != 0 || p.In == observe.InHeader || p.In == observe.InCookie || p.Len > 64 {
			continue
		}
		switch p.Class {
		case observe.ClassInt, observe.ClassHex, observe.ClassUUID, observe.ClassMixed:
			return p.Token
		}
	}
	return 0
}

// countEngagement counts an act, or remembers that its target was opened.
func (e *Engine) countEngagement(ev *catalog.Event, c *cell, s *apiState, asker uint64) {
	if !engages(s.role) {
		if e.engaged && ev.Object != 0 && ev.Outcome == catalog.OutcomeSuccess {
			e.opened.add(join(asker, ev.Object))
			if anon := clientOf(ev); anon != asker {
				e.opened.add(join(anon, ev.Object))
			}
		}
		return
	}
	e.engaged = true
	if ev.Method == "OPTIONS" || ev.Method == "HEAD" {
		return
	}
	t := engagedWith(ev)
	if t == 0 {
		return
	}
	c.acts++
	e.pool.add(&c.sets[setTargets], t)
	anon := clientOf(ev)
	if !e.opened.has(join(asker, t)) && !e.opened.has(join(anon, t)) && !e.given.has(join(asker, t)) && !e.given.has(join(anon, t)) {
		c.bare++
		e.mark(c, ev.End)
	} else if ev.AgentTool || c.n >= actsMany {
		e.mark(c, ev.End)
	}
	e.units[s.unit].watch = true
}

// acted reports whether a unit is of acts.
func (e *Engine) acted(u *unit) bool {
	return u.role == "" && len(u.apis) > 0 && engages(e.apis[u.apis[0]].role)
}
