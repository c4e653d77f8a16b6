package observe

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/markup"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/sensitive"
)

// An exchange that carries calls (GraphQL, JSON-RPC, XML-RPC) is observed once
// for each of them, as if each had been sent alone: the head is read again with
// every call, the body is what the call was called with, the answer what came
// back for it. What tells calls from other bodies are a few names at the top of
// the request; only when one of them was met the body is read as a call. Attack
// patterns in head and path are the first call's alone.

// callState is what is known of the calls of the exchange being observed.
type callState struct {
	reader  rpc.Reader
	hint    bool
	n       int
	place   Location
	kind    BodyKind
	body    []byte // of a JSON request
	pairs   [callPairs][]byte
	text    []byte // of pairs and of XML-RPC
	replies replyState
	reply   []byte
	respond BodyKind
	streams []rpc.Stream
}

// replyState says what became of the answer of the exchange.
type replyState uint8

const (
	replyUnread replyState = iota
	replyGiven             // the calls have their answers
	replyOther             // the answer is none to the calls
	replyLarge             // … and too large to be read for each of them
)

// Parameters by which GraphQL is called in a query or form.
const (
	pairQuery = iota
	pairOperation
	pairVariables
	pairExtensions
	callPairs
)

var pairNames = [callPairs]string{"query", "operationname", "variables", "extensions"}

func (s *callState) reset() {
	s.hint, s.n, s.body, s.replies = false, 0, nil, replyUnread
	s.pairs = [callPairs][]byte{}
	s.text, s.reply = s.text[:0], s.reply[:0]
	for _, b := range [...]*[]byte{&s.text, &s.reply} {
		if cap(*b) > 1<<20 {
			*b = nil
		}
	}
}

// callPair takes a parameter of a query or form that may belong to a call; it
// reports whether the parameter is the call's, not one to be observed.
func (o *Observer) callPair(f *fieldEntry, in Location, v []byte) bool {
	s := &o.calls
	for i, name := range pairNames {
		if f.normal != name {
			continue
		}
		if o.call != nil {
			return s.pairs[i] != nil
		}
		from := len(s.text)
		s.text = append(s.text, v...)
		s.pairs[i] = s.text[from:len(s.text):len(s.text)]
		s.place = in
		s.hint = s.hint || i == pairQuery && graphHead(v) || i == pairExtensions && bytes.Contains(v, []byte("persistedQuery"))
		return false
	}
	return f.normal == operationsName && o.call != nil
}

// graphHead reports whether a text may be a GraphQL document.
func graphHead(v []byte) bool {
	v = trimSpace(v)
	for _, p := range [...]string{"{", "query", "mutation", "subscription", "fragment", "#"} {
		if bytes.HasPrefix(v, []byte(p)) {
			return true
		}
	}
	return false
}

// operationsName is the part of a multipart GraphQL request that holds the
// request; the others are its files.
const operationsName = "operations"

// callLeaf takes a leaf of the request whose name is a call's or a
// dispatcher's.
func (o *Observer) callLeaf(f *fieldEntry, in Location, p *Param, v []byte) {
	if f.traits&traitCall != 0 && o.call == nil && (in == InJSON || in == InForm && o.o.ReqKind == BodyMultipart) {
		o.calls.hint = true
	}
	if f.traits&traitDispatch == 0 || o.call != nil || p.Type != TypeString || p.Sensitive != 0 || len(o.hits) > 0 || in == InPath || !dispatchWord(v) {
		return
	}
	list := o.out.dispatch.open()
	if len(list) == MaxDispatch {
		return
	}
	for i := range list {
		if list[i].Name == f.name {
			return
		}
	}
	o.out.dispatch.add(Dispatch{Name: f.name, Value: o.word(v), Rank: o.cfg.Names.dispatch[f.normal]})
}

