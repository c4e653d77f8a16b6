package rpc

import (
	"bytes"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/jsonleaf"
)

// Messages of a stream become calls: what the client sent and the server's
// answer to it, which names the same id, or stands directly behind it and either
// fits it by name or is one of a talk that is nothing but question and answer. What has no partner stands
// alone: an order without an answer, news without a question.

// Stream is a call made of messages.
type Stream struct {
	Call
	Asked, Told int    // indexes of the messages, -1 none
	Raw         []byte // of a message that is no JSON
	Text        bool   // the raw message is text
}

// message is one message taken apart.
type message struct {
	at    int
	sent  bool
	proto Protocol
	name  []byte
	id    []byte
	doc   []byte // JSON
	raw   []byte
	reply bool // it can be an answer only
	fail  bool
	text  []byte // of the failure
	code  []byte
	taken bool
}

// Streams reads the messages of one part of a stream.
func (r *Reader) Streams(list []exchange.StreamMessage, out []Stream) []Stream {
	size := 0
	for i := range list {
		size += len(list[i].Data)
	}
	r.reset(2 * size)
	r.msgs = r.msgs[:0]
	for i := range list {
		r.message(list[i].Data, message{at: i, sent: list[i].Sent}, list[i].Text, 0)
	}
	r.turns = r.takeTurns()
	for i := range r.msgs {
		m := &r.msgs[i]
		if m.taken {
			continue
		}
		if len(out) == MaxCalls {
			r.Over++
			continue
		}
		s := Stream{Asked: -1, Told: -1, Raw: m.raw, Text: list[m.at].Text}
		s.Protocol, s.Name = m.proto, m.name
		if !m.sent {
			if q := r.question(i); q != nil && len(s.Name) == 0 {
				s.Protocol, s.Name = q.proto, q.name
			}
			s.Told, s.Reply, s.Answered, s.Failed, s.Code, s.Call.Text = m.at, m.doc, true, m.fail, m.code, m.text
			s.Received = len(list[m.at].Data)
			out = append(out, s)
			continue
		}
		s.Asked, s.Doc, s.Sent = m.at, m.doc, len(list[m.at].Data)
		if a := r.answer(i); a != nil {
			a.taken = true
			s.Told, s.Reply, s.Answered, s.Failed, s.Code, s.Call.Text = a.at, a.doc, true, a.fail, a.code, a.text
			s.Received = len(list[a.at].Data)
			if s.Raw == nil && a.doc == nil {
				s.Raw = a.raw
			}
		}
		out = append(out, s)
	}
	clear(r.msgs)
	return out
}

// maxLook is how many messages behind a question its answer is looked for.
const maxLook = 256

func (r *Reader) answer(i int) *message {
	m := &r.msgs[i]
	if len(m.id) > 0 {
		for k := i + 1; k < len(r.msgs) && k < i+maxLook; k++ {
			a := &r.msgs[k]
			switch {
			case a.sent && bytes.Equal(a.id, m.id) && a.proto == m.proto:
				return nil // asked again
			case !a.sent && !a.taken && sameID(a.id, m.id):
				return a
			}
		}
	}
	if i+1 < len(r.msgs) && m.proto == Message {
		a := &r.msgs[i+1]
		if !a.sent && !a.taken && a.proto == m.proto && (r.turns || len(m.id)+len(a.id) == 0 && fits(m.name, a)) {
			return a
		}
	}
	return nil
}

// leastTurns is how many messages show that client and server take turns.
const leastTurns = 6

// takeTurns reports whether client and server speak in turns throughout.
func (r *Reader) takeTurns() bool {
	for i := range r.msgs {
		if r.msgs[i].sent != (i%2 == 0) {
			return false
		}
	}
	return len(r.msgs) >= leastTurns
}

