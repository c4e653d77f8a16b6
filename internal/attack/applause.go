package attack

import (
	"cmp"
	"math"
	"slices"

	"xiezhi/internal/taxonomy"
)

// Fake engagement is seen from the target: it gets acts that others of its kind
// do not get, from one client that gives hardly any to the rest, or from askers
// who never opened it, or from accounts that do the same to the same targets.
// What spreads among people brings many clients, and they look before they like.

const (
	actsLeast  = 20  // askers of a target
	actsMany   = 100 // acts of one asker
	actsTimes  = 20  // … times what others do
	actsExcess = 0.3 // share of a target's excess that one client must give
	actsImpure = 0.1 // share of honest askers that a scope may hold by expectation
	actsLift   = 6.0
	hotTargets = 16 // looked at in one judgement
)

// A stage is one target with who acted on it.
type stage struct {
	key   uint64
	cells []int32
	bare  int
}

// house is all targets of a scene.
type house struct {
	s       *scene
	stages  []stage
	acts    int // askers × targets
	bare    int
	at      map[uint64]int32
	loads   map[uint64]float64 // of hot targets
	allLoad float64
}

// applause finds the targets of a unit that are acted on for show.
func (s *scene) applause(b *book) {
	h := s.house()
	var found []*candidate
	hot := h.hot()
	if len(hot) > 0 {
		h.load(hot)
	}
	for _, i := range hot {
		if c := h.byClient(&h.stages[i]); c != nil {
			found = append(found, c)
			s.take(c.scope)
		}
	}
	if c := h.byBare(hot); c != nil {
		found = append(found, c)
		s.take(c.scope)
	}
	for _, c := range h.rings() {
		found = append(found, c)
		s.take(c.scope)
	}
	found = append(found, s.loudest()...)
	for _, c := range found {
		b.fold(s, c)
		c.scope.sum.free(s.pool)
	}
}

func (s *scene) house() *house {
	h := &house{s: s, at: make(map[uint64]int32)}
	for i := range s.refs {
		c := s.cell(int32(i))
		set := c.sets[setTargets]
		if s.taken[i] || c.acts == 0 || set == nil || set.dense != nil {
			continue
		}
		bare := c.bare*2 > c.acts
		for _, t := range set.small {
			k, ok := h.at[t]
			if !ok {
				k = int32(len(h.stages))
				h.at[t] = k
				h.stages = append(h.stages, stage{key: t})
			}
			st := &h.stages[k]
			st.cells = append(st.cells, int32(i))
			h.acts++
			if bare {
				st.bare++
				h.bare++
			}
		}
	}
	return h
}

// hot gives the targets that most act on, most first.
func (h *house) hot() (list []int32) {
	for i := range h.stages {
		if len(h.stages[i].cells) >= actsLeast {
			list = append(list, int32(i))
		}
	}
	slices.SortFunc(list, func(a, b int32) int {
		x, y := &h.stages[a], &h.stages[b]
		return cmp.Or(cmp.Compare(len(y.cells), len(x.cells)), cmp.Compare(x.key, y.key))
	})
	return list[:min(len(list), hotTargets)]
}

// load counts who opened the hot targets, and all, at the site's other APIs.
func (h *house) load(hot []int32) {
	e := h.s.e
	h.loads = make(map[uint64]float64, len(hot))
	type opening struct {
		target, who uint64
		api         int
	}
	seen := make(map[opening]bool)
	for _, i := range hot {
		h.loads[h.stages[i].key] = 0
	}
	view := e.apis[h.s.u.apis[0]].role == taxonomy.RoleView
	for i := 1; i < len(e.apis); i++ {
		kind := setObjects
		if r := e.apis[i].role; engages(r) {
			if r != taxonomy.RoleView || view {
				continue
			}
			kind = setTargets
		}
		for r := e.apis[i].cells.head; r != 0 && !e.cells.past(r, h.s.from); r = e.cells.after(r) {
			c := e.cells.at(r)
			set := c.sets[kind]
			if c.last < h.s.from || set == nil {
				continue
			}
			h.allLoad += set.count()
			for _, t := range set.small {
				if o := (opening{t, c.who, i}); !seen[o] {
					if n, ok := h.loads[t]; ok {
						seen[o] = true // as the askers of acts, see people
						h.loads[t] = n + 1
					}
				}
			}
		}
	}
}

