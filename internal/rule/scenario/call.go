package scenario

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// builtin lowers the functions of the language itself.
func (c *compiler) builtin(n *ast.BuiltinNode) value {
	switch n.Name {
	case "any", "all", "none", "one":
		if len(n.Arguments) == 2 {
			if p, ok := n.Arguments[1].(*ast.PredicateNode); ok {
				return c.each(n, n.Name, n.Arguments[0], p.Node)
			}
		}
	case "len":
		if len(n.Arguments) == 1 {
			v := c.expr(n.Arguments[0])
			switch v.typ {
			case nothing:
				return value{}
			case isText:
				out := of(isCount, v)
				out.count = func(k *look) int64 { return int64(len(v.text(k))) }
				return out
			case isList:
				return fixed(int64(len(v.list)))
			}
		}
	case "upper", "lower", "trim", "int", "string":
		return c.function(n, n.Name, n.Arguments)
	}
	return c.problem(n, n.Name+"()", "not translated")
}

// call lowers the functions that CrowdSec adds.
func (c *compiler) call(n *ast.CallNode) value {
	switch f := n.Callee.(type) {
	case *ast.IdentifierNode:
		return c.function(n, f.Value, n.Arguments)
	case *ast.MemberNode:
		p, ok := f.Property.(*ast.StringNode)
		id, evt := f.Node.(*ast.IdentifierNode)
		if ok && evt && id.Value == "evt" && (p.Value == "SetMeta" || p.Value == "SetParsed") {
			// What it notes on the event is for whoever reads the alert.
			return known(true)
		}
	}
	return c.problem(n, fmt.Sprint(n.Callee)+"()", "not translated")
}

func (c *compiler) function(n ast.Node, name string, nodes []ast.Node) value {
	args := make([]value, len(nodes))
	for i, x := range nodes {
		if args[i] = c.expr(x); args[i].typ == nothing {
			return value{}
		}
	}
	is := func(types ...valueType) bool {
		if len(types) != len(args) {
			return false
		}
		for i, t := range types {
			if args[i].typ != t {
				return false
			}
		}
		return true
	}
	switch name {
	case "Upper", "upper", "ToUpper":
		if is(isText) {
			return mapped(args[0], strings.ToUpper, (*look).upper)
		}
	case "Lower", "lower", "ToLower":
		if is(isText) {
			return mapped(args[0], strings.ToLower, (*look).lower)
		}
	case "trim", "TrimSpace", "Trim":
		if is(isText) {
			return mapped(args[0], strings.TrimSpace, func(_ *look, s string) string { return strings.TrimSpace(s) })
		}
	case "PathUnescape":
		if is(isText) {
			return mapped(args[0], nil, func(k *look, s string) string { return k.unescape(s, false) })
		}
	case "QueryUnescape":
		if is(isText) {
			return mapped(args[0], nil, func(k *look, s string) string { return k.unescape(s, true) })
		}
	case "string", "ToString":
		if is(isText) {
			return args[0]
		}
		if is(isCount) {
			v := of(isText, args[0])
			v.text = func(k *look) string { return k.number(args[0].count(k)) }
			return v
		}
	case "int", "Atof":
		if is(isCount) {
			return args[0]
		}
		if is(isText) && name == "int" {
			v := of(isCount, args[0])
			v.count = func(k *look) int64 {
				x, err := strconv.ParseInt(args[0].text(k), 10, 64)
				if err != nil {
					k.failed = true
				}
				return x
			}
			return v
		}
	case "len":
		if is(isText) {
			v := of(isCount, args[0])
			v.count = func(k *look) int64 { return int64(len(args[0].text(k))) }
			return v
		}
	case "File":
		if is(isText) && args[0].lit {
			if d := c.file(n, args[0].s); d != nil {
				return value{typ: isList, list: d.lines, file: d}
			}
			return value{}
		}
	case "RegexpInFile":
		if is(isText, isText) && args[1].lit {
			return c.regexpInFile(n, args[0], args[1].s)
		}
	case "LookupFile":
		if is(isText, isText) && args[1].lit {
			return c.lookupFile(n, args[0], args[1].s)
		}
	case "JsonExtract":
		if is(isText, isText) && args[1].lit {
			if args[0].event {
				return c.problem(n, name, "of an exchange is not translated, only of the lines of a file")
			}
			key := args[1].s
			v := of(isText, args[0])
			v.text = func(k *look) string { return extract(args[0].text(k), key) }
			return v
		}
	case "IpInRange":
		if is(isText, isText) && args[1].lit {
			p, err := netip.ParsePrefix(args[1].s)
			if err != nil {
				return c.problem(n, name, "%q is no network", short(args[1].s))
			}
			v := of(isTruth, args[0])
			v.truth = func(k *look) bool {
				a, err := netip.ParseAddr(args[0].text(k))
				return err == nil && p.Contains(a.Unmap())
			}
			return v
		}
	case "IsIPV4", "IsIPV6":
		if is(isText) {
			four := name == "IsIPV4"
			v := of(isTruth, args[0])
			v.truth = func(k *look) bool { a, err := netip.ParseAddr(args[0].text(k)); return err == nil && a.Is4() == four }
			return v
		}
	}
	return c.problem(n, name+"()", "not translated")
}

