package observe

import (
	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/observe/signature"
)

// observeStream observes the messages of a stream: each question with its
// answer, and each message that stands alone. Who asks is known from the head
// of the exchange that opened the stream.
func (o *Observer) observeStream(x *exchange.Exchange, out *Batch) {
	s := &o.calls
	part := 0
	if x.Part == 0 {
		part = max(s.n, 1)
	}
	clear(s.streams)
	s.streams = s.reader.Streams(x.Messages, s.streams[:0])
	s.n = 1
	over := uint32(s.reader.Over)
	for i := range s.streams {
		if part == MaxParts {
			over += uint32(len(s.streams) - i)
			break
		}
		o.begin(x, out)
		o.number(part)
		part++
		o.observeMessage(x, &s.streams[i])
		if i == 0 {
			o.o.Overflow += over
			over = 0
		}
		o.take()
	}
	if over > 0 && out.Len() > 0 {
		out.At(out.Len() - 1).Overflow += over
	}
	o.call = nil
	clear(s.streams)
}

func (o *Observer) observeMessage(x *exchange.Exchange, m *rpc.Stream) {
	ob, r := o.o, &o.request
	o.beginFields()
	r.shape.begin()
	o.observeHeaders()
	o.observeTarget()
	o.forget()
	ob.Method, ob.Status, ob.Query = MethodMessage, 101, false
	ob.Protocol, ob.Operation = m.Protocol, o.operation(m.Name)
	o.call = &m.Call
	r.in = InJSON
	if m.Asked >= 0 {
		q := &x.Messages[m.Asked]
		ob.Start, ob.End, ob.Stream = q.Time, q.Time, StreamAsked
		ob.ReqBytes = uint64(max(q.Size, int64(len(q.Data))))
		switch {
		case m.Doc != nil:
			ob.ReqKind = BodyJSON
			o.walker.Walk(m.Doc, (*requestLeaves)(o))
		case m.Raw != nil:
			ob.ReqKind = rawKind(m)
			o.rawMessage(m, false)
		}
		o.match(signature.PartJSON, InJSON, "method", m.Name)
	}
	o.assessPasswords()
	ob.ParamShape = r.shape.sum()
	ob.ReqForm = o.takeForm(formRequest)
	o.beginFields()
	o.response.reset()
	if m.Told < 0 {
		return
	}
	a := &x.Messages[m.Told]
	if ob.End = a.Time; m.Asked < 0 {
		ob.Start, ob.Stream = a.Time, StreamTold
	} else {
		ob.Stream = StreamTalked
	}
	ob.RespBytes = uint64(max(a.Size, int64(len(a.Data))))
	o.response.codes = o.wantCodes()
	switch {
	case m.Reply != nil:
		ob.RespKind = BodyJSON
		o.walkReply(m.Reply)
	case m.Raw != nil && m.Asked < 0:
		ob.RespKind = rawKind(m)
		o.rawMessage(m, true)
	default:
		o.takeFailure()
	}
	o.takeAnswer()
}

func rawKind(m *rpc.Stream) BodyKind {
	if m.Text {
		return BodyText
	}
	return BodyBinary
}

// rawMessage scans a message that is no JSON.
func (o *Observer) rawMessage(m *rpc.Stream, response bool) {
	if m.Text {
		text := m.Raw[:min(len(m.Raw), o.cfg.Limits.Text)]
		o.scanText(response, text)
		if !response {
			o.match(signature.PartBody, InBody, "", text)
		}
	}
}

// forget drops what the target of the opening request says beside who asks: it
// is no part of the messages.
func (o *Observer) forget() {
	o.out.params.undo()
	o.out.accounts.undo()
	o.out.signatures.undo()
	o.out.dispatch.undo()
	o.expo.reset()
	o.request.wipe()
	o.request.shape.begin()
	o.beginFields()
	o.tokens, o.o.Overflow = 0, 0
}
