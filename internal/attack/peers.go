package attack

import "slices"

// asker is what one principal (or anonymous actor) read of a unit.
type asker struct {
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
	d := s.desk
	out := slices.Grow(d.out[:0], len(d.askers))[:len(d.askers)]
	clear(out)
	d.out = out
	for _, i := range sc.members {
		out[d.askerAt[i]] = true
	}
	// What another attack explains is no measure of what is normal.
	anyOwned := len(s.e.book.owner) > 0
	for i, taken := range s.taken {
		if taken || anyOwned && s.e.book.accused(s.refs[i], d.cells[i]) {
			out[d.askerAt[i]] = true
		}
	}
	var p peers
	var fs, os, us, ns float64
	for i := range d.askers {
		if out[i] {
			continue
		}
		a := &d.askers[i]
		p.count++
		p.bulk += a.bulk
		p.n += a.n
		if a.obj > 0 {
			us += min(a.guessed/a.obj, 1)
			ns++
		}
		if a.foreign+a.own > 0 {
			p.known++
			// Each asker counts once.
			fs += a.foreign / (a.foreign + a.own)
			os++
		}
	}
	p.objects = s.high(p.count, func(a *asker) float64 { return a.objects })
	p.foreign = s.high(p.count, func(a *asker) float64 { return a.foreign })
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
	if s.enrolled {
		return
	}
	s.enrolled = true
	d := s.desk
	d.index.reset(len(d.cells))
	d.askers = d.askers[:0]
	d.askerAt = slices.Grow(d.askerAt[:0], len(d.cells))[:len(d.cells)]
	for i, c := range d.cells {
		k := askerOf(c)
		at, fresh := d.index.add(k)
		if fresh {
			d.askers = append(d.askers, asker{})
		}
		d.askerAt[i] = at
		a := &d.askers[at]
		a.objects += c.sets[setObjects].count()
		a.foreign += float64(c.foreign)
		a.own += float64(c.own)
		a.obj += float64(c.obj - min(c.miss, c.obj))
		a.guessed += float64(c.unissued)
		a.n += c.n
		a.bulk += c.bulk
	}
	s.usual = s.middle(func(a *asker) float64 { return a.objects })
	s.usualForeign = s.middle(func(a *asker) float64 { return a.foreign })
}

// ordinary reports, at little cost, that a scope reads no more than peers do:
// the middle of all is never above the 95th percentile of the others.
func (s *scene) ordinary(read, foreign float64) bool {
	s.enroll()
	return len(s.desk.askers) >= 4 && foreign < max(5, 3*s.usualForeign) && read < max(30, objectsTimes*max(s.usual, 3))
}

// middle is the median of the askers' figures or the value just below it, 0 of
// less than four.
func (s *scene) middle(figure func(*asker) float64) float64 {
	d := s.desk
	n := len(d.askers)
	if n < 4 {
		return 0
	}
	d.figures = d.figures[:0]
	for i := range d.askers {
		d.figures = append(d.figures, figure(&d.askers[i]))
	}
	return nth(d.figures, n/2-1)
}

// high is the 95th percentile of the count askers that are not left out, of
// less than twenty the largest.
func (s *scene) high(count int, figure func(*asker) float64) float64 {
	if count == 0 {
		return 0
	}
	d := s.desk
	d.figures = d.figures[:0]
	for i := range d.askers {
		if !d.out[i] {
			d.figures = append(d.figures, figure(&d.askers[i]))
		}
	}
	return nth(d.figures, min(count*95/100, count-1))
}

// nth gives the value that sorting would bring to place k, by quickselect. The
// figures are counts: never NaN.
func nth(x []float64, k int) float64 {
	for lo, hi := 0, len(x)-1; lo < hi; {
		pivot := median3(x[lo], x[lo+(hi-lo)/2], x[hi])
		i, j := lo, hi
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return x[k]
		}
	}
	return x[k]
}

func median3(a, b, c float64) float64 { return max(min(a, b), min(max(a, b), c)) }
