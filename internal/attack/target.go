package attack

// Accounts under guessing, whatever the sources: the one scope that follows
// the victim instead of the asker. An account is watched from its second
// refused attempt on.

const (
	targetPane = int64(600e9)
	guessBurst = 10 // different passwords in ten minutes
	guessDay   = 30 // … in a day
)

type target struct {
	key     uint64
	subject uint64
	unit    int32
	hot     bool
	fails   uint32
	first   int64 // of the day's pane
	last    int64
	pane    int64     // start of the ten minutes
	burst   *distinct // tags since pane
	day     *distinct // tags since first
}

type targets struct {
	index map[uint64]int32
	slots []target
	limit int
	next  int
	door  *rotor
	hot   []int32
	lost  uint64
}

func (t *targets) init(limit int) {
	t.index = make(map[uint64]int32)
	t.limit = limit
	t.door = newRotor(limit * 4)
}

// fail counts a refused attempt on an account; tag is the password's, 0 when
// unseen. least is how many different ones, in ten minutes, are too many. It
// reports whether the account has come under guessing.
func (t *targets) fail(p *pool, unit int32, subject uint64, tag uint32, least uint32, now int64) bool {
	key := join(subject, uint64(unit)+1)
	i, ok := t.index[key]
	if !ok {
		if !t.door.has(key) {
			t.door.add(key)
			return false
		}
		i, ok = t.slot(p)
		if !ok {
			return false
		}
		t.slots[i] = target{key: key, subject: subject, unit: unit, first: now, pane: now, last: now}
		t.index[key] = i
	}
	x := &t.slots[i]
	if now-x.first > horizon {
		p.release(x.day)
		x.day, x.first, x.fails, x.hot = nil, now, 0, false
		t.cool(i)
	}
	if now-x.pane > targetPane {
		p.release(x.burst)
		x.burst, x.pane = nil, now
	}
	x.fails++
	x.last = now
	if tag != 0 {
		p.add(&x.burst, uint64(tag))
		p.add(&x.day, uint64(tag))
	}
	if !x.hot && x.fails >= least && (x.burst.count() >= float64(least) || x.day.count() >= guessDay) {
		x.hot = true
		t.hot = append(t.hot, i)
	}
	return x.hot
}

// slot gives a free slot, taking the oldest that is not hot at the cap.
func (t *targets) slot(p *pool) (int32, bool) {
	if len(t.slots) < t.limit {
		t.slots = append(t.slots, target{})
		return int32(len(t.slots) - 1), true
	}
	t.lost++
	for range 8 {
		i := int32(t.next)
		t.next = (t.next + 1) % len(t.slots)
		x := &t.slots[i]
		if x.hot && len(t.hot)*2 < len(t.slots) {
			continue
		}
		t.cool(i)
		delete(t.index, x.key)
		p.release(x.burst)
		p.release(x.day)
		return i, true
	}
	return 0, false
}

func (t *targets) cool(i int32) {
	for k, x := range t.hot {
		if x == i {
			t.hot = append(t.hot[:k], t.hot[k+1:]...)
			return
		}
	}
}
