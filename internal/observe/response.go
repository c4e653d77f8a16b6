package observe

import (
	"bytes"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// responseState collects what the leaves of a response say together.
type responseState struct {
	schema    uint64
	hasSchema bool
	codeRank  uint8
	code      [maxCode]byte
	codeLen   int
	codeType  ValueType
	codeField string
	codeName  string // normalised name of the field
	msgRank   uint8
	msg       []byte
	leaves    []candidate
	weak      int  // candidates that are no identifiers by name
	codes     bool // short numbers may be codes
	verdicts  verdicts
	rpc       rpcOutcome
}

// candidate is a leaf that may be kept; identifiers by name go first.
type candidate struct {
	Leaf
	strong bool
}

const (
	maxCode       = 32
	maxMessage    = 1024
	maxCandidates = 2 * MaxLeaves
)

func (r *responseState) reset() {
	leaves, msg, rpc := r.leaves[:0], r.msg[:0], r.rpc.msg[:0]
	*r = responseState{leaves: leaves, msg: msg}
	r.rpc.msg = rpc
}

func (o *Observer) observeResponse() {
	x, ob := o.x, o.o
	r := &o.response
	r.reset()
	if x.Status <= 0 && len(x.Response.Header) == 0 && len(x.Response.Body) == 0 {
		return
	}
	ob.Status = uint16(min(max(x.Status, 0), 65535))
	ob.RespBytes = bodyBytes(&x.Response)
	o.observeResponseHeaders()
	o.rpcTrailers()
	if o.call != nil && o.calls.n > 1 {
		o.out.issued.undo() // a cookie of the answer belongs to which call?
	}
	if r.codes = o.wantCodes(); r.codes {
		o.codeHeaders()
	}
	if o.call == nil || !o.observeReply() {
		o.observeResponseBody()
	}
	o.takeAnswer()
}

// takeAnswer reports what the answer says as a whole.
func (o *Observer) takeAnswer() {
	o.o.RespForm = o.takeForm(formResponse)
	o.takeCode()
	o.takeOutcome()
	if o.o.Stream == StreamTold && !o.call.Failed {
		o.response.msg = o.response.msg[:0] // what people say to one another tells no outcome
	}
	o.takeMessage()
	if o.call != nil && o.call.Failed {
		// an error gives nothing, whatever it looks like
		o.o.CodeSays, o.o.Records = -1, 0
		o.response.leaves = o.response.leaves[:0]
		return
	}
	o.takeVerdict()
	o.takeLeaves()
}

func (o *Observer) observeResponseBody() {
	m := &o.x.Response
	if len(m.Body) == 0 {
		if bodyBytes(m) > 0 && string(o.x.Method) != "HEAD" {
			o.o.RespKind = BodyUnread
		}
		o.markers(m, nil)
		return
	}
	body, cut, err := exchange.DecodeBody(o.respBody[:0], m, o.cfg.Limits.Body)
	o.respBody = scratchOf(o.respBody, body, m.Body)
	if cut > 0 {
		o.over(1)
	}
	if err != nil && len(body) == 0 {
		o.o.RespKind = BodyUnread
		return
	}
	ct := m.Get("content-type")
	raw := body
	kind, body := o.textBody(&o.read.text, ct, body)
	if kind == BodyBinary && o.unnamed(ct, body) {
		kind = BodyProtobuf
	}
	o.o.RespKind = kind
	text := body[:min(len(body), o.cfg.Limits.Text)]
	file := o.download(m, kind, ct, raw)
	switch kind {
	case BodyJSON:
		o.observeJSON(ct, body, true, cut == 0 && m.Truncated == 0)
		if o.twinsPossible() {
			o.walker.Walk(body, (*twinLeaves)(o))
			o.compareTwins()
		}
		o.takeSchema()
	case BodyMessagePack:
		if _, over := o.read.pack.Read(body, &o.walker, (*responseLeaves)(o), maxVisited); over {
			o.over(1)
		}
		o.takeRecords(true)
		if o.twinsPossible() {
			o.read.pack.Read(body, &o.walker, (*twinLeaves)(o), maxVisited)
			o.compareTwins()
		}
		o.takeSchema()
	case BodyProtobuf:
		o.observeMessages(m, ct, body, true, cut == 0 && m.Truncated == 0)
	case BodyXML:
		if svg(ct) || !o.observeXML(body, true) {
			o.scanWords(text)
		} else if o.twinsPossible() {
			o.tellTwins(body)
		}
		o.takeSchema()
	case BodyMultipart:
		o.observeMultipart(ct, body, true)
		o.takeSchema()
	case BodyScript:
		o.useScript(body, cut == 0 && m.Truncated == 0)
	case BodyHTML:
		o.usePage(text, cut == 0 && m.Truncated == 0 && len(text) == len(body))
		o.readPage(text, true)
		o.pageMessage(text)
	case BodyText:
		o.observeText(ct, body, file)
	case BodyFile, BodyBinary:
		o.o.Download.Rows = o.readFile(file, ct, body, true)
	}
	o.markers(m, body)
}

// observeText reads a text: the data of an event stream, a table or dump
// without a type of its own, or words.
func (o *Observer) observeText(ct, body []byte, file FileKind) {
	if bytes.Contains(ct, []byte("event-stream")) {
		if data := o.events(body); len(data) > 0 {
			o.over(o.walker.Lines(data, (*responseLeaves)(o)))
			o.takeRecords(true)
			o.takeSchema()
			o.o.RespKind = BodyJSON
			return
		}
	}
	if file == FileTable || file == FileSQL {
		o.o.Download.Rows = o.readFile(file, ct, body, true)
		return
	}
	text := body[:min(len(body), o.cfg.Limits.Text)]
	o.scanWords(text)
	if len(text) <= maxMessage && bytes.IndexByte(trimSpace(text), '\n') < 0 {
		o.response.msg = append(o.response.msg[:0], trimSpace(text)...)
	}
}

// scanWords scans a response that has no fields.
func (o *Observer) scanWords(text []byte) {
	o.scanText(true, text)
	if o.response.codes {
		o.codesIn("body", text)
	}
}

// takeSchema keeps the hash of the leaves' paths and types.
func (o *Observer) takeSchema() {
	if o.response.hasSchema {
		o.o.Schema = max(o.response.schema, 1)
	}
}

// svg reports a drawing, whose numbers are places.
func svg(ct []byte) bool { return bytes.Contains(ct, []byte("svg")) }

func (o *Observer) markers(m *exchange.Message, body []byte) {
	if o.cfg.Signatures == nil {
		return
	}
	o.cfg.Signatures.MatchResponse(&signature.Response{Status: o.x.Status, Path: o.path2(), ContentType: m.Get("content-type"),
		Header: o.onHeader, Body: body[:min(len(body), o.cfg.Limits.Text)]}, o.onResponse)
}

// path2 gives the decoded path as the application sees it.
func (o *Observer) path2() []byte {
	t := o.x.Target
	if i := bytes.IndexByte(t, '?'); i >= 0 {
		t = t[:i]
	}
	o.val = appendPercent(o.val[:0], t, false)
	return o.val
}

func (o *Observer) responseHeader(name string) []byte { return o.x.Response.Get(name) }

// addMarker keeps a marker with its excerpt redacted: recognised values,
// values of the request and long digit runs are removed.
func (o *Observer) addMarker(r *signature.Rule, where string, excerpt []byte) {
	list := o.out.markers.open()
	for i := range list {
		if list[i].Rule == r.ID {
			return
		}
	}
	if len(list) >= MaxMarkers {
		o.over(1)
		return
	}
	if r.Version() { // nothing but that, in the letters of versions
		if versionOnly(excerpt) {
			o.out.markers.add(Marker{Rule: r.ID, Where: o.word([]byte(where)), What: o.word(excerpt)})
		}
		return
	}
	o.tmpl = o.template(o.tmpl[:0], excerpt[:min(len(excerpt), 512)], true)
	what := o.tmpl
	for len(what) > 160 {
		what = what[:160]
		for len(what) > 0 && what[len(what)-1] >= 0x80 {
			what = what[:len(what)-1]
		}
	}
	o.out.markers.add(Marker{Rule: r.ID, Where: o.word([]byte(where)), What: o.word(what)})
}

// versionOnly reports whether b can be a version and nothing else: no number in it
// is long enough for a telephone's, or anything that names a person.
func versionOnly(b []byte) bool {
	run := 0
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			if run++; run > 5 {
				return false
			}
			continue
		case c == '.' || c == '-' || c == '+' || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z':
		default:
			return false
		}
		run = 0
	}
	return len(b) > 0 && (b[0] >= '0' && b[0] <= '9' || b[0] == 'v')
}

