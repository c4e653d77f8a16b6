package engine

import (
	"context"
	"time"

	"xiezhi/internal/attack"
	"xiezhi/internal/judge"
	"xiezhi/internal/observe"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/taxonomy"
)

// rows makes rows of what is judged, for the console's questions. Their
// positions are times of the traffic, so that what is judged again is not kept
// twice, wherever judging began anew.
type rows struct {
	store rowStore
	part  *partition
	marks map[*judge.Judge]*judge.Marks
	wait  []observation.Row
	waits []unmarked // the same rows, for what is known when they are written
	asOf  int64      // event time of what is known of attacks
	since time.Time  // no rows of what ended before; zero: of all

	retained time.Time // day up to which rows were dropped
}

// rowStore is what it needs of an observation.Store.
type rowStore interface {
	Append(context.Context, []observation.Row) error
	Retain(ctx context.Context, before time.Time) (days int, err error)
}

// rowsAtOnce is how many rows wait before they are written, rowsMost how many do
// when traffic outruns the clock: a backlog, a history.
const (
	rowsAtOnce = 20_000
	rowsMost   = 100_000
	outran     = int64(600e9) // of event time since attacks were looked for
)

// unmarked is what finds the attack of a row that waits.
type unmarked struct {
	judge *judge.Judge
	trait attack.Trait
}

// due reports whether the rows that wait are to be written. Those of a backlog
// wait until it is known which attacks they belong to: by the clock that is
// looked for seldom, and hours of traffic pass meanwhile.
func (r *rows) due() bool {
	n := len(r.wait)
	return n >= rowsMost || n >= rowsAtOnce && r.part.bench.last-r.asOf < outran
}

// watch makes rows of what a partition judges from now on.
func (r *rows) watch(p *partition) {
	r.part, r.marks, r.wait, r.waits = p, map[*judge.Judge]*judge.Marks{}, r.wait[:0], r.waits[:0]
	p.bench.judged = r.judged
}

// place gives the position of the next row. What is judged after later traffic,
// because its host was no site yet, stands behind that.
func (p *partition) place(end int64) observation.Position {
	if at := uint64(max(end, 0)); at > p.row.Seq {
		p.row = observation.Position{Partition: uint32(p.number), Seq: at}
	} else {
		p.row.Index++
	}
	return p.row
}

func (r *rows) judged(j *judge.Judge, o *observe.Observation) {
	if !r.since.IsZero() && o.End < r.since.UnixNano() {
		return
	}
	ev := j.Last()
	id, verdict := r.marks[j].Of(ev)
	r.wait = append(r.wait, observation.Of(ev, j.Config().Site.Name, r.part.place(o.End), verdictOf(id, verdict), id))
	r.waits = append(r.waits, unmarked{j, attack.TraitOf(ev)})
}

func verdictOf(id string, v taxonomy.Verdict) observation.Verdict {
	switch {
	case id == "":
		return observation.Normal
	case v >= taxonomy.Likely:
		return observation.Attack
	}
	return observation.Suspicious
}

// know takes what is known of attacks by now.
func (r *rows) know(results []judge.Result) {
	r.mark(results)
	r.asOf = r.part.bench.last
	for i := range results {
		if j := r.part.bench.judges[results[i].Site.Name]; j != nil {
			r.marks[j] = judge.NewMarks(results[i].Attacks, r.part.bench.last)
		}
	}
}

// mark tells the rows that wait to which attack they belong, as far as they were
// judged before it was known.
func (r *rows) mark(results []judge.Result) {
	if len(r.wait) == 0 {
		return
	}
	first := r.waits[0].trait.End
	for i := range r.waits {
		first = min(first, r.waits[i].trait.End)
	}
	late := map[*judge.Judge]*judge.Marks{}
	for i := range results {
		if j := r.part.bench.judges[results[i].Site.Name]; j != nil {
			late[j] = judge.NewLateMarks(results[i].Attacks, first)
		}
	}
	for i := range r.wait {
		if x := &r.wait[i]; x.Attack == "" {
			id, v := late[r.waits[i].judge].OfTrait(&r.waits[i].trait)
			x.Attack, x.Verdict = id, verdictOf(id, v)
		}
	}
}

// write keeps the rows that wait.
func (r *rows) write(ctx context.Context) error {
	for len(r.wait) > 0 {
		n := min(len(r.wait), observation.MaxBatch)
		if err := r.store.Append(ctx, r.wait[:n]); err != nil {
			return err
		}
		r.wait, r.waits = r.wait[n:], r.waits[n:]
	}
	r.wait, r.waits = r.wait[:0], r.waits[:0]
	return nil
}

// retain drops the days that are older than an age, once a day of event time.
func (r *rows) retain(ctx context.Context, now time.Time, age time.Duration) (days int, err error) {
	before := now.Add(-age).UTC().Truncate(24 * time.Hour)
	if age <= 0 || !before.After(r.retained) {
		return 0, nil
	}
	if days, err = r.store.Retain(ctx, before); err == nil {
		r.retained = before
	}
	return days, err
}
