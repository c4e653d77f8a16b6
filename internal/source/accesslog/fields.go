package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
)

// field is what a JSON member or an nginx variable means to us.
type field uint8

const (
	fNone field = iota
	fClient
	fRealClient // behind proxies that the server trusts
	fClientPort
	fRequest
	fMethod
	fRequestURI // as sent, with the query
	fURL        // put together by the logger, often with scheme and host
	fURI        // path alone
	fArgs
	fStatus
	fBodyBytes
	fBytes
	fUserAgent
	fReferer
	fForwardedFor
	fHost
	fServerName
	fScheme
	fHTTPS
	fProto
	fMsec
	fTimeISO
	fTimeLocal
	fTime
	fStart // when the request came, not when the line was written
	fElapsed
	fElapsedMs
	fElapsedUs
	fElapsedNs
	fDuration // seconds with a point or a unit, else milliseconds
	fLatency  // milliseconds where the start is in milliseconds too
	fServerAddr
	fServerPort
	fContentType
	fCookie
	fRequestBody
	fResponseBody
	fStream // Docker's stdout or stderr
	fText   // a wrapped text line
	fieldCount
)

// maxHeaders bounds the headers taken from one line.
const maxHeaders = 64

// fields are the values of one line.
type fields [fieldCount][]byte

// lookup knows nginx's variables and the members that the common JSON formats
// and gateways use. name is lower-case with dashes written as underscores.
func lookup(name []byte) field {
	switch string(name) {
	case "remote_addr", "client_ip", "clientip", "remote_ip", "remoteip", "client", "ip", "clienthost", "src_ip", "c_ip", "remote_address", "client_address", "client_addr", "realip_remote_addr", "remoteaddr", "remote_host", "downstream_remote_address", "downstream_remote_address_without_port", "source_ip", "peer_address", "client.ip", "source.ip", "client.address", "source.address", "remoteaddress":
		return fClient
	case "remote_port", "client_port", "clientport", "clientsrcport", "remoteport":
		return fClientPort
	case "request", "request_line", "req_line":
		return fRequest
	case "request_method", "method", "requestmethod", "verb", "http_method", "req_method", ":method", "request_type", "clientrequestmethod", "httpmethod", "http.request.method":
		return fMethod
	case "request_uri", "requesturi", "requestpath", "req_uri", "requested_uri", "x_envoy_original_path", "x_envoy_origin_path", ":path", "clientrequesturi":
		return fRequestURI
	case "url", "request_url", "requesturl", "url.original", "url_full", "url.full":
		return fURL
	case "uri", "path", "document_uri", "uri_path", "request_path", "url.path":
		return fURI
	case "args", "query_string", "query", "arguments", "uri_query", "url.query":
		return fArgs
	case "status", "status_code", "statuscode", "response_status", "downstreamstatus", "http_status", "response_code", "response_status_code", "http_status_code", "edgeresponsestatus", "httpstatus", "httpstatuscode", "http.response.status_code":
		return fStatus
	case "body_bytes_sent", "downstreamcontentsize", "response_body_size", "resp_body_size", "body_size", "edgeresponsebodybytes", "http.response.body.bytes":
		return fBodyBytes
	case "bytes_sent", "size", "bytes", "response_size", "responsesize", "response_length", "bytes_out", "edgeresponsebytes", "sentbytes", "http.response.bytes":
		return fBytes
	case "http_user_agent", "user_agent", "useragent", "agent", "request_user_agent", "clientrequestuseragent", "user_agent.original":
		return fUserAgent
	case "http_referer", "referer", "referrer", "http_referrer", "request_referer", "clientrequestreferer", "http.request.referrer":
		return fReferer
	case "http_x_forwarded_for", "x_forwarded_for", "xff", "proxy_add_x_forwarded_for", "forwarded_for", "request_x_forwarded_for":
		return fForwardedFor
	case "http_host", "host", "requesthost", "request_host", "authority", ":authority", "vhost", "domain", "clientrequesthost", "url.domain":
		return fHost
	case "server_name", "servername":
		return fServerName
	case "scheme", "url.scheme", "clientrequestscheme", "request_scheme", "requestscheme", "http_x_forwarded_proto":
		return fScheme
	case "https", "ssl_protocol", "tls_protocol", "ssl_cipher", "tlsversion":
		return fHTTPS
	case "server_protocol", "protocol", "proto", "requestprotocol", "http_version", "request_protocol", "clientrequestprotocol":
		return fProto
	case "msec":
		return fMsec
	case "time_iso8601", "@timestamp", "timestamp", "datetime", "edgeendtimestamp":
		return fTimeISO
	case "startutc", "start_time", "started_at", "starttime", "startlocal", "edgestarttimestamp":
		return fStart
	case "time_local", "timelocal", "timestamp_log":
		return fTimeLocal
	case "time", "ts", "date", "@time", "time_stamp", "log_time":
		return fTime
	case "request_time", "requesttime", "rt", "timetaken", "latency_human":
		return fElapsed
	case "duration_ms", "elapsed_ms", "latency_ms", "response_time_ms", "request_time_ms", "responsetime", "took_ms", "time_taken_ms":
		return fElapsedMs
	case "request_time_us", "duration_us", "elapsed_us":
		return fElapsedUs
	case "duration":
		return fDuration
	case "latency":
		return fLatency
	case "server_addr", "server_ip":
		return fServerAddr
	case "server_port":
		return fServerPort
	case "sent_http_content_type":
		return fContentType
	case "http_cookie":
		return fCookie
	case "request_body", "req_body":
		return fRequestBody
	case "response_body", "resp_body":
		return fResponseBody
	case "stream":
		return fStream
	case "log", "message", "msg", "textpayload":
		return fText
	}
	return fNone
}

