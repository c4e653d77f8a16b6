package wire

import "bytes"

// A capture with a snap length keeps the beginning of each packet: of a head
// the start line and some fields. Those are used; the rest is unknown. Where
// such a message ends is unknown, too, unless the other side answers or a
// segment begins with the next head (state sUntilHead).

// arriveSnapped tells that the capture cut the last n bytes off a segment.
func (d *Decoder) arriveSnapped(f *flow, dir int, n int64) {
	d.cutting = f.tls == nil
	d.arriveHole(f, dir, n)
	d.cutting = false
}

// cutHead goes on with the part of a head that there is; false when it does
// not even tell what it is of.
func (d *Decoder) cutHead(f *flow, dir int, n int64) bool {
	h := &f.h[dir]
	m := h.cur
	if m == nil || m.headLen > 0 {
		return false
	}
	if h.state == sStart {
		client := int8(-1)
		switch {
		case strongRequest(m.buf):
			client = int8(dir)
		case strongResponse(m.buf):
			client = int8(1 - dir)
		}
		if client < 0 || f.cli >= 0 && f.cli != client && f.ordinal > 0 {
			return false
		}
		f.cli, h.state = client, sHead
	}
	request := dir == int(f.cli)
	end := len(m.buf)
	switch {
	case m.lines > 0:
		end = m.line // a field that is cut is none
	case request:
		if !strongRequest(m.buf) || !m.cutTarget(m.buf) {
			d.noTarget(f, dir)
			return true
		}
	case !strongResponse(m.buf) || !m.statusLine(m.buf, 0):
		return false
	}
	d.kept -= int64(len(m.buf) - end)
	m.buf = m.buf[:end]
	m.headLen, m.headCut, m.broken, m.unknown, m.last = end, true, true, 1, d.ts
	if m.folded {
		m.unfold(m.buf)
	}
	m.read(m.buf)
	d.stats.HeadsCut++
	if request {
		d.requestHead(f, m)
	} else {
		d.responseHead(f, m)
		if m.status < 200 || m.status/100 == 2 && f.await != nil && f.await.is("CONNECT") {
			d.complete(f, dir)
			if h.state == sHead {
				h.state = sResync
			}
			return true
		}
	}
	h.state = sUntilHead
	d.lose(m, n)
	return true
}

// noTarget counts a request whose path is cut: what is left of it could be
// taken for another API.
func (d *Decoder) noTarget(f *flow, dir int) {
	h := &f.h[dir]
	m := h.cur
	h.cur = nil
	f.http = true
	d.stats.HeadsCut++
	d.stats.Begun++
	d.stats.dropped[dropTruncated]++
	d.kept -= int64(len(m.buf))
	m.reset()
	m.skipped, m.done = true, true
	d.queue(f, m)
	h.state = sResync
}

// cutTarget reads a request line that is cut. The path has to be whole; of the
// query the parameters that are.
func (h *head) cutTarget(line []byte) bool {
	sp := tokenLen(line)
	rest := line[sp+1:]
	h.method, h.target = int32(sp), int32(sp+1)
	if e := bytes.IndexByte(rest, ' '); e >= 0 {
		h.targetEnd = h.target + int32(e)
		return true
	}
	q := bytes.IndexByte(rest, '?')
	if q < 0 {
		return false
	}
	if a := bytes.LastIndexByte(rest, '&'); a > q {
		q = a
	}
	h.targetEnd = h.target + int32(q)
	return true
}

// untilHead takes bytes of a message whose end is unknown.
func (d *Decoder) untilHead(f *flow, dir int, b []byte, fresh bool) []byte {
	if fresh && (dir == int(f.cli) && strongRequest(b) || dir != int(f.cli) && strongResponse(b)) {
		d.complete(f, dir)
		return b
	}
	d.lose(f.h[dir].cur, int64(len(b)))
	return nil
}

// goneOn ends a message of a direction whose end was unknown, since the other
// side has answered it or taken it for answered.
func (d *Decoder) goneOn(f *flow, dir int) {
	if h := &f.h[dir]; h.state == sUntilHead && h.cur != nil {
		d.complete(f, dir)
		if h.state == sHead {
			h.state = sResync
		}
	}
}

// sizeBehindCut is the size of a body behind a head that is cut: its length
// where that is told, else at most what came, the rest of the head included.
func (m *message) sizeBehindCut() int64 {
	switch {
	case m.length >= 0:
		return m.length
	case m.status > 0 && m.kind == bodyNone, m.status == 0 && !m.chunked && !m.is("POST") && !m.is("PUT") && !m.is("PATCH"):
		return 0
	}
	return m.size
}
