package envoy

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source/sensor"
)

// record is one exchange while it is put together.
type record struct {
	x         exchange.Exchange
	sides     [2]side
	room      []byte // of all texts
	unique    []byte // the request's id, as Envoy gave it
	seen      bool   // a request's headers have come
	cut       bool   // bytes of a body are missing
	forwarded []byte // X-Forwarded-For
	held      int64
}

// side is the request or the response.
type side struct {
	body    []byte
	size    int64
	headers bool
	ended   bool
	empty   bool // its head said that no body follows
	lost    bool // bytes are missing from body
	bodied  bool // bodies of this side are shown
	mode    int  // how Envoy sends bodies of this side, -1 unknown
}

// Modes of sending bodies.
const (
	modeUnknown  = -1
	modeNone     = 0
	modeStreamed = 1
	modeDuplex   = 4 // FULL_DUPLEX_STREAMED: what is not sent back is lost
	modeGRPC     = 5 // one message of gRPC at a time, unframed; likewise
)

const (
	request = iota
	response
)

// maxHeaders is how many fields of one head are kept.
const maxHeaders = 512

// begin makes r the exchange of a sensor.
func (s *Source) begin(who sensor.Sensor) *record {
	r, _ := s.spare.Get().(*record)
	x := &r.x
	x.Sensor, x.Site = r.text([]byte(who.Name)), r.text([]byte(who.Site))
	x.Start = s.cfg.Clock().UnixNano()
	x.End = x.Start
	r.sides[request].mode, r.sides[response].mode = modeUnknown, modeUnknown
	return r
}

// text keeps a copy of b.
func (r *record) text(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	n := len(r.room)
	r.room = append(r.room, b...)
	return r.room[n:len(r.room):len(r.room)]
}

func (r *record) message(i int) *exchange.Message {
	if i == request {
		return &r.x.Request
	}
	return &r.x.Response
}

// headers takes the head of a side: HttpHeaders.
func (r *record) headers(i int, b []byte) {
	sd := &r.sides[i]
	m := r.message(i)
	for f := (fields{rest: b}); f.next(); {
		switch f.num {
		case 1:
			if sd.headers && i == request {
				continue // a second head is nobody's request
			}
			m.Header = m.Header[:0]
			m.Unknown = 0
			r.headerMap(i, f.data)
			sd.headers = true
		case 3:
			sd.empty = sd.empty || f.n != 0
			sd.ended = sd.ended || sd.empty
		}
	}
	r.seen = r.seen || i == request && sd.headers
}

// headerMap takes a HeaderMap.
func (r *record) headerMap(i int, b []byte) {
	m := r.message(i)
	for f := (fields{rest: b}); f.next(); {
		if f.num != 1 {
			continue
		}
		name, value := header(f.data)
		if len(name) > 0 && name[0] == ':' {
			r.pseudo(i, name, value)
			continue
		}
		if len(name) == 0 {
			continue
		}
		if len(m.Header) >= maxHeaders {
			m.Unknown++
			continue
		}
		v := r.text(value)
		m.Header = append(m.Header, exchange.Field{Name: r.text(name), Value: v})
		if i == request {
			switch string(name) {
			case "x-forwarded-proto":
				r.x.Secure = string(v) == "https"
			case "x-forwarded-for":
				r.forwarded = v
			case "x-request-id":
				if r.unique == nil {
					r.unique = v
				}
			}
		}
	}
}

// header reads a HeaderValue: newer ones have their bytes in a field of their
// own.
func header(b []byte) (name, value []byte) {
	for f := (fields{rest: b}); f.next(); {
		switch f.num {
		case 1:
			name = f.data
		case 2, 3:
			if len(f.data) > 0 {
				value = f.data
			}
		}
	}
	return name, value
}

func (r *record) pseudo(i int, name, value []byte) {
	x := &r.x
	if i == response {
		if string(name) == ":status" {
			if n, err := strconv.Atoi(string(value[:min(len(value), 4)])); err == nil && n >= 100 && n <= 999 {
				x.Status = n
			}
		}
		return
	}
	switch string(name) {
	case ":method":
		x.Method = r.text(value)
	case ":path":
		x.Target = r.text(value)
	case ":authority", "host":
		x.Host = r.text(value)
	case ":scheme":
		x.Secure = x.Secure || string(value) == "https"
	}
}

// trailers takes HttpTrailers; nothing of a body comes after them.
func (r *record) trailers(i int, b []byte) {
	m := r.message(i)
	r.sides[i].ended = true
	for f := (fields{rest: b}); f.next(); {
		if f.num != 1 {
			continue
		}
		for h := f.in(); h.next(); {
			if name, value := header(h.data); h.num == 1 && len(name) > 0 && len(m.Trailer) < maxHeaders {
				m.Trailer = append(m.Trailer, exchange.Field{Name: r.text(name), Value: r.text(value)})
			}
		}
	}
}

// chunk is an HttpBody.
type chunk struct {
	data       []byte
	end, empty bool // empty: of gRPC, the end without a message
	compressed bool
	drained    bool
	lack       uint64 // bytes that it claims beyond what is there
}

