package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
)

// proxyManager holds the formats of nginx-proxy-manager (proxy hosts, other
// hosts) and NPMplus, in nginx's own notation.
var proxyManager = [...]*format{
	known(`[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] $sent_to"$http_user_agent" "$http_referer"`),
	known(`[$time_local] $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] $sent_to"$http_user_agent" "$http_referer"`),
	known(`[$time_local] $host $remote_addr $request_time "$request" $status $body_bytes_sent $bytes_sent $http_referer $http_user_agent`),
}

func known(text string) *format {
	f, err := compile(text)
	if err != nil {
		panic(err)
	}
	return f
}

// zoraxy parses
//
//	[time] [router:kind] [origin:host] [client: address] [useragent: text] METHOD URI status
//
// The user agent is the client's to choose and nothing in it is escaped, so
// the request is read from the right.
func (p *parser) zoraxy(line []byte, x *exchange.Exchange) string {
	if len(line) < 48 {
		return whyFormat
	}
	i := bytes.IndexByte(line[:40], ']')
	if i < 20 || !bytes.HasPrefix(line[i+1:], []byte(" [router:")) {
		return whyFormat
	}
	ns, ok := p.clock.any(line[1:i])
	if !ok {
		return whyTime
	}
	x.End = ns
	rest := line[i+2:]
	agent := false
	for len(rest) > 2 && rest[0] == '[' && !agent {
		colon := bytes.IndexAny(rest, ": ]")
		end := bytes.Index(rest, []byte("] "))
		if colon < 0 || end <= colon {
			return whyFormat
		}
		value := trimSpaces(rest[colon+1 : end])
		switch string(rest[1:colon]) {
		case "origin":
			x.Host = value
		case "client":
			x.Client = address(value)
		case "useragent":
			agent = true
			if end = bytes.LastIndex(rest, []byte("] ")); end <= colon {
				return whyFormat
			}
			value = trimSpaces(rest[colon+1 : end])
			x.Request.Header = addHeader(x.Request.Header, p.names.userAgent, value)
		}
		rest = rest[end+2:]
	}
	j := bytes.LastIndexByte(rest, ' ')
	if j < 0 {
		return whyFormat
	}
	status, ok := digits(rest[j+1:])
	if !ok || len(rest)-j != 4 {
		return whyFormat
	}
	x.Status = status
	if why := p.request(rest[:j], x); why != "" {
		return why
	}
	x.Proto = 0 // it is not logged
	p.settle(x, 0)
	return ""
}

// envoy parses Envoy's default format and Istio's, which has more after the
// flags and after the upstream:
//
//	[start] "request" status flags … received sent duration upstream-time "xff" "user agent" "id" "authority" "upstream" …
func (p *parser) envoy(line []byte, x *exchange.Exchange) string {
	i := bytes.IndexByte(line[:min(len(line), 40)], ']')
	if i < 20 || len(line) < i+8 || line[i+1] != ' ' || line[i+2] != '"' {
		return whyFormat
	}
	ns, zoned, ok := exchange.ParseLocalTime(line[1:i])
	if !ok || ns <= 0 {
		return whyFormat
	}
	if !zoned {
		ns = p.clock.local(ns)
	}
	request, rest, ok := quoted(line[i+2:])
	if !ok {
		return whyFormat
	}
	status, rest := word(rest)
	code, ok := digits(status)
	if !ok || len(status) == 0 || len(status) > 3 {
		return whyFormat
	}
	x.Status = code
	var v [24][]byte
	n := 0
	for n < len(v) && len(rest) > 0 {
		switch rest[0] {
		case ' ':
			rest = rest[1:]
			continue
		case '"':
			var in []byte
			if in, rest, ok = quoted(rest); !ok {
				return whyFormat
			}
			v[n] = in
		default:
			v[n], rest = word(rest)
		}
		n++
	}
	at := -1
	for k := 0; k+5 < n && at < 0; k++ {
		if isNumber(v[k]) && isNumber(v[k+1]) && isNumber(v[k+2]) && (isNumber(v[k+3]) || string(v[k+3]) == "-") {
			at = k
		}
	}
	x.End = ns
	elapsed := int64(0)
	if at >= 0 {
		elapsed = max(duration(v[at+2], 1e6), 0)
		size, _ := digits(v[at+1])
		x.Response.BodySize = int64(size)
		xff := v[at+4]
		x.Request.Header = addHeader(x.Request.Header, p.names.userAgent, p.plain(v[at+5]))
		if addressList(xff) {
			x.Request.Header = addHeader(x.Request.Header, p.names.forwardedFor, xff)
		}
		if at+7 < n && string(v[at+7]) != "-" {
			x.Host = p.plain(v[at+7])
		}
		if at+12 < n { // Istio
			x.Server, x.Client = address(v[at+11]), address(v[at+12])
		}
		if !x.Client.IsValid() {
			// Envoy appends the peer's address itself; what is left of it is
			// the client's own claim.
			x.Client = address(trimSpaces(xff[bytes.LastIndexByte(xff, ',')+1:]))
		}
	}
	if why := p.request(request, x); why != "" {
		return why
	}
	x.End += elapsed // the time logged is the start
	p.settle(x, elapsed)
	return ""
}

