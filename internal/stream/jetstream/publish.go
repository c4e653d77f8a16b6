package jetstream

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"xiezhi/internal/stream"
)

const renewEvery = time.Second

// Publish tries again under the batch's id while no server answers, as long as
// ctx and Config.Patience let it: an election takes a cluster some seconds.
func (b *Bus) Publish(ctx context.Context, x stream.Batch) error {
	if err := x.Check(len(b.parts)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.begin(); err != nil {
		return err
	}
	defer b.going.Done()
	select {
	case b.window <- struct{}{}:
		defer func() { <-b.window }()
	case <-ctx.Done():
		return ctx.Err()
	case <-b.ctx.Done():
		return stream.ErrClosed
	}
	sealed := b.rooms.Get().(*[]byte)
	defer b.rooms.Put(sealed)
	var err error
	if *sealed, err = b.sealer.Seal((*sealed)[:0], &x); err != nil {
		return err
	}
	if err := b.write(ctx, &x, *sealed); err != nil {
		return err
	}
	b.trimLater(len(*sealed))
	return nil
}

func (b *Bus) write(ctx context.Context, x *stream.Batch, sealed []byte) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.ctx, cancel)()
	m := nats.NewMsg(b.parts[x.Partition].subject)
	m.Header.Set(jetstream.MsgIDHeader, x.ID)
	m.Data = sealed
	for start := b.cfg.Now(); ; {
		err := b.room.check(len(sealed))
		if err == nil {
			err = b.attempt(ctx, m)
		}
		switch {
		case err == nil:
			return nil
		case b.ctx.Err() != nil:
			return stream.ErrClosed
		case ctx.Err() != nil:
			return ctx.Err()
		case !transient(err):
			return b.told("write to the stream", err)
		}
		if b.cfg.Now().Sub(start) > b.cfg.Patience {
			return b.told("write to the stream", err)
		}
		wait(ctx, retryWait)
	}
}

func (b *Bus) attempt(ctx context.Context, m *nats.Msg) error {
	l, err := b.current()
	if err != nil {
		return err
	}
	if l.server != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(l.server.failed, cancel)()
	}
	err = l.write.on(ctx, func(ctx context.Context) error {
		_, err := l.write.js.PublishMsg(ctx, m)
		return err
	})
	if err != nil && l.server != nil && l.server.failed.Err() != nil {
		return b.renew(l)
	}
	return err
}

// renew starts the server in this process anew after it failed to write, at
// most once in renewEvery. The error is that of the disk; whoever calls Publish
// again may find room.
func (b *Bus) renew(broken *link) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.link != broken {
		return nats.ErrConnectionClosed // by another call; the next attempt takes the new link
	}
	cause := diskFault(b.where, context.Cause(broken.server.failed))
	now := b.cfg.Now()
	if d := now.Sub(b.renewed); d >= 0 && d < renewEvery {
		return cause
	}
	b.renewed = now
	b.cfg.Log.Error("the stream's server cannot write and is started anew", "error", cause)
	broken.close()
	l, err := b.dial()
	if err != nil {
		return err
	}
	b.link = l
	return cause
}
