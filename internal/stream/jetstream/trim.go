package jetstream

import (
	"context"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"xiezhi/internal/stream"
)

// Age is kept by the servers, the sum of bytes is not: a limit per stream would
// leave a busy partition a share of the room, and a single site lives in one.
// So whoever publishes looks at the sum each time it wrote a part of it, and
// drops the oldest batches of whichever partition holds them.
const (
	trimSteps = 64 // of Config.Bytes between two looks
	trimTries = 256
)

type trimmer struct {
	step    int64
	written atomic.Int64
	running atomic.Bool
}

// trimLater looks at the sum when it is time.
func (b *Bus) trimLater(n int) {
	if b.trim.written.Add(int64(n)) < b.trim.step || !b.trim.running.CompareAndSwap(false, true) {
		return
	}
	b.trim.written.Store(0)
	b.going.Add(1) // the caller is counted in, so that this is not after Wait
	go func() {
		defer b.going.Done()
		defer b.trim.running.Store(false)
		if err := b.trimNow(b.ctx); err != nil && b.ctx.Err() == nil {
			b.cfg.Log.Error("the oldest batches of the stream could not be dropped", "error", err)
		}
	}()
}

// trimNow drops the oldest batches until the sum is a step below the cap.
func (b *Bus) trimNow(ctx context.Context) error {
	list, err := b.infos(ctx)
	if err != nil {
		return err
	}
	sum := int64(0)
	for i := range list {
		sum += int64(list[i].Bytes)
	}
	if sum <= b.cfg.Bytes {
		return nil
	}
	for range trimTries {
		over := sum - b.cfg.Bytes + b.trim.step
		if over <= 0 {
			return nil
		}
		oldest := -1
		for i := range list {
			if list[i].Msgs > 0 && (oldest < 0 || list[i].FirstTime.Before(list[oldest].FirstTime)) {
				oldest = i
			}
		}
		if oldest < 0 {
			return nil
		}
		// A part of what is over, since others may have become the oldest by then.
		s := &list[oldest]
		drop := min(max(uint64(over)/4*s.Msgs/max(s.Bytes, 1), 1), s.Msgs)
		before := int64(s.Bytes)
		if err := b.drop(ctx, oldest, s.FirstSeq+drop-1); err != nil {
			return err
		}
		if *s, err = b.info(ctx, oldest); err != nil {
			return err
		}
		sum += int64(s.Bytes) - before
	}
	return nil
}

// Forget drops a partition's batches up to a number: whoever they were kept for
// has them.
func (b *Bus) Forget(ctx context.Context, partition int, to uint64) error {
	if err := stream.CheckPartition(partition, len(b.parts)); err != nil {
		return err
	}
	if err := b.begin(); err != nil {
		return err
	}
	defer b.going.Done()
	return b.drop(ctx, partition, to)
}

// drop drops a partition's batches up to a number.
func (b *Bus) drop(ctx context.Context, partition int, to uint64) error {
	l, err := b.current()
	if err != nil {
		return err
	}
	err = l.write.on(ctx, func(ctx context.Context) error {
		s, err := l.write.js.Stream(ctx, b.parts[partition].name)
		if err == nil {
			err = s.Purge(ctx, jetstream.WithPurgeSequence(to+1))
		}
		return err
	})
	return b.told("drop the oldest batches of the stream", err)
}