// mapped applies a function to a text.
func mapped(v value, fold func(string) string, f func(*look, string) string) value {
	if v.lit && fold != nil {
		return literal(fold(v.s))
	}
	out := of(isText, v)
	out.text = func(k *look) string { return f(k, v.text(k)) }
	return out
}

// file gives a data file that the scenario lists.
func (c *compiler) file(n ast.Node, name string) *dataFile {
	d := c.l.data[c.l.file_+"\x00"+name]
	switch {
	case d == nil:
		c.problem(n, name, "the scenario does not list this file under data")
	case d.err != nil:
		return nil // listed already
	default:
		return d
	}
	return nil
}

func (c *compiler) regexpInFile(n ast.Node, subject value, name string) value {
	d := c.file(n, name)
	if d == nil {
		return value{}
	}
	if d.regex == nil {
		return c.problem(n, name, "is no file of regular expressions")
	}
	v := of(isTruth, subject)
	p, id := d.regex, c.l.memo()
	v.truth = func(k *look) bool { return k.recall(id, p, subject.text(k)) }
	return v
}

func (c *compiler) lookupFile(n ast.Node, subject value, name string) value {
	d := c.file(n, name)
	if d == nil {
		return value{}
	}
	if d.table == nil {
		return c.problem(n, name, "is no file of type map")
	}
	v := of(isText, subject)
	t := d.table
	v.text = func(k *look) string { return t.find(subject.text(k)) }
	return v
}

// extract gives a field of a JSON object as text, empty when it has none.
func extract(line, key string) string {
	var m map[string]any
	if json.Unmarshal([]byte(line), &m) != nil {
		return ""
	}
	switch v := m[key].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// each lowers a loop over a list that is known when loading.
func (c *compiler) each(n ast.Node, name string, listNode, body ast.Node) value {
	list := c.expr(listNode)
	if list.typ == nothing {
		return value{}
	}
	if list.typ != isList {
		return c.problem(n, name+"()", "goes through %s, not a list", typeNames[list.typ])
	}
	if c.loop {
		return c.problem(n, name+"()", "inside another one is not translated")
	}
	c.loop = true
	b := c.expr(body)
	c.loop = false
	switch {
	case b.typ == nothing:
		return value{}
	case b.typ != isTruth:
		return c.problem(n, name+"()", "asks for %s, not true or false", typeNames[b.typ])
	}
	return c.over(name, list.list, b, body)
}

// over is a loop with its body lowered.
func (c *compiler) over(name string, list []string, b value, body ast.Node) value {
	if name == "none" {
		v := c.over("any", list, b, body)
		if v.lit {
			return known(!v.b)
		}
		out := of(isTruth, v)
		out.truth = func(k *look) bool { return !v.truth(k) }
		return out
	}
	if name == "any" {
		if len(list) == 0 {
			return known(false)
		}
		if !b.item {
			return b
		}
		if b.pair != nil {
			v := together(list, b.pair)
			v.cost = b.cost + 1
			return v
		}
		// any(L, A or B) is any(L, A) or any(L, B)
		if or, ok := body.(*ast.BinaryNode); ok && (or.Operator == "or" || or.Operator == "||") {
			c.loop = true
			left, right := c.expr(or.Left), c.expr(or.Right)
			c.loop = false
			return c.either(c.over(name, list, left, or.Left), c.over(name, list, right, or.Right))
		}
	}
	least, most := 1, len(list)
	switch name {
	case "all":
		least = len(list)
	case "one":
		most = 1
	}
	stop := name == "any"
	return value{typ: isTruth, event: true, cost: b.cost + 1, truth: func(k *look) bool {
		met := 0
		for _, s := range list {
			if k.steps++; k.steps > maxSteps {
				k.failed, k.spent = true, true
				return false
			}
			k.item = s
			if b.truth(k) {
				if met++; stop {
					return true
				}
			}
		}
		return met >= least && met <= most
	}}
}

// together asks whether one of many comparisons holds.
func together(list []string, p *pairing) value {
	texts := make([]string, 0, len(list))
	k := &look{}
	for _, s := range list {
		k.item = s
		if t := strings.Clone(p.item(k)); t != "" || p.op == "==" {
			texts = append(texts, t)
		}
		k.arena = k.arena[:0]
	}
	v := value{typ: isTruth, event: true}
	switch p.op {
	case "==":
		set := make(map[string]struct{}, len(texts))
		for _, t := range texts {
			set[t] = struct{}{}
		}
		delete(set, "")
		v.truth = func(k *look) bool { _, ok := set[p.subject(k)]; return ok }
	case "contains":
		m := newWords(texts)
		v.truth = func(k *look) bool { return m.in(p.subject(k)) }
	case "endsWith", "startsWith":
		m := newEdges(texts, p.op == "startsWith")
		v.truth = func(k *look) bool { return m.in(p.subject(k)) }
	}
	return v
}
