package attack

// Openings: the moment from which something can be had, a coupon, a seat, a
// pair of shoes. It is the first success after there was none for a while, when
// many follow at once. People take a second to see it; a program that knows the
// hour, or asks until it is answered, takes none.

const (
	maxOpenings = 4096
	openQuiet   = int64(60e9)  // without a success
	atOnce      = int64(200e6) // faster than people see
	firstSecond = int64(1e9)
	openRush    = 5 // askers in the first second
)

type opening struct {
	key   uint64
	last  int64 // success
	at    int64 // 0: never
	n     int   // early, of them the askers before it was known to be one
	early [openRush]early
	fine  bool // times are finer than seconds, in which all who come early come at once
}

type early struct {
	at  ref
	gen uint32
	off int64
}

type openings struct {
	index map[uint64]int32
	slots []opening
	next  int
}

func (o *openings) init() { o.index = make(map[uint64]int32) }

// see takes an attempt to have something and credits the cells of those who
// were there at its opening.
func (o *openings) see(e *Engine, key uint64, start int64, ok bool, r ref, c *cell) {
	i, known := o.index[key]
	if !known {
		if !ok {
			return // opens with a success
		}
		i = int32(len(o.slots))
		if i < maxOpenings {
			o.slots = append(o.slots, opening{})
		} else {
			i = int32(o.next)
			o.next = (o.next + 1) % maxOpenings
			delete(o.index, o.slots[i].key)
			e.market.lost++
		}
		o.slots[i] = opening{key: key}
		o.index[key] = i
	}
	x := &o.slots[i]
	if ok && (x.at == 0 || start-x.last >= openQuiet) {
		x.at, x.n, x.fine = start, 0, false
	}
	if ok {
		x.last = max(x.last, start)
	}
	off := start - x.at
	if off < -firstSecond || off > firstSecond {
		return
	}
	for k := range min(x.n, openRush) {
		if y := &x.early[k]; y.at == r && y.gen == c.gen {
			return
		}
	}
	x.fine = x.fine || start%1e9 != 0
	if x.n < openRush {
		x.early[x.n] = early{r, c.gen, off}
	}
	if x.n++; x.n < openRush || !x.fine {
		return
	}
	if x.n > openRush {
		hasten(c, off)
		return
	}
	for k := range x.early {
		y := &x.early[k]
		if d := e.cells.at(y.at); d.gen == y.gen {
			hasten(d, y.off)
		}
	}
}

func hasten(c *cell, off int64) {
	if off <= atOnce && off >= -atOnce && c.quick < c.n {
		c.quick++
	}
}
