package accesslog

import (
	"bytes"
	"time"

	"xiezhi/internal/exchange"
)

// Why a line is no exchange. They are fixed texts: a line's own bytes stay out
// of every report.
const (
	whyFormat    = "not an access-log line"
	whyTime      = "the time is missing or impossible"
	whyYear      = "the time has no year and no line before it names one"
	whyEmpty     = "the connection carried no request"
	whyHandshake = "a TLS handshake on a plaintext port"
	whyRequest   = "the request has no method or no target"
	whyPart      = "a part of a line that the container runtime split"
	whyMessage   = "a message of the server, not a request"
	whyLong      = "the line is larger than the limit"
	whyDirective = "a directive" // #Fields and its like: neither an exchange nor a loss
)

// heldBack is the answer to a piece of a line that a container runtime split:
// the piece waits for the rest.
const heldBack = "a piece"

// parser turns one line into one exchange. What the exchange points to is the
// line, or text when something had to be unescaped or joined; both are valid
// until the next line. What it remembers from line to line of a file is in
// memory; newFile forgets it.
type parser struct {
	clock  clock
	format *format
	fields fields
	text   []byte
	names  headerNames
	memory memory
	asides bool  // somebody looks at what is no exchange
	outer  stamp // time that a wrapper gives, for lines without their own
}

// memory is what lines of a file say about later ones.
type memory struct {
	columns []column // of the #Fields directive in force
	date    []byte   // of the #Date directive, for lines with a time of day alone
	last    int64    // time of the latest exchange: the year of times without one
	pieces  [2]pieces
	ended   bool // one of them belongs to a line before
}

// headerNames are the names a log implies.
type headerNames struct{ referer, userAgent, forwardedFor, contentType, cookie []byte }

func newParser(loc *time.Location, f *format) *parser {
	if loc == nil {
		loc = time.UTC
	}
	return &parser{clock: clock{loc: loc}, format: f, names: headerNames{[]byte("Referer"), []byte("User-Agent"), []byte("X-Forwarded-For"), []byte("Content-Type"), []byte("Cookie")}}
}

func (p *parser) newFile() {
	m := &p.memory
	*m = memory{columns: m.columns[:0], date: m.date[:0], pieces: m.pieces}
	for i := range m.pieces {
		m.pieces[i] = pieces{text: m.pieces[i].text[:0]}
	}
}

// parse fills x and returns why the line is no exchange, or "".
func (p *parser) parse(line []byte, x *exchange.Exchange) string {
	why := p.line(line, x)
	if why == "" {
		x.Aside = exchange.AsideNone // of a format that was tried before
		p.memory.last = x.End
	}
	return why
}

func (p *parser) line(line []byte, x *exchange.Exchange) string {
	p.reset(x)
	if p.format != nil {
		if why := p.compiled(p.format, line, x); why != whyFormat {
			return why
		}
	}
	// Most lines begin with an address and are what they look like.
	if len(line) > 24 && line[0]-'0' <= 9 && line[4] != '-' {
		if why := p.combined(line, x); why != whyFormat {
			return why
		}
	}
	p.outer = stamp{}
	if p.memory.ended {
		p.memory.forget()
	}
	for range maxWrappers {
		rest, why := p.unwrap(line)
		if why != "" {
			return why
		}
		if len(rest) == len(line) {
			break
		}
		line = rest
	}
	return p.bare(line, x, 0)
}

func (p *parser) reset(x *exchange.Exchange) {
	x.Reset()
	if cap(p.text) > 4*MaxLine {
		p.text = nil
	}
	p.text = p.text[:0]
	x.Caps = exchange.CapResponse
	x.Request.BodySize, x.Response.BodySize = -1, -1
}

// bare parses what the server itself wrote. depth counts the JSON objects
// around it. The formats are told apart by their first bytes; whatever one of
// them refuses is offered to the next.
func (p *parser) bare(line []byte, x *exchange.Exchange, depth int) string {
	for len(line) > 0 && line[0] == ' ' {
		line = line[1:]
	}
	if len(line) == 0 {
		return whyFormat
	}
	switch line[0] {
	case '{':
		return p.json(line, x, depth)
	case '#':
		return p.directive(line)
	case '"': // OpenLiteSpeed quotes the whole line when told so
		if n := len(line); n > 2 && line[n-1] == '"' {
			if why := p.combined(line[1:n-1], x); why == "" {
				return why
			}
		}
	case '[':
		if why := p.bracketed(line, x); why != whyFormat {
			return why
		}
	default:
		if why := p.combined(line, x); why != whyFormat {
			return why
		}
		if why := p.unusual(line, x); why != whyFormat {
			return why
		}
	}
	if why := p.loose(line, x); why != whyFormat {
		return why
	}
	if isMessage(line) {
		if p.asides {
			p.aside(line, x)
		}
		return whyMessage
	}
	return whyFormat
}

// unusual tries the formats that look like none of the common ones.
func (p *parser) unusual(line []byte, x *exchange.Exchange) string {
	for _, f := range [...]func(*parser, []byte, *exchange.Exchange) string{(*parser).w3c, (*parser).haproxy, (*parser).loadBalancer, (*parser).console, (*parser).pairs} {
		if why := f(p, line, x); why != whyFormat {
			return why
		}
		x.Request.Header, x.Response.Header = x.Request.Header[:0], x.Response.Header[:0]
	}
	return whyFormat
}

