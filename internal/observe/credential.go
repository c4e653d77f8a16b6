package observe

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"strings"

	"xiezhi/internal/observe/factory"
	"xiezhi/internal/observe/jwt"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// credential completes c with the token, shape and JWT of its value and adds
// it to dst.
func (o *Observer) credential(c Credential, v []byte, dst *slab[Credential]) {
	v = trimSpace(v)
	if len(v) == 0 {
		return
	}
	own := c.Token == 0 // the token is that of v, byte by byte
	if own {
		c.Token = o.secretToken(v)
		own = !bearer(v)
	}
	list := dst.open()
	for i := range list {
		if list[i].Token == c.Token && list[i].Name == c.Name {
			return
		}
	}
	if len(list) >= MaxCredentials {
		o.over(1)
		return
	}
	if !own {
		c.JWT, c.Shape = o.readJWT(v), o.shapeOf(v)
		c.Product = o.productOf(&c, v)
	} else if e := o.creds.slot(c.Token); e.token != c.Token {
		over := o.o.Overflow
		c.JWT, c.Shape = o.readJWT(v), o.shapeOf(v)
		c.Product = o.productOf(&c, v)
		e.remember(&c, o.o.Overflow-over)
	} else {
		c.JWT, c.Shape, c.Product = o.recall(e), e.shape, e.product
	}
	if c.JWT != nil && c.Account == 0 {
		c.Account = c.JWT.Subject
	}
	dst.add(c)
}

// productOf gives the product whose default key a credential was made with.
func (o *Observer) productOf(c *Credential, v []byte) string {
	switch {
	case c.JWT != nil && c.JWT.WeakList != "" && o.guess != nil:
		return o.word([]byte(o.guess.Product(c.JWT.WeakList)))
	case c.JWT == nil && o.cfg.Factory != nil:
		name := c.Name
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			name = name[i+1:]
		}
		return o.word([]byte(o.cfg.Factory.Product(normalName(name), v)))
	}
	return ""
}

// bearer reports whether a value begins with the scheme word.
func bearer(b []byte) bool {
	return len(b) > 7 && (b[0]|0x20) == 'b' && equalFold(b[:7], []byte("bearer "))
}

// authorization reads the value of an Authorization header.
func (o *Observer) authorization(v []byte) {
	v = trimSpace(v)
	scheme, rest := v, []byte(nil)
	if i := bytes.IndexByte(v, ' '); i >= 0 {
		scheme, rest = v[:i], trimSpace(v[i+1:])
	}
	c := Credential{Kind: CredOther, In: InHeader, Name: "authorization"}
	dst := &o.out.credentials
	if len(rest) == 0 {
		// a bare token; a scheme word alone proves nothing
		if len(scheme) >= 8 {
			c.Kind = CredBearer
			o.credential(c, scheme, dst)
		}
		return
	}
	o.lowered = lower(o.lowered[:0], scheme[:min(len(scheme), 40)])
	switch string(o.lowered) {
	case "bearer", "token", "jwt", "apikey", "api-key":
		c.Kind = CredBearer
		o.credential(c, rest, dst)
	case "basic":
		c.Kind = CredBasic
		o.basic(c, rest)
	case "digest":
		c.Kind = CredDigest
		user := parameter(rest, "username")
		if len(user) > 0 {
			c.Account = o.tokenOf(o.recognise(sensitive.HintAccountName, user), user)
			c.Token = o.cfg.Redactor.Token(append(append(o.canon[:0], "digest/"...), user...))
		}
		o.credential(c, rest, dst)
	default:
		// signature schemes change with every request; the key id does not
		if id := keyOfScheme(o.lowered, rest); len(id) > 0 {
			c.Kind, rest = CredSigned, id
		}
		o.credential(c, rest, dst)
	}
}

