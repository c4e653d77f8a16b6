package proxy

import (
	"encoding/binary"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/exchange"
)

// record is the copy of one exchange while it passes.
type record struct {
	s *Source
	x exchange.Exchange

	slow atomic.Bool // the client sends no more of its body

	mu       sync.Mutex // guards the following: bodies are read on other goroutines
	done     bool
	req      copied
	resp     copied
	room     []byte // of all texts
	head     []byte // of the request's fields
	id       exchange.ID
	status   int
	length   int64 // of the response's body as declared, -1 unknown
	finished bool  // the response's body came to its end
	request  *http.Request
	upstream *http.Response
	held     int64  // bytes of messages in x
	part     uint32 // of a connection that has left HTTP
	opened   int64  // when the part began
	talk     []byte // bytes of the part's messages
}

// copied is a body's copy.
type copied struct {
	buf  []byte
	size int64
	last time.Time
	lost bool // bytes are missing from buf
	cut  bool // the end did not come
}

// begin starts a copy.
func (s *Source) begin(r *http.Request, conn *connOf) *record {
	now := s.cfg.Clock()
	rec, _ := s.spare.Get().(*record)
	rec.s, rec.request, rec.length = s, r, -1
	x := &rec.x
	x.Start, x.End = now.UnixNano(), now.UnixNano()
	x.Client, _ = netip.ParseAddrPort(r.RemoteAddr)
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(interface{ AddrPort() netip.AddrPort }); ok {
		x.Server = a.AddrPort()
	}
	x.Client, x.Server = plain(x.Client), plain(x.Server)
	x.Caps = exchange.CapRequestHeaders | exchange.CapRequestBody | exchange.CapResponseHeaders | exchange.CapResponseBody | exchange.CapResponse | exchange.CapClientAddr
	x.Proto = uint8(r.ProtoMajor*10 + r.ProtoMinor)
	x.Method, x.Target, x.Host = rec.text(r.Method), rec.text(r.RequestURI), rec.text(r.Host)
	x.Sensor, x.Site = rec.text(s.cfg.Sensor), rec.text(s.cfg.Site)
	var ordinal uint32
	if conn != nil && conn.info != nil {
		ordinal = conn.info.ordinal.Add(1)
		rec.tls(conn.info)
		if conn.tap != nil {
			var ok bool
			if rec.head, ok = conn.tap.head(r, rec.head, x); ok {
				x.Caps |= exchange.CapHeaderOrder
			}
		}
	}
	if x.Caps&exchange.CapHeaderOrder == 0 {
		x.Request.Header = rec.fields(x.Request.Header[:0], r.Header)
		if r.Host != "" && r.ProtoMajor < 2 {
			x.Request.Header = slices.Insert(x.Request.Header, 0, exchange.Field{Name: rec.text("Host"), Value: x.Host})
		}
	}
	rec.identify(ordinal)
	return rec
}

func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// identify gives the copy its id: from time, ends and place in the connection.
func (rec *record) identify(ordinal uint32) {
	x := &rec.x
	var b [48]byte
	in := binary.BigEndian.AppendUint64(b[:0], uint64(x.Start))
	for _, a := range [2]netip.AddrPort{x.Client, x.Server} {
		ip := a.Addr().As16()
		in = binary.BigEndian.AppendUint16(append(in, ip[:]...), a.Port())
	}
	rec.id = exchange.HashLine(in).ID(int(ordinal))
	x.ID = rec.id[:]
}

func (rec *record) tls(c *clientConn) {
	if c.secure == nil {
		return
	}
	rec.x.Secure = true
	rec.x.SNI = rec.text(c.secure.ServerName)
	if rec.x.JA4 = rec.text(c.ja4); c.ja4 != "" {
		rec.x.Caps |= exchange.CapTLS
	}
	rec.x.TLSVersion = rec.text(tlsVersion(c.secure.Version))
}

// text keeps a copy of s.
func (rec *record) text(s string) []byte {
	if s == "" {
		return nil
	}
	n := len(rec.room)
	rec.room = append(rec.room, s...)
	return rec.room[n:len(rec.room):len(rec.room)]
}

// fields lists a header in the order of names: that of the wire is not known.
func (rec *record) fields(dst []exchange.Field, h http.Header) []exchange.Field {
	from := len(dst)
	for name, values := range h {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			continue
		}
		for _, v := range values {
			dst = append(dst, exchange.Field{Name: rec.text(name), Value: rec.text(v)})
		}
	}
	slices.SortStableFunc(dst[from:], func(a, b exchange.Field) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return dst
}

