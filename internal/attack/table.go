package attack

// ref points into the table; 0 is none.
type ref int32

const slabBits = 8

// A table holds the cells: at most limit, in two recency lists. A cell stands in
// probation until its second request, so a stream of keys seen once can push
// out only such keys; probation never takes more than half of the room.
//
// Cells are large and scattered, so their links stand apart: to walk a list or
// to move a cell to its front touches no other cell. Moving touches four others'
// links all the same, so a cell stays where it is until listGrain after it was
// last moved: the lists are in order of last request up to that much.
type table struct {
	slabs   [][]cell
	links   []link
	index   keyTable
	free    []ref
	size    int // slots ever made
	live    int
	limit   int
	young   int
	lists   [2]list // probation, protected
	seq     uint64
	gen     uint32
	now     int64 // event time
	Evicted uint64
}

const listGrain = int64(20e9)

// link is where a cell stands in its lists.
type link struct {
	prev, next   ref   // recency list: probation or protected
	aPrev, aNext ref   // recency list of its API
	last         int64 // the cell's last request
	moved        int64 // when it came to the front
}

// list is an intrusive recency list, newest first.
type list struct{ head, tail ref }

func newTable(limit int) *table {
	return &table{limit: limit, size: 1}
}

func (t *table) at(r ref) *cell { return &t.slabs[r>>slabBits][r&(1<<slabBits-1)] }

// after gives the next older cell of the same API.
func (t *table) after(r ref) ref { return t.links[r].aNext }

// past reports whether a cell and all that follow in its lists were last active
// before from.
func (t *table) past(r ref, from int64) bool { return t.links[r].moved+listGrain < from }

// before gives the next newer cell of the same API.
func (t *table) before(r ref) ref { return t.links[r].aPrev }

func (t *table) alloc() ref {
	if n := len(t.free); n > 0 {
		r := t.free[n-1]
		t.free = t.free[:n-1]
		return r
	}
	r := ref(t.size)
	t.size++
	if int(r>>slabBits) >= len(t.slabs) {
		t.slabs = append(t.slabs, make([]cell, 1<<slabBits))
		t.links = append(t.links, make([]link, 1<<slabBits)...)
	}
	return r
}

// victim names the cell to give up when the table is full, or 0.
func (t *table) victim() ref {
	if t.live < t.limit {
		return 0
	}
	if t.lists[0].tail != 0 && t.young*2 >= t.limit || t.lists[1].tail == 0 {
		return t.lists[0].tail
	}
	// Both lists have a claim: give up what was touched longest ago.
	a, b := t.lists[0].tail, t.lists[1].tail
	if a != 0 && t.links[a].last <= t.links[b].last {
		return a
	}
	return b
}

// insert makes an empty cell for key at the head of probation.
func (t *table) insert(key uint64) (ref, *cell) {
	r := t.alloc()
	c := t.at(r) // empty, as remove leaves it
	t.seq++
	t.gen++
	c.key, c.seq, c.gen = key, t.seq, t.gen
	t.index.set(key, r)
	t.live++
	t.young++
	t.push(0, r)
	t.links[r].moved = t.now
	return r, c
}

// remove forgets a cell; the caller has folded and freed what it held.
func (t *table) remove(r ref, c *cell) {
	if c.tenured {
		t.unlink(1, r)
	} else {
		t.unlink(0, r)
		t.young--
	}
	if t.index.get(c.key) == r {
		t.index.del(c.key)
	}
	t.live--
	*c = cell{}
	t.links[r] = link{}
	t.free = append(t.free, r)
}

// stamp notes the time of a cell's last request.
func (t *table) stamp(r ref, c *cell) { t.links[r].last = c.last }

