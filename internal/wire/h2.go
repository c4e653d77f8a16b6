package wire

import (
	"encoding/binary"
	"strconv"
)

type h2State uint8

const (
	h2AtPreface h2State = iota
	h2AtHead
	h2InData
	h2InWhole // in a frame that is read as a whole
	h2InOther // in a frame that is passed over
	h2Lost    // waiting for a segment that starts with a frame
)

// h2Half is the state of one direction of an HTTP/2 connection.
type h2Half struct {
	at     h2State
	frame  h2Frame
	remain int   // of the frame's payload
	pad    int   // bytes at the end of DATA that are padding; -1 not read yet
	since  int64 // capture time of the frame's first byte
	have   int   // bytes of the preface or of a frame's head
	buf    []byte
	begun  bool // its first SETTINGS was seen

	block      []byte // of a header block in several frames
	open       bool   // it goes on
	blockFrame h2Frame
	blockSince int64
	blockBad   bool // it cannot be decoded, for the reason blockWhy
	blockWhy   int
	promised   uint32
	maxFrame   int // largest frame the other side said it would take, 0 unknown

	table hpackTable
}

// h2Conn is an HTTP/2 connection.
type h2Conn struct {
	dir         [2]h2Half
	streams     map[uint32]*h2Stream
	first, last *h2Stream // those open, in the order in which they began
	base        uint32    // ordinal of stream 0
	high        uint32    // the highest stream that the client began
	floor       uint32    // from here to high every stream was seen; 0 unknown
	closed      [32]uint32
	closedAt    int
	print       h2Print
	room        int64 // memory accounted for
	next        *h2Conn
}

const (
	maxStreams   = 1024 // open at once in a connection
	maxOneSided  = 16   // the same where the server is not in the capture
	h2ConnRoom   = 2 << 10
	maxSpareH2   = 256
	maxSpareRoom = 32 << 10
)

// startH2 makes a connection speak HTTP/2.
func (d *Decoder) startH2(f *flow) *h2Conn {
	if f.h2 != nil {
		return f.h2
	}
	c := d.h2Free
	if c != nil {
		d.h2Free = c.next
		d.h2Spare--
	} else {
		c = &h2Conn{streams: map[uint32]*h2Stream{}}
	}
	c.next = nil
	for i := range c.dir {
		h := &c.dir[i]
		t := h.table
		t.reset()
		*h = h2Half{at: h2AtHead, buf: h.buf[:0], block: h.block[:0], table: t}
	}
	c.base = f.ordinal
	c.high, c.floor, c.closedAt, c.room = 0, 0, 0, 0
	c.closed = [32]uint32{}
	c.print.reset()
	f.h2 = c
	f.http = true
	f.protocol = "http2"
	d.stats.HTTP2++
	d.weigh(c)
	return c
}

// weigh accounts for the memory of a connection's state.
func (d *Decoder) weigh(c *h2Conn) {
	n := int64(h2ConnRoom)
	for i := range c.dir {
		h := &c.dir[i]
		n += int64(cap(h.buf) + cap(h.block) + h.table.room())
	}
	n += int64(len(c.streams)) * 256
	d.kept += n - c.room
	c.room = n
}

// endH2 gives what is open and forgets the connection.
func (d *Decoder) endH2(f *flow) {
	c := f.h2
	if c == nil {
		return
	}
	for s := c.first; s != nil; s = c.first {
		d.abandon(f, s)
	}
	f.h2 = nil
	d.kept -= c.room
	if d.h2Spare < maxSpareH2 && c.room <= maxSpareRoom && len(c.streams) == 0 {
		c.next, d.h2Free = d.h2Free, c
		d.h2Spare++
	}
}

// fromStart says that a direction was seen from its first byte.
func (c *h2Conn) fromStart(dir int, preface bool) {
	h := &c.dir[dir]
	h.table.whole = true
	if preface {
		h.at = h2AtPreface
		c.floor = 1
		c.print.whole = true
	}
}

