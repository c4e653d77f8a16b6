package catalog

import (
	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
	"xiezhi/internal/taxonomy"
)

// Caps of one catalogue. At a cap nothing new is learned there; what is known
// goes on being counted, and Stats says how often it happened.
const (
	MaxAPIs     = 100_000
	maxNodes    = 300_000
	maxHosts    = 64   // further hosts share one
	maxLiterals = 512  // unproven words under one node; then they count as values
	maxRoutes   = 2048 // route words under one node
	maxFeatures = 24   // answers remembered per literal
	maxVariants = 16   // answers remembered per operation
	maxAdmitted = 256  // route words known to be values of one parameter
	findBudget  = 96   // nodes visited by one look-up
)

// node is one place in the tree of paths.
type node struct {
	text      string // literal text, or the parameter's name
	key       uint64 // in places
	in        *places
	group     *node // the parameter child
	param     bool
	operation bool // stands for an operation of its parent's path
	words     bool // parameter that takes words, by evidence; else only id-shaped values
	pinned    bool // literal by an edit: never a value
	pins      bool // some literal child is pinned
	gathers   bool // parameter by an edit: takes all that is not pinned
	route     bool // of a literal: made of route words
	file      bool // name and extension of a file, not of a program
	echoed    bool
	parent    *node
	order     []*node // literal children in order of creation
	ops       []*op
	calls     *calls // operations; nil on most paths

	support   map[uint64]support // per answer feature: the literal children that show it
	overrides []override

	// Of a literal among its siblings.
	token    uint64
	weight   int32
	firm     int32  // weight when the answers alike are common ones
	uses     int32  // successes, to tell names from routes
	echoedAs string // response field that repeated the literal
	feats    []feature

	*parameter // of a parameter; nil of a literal
}

// parameter is what is known about a parameter's values.
type parameter struct {
	fixed    string // name by an edit
	values   sketch.Distinct
	seen     uint32
	admitted map[string]bool
	naming   naming
	askers   [2]*ownerField // evidence that values name the asker: reads, writes
}

// feature is one way of answering below a literal: what follows it, with which
// method, and the shape of the answer.
type feature struct {
	key  uint64
	need int32 // weight that siblings must add up to
}

// support sums up the literal children that show a feature.
type support struct {
	n    int32
	sum  int32
	firm int32 // of firm weights

	files int32 // of n, names of files
}

// naming is the evidence for a parameter's name.
type naming struct {
	echoes [4]struct {
		field string
		n     uint32
	}
	classes [observe.ClassOther + 1]uint32
	sens    taxonomy.Sensitive
	samples uint32
}

// variant is one way an operation answers.
type variant struct {
	key  uint64
	need int32
}

func (v variant) telling() bool { return v.need == needTelling }

// find gives the operation that a path belongs to, without learning. A literal
// goes before a parameter; when it leads nowhere the parameter is tried.
func (n *node) find(segs []segment, method string, budget *int) *op {
	if *budget--; *budget < 0 {
		return nil
	}
	if len(segs) == 0 {
		return n.op(method)
	}
	s := &segs[0]
	if s.operation {
		if k := n.call(s.text); k != nil {
			return k.op(method)
		}
		return nil
	}
	if k := n.literal(s); k != nil {
		if p := k.find(segs[1:], method, budget); p != nil {
			return p
		}
	}
	if !n.taken(s) {
		return nil
	}
	return n.group.find(segs[1:], method, budget)
}

// straight is find for a path that is written as its template is: its words are
// literals, its values parameters. That is what find tries first, unless an edit
// says otherwise.
func (c *Catalog) straight(root *node, segs []segment, method string) *op {
	if n := len(segs); len(c.edits) > 0 || n > 0 && segs[n-1].operation {
		return nil
	}
	return c.places.ops.get(c.places.operation(c.places.path(root.key, segs), method))
}

// beside is find with one word, neither a route nor made of route words, taken
// for a value of the parameter where it stands.
func (c *Catalog) beside(n *node, segs []segment, method string, budget *int) *op {
	if *budget--; *budget < 0 || len(segs) == 0 || segs[0].operation {
		return nil
	}
	s := &segs[0]
	if k := n.literal(s); k != nil {
		return c.beside(k, segs[1:], method, budget)
	}
	if n.group == nil {
		return nil
	}
	if s.value || n.group.words {
		return c.beside(n.group, segs[1:], method, budget)
	}
	if text, _ := stem(s.text); c.lex.isRoute(text) {
		return nil
	}
	return n.group.find(segs[1:], method, budget)
}

