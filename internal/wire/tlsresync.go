package wire

import "encoding/binary"

// holeUnknown is the length of a hole of which nobody knows how long it is:
// longer than anything that may be open.
const holeUnknown = 1 << 40

const (
	maxSearch   = 2 * maxRecord // bytes held while a record is looked for
	maxTrials   = 512           // record numbers tried for one record
	maxMaybe    = 16            // places where a record may begin that is not complete
	searchFloor = 256 << 10     // bytes that may be tried in a direction, and
	searchShare = 8             // as many times what has been searched
)

// tlsHole tells one direction of a TLS connection that n bytes are missing.
func (d *Decoder) tlsHole(f *flow, t *tlsConn, dir int, n int64) {
	h := &t.dir[dir]
	switch {
	case t.blind || h.dead:
		return
	case t.parks:
		if d.park(f, t, event{dir: dir, kind: eventHole, ts: d.ts, n: n}, nil) {
			return
		}
	}
	if !t.hello {
		d.goBlind(f, t, blindMidway)
		return
	}
	if n >= holeUnknown {
		h.loose = true
	}
	switch have := len(h.buf); {
	case h.lost:
		h.missed += int64(have) + n
		d.unbuffer(h)
		return
	case h.skip > 0:
		if n <= h.skip {
			h.skip -= n
			return
		}
		h.missed = n - h.skip
		h.skip = 0
	case have >= recordHeader:
		total := recordLen(h.buf)
		rest := int64(total - have)
		if n <= rest {
			kind := h.buf[0]
			h.skip = rest - n
			d.unbuffer(h)
			if h.now != nil {
				h.now.seq++
			}
			d.lostRecord(f, t, dir, kind, total)
			return
		}
		// Counted with what follows: one more record is missing.
		h.missed = int64(have) + n
	default:
		h.missed = int64(have) + n
	}
	d.unbuffer(h)
	h.lost = true
	d.missed(f, dir) // how much is told when it is known
	h.loseMessages()
}

// loseMessages: handshake messages may be cut by what is missing.
func (h *tlsHalf) loseMessages() {
	h.hs, h.hsSkip = nil, 0
	h.hsLost = h.now == nil || h.now.stage != stageData
}

// lostRecord books one record that is missing, in part or because it cannot
// be opened, between two whose places are known.
func (d *Decoder) lostRecord(f *flow, t *tlsConn, dir int, kind byte, total int) {
	h := &t.dir[dir]
	h.loseMessages()
	if h.now == nil || h.now.stage != stageData || h.now.suite.old && kind != recordData || h.closed {
		return
	}
	n := int64(total - recordHeader - h.now.suite.overhead())
	if h.padded {
		n = holeUnknown
	}
	if n > 0 {
		d.innerHole(f, t, dir, n)
	}
}

// open tries the keys of a direction on a record: the one in use with the
// number that comes next, then those that may follow. ahead is by how many
// records the place may be off.
func (h *tlsHalf) open(t *tlsConn, dir int, room, rec []byte, ahead int) (kind byte, plain []byte, by *keyEpoch, seq uint64) {
	try := func(e *keyEpoch, seq uint64) bool {
		var ok bool
		if ahead > 0 {
			h.budget -= int64(len(rec))
		}
		kind, plain, ok = e.open(room, rec, seq)
		return ok
	}
	if e := h.now; e != nil {
		if ahead > 0 && e.suite.explicit > 0 && len(rec) >= recordHeader+8 {
			// Most senders count their explicit nonces up.
			if s := binary.BigEndian.Uint64(rec[recordHeader:]) - h.delta; s-e.seq < 1<<32 && try(e, s) {
				return kind, plain, e, s
			}
		}
		for i := range uint64(ahead + 1) {
			if try(e, e.seq+i) {
				return kind, plain, e, e.seq + i
			}
		}
	}
	h.prepare(t, dir)
	for _, e := range h.later {
		for i := range uint64(ahead + 1) {
			if try(e, i) {
				return kind, plain, e, i
			}
		}
	}
	return 0, nil, nil, 0
}

// prepare makes the epochs that may follow the one in use.
func (h *tlsHalf) prepare(t *tlsConn, dir int) {
	if h.made || t.suite != nil && t.suite.old {
		return // TLS 1.2 has them from the ServerHello
	}
	h.made = true
	h.later = nil
	if h.now != nil && h.now.stage == stageData {
		if e := h.now.update(); e != nil {
			h.later = append(h.later, e)
		}
		return
	}
	side := 1
	if dir == t.client {
		side = 0
	}
	add := func(st stage, secret []byte) {
		if h.now != nil && h.now.stage >= st || secret == nil {
			return
		}
		if t.suite != nil {
			if e := epoch13(t.suite, st, secret); e != nil {
				h.later = append(h.later, e)
			}
			return
		}
		for i := range suites13 {
			if e := epoch13(&suites13[i], st, secret); e != nil {
				h.later = append(h.later, e)
			}
		}
	}
	if side == 0 && t.early && !t.retried {
		add(stageEarly, t.secrets.early)
	}
	add(stageHandshake, t.secrets.handshake[side])
	add(stageData, t.secrets.traffic[side])
}

