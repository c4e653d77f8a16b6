package rpc

import (
	"bytes"
	"slices"

	"xiezhi/internal/observe/jsonleaf"
)

// graphQL takes a GraphQL request. An operation that asks for one root field
// several times is as many calls, each with one field: the server does the work
// of all, and a login that is tried a hundred times under a hundred aliases is
// a hundred logins.
func (r *Reader) graphQL(e *envelope, index, size int) bool {
	doc := trim(r.text(e.query))
	name := r.text(e.operation)
	r.variables(e.variables)
	if len(doc) == 0 {
		if !e.persisted() {
			return false
		}
		r.persisted(e, name, index, size)
		return true
	}
	if !r.graph.scan(doc) {
		return false
	}
	r.Over += r.graph.over
	r.graph.over = 0
	op := r.graph.choose(name)
	r.graph.roots(op)
	fields := r.graph.fields
	c := Call{Protocol: GraphQL, Sent: size, index: index}
	switch repeated := r.repeated(); {
	case repeated:
		each := max(size/len(fields), 1)
		for i := range fields {
			f := &fields[i]
			if len(r.Calls) == MaxCalls {
				r.Over += len(fields) - i
				break
			}
			c := c
			c.Name = r.join(op.kind, f.name)
			c.Root, c.Sent = c.Name, each
			c.key, c.field = f.key, f.name
			from := len(r.buf)
			r.buf = append(r.buf, '{')
			r.arguments(f)
			c.Doc = r.close(from)
			r.add(c)
		}
		return true
	case len(op.name) > 0:
		c.Name = r.join(op.kind, op.name)
		c.Root = r.rootName(op.kind, fields)
	default:
		c.Name = r.rootName(op.kind, fields)
		c.Root = c.Name
	}
	if len(fields) == 1 {
		c.key, c.field = fields[0].key, fields[0].name
	}
	from := len(r.buf)
	r.buf = append(r.buf, '{')
	for i := range fields {
		r.arguments(&fields[i])
	}
	for i := range r.vars {
		if v := &r.vars[i]; !v.used {
			r.member(v.name, v.value)
		}
	}
	c.Doc = r.close(from)
	r.add(c)
	return true
}

// document takes a body that is a GraphQL document itself.
func (r *Reader) document(doc []byte) bool {
	from := len(r.buf)
	r.buf = jsonleaf.AppendQuoted(r.buf, doc)
	return r.graphQL(&envelope{query: r.made(from), hasQuery: true}, 0, len(doc))
}

// Document reads a body that is a GraphQL document, as application/graphql.
func (r *Reader) Document(body []byte) bool {
	r.reset(2 * len(body))
	return r.document(body)
}

// Pairs reads a GraphQL request that was sent as parameters of a query or form.
func (r *Reader) Pairs(query, operation, variables, extensions []byte) bool {
	r.reset(2 * (len(query) + len(operation) + len(variables) + len(extensions)))
	e := envelope{hasQuery: len(query) > 0, hasVariables: len(variables) > 0}
	if len(query) > 0 {
		e.query = r.quoted(query)
	}
	if len(operation) > 0 {
		e.operation = r.quoted(operation)
	}
	if v := trim(variables); len(v) > 0 {
		from := len(r.buf)
		r.buf = append(r.buf, v...)
		e.variables = r.made(from)
	}
	if v := trim(extensions); len(v) > 0 {
		from := len(r.buf)
		r.buf = append(r.buf, v...)
		e.extensions = r.made(from)
	}
	return r.graphQL(&e, 0, len(query)+len(operation)+len(variables)+len(extensions))
}

func (r *Reader) quoted(v []byte) []byte {
	from := len(r.buf)
	r.buf = jsonleaf.AppendQuoted(r.buf, v)
	return r.made(from)
}

func (r *Reader) persisted(e *envelope, name []byte, index, size int) {
	c := Call{Protocol: GraphQL, Sent: size, index: index}
	switch hash := hashOf(e.extensions); {
	case len(name) > 0:
		c.Name = r.join("query", name)
	case len(hash) > 0:
		c.Name = r.join("query", append([]byte("sha256:"), hash[:min(len(hash), 12)]...))
	default:
		c.Name = r.join("query", append([]byte("id:"), trimID(r.bare(e.document))...))
	}
	c.Root = c.Name
	from := len(r.buf)
	r.buf = append(r.buf, '{')
	for i := range r.vars {
		r.member(r.vars[i].name, r.vars[i].value)
	}
	c.Doc = r.close(from)
	r.add(c)
}

func trimID(b []byte) []byte { return b[:min(len(b), 24)] }

// repeated reports whether a root field stands there more than once.
func (r *Reader) repeated() bool {
	fields := r.graph.fields
	if len(fields) > fewFields*4 {
		return true // so many are not one operation, whatever they are
	}
	for i := range fields {
		for k := range fields[:i] {
			if bytes.Equal(fields[i].name, fields[k].name) && string(fields[i].name) != "__typename" {
				return true
			}
		}
	}
	return false
}

// join makes the name of an operation.
func (r *Reader) join(kind string, name []byte) []byte {
	from := len(r.buf)
	r.buf = append(append(append(r.buf, kind...), ' '), name[:min(len(name), maxName-len(kind)-1)]...)
	return r.made(from)
}

