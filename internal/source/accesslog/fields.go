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
	fClientPort
	fRequest
	fMethod
	fRequestURI // as sent, with the query
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
	fElapsed
	fElapsedNs
	fServerAddr
	fServerPort
	fContentType
	fText // a wrapped text line
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
	case "remote_addr", "client_ip", "clientip", "remote_ip", "remoteip", "client", "ip", "clienthost", "src_ip", "c_ip", "remote_address", "client_address", "client_addr", "realip_remote_addr", "remoteaddr", "remote_host", "downstream_remote_address":
		return fClient
	case "remote_port", "client_port":
		return fClientPort
	case "request", "request_line", "req_line":
		return fRequest
	case "request_method", "method", "requestmethod", "verb", "http_method", "req_method":
		return fMethod
	case "request_uri", "requesturi", "requestpath", "url", "req_uri", "requested_uri", "x_envoy_original_path", "x_envoy_origin_path":
		return fRequestURI
	case "uri", "path", "document_uri", "uri_path", "request_path":
		return fURI
	case "args", "query_string", "query", "arguments", "uri_query":
		return fArgs
	case "status", "status_code", "statuscode", "response_status", "downstreamstatus", "http_status", "response_code", "response_status_code":
		return fStatus
	case "body_bytes_sent", "downstreamcontentsize", "response_body_size", "resp_body_size", "body_size":
		return fBodyBytes
	case "bytes_sent", "size", "bytes", "response_size", "responsesize", "response_length", "bytes_out":
		return fBytes
	case "http_user_agent", "user_agent", "useragent", "agent", "request_user_agent":
		return fUserAgent
	case "http_referer", "referer", "referrer", "http_referrer", "request_referer":
		return fReferer
	case "http_x_forwarded_for", "x_forwarded_for", "xff", "proxy_add_x_forwarded_for", "forwarded_for", "request_x_forwarded_for":
		return fForwardedFor
	case "http_host", "host", "requesthost", "request_host", "authority", "vhost", "domain":
		return fHost
	case "server_name", "servername":
		return fServerName
	case "scheme", "request_scheme", "requestscheme", "http_x_forwarded_proto":
		return fScheme
	case "https", "ssl_protocol", "tls_protocol", "ssl_cipher", "tlsversion":
		return fHTTPS
	case "server_protocol", "protocol", "proto", "requestprotocol", "http_version", "request_protocol":
		return fProto
	case "msec":
		return fMsec
	case "time_iso8601", "@timestamp", "timestamp", "datetime", "startutc", "start_time":
		return fTimeISO
	case "time_local", "timelocal", "startlocal":
		return fTimeLocal
	case "time", "ts", "date", "@time", "time_stamp", "log_time":
		return fTime
	case "request_time", "requesttime", "rt":
		return fElapsed
	case "server_addr", "server_ip":
		return fServerAddr
	case "server_port":
		return fServerPort
	case "sent_http_content_type":
		return fContentType
	case "log", "message", "msg":
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
	if v := f[fRequest]; v != nil {
		if why := p.request(v, x); why != "" {
			return why
		}
	} else {
		x.Method = f[fMethod]
		if x.Target = f[fRequestURI]; x.Target == nil {
			if x.Target = f[fURI]; x.Target != nil && f[fArgs] != nil {
				start := len(p.text)
				p.text = append(append(append(p.text, x.Target...), '?'), bytes.TrimPrefix(f[fArgs], []byte("?"))...)
				x.Target = p.text[start:len(p.text):len(p.text)]
			}
		}
		if len(x.Method) == 0 || len(x.Target) == 0 || !isToken(x.Method) {
			return whyRequest
		}
	}
	if v := f[fProto]; len(v) > 5 && x.Proto <= 9 && bytes.EqualFold(v[:5], httpSlash) {
		x.Proto = proto(v[5:])
	}
	end, ok := int64(0), false
	for _, t := range [...][]byte{f[fMsec], f[fTimeISO], f[fTimeLocal], f[fTime]} {
		if len(t) > 0 {
			if end, ok = p.clock.any(t); ok {
				break
			}
		}
	}
	if !ok {
		return whyTime
	}
	x.End = end
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
	x.Client = withPort(f[fClient], f[fClientPort])
	x.Server = withPort(f[fServerAddr], f[fServerPort])
	if x.Host = f[fHost]; x.Host == nil && string(f[fServerName]) != "_" {
		x.Host = f[fServerName]
	}
	x.Secure = bytes.EqualFold(f[fScheme], []byte("https")) || len(f[fHTTPS]) > 0 && !bytes.EqualFold(f[fHTTPS], []byte("off"))
	h := addHeader(x.Request.Header, p.names.referer, f[fReferer])
	h = addHeader(h, p.names.userAgent, f[fUserAgent])
	x.Request.Header = addHeader(h, p.names.forwardedFor, f[fForwardedFor])
	x.Response.Header = addHeader(x.Response.Header, p.names.contentType, f[fContentType])
	elapsed := seconds(f[fElapsed])
	if n := f[fElapsedNs]; len(n) > 0 && len(n) < 16 {
		if v, ok := digits(n); ok {
			elapsed = int64(v)
		}
	}
	p.settle(x, elapsed)
	return ""
}
