package attack

import (
	"net/netip"

	"xiezhi/internal/catalog"
)

// A cell is the finest unit of judgement: the requests of one asker (address,
// fingerprint, agent, parameter structure, principal) to one API within a
// burst. Every scope is a set of cells. A cell of API 0 is an actor: all that
// one (address, fingerprint, agent) did on the site.
type cell struct {
	tally
	key    uint64
	sub    uint64 // the key without the API
	seq    uint64 // order of birth
	gen    uint32
	api    int32 // index of its API; 0 for an actor
	actor  ref
	actGen uint32

	ip      netip.Addr
	addr    uint64 // hash of ip, 0 when it is not known
	net     uint64 // hash of its network
	who     uint64 // the actor: address, fingerprint, agent
	cohort  uint64
	agent   uint64
	shape   uint64
	cred    uint64 // principal, else credential; 0 anonymous
	header  uint64
	ja4     uint16
	family  uint16
	h2      uint16
	shared  bool
	firstID uint64 // hash of the id of its first exchange

	lastTarget uint64
	lastPrefix uint64
	lastPos    uint16
	lastStep   int16
	bucket     float32
	surge      int64  // when the bucket was last empty
	lead       uint32 // requests before the first that looked like abuse
	atMark     uint32 // n at the last that did
	moved      bool   // an unseen login was answered with a redirect
	tenured    bool   // in the protected list

	day  int32 // of its last request
	rows []row // see activity.go

	hints   []hint // see hints.go
	accused bool   // by an attack at least likely

	prev, next   ref // recency list: probation or protected
	aPrev, aNext ref // recency list of its API
}

// ref points into the table; 0 is none.
type ref int32

const slabBits = 8

// A table holds the cells: at most cap, in two recency lists. A cell stands in
// probation until its second request, so a stream of keys seen once can push
// out only such keys; probation never takes more than half of the room.
type table struct {
	slabs   [][]cell
	index   map[uint64]ref
	free    []ref
	size    int // slots ever made
	live    int
	limit   int
	young   int
	lists   [2]list // probation, protected
	seq     uint64
	gen     uint32
	Evicted uint64
}

// list is an intrusive recency list, newest first.
type list struct{ head, tail ref }

func newTable(limit int) *table {
	return &table{index: make(map[uint64]ref), limit: limit, size: 1}
}

func (t *table) at(r ref) *cell { return &t.slabs[r>>slabBits][r&(1<<slabBits-1)] }

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
	if a != 0 && t.at(a).last <= t.at(b).last {
		return a
	}
	return b
}

// insert makes an empty cell for key at the head of probation.
func (t *table) insert(key uint64) (ref, *cell) {
	r := t.alloc()
	c := t.at(r)
	t.seq++
	t.gen++
	*c = cell{key: key, seq: t.seq, gen: t.gen}
	t.index[key] = r
	t.live++
	t.young++
	t.push(0, r, c)
	return r, c
}

// remove forgets a cell; the caller has folded and freed what it held.
func (t *table) remove(r ref, c *cell) {
	if c.tenured {
		t.unlink(1, c, r)
	} else {
		t.unlink(0, c, r)
		t.young--
	}
	if t.index[c.key] == r {
		delete(t.index, c.key)
	}
	t.live--
	*c = cell{}
	t.free = append(t.free, r)
}

// touch moves a cell to the front after its n-th request was counted.
func (t *table) touch(r ref, c *cell) {
	switch {
	case c.n <= 1: // just inserted
	case !c.tenured:
		t.unlink(0, c, r)
		t.young--
		c.tenured = true
		t.push(1, r, c)
	case t.lists[1].head != r:
		t.unlink(1, c, r)
		t.push(1, r, c)
	}
}

func (t *table) push(l int, r ref, c *cell) {
	c.prev, c.next = 0, t.lists[l].head
	if c.next != 0 {
		t.at(c.next).prev = r
	}
	t.lists[l].head = r
	if t.lists[l].tail == 0 {
		t.lists[l].tail = r
	}
}

func (t *table) unlink(l int, c *cell, r ref) {
	if c.prev != 0 {
		t.at(c.prev).next = c.next
	} else if t.lists[l].head == r {
		t.lists[l].head = c.next
	}
	if c.next != 0 {
		t.at(c.next).prev = c.prev
	} else if t.lists[l].tail == r {
		t.lists[l].tail = c.prev
	}
	c.prev, c.next = 0, 0
}

// pushAPI and unlinkAPI keep the recency list of one API (or of the actors).
func (t *table) pushAPI(l *list, r ref, c *cell) {
	c.aPrev, c.aNext = 0, l.head
	if c.aNext != 0 {
		t.at(c.aNext).aPrev = r
	}
	l.head = r
	if l.tail == 0 {
		l.tail = r
	}
}

func (t *table) unlinkAPI(l *list, r ref, c *cell) {
	if c.aPrev != 0 {
		t.at(c.aPrev).aNext = c.aNext
	} else if l.head == r {
		l.head = c.aNext
	}
	if c.aNext != 0 {
		t.at(c.aNext).aPrev = c.aPrev
	} else if l.tail == r {
		l.tail = c.aPrev
	}
	c.aPrev, c.aNext = 0, 0
}

// cellKey is the table key of a cell. It names the API by handle, so it does
// not depend on the order in which APIs were met.
func cellKey(sub uint64, h catalog.Handle) uint64 { return join(sub, uint64(h)) }

// prefixOf is the network of an address as a scope: /24, /64.
func prefixOf(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits)
	return p
}

// hashAddr hashes an address without allocation.
func hashAddr(a netip.Addr) uint64 {
	b := a.As16()
	var hi, lo uint64
	for i := range 8 {
		hi = hi<<8 | uint64(b[i])
		lo = lo<<8 | uint64(b[i+8])
	}
	return join(hi, lo)
}
