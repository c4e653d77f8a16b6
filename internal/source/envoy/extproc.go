package envoy

import (
	"google.golang.org/protobuf/encoding/protowire"

	"xiezhi/internal/source/sensor"
)

// Fields of a ProcessingRequest.
const (
	fieldRequestHeaders   = 2
	fieldResponseHeaders  = 3
	fieldRequestBody      = 4
	fieldResponseBody     = 5
	fieldRequestTrailers  = 6
	fieldResponseTrailers = 7
	fieldAttributes       = 9
	fieldObservability    = 10
	fieldProtocol         = 11
)

// processing is a ProcessingRequest.
type processing struct {
	kind    protowire.Number // which of them it is, 0 none
	data    []byte
	observe bool
	config  []byte
	bad     bool
}

func readProcessing(b []byte, attribute func([]byte)) (p processing) {
	f := fields{rest: b}
	for f.next() {
		switch f.num {
		case fieldRequestHeaders, fieldResponseHeaders, fieldRequestBody, fieldResponseBody, fieldRequestTrailers, fieldResponseTrailers:
			p.kind, p.data = f.num, f.data
		case fieldAttributes:
			attribute(f.data)
		case fieldObservability:
			p.observe = f.n != 0
		case fieldProtocol:
			p.config = f.data
		}
	}
	p.bad = f.bad
	return p
}

// sideOf is the side that a message of a kind is about.
func sideOf(kind protowire.Number) int { return int(kind) % 2 }

// processor puts one stream together.
type processor struct {
	s       *Source
	rec     *record // nil: the stream is read, and answered, without being kept
	modes   [2]int
	known   bool // modes were told
	observe bool
	answer  []byte
}

func (s *Source) newProcessor(who sensor.Sensor) *processor {
	p := &processor{s: s, modes: [2]int{modeUnknown, modeUnknown}}
	p.rec = s.begin(who)
	return p
}

// take reads one message. missing is how many bytes of it were passed over;
// the answer, nil for none, is valid until the next call. ok is false when the
// message makes no sense.
func (p *processor) take(b []byte, missing int64) (answer []byte, ok bool) {
	m := readProcessing(b, func(entry []byte) {
		if p.rec != nil {
			p.rec.attributes(entry)
		}
	})
	if m.bad {
		return nil, false
	}
	p.observe = p.observe || m.observe
	if m.config != nil && !p.known {
		p.known = true
		p.modes = [2]int{modeNone, modeNone}
		for f := (fields{rest: m.config}); f.next(); {
			if f.num == 1 || f.num == 2 {
				p.modes[f.num-1] = int(min(f.n, 100))
				if p.observe && f.n != modeStreamed && f.n != modeGRPC {
					p.modes[f.num-1] = modeNone // Envoy does not send it then
				}
			}
		}
		if p.rec != nil {
			p.rec.sides[request].mode, p.rec.sides[response].mode = p.modes[request], p.modes[response]
		}
	}
	var c chunk
	if m.kind == fieldRequestBody || m.kind == fieldResponseBody {
		c = readChunk(m.data)
		missing = min(missing, int64(min(c.lack, 1<<32)))
	}
	if r := p.rec; r != nil {
		i := sideOf(m.kind)
		switch m.kind {
		case fieldRequestHeaders, fieldResponseHeaders:
			r.headers(i, m.data)
		case fieldRequestBody, fieldResponseBody:
			p.s.body(r, i, c, missing)
		case fieldRequestTrailers, fieldResponseTrailers:
			r.trailers(i, m.data)
		}
		if r.complete() {
			p.finish()
		}
	}
	if m.observe || m.kind == 0 {
		return nil, true
	}
	return p.respond(m.kind, c, missing)
}

// respond makes the answer "go on": an empty message of the kind. Where bodies
// are passed through the processor, a chunk is sent back as it came; one that
// was not read whole cannot be.
func (p *processor) respond(kind protowire.Number, c chunk, missing int64) (answer []byte, ok bool) {
	var inner []byte
	if mode := p.modes[sideOf(kind)]; (kind == fieldRequestBody || kind == fieldResponseBody) && (mode == modeDuplex || mode == modeGRPC) {
		if missing > 0 {
			return nil, false
		}
		var b []byte
		if len(c.data) > 0 {
			b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), c.data)
		}
		for num, v := range [...]bool{2: c.end, 3: c.empty, 4: c.compressed, 5: c.drained} {
			if v {
				b = protowire.AppendVarint(protowire.AppendTag(b, protowire.Number(num), protowire.VarintType), 1)
			}
		}
		// BodyResponse.response, CommonResponse.body_mutation, BodyMutation.streamed_response
		for _, num := range [...]protowire.Number{3, 3, 1} {
			b = protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
		}
		inner = b
	}
	p.answer = protowire.AppendTag(p.answer[:0], kind-1, protowire.BytesType)
	p.answer = protowire.AppendBytes(p.answer, inner)
	return p.answer, true
}

// finish hands the exchange over as far as it has come.
func (p *processor) finish() {
	r := p.rec
	if r == nil {
		return
	}
	p.rec = nil
	if !r.seen {
		p.s.broken.Add(1)
		p.s.release(r)
		return
	}
	r.finish(p.s.cfg.Clock())
	p.s.deliver(r)
}

// leaveOut gives the exchange up because there are too many.
func (p *processor) leaveOut() {
	if p.rec != nil {
		p.s.overload.Add(1)
		p.s.release(p.rec)
		p.rec = nil
	}
}