// dispatchWord reports whether a value names a function: user.login,
// taobao.item.get, user/list, QRY0012; not a number, a text or an id.
func dispatchWord(v []byte) bool {
	if len(v) < 2 || len(v) > 64 || (v[0]|0x20)-'a' > 25 {
		return false
	}
	digits := 0
	for _, c := range v {
		switch {
		case c-'0' < 10:
			digits++
		case (c|0x20)-'a' < 26, c == '.', c == '_', c == '-', c == '/', c == ':':
		default:
			return false
		}
	}
	return digits <= 4
}

// callXML takes a request that is a call of XML-RPC.
func (o *Observer) callXML(x *markup.XML) bool {
	s := &o.calls
	if o.call != nil || o.o.ReqKind != BodyXML || x.Operation != nil {
		return false
	}
	b, ok := x.AppendRPC(s.text[:0])
	if ok {
		s.text, s.hint = b, true
	}
	return ok
}

// callDocument takes a request that is a GraphQL document.
func (o *Observer) callDocument(ct, body []byte) bool {
	const name = "application/graphql"
	if len(ct) < len(name) || !exchange.EqualFold(ct[:len(name)], name) || jsonHead(body[:min(len(body), 64)]) || !o.calls.reader.Document(body) {
		return false
	}
	o.o.ReqKind = BodyText
	o.calls.text, o.calls.hint = append(o.calls.text[:0], body...), true
	return true
}

// readCalls reads the request as calls; it reports false when it holds none.
func (o *Observer) readCalls() bool {
	s, r := &o.calls, &o.calls.reader
	s.kind = o.o.ReqKind
	ok := false
	switch {
	case s.kind == BodyJSON && len(s.body) > 0:
		s.place = InJSON
		ok = r.JSON(s.body)
	case s.kind == BodyXML && len(s.text) > 0:
		s.place = InBody
		if ok = r.JSON(s.text); ok {
			for i := range r.Calls {
				r.Calls[i].Protocol = rpc.XMLRPC
			}
		}
	case s.kind == BodyMultipart:
		s.place = InForm
		if b := o.namedPart(s.text[:0], operationsName); len(b) > 0 {
			s.text = b
			ok = r.JSON(s.text)
		}
	case s.kind == BodyText && len(s.text) > 0:
		s.place = InBody
		ok = r.Document(s.text)
	case s.pairs[pairQuery] != nil || s.pairs[pairExtensions] != nil:
		ok = r.Pairs(s.pairs[pairQuery], s.pairs[pairOperation], s.pairs[pairVariables], s.pairs[pairExtensions])
	}
	s.n = len(r.Calls)
	return ok && s.n > 0
}

// namedPart appends the content of a part of the multipart request.
func (o *Observer) namedPart(dst []byte, want string) []byte {
	m := &o.x.Request
	body, _, err := exchange.DecodeBody(o.reqBody[:0], m, o.cfg.Limits.Body)
	o.reqBody = scratchOf(o.reqBody, body, m.Body)
	delim := delimiter(m.Get("content-type"), body)
	if err != nil || delim == nil {
		return nil
	}
	for n := 0; n < maxFormParts; n++ {
		i := findDelimiter(body, delim)
		if i < 0 {
			return nil
		}
		body = body[i+len(delim):]
		if nl := bytes.IndexByte(body, '\n'); nl >= 0 {
			body = body[nl+1:]
		}
		p := body
		if end := findDelimiter(body, delim); end >= 0 {
			p = body[:end]
		}
		if q := readPart(p); string(attribute(q.disposition, "name")) == want {
			return append(dst, trimSpace(q.body)...)
		}
	}
	return nil
}

// observeCalls observes the exchange once for each of its calls.
func (o *Observer) observeCalls(x *exchange.Exchange, out *Batch) {
	r := &o.calls.reader
	over := uint32(r.Over)
	for k := range r.Calls {
		o.begin(x, out)
		o.number(k)
		o.call = &r.Calls[k]
		o.beginFields()
		o.observeRequest()
		o.beginFields()
		o.observeResponse()
		if k == 0 {
			o.o.Overflow += over
			o.see()
		}
		o.take()
	}
	o.call = nil
}

