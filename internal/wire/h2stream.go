package wire

import "xiezhi/internal/exchange"

// h2Stream is one stream: an exchange, as a rule.
type h2Stream struct {
	id         uint32
	prev, next *h2Stream
	req, resp  *message // req is nil when its head was not seen
	reqDone    bool
	respDone   bool
	dropped    bool // counted; nothing of it is emitted
	hidden     bool // a response came that cannot be known
	tunnel     bool // what follows is no HTTP
	tunnelled  int64
	ws         *wsConn
}

// tear says that the rest of what a side sends has a hole of unknown size.
func (s *h2Stream) tear(client bool) {
	m, done := s.resp, s.respDone
	if client {
		m, done = s.req, s.reqDone
	}
	if m != nil && !done {
		m.broken, m.cut = true, true
	}
}

// pseudo are HTTP/2's own header fields.
type pseudo uint8

const (
	pMethod pseudo = iota
	pPath
	pScheme
	pAuthority
	pStatus
	pProtocol
	pCount
)

var (
	pseudoNames   = [pCount]string{":method", ":path", ":scheme", ":authority", ":status", ":protocol"}
	pseudoLetters = [pCount]byte{'m', 'p', 's', 'a', '-', 'r'}
)

// pseudoOf gives the kind of a pseudo header, pCount for one nobody defined.
// index is that of its name in HPACK's static table, 0 for none.
func pseudoOf(index int, name []byte) pseudo {
	switch {
	case index == 0:
		for i, n := range pseudoNames {
			if string(name) == n {
				return pseudo(i)
			}
		}
		return pCount
	case index == 1:
		return pAuthority
	case index <= 3:
		return pMethod
	case index <= 5:
		return pPath
	case index <= 7:
		return pScheme
	case index <= 14:
		return pStatus
	}
	return pCount
}

// h2Head is what a header block says besides ordinary fields.
type h2Head struct {
	at      [pCount]fieldRef // value and valueEnd are set
	has     [pCount]bool
	order   [pCount]byte
	n       int
	unknown int
	over    bool // beyond the limits of a head
	twice   bool // a pseudo header appears twice, is unknown, or comes late
	bad     bool // the block does not decode
}

// readBlock decodes a header block. Fields go to m, as trailer if it has a
// head already; without m they are decoded for what they do to the table.
func (d *Decoder) readBlock(t *hpackTable, m *message, b []byte) (h h2Head) {
	var buf []byte
	trailer := false
	if m != nil {
		buf = m.buf
		trailer = m.headLen > 0
	}
	start := len(buf)
	fields := 0
	for len(b) > 0 {
		at := len(buf)
		if m == nil || h.over {
			t.scratch = t.scratch[:0]
			var x hpackField
			var err error
			if b, t.scratch, x, err = t.next(b, t.scratch); err != nil {
				h.bad = true
				break
			}
			if x.unknown {
				h.unknown++
			}
			continue
		}
		var x hpackField
		var err error
		if b, buf, x, err = t.next(b, buf); err != nil {
			h.bad = true
			break
		}
		switch {
		case x.none:
			continue
		case x.unknown:
			h.unknown++
			buf = buf[:at]
			continue
		}
		if fields++; fields > maxLines || len(buf)-start > maxHead {
			h.over = true
			buf = buf[:start]
			continue
		}
		name := buf[at : at+x.nameLen]
		ref := fieldRef{int32(at), int32(at + x.nameLen), int32(at + x.nameLen), int32(len(buf))}
		if len(name) > 0 && name[0] == ':' {
			p := pseudoOf(x.index, name)
			if p == pCount || h.has[p] || trailer || len(m.fields) > 0 {
				h.twice = true
				continue
			}
			h.at[p], h.has[p] = ref, true
			h.order[h.n] = pseudoLetters[p]
			h.n++
			continue
		}
		if trailer {
			m.trailer = append(m.trailer, ref)
		} else {
			m.fields = append(m.fields, ref)
		}
	}
	if h.bad {
		d.stats.H2Errors++
		t.lose()
	}
	d.stats.H2Unknown += uint64(h.unknown)
	if m == nil {
		return h
	}
	if h.over {
		h.has, h.n = [pCount]bool{}, 0
		if trailer {
			m.trailer = m.trailer[:0]
		} else {
			m.fields = m.fields[:0]
		}
	}
	m.buf = buf
	d.kept += int64(len(buf) - start)
	m.last = d.ts
	if !trailer {
		m.headLen = len(buf)
		m.proto = 20
		m.length = -1
		m.unknown = h.unknown
		for i := range m.fields {
			if r := &m.fields[i]; r.nameEnd-r.name == 14 && exchange.EqualFold(buf[r.name:r.nameEnd], "content-length") {
				m.contentLength(buf[r.value:r.valueEnd])
			}
		}
		if m.length > 0 {
			m.kind = bodyLength
		}
	}
	return h
}

