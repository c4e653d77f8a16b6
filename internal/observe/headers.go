package observe

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// headerRole says what a request header is to observe.
type headerRole uint16

const (
	headVaries     headerRole = 1 << iota // per request, per user or added on the way: no part of the order hash
	headExact                             // its value is part of the order hash
	headLanguage                          // its form is
	headQuiet                             // no place for attack patterns
	headForwarded                         // names addresses of the way
	headClient                            // names the client's address
	headAccount                           // names the account, as configured
	headProto                             // says whether the client's side was secure
	headCredential                        // carries a credential
	headDevice                            // carries the device's id
	headParameter                         // says something to the application
)

// headerRoles is a table of what is known about header names. What is not in
// it is a name of the client's own: part of the order, matched for patterns.
func headerRoles(n *Names) map[string]headerRole {
	m := map[string]headerRole{}
	put := func(r headerRole, names ...string) {
		for _, s := range names {
			m[s] |= r
		}
	}
	put(headVaries|headQuiet, "content-length", "transfer-encoding", "if-none-match", "if-modified-since", "if-match",
		"if-unmodified-since", "if-range", "range", "authorization", "proxy-authorization", "traceparent", "tracestate",
		"x-amzn-trace-id", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags", "b3",
		"uber-trace-id", "sw8", "sentry-trace", "x-cloud-trace-context", "eagleeye-traceid", "eagleeye-rpcid", "via", "max-forwards",
		"x-envoy-expected-rq-timeout-ms", "x-envoy-attempt-count", "x-envoy-decorator-operation", "x-envoy-internal",
		"cf-ray", "cf-visitor", "cf-ipcountry", "cdn-loop", "x-varnish", "x-forwarded-port", "x-forwarded-server",
		"x-forwarded-prefix", "ssl-client-verify", "x-amz-cf-id", "x-nws-log-uuid", "x-tt-logid", "grpc-timeout", "grpc-trace-bin")
	put(headVaries, "cookie", "x-request-id", "x-correlation-id", "request-id", "correlation-id", "x-trace-id", "trace-id",
		"baggage", "x-csrf-token", "x-xsrf-token", "csrf-token", "x-csrftoken", "idempotency-key", "x-nonce", "x-timestamp",
		"x-sign", "x-signature", "sign", "signature", "timestamp", "nonce", "content-md5", "x-content-md5", "x-ca-nonce",
		"x-ca-signature", "x-ca-timestamp", "x-ca-key", "x-forwarded-host", "x-original-uri", "x-original-url", "x-rewrite-url", "x-amz-date")
	put(headVaries|headClient|headQuiet, "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "cf-connecting-ipv6", "fastly-client-ip", "fly-client-ip",
		"x-cluster-client-ip", "ali-cdn-real-ip", "cdn-src-ip", "x-cdn-src-ip", "x-azure-clientip", "x-appengine-user-ip", "x-envoy-external-address", "wl-proxy-client-ip", "proxy-client-ip")
	put(headVaries|headForwarded|headQuiet, "x-original-forwarded-for")
	put(headVaries|headForwarded, "x-forwarded-for", "forwarded")
	put(headVaries|headProto|headQuiet, "x-forwarded-proto", "x-forwarded-protocol", "x-forwarded-scheme", "x-forwarded-ssl",
		"front-end-https", "x-url-scheme", "x-scheme")
	put(headExact, "accept", "accept-encoding", "connection")
	put(headLanguage, "accept-language")
	put(headQuiet, "accept", "accept-encoding", "accept-charset", "accept-language", "connection", "host", "content-type", "cache-control", "pragma",
		"upgrade-insecure-requests", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user", "sec-ch-ua",
		"sec-ch-ua-mobile", "sec-ch-ua-platform", "dnt", "te", "priority", "keep-alive", "expect", "origin",
		"sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "upgrade", "date")
	// Of what varies, these are what a caller has to send.
	put(headParameter, "x-csrf-token", "x-xsrf-token", "csrf-token", "x-csrftoken", "idempotency-key", "x-nonce", "x-timestamp", "x-sign", "x-signature",
		"sign", "signature", "timestamp", "nonce", "content-md5", "x-content-md5", "x-ca-nonce", "x-ca-signature", "x-ca-timestamp", "x-ca-key")
	for _, s := range n.credentialHeaders {
		put(headVaries|headCredential, s)
	}
	for _, s := range n.addressHeaders {
		if m[s]&(headForwarded|headClient) == 0 {
			put(headVaries|headClient, s)
		}
	}
	for _, s := range n.deviceHeaders {
		put(headDevice|headParameter, s)
	}
	for _, s := range n.accountHeaders {
		put(headVaries|headAccount, s)
	}
	return m
}

// notKeys are parts of header names that end like a credential's and are none.
var notKeys = [...]string{"csrf", "xsrf", "idempoten", "cache", "surrogate", "partition", "routing", "request", "dedup", "websocket", "push", "fcm", "apns", "sort", "page", "public", "trace", "antiforgery",
	"verification", "captcha", "sitekey"}

// coinedKey reports whether a header that no list knows is called a key, a
// token or a secret: what a house coins for its own terminals and services.
func coinedKey(name []byte) bool {
	i := bytes.LastIndexAny(name, "-_")
	if i <= 0 {
		return false
	}
	switch string(name[i+1:]) {
	case "key", "token", "secret", "apikey", "appkey", "accesskey", "secretkey", "credential", "ticket":
	default:
		return false
	}
	for _, w := range notKeys {
		if bytes.Contains(name, []byte(w)) {
			return false
		}
	}
	return true
}

// observeHeaders reads the request's header lines once.
func (o *Observer) observeHeaders() {
	x, ob := o.x, o.o
	order := orderAvailable(x)
	var hash orderHash
	hash.begin(x.Proto)
	var heads [maxHeads]uint16
	nheads := 0
	for i := range x.Request.Header {
		h := &x.Request.Header[i]
		e := o.headName(h.Name)
		if e.role&headParameter != 0 {
			if nheads < maxHeads {
				heads[nheads] = uint16(i)
			}
			nheads++
		}
		name, v, role := e.lower, h.Value, e.role
		if order && role&headVaries == 0 && len(name) > 0 && name[0] != ':' {
			hash.mix(e.hash, e.casing)
			switch {
			case role&headExact != 0:
				hash.value(v)
			case role&headLanguage != 0:
				f := languageForm(v)
				hash.value(f[:])
			}
		}
		if role&headDevice != 0 {
			o.deviceHeader(v)
		}
		switch {
		case role&headForwarded != 0:
			o.forwarded(name, v)
		case role&headClient != 0:
			o.claimed(name, v)
		case role&headAccount != 0:
			o.accountHeader(name, v)
		case role&headProto != 0:
			ob.Secure = ob.Secure || forwardedSecure(v)
		case role&headCredential != 0:
			o.headerCredential(name, v)
			if e.sign == traitSignKey {
				o.request.signPart(e.sign, InHeader, o.word(name), v)
			}
		case e.sign != 0:
			o.request.signPart(e.sign, InHeader, o.word(name), trimSpace(v))
		case e.kind == headAuthorization:
			o.authorization(v)
			continue
		case e.kind == headCookie:
			o.cookies(v)
			continue
		case e.kind == headOrigin:
			ob.Origin = o.word(originOf(v))
		}
		memo, known := o.memorable(e.kind, v)
		if known {
			if o.recallValue(memo); memo.clear {
				continue
			}
		} else {
			switch e.kind {
			case headAgent:
				o.agent(v)
			case headReferer:
				ob.Referer = o.hostName(authorityOf(v))
			}
			if memo != nil {
				o.keepValue(memo)
			}
		}
		if ob.Part > 0 {
			continue // attacks in the head are the exchange's, not every call's
		}
		o.matches = 0
		if role&headQuiet == 0 && len(v) > 3 && o.cfg.Signatures != nil {
			o.matchHeader(e, v)
		}
		if memo != nil {
			memo.clear = o.matches == 0
		}
	}
	if order {
		ob.HeaderOrder = hash.sum()
	}
	if nheads > 0 && nheads <= maxHeads {
		o.headForm(heads[:nheads])
	}
}

// maxHeads is how many parameters the header of a request may have; one with
// more is a search for hidden ones.
const maxHeads = 24

// headForm notes which parameters stand in the header. It comes before the
// other fields of the request.
func (o *Observer) headForm(at []uint16) {
	for _, i := range at {
		h := &o.x.Request.Header[i]
		f := o.formField(o.headName(h.Name).lower)
		if f == nil {
			o.over(1)
			continue
		}
		o.textForm(f, InHeader, trimSpace(h.Value))
	}
	o.o.HeadForm = o.takeForm(formHead)
	o.beginFields()
}

// noise are beginnings of header names that browsers, proxies and tools send of
// their own accord, noisyHeads whole names: no application asks for them.
var noise = [...]string{":", "sec-", "x-forwarded", "x-original", "x-rewrite", "x-real", "x-b3-", "x-envoy-", "x-amz", "x-akamai", "akamai-", "x-azure", "x-arr-", "x-appengine", "x-google-", "x-goog-", "x-cloud-",
	"x-datadog-", "newrelic", "x-newrelic-", "x-dynatrace", "x-instana-", "x-istio-", "x-nginx-", "x-varnish", "x-cdn", "cdn-", "cf-", "fastly-", "ali-", "eagle", "x-tt-", "x-wap-", "x-up-", "x-nokia-",
	"x-operamini-", "x-ucbrowser-", "x-att-", "x-browser-", "x-chrome-", "x-scanner", "access-control-", "if-", "ping-", "proxy-", "ssl-", "x-ssl-", "x-client-cert", "x-request-st", "x-queue-"}

var noisyHeads = [...]string{"user-agent", "referer", "referrer", "from", "purpose", "x-purpose", "x-moz", "x-requested-with", "save-data", "viewport-width", "width", "dpr", "rtt", "downlink", "ect", "device-memory",
	"accept-datetime", "accept-ch", "accept-ranges", "a-im", "alt-used", "http2-settings", "last-event-id", "x-client-data", "x-do-not-track", "x-http-method-override", "x-method-override", "x-debug", "x-wallarm-scanner-info", "server", "warning", "trailer", "early-data",
	"content-encoding", "content-disposition", "content-language", "content-location", "content-transfer-encoding", "mime-version", "cookie2", "authority", "method", "scheme", "path", "soapaction"}

// parameterName reports whether a header of a name that no list knows says
// something to the application.
func parameterName(name []byte) bool {
	for _, s := range noise {
		if bytes.HasPrefix(name, []byte(s)) {
			return false
		}
	}
	for _, s := range noisyHeads {
		if string(name) == s {
			return false
		}
	}
	return len(name) > 0
}

// headKind names the headers that are read by name.
type headKind uint8

const (
	headOther headKind = iota
	headAuthorization
	headCookie
	headOrigin
	headAgent
	headReferer
)

func kindOfHeader(lower string, known bool) headKind {
	switch lower {
	case "user-agent":
		return headAgent
	case "referer":
		return headReferer
	}
	if known {
		switch lower {
		case "authorization":
			return headAuthorization
		case "cookie":
			return headCookie
		case "origin":
			return headOrigin
		}
	}
	return headOther
}

// forwarded reads the addresses of X-Forwarded-For and its relatives, nearest
// to the client first.
func (o *Observer) forwarded(name, v []byte) {
	for len(v) > 0 {
		item := v
		if i := bytes.IndexByte(v, ','); i >= 0 {
			item, v = v[:i], v[i+1:]
		} else {
			v = nil
		}
		item = trimSpace(item)
		if string(name) == "forwarded" {
			o.forwardedElement(item)
			continue
		}
		o.hop(item)
	}
}

// forwardedElement reads for= and proto= of one element of Forwarded.
func (o *Observer) forwardedElement(item []byte) {
	for len(item) > 0 {
		pair := item
		if i := bytes.IndexByte(item, ';'); i >= 0 {
			pair, item = item[:i], item[i+1:]
		} else {
			item = nil
		}
		eq := bytes.IndexByte(pair, '=')
		if eq < 0 {
			continue
		}
		var buf [8]byte
		key, val := trimSpace(pair[:eq]), bytes.Trim(trimSpace(pair[eq+1:]), `"`)
		if len(key) > len(buf) {
			continue
		}
		switch string(lower(buf[:0], key)) {
		case "for":
			o.hop(val)
		case "proto":
			o.o.Secure = o.o.Secure || forwardedSecure(val)
		}
	}
}

func (o *Observer) hop(b []byte) {
	a, ok := parseAddr(b)
	if !ok {
		return
	}
	list := o.out.addrs.open()
	for _, have := range list {
		if have == a {
			return
		}
	}
	if len(list) >= MaxForwarded {
		o.over(1)
		return
	}
	o.out.addrs.add(a)
}

// claimed reads the address of a header that names the client's only.
func (o *Observer) claimed(name, v []byte) {
	if i := bytes.IndexByte(v, ','); i >= 0 {
		v = v[:i]
	}
	a, ok := parseAddr(trimSpace(v))
	if !ok {
		return
	}
	list := o.out.claimed.open()
	for i := range list {
		if list[i].Header == string(name) {
			return
		}
	}
	if len(list) >= MaxClaimed {
		o.over(1)
		return
	}
	o.out.claimed.add(ClaimedAddr{Header: o.word(name), Addr: a})
}

// parseAddr reads an address, with or without port and brackets.
func parseAddr(b []byte) (a netip.Addr, ok bool) {
	if len(b) < 2 || len(b) > 64 || hexValue(b[0]) > 15 && b[0] != '[' && b[0] != ':' {
		return a, false
	}
	if b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 {
			return a, false
		}
		b = b[1:end]
	} else if i := bytes.IndexByte(b, ':'); i > 0 && bytes.IndexByte(b[i+1:], ':') < 0 {
		b = b[:i]
	}
	if bytes.IndexByte(b, '%') >= 0 || len(b) == 0 || bytes.IndexByte(b, '.') < 0 && bytes.IndexByte(b, ':') < 0 {
		return a, false
	}
	a, err := netip.ParseAddr(unsafe.String(&b[0], len(b))) // the error is dropped, so nothing keeps the string
	return a.Unmap(), err == nil
}

func forwardedSecure(v []byte) bool {
	if i := bytes.IndexByte(v, ','); i >= 0 {
		v = v[:i] // the client's side stands first
	}
	v = trimSpace(v)
	var buf [8]byte
	if len(v) > len(buf) {
		return false
	}
	switch string(lower(buf[:0], v)) {
	case "https", "wss", "on", "1", "true":
		return true
	}
	return false
}

// authorityOf gives host:port of a URL.
func authorityOf(b []byte) []byte {
	i := bytes.Index(b, schemeEnd)
	if i < 0 || i > 32 {
		return nil
	}
	b = b[i+3:]
	if end := bytes.IndexAny(b, "/?#"); end >= 0 {
		b = b[:end]
	}
	return b
}

// originOf gives scheme://host:port of an Origin, which has no path.
func originOf(b []byte) []byte {
	if i := bytes.Index(b, schemeEnd); i >= 0 {
		if end := bytes.IndexAny(b[i+3:], "/?#"); end >= 0 {
			return b[:i+3+end]
		}
	}
	return b
}
