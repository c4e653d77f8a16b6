package rpc

import "bytes"

// GraphQL documents are scanned, not parsed: no recursion, no memory per
// document, and what is cut or odd gives what can be read. A test holds the scan
// against a full parser.

// token is a piece of a document; kind is the character of a mark, 'a' of a
// name, '0' of a number, '"' of a text, 'b' of a block text, '.' of a spread.
type token struct {
	kind     byte
	from, to int
}

type lexer struct {
	b    []byte
	i    int
	left *int // tokens that may still be read
}

func (l *lexer) next() token {
	if *l.left--; *l.left < 0 {
		return token{from: len(l.b), to: len(l.b)}
	}
	b := l.b
	for l.i < len(b) {
		c := b[l.i]
		from := l.i
		switch {
		case c <= ' ' || c == ',':
			l.i++
		case c == '#':
			n := bytes.IndexAny(b[l.i:], "\r\n")
			if n < 0 {
				l.i = len(b)
			} else {
				l.i += n
			}
		case nameStart(c):
			for l.i < len(b) && (nameStart(b[l.i]) || b[l.i]-'0' < 10) {
				l.i++
			}
			return token{'a', from, l.i}
		case c == '"':
			if bytes.HasPrefix(b[l.i:], []byte(`"""`)) {
				l.i = blockEnd(b, l.i)
				return token{'b', from, l.i}
			}
			l.i = plainEnd(b, l.i)
			return token{'"', from, l.i}
		case c-'0' < 10 || c == '-':
			for l.i++; l.i < len(b) && (b[l.i]-'0' < 10 || b[l.i] == '.' || b[l.i]|0x20 == 'e' || b[l.i] == '+' || b[l.i] == '-'); {
				l.i++
			}
			return token{'0', from, l.i}
		case c == '.':
			for l.i < len(b) && b[l.i] == '.' {
				l.i++
			}
			return token{'.', from, l.i}
		case c == 0xEF && bytes.HasPrefix(b[l.i:], []byte("\xEF\xBB\xBF")):
			l.i += 3
		default:
			l.i++
			return token{c, from, l.i}
		}
	}
	return token{from: len(b), to: len(b)}
}

func nameStart(c byte) bool { return (c|0x20)-'a' < 26 || c == '_' }

// plainEnd gives the end of the text that begins at i; it does not go on over
// the end of a line.
func plainEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case '\n':
			return i
		}
	}
	return len(b)
}

func blockEnd(b []byte, i int) int {
	for i += 3; ; {
		n := bytes.Index(b[i:], []byte(`"""`))
		if n < 0 {
			return len(b)
		}
		if n > 0 && b[i+n-1] == '\\' {
			i += n + 3
			continue
		}
		return i + n + 3
	}
}

// skip reads up to the mark that closes the one just read; false at the end of
// the document.
func (l *lexer) skip(open, end byte) bool {
	for depth := 1; ; {
		switch t := l.next(); t.kind {
		case 0:
			return false
		case open:
			depth++
		case end:
			if depth--; depth == 0 {
				return true
			}
		}
	}
}

// peek gives the next token without reading it.
func (l *lexer) peek() token {
	i := l.i
	t := l.next()
	l.i = i
	return t
}

type operation struct {
	kind string // query, mutation, subscription
	name []byte
	at   int // behind the brace of its selection
}

type fragment struct {
	name []byte
	at   int
	used bool
}

// rootField is a field that an operation asks for, with fragments resolved.
type rootField struct {
	key, name []byte // as the answer calls it; as the server calls it
	args      []byte // between the brackets
	inside    []byte // between the braces
}

type graph struct {
	b      []byte
	left   int
	ops    []operation
	frags  []fragment
	fields []rootField
	seen   map[string]struct{}
	queue  []int
	over   int
}

