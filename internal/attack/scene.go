package attack

import "slices"

// A scene is what one judgement looks at: the cells of a unit that were active
// in a window, minus those already explained. One engine judges one scene at a
// time, so they share their storage.
type scene struct {
	e    *Engine
	u    *unit
	now  int64
	from int64
	refs []ref
	desk *desk
	pool *pool // storage of sums

	taken []bool
	soft  []bool // looks like the abuse of the axis being searched
	hard  []bool // … and shows no honest business

	enrolled     bool    // desk.askers and askerAt are made, see peers.go
	work         int8    // whether others do signed-in business: 1 yes, -1 no
	explained    bool    // some are taken
	whole        peers   // all askers, with no shares and percentiles
	usual        float64 // objects that an ordinary asker reads
	usualForeign float64
}

// desk is the storage that the scenes of an engine use one after the other: a
// judgement passes over all cells of a window, so it must not allocate for
// each.
type desk struct {
	refs  []ref
	cells []*cell
	lasts []int64 // their last requests
	ends  []int32 // where the cells of each of the unit's APIs end
	flags [3][]bool
	keys  [scopeUnit + 1][]uint64 // keys of the cells in a kind of scope
	have  [scopeUnit + 1]bool     // … which are made

	order  []group
	next   []int32 // next member of the same group, -1 at the end
	index  index
	spread []uint64
	counts tally
	sums   [sumPlaces]uint64
	some   []bool
	mixed  []mixture

	askers  []asker
	askerAt []int32 // asker of each cell
	out     []bool  // askers that are left out, in peersOf
	figures figures
	large   []float64
}

// look collects the cells of a unit active since from, out of those in a longer
// window if it has just been looked at.
func (e *Engine) look(u *unit, from int64, longer *scene) *scene {
	d := &e.desk
	if longer == nil {
		d.walk(e, u, from)
	} else {
		d.narrow(from)
	}
	n := len(d.refs)
	for i := range d.flags {
		d.flags[i] = slices.Grow(d.flags[i][:0], n)[:n]
		clear(d.flags[i])
	}
	return &scene{e: e, u: u, desk: d, refs: d.refs, taken: d.flags[0], soft: d.flags[1], hard: d.flags[2], pool: &e.scratch, now: e.now, from: from}
}

// walk collects the cells active since from.
func (d *desk) walk(e *Engine, u *unit, from int64) {
	d.refs, d.cells, d.lasts, d.ends = d.refs[:0], d.cells[:0], d.lasts[:0], d.ends[:0]
	links := e.cells.links
	e.within(u, func(i int32) {
		for r := e.apis[i].cells.head; r != 0; {
			k := &links[r]
			// The list is in order of last request, but for late arrivals.
			if k.last < from {
				break
			}
			d.refs = append(d.refs, r)
			d.lasts = append(d.lasts, k.last)
			r = k.aNext
		}
		d.ends = append(d.ends, int32(len(d.refs)))
	})
	for _, r := range d.refs {
		d.cells = append(d.cells, e.cells.at(r))
	}
	d.have = [scopeUnit + 1]bool{}
}

// narrow keeps of every API the cells up to the first that was not active since
// from, as walk would have collected them.
func (d *desk) narrow(from int64) {
	at, n := int32(0), int32(0)
	for i, end := range d.ends {
		keep := at
		for keep < end && d.lasts[keep] >= from {
			keep++
		}
		if n != at {
			copy(d.refs[n:], d.refs[at:keep])
			copy(d.lasts[n:], d.lasts[at:keep])
			copy(d.cells[n:], d.cells[at:keep])
			for k, have := range d.have {
				if have {
					copy(d.keys[k][n:], d.keys[k][at:keep])
				}
			}
		}
		n += keep - at
		at = end
		d.ends[i] = n
	}
	d.refs, d.lasts, d.cells = d.refs[:n], d.lasts[:n], d.cells[:n]
	for k, have := range d.have {
		if have {
			d.keys[k] = d.keys[k][:n]
		}
	}
}

func (s *scene) cell(i int32) *cell { return s.desk.cells[i] }

// keysOf gives the key of every cell in scopes of that kind. The keys of all
// kinds stand in one line of cache of a cell, so they are fetched together.
func (s *scene) keysOf(k scopeKind) []uint64 {
	d := s.desk
	if d.have[k] {
		return d.keys[k]
	}
	n := len(s.refs)
	room := func(k scopeKind) []uint64 {
		d.have[k] = true
		d.keys[k] = slices.Grow(d.keys[k][:0], n)[:n]
		return d.keys[k]
	}
	if k == scopeUnit || k == scopeTarget {
		keys := room(k)
		for i, c := range d.cells[:n] {
			keys[i] = k.key(c)
		}
		return keys
	}
	cred, actor, address, prefix := room(scopeCredential), room(scopeActor), room(scopeAddress), room(scopePrefix)
	print, cohort, shape, agent := room(scopePrint), room(scopeCohort), room(scopeShape), room(scopeAgent)
	for i, c := range d.cells[:n] {
		cred[i], actor[i], address[i], prefix[i] = c.cred, c.who, c.addr, c.net
		cohort[i], shape[i], agent[i] = c.cohort, c.shape, c.agent
		print[i] = scopePrint.key(c)
	}
	return d.keys[k]
}

// index numbers keys in the order in which they come: a hash table with linear
// probing that is emptied in no time.
type index struct {
	slots []slot
	mask  uint64
	epoch uint32
	count int32
}

type slot struct {
	key   uint64
	epoch uint32
	at    int32
}

// reset makes room for n keys and forgets all.
func (x *index) reset(n int) {
	size := 64
	for size < 2*n {
		size *= 2
	}
	x.count = 0
	x.epoch++
	if size > len(x.slots) || x.epoch == 0 {
		x.slots, x.epoch = make([]slot, max(size, len(x.slots))), 1
	}
	x.mask = uint64(len(x.slots) - 1)
}

// add gives the number of a key and whether it is new.
func (x *index) add(key uint64) (int32, bool) {
	for i := key * 0x9e3779b97f4a7c15 >> 20; ; i++ {
		s := &x.slots[i&x.mask]
		if s.epoch != x.epoch {
			*s = slot{key, x.epoch, x.count}
			x.count++
			return s.at, true
		}
		if s.key == key {
			return s.at, false
		}
	}
}

// find gives the number of a key, -1 if there is none.
func (x *index) find(key uint64) int32 {
	for i := key * 0x9e3779b97f4a7c15 >> 20; ; i++ {
		s := &x.slots[i&x.mask]
		if s.epoch != x.epoch {
			return -1
		}
		if s.key == key {
			return s.at
		}
	}
}
