package attack

import "xiezhi/internal/catalog"

// merge folds the cells of one API into another that it turned out to be.
func (e *Engine) merge(m catalog.Merge) {
	if m.From == m.Into {
		return
	}
	if d, ok := e.doors[join(uint64(m.From), 1)]; ok {
		e.apis[d].handle = m.Into
	}
	from, ok := e.byAPI[m.From]
	if !ok {
		return
	}
	into, ok := e.byAPI[m.Into]
	f := &e.apis[from]
	delete(e.byAPI, m.From)
	e.book.rename(m.From, m.Into)
	if !ok {
		// The survivor was never seen here: the state simply changes its name.
		e.byAPI[m.Into] = from
		f.handle = m.Into
		for r := f.cells.head; r != 0; {
			c := e.cells.at(r)
			e.cells.index.del(c.key)
			c.key = cellKey(c.sub, m.Into)
			e.cells.index.set(c.key, r)
			r = e.cells.after(r)
		}
		return
	}
	f.into = into
	t := &e.apis[into]
	t.n += f.n
	t.pw += f.pw
	t.habit.fold(&f.habit)
	e.leave(from)
	// Oldest first, so that the recency list stays in order.
	for r := f.cells.tail; r != 0; {
		c := e.cells.at(r)
		prev := e.cells.before(r)
		e.moveCell(r, c, into)
		r = prev
	}
	if f.unit >= 0 {
		old := &e.units[f.unit]
		for k, x := range old.apis {
			if x == from {
				old.apis = append(old.apis[:k], old.apis[k+1:]...)
				break
			}
		}
		f.unit = -1
	}
	if u := t.unit; u >= 0 {
		e.units[u].watch = true
	}
}

// moveCell gives a cell to another API, folding it into the asker's cell there.
func (e *Engine) moveCell(r ref, c *cell, into int32) {
	key := cellKey(c.sub, e.apis[into].handle)
	e.cells.unlinkAPI(&e.apis[c.api].cells, r)
	or := e.cells.index.get(key)
	if or == 0 {
		e.cells.index.del(c.key)
		c.key, c.api = key, into
		e.cells.index.set(key, r)
		e.cells.pushAPI(&e.apis[into].cells, r)
		return
	}
	o := e.cells.at(or)
	if c.seq < o.seq {
		o.seq, o.firstID = c.seq, c.firstID
	}
	e.inherit(o, c)
	o.tally.add(&e.pool, &c.tally)
	o.lead += c.lead
	o.varied += c.varied
	o.atMark = o.n - min(c.n-c.atMark, o.n)
	o.deal.inherit(&c.deal)
	e.touch(or, o)
	e.book.pass(r, c, or, o)
	c.tally.free(&e.pool)
	for _, h := range c.hints {
		e.hint(o, h.key, h.value)
	}
	e.rows.release(c.rows)
	e.hints.release(c.hints)
	e.cells.remove(r, c)
}