// responseLeaves visits the leaves of a JSON response.
type responseLeaves Observer

func (v *responseLeaves) Leaf(path uint64, k jsonleaf.Kind, value []byte) {
	o := (*Observer)(v)
	if o.walker.Leaves > maxVisited {
		o.over(1)
		return
	}
	f := o.jsonField(path)
	if f == nil {
		o.over(1)
		return
	}
	r := &o.response
	if bit := uint16(1) << k; f.types&bit == 0 {
		f.types |= bit
		r.schema += mix(path^uint64(k), shapeSeed)
		r.hasSchema = true
	}
	o.leafForm(f, k, value)
	if f.plain && !o.longWay {
		o.plainLeaf(path, f, k, value)
		return
	}
	if f.internal != 0 {
		o.internalLeaf(f, k, value)
	}
	if f.traits&traitRole != 0 {
		o.roleLeaf(f, k, value)
	}
	if f.traits&traitRight != 0 {
		o.jsonRight(f, k, value)
	}
	if r.verdicts.leaves++; len(value) <= maxVerdictValue && len(value) > 0 {
		o.verdictLeaf(path, f, k, value)
	}
	o.valueLeaf(f, k, value)
}

// valueLeaf takes the value of a leaf of an answer.
func (o *Observer) valueLeaf(f *fieldEntry, k jsonleaf.Kind, value []byte) {
	r := &o.response
	switch k {
	case jsonleaf.Null, jsonleaf.EmptyArray, jsonleaf.EmptyObject:
		return
	case jsonleaf.Bool:
		if f.code != 0 {
			o.codeCandidate(f, TypeBool, value)
		}
		return
	}
	if len(value) == 0 {
		return
	}
	t := valueType(k)
	c, m := ClassInt, sensitive.HasDigit
	switch k {
	case jsonleaf.String:
		m = sensitive.MaskOf(value)
		c = classifyMask(m, value)
	case jsonleaf.Float:
		c, m = ClassFloat, sensitive.MaskOf(value)
	case jsonleaf.Int:
		if value[0] == '-' {
			m |= sensitive.HasDash
		}
	}
	if f.code != 0 && k != jsonleaf.Float {
		o.codeCandidate(f, t, value)
	}
	if f.message != 0 && k == jsonleaf.String {
		o.messageCandidate(f, value)
	}
	if r.codes && m&sensitive.HasDigit != 0 {
		o.codeLeaf(f, k, value)
	}
	typ := o.recogniseMask(f.hint, c, m, value)
	token := uint64(0)
	if len(o.hits) > 0 {
		token = o.expose(f, true, m, value)
		switch typ {
		case taxonomy.SensPersonName, taxonomy.SensAddress, taxonomy.SensAccountName:
			o.request.echo(value) // known by its field alone: the message must not repeat it
		}
	}
	if k == jsonleaf.String && len(value) >= 8 && (f.traits&traitIssued != 0 || len(value) > 40 && value[0] == 'e' && value[1] == 'y') {
		if o.issuedLeaf(f, c, value) {
			return
		}
	}
	if typ == taxonomy.NotSensitive || secret(typ) {
		token = 0
	}
	o.leafCandidate(f, t, c, typ, token, m, value)
}