// isNumber reports whether s is a whole number of at most 15 digits.
func isNumber(s []byte) bool {
	_, ok := digits(s)
	return ok && len(s) > 0 && len(s) <= 15
}

// haproxy parses HAProxy's HTTP format:
//
//	client:port [accepted] frontend backend/server TR/Tw/Tc/Tr/Ta status bytes cookie cookie state conns queues {captured}{captured} "request"
//
// Captured headers have no names in the log; a host, a user agent, a referer
// and a list of addresses are told by their looks.
func (p *parser) haproxy(line []byte, x *exchange.Exchange) string {
	w, rest := word(line)
	client := endpoint(w)
	if client.Port() == 0 || len(rest) < 40 || rest[0] != '[' {
		return whyFormat
	}
	i := bytes.IndexByte(rest[:40], ']')
	if i < 0 {
		return whyFormat
	}
	ns, ok := p.clock.any(rest[1:i])
	if !ok {
		return whyFormat
	}
	frontend, rest := word(rest[i+1:])
	_, rest = word(rest) // backend/server
	timers, rest := word(rest)
	if n := bytes.Count(timers, []byte("/")); n != 4 {
		if n == 2 || len(frontend) > 0 && frontend[len(frontend)-1] == ':' {
			return whyMessage // TCP mode, or a connection that failed
		}
		return whyFormat
	}
	status, rest := word(rest)
	sent, rest := word(rest)
	cookie, rest := word(rest)
	_, rest = word(rest)
	state, rest := word(rest)
	conns, rest := word(rest)
	_, rest = word(rest) // queues
	size, ok := digits(bytes.TrimPrefix(sent, []byte("+")))
	code, codeOK := digits(status)
	if !ok || len(sent) > 15 || len(state) < 2 || bytes.Count(conns, []byte("/")) != 4 || !codeOK && string(status) != "-1" {
		return whyFormat
	}
	x.Client, x.End, x.Response.BodySize = client, ns, int64(size)
	if len(status) == 3 {
		x.Status = code
	}
	if len(cookie) > 1 {
		x.Request.Header = addHeader(x.Request.Header, p.names.cookie, cookie)
	}
	x.Secure = len(frontend) > 0 && frontend[len(frontend)-1] == '~'
	for group := 0; len(rest) > 0 && rest[0] == '{'; group++ {
		j := bytes.IndexByte(rest, '}')
		if j < 0 {
			return whyFormat
		}
		if group == 0 {
			p.captured(rest[1:j], x)
		}
		rest = bytes.TrimLeft(rest[j+1:], " ")
	}
	if len(rest) == 0 || rest[0] != '"' {
		return whyFormat
	}
	request := rest[1:]
	if j := bytes.IndexByte(request, '"'); j >= 0 {
		request = request[:j]
	} // else HAProxy cut a line that was too long
	if bytes.HasPrefix(request, []byte("<BADREQ>")) {
		return whyRequest
	}
	if why := p.request(p.hash(request), x); why != "" {
		return why
	}
	if x.Proto >= 20 { // HTTP/2 has no absolute form; HAProxy puts the URL together
		x.Target = p.sent(x.Target, x)
	}
	elapsed := max(duration(bytes.TrimPrefix(timers[bytes.LastIndexByte(timers, '/')+1:], []byte("+")), 1e6), 0)
	x.End += elapsed // the time logged is the request's first byte
	p.settle(x, elapsed)
	return ""
}

