package scenario

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// An overflow_filter looks at the events that a bucket holds. None is kept;
// instead each condition inside a loop over them is evaluated when the exchange
// is observed, and the bucket counts how many events met it.

// maxInner is how many such conditions a scenario may have.
const maxInner = 16

// sums are what a bucket knows of its events.
type sums struct {
	n     int64
	inner [maxInner]int64
}

// condition is an overflow_filter.
type condition func(*sums) bool

func (l *loader) queue(s string, line int) (condition, []truth) {
	c, n := l.parse(s, line, "overflow_filter")
	if c == nil {
		return nil, nil
	}
	q := &queueCompiler{compiler: c}
	return q.condition(n), q.inner
}

type queueCompiler struct {
	*compiler
	inner []truth
}

func (c *queueCompiler) condition(n ast.Node) condition {
	switch n := n.(type) {
	case *ast.BoolNode:
		return func(*sums) bool { return n.Value }
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			if f := c.condition(n.Node); f != nil {
				return func(s *sums) bool { return !f(s) }
			}
			return nil
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			f, g := c.condition(n.Left), c.condition(n.Right)
			if f == nil || g == nil {
				return nil
			}
			if strings.HasPrefix(n.Operator, "a") || n.Operator == "&&" {
				return func(s *sums) bool { return f(s) && g(s) }
			}
			return func(s *sums) bool { return f(s) || g(s) }
		case "<", ">", "<=", ">=", "==", "!=":
			f, g := c.number(n.Left), c.number(n.Right)
			if f == nil || g == nil {
				return nil
			}
			op := n.Operator
			return func(s *sums) bool {
				a, b := f(s), g(s)
				switch op {
				case "<":
					return a < b
				case ">":
					return a > b
				case "<=":
					return a <= b
				case ">=":
					return a >= b
				case "==":
					return a == b
				}
				return a != b
			}
		}
	case *ast.BuiltinNode:
		if k, ok := c.over(n); ok {
			switch n.Name {
			case "any":
				return func(s *sums) bool { return s.inner[k] > 0 }
			case "all":
				return func(s *sums) bool { return s.inner[k] == s.n }
			case "none":
				return func(s *sums) bool { return s.inner[k] == 0 }
			case "one":
				return func(s *sums) bool { return s.inner[k] == 1 }
			}
		} else if c.l.bad {
			return nil
		}
	}
	c.problem(n, fmt.Sprint(n), "not translated: only any, all, none, one, count and len of queue.Queue are")
	return nil
}

func (c *queueCompiler) number(n ast.Node) func(*sums) int64 {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return func(*sums) int64 { return int64(n.Value) }
	case *ast.BuiltinNode:
		if n.Name == "len" && len(n.Arguments) == 1 && isQueue(n.Arguments[0]) {
			return func(s *sums) int64 { return s.n }
		}
		if n.Name == "count" {
			if k, ok := c.over(n); ok {
				return func(s *sums) int64 { return s.inner[k] }
			} else if c.l.bad {
				return nil
			}
		}
	}
	c.problem(n, fmt.Sprint(n), "not translated as a number of events")
	return nil
}

// over lowers the condition of a loop over the events and gives its number.
func (c *queueCompiler) over(n *ast.BuiltinNode) (int, bool) {
	if len(n.Arguments) != 2 || !isQueue(n.Arguments[0]) {
		return 0, false
	}
	p, ok := n.Arguments[1].(*ast.PredicateNode)
	if !ok {
		return 0, false
	}
	if len(c.inner) == maxInner {
		c.problem(n, n.Name+"()", "more than %d conditions over the events", maxInner)
		return 0, false
	}
	c.events = true
	v := c.expr(p.Node)
	c.events = false
	if v.typ != isTruth {
		if v.typ != nothing {
			c.problem(n, n.Name+"()", "asks for %s, not true or false", typeNames[v.typ])
		}
		return 0, false
	}
	c.inner = append(c.inner, v.truth)
	return len(c.inner) - 1, true
}

// isQueue reports whether a node is queue.Queue.
func isQueue(n ast.Node) bool {
	m, ok := n.(*ast.MemberNode)
	if !ok {
		return false
	}
	p, ok := m.Property.(*ast.StringNode)
	id, named := m.Node.(*ast.IdentifierNode)
	return ok && named && id.Value == "queue" && p.Value == "Queue"
}
