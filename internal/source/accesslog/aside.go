package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
)

// aside reads what a server's message tells about a request: that somebody
// failed to sign in, or was held back. Only rules written for logs look at it,
// and only when there are such rules.
func (p *parser) aside(line []byte, x *exchange.Exchange) {
	x.Aside, x.End, x.Host = exchange.AsideNone, 0, nil
	x.Request.Header = x.Request.Header[:0]
	switch {
	case bytes.Contains(line, []byte(", client: ")) && bytes.Contains(line, []byte(", request: \"")):
		p.nginxMessage(line, x)
	case bytes.Contains(line, []byte("[auth_basic:")):
		p.apacheMessage(line, x)
	case bytes.Contains(line, []byte("[WebAdmin Console] Failed Login Attempt")):
		p.liteSpeedMessage(line, x)
	}
}

// nginxMessage reads
//
//	2006/01/02 15:04:05 [error] 7#7: *1 user "a" was not found in "f", client: 192.0.2.1, server: _, request: "GET / HTTP/1.1", host: "h"
func (p *parser) nginxMessage(line []byte, x *exchange.Exchange) {
	i := bytes.Index(line, []byte(", client: "))
	said := line[:i]
	kind := exchange.AsideNone
	switch {
	case bytes.Contains(said, []byte("limiting requests, excess")):
		kind = exchange.AsideLimited
	case bytes.Contains(said, []byte("\" was not found in \"")), bytes.Contains(said, []byte("\": password mismatch")):
		kind = exchange.AsideAuthFail
	}
	client, rest, _ := bytes.Cut(line[i+len(", client: "):], comma)
	a := address(client)
	if kind == exchange.AsideNone || !a.IsValid() || len(line) < 19 {
		return
	}
	ns, ok := p.clock.any(line[:19])
	if !ok {
		return
	}
	_, request, ok := bytes.Cut(rest, []byte("request: "))
	if !ok || len(request) == 0 || request[0] != '"' {
		return
	}
	in, rest, ok := quoted(request)
	if !ok || p.request(in, x) != "" {
		x.Aside = exchange.AsideNone
		return
	}
	if _, host, ok := bytes.Cut(rest, []byte("host: ")); ok && len(host) > 0 && host[0] == '"' {
		if h, _, ok := quoted(host); ok {
			x.Host = h
		}
	}
	x.Client, x.End, x.Start, x.Aside = a, ns, ns, kind
}

// apacheMessage reads
//
//	[Mon Jan 02 15:04:05.000000 2006] [auth_basic:error] [pid 1] [client 192.0.2.1:5] AH01617: user a: authentication failure for "/": Password Mismatch
func (p *parser) apacheMessage(line []byte, x *exchange.Exchange) {
	if !bytes.Contains(line, []byte(": Password Mismatch")) && !bytes.Contains(line, []byte(" not found: ")) || line[0] != '[' {
		return
	}
	end := bytes.IndexByte(line, ']')
	_, rest, ok := bytes.Cut(line, []byte("[client "))
	if end < 0 || !ok {
		return
	}
	client, rest, ok := bytes.Cut(rest, []byte("]"))
	a := address(client)
	ns, known := p.clock.asctime(line[1:end])
	if !ok || !known || !a.IsValid() {
		return
	}
	if _, target, ok := bytes.Cut(rest, []byte("for \"")); ok {
		x.Target, _, _ = bytes.Cut(target, []byte("\""))
	} else if _, target, ok := bytes.Cut(rest, []byte("not found: ")); ok {
		x.Target = bytes.Trim(target, "\"")
	}
	x.Client, x.End, x.Start, x.Aside = a, ns, ns, exchange.AsideAuthFail
}

// asctime reads "Mon Jan 02 15:04:05.000000 2006".
func (c *clock) asctime(s []byte) (int64, bool) {
	if len(s) < 24 || s[3] != ' ' || s[7] != ' ' || s[10] != ' ' {
		return 0, false
	}
	i := bytes.LastIndexByte(s, ' ')
	if len(s)-i != 5 {
		return 0, false
	}
	var b [40]byte
	t := append(b[:0], s[8:10]...)
	if t[0] == ' ' {
		t[0] = '0'
	}
	t = append(append(append(append(t, '/'), s[4:7]...), '/'), s[i+1:]...)
	t = append(append(t, ':'), s[11:min(i, 26)]...)
	return c.clf(t)
}

// liteSpeedMessage reads
//
//	2006-01-02 15:04:05.000000 [NOTICE] … [WebAdmin Console] Failed Login Attempt - username:a ip:192.0.2.1 url:
func (p *parser) liteSpeedMessage(line []byte, x *exchange.Exchange) {
	i := bytes.LastIndex(line, []byte(" ip:")) // a user name may hold the like
	if i < 26 {
		return
	}
	client, _ := word(line[i+len(" ip:"):])
	a := address(client)
	ns, ok := p.clock.any(line[:19])
	if !ok || !a.IsValid() {
		return
	}
	x.Client, x.End, x.Start, x.Aside = a, ns, ns, exchange.AsideAdminFail
}
