package accesslog

import (
	"bytes"
	"net/netip"
	"time"
	"unsafe"

	"xiezhi/internal/exchange"
)

// Why a line is no exchange. They are fixed texts: a line's own bytes stay out
// of every report.
const (
	whyFormat    = "not an access-log line"
	whyTime      = "the time is missing or impossible"
	whyEmpty     = "the connection carried no request"
	whyHandshake = "a TLS handshake on a plaintext port"
	whyRequest   = "the request has no method or no target"
)

// parser turns one line into one exchange. What the exchange points to is the
// line, or text when something had to be unescaped or joined; both are valid
// until the next line.
type parser struct {
	clock  clock
	format *format
	fields fields
	text   []byte
	names  headerNames
}

// headerNames are the names a log implies.
type headerNames struct{ referer, userAgent, forwardedFor, contentType, contentLength []byte }

func newParser(loc *time.Location, f *format) *parser {
	if loc == nil {
		loc = time.UTC
	}
	return &parser{clock: clock{loc: loc}, format: f, names: headerNames{[]byte("Referer"), []byte("User-Agent"), []byte("X-Forwarded-For"), []byte("Content-Type"), []byte("Content-Length")}}
}

// parse fills x and returns why the line is no exchange, or "".
func (p *parser) parse(line []byte, x *exchange.Exchange) string {
	x.Reset()
	if cap(p.text) > 4*MaxLine {
		p.text = nil
	}
	p.text = p.text[:0]
	x.Caps = exchange.CapResponse
	x.Request.BodySize, x.Response.BodySize = -1, -1
	if p.format != nil {
		if why := p.compiled(line, x); why != whyFormat {
			return why
		}
	}
	line = containerLine(line)
	i := 0
	for i < len(line) && line[i] == ' ' {
		i++
	}
	if i < len(line) && line[i] == '{' {
		return p.json(line, x, 0)
	}
	return p.combined(line, x)
}

// containerLine takes off what Kubernetes puts before a container's line:
// time, stream and F for a full line.
func containerLine(line []byte) []byte {
	if len(line) < 48 || line[4] != '-' || line[10] != 'T' {
		return line
	}
	i := bytes.IndexByte(line[:40], ' ')
	if i < 20 {
		return line
	}
	if s := string(line[i : i+10]); s == " stdout F " || s == " stderr F " {
		return line[i+10:]
	}
	return line
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
		return whyHandshake
	}
	i := bytes.IndexByte(s, ' ')
	if i < 1 || !isToken(s[:i]) {
		return whyRequest
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
		return whyRequest
	}
	x.Target = t
	return ""
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

// address reads an IP address with or without a port. It allocates nothing.
func address(s []byte) netip.AddrPort {
	if len(s) < 2 || len(s) > 64 {
		return netip.AddrPort{}
	}
	if a, ok := ipv4(s); ok {
		return netip.AddrPortFrom(a, 0)
	}
	if c := s[0]; hexOrColon(c) || c == '[' {
		text := unsafe.String(&s[0], len(s))
		if bytes.IndexByte(s, '%') >= 0 { // a zone would be kept for ever
			return netip.AddrPort{}
		}
		if bytes.IndexByte(s, ':') >= 0 {
			if c != '[' {
				if a, err := netip.ParseAddr(text); err == nil {
					return netip.AddrPortFrom(a.Unmap(), 0)
				}
			} else if s[len(s)-1] == ']' {
				if a, err := netip.ParseAddr(text[1 : len(text)-1]); err == nil {
					return netip.AddrPortFrom(a.Unmap(), 0)
				}
			}
			if a, err := netip.ParseAddrPort(text); err == nil {
				return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
			}
		}
	}
	return netip.AddrPort{}
}

func hexOrColon(c byte) bool { _, ok := hexDigit(c); return ok || c == ':' }

func ipv4(s []byte) (netip.Addr, bool) {
	if len(s) < 7 || len(s) > 15 {
		return netip.Addr{}, false
	}
	var ip [4]byte
	part, digits, v := 0, 0, 0
	for _, c := range s {
		switch {
		case c-'0' <= 9:
			v = v*10 + int(c-'0')
			if digits++; digits > 3 || v > 255 {
				return netip.Addr{}, false
			}
		case c == '.' && digits > 0 && part < 3:
			ip[part] = byte(v)
			part, digits, v = part+1, 0, 0
		default:
			return netip.Addr{}, false
		}
	}
	if part != 3 || digits == 0 {
		return netip.Addr{}, false
	}
	ip[3] = byte(v)
	return netip.AddrFrom4(ip), true
}