// question finds what a further answer, such as the next event of a
// subscription, was asked with.
func (r *Reader) question(i int) *message {
	m := &r.msgs[i]
	if !m.reply || len(m.id) == 0 {
		return nil
	}
	for k := i - 1; k >= 0 && k > i-maxLook; k-- {
		if q := &r.msgs[k]; q.sent && sameID(q.id, m.id) {
			return q
		}
	}
	return nil
}

// fits reports whether a message is called as the answer to a question is:
// login, login_result, loginOk, or error.
func fits(name []byte, a *message) bool {
	if len(name) == 0 {
		return false
	}
	if bytes.HasPrefix(a.name, name) || bytes.HasSuffix(a.name, name) {
		return true
	}
	switch string(a.name) {
	case "error", "ok", "ack", "result", "response", "reply", "success", "fail", "failure", "err":
		return true
	}
	return false
}

const maxMessageNesting = 2

// message takes one message apart and keeps it, if it says anything.
func (r *Reader) message(b []byte, m message, text bool, nested int) {
	raw := b
	b = bytes.TrimRight(trim(b), "\x00")
	if !text && (len(b) == 0 || b[0] != '{' && b[0] != '[') && len(raw) > 0 {
		m.proto, m.raw = Message, raw
		r.keep(m)
		return
	}
	if len(b) == 0 {
		return
	}
	switch c := b[0]; {
	case c-'0' < 7 && r.engineIO(b, m, nested):
	case c == '{':
		r.objectMessage(b, m)
	case c == '[' || c == 'a' && len(b) > 1 && b[1] == '[':
		r.listMessage(bytes.TrimPrefix(b, []byte("a")), m, nested)
	case (c == 'o' || c == 'h') && len(b) == 1: // SockJS: open, heartbeat
	case c-'A' < 26 && r.stomp(b, m):
	default:
		m.proto, m.raw = Message, b
		r.keep(m)
	}
}

func (r *Reader) keep(m message) {
	if len(r.msgs) == 16*MaxCalls {
		r.Over++
		return
	}
	if len(m.name) > maxName {
		m.name = m.name[:maxName]
	}
	r.msgs = append(r.msgs, m)
}

// engineIO takes a packet of Engine.IO, with one of Socket.IO inside; false
// when it is none.
func (r *Reader) engineIO(b []byte, m message, nested int) bool {
	switch string(b) {
	case "2", "3", "5", "6", "2probe", "3probe", "1", "41":
		return true
	}
	if b[0] == '0' && len(b) > 1 && b[1] == '{' {
		return true // the server opens: timings and a session id
	}
	if b[0] != '4' || len(b) < 2 {
		return false
	}
	kind, rest := b[1], b[2:]
	if kind-'0' > 6 {
		if nested >= maxMessageNesting || kind-'0' < 10 {
			return false
		}
		r.message(b[1:], m, true, nested+1)
		return true
	}
	if kind == '5' || kind == '6' { // binary attachments are counted in front
		if n := bytes.IndexByte(rest, '-'); n >= 0 && n <= 3 {
			rest = rest[n+1:]
		}
	}
	if len(rest) > 0 && rest[0] == '/' { // namespace
		n := bytes.IndexByte(rest, ',')
		if n < 0 {
			n = len(rest) - 1
		}
		rest = rest[n+1:]
	}
	n := 0
	for n < len(rest) && rest[n]-'0' < 10 {
		n++
	}
	m.proto = Message
	if n > 0 {
		m.id = rest[:n]
	}
	rest = rest[n:]
	switch kind {
	case '0':
		if m.name = []byte("connect"); len(rest) > 0 && rest[0] == '{' {
			m.doc = rest
		}
	case '1':
		return true
	case '2', '5':
		l := list{b: rest, i: 1}
		name, ok := l.next()
		if len(rest) < 2 || rest[0] != '[' || !ok || !isString(name) {
			return false
		}
		m.name = r.text(name)
		m.doc = r.restOf(rest, l)
	case '3', '6':
		if len(rest) < 2 || rest[0] != '[' || n == 0 {
			return false
		}
		m.reply = true
		m.doc = r.restOf(rest, list{b: rest, i: 1})
	case '4':
		m.name, m.fail = []byte("connect"), true
		if len(rest) > 0 && rest[0] == '{' {
			m.doc = rest
			m.text = r.text(member(rest, "message"))
		}
	}
	r.keep(m)
	return true
}

