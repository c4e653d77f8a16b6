package jetstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xiezhi/internal/stream"
)

const (
	// MaxReadAhead is how many batches a reader has in memory beside the one
	// that its function is given.
	MaxReadAhead = 8

	pullBytes     = 2 << 20 // of one request, so that readers together do not drown their connection
	pullHeartbeat = 500 * time.Millisecond
	pullExpiry    = 5 * time.Second
	forgotten     = 30 * time.Second // after which a server forgets a reader that is gone
	settling      = 20 * time.Second // in which a new leader of a cluster may still lack what was acknowledged
)

// Read uses a consumer of its own, which the server keeps in memory. When that
// is lost, with the server or on the way, it makes another behind the last
// batch that was given.
func (b *Bus) Read(ctx context.Context, partition int, after uint64, fn func(stream.Message) error) error {
	if err := stream.CheckPartition(partition, len(b.parts)); err != nil {
		return err
	}
	if _, err := b.current(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.ctx, cancel)()
	r := reader{b: b, partition: partition, after: after, fn: fn}
	for {
		err := r.session(ctx)
		switch {
		case r.final:
			return err
		case b.ctx.Err() != nil:
			return stream.ErrClosed
		case ctx.Err() != nil:
			return ctx.Err()
		}
		b.cfg.Log.Debug("a reader of the stream begins again", "partition", partition, "after", r.after, "error", err)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return b.told("read the stream", err)
		}
		wait(ctx, retryWait)
	}
}

func (b *Bus) Same(ctx context.Context, partition int, seq uint64, id string) error {
	if err := stream.CheckPartition(partition, len(b.parts)); err != nil {
		return err
	}
	s, err := b.info(ctx, partition)
	switch {
	case err != nil:
		return err
	case seq > s.LastSeq:
		return &stream.Behind{Partition: partition, After: seq, Last: s.LastSeq}
	case seq < first(s):
		return nil
	}
	l, err := b.current()
	if err != nil {
		return err
	}
	var m *jetstream.RawStreamMsg
	err = l.read.on(ctx, func(ctx context.Context) error {
		st, err := l.read.js.Stream(ctx, b.parts[partition].name)
		if err == nil {
			m, err = st.GetMsg(ctx, seq)
		}
		return err
	})
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil
	case err != nil:
		return b.told("read the stream", err)
	}
	if found := m.Header.Get(jetstream.MsgIDHeader); found != id {
		return &stream.Behind{Partition: partition, After: seq, Last: s.LastSeq, Found: cmp.Or(found, "(nameless)")}
	}
	return nil
}

type reader struct {
	b         *Bus
	partition int
	after     uint64 // the last number given, or left out as damaged
	fn        func(stream.Message) error
	data      []byte
	behind    time.Time // since when the stream seems to end before after
	final     bool      // the error is the caller's
}

// end makes an error the caller's.
func (r *reader) end(err error) error {
	r.final = true
	return err
}

var errLost = errors.New("messages were lost on the way")

// session reads with one consumer.
func (r *reader) session(ctx context.Context) error {
	l, err := r.b.current()
	if err != nil {
		return r.end(err)
	}
	if err := r.position(ctx); err != nil {
		return err
	}
	c, err := r.consumer(ctx, l)
	if err != nil {
		return err
	}
	defer r.forget(l, c)
	it, err := c.Messages(jetstream.PullMaxMessagesWithBytesLimit(MaxReadAhead, pullBytes), jetstream.PullHeartbeat(pullHeartbeat),
		jetstream.PullExpiry(pullExpiry), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return err
	}
	defer it.Stop()
	for given := uint64(1); ; given++ {
		m, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Consumer != given || meta.Sequence.Stream <= r.after {
			return errLost
		}
		if next := meta.Sequence.Stream; next > r.after+1 {
			return r.end(&stream.Gap{Partition: r.partition, After: r.after, Next: next})
		}
		if err := r.give(m, meta); err != nil {
			return r.end(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// position holds where reading goes on against what the stream has.
func (r *reader) position(ctx context.Context) error {
	s, err := r.b.info(ctx, r.partition)
	if err != nil {
		return err
	}
	if r.after <= s.LastSeq {
		r.behind = time.Time{}
		if next := first(s); r.after+1 < next {
			return r.end(&stream.Gap{Partition: r.partition, After: r.after, Next: next})
		}
		return nil
	}
	now := r.b.cfg.Now()
	if r.behind.IsZero() {
		r.behind = now
	}
	err = &stream.Behind{Partition: r.partition, After: r.after, Last: s.LastSeq}
	if r.b.replicas <= 1 || now.Sub(r.behind) > settling {
		return r.end(err)
	}
	return err
}

func (r *reader) consumer(ctx context.Context, l *link) (c jetstream.Consumer, err error) {
	err = l.read.on(ctx, func(ctx context.Context) error {
		c, err = l.read.js.CreateConsumer(ctx, r.b.parts[r.partition].name, jetstream.ConsumerConfig{
			AckPolicy: jetstream.AckNonePolicy, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.after + 1,
			MemoryStorage: true, Replicas: 1, InactiveThreshold: forgotten, MaxDeliver: 1,
		})
		return err
	})
	return c, err
}

// forget tells the server that a consumer is not needed any more; if that does
// not arrive it finds out itself.
func (r *reader) forget(l *link, c jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = l.read.on(ctx, func(ctx context.Context) error {
		return l.read.js.DeleteConsumer(ctx, r.b.parts[r.partition].name, c.CachedInfo().Name)
	})
}

// give opens a batch and hands it over.
func (r *reader) give(m jetstream.Msg, meta *jetstream.MsgMetadata) error {
	id := m.Headers().Get(jetstream.MsgIDHeader)
	data, err := r.b.sealer.Open(r.data, r.partition, id, m.Data())
	if err != nil {
		r.after = meta.Sequence.Stream
		r.b.parts[r.partition].damaged.Add(1)
		if len(id) > stream.MaxID {
			id = id[:stream.MaxID]
		}
		r.b.cfg.Log.Error("a damaged batch of the stream is left out", "partition", r.partition, "number", r.after, "error", err)
		r.b.cfg.Damaged(stream.Damage{Partition: r.partition, Seq: r.after, ID: id, Err: fmt.Errorf("%w: %w", stream.ErrDamaged, err)})
		return nil
	}
	r.data = data
	err = r.fn(stream.Message{Partition: r.partition, Seq: meta.Sequence.Stream, ID: id, Data: data, At: meta.Timestamp})
	if err == nil {
		r.after = meta.Sequence.Stream
	}
	return err
}
