package accesslog

import "xiezhi/internal/exchange"

// loadBalancer parses the logs of AWS's load balancers: the application load
// balancer's lines begin with the kind of connection, the classic one's do not.
//
//	[type] time elb client:port target:port times×3 status status received sent "request" "user agent" cipher protocol …
func (p *parser) loadBalancer(line []byte, x *exchange.Exchange) string {
	w, rest := word(line)
	secure := false
	switch string(w) {
	case "http", "ws":
		w, rest = word(rest)
	case "https", "wss", "h2", "grpcs":
		secure = true
		w, rest = word(rest)
	}
	if len(w) < 19 || len(w) > 32 || w[4] != '-' || w[10] != 'T' {
		return whyFormat
	}
	ns, zoned, ok := exchange.ParseLocalTime(w)
	if !ok || ns <= 0 {
		return whyFormat
	}
	if !zoned {
		ns = p.clock.local(ns)
	}
	_, rest = word(rest) // the balancer's name
	client, rest := word(rest)
	target, rest := word(rest)
	if len(client) == 0 || len(target) == 0 {
		return whyFormat
	}
	elapsed := int64(0)
	for range 3 {
		w, rest = word(rest)
		if d := duration(w, 1e9); d > 0 {
			elapsed += d
		} else if d < 0 && (len(w) < 2 || w[0] != '-') {
			return whyFormat
		}
	}
	status, rest := word(rest)
	_, rest = word(rest) // the target's
	_, rest = word(rest) // bytes received
	sent, rest := word(rest)
	size, ok := digits(sent)
	if !ok || len(sent) == 0 || len(sent) > 15 || len(rest) == 0 || rest[0] != '"' {
		return whyFormat
	}
	request, rest, ok := quoted(rest)
	if !ok {
		return whyFormat
	}
	x.End = ns
	x.Response.BodySize = int64(size)
	if v, ok := digits(status); ok && len(status) == 3 {
		x.Status = v
	}
	x.Client = endpoint(client)
	if len(rest) > 2 && rest[1] == '"' {
		if agent, after, ok := quoted(rest[1:]); ok {
			x.Request.Header = addHeader(x.Request.Header, p.names.userAgent, p.plain(agent))
			cipher, _ := word(after)
			secure = secure || len(cipher) > 1
		}
	}
	if why := p.request(request, x); why != "" {
		return why
	}
	// The balancer writes the whole URL whatever form the client used.
	x.Target = p.sent(x.Target, x)
	x.Secure = x.Secure || secure
	p.settle(x, elapsed)
	return ""
}
