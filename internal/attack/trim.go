package attack

import (
	"cmp"
	"slices"
)

// Who shares a key with an attack and came hours before it or after is one of
// those who have the key by chance: a program works, stops and comes back, but
// nearly all of it comes together.

const (
	trimGap   = int64(1800e9) // silence, at least, that parts one coming from another
	trimTimes = 12            // … times the usual one
	trimShare = 0.1           // share of the requests that a coming has, to be one of the attack's
	trimFew   = 4             // … and as many, or two thirds of what the largest has
)

// trim leaves out the members of a scope that came apart from nearly all
// others, and whoever else has the key and came with them. It reports whether
// there were any.
func (s *scene) trim(sc *scope) bool {
	n := len(sc.members)
	if n < 3 {
		return false
	}
	order := slices.Clone(sc.members)
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(s.began(a), s.began(b)) })
	gaps := make([]int64, 0, n-1)
	for k := 1; k < n; k++ {
		gaps = append(gaps, s.began(order[k])-s.began(order[k-1]))
	}
	sorted := slices.Clone(gaps)
	slices.Sort(sorted)
	limit := max(trimGap, trimTimes*sorted[len(sorted)/2])
	type coming struct {
		from, to, n int
		last        int64
	}
	var all []coming
	total := 0
	for k, i := range order {
		c := s.cell(i)
		if m := len(all); m == 0 || s.began(i) > all[m-1].last+limit {
			all = append(all, coming{from: k})
		}
		x := &all[len(all)-1]
		x.to, x.last = k+1, max(x.last, c.last)
		x.n += int(c.n)
		total += int(c.n)
	}
	largest := 0
	for _, x := range all {
		largest = max(largest, x.n)
	}
	least := max(trimShare*float64(total), min(trimFew, float64(largest)*2/3))
	kept, out := make([]int32, 0, n), false
	var spans [][2]int64
	for _, x := range all {
		if float64(x.n) < least {
			out = true
			continue
		}
		kept = append(kept, order[x.from:x.to]...)
		spans = append(spans, [2]int64{s.began(order[x.from]), x.last})
	}
	if !out {
		return false
	}
	slices.Sort(kept) // positions are in order of time, last active first
	sc.members = kept
	sc.all = slices.DeleteFunc(slices.Clone(sc.all), func(i int32) bool {
		c := s.cell(i)
		return !slices.ContainsFunc(spans, func(x [2]int64) bool { return c.last >= x[0] && c.first <= x[1] })
	})
	s.resum(sc)
	return true
}

// began is when a cell came to do what it is looked at for.
func (s *scene) began(i int32) int64 {
	c := s.cell(i)
	if c.aLast != 0 {
		return c.aFirst
	}
	return c.first
}