// maxRootNames is how many root fields the name of an operation lists.
const maxRootNames = 3

// rootName names an operation by its root fields, in the order of the
// alphabet: clients write them in any.
func (r *Reader) rootName(kind string, fields []rootField) []byte {
	var room [8][]byte
	list := room[:0]
	for i := range fields {
		if string(fields[i].name) != "__typename" || len(fields) == 1 {
			list = append(list, fields[i].name)
		}
	}
	slices.SortFunc(list, bytes.Compare)
	from := len(r.buf)
	r.buf = append(append(r.buf, kind...), ' ')
	for i, name := range list {
		if i == maxRootNames {
			r.buf = append(r.buf, "…"...)
			break
		}
		if i > 0 {
			r.buf = append(r.buf, ',')
		}
		r.buf = append(r.buf, name[:min(len(name), maxName)]...)
	}
	return r.made(from)
}

func (r *Reader) variables(v []byte) {
	clear(r.vars)
	r.vars = r.vars[:0]
	if isString(v) { // some send them as a text
		v = trim(r.text(v))
	}
	if len(v) == 0 || v[0] != '{' {
		return
	}
	o := object{list{b: v, i: 1}}
	for {
		key, v, ok := o.next()
		if !ok {
			return
		}
		if len(r.vars) == maxVariables {
			r.Over++
			return
		}
		r.vars = append(r.vars, variable{name: key, value: v})
	}
}

func (r *Reader) variable(name []byte) []byte {
	for i := range r.vars {
		if v := &r.vars[i]; bytes.Equal(v.name, name) {
			v.used = true
			return v.value
		}
	}
	return nil
}

// arguments appends what a root field is called with, and the arguments of the
// fields below it under the names of those.
func (r *Reader) arguments(f *rootField) {
	left := maxTokens
	l := lexer{b: f.args, left: &left}
	r.pairs(&l, 0)
	left = maxTokens
	l = lexer{b: f.inside, left: &left}
	var name []byte
	for n := 0; ; {
		t := l.next()
		switch t.kind {
		case 0:
			return
		case 'a':
			name = f.inside[t.from:t.to]
		case '@':
			l.i = t.from
			l.directives()
		case '(':
			l.i = t.from
			args := l.brackets()
			if n++; n > maxNested || len(name) == 0 {
				r.Over++
				continue
			}
			r.comma()
			r.buf = append(append(jsonleaf.AppendQuoted(r.buf, name), ':'), '{')
			inner := maxTokens
			r.pairs(&lexer{b: args, left: &inner}, 1)
			r.buf = append(r.buf, '}')
		}
	}
}

// pairs appends "name: value" pairs as members, up to a closing brace.
func (r *Reader) pairs(l *lexer, depth int) {
	for {
		name := l.next()
		for name.kind != 'a' {
			if name.kind == 0 || name.kind == '}' {
				return
			}
			name = l.next()
		}
		if l.peek().kind != ':' {
			continue
		}
		l.next()
		from := len(r.buf)
		r.comma()
		r.buf = append(jsonleaf.AppendQuoted(r.buf, l.b[name.from:name.to]), ':')
		if !r.value(l, depth) {
			r.buf = r.buf[:from] // a variable that was not given
		}
	}
}

// value appends a value as JSON; false when there is none.
func (r *Reader) value(l *lexer, depth int) bool {
	t := l.next()
	text := l.b[t.from:t.to]
	if len(text) > r.budget {
		r.Over++
		return false
	}
	r.budget -= len(text)
	switch t.kind {
	case '$':
		if t = l.next(); t.kind != 'a' {
			return false
		}
		v := r.variable(l.b[t.from:t.to])
		if len(v) == 0 || len(v) > r.budget {
			return false
		}
		r.budget -= len(v)
		r.buf = append(r.buf, v...)
	case '"':
		if len(text) < 2 || text[len(text)-1] != '"' {
			r.buf = jsonleaf.AppendQuoted(r.buf, bytes.Trim(text, `"`))
			break
		}
		r.buf = append(r.buf, text...)
	case 'b':
		r.buf = jsonleaf.AppendQuoted(r.buf, bytes.TrimSpace(bytes.Trim(text, `"`)))
	case '0':
		r.buf = append(r.buf, text...)
	case 'a':
		switch string(text) {
		case "true", "false", "null":
			r.buf = append(r.buf, text...)
		default:
			r.buf = jsonleaf.AppendQuoted(r.buf, text)
		}
	case '[', '{':
		end := t.kind + 2
		if depth >= maxDepth {
			r.Over++
			l.skip(t.kind, end)
			return false
		}
		r.buf = append(r.buf, t.kind)
		if t.kind == '{' {
			r.pairs(l, depth+1)
			r.buf = append(r.buf, '}')
			break
		}
		for p := l.peek(); p.kind != 0 && p.kind != ']'; p = l.peek() {
			from := len(r.buf)
			r.comma()
			if !r.value(l, depth+1) {
				r.buf = r.buf[:from]
			}
		}
		l.next()
		r.buf = append(r.buf, ']')
	default:
		return false
	}
	return true
}
