package catalog

import "xiezhi/internal/sketch"

// routed reports whether a route word is among the segments that follow.
func (c *Catalog) routed(rest []segment) bool {
	for i := range rest {
		if s := &rest[i]; !s.operation && !s.value {
			if text, _ := stem(s.text); c.lex.isRoute(text) {
				return true
			}
		}
	}
	return false
}

// manyTenants is how many words stand at one place before they can be told to
// be names by what stands below them alone; a quarter of them must have it in
// common. belowBudget and belowDepth bound the look.
const (
	manyTenants = 16
	belowBudget = 4096
	belowDepth  = 4
)

// tenants reports whether literals where routes usually stand are names all the
// same: a crowd that no route is called by, with hardly a route among them, and
// below many of them the same two paths of a collection and something in it.
// Modules of one framework have verbs in common, and services their health and
// documents, but no values of each other's.
func (c *Catalog) tenants(n *node, f feature) bool {
	s := n.support[f.key].n
	if f.need != needCommon || s < manyTenants/4 || !step(s) || len(n.order) < manyTenants || !c.routesStand(n) {
		return false
	}
	plain, others := 0, 0
	below := map[uint64]int{}
	budget := belowBudget
	for _, k := range n.order {
		if k.route || k.file || k.firm < weightMixed && (humps(k.text) || c.lex.hasRoute(k.text)) {
			others++
			continue
		}
		plain++
		seen := map[uint64]bool{}
		for _, b := range k.order {
			if b.route {
				b.shapes(b.mask(), false, belowDepth, &budget, seen)
			}
		}
		for shape := range seen {
			below[shape]++
		}
	}
	common := 0
	for _, k := range below {
		common += boolInt(k >= manyTenants/4)
	}
	return plain >= manyTenants && others*4 <= plain && common >= 2
}

// step reports whether a number is one of 8, 12, 16, 24, 32, 48 …, at which it
// is looked at what grows: that costs a walk.
func step(n int32) bool { return n%2 == 0 }

// shapes collects the paths of operations below a node that go through a value,
// with values masked; path is the one to the node, valued that it has one.
func (n *node) shapes(path uint64, valued bool, depth int, budget *int, into map[uint64]bool) {
	if *budget--; *budget < 0 {
		return
	}
	if valued {
		for _, p := range n.ops {
			into[sketch.Join(path, sketch.HashString(p.Method))] = true
		}
	}
	if depth == 0 {
		return
	}
	for _, k := range n.order {
		k.shapes(sketch.Join(path, k.mask()), valued || !k.route, depth-1, budget, into)
	}
	if g := n.group; g != nil {
		g.shapes(sketch.Join(path, g.mask()), true, depth-1, budget, into)
	}
}
