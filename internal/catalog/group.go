package catalog

import (
	"strings"

	"xiezhi/internal/observe"
)

// regroup checks whether the literal children of n that answer with feature f
// are values of one parameter, and makes them so.
func (c *Catalog) regroup(n *node, f feature) {
	s := n.support[f.key]
	g := n.group
	bonus := int32(0)
	known := g != nil && g.hasFeature(f.key)
	if known {
		bonus = bonusNeighbor
	}
	total := s.sum
	if f.need != needTelling {
		total = s.firm // common answers say nothing about route words
	}
	joins := known && g.words
	names := f.need != needTelling && !joins && (c.names(n, f) || c.tenants(n, f))
	need := f.need
	if need == needContent && n.parent != nil {
		need = needPages
		if s.files*4 >= s.n*3 {
			need = needFiles
		}
	}
	if !joins && !names && (total+bonus < need || s.n+bonus/bonusNeighbor < 3) {
		return
	}
	var members []*node
	total = bonus
	uses := int32(0)
	for _, k := range n.order {
		if k.hasFeature(f.key) && n.alike(k) && (f.need == needTelling || !k.route) {
			members = append(members, k)
			uses += k.uses
			if f.need == needTelling {
				total += k.weight
			} else {
				total += k.firm
			}
		}
	}
	// Names are many and each is used a little; routes are few and used a lot.
	// Files are files however often they are fetched.
	if f.need != needTelling && need != needFiles && !joins && !names && int(uses) > 3*len(members) && !valued(members) {
		return
	}
	if joins {
		// Words that answer as the parameter's known values do are values;
		// route words need a crowd, or the answer must repeat them.
		some := members[:0]
		for _, k := range members {
			if !k.route && (k.firm > 0 || f.need == needTelling) || k.route && f.need == needTelling && (k.echoed || g.values.Count() >= 16) {
				some = append(some, k)
			}
		}
		members = some
	} else if !names && (total < need || len(members)+int(bonus/bonusNeighbor) < 3) {
		return
	}
	if len(members) == 0 {
		return
	}
	if g = c.parameter(n); g == nil {
		return
	}
	g.words = true
	for _, k := range members {
		n.detach(k)
		if k.route {
			g.admit(k.text)
		}
		g.values.Add(k.token)
		g.naming.add(k)
		c.fold(g, k)
	}
	c.rename(g)
	c.settle(g)
	// What is left may now join on other features of the parameter.
	for _, k := range append([]*node(nil), n.order...) {
		if n.lit(k.text) != k {
			continue
		}
		for _, kf := range k.feats {
			if g.hasFeature(kf.key) {
				c.regroup(n, kf)
				break
			}
		}
	}
}

// valued reports whether literals look like values, each by itself.
func valued(members []*node) bool {
	for _, k := range members {
		if k.firm < weightMixed {
			return false
		}
	}
	return true
}

// names reports whether the literals that show a common answer are names by
// what stands around them: a crowd of words that no route is called by, with
// hardly a route among their siblings. Where routes usually stand (behind a
// version or a value) they must have routes below them in common as well.
func (c *Catalog) names(n *node, f feature) bool {
	if s := n.support[f.key].n; n.parent == nil || f.need != needCommon || s < manyNames || s%manyNames != 0 {
		return false // looked at now and then: it costs a walk
	}
	plain, plurals, others := 0, 0, 0
	below := map[string]int{}
	for _, k := range n.order {
		switch {
		case k.route || k.file || k.firm < weightMixed && (humps(k.text) || c.lex.hasRoute(k.text)):
			others++
		case k.hasFeature(f.key):
			plain++
			plurals += boolInt(strings.HasSuffix(k.text, "s"))
			for _, b := range k.order {
				if b.route {
					below[b.text]++
				}
			}
		}
	}
	if others*4 > plain || plurals*5 > plain*2 || plain < manyNames {
		return false
	}
	if !c.routesStand(n) {
		return true
	}
	for _, k := range below {
		if k*2 >= plain {
			return true
		}
	}
	return false
}