// issuedLeaf reports a token that the response gives out.
func (o *Observer) issuedLeaf(f *fieldEntry, c ValueClass, v []byte) bool {
	if f.traits&traitIssued != 0 {
		switch c {
		case ClassPhrase, ClassWord, ClassDate, ClassEmail, ClassFile:
			if len(v) < 16 || bytes.IndexByte(v[:8], ' ') >= 0 && !bytes.HasPrefix(v, []byte("Bearer ")) && !bytes.HasPrefix(v, []byte("bearer ")) {
				return false
			}
		}
		if sensitive.Masked(v) {
			return false
		}
	} else if !o.isJWT(v) {
		return false
	}
	o.credential(Credential{Kind: CredBearer, In: InJSON, Name: f.name}, v, &o.out.issued)
	return true
}

func (o *Observer) isJWT(v []byte) bool {
	return bytes.Count(v, []byte{'.'}) == 2 && parseJWT(v, &o.token)
}

// leafCandidate keeps the token of a value that other places may name.
func (o *Observer) leafCandidate(f *fieldEntry, t ValueType, c ValueClass, typ taxonomy.Sensitive, token uint64, m sensitive.Mask, v []byte) {
	r := &o.response
	if len(v) > 64 || f.name == r.codeField && r.codeField != "" || typ.Level() == 4 || f.traits&traitPassword != 0 {
		return
	}
	strong := f.traits&(traitIdentifier|traitOwner|traitAccount) != 0
	if !strong && (t != TypeString || f.traits&traitEnumeration != 0 || f.message != 0) {
		return
	}
	if len(o.hits) > 0 && typ == taxonomy.NotSensitive || len(o.hits) > 0 && o.hits[0].Masked {
		return // a part of the value is somebody's; its whole names nobody
	}
	if !joinable(c, m, len(v), strong) {
		return
	}
	if o.roomForLeaf(strong) {
		if token == 0 {
			token = o.tokenOfMask(typ, m, v)
		}
		o.addLeaf(f, t, c, token, strong)
	}
}

