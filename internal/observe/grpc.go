package observe

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/observe/protobuf"
)

// framing is how messages stand in a body.
type framing uint8

const (
	framingNone    framing = iota // the body is one message
	framingGRPC                   // flags, length, message; and so on
	framingWeb                    // the same, the last one being the trailers
	framingWebText                // that in base64
	framingConnect                // the same, the last one being JSON with the outcome
)

// Flags of a frame.
const (
	frameCompressed = 0x01
	frameConnectEnd = 0x02
	frameTrailers   = 0x80 // of gRPC-Web
)

const (
	maxFrames       = 4096     // messages read of one body
	maxFrameTrailer = 16 << 10 // bytes read of trailers in a body
)

// rpcReader reads the messages of gRPC and of other Protocol Buffers bodies.
type rpcReader struct {
	proto   protobuf.Reader
	msgs    [][]byte
	buf     []byte // decompressed messages
	text    []byte // a body without its base64
	coding  [1]exchange.Field
	end     connectError
	cut     bool
	framing framing
	json    bool // messages are JSON
	unit    int  // of a stream: the request's message that is being observed
	units   int  // how many of them there are
}

func (r *rpcReader) release() {
	clear(r.msgs)
	r.msgs = r.msgs[:0]
	r.coding = [1]exchange.Field{}
	for _, b := range [...]*[]byte{&r.buf, &r.text} {
		if cap(*b) > 1<<20 {
			*b = nil
		}
	}
	if cap(r.msgs) > 256 {
		r.msgs = nil
	}
}

// rpcType tells framing and message format of a content type of gRPC, gRPC-Web
// or Connect.
func rpcType(ct []byte) (f framing, json, ok bool) {
	var buf [48]byte
	t := lower(buf[:0], ct[:min(len(ct), len(buf))])
	if i := bytes.IndexByte(t, ';'); i >= 0 {
		t = t[:i]
	}
	rest, ok := bytes.CutPrefix(trimSpace(t), []byte("application/"))
	if !ok {
		return 0, false, false
	}
	for _, k := range [...]struct {
		name    string
		framing framing
	}{{"grpc-web-text", framingWebText}, {"grpc-web", framingWeb}, {"grpc", framingGRPC}, {"connect+", framingConnect}} {
		codec, found := bytes.CutPrefix(rest, []byte(k.name))
		if !found || k.framing != framingConnect && len(codec) > 0 && codec[0] != '+' {
			continue
		}
		return k.framing, bytes.HasSuffix(codec, []byte("json")), true
	}
	return 0, false, false
}

// unnamed reports whether a body without a type is one of gRPC: of HTTP/2, and
// made of whole frames. Headers are unknown where a capture begins midway.
func (o *Observer) unnamed(ct, b []byte) bool {
	if len(ct) > 0 || o.x.Proto != 20 {
		return false
	}
	n := 0
	for len(b) >= 5 && b[0] <= frameCompressed {
		size := uint64(binary.BigEndian.Uint32(b[1:]))
		if size > uint64(len(b)-5) {
			return false
		}
		b = b[5+size:]
		n++
	}
	return n > 0 && len(b) == 0
}

// observeUnits observes what a client streamed: each of its messages is asked
// for itself, with the answer's message of the same place. The first was
// observed already.
func (o *Observer) observeUnits(x *exchange.Exchange, out *Batch) {
	r := &o.read.rpc
	for r.unit++; r.unit < r.units; r.unit++ {
		o.begin(x, out)
		o.number(r.unit)
		o.beginFields()
		o.observeRequest()
		o.beginFields()
		o.observeResponse()
		o.take()
	}
}

// share tells which of n messages belong to the unit being observed: one for
// each, what the answer has more goes to the last. A single answer is one to
// all of them.
func (r *rpcReader) share(response bool, n int) (from, to int) {
	switch last := r.unit == r.units-1; {
	case r.units == 1 && response:
		return 0, n
	case response && n == 1:
		if last {
			return 0, 1
		}
		return 0, 0
	case response && last:
		return min(r.unit, n), n
	}
	return min(r.unit, n), min(r.unit+1, n)
}

// frames counts the messages of a body.
func (r *rpcReader) frames(b []byte) (n int) {
	for len(b) >= 5 && b[0]&^(frameCompressed|frameConnectEnd|frameTrailers) == 0 {
		if !r.ends(b[0]) {
			n++
		}
		b = b[5:][min(uint64(binary.BigEndian.Uint32(b[1:])), uint64(len(b)-5)):]
	}
	return n
}

// ends reports whether a frame is the end of a body and no message.
func (r *rpcReader) ends(flags byte) bool {
	if r.framing == framingConnect {
		return flags&frameConnectEnd != 0
	}
	return flags&frameTrailers != 0
}

