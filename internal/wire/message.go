package wire

import "xiezhi/internal/exchange"

const (
	maxHead  = 64 << 10 // bytes of start line and header lines
	maxLines = 512      // header lines
)

// fieldRef points into message.buf, so that a growing buffer moves freely.
type fieldRef struct{ name, nameEnd, value, valueEnd int32 }

// message is one side of an exchange while it is being put together.
type message struct {
	buf     []byte // the head, then as much of the body as is kept
	headLen int
	head
	framing

	start, last int64 // capture time of the first and the latest byte
	size        int64 // body bytes so far, missing ones included
	broken      bool  // nothing more is kept: bytes are missing before
	cut         bool  // the end was never reached
	headCut     bool  // fields are missing, and with them where the body begins

	trailer        []fieldRef
	trailing       bool // the body lies before bodyEnd, what follows is trailer
	bodyEnd        int
	unknown        int // fields of the head that cannot be known
	trailerUnknown int

	// requests
	next    *message // the request after this one on its connection
	reply   *message
	ordinal uint32
	done    bool // complete, or as complete as it will ever be
	skipped bool // stands for a request that could not be read
	silent  bool // no response is expected any more
	hidden  bool // it was answered, but how cannot be known
	ws      *wsConn
	// of HTTP/2
	host, hostEnd int32 // :authority
	secure        bool  // :scheme https
	websocket     bool  // :protocol websocket
	pushed        bool  // made up by the server
	// responses
	orphan bool // its request was not seen
	raw    bool // HTTP/0.9: no head
}

func (m *message) body() []byte {
	if m.trailing {
		return m.buf[m.headLen:m.bodyEnd]
	}
	return m.buf[m.headLen:]
}

// startTrailer ends the body: what is added from here on is trailer.
func (m *message) startTrailer() {
	if !m.trailing {
		m.trailing, m.bodyEnd = true, len(m.buf)
	}
}

// reset readies m for reuse, keeping its room.
func (m *message) reset() {
	*m = message{buf: m.buf[:0], head: head{fields: m.fields[:0]}, trailer: m.trailer[:0]}
}

// messagePool keeps finished messages. Large buffers are let go, so that one
// burst of them is not held for ever.
type messagePool struct {
	free []*message
}

const (
	maxSpareMessages = 1024
	maxSpareBuffer   = 32 << 10
)

func (d *Decoder) newMessage() *message {
	p := &d.spare
	n := len(p.free)
	if n == 0 {
		return &message{start: d.ts, last: d.ts}
	}
	m := p.free[n-1]
	p.free = p.free[:n-1]
	m.start, m.last = d.ts, d.ts
	return m
}

func (d *Decoder) freeMessage(m *message) {
	d.kept -= int64(len(m.buf))
	if len(d.spare.free) >= maxSpareMessages || cap(m.buf) > maxSpareBuffer && len(d.spare.free) >= 16 {
		return
	}
	m.reset()
	d.spare.free = append(d.spare.free, m)
}

// keep adds body bytes, up to the limit and the common budget. Bytes behind a
// hole are counted, not kept: a body with its middle cut out would show values
// that nobody sent.
func (d *Decoder) keep(m *message, b []byte) {
	m.size += int64(len(b))
	m.last = d.ts
	if m.broken || m.trailing {
		return
	}
	room := min(int64(d.cfg.MaxBody-(len(m.buf)-m.headLen)), d.cfg.MaxKept-d.kept)
	if int64(len(b)) > room {
		m.broken = true
		b = b[:max(0, room)]
	}
	m.buf = append(m.buf, b...)
	d.kept += int64(len(b))
}

// lose counts body bytes that the capture does not have.
func (d *Decoder) lose(m *message, n int64) {
	m.size += n
	m.last = d.ts
	m.broken = true
}

// fill writes m's header and body into an exchange's message.
func (m *message) fill(x *exchange.Message) {
	x.Header = m.fillFields(x.Header, m.fields)
	x.Trailer = m.fillFields(x.Trailer, m.trailer)
	x.Unknown = m.unknown + m.trailerUnknown
	x.Body = m.body()
	x.BodySize = m.size
	if m.kind == bodyLength && m.length > m.size && m.cut {
		x.BodySize = m.length
	}
	if m.headCut {
		x.BodySize = m.sizeBehindCut()
	}
	x.Truncated = x.BodySize - int64(len(x.Body))
	if m.cut && x.Truncated == 0 {
		x.Truncated = 1 // at least; how much is not known
	}
}

func (m *message) fillFields(dst []exchange.Field, refs []fieldRef) []exchange.Field {
	if n := len(refs); cap(dst) < n {
		dst = make([]exchange.Field, n, max(n, 32))
	} else {
		dst = dst[:n]
	}
	for i := range refs {
		r, f := &refs[i], &dst[i]
		f.Name = m.buf[r.name:r.nameEnd:r.nameEnd]
		f.Value = m.buf[r.value:r.valueEnd:r.valueEnd]
	}
	return dst
}

// readTrailer takes the fields of a chunked body's trailer.
func (m *message) readTrailer() {
	h := head{fields: m.trailer[:0]}
	for start := m.bodyEnd; start < len(m.buf) && len(h.fields) < maxLines; {
		end := start
		for end < len(m.buf) && m.buf[end] != '\n' {
			end++
		}
		next := end + 1
		if end > start && m.buf[end-1] == '\r' {
			end--
		}
		if end > start {
			h.field(m.buf, start, end)
		}
		start = next
	}
	m.trailer = h.fields
}
