package attack

import (
	"cmp"
	"slices"
)

// An attack is judged when there is enough news, so its last requests are
// seldom among those that a judgement saw, and what comes after the last one is
// too little to stand out. They carry what the attack was recognised by: before
// an episode ends, and when findings are made, it takes in whatever does.

// mark is a key under which members of an episode were found.
type mark struct {
	kind scopeKind
	key  uint64
}

const (
	maxMarks    = 256
	maxPatience = int64(6 * 3600e9)
)

// know remembers what a scope's members have in common.
func (ep *episode) know(sc *scope) {
	ep.pure = !sc.turnout() && sc.kind != scopeFace && (!sc.kind.wide() || len(sc.members)*10 >= len(sc.all)*9)
	for _, m := range append([]mark{{sc.kind, sc.key}, sc.also}, sc.targets...) {
		if _, ok := ep.marks[m]; ok || m.key == 0 || len(ep.marks) >= maxMarks {
			continue
		}
		if ep.marks == nil {
			ep.marks = make(map[mark]struct{})
		}
		ep.marks[m] = struct{}{}
	}
}

// patience is how long an episode's keys may be silent before it has ended: an
// attack of one request in five minutes is silent for long now and then.
func (ep *episode) patience(e *Engine) int64 {
	n := int64(ep.settled.n)
	for _, m := range ep.live {
		if c := e.cells.at(m.at); c.gen == m.gen {
			n += int64(c.n)
		}
	}
	return min(max(burstGap, 12*(ep.last-ep.first)/max(n, 1)), maxPatience)
}

// crowding notes when nearly all of a swarm came: what it has in common people
// have, too, so that only being in the thick of it tells. Who has been there
// before or stays counts with that part of it.
func (ep *episode) crowding(s *scene, sc *scope) {
	first, last := make([]int64, 0, len(sc.members)), make([]int64, 0, len(sc.members))
	for _, i := range sc.members {
		c := s.cell(i)
		first, last = append(first, c.first), append(last, c.last)
	}
	slices.Sort(first)
	slices.Sort(last)
	n := len(first)
	from, to := last[n/50], first[n-1-n/50]
	margin := max(swarmGap/15, (to-from)/20)
	widen(&ep.core[0], &ep.core[1], from-margin, to+margin)
}

// haste is how long two of a swarm may be apart.
func (ep *episode) haste() int64 {
	return min(burstGap, max(swarmGap/15, swarmHaste*(ep.core[1]-ep.core[0])/int64(max(len(ep.live), 1))))
}

const swarmHaste = 20 // times the mean gap

// absorb gives an episode the unowned cells that carry one of its keys and
// follow its other requests closely.
func (b *book) absorb(e *Engine, ep *episode) {
	if len(ep.marks) == 0 || !ep.pure || ep.score < scoreLikely {
		return
	}
	s := &scene{e: e, u: e.unitOf(ep.unit), now: e.now}
	var ax *axis
	for _, x := range e.axesOf(s.u) {
		if x.name == ep.axis {
			ax = &x
		}
	}
	if ax == nil {
		return
	}
	h := ep.hand(e)
	var found []ref
	e.within(s.u, func(i int32) {
		for r := e.apis[i].cells.head; r != 0; {
			c := e.cells.at(r)
			if e.cells.past(r, ep.first-burstGap) {
				break
			}
			if c.last >= ep.first-burstGap && b.ownerOf(r, c) == nil && ep.carries(c, &h) {
				found = append(found, r)
			}
			r = e.cells.after(r)
		}
	})
	if len(found) == 0 {
		return
	}
	slices.SortStableFunc(found, func(a, b ref) int { return cmp.Compare(e.cells.links[b].last, e.cells.links[a].last) })
	gap := ep.patience(e)
	first, last := ep.first, ep.last
	if ep.axis == "swarm" {
		first, last, gap = ep.core[0], ep.core[1], ep.haste()
	}
	sum := tally{}
	if ax.kin {
		r := b.rosterOf(e, ep, &e.scratch)
		sum = r.tally
	}
	defer sum.free(&e.scratch)
	// A few rounds carry on from one to what came before it.
	for range 8 {
		var rest []ref
		before := last
		for k := len(found) - 1; k >= 0; k-- {
			r := found[k]
			c := e.cells.at(r)
			switch {
			case c.first > last+gap || c.last < first-gap:
				rest = append(rest, r)
			case ax.like(s, c, ep.scope.wide() || ep.scope == scopeTarget || ep.scope == scopeAddress):
				if ax.kin && !sum.meant(ep.kind, &c.tally) {
					continue
				}
				b.own(ep, r, c.gen)
			case ax.kin && e.kin(c) && (c.tool > 0 || s.idling(ep.scope)) && sum.meant(ep.kind, &c.tally):
				b.own(ep, r, c.gen)
				if ep.kin == nil {
					ep.kin = make(map[uint32]bool)
				}
				ep.kin[c.gen] = true
			default:
				continue
			}
			if ep.kin[c.gen] || b.ownerOf(r, c) == ep {
				b.accuse(s, ep, c)
				from, to := c.reach()
				ep.first, ep.last = min(ep.first, from), max(ep.last, to)
				first, last = min(first, from), max(last, to)
			}
		}
		if len(rest) == 0 || last == before {
			break
		}
		found = reversed(rest)
	}
}

func reversed(refs []ref) []ref {
	for i, k := 0, len(refs)-1; i < k; i, k = i+1, k-1 {
		refs[i], refs[k] = refs[k], refs[i]
	}
	return refs
}

// A hand is what the clients of an episode's members have in common.
type hand struct {
	print  uint64   // of most members, 0 when nothing is
	shapes []uint64 // parameter structures that several of them build
}

const handShape = 10 // a structure counts if one member in so many builds it

func (ep *episode) hand(e *Engine) (h hand) {
	prints, shapes, n := make(map[uint64]int, 4), make(map[uint64]int, 4), 0
	for _, m := range ep.live {
		if c := e.cells.at(m.at); c.gen == m.gen {
			prints[printOf(c)]++
			shapes[c.shape]++
			n++
		}
	}
	for p, k := range prints {
		if k*10 >= n*7 {
			h.print = p
		}
	}
	for x, k := range shapes {
		if k*handShape >= n {
			h.shapes = append(h.shapes, x)
		}
	}
	return h
}

// carries reports whether a cell has one of the keys of an episode; what only
// has the same target must be of the same tool, where there is one. Everybody
// trades at a sale: what trades must be of the same tool and build its requests
// in the same way, or be for the same receiver or by the same device, card issuer
// or password.
func (ep *episode) carries(c *cell, h *hand) bool {
	trade := tradeAxis(ep.axis)
	same := printOf(c) == h.print
	for m := range ep.marks {
		switch {
		case h.print != 0 && !same && (m.kind == scopeTarget || trade):
			continue
		case trade && m.kind >= scopePrefix && (!same || !slices.Contains(h.shapes, c.shape)):
			continue
		}
		if m.kind == scopeTarget {
			if in, ok := c.sets[setSubjects].has(m.key); in && ok {
				return true
			}
		} else if m.kind.key(c) == m.key {
			return true
		}
	}
	return false
}
