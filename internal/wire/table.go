package wire

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"
)

// flowKey is a connection's tuple, the lesser end first, so that both
// directions find the same flow.
type flowKey struct {
	aHi, aLo, bHi, bLo uint64
	ports              uint32 // a's in the high half
	proto              uint32
}

func (k *flowKey) hash(seed uint64) uint32 {
	h, l := bits.Mul64(k.aLo^seed, k.bLo^0x9e3779b97f4a7c15)
	x := h ^ l
	h, l = bits.Mul64(x^uint64(k.ports)<<8^uint64(k.proto), seed|1)
	x = h ^ l
	if k.aHi|k.bHi != 0 {
		h, l = bits.Mul64(k.aHi^x, k.bHi^0xbf58476d1ce4e5b9)
		x ^= h ^ l
	}
	return uint32(x ^ x>>32)
}

// flowQueue holds flows in the order in which they were put there. All flows
// of one queue have the same timeout, so its head is the first to expire.
type flowQueue struct {
	head, tail *flow
	n          int
}

func (q *flowQueue) push(f *flow) {
	f.in, f.qPrev, f.qNext = q, q.tail, nil
	if q.tail != nil {
		q.tail.qNext = f
	} else {
		q.head = f
	}
	q.tail = f
	q.n++
}

func (q *flowQueue) remove(f *flow) {
	if f.qPrev != nil {
		f.qPrev.qNext = f.qNext
	} else {
		q.head = f.qNext
	}
	if f.qNext != nil {
		f.qNext.qPrev = f.qPrev
	} else {
		q.tail = f.qPrev
	}
	f.in, f.qPrev, f.qNext = nil, nil, nil
	q.n--
}

type slot struct {
	hash uint32
	f    *flow
}

// flowTable finds flows by tuple: open addressing, linear probing, deletion by
// shifting back. A flow is in one of three queues: opening (no data yet),
// active, closed (kept a moment so that stragglers do not start a ghost).
type flowTable struct {
	slots  []slot
	mask   uint32
	n, max int
	seed   uint64
	spare  []*flow

	opening, active, closed flowQueue
}

const (
	openingTimeout = int64(60 * time.Second)
	closedTimeout  = int64(15 * time.Second)
)

func (t *flowTable) init(limit int, seed uint64) {
	t.max = limit
	t.seed = seed ^ 0x94d049bb133111eb
	t.resize(1 << 10)
}

func (t *flowTable) resize(n int) {
	old := t.slots
	t.slots, t.mask = make([]slot, n), uint32(n-1)
	for _, s := range old {
		if s.f != nil {
			t.place(s)
		}
	}
}

func (t *flowTable) place(s slot) {
	i := s.hash & t.mask
	for t.slots[i].f != nil {
		i = (i + 1) & t.mask
	}
	t.slots[i] = s
}

func (t *flowTable) find(k *flowKey, h uint32) *flow {
	for i := h & t.mask; ; i = (i + 1) & t.mask {
		s := &t.slots[i]
		if s.f == nil {
			return nil
		}
		if s.hash == h && s.f.key == *k {
			return s.f
		}
	}
}

func (t *flowTable) add(k *flowKey, h uint32) *flow {
	if 2*(t.n+1) > len(t.slots) {
		t.resize(2 * len(t.slots))
	}
	if len(t.spare) == 0 {
		block := make([]flow, 64)
		for i := range block {
			t.spare = append(t.spare, &block[i])
		}
	}
	f := t.spare[len(t.spare)-1]
	t.spare = t.spare[:len(t.spare)-1]
	f.reset(*k, h)
	t.place(slot{h, f})
	t.n++
	return f
}

func (t *flowTable) remove(f *flow) {
	i := f.hash & t.mask
	for t.slots[i].f != f {
		i = (i + 1) & t.mask
	}
	for j := i; ; {
		j = (j + 1) & t.mask
		s := t.slots[j]
		if s.f == nil {
			break
		}
		// s may move back to i unless its own home lies between.
		if (j-s.hash&t.mask)&t.mask >= (j-i)&t.mask {
			t.slots[i] = s
			i = j
		}
	}
	t.slots[i] = slot{}
	t.n--
	f.in.remove(f)
	t.spare = append(t.spare, f)
}

// oldest is the flow to end first when everything ends.
func (t *flowTable) oldest() *flow {
	for _, q := range [...]*flowQueue{&t.active, &t.opening, &t.closed} {
		if q.head != nil {
			return q.head
		}
	}
	return nil
}