// basic reads user:password and assesses the password.
func (o *Observer) basic(c Credential, v []byte) {
	enc := base64.StdEncoding
	if len(v)%4 != 0 {
		enc = base64.RawStdEncoding
	}
	n := enc.DecodedLen(len(v))
	if n > 4096 {
		o.credential(c, v, &o.out.credentials)
		return
	}
	if cap(o.decoded) < n {
		o.decoded = make([]byte, n)
	}
	n, err := enc.Decode(o.decoded[:n], v)
	plain := o.decoded[:n]
	if err != nil {
		plain = nil
	}
	user, pw, ok := bytes.Cut(plain, []byte(":"))
	if ok && len(user) > 0 {
		c.Account = o.tokenOf(o.recognise(sensitive.HintAccountName, user), user)
		if len(pw) > 0 {
			if r := &o.request; r.context[ctxAccount].to == 0 {
				r.context[ctxAccount], _ = r.keep(user)
			}
			o.addPassword("authorization", PasswordCurrent, pw)
		}
		o.request.echo(user)
	}
	o.credential(c, v, &o.out.credentials)
	clear(o.decoded)
}

// parameter finds name=value or name="value" in the parameters of a scheme.
func parameter(b []byte, name string) []byte {
	for len(b) > 0 {
		eq := bytes.IndexByte(b, '=')
		if eq < 0 {
			return nil
		}
		key := trimSpace(b[:eq])
		v := trimSpace(b[eq+1:])
		end := bytes.IndexByte(v, ',')
		if len(v) > 0 && v[0] == '"' {
			if end = bytes.IndexByte(v[1:], '"'); end >= 0 {
				end += 2
			}
		}
		if end < 0 {
			end = len(v)
		}
		var buf [32]byte
		if len(key) <= len(buf) && string(lower(buf[:0], key)) == name {
			return bytes.Trim(trimSpace(v[:end]), `"`)
		}
		b = bytes.TrimLeft(v[end:], `", `)
	}
	return nil
}

// headerCredential reads a header that is named like a key or token.
func (o *Observer) headerCredential(name, v []byte) {
	if v = trimSpace(v); len(v) < 4 {
		return
	}
	o.credential(Credential{Kind: CredAPIKey, In: InHeader, Name: o.word(name)}, v, &o.out.credentials)
}

type cookieClass uint8

const (
	cookieUnknown cookieClass = iota
	cookieSession
	cookieIgnored
)

// cookie tells what a cookie is by its name.
func (n *Names) cookie(name string) cookieClass {
	w := normalName(name)
	if n.ownCookies[w] {
		return cookieSession
	}
	if n.ignoredCookie.has(w) {
		return cookieIgnored
	}
	if n.sessionCookie.has(w) {
		return cookieSession
	}
	return cookieUnknown
}

// cookies reads a Cookie header.
func (o *Observer) cookies(v []byte) {
	for n := 0; len(v) > 0; n++ {
		pair := v
		if i := bytes.IndexByte(v, ';'); i >= 0 {
			pair, v = v[:i], v[i+1:]
		} else {
			v = nil
		}
		if n == maxCookies {
			o.over(1)
			return
		}
		name, value, ok := bytes.Cut(trimSpace(pair), []byte("="))
		if !ok || len(name) == 0 || len(name) > MaxText {
			continue
		}
		value = unquote(value)
		e := o.cookieName(name)
		if e.kind == cookieIgnored {
			continue
		}
		c := classify(value)
		if e.kind == cookieSession && len(value) >= 4 || e.kind == cookieUnknown && len(value) >= 16 && drawnClass(c) {
			o.credential(Credential{Kind: CredCookie, In: InCookie, Name: e.field}, value, &o.out.credentials)
		}
		if o.cfg.Signatures != nil {
			switch c {
			case ClassEmpty, ClassWord, ClassInt, ClassHex, ClassUUID:
			default:
				o.val = appendPercent(o.val[:0], value, false)
				o.match(signature.PartCookie, InCookie, e.field, o.val)
			}
		}
	}
}

const maxCookies = 64

// cookieField is Names.cookie with a memo.
func (o *Observer) cookieField(name []byte) cookieClass {
	s := o.word(name)
	if c, ok := o.cookieMemo[s]; ok {
		return c
	}
	c := o.cfg.Names.cookie(s)
	if len(o.cookieMemo) >= maxCookieMemo {
		clear(o.cookieMemo)
	}
	o.cookieMemo[s] = c
	return c
}

const maxCookieMemo = 4096

