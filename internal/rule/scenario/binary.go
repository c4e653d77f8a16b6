package scenario

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

func (c *compiler) binary(n *ast.BinaryNode) value {
	a := c.expr(n.Left)
	b := c.expr(n.Right)
	if a.typ == nothing || b.typ == nothing {
		return value{}
	}
	switch n.Operator {
	case "and", "&&":
		if a.typ == isTruth && b.typ == isTruth {
			return c.both(a, b)
		}
	case "or", "||":
		if a.typ == isTruth && b.typ == isTruth {
			return c.either(a, b)
		}
	case "==", "!=":
		if v, ok := c.equal(a, b, n.Operator == "!="); ok {
			return v
		}
	case "<", ">", "<=", ">=":
		if a.typ == isCount && b.typ == isCount {
			return order(n.Operator, a, b)
		}
	case "+":
		if v, ok := plus(a, b); ok {
			return v
		}
	case "in":
		if a.typ == isText && b.typ == isList {
			return c.in(a, b)
		}
	case "contains", "startsWith", "endsWith":
		if a.typ == isText && b.typ == isText {
			return compare(n.Operator, a, b)
		}
	case "matches":
		if a.typ == isText && b.typ == isText {
			return c.matches(n, a, b)
		}
	}
	return c.problem(n, n.Operator, "not translated of %s and %s", typeNames[a.typ], typeNames[b.typ])
}

func (c *compiler) both(a, b value) value {
	switch {
	case a.lit && !a.b || b.lit && !b.b:
		return known(false)
	case a.lit:
		return b
	case b.lit:
		return a
	}
	v := of(isTruth, a, b)
	v.truth = func(k *look) bool { return a.truth(k) && b.truth(k) }
	// of what a loop asks, only the part about its texts is asked of each
	if !a.item && b.pair != nil {
		v.pair = b.pair
		v.pair = &pairing{b.pair.op, guarded(a.truth, b.pair.subject), b.pair.item}
	}
	return v
}

// guarded gives a subject only where a condition holds; what gives no text
// equals, holds and ends in nothing that a list has.
func guarded(when truth, s text) text {
	return func(k *look) string {
		if when(k) {
			return s(k)
		}
		return ""
	}
}

func (c *compiler) either(a, b value) value {
	switch {
	case a.lit && a.b || b.lit && b.b:
		return known(true)
	case a.lit:
		return b
	case b.lit:
		return a
	}
	v := of(isTruth, a, b)
	v.truth = func(k *look) bool { return a.truth(k) || b.truth(k) }
	return v
}

// equal compares texts, numbers or truths.
func (c *compiler) equal(a, b value, not bool) (value, bool) {
	if a.typ != b.typ || a.typ == isList {
		return value{}, false
	}
	if a.typ == isText {
		if a.lit && !b.lit {
			a, b = b, a
		}
		if b.lit && a.among != nil {
			switch {
			case !slices.Contains(a.among, b.s):
				c.unlike(a, b.s)
				return known(not), true
			case len(a.among) == 1:
				return known(!not), true
			}
		}
		if a.lit && b.lit {
			return known((a.s == b.s) != not), true
		}
	}
	v := of(isTruth, a, b)
	switch a.typ {
	case isText:
		v.truth = func(k *look) bool { return (a.text(k) == b.text(k)) != not }
		if !not {
			v.pair = pairOf("==", a, b)
			if v.pair == nil {
				v.pair = pairOf("==", b, a)
			}
		}
	case isCount:
		v.truth = func(k *look) bool { return (a.count(k) == b.count(k)) != not }
	case isTruth:
		v.truth = func(k *look) bool { return (a.truth(k) == b.truth(k)) != not }
	}
	return v, true
}

// unlike remembers why a comparison can never be true.
func (c *compiler) unlike(v value, s string) {
	if c.never.format == "" {
		c.never = say("%s is never %q", v.name, short(s))
	}
}

func order(op string, a, b value) value {
	v := of(isTruth, a, b)
	switch op {
	case "<":
		v.truth = func(k *look) bool { return a.count(k) < b.count(k) }
	case ">":
		v.truth = func(k *look) bool { return a.count(k) > b.count(k) }
	case "<=":
		v.truth = func(k *look) bool { return a.count(k) <= b.count(k) }
	case ">=":
		v.truth = func(k *look) bool { return a.count(k) >= b.count(k) }
	}
	return v
}

func plus(a, b value) (value, bool) {
	switch {
	case a.typ == isText && b.typ == isText:
		if a.lit && b.lit {
			return literal(a.s + b.s), true
		}
		v := of(isText, a, b)
		v.addr, v.deep = a.addr || b.addr, a.deep || b.deep
		v.text = func(k *look) string { return k.join(a.text(k), b.text(k)) }
		return v, true
	case a.typ == isCount && b.typ == isCount:
		v := of(isCount, a, b)
		v.count = func(k *look) int64 { return a.count(k) + b.count(k) }
		return v, true
	}
	return value{}, false
}

// in looks a text up in a list.
func (c *compiler) in(a, b value) value {
	list := b.list
	if a.among != nil {
		list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !slices.Contains(a.among, s) })
		if len(list) == 0 {
			c.unlike(a, strings.Join(b.list, ", "))
			return known(false)
		}
		all := true
		for _, s := range a.among {
			all = all && slices.Contains(list, s)
		}
		if all {
			return known(true)
		}
	}
	if a.lit {
		return known(slices.Contains(list, a.s))
	}
	v := of(isTruth, a)
	if len(list) <= 8 {
		v.truth = func(k *look) bool { return slices.Contains(list, a.text(k)) }
		return v
	}
	set := make(map[string]struct{}, len(list))
	for _, s := range list {
		set[s] = struct{}{}
	}
	v.truth = func(k *look) bool { _, ok := set[a.text(k)]; return ok }
	return v
}

var comparisons = map[string]func(a, b string) bool{"contains": strings.Contains, "startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix}

func compare(op string, a, b value) value {
	f := comparisons[op]
	if a.lit && b.lit {
		return known(f(a.s, b.s))
	}
	v := of(isTruth, a, b)
	v.truth = func(k *look) bool { return f(a.text(k), b.text(k)) }
	if b.lit {
		s := b.s
		v.truth = func(k *look) bool { return f(a.text(k), s) }
	}
	v.pair = pairOf(op, a, b)
	return v
}

// pairOf is the comparison of a text with what a loop is at.
func pairOf(op string, subject, item value) *pairing {
	if subject.item || !item.item || item.event {
		return nil
	}
	return &pairing{op, subject.text, item.text}
}

func (c *compiler) matches(n ast.Node, a, b value) value {
	if !b.lit {
		return c.problem(n, "matches", "the pattern has to stand in the scenario")
	}
	re, err := compilePattern(b.s)
	if err != nil {
		return c.problem(n, "matches", "%s", err)
	}
	if a.lit {
		return known(re.MatchString(a.s))
	}
	v := of(isTruth, a)
	v.truth = func(k *look) bool { return re.MatchString(a.text(k)) }
	if must := newGate(b.s); must != nil {
		v.truth = func(k *look) bool { s := a.text(k); return must.may(s) && re.MatchString(s) }
	}
	return v
}