// searchRecord looks for a record that can be opened, behind a hole. That its
// tag is right is the proof of its place and number; nothing less counts.
func (d *Decoder) searchRecord(f *flow, t *tlsConn, dir int, b []byte) []byte {
	h := &t.dir[dir]
	n := min(len(b), maxSearch-len(h.buf))
	d.buffer(h, b[:n])
	b = b[n:]
	h.budget += int64(n) * searchShare
	// Candidates that were not complete before, then new ones.
	waiting := h.maybe[:0]
	for _, at := range h.maybe {
		switch done, over := d.tryRecord(f, t, dir, at); {
		case over:
			return b
		case !done:
			waiting = append(waiting, at)
		}
	}
	h.maybe = waiting
	for ; h.scan+recordHeader <= len(h.buf); h.scan++ {
		if c := h.buf[h.scan:]; c[0] < recordChange || c[0] > recordBeat || c[1] != 3 || c[2] > 3 {
			continue
		}
		done, over := d.tryRecord(f, t, dir, h.scan)
		if over {
			return b
		}
		if !done {
			if len(h.maybe) == maxMaybe {
				h.maybe = append(h.maybe[:0], h.maybe[1:]...)
			}
			h.maybe = append(h.maybe, h.scan)
		}
	}
	// What lies before the first of them is done with.
	keep := h.scan
	if len(h.maybe) > 0 {
		keep = h.maybe[0]
	}
	h.missed += int64(keep)
	d.kept -= int64(keep)
	h.buf = append(h.buf[:0], h.buf[keep:]...)
	h.scan -= keep
	for i := range h.maybe {
		h.maybe[i] -= keep
	}
	return b
}

// tryRecord tries what may be a record at a place of the bytes that are being
// searched. done is false when it is not complete; over is true when the
// search has ended, with it or for good.
func (d *Decoder) tryRecord(f *flow, t *tlsConn, dir, at int) (done, over bool) {
	h := &t.dir[dir]
	c := h.buf[at:]
	size := recordLen(c)
	if size > maxRecord || size < recordHeader+tagSize || h.now == nil && !h.expects(t, dir, c[0]) {
		return true, false
	}
	if size > len(c) {
		return false, false
	}
	ahead := h.ahead(at, size)
	if ahead < 0 {
		d.giveUp(f, t, dir)
		return true, true
	}
	before := h.now
	var expect uint64
	if before != nil {
		expect = before.seq
	}
	kind, plain, e, seq := h.open(t, dir, d.plainRoom(t.depth), c[:size], ahead)
	if e == nil {
		return true, false
	}
	missing := h.missed + int64(at)
	d.took(t, h, e, seq, c[:size], len(plain))
	held := append([]byte(nil), c[size:]...)
	h.lost = false
	d.unbuffer(h)
	d.resynced(f, t, dir, before, expect, seq, missing)
	d.unsealed(f, t, dir, kind, plain)
	d.tlsData(f, t, dir, held) // go on behind the record
	return true, true
}

// expects reports whether a record of this kind can be the first that is
// encrypted.
func (h *tlsHalf) expects(t *tlsConn, dir int, kind byte) bool {
	if t.suite != nil && t.suite.old {
		return len(h.later) > 0
	}
	return kind == recordData
}

// ahead is how many record numbers are worth trying on a record of size bytes
// that starts at bytes behind the hole; -1 when the direction's allowance is
// used up.
func (h *tlsHalf) ahead(at, size int) int {
	n := int64(maxTrials)
	if !h.loose {
		n = min(n, (h.missed+int64(at))/(recordHeader+tagSize+1)+1)
	}
	most := (h.budget + searchFloor) / int64(size) / 2 // there may be two keys
	if most < 1 {
		return -1
	}
	return int(min(n, most))
}

// resynced tells the inside how much of it is missing: all bytes that were
// lost, less what each lost record had besides its contents. That they held
// application data is taken for granted; handshake messages at that point are
// rare, and a framing that does not fit is noticed there.
func (d *Decoder) resynced(f *flow, t *tlsConn, dir int, before *keyEpoch, expect, seq uint64, missing int64) {
	h := &t.dir[dir]
	if h.now.stage != stageData || h.closed {
		h.loose = false
		return
	}
	n := int64(holeUnknown)
	switch {
	case before == h.now && seq >= expect:
		n = missing - int64(seq-expect)*int64(recordHeader+h.now.suite.overhead())
		if n < 0 || h.padded || h.loose {
			n = holeUnknown
		}
	case before != h.now && seq == 0 && (before == nil || before.stage != stageData):
		n = 0 // the first of its epoch: what is missing was the handshake
	}
	h.loose = false
	h.missed = 0
	if n > 0 {
		d.innerHole(f, t, dir, n)
	}
}
