package attack

import "sort"

// asker is what one principal (or anonymous actor) read of a unit.
type asker struct {
	key     uint64
	objects float64
	foreign float64
	own     float64
	obj     float64
	guessed float64 // reads of objects that nothing had offered
	n       uint32
	bulk    uint32
}

// peers is the distribution over the other askers of a unit.
type peers struct {
	count        int
	objects      float64 // p95
	foreign      float64 // p95
	foreignShare float64 // of reads whose owner is known
	known        int     // askers with a known owner
	unissued     float64 // share of reads that nothing had offered
	bulk         uint32  // bulk reads by others
	n            uint32
}

// askerOf is who a cell belongs to.
func askerOf(c *cell) uint64 {
	if c.cred != 0 {
		return c.cred
	}
	return c.who
}

// peersOf sums up everybody but the members of the scope.
func (s *scene) peersOf(sc *scope) peers {
	s.enroll()
	in := make(map[uint64]bool, len(sc.members))
	for _, i := range sc.members {
		in[askerOf(s.cell(i))] = true
	}
	// What another attack explains is no measure of what is normal.
	for i := range s.refs {
		if s.taken[i] || s.e.book.accused(s.refs[i], s.cell(int32(i))) {
			in[askerOf(s.cell(int32(i)))] = true
		}
	}
	var p peers
	var objects, foreign []float64
	var fs, os, us, ns float64
	for _, a := range s.roll {
		if in[a.key] {
			continue
		}
		p.count++
		p.bulk += a.bulk
		p.n += a.n
		if a.obj > 0 {
			us += min(a.guessed/a.obj, 1)
			ns++
		}
		objects = append(objects, a.objects)
		foreign = append(foreign, a.foreign)
		if a.foreign+a.own > 0 {
			p.known++
			// Each asker counts once.
			fs += a.foreign / (a.foreign + a.own)
			os++
		}
	}
	p.objects, p.foreign = high(objects), high(foreign)
	p.unissued = 1 // as far as is known nothing ever offers them
	if ns >= 3 {
		p.unissued = us / ns
	}
	if os > 0 {
		p.foreignShare = fs / os
	}
	return p
}

// enroll adds up the unit's askers, once a scene.
func (s *scene) enroll() {
	if s.askers != nil {
		return
	}
	s.askers = make(map[uint64]*asker)
	for i := range s.refs {
		c := s.cell(int32(i))
		k := askerOf(c)
		a := s.askers[k]
		if a == nil {
			a = &asker{key: k}
			s.askers[k] = a
			s.roll = append(s.roll, a)
		}
		a.objects += c.sets[setObjects].count()
		a.foreign += float64(c.foreign)
		a.own += float64(c.own)
		a.obj += float64(c.obj - min(c.miss, c.obj))
		a.guessed += float64(c.unissued)
		a.n += c.n
		a.bulk += c.bulk
	}
	objects, foreign := make([]float64, len(s.roll)), make([]float64, len(s.roll))
	for i, a := range s.roll {
		objects[i], foreign[i] = a.objects, a.foreign
	}
	s.usual, s.usualForeign = middle(objects), middle(foreign)
}

// ordinary reports, at little cost, that a scope reads no more than peers do:
// the middle of all is never above the 95th percentile of the others.
func (s *scene) ordinary(read, foreign float64) bool {
	s.enroll()
	return len(s.roll) >= 4 && foreign < max(5, 3*s.usualForeign) && read < max(30, objectsTimes*max(s.usual, 3))
}

// middle is the median or the value just below it.
func middle(x []float64) float64 {
	if len(x) < 4 {
		return 0
	}
	sort.Float64s(x)
	return x[len(x)/2-1]
}

// high is the 95th percentile, in fewer than twenty values the largest.
func high(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	sort.Float64s(x)
	return x[min(len(x)*95/100, len(x)-1)]
}