// split finds the messages of a body. whole says that nothing of it was cut
// off.
func (o *Observer) split(m *exchange.Message, ct, body []byte, response, whole bool) {
	r := &o.read.rpc
	r.msgs, r.buf, r.cut = r.msgs[:0], r.buf[:0], !whole
	var ok bool
	if r.framing, r.json, ok = rpcType(ct); !ok && len(ct) == 0 {
		r.framing = framingGRPC
	}
	if r.framing == framingNone {
		r.msgs = append(r.msgs, body)
		return
	}
	if r.framing == framingWebText {
		r.text = appendBase64(r.text[:0], body)
		body = r.text
	}
	header := "grpc-encoding"
	if r.framing == framingConnect {
		header = "connect-content-encoding"
	}
	r.coding[0] = exchange.Field{Name: contentEncoding, Value: m.Get(header)}
	n := r.frames(body)
	if !response && r.unit == 0 {
		if r.units = min(max(n, 1), MaxParts); n > MaxParts {
			o.over(n - MaxParts)
		}
	}
	from, to := r.share(response, n)
	for i := 0; len(body) >= 5; {
		flags, size := body[0], uint64(binary.BigEndian.Uint32(body[1:]))
		if flags&^(frameCompressed|frameConnectEnd|frameTrailers) != 0 {
			o.over(1)
			return // no frame, hence nothing behind it is one
		}
		body = body[5:]
		cut := size > uint64(len(body))
		data := body[:min(size, uint64(len(body)))]
		body = body[len(data):]
		if cut {
			r.cut = true
		}
		if i == maxFrames {
			o.over(1)
			return
		}
		end := r.ends(flags)
		if !end {
			if i++; i <= from || i > to {
				continue
			}
		}
		if flags&frameCompressed != 0 {
			if data, ok = o.decompress(data); !ok {
				continue
			}
		}
		switch {
		case !end:
			r.msgs = append(r.msgs, data)
		case r.framing == framingConnect:
			o.connectEnd(data[:min(len(data), maxFrameTrailer)])
		default:
			o.webTrailers(data[:min(len(data), maxFrameTrailer)])
		}
	}
	if len(body) > 0 {
		r.cut = true
	}
}

var contentEncoding = []byte("content-encoding")

// decompress removes the coding of one message. All messages of a body have
// the room of one.
func (o *Observer) decompress(data []byte) ([]byte, bool) {
	r := &o.read.rpc
	room := o.cfg.Limits.Body - len(r.buf)
	if room <= 0 || len(r.coding[0].Value) == 0 {
		o.over(1)
		return nil, false
	}
	at := len(r.buf)
	out, cut, err := exchange.DecodeBody(r.buf, &exchange.Message{Header: r.coding[:], Body: data}, room)
	if len(data) > 0 && len(out) > 0 && &out[0] == &data[0] { // not coded after all
		return out, err == nil
	}
	if len(out) <= at {
		if err != nil {
			o.over(1)
		}
		return nil, err == nil
	}
	r.buf = out
	if err != nil || cut > 0 {
		o.over(1)
		r.cut = true
	}
	return out[at:], true
}

// appendBase64 decodes one or several pieces of base64, each padded by itself.
func appendBase64(dst, b []byte) []byte {
	for len(b) > 0 {
		end := bytes.IndexByte(b, '=')
		if end < 0 {
			end = len(b)
		} else {
			for end < len(b) && b[end] == '=' {
				end++
			}
		}
		piece := b[:end]
		b = b[end:]
		n := base64.StdEncoding.DecodedLen(len(piece))
		at := len(dst)
		dst = append(dst, make([]byte, n)...)
		n, err := base64.StdEncoding.Decode(dst[at:], piece)
		dst = dst[:at+n]
		if err != nil {
			return dst // what could be decoded counts
		}
	}
	return dst
}

// observeMessages reads a body of Protocol Buffers or of a gRPC family.
func (o *Observer) observeMessages(m *exchange.Message, ct, body []byte, response, whole bool) {
	r := &o.read.rpc
	o.split(m, ct, body, response, whole)
	if r.units > 1 {
		size := uint64(0)
		for _, m := range r.msgs {
			size += uint64(len(m))
		}
		if response {
			o.o.RespBytes = size
		} else {
			o.o.ReqBytes = size
		}
	}
	if !response {
		o.request.in = InBody
		if r.json {
			o.request.in = InJSON
		}
	}
	if !o.walkMessages(response, o.visitor(response)) && r.framing == framingNone && o.walker.Leaves == 0 {
		// no message: mostly an error in words
		text := body[:min(len(body), o.cfg.Limits.Text)]
		if !response {
			o.scanText(false, text)
			return
		}
		o.observeText(nil, text, FileNone)
		return
	}
	o.takeRecords(response)
	if !response {
		return
	}
	if o.twinsPossible() {
		o.walkMessages(true, (*twinLeaves)(o))
		o.compareTwins()
	}
	o.takeSchema()
}

// walkMessages reports the leaves of the messages found last; ok says that all
// of them were what they should be.
func (o *Observer) walkMessages(response bool, v jsonleaf.Visitor) (ok bool) {
	r := &o.read.rpc
	if r.json {
		o.read.lines = o.read.lines[:0]
		for _, m := range r.msgs {
			o.read.lines = append(append(o.read.lines, m...), '\n')
		}
		broken := o.walker.Lines(o.read.lines, v)
		o.over(broken)
		return broken == 0
	}
	var t *protobuf.Message
	if method, known := o.cfg.Protobuf.Method(o.rpcPath()); known {
		if t = method.Request; response {
			t = method.Response
		}
	}
	ok = true
	r.proto.Begin(&o.walker, v, maxVisited)
	for _, m := range r.msgs {
		ok = r.proto.Message(m, t) && ok
	}
	if r.proto.End() {
		o.over(1)
	}
	if !ok && !r.cut {
		o.over(1)
	}
	return ok
}

// rpcPath is the path of the request as sent.
func (o *Observer) rpcPath() []byte {
	t := o.x.Target
	if i := bytes.IndexByte(t, '?'); i >= 0 {
		t = t[:i]
	}
	return t
}
