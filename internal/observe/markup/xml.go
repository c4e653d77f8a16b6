package markup

import (
	"bytes"

	"xiezhi/internal/observe/jsonleaf"
)

// XML reads XML documents one after the other. The zero value is ready. The
// fields say what the document read last was.
type XML struct {
	Operation []byte  // local name of the first element in a SOAP Body, nil when it is no SOAP
	Fault     bool    // that element is a Fault
	Wrappers  int     // elements that only wrap the content: depth of names is counted from there
	Over      int     // nodes and levels beyond the caps
	Inner     []Inner // documents that stand in texts and were not reported as values

	b     []byte
	nodes []node
	slots []slot
	epoch uint32
	inner []byte
	text  []byte
	w     *jsonleaf.Walker

	nested bool
}

// Inner is a document of JSON or XML that stands in a text of another one.
// Both are valid until the next document is read.
type Inner struct{ Path, Text []byte }

// node is an element, an attribute or a text.
type node struct {
	from, to    int32 // name; of a text: its span
	vfrom, vto  int32 // value of an attribute
	first, last int32 // children
	next        int32 // sibling
	same        int32 // next sibling of the same name
	elements    int32 // children that are elements
	kind        nodeKind
	twin        bool // a sibling has the same name
	told        bool
}

type nodeKind uint8

const (
	elementNode nodeKind = iota
	attributeNode
	textNode
)

// slot finds the last sibling of a name.
type slot struct {
	hash  uint64
	epoch uint32
	node  int32
}

// Parse reads b; it reports false when b is no XML at all.
func (x *XML) Parse(b []byte) bool {
	x.Operation, x.Fault, x.Wrappers, x.Over, x.Inner = nil, false, 1, 0, x.Inner[:0]
	x.b, x.inner = b, x.inner[:0]
	x.parse()
	root := &x.nodes[0]
	if root.elements == 0 {
		return false
	}
	content := x.element(root)
	if body := x.soapBody(content); body != nil {
		if content = x.element(body); content == nil {
			return true
		}
		x.Operation = x.name(content)
		x.Fault = string(x.Operation) == "Fault"
	}
	x.Wrappers = x.wrappers(content)
	return true
}

// Tell reports the leaves of the document that was parsed last. With nested,
// documents that stand in texts are kept in Inner.
func (x *XML) Tell(w *jsonleaf.Walker, v jsonleaf.Visitor, nested bool) {
	x.w, x.nested = w, nested
	root := &x.nodes[0]
	top := x.element(root)
	w.Begin(v)
	w.Object()
	if body := x.soapBody(top); body != nil {
		for i := top.first; i != 0; i = x.nodes[i].next {
			if n := &x.nodes[i]; n.kind == elementNode && n != body && string(x.name(n)) == "Header" && n.elements > 0 {
				w.Key(x.name(n))
				x.tell(n)
			}
		}
		x.tellChildren(body)
	} else {
		x.tellChildren(root)
	}
	w.End()
	x.b, x.w = nil, nil
	if cap(x.nodes) > 1<<14 {
		x.nodes, x.slots = nil, nil // one giant document shall not hold its room
	}
}

// element gives the first child that is an element.
func (x *XML) element(n *node) *node {
	for i := n.first; i != 0; i = x.nodes[i].next {
		if x.nodes[i].kind == elementNode {
			return &x.nodes[i]
		}
	}
	return nil
}

func (x *XML) soapBody(top *node) *node {
	if string(x.name(top)) != "Envelope" {
		return nil
	}
	for i := top.first; i != 0; i = x.nodes[i].next {
		if n := &x.nodes[i]; n.kind == elementNode && string(x.name(n)) == "Body" {
			return n
		}
	}
	return nil
}

// wrappers counts the elements that hold nothing but one element with content.
func (x *XML) wrappers(n *node) int {
	for depth := 1; ; depth++ {
		if n.elements != 1 || depth == 4 {
			return depth
		}
		if n = x.element(n); n.elements == 0 {
			return depth
		}
	}
}

func (x *XML) name(n *node) []byte { return x.b[n.from:n.to] }

