package unauthorized

import (
	"cmp"
	"slices"

	"xiezhi/internal/defect"
	"xiezhi/internal/identity"
)

const (
	day         = int64(86400e9)
	maxSpells   = 64 // spells of a timeline; beyond, they become twice as long
	spellPeople = 16 // principals told apart per spell and rank
)

// timeline counts calls by rank in spells of a day, or longer ones when there
// are many. Spells fold in any order. The zero value is empty.
type timeline struct {
	width  int64 // 0: a day
	cap    uint16
	spells []spell
}

type spell struct {
	start  int64
	calls  [ranksAll]uint32
	denied [ranksLow]uint32
	people [ranksAll]defect.Set // with success
}

func (t *timeline) limit() uint16 { return cmp.Or(t.cap, spellPeople) }

func (t *timeline) wide() int64 { return cmp.Or(t.width, day) }

// at gives the spell of a time.
func (t *timeline) at(when int64) *spell {
	start := when - mod(when, t.wide())
	n := len(t.spells)
	if n > 0 && t.spells[n-1].start == start {
		return &t.spells[n-1]
	}
	i, found := slices.BinarySearchFunc(t.spells, start, func(s spell, at int64) int { return cmp.Compare(s.start, at) })
	if found {
		return &t.spells[i]
	}
	if n == maxSpells {
		t.double()
		return t.at(when)
	}
	t.spells = slices.Insert(t.spells, i, spell{start: start})
	return &t.spells[i]
}

func mod(a, b int64) int64 {
	if a %= b; a < 0 {
		a += b
	}
	return a
}

func (t *timeline) double() {
	t.width = 2 * t.wide()
	old := t.spells
	t.spells = make([]spell, 0, maxSpells)
	for i := range old {
		t.at(old[i].start).fold(&old[i], t.limit())
	}
}

func (s *spell) fold(o *spell, limit uint16) {
	for i, n := range o.denied {
		s.denied[i] += n
	}
	for i := range o.people {
		s.calls[i] += o.calls[i]
		s.people[i].Cap = limit
		s.people[i].Union(&o.people[i])
	}
}

func (t *timeline) fold(o *timeline) {
	for t.wide() < o.wide() {
		t.double()
	}
	for i := range o.spells {
		t.at(o.spells[i].start).fold(&o.spells[i], t.limit())
	}
}

// before sums the calls of ranks up to a time: all of the spells that end by
// then, and that one's in which it lies.
func (t *timeline) before(when int64, of func(identity.Rank) bool) (n uint64) {
	for i := range t.spells {
		if s := &t.spells[i]; s.start < when {
			for rank, c := range s.calls {
				if of(identity.Rank(rank)) {
					n += uint64(c)
				}
			}
		}
	}
	return n
}

// window sums the calls of ranks in spells that begin in a time, and counts who
// made them.
func (t *timeline) window(from, to int64, of func(identity.Rank) bool) (calls, people uint64) {
	var all defect.Set
	all.Cap = 4 * t.limit()
	for i := range t.spells {
		s := &t.spells[i]
		if s.start+t.wide() <= from || s.start >= to {
			continue
		}
		for rank := range s.people {
			if of(identity.Rank(rank)) {
				calls += uint64(s.calls[rank])
				all.Union(&s.people[rank])
			}
		}
	}
	return calls, all.Count()
}

// refusals sums what was denied to ranks while others of them got through.
func (t *timeline) refusals(during defect.Span, of func(identity.Rank) bool) (n uint64) {
	for i := range t.spells {
		s := &t.spells[i]
		if s.start+t.wide() <= during.First || s.start > during.Last {
			continue
		}
		for rank, c := range s.denied {
			if of(identity.Rank(rank)) {
				n += uint64(c)
			}
		}
	}
	return n
}

// presence sums, over the spells that begin in a time, how many principals of
// ranks were there.
func (t *timeline) presence(from, to int64, of func(identity.Rank) bool) (n float64) {
	for i := range t.spells {
		s := &t.spells[i]
		if s.start+t.wide() <= from || s.start >= to {
			continue
		}
		for rank := range s.people {
			if of(identity.Rank(rank)) {
				n += float64(s.people[rank].Count())
			}
		}
	}
	return n
}

// adopted is how often, for each one there, a function has to be used by those
// it was rolled out to, as a share of how often by those whose it was.
const adopted = 0.2

// rolledOut reports whether within a week a good part of those who were there
// used the function, not much less often than those whose it was, and hardly
// any was refused: it is meant for them. Some who know the link and try it now
// and then are no roll-out.
func (t *timeline) rolledOut(site *timeline, of, high func(identity.Rank) bool) bool {
	for i := range t.spells {
		from := t.spells[i].start
		to := from + max(rolloutDays*day, t.wide())
		calls, users := t.window(from, to, of)
		if users < 3 || t.refusals(defect.Span{First: from, Last: to - 1}, of)*4 > calls {
			continue
		}
		_, there := site.window(from, to, of)
		if (users < 4 || users*3 < there) && users*2 < there {
			continue
		}
		theirs, _ := t.window(from, to, high)
		mine := float64(calls) / max(site.presence(from, to, of), 1)
		if mine >= adopted*float64(theirs)/max(site.presence(from, to, high), 1) {
			return true
		}
	}
	return false
}