// inH2 takes bytes of HTTP/2.
func (d *Decoder) inH2(f *flow, dir int, b []byte, fresh bool) {
	c := f.h2
	h := &c.dir[dir]
	for ; len(b) > 0; fresh = false {
		switch h.at {
		case h2AtHead:
			if h.have == 0 {
				h.since = d.ts
				if len(b) >= h2HeadLen {
					h.frame = readFrame(b)
					b = b[h2HeadLen:]
					d.frameHead(f, dir)
					break
				}
				h.buf = h.buf[:0]
			}
			n := min(len(b), h2HeadLen-h.have)
			h.buf = append(h.buf, b[:n]...)
			b = b[n:]
			if h.have += n; h.have == h2HeadLen {
				h.frame = readFrame(h.buf)
				h.have, h.buf = 0, h.buf[:0]
				d.frameHead(f, dir)
			}
		case h2InData:
			b = d.inFrameData(f, dir, b)
		case h2InWhole:
			if len(h.buf) == 0 && len(b) >= h.remain {
				p := b[:h.remain]
				b = b[h.remain:]
				d.wholeFrame(f, dir, p)
				break
			}
			n := min(len(b), h.remain)
			h.buf = append(h.buf, b[:n]...)
			b = b[n:]
			if h.remain -= n; h.remain == 0 {
				d.wholeFrame(f, dir, h.buf)
			}
		case h2InOther:
			n := min(len(b), h.remain)
			b = b[n:]
			if h.remain -= n; h.remain == 0 {
				h.at = h2AtHead
			}
		case h2AtPreface:
			n := min(len(b), len(h2Preface)-h.have)
			if string(b[:n]) != h2Preface[h.have:h.have+n] {
				d.stats.H2Errors++
				d.loseH2(f, dir)
				break
			}
			b = b[n:]
			if h.have += n; h.have == len(h2Preface) {
				h.at, h.have = h2AtHead, 0
			}
		case h2Lost:
			if !fresh || !h2Begins(b, true) {
				return
			}
			h.at, h.have = h2AtHead, 0
		}
		if f.h2 != c {
			return // it ended
		}
	}
	d.weigh(c)
}

// frameHead decides what to do with a frame by its head.
func (d *Decoder) frameHead(f *flow, dir int) {
	h := &f.h2.dir[dir]
	h.remain, h.at, h.buf = h.frame.length, h2InWhole, h.buf[:0]
	if h.maxFrame > 0 && h.remain > h.maxFrame {
		// No sender may, and a receiver ends the connection.
		d.stats.H2Errors++
		d.loseH2(f, dir)
		return
	}
	if h.open && (h.frame.typ != frameContinuation || h.frame.id != h.blockFrame.id) {
		// Nothing may come between the parts of a header block.
		d.stats.H2Errors++
		h.spoil(dropCorrupt)
		d.endBlock(f, dir)
	}
	switch h.frame.typ {
	case frameData:
		h.at, h.pad = h2InData, 0
		if h.frame.flags&flagPadded != 0 {
			h.pad = -1
		}
		if h.remain == 0 {
			d.endData(f, dir)
		}
		return
	case frameHeaders, framePromise, frameContinuation:
		if h.remain > maxBlock {
			h.at = h2InOther
			d.badFragment(f, dir, dropOversize)
		}
	case frameSettings, framePriority, frameReset, frameGoAway, frameWindow:
		d.stats.H2Control++
		if h.remain > maxH2Small {
			d.stats.H2Errors++
			h.at = h2InOther
		}
	default: // PING, and types that mean nothing here
		d.stats.H2Control++
		h.at = h2InOther
	}
	if h.remain == 0 {
		if h.at == h2InWhole {
			d.wholeFrame(f, dir, nil)
		} else {
			h.at = h2AtHead
		}
	}
}

func (d *Decoder) inFrameData(f *flow, dir int, b []byte) []byte {
	h := &f.h2.dir[dir]
	if h.pad < 0 {
		h.pad = int(b[0])
		b = b[1:]
		h.remain--
		if h.pad > h.remain {
			d.stats.H2Errors++
			h.pad = h.remain
		}
	}
	if n := min(len(b), h.remain-h.pad); n > 0 {
		d.streamData(f, dir, h.frame.id, b[:n])
		b = b[n:]
		h.remain -= n
	}
	if h.remain <= h.pad {
		n := min(len(b), h.remain)
		b = b[n:]
		if h.remain -= n; h.remain == 0 {
			d.endData(f, dir)
		}
	}
	return b
}

func (d *Decoder) endData(f *flow, dir int) {
	h := &f.h2.dir[dir]
	h.at = h2AtHead
	if h.frame.flags&flagEndStream != 0 {
		d.endStream(f, dir, h.frame.id)
	}
}

