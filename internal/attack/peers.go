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

func (a *asker) add(o *asker) {
	a.objects += o.objects
	a.foreign += o.foreign
	a.own += o.own
	a.obj += o.obj
	a.guessed += o.guessed
	a.n += o.n
	a.bulk += o.bulk
}

// read notes what each cell read, once for all windows of a judgement.
func (d *desk) read() {
	if d.reading {
		return
	}
	d.reading = true
	d.reads = slices.Grow(d.reads[:0], len(d.cells))[:len(d.cells)]
	for i, c := range d.cells {
		d.reads[i] = asker{
			objects: c.sets[setObjects].count(), foreign: float64(c.foreign), own: float64(c.own),
			obj: float64(c.obj - min(c.miss, c.obj)), guessed: float64(c.unissued), n: c.n, bulk: c.bulk,
		}
	}
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

// peersOf sums up everybody but the members of the scope. Shares are left to
// sumShares: few ask for them.
func (s *scene) peersOf(sc *scope) peers {
	s.enroll()
	d := s.desk
	d.out = slices.Grow(d.out[:0], len(d.askers))[:len(d.askers)]
	clear(d.out)
	p := s.whole
	rest := d.figures
	leave := func(at int32) {
		if d.out[at] {
			return
		}
		d.out[at] = true
		a := &d.askers[at]
		p.count--
		p.bulk -= a.bulk
		p.n -= a.n
		if a.foreign+a.own > 0 {
			p.known--
		}
		rest.objects.add(a.objects, -1)
		rest.foreign.add(a.foreign, -1)
	}
	for _, i := range sc.members {
		leave(d.askerAt[i])
	}
	// What another attack explains is no measure of what is normal.
	anyOwned := len(s.e.book.owner) > 0
	if anyOwned || s.explained {
		for i, taken := range s.taken {
			if taken || anyOwned && s.e.book.accused(s.refs[i], d.cells[i]) {
				leave(d.askerAt[i])
			}
		}
	}
	p.objects = s.high(&rest.objects, p.count, func(a *asker) float64 { return a.objects })
	p.foreign = s.high(&rest.foreign, p.count, func(a *asker) float64 { return a.foreign })
	return p
}

// sumShares adds up the shares of the peers that peersOf has just counted.
func (s *scene) sumShares(p *peers) {
	var fs, os, us, ns float64
	for i := range s.desk.askers {
		if s.desk.out[i] {
			continue
		}
		a := &s.desk.askers[i]
		if a.obj > 0 {
			us += min(a.guessed/a.obj, 1)
			ns++
		}
		if a.foreign+a.own > 0 {
			// Each asker counts once.
			fs += a.foreign / (a.foreign + a.own)
			os++
		}
	}
	p.unissued = 1 // as far as is known nothing ever offers them
	if ns >= 3 {
		p.unissued = us / ns
	}
	if os > 0 {
		p.foreignShare = fs / os
	}
}

// enroll adds up the unit's askers, once a scene.
func (s *scene) enroll() {
	if s.enrolled {
		return
	}
	s.enrolled = true
	d := s.desk
	d.brief(s)
	d.read()
	d.index.reset(len(d.cells))
	d.askers = d.askers[:0]
	d.askerAt = slices.Grow(d.askerAt[:0], len(d.cells))[:len(d.cells)]
	cred, actor := d.keys[scopeCredential], d.keys[scopeActor]
	for i := range d.reads {
		k := cred[i]
		if k == 0 {
			k = actor[i]
		}
		at, fresh := d.index.add(k)
		if fresh {
			d.askers = append(d.askers, asker{})
		}
		d.askerAt[i] = at
		d.askers[at].add(&d.reads[i])
	}
	d.figures = figures{}
	s.whole = peers{}
	for i := range d.askers {
		a := &d.askers[i]
		s.whole.count++
		s.whole.bulk += a.bulk
		s.whole.n += a.n
		if a.foreign+a.own > 0 {
			s.whole.known++
		}
		d.figures.objects.add(a.objects, 1)
		d.figures.foreign.add(a.foreign, 1)
	}
	// The median or the value just below it, of four askers or more.
	if n := len(d.askers); n >= 4 {
		s.usual = s.nth(&d.figures.objects, n/2-1, nil, func(a *asker) float64 { return a.objects })
		s.usualForeign = s.nth(&d.figures.foreign, n/2-1, nil, func(a *asker) float64 { return a.foreign })
	}
}

// ordinary reports, at little cost, that a scope reads no more than peers do:
// the middle of all is never above the 95th percentile of the others.
func (s *scene) ordinary(read, foreign float64) bool {
	s.enroll()
	return len(s.desk.askers) >= 4 && foreign < max(5, 3*s.usualForeign) && read < max(30, objectsTimes*max(s.usual, 3))
}

// figures are how often askers have each figure: nearly all are small whole
// numbers, so ranks come without sorting.
type figures struct{ objects, foreign ranks }

type ranks [128]int32

func (r *ranks) add(v float64, n int32) {
	if v < float64(len(r)) {
		r[int(v)] += n
	}
}

// high is the 95th percentile of the count askers that are not left out, of
// less than twenty the largest.
func (s *scene) high(r *ranks, count int, figure func(*asker) float64) float64 {
	if count == 0 {
		return 0
	}
	return s.nth(r, min(count*95/100, count-1), s.desk.out, figure)
}

// nth gives the figure of rank k among the askers that are not left out.
func (s *scene) nth(r *ranks, k int, out []bool, figure func(*asker) float64) float64 {
	rank := int32(k)
	for v, n := range r {
		if rank < n {
			return float64(v)
		}
		rank -= n
	}
	// Among the large ones.
	d := s.desk
	d.large = d.large[:0]
	for i := range d.askers {
		if out != nil && out[i] {
			continue
		}
		if v := figure(&d.askers[i]); v >= float64(len(r)) {
			d.large = append(d.large, v)
		}
	}
	return nth(d.large, int(rank))
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
