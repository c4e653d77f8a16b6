package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
)

// loose reads lines in an operator's own format, as far as they cannot be
// mistaken: a quoted request line with its version, right after it a status,
// and somewhere before or after a time. The address is the first one left of
// the request, else the first one right of it; a host name next to it is the
// host; of quoted values after the status one that looks like a user agent and
// one that is a URL are taken.
func (p *parser) loose(line []byte, x *exchange.Exchange) string {
	q, request, rest := quotedRequest(line)
	if request == nil {
		return whyFormat
	}
	status, rest := word(rest)
	code, ok := digits(status)
	if !ok || len(status) != 3 || code < 100 || code > 599 {
		return whyFormat
	}
	ns, ok := p.find(line[:q])
	if !ok {
		if ns, ok = p.find(rest); !ok {
			var why string
			if ns, why = p.wrapped(); why != "" {
				return why
			}
		}
	}
	x.End, x.Status = ns, code
	var v []byte
	for s := line[:q]; len(s) > 0; {
		v, s = word(s)
		v = bytes.Trim(v, "[]\",()|")
		if a := address(v); a.IsValid() && !x.Client.IsValid() {
			x.Client = a
		} else if x.Host == nil && isHostName(v) && (v[0]|0x20)-'a' <= 25 {
			x.Host = v
		}
	}
	n := 0
	for s := rest; len(s) > 0 && n < maxHeaders; n++ {
		for len(s) > 0 && s[0] == ' ' {
			s = s[1:]
		}
		if len(s) > 0 && s[0] == '"' {
			in, after, ok := quoted(s)
			if !ok {
				break
			}
			s = after
			switch {
			case bytes.HasPrefix(in, []byte("http")) && bytes.Contains(in[:min(len(in), 9)], schemeEnd) && x.Request.Get("referer") == nil:
				x.Request.Header = addHeader(x.Request.Header, p.names.referer, p.plain(in))
			case isAgent(in) && x.Request.Get("user-agent") == nil:
				x.Request.Header = addHeader(x.Request.Header, p.names.userAgent, p.plain(in))
			case !x.Client.IsValid() && addressList(in):
				x.Client = address(trimSpaces(in[bytes.LastIndexByte(in, ',')+1:]))
			}
			continue
		}
		v, s = word(s)
		switch {
		case n == 0 && isNumber(v):
			size, _ := digits(v)
			x.Response.BodySize = int64(size)
		case !x.Client.IsValid():
			x.Client = address(v)
		}
	}
	if why := p.request(request, x); why != "" {
		return why
	}
	p.settle(x, 0)
	return ""
}

// quotedRequest finds the first quote that holds METHOD target HTTP/version.
func quotedRequest(line []byte) (at int, request, rest []byte) {
	for i := 0; i < len(line); {
		j := bytes.IndexByte(line[i:], '"')
		if j < 0 {
			return 0, nil, nil
		}
		i += j
		in, after, ok := quoted(line[i:])
		if !ok {
			return 0, nil, nil
		}
		sp := bytes.IndexByte(in, ' ')
		last := bytes.LastIndexByte(in, ' ')
		if sp > 0 && last > sp && bytes.HasPrefix(in[last+1:], httpSlash) && isMethod(in[:sp]) {
			return i, in, after
		}
		i = len(line) - len(after)
	}
	return 0, nil, nil
}

// find looks for a time: in brackets, or ISO 8601 in one or two words.
func (p *parser) find(s []byte) (int64, bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c-'0' > 9 || i > 0 && s[i-1] != ' ' && s[i-1] != '[' && s[i-1] != '"' && s[i-1] != '\t' {
			continue
		}
		t := s[i:]
		if len(t) < 19 || t[4] != '-' && t[2] != '/' && t[4] != '/' {
			continue
		}
		end := bytes.IndexAny(t, "]\"\t|")
		if end < 0 {
			end = len(t)
		}
		if t[2] == '/' {
			// The offset is a word of its own.
			for _, n := range [...]int{26, 30, 20} {
				if n <= end {
					if ns, ok := p.clock.clf(t[:n]); ok {
						return ns, true
					}
				}
			}
		}
		if ns, ok := p.clock.any(t[:min(end, 40)]); ok {
			return ns, true
		}
		w := t[:min(end, 40)]
		from := 11
		if t[10] == 'T' {
			from = 0
		}
		if k := bytes.IndexByte(w[min(from, len(w)):], ' '); k >= 0 {
			w = w[:from+k]
		}
		if ns, ok := p.clock.any(w); ok {
			return ns, true
		}
	}
	return 0, false
}