func readChunk(b []byte) (c chunk) {
	f := fields{rest: b}
	for f.next() {
		switch f.num {
		case 1:
			c.data = f.data
		case 2:
			c.end = f.n != 0
		case 3:
			c.empty = f.n != 0
		case 4:
			c.compressed = f.n != 0
		case 5:
			c.drained = f.n != 0
		}
	}
	c.lack = f.lack
	return c
}

// body adds a chunk to the copy of a body, within the bounds. Once bytes are
// missing, nothing behind them is kept: a body with a hole would show values
// that nobody sent.
func (s *Source) body(r *record, i int, c chunk, missing int64) {
	sd := &r.sides[i]
	sd.bodied = true
	if r.x.Status == 101 { // another protocol now: no body of HTTP
		return
	}
	if sd.mode == modeGRPC && !c.empty { // as gRPC frames it
		var frame [5]byte
		if c.compressed {
			frame[0] = 1
		}
		binary.BigEndian.PutUint32(frame[1:], uint32(int64(len(c.data))+missing))
		s.copyBody(r, sd, frame[:])
	}
	s.copyBody(r, sd, c.data)
	if missing > 0 {
		sd.size += missing
		sd.lost = true
	}
	sd.ended = sd.ended || c.end
}

func (s *Source) copyBody(r *record, sd *side, b []byte) {
	sd.size += int64(len(b))
	if sd.lost || len(b) == 0 {
		return
	}
	n := min(len(b), s.cfg.MaxBody-len(sd.body))
	if s.held.Add(int64(n)) > s.cfg.MaxHeld {
		s.held.Add(int64(-n))
		n = 0
	}
	r.held += int64(n)
	sd.lost = n < len(b)
	sd.body = append(sd.body, b[:n]...)
}

// complete reports whether nothing more is to come. An answer whose body is
// not shown may still have trailers.
func (r *record) complete() bool {
	q, p := &r.sides[request], &r.sides[response]
	return q.headers && (q.ended || q.mode == modeNone) && p.headers && p.ended
}

// finish makes the exchange what the sink gets.
func (r *record) finish(now time.Time) {
	x := &r.x
	x.End = max(x.Start, now.UnixNano())
	x.Caps |= exchange.CapRequestHeaders
	for i := range r.sides {
		sd, m := &r.sides[i], r.message(i)
		sd.ended = sd.ended || x.Status == 101
		m.Body, m.BodySize = sd.body, sd.size
		declared := contentLength(m)
		switch {
		case sd.bodied || sd.empty || sd.mode > modeNone:
			x.Caps |= [...]exchange.Caps{exchange.CapRequestBody, exchange.CapResponseBody}[i]
			if !sd.ended && sd.headers && sd.mode != modeNone && declared > sd.size {
				m.BodySize = declared
			}
			m.Truncated = m.BodySize - int64(len(m.Body))
			if !sd.ended && sd.headers && m.Truncated == 0 && declared < 0 {
				m.Truncated = 1 // at least; how much is not known
			}
			r.cut = r.cut || m.Truncated > 0
		case sd.headers:
			m.BodySize = declared
		}
	}
	if r.sides[response].headers {
		x.Caps |= exchange.CapResponseHeaders
	}
	x.Caps |= exchange.CapResponse
	if !x.Client.IsValid() {
		x.Client = lastForwarded(r.forwarded)
	}
}

// contentLength is what a head declares, -1 when it does not.
func contentLength(m *exchange.Message) int64 {
	n, err := strconv.ParseInt(string(m.Get("content-length")), 10, 63)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// lastForwarded is the address that Envoy added to X-Forwarded-For: its peer.
func lastForwarded(v []byte) netip.AddrPort {
	v = bytes.TrimSpace(v[bytes.LastIndexByte(v, ',')+1:])
	a, err := netip.ParseAddr(string(v[:min(len(v), 64)]))
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Unmap(), 0)
}

// hash names the exchange by what it is.
func (r *record) hash() exchange.ContentHash {
	x := &r.x
	b := r.room[len(r.room):]
	b = binary.BigEndian.AppendUint64(b, uint64(x.Start))
	b = binary.BigEndian.AppendUint64(b, uint64(x.End))
	client, server := x.Client.Addr().As16(), x.Server.Addr().As16()
	b = append(append(b, client[:]...), server[:]...)
	b = binary.BigEndian.AppendUint16(b, x.Client.Port())
	for _, t := range [...][]byte{r.unique, x.Method, x.Host, x.Target} {
		b = append(append(b, t...), 0)
	}
	return exchange.HashLine(b)
}

func (r *record) size() int64 {
	return int64(len(r.room) + len(r.sides[request].body) + len(r.sides[response].body))
}

// maxSpare bounds the room that a finished record keeps for the next.
const maxSpare = 64 << 10

// release gives a record's room back.
func (s *Source) release(r *record) {
	s.held.Add(-r.held)
	q, p := r.sides[request].body[:0], r.sides[response].body[:0]
	if cap(q)+cap(p)+cap(r.room) > maxSpare {
		return
	}
	x := r.x
	x.Reset()
	*r = record{x: x, room: r.room[:0]}
	r.sides[request].body, r.sides[response].body = q, p
	s.spare.Put(r)
}
