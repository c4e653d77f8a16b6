package accesslog

import (
	"bytes"

	"xiezhi/internal/exchange"
)

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