// number makes the observation the k-th of its exchange.
func (o *Observer) number(k int) {
	if k == 0 {
		return
	}
	o.o.Part = uint8(k)
	o.key = append(append(o.key[:0], o.o.ID...), '~')
	o.o.ID = o.once(strconv.AppendInt(o.key, int64(k), 10))
}

// observeCall reads what a call was called with, in place of the body.
func (o *Observer) observeCall() {
	ob, c, s, r := o.o, o.call, &o.calls, &o.request
	ob.Protocol, ob.Operation, ob.ReqKind = c.Protocol, o.operation(c.Name), s.kind
	if root := o.operation(c.Root); root != ob.Operation {
		ob.Root = root
	}
	if s.n > 1 {
		ob.ReqBytes = uint64(c.Sent)
	}
	ct := o.x.Request.Get("content-type")
	r.shape.contentType(ct)
	r.in = s.place
	if s.kind == BodyMultipart && ob.Part == 0 { // the files
		if body, _, err := exchange.DecodeBody(o.reqBody[:0], &o.x.Request, o.cfg.Limits.Body); err == nil {
			o.reqBody = scratchOf(o.reqBody, body, o.x.Request.Body)
			o.observeMultipart(ct, body, false)
			r.in = s.place
		}
	}
	if s.kind == BodyForm {
		if body, _, err := exchange.DecodeBody(o.reqBody[:0], &o.x.Request, o.cfg.Limits.Body); err == nil {
			o.reqBody = scratchOf(o.reqBody, body, o.x.Request.Body)
			o.observePairs(trimSpace(body), InForm, '&')
		}
	}
	if len(c.Doc) > 0 {
		o.walker.Walk(c.Doc, (*requestLeaves)(o))
	}
	o.match(signature.PartJSON, r.in, "method", c.Name)
}

// largeReply is up to which size an answer that is none to the calls is read
// for each of them; a larger one is read with the first.
const largeReply = 64 << 10

// observeReply reads what came back for the call, in place of the body; false
// when the body is to be read instead.
func (o *Observer) observeReply() bool {
	s, c := &o.calls, o.call
	m := &o.x.Response
	if s.replies == replyUnread {
		s.replies = o.readReplies(m)
	}
	switch s.replies {
	case replyOther:
		return false
	case replyLarge:
		if o.o.Part == 0 {
			return false
		}
		o.over(1)
		return true
	}
	if s.n > 1 {
		o.o.RespBytes = uint64(c.Received)
	}
	if len(c.Reply) > 0 {
		o.o.RespKind = s.respond
		o.walkReply(c.Reply)
	}
	o.markers(m, c.Reply)
	return true
}

// walkReply reads a JSON document that is the answer, or a part of it.
func (o *Observer) walkReply(b []byte) {
	o.walker.Walk(b, (*responseLeaves)(o))
	o.takeRecords(true)
	if o.twinsPossible() {
		o.walker.Walk(b, (*twinLeaves)(o))
		o.compareTwins()
	}
	o.takeSchema()
	o.takeFailure()
}

// takeFailure lets the protocol's own error be the code and the message.
func (o *Observer) takeFailure() {
	c, r := o.call, &o.response
	if c == nil || !c.Failed && c.Text == nil {
		return
	}
	if !c.Failed { // a part of what was asked for: the rest was given
		return
	}
	r.codeRank, r.codeType, r.codeLen = 1, TypeString, copy(r.code[:], c.Code)
	switch c.Protocol {
	case rpc.GraphQL:
		r.codeField, r.codeName = "errors[].extensions.code", "code"
	case rpc.XMLRPC:
		r.codeField, r.codeName = "error.faultCode", "faultcode"
	default:
		r.codeField, r.codeName = "error.code", "code"
	}
	if len(c.Code) > maxCode || o.recogniseCode(c.Code) {
		r.codeLen = 0
	}
	if worded(c.Text) {
		r.msgRank = 1
		r.msg = append(r.msg[:0], c.Text[:min(len(c.Text), maxMessage)]...)
	}
}

