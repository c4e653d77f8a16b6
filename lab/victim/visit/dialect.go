package visit

import (
	"net/url"
	"regexp"
	"strings"

	"xiezhi/internal/exchange"
)

// Dialect is how a team names things on the wire. Service and visitors speak
// the same words in every dialect; what is recorded is translated, in paths,
// queries, forms, JSON, XML, and in the scripts that read it.
type Dialect struct {
	Prefix   string            // before every path below Under
	Under    string            // "/api/"
	Segments map[string]string // of paths: "query.do" for "query"
	Snake    bool              // plate_no for plateNo
	Words    map[string]string // of properties and parameters
	Texts    map[string]string // whole texts of JSON and XML: what messages say
}

// word translates the name of a property.
func (d *Dialect) word(name string) string {
	if w, ok := d.Words[name]; ok {
		return w
	}
	if !d.Snake || strings.ToLower(name) == name {
		return name
	}
	var b strings.Builder
	for i, c := range []byte(name) {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c |= 0x20
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Path translates a path or a template.
func (d *Dialect) Path(path string) string {
	if d == nil {
		return path
	}
	prefix := ""
	if strings.HasPrefix(path, d.Under) {
		prefix = d.Prefix
	}
	if len(d.Segments) > 0 {
		parts := strings.Split(path, "/")
		for i, p := range parts {
			name, matrix, has := strings.Cut(p, ";")
			if w, ok := d.Segments[name]; ok {
				if has {
					w += ";" + matrix
				}
				parts[i] = w
			}
		}
		path = strings.Join(parts, "/")
	}
	return prefix + path
}

// target translates a request target.
func (d *Dialect) target(target string) string {
	path, query, has := strings.Cut(target, "?")
	path = d.Path(path)
	if !has {
		return path
	}
	return path + "?" + d.form(query)
}

func (d *Dialect) form(query string) string {
	parts := strings.Split(query, "&")
	for i, p := range parts {
		name, value, has := strings.Cut(p, "=")
		if plain, err := url.QueryUnescape(name); err == nil && has {
			parts[i] = url.QueryEscape(d.word(plain)) + "=" + value
		}
	}
	return strings.Join(parts, "&")
}

// json translates the names of a JSON text's properties.
func (d *Dialect) json(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/8)
	for i := 0; i < len(b); {
		if b[i] != '"' {
			out = append(out, b[i])
			i++
			continue
		}
		end := i + 1
		for end < len(b) && b[end] != '"' {
			if b[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end, len(b)-1)
		next := end + 1
		for next < len(b) && b[next] == ' ' {
			next++
		}
		if next < len(b) && b[next] == ':' {
			out = append(append(append(out, '"'), d.word(string(b[i+1:end]))...), '"')
		} else if end <= i {
			out = append(out, b[i:end+1]...)
		} else {
			out = append(append(append(out, '"'), d.text(string(b[i+1:end]))...), b[end])
		}
		i = end + 1
	}
	return out
}

// text translates a whole text.
func (d *Dialect) text(s string) string {
	if t, ok := d.Texts[s]; ok {
		return t
	}
	return s
}

// tag is the beginning of an element's tag; inside is a text between tags.
var (
	tag    = regexp.MustCompile(`</?[a-zA-Z]+`)
	inside = regexp.MustCompile(`>[^<>]+<`)
)

// xml translates the names of a document's elements.
func (d *Dialect) xml(b []byte) []byte {
	b = tag.ReplaceAllFunc(b, func(m []byte) []byte {
		n := strings.LastIndexAny(string(m), "</") + 1
		return append(m[:n:n], d.word(string(m[n:]))...)
	})
	if len(d.Texts) == 0 {
		return b
	}
	return inside.ReplaceAllFunc(b, func(m []byte) []byte { return []byte(">" + d.text(string(m[1:len(m)-1])) + "<") })
}

var member = regexp.MustCompile(`\.([a-zA-Z]+)\b`)

// Names of the browser's own objects, which no team can rename.
var builtin = map[string]bool{"textContent": true, "createElement": true, "appendChild": true, "getElementById": true, "responseText": true, "setRequestHeader": true, "className": true, "innerHTML": true}

// literal is a URL in a script, and what it is called with.
var literal = regexp.MustCompile(`"(/[a-zA-Z0-9/_.-]*)([?][^"]*)?"`)

// script translates what a script reads and where it asks.
func (d *Dialect) script(b []byte) []byte {
	b = literal.ReplaceAllFunc(b, func(m []byte) []byte { return []byte(`"` + d.target(string(m[1:len(m)-1])) + `"`) })
	return member.ReplaceAllFunc(b, func(m []byte) []byte {
		if builtin[string(m[1:])] {
			return m
		}
		return append([]byte("."), d.word(string(m[1:]))...)
	})
}

// translate rewrites an exchange.
func (d *Dialect) translate(x *exchange.Exchange) {
	x.Target = []byte(d.target(string(x.Target)))
	body := func(m *exchange.Message) {
		switch kind := string(m.Get("content-type")); {
		case strings.Contains(kind, "json"):
			m.Body = d.json(m.Body)
		case strings.Contains(kind, "xml"):
			m.Body = d.xml(m.Body)
		case strings.Contains(kind, "javascript"):
			m.Body = d.script(m.Body)
		case strings.Contains(kind, "x-www-form-urlencoded"):
			m.Body = []byte(d.form(string(m.Body)))
		default:
			return
		}
		m.BodySize = int64(len(m.Body))
	}
	body(&x.Request)
	body(&x.Response)
}
