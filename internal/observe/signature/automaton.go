package signature

import "fmt"

// automaton finds a set of literals in one pass over case-folded bytes: a
// dense Aho-Corasick automaton. A state is the offset of its row in next, so a
// step is one addition and one load; states with output have the highest
// offsets, so the test for a hit is one comparison.
type automaton struct {
	class   [256]uint8
	next    []uint32
	output  uint32    // first offset that has output
	width   uint32    // row length
	ends    [][]int32 // per state with output: the literals that end there
	longest int
}

const maxStates = 1 << 16

// newAutomaton builds the automaton for literals, which must be lower case in
// ASCII and not empty.
func newAutomaton(literals []string) (*automaton, error) {
	a := &automaton{}
	classes := 1 // class 0: bytes that stand in no literal
	for _, l := range literals {
		if l == "" || fold(l) != l {
			return nil, fmt.Errorf("literal %q is empty or not lower case", l)
		}
		a.longest = max(a.longest, len(l))
		for i := range len(l) {
			if a.class[l[i]] == 0 {
				a.class[l[i]] = uint8(classes)
				classes++
			}
		}
	}
	for c := byte('A'); c <= 'Z'; c++ {
		a.class[c] = a.class[c|0x20]
	}

	type node struct {
		child []int32 // per class, 0 none
		ends  []int32
		fail  int32
		row   uint32
	}
	nodes := []*node{{child: make([]int32, classes)}}
	for id, l := range literals {
		at := int32(0)
		for i := range len(l) {
			c := a.class[l[i]]
			if nodes[at].child[c] == 0 {
				nodes[at].child[c] = int32(len(nodes))
				nodes = append(nodes, &node{child: make([]int32, classes)})
			}
			at = nodes[at].child[c]
		}
		nodes[at].ends = append(nodes[at].ends, int32(id))
	}
	if len(nodes) > maxStates {
		return nil, fmt.Errorf("%d states, at most %d", len(nodes), maxStates)
	}

	// Breadth first: a node's fail link is shallower than the node, so its
	// row is complete when it is copied.
	queue := []int32{0}
	for head := 0; head < len(queue); head++ {
		at := queue[head]
		n := nodes[at]
		for c := range classes {
			child := n.child[c]
			if child == 0 {
				if at != 0 {
					n.child[c] = nodes[n.fail].child[c]
				}
				continue
			}
			if at != 0 {
				nodes[child].fail = nodes[n.fail].child[c]
			}
			nodes[child].ends = append(nodes[child].ends, nodes[nodes[child].fail].ends...)
			queue = append(queue, child)
		}
	}

	a.width = uint32(classes)
	row := uint32(0)
	place := func(output bool) {
		for _, at := range queue {
			if n := nodes[at]; (len(n.ends) > 0) == output {
				n.row = row
				row += a.width
				if output {
					a.ends = append(a.ends, n.ends)
				}
			}
		}
	}
	place(false) // the root has no output and comes first: state 0
	a.output = row
	place(true)
	a.next = make([]uint32, row)
	for _, n := range nodes {
		for c := range classes {
			a.next[n.row+uint32(c)] = nodes[n.child[c]].row
		}
	}
	return a, nil
}

// scan calls hit for every occurrence of every literal: its id and the offset
// behind its last byte.
func (a *automaton) scan(b []byte, hit func(id int32, end int)) {
	s := uint32(0)
	for i, c := range b {
		s = a.next[s+uint32(a.class[c])]
		if s >= a.output {
			for _, id := range a.ends[(s-a.output)/a.width] {
				hit(id, i+1)
			}
		}
	}
}

// first gives the offset behind the first occurrence of any literal, or -1.
func (a *automaton) first(b []byte) int {
	next, output := a.next, a.output
	s := uint32(0)
	for i, c := range b {
		s = next[s+uint32(a.class[c])]
		if s >= output {
			return i + 1
		}
	}
	return -1
}

// fold lowers ASCII letters and leaves other bytes alone.
func fold(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}