// headerBlock takes a complete header block.
func (d *Decoder) headerBlock(f *flow, dir int, b []byte) {
	c := f.h2
	h := &c.dir[dir]
	id, end := h.blockFrame.id, h.blockFrame.flags&flagEndStream != 0
	s := c.streams[id]
	if h.blockFrame.typ == framePromise {
		d.promise(f, dir, b)
		return
	}
	if s != nil && f.cli >= 0 {
		m, done := s.resp, s.respDone
		if dir == int(f.cli) {
			m, done = s.req, s.reqDone
		}
		if m != nil {
			// Trailers, or what cannot be: heads after the end.
			if done {
				d.stats.H2Errors++
				m = nil
			}
			if m != nil {
				m.startTrailer()
			}
			head := d.readBlock(&h.table, m, b)
			if m != nil {
				m.trailerUnknown += head.unknown
				if end {
					d.endStream(f, dir, id)
				}
			}
			return
		}
	}
	m := d.newMessage()
	m.start = h.blockSince
	head := d.readBlock(&h.table, m, b)
	if f.cli < 0 {
		switch {
		case head.has[pStatus]:
			f.cli = int8(1 - dir)
		case head.has[pMethod], head.has[pPath], head.has[pScheme], head.has[pAuthority]:
			f.cli = int8(dir)
		}
	}
	switch {
	case f.cli < 0:
		d.freeMessage(m)
		d.unseen(f, id)
	case dir == int(f.cli):
		d.h2Request(f, id, m, &head, s)
	default:
		d.h2Response(f, id, m, &head, s)
	}
	if end {
		d.endStream(f, dir, id)
	}
}

// h2Request begins a stream with the head of a request.
func (d *Decoder) h2Request(f *flow, id uint32, m *message, head *h2Head, s *h2Stream) {
	c := f.h2
	if s != nil || id&1 == 0 || id <= c.high {
		// A stream that ended, or trailers of one that began before the
		// capture; a client cannot begin one with such a number.
		d.freeMessage(m)
		if s == nil {
			d.unseen(f, id)
		}
		return
	}
	c.high = id
	if c.floor == 0 {
		c.floor = id
	}
	d.stats.Requests++
	d.stats.Begun++
	s = d.newStream(f, id)
	s.req = m
	m.ordinal = c.base + id
	c.print.finish(head.order[:head.n])
	d.takeRequest(f, s, head)
}

// takeRequest reads the request line out of the pseudo headers.
func (d *Decoder) takeRequest(f *flow, s *h2Stream, head *h2Head) {
	m := s.req
	ref := func(p pseudo) (int32, int32) {
		if !head.has[p] {
			return 0, 0
		}
		return head.at[p].value, head.at[p].valueEnd
	}
	m.methodAt, m.method = ref(pMethod)
	m.target, m.targetEnd = ref(pPath)
	m.host, m.hostEnd = ref(pAuthority)
	connect := head.has[pMethod] && m.is("CONNECT")
	if connect && !head.has[pProtocol] && !head.has[pPath] {
		m.target, m.targetEnd = m.host, m.hostEnd
	}
	if head.has[pScheme] {
		from, to := ref(pScheme)
		m.secure = exchange.EqualFold(m.buf[from:to], "https")
	}
	if head.has[pProtocol] {
		from, to := ref(pProtocol)
		m.websocket = connect && exchange.EqualFold(m.buf[from:to], "websocket")
	}
	if m.badLength || head.twice {
		d.stats.Ambiguous++
	}
	reason := -1
	switch {
	case head.over:
		reason = dropOversize
	case head.bad: // a server ends the connection
		reason = dropCorrupt
	case m.method > m.methodAt && m.targetEnd > m.target && tokenLen(m.buf[m.methodAt:m.method]) == int(m.method-m.methodAt):
	case head.unknown > 0 && d.joined(f, int(f.cli)):
		reason = dropTruncated
	case head.unknown > 0:
		reason = dropGap
	case head.n > 0 || len(m.fields) == 0:
		reason = dropCorrupt
	default: // trailers of a request that is not in the capture
		reason = d.lostReason(f, int(f.cli))
	}
	if reason >= 0 {
		s.dropped = true
		d.stats.dropped[reason]++
	}
}

