package catalog

import (
	"hash/maphash"
	"math/bits"
)

// places finds the literal children of all nodes of a catalogue, and the
// operations at its nodes, in two open tables. A node's key is made of the texts
// on its way. So the key of a path is known before any node is looked at, and
// where the path is written as its template is, the operation is found under it
// at once: memory is waited for once, not once a level. Invariant: a literal
// stands here under the key that its parent's and its text make, from attach to
// detach; an operation under its node's key and its method, those of named
// operations apart. The seed makes keys nobody's to choose, and nothing else
// depends on it: two paths of one key are left to chance, which is one in 2^64.
// It is kept with the rest, and keys depend on nothing of the process: what is
// restored is read by another one.
type places struct {
	seed     [2]uint64
	literals table[*node]
	ops      table[*op]
}

func newPlaces() *places {
	drawn := maphash.MakeSeed()
	seed := [2]uint64{maphash.String(drawn, "a"), maphash.String(drawn, "b")}
	return &places{seed: seed, literals: newTable[*node](), ops: newTable[*op]()}
}

// hash gives the hash of a text under the seed.
func (p *places) hash(s string) uint64 {
	h := p.seed[0] ^ uint64(len(s))*0x9e3779b97f4a7c15
	for ; len(s) >= 8; s = s[8:] {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		h = fold(h^w, p.seed[1])
	}
	w := uint64(0)
	for i := range len(s) {
		w |= uint64(s[i]) << (8 * i)
	}
	return fold(fold(h^w, p.seed[1]^0xd6e8feb86659fd93), 0xa0761d6478bd642f^p.seed[0])
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// child gives the key of a literal below a key.
func (p *places) child(key uint64, text string) uint64 {
	return fold(p.hash(text)^key, 0x9e3779b97f4a7c15)
}

// parameter gives the key of the parameter below a key.
func (p *places) parameter(key uint64) uint64 {
	return fold(key^0xd6e8feb86659fd93, 0xa0761d6478bd642f)
}

// operation gives the key of a method at a key.
func (p *places) operation(key uint64, method string) uint64 {
	return p.child(p.parameter(^key), method)
}

// path gives the key of a path whose values are parameters and whose words are
// literals.
func (p *places) path(key uint64, segs []segment) uint64 {
	for i := range segs {
		if s := &segs[i]; s.value {
			key = p.parameter(key)
		} else {
			key = p.child(key, s.text)
		}
	}
	return key
}

// list files an operation under its node.
func (p *places) list(n *node, x *op) {
	if !n.operation {
		p.ops.put(p.operation(n.key, x.Method), x)
	}
}

// unlist takes an operation out.
func (p *places) unlist(n *node, x *op) {
	if !n.operation {
		p.ops.drop(p.operation(n.key, x.Method))
	}
}

// move gives a node its key, and everything below it.
func (p *places) move(k *node, key uint64) {
	if k.key == key {
		return
	}
	for _, x := range k.ops {
		p.unlist(k, x)
	}
	for _, x := range k.order {
		p.literals.drop(x.key)
	}
	k.key = key
	for _, x := range k.ops {
		p.list(k, x)
	}
	for _, x := range k.order {
		p.move(x, p.child(key, x.text))
		p.literals.put(x.key, x)
	}
	if k.group != nil {
		p.move(k.group, p.parameter(key))
	}
}

// table is an open table by keys that are uniform already.
type table[V comparable] struct {
	slots []slot[V] // a power of two of them, at most three quarters taken
	n     int
}

type slot[V comparable] struct {
	key   uint64
	value V // never zero where something stands
}

func newTable[V comparable]() table[V] { return table[V]{slots: make([]slot[V], 64)} }

// get gives what stands under a key.
func (t *table[V]) get(key uint64) (v V) {
	mask := uint64(len(t.slots) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.key == key || s.value == v {
			return s.value
		}
	}
}

// put files something under a key, instead of what stood there.
func (t *table[V]) put(key uint64, v V) {
	if 4*(t.n+1) > 3*len(t.slots) {
		old := t.slots
		t.slots, t.n = make([]slot[V], 2*len(old)), 0
		var none V
		for i := range old {
			if old[i].value != none {
				t.put(old[i].key, old[i].value)
			}
		}
	}
	mask := uint64(len(t.slots) - 1)
	var none V
	i := key & mask
	for t.slots[i].value != none && t.slots[i].key != key {
		i = (i + 1) & mask
	}
	if t.slots[i].value == none {
		t.n++
	}
	t.slots[i] = slot[V]{key, v}
}

// drop takes out what stands under a key, and closes the gap that it leaves.
func (t *table[V]) drop(key uint64) {
	mask := uint64(len(t.slots) - 1)
	var none V
	i := key & mask
	for ; t.slots[i].key != key || t.slots[i].value == none; i = (i + 1) & mask {
		if t.slots[i].value == none {
			return
		}
	}
	t.n--
	for j := i; ; {
		j = (j + 1) & mask
		s := &t.slots[j]
		if s.value == none {
			break
		}
		// What stands behind its own place moves up, unless that is behind the gap.
		if (j-s.key)&mask >= (j-i)&mask {
			t.slots[i] = *s
			i = j
		}
	}
	t.slots[i] = slot[V]{}
}
