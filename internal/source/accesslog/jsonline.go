package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
)

// scope says whose members an object holds.
type scope uint8

const (
	inLine scope = iota
	inRequest
	inResponse
	inRequestHeaders
	inResponseHeaders
	inLatencies
	inURL    // Elastic Common Schema from here on
	inAgent  // user_agent
	inClient // source, client
	inOther
)

// maxArray bounds the values of one header that are taken.
const maxArray = 16

// json parses a line that is one JSON object. It is lenient where servers are:
// nginx without escape=json writes \xHH into JSON strings. A collector's
// record, whose member "log" or "message" is the server's own line, is
// unwrapped once; its time serves a line that has none.
func (p *parser) json(line []byte, x *exchange.Exchange, depth int) string {
	p.fields = fields{}
	s := scanner{b: line}
	if !p.object(&s, x, inLine, 0) {
		return whyFormat
	}
	f := &p.fields
	if f[fRequest] != nil || f[fMethod] != nil {
		return p.fromFields(x)
	}
	if f[fText] == nil {
		return whyFormat
	}
	if depth > 0 {
		return whyMessage
	}
	text := f[fText]
	inner := bytes.TrimRight(text, "\r\n")
	if s := f[fStream]; len(s) == 6 {
		// Docker ends a piece without a line end.
		full := len(inner) < len(text) || len(text) < dockerPiece
		var why string
		if inner, why = p.memory.piece(s, inner, full); why != "" {
			return why
		}
	}
	if p.outer.ns == 0 {
		for _, t := range [...][]byte{f[fMsec], f[fTimeISO], f[fTime], f[fStart]} {
			if ns, ok := p.clock.any(t); ok {
				p.outer = stamp{ns: ns}
				break
			}
		}
	}
	x.Request.Header, x.Response.Header = x.Request.Header[:0], x.Response.Header[:0]
	rest, why := p.unwrap(inner)
	if why != "" {
		return why
	}
	if why = p.bare(rest, x, depth+1); why == whyFormat {
		return whyMessage
	}
	return why
}

// dockerPiece is where Docker splits long lines.
const dockerPiece = 16 << 10

func (p *parser) object(s *scanner, x *exchange.Exchange, in scope, depth int) bool {
	if s.space() != '{' || depth > 8 {
		return false
	}
	s.i++
	for {
		switch s.space() {
		case '}':
			s.i++
			return true
		case ',':
			s.i++
			continue
		case '"':
		default:
			return false
		}
		key, _, ok := s.string()
		if !ok || s.space() != ':' {
			return false
		}
		s.i++
		switch c := s.space(); c {
		case 0:
			return false
		case '{':
			if in == inRequest && string(key) == "tls" {
				p.fields[fHTTPS] = key // Caddy and Kong describe the connection there
			}
			if inner := within(in, key); inner != inOther {
				if !p.object(s, x, inner, depth+1) {
					return false
				}
			} else if !s.skip() {
				return false
			}
		case '[':
			if in == inRequestHeaders || in == inResponseHeaders {
				t := scanner{b: s.b, i: s.i + 1}
				for n := 0; n < maxArray && t.space() == '"'; n++ {
					v, escaped, ok := t.string()
					if !ok {
						break
					}
					p.value(x, in, key, v, escaped)
					if t.space() == ',' {
						t.i++
					}
				}
			}
			if !s.skip() {
				return false
			}
		case '"':
			v, escaped, ok := s.string()
			if !ok {
				return false
			}
			p.value(x, in, key, v, escaped)
		default:
			v := s.scalar()
			if len(v) == 0 {
				return false
			}
			if c-'0' <= 9 || c == '-' {
				p.value(x, in, key, v, false)
			}
		}
	}
}

// within names the scope of a nested object.
func within(in scope, key []byte) scope {
	switch in {
	case inLine:
		switch string(key) {
		case "request", "req", "http_request":
			return inRequest
		case "response", "res", "resp", "http_response":
			return inResponse
		case "resp_headers":
			return inResponseHeaders
		case "latencies":
			return inLatencies
		case "http", "httpRequest", "event", "data", "access", "nginx", "jsonPayload", "properties":
			return inLine
		case "url":
			return inURL
		case "user_agent":
			return inAgent
		case "source", "client":
			return inClient
		}
	case inRequest:
		switch string(key) {
		case "headers", "header":
			return inRequestHeaders
		}
	case inResponse:
		switch string(key) {
		case "headers", "header":
			return inResponseHeaders
		case "body":
			return inResponse
		}
	}
	return inOther
}

