package attack

import "xiezhi/internal/sketch"

// A crowd counts what honest askers show, which says how rare a trait of an
// attack is. An asker counts when its cell goes; by then it is known whether
// an attack owns it. A busy asker comes back as several cells and counts each
// time. Counts are never too low, so a trait is never rarer than it seems.
type crowd struct {
	count *sketch.CountMin
	of    [markKeys]uint64 // cells that show any trait of the key
}

func newCrowd(cells int) crowd {
	return crowd{count: sketch.NewCountMin(max(cells/8, 256))}
}

func (w *crowd) clone() crowd { return crowd{w.count.Clone(), w.of} }

func (w *crowd) add(key markKey, value uint64) { w.count.Add(join(value, uint64(key)+1)) }

func (w *crowd) others(key markKey, value uint64) (others, of uint64) {
	n := w.count.Count(join(value, uint64(key)+1))
	return min(n, w.of[key]), w.of[key]
}

// cell counts an honest cell.
func (w *crowd) cell(e *Engine, c *cell) {
	var seen [markKeys]bool
	e.traits(c, func(key markKey, value uint64, _ uint32) {
		w.add(key, value)
		if !seen[key] {
			seen[key] = true
			w.of[key]++
		}
	})
}

// traits calls f with every trait that a cell shows itself, and in how many
// requests. What concerns the whole asker is the actor's.
func (e *Engine) traits(c *cell, f func(key markKey, value uint64, n uint32)) {
	one := func(key markKey, value uint64) {
		if value != 0 {
			f(key, value, c.n)
		}
	}
	if c.api == 0 {
		one(markJA4, uint64(c.ja4))
		one(markH2, uint64(c.h2))
		one(markHeader, c.header)
		one(markAgent, c.agent)
		one(markWalk, e.walk(c))
		if c.ip.IsValid() {
			f(markIP, c.addr, c.n)
			f(markPrefix, c.net, c.n)
		}
	} else {
		one(markShape, c.shape)
		if d := c.sets[setCreds]; d != nil {
			for _, v := range d.small[:min(len(d.small), samples[markCredential])] {
				f(markCredential, v, c.n/uint32(len(d.small)))
			}
		}
	}
	for i := range c.hints {
		f(c.hints[i].key, c.hints[i].value, c.hints[i].n)
	}
}

// honest reports whether no attack has claimed the cell or its asker, and the
// asker went about some business: who came once, or got nothing, may be the
// part of an attack that was not seen.
func (e *Engine) honest(r ref, c *cell) bool {
	if e.book.serial == 0 {
		return true // there has never been an attack
	}
	if c.accused || e.book.accused(r, c) {
		return false
	}
	a := c
	if c.api != 0 {
		if c.actor == 0 {
			return false
		}
		if a = e.cells.at(c.actor); a.gen != c.actGen || a.accused {
			return false
		}
	}
	return a.n >= 2 && a.succ > 0
}

// everybody is the crowd with those who still have cells.
func (e *Engine) everybody() crowd {
	w := e.crowd.clone()
	guilty := make(map[uint64]bool)
	for _, ep := range e.book.eps {
		for _, m := range ep.live {
			if c := e.cells.at(m.at); c.gen == m.gen && ep.score >= scoreLikely {
				guilty[who(c)] = true
			}
		}
	}
	for r := ref(1); int(r) < e.cells.size; r++ {
		if c := e.cells.at(r); c.n > 0 && !guilty[who(c)] && e.honest(r, c) {
			w.cell(e, c)
		}
	}
	return w
}

// who names the actor behind a cell.
func who(c *cell) uint64 {
	if c.api == 0 {
		return c.sub
	}
	return c.who
}
