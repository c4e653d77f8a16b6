package wire

import (
	"bytes"
	"strings"
)

// inHead collects and reads a head.
func (d *Decoder) inHead(f *flow, dir int, b []byte) []byte {
	h := &f.h[dir]
	request := dir == int(f.cli)
	m := h.cur
	if m == nil {
		for len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
			b = b[1:] // blank lines between messages
		}
		if len(b) == 0 {
			return nil
		}
		m = d.newMessage()
		h.cur = m
	}
	src, old := b, len(m.buf)
	if old > 0 {
		take := min(len(b), maxHead+1-old)
		m.buf = append(m.buf, b[:take]...)
		d.kept += int64(take)
		src = m.buf
	}
	if !request && f.await != nil && f.await.proto == 9 {
		n := min(len(src), 5)
		if string(src[:n]) != "HTTP/"[:n] {
			d.rawResponse(f, dir, old, b)
			return nil
		}
		if n < 5 {
			d.hold(m, old, b)
			return nil
		}
	}
	n, v := m.parse(src, request)
	switch v {
	case more:
		d.hold(m, old, b)
		return nil
	case bad, tooLong:
		d.badHead(f, dir, v)
		return nil
	}
	if old > 0 {
		b = b[n-old:]
		d.kept -= int64(len(m.buf) - n)
		m.buf = m.buf[:n]
	} else {
		m.buf = append(m.buf, b[:n]...)
		d.kept += int64(n)
		b = b[n:]
	}
	m.headLen, m.last = n, d.ts
	if m.folded {
		m.unfold(m.buf)
	}
	m.read(m.buf)
	if request {
		d.requestHead(f, m)
	} else {
		d.responseHead(f, m)
	}
	d.enterBody(f, dir, m)
	return b
}

// hold keeps an incomplete head for the next bytes.
func (d *Decoder) hold(m *message, old int, b []byte) {
	m.last = d.ts
	if old == 0 {
		m.buf = append(m.buf, b...)
		d.kept += int64(len(b))
	}
}

func (d *Decoder) enterBody(f *flow, dir int, m *message) {
	h := &f.h[dir]
	switch m.kind {
	case bodyNone:
		d.complete(f, dir)
	case bodyLength:
		h.state, h.remain = sBody, m.length
	case bodyChunked:
		h.chunk()
	case bodyClose:
		h.state = sClose
	}
}

// rawResponse starts the answer to an HTTP/0.9 request: bytes without a head.
func (d *Decoder) rawResponse(f *flow, dir, old int, b []byte) {
	h := &f.h[dir]
	m := h.cur
	head := m.buf[:old]
	d.kept -= int64(len(m.buf))
	m.buf = m.buf[:0]
	m.kind, m.length, m.proto = bodyClose, -1, 9
	m.headLen = 0
	h.state = sClose
	if old > 0 {
		d.keep(m, append([]byte(nil), head...))
	}
	d.keep(m, b)
	m.raw = true
}

func (d *Decoder) requestHead(f *flow, m *message) {
	f.http = true
	d.stats.Requests++
	d.stats.Begun++
	m.frameRequest()
	if m.ambiguous() {
		d.stats.Ambiguous++
	}
	m.ordinal = f.ordinal
	f.ordinal++
	f.interim, f.noBody = false, false
	o := &f.h[1-int(f.cli)]
	if f.await != nil && f.await.next == nil {
		d.goneOn(f, 1-int(f.cli))
	}
	if f.await != nil {
		if o.state == sResync || f.lastReq.skipped {
			// The client goes on: the answer to what is pending was in
			// the part that is missing, or never came.
			for f.await != nil {
				d.unanswered(f)
			}
		} else {
			f.piped = true
		}
	}
	if m.proto == 9 && f.await == nil && o.cur != nil && o.cur.orphan && o.cur.size == 0 {
		// To such a client everything from here on is the answer, even
		// if a head had been sent unasked.
		o.cur.cut = true
		d.complete(f, 1-int(f.cli))
	}
	d.queue(f, m)
}

func (d *Decoder) responseHead(f *flow, m *message) {
	f.http = true
	req := f.await
	if req != nil && m.status >= 200 && f.h[f.cli].cur == req {
		d.goneOn(f, int(f.cli))
	}
	m.frameResponse(req)
	if m.status < 200 && m.status != 101 {
		return
	}
	d.stats.Responses++
	if m.ambiguous() {
		d.stats.Ambiguous++
	}
	if req == nil {
		m.orphan = true
		d.stats.Begun++
		return
	}
	if !req.done && req.expect && !f.interim && req.size == 0 {
		f.noBody = true
	}
}

// badHead handles what should be a head and is not.
func (d *Decoder) badHead(f *flow, dir int, v verdict) {
	h := &f.h[dir]
	m := h.cur
	h.cur = nil
	if dir == int(f.cli) {
		reason := dropCorrupt
		if v == tooLong {
			reason = dropOversize
		}
		f.http = true
		d.stats.Begun++
		d.stats.dropped[reason]++
		// It may be answered; that answer is not the next request's.
		d.kept -= int64(len(m.buf))
		m.reset()
		m.skipped, m.done = true, true
		d.queue(f, m)
	} else {
		d.freeMessage(m)
	}
	d.lost(f, dir)
}

// strongRequest reports whether b starts with what can only be a request line.
func strongRequest(b []byte) bool {
	n := tokenLen(b[:min(len(b), maxMethod+1)])
	if n == 0 || n > maxMethod || n+1 >= len(b) || b[n] != ' ' {
		return false
	}
	if eol := bytes.IndexByte(b, '\n'); eol >= 0 {
		line := bytes.TrimRight(b[:eol], "\r \t")
		if len(line) < 9 || line[len(line)-9] != ' ' {
			return false
		}
		_, ok := version(line[len(line)-8:])
		return ok
	}
	return knownMethod(b[:n]) && (b[n+1] == '/' || b[n+1] == 'h')
}

func strongResponse(b []byte) bool {
	return len(b) >= 12 && string(b[:7]) == "HTTP/1." && b[8] == ' ' && digit(b[9]) && digit(b[10]) && digit(b[11])
}

// regain looks for a head at the start of a segment.
func (d *Decoder) regain(f *flow, dir int, b []byte) bool {
	switch {
	case strings.HasPrefix(h2Preface, string(b[:min(len(b), len(h2Preface))])) && len(b) >= 16 && f.cli != int8(1-dir):
		f.cli = int8(dir)
		f.h[dir].state = sH2
		d.startH2(f).fromStart(dir, true)
		return true
	case strongResponse(b) && f.cli != int8(dir):
		f.cli = int8(1 - dir)
	case strongRequest(b) && (f.cli < 0 || f.cli == int8(dir)):
		f.cli = int8(dir)
	case helloStart(b) && !f.http && (f.cli < 0 || f.cli == int8(dir)):
		// The capture began between the opening and the first bytes.
		f.cli = int8(dir)
		for i := range f.h {
			f.h[i].state, f.h[i].syn = sStart, true
		}
		return true
	case (f.h2 != nil || !f.http) && h2Begins(b, f.h2 != nil):
		f.h[dir].state = sH2
		d.startH2(f)
		return true
	case tlsRecord(b) && !f.http:
		f.protocol, f.why = "tls", blindMidway
		f.h[0].state, f.h[1].state = sOpaque, sOpaque
		return true
	default:
		return false
	}
	f.h[dir].state = sHead
	return true
}
