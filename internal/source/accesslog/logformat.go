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

// piece is a literal or a variable, by the name that nginx or JSON logs use.
type piece struct{ literal, name string }

// compile reads a layout as its server's configuration has it: the value of an
// nginx log_format, Apache's LogFormat, HAProxy's log-format or Envoy's format
// string. Of nginx's and Apache's, the whole directive does too.
func compile(text string) (*format, error) {
	text, err := directive(strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	split := nginxPieces
	if !hasVariable(text) && strings.Contains(text, "%") {
		split = percentPieces
	}
	pieces, err := split(text)
	if err != nil {
		return nil, err
	}
	return assemble(pieces)
}

// hasVariable reports whether text names a variable as nginx does.
func hasVariable(text string) bool {
	for i := 0; i+1 < len(text); i++ {
		if c := text[i+1]; text[i] == '$' && (c == '{' || c == '_' || (c|0x20)-'a' < 26) {
			return true
		}
	}
	return false
}

func nginxPieces(text string) ([]piece, error) {
	var out []piece
	for i := 0; i < len(text); {
		if text[i] != '$' {
			j := i + 1
			for j < len(text) && text[j] != '$' {
				j++
			}
			out = append(out, piece{literal: text[i:j]})
			i = j
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
		if lookup([]byte(name)) == fText {
			name = "_" // not nginx's
		}
		out = append(out, piece{name: name})
		if i = j; brace {
			i++
		}
	}
	return out, nil
}

// assemble joins pieces and checks that they give a request and a time.
func assemble(pieces []piece) (*format, error) {
	f := new(format)
	var lit []byte
	request, method, target, when := false, false, false, false
	for _, c := range pieces {
		if c.name == "" {
			lit = append(lit, c.literal...)
			continue
		}
		if len(f.parts) > 0 {
			last := &f.parts[len(f.parts)-1]
			if len(lit) == 0 {
				if string(last.name) == "uri" && c.name == "args" { // the query brings its question mark
					last.name, last.field = []byte("request_uri"), fRequestURI
					continue
				}
				return nil, fmt.Errorf("log format: nothing separates %s from %s", last.name, c.name)
			}
			last.until = lit
		} else {
			f.first = lit
		}
		if len(f.parts) == maxVariables {
			return nil, fmt.Errorf("log format: more than %d variables", maxVariables)
		}
		id := lookup([]byte(c.name))
		switch id {
		case fRequest:
			request = true
		case fMethod:
			method = true
		case fRequestURI, fURI, fURL:
			target = true
		case fMsec, fTimeISO, fTimeLocal, fTime, fStart:
			when = true
		}
		f.parts = append(f.parts, part{name: []byte(c.name), field: id, quoted: len(lit) > 0 && lit[len(lit)-1] == '"'})
		lit = nil
	}
	switch {
	case len(f.parts) == 0:
		return nil, errors.New("log format: no variables")
	case !request && !(method && target):
		return nil, errors.New("log format: needs the request line ($request, %r), or method and URI ($request_method and $request_uri, %m and %U)")
	case !when:
		return nil, errors.New("log format: needs a time ($time_local, $time_iso8601, $msec, %t)")
	}
	f.parts[len(f.parts)-1].until = lit
	return f, nil
}

// directive reduces "log_format name [escape=…] 'a' 'b';" to ab.
func directive(text string) (string, error) {
	if rest, ok := strings.CutPrefix(text, "LogFormat"); ok {
		return apacheDirective(strings.TrimSpace(rest)), nil
	}
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
func (p *parser) compiled(f *format, line []byte, x *exchange.Exchange) string {
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
			if q.field == fClient && string(q.until) == ":" { // before a port, after an IPv6 address
				if k := bytes.IndexAny(line, " []|,;\t"); k > 0 {
					j = bytes.LastIndexByte(line[:k], ':')
				}
			}
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
		case q.field == fStatus && !isNumber(v) && string(v) != "-":
			x.Request.Header, x.Response.Header = x.Request.Header[:0], x.Response.Header[:0]
			return whyFormat
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