// bracketed tries the formats that begin with a time in brackets.
func (p *parser) bracketed(line []byte, x *exchange.Exchange) string {
	if why := p.envoy(line, x); why != whyFormat {
		return why
	}
	if why := p.zoraxy(line, x); why != whyFormat {
		return why
	}
	if why := p.gin(line, x); why != whyFormat {
		return why
	}
	for _, f := range proxyManager {
		if why := p.compiled(f, line, x); why != whyFormat {
			return why
		}
	}
	return whyFormat
}

// request splits a request line into x.
func (p *parser) request(s []byte, x *exchange.Exchange) string {
	if bytes.IndexByte(s, '\\') >= 0 {
		s = p.unescape(s)
	}
	if len(s) == 0 || len(s) == 1 && s[0] == '-' {
		return whyEmpty
	}
	if s[0] == 0x16 && (len(s) < 2 || s[1] == 3) {
		return malformed(s, x, whyHandshake)
	}
	i := bytes.IndexByte(s, ' ')
	if i < 1 || !isToken(s[:i]) {
		return malformed(s, x, whyRequest)
	}
	if i == 1 && s[0] == '-' { // "- - -" of proxies that saw no request
		return whyEmpty
	}
	x.Method = s[:i]
	t := s[i+1:]
	x.Proto = 9
	if n := len(t); n > 9 && t[n-9] == ' ' && string(t[n-8:n-3]) == "HTTP/" {
		x.Proto = proto(t[n-3:])
		t = t[:n-9]
	} else if j := bytes.LastIndexByte(t, ' '); j >= 0 && bytes.HasPrefix(t[j+1:], httpSlash) {
		x.Proto = proto(t[j+6:])
		t = t[:j]
	}
	if t = trimSpaces(t); len(t) == 0 || bytes.HasPrefix(t, httpSlash) {
		return malformed(s, x, whyRequest)
	}
	x.Target = t
	return ""
}

// malformed keeps a request that its server could not read.
func malformed(s []byte, x *exchange.Exchange, why string) string {
	x.Method, x.Target, x.Aside = nil, s, exchange.AsideMalformed
	return why
}

var httpSlash = []byte("HTTP/")

func trimSpaces(s []byte) []byte {
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	return s
}

func proto(v []byte) uint8 {
	switch string(v) {
	case "1.1":
		return 11
	case "1.0":
		return 10
	case "2.0", "2":
		return 20
	case "3.0", "3":
		return 30
	case "0.9":
		return 9
	}
	return 0
}

// isToken reports whether s is a method by RFC 9110, of sensible length.
func isToken(s []byte) bool {
	if len(s) > 32 {
		return false
	}
	for _, c := range s {
		if c-'A' > 25 && (c|0x20)-'a' > 25 && c-'0' > 9 && bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) < 0 {
			return false
		}
	}
	return len(s) > 0
}

// settle derives what follows from the rest: host and order of time.
func (p *parser) settle(x *exchange.Exchange, elapsed int64) {
	if t := x.Target; t[0] != '/' {
		if i := bytes.Index(t, schemeEnd); i > 0 && i < 8 {
			a := t[i+3:]
			if j := bytes.IndexAny(a, "/?"); j >= 0 {
				a = a[:j]
			}
			if len(a) > 0 {
				x.Host = a
			}
		} else if string(x.Method) == "CONNECT" {
			x.Host = t
		}
	}
	x.Start = x.End
	if elapsed > 0 && elapsed < x.End {
		x.Start -= elapsed
	}
}

var schemeEnd = []byte("://")

func addHeader(dst []exchange.Field, name, value []byte) []exchange.Field {
	if len(value) == 0 || len(value) == 1 && value[0] == '-' {
		return dst
	}
	return append(dst, exchange.Field{Name: name, Value: value})
}

// unescape undoes what servers do to bytes they do not want in a log: nginx
// \xHH, Apache \" \\ \n \t and \xhh, JSON's escapes. An unknown escape stays.
func (p *parser) unescape(s []byte) []byte {
	start := len(p.text)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '\\' || i+1 == len(s) {
			p.text = append(p.text, c)
			continue
		}
		i++
		switch s[i] {
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'v':
			c = '\v'
		case '"', '\\', '/':
			c = s[i]
		case 'x', 'X':
			if i+2 < len(s) {
				hi, ok1 := hexDigit(s[i+1])
				lo, ok2 := hexDigit(s[i+2])
				if ok1 && ok2 {
					p.text = append(p.text, hi<<4|lo)
					i += 2
					continue
				}
			}
			p.text = append(p.text, '\\', s[i])
			continue
		case 'u':
			if n := p.unicode(s[i-1:]); n > 0 {
				i += n - 2
				continue
			}
			p.text = append(p.text, '\\', 'u')
			continue
		default:
			p.text = append(p.text, '\\', s[i])
			continue
		}
		p.text = append(p.text, c)
	}
	return p.text[start:len(p.text):len(p.text)]
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c-'0' <= 9:
		return c - '0', true
	case (c|0x20)-'a' <= 5:
		return (c | 0x20) - 'a' + 10, true
	}
	return 0, false
}
