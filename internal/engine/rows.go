package engine

import (
	"context"
	"time"

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
	since time.Time // no rows of what ended before; zero: of all

	retained time.Time // day up to which rows were dropped
}

// rowStore is what it needs of an observation.Store.
type rowStore interface {
	Append(context.Context, []observation.Row) error
	Retain(ctx context.Context, before time.Time) (days int, err error)
}

// rowsAtOnce is how many rows wait before they are written.
const rowsAtOnce = 20_000

// watch makes rows of what a partition judges from now on.
func (r *rows) watch(p *partition) {
	r.part, r.marks, r.wait = p, map[*judge.Judge]*judge.Marks{}, r.wait[:0]
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
	v := observation.Normal
	switch {
	case id == "":
	case verdict >= taxonomy.Likely:
		v = observation.Attack
	default:
		v = observation.Suspicious
	}
	r.wait = append(r.wait, observation.Of(ev, j.Config().Site.Name, r.part.place(o.End), v, id))
}

// know takes what is known of attacks by now.
func (r *rows) know(results []judge.Result) {
	for i := range results {
		if j := r.part.bench.judges[results[i].Site.Name]; j != nil {
			r.marks[j] = judge.NewMarks(results[i].Attacks, r.part.bench.last)
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
		r.wait = r.wait[n:]
	}
	r.wait = r.wait[:0]
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