// restOf makes a document of what is left of a list.
func (r *Reader) restOf(b []byte, l list) []byte {
	from := len(r.buf)
	r.buf = append(r.buf, '{')
	rest := b[l.i:]
	r.params(nil, append(append(make([]byte, 0, len(rest)+1), '['), rest...))
	return r.close(from)
}

// listMessage takes a list: SockJS's list of texts, Phoenix's five places, or
// an event with its arguments.
func (r *Reader) listMessage(b []byte, m message, nested int) {
	l := list{b: b, i: 1}
	first, ok := l.next()
	m.proto = Message
	if !ok {
		return
	}
	if isString(first) && len(first) > 3 && nested < maxMessageNesting {
		if s := r.text(first); len(s) > 0 && (s[0] == '{' || s[0] == '[') {
			for ; ok; first, ok = l.next() {
				if isString(first) {
					r.message(r.text(first), m, true, nested+1)
				}
			}
			return
		}
	}
	if isString(first) && word(first[1:len(first)-1]) {
		after := l
		m.name = r.text(first)
		if v, more := after.next(); more && isString(v) { // [null or ref, ref, topic, event, payload] with a text in front
			if e := phoenix(b); e.event != nil {
				m.name, m.id, m.doc = r.text(e.event), e.ref, e.payload
				r.reply(&m, e.payload)
				r.keep(m)
				return
			}
		}
		m.doc = r.restOf(b, l)
		r.keep(m)
		return
	}
	if e := phoenix(b); e.event != nil {
		m.name, m.id, m.doc = r.text(e.event), e.ref, e.payload
		r.reply(&m, e.payload)
		r.keep(m)
		return
	}
	m.doc = b
	r.keep(m)
}

type phoenixMessage struct{ ref, event, payload []byte }

// phoenix reads [join_ref, ref, topic, event, payload].
func phoenix(b []byte) (p phoenixMessage) {
	l := list{b: b, i: 1}
	var v [5][]byte
	for i := range v {
		x, ok := l.next()
		if !ok {
			return p
		}
		v[i] = x
	}
	if _, more := l.next(); more || !isString(v[2]) || !isString(v[3]) || v[4][0] != '{' || !word(v[3][1:len(v[3])-1]) {
		return p
	}
	if !null(v[1]) {
		p.ref = v[1]
	}
	p.event, p.payload = v[3], v[4]
	return p
}

// discriminators name a message, the more telling first; identifiers tie an
// answer to a question.
var discriminators = [...]string{"type", "event", "op", "action", "cmd", "command", "method", "msgType", "messageType", "msg_type", "service", "route", "api", "func", "kind", "t", "e"}

var identifiers = [...]string{"id", "requestId", "request_id", "requestID", "reqId", "req_id", "msgId", "msg_id", "messageId", "message_id", "correlationId", "correlation_id", "seq", "ref", "echo", "nonce", "callId", "tid"}

func rank(key []byte, of []string) int {
	for i := range of {
		if string(key) == of[i] {
			return i
		}
	}
	return len(of)
}

// word reports whether a text names something: letters, few digits, and what
// joins words.
func word(b []byte) bool {
	if len(b) == 0 || len(b) > 64 || !nameStart(b[0]) && b[0] < 0x80 {
		return false
	}
	digits := 0
	for _, c := range b {
		switch {
		case c-'0' < 10:
			digits++
		case nameStart(c), c >= 0x80, c == '.', c == '-', c == ':', c == '/':
		default:
			return false
		}
	}
	return digits <= 4
}