// unquote takes double quotes off both ends.
func unquote(v []byte) []byte {
	if n := len(v); n > 0 && v[0] != '"' && v[n-1] != '"' {
		return v
	}
	return bytes.Trim(v, `"`)
}

// drawn reports whether a value looks like the random id of a session.
func drawn(v []byte) bool {
	if len(v) < 16 {
		return false
	}
	return drawnClass(classify(v))
}

func drawnClass(c ValueClass) bool { return c == ClassToken || c == ClassHex || c == ClassUUID }

// readJWT reads v as a JSON Web Token, nil when it is none.
func (o *Observer) readJWT(v []byte) *JWT {
	if bearer(v) {
		v = trimSpace(v[7:])
	}
	if len(v) < 16 || bytes.IndexByte(v, '.') < 0 || !jwt.Parse(v, &o.token) {
		return nil
	}
	t := &o.token
	j := JWT{IssuedAt: t.IssuedAt, Expires: t.Expires, None: t.None}
	j.Alg = o.word(lower(o.lowered[:0], t.Alg[:min(len(t.Alg), 32)]))
	if len(t.KeyID) > 0 {
		j.KeyID = o.cfg.Redactor.Token(t.KeyID)
	}
	j.Issuer = o.issuer(t.Issuer)
	best := uint8(255)
	for i := range t.Claims {
		c := &t.Claims[i]
		if len(c.Value) == 0 || len(c.Name) == 0 || timeClaim(c.Name) {
			continue
		}
		if o.out.claims.len() >= MaxClaims {
			o.over(1)
			break
		}
		token := o.tokenOf(o.recognise(sensitive.HintNone, c.Value), c.Value)
		o.out.claims.add(Claim{Name: o.claimName(c.Name), Token: token, Word: o.roleClaim(c.Name, c.Value)})
		if rank := o.claimRank(c.Name); rank != 0 && rank < best && !blankSubject(c.Value) {
			best, j.Subject = rank, token
		}
	}
	j.Claims = o.out.claims.take()
	if o.guess != nil {
		if shape, list, ok := o.guess.Guess(v); ok {
			j.WeakSecret, j.WeakList = o.word([]byte(shape)), o.word([]byte(list))
		}
	}
	o.out.jwts.add(j)
	return &o.out.jwts.take()[0]
}

// timeClaim reports whether a claim holds a time: no identity, new every time.
func timeClaim(name []byte) bool {
	switch string(name) {
	case "iat", "exp", "nbf", "auth_time":
		return true
	}
	return false
}

// claimName is a claim's name as kept; a claim named by a value is masked.
func (o *Observer) claimName(b []byte) string { return o.fieldName(b) }

func (o *Observer) claimRank(name []byte) uint8 {
	if len(name) > 64 {
		return 0
	}
	o.lowered = o.lowered[:0]
	for _, c := range name {
		switch c {
		case '_', '-', '.', ' ':
			continue
		}
		if c-'A' < 26 {
			c |= 0x20
		}
		o.lowered = append(o.lowered, c)
	}
	return o.cfg.Names.claimRank[string(o.lowered)]
}

// blankSubject reports whether a claim that should name a user names nobody.
func blankSubject(v []byte) bool {
	switch string(v) {
	case "null", "0", "-1", "false", "true", "{}", "[]", "undefined", "none", "anonymous", "anonymousUser", "guest":
		return true
	}
	return v[0] == '{' || v[0] == '['
}

// issuer keeps a host or a word; an issuer that is a person's address is none
// of our business.
func (o *Observer) issuer(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if a := authorityOf(b); len(a) > 0 {
		return o.hostName(a)
	}
	if len(b) > 64 || o.recognise(sensitive.HintNone, b) != taxonomy.NotSensitive || len(o.hits) > 0 {
		return ""
	}
	switch classify(b) {
	case ClassWord, ClassMixed, ClassVer:
		return o.word(b)
	}
	if bytes.IndexByte(b, '.') > 0 && bytes.IndexByte(b, '@') < 0 && bytes.IndexByte(b, ' ') < 0 {
		return o.word(b)
	}
	return ""
}

// LoadFactory reads default_keys.yaml.
func LoadFactory(fsys fs.FS) (*factory.Keys, error) { return factory.Load(fsys, normalName) }
