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
	if err := checkLiterals(literals); err != nil {
		return nil, err
	}
	a := &automaton{}
	classes := 1 // class 0: bytes that stand in no literal
	for _, l := range literals {
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
		ends []int32
		fail int32
		row  uint32
	}
	most := 1
	for _, l := range literals {
		most += len(l)
	}
	nodes := make([]node, 1, most)
	child := make([]int32, most*classes) // rows of nodes, 0 none
	for id, l := range literals {
		at := int32(0)
		for i := range len(l) {
			c := &child[int(at)*classes+int(a.class[l[i]])]
			if *c == 0 {
				*c = int32(len(nodes))
				nodes = append(nodes, node{})
			}
			at = *c
		}
		nodes[at].ends = append(nodes[at].ends, int32(id))
	}

	// Breadth first: a node's fail link is shallower than the node, so its
	// row is complete when it is copied.
	queue := make([]int32, 1, len(nodes))
	for head := 0; head < len(queue); head++ {
		at := queue[head]
		row, fail := child[int(at)*classes:][:classes], child[int(nodes[at].fail)*classes:][:classes]
		for c, to := range row {
			switch {
			case to == 0 && at != 0:
				row[c] = fail[c]
			case to != 0:
				n := &nodes[to]
				if at != 0 {
					n.fail = fail[c]
				}
				n.ends = append(n.ends, nodes[n.fail].ends...)
				queue = append(queue, to)
			}
		}
	}

	a.width = uint32(classes)
	row := uint32(0)
	place := func(output bool) {
		for _, at := range queue {
			if n := &nodes[at]; (len(n.ends) > 0) == output {
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
	for at := range nodes {
		row := a.next[nodes[at].row:][:classes]
		for c, to := range child[at*classes:][:classes] {
			row[c] = nodes[to].row
		}
	}
	return a, nil
}

// checkLiterals finds what newAutomaton refuses.
func checkLiterals(literals []string) error {
	states := 1
	for _, l := range literals {
		if l == "" || fold(l) != l {
			return fmt.Errorf("literal %q is empty or not lower case", l)
		}
		states += len(l)
	}
	if states > maxStates {
		return fmt.Errorf("literals of %d bytes, at most %d", states, maxStates)
	}
	return nil
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