// objectMessage takes an object: JSON-RPC, GraphQL, or a message that some
// member names.
func (r *Reader) objectMessage(b []byte, m message) {
	o := object{list{b: b, i: 1}}
	best, ident := len(discriminators), len(identifiers)
	var name, id, payload, jsonrpc, result, fault, method []byte
	for n := 0; n < 64; n++ {
		key, v, ok := o.next()
		if !ok {
			break
		}
		switch string(key) {
		case "payload":
			payload = v
		case "jsonrpc":
			jsonrpc = v
		case "result":
			result = v
		case "error":
			fault = v
		case "method":
			method = v
		}
		if k := rank(key, discriminators[:]); k < best && isString(v) && word(v[1:len(v)-1]) {
			best, name = k, v
		}
		if k := rank(key, identifiers[:]); k < ident && !null(v) && v[0] != '{' && v[0] != '[' && len(v) <= 64 {
			ident, id = k, v
		}
	}
	m.id = id
	if jsonrpc != nil {
		if method == nil {
			m.proto, m.reply = JSONRPC, true
			c := Call{}
			member := b
			if result != nil || fault != nil {
				r.rpcReply(&c, member)
			}
			m.doc, m.fail, m.code, m.text = c.Reply, c.Failed, c.Code, c.Text
			r.keep(m)
			return
		}
		if r.call(b, m) {
			return
		}
	}
	m.proto = Message
	if name != nil {
		m.name = r.text(name)
	}
	switch string(m.name) {
	case "subscribe", "start":
		if member(payload, "query") != nil && r.call(payload, m) {
			return
		}
	case "next", "data":
		if payload != nil && (member(payload, "data") != nil || member(payload, "errors") != nil) {
			m.proto, m.name, m.reply, m.doc = GraphQL, nil, true, payload
			if errors := member(payload, "errors"); len(errors) > 2 && null(dataOf(member(payload, "data"))) {
				m.fail = true
				l := list{b: errors, i: 1}
				if v, ok := l.next(); ok {
					m.text = r.text(member(v, "message"))
					m.code = r.bare(member(member(v, "extensions"), "code"))
				}
			}
			r.keep(m)
			return
		}
	case "ping", "pong", "ka", "connection_ack", "complete", "heartbeat", "keepalive":
		if payload == nil || string(m.name) == "connection_ack" {
			return
		}
	case "error":
		if len(payload) > 2 && payload[0] == '[' { // graphql-transport-ws
			l := list{b: payload, i: 1}
			if v, ok := l.next(); ok {
				m.proto, m.name, m.reply, m.fail = GraphQL, nil, true, true
				m.text = r.text(member(v, "message"))
				m.code = r.bare(member(member(v, "extensions"), "code"))
				r.keep(m)
				return
			}
		}
	}
	m.doc = r.without(b, best, ident)
	r.reply(&m, b)
	r.keep(m)
}

// reply notes what a server's message says about failure.
func (r *Reader) reply(m *message, b []byte) {
	if m.sent {
		return
	}
	failed := false
	for _, w := range [...]string{"error", "fail", "denied", "unauthorized", "forbidden", "reject", "invalid"} {
		failed = failed || bytes.Contains(bytes.ToLower(m.name), []byte(w))
	}
	if s := member(b, "status"); isString(s) && (string(s) == `"error"` || string(s) == `"fail"`) {
		failed = true
	}
	if !failed {
		return
	}
	m.fail = true
	inner := b
	for _, name := range [...]string{"payload", "data", "response"} {
		if v := member(b, name); len(v) > 0 && v[0] == '{' {
			inner = v
			break
		}
	}
	for _, of := range [...][]byte{b, inner} {
		for _, name := range [...]string{"message", "msg", "reason", "error", "errmsg", "detail"} {
			if v := member(of, name); isString(v) && m.text == nil {
				m.text = r.text(v)
			}
		}
		if v := member(of, "code"); v != nil && m.code == nil {
			m.code = r.bare(v)
		}
	}
}