// parse builds the tree. Node 0 stands for the document.
func (x *XML) parse() {
	x.nodes = append(x.nodes[:0], node{})
	x.epoch++
	var stack [MaxDepth + 1]int32
	depth, deeper := 0, 0
	b := x.b
	text := 0 // where the text before the next tag begins
	for i := 0; i <= len(b); {
		lt := bytes.IndexByte(b[i:], '<')
		if lt < 0 {
			lt = len(b) - i
		}
		i += lt
		rest := b[i:]
		t, n := tag{}, 0
		special := len(rest) > 1 && (rest[1] == '!' || rest[1] == '?')
		if !special && len(rest) > 0 {
			if t, n = readTag(rest); n == 0 {
				i++ // a bare "<" is text
				continue
			}
		}
		if i > text && depth > 0 && deeper == 0 && len(trim(b[text:i])) > 0 {
			x.add(stack[depth], node{from: int32(text), to: int32(i), kind: textNode})
		}
		if i == len(b) {
			break
		}
		switch {
		case bytes.HasPrefix(rest, cdata):
			end := bytes.Index(rest, cdataEnd)
			if end < 0 {
				end = len(rest)
			} else {
				end += len(cdataEnd)
			}
			if depth > 0 && deeper == 0 {
				x.add(stack[depth], node{from: int32(i), to: int32(i + end), kind: textNode})
			}
			i += end
			text = i
			continue
		case bytes.HasPrefix(rest, comment):
			end := bytes.Index(rest, commentEnd)
			if end < 0 {
				return
			}
			i += end + len(commentEnd)
			text = i
			continue
		case special && rest[1] == '!':
			i += doctype(rest)
			text = i
			continue
		case special:
			end := bytes.IndexByte(rest, '>')
			if end < 0 {
				return
			}
			i += end + 1
			text = i
			continue
		}
		i += n
		text = i
		name := local(t.name)
		switch {
		case t.end && deeper > 0:
			deeper--
		case t.end:
			for d := depth; d > 0; d-- { // an end closes what was left open inside
				if o := &x.nodes[stack[d]]; bytes.Equal(x.name(o), name) {
					depth = d - 1
					break
				}
			}
		case deeper > 0 || depth == MaxDepth:
			x.Over++
			if !t.alone {
				deeper++
			}
		default:
			from := x.offset(name)
			id := x.add(stack[depth], node{from: from, to: from + int32(len(name))})
			if id == 0 {
				return
			}
			x.addAttributes(id, t.attrs)
			if !t.alone {
				depth++
				stack[depth] = id
			}
		}
	}
}

