package observe

import (
	"bytes"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/observe/password"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// requestState is what the request's leaves leave behind for one another and
// for the response. It holds plaintext, hence it is wiped after each exchange.
type requestState struct {
	text      []byte // copies of values
	echoes    [maxEchoes]span
	nechoes   int
	passwords [MaxPasswords]secretField
	npw       int
	context   [5]span // account, email, phone, birthday, subject of the login
	prefix    string  // name of the parameter that holds the JSON being walked
	in        Location
	shape     shapeHash
	sign      signed
}

type span struct{ from, to int32 }

type secretField struct {
	span
	name string
	use  PasswordUse
}

const (
	maxEchoes    = 64
	maxEcho      = 256
	maxPlaintext = 64 << 10
)

const (
	ctxAccount = iota
	ctxEmail
	ctxPhone
	ctxBirthday
)

func (r *requestState) keep(b []byte) (s span, ok bool) {
	if len(r.text)+len(b) > maxPlaintext {
		return s, false
	}
	s.from = int32(len(r.text))
	r.text = append(r.text, b...)
	s.to = int32(len(r.text))
	return s, true
}

func (r *requestState) get(s span) []byte { return r.text[s.from:s.to] }

// echo remembers a value of the request that messages may repeat.
func (r *requestState) echo(b []byte) {
	if len(b) < 2 || len(b) > maxEcho || r.nechoes == maxEchoes {
		return
	}
	if s, ok := r.keep(b); ok {
		r.echoes[r.nechoes] = s
		r.nechoes++
	}
}

func (r *requestState) wipe() {
	text := r.text
	clear(text)
	*r = requestState{text: text[:0]}
}

func (o *Observer) observeRequest() {
	x, ob := o.x, o.o
	r := &o.request
	r.shape.begin()
	o.observeHeaders()
	o.observeTarget()
	ob.ReqBytes = bodyBytes(&x.Request)
	o.observeRequestBody()
	o.assessPasswords()
	o.signedRequest()
	ob.ParamShape = r.shape.sum()
	ob.ReqForm = o.takeForm(formRequest)
}

func bodyBytes(m *exchange.Message) uint64 {
	return uint64(max(m.BodySize, int64(len(m.Body))+max(m.Truncated, 0), 0))
}

func (o *Observer) observeRequestBody() {
	if o.call != nil {
		o.observeCall()
		return
	}
	m := &o.x.Request
	if len(m.Body) == 0 {
		if bodyBytes(m) > 0 {
			o.o.ReqKind = BodyUnread
		}
		return
	}
	body, cut, err := exchange.DecodeBody(o.reqBody[:0], m, o.cfg.Limits.Body)
	o.reqBody = scratchOf(o.reqBody, body, m.Body)
	if cut > 0 {
		o.over(1)
	}
	if err != nil && len(body) == 0 {
		o.o.ReqKind = BodyUnread
		return
	}
	ct := m.Get("content-type")
	kind, body := o.textBody(&o.read.text, ct, body)
	if kind == BodyBinary && o.unnamed(ct, body) {
		kind = BodyProtobuf
	}
	o.o.ReqKind = kind
	r := &o.request
	r.shape.contentType(ct)
	if o.callDocument(ct, body) {
		return
	}
	switch kind {
	case BodyJSON:
		r.in = InJSON
		o.observeJSON(ct, body, false, cut == 0 && m.Truncated == 0)
		r.shape.style(uint64(o.walker.Style))
		o.calls.body = body
	case BodyForm:
		o.observePairs(trimSpace(body), InForm, '&')
	case BodyMultipart:
		o.observeMultipart(ct, body, false)
	case BodyMessagePack:
		r.in = InBody
		if _, over := o.read.pack.Read(body, &o.walker, (*requestLeaves)(o), maxVisited); over {
			o.over(1)
		}
	case BodyProtobuf:
		o.observeMessages(m, ct, body, false, cut == 0 && m.Truncated == 0)
	case BodyFile, BodyImage:
		name, _ := o.dispositionName(m.Get("content-disposition"))
		o.upload("", ct, name, body)
	case BodyXML, BodyText, BodyHTML, BodyBinary, BodyScript:
		text := body[:min(len(body), o.cfg.Limits.Text)]
		r.in = InBody
		if kind != BodyBinary && (kind != BodyXML || !o.observeXML(body, false)) {
			o.scanText(false, text)
		}
		o.match(signature.PartBody, InBody, "", text)
	}
}

// scratchOf keeps a grown scratch buffer, unless DecodeBody gave the message's
// own bytes, which are not ours to write.
func scratchOf(scratch, body, own []byte) []byte {
	if cap(body) > cap(scratch) && len(body) > 0 && (len(own) == 0 || &body[0] != &own[0]) {
		return body[:0]
	}
	return scratch[:0]
}

// requestLeaves visits the leaves of a JSON request.
type requestLeaves Observer

func (v *requestLeaves) Leaf(path uint64, k jsonleaf.Kind, value []byte) {
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
	o.leafForm(f, k, value)
	if f.bits&form.Places == 0 {
		o.meet(f, placeOf(o.request.in), nil)
	}
	if k == jsonleaf.EmptyObject || k == jsonleaf.EmptyArray {
		value = nil
	}
	o.requestLeaf(f, o.request.in, valueType(k), value)
}

// maxVisited is how many leaves of one body are looked at.
const maxVisited = 1 << 16

func valueType(k jsonleaf.Kind) ValueType {
	switch k {
	case jsonleaf.String:
		return TypeString
	case jsonleaf.Int:
		return TypeInt
	case jsonleaf.Float:
		return TypeFloat
	case jsonleaf.Bool:
		return TypeBool
	case jsonleaf.Null:
		return TypeNull
	}
	return TypeNone
}

// minInitialed is the length from which on the value of a field called mm is a
// password (密码): below, it is a month or a minute.
const minInitialed = 6

// requestLeaf reports one decoded value of the request outside the path.
func (o *Observer) requestLeaf(f *fieldEntry, in Location, t ValueType, v []byte) {
	r := &o.request
	if bit := uint16(1) << in; f.types&bit == 0 {
		f.types |= bit
		r.shape.leaf(f, in, t, v)
		if f.traits&traitOdd != 0 { // {"user": {"$ne": ""}} attacks by name
			o.match(partOf(in), in, f.name, []byte(f.name))
		}
	}
	if f.traits&traitRight != 0 && in != InQuery {
		o.rightLeaf(f, t, false, v)
	}
	p := Param{Name: f.name, Len: uint32(min(len(v), 1<<31)), In: in, Type: t}
	if t == TypeBool || t == TypeNull || t == TypeNone || len(v) == 0 {
		if t != TypeBool {
			p.Class = ClassEmpty
		} else {
			p.Class = ClassWord
		}
		o.param(p)
		return
	}
	if f.traits&(traitPassword|traitInitials|traitSecret) != 0 && t != TypeFloat && o.password(f, v) {
		p.Class, p.Sensitive = ClassOther, taxonomy.SensPassword
		o.param(p)
		o.addPassword(f.name, f.use, v)
		o.match(partOf(in), in, f.name, v)
		return
	}
	m := sensitive.MaskOf(v)
	p.Class = classifyMask(m, v)
	p.Sensitive = o.recogniseMask(f.hint, p.Class, m, v)
	token := uint64(0)
	if len(o.hits) > 0 {
		token = o.expose(f, false, m, v)
	}
	switch p.Class {
	case ClassInt, ClassFloat, ClassUUID, ClassHex, ClassDate, ClassVer:
	default:
		o.match(partOf(in), in, f.name, v)
	}
	if f.traits&traitCredential != 0 && len(v) >= 8 && p.Class != ClassPhrase {
		p.Sensitive = taxonomy.SensAccessToken
		o.credential(Credential{Kind: CredAPIKey, In: in, Name: f.name}, v, &o.out.credentials)
	}
	if f.traits&(traitSignature|traitSignKey|traitCompanion) != 0 {
		r.signPart(f.traits, in, f.name, v)
	}
	if o.out.params.len() < MaxParams {
		if o.allow() {
			if p.Sensitive == taxonomy.NotSensitive || token == 0 || secret(p.Sensitive) {
				token = o.tokenOfMask(p.Sensitive, m, v)
			}
			p.Token = token
			p.Set = o.setOf(p.Sensitive, p.Class, v)
		}
		p.Shape = o.shapeOf(v)
	}
	if f.deal != 0 || p.Sensitive == taxonomy.SensBankCard {
		o.dealLeaf(f, &p, v)
	}
	o.param(p)
	if f.traits&(traitAccount|traitBirthday) != 0 || p.Sensitive == taxonomy.SensCNMobile {
		o.account(f, in, &p, v)
	}
	r.echo(v)
	if f.traits&(traitCall|traitDispatch) != 0 {
		o.callLeaf(f, in, &p, v)
	}
}

func (o *Observer) param(p Param) {
	if o.out.params.len() >= MaxParams {
		o.over(1)
		return
	}
	o.out.params.add(p)
}

func partOf(in Location) signature.RequestPart {
	switch in {
	case InPath:
		return signature.PartPath
	case InQuery:
		return signature.PartQuery
	case InForm:
		return signature.PartForm
	case InJSON:
		return signature.PartJSON
	case InCookie:
		return signature.PartCookie
	case InHeader:
		return signature.PartHeader
	}
	return signature.PartBody
}

// account reports an account-like field and keeps its value for judging the
// passwords of the same request.
func (o *Observer) account(f *fieldEntry, in Location, p *Param, v []byte) {
	r := &o.request
	kind := f.account
	switch {
	case f.traits&traitBirthday != 0 && f.account == 0:
		if r.context[ctxBirthday].to == 0 {
			r.context[ctxBirthday], _ = r.keep(v)
		}
		return
	case p.Sensitive == taxonomy.SensEmail || p.Class == ClassEmail:
		kind = AccountEmail
	case p.Sensitive == taxonomy.SensCNMobile || p.Sensitive == taxonomy.SensPhone:
		kind = AccountPhone
	case kind == AccountName && p.Type == TypeInt:
		kind = AccountID
	}
	ctx := ctxAccount
	if kind == AccountEmail {
		ctx = ctxEmail
	} else if kind == AccountPhone {
		ctx = ctxPhone
	}
	if r.context[ctx].to == 0 {
		r.context[ctx], _ = r.keep(v)
	}
	if p.Token == 0 || p.Class == ClassPhrase && p.Sensitive == 0 && len(v) > 64 {
		return
	}
	list := o.out.accounts.open()
	for i := range list {
		if list[i].Token == p.Token && list[i].Name == f.name {
			return
		}
	}
	if len(list) >= MaxAccounts {
		o.over(1)
		return
	}
	o.out.accounts.add(Account{Name: f.name, In: in, Kind: kind, Token: p.Token, Shape: p.Shape, Set: p.Set})
}

// password reports whether the value of a field that may be a password is one.
func (o *Observer) password(f *fieldEntry, v []byte) bool {
	switch {
	case f.traits&traitPassword != 0:
		return true
	case f.traits&traitInitials != 0:
		return len(v) >= minInitialed
	}
	path, _, _ := bytes.Cut(o.x.Target, []byte("?"))
	for _, word := range o.cfg.Names.signIn {
		if indexFold(path, word) >= 0 {
			return true
		}
	}
	return false
}

// addPassword keeps a password until the whole request is read.
func (o *Observer) addPassword(name string, use PasswordUse, v []byte) {
	r := &o.request
	r.echo(v)
	if r.npw == MaxPasswords {
		o.over(1)
		return
	}
	s, ok := r.keep(v[:min(len(v), 1024)])
	if !ok {
		o.over(1)
		return
	}
	r.passwords[r.npw] = secretField{s, name, use}
	r.npw++
}

func (o *Observer) assessPasswords() {
	r := &o.request
	if r.npw == 0 {
		return
	}
	var c password.Context
	c.Account, c.Email = r.get(r.context[ctxAccount]), r.get(r.context[ctxEmail])
	c.Phone, c.Birthday = r.get(r.context[ctxPhone]), r.get(r.context[ctxBirthday])
	c.Host = append(o.val[:0], o.o.Host...)
	o.val = c.Host
	for _, s := range r.passwords[:r.npw] {
		pw := r.get(s.span)
		p := Password{Name: s.name, Use: s.use, Form: PasswordPlain, Len: uint8(min(len(pw), 255)), Tag: o.passwordTag(pw)}
		if o.cfg.Passwords != nil {
			a := o.cfg.Passwords.Assess(pw, c)
			p.Form, p.Len, p.Classes, p.Score, p.Rank, p.Related = PasswordForm(a.Form), a.Len, a.Classes, a.Score, a.Rank, a.Related
			p.Pattern, p.Privileged, p.Default = uint8(a.Pattern), a.Privileged, o.cfg.Passwords.Product(a.Default)
		}
		o.out.passwords.add(p)
	}
}

// scanText finds sensitive data in text that has no fields.
func (o *Observer) scanText(response bool, text []byte) {
	o.hits = sensitive.ScanText(text, o.hits[:0])
	hash := uint64(bodyExposure)
	for i := range o.hits {
		h := &o.hits[i]
		v := text[h.Start:h.End]
		o.exposeHit("body", hash, response, h, sensitive.MaskOf(v), v)
	}
}

const bodyExposure = 0x626f647900000000 // stands for the body in exposures

// match looks for attack patterns in a decoded value.
func (o *Observer) match(part signature.RequestPart, in Location, name string, v []byte) {
	if o.cfg.Signatures == nil || len(v) < 3 {
		return
	}
	o.matchIn, o.matchName = in, name
	o.cfg.Signatures.MatchRequest(part, v, o.onRequest)
}

func (o *Observer) addSignature(r *signature.Rule) {
	o.matches++
	list := o.out.signatures.open()
	for i := range list {
		if list[i].Rule == r.ID && list[i].In == o.matchIn && list[i].Name == o.matchName {
			return
		}
	}
	if len(list) >= MaxSignatures {
		o.over(1)
		return
	}
	o.out.signatures.add(Signature{Rule: r.ID, In: o.matchIn, Name: o.matchName})
}