// recogniseCode reports whether a code is somebody's value.
func (o *Observer) recogniseCode(v []byte) bool {
	o.recognise(sensitive.HintNone, v)
	return len(o.hits) > 0
}

func (o *Observer) readReplies(m *exchange.Message) replyState {
	s := &o.calls
	body, _, err := exchange.DecodeBody(o.respBody[:0], m, o.cfg.Limits.Body)
	o.respBody = scratchOf(o.respBody, body, m.Body)
	other := replyOther
	if len(body) > largeReply && s.n > 1 {
		other = replyLarge
	}
	if err != nil || len(body) == 0 {
		return other
	}
	kind, text := o.textBody(&o.read.text, m.Get("content-type"), body)
	switch kind {
	case BodyJSON:
	case BodyXML:
		if !o.read.xml.Parse(text) {
			return other
		}
		ok := false
		if s.reply, ok = o.read.xml.AppendRPC(s.reply[:0]); !ok {
			return other
		}
		text = s.reply
	default:
		return other
	}
	if !s.reader.Replies(text) {
		return other
	}
	s.respond = kind
	return replyGiven
}

// operation makes the kept name of an operation: clean, without values that a
// recogniser knows or long numbers.
func (o *Observer) operation(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	name := o.fieldName(b[:min(len(b), MaxText)])
	run, odd := 0, false
	for i := 0; i < len(name) && !odd; i++ {
		if c := name[i]; c-'0' < 10 {
			run++
			odd = run >= 5
		} else {
			run = 0
		}
	}
	if !odd {
		return name
	}
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); {
		n := i
		for n < len(name) && name[n]-'0' < 10 {
			n++
		}
		if n-i >= 5 {
			out = append(out, "{}"...)
			i = n
			continue
		}
		_, size := utf8.DecodeRuneInString(name[i:])
		out = append(out, name[i:i+size]...)
		i += size
	}
	return o.word(out)
}

// position is a rule of calls.yaml: the names of a call's parameters.
type position struct {
	call   string // without "*"
	prefix bool   // "wp.*"
	suffix bool   // "*.login"
	names  []string
}

type callsFile struct {
	Version   int `yaml:"version"`
	Positions []struct {
		Call  string   `yaml:"call"`
		Names []string `yaml:"names"`
	} `yaml:"positions"`
	Dispatch []string `yaml:"dispatch"`
	Cases    struct {
		Positions map[string]string `yaml:"positions"`
	} `yaml:"cases"`
}

// loadCalls reads calls.yaml into n.
func (n *Names) loadCalls(fsys fs.FS) (*callsFile, error) {
	const file = "calls.yaml"
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, err
	}
	var f callsFile
	if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(f.Positions) == 0 || len(f.Dispatch) == 0 || len(f.Dispatch) > 250 {
		return nil, fmt.Errorf("%s: a list is missing or too long", file)
	}
	for _, p := range f.Positions {
		r := position{call: strings.Trim(p.Call, "*"), prefix: strings.HasSuffix(p.Call, "*"), suffix: strings.HasPrefix(p.Call, "*"), names: p.Names}
		if r.call == "" || r.prefix && r.suffix || len(r.names) == 0 {
			return nil, fmt.Errorf("%s: %q says nothing", file, p.Call)
		}
		n.positions = append(n.positions, r)
	}
	n.calls = map[string]bool{"jsonrpc": true, "method": true, "documentid": true, "docid": true, "queryid": true, operationsName: true}
	for _, s := range pairNames {
		n.calls[s] = true
	}
	n.dispatch = map[string]uint8{}
	for i, s := range f.Dispatch {
		n.dispatch[normalName(s)] = uint8(i + 1)
	}
	return &f, nil
}

// positionsOf gives the names of a call's positional parameters, nil when they
// are not known.
func (n *Names) positionsOf(name []byte) []string {
	for i := range n.positions {
		r := &n.positions[i]
		switch {
		case r.prefix && bytes.HasPrefix(name, []byte(r.call)),
			r.suffix && bytes.HasSuffix(name, []byte(r.call)),
			string(name) == r.call:
			return r.names
		}
	}
	return nil
}
