package defect

// reopened is how long refusals last, without a firing in between, to count as
// a repair that was taken back.
const reopened = int64(6 * 3600e9)

// Refusals counts the refusals that stand between the firings of a defect, for
// those that fire only now and then because the request is mostly refused: what
// fires then is likely not what it seems. Refusals after the last firing do not
// count, since a repair looks like that, and a long unbroken row of them between
// two firings, a repair that was taken back, counts once. The zero value is
// empty.
type Refusals struct {
	between  uint64
	turns    uint64 // firings right after a refusal
	pending  uint64 // since the last firing
	fired    int64  // when that was
	from, to int64  // of pending
}

// Refuse takes a refusal.
func (r *Refusals) Refuse(at int64) {
	if r.pending == 0 {
		r.from, r.to = at, at
	}
	r.from, r.to = min(r.from, at), max(r.to, at)
	r.pending++
}

// Fire takes a firing.
func (r *Refusals) Fire(at int64) {
	r.fired = max(r.fired, at)
	r.close()
}

// close counts what is pending.
func (r *Refusals) close() {
	if r.pending > 0 {
		r.turns++
		if r.to-r.from >= reopened {
			r.pending = 1
		}
	}
	r.between += r.pending
	r.pending = 0
}

// Before is how many refusals count.
func (r *Refusals) Before() uint64 { return r.between }

// Turns is how many firings followed a refusal: as good a measure where both
// are rare and every row of refusals is long.
func (r *Refusals) Turns() uint64 { return r.turns }

// Fold adds what o counted.
func (r *Refusals) Fold(o *Refusals) {
	a, b := *r, *o
	fired := max(a.fired, b.fired)
	if a.to < fired { // the other part fired after these
		a.close()
	}
	if b.to < fired {
		b.close()
	}
	r.fold(&a, &b)
	r.fired = fired
}

func (r *Refusals) fold(a, o *Refusals) {
	*r = *a
	r.between += o.between
	r.turns += o.turns
	switch {
	case o.pending == 0:
	case r.pending == 0:
		r.pending, r.from, r.to = o.pending, o.from, o.to
	default:
		r.pending += o.pending
		r.from, r.to = min(r.from, o.from), max(r.to, o.to)
	}
}
