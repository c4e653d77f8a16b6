package wire

import "math"

type streamState uint8

const (
	sStart     streamState = iota // nothing recognised yet
	sHead                         // at or in a head
	sBody                         // in a body of known length
	sClose                        // in a body that ends with the connection
	sChunkSize                    // in a chunk's size line
	sChunkData
	sChunkEnd  // at the line end after a chunk
	sTrailer   // in the lines after the last chunk
	sResync    // lost; waiting for a segment that starts with a head
	sUntilHead // in a message whose head is cut, so that its end cannot be known
	sH2
	sWebSocket
	sOpaque // not HTTP; only counted
)

// stream is the HTTP state of one direction.
type stream struct {
	state  streamState
	cur    *message
	remain int64 // bytes left of the body or chunk
	line   int   // bytes of the size or trailer line so far
	digits int
	ext    bool // behind the digits of a size line
}

const (
	maxChunkLine = 4 << 10
	maxTrailer   = 64 << 10
)

// data takes the next bytes of a direction, in sequence, without copying them
// where it can.
func (d *Decoder) data(f *flow, dir int, b []byte) {
	h := &f.h[dir]
	for fresh := true; len(b) > 0; fresh = false {
		switch h.state {
		case sHead:
			b = d.inHead(f, dir, b)
		case sBody:
			b = d.inBody(f, dir, b, fresh)
		case sClose:
			if fresh && f.await != nil && f.await.next != nil && strongResponse(b) {
				// No length was given, yet the client went on and the
				// server answers: both think the body has ended.
				d.complete(f, dir)
				continue
			}
			d.keep(h.cur, b)
			return
		case sChunkData:
			n := int(min(int64(len(b)), h.remain))
			d.keep(h.cur, b[:n])
			b = b[n:]
			if h.remain -= int64(n); h.remain == 0 {
				h.state, h.ext = sChunkEnd, false
			}
		case sChunkSize, sChunkEnd, sTrailer:
			b = d.inChunkLine(f, dir, b)
		case sUntilHead:
			b = d.untilHead(f, dir, b, fresh)
		case sStart:
			b = d.begin(f, dir, b)
		case sResync:
			if !fresh || !d.regain(f, dir, b) {
				return
			}
		case sH2:
			d.inH2(f, dir, b, fresh)
			return
		case sWebSocket:
			d.inWS(f.ws, dir, b, fresh)
			return
		default:
			return
		}
	}
}

func (d *Decoder) inBody(f *flow, dir int, b []byte, fresh bool) []byte {
	h := &f.h[dir]
	if fresh && f.noBody && dir == int(f.cli) && h.cur.size == 0 && strongRequest(b) {
		// The client asked for permission to send a body, was answered
		// without, and sends its next request instead.
		h.cur.length = 0
		d.complete(f, dir)
		return b
	}
	n := int(min(int64(len(b)), h.remain))
	d.keep(h.cur, b[:n])
	if h.remain -= int64(n); h.remain == 0 {
		d.complete(f, dir)
	}
	return b[n:]
}

// inChunkLine reads the parts of a chunked body that are not data. It is as
// lenient as common servers are: bare LF, blanks behind the size, extensions.
func (d *Decoder) inChunkLine(f *flow, dir int, b []byte) []byte {
	h := &f.h[dir]
	h.cur.last = d.ts
	for i, c := range b {
		switch h.state {
		case sChunkSize:
			v := unhex[c]
			switch {
			case c == '\n':
				if h.digits == 0 {
					d.corrupt(f, dir)
					return nil
				}
				h.line = 0
				if h.remain > 0 {
					h.state = sChunkData
					return b[i+1:]
				}
				h.state = sTrailer
				h.digits = 0
				h.cur.startTrailer()
			case v < 16 && !h.ext:
				if h.remain > math.MaxInt64>>5 {
					d.corrupt(f, dir)
					return nil
				}
				h.remain = h.remain<<4 | int64(v)
				h.digits++
			case c == ';' || c == ' ' || c == '\t' || c == '\r' || h.ext:
				h.ext = true
			default:
				d.corrupt(f, dir)
				return nil
			}
			if h.line++; h.line > maxChunkLine {
				d.corrupt(f, dir)
				return nil
			}
		case sChunkEnd:
			if c == '\n' {
				h.chunk()
				continue
			}
			if c != '\r' || h.ext {
				d.corrupt(f, dir)
				return nil
			}
			h.ext = true // one CR
		case sTrailer:
			if d.kept < d.cfg.MaxKept {
				h.cur.buf = append(h.cur.buf, c)
				d.kept++
			}
			switch {
			case c == '\n' && h.digits == 0:
				h.cur.readTrailer()
				d.complete(f, dir)
				return b[i+1:]
			case c == '\n':
				h.digits = 0
			case c != '\r':
				h.digits = 1 // the line is not blank
			}
			if h.line++; h.line > maxTrailer {
				d.corrupt(f, dir)
				return nil
			}
		}
	}
	return nil
}