// usual is what the middle target gets.
func (h *house) usual() float64 {
	if len(h.stages) < 3 {
		return 0
	}
	n := make([]float64, len(h.stages))
	for i := range h.stages {
		n[i] = float64(len(h.stages[i].cells))
	}
	return nth(n, len(n)/2)
}

// weigh adds what speaks for and against a scope of askers of a target.
func (h *house) weigh(f *fusion, sc *scope, st *stage, bareThere int) *candidate {
	s := h.s
	if len(sc.members) == 0 {
		return nil
	}
	s.resum(sc)
	n := float64(len(st.cells))
	mu := h.usual()
	if z := (n - mu) / math.Sqrt(mu+0.01*mu*mu+1); z >= 6 && len(h.stages) >= 3 {
		f.say(taxonomy.FamilySet, ramp(z, 6, 1.5, 60, 3), "surge", len(st.cells), int(mu))
	}
	others, bareOthers := h.acts-len(st.cells), h.bare-bareThere
	bare := share(sc.sum.bare, sc.sum.acts)
	rate := (float64(bareOthers) + 0.5) / (float64(others) + 10)
	measured, said := others >= 10 && rate <= 0.5, false
	switch {
	case !measured:
	case bare >= 0.8:
		said = true
		f.say(taxonomy.FamilySequence, min(float64(len(sc.members))*math.Log(bare/max(rate, 0.02)), 4.5), "bare", round2(bare), round2(rate))
	case bare <= 0.3:
		f.say(taxonomy.FamilySequence, -4, "opened", round2(bare), nil)
	}
	if loads, other := h.loads[st.key], h.allLoad-h.loads[st.key]; other >= 20 && others >= 10 && loads > 0 {
		usual := float64(others) / other
		n := h.people(st)
		w := ramp(n/loads/usual, 3, 1.5, 20, 4)
		if said {
			w /= 2 // it follows from that
		}
		f.say(taxonomy.FamilyOutcome, w, "ratio", round2(n/loads), round2(usual))
	}
	if sc.kind != scopeAddress || sc.tools*10 >= len(sc.members)*8 {
		s.protocol(f, sc) // many clients behind one address are a campus
	}
	s.structure(f, sc)
	s.network(f, sc)
	score := f.score()
	if score < scoreSuspicious {
		sc.sum.free(s.pool)
		return nil
	}
	return &candidate{axis: "applause", scope: sc, fuse: f, score: score}
}

// people counts who acted on a target, accounts behind one client as one.
func (h *house) people(st *stage) float64 {
	who := make(map[uint64]bool, len(st.cells))
	for _, i := range st.cells {
		who[h.s.cell(i).who] = true
	}
	return float64(len(who))
}

// loudest finds single askers who act on one target again and again.
func (s *scene) loudest() (found []*candidate) {
	for i := range s.refs {
		c := s.cell(int32(i))
		if s.taken[i] || c.acts < actsMany || c.sets[setTargets].count() > 2 {
			continue
		}
		sc := &scope{kind: scopeActor, key: c.who, all: []int32{int32(i)}, members: []int32{int32(i)}}
		f := &fusion{kind: taxonomy.AttackFakeEngagement}
		acts := func(c *cell) float64 { return float64(c.acts) }
		times, _ := s.loudness(sc, acts)
		if times < actsTimes {
			continue
		}
		f.peers(times)
		s.resum(sc)
		f.say(taxonomy.FamilySet, ramp(float64(c.acts), actsMany, 3, 1000, 5.5), "repeated", int(c.acts), nil)
		if c.bare*10 >= c.acts*9 {
			f.say(taxonomy.FamilySequence, 2, "bare", 1, nil)
		}
		s.timing(f, sc)
		s.protocol(f, sc)
		if score := f.score(); score >= scoreSuspicious {
			found = append(found, &candidate{axis: "applause", scope: sc, fuse: f, score: score})
		} else {
			sc.sum.free(s.pool)
		}
	}
	return found
}
