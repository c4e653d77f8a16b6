package signature

import (
	"bytes"
	"regexp"
	"slices"
	"sync"
)

// matcher is what a rule asks of a text.
type matcher struct {
	any, all, none []int32 // literal ids
	pattern        *regexp.Regexp
	before, after  int  // bytes around the literal that the pattern sees
	whole          bool // the pattern sees the whole text instead
}

// literals numbers the literals of all rules, so that a rule which stands in
// two gates speaks of the same ones.
type literals struct {
	ids   map[string]int32
	texts []string
}

func (t *literals) id(l string) int32 {
	id, ok := t.ids[l]
	if !ok {
		id = int32(len(t.texts))
		t.ids[l] = id
		t.texts = append(t.texts, l)
	}
	return id
}

func (t *literals) all(texts []string) []int32 {
	ids := make([]int32, len(texts))
	for i, l := range texts {
		ids[i] = t.id(l)
	}
	return ids
}

// gate is the literals of some rules. Most texts meet none of those that wake
// a rule, so these have an automaton of their own, which reads every text; the
// one over all literals reads only texts that woke a rule.
type gate struct {
	wakers *automaton
	auto   func() *automaton // made when the first text wakes a rule
	ids    []int32           // per literal of the automaton, its number among all
	wakes  [][]*Rule
	lens   []int
	texts  []string
	local  map[int32]int32 // number among all → in this automaton
}

// mayHit reports whether b wakes a rule.
func (g *gate) mayHit(b []byte) bool { return g.wakers.occurs(b) }

// add makes the rule's literals part of the gate and lets them wake the rule.
func (g *gate) add(t *literals, r *Rule) {
	wakers := r.match.any
	if len(wakers) == 0 { // all must occur: the longest is the rarest
		longest := r.match.all[0]
		for _, id := range r.match.all {
			if len(t.texts[id]) > len(t.texts[longest]) {
				longest = id
			}
		}
		wakers = []int32{longest}
	}
	for _, id := range slices.Concat(r.match.any, r.match.all, r.match.none) {
		if _, ok := g.local[id]; !ok {
			g.local[id] = int32(len(g.ids))
			g.ids = append(g.ids, id)
			g.wakes = append(g.wakes, nil)
			g.lens = append(g.lens, len(t.texts[id]))
		}
	}
	for _, id := range wakers {
		if n := g.local[id]; !slices.Contains(g.wakes[n], r) {
			g.wakes[n] = append(g.wakes[n], r)
		}
	}
}

func (g *gate) build(t *literals) (err error) {
	for _, id := range g.ids {
		g.texts = append(g.texts, t.texts[id])
	}
	if err := checkLiterals(g.texts); err != nil {
		return err
	}
	g.auto = sync.OnceValue(func() *automaton {
		a, err := newAutomaton(g.texts)
		if err != nil {
			panic(err) // they were checked
		}
		return a
	})
	var wakers []string
	for n, rules := range g.wakes {
		if len(rules) > 0 {
			wakers = append(wakers, g.texts[n])
		}
	}
	g.wakers, err = newAutomaton(wakers)
	return err
}

// window is one place in a text where a rule was woken.
type window struct {
	rule     *Rule
	from, to int // of the literal
}

// scratch is the working space of one match.
type scratch struct {
	seen    []bool  // per literal
	met     []int32 // literals met, to clear seen
	count   []uint8 // windows per rule
	fired   []bool  // per rule
	touched []*Rule
	windows []window
	decoded [maxDecode][]byte
}

func (s *Set) borrow() *scratch {
	w, _ := s.scratch.Get().(*scratch)
	if w == nil {
		w = &scratch{seen: make([]bool, s.literals), count: make([]uint8, len(s.rules)), fired: make([]bool, len(s.rules))}
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

// collect fills the scratch with the literals and windows of a text, for the
// rules that look at this part.
func (g *gate) collect(w *scratch, in RequestPart, b []byte) {
	a := g.auto()
	state := uint32(0)
	for i, c := range b {
		state = a.next[state+uint32(a.class[c])]
		if state < a.output {
			continue
		}
		for _, n := range a.ends[(state-a.output)/a.width] {
			if id := g.ids[n]; !w.seen[id] {
				w.seen[id] = true
				w.met = append(w.met, id)
			}
			for _, r := range g.wakes[n] {
				if r.in&in != 0 && w.count[r.index] < maxHits && len(w.windows) < maxWindows {
					w.count[r.index]++
					w.windows = append(w.windows, window{r, i + 1 - g.lens[n], i + 1})
				}
			}
		}
	}
}

// accepts reports whether the rule matches at the window.
func (m *matcher) accepts(w *scratch, b []byte, win window) bool {
	for _, id := range m.all {
		if !w.seen[id] {
			return false
		}
	}
	for _, id := range m.none {
		if w.seen[id] {
			return false
		}
	}
	if m.pattern == nil {
		return true
	}
	lo, hi := m.window(b, win)
	return m.pattern.Match(b[lo:hi])
}

// window is the part of b that the pattern sees.
func (m *matcher) window(b []byte, win window) (lo, hi int) {
	if m.whole {
		return 0, min(len(b), maxWhole)
	}
	return max(0, win.from-m.before), min(len(b), win.to+m.after)
}

// maxVersion is the longest version that is kept.
const maxVersion = 48

// group gives what the pattern's group matches, nil when that cannot be a
// version.
func (m *matcher) group(b []byte) []byte {
	at := m.pattern.FindSubmatchIndex(b)
	if at == nil || at[2] < 0 || at[3]-at[2] > maxVersion || at[3] == at[2] {
		return nil
	}
	return b[at[2]:at[3]]
}

// excerpt gives the text around offset from.
func excerpt(b []byte, from int) []byte {
	lo := max(0, from-maxExcerpt/4)
	// Start at the line, when it begins near by.
	if i := bytes.LastIndexByte(b[lo:from], '\n'); i >= 0 {
		lo += i + 1
	}
	return b[lo:min(len(b), lo+maxExcerpt)]
}
