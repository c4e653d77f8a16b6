package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
)

// combined parses
//
//	[syslog header] [vhost[:port]] client ident user [time] "request" status bytes ["referer" "user agent" …]
//
// The first quote of the line opens the request: servers escape quotes in the
// user name, which is the client's to choose, so neither time nor address can
// be forged through it. Addresses are looked for from the left for the same
// reason.
func (p *parser) combined(line []byte, x *exchange.Exchange) string {
	q := bytes.IndexByte(line, '"')
	if q < 24 || line[q-1] != ' ' || line[q-2] != ']' {
		return whyFormat
	}
	open := q - 29
	if open < 0 || line[open] != '[' {
		if open = bytes.LastIndexByte(line[:q-2], '['); open < 0 {
			return whyFormat
		}
	}
	if open < 2 || line[open-1] != ' ' {
		return whyFormat
	}
	ns, ok := p.clock.clf(line[open+1 : q-2])
	if !ok {
		return whyTime
	}
	x.End = ns

	request, rest, ok := quoted(line[q:])
	if !ok || len(rest) < 4 || rest[0] != ' ' {
		return whyFormat
	}
	rest = rest[1:]
	switch {
	case len(rest) >= 3 && rest[0]-'0' <= 9 && rest[1]-'0' <= 9 && rest[2]-'0' <= 9 && (len(rest) == 3 || rest[3] == ' '):
		x.Status = int(rest[0]-'0')*100 + int(rest[1]-'0')*10 + int(rest[2]-'0')
		rest = rest[3:]
	case rest[0] == '-' && rest[1] == ' ':
		rest = rest[1:]
	default:
		return whyFormat
	}
	p.origin(line[:open-1], x)

	elapsed := int64(0)
	if len(rest) > 1 {
		rest = rest[1:]
		n, i := int64(0), 0
		for i < len(rest) && rest[i]-'0' <= 9 && i < 16 {
			n = n*10 + int64(rest[i]-'0')
			i++
		}
		switch {
		case i > 0 && (i == len(rest) || rest[i] == ' '):
			x.Response.BodySize = n
			rest = rest[i:]
		case rest[0] == '-' && (len(rest) == 1 || rest[1] == ' '):
			x.Response.BodySize = 0 // Apache's %b
			rest = rest[1:]
		}
		elapsed = p.tail(rest, x)
	}
	why := p.request(request, x)
	if why == "" || x.Aside != exchange.AsideNone {
		p.settle(x, elapsed)
	}
	return why
}

// quoted gives what is between the quote at s[0] and the next one that no
// backslash escapes, and what follows.
func quoted(s []byte) (in, rest []byte, ok bool) {
	for i := 1; ; {
		j := bytes.IndexByte(s[i:], '"')
		if j < 0 {
			return nil, nil, false
		}
		i += j
		k := i
		for k > 1 && s[k-1] == '\\' {
			k--
		}
		if (i-k)&1 == 0 {
			return s[1:i], s[i+1:], true
		}
		i++
	}
}

// origin finds client and virtual host in what precedes the time.
func (p *parser) origin(s []byte, x *exchange.Exchange) {
	first, rest := word(s)
	if a := address(first); a.IsValid() {
		x.Client = a
		// "10.0.0.1:443 192.0.2.1 - -": a virtual host named by its address.
		if a.Port() == 0 {
			if len(rest) > 1 && rest[0] != '-' {
				// lighttpd: client host user. With two words the second is the
				// user, whose name is the client's to choose.
				host, user := word(rest)
				if len(user) > 0 && isHostName(host) && !address(host).IsValid() {
					x.Host = host
				}
			}
			return
		}
		if second, _ := word(rest); address(second).IsValid() {
			x.Client, x.Host = address(second), first
		}
		return
	}
	second, rest := word(rest)
	for len(first) > 0 && first[len(first)-1] == ',' && len(second) > 0 && second[len(second)-1] == ',' {
		second, rest = word(rest) // X-Forwarded-For in the client's place: the last address counts
	}
	if a := address(bytes.TrimSuffix(second, comma)); a.IsValid() {
		x.Client = a
		if len(first) > 1 && first[len(first)-1] != ':' && first[len(first)-1] != ',' {
			x.Host = first
		}
		return
	}
	// A syslog header ends with its tag, "nginx[42]:"; the line follows.
	for tagged := false; len(rest) > 0; {
		var w []byte
		if w, rest = word(rest); tagged {
			if a := address(w); a.IsValid() {
				x.Client = a
				return
			}
			host := w
			if w, _ = word(rest); address(w).IsValid() {
				x.Client, x.Host = address(w), host
			}
			return
		}
		tagged = len(w) > 0 && w[len(w)-1] == ':'
	}
}

var comma = []byte(",")

func word(s []byte) (w, rest []byte) {
	for len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	if i := bytes.IndexByte(s, ' '); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, nil
}

// tail reads what follows the size: referer and user agent in quotes, then
// fields every operator chooses for himself. Of those only what cannot be
// mistaken is used: a list of addresses right after the user agent (nginx's
// own "main" format), the first number with three decimals ($request_time) or
// with ms (Traefik), rt=….
func (p *parser) tail(s []byte, x *exchange.Exchange) (elapsed int64) {
	elapsed = -1
	for n := 0; len(s) > 0; {
		if s[0] == ' ' {
			s = s[1:]
			continue
		}
		if s[0] != '"' {
			var w []byte
			w, s = word(s)
			if elapsed < 0 {
				k := len(w)
				switch {
				case k > 4 && w[k-4] == '.': // $request_time comes before its upstreams'
					elapsed = duration(w, 1e9)
				case k > 2 && w[k-1] == 's' && w[k-2] == 'm': // Traefik
					elapsed = duration(w, 1e9)
				case bytes.HasPrefix(w, []byte("rt=")):
					elapsed = duration(w[3:], 1e9)
				case bytes.HasPrefix(w, []byte("request_time=")):
					elapsed = duration(w[13:], 1e9)
				}
			}
			continue
		}
		v, rest, ok := quoted(s)
		if !ok {
			break
		}
		s = rest
		switch n++; n {
		case 1:
			x.Request.Header = addHeader(x.Request.Header, p.names.referer, p.plain(v))
		case 2:
			x.Request.Header = addHeader(x.Request.Header, p.names.userAgent, p.plain(v))
		case 3:
			if addressList(v) {
				x.Request.Header = addHeader(x.Request.Header, p.names.forwardedFor, v)
			}
		}
	}
	return elapsed
}

// plain unescapes if there is anything to unescape.
func (p *parser) plain(s []byte) []byte {
	if bytes.IndexByte(s, '\\') >= 0 {
		return p.unescape(s)
	}
	return s
}

func addressList(s []byte) bool {
	for len(s) > 0 {
		w := s
		if i := bytes.IndexByte(s, ','); i >= 0 {
			w, s = s[:i], s[i+1:]
		} else {
			s = nil
		}
		if !address(trimSpaces(w)).IsValid() {
			return false
		}
	}
	return true
}