// wholeFrame takes a frame whose payload is complete.
func (d *Decoder) wholeFrame(f *flow, dir int, p []byte) {
	c := f.h2
	h := &c.dir[dir]
	h.at, h.remain = h2AtHead, 0
	switch h.frame.typ {
	case frameHeaders, framePromise, frameContinuation:
		d.headerFragment(f, dir, p)
	case frameSettings:
		if h.frame.flags&flagEndStream != 0 {
			return
		}
		if h.frame.id != 0 || len(p)%6 != 0 {
			d.stats.H2Errors++
			return
		}
		h.begun = true
		o := &c.dir[1-dir]
		if o.maxFrame == 0 && h.table.whole {
			o.maxFrame = 16 << 10
		}
		for ; len(p) >= 6; p = p[6:] {
			id, v := binary.BigEndian.Uint16(p), binary.BigEndian.Uint32(p[2:])
			if id == 5 && o.maxFrame > 0 { // MAX_FRAME_SIZE; it may have grown before it was lowered
				o.maxFrame = max(o.maxFrame, int(min(v, 1<<24)))
			}
			if dir == int(f.cli) {
				c.print.setting(id, v)
			}
		}
	case frameWindow:
		if len(p) == 4 && h.frame.id == 0 && dir == int(f.cli) {
			c.print.window(binary.BigEndian.Uint32(p) & (1<<31 - 1))
		}
	case framePriority:
		if len(p) == 5 && dir == int(f.cli) {
			c.print.priority(h.frame.id, p)
		}
	case frameReset:
		if len(p) != 4 || h.frame.id == 0 {
			d.stats.H2Errors++
			return
		}
		d.stats.H2Resets++
		if s := c.streams[h.frame.id]; s != nil {
			d.abandon(f, s)
		}
	case frameGoAway:
		if len(p) < 8 || dir == int(f.cli) {
			return
		}
		// What lies behind the last stream will not be answered.
		last := binary.BigEndian.Uint32(p) & (1<<31 - 1)
		for s := c.first; s != nil; {
			next := s.next
			if s.id > last && s.id&1 == 1 && s.resp == nil {
				d.abandon(f, s)
			}
			s = next
		}
	}
}

// headerFragment takes a part of a header block.
func (d *Decoder) headerFragment(f *flow, dir int, p []byte) {
	h := &f.h2.dir[dir]
	if h.frame.typ == frameContinuation {
		if !h.open {
			// The beginning is missing, and with it what it added.
			d.stats.H2Errors++
			h.table.lose()
			return
		}
	} else {
		var ok bool
		if p, ok = h.frame.fragment(p); !ok || h.frame.id == 0 || h.frame.typ == framePromise && len(p) < 4 {
			d.badFragment(f, dir, dropCorrupt)
			return
		}
		if h.frame.typ == framePromise {
			h.promised = binary.BigEndian.Uint32(p) & (1<<31 - 1)
			p = p[4:]
		}
		h.blockFrame, h.blockSince, h.blockBad = h.frame, h.since, false
		if h.frame.flags&flagEndHeaders != 0 {
			d.headerBlock(f, dir, p)
			return
		}
		h.block, h.open = h.block[:0], true
	}
	if len(h.block)+len(p) > maxBlock {
		h.spoil(dropOversize)
	} else if !h.blockBad {
		h.block = append(h.block, p...)
	}
	if h.frame.flags&flagEndHeaders != 0 {
		d.endBlock(f, dir)
	}
}

// badFragment gives up the header block that a frame begins or continues.
func (d *Decoder) badFragment(f *flow, dir, reason int) {
	h := &f.h2.dir[dir]
	if reason == dropCorrupt {
		d.stats.H2Errors++
	}
	if h.frame.typ == frameContinuation && !h.open {
		h.table.lose()
		return
	}
	if h.frame.typ != frameContinuation {
		h.blockFrame, h.blockSince, h.open, h.blockBad = h.frame, h.since, true, false
		h.promised = 0
	}
	h.spoil(reason)
	if h.frame.flags&flagEndHeaders != 0 {
		d.endBlock(f, dir)
	}
}

// spoil says that the block in hand cannot be decoded.
func (h *h2Half) spoil(reason int) {
	if !h.blockBad {
		h.blockBad, h.blockWhy = true, reason
	}
}

// endBlock ends a header block that came in parts.
func (d *Decoder) endBlock(f *flow, dir int) {
	h := &f.h2.dir[dir]
	h.open = false
	if h.blockBad {
		h.table.lose()
		d.lostBlock(f, dir, h.blockWhy)
		return
	}
	d.headerBlock(f, dir, h.block)
}

