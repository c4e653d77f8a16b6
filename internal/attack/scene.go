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
	flags [3][]bool

	// What is asked of every cell is read off it once, see brief: the cells lie
	// scattered, and each window and each axis asks again.
	briefed bool
	keys    [scopeFace + 1][]uint64 // keys of the cells in a kind of scope
	counts  []uint32                // requests
	looks   []uint32                // like which abuse of the unit a cell looks, by axis.bit
	floors  []uint32                // what a cell adds to a sum, see axis.floor
	reading bool
	reads   []asker // what each cell read, where it is asked, see enroll

	order  []group
	next   []int32 // next member of the same group, -1 at the end
	index  index
	spread []uint64
	sum    tally
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
	d.refs, d.cells, d.lasts = d.refs[:0], d.cells[:0], d.lasts[:0]
	links := e.cells.links
	e.within(u, func(i int32) {
		for r := e.apis[i].cells.head; r != 0; {
			if e.cells.past(r, from) {
				break
			}
			k := &links[r]
			if k.last >= from {
				d.refs = append(d.refs, r)
				d.lasts = append(d.lasts, k.last)
			}
			r = k.aNext
		}
	})
	for _, r := range d.refs {
		d.cells = append(d.cells, e.cells.at(r))
	}
	d.briefed, d.reading = false, false
}

// narrow keeps the cells that were active since from, as walk would have
// collected them.
func (d *desk) narrow(from int64) {
	n := 0
	for i, last := range d.lasts {
		if last < from {
			continue
		}
		d.refs[n], d.lasts[n], d.cells[n] = d.refs[i], last, d.cells[i]
		if d.briefed {
			for k := range d.keys {
				d.keys[k][n] = d.keys[k][i]
			}
			d.counts[n], d.looks[n], d.floors[n] = d.counts[i], d.looks[i], d.floors[i]
		}
		if d.reading {
			d.reads[n] = d.reads[i]
		}
		n++
	}
	d.refs, d.lasts, d.cells = d.refs[:n], d.lasts[:n], d.cells[:n]
	if d.briefed {
		for k := range d.keys {
			d.keys[k] = d.keys[k][:n]
		}
		d.counts, d.looks, d.floors = d.counts[:n], d.looks[:n], d.floors[:n]
	}
	if d.reading {
		d.reads = d.reads[:n]
	}
}

func (s *scene) cell(i int32) *cell { return s.desk.cells[i] }

// keysOf gives the key of every cell in scopes of that kind.
func (s *scene) keysOf(k scopeKind) []uint64 {
	s.desk.brief(s)
	return s.desk.keys[k]
}

// brief reads off every cell what all axes and windows of a judgement ask.
func (d *desk) brief(s *scene) {
	if d.briefed {
		return
	}
	d.briefed = true
	n := len(d.cells)
	for k := range d.keys {
		d.keys[k] = slices.Grow(d.keys[k][:0], n)[:n]
	}
	d.counts, d.looks, d.floors = slices.Grow(d.counts[:0], n)[:n], slices.Grow(d.looks[:0], n)[:n], slices.Grow(d.floors[:0], n)[:n]
	var axes []axis
	if s.u != nil {
		axes = s.e.axesOf(s.u)
	}
	cred, actor, address, prefix := d.keys[scopeCredential], d.keys[scopeActor], d.keys[scopeAddress], d.keys[scopePrefix]
	print, cohort, shape, agent := d.keys[scopePrint], d.keys[scopeCohort], d.keys[scopeShape], d.keys[scopeAgent]
	unit, target, face := d.keys[scopeUnit], d.keys[scopeTarget], d.keys[scopeFace]
	device, payee, secret, issuer := d.keys[scopeDevice], d.keys[scopePayee], d.keys[scopeSecret], d.keys[scopeIssuer]
	for i, c := range d.cells {
		cred[i], actor[i], address[i], prefix[i] = c.cred, c.who, c.addr, c.net
		cohort[i], shape[i], agent[i] = c.cohort, c.shape, c.agent
		device[i], payee[i], secret[i], issuer[i] = c.device, c.payee, c.secret, c.issuer
		print[i], unit[i], target[i] = scopePrint.key(c), scopeUnit.key(c), 0
		face[i] = scopeFace.key(c)
		d.counts[i], d.floors[i] = c.n, 0
		look := uint32(0)
		for k := range axes {
			ax := &axes[k]
			if !ax.like(s, c, false) {
				continue
			}
			look |= ax.bit
			if ax.like(s, c, true) {
				look |= ax.bit << strictBit
			}
			if ax.floor != nil {
				d.floors[i] = ax.floor(&c.tally)
			}
		}
		if c.actor != 0 && s.e.book.known(c.actor) {
			look |= suspectBit
		}
		d.looks[i] = look
	}
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
