package exchange

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"unsafe"
)

// ErrNotHTTP marks an entry for something that never was an HTTP exchange: a
// data:, blob: or extension URL in a browser's recording.
var ErrNotHTTP = errors.New("not an HTTP URL")

const (
	maxID   = 256 // bytes of _id, _site and _source
	maxSize = 1 << 53
	maxKept = 8 << 20 // room kept for the next entry
)

// HARDecoder turns HAR 1.2 entries into exchanges. It owns what the exchange
// points to beside the entry itself, so an exchange is valid until the next
// Decode. The zero value is ready; one decoder serves one goroutine.
type HARDecoder struct {
	p      parser // its text holds unescaped strings, decoded and rebuilt bodies
	e      entry
	h      parser // Hash's own
	params []Field
}

// entry is what decoding gathers before the parts are put together.
type entry struct {
	x         *Exchange
	url       []byte
	urlAt     int
	duration  int64
	serverIP  []byte
	haveStart bool
	tls       bool
	proto     uint8
	respProto uint8

	bodySize, respBodySize, contentSize int64 // -1 unknown
	headersSize, respHeadersSize        int64
	noRequestSize, hasPostData, hasText bool
	unordered                           bool // request headers, not as sent
	codedRequest, codedResponse         bool // the body has its content coding
	truncatedRequest, truncatedResponse int64
}

// Decode reads one entry. Unknown members are passed over; a wrong type, a
// missing required member, bad base64 or an absurd number is an error that
// names its place. x is overwritten; it aliases raw and the decoder.
//
// Caps follow from what the entry says: headers count as complete when they
// hold Host or :authority or when headersSize is known, a body as visible
// unless its size is -1 or its text is missing.
func (d *HARDecoder) Decode(raw []byte, x *Exchange) error {
	x.Reset()
	if cap(d.p.text) > maxKept {
		d.p.text = nil
	}
	d.p = parser{b: raw, text: d.p.text[:0]}
	d.e = entry{x: x, bodySize: -1, respBodySize: -1, contentSize: -1, headersSize: -1, respHeadersSize: -1}
	p, e := &d.p, &d.e
	err := d.entry(p, e)
	if err == nil {
		err = p.end()
	}
	if err == nil {
		err = d.finish(p, e)
	}
	p.b, e.x = nil, nil
	return err
}

// once fails on a member that came before: which of two a reader takes is
// undefined, and so a way around an inspection.
func once(p *parser, seen *uint32, bit uint) error {
	if *seen&(1<<bit) != 0 {
		return p.fail("member appears twice")
	}
	*seen |= 1 << bit
	return nil
}

func (d *HARDecoder) entry(p *parser, e *entry) error {
	x, seen := e.x, uint32(0)
	return p.object(func(key []byte) (err error) {
		name, field := "", uint(0)
		switch string(key) {
		case "startedDateTime":
			name, field = "startedDateTime", 1
		case "time":
			name, field = "time", 2
		case "request":
			name, field = "request", 3
		case "response":
			name, field = "response", 4
		case "serverIPAddress":
			name, field = "serverIPAddress", 5
		case "_id":
			name, field = "_id", 6
		case "_site":
			name, field = "_site", 7
		case "_source":
			name, field = "_source", 8
		case "_client":
			name, field = "_client", 9
		case "_server":
			name, field = "_server", 10
		case "_truncated":
			name, field = "_truncated", 11
		case "_webSocketMessages":
			name, field = "_webSocketMessages", 12
		case "_part":
			name, field = "_part", 13
		default:
			return p.skipIn(key)
		}
		if err := once(p, &seen, field); err != nil {
			return within(name, err)
		}
		if null, err := p.null(); null || err != nil {
			if err == nil && (field == 1 || field == 3) {
				err = p.fail("null where a value is required")
			}
			return within(name, err)
		}
		switch field {
		case 1:
			x.Start, err = p.time()
			e.haveStart = true
		case 2:
			e.duration, err = p.milliseconds()
		case 3:
			err = d.request(p, e)
		case 4:
			err = d.response(p, e)
		case 5:
			e.serverIP, err = p.str()
		case 6:
			x.ID, err = p.name()
		case 7:
			x.Site, err = p.name()
		case 8:
			x.Sensor, err = p.name()
		case 9:
			err = d.client(p, e)
		case 10:
			x.Server, err = p.endpoint(nil)
		case 11:
			err = truncated(p, e)
		case 12:
			x.Messages, err = d.messages(p, x.Messages[:0])
		case 13:
			var n int64
			n, err = p.integer(0, math.MaxUint32, "part")
			x.Part = uint32(n)
		}
		return within(name, err)
	})
}

// skipIn passes over an ignored member; the name of an unknown member is input
// and stays out of the error.
func (p *parser) skipIn([]byte) error { return within("…", p.skip()) }

// name reads a short text.
func (p *parser) name() ([]byte, error) {
	at := p.i
	s, err := p.str()
	if err == nil && len(s) > maxID {
		err = p.failAt(at, "longer than 256 bytes")
	}
	return s, err
}

