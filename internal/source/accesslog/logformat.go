package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"xiezhi/internal/exchange"
)

const maxVariables = 128

// format is a compiled nginx log_format: literals and the variables between.
type format struct {
	first []byte // literal before the first variable
	parts []part
}

type part struct {
	name   []byte // lower-case variable name
	field  field
	until  []byte // literal after it; empty at the end of the line
	quoted bool   // between quotes: an escaped quote does not end it
}

// compile reads the value of an nginx log_format, or the whole directive with
// its name, escape parameter, quoted pieces and semicolon.
func compile(text string) (*format, error) {
	text, err := directive(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	f := new(format)
	var lit []byte
	haveRequest, haveTime := false, false
	method, target := false, false
	for i := 0; i < len(text); {
		if text[i] != '$' {
			lit = append(lit, text[i])
			i++
			continue
		}
		i++
		brace := i < len(text) && text[i] == '{'
		if brace {
			i++
		}
		j := i
		for j < len(text) && (text[j] == '_' || text[j]-'0' <= 9 || (text[j]|0x20)-'a' < 26) {
			j++
		}
		if j == i || brace && (j == len(text) || text[j] != '}') {
			return nil, fmt.Errorf("log format: no variable name at character %d", i+1)
		}
		name := strings.ToLower(text[i:j])
		if i = j; brace {
			i++
		}
		if len(f.parts) > 0 {
			if len(lit) == 0 {
				return nil, fmt.Errorf("log format: nothing separates $%s from $%s", f.parts[len(f.parts)-1].name, name)
			}
			f.parts[len(f.parts)-1].until = lit
		} else {
			f.first = lit
		}
		if len(f.parts) == maxVariables {
			return nil, fmt.Errorf("log format: more than %d variables", maxVariables)
		}
		id := lookup([]byte(name))
		switch id {
		case fText: // not nginx's
			id = fNone
		case fRequest:
			haveRequest = true
		case fMethod:
			method = true
		case fRequestURI, fURI:
			target = true
		case fMsec, fTimeISO, fTimeLocal, fTime:
			haveTime = true
		}
		f.parts = append(f.parts, part{name: []byte(name), field: id, quoted: len(lit) > 0 && lit[len(lit)-1] == '"'})
		lit = nil
	}
	switch {
	case len(f.parts) == 0:
		return nil, errors.New("log format: no variables")
	case !haveRequest && !(method && target):
		return nil, errors.New("log format: needs $request, or $request_method and $request_uri")
	case !haveTime:
		return nil, errors.New("log format: needs a time: $time_local, $time_iso8601 or $msec")
	}
	f.parts[len(f.parts)-1].until = lit
	return f, nil
}

// directive reduces "log_format name [escape=…] 'a' 'b';" to ab.
func directive(text string) (string, error) {
	rest, ok := strings.CutPrefix(text, "log_format")
	if !ok || rest == "" || !strings.ContainsAny(rest[:1], " \t\n") {
		if e, after, found := strings.Cut(text, " "); found && strings.HasPrefix(e, "escape=") {
			return strings.TrimSpace(after), nil
		}
		return text, nil
	}
	rest = strings.TrimSpace(rest)
	_, rest, ok = strings.Cut(rest, " ")
	if !ok {
		return "", errors.New("log format: the directive has no format")
	}
	var out strings.Builder
	for rest = strings.TrimSpace(rest); rest != "" && rest != ";"; rest = strings.TrimSpace(rest) {
		if q := rest[0]; q == '\'' || q == '"' {
			i := 1
			for ; i < len(rest) && rest[i] != q; i++ {
				if rest[i] == '\\' && i+1 < len(rest) {
					i++
				}
				out.WriteByte(rest[i])
			}
			if i == len(rest) {
				return "", errors.New("log format: a quote is not closed")
			}
			rest = rest[i+1:]
			continue
		}
		w := rest
		if i := strings.IndexAny(rest, " \t\n;"); i >= 0 {
			w, rest = rest[:i], rest[i:]
		} else {
			rest = ""
		}
		if w == "" { // the semicolon
			rest = rest[1:]
		} else if !strings.HasPrefix(w, "escape=") {
			out.WriteString(w)
		}
	}
	return out.String(), nil
}

// compiled parses a line by the given format.
func (p *parser) compiled(line []byte, x *exchange.Exchange) string {
	f := p.format
	if !bytes.HasPrefix(line, f.first) {
		return whyFormat
	}
	line = line[len(f.first):]
	p.fields = fields{}
	for i := range f.parts {
		q := &f.parts[i]
		var v []byte
		switch {
		case len(q.until) == 0:
			v, line = line, nil
		default:
			j := bytes.Index(line, q.until)
			if q.quoted && q.until[0] == '"' {
				for j >= 0 && escapedAt(line, j) {
					k := bytes.Index(line[j+1:], q.until)
					if k < 0 {
						j = -1
						break
					}
					j += 1 + k
				}
			}
			if j < 0 {
				x.Request.Header, x.Response.Header = x.Request.Header[:0], x.Response.Header[:0]
				return whyFormat
			}
			v, line = line[:j], line[j+len(q.until):]
		}
		escaped := bytes.IndexByte(v, '\\') >= 0
		switch {
		case len(v) == 0:
		case q.field == fNone:
			p.header(x, q.name, v, escaped)
		case p.fields[q.field] == nil:
			if escaped && q.field != fRequest { // which unescapes itself
				v = p.unescape(v)
			}
			p.fields[q.field] = v
		}
	}
	return p.fromFields(x)
}

func escapedAt(s []byte, i int) bool {
	k := i
	for k > 0 && s[k-1] == '\\' {
		k--
	}
	return (i-k)&1 == 1
}