// chunk readies h for a size line.
func (h *half) chunk() {
	h.state, h.remain, h.line, h.digits, h.ext = sChunkSize, 0, 0, 0, false
}

var unhex = func() (t [256]byte) {
	for i := range t {
		t[i] = 16
	}
	for i := range 10 {
		t['0'+i] = byte(i)
	}
	for i := range 6 {
		t['a'+i], t['A'+i] = byte(10+i), byte(10+i)
	}
	return t
}()

// hole tells a direction that its next n bytes are not in the capture.
func (d *Decoder) hole(f *flow, dir int, n int64) {
	h := &f.h[dir]
	if d.cutting && (h.state == sHead || h.state == sStart) && d.cutHead(f, dir, n) {
		return
	}
	switch h.state {
	case sUntilHead:
		if n >= holeUnknown {
			n = 1 // at least
		}
		d.lose(h.cur, n)
		return
	case sBody:
		if n <= h.remain && n < holeUnknown {
			d.lose(h.cur, n)
			if h.remain -= n; h.remain == 0 {
				d.complete(f, dir)
			}
			return
		}
	case sChunkData:
		if n < h.remain && n < holeUnknown {
			d.lose(h.cur, n)
			h.remain -= n
			return
		}
	case sClose:
		if n >= holeUnknown {
			n = 1 // at least
		}
		d.lose(h.cur, n)
		return
	case sH2:
		d.holeH2(f, dir, n)
		return
	case sWebSocket:
		d.holeWS(f.ws, dir, n)
		return
	case sResync, sOpaque:
		return
	}
	if d.cutting && h.cur != nil && h.cur.headLen > 0 {
		// The next chunk's size is among what was cut off.
		h.state = sUntilHead
		d.lose(h.cur, n)
		return
	}
	d.breakOff(f, dir, dropGap)
	d.lost(f, dir)
}

// corrupt gives up a message whose framing makes no sense.
func (d *Decoder) corrupt(f *flow, dir int) {
	d.breakOff(f, dir, dropCorrupt)
	d.lost(f, dir)
}

// end tells a direction that its sender has finished.
func (d *Decoder) end(f *flow, dir int) {
	h := &f.h[dir]
	if h.state == sClose || h.state == sUntilHead {
		d.complete(f, dir)
	}
	d.breakOff(f, dir, dropTruncated)
	h.state = sOpaque
}

// cutOff tells a direction that no more of it will be seen.
func (d *Decoder) cutOff(f *flow, dir int) {
	d.breakOff(f, dir, dropTruncated)
	f.h[dir].state = sOpaque
}

// lost puts a direction into the state of looking for the next head.
func (d *Decoder) lost(f *flow, dir int) {
	h := &f.h[dir]
	h.state = sResync
	d.missed(f, dir)
}

// missed tells that bytes of a direction are missing which may have held a
// head.
func (d *Decoder) missed(f *flow, dir int) {
	if f.cli < 0 || f.await == nil {
		return
	}
	// Where several responses may come next, or that of a request which was
	// not seen, it cannot be known which does, and a wrong pair is worse than
	// none.
	if client := dir == int(f.cli); client && f.h[1-dir].state != sResync {
		f.hidden = true
	} else if client || f.piped || f.hidden {
		for f.await != nil {
			d.unanswered(f)
		}
	}
}

// breakOff ends the message in progress before its time. With its head
// complete it goes on as a cut message; else it is counted as lost.
func (d *Decoder) breakOff(f *flow, dir int, reason int) {
	h := &f.h[dir]
	m := h.cur
	if m == nil {
		return
	}
	if m.headLen > 0 || m.raw {
		m.cut = true
		d.complete(f, dir)
		return
	}
	if h.state == sHead && dir == int(f.cli) {
		f.http = true // counted here, not as an unknown protocol
		d.stats.Begun++
		d.stats.dropped[reason]++
	}
	h.cur = nil
	d.freeMessage(m)
}
