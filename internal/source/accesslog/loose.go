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

// pairs parses logfmt and LTSV: name=value with spaces, or name:value with
// tabs between. The names are those of JSON logs.
func (p *parser) pairs(line []byte, x *exchange.Exchange) string {
	sep, tab := byte('='), false
	if i := bytes.IndexByte(line, '\t'); i > 0 && bytes.IndexByte(line[:i], ':') > 0 {
		sep, tab = ':', true
	}
	i := bytes.IndexByte(line[:min(len(line), 40)], sep)
	if i < 1 || !isName(line[:i]) {
		return whyFormat
	}
	p.fields = fields{}
	for n := 0; n < maxColumns && len(line) > 0; n++ {
		line = bytes.TrimLeft(line, " \t")
		i := bytes.IndexByte(line, sep)
		if i < 1 || !isName(line[:i]) {
			break
		}
		key, escaped := line[:i], false
		line = line[i+1:]
		var v []byte
		switch {
		case tab:
			if j := bytes.IndexByte(line, '\t'); j >= 0 {
				v, line = line[:j], line[j+1:]
			} else {
				v, line = line, nil
			}
		case len(line) > 0 && line[0] == '"':
			in, rest, ok := quoted(line)
			if !ok {
				return whyFormat
			}
			v, line, escaped = in, rest, bytes.IndexByte(in, '\\') >= 0
		default:
			v, line = word(line)
		}
		p.value(x, inLine, key, v, escaped)
	}
	if p.fields[fRequest] == nil && p.fields[fMethod] == nil {
		return whyFormat
	}
	// LTSV calls the client host, and the host vhost.
	f := &p.fields
	if tab && f[fClient] == nil && address(f[fHost]).IsValid() {
		f[fClient], f[fHost] = f[fHost], nil
	}
	return p.fromFields(x)
}

func isName(s []byte) bool {
	for _, c := range s {
		if c-'0' > 9 && (c|0x20)-'a' > 25 && c != '_' && c != '-' && c != '.' && c != '@' && c != ':' {
			return false
		}
	}
	return len(s) > 0
}

// isMessage knows the lines that servers write about themselves: nginx's and
// Apache's error logs, LiteSpeed's, HAProxy's and whatever begins with a time
// and names a level.
func isMessage(line []byte) bool {
	head := line[:min(len(line), 160)]
	dated := false
	switch {
	case len(head) < 20:
		return false
	case head[0]-'0' <= 9 && head[1]-'0' <= 9:
		dated = head[4] == '-' || head[4] == '/' || head[2] == '-' || head[2] == '/' || head[2] == ':'
	case head[0] == '[':
		if _, ok := weekday(head[1:4]); ok || head[1]-'0' <= 9 && head[2]-'0' <= 9 {
			dated = true
		}
	case bytes.HasPrefix(head, []byte("time=")) || bytes.HasPrefix(head, []byte("ts=")) || bytes.HasPrefix(head, []byte("level=")):
		dated = true
	case endpoint(firstWord(head)).Port() != 0:
		dated = bytes.Contains(head, []byte(" ["))
	}
	if !dated {
		return false
	}
	for i := 0; i+4 <= len(head); i++ {
		if i > 0 && !wordEnd(head[i-1]) {
			continue
		}
		j := i
		for j < len(head) && (head[j]|0x20)-'a' <= 25 {
			j++
		}
		if j == len(head) || wordEnd(head[j]) {
			if isLevel(head[i:j]) {
				return true
			}
		}
	}
	return false
}

func firstWord(s []byte) []byte { w, _ := word(s); return w }

func wordEnd(c byte) bool {
	switch c {
	case ' ', '[', ']', '=', ':', '"', '|', '\t', '<', '>', '(', ')':
		return true
	}
	return false
}

func isLevel(s []byte) bool {
	if len(s) > 9 {
		return false
	}
	var b [9]byte
	for i, c := range s {
		b[i] = c | 0x20
	}
	switch string(b[:len(s)]) {
	case "emerg", "alert", "crit", "critical", "fatal", "severe", "error", "err", "warn", "warning", "notice", "info", "debug", "trace", "fine":
		return true
	}
	return false
}

func weekday(s []byte) (int, bool) {
	for i, d := range [...]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"} {
		if string(s) == d {
			return i, true
		}
	}
	return 0, false
}
