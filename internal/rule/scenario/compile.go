package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// What expressions are lowered to: functions of what an observer looks at.
type (
	text  func(*look) string
	truth func(*look) bool
	count func(*look) int64
)

type valueType uint8

const (
	nothing valueType = iota // there was a problem
	isText
	isTruth
	isCount
	isList
)

var typeNames = [...]phrase{say("nothing"), say("a text"), say("true or false"), say("a number"), say("a list")}

// value is a lowered expression.
type value struct {
	typ   valueType
	text  text
	truth truth
	count count
	list  []string // known when loading
	file  *dataFile
	lit   bool // known when loading: s, b or n
	s     string
	b     bool
	n     int64

	item  bool     // depends on what a loop is at
	event bool     // depends on the exchange
	addr  bool     // is the client's address, or a sum of texts with it
	deep  bool     // … inside something else than a sum
	among []string // the values that it can have; nil: any
	name  string   // as the scenario wrote it
	pair  *pairing // a comparison of a text with what a loop is at
	cost  int      // operations in it, with each name replaced by what it stands for
}

// pairing is a comparison that a loop over a list makes with each of its texts:
// it is turned into one search for all of them.
type pairing struct {
	op      string
	subject text
	item    text
}

func literal(s string) value {
	return value{typ: isText, lit: true, s: s, text: func(*look) string { return s }}
}

func known(b bool) value {
	return value{typ: isTruth, lit: true, b: b, truth: func(*look) bool { return b }}
}

func fixed(n int64) value {
	return value{typ: isCount, lit: true, n: n, count: func(*look) int64 { return n }}
}

// of gives a value that depends on what others depend on.
func of(typ valueType, from ...value) value {
	v := value{typ: typ, cost: 1}
	for _, f := range from {
		v.cost += f.cost
		v.item, v.event = v.item || f.item, v.event || f.event
		v.deep = v.deep || f.deep || f.addr
	}
	return v
}

// compiler lowers one expression.
type compiler struct {
	l      *loader
	key    string // of the YAML
	line   int    // where the expression begins
	source []rune
	vars   map[string]value
	loop   bool   // inside a loop over texts
	events bool   // inside a loop over the events of a bucket
	never  phrase // why it can never be true, if it cannot
}

