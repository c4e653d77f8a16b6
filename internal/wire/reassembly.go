package wire

import "encoding/binary"

const (
	flagFIN = 1
	flagSYN = 2
	flagRST = 4
	flagACK = 16

	maxWindow   = 1 << 26 // sequence numbers further ahead than this are nonsense
	maxSegments = 1024    // per direction, waiting for a hole to fill
)

// half is one direction of a flow. Bytes are handed on in sequence, and not
// before everything their sender had acknowledged of the other direction: so
// the two directions are seen in the order of cause and effect, however the
// capture mixed them.
type half struct {
	next   uint32 // next sequence number to hand on
	first  uint32 // where the stream, as seen, began
	ack    uint32 // greatest acknowledgement sent by this side
	finSeq uint32
	finAck uint32
	finTS  int64

	have, hasAck bool
	guess        bool // no start was seen; what came waits for what may come before it
	syn          bool // first is the true start of the stream
	fin, rst     bool // an end of the stream is known, at finSeq
	ended        bool

	segs     []*segment // ahead of next, by sequence, disjoint
	segBytes int
	bytes    int64

	stream
}

// tcp finds the flow of a segment and hands it over. missing is how much of the
// payload the capture had cut off.
func (d *Decoder) tcp(a addrs, b []byte, missing int) {
	if len(b) < 20 {
		d.stats.Malformed++
		return
	}
	off := int(b[12]>>4) * 4
	n := len(b) + missing - off
	if off < 20 || n < 0 {
		d.stats.Malformed++
		return
	}
	var p []byte
	if off < len(b) {
		p = b[off:]
	}
	sp, dp := uint32(b[0])<<8|uint32(b[1]), uint32(b[2])<<8|uint32(b[3])
	k := flowKey{a.srcHi, a.srcLo, a.dstHi, a.dstLo, sp<<16 | dp, protoTCP}
	dir := 0
	if a.srcHi > a.dstHi || a.srcHi == a.dstHi && (a.srcLo > a.dstLo || a.srcLo == a.dstLo && sp > dp) {
		k = flowKey{a.dstHi, a.dstLo, a.srcHi, a.srcLo, dp<<16 | sp, protoTCP}
		dir = 1
	}
	flags := b[13]
	seq, ack := binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	if d.kept > d.cfg.MaxKept {
		d.evictActive()
	}
	h := k.hash(d.table.seed)
	f := d.table.find(&k, h)
	if f == nil {
		if n == 0 && flags&flagSYN == 0 {
			return
		}
		f = d.newFlow(&k, h)
	}
	f.last = d.clock
	f.packets++
	d.segment(f, dir, seq, ack, flags, p, n-len(p))
}

func (d *Decoder) segment(f *flow, dir int, seq, ack uint32, flags byte, p []byte, missing int) {
	h, o := &f.h[dir], &f.h[1-dir]
	n := uint32(len(p) + missing)
	if flags&flagSYN != 0 {
		f = d.synchronise(f, dir, seq, flags)
		h, o = &f.h[dir], &f.h[1-dir]
		if n == 0 {
			if flags&flagACK != 0 && !o.have {
				o.have, o.next, o.first, o.syn = true, ack, ack, true
			} else if flags&flagACK != 0 && o.guess {
				o.begins(ack)
			}
			if len(h.segs)+len(o.segs) > 0 {
				d.drain(f)
				d.stuck(f)
			}
			return
		}
		seq++ // data on the opening segment
	}
	if f.done {
		if n > 0 && h.have && int32(seq+n-h.next) <= 0 {
			d.stats.Duplicates++
		}
		return
	}
	if flags&flagACK != 0 && (!h.hasAck || int32(ack-h.ack) > 0) && (!o.have || int32(ack-o.next) < maxWindow) {
		h.ack, h.hasAck = ack, true
	}
	if n == 0 && flags&(flagFIN|flagRST) == 0 {
		if f.blocked || o.waiting(h) {
			d.stuck(f)
		}
		return
	}
	if !h.have {
		if flags&flagRST != 0 && n == 0 {
			d.finish(f)
			return
		}
		h.have, h.next, h.first = true, seq, seq
		h.guess, h.next = true, seq-1
		if f.in == &d.table.opening {
			d.enqueue(&d.table.active, f)
		}
	} else if f.in == &d.table.opening && n > 0 {
		d.enqueue(&d.table.active, f)
	}
	if seq == h.next && len(h.segs) == 0 && !h.fin && flags&(flagFIN|flagRST) == 0 && !h.ended && !o.behind(ack, flags) {
		h.next += n
		d.ts = d.now
		d.arrive(f, dir, p)
		if missing > 0 {
			d.arriveSnapped(f, dir, int64(missing))
		}
		if f.blocked {
			f.blocked = false
			d.drain(f)
			d.stuck(f)
		}
		return
	}
	d.outOfStep(f, dir, seq, ack, flags, p, missing)
}

