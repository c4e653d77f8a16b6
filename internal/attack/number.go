package attack

// The numbers that codes are sent to, whoever asks and at whichever API: the
// scope that follows the victim of a bombing. A number is watched from its
// second request on.

const (
	sendsBurst = 5  // requests for one number in ten minutes
	sendsDay   = 10 // … in a day
	codeLife   = int64(600e9)
)

type line struct {
	key   uint64
	burst uint32 // since pane
	day   uint32 // since first
	used  uint32 // codes that somebody entered
	pane  int64
	first int64
	last  int64
	hot   bool
}

type numbers struct {
	index map[uint64]int32
	slots []line
	limit int
	next  int
	door  *rotor
	hot   []int32
	lost  uint64
}

func (n *numbers) init(limit int) {
	n.index = make(map[uint64]int32)
	n.limit = limit
	n.door = newRotor(limit * 4)
}

// asked counts a request to have a code sent and reports whether the number is
// asked for more often than its owner would.
func (n *numbers) asked(key uint64, now int64) bool {
	i, ok := n.index[key]
	if !ok {
		if !n.door.has(key) {
			n.door.add(key)
			return false
		}
		i, ok = n.slot(now)
		if !ok {
			return false
		}
		// The door has let one pass.
		n.slots[i] = line{key: key, burst: 1, day: 1, pane: now, first: now}
		n.index[key] = i
	}
	x := &n.slots[i]
	if now-x.first > horizon {
		n.cool(i)
		x.day, x.used, x.first, x.hot = 0, 0, now, false
	}
	if now-x.pane > codeLife {
		x.burst, x.pane = 0, now
	}
	x.burst++
	x.day++
	x.last = now
	n.heat(i)
	return x.hot
}

// heat decides whether a number is under bombing. Who enters the codes asks
// for them: a tester's telephone gets many.
func (n *numbers) heat(i int32) {
	x := &n.slots[i]
	if hot := x.used*4 < x.day && (x.burst >= sendsBurst || x.day >= sendsDay || x.hot); hot && !x.hot {
		x.hot = true
		n.hot = append(n.hot, i)
	} else if !hot && x.hot {
		x.hot = false
		n.cool(i)
	}
}

// entered notes that somebody entered the code sent to a number.
func (n *numbers) entered(key uint64) {
	if i, ok := n.index[key]; ok {
		x := &n.slots[i]
		x.used++
		x.burst = 0
		n.heat(i)
	}
}

// under reports whether a number is under bombing.
func (n *numbers) under(key uint64) bool {
	i, ok := n.index[key]
	return ok && n.slots[i].hot
}

// slot gives a free slot, taking the oldest that is not hot at the cap.
func (n *numbers) slot(now int64) (int32, bool) {
	if len(n.slots) < n.limit {
		n.slots = append(n.slots, line{})
		return int32(len(n.slots) - 1), true
	}
	n.lost++
	for range 8 {
		i := int32(n.next)
		n.next = (n.next + 1) % len(n.slots)
		x := &n.slots[i]
		if x.hot && now-x.last <= horizon && len(n.hot)*2 < len(n.slots) {
			continue
		}
		n.cool(i)
		delete(n.index, x.key)
		return i, true
	}
	return 0, false
}

func (n *numbers) cool(i int32) {
	for k, x := range n.hot {
		if x == i {
			n.hot = append(n.hot[:k], n.hot[k+1:]...)
			return
		}
	}
}
