package defect

import (
	"cmp"
	"slices"
)

// Trials is the history of one defect for the proof of a fix: how often its
// trigger was tried (requests without a credential, weak passwords, foreign
// origins …) and how often it fired, in buckets of event time. What came before
// the first firing is only summed up, so that what has no defect costs nothing.
//
// Buckets are an hour wide; when there are more than MaxBuckets the width
// doubles, for all. The width that results depends on what was counted and not
// on its order, so that histories fold in any order. The zero value is empty.
type Trials struct {
	width   int64 // ns; 0: an hour
	buckets []Bucket

	prior      uint32 // eligible events before the first firing
	priorHours uint32 // hours that had one
	priorHour  int64  // the last of them
}

// MaxBuckets is how many buckets a history has at most.
const MaxBuckets = 240

const hour = int64(3600e9)

// Bucket is what happened from Start on, for the history's width.
type Bucket struct {
	Start    int64 // ns since the epoch, a multiple of the width
	Eligible uint32
	Fired    uint32
}

// Count takes one eligible event at a time.
func (t *Trials) Count(at int64, fired bool) {
	if !fired && len(t.buckets) == 0 {
		if h := floor(at, hour); t.prior == 0 || h != t.priorHour {
			t.priorHours++
			t.priorHour = h
		}
		t.prior++
		return
	}
	b := Bucket{Start: at, Eligible: 1}
	if fired {
		b.Fired = 1
	}
	t.add(b)
	t.shrink()
}

// Fold adds what o holds.
func (t *Trials) Fold(o *Trials) {
	for t.Width() < o.Width() {
		t.double()
	}
	for _, b := range o.buckets {
		t.add(b)
	}
	t.shrink()
	t.prior += o.prior
	t.priorHours += o.priorHours
}

// Tried adds what o counted as tries that did not fire.
func (t *Trials) Tried(o *Trials) {
	u := o.Clone()
	for i := range u.buckets {
		b := &u.buckets[i]
		if b.Fired = 0; len(t.buckets) > 0 && b.Start+u.Width() <= t.buckets[0].Start {
			t.prior += b.Eligible
			t.priorHours++
			b.Eligible = 0
		}
	}
	u.buckets = slices.DeleteFunc(u.buckets, func(b Bucket) bool { return b.Eligible == 0 })
	t.Fold(u)
}

// Prior is how many eligible events came before the first firing, and in how
// many hours.
func (t *Trials) Prior() (events, hours uint32) { return t.prior, t.priorHours }

// Clone gives a copy that later events do not change.
func (t *Trials) Clone() *Trials {
	c := *t
	c.buckets = slices.Clone(t.buckets)
	return &c
}

// Equal reports whether both hold the same.
func (t *Trials) Equal(o *Trials) bool {
	if t == nil || o == nil {
		return t == o
	}
	return t.Width() == o.Width() && slices.Equal(t.buckets, o.buckets)
}

// Width is how long a bucket is, in ns.
func (t *Trials) Width() int64 { return cmp.Or(t.width, hour) }

// Buckets gives the history in order of time; it is not to be changed.
func (t *Trials) Buckets() []Bucket { return t.buckets }

func (t *Trials) add(b Bucket) {
	w := t.Width()
	b.Start = floor(b.Start, w)
	n := len(t.buckets)
	i := n
	if n > 0 && t.buckets[n-1].Start >= b.Start {
		i, _ = slices.BinarySearchFunc(t.buckets, b.Start, func(x Bucket, at int64) int { return cmp.Compare(x.Start, at) })
	}
	if i < n && t.buckets[i].Start == b.Start {
		t.buckets[i].Eligible += b.Eligible
		t.buckets[i].Fired += b.Fired
		return
	}
	t.buckets = slices.Insert(t.buckets, i, b)
}

func (t *Trials) shrink() {
	for len(t.buckets) > MaxBuckets {
		t.double()
	}
}

func (t *Trials) double() {
	t.width = 2 * t.Width()
	out := t.buckets[:0]
	for _, b := range t.buckets {
		b.Start = floor(b.Start, t.width)
		if n := len(out); n > 0 && out[n-1].Start == b.Start {
			out[n-1].Eligible += b.Eligible
			out[n-1].Fired += b.Fired
			continue
		}
		out = append(out, b)
	}
	t.buckets = out
}

// floor rounds down to a multiple of w, before the epoch as well.
func floor(at, w int64) int64 {
	r := at % w
	if r < 0 {
		r += w
	}
	return at - r
}
