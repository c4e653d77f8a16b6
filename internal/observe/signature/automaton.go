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

// laneSize is the least text that is scanned in lanes.
const laneSize = 256

// occurs reports whether any literal stands in b. The step from one state to
// the next waits for a load, so a long text is scanned in four lanes at once;
// each lane reads on into the next one by the longest literal, less a byte.
func (a *automaton) occurs(b []byte) bool {
	if len(b) < max(laneSize, 4*a.longest) {
		return a.first(b) >= 0
	}
	quarter := len(b) / 4
	n := quarter + a.longest - 1
	next, output, class := a.next, a.output, &a.class
	l0, l1, l2, l3 := b[:n], b[quarter:quarter+n], b[2*quarter:2*quarter+n], b[3*quarter:]
	common := min(n, len(l3))
	var s0, s1, s2, s3 uint32
	for i := range common {
		s0 = next[s0+uint32(class[l0[i]])]
		s1 = next[s1+uint32(class[l1[i]])]
		s2 = next[s2+uint32(class[l2[i]])]
		s3 = next[s3+uint32(class[l3[i]])]
		if max(s0, s1, s2, s3) >= output {
			return true
		}
	}
	return a.rest(s0, l0[common:]) || a.rest(s1, l1[common:]) || a.rest(s2, l2[common:]) || a.rest(s3, l3[common:])
}

// rest goes on from state s and reports whether b completes a literal.
func (a *automaton) rest(s uint32, b []byte) bool {
	for _, c := range b {
		s = a.next[s+uint32(a.class[c])]
		if s >= a.output {
			return true
		}
	}
	return false
}

// first gives the offset behind the first occurrence of any literal, or -1.
func (a *automaton) first(b []byte) int {
	next, output, class := a.next, a.output, &a.class
	s := uint32(0)
	for i, c := range b {
		s = next[s+uint32(class[c])]
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
