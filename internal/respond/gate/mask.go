package gate

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// masker copies a JSON text byte by byte, but for values of fields and elements
// of lists that are to go.
type masker struct {
	fields  []string // data[].phone; a name alone is that field anywhere
	records int      // of a list, at most; 0: any

	in  []byte
	at  int
	out []byte
	bad bool
}

const maxDepth = 128

// mask gives the changed text. It is not ok for what is no JSON.
func (m *masker) mask(in []byte) ([]byte, bool) {
	m.in, m.at, m.out, m.bad = in, 0, make([]byte, 0, len(in)), false
	m.space()
	m.value("", false, 0)
	m.space()
	return m.out, !m.bad && m.at == len(in)
}

func (m *masker) space() {
	for m.at < len(m.in) && (m.in[m.at] == ' ' || m.in[m.at] == '\t' || m.in[m.at] == '\n' || m.in[m.at] == '\r') {
		m.out = append(m.out, m.in[m.at])
		m.at++
	}
}

func (m *masker) peek() byte {
	if m.at < len(m.in) {
		return m.in[m.at]
	}
	m.bad = true
	return 0
}

// take copies one byte, which has to be c.
func (m *masker) take(c byte) bool {
	if m.peek() != c {
		m.bad = true
		return false
	}
	m.out = append(m.out, c)
	m.at++
	return true
}

func (m *masker) value(path string, hide bool, depth int) {
	if m.bad || depth > maxDepth {
		m.bad = true
		return
	}
	switch c := m.peek(); {
	case c == '{':
		m.object(path, hide, depth)
	case c == '[':
		m.array(path, hide, depth)
	case c == '"':
		s := m.str()
		if hide {
			s = maskText(s)
		}
		m.out = append(m.out, s...)
	default:
		s := m.scalar()
		if hide && len(s) > 0 && (s[0] == '-' || s[0]-'0' <= 9) {
			s = []byte("0")
		}
		m.out = append(m.out, s...)
	}
}

func (m *masker) object(path string, hide bool, depth int) {
	m.take('{')
	m.space()
	if m.peek() == '}' {
		m.take('}')
		return
	}
	for !m.bad {
		if m.peek() != '"' {
			m.bad = true
			return
		}
		raw := m.str()
		m.out = append(m.out, raw...)
		var name string
		if m.bad || json.Unmarshal(raw, &name) != nil {
			m.bad = true
			return
		}
		m.space()
		m.take(':')
		m.space()
		at := name
		if path != "" {
			at = path + "." + name
		}
		m.value(at, hide || m.hidden(at, name), depth+1)
		m.space()
		if m.bad || m.peek() != ',' {
			m.take('}')
			return
		}
		m.take(',')
		m.space()
	}
}

func (m *masker) array(path string, hide bool, depth int) {
	m.take('[')
	m.space()
	if m.peek() == ']' {
		m.take(']')
		return
	}
	path += "[]"
	for n := 1; !m.bad; n++ {
		before := len(m.out)
		m.value(path, hide, depth+1)
		m.space()
		if m.records > 0 && n > m.records {
			m.out = m.out[:before] // beyond the cap
		}
		if m.bad || m.peek() != ',' {
			m.take(']')
			return
		}
		// A comma stays when the element behind it does.
		if m.records > 0 && n >= m.records {
			m.at++
			keep := len(m.out)
			m.space()
			m.out = m.out[:keep]
			continue
		}
		m.take(',')
		m.space()
	}
}

// str reads a string with its quotes.
func (m *masker) str() []byte {
	from := m.at
	for m.at++; m.at < len(m.in); m.at++ {
		switch c := m.in[m.at]; {
		case c == '\\':
			m.at++
		case c == '"':
			m.at++
			return m.in[from:m.at]
		case c < ' ':
			m.bad = true
			return nil
		}
	}
	m.bad = true
	return nil
}

// scalar reads a number, true, false or null.
func (m *masker) scalar() []byte {
	from := m.at
	for m.at < len(m.in) && strings.IndexByte(" \t\r\n,]}", m.in[m.at]) < 0 {
		m.at++
	}
	s := m.in[from:m.at]
	if !json.Valid(s) {
		m.bad = true
	}
	return s
}

// hidden reports whether a field is to be masked, by its path or by its name.
func (m *masker) hidden(path, name string) bool {
	for _, f := range m.fields {
		if f == path || f == name && !strings.ContainsAny(f, ".[") {
			return true
		}
	}
	return false
}

// maskText leaves two characters at each end of a longer text, and of a shorter
// one nothing but its length.
func maskText(quoted []byte) []byte {
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return []byte(`""`)
	}
	n := utf8.RuneCountInString(s)
	var b strings.Builder
	i := 0
	for _, c := range s {
		if n < 8 || i >= 2 && i < n-2 {
			c = '*'
		}
		b.WriteRune(c)
		i++
	}
	out, err := json.Marshal(b.String())
	if err != nil {
		return []byte(`""`)
	}
	return out
}

// valueOf gives a field of a JSON text as text.
func valueOf(body []byte, path string) (string, bool) {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return "", false
	}
	for _, name := range strings.Split(path, ".") {
		o, ok := v.(map[string]any)
		if !ok {
			return "", false
		}
		if v, ok = o[name]; !ok {
			return "", false
		}
	}
	switch x := v.(type) {
	case string:
		return x, true
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(x), true
	}
	return "", false
}
