package observe

import (
	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/taxonomy"
)

// A code that is sent to somebody's phone must not stand in the answer to who
// asked for it. Nobody can tell such a code from a countdown by looking at one
// answer; so short numbers of short answers to requests that name an account
// become tokens, and the judge sees whether one of them is submitted next.

const (
	minCodeDigits = 4
	maxCodeDigits = 8
	maxCodeBody   = 4 << 10 // longer answers say more than "sent"
	maxCodeLeaves = 64
	codesPerValue = 4
)

// wantCodes reports whether the answer to this request may hold a code: it
// named an account and no password.
func (o *Observer) wantCodes() bool {
	if o.x.Status < 200 || o.x.Status > 299 || o.request.npw > 0 || len(o.x.Response.Body) > maxCodeBody {
		return false
	}
	if o.out.accounts.len() > 0 {
		return true
	}
	for _, s := range o.out.segments.open() {
		switch s.Sensitive {
		case taxonomy.SensCNMobile, taxonomy.SensPhone, taxonomy.SensEmail:
			return true
		}
	}
	return false
}

// codeLeaf keeps the codes of a JSON leaf.
func (o *Observer) codeLeaf(f *fieldEntry, k jsonleaf.Kind, v []byte) {
	if o.walker.Leaves > maxCodeLeaves || len(v) < minCodeDigits || k != jsonleaf.String && k != jsonleaf.Int || f.traits&traitPassword != 0 {
		return
	}
	o.codesIn(f.name, v)
}

// codesIn keeps the numbers of a text that may be codes.
func (o *Observer) codesIn(where string, v []byte) {
	found := 0
	for i := 0; i < len(v) && found < codesPerValue; {
		if v[i]-'0' > 9 {
			i++
			continue
		}
		from := i
		for i < len(v) && v[i]-'0' <= 9 {
			i++
		}
		if n := i - from; n < minCodeDigits || n > maxCodeDigits || from > 0 && glued(v[from-1]) || i < len(v) && glued(v[i]) {
			continue
		}
		found++
		if o.out.codes.len() >= MaxCodes {
			o.over(1)
			return
		}
		if !o.allow() {
			return
		}
		o.out.codes.add(Code{where, o.cfg.Redactor.Token(v[from:i])})
	}
}

// glued reports whether a number beside c is a part of something else: an id, a
// date, an amount.
func glued(c byte) bool {
	switch c {
	case '_', '-', '.', '/', ':', '%', '+', '=', '@':
		return true
	}
	return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// codeHeaders keeps the codes of response headers and cookies.
func (o *Observer) codeHeaders() {
	for i := range o.x.Response.Header {
		h := &o.x.Response.Header[i]
		v := trimSpace(h.Value)
		switch {
		case exchange.EqualFold(h.Name, "set-cookie"):
			name, value, ok := cutCookie(v)
			if ok && isCode(value) {
				o.codesIn("header:set-cookie "+o.fieldName(name), value)
			}
		case isCode(v) && !exchange.EqualFold(h.Name, "content-length") && !exchange.EqualFold(h.Name, "age") && !exchange.EqualFold(h.Name, "retry-after"):
			o.header = lower(o.header[:0], h.Name[:min(len(h.Name), MaxText)])
			o.codesIn("header:"+o.fieldName(o.header), v)
		}
	}
}

func isCode(v []byte) bool {
	if len(v) < minCodeDigits || len(v) > maxCodeDigits {
		return false
	}
	for _, c := range v {
		if c-'0' > 9 {
			return false
		}
	}
	return true
}

// cutCookie gives name and value of a Set-Cookie line.
func cutCookie(v []byte) (name, value []byte, ok bool) {
	for i, c := range v {
		if c == '=' && !ok {
			name, value, ok = v[:i], v[i+1:], true
		}
		if c == ';' {
			if ok {
				value = v[len(name)+1 : i]
			}
			break
		}
	}
	return trimSpace(name), trimSpace(value), ok
}
