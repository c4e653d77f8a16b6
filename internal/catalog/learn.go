package catalog

import (
	"math/bits"
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
)

// answer describes how an observation was answered, for comparing siblings.
// An answer is telling when it is rich enough that two different APIs hardly
// give the same: fields with identifiers, records, or a body of some size; for
// writes also the names that the request's body carries. "ok" and "deleted"
// are common, pages and assets more so.
func answer(o *observe.Observation) variant {
	k := sketch.Join(o.Schema, uint64(o.RespKind))
	v := variant{need: needCommon}
	switch o.RespKind {
	case observe.BodyHTML, observe.BodyText, observe.BodyScript, observe.BodyImage, observe.BodyFile, observe.BodyBinary:
		if o.Schema == 0 {
			v.need = needContent
		}
	}
	if o.Schema != 0 && (len(o.Leaves) > 0 || o.Records > 0 || o.RespBytes >= 160) {
		v.need = needTelling
	}
	if o.Method != "GET" {
		names, n := uint64(0), 0
		for i := range o.Params {
			if p := &o.Params[i]; p.In == observe.InForm || p.In == observe.InJSON || p.In == observe.InBody {
				names += sketch.HashString(p.Name) // a sum: order does not matter
				n++
			}
		}
		k = sketch.Join(k, names)
		if n >= 2 {
			v.need = needTelling
		}
	}
	v.key = k
	return v
}

// leafBits is a small fingerprint of the response's identifying fields, to
// tell a variation of an answer (an optional field) from another answer.
func leafBits(o *observe.Observation) uint64 {
	b := uint64(0)
	for i := range o.Leaves {
		b |= 1 << (sketch.HashString(o.Leaves[i].Path) & 63)
	}
	return b
}

// place finds or makes the operation of a path that was answered with success,
// and learns from the answer. nil: a cap was reached.
func (c *Catalog) place(root *node, segs []segment, o *observe.Observation, v variant, method string) *op {
	n := root
	for i := range segs {
		s := &segs[i]
		next := (*node)(nil)
		switch {
		case s.operation:
			next = c.operation(n, s.text)
		case n.literal(s) != nil:
			next = n.literal(s)
		case s.value || n.group != nil && n.group.gathers:
			next = c.parameter(n)
		case n.group != nil && n.group.words && c.admits(n.group, s, segs[i+1:], o, v, method):
			next = n.group
		default:
			next = c.child(n, s)
		}
		if next == nil {
			return nil
		}
		if next.param {
			c.evidence(next, s, o)
			n = next
			continue
		}
		next.uses++
		if next.weight > weightNever && !next.echoed && len(next.feats) < maxFeatures {
			if f := echo(s.token, o); f != "" {
				next.echoed, next.echoedAs = true, lastName(f)
				next.reweigh(weightData)
			}
		}
		n = next
	}
	p := n.op(method)
	if p == nil {
		p = c.newOp(n, method, o)
	}
	return p
}

// admits reports whether a word that is new beside a word parameter is one of
// its values.
func (c *Catalog) admits(g *node, s *segment, rest []segment, o *observe.Observation, v variant, method string) bool {
	budget := findBudget
	target := g.find(rest, method, &budget)
	exact := target != nil && target.answered(v.key)
	many := g.values.Count() >= 16
	if exact && v.telling() && many && !c.lex.self[s.text] {
		return true
	}
	if c.lex.self[strings.ToLower(s.text)] {
		return false
	}
	if s.class == observe.ClassVer {
		return false
	}
	if text, _ := stem(s.text); c.lex.isRoute(text) {
		if g.admitted[s.text] || exact && v.telling() && echo(s.token, o) != "" {
			g.admit(s.text)
			return true
		}
		return false
	}
	if !v.telling() {
		// A common answer says nothing: a name that looks like code may well be a
		// route, and so may any word where nothing else is known.
		_, firm, _ := c.weigh(s, g.parent)
		if target != nil && many && c.routed(rest) {
			return true // what follows is known of the parameter's values
		}
		if firm == 0 || !exact && !g.telling() && firm < weightMixed {
			return false
		}
	}
	switch {
	case exact:
		return true
	case target == nil:
		// A word with a new operation below it is still a value; the same
		// place with another method may be a route.
		return len(rest) > 0
	case !v.telling() || len(target.variants) >= 4:
		return true
	}
	a, b := target.leaves, leafBits(o)
	return a != 0 && 2*bits.OnesCount64(a&b) >= bits.OnesCount64(a|b)
}

// telling reports whether a parameter's values were found by telling answers.
func (n *node) telling() bool {
	for i := range n.feats {
		if n.feats[i].need == needTelling {
			return true
		}
	}
	return false
}

func (n *node) admit(word string) {
	if n.admitted == nil {
		n.admitted = map[string]bool{}
	}
	if len(n.admitted) < maxAdmitted {
		n.admitted[word] = true
	}
}

// echo gives the response field that repeats a path segment's value.
func echo(token uint64, o *observe.Observation) string {
	if token == 0 {
		return ""
	}
	for i := range o.Leaves {
		if o.Leaves[i].Token == token {
			return o.Leaves[i].Path
		}
	}
	return ""
}

// note records that an operation answered so, and tells every literal on the
// way up, where siblings that answer alike may now be enough.
func (c *Catalog) note(p *op, v variant, o *observe.Observation) {
	if p.answered(v.key) || len(p.variants) >= maxVariants {
		return
	}
	p.variants = append(p.variants, v)
	p.leaves |= leafBits(o)
	key := sketch.Join(sketch.HashString(p.Method), v.key)
	// Bottom up, so that a merge below is done before its parents compare.
	var up [observe.MaxSegments + 1]struct {
		n *node
		f feature
	}
	depth := 0
	for n := p.node; n.parent != nil && depth < len(up); n = n.parent {
		if n.param {
			n.addFeature(feature{key, v.need})
		} else if n.weight > weightNever {
			up[depth].n, up[depth].f = n, feature{key, v.need}
			depth++
		}
		key = sketch.Join(key, n.mask())
	}
	for i := range depth {
		n, f := up[i].n, up[i].f
		if n.hasFeature(f.key) || len(n.feats) >= maxFeatures || n.parent == nil || n.parent.lit(n.text) != n {
			continue
		}
		n.feats = append(n.feats, f)
		n.parent.count(f, n, +1)
		c.regroup(n.parent, f)
	}
}

func (n *node) addFeature(f feature) {
	if !n.hasFeature(f.key) && len(n.feats) < 4*maxFeatures {
		n.feats = append(n.feats, f)
	}
}

// mask is what a node contributes to the features of the nodes above it: words
// that may be values all look alike.
func (n *node) mask() uint64 {
	if n.param || !n.route {
		return 1
	}
	return sketch.HashString(n.text)
}