// value files one member. The first of equal members counts.
func (p *parser) value(x *exchange.Exchange, in scope, key, v []byte, escaped bool) {
	if len(v) == 0 || len(key) > 64 {
		return
	}
	var f field
	switch in {
	case inRequestHeaders, inResponseHeaders:
		h := &x.Request.Header
		if in == inResponseHeaders {
			h = &x.Response.Header
		}
		if len(*h) < maxHeaders {
			if escaped {
				v = p.unescape(v)
			}
			*h = append(*h, exchange.Field{Name: key, Value: v})
		}
		return
	case inLatencies: // Kong
		if string(key) != "request" {
			return
		}
		f = fElapsedMs
	case inURL:
		switch string(key) {
		case "original":
			f = fURL
		case "path":
			f = fURI
		case "query":
			f = fArgs
		case "domain":
			f = fHost
		case "scheme":
			f = fScheme
		default:
			return
		}
	case inAgent:
		if string(key) != "original" {
			return
		}
		f = fUserAgent
	case inClient:
		switch string(key) {
		case "ip", "address":
			f = fClient
		case "port":
			f = fClientPort
		default:
			return
		}
	default:
		var buf [64]byte
		name := buf[:len(key)]
		for i, c := range key {
			if 'A' <= c && c <= 'Z' {
				c |= 0x20
			} else if c == '-' {
				c = '_'
			}
			name[i] = c
		}
		f = lookup(name)
		switch {
		case in == inRequest && string(name) == "body":
			f = fRequestBody
		case in == inResponse && string(name) == "body":
			f = fResponseBody
		case in == inRequest:
			switch f {
			case fURI:
				f = fRequestURI // a request object's uri is what was sent
			case fClient:
				if string(key) == "client_ip" { // Caddy's view behind trusted proxies
					f = fRealClient
				}
			case fBytes, fBodyBytes, fStatus, fTime, fText:
				return // the request's own size, not the response's
			}
		case in == inResponse:
			if f != fStatus && f != fBytes && f != fBodyBytes {
				return
			}
		case f == fDuration && key[0] == 'D':
			f = fElapsedNs // Traefik
		case f == fNone:
			if !p.traefikHeader(x, key, v, escaped) {
				p.header(x, name, v, escaped)
			}
			return
		}
	}
	if p.fields[f] == nil {
		// A request line is unescaped by its own parser, the only one that may
		// see a backslash that JSON has unescaped already; double it here.
		if escaped {
			v = p.unescape(v)
		}
		if f == fRequest && bytes.IndexByte(v, '\\') >= 0 {
			v = p.escapeBackslashes(v)
		}
		p.fields[f] = v
	}
}

// traefikHeader takes request_NAME and downstream_NAME, the name being a
// header's own spelling.
func (p *parser) traefikHeader(x *exchange.Exchange, key, v []byte, escaped bool) bool {
	h := &x.Request.Header
	n, ok := bytes.CutPrefix(key, []byte("request_"))
	if !ok {
		if n, ok = bytes.CutPrefix(key, []byte("downstream_")); !ok {
			return false
		}
		h = &x.Response.Header
	}
	if len(n) == 0 || n[0]-'A' > 25 || len(*h) >= maxHeaders || len(v) == 1 && v[0] == '-' {
		return false
	}
	if escaped {
		v = p.unescape(v)
	}
	*h = append(*h, exchange.Field{Name: n, Value: v})
	return true
}

func (p *parser) escapeBackslashes(v []byte) []byte {
	start := len(p.text)
	for _, c := range v {
		if c == '\\' {
			p.text = append(p.text, '\\')
		}
		p.text = append(p.text, c)
	}
	return p.text[start:len(p.text):len(p.text)]
}

// header takes nginx's $http_NAME and $sent_http_NAME.
func (p *parser) header(x *exchange.Exchange, name, v []byte, escaped bool) {
	h := &x.Request.Header
	n, ok := bytes.CutPrefix(name, []byte("http_"))
	if !ok {
		if n, ok = bytes.CutPrefix(name, []byte("sent_http_")); !ok {
			return
		}
		h = &x.Response.Header
	}
	if len(n) == 0 || len(*h) >= maxHeaders || len(v) == 1 && v[0] == '-' {
		return
	}
	start := len(p.text)
	for _, c := range n {
		if c == '_' {
			c = '-'
		}
		p.text = append(p.text, c)
	}
	kept := p.text[start:len(p.text):len(p.text)] // name itself stays on the stack
	if escaped {
		v = p.unescape(v)
	}
	*h = append(*h, exchange.Field{Name: kept, Value: v})
}