// response notes the head that goes to the client.
func (rec *record) response(status int, h http.Header, now time.Time) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.status = status
	rec.x.Response.Header = rec.fields(rec.x.Response.Header[:0], h)
	rec.resp.last = now
}

// copy adds bytes to a body's copy, within the bounds. Once bytes are missing,
// nothing behind them is kept: a body with a hole would show values that
// nobody sent.
func (rec *record) copy(c *copied, p []byte) {
	if len(p) == 0 {
		return
	}
	s := rec.s
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.done {
		return
	}
	c.size += int64(len(p))
	c.last = s.cfg.Clock()
	if c.lost {
		return
	}
	n := min(len(p), s.cfg.MaxBody-len(c.buf))
	if s.copied.Add(int64(n)) > s.cfg.MaxCopied {
		s.copied.Add(int64(-n))
		n = 0
	}
	c.lost = n < len(p)
	c.buf = append(c.buf, p[:n]...)
}

// cut notes that a body's end did not come.
func (rec *record) cut(c *copied) {
	rec.mu.Lock()
	c.cut = true
	rec.mu.Unlock()
}

// complete notes that the response's body came to its end.
func (rec *record) complete() {
	rec.mu.Lock()
	rec.finished = true
	rec.mu.Unlock()
}

// end finishes the copy and hands it over.
func (s *Source) end(rec *record) {
	rec.mu.Lock()
	rec.done = true
	rec.finish()
	idle := rec.part > 0 && len(rec.x.Messages) == 0
	rec.mu.Unlock()
	if idle {
		s.release(rec)
		return
	}
	s.hand(rec)
}

// hand gives a copy to the sink's queue, or leaves it out when too many wait.
func (s *Source) hand(rec *record) {
	select {
	case s.queue <- rec:
	default:
		s.overload.Add(1)
		s.release(rec)
	}
}

func (rec *record) finish() {
	x := &rec.x
	x.Part = rec.part
	x.Status = rec.status
	if x.Proto < 20 {
		x.Reason = rec.text(http.StatusText(rec.status)) // what net/http sends, whatever the upstream said
	}
	rec.req.fill(&x.Request, rec.request.ContentLength)
	if rec.status != 0 {
		known := rec.length
		if !rec.finished && rec.upstream != nil && rec.request.Method != http.MethodHead {
			rec.resp.cut = rec.resp.cut || rec.resp.size != max(known, 0)
		}
		if rec.request.Method == http.MethodHead {
			known = 0
		}
		rec.resp.fill(&x.Response, known)
		if u := rec.upstream; u != nil && len(u.Trailer) > 0 {
			x.Response.Trailer = rec.fields(x.Response.Trailer[:0], u.Trailer)
		}
	}
	if len(rec.request.Trailer) > 0 && !rec.req.cut {
		x.Request.Trailer = rec.fields(x.Request.Trailer[:0], rec.request.Trailer)
	}
	for _, c := range [2]*copied{&rec.req, &rec.resp} {
		if !c.last.IsZero() {
			x.End = max(x.End, c.last.UnixNano())
		}
	}
	rec.request, rec.upstream = nil, nil
}

// fill writes a body's copy into a message.
func (c *copied) fill(m *exchange.Message, declared int64) {
	m.Body, m.BodySize = c.buf, c.size
	if c.cut && declared > c.size {
		m.BodySize = declared
	}
	m.Truncated = m.BodySize - int64(len(m.Body))
	if c.cut && m.Truncated == 0 {
		m.Truncated = 1 // at least; how much is not known
	}
}

func (rec *record) size() int64 {
	return int64(len(rec.room) + len(rec.head) + len(rec.req.buf) + len(rec.resp.buf))
}

// maxSpare bounds the room that a finished copy keeps for the next.
const maxSpare = 64 << 10

// release gives a copy's room back.
func (s *Source) release(rec *record) {
	s.copied.Add(-int64(len(rec.req.buf)+len(rec.resp.buf)) - rec.held)
	if cap(rec.req.buf)+cap(rec.resp.buf)+cap(rec.room)+cap(rec.head) > maxSpare {
		return
	}
	next := &record{x: rec.x, req: copied{buf: rec.req.buf[:0]}, resp: copied{buf: rec.resp.buf[:0]}, room: rec.room[:0], head: rec.head[:0]}
	next.x.Reset()
	s.spare.Put(next) // a new one: the transport may still hold the old one's body
}

func tlsVersion(v uint16) string {
	switch v {
	case 0x0301:
		return "TLSv1.0"
	case 0x0302:
		return "TLSv1.1"
	case 0x0303:
		return "TLSv1.2"
	case 0x0304:
		return "TLSv1.3"
	}
	return ""
}
