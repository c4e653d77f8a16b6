package catalog

import (
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/observe/rpc"
	"xiezhi/internal/sketch"
)

// Where one path serves many functions, an API is a path and an operation:
// "/graphql#query getUser", "/rpc#user.login". In the tree an operation stands
// below the path as a segment of its own kind, so that it is found, learned and
// kept out as paths are: a name is admitted by a success, or by refusals that
// only a real operation gives.
const (
	MaxOperations = 512 // operations of one path; further ones are the path's own API
	maxAliases    = 4   // names that clients give to one GraphQL operation; further ones are known by its root fields
)

// calls are the operations of a path.
type calls struct {
	order   []*node
	by      map[string]*node
	aliases map[string]uint8 // GraphQL: names admitted, by root fields
}

// call gives the operation of that name below a path, nil when there is none.
func (n *node) call(name string) *node {
	if n.calls == nil {
		return nil
	}
	return n.calls.by[name]
}

// full reports whether a path has room for no further operation.
func (n *node) full() bool { return n.calls != nil && len(n.calls.order) >= MaxOperations }

// operation gives the node of an operation, making it when there is none; nil
// at a cap.
func (c *Catalog) operation(n *node, name string) *node {
	if k := n.call(name); k != nil {
		return k
	}
	if n.full() {
		c.stats.Refused++
		return nil
	}
	if !c.spare() {
		return nil
	}
	c.nodes++
	k := c.newNode(strings.Clone(name))
	k.operation, k.route = true, true
	n.adopt(k)
	return k
}

func (n *node) adopt(k *node) {
	if n.calls == nil {
		n.calls = &calls{by: map[string]*node{}}
	}
	k.parent = n
	n.calls.order = append(n.calls.order, k)
	n.calls.by[k.text] = k
}

// foldCalls moves the operations of src into dst.
func (c *Catalog) foldCalls(dst, src *node) {
	if src.calls == nil {
		return
	}
	for _, k := range src.calls.order {
		if d := dst.call(k.text); d != nil {
			c.fold(d, k)
		} else {
			dst.adopt(k)
		}
	}
	for root, n := range src.calls.aliases {
		if dst.calls.aliases == nil {
			dst.calls.aliases = map[string]uint8{}
		}
		dst.calls.aliases[root] = max(dst.calls.aliases[root], n)
	}
	src.calls = nil
}

// named appends the operation that an observation names to its path.
func named(o *observe.Observation, segs []segment) []segment {
	if o.Operation == "" || o.Protocol == rpc.None || len(segs) == cap(segs) {
		return segs
	}
	return append(segs, segment{text: o.Operation, class: observe.ClassOther, operation: true})
}

// byRoot is segs with a GraphQL operation called by its root fields, which the
// server defines: clients may call an operation what they like.
func byRoot(o *observe.Observation, segs []segment) []segment {
	if n := len(segs); o.Root != "" && n > 0 && segs[n-1].operation {
		segs[n-1].text = o.Root
	}
	return segs
}

// resolve finds the API of a path with its operation, and gives the segments
// that lead there. Operations beyond the cap belong to the path.
func (c *Catalog) resolve(root *node, o *observe.Observation, segs []segment) (*op, []segment) {
	method := canonical(o.Method)
	budget := findBudget
	p := c.straight(root, segs, method)
	if p == nil {
		p = root.find(segs, method, &budget)
	}
	n := len(segs)
	if n == 0 || !segs[n-1].operation {
		if p != nil && p.dispatch != nil && len(o.Dispatch) > 0 {
			return c.dispatched(p, o, segs)
		}
		return p, segs
	}
	if p != nil {
		return p, segs
	}
	if o.Root != "" {
		budget = findBudget
		segs[n-1].text = o.Root
		if p = root.find(segs, method, &budget); p != nil {
			return p, segs
		}
		segs[n-1].text = o.Operation
	}
	budget = findBudget
	if p = root.find(segs[:n-1], method, &budget); p != nil && p.node.full() {
		return p, segs[:n-1]
	}
	return nil, segs
}