// endpoint reads {ip, port} and hands other members to more, if any.
func (p *parser) endpoint(more func(key []byte) (bool, error)) (netip.AddrPort, error) {
	var ip netip.Addr
	port := int64(0)
	err := p.object(func(key []byte) (err error) {
		switch string(key) {
		case "ip":
			if null, err := p.null(); null || err != nil {
				return within("ip", err)
			}
			at := p.i
			s, err := p.str()
			if err == nil && len(s) > 0 {
				if ip = parseAddr(s); !ip.IsValid() {
					err = p.failAt(at, "not an IP address")
				}
			}
			return within("ip", err)
		case "port":
			port, err = p.integer(0, 65535, "port")
			return within("port", err)
		}
		if more != nil {
			if done, err := more(key); done || err != nil {
				return err
			}
		}
		return p.skipIn(key)
	})
	if !ip.IsValid() {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(ip, uint16(port)), err
}

func (d *HARDecoder) client(p *parser, e *entry) (err error) {
	x := e.x
	x.Client, err = p.endpoint(func(key []byte) (bool, error) {
		switch string(key) {
		case "h2":
			if null, err := p.null(); null || err != nil {
				return true, within("h2", err)
			}
			if p.peek() != '"' { // a flag in older writers
				return false, nil
			}
			var err error
			x.H2, err = p.str()
			return true, within("h2", err)
		case "tls":
			if null, err := p.null(); null || err != nil {
				return true, within("tls", err)
			}
			e.tls = true
			return true, within("tls", p.object(func(key []byte) (err error) {
				var to *[]byte
				name := ""
				switch string(key) {
				case "ja4":
					to, name = &x.JA4, "ja4"
				case "sni":
					to, name = &x.SNI, "sni"
				case "version":
					to, name = &x.TLSVersion, "version"
				default:
					return p.skipIn(key)
				}
				if null, err := p.null(); null || err != nil {
					return within(name, err)
				}
				*to, err = p.str()
				return within(name, err)
			}))
		}
		return false, nil
	})
	return err
}

func truncated(p *parser, e *entry) error {
	return p.object(func(key []byte) (err error) {
		switch string(key) {
		case "request":
			e.truncatedRequest, err = p.integer(0, maxSize, "size")
			return within("request", err)
		case "response":
			e.truncatedResponse, err = p.integer(0, maxSize, "size")
			return within("response", err)
		}
		return p.skipIn(key)
	})
}

// finish puts the parts together once all members are known.
func (d *HARDecoder) finish(p *parser, e *entry) error {
	x := e.x
	switch {
	case !e.haveStart:
		return &HARError{Path: "startedDateTime", What: "missing"}
	case len(x.Method) == 0:
		return &HARError{Path: "request.method", What: "missing"}
	case e.url == nil:
		return &HARError{Path: "request.url", What: "missing"}
	}
	if e.duration > 0 && x.Start > maxTime-e.duration {
		return &HARError{Path: "time", What: "ends beyond the year 2262"}
	}
	x.End = x.Start + e.duration
	if x.Proto = e.proto; x.Proto == 0 {
		x.Proto = e.respProto
	}
	authority, port, err := p.splitURL(e)
	if err != nil {
		return err
	}
	x.Secure = x.Secure || e.tls
	if x.Host = x.Request.Get("host"); len(x.Host) == 0 {
		if x.Host = x.Request.Get(":authority"); len(x.Host) == 0 {
			x.Host = authority
		}
	}
	complete := e.headersSize >= 0 || x.Request.Get("host") != nil || x.Request.Get(":authority") != nil
	if !x.Server.IsValid() && len(e.serverIP) > 0 {
		if ip := parseAddr(bytes.Trim(e.serverIP, "[]")); ip.IsValid() {
			x.Server = netip.AddrPortFrom(ip, port)
		}
	}

	x.Caps = CapResponse
	if x.Client.IsValid() {
		x.Caps |= CapClientAddr
	}
	if len(x.JA4) > 0 {
		x.Caps |= CapTLS
	}
	if len(x.Request.Header) > 0 && complete && x.Request.Unknown == 0 {
		x.Caps |= CapRequestHeaders
		if !e.unordered {
			x.Caps |= CapHeaderOrder
		}
	}
	q := &x.Request
	q.Truncated = e.truncatedRequest
	if e.hasPostData || !e.noRequestSize {
		x.Caps |= CapRequestBody
	}
	q.BodySize = bodySize(len(q.Body), q.Truncated, e.bodySize, -1, x.Caps&CapRequestBody != 0)
	q.Decoded = !e.codedRequest
	s := &x.Response
	if x.Status == 0 { // no response: whatever the object holds is filler
		*s = Message{Header: s.Header[:0]}
		x.Reason = nil
		x.Caps |= CapResponseHeaders | CapResponseBody
		return nil
	}
	s.Truncated = e.truncatedResponse
	if (len(s.Header) > 0 || e.respHeadersSize >= 0) && s.Unknown == 0 {
		x.Caps |= CapResponseHeaders
	}
	if e.hasText && (len(s.Body) > 0 || e.contentSize <= 0) || e.contentSize == 0 || s.Truncated > 0 {
		x.Caps |= CapResponseBody
	}
	s.BodySize = bodySize(len(s.Body), s.Truncated, e.respBodySize, e.contentSize, x.Caps&CapResponseBody != 0)
	s.Decoded = !e.codedResponse
	return nil
}

// bodySize picks the size that makes sense: what went over the wire, else the
// content's, else what is there. Browsers write 0 and -1 for bodies that came
// from a cache or were not measured.
func bodySize(have int, missing, wire, content int64, visible bool) int64 {
	total := int64(have) + missing
	switch {
	case wire > 0:
		return wire
	case content > 0:
		return content
	case total > 0:
		return total
	case wire == 0 || content == 0 || visible:
		return 0
	}
	return -1
}

// parseAddr parses without allocating; a zone means nothing elsewhere and a
// mapped address is the IPv4 address it maps.
func parseAddr(s []byte) netip.Addr {
	if i := bytes.IndexByte(s, '%'); i >= 0 {
		s = s[:i]
	}
	if len(s) == 0 || len(s) > 64 {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(unsafe.String(&s[0], len(s)))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}