// fromFields puts an exchange together from a line's values.
func (p *parser) fromFields(x *exchange.Exchange) string {
	f := &p.fields
	for i := range f {
		if v := f[i]; len(v) == 1 && v[0] == '-' && field(i) != fRequest {
			f[i] = nil
		}
	}
	odd := "" // why the request cannot be read
	if v := f[fRequest]; v != nil {
		if odd = p.request(v, x); odd != "" && x.Aside == exchange.AsideNone {
			return odd
		}
	} else if why := p.requestParts(x); why != "" {
		return why
	}
	if v := f[fProto]; len(v) > 5 && x.Proto <= 9 && bytes.EqualFold(v[:5], httpSlash) {
		x.Proto = proto(v[5:])
	}
	elapsed := p.elapsed()
	started, ok := false, false
	for i, t := range [...][]byte{f[fStart], f[fMsec], f[fTimeISO], f[fTimeLocal], f[fTime]} {
		if len(t) == 0 {
			continue
		}
		var ns int64
		if ns, ok = p.clock.any(t); ok {
			x.End, started = ns, i == 0
			break
		}
	}
	if !ok {
		ns, why := p.wrapped()
		if why != "" {
			return why
		}
		x.End = ns
	}
	if v, ok := digits(f[fStatus]); ok && len(f[fStatus]) == 3 {
		x.Status = v
	}
	size := f[fBodyBytes]
	if size == nil {
		size = f[fBytes]
	}
	if len(size) > 0 && len(size) < 16 {
		if n, ok := digits(size); ok {
			x.Response.BodySize = int64(n)
		}
	}
	if i := bytes.LastIndexByte(f[fClient], ','); i >= 0 {
		// X-Forwarded-For in the client's place, as Traefik writes it: the
		// last address is the one that its own proxy added.
		if f[fForwardedFor] == nil {
			f[fForwardedFor] = f[fClient]
		}
		f[fClient], f[fClientPort] = trimSpaces(f[fClient][i+1:]), nil
	}
	x.Client = withPort(f[fClient], f[fClientPort])
	if a := address(f[fRealClient]); a.IsValid() && a.Addr() != x.Client.Addr() {
		x.Client = a
	}
	x.Server = withPort(f[fServerAddr], f[fServerPort])
	if f[fHost] != nil {
		x.Host = f[fHost]
	}
	if x.Host == nil {
		x.Host = x.Request.Get("host")
	}
	if x.Host == nil && string(f[fServerName]) != "_" {
		x.Host = f[fServerName]
	}
	x.Secure = x.Secure || bytes.EqualFold(f[fScheme], []byte("https")) || len(f[fHTTPS]) > 0 && !bytes.EqualFold(f[fHTTPS], []byte("off"))
	h := x.Request.Header
	logged := len(h) > 0 // maybe the same headers under their own names
	for _, n := range [...]struct {
		name, value []byte
		lower       string
	}{{p.names.referer, f[fReferer], "referer"}, {p.names.userAgent, f[fUserAgent], "user-agent"},
		{p.names.forwardedFor, f[fForwardedFor], "x-forwarded-for"}, {p.names.cookie, f[fCookie], "cookie"}} {
		if n.value != nil && (!logged || x.Request.Get(n.lower) == nil) {
			h = addHeader(h, n.name, n.value)
		}
	}
	x.Request.Header = h
	x.Response.Header = addHeader(x.Response.Header, p.names.contentType, f[fContentType])
	if v := f[fRequestBody]; v != nil {
		x.Request.Body, x.Request.BodySize = v, int64(len(v))
		x.Caps |= exchange.CapRequestBody
	}
	if v := f[fResponseBody]; v != nil {
		x.Response.Body, x.Response.BodySize = v, int64(len(v))
		x.Caps |= exchange.CapResponseBody
	}
	if started && elapsed < 0 && f[fTimeISO] != nil {
		if end, ok := p.clock.any(f[fTimeISO]); ok && end > x.End && end-x.End < maxElapsed {
			elapsed = end - x.End
		}
	}
	if started && elapsed > 0 && x.End < maxTime-elapsed {
		x.End += elapsed
	}
	p.settle(x, elapsed)
	return odd
}