// hash undoes #HH, HAProxy's escape.
func (p *parser) hash(s []byte) []byte {
	if bytes.IndexByte(s, '#') < 0 {
		return s
	}
	start := len(p.text)
	for i := 0; i < len(s); i++ {
		if s[i] == '#' && i+2 < len(s) {
			hi, ok1 := hexDigit(s[i+1])
			lo, ok2 := hexDigit(s[i+2])
			if ok1 && ok2 {
				p.text = append(p.text, hi<<4|lo)
				i += 2
				continue
			}
		}
		p.text = append(p.text, s[i])
	}
	return p.text[start:len(p.text):len(p.text)]
}

// captured looks through values separated by bars.
func (p *parser) captured(s []byte, x *exchange.Exchange) {
	var referer, agent, xff []byte
	for more := true; more; {
		var v []byte
		v, s, more = bytes.Cut(s, []byte("|"))
		if v = p.hash(trimSpaces(v)); len(v) == 0 {
			continue
		}
		switch {
		case xff == nil && addressList(v):
			xff = v
		case referer == nil && (bytes.HasPrefix(v, []byte("http://")) || bytes.HasPrefix(v, []byte("https://"))):
			referer = v
		case agent == nil && isAgent(v):
			agent = v
		case x.Host == nil && isHostName(v):
			x.Host = v
		}
	}
	h := addHeader(x.Request.Header, p.names.referer, referer)
	h = addHeader(h, p.names.userAgent, agent)
	x.Request.Header = addHeader(h, p.names.forwardedFor, xff)
}

// isAgent reports whether v begins as user agents do: name/version.
func isAgent(v []byte) bool {
	i := bytes.IndexByte(v, '/')
	if i < 2 || i > 32 || i+1 == len(v) || v[i+1]-'0' > 9 && v[i+1] != 'v' {
		return false
	}
	for _, c := range v[:i] {
		if c-'0' > 9 && (c|0x20)-'a' > 25 && c != '-' && c != '_' && c != '.' && c != ' ' {
			return false
		}
	}
	return (v[0]|0x20)-'a' <= 25
}

// isHostName reports whether v is a host name with a dot, maybe with a port.
func isHostName(v []byte) bool {
	if i := bytes.LastIndexByte(v, ':'); i > 0 {
		if _, ok := digits(v[i+1:]); !ok || len(v)-i > 6 || i+1 == len(v) {
			return false
		}
		v = v[:i]
	}
	dots := 0
	for i, c := range v {
		switch {
		case c == '.':
			if i == 0 || v[i-1] == '.' {
				return false
			}
			dots++
		case c-'0' > 9 && (c|0x20)-'a' > 25 && c != '-' && c != '_':
			return false
		}
	}
	return dots > 0 && len(v) <= 253
}

// console parses a line of text that ends with a JSON object, as Caddy's and
// zap's console encoders write it: time, level, logger, message, object, with
// tabs between.
func (p *parser) console(line []byte, x *exchange.Exchange) string {
	i := bytes.Index(line[:min(len(line), 256)], []byte("\t{"))
	if i < 0 {
		return whyFormat
	}
	w := line[:bytes.IndexByte(line, '\t')]
	if ns, ok := p.clock.any(w); ok {
		p.outer = stamp{ns: ns}
	}
	return p.json(line[i+1:], x, 1)
}