// holeH2 steps over n missing bytes.
func (d *Decoder) holeH2(f *flow, dir int, n int64) {
	h := &f.h2.dir[dir]
	if int64(h.remain) < n {
		switch h.at {
		case h2InData, h2InWhole, h2InOther, h2AtHead, h2AtPreface:
			d.loseH2(f, dir)
		}
		return
	}
	switch h.at {
	case h2InData:
		if h.pad < 0 {
			h.pad = 0 // was in the hole: some padding may be taken for data
			n--
			h.remain--
		}
		if m := min(n, int64(h.remain-h.pad)); m > 0 {
			d.streamHole(f, dir, h.frame.id, m)
		}
		if h.remain -= int(n); h.remain == 0 {
			d.endData(f, dir)
		}
	case h2InWhole:
		h.remain -= int(n)
		whole := h.remain == 0
		h.at = h2InOther
		switch h.frame.typ {
		case frameHeaders, framePromise, frameContinuation:
			d.badFragment(f, dir, dropGap)
		case frameReset:
			if s := f.h2.streams[h.frame.id]; s != nil {
				d.stats.H2Resets++
				d.abandon(f, s)
			}
		}
		if whole {
			h.at = h2AtHead
		}
	case h2InOther:
		if h.remain -= int(n); h.remain == 0 {
			h.at = h2AtHead
		}
	case h2Lost:
	default:
		d.loseH2(f, dir)
	}
}

// loseH2 gives up a direction's framing: what is open in it may have missed
// anything.
func (d *Decoder) loseH2(f *flow, dir int) {
	c := f.h2
	h := &c.dir[dir]
	d.stats.H2Lost++
	wasOpen := h.open
	h.open = false
	switch {
	case h.at == h2InWhole && (h.frame.typ == frameHeaders || h.frame.typ == framePromise):
		h.blockFrame, h.blockSince = h.frame, h.since
		h.promised = 0
		d.lostBlock(f, dir, dropGap)
	case wasOpen:
		d.lostBlock(f, dir, dropGap)
	}
	h.at, h.remain, h.have, h.maxFrame = h2Lost, 0, 0, 0
	c.dir[1-dir].maxFrame = 0 // a change of it may have been missed
	h.table.lose()
	if dir == int(f.cli) {
		c.floor = 0
		c.print.whole = c.print.whole && c.print.done
	}
	for s := c.first; s != nil; s = s.next {
		s.tear(dir == int(f.cli))
		d.loseMessages(s.ws, dir)
	}
}

// h2Print is the client's fingerprint: what it sends before its first request.
// Its form is that of Akamai's paper of 2017,
// SETTINGS|WINDOW_UPDATE|PRIORITY|pseudo-header order:
// "1:65536;4:6291456|15663105|3:0:0:201|m,a,s,p". Settings are id:value as
// sent; the window is the increment for the connection; a priority is
// stream:exclusive:parent:weight with a weight of 1 to 256; what was not sent
// is 0.
type h2Print struct {
	text        []byte
	settings    int // how many
	windowSize  uint32
	prior       []byte
	whole, done bool
	priorities  int
}

const (
	maxPrintSettings   = 32
	maxPrintPriorities = 16
)

func (p *h2Print) reset() { *p = h2Print{text: p.text[:0], prior: p.prior[:0]} }

func (p *h2Print) setting(id uint16, v uint32) {
	if p.done || p.settings == maxPrintSettings {
		return
	}
	if p.settings > 0 {
		p.text = append(p.text, ';')
	}
	p.settings++
	p.text = strconv.AppendUint(p.text, uint64(id), 10)
	p.text = append(p.text, ':')
	p.text = strconv.AppendUint(p.text, uint64(v), 10)
}

func (p *h2Print) window(n uint32) {
	if !p.done && p.windowSize == 0 {
		p.windowSize = n
	}
}

func (p *h2Print) priority(id uint32, b []byte) {
	if p.done || p.priorities == maxPrintPriorities {
		return
	}
	if p.priorities > 0 {
		p.prior = append(p.prior, ',')
	}
	p.priorities++
	parent := binary.BigEndian.Uint32(b)
	for i, v := range [...]uint64{uint64(id), uint64(parent >> 31), uint64(parent & (1<<31 - 1)), uint64(b[4]) + 1} {
		if i > 0 {
			p.prior = append(p.prior, ':')
		}
		p.prior = strconv.AppendUint(p.prior, v, 10)
	}
}

// finish completes the fingerprint with the first request's pseudo headers.
func (p *h2Print) finish(order []byte) {
	if p.done {
		return
	}
	p.done = true
	if p.settings == 0 {
		p.text = append(p.text, '0')
	}
	p.text = append(p.text, '|')
	p.text = strconv.AppendUint(p.text, uint64(p.windowSize), 10)
	p.text = append(p.text, '|')
	if p.priorities == 0 {
		p.text = append(p.text, '0')
	}
	p.text = append(append(p.text, p.prior...), '|')
	for i, c := range order {
		if i > 0 {
			p.text = append(p.text, ',')
		}
		p.text = append(p.text, c)
	}
}

// value is the fingerprint, nil when it is not known.
func (p *h2Print) value() []byte {
	if !p.whole || !p.done {
		return nil
	}
	return p.text
}