const maxTime = 9_200_000_000_000_000_000

// requestParts puts method and target together.
func (p *parser) requestParts(x *exchange.Exchange) string {
	f := &p.fields
	x.Method = f[fMethod]
	switch {
	case f[fRequestURI] != nil:
		x.Target = p.sent(f[fRequestURI], x)
	case f[fURL] != nil:
		x.Target = p.sent(f[fURL], x)
	case f[fURI] != nil:
		x.Target = p.sent(f[fURI], x)
		if f[fArgs] != nil && bytes.IndexByte(x.Target, '?') < 0 {
			start := len(p.text)
			p.text = append(append(append(p.text, x.Target...), '?'), bytes.TrimPrefix(f[fArgs], []byte("?"))...)
			x.Target = p.text[start:len(p.text):len(p.text)]
		}
	}
	if len(x.Target) == 0 && isMethod(x.Method) {
		return whyRequest
	}
	// Other loggers have methods and paths too: a login method, a file's path.
	if len(x.Target) == 0 || !isToken(x.Method) || f[fStatus] == nil && !isMethod(x.Method) || x.Target[0] != '/' && x.Target[0] != '*' && string(x.Method) != "CONNECT" {
		return whyMessage
	}
	return ""
}

// sent reduces a URL that a logger put together to what a client sends:
// path and query. Scheme and host are kept apart.
func (p *parser) sent(t []byte, x *exchange.Exchange) []byte {
	i := bytes.Index(t[:min(len(t), 9)], schemeEnd)
	if i < 4 || !bytes.EqualFold(t[:4], httpSlash[:4]) {
		return t
	}
	x.Secure = i == 5
	rest := t[i+3:]
	j := bytes.IndexAny(rest, "/?#")
	if j < 0 {
		x.Host = rest
		return slash
	}
	x.Host = rest[:j]
	if rest = rest[j:]; rest[0] == '/' {
		return rest
	}
	start := len(p.text)
	p.text = append(append(p.text, '/'), rest...)
	return p.text[start:len(p.text):len(p.text)]
}

var slash = []byte("/")

// isMethod knows the methods in use (IANA's list, and PURGE of caches).
func isMethod(m []byte) bool {
	switch string(m) {
	case "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PRI", "QUERY", "PURGE",
		"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "ACL", "BIND", "REBIND", "UNBIND",
		"CHECKIN", "CHECKOUT", "UNCHECKOUT", "VERSION-CONTROL", "LABEL", "LINK", "UNLINK", "MERGE", "MKACTIVITY", "MKCALENDAR",
		"MKREDIRECTREF", "UPDATEREDIRECTREF", "MKWORKSPACE", "ORDERPATCH", "UPDATE", "BASELINE-CONTROL", "SUBSCRIBE", "UNSUBSCRIBE", "NOTIFY":
		return true
	}
	return false
}

// elapsed gives how long the exchange took, in ns; -1 unknown.
func (p *parser) elapsed() int64 {
	f := &p.fields
	switch {
	case f[fElapsed] != nil:
		return duration(f[fElapsed], 1e9)
	case f[fElapsedMs] != nil:
		return duration(f[fElapsedMs], 1e6)
	case f[fElapsedUs] != nil:
		return duration(f[fElapsedUs], 1e3)
	case f[fElapsedNs] != nil:
		return duration(f[fElapsedNs], 1)
	case f[fDuration] != nil:
		if !bytes.ContainsAny(f[fDuration], ".e") {
			return duration(f[fDuration], 1e6)
		}
		return duration(f[fDuration], 1e9)
	case f[fLatency] != nil:
		// Loggers do not agree on the unit; some write it.
		start, _, _ := bytes.Cut(f[fStart], []byte("."))
		if v := f[fLatency]; len(start) == 13 || v[len(v)-1] == 's' {
			return duration(v, 1e6)
		}
	}
	return -1
}
