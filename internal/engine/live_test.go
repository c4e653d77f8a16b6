package engine

import (
	"context"
	"errors"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

// tap gives exchanges until its time is up.
type tap struct {
	fail error
	sent chan struct{}
}

func (s *tap) Run(ctx context.Context, sink source.Sink, _ *source.Ledger) error {
	x := exchange.Exchange{ID: []byte("1"), Method: []byte("GET"), Target: []byte("/"), Status: 200}
	if err := sink.Accept(&x); err != nil {
		return err
	}
	close(s.sent)
	if s.fail != nil {
		return s.fail
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestLive(t *testing.T) {
	boom := errors.New("boom")
	for _, tt := range []struct {
		name string
		fail error
		stop func(until, ctx context.CancelFunc)
		want error
	}{
		{"the time is up", nil, func(until, _ context.CancelFunc) { until() }, nil},
		{"a source fails", boom, func(_, _ context.CancelFunc) {}, boom},
		{"the run is cancelled", nil, func(_, ctx context.CancelFunc) { ctx() }, context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			until, end := context.WithCancel(context.Background())
			defer end()
			a, b := &tap{sent: make(chan struct{})}, &tap{sent: make(chan struct{}), fail: tt.fail}
			go func() { <-a.sent; <-b.sent; tt.stop(end, cancel) }()
			got := make(chan int, 2)
			err := Live{Sources: []source.Source{a, b}, Until: until}.run(ctx, func(ctx context.Context, i int, s source.Source) error {
				return s.Run(ctx, source.SinkFunc(func(*exchange.Exchange) error { got <- i; return nil }), &source.Ledger{})
			})
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if len(got) != 2 {
				t.Fatalf("%d exchanges, want one of each source", len(got))
			}
		})
	}
}
