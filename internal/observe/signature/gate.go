package signature

import (
	"bytes"
	"regexp"
	"slices"
)

// matcher is what a rule asks of a text.
type matcher struct {
	any, all, none []int32 // literal ids in the gate
	pattern        *regexp.Regexp
	whole          bool // the pattern sees the whole text, else windows
}

// gate is an automaton and the rules that its literals wake.
type gate struct {
	auto  *automaton
	wakes [][]*Rule // per literal
	lens  []int
	ids   map[string]int32
	rules int
}

// literal gives the id of a literal, adding it when new.
func (g *gate) literal(l string) int32 {
	if g.ids == nil {
		g.ids = map[string]int32{}
	}
	id, ok := g.ids[l]
	if !ok {
		id = int32(len(g.lens))
		g.ids[l] = id
		g.lens = append(g.lens, len(l))
		g.wakes = append(g.wakes, nil)
	}
	return id
}

// mayHit reports whether a literal stands in b.
func (g *gate) mayHit(b []byte) bool { return g.auto.first(b) >= 0 }

func (g *gate) build() (err error) {
	literals := make([]string, len(g.lens))
	for l, id := range g.ids {
		literals[id] = l
	}
	g.auto, err = newAutomaton(literals)
	return err
}

// window is one place in a text where a rule was woken.
type window struct {
	rule     *Rule
	from, to int // of the literal
}

// scratch is the working space of one match.
type scratch struct {
	seen    []bool  // per literal of the gate in use
	met     []int32 // literals met, to clear seen
	count   []uint8 // windows per rule
	fired   []bool  // per rule
	touched []*Rule
	windows []window
	decoded [maxDecode][]byte
}

func (s *Set) borrow(g *gate) *scratch {
	w, _ := s.scratch.Get().(*scratch)
	if w == nil {
		w = &scratch{count: make([]uint8, len(s.rules)), fired: make([]bool, len(s.rules))}
	}
	if len(w.seen) < len(g.lens) {
		w.seen = make([]bool, len(g.lens))
	}
	return w
}

// forget readies the scratch for another text; fired stays.
func (w *scratch) forget() {
	for _, id := range w.met {
		w.seen[id] = false
	}
	for _, win := range w.windows {
		w.count[win.rule.index] = 0
	}
	w.met, w.windows = w.met[:0], w.windows[:0]
}

func (s *Set) giveBack(w *scratch) {
	w.forget()
	for _, r := range w.touched {
		w.fired[r.index] = false
	}
	w.touched = w.touched[:0]
	for i := range w.decoded {
		if cap(w.decoded[i]) > maxBody {
			w.decoded[i] = nil
		}
	}
	s.scratch.Put(w)
}

// collect fills the scratch with the literals and windows of a text from
// offset start on; nothing ends before start.
func (g *gate) collect(w *scratch, b []byte, start int) {
	a := g.auto
	state := uint32(0)
	for i := start; i < len(b); i++ {
		state = a.next[state+uint32(a.class[b[i]])]
		if state < a.output {
			continue
		}
		for _, id := range a.ends[(state-a.output)/a.width] {
			if !w.seen[id] {
				w.seen[id] = true
				w.met = append(w.met, id)
			}
			for _, r := range g.wakes[id] {
				if w.count[r.index] < maxHits && len(w.windows) < maxWindows {
					w.count[r.index]++
					w.windows = append(w.windows, window{r, i + 1 - g.lens[id], i + 1})
				}
			}
		}
	}
}

// accepts reports whether the rule matches at the window and where.
func (m *matcher) accepts(w *scratch, b []byte, win window) (from, to int, ok bool) {
	for _, id := range m.all {
		if !w.seen[id] {
			return 0, 0, false
		}
	}
	for _, id := range m.none {
		if w.seen[id] {
			return 0, 0, false
		}
	}
	if m.pattern == nil {
		return win.from, win.to, true
	}
	lo, hi := max(0, win.from-windowBack), min(len(b), win.to+windowAhead)
	if m.whole {
		lo, hi = 0, min(len(b), maxWhole)
	}
	if !m.pattern.Match(b[lo:hi]) {
		return 0, 0, false
	}
	return win.from, win.to, true
}

// excerpt gives the text around [from, to).
func excerpt(b []byte, from, to int) []byte {
	lo := max(0, from-maxExcerpt/4)
	// Start at the line, when it begins near by.
	if i := bytes.LastIndexByte(b[lo:from], '\n'); i >= 0 {
		lo += i + 1
	}
	return b[lo:min(len(b), max(lo+maxExcerpt, min(to, lo+maxExcerpt)))]
}

// wake registers the rule with its literals.
func (g *gate) wake(r *Rule, anyOf, all, none []string) {
	for _, l := range anyOf {
		r.match.any = append(r.match.any, g.literal(l))
	}
	for _, l := range all {
		r.match.all = append(r.match.all, g.literal(l))
	}
	for _, l := range none {
		r.match.none = append(r.match.none, g.literal(l))
	}
	wakers := r.match.any
	if len(wakers) == 0 && len(r.match.all) > 0 {
		wakers = r.match.all[:1]
	}
	for _, id := range wakers {
		if !slices.Contains(g.wakes[id], r) {
			g.wakes[id] = append(g.wakes[id], r)
		}
	}
	g.rules++
}
