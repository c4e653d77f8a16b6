package attack

import (
	"math"

	"xiezhi/internal/taxonomy"
)

// Questions asked across sites. One site sees a car asked after once and
// thinks nothing of it; that it was asked after at ten sites within minutes
// only they together can know. So a site tells what was looked up, as tokens,
// and is told what came of it elsewhere.

// Lookup is what a site tells of one question: the number asked about, as a
// token, by which client and when, and whether the answer was made use of.
type Lookup struct {
	Subject uint64
	Client  uint64
	Time    int64
	Used    bool
	cell    ref
	gen     uint32
}

// Crossing is a question of this site that was asked at others as well.
type Crossing struct {
	Lookup
	Group    uint64 // who asks, as far as sites can agree: his client, else 0
	Sites    int    // at which the number was asked about within minutes
	Subjects int    // numbers that the group asked about at several sites in a day
}

const (
	crossedSites    = 3 // from which on a number is asked about across sites
	crossedSubjects = 2
)

// Lookups gives the questions that are ripe by then, or all, oldest first, and
// forgets them.
func (e *Engine) Lookups(now int64, all bool) []Lookup {
	e.looks.ripen(now)
	for all && e.looks.head < e.looks.tail {
		e.looks.pop()
	}
	out := e.looks.ready
	e.looks.ready = nil
	return out
}

// Cross takes in what the site's questions turned out to be part of.
func (e *Engine) Cross(list []Crossing) {
	type part struct {
		unit  int32
		group uint64
	}
	byPart := make(map[part][]Crossing)
	var order []part
	for _, x := range list {
		c := e.cells.at(x.cell)
		if c.gen != x.gen || c.n == 0 {
			continue
		}
		p := part{e.apis[c.api].unit, x.Group}
		if p.unit < 0 {
			continue
		}
		if byPart[p] == nil {
			order = append(order, p)
		}
		byPart[p] = append(byPart[p], x)
	}
	for _, p := range order {
		e.cross(&e.units[p.unit], p.group, byPart[p])
	}
}

func (e *Engine) cross(u *unit, group uint64, list []Crossing) {
	s := e.look(u, e.now-horizon, nil)
	at := make(map[ref]int32, len(s.refs))
	for i, r := range s.refs {
		at[r] = int32(i)
	}
	s.desk.brief(s)
	sc := &scope{kind: scopeUnit, key: group}
	if group != 0 {
		sc.kind = scopePrint
	}
	in := make(map[int32]bool)
	sites, subjects := 0, 0
	for _, x := range list {
		i, ok := at[x.cell]
		if !ok {
			continue
		}
		sites, subjects = max(sites, x.Sites), max(subjects, x.Subjects)
		if !in[i] {
			in[i] = true
			sc.members = append(sc.members, i)
		}
	}
	if len(sc.members) == 0 {
		return
	}
	sc.all = sc.members
	s.resum(sc)
	defer sc.sum.free(s.pool)
	f := s.weighCrossing(sc, sites, subjects)
	if score := f.score(); score >= scoreSuspicious {
		e.book.fold(s, &candidate{axis: "crossing", scope: sc, fuse: f, score: score})
	}
}

func (s *scene) weighCrossing(sc *scope, sites, subjects int) *fusion {
	f := &fusion{kind: taxonomy.AttackTargetedLookup}
	f.say(taxonomy.FamilySet, ramp(float64(sites), crossedSites, 4, 10, familyCap), "sites", sites, 1)
	f.say(taxonomy.FamilyHerd, ramp(float64(subjects), crossedSubjects, 2, 12, 5.5), "across", subjects, 0)
	s.weighUnused(f, sc)
	s.protocol(f, sc)
	s.structure(f, sc)
	s.network(f, sc)
	return f
}

// weighUnused weighs that nobody makes use of the answers, against how many of
// the others do.
func (s *scene) weighUnused(f *fusion, sc *scope) {
	rate, of := s.usedBy(sc)
	if of < 10 || rate < 0.1 {
		return
	}
	asked := sc.sum.count(setAsked)
	unused := asked - min(float64(sc.sum.heeded), asked)
	f.say(taxonomy.FamilyOutcome, min(unused*math.Log(1/(1-min(rate, 0.8))), 5), "unused_answer", round2(unused/max(asked, 1)), round2(1-rate))
}

// usedBy is the share of questions whose answer others make use of, and how
// many questions those are.
func (s *scene) usedBy(sc *scope) (rate float64, of uint32) {
	in := make(map[uint64]bool, len(sc.members))
	for _, i := range sc.members {
		in[s.cell(i).who] = true
	}
	var asked, used uint32
	for i := range s.refs {
		c := s.cell(int32(i))
		if c.asks == 0 || in[c.who] || s.taken[i] || s.e.book.accused(s.refs[i], c) {
			continue
		}
		n := uint32(c.sets[setAsked].count())
		asked += n
		used += min(c.heeded, n)
	}
	return share(used, asked), asked
}
