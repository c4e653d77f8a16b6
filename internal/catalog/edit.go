package catalog

import (
	"slices"
	"strings"

	"xiezhi/internal/policy"
	"xiezhi/internal/taxonomy"
)

// Edits by people stand in the tree itself, at the nodes that their templates
// name, before and beside what traffic teaches: a pinned literal is never a
// value, a gathering parameter takes every segment but pinned ones. They are
// written into each host's tree when it begins, or when they come.

// Edited is an edit in effect.
type Edited struct {
	*policy.Template
	APIs int // listed APIs that its template names
}

// override is what an edit says about the operations of a node.
type override struct {
	of     *policy.Template // that says it
	method string
	title  string
	role   taxonomy.Role
}

// Edit applies an edit: it holds from the next observation on. What is learned
// already is folded where the edit joins it; the merges come with that
// observation.
func (c *Catalog) Edit(t *policy.Template) {
	c.edits = append(c.edits, t)
	c.merges = nil // the last event's, which is gone
	for _, host := range c.hosts {
		c.edit(c.roots[host], t, host)
	}
	if c.shared != nil {
		c.edit(c.shared, t, "*")
	}
	c.pending = append(c.pending, c.merges...)
	c.stats.Merged += uint64(len(c.merges))
	c.merges = nil
}

// Unedit takes back an edit that gave names or a role: what traffic teaches and
// the edits that are left say counts again from the next observation on. One
// that is not in effect, or that lasts, changes nothing.
func (c *Catalog) Unedit(t *policy.Template) {
	at := slices.IndexFunc(c.edits, func(x *policy.Template) bool { return x.Same(t) })
	if at < 0 || t.Lasting() {
		return
	}
	old := c.edits[at]
	c.edits = slices.Delete(c.edits, at, at+1)
	for _, host := range c.hosts {
		c.unedit(c.roots[host], old, host)
	}
	if c.shared != nil {
		c.unedit(c.shared, old, "*")
	}
}

func (c *Catalog) unedit(root *node, old *policy.Template, host string) {
	if !old.OnHost(host) {
		return
	}
	for _, n := range root.along(old) {
		if n.param {
			n.fixed = ""
		}
	}
	root.each(func(n *node) {
		n.overrides = slices.DeleteFunc(n.overrides, func(o override) bool { return o.of.Same(old) })
	})
	for _, t := range c.edits {
		if t.OnHost(host) {
			name(root.along(t), t)
		}
	}
	root.each(func(n *node) {
		for _, p := range n.ops {
			p.dirty = true
		}
	})
	c.retemplate(root)
}

// along gives the nodes that the segments of an edit lead to, as far as there
// are such.
func (n *node) along(t *policy.Template) (out []*node) {
	for _, p := range t.Parts() {
		if n = n.next(p); n == nil {
			break
		}
		out = append(out, n)
	}
	return out
}

func (n *node) next(p policy.TemplatePart) *node {
	if p.Param {
		return n.group
	}
	return n.lit(p.Text)
}

// name calls parameters on a path what an edit calls them.
func name(path []*node, t *policy.Template) {
	for i, n := range path {
		if p := t.Parts()[i]; p.Param && p.Text != "" {
			n.fixed = p.Text
		}
	}
}

// each visits a tree.
func (n *node) each(visit func(*node)) {
	visit(n)
	for _, k := range n.order {
		k.each(visit)
	}
	if n.calls != nil {
		for _, k := range n.calls.order {
			k.each(visit)
		}
	}
	if n.group != nil {
		n.group.each(visit)
	}
}

// begin writes the edits into a new tree.
func (c *Catalog) begin(root *node, host string) {
	for _, t := range c.edits {
		c.edit(root, t, host)
	}
}

// edit writes one edit into the tree of a host.
func (c *Catalog) edit(root *node, t *policy.Template, host string) {
	if !t.OnHost(host) {
		return
	}
	n := root
	for _, p := range t.Parts() {
		next := (*node)(nil)
		if p.Param {
			next = c.parameter(n)
		} else {
			next = c.pin(n, p.Text)
		}
		if next == nil {
			return // at a cap, counted
		}
		if p.Param && p.Text != "" {
			next.fixed = p.Text
		}
		if p.Param && t.Edit == policy.EditMerge {
			c.gather(n, next)
		}
		n = next
	}
	if t.Title != "" || t.Role != "" {
		n.overrides = append(n.overrides, override{t, canonical(strings.ToUpper(t.Method)), t.Title, t.Role})
		for _, p := range n.ops {
			p.dirty = true
		}
	}
	c.retemplate(root)
}

// pin makes a literal that stays one.
func (c *Catalog) pin(n *node, text string) *node {
	k := n.lit(text)
	if k == nil {
		if !c.spare() {
			return nil
		}
		c.nodes++
		k = c.newNode(strings.Clone(text))
		n.attach(k)
	}
	for _, f := range k.feats {
		n.count(f, k, -1)
	}
	k.feats, k.weight, k.firm, k.route, k.file, k.pinned = nil, weightNever, weightNever, true, false, true
	n.pins = true
	return k
}

// neutral reports a literal that says nothing about what stands behind it: a
// version, "me". A pinned one is what it would be without.
func (n *node) neutral() bool {
	return n.weight == weightNever && (!n.pinned || digits(n.text) > 0)
}

// gather makes values of all literals beside a parameter that are not pinned.
func (c *Catalog) gather(n, g *node) {
	g.words, g.gathers = true, true
	for _, k := range append([]*node(nil), n.order...) {
		if k.pinned || n.lit(k.text) != k {
			continue
		}
		n.detach(k)
		g.values.Add(k.token)
		g.naming.add(k)
		c.fold(g, k)
	}
	c.settle(g)
}

// foldEdits moves what edits said about src to dst.
func (c *Catalog) foldEdits(dst, src *node) {
	dst.pins = dst.pins || src.pins
	if src.pinned && !dst.param && !dst.pinned && dst.parent != nil {
		c.pin(dst.parent, dst.text)
	}
	if dst.param && src.param && dst.fixed == "" {
		dst.fixed = src.fixed
	}
	dst.overrides = append(dst.overrides, src.overrides...)
}

// literal gives the literal child that a segment leads to.
func (n *node) literal(s *segment) *node {
	if s.value && !n.pins || s.text == "" {
		return nil
	}
	k := n.lit(s.text)
	if k == nil || k.pinned || !s.value && (n.group == nil || !n.group.gathers) {
		return k
	}
	return nil
}

// taken reports whether a segment without a literal of its own goes to the
// parameter.
func (n *node) taken(s *segment) bool { return n.group != nil && (s.value || n.group.words) }

// overridden gives what people said about an operation.
func (p *op) overridden() (title string, role taxonomy.Role) {
	for i := range p.node.overrides {
		o := &p.node.overrides[i]
		if o.method != "" && o.method != p.Method {
			continue
		}
		if o.title != "" {
			title = o.title
		}
		if o.role != "" {
			role = o.role
		}
	}
	return title, role
}

// Edits lists the edits in effect in the order in which they came.
func (c *Catalog) Edits() []Edited {
	if len(c.edits) == 0 {
		return nil
	}
	apis := c.APIs()
	var out []Edited
	for _, t := range c.edits {
		e := Edited{Template: t}
		for _, a := range apis {
			e.APIs += boolInt(t.Covers(c.site, a.Host, a.Method, a.Template))
		}
		out = append(out, e)
	}
	return out
}