func (l *loader) parse(s string, line int, key string) (*compiler, ast.Node) {
	tree, err := parser.Parse(s)
	if err != nil || tree == nil || tree.Node == nil {
		if err == nil {
			l.problem(line, key, "cannot be parsed")
			return nil, nil
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		l.problem(line, key, "cannot be parsed: %s", short(first))
		return nil, nil
	}
	return &compiler{l: l, key: key, line: line, source: []rune(s), vars: map[string]value{}}, tree.Node
}

// condition lowers an expression that is true or false.
func (l *loader) condition(s string, line int, key string) truth {
	c, n := l.parse(s, line, key)
	if c == nil {
		return nil
	}
	v := c.expr(n)
	switch {
	case v.typ == nothing:
		return nil
	case v.typ != isTruth:
		l.problem(line, key, "gives %s, but has to give true or false", typeNames[v.typ])
		return nil
	case v.lit && !v.b:
		why := c.never
		if why.format == "" {
			why = say("the expression is always false")
		}
		l.problem(line, key, "no HTTP exchange can meet it: %s", why)
		return nil
	}
	return v.truth
}

// key lowers an expression that gives a text to group or tell apart by.
func (l *loader) key(s string, line int, key string) (t text, byAddress bool) {
	c, n := l.parse(s, line, key)
	if c == nil {
		return nil, false
	}
	v := c.expr(n)
	switch {
	case v.typ == nothing:
		return nil, false
	case v.typ == isCount:
		v.text = func(k *look) string { return k.number(v.count(k)) }
	case v.typ != isText:
		l.problem(line, key, "gives %s, but has to give a text", typeNames[v.typ])
		return nil, false
	case v.deep:
		l.problem(line, key, "the client's address inside another function is not translated: the judge resolves it behind proxies")
		return nil, false
	}
	return v.text, v.addr
}

func (c *compiler) problem(n ast.Node, construct, format string, args ...any) value {
	line := c.line
	if n != nil {
		for _, r := range c.source[:max(0, min(n.Location().From, len(c.source)))] {
			if r == '\n' {
				line++
			}
		}
	}
	c.l.problem(line, construct, "%s: %s", c.key, say(format, args...))
	return value{}
}

// expr lowers a node. What a name stands for is evaluated wherever the name
// stands, so that names made of names would cost more than any text that is
// written out; such an expression is refused.
func (c *compiler) expr(n ast.Node) value {
	v := c.lower(n)
	if v.cost > MaxExpression || v.lit && len(v.s) > MaxExpression {
		return c.problem(n, "let", "larger than the %d bytes an expression may have, with its names written out", MaxExpression)
	}
	return v
}

func (c *compiler) lower(n ast.Node) value {
	switch n := n.(type) {
	case *ast.StringNode:
		return literal(n.Value)
	case *ast.IntegerNode:
		return fixed(int64(n.Value))
	case *ast.BoolNode:
		return known(n.Value)
	case *ast.ChainNode:
		return c.expr(n.Node)
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.IdentifierNode:
		if v, ok := c.vars[n.Value]; ok {
			return v
		}
		return c.problem(n, n.Value, "an unknown name")
	case *ast.PointerNode:
		if n.Name == "" && c.loop {
			return value{typ: isText, item: true, text: func(k *look) string { return k.item }}
		}
		return c.problem(n, n.String(), "not translated here")
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.VariableDeclaratorNode:
		v := c.expr(n.Value)
		old, had := c.vars[n.Name]
		c.vars[n.Name] = v
		out := c.expr(n.Expr)
		if delete(c.vars, n.Name); had {
			c.vars[n.Name] = old
		}
		return out
	case *ast.SequenceNode:
		out := value{}
		for _, x := range n.Nodes { // nothing has an effect but the last one's value
			out = c.expr(x)
		}
		return out
	case *ast.BuiltinNode:
		return c.builtin(n)
	case *ast.CallNode:
		return c.call(n)
	case nil:
		return value{}
	}
	return c.problem(n, fmt.Sprint(n), "not translated")
}

func (c *compiler) array(n *ast.ArrayNode) value {
	v := value{typ: isList, list: []string{}}
	for _, x := range n.Nodes {
		e := c.expr(x)
		switch {
		case e.typ == nothing:
			return value{}
		case e.typ != isText || !e.lit:
			return c.problem(x, fmt.Sprint(x), "a list holds texts that stand in the scenario")
		}
		v.list = append(v.list, e.s)
	}
	return v
}

// member reads a field of the event.
func (c *compiler) member(n *ast.MemberNode) value {
	path := []string{}
	var at ast.Node = n
	for {
		switch x := at.(type) {
		case *ast.MemberNode:
			p, ok := x.Property.(*ast.StringNode)
			if !ok {
				return c.problem(n, fmt.Sprint(n), "a field has a fixed name")
			}
			path = append(path, p.Value)
			at = x.Node
			continue
		case *ast.ChainNode:
			at = x.Node
			continue
		case *ast.IdentifierNode:
			path = append(path, x.Value)
		case *ast.PointerNode:
			if !c.events || x.Name != "" {
				return c.problem(n, fmt.Sprint(n), "not translated here")
			}
			path = append(path, "evt")
		default:
			return c.problem(n, fmt.Sprint(n), "not translated")
		}
		break
	}
	slices.Reverse(path)
	name := strings.Join(path, ".")
	if path[0] != "evt" || len(path) != 3 {
		return c.problem(n, name, "not known of an HTTP exchange")
	}
	f, ok := fieldNames[path[1]+"."+path[2]]
	if !ok {
		return c.problem(n, name, "not known of an HTTP exchange")
	}
	v := value{typ: isText, event: true, name: name, among: domains[f], text: func(k *look) string { return k.field(f) }}
	if f == fAddress {
		v.addr = true
		if c.key == "groupby" || c.key == "distinct" {
			v.text = func(*look) string { return "" } // the judge puts the address it resolved there
		}
	}
	return v
}

func (c *compiler) unary(n *ast.UnaryNode) value {
	v := c.expr(n.Node)
	switch {
	case v.typ == nothing:
		return value{}
	case (n.Operator == "!" || n.Operator == "not") && v.typ == isTruth:
		if v.lit {
			return known(!v.b)
		}
		out := of(isTruth, v)
		out.truth = func(k *look) bool { return !v.truth(k) }
		return out
	case n.Operator == "-" && v.typ == isCount && v.lit:
		return fixed(-v.n)
	}
	return c.problem(n, n.Operator, "not translated of %s", typeNames[v.typ])
}

// conditional lowers cond ? a : b and if.
func (c *compiler) conditional(n *ast.ConditionalNode) value {
	q, a, b := c.expr(n.Cond), c.expr(n.Exp1), c.expr(n.Exp2)
	switch {
	case q.typ == nothing || a.typ == nothing || b.typ == nothing:
		return value{}
	case q.typ != isTruth || a.typ != b.typ || a.typ == isList:
		return c.problem(n, "?:", "not translated of %s, %s and %s", typeNames[q.typ], typeNames[a.typ], typeNames[b.typ])
	case q.lit && q.b:
		return a
	case q.lit:
		return b
	}
	if a.typ == isTruth && b.lit && !b.b {
		return c.both(q, a)
	}
	v := of(a.typ, q, a, b)
	switch a.typ {
	case isText:
		v.text = func(k *look) string {
			if q.truth(k) {
				return a.text(k)
			}
			return b.text(k)
		}
	case isTruth:
		v.truth = func(k *look) bool {
			if q.truth(k) {
				return a.truth(k)
			}
			return b.truth(k)
		}
	case isCount:
		v.count = func(k *look) int64 {
			if q.truth(k) {
				return a.count(k)
			}
			return b.count(k)
		}
	}
	return v
}
