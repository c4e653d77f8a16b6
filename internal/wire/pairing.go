package wire

import (
	"encoding/binary"

	"github.com/dchest/siphash"

	"xiezhi/internal/exchange"
)

// queue appends a request to those of its connection.
func (d *Decoder) queue(f *flow, m *message) {
	if f.lastReq != nil {
		f.lastReq.next = m
	} else {
		f.first = m
	}
	f.lastReq = m
	if f.await == nil {
		f.await, f.hidden = m, false
	}
	f.pending++
	limit := d.cfg.MaxPending
	if !f.h[1-int(f.cli)].have {
		limit = min(limit, 16) // nothing of the answers is in the capture
	}
	for f.pending > limit && f.first.done {
		if f.first == f.await {
			d.unanswered(f)
		} else {
			d.ready(f)
			break
		}
	}
}

// complete ends the message of a direction.
func (d *Decoder) complete(f *flow, dir int) {
	h := &f.h[dir]
	m := h.cur
	h.cur, h.state = nil, sHead
	if dir == int(f.cli) {
		m.done = true
		if m.proto == 9 {
			h.state = sOpaque // a simple request is the last
		}
		d.ready(f)
		return
	}
	if m.status < 200 && m.status != 101 && !m.raw {
		f.interim = true
		d.freeMessage(m)
		return
	}
	req := f.await
	if m.orphan || req == nil {
		d.stats.Orphans++
		if !m.orphan { // its request was given up meanwhile
			d.stats.Begun++
		}
		switch c := &f.h[f.cli]; {
		case c.state == sOpaque && !c.ended:
			d.stats.dropped[dropCorrupt]++ // to something unreadable
		case f.ordinal == 0 && !c.syn:
			d.stats.dropped[dropTruncated]++ // asked before the capture began
		default:
			d.stats.dropped[dropGap]++
		}
		d.freeMessage(m)
		return
	}
	req.reply = m
	f.await = req.next
	switch {
	case m.status == 101:
		d.upgrade(f, req)
	case m.status/100 == 2 && req.is("CONNECT"):
		d.openTunnel(f)
	}
	d.ready(f)
}

// upgrade leaves HTTP/1 after a 101 response.
func (d *Decoder) upgrade(f *flow, req *message) {
	m := req.reply
	d.stats.Tunnels++
	f.protocol = "upgrade"
	for i := range m.fields {
		r := &m.fields[i]
		if !exchange.EqualFold(m.buf[r.name:r.nameEnd], "upgrade") {
			continue
		}
		switch v := m.buf[r.value:r.valueEnd]; {
		case exchange.EqualFold(v, "websocket"):
			f.protocol = "websocket"
		case exchange.EqualFold(v, "h2c"):
			f.protocol = "http2"
		}
	}
	switch f.protocol {
	case "websocket":
		f.ws = d.newWS(f, req, m)
		req.ws = f.ws
		d.leave(f, sWebSocket)
		f.http = true
	case "http2":
		d.upgradeH2(f, req)
	default:
		d.leave(f, sOpaque)
	}
}

// upgradeH2 goes on in HTTP/2: the request becomes stream 1, where its
// response is sent.
func (d *Decoder) upgradeH2(f *flow, req *message) {
	if f.first != req {
		d.leave(f, sOpaque) // answers before this one are owed; no server does that
		return
	}
	d.freeMessage(req.reply)
	req.reply = nil
	f.first, f.await = req.next, req.next
	if f.first == nil {
		f.lastReq = nil
	}
	f.pending--
	d.leave(f, sH2)
	c := d.startH2(f)
	client := int(f.cli)
	c.fromStart(client, true)
	c.fromStart(1-client, false)
	s := d.newStream(f, 1)
	s.req, s.reqDone = req, true
	c.high = 1
}

// openTunnel starts afresh inside a CONNECT tunnel, where anything may follow.
func (d *Decoder) openTunnel(f *flow) {
	d.stats.Tunnels++
	f.protocol = ""
	d.leave(f, sStart)
}

func (d *Decoder) leave(f *flow, s streamState) {
	f.http, f.tunnel = false, true
	if t := f.innermost(); t != nil {
		t.carried = 0
	}
	for dir := range 2 {
		h := &f.h[dir]
		h.bytes = 0
		if dir == int(f.cli) && h.cur != nil {
			d.breakOff(f, dir, dropUnsupported)
		}
		h.state, h.syn = s, true
	}
}

// unanswered gives up hope for the response of the first waiting request.
func (d *Decoder) unanswered(f *flow) {
	m := f.await
	f.await = m.next
	m.silent = true
	d.ready(f)
}

// ready emits the exchanges at the front of the queue that are complete.
func (d *Decoder) ready(f *flow) {
	for m := f.first; m != nil && m.done && (m.reply != nil || m.silent) && m.ws == nil; m = f.first {
		f.first = m.next
		if f.first == nil {
			f.lastReq = nil
		}
		f.pending--
		if !m.skipped {
			d.emit(f, m)
		}
		if m.reply != nil {
			d.freeMessage(m.reply)
		}
		d.freeMessage(m)
	}
}