// admit decides under which name a new operation that was answered with
// success is listed, and makes it.
func (c *Catalog) admit(o *observe.Observation, segs []segment) (*op, []segment) {
	n := len(segs) - 1
	if n < 0 || !segs[n].operation {
		return c.learn(o, segs, nil), segs
	}
	root := c.root(o.Host, true)
	if o.Root != "" {
		budget := findBudget
		if at := root.reach(segs[:n], &budget); at != nil && at.calls != nil {
			if at.calls.aliases[o.Root] >= maxAliases {
				segs = byRoot(o, segs)
			}
		}
	}
	p := c.learn(o, segs, nil)
	if p == nil {
		return c.learn(o, segs[:n], nil), segs[:n]
	}
	if o.Root != "" && segs[n].text != o.Root && p.Exchanges == 0 {
		at := p.node.parent.calls
		if at.aliases == nil {
			at.aliases = map[string]uint8{}
		}
		at.aliases[strings.Clone(o.Root)]++
	}
	return p, segs
}

// reach is find for the node itself.
func (n *node) reach(segs []segment, budget *int) *node {
	if *budget--; *budget < 0 {
		return nil
	}
	if len(segs) == 0 {
		return n
	}
	s := &segs[0]
	if k := n.literal(s); k != nil {
		if r := k.reach(segs[1:], budget); r != nil {
			return r
		}
	}
	if !n.taken(s) {
		return nil
	}
	return n.group.reach(segs[1:], budget)
}

// Reads reports whether an API only reads, as far as its method or the name of
// its operation says.
func (a *API) Reads() bool { return a.verb() == "GET" }

// verb is the method that an API would have if its operation had a path of its
// own.
func (a *API) verb() string {
	switch {
	case a.Operation == "":
		if a.Method == "HEAD" {
			return "GET"
		}
		return a.Method
	case a.Protocol == rpc.GraphQL:
		if strings.HasPrefix(a.Operation, "mutation ") {
			return "POST"
		}
		return "GET"
	}
	words := operationWords(a.Operation)
	if len(words) == 0 {
		return "POST"
	}
	var room [12]string
	for i, w := range subwords(words[len(words)-1], room[:0]) {
		switch w {
		case "get", "list", "query", "find", "fetch", "search", "count", "read", "view", "show", "detail", "details", "info", "select", "lookup", "page", "me":
			return "GET"
		}
		if i == 0 && len(w) > 2 && (w == "load" || w == "select" || w == "describe" || w == "check" || w == "exists") {
			return "GET"
		}
	}
	return "POST"
}

// operationWords gives the words of an operation's name: "query getUser" is
// getUser, "user.login" is user and login.
func operationWords(name string) []string {
	for _, kind := range [...]string{"query ", "mutation ", "subscription "} {
		name = strings.TrimPrefix(name, kind)
	}
	return strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '/' || r == ':' || r == ',' || r == ' ' })
}

// A path's own parameter may name the operation: ?method=item.get,
// ?m=user&a=login, {"cmd":"queryOrder"}. One request does not tell such a
// parameter from a filter, hence it is learned: the values are few words, each
// comes with parameters of its own, and their answers differ.
const (
	dispatchValues = 64  // values looked at before it is known
	dispatchShapes = 8   // parameter structures and answers kept per value
	dispatchLeast  = 8   // successes before the first look
	dispatchLast   = 512 // successes after which it is settled that nothing dispatches
	maxDispatchers = 3   // sets of parameters looked at, per API
)

// dispatch is what is known about one set of parameters at one API.
type dispatch struct {
	names   uint64
	seen    uint32
	settled bool
	yes     bool
	over    bool
	values  []dispatchValue
	by      map[uint64]int32
}

type dispatchValue struct {
	text    string
	seen    uint32
	shapes  []uint64
	answers []uint64
}

// dispatchKey orders the candidates, outer ones first, and hashes their names
// and values.
func dispatchKey(o *observe.Observation) (list [observe.MaxDispatch]*observe.Dispatch, n int, names, value uint64) {
	for i := range o.Dispatch {
		d := &o.Dispatch[i]
		k := n
		for k > 0 && list[k-1].Rank > d.Rank {
			list[k] = list[k-1]
			k--
		}
		list[k] = d
		n++
	}
	for _, d := range list[:n] {
		names = sketch.Join(names, sketch.HashString(d.Name))
		value = sketch.Join(value, sketch.HashString(d.Value))
	}
	return list, n, names, value
}

// dispatched gives the operation that a parameter of the request names, where
// that is known; else the API as it is.
func (c *Catalog) dispatched(p *op, o *observe.Observation, segs []segment) (*op, []segment) {
	_, _, names, value := dispatchKey(o)
	for i := range p.dispatch {
		d := &p.dispatch[i]
		if d.names != names || !d.yes {
			continue
		}
		k, ok := d.by[value]
		if !ok || len(segs) == cap(segs) {
			break
		}
		at := p.node.call(d.values[k].text)
		if at == nil {
			break
		}
		if q := at.op(p.Method); q != nil {
			return q, append(segs, segment{text: at.text, class: observe.ClassOther, operation: true})
		}
	}
	return p, segs
}