// doctype gives the length of the declaration at b, its inner declarations
// included; nothing of it is read.
func doctype(b []byte) int {
	open := 0
	for i, c := range b {
		switch c {
		case '[':
			open++
		case ']':
			open--
		case '>':
			if open <= 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

// offset is where a piece of the document begins.
func (x *XML) offset(piece []byte) int32 { return int32(cap(x.b) - cap(piece)) }

func (x *XML) addAttributes(id int32, attrs []byte) {
	for rest, n := attrs, 0; len(rest) > 0; n++ {
		if n == maxAttributes {
			x.Over++
			return
		}
		var name, value []byte
		if name, value, rest = nextAttribute(rest); name == nil {
			return
		}
		if bytes.HasPrefix(name, []byte("xmlns")) || bytes.HasPrefix(name, []byte("xsi:")) || bytes.HasPrefix(name, []byte("xml:")) || len(name) > maxName {
			continue
		}
		l := local(name)
		from := x.offset(l)
		v := node{from: from, to: from + int32(len(l)), kind: attributeNode}
		if value != nil {
			v.vfrom = x.offset(value)
			v.vto = v.vfrom + int32(len(value))
		}
		x.add(id, v)
	}
}

// add appends a child; it returns 0 when there are too many nodes.
func (x *XML) add(parent int32, n node) int32 {
	if len(x.nodes) > MaxNodes {
		x.Over++
		return 0
	}
	id := int32(len(x.nodes))
	x.nodes = append(x.nodes, n)
	p := &x.nodes[parent]
	if p.last == 0 {
		p.first = id
	} else {
		x.nodes[p.last].next = id
	}
	p.last = id
	if n.kind == elementNode {
		p.elements++
		x.twins(parent, id)
	}
	return id
}

// twins links an element to the sibling of its name before it.
func (x *XML) twins(parent, id int32) {
	if len(x.nodes)*2 > len(x.slots) {
		old := x.slots
		x.slots = make([]slot, max(256, 2*len(old)))
		for i := range old {
			if old[i].epoch == x.epoch {
				*x.slot(old[i].hash) = old[i]
			}
		}
	}
	n := &x.nodes[id]
	h := jsonleaf.Hash(uint64(parent)+0x5851F42D4C957F2D, x.name(n))
	s := x.slot(h)
	if s.epoch == x.epoch {
		before := &x.nodes[s.node]
		if bytes.Equal(x.name(before), x.name(n)) {
			before.same, before.twin, n.twin = id, true, true
		}
	}
	*s = slot{h, x.epoch, id}
}

func (x *XML) slot(h uint64) *slot {
	mask := uint64(len(x.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		if s := &x.slots[i]; s.epoch != x.epoch || s.hash == h {
			return s
		}
	}
}

var textKey = []byte("#text")

// tell reports an element whose key is set.
func (x *XML) tell(n *node) {
	w := x.w
	if n.first == 0 {
		w.Value(jsonleaf.String, nil)
		return
	}
	plain := true
	for i := n.first; i != 0 && plain; i = x.nodes[i].next {
		plain = x.nodes[i].kind == textNode
	}
	if plain {
		x.value(n)
		return
	}
	w.Object()
	for i := n.first; i != 0; i = x.nodes[i].next {
		if c := &x.nodes[i]; c.kind == attributeNode {
			w.Attribute(x.name(c))
			w.Value(jsonleaf.String, x.decoded(x.b[c.vfrom:c.vto]))
		}
	}
	if n.elements == 0 && x.nodes[n.last].kind == textNode {
		w.Key(textKey)
		x.value(n)
	} else {
		x.tellChildren(n)
	}
	w.Close()
}

func (x *XML) tellChildren(n *node) {
	w := x.w
	for i := n.first; i != 0; i = x.nodes[i].next {
		c := &x.nodes[i]
		switch {
		case c.kind == textNode:
			w.Key(textKey)
			w.Value(jsonleaf.String, trim(x.decoded(x.b[c.from:c.to])))
		case c.kind == attributeNode || c.told:
		case c.twin || n.elements == 1 && n != &x.nodes[0] && listOf(x.name(n), x.name(c)):
			w.Key(x.name(c))
			w.Array()
			for k := i; k != 0; k = x.nodes[k].same {
				x.nodes[k].told = true
				x.tell(&x.nodes[k])
			}
			w.Close()
		default:
			w.Key(x.name(c))
			x.tell(c)
		}
	}
}

// value reports the text of an element that has no elements.
func (x *XML) value(n *node) {
	var v []byte
	texts := 0
	for i := n.first; i != 0; i = x.nodes[i].next {
		if c := &x.nodes[i]; c.kind == textNode {
			if texts++; texts == 1 {
				v = x.b[c.from:c.to]
				continue
			}
			if texts == 2 {
				x.text = appendText(x.text[:0], v)
			}
			x.text = appendText(x.text, x.b[c.from:c.to])
		}
	}
	if texts > 1 {
		v = x.text
	} else {
		v = x.decoded(v)
	}
	v = trim(v)
	if x.nested && document(v) && len(x.Inner) < MaxInner {
		from := len(x.inner)
		x.inner = x.w.AppendPath(x.inner)
		mid := len(x.inner)
		x.inner = append(x.inner, v...)
		// pieces cut before the buffer moved stay valid
		x.Inner = append(x.Inner, Inner{x.inner[from:mid:mid], x.inner[mid:len(x.inner):len(x.inner)]})
		return
	}
	x.w.Value(jsonleaf.String, v)
}

func (x *XML) decoded(v []byte) []byte {
	if bytes.IndexByte(v, '&') < 0 && bytes.IndexByte(v, '<') < 0 {
		return v
	}
	x.text = appendText(x.text[:0], v)
	return x.text
}

// document reports whether a text is a document of its own.
func document(v []byte) bool {
	n := len(v)
	if n < 7 {
		return false
	}
	switch v[0] {
	case '{':
		return v[n-1] == '}'
	case '[':
		return v[1] == '{' && v[n-1] == ']'
	case '<':
		return v[n-1] == '>' && (v[1] == '?' || nameByte[v[1]])
	}
	return false
}

// listOf reports whether a container's only child is one of its elements: a
// list with one element must have the path of a list with two.
func listOf(parent, child []byte) bool {
	for _, s := range [...]string{"item", "row", "record", "entry", "element", "anytype", "string", "int", "long"} {
		if equalFold(child, s) {
			return true
		}
	}
	n := len(child)
	if n < 2 || len(parent) <= n-1 {
		return false
	}
	if len(parent) > n && bytes.EqualFold(parent[:n], child) {
		for _, s := range [...]string{"s", "es", "list", "set", "array", "collection", "infos"} {
			if equalFold(parent[n:], s) {
				return true
			}
		}
	}
	// arrayOfUser, companies of company
	if len(parent) > 7 && equalFold(parent[:7], "arrayof") && bytes.EqualFold(parent[7:], child) {
		return true
	}
	return child[n-1]|0x20 == 'y' && len(parent) == n+2 && bytes.EqualFold(parent[:n-1], child[:n-1]) && equalFold(parent[n-1:], "ies")
}