// flow is one connection.
type flow struct {
	key          flowKey
	hash         uint32
	in           *flowQueue
	qPrev, qNext *flow
	stamp        int64 // when it joined its queue
	last         int64 // latest packet
	packets      uint32

	ends [2]netip.AddrPort
	h    [2]half
	cli  int8 // which half is the client's, -1 unknown

	blocked     bool // something waits for a hole to fill
	blockedAt   int64
	blockedPkts uint32

	done    bool // finished; stragglers are ignored
	http    bool // an HTTP head was recognised
	tunnel  bool // what follows is inside CONNECT
	piped   bool // a request was sent before the previous one was answered
	hidden  bool // a request may have been missed behind one that is not answered yet
	interim bool // a 1xx response was seen for the request in progress
	noBody  bool // the final response came before any of an expected body

	h2 *h2Conn
	ws *wsConn

	protocol   string
	sni        string
	tlsVersion uint16 // highest offered
	ja4        JA4
	why        blindness
	tls        *tlsConn // the outermost, while it is read
	waits      int      // place among those that wait for secrets, from 1 on

	first, await, lastReq *message // queue of requests; the first without a response; its end
	pending               int
	ordinal               uint32
}

func (f *flow) reset(k flowKey, h uint32) {
	a, b := f.h[0].segs[:0], f.h[1].segs[:0]
	*f = flow{key: k, hash: h, cli: -1}
	f.h[0].segs, f.h[1].segs = a, b
	f.ends[0] = netip.AddrPortFrom(toAddr(k.aHi, k.aLo), uint16(k.ports>>16))
	f.ends[1] = netip.AddrPortFrom(toAddr(k.bHi, k.bLo), uint16(k.ports))
}

// server is the half that answers; before roles are known, the lower port.
func (f *flow) server() int {
	if f.cli >= 0 {
		return 1 - int(f.cli)
	}
	if f.ends[0].Port() < f.ends[1].Port() {
		return 0
	}
	return 1
}

func (d *Decoder) enqueue(q *flowQueue, f *flow) {
	if f.in != nil {
		f.in.remove(f)
	}
	f.stamp = d.clock
	q.push(f)
}

// newFlow makes room and adds a flow.
func (d *Decoder) newFlow(k *flowKey, h uint32) *flow {
	t := &d.table
	for t.opening.n > t.max/8 {
		d.stats.HalfOpen++
		d.forget(t.opening.head)
	}
	if t.n >= t.max {
		d.evict()
	}
	f := t.add(k, h)
	d.enqueue(&t.opening, f)
	d.stats.Flows++
	return f
}

// evict gives up one flow: a closed one, a half-open one, or the one that has
// been silent longest, found by giving a second chance to those that were not.
func (d *Decoder) evict() {
	t := &d.table
	switch {
	case t.closed.head != nil:
		d.forget(t.closed.head)
		return
	case t.opening.head != nil:
		d.stats.HalfOpen++
		d.forget(t.opening.head)
		return
	}
	d.evictActive()
}

func (d *Decoder) evictActive() {
	t := &d.table
	for range 64 {
		f := t.active.head
		if f == nil || f.since(d.clock) <= f.stamp {
			break
		}
		d.enqueue(&t.active, f)
	}
	if f := t.active.head; f != nil {
		d.stats.Evicted++
		d.finish(f)
		d.forget(f)
	}
}

// expire ends what has been silent too long.
func (d *Decoder) expire() {
	t := &d.table
	d.recheck()
	d.expireParts()
	for f := t.closed.head; f != nil && d.clock-f.stamp > closedTimeout; f = t.closed.head {
		d.forget(f)
	}
	for f := t.opening.head; f != nil && d.clock-f.since(d.clock) > openingTimeout; f = t.opening.head {
		d.forget(f)
	}
	for f := t.active.head; f != nil && d.clock-f.stamp > int64(d.cfg.Idle); f = t.active.head {
		if d.clock-f.last <= int64(d.cfg.Idle) {
			d.enqueue(&t.active, f)
			f.stamp = f.last // due when its own silence is long enough
			continue
		}
		d.stats.Idle++
		d.finish(f)
		d.forget(f)
	}
}

// since is when a flow was last heard of. Its stamp may be older, if its packet
// was the first after a leap in time; its last packet may be from a mad clock.
func (f *flow) since(clock int64) int64 {
	if f.last <= clock {
		return max(f.last, f.stamp)
	}
	return f.stamp
}

// forget removes a finished flow from the table.
func (d *Decoder) forget(f *flow) {
	d.release(f)
	d.table.remove(f)
}

// appendTuple renders the 5-tuple, client first, for hashing.
func (f *flow) appendTuple(b []byte, client int) []byte {
	k := &f.key
	sides := [2][2]uint64{{k.aHi, k.aLo}, {k.bHi, k.bLo}}
	ports := [2]uint16{uint16(k.ports >> 16), uint16(k.ports)}
	for _, i := range [2]int{client, 1 - client} {
		b = binary.BigEndian.AppendUint64(b, sides[i][0])
		b = binary.BigEndian.AppendUint64(b, sides[i][1])
		b = binary.BigEndian.AppendUint16(b, ports[i])
	}
	return append(b, byte(k.proto))
}
