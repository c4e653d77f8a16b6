package attack

import (
	"slices"

	"xiezhi/internal/taxonomy"
)

// An attack from a handful of addresses is seen as several askers, each of
// whom falls short of a verdict. Where they share a client or a network they
// are weighed together as well, and together they have to stand out from
// everybody else, like any wide scope.

// joinLeast is how many cells a joined scope has at least: each stands out by
// itself, so fewer do than in a crowd of askers who do next to nothing each.
const joinLeast = 3

// joinScopes are the keys that askers are joined by, narrow first.
var joinScopes = [...]scopeKind{scopePrint, scopePrefix, scopeCohort}

// join replaces narrow scopes that are not confirmed by one that holds several
// of them, where that says more than each. It gives what was found and what is
// still weak.
func (s *scene) join(ax axis, found, weak []*candidate) ([]*candidate, []*candidate) {
	var open []*candidate
	for _, c := range found {
		if c.fuse.verdict() < taxonomy.Confirmed {
			open = append(open, c)
		}
	}
	open = append(open, weak...)
	ax.joined = true
	for len(open) > 1 {
		s.retake(open, false)
		var best *candidate
		for _, k := range joinScopes {
			if slices.Contains(ax.wide, k) {
				best = s.joinBy(ax, k, open, best)
			}
		}
		if best == nil {
			break
		}
		in := best.scope.inside()
		within := func(c *candidate) bool { return c.scope.within(in) }
		found, weak, open = slices.DeleteFunc(found, within), slices.DeleteFunc(weak, within), slices.DeleteFunc(open, within)
		s.adopt(&ax, best)
		found = append(found, best)
		s.take(best.scope)
	}
	for _, c := range found {
		s.take(c.scope)
	}
	return found, weak
}

// retake sets whether the members of candidates are taken.
func (s *scene) retake(list []*candidate, taken bool) {
	for _, c := range list {
		for _, part := range [2][]int32{c.scope.members, c.scope.kin} {
			for _, i := range part {
				s.taken[i] = taken
			}
		}
	}
}

// joinBy tries the keys of one kind that two open candidates or more share.
func (s *scene) joinBy(ax axis, k scopeKind, open []*candidate, best *candidate) *candidate {
	keys := s.keysOf(k)
	parts := make(map[uint64][]*candidate)
	var order []uint64
	for _, c := range open {
		key := keys[c.scope.members[0]]
		if key == 0 || slices.ContainsFunc(c.scope.members, func(i int32) bool { return keys[i] != key }) {
			continue
		}
		if parts[key] == nil {
			order = append(order, key)
		}
		parts[key] = append(parts[key], c)
	}
	slices.Sort(order)
	for _, key := range order {
		if len(parts[key]) < 2 {
			continue
		}
		var all []int32
		for i := range keys {
			if keys[i] == key && !s.taken[i] {
				all = append(all, int32(i))
			}
		}
		c := s.try(ax, k, key, all, s.hard)
		if c == nil && ax.sums {
			c = s.trySum(ax, k, key, all)
		}
		if c == nil || c.score < scoreLikely || slices.ContainsFunc(parts[key], func(p *candidate) bool {
			return p.fuse.kind != c.fuse.kind || p.score >= c.score
		}) || !c.scope.joins(parts[key]) {
			continue
		}
		if best == nil || better(c, best) {
			best = c
		}
	}
	return best
}

// joins reports whether a scope holds two candidates or more: what is weighed may
// leave members out, and a scope that joins nothing would be found for ever.
func (sc *scope) joins(parts []*candidate) bool {
	in, whole := sc.inside(), 0
	for _, p := range parts {
		if p.scope.within(in) {
			whole++
		}
	}
	return whole >= 2
}

// within reports whether a scope's members are all among those given.
func (sc *scope) within(in map[int32]bool) bool {
	return !slices.ContainsFunc(sc.members, func(i int32) bool { return !in[i] })
}

// trySum weighs a joined scope like one asker, where nobody is there to compare
// a herd with: what several do to the same victims adds up.
func (s *scene) trySum(ax axis, k scopeKind, key uint64, all []int32) *candidate {
	weigh := ax.weigh
	ax.weigh = func(s *scene, sc *scope) *fusion {
		if len(sc.members)*10 < len(sc.all)*9 {
			return nil
		}
		sc.kind = scopeAddress
		defer func() { sc.kind = k }()
		return weigh(s, sc)
	}
	return s.try(ax, k, key, all, s.hard)
}