func (n *node) op(method string) *op {
	for _, p := range n.ops {
		if p.Method == method {
			return p
		}
	}
	return nil
}

// lit gives the literal child with that text, or nil.
func (n *node) lit(text string) *node {
	if len(n.order) == 0 {
		return nil
	}
	return n.in.literals.get(n.in.child(n.key, text))
}

// newNode makes a node that stands nowhere yet.
func (c *Catalog) newNode(text string) *node { return &node{text: text, in: c.places} }

// spare reports whether there may be another node, and counts where not.
func (c *Catalog) spare() bool {
	if c.nodes >= maxNodes {
		c.stats.Refused++
		return false
	}
	return true
}

// child makes a literal child, or gives nil at a cap.
func (c *Catalog) child(n *node, s *segment) *node {
	w, firm, route := c.weigh(s, n)
	if len(n.order) >= maxLiterals && !route {
		// So many unproven words are values, whatever they answer.
		c.stats.Forced++
		g := c.parameter(n)
		if g != nil {
			g.words = true
		}
		return g
	}
	if len(n.order) >= maxRoutes {
		c.stats.Refused++
		return nil
	}
	if !c.spare() {
		return nil
	}
	c.nodes++
	_, program := stem(s.text)
	k := c.newNode(s.text)
	k.token, k.weight, k.firm, k.route, k.file = s.token, w, firm, route, s.class == observe.ClassFile && !program
	if _, ok := c.data.Peek(s.token); ok && s.token != 0 && w > 0 {
		k.weight, k.firm = max(w, weightData), max(firm, weightData)
	}
	n.attach(k)
	return k
}

func (n *node) attach(k *node) {
	k.parent = n
	n.order = append(n.order, k)
	n.in.move(k, n.in.child(n.key, k.text))
	n.in.literals.put(k.key, k)
	if n.support == nil && len(n.order) == 2 {
		// An only child has nobody to be like; counting starts with two.
		n.support = map[uint64]support{}
		for _, f := range n.order[0].feats {
			n.count(f, n.order[0], +1)
		}
	}
	for _, f := range k.feats {
		n.count(f, k, +1)
	}
}

func (n *node) detach(k *node) {
	n.in.literals.drop(k.key)
	for i := range n.order {
		if n.order[i] == k {
			n.order = append(n.order[:i], n.order[i+1:]...)
			break
		}
	}
	for _, f := range k.feats {
		n.count(f, k, -1)
	}
}

// count adds (sign +1) or takes back (-1) a literal child's feature.
func (n *node) count(f feature, k *node, sign int32) {
	if n.support == nil {
		return
	}
	s := n.support[f.key]
	s.n += sign
	s.sum += sign * k.weight
	s.firm += sign * k.firm
	s.files += sign * int32(boolInt(k.file))
	if s.n <= 0 {
		delete(n.support, f.key)
		return
	}
	n.support[f.key] = s
}

// reweigh raises a literal's weight, keeping the sums right.
func (n *node) reweigh(w int32) {
	if n.weight == weightNever {
		return
	}
	for _, f := range n.feats {
		n.parent.count(f, n, -1)
	}
	n.weight, n.firm = max(n.weight, w), max(n.firm, w)
	for _, f := range n.feats {
		n.parent.count(f, n, +1)
	}
}

// parameter gives the node's parameter child, making it when there is none.
func (c *Catalog) parameter(n *node) *node {
	if n.group == nil {
		if !c.spare() {
			return nil
		}
		c.nodes++
		n.group = c.newNode("")
		n.group.parent, n.group.param, n.group.parameter = n, true, &parameter{}
		n.group.key = n.in.parameter(n.key)
		n.group.text = c.nameOf(n.group)
	}
	return n.group
}

func (n *node) hasFeature(key uint64) bool {
	for i := range n.feats {
		if n.feats[i].key == key {
			return true
		}
	}
	return false
}
