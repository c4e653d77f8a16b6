package defect

import (
	"math"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// What the proof of a fix asks for, after detection.md C2, which starts from
// the rule of three: no firing among 3/p tries says with 95 % that a defect
// that fires with probability p is gone. That rule is the form for small p of
// (1-p)^n = 5 %, which we take as it is, for 1 % instead of 5, with the lower
// end of p's confidence interval. We ask the same of hours as of events,
// because firings come in clusters: a defect that shows in one busy hour of
// twenty is not gone after one quiet hour, however busy that was.
//
// Thirty tries are the least in a week. What is tried seldom, as the start page
// of a console that a scanner asks for once in three days, would never come to
// that: after twice the days the statistics alone decide, of eight tries or
// more. TestWrongProofsAreRare holds both to the 1 %.
const (
	proofDoubt    = 0.01 // chance of calling a live defect fixed, at most
	proofEvents   = 30   // eligible events at least
	proofDays     = 7
	seldomEvents  = 8 // the same for a defect that is tried seldom
	seldomDays    = 14
	proofTraffic  = 0.2   // of the eligible traffic per day before the claim
	silentDays    = 14    // without a claim
	confidenceZ   = 1.645 // one side of 95 %
	seldomZ       = 2.58  // of 99.5 %: a share of few tries is easily overrated
	historyLength = 16
)

// Change is a step in the life of a finding.
type Change struct {
	At     int64
	Status taxonomy.DefectStatus
	Why    string // message id
	Text   message.Text
}

// Progress is how far the proof of a fix has come: each of the numbers has to
// reach the one that is needed.
type Progress struct {
	Since        int64 // when the proof began: the claim, or the last firing
	Claimed      bool
	Eligible     uint64 // tries since then, none of which fired
	NeedEligible uint64
	Hours        uint64 // periods that had such tries
	NeedHours    uint64
	Days         float64
	NeedDays     float64
	Traffic      float64 // tries per day, as a share of those before
	NeedTraffic  float64
}

// Done reports whether nothing is missing.
func (p *Progress) Done() bool {
	return p.Eligible >= p.NeedEligible && p.Hours >= p.NeedHours && p.Days >= p.NeedDays && p.Traffic >= p.NeedTraffic
}

// Share is how much of the proof is there, from 0 to 1: its weakest part.
func (p *Progress) Share() float64 {
	part := func(have, need float64) float64 {
		if need <= 0 {
			return 1
		}
		return min(have/need, 1)
	}
	return min(part(float64(p.Eligible), float64(p.NeedEligible)), part(float64(p.Hours), float64(p.NeedHours)),
		part(p.Days, p.NeedDays), part(p.Traffic, p.NeedTraffic))
}

// Life is what became of a finding.
type Life struct {
	Status   taxonomy.DefectStatus
	History  []Change // at most historyLength, the first and the latest
	Progress *Progress
	Returned bool // it fired again after it was fixed, or was as good as that
}

// Follow tells the life of a defect from its history: base is what evidence
// alone says, claims are the times at which somebody said that it is fixed, in
// order, now is the time of the last event. A defect without a history stays
// what it is; a claim alone never closes it.
//
// Without a claim, the proof begins after the last firing. Then every gap
// between firings was a chance to be mistaken, so the doubt is divided by their
// number, and more days are asked for.
func Follow(t *Trials, base taxonomy.DefectStatus, claims []int64, now int64) Life {
	f := follower{life: Life{Status: base}, base: base, claims: claims, width: hour}
	if t == nil || len(t.buckets) == 0 {
		for _, at := range claims {
			if at <= now {
				f.turn(at, taxonomy.FixClaimed, "defect.life.claimed")
			}
		}
		return f.life
	}
	f.width = t.Width()
	f.prior, f.priorHours = float64(t.prior), float64(t.priorHours)
	f.tries, f.periods = f.prior, f.priorHours
	f.start = t.buckets[0].Start
	f.step(base, t.buckets[0].Start, "defect.life.seen")
	for _, b := range t.buckets {
		f.claim(b.Start)
		f.bucket(b)
	}
	f.claim(now)
	f.rest(now)
	return f.life
}

// follower goes through a history, bucket by bucket.
type follower struct {
	life   Life
	base   taxonomy.DefectStatus
	claims []int64
	width  int64

	start          int64   // of the first firing's bucket
	prior          float64 // tries before it
	priorHours     float64
	tries, fired   float64 // before the proof that runs
	periods, shown float64 // the same in buckets: with tries, with firings
	gaps           float64 // proofs begun so far
	last           int64   // end of the last bucket with a firing

	proving     bool
	since       int64
	claimed     bool
	n, hours    float64
	need        float64 // hours
	gone        float64 // tries without a firing that tell a repair from luck
	perDay      float64 // tries before the proof
	hoursPerDay float64 // hours with tries before the proof
	seldom      float64 // the same as gone for what is tried seldom
}

func (f *follower) step(s taxonomy.DefectStatus, at int64, why string) {
	h := &f.life.History
	if len(*h) == historyLength { // keep the first half, forget the oldest of the rest
		copy((*h)[historyLength/2:], (*h)[historyLength/2+1:])
		*h = (*h)[:historyLength-1]
	}
	*h = append(*h, Change{At: at, Status: s, Why: why})
}

func (f *follower) turn(at int64, s taxonomy.DefectStatus, why string) {
	if f.life.Status != s {
		f.life.Status = s
		f.step(s, at, why)
	}
}

// claim takes the claims up to a time.
func (f *follower) claim(upTo int64) {
	for len(f.claims) > 0 && f.claims[0] <= upTo {
		at := f.claims[0]
		f.claims = f.claims[1:]
		if at < f.start || f.life.Status == taxonomy.Fixed {
			continue
		}
		f.absorb()
		f.turn(at, taxonomy.FixClaimed, "defect.life.claimed")
		f.prove(at, true)
	}
}

// absorb adds the proof that ends to what is known of the time before.
func (f *follower) absorb() {
	f.tries, f.periods = f.tries+f.n, f.periods+f.hours
	f.n, f.hours, f.proving = 0, 0, false
}

// prove begins a proof.
func (f *follower) prove(since int64, claimed bool) {
	f.proving, f.claimed, f.since = true, claimed, since
	f.gaps++
	doubt := proofDoubt
	if !claimed {
		doubt /= max(f.gaps, 1)
	} else if f.gaps > 1 {
		doubt /= math.Sqrt(f.gaps)
	}
	f.gone = unlikely(doubt, lower(f.fired, f.tries, confidenceZ))
	f.need = math.Ceil(unlikely(doubt, lower(f.shown, f.periods, confidenceZ)) * min(1, f.periods/3))
	f.seldom = unlikely(doubt, lower(f.fired, f.tries, seldomZ))
	// What came before the first firing has no date.
	days := max(float64(since-f.start)/float64(day), 1)
	f.perDay, f.hoursPerDay = (f.tries-f.prior)/days, (f.periods-f.priorHours)/days
}

// unlikely is after how many tries in vain a doubt is left at most, for what
// fires with probability p.
func unlikely(doubt, p float64) float64 { return math.Ceil(math.Log(doubt) / math.Log1p(-p)) }

// bucket takes the next bucket. The one that a claim falls into proves
// nothing: it cannot be told what in it came before.
func (f *follower) bucket(b Bucket) {
	end := b.Start + f.width
	if b.Fired > 0 {
		// It was gone, if not yet for as long as a proof takes.
		f.life.Returned = f.life.Returned || f.proving && f.claimed && f.n >= f.gone && f.hours >= f.need
		f.absorb()
		f.tries += float64(b.Eligible)
		f.periods++
		f.fired += float64(b.Fired)
		f.shown++
		f.last = end
		switch f.life.Status {
		case taxonomy.Fixed:
			f.life.Returned = true
			f.turn(b.Start, taxonomy.Regressed, "defect.life.regressed")
		case taxonomy.FixClaimed, taxonomy.Verifying:
			back := f.base
			why := "defect.life.refuted"
			if f.life.Returned {
				back, why = taxonomy.Regressed, "defect.life.regressed"
			}
			f.turn(b.Start, back, why)
		}
		f.life.Progress = nil
		return
	}
	if !f.proving {
		f.prove(f.last, false)
	}
	if b.Start < f.since {
		f.tries += float64(b.Eligible)
		f.periods++
		return
	}
	f.n += float64(b.Eligible)
	f.hours++
	f.look(end)
}

// look judges the proof at a time.
func (f *follower) look(at int64) {
	if f.life.Status == taxonomy.Fixed {
		return
	}
	days := max(float64(at-f.since)/float64(day), 0)
	p := &Progress{Since: f.since, Claimed: f.claimed, Eligible: uint64(f.n), NeedEligible: uint64(max(proofEvents, f.gone)),
		Hours: uint64(f.hours), NeedHours: uint64(f.need), Days: days, NeedDays: proofDays, NeedTraffic: proofTraffic}
	if !f.claimed {
		p.NeedDays = silentDays
	}
	if days > 0 && f.perDay > 0 {
		// In hours as well, since one flood before the claim is no level.
		p.Traffic = max(f.n/f.perDay, f.hours/f.hoursPerDay) / max(days, 1)
	}
	if f.n < proofEvents && days >= proofDays { // it is tried seldom
		q := *p
		q.NeedEligible, q.NeedDays = uint64(max(seldomEvents, f.seldom)), p.NeedDays+seldomDays-proofDays
		if q.Done() || q.Share() > p.Share() {
			p = &q
		}
	}
	f.life.Progress = p
	switch {
	case p.Done():
		why := "defect.life.fixed"
		if !f.claimed {
			why = "defect.life.fixed_silently"
		}
		f.turn(at, taxonomy.Fixed, why)
	case f.claimed && f.n > 0:
		f.turn(at, taxonomy.Verifying, "defect.life.verifying")
	}
}

// rest judges what the time since the last bucket adds.
func (f *follower) rest(now int64) {
	if f.proving && f.life.Status != taxonomy.Fixed {
		f.look(max(now, f.since))
	}
}

const day = 24 * hour

// lower is the lower end of the confidence interval of a share (Wilson's).
func lower(k, n, z float64) float64 {
	if n <= 0 || k <= 0 {
		return 1e-9
	}
	k = min(k, n)
	p, z2 := k/n, z*z
	return max((p+z2/(2*n)-z*math.Sqrt(p*(1-p)/n+z2/(4*n*n)))/(1+z2/n), 1e-9)
}