// synchronise handles a SYN: the start of a flow, a repetition, or a new flow
// on a used tuple.
func (d *Decoder) synchronise(f *flow, dir int, seq uint32, flags byte) *flow {
	h := &f.h[dir]
	switch {
	case h.syn && h.first == seq+1:
		return f // repeated, or seen twice
	case h.guess && !f.done && h.begins(seq+1):
	case h.have && !h.syn && h.first == seq+1 && !f.done:
		h.syn = true // came late
		return f
	case h.have || f.done:
		// The tuple is used again.
		d.finish(f)
		key, hash := f.key, f.hash
		d.release(f)
		f.in.remove(f)
		f.reset(key, hash)
		d.enqueue(&d.table.opening, f)
		f.last, f.packets = d.clock, 1
		d.stats.Flows++
		h = &f.h[dir]
		fallthrough
	default:
		h.have, h.syn, h.next, h.first = true, true, seq+1, seq+1
	}
	if f.cli < 0 {
		if flags&flagACK == 0 {
			f.cli = int8(dir)
		} else {
			f.cli = int8(1 - dir)
		}
	}
	return f
}

// begins tells where a direction begins whose first packets came before that
// was known; false when they cannot be of the same connection.
func (h *half) begins(seq uint32) bool {
	if gap := int32(h.next + 1 - seq); gap < 0 || gap > maxWindow {
		return false
	}
	h.guess, h.syn, h.next, h.first = false, true, seq, seq
	return true
}

// waiting reports whether the peer has acknowledged bytes that were not seen.
func (h *half) waiting(peer *half) bool {
	gap := int32(peer.ack - h.next)
	return h.have && !h.ended && peer.hasAck && gap > 0 && gap < maxWindow
}

// behind reports whether this half still lacks bytes below ack.
func (h *half) behind(ack uint32, flags byte) bool {
	gap := int32(ack - h.next)
	return gap > 0 && gap < maxWindow && h.have && !h.ended && flags&flagACK != 0
}

// outOfStep is the slow path: old, overlapping, early or closing segments.
func (d *Decoder) outOfStep(f *flow, dir int, seq, ack uint32, flags byte, p []byte, missing int) {
	h, o := &f.h[dir], &f.h[1-dir]
	n := uint32(len(p) + missing)
	if h.ended {
		if n > 1 {
			d.stats.Duplicates++
		}
		if flags&flagRST != 0 {
			d.finish(f)
		}
		return
	}
	ahead := int32(seq - h.next)
	if h.guess && ahead <= 0 && ahead > -maxWindow {
		h.next, h.first, ahead = seq-1, seq, 1 // earlier than what was first
	}
	if ahead > maxWindow || ahead < -maxWindow {
		d.stats.OutOfOrder++
		return
	}
	if flags&flagACK == 0 {
		ack = o.next // nothing to wait for
	}
	if flags&(flagFIN|flagRST) != 0 && !h.fin && ahead+int32(n) >= 0 {
		h.fin, h.rst, h.finSeq, h.finAck, h.finTS = true, flags&flagRST != 0, seq+n, ack, d.now
	}
	if ahead > 0 && n > 0 && !h.guess {
		d.stats.OutOfOrder++
	}
	if ahead < 0 {
		old := uint32(-ahead)
		if old >= n {
			if n > 1 {
				d.stats.Duplicates++
			}
			n, p = 0, nil
		} else {
			cut := min(int(old), len(p))
			p = p[cut:]
			seq, n = seq+old, n-old
		}
	}
	if n > 0 {
		d.insert(f, h, seq, ack, p, n)
		for len(h.segs) > maxSegments || h.segBytes > d.cfg.MaxAhead || d.ahead > d.cfg.MaxAheadTotal {
			if !d.skip(f, dir) && !d.skip(f, 1-dir) {
				break
			}
			if f.done {
				return
			}
		}
	}
	d.drain(f)
	d.stuck(f)
}

// drain hands on whatever is no longer waiting.
func (d *Decoder) drain(f *flow) {
	for progress := true; progress && !f.done; {
		progress = false
		for dir := range 2 {
			h, o := &f.h[dir], &f.h[1-dir]
			n := 0
			for n < len(h.segs) && !f.done {
				s := h.segs[n]
				if int32(s.seq-h.next) > 0 || o.behind(s.ack, flagACK) {
					break
				}
				n++
				h.next = s.seq + s.n
				h.segBytes -= int(s.n)
				d.ts = s.ts
				d.arrive(f, dir, s.data)
				if m := int(s.n) - len(s.data); m > 0 {
					d.arriveSnapped(f, dir, int64(m))
				}
				d.freeSegment(s)
				progress, f.blocked = true, false
			}
			if n > 0 {
				h.segs = append(h.segs[:0], h.segs[n:]...)
			}
			if h.fin && !h.ended && len(h.segs) == 0 && int32(h.finSeq-h.next) <= 0 && !o.behind(h.finAck, flagACK) {
				d.ts = h.finTS
				d.closeHalf(f, dir)
				progress = true
			}
		}
	}
	d.ts = d.now
}

func (d *Decoder) closeHalf(f *flow, dir int) {
	h := &f.h[dir]
	h.ended = true
	h.next = h.finSeq + 1
	d.arriveEnd(f, dir, false)
	if h.rst || f.h[1-dir].ended {
		d.finish(f)
	}
}
