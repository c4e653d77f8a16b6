package wire

// stuck looks whether a flow waits for bytes that will not come: the receiver
// has them, and enough packets or time have passed since. Then the capture has
// lost them.
func (d *Decoder) stuck(f *flow) {
	for !f.done {
		since, packets, waits := f.oldestWait()
		if !waits {
			f.blocked = false
			return
		}
		if !f.blocked {
			f.blocked, f.blockedAt, f.blockedPkts = true, d.clock, f.packets
		}
		if packets == 0 { // only an acknowledgement tells that something is missing
			since, packets = f.blockedAt, f.blockedPkts
		}
		// So many packets may pass in no time, so some of it has to.
		waited := d.clock - since
		if waited <= int64(d.cfg.ReorderTime) && (f.packets-packets <= uint32(d.cfg.ReorderPackets) || waited <= int64(d.cfg.ReorderTime)/10) {
			return
		}
		skipped := false
		for dir := 0; dir < 2 && !skipped; dir++ {
			h, o := &f.h[dir], &f.h[1-dir]
			// A hole that nobody acknowledged will be sent again, unless
			// the side that would acknowledge it is not in the capture.
			if h.guess || h.waiting(o) || !o.hasAck && (len(h.segs) > 0 || h.fin) {
				skipped = d.skip(f, dir)
			}
		}
		if !skipped {
			return
		}
		f.blocked = false
	}
}

// oldestWait says since when the longest-waiting segment waits; packets is 0
// when no segment does, yet something is missing.
func (f *flow) oldestWait() (since int64, packets uint32, waits bool) {
	for dir := range 2 {
		h := &f.h[dir]
		if len(h.segs) > 0 {
			if s := h.segs[0]; packets == 0 || s.age < since {
				since, packets = s.age, s.packet
			}
			waits = true
		}
		if h.waiting(&f.h[1-dir]) || h.fin && !h.ended {
			waits = true
		}
	}
	return since, packets, waits
}

// skip steps over the hole at the front of a half, to the next segment held or
// to what the peer acknowledged, whichever is nearer.
func (d *Decoder) skip(f *flow, dir int) bool {
	h, o := &f.h[dir], &f.h[1-dir]
	if h.guess {
		h.midway()
		d.drain(f)
		return true
	}
	var gap int32
	if len(h.segs) > 0 {
		if gap = int32(h.segs[0].seq - h.next); gap <= 0 {
			return false // held back by the other direction, nothing is missing here
		}
	} else if h.fin && !h.ended {
		gap = int32(h.finSeq - h.next)
	}
	if h.waiting(o) {
		if a := int32(o.ack - h.next); gap <= 0 || a < gap {
			gap = a
		}
	}
	if gap <= 0 {
		return false
	}
	if gap == 1 && len(h.segs) == 0 && !h.fin {
		// What was acknowledged is almost certainly a FIN.
		h.fin, h.finSeq, h.finAck, h.finTS = true, h.next, o.next, d.now
		d.drain(f)
		return true
	}
	h.next += uint32(gap)
	d.stats.Gaps++
	d.stats.GapBytes += uint64(gap)
	d.ts = d.now
	d.arriveHole(f, dir, int64(gap))
	if h.fin && int32(h.finSeq-h.next) < 0 {
		h.finSeq = h.next
	}
	d.drain(f)
	return true
}

// midway tells a direction that nothing comes before what is held: the capture
// began within the connection.
func (h *half) midway() {
	h.guess = false
	switch {
	case len(h.segs) > 0:
		h.next = h.segs[0].seq
	case h.fin:
		h.next = h.finSeq
	default:
		h.next++
	}
	h.first = h.next
}

// finish ends a flow whatever its state: held segments are handed on with the
// holes between them stepped over, open messages are cut, pending requests go
// out unanswered. The flow then only absorbs stragglers.
func (d *Decoder) finish(f *flow) {
	if f.done {
		return
	}
	f.done = true
	for i := range f.h {
		if h := &f.h[i]; h.guess {
			h.midway()
		}
	}
	var at [2]int
	for {
		dir := -1
		for i := range 2 {
			if at[i] < len(f.h[i].segs) && (dir < 0 || f.h[i].segs[at[i]].ts < f.h[dir].segs[at[dir]].ts) {
				dir = i
			}
		}
		if dir < 0 {
			break
		}
		// What its sender had seen of the other direction comes first, also
		// where it is missing.
		h, o := &f.h[dir], &f.h[1-dir]
		s := h.segs[at[dir]]
		d.ts = s.ts
		if o.behind(s.ack, flagACK) {
			gap, held := int32(s.ack-o.next), at[1-dir] < len(o.segs)
			switch {
			case held:
				gap = min(gap, int32(o.segs[at[1-dir]].seq-o.next))
			case o.fin:
				gap = min(gap, int32(o.finSeq-o.next))
			case gap == 1:
				gap = 0 // a FIN, as in skip
			}
			if gap > 0 {
				o.next += uint32(gap)
				d.stats.Gaps++
				d.stats.GapBytes += uint64(gap)
				d.arriveHole(f, 1-dir, int64(gap))
				continue
			}
			if held {
				dir = 1 - dir
				h, s = o, o.segs[at[dir]]
				d.ts = s.ts
			}
		}
		at[dir]++
		if gap := int32(s.seq - h.next); gap > 0 {
			d.stats.Gaps++
			d.stats.GapBytes += uint64(gap)
			d.arriveHole(f, dir, int64(gap))
		}
		h.next = s.seq + s.n
		d.arrive(f, dir, s.data)
		if m := int(s.n) - len(s.data); m > 0 {
			d.arriveSnapped(f, dir, int64(m))
		}
		d.freeSegment(s)
	}
	for dir := range 2 {
		h := &f.h[dir]
		h.segs, h.segBytes = h.segs[:0], 0
		if h.fin && !h.ended {
			if gap := int32(h.finSeq - h.next); gap > 0 {
				d.arriveHole(f, dir, int64(gap))
			}
			h.ended = true
			d.ts = h.finTS
			d.arriveEnd(f, dir, false)
		}
	}
	d.ts = d.now
	for dir := range 2 {
		if h := &f.h[dir]; !h.ended {
			h.ended = true
			d.arriveEnd(f, dir, true)
		}
	}
	if d.settleTLS(f) {
		d.postpone(f)
	} else {
		d.conclude(f)
	}
	d.enqueue(&d.table.closed, f)
}