// touch moves a cell to the front after its n-th request was counted, and l is
// the list of its API.
func (t *table) touch(r ref, c *cell, l *list) {
	t.stamp(r, c)
	switch {
	case c.n <= 1: // just inserted
		return
	case !c.tenured:
		t.unlink(0, r)
		t.young--
		c.tenured = true
		t.push(1, r)
	case t.now-t.links[r].moved < listGrain:
		return
	case t.lists[1].head != r:
		t.unlink(1, r)
		t.push(1, r)
	}
	t.links[r].moved = t.now
	if l.head != r {
		t.unlinkAPI(l, r)
		t.pushAPI(l, r)
	}
}

func (t *table) push(l int, r ref) {
	k := &t.links[r]
	k.prev, k.next = 0, t.lists[l].head
	if k.next != 0 {
		t.links[k.next].prev = r
	}
	t.lists[l].head = r
	if t.lists[l].tail == 0 {
		t.lists[l].tail = r
	}
}

func (t *table) unlink(l int, r ref) {
	k := &t.links[r]
	if k.prev != 0 {
		t.links[k.prev].next = k.next
	} else if t.lists[l].head == r {
		t.lists[l].head = k.next
	}
	if k.next != 0 {
		t.links[k.next].prev = k.prev
	} else if t.lists[l].tail == r {
		t.lists[l].tail = k.prev
	}
	k.prev, k.next = 0, 0
}

// pushAPI and unlinkAPI keep the recency list of one API (or of the actors).
func (t *table) pushAPI(l *list, r ref) {
	k := &t.links[r]
	k.aPrev, k.aNext = 0, l.head
	k.moved = t.now
	if k.aNext != 0 {
		t.links[k.aNext].aPrev = r
	}
	l.head = r
	if l.tail == 0 {
		l.tail = r
	}
}

func (t *table) unlinkAPI(l *list, r ref) {
	k := &t.links[r]
	if k.aPrev != 0 {
		t.links[k.aPrev].aNext = k.aNext
	} else if l.head == r {
		l.head = k.aNext
	}
	if k.aNext != 0 {
		t.links[k.aNext].aPrev = k.aPrev
	} else if l.tail == r {
		l.tail = k.aPrev
	}
	k.aPrev, k.aNext = 0, 0
}

// keyTable finds cells by key: a hash table with linear probing. The keys are
// hashes of keyed tokens, so their low bits serve as they are.
type keyTable struct {
	slots []keySlot
	count int
}

type keySlot struct {
	key uint64
	at  ref // 0: empty
}

// get gives the cell of a key, 0 if there is none.
func (x *keyTable) get(key uint64) ref {
	if len(x.slots) == 0 {
		return 0
	}
	mask := uint64(len(x.slots) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		s := &x.slots[i]
		if s.at == 0 || s.key == key {
			return s.at
		}
	}
}

// set gives a key to a cell.
func (x *keyTable) set(key uint64, at ref) {
	if x.count*3 >= len(x.slots)*2 {
		old := x.slots
		x.slots, x.count = make([]keySlot, max(64, 2*len(old))), 0
		for _, s := range old {
			if s.at != 0 {
				x.set(s.key, s.at)
			}
		}
	}
	mask := uint64(len(x.slots) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		switch s := &x.slots[i]; {
		case s.at == 0:
			*s = keySlot{key, at}
			x.count++
			return
		case s.key == key:
			s.at = at
			return
		}
	}
}

// del forgets a key and closes the gap, so that no probe ends early.
func (x *keyTable) del(key uint64) {
	if len(x.slots) == 0 {
		return
	}
	mask := uint64(len(x.slots) - 1)
	i := key & mask
	for x.slots[i].key != key || x.slots[i].at == 0 {
		if x.slots[i].at == 0 {
			return
		}
		i = (i + 1) & mask
	}
	x.count--
	for j := i; ; {
		j = (j + 1) & mask
		if x.slots[j].at == 0 {
			break
		}
		// The one at j may move into the gap unless its home lies behind it.
		if home := x.slots[j].key & mask; (j-home)&mask >= (j-i)&mask {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i] = keySlot{}
}