// routesStand reports whether what follows a place is a route more often than a
// name: at the root, behind a version, a value, "api".
func (c *Catalog) routesStand(n *node) bool {
	return n.param || n.parent == nil || n.neutral() || strings.EqualFold(n.text, "api")
}

// alike reports whether at least half of what a literal answers is also
// answered by siblings: a route of its own has a sub-tree of its own.
func (n *node) alike(k *node) bool {
	shared := 0
	for _, f := range k.feats {
		if n.support[f.key].n >= 2 || n.group != nil && n.group.hasFeature(f.key) {
			shared++
		}
	}
	return 2*shared >= len(k.feats)
}

// fold moves everything below src into dst.
func (c *Catalog) fold(dst, src *node) {
	c.nodes--
	c.foldEdits(dst, src)
	for _, p := range src.ops {
		src.in.unlist(src, p)
		if q := dst.op(p.Method); q != nil {
			c.join(dst, q, p)
		} else {
			p.node = dst
			dst.ops = append(dst.ops, p)
		}
		dst.in.list(dst, dst.op(p.Method))
	}
	for _, k := range src.order {
		src.in.literals.drop(k.key)
		if d := dst.lit(k.text); d != nil {
			c.fold(d, k)
		} else {
			dst.attach(k)
		}
	}
	c.foldCalls(dst, src)
	switch {
	case src.group == nil:
	case dst.group == nil:
		dst.group = src.group
		dst.group.parent = dst
		dst.in.move(dst.group, dst.in.parameter(dst.key))
	default:
		dst.group.words = dst.group.words || src.group.words
		dst.group.gathers = dst.group.gathers || src.group.gathers
		dst.group.values.Merge(&src.group.values)
		dst.group.naming.merge(&src.group.naming)
		for w := range src.group.admitted {
			dst.group.admit(w)
		}
		for i, f := range src.group.askers {
			if dst.group.askers[i] == nil {
				dst.group.askers[i] = f
			} else if f != nil {
				dst.group.askers[i].merge(f)
			}
		}
		c.fold(dst.group, src.group)
	}
	for _, f := range src.feats {
		switch {
		case dst.param:
			dst.addFeature(f)
		case dst.pinned:
		case !dst.hasFeature(f.key) && len(dst.feats) < maxFeatures:
			dst.feats = append(dst.feats, f)
			if dst.parent != nil && dst.parent.lit(dst.text) == dst {
				dst.parent.count(f, dst, +1)
			}
		}
	}
	src.parent = nil
	if dst.group != nil && dst.group.gathers {
		c.gather(dst, dst.group)
	}
}

// settle looks for parameters among children that came together by a fold.
func (c *Catalog) settle(n *node) {
	for _, k := range append([]*node(nil), n.order...) {
		if n.lit(k.text) != k {
			continue
		}
		c.settle(k)
		for _, f := range append([]feature(nil), k.feats...) {
			if n.lit(k.text) != k {
				break
			}
			c.regroup(n, f)
		}
	}
	if n.group != nil {
		c.settle(n.group)
	}
}

// join makes one operation of two; the older handle survives.
func (c *Catalog) join(n *node, q, p *op) {
	if p.Handle < q.Handle {
		p, q = q, p
		for i := range n.ops {
			if n.ops[i] == p {
				n.ops[i] = q
			}
		}
		q.node = n
	}
	q.absorb(p)
	c.parents[p.Handle] = q.Handle
	c.live--
	c.merges = append(c.merges, Merge{From: p.Handle, Into: q.Handle})
}

// evidence learns from a value of a parameter: how many there are and what to
// call them.
func (c *Catalog) evidence(g *node, s *segment, o *observe.Observation) {
	g.seen++
	g.values.Add(s.token)
	if g.naming.samples < 64 {
		g.naming.samples++
		g.naming.classes[min(s.class, observe.ClassOther)]++
		if s.sens != 0 {
			g.naming.sens = s.sens
		}
		if f := echo(s.token, o); f != "" {
			g.naming.echo(lastName(f))
		}
		if g.seen&(g.seen-1) == 0 {
			c.rename(g)
		}
	}
}
