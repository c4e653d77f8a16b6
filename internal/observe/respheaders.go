package observe

import (
	"bytes"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe/jwt"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

func parseJWT(v []byte, t *jwt.Token) bool { return jwt.Parse(v, t) }

// observeResponseHeaders reads banner, redirect target, CORS and cookies.
func (o *Observer) observeResponseHeaders() {
	x, ob := o.x, o.o
	var server, powered []byte
	for i := range x.Response.Header {
		h := &x.Response.Header[i]
		v := h.Value
		switch len(h.Name) {
		case 6:
			if exchange.EqualFold(h.Name, "server") {
				server = v
			}
		case 8:
			if exchange.EqualFold(h.Name, "location") {
				o.location(v)
			}
		case 10:
			if exchange.EqualFold(h.Name, "set-cookie") {
				o.setCookie(v)
			}
		case 11:
			o.rpcField(h.Name, v)
		case 12:
			if exchange.EqualFold(h.Name, "x-powered-by") {
				powered = v
			} else {
				o.rpcField(h.Name, v)
			}
		case 13:
			if exchange.EqualFold(h.Name, "authorization") {
				o.credential(Credential{Kind: CredBearer, In: InHeader, Name: "authorization"}, v, &o.out.issued)
			}
		case 27:
			if exchange.EqualFold(h.Name, "access-control-allow-origin") {
				o.allowOrigin(trimSpace(v))
			}
		case 32:
			if exchange.EqualFold(h.Name, "access-control-allow-credentials") && bytes.EqualFold(trimSpace(v), []byte("true")) {
				ob.CORS |= CORSCredentials
			}
		}
		if n := len(h.Name); n >= 9 && n <= 40 {
			o.limitHeader(h.Name)
		}
		if n := len(h.Name); n >= 5 && n <= 24 && len(v) >= 16 {
			o.header = lower(o.header[:0], h.Name)
			if o.heads[string(o.header)]&headCredential != 0 {
				o.credential(Credential{Kind: CredAPIKey, In: InHeader, Name: o.word(o.header)}, v, &o.out.issued)
			}
		}
	}
	if len(server)+len(powered) > 0 {
		o.tmpl = append(o.tmpl[:0], server...)
		if len(powered) > 0 {
			if len(server) > 0 {
				o.tmpl = append(o.tmpl, "; "...)
			}
			o.tmpl = append(o.tmpl, powered...)
		}
		ob.ServerBanner = o.word(o.tmpl)
	}
}

// limitHeader notes headers that tell a client how often it may ask.
func (o *Observer) limitHeader(name []byte) {
	switch name[0] | 0x20 {
	case 'r', 'x':
	default:
		return
	}
	var buf [40]byte
	n := lower(buf[:0], name)
	switch {
	case string(n) == "retry-after":
		o.o.Limits |= LimitsRetry
	case bytes.Contains(n, []byte("ratelimit")) || bytes.Contains(n, []byte("rate-limit")):
		o.o.Limits |= LimitsRate
	}
}

// allowOrigin notes what Access-Control-Allow-Origin allows. Reflected means
// that a foreign origin was given back.
func (o *Observer) allowOrigin(v []byte) {
	ob := o.o
	switch {
	case string(v) == "*":
		ob.CORS |= CORSAny
	case string(v) == "null":
		ob.CORS |= CORSNull
	case len(v) > 0 && ob.Origin != "" && string(v) == ob.Origin && o.hostName(authorityOf(v)) != ob.Host:
		ob.CORS |= CORSReflected
	}
}

// location keeps the path of a redirect's target, ids removed.
func (o *Observer) location(v []byte) {
	v = trimSpace(v)
	if i := bytes.IndexAny(v, "?#"); i >= 0 {
		v = v[:i]
	}
	if i := bytes.Index(v, schemeEnd); i >= 0 && i <= 12 {
		v = v[i+3:]
		if j := bytes.IndexByte(v, '/'); j >= 0 {
			v = v[j:]
		} else {
			v = []byte("/")
		}
	} else if bytes.HasPrefix(v, []byte("//")) {
		v = v[2:]
		if j := bytes.IndexByte(v, '/'); j >= 0 {
			v = v[j:]
		} else {
			v = []byte("/")
		}
	}
	o.tmpl = o.tmpl[:0]
	for n := 0; len(v) > 0 && n < MaxSegments && len(o.tmpl) < MaxText; n++ {
		end := bytes.IndexByte(v, '/')
		if end < 0 {
			end = len(v)
		}
		seg := v[:end]
		if i := bytes.IndexByte(seg, ';'); i >= 0 {
			seg = seg[:i]
		}
		o.val = appendPercent(o.val[:0], seg, false)
		switch classify(o.val) {
		case ClassEmpty:
		case ClassWord, ClassVer, ClassFile:
			if o.recognise(sensitive.HintNone, o.val) == taxonomy.NotSensitive && len(o.hits) == 0 && o.echoedAll(o.val) == 0 {
				o.tmpl = append(o.tmpl, o.val...)
				break
			}
			fallthrough
		default:
			o.tmpl = append(o.tmpl, '{', '}')
		}
		if end < len(v) {
			o.tmpl = append(o.tmpl, '/')
			end++
		}
		v = v[end:]
	}
	o.o.Location = o.word(o.tmpl)
}

// echoedAll reports the length of v when all of it is a value of the request's
// parameters.
func (o *Observer) echoedAll(v []byte) int {
	if n := o.echoed(v); n == len(v) {
		return n
	}
	return 0
}

// setCookie reports a session cookie that the response gives out.
func (o *Observer) setCookie(v []byte) {
	pair, attrs, _ := bytes.Cut(v, []byte(";"))
	name, value, ok := bytes.Cut(trimSpace(pair), []byte("="))
	if !ok || len(name) == 0 || len(name) > MaxText {
		return
	}
	value = bytes.Trim(value, `"`)
	kind := o.cookieField(name)
	if len(value) < 8 || kind == cookieIgnored || kind == cookieUnknown && !drawn(value) || bytes.EqualFold(value, []byte("deleted")) {
		return
	}
	c := Credential{Kind: CredCookie, In: InCookie, Name: o.fieldName(name)}
	for len(attrs) > 0 {
		a := attrs
		if i := bytes.IndexByte(attrs, ';'); i >= 0 {
			a, attrs = attrs[:i], attrs[i+1:]
		} else {
			attrs = nil
		}
		key, val, _ := bytes.Cut(trimSpace(a), []byte("="))
		var buf [16]byte
		if len(key) > len(buf) {
			continue
		}
		switch string(lower(buf[:0], key)) {
		case "secure":
			c.Cookie |= CookieSecure
		case "httponly":
			c.Cookie |= CookieHTTPOnly
		case "samesite":
			if v := trimSpace(val); len(v) > 0 && (v[0]|0x20 == 'l' || v[0]|0x20 == 's') {
				c.Cookie |= CookieSameSite
			}
		case "max-age", "expires":
			c.Cookie |= CookiePersistent
		}
	}
	o.credential(c, value, &o.out.issued)
}
