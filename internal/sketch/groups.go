package sketch

// Groups are the numbers below n, joined into groups; the smallest number of a
// group names it, in whatever order its members were joined.
type Groups []int32

// NewGroups gives n groups of one.
func NewGroups(n int) Groups {
	g := make(Groups, n)
	for i := range g {
		g[i] = int32(i)
	}
	return g
}

// Of gives the name of the group that x is in.
func (g Groups) Of(x int32) int32 {
	for g[x] != x {
		g[x] = g[g[x]]
		x = g[x]
	}
	return x
}

// Join makes one group of those that a and b are in.
func (g Groups) Join(a, b int32) {
	a, b = g.Of(a), g.Of(b)
	g[max(a, b)] = min(a, b)
}