// joined reports whether a direction was first seen in its middle.
func (d *Decoder) joined(f *flow, dir int) bool { return !f.h[dir].syn && !f.tunnel }

func (d *Decoder) lostReason(f *flow, dir int) int {
	if d.joined(f, dir) {
		return dropTruncated
	}
	return dropGap
}

// h2Response takes the head of a response.
func (d *Decoder) h2Response(f *flow, id uint32, m *message, head *h2Head, s *h2Stream) {
	if s == nil || s.respDone {
		d.freeMessage(m)
		if s == nil {
			d.unseen(f, id)
		}
		return
	}
	status := 0
	if head.has[pStatus] {
		for _, c := range m.buf[head.at[pStatus].value:head.at[pStatus].valueEnd] {
			if status = status*10 + int(c-'0'); !digit(c) || status > 999 {
				status = 0
				break
			}
		}
	}
	switch {
	case status >= 100 && status < 200:
		d.freeMessage(m) // 1xx: the final one follows
		return
	case status < 100 || head.over || head.bad:
		// A response, but which cannot be said; or the trailers of one.
		d.freeMessage(m)
		s.hidden = true
		return
	}
	d.stats.Responses++
	m.status = status
	s.resp, s.hidden = m, false
	if m.badLength {
		d.stats.Ambiguous++
	}
	if s.req != nil && !s.dropped && s.req.is("CONNECT") && status < 300 {
		d.stats.Tunnels++
		if s.req.websocket {
			s.ws = d.newWS(f, s.req, m)
			return
		}
		s.tunnel = true
	}
}

// promise takes PUSH_PROMISE: a request that the server makes up.
func (d *Decoder) promise(f *flow, dir int, b []byte) {
	c := f.h2
	h := &c.dir[dir]
	id := h.promised
	if f.cli < 0 {
		f.cli = int8(1 - dir) // only servers promise
	}
	if dir == int(f.cli) || id == 0 || id&1 == 1 || c.streams[id] != nil {
		d.stats.H2Errors++
		d.readBlock(&h.table, nil, b)
		return
	}
	m := d.newMessage()
	m.start = h.blockSince
	head := d.readBlock(&h.table, m, b)
	m.pushed = true
	m.ordinal = c.base + id
	d.stats.Begun++
	d.stats.Pushed++
	s := d.newStream(f, id)
	s.req, s.reqDone = m, true
	m.done = true
	d.takeRequest(f, s, &head)
}

// unseen counts a stream whose head is not in the capture, once.
func (d *Decoder) unseen(f *flow, id uint32) {
	c := f.h2
	if id == 0 || c.wasSeen(id) {
		return
	}
	d.stats.Begun++
	reason := dropGap
	switch {
	case f.cli < 0 || d.joined(f, int(f.cli)):
		reason = dropTruncated
	case f.h[f.cli].state == sOpaque && !f.h[f.cli].ended:
		reason = dropCorrupt // to something unreadable
	}
	d.stats.dropped[reason]++
	d.newStream(f, id).dropped = true
}

// wasSeen reports whether a stream that is not open is one that has ended.
func (c *h2Conn) wasSeen(id uint32) bool {
	if id&1 == 1 && c.floor > 0 && id >= c.floor && id <= c.high {
		return true
	}
	for _, x := range c.closed {
		if x == id {
			return true
		}
	}
	return false
}

// lostBlock notes that the header block in hand cannot be read.
func (d *Decoder) lostBlock(f *flow, dir, reason int) {
	c := f.h2
	h := &c.dir[dir]
	id, end := h.blockFrame.id, h.blockFrame.flags&flagEndStream != 0
	if h.blockFrame.typ == framePromise {
		if h.promised == 0 || c.streams[h.promised] != nil {
			return
		}
		d.stats.Begun++
		d.stats.Pushed++
		d.stats.dropped[reason]++
		s := d.newStream(f, h.promised)
		s.dropped, s.reqDone = true, true
		return
	}
	s := c.streams[id]
	switch {
	case f.cli < 0:
		if s == nil {
			d.unseen(f, id)
		}
	case dir == int(f.cli):
		if s == nil && id&1 == 1 && id > c.high {
			c.high = id
			d.stats.Requests++
			d.stats.Begun++
			d.stats.dropped[reason]++
			d.newStream(f, id).dropped = true
		}
	case s == nil:
		d.unseen(f, id)
	case s.resp == nil:
		s.hidden = true
	}
	if end {
		d.endStream(f, dir, id)
	}
}