// settle empties the queue at the end of a flow.
func (d *Decoder) settle(f *flow) {
	d.endH2(f)
	if f.ws != nil {
		if f.ws.dead[0] || f.ws.dead[1] {
			f.http = false // and so counted as what cannot be read
		}
		f.ws.m.ws, f.ws.m.skipped = nil, true
		d.endWS(f.ws)
		f.ws = nil
	}
	for m := f.first; m != nil; m = m.next {
		m.done = true
		m.silent = m.reply == nil
	}
	f.await = nil
	d.ready(f)
}

// release drops whatever a flow still holds.
func (d *Decoder) release(f *flow) {
	if f.waits > 0 {
		d.resolve(f, true)
	}
	d.dropTLS(f.tls)
	f.tls = nil
	for i := range f.h {
		h := &f.h[i]
		for _, s := range h.segs {
			d.freeSegment(s)
		}
		h.segs = h.segs[:0]
	}
}

// Fixed keys: the id must be the same in every run and installation.
const idKey0, idKey1 = 0x7869657a68692d77, 0x6972652d69642d31

func (d *Decoder) emit(f *flow, m *message) {
	if d.err != nil {
		return
	}
	d.fill(f, m, 0)
	d.deliver()
}

// emitMessages emits a part of a WebSocket.
func (d *Decoder) emitMessages(w *wsConn) {
	if d.err != nil {
		return
	}
	d.fill(w.f, w.m, w.part)
	x := &d.x
	for i := range w.list {
		m := &w.list[i]
		x.Messages = append(x.Messages, exchange.StreamMessage{Time: m.time, Sent: m.sent, Text: m.text,
			Data: w.data[m.from:m.to:m.to], Size: m.size})
	}
	if w.part > 0 {
		x.Part, x.Start = w.part, w.first
	}
	if len(w.list) > 0 {
		x.End = w.last
	}
	d.deliver()
}

// fill makes d.x the exchange of a request and its reply.
func (d *Decoder) fill(f *flow, m *message, part uint32) {
	x := &d.x
	x.Reset()
	client := int(f.cli)
	var in [64]byte
	b := binary.BigEndian.AppendUint64(in[:0], uint64(m.start))
	b = f.appendTuple(b, client)
	b = binary.BigEndian.AppendUint32(b, m.ordinal)
	if part > 0 {
		b = binary.BigEndian.AppendUint32(b, part)
	}
	hi, lo := siphash.Hash128(idKey0, idKey1, b)
	const hex = "0123456789abcdef"
	for i := range 16 {
		s := uint(60 - 4*i)
		d.id[i], d.id[16+i] = hex[hi>>s&15], hex[lo>>s&15]
	}
	x.ID = d.id[:]
	d.seq++
	x.Seq = d.seq
	x.Start, x.End = m.start, max(m.start, m.last) // the clock may have been set back
	x.Client, x.Server = f.ends[client], f.ends[1-client]
	x.Caps = exchange.CapWire
	x.Proto = m.proto
	x.Method = m.buf[m.methodAt:m.method:m.method]
	x.Target = m.buf[m.target:m.targetEnd:m.targetEnd]
	m.fill(&x.Request)
	if x.Host = m.buf[m.host:m.hostEnd:m.hostEnd]; m.hostEnd == m.host {
		x.Host = authority(x)
	}
	x.Secure = m.secure
	if t := f.innermost(); t != nil {
		x.Secure = true
		x.Caps |= exchange.CapTLS
		x.SNI, x.TLSVersion = t.sni, t.text[:]
		if t.ja4 != (JA4{}) {
			x.JA4 = t.ja4[:]
		}
	}
	if f.h2 != nil && m.proto == 20 && !m.pushed {
		x.H2 = f.h2.print.value()
	}
	if m.unknown > 0 {
		x.Caps &^= exchange.CapRequestHeaders | exchange.CapHeaderOrder
	}
	if m.pushed {
		x.Caps &^= exchange.CapHeaderOrder
	}
	if m.headCut {
		x.Caps &^= exchange.CapRequestBody
	}
	if m.broken || m.cut {
		d.stats.BodiesCut++
	}
	if r := m.reply; r != nil {
		x.End = max(x.End, r.last)
		x.Status = r.status
		x.Reason = r.buf[r.reason:r.reasonEnd:r.reasonEnd]
		r.fill(&x.Response)
		if r.unknown > 0 {
			x.Caps &^= exchange.CapResponseHeaders
		}
		if r.headCut {
			x.Caps &^= exchange.CapResponseBody
		}
		if r.broken || r.cut {
			d.stats.BodiesCut++
		}
	} else {
		d.stats.Silent++
		if !f.h[1-client].have || m.hidden {
			x.Caps &^= exchange.CapResponse | exchange.CapResponseHeaders | exchange.CapResponseBody
		}
		if !f.h[1-client].have {
			d.stats.OneSided++
		}
	}
}

// deliver emits d.x.
func (d *Decoder) deliver() {
	x := &d.x
	if err := d.cfg.Emit(x); err != nil {
		d.err = err
		return
	}
	d.stats.Emitted++
}

// authority is the host a request is meant for: that of an absolute target,
// else the Host field.
func authority(x *exchange.Exchange) []byte {
	t := x.Target
	for _, scheme := range [...]string{"http://", "https://"} {
		if len(t) > len(scheme) && exchange.EqualFold(t[:len(scheme)], scheme) {
			t = t[len(scheme):]
			for i, c := range t {
				if c == '/' || c == '?' || c == '#' {
					t = t[:i]
					break
				}
			}
			return t
		}
	}
	return x.Request.Get("host")
}
