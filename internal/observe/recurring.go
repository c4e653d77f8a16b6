package observe

import "xiezhi/internal/observe/signature"

// What recurs from request to request: header names and values, cookie names,
// credentials. Tables of fixed size remember the latest in each slot. They only
// save work: names are compared byte by byte, values by keyed tokens, which
// nobody can aim at.

// headEntry is what a header's name says, whatever stands behind it.
type headEntry struct {
	sent   string // as sent
	lower  []byte
	hash   uint64 // of the lower-cased name, for the order
	casing uint64
	role   headerRole
	kind   headKind
	sign   traits // what it is to a signed request
}

// headMemo remembers the names seen last, by their exact bytes. It only saves
// work.
type headMemo [headSlots]headEntry

const (
	headSlots   = 256
	maxHeadMemo = 40 // bytes of a name that is remembered
)

// headName tells what a header's name says; the answer holds until the next
// question.
func (o *Observer) headName(sent []byte) *headEntry {
	n := uint64(len(sent))
	if n == 0 || n > maxHeadMemo {
		o.longHead = o.readHead(sent, o.longHead.lower[:0])
		return &o.longHead
	}
	e := &o.headMemo[(n*31+uint64(sent[0])*7+uint64(sent[n-1])*17+uint64(sent[n/2])*113)%headSlots]
	if e.sent != string(sent) {
		*e = o.readHead(sent, make([]byte, 0, n))
		e.sent = string(sent)
	}
	return e
}

func (o *Observer) readHead(sent, buf []byte) headEntry {
	name := lower(buf, sent[:min(len(sent), 256)])
	role, known := o.heads[string(name)]
	if !known && coinedKey(name) {
		role = headVaries | headCredential
	} else if !known && parameterName(name) {
		role = headParameter
	}
	return headEntry{lower: name, hash: nameHash(name), casing: casing(sent), role: role, kind: kindOfHeader(string(name), known), sign: o.cfg.Names.signTraits(name)}
}

// matchHeader looks for attack patterns in a header's value. Values recur from
// request to request, so those without any are remembered by a keyed hash.
func (o *Observer) matchHeader(e *headEntry, v []byte) {
	token := o.cfg.Redactor.Token(v)
	slot := &o.clear[token%clearSlots]
	if *slot == token {
		return
	}
	o.matches = 0
	o.match(signature.PartHeader, InHeader, o.fieldName(e.lower), v)
	if o.matches == 0 {
		*slot = token
	}
}

const clearSlots = 4096

// cookieNames remembers what the names of cookies seen last say, by their
// exact bytes. It only saves work.
type cookieNames [cookieSlots]cookieEntry

type cookieEntry struct {
	sent  string
	field string // the name as kept
	kind  cookieClass
}

const cookieSlots = 256

func (o *Observer) cookieName(name []byte) *cookieEntry {
	n := uint64(len(name))
	e := &o.cookieSeen[(n*31+uint64(name[0])*7+uint64(name[n-1])*17+uint64(name[n/2])*113)%cookieSlots]
	if e.sent != string(name) {
		kind := o.cookieField(name)
		*e = cookieEntry{sent: string(name), field: o.fieldName(name), kind: kind}
	}
	return e
}

// credentialMemo remembers what the credentials shown last say, by their
// tokens: a session shows the same one with every request. It only saves work.
// The entry used last stands first in its set.
type credentialMemo [][credWays]credentialEntry

type credentialEntry struct {
	token   uint64
	shape   string
	jwt     *JWT // kept for the next one when the credential is none
	over    uint32
	isJWT   bool
	product string
}

const (
	credSets = 8192
	credWays = 2
)

// slot gives the entry of a token, or the one that it may have.
func (m *credentialMemo) slot(token uint64) *credentialEntry {
	if *m == nil {
		*m = make(credentialMemo, credSets)
	}
	set := &(*m)[token%credSets]
	if set[0].token != token {
		set[0], set[1] = set[1], set[0]
	}
	return &set[0]
}

func (e *credentialEntry) remember(c *Credential, over uint32) {
	e.token, e.shape, e.over, e.product = c.Token, c.Shape, over, c.Product
	if e.isJWT = c.JWT != nil; !e.isJWT {
		return
	}
	if e.jwt == nil {
		e.jwt = &JWT{}
	}
	claims := e.jwt.Claims[:0]
	*e.jwt = *c.JWT
	e.jwt.Claims = append(claims, c.JWT.Claims...)
}

// recall gives the JWT of a credential that is remembered, in the batch.
func (o *Observer) recall(e *credentialEntry) *JWT {
	if e.over > 0 {
		o.over(int(e.over))
	}
	if !e.isJWT {
		return nil
	}
	o.out.claims.buf = append(o.out.claims.buf, e.jwt.Claims...)
	j := *e.jwt
	j.Claims = o.out.claims.take()
	o.out.jwts.add(j)
	return &o.out.jwts.take()[0]
}
