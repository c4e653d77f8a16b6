package engine

import (
	"context"
	"errors"
	"sync"

	"xiezhi/internal/source"
)

// Live is a set of sources that have no end of their own: an interface, a
// listener, a growing file. They run at the same time until Until is done,
// then finish what they have begun. One that fails stops the others.
type Live struct {
	Sources []source.Source
	Until   context.Context // nil: until every source has ended
}

// run drives every source in a goroutine of its own. That the time is up is
// no error.
func (l Live) run(ctx context.Context, drive func(ctx context.Context, i int, s source.Source) error) error {
	if len(l.Sources) == 0 {
		return nil
	}
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	if l.Until != nil {
		defer context.AfterFunc(l.Until, cancel)()
	}
	errs := make([]error, len(l.Sources))
	var wg sync.WaitGroup
	for i, s := range l.Sources {
		wg.Go(func() {
			err := drive(run, i, s)
			if err != nil && (run.Err() == nil || !errors.Is(err, context.Canceled)) {
				errs[i] = err
				cancel()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return ctx.Err()
}
