package engine

import (
	"context"
	"time"

	"xiezhi/internal/judge"
	"xiezhi/internal/observe"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/taxonomy"
)

// rows makes rows of what is judged, for the console's questions. They are
// numbered as they are judged, so that what is judged again after a crash is
// not kept twice.
type rows struct {
	store observation.Store
	bench *bench
	marks map[*judge.Judge]*judge.Marks
	wait  []observation.Row

	retained time.Time // day up to which rows were dropped
}

// rowsAtOnce is how many rows wait before they are written.
const rowsAtOnce = 20_000

// watch makes rows of what a bench judges from now on.
func (r *rows) watch(b *bench) {
	r.bench, r.marks, r.wait = b, map[*judge.Judge]*judge.Marks{}, r.wait[:0]
	b.judged = r.judged
}

func (r *rows) judged(j *judge.Judge, _ *observe.Observation) {
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
	r.wait = append(r.wait, observation.Of(ev, j.Config().Site.Name, observation.Position{Seq: r.bench.count}, v, id))
}

// know takes what is known of attacks by now.
func (r *rows) know(results []judge.Result) {
	for i := range results {
		if j := r.bench.judges[results[i].Site.Name]; j != nil {
			r.marks[j] = judge.NewMarks(results[i].Attacks, r.bench.last)
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