// scan finds the operations and fragments of a document; false when it is none.
func (g *graph) scan(doc []byte) bool {
	if len(doc) > maxDocument {
		doc = doc[:maxDocument]
		g.over++
	}
	g.b, g.left, g.ops, g.frags = doc, maxTokens, g.ops[:0], g.frags[:0]
	l := lexer{b: doc, left: &g.left}
	for {
		t := l.next()
		switch t.kind {
		case 0:
			return len(g.ops) > 0
		case '{':
			op := operation{kind: "query", at: t.to}
			if whole := l.skip('{', '}'); !whole && len(g.ops) == 0 && g.over == 0 && g.left > 0 {
				return false // any text may begin with a brace
			}
			g.operate(op)
		case 'a':
			switch word := string(doc[t.from:t.to]); word {
			case "query", "mutation", "subscription":
				op := operation{kind: word}
				if t = l.peek(); t.kind == 'a' {
					l.next()
					op.name = doc[t.from:t.to]
				}
				l.brackets()
				l.directives()
				if t = l.next(); t.kind != '{' {
					return len(g.ops) > 0
				}
				op.at = t.to
				l.skip('{', '}')
				g.operate(op)
			case "fragment":
				name := l.next()
				on, of := l.next(), l.next()
				l.directives()
				if t = l.next(); name.kind != 'a' || on.kind != 'a' || of.kind != 'a' || t.kind != '{' {
					return len(g.ops) > 0
				}
				if len(g.frags) < maxFragments {
					g.frags = append(g.frags, fragment{name: doc[name.from:name.to], at: t.to})
				} else {
					g.over++
				}
				l.skip('{', '}')
			default:
				return len(g.ops) > 0
			}
		default:
			return len(g.ops) > 0
		}
	}
}

func (g *graph) operate(op operation) {
	if len(g.ops) == maxOperate {
		g.over++
		return
	}
	g.ops = append(g.ops, op)
}

// brackets reads over the arguments that come next, if any do, and gives what
// stands between them.
func (l *lexer) brackets() []byte {
	if l.peek().kind != '(' {
		return nil
	}
	l.next()
	from := l.i
	l.skip('(', ')')
	return l.b[from:max(from, l.i-1)]
}

// directives reads over the directives that come next.
func (l *lexer) directives() {
	for l.peek().kind == '@' {
		l.next()
		l.next()
		l.brackets()
	}
}

// choose gives the operation that is run: the one of that name, else the first.
func (g *graph) choose(name []byte) *operation {
	for i := range g.ops {
		if len(name) > 0 && bytes.Equal(g.ops[i].name, name) {
			return &g.ops[i]
		}
	}
	return &g.ops[0]
}

// roots lists the root fields of an operation, those of fragments behind the
// others. A field that stands there twice under one key counts once.
func (g *graph) roots(op *operation) {
	g.fields, g.queue = g.fields[:0], append(g.queue[:0], op.at)
	for i := range g.frags {
		g.frags[i].used = false
	}
	for n := 0; n < len(g.queue); n++ {
		g.selection(g.queue[n])
	}
}

func (g *graph) selection(at int) {
	b := g.b
	left := maxTokens
	l := lexer{b: b, i: at, left: &left}
	for open := 1; open > 0; {
		t := l.next()
		switch t.kind {
		case 0:
			return
		case '}':
			open--
		case '{':
			open++
		case '.':
			if t = l.peek(); t.kind == 'a' {
				l.next()
				if string(b[t.from:t.to]) != "on" {
					g.spread(b[t.from:t.to])
					l.directives()
					break
				}
				l.next()
			}
			l.directives() // an inline fragment: its fields are this selection's
		case '@':
			l.i = t.from
			l.directives()
		case 'a':
			f := rootField{key: b[t.from:t.to], name: b[t.from:t.to]}
			if p := l.peek(); p.kind == ':' {
				l.next()
				if t = l.next(); t.kind != 'a' {
					break
				}
				f.name = b[t.from:t.to]
			}
			f.args = l.brackets()
			l.directives()
			if p := l.peek(); p.kind == '{' {
				l.next()
				from := l.i
				l.skip('{', '}')
				f.inside = b[from:max(from, l.i-1)]
			}
			g.field(f)
		}
	}
}

func (g *graph) spread(name []byte) {
	for i := range g.frags {
		if f := &g.frags[i]; !f.used && bytes.Equal(f.name, name) {
			f.used = true
			g.queue = append(g.queue, f.at)
		}
	}
}

// fewFields is how many fields are searched one by one.
const fewFields = 16

func (g *graph) field(f rootField) {
	switch n := len(g.fields); {
	case n == maxFields:
		g.over++
		return
	case n < fewFields:
		for i := range g.fields {
			if bytes.Equal(g.fields[i].key, f.key) {
				return
			}
		}
	default:
		if n == fewFields {
			if g.seen == nil {
				g.seen = map[string]struct{}{}
			}
			clear(g.seen)
			for i := range g.fields {
				g.seen[string(g.fields[i].key)] = struct{}{}
			}
		}
		if _, ok := g.seen[string(f.key)]; ok {
			return
		}
		g.seen[string(f.key)] = struct{}{}
	}
	g.fields = append(g.fields, f)
}
