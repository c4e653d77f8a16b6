package catalog

import (
	"strconv"
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
)

func (m *naming) echo(field string) {
	for i := range m.echoes {
		e := &m.echoes[i]
		if e.n == 0 || e.field == field {
			e.field = field
			e.n++
			return
		}
	}
}

// add takes over what was seen while a value stood as a literal.
func (m *naming) add(k *node) {
	m.samples++
	m.classes[observe.ClassWord]++
	if k.echoedAs != "" {
		m.echo(k.echoedAs)
	}
}

func (m *naming) merge(o *naming) {
	for _, e := range o.echoes {
		for range e.n {
			m.echo(e.field)
		}
	}
	for i := range o.classes {
		m.classes[i] += o.classes[i]
	}
	if m.sens == 0 {
		m.sens = o.sens
	}
	m.samples += o.samples
}

// nameOf names a parameter by the response field that repeats its values, else
// by their type, else by the collection they stand in.
func (c *Catalog) nameOf(g *node) string {
	if g.fixed != "" {
		return g.fixed
	}
	m := &g.naming
	thing := ""
	for n := g.parent; n != nil && thing == ""; n = n.parent {
		if n.text == "" || n.param || n.neutral() || strings.EqualFold(n.text, "api") {
			continue
		}
		if digits(n.text) > 0 && !n.route {
			break // ko5ezxmguvv names no collection
		}
		thing = singular(snake(n.text))
	}
	best, field := uint32(0), ""
	for _, e := range m.echoes {
		if e.n > best {
			best, field = e.n, e.field
		}
	}
	if field != "" && 2*best >= min(m.samples, 8) {
		if f := snake(field); f != "" && f != "id" && len(f) <= 40 {
			return f
		}
	}
	switch {
	case m.sens != 0:
		return m.sens.String()
	case thing == "" || len(thing) > 40:
		thing = ""
	default:
		thing += "_"
	}
	top := observe.ClassEmpty
	for k, n := range m.classes {
		if n > m.classes[top] {
			top = observe.ValueClass(k)
		}
	}
	switch top {
	case observe.ClassDate:
		return "date"
	case observe.ClassEmail:
		return "email"
	case observe.ClassFile:
		return "file"
	case observe.ClassUUID:
		if thing == "" {
			return "uuid"
		}
	case observe.ClassWord, observe.ClassMixed, observe.ClassPhrase, observe.ClassOther:
		return thing + "name"
	}
	return thing + "id"
}

// rename gives a parameter its current name and rewrites the templates below.
func (c *Catalog) rename(g *node) {
	if g.param {
		g.text = c.nameOf(g)
	}
	c.retemplate(g)
}

func (c *Catalog) retemplate(n *node) {
	for _, p := range n.ops {
		c.template(p)
	}
	for _, k := range n.order {
		c.retemplate(k)
	}
	if n.calls != nil {
		for _, k := range n.calls.order {
			c.retemplate(k)
		}
	}
	if n.group != nil {
		if t := c.nameOf(n.group); t != "" {
			n.group.text = t
		}
		c.retemplate(n.group)
	}
}

// template writes an operation's template and id. The id leaves parameter
// names out: a better name does not make another API.
func (c *Catalog) template(p *op) {
	var parts [observe.MaxSegments + 2]*node
	k := len(parts)
	for n := p.node; n.parent != nil && k > 0; n = n.parent {
		k--
		parts[k] = n
	}
	var b strings.Builder
	id := sketch.Join(sketch.HashString(p.Site), sketch.HashString(p.Method))
	if p.Host != p.Site {
		id = sketch.Join(id, sketch.HashString(p.Host))
	}
	for i := k; i < len(parts); i++ {
		n := parts[i]
		if n.operation {
			if i == k {
				b.WriteByte('/')
			}
			b.WriteByte('#')
			b.WriteString(n.text)
			id = sketch.Join(sketch.Join(id, 2), sketch.HashString(n.text))
			p.Operation = n.text
			continue
		}
		if n.param || n.text[0] != ':' {
			b.WriteByte('/')
		}
		if !n.param {
			b.WriteString(n.text)
			id = sketch.Join(id, sketch.HashString(n.text))
			continue
		}
		id = sketch.Join(id, 1)
		b.WriteByte('{')
		b.WriteString(n.text)
		same := 1
		for j := k; j < i; j++ {
			if parts[j].param && parts[j].text == n.text {
				same++
			}
		}
		if same > 1 {
			b.WriteString(strconv.Itoa(same))
		}
		b.WriteByte('}')
	}
	if k == len(parts) {
		b.WriteByte('/')
	}
	if t := b.String(); t != p.Template {
		p.Template = t
		p.dirty = true
	}
	p.Title, _ = p.overridden()
	p.ID = hex16(id)
}

func hex16(v uint64) string {
	const digits = "0123456789abcdef"
	var b [16]byte
	for i := 15; i >= 0; i-- {
		b[i] = digits[v&15]
		v >>= 4
	}
	return string(b[:])
}

// snake writes a name as lower_case words; what is no name gives "".
func snake(s string) string {
	var room [12]string
	return strings.Join(subwords(s, room[:0]), "_")
}

// singular makes "users" a "user"; it only has to read well.
func singular(s string) string {
	switch {
	case len(s) > 4 && strings.HasSuffix(s, "ies"):
		return s[:len(s)-3] + "y"
	case len(s) > 4 && (strings.HasSuffix(s, "sses") || strings.HasSuffix(s, "xes") || strings.HasSuffix(s, "ches") || strings.HasSuffix(s, "shes")):
		return s[:len(s)-2]
	case len(s) > 3 && strings.HasSuffix(s, "s") && !strings.HasSuffix(s, "ss") && !strings.HasSuffix(s, "us") && !strings.HasSuffix(s, "is"):
		return s[:len(s)-1]
	}
	return s
}