func (o *Observer) addLeaf(f *fieldEntry, t ValueType, c ValueClass, token uint64, strong bool) {
	r := &o.response
	r.leaves = append(r.leaves, candidate{Leaf{Path: f.name, Token: token, Record: o.walker.Record(), Type: t, Class: c}, strong})
}

// joinable reports whether other places may name a value, by what it looks
// like. strong says that the field's name is that of an identifier.
func joinable(c ValueClass, m sensitive.Mask, n int, strong bool) bool {
	switch c {
	case ClassInt, ClassHex, ClassUUID, ClassMixed, ClassEmail:
		return true
	case ClassWord:
		return strong || n >= 3 && m&(sensitive.HasLower|sensitive.HasBeyond) != 0 // not of an enumeration
	case ClassPhrase, ClassOther, ClassToken, ClassFile:
		return strong
	}
	return false
}

// roomForLeaf reports whether there is room for a candidate, and counts it.
func (o *Observer) roomForLeaf(strong bool) bool {
	r := &o.response
	if len(r.leaves) >= maxCandidates || !strong && r.weak >= MaxLeaves {
		o.over(1)
		return false
	}
	if !strong {
		r.weak++
	}
	return true
}

// takeLeaves keeps candidates within the caps: identifiers by name first, the
// others as far as there is room, all in the order of the document.
func (o *Observer) takeLeaves() {
	r := &o.response
	room := min(MaxLeaves, MaxTokens-o.tokens)
	strong := 0
	for i := range r.leaves {
		if r.leaves[i].strong {
			strong++
		}
	}
	others := max(room-strong, 0)
	for i := range r.leaves {
		c := &r.leaves[i]
		if c.strong && room > 0 {
			room--
		} else if !c.strong && others > 0 {
			others--
		} else {
			o.over(1)
			continue
		}
		o.tokens++
		o.out.leaves.add(c.Leaf)
	}
}

// title gives the text of an HTML title, or of the first heading.
func title(b []byte) []byte {
	head := b[:min(len(b), 16<<10)]
	for _, tag := range [...]string{"<title", "<h1"} {
		for i := 0; i+len(tag) < len(head); i++ {
			j := bytes.IndexByte(head[i:], '<')
			if j < 0 {
				break
			}
			i += j
			if i+len(tag) >= len(head) || !exchange.EqualFold(head[i:i+len(tag)], tag) {
				continue
			}
			open := bytes.IndexByte(head[i:], '>')
			if open < 0 {
				break
			}
			text := head[i+open+1:]
			if end := bytes.IndexByte(text, '<'); end >= 0 {
				text = text[:end]
			}
			if text = trimSpace(text); len(text) > 0 {
				return text[:min(len(text), maxMessage)]
			}
		}
	}
	return nil
}