// without makes a document of an object without its discriminator and id.
func (r *Reader) without(b []byte, discriminator, ident int) []byte {
	from := len(r.buf)
	r.buf = append(r.buf, '{')
	o := object{list{b: b, i: 1}}
	for {
		key, v, ok := o.next()
		if !ok {
			return r.close(from)
		}
		if discriminator < len(discriminators) && string(key) == discriminators[discriminator] || ident < len(identifiers) && string(key) == identifiers[ident] {
			continue
		}
		r.member(key, v)
	}
}

// call takes a message that holds a call of another protocol.
func (r *Reader) call(b []byte, m message) bool {
	n := len(r.Calls)
	if !r.object(b, 0) || len(r.Calls) == n {
		r.Calls = r.Calls[:n]
		return false
	}
	for i := n; i < len(r.Calls); i++ {
		c := &r.Calls[i]
		x := m
		x.proto, x.name, x.doc = c.Protocol, c.Name, c.Doc
		if i > n {
			x.id = nil // the answer belongs to the first of several fields
		}
		r.keep(x)
	}
	r.Calls = r.Calls[:n]
	return true
}

// stomp takes a frame of STOMP; false when it is none.
func (r *Reader) stomp(b []byte, m message) bool {
	line := bytes.IndexByte(b, '\n')
	if line < 3 || line > 12 {
		return false
	}
	command := bytes.TrimSuffix(b[:line], []byte("\r"))
	switch string(command) {
	case "CONNECT", "STOMP", "SEND", "SUBSCRIBE", "MESSAGE", "ERROR", "CONNECTED", "RECEIPT":
	case "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "ABORT", "DISCONNECT":
		return true
	default:
		return false
	}
	m.proto = STOMP
	rest := b[line+1:]
	from := len(r.buf)
	r.buf = append(r.buf, '{')
	destination := []byte(nil)
	for n := 0; n < 32; n++ {
		head := rest
		if end := bytes.IndexByte(rest, '\n'); end >= 0 {
			head, rest = rest[:end], rest[end+1:]
		} else {
			rest = nil
		}
		head = bytes.TrimSuffix(head, []byte("\r"))
		if len(head) == 0 {
			break
		}
		name, value, _ := bytes.Cut(head, []byte(":"))
		switch string(name) {
		case "destination":
			destination = value
		case "receipt", "receipt-id":
			m.id = value
		case "login", "passcode":
			if string(name) == "passcode" {
				name = []byte("password")
			}
			r.member(name, jsonleaf.AppendQuoted(nil, value))
		case "message":
			if string(command) == "ERROR" {
				m.text = value
			}
		}
	}
	switch string(command) {
	case "CONNECT", "STOMP":
		m.name = []byte("CONNECT")
	case "CONNECTED":
		m.name, m.reply = []byte("CONNECTED"), true
	case "RECEIPT":
		m.reply = true
	case "ERROR":
		m.fail, m.reply = true, true
	default:
		m.name = append(append(command[:len(command):len(command)], ' '), place(destination)...)
	}
	if body := trim(rest); len(body) > 0 && body[0] == '{' && valueEnd(body, 0) == len(body) {
		r.params(nil, body)
	} else if len(body) > 0 {
		m.raw = body
	}
	m.doc = r.close(from)
	r.keep(m)
	return true
}

// place masks what a destination says about one thing: /topic/order/{}.
func place(b []byte) []byte {
	var out []byte
	for i, part := range bytes.Split(b[:min(len(b), maxName)], []byte("/")) {
		if i > 0 {
			out = append(out, '/')
		}
		digits := 0
		for _, c := range part {
			if c-'0' < 10 {
				digits++
			}
		}
		if digits > 2 || digits > 0 && digits == len(part) || len(part) > 32 {
			part = []byte("{}")
		}
		out = append(out, part...)
	}
	return out
}
