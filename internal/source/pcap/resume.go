package pcap

import "encoding/binary"

// A damaged record costs its own packet, not the rest of the file: reading
// goes on at the next place where two records in a row make sense.
const (
	resumeWindow = 160 << 10 // bytes looked at in one go: two records of the largest size below
	resumeRecord = 64 << 10  // a longer record is not believed after damage
	resumeReach  = 8 << 20   // bytes searched per damage
	maxResumes   = 1000      // per file; more damage than that ends it
	resumeSpan   = 30 * 86400
)

// resumer is a reader that can find its way back after damage.
type resumer interface {
	// resume moves to the next believable record; false when there is none
	// within reach.
	resume() bool
}

// search moves w forward to the first offset that fits. fits is asked with
// what follows the offset, end telling that nothing comes after that.
func search(w *window, fits func(b []byte, end bool) bool) bool {
	for searched := 0; searched < resumeReach; {
		n := resumeWindow
		b, err := w.peek(n)
		end := err != nil
		if end {
			b = w.buf[w.p:w.n]
		}
		for i := range b {
			if len(b)-i < resumeWindow/2 && !end {
				break
			}
			if fits(b[i:], end) {
				w.p += i
				return true
			}
		}
		if end {
			w.p = w.n
			return false
		}
		w.p += len(b) / 2
		searched += len(b) / 2
	}
	return false
}

func (c *classic) resume() bool {
	if c.last == 0 || c.resumes >= maxResumes {
		return false
	}
	c.resumes++
	return search(c.w, func(b []byte, end bool) bool {
		next, ok := c.believable(b)
		if !ok {
			return false
		}
		if next >= len(b) {
			return end && next == len(b)
		}
		_, ok = c.believable(b[next:])
		return ok || end && len(b)-next < 16
	})
}

// believable reports whether b starts with a record header near in time to
// the packets before, and where the next one would start.
func (c *classic) believable(b []byte) (next int, ok bool) {
	if len(b) < 16 {
		return 0, false
	}
	sec, frac, size, wire := int64(c.u32(b)), int64(c.u32(b[4:])), c.u32(b[8:]), c.u32(b[12:])
	if size == 0 || size > resumeRecord || wire < size || wire > maxPacket || frac*c.scale >= 1e9 || sec < c.last-resumeSpan || sec > c.last+resumeSpan {
		return 0, false
	}
	return 16 + int(size), true
}

func (g *nextGen) resume() bool {
	if g.resumes >= maxResumes {
		return false
	}
	g.resumes++
	return search(g.w, func(b []byte, end bool) bool {
		next, ok := g.believable(b)
		if !ok {
			return false
		}
		if next >= len(b) {
			return end && next == len(b)
		}
		_, ok = g.believable(b[next:])
		return ok || end && len(b)-next < 12
	})
}

// believable reports whether b starts with a whole block whose two lengths
// agree, and where the next one would start.
func (g *nextGen) believable(b []byte) (next int, ok bool) {
	if len(b) < 12 {
		return 0, false
	}
	if binary.BigEndian.Uint32(b) == magicNG {
		return 28, true // a new section says its byte order itself
	}
	o := g.order()
	kind, size := o.Uint32(b), o.Uint32(b[4:])
	if kind == 0 || kind > blockEnhanced || size < 12 || size%4 != 0 || size > resumeRecord || int(size) > len(b) {
		return 0, false
	}
	return int(size), o.Uint32(b[size-4:]) == size
}
