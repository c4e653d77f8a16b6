package attack

import (
	"slices"

	"xiezhi/internal/taxonomy"
)

// What belongs to an attack without looking like one: the attempt that
// succeeded, the first request, the one that a control answered. Without them
// an attack is counted short, and the part that succeeded is the part that
// matters.

// fewQuiet is how many quiet requests at the edge of a burst pass for a part
// of it whatever its size; in a long one an eighth may.
const fewQuiet = 2

func few(quiet, n uint32) bool { return quiet <= fewQuiet || quiet*8 <= n }

// reach is the part of a cell's life that an attack takes: from the first
// telltale request to the last, and the quiet ones around them where they are
// few and close; a longer quiet history is somebody's business before.
func (c *cell) reach() (from, to int64) {
	if c.aLast == 0 {
		return c.first, c.last
	}
	from, to = c.aFirst, c.aLast
	if few(c.lead, c.n) && from-c.first <= burstGap {
		from = c.first
	}
	if few(c.n-c.atMark, c.n) && c.last-to <= burstGap {
		to = c.last
	}
	return from, to
}

// adopt adds to a scope the cells that are its members' kin: made by the same
// tool at the same time, and idle otherwise. It is asked once the scope stands
// as an attack of its own, so kin never speak for it.
func (s *scene) adopt(ax *axis, cand *candidate) {
	sc := cand.scope
	if !ax.kin || sc.kind.wide() && len(sc.members)*10 < len(sc.all)*9 {
		return
	}
	in := make(map[int32]bool, len(sc.members))
	prints := make(map[uint64]int, 4)
	for _, i := range sc.members {
		in[i] = true
		prints[printOf(s.cell(i))]++
	}
	s.broaden(ax, sc, in)
	from, to := sc.sum.window()
	for i := range s.refs {
		c := s.cell(int32(i))
		switch {
		case in[int32(i)] || s.taken[i] || c.last < from-burstGap || c.first > to+burstGap || !s.shares(sc, c):
			continue
		case sc.kind != scopeShape && prints[printOf(c)]*5 < len(sc.members):
			continue // another client than most
		}
		if !s.e.kin(c) || c.tool == 0 && !s.idling(sc.kind) || !sc.sum.meant(cand.fuse.kind, &c.tally) {
			continue
		}
		if ep := s.e.book.ownerOf(s.refs[i], c); ep != nil && ep.axis != ax.name {
			continue
		}
		sc.kin = append(sc.kin, int32(i))
	}
}

// meant reports whether a cell tried what an attack of that kind, with that sum,
// tries: who walks a few passwords, or goes at a few accounts, gets in with one of
// them, and others with their own; and who tries one account again, where the
// attack goes on to the next, mistyped his password.
func (t *tally) meant(kind taxonomy.AttackKind, c *tally) bool {
	set := setTags
	switch kind {
	case taxonomy.AttackPasswordSpraying:
	case taxonomy.AttackBruteForce:
		set = setSubjects
	case taxonomy.AttackCredentialStuffing:
		return c.subj < 2 || c.count(setSubjects) != 1 || float64(t.subj) > meantAgain*t.count(setSubjects)
	default:
		return true
	}
	d := c.sets[set]
	if d == nil || d.dense != nil || t.sets[set] == nil {
		return true // not to be seen
	}
	for _, v := range d.small {
		if in, ok := t.sets[set].has(v); in || !ok {
			return true
		}
	}
	return false
}

const meantAgain = 1.15 // attempts at each account of an attack that goes on to the next

// unmeant leaves out the members of a wide scope that did not mean what it does.
func (s *scene) unmeant(f *fusion, sc *scope) {
	n := len(sc.members)
	sc.members = slices.DeleteFunc(slices.Clone(sc.members), func(i int32) bool { return !sc.sum.meant(f.kind, &s.cell(i).tally) })
	if len(sc.members) < n {
		s.resum(sc)
	}
}

// broaden adds to a scope of one structure the cells of other structures that
// the same client built, where hardly anybody else has that client: a number
// that ends in a letter changes the structure and nothing else.
func (s *scene) broaden(ax *axis, sc *scope, in map[int32]bool) {
	if sc.kind != scopePrint {
		return
	}
	cohort := s.cell(sc.members[0]).cohort
	all, more := 0, []int32(nil)
	for i := range s.refs {
		c := s.cell(int32(i))
		if c.cohort != cohort || s.taken[i] {
			continue
		}
		all++
		if !in[int32(i)] && ax.like(s, c, true) && !s.claimed(ax, s.refs[i], c) {
			more = append(more, int32(i))
		}
	}
	if (len(sc.members)+len(more))*10 < all*9 {
		return
	}
	sc.also = mark{scopeCohort, cohort}
	for _, i := range more {
		in[i] = true
		sc.members = append(sc.members, i)
	}
}

// together leaves out the few cells that are not of the tool that the others
// are of: the owner of an account under guessing mistypes his password, too.
func (s *scene) together(all []int32) []int32 {
	prints := make(map[uint64]int, 4)
	for _, i := range all {
		prints[printOf(s.cell(i))]++
	}
	for p, n := range prints {
		if n*10 < len(all)*7 || n == len(all) {
			continue
		}
		kept := all[:0] // at most one print holds so many
		for _, i := range all {
			if printOf(s.cell(i)) == p {
				kept = append(kept, i)
			}
		}
		return kept
	}
	return all
}

// printOf is what the clients of one tool have in common.
func printOf(c *cell) uint64 { return join(c.cohort, c.agent) }

// shares reports whether a cell has the key of a scope.
func (s *scene) shares(sc *scope, c *cell) bool {
	if sc.kind == scopeTarget {
		in, ok := c.sets[setSubjects].has(sc.key)
		return in && ok
	}
	return sc.kind.key(c) == sc.key
}

// idling reports whether it says something that kin do no business: it would be
// seen, as others' is. A client that hardly anybody else has needs no others
// about in the same hours.
func (s *scene) idling(k scopeKind) bool {
	return s.u.role != "" && (k.wide() && s.e.worked || s.othersWork())
}

// kin reports whether a cell shows no business of its own, so that its being
// there is explained by the attack alone.
func (e *Engine) kin(c *cell) bool {
	if c.follow > 0 {
		return false
	}
	if c.api == 0 {
		return c.business == 0
	}
	if c.actor == 0 {
		return false
	}
	a := e.cells.at(c.actor)
	return a.gen == c.actGen && a.business == 0
}
