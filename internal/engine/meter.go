package engine

import (
	"time"

	"xiezhi/internal/source"
)

// meter calls fn about ten times a second with what was read so far, until
// the returned function is called. The wall clock here drives a progress bar
// and nothing else.
func meter(fn func(bytes int64, exchanges uint64), ledger *source.Ledger, p *pipeline) (stop func()) {
	if fn == nil {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(100 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				fn(ledger.Read(), p.in.Load())
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-done }
}