// newStream opens a stream; at the limit the oldest is given up.
func (d *Decoder) newStream(f *flow, id uint32) *h2Stream {
	c := f.h2
	limit := maxStreams
	if f.cli >= 0 && !f.h[1-int(f.cli)].have {
		limit = maxOneSided // nothing of the answers is in the capture
	}
	for len(c.streams) >= limit {
		d.stats.H2Evicted++
		d.abandon(f, c.first)
	}
	var s *h2Stream
	if n := len(d.streamFree); n > 0 {
		s, d.streamFree = d.streamFree[n-1], d.streamFree[:n-1]
		*s = h2Stream{}
	} else {
		s = &h2Stream{}
	}
	s.id, s.prev = id, c.last
	if c.last != nil {
		c.last.next = s
	} else {
		c.first = s
	}
	c.last = s
	c.streams[id] = s
	return s
}

// streamData takes body bytes.
func (d *Decoder) streamData(f *flow, dir int, id uint32, b []byte) {
	s := f.h2.streams[id]
	if s == nil {
		d.unseen(f, id)
		return
	}
	switch m := s.side(dir == int(f.cli)); {
	case s.ws != nil:
		d.inWS(s.ws, dir, b, false)
	case s.tunnel:
		s.tunnelled += int64(len(b))
	case m == nil || s.dropped:
	default:
		d.keep(m, b)
	}
}

// streamHole takes n body bytes that are missing.
func (d *Decoder) streamHole(f *flow, dir int, id uint32, n int64) {
	s := f.h2.streams[id]
	if s == nil {
		d.unseen(f, id)
		return
	}
	switch m := s.side(dir == int(f.cli)); {
	case s.ws != nil:
		d.holeWS(s.ws, dir, n)
	case m == nil || s.tunnel || s.dropped:
	default:
		d.lose(m, n)
	}
}

// side is the message that a side is sending, if its head is known.
func (s *h2Stream) side(client bool) *message {
	switch {
	case client && !s.reqDone:
		return s.req
	case !client && !s.respDone:
		return s.resp
	}
	return nil
}

// endStream takes the END_STREAM of a side.
func (d *Decoder) endStream(f *flow, dir int, id uint32) {
	s := f.h2.streams[id]
	if s == nil {
		return
	}
	if f.cli < 0 || s.req == nil {
		// Of a stream that was not seen from its head nothing is left to
		// come once a server ends it.
		if f.cli < 0 || dir != int(f.cli) {
			d.closeStream(f, s)
		}
		return
	}
	if dir == int(f.cli) {
		s.reqDone = true
		s.req.done = true
		s.req.last = max(s.req.last, d.ts)
	} else {
		s.respDone = true
		if s.resp != nil {
			s.resp.last = max(s.resp.last, d.ts)
		}
	}
	if s.reqDone && s.respDone {
		d.closeStream(f, s)
	}
}

// abandon closes a stream before both sides have ended it.
func (d *Decoder) abandon(f *flow, s *h2Stream) {
	if s.req != nil && !s.reqDone && !s.tunnel && s.ws == nil {
		s.req.cut = true
	}
	if s.resp != nil && !s.respDone && !s.tunnel && s.ws == nil {
		s.resp.cut = true
	}
	d.closeStream(f, s)
}

// closeStream emits a stream's exchange, unless it was counted otherwise.
func (d *Decoder) closeStream(f *flow, s *h2Stream) {
	c := f.h2
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		c.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		c.last = s.prev
	}
	delete(c.streams, s.id)
	c.closed[c.closedAt%len(c.closed)] = s.id
	c.closedAt++
	switch {
	case s.ws != nil:
		d.endWS(s.ws)
	case s.req != nil && !s.dropped:
		s.req.reply = s.resp
		s.req.hidden = s.hidden && s.resp == nil
		d.emit(f, s.req)
	}
	if s.tunnelled > 0 {
		d.addBlind(f, "tunnel", s.tunnelled)
	}
	if s.resp != nil {
		d.freeMessage(s.resp)
	}
	if s.req != nil {
		d.freeMessage(s.req)
	}
	if len(d.streamFree) < maxSpareMessages {
		d.streamFree = append(d.streamFree, s)
	}
}
