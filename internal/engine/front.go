package engine

import (
	"context"
	"errors"
	"sync"

	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// front observes what sources give, and puts it on a bus.
type front struct {
	sources []source.Source
	workers int
	eyes    *Tools      // of the observers
	forms   *form.Table // the same
	ingest  *ingest
	keep    keeper // of what was observed; nil: the ingest
	pipe    *pipeline
	ledger  *source.Ledger

	telling sync.Mutex    // guards the two
	told    source.Totals // in ticks so far
	toldOf  seen
}

func newFront(sources []source.Source, workers int, tools *Tools) *front {
	return &front{sources: sources, workers: workers, eyes: tools, forms: form.NewTable(0).Relay(), ledger: &source.Ledger{}}
}

// take runs the sources, what turns their exchanges into events, and tick, until
// ctx is done or something fails; last is called when the sources have ended.
func (f *front) take(ctx context.Context, tick func(context.Context) error, last func() error) error {
	observer := func() (*observe.Observer, error) { return f.eyes.observer(f.forms) }
	observers := make([]*observe.Observer, f.workers)
	for i := range observers {
		var err error
		if observers[i], err = observer(); err != nil {
			return err
		}
	}
	keep := f.keep
	if keep == nil {
		keep = f.ingest
	}
	f.pipe = newPipeline(f.workers, max(1, len(f.sources)), observers, keep, nil, newTurns(), nil, observer, f.ledger)
	f.pipe.asides = f.eyes.scenarios != nil
	running, stop := context.WithCancel(ctx)
	defer stop()
	ticked := make(chan error, 1)
	go func() {
		err := tick(running)
		if err != nil {
			stop()
		}
		ticked <- err
	}()
	live := Live{Sources: f.sources, Until: running}
	err := live.run(context.WithoutCancel(ctx), func(ctx context.Context, i int, src source.Source) error {
		return newIntake(f.pipe, uint32(i)).run(ctx, src, f.ledger)
	})
	if err == nil {
		<-running.Done() // every source may have ended, the service has not
	}
	stop()
	return errors.Join(err, <-ticked, f.pipe.finish(), last())
}

// news is what the sources counted since it was called last.
func (f *front) news() tally {
	f.telling.Lock()
	defer f.telling.Unlock()
	t, of := f.ledger.Totals(), f.pipe.seen()
	out := tally{Bytes: t.Bytes - f.told.Bytes, Hidden: t.Hidden - f.told.Hidden, Problems: t.Problems[len(f.told.Problems):],
		Seen: seen{
			Total: of.Total - f.toldOf.Total, NoResponse: of.NoResponse - f.toldOf.NoResponse, NoBodies: of.NoBodies - f.toldOf.NoBodies,
			NoOrder: of.NoOrder - f.toldOf.NoOrder, NoTLS: of.NoTLS - f.toldOf.NoTLS,
		}}
	for r, n := range t.Dropped {
		if n > f.told.Dropped[r] {
			if out.Dropped == nil {
				out.Dropped = map[taxonomy.DropReason]uint64{}
			}
			out.Dropped[r] = n - f.told.Dropped[r]
		}
	}
	for k, n := range t.Quality {
		if n > f.told.Quality[k] {
			out.Quality = append(out.Quality, qualityTally{source.QualityKey(k), n - f.told.Quality[k]})
		}
	}
	f.told, f.toldOf = t, of
	return out
}