// learnDispatch learns from a success whether parameters name the operation,
// and lists the operation when they do.
func (c *Catalog) learnDispatch(p *op, o *observe.Observation, segs []segment) (*op, []segment) {
	list, n, names, value := dispatchKey(o)
	var d *dispatch
	for i := range p.dispatch {
		if p.dispatch[i].names == names {
			d = &p.dispatch[i]
		}
	}
	if d == nil {
		if len(p.dispatch) >= maxDispatchers {
			return p, segs
		}
		p.dispatch = append(p.dispatch, dispatch{names: names, by: map[uint64]int32{}})
		d = &p.dispatch[len(p.dispatch)-1]
	}
	if d.settled && !d.yes {
		return p, segs
	}
	k, ok := d.by[value]
	if !ok {
		if !d.yes && len(d.values) >= dispatchValues || len(d.values) >= MaxOperations {
			d.over = true
		} else {
			k, ok = int32(len(d.values)), true
			words := make([]string, 0, n)
			for _, x := range list[:n] {
				words = append(words, x.Value)
			}
			d.values = append(d.values, dispatchValue{text: strings.Join(words, ".")})
			d.by[value] = k
		}
	}
	d.seen++
	if ok {
		v := &d.values[k]
		v.seen++
		if !d.yes {
			v.shapes = keep(v.shapes, structure(o))
			if o.Schema != 0 {
				v.answers = keep(v.answers, o.Schema)
			}
		}
	}
	if !d.settled && (d.over || d.seen >= dispatchLeast && d.seen&(d.seen-1) == 0) {
		d.yes = d.tells()
		d.settled = d.yes || d.over || d.seen >= dispatchLast
		if d.settled {
			for i := range d.values {
				d.values[i].shapes, d.values[i].answers = nil, nil
			}
		}
	}
	if !d.yes || !ok || len(segs) == cap(segs) {
		return p, segs
	}
	at := c.operation(p.node, d.values[k].text)
	if at == nil {
		return p, segs
	}
	q := at.op(p.Method)
	if q == nil {
		if q = c.newOp(at, p.Method, o); q == nil {
			return p, segs
		}
		q.Protocol = rpc.Parameter
	}
	return q, append(segs, segment{text: at.text, class: observe.ClassOther, operation: true})
}

// absorbDispatch takes over what another API has learned, where this one has
// learned nothing: their operations are one already.
func (p *op) absorbDispatch(other *op) {
	if len(p.dispatch) == 0 {
		p.dispatch = other.dispatch
	}
	other.dispatch = nil
}

func keep(list []uint64, v uint64) []uint64 {
	for _, x := range list {
		if x == v {
			return list
		}
	}
	if len(list) < dispatchShapes {
		list = append(list, v)
	}
	return list
}

// structure names the parameters of a request, those that may dispatch left
// out, in no order.
func structure(o *observe.Observation) uint64 {
	h := uint64(1)
next:
	for i := range o.Params {
		p := &o.Params[i]
		for k := range o.Dispatch {
			if o.Dispatch[k].Name == p.Name {
				continue next
			}
		}
		h += sketch.Join(uint64(p.In), sketch.HashString(p.Name))
	}
	return h
}

// tells reports whether the values seen so far are operations: at least three,
// which come again, do not share their parameters, and, where answers are seen,
// are answered each in its own way.
func (d *dispatch) tells() bool {
	again, shapes := 0, 0
	for i := range d.values {
		if d.values[i].seen > 1 {
			again++
		}
		shapes += len(d.values[i].shapes)
	}
	n := len(d.values)
	if n < 3 || again < 2 || shapes*2 > int(d.seen)+n {
		return false
	}
	pairs, own, answered, differ := 0, 0, 0, 0
	for i := range d.values[:min(n, 32)] {
		for k := range d.values[:i] {
			a, b := &d.values[i], &d.values[k]
			pairs++
			if disjoint(a.shapes, b.shapes) {
				own++
			}
			if len(a.answers) > 0 && len(b.answers) > 0 {
				answered++
				if disjoint(a.answers, b.answers) {
					differ++
				}
			}
		}
	}
	if own*2 >= pairs {
		return answered == 0 || differ*4 >= answered
	}
	return own*4 >= pairs && answered*2 >= pairs && differ*5 >= answered*4
}

func disjoint(a, b []uint64) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return false
			}
		}
	}
	return true
}
