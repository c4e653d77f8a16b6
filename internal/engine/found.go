package engine

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
	"xiezhi/internal/stream"
)

// foundEvent is what a judge of a cluster tells whoever keeps the records: a stream
// of its own carries it, so that judges need no database and the one who keeps
// them may be away.
type foundEvent struct {
	Partition int
	Epoch     uint64 // of the holding on the strength of which it is told
	Put       []record.Record
	Delete    []record.Key
	Rows      []observation.Row
	Sweep     uint64 // what is of the partition and older than this revision was not found again; 0: nothing is told
	Status    *partStatus
}

// partStatus is how the judging of a partition is.
type partStatus struct {
	Member    string
	Sites     int
	Seq       uint64
	Judged    uint64
	Late      uint64
	Lost      uint64
	Dropped   map[string]uint64
	Behind    time.Duration
	Sensors   map[string]sensed
	Cold      bool
	SaveFails uint64
}

// Revisions of partitions do not meet: the lowest bits are the partition's
// number.
const partitionBits = 8

func foundRev(rev uint64, partition int) uint64 { return rev<<partitionBits | uint64(partition) }

func foundPartition(rev uint64) int { return int(rev & (1<<partitionBits - 1)) }

// foundRows is how many rows one event carries at most.
const foundRows = 10_000

// foundRecords is how many bytes of records one event carries, unless one is
// larger; what an event may have compressed is the stream's to say.
const foundRecords = 4 << 20

// outbox is where a holder puts what it found. It writes nothing any more once
// the right to judge the partition has ended.
type outbox struct {
	bus       stream.Bus
	partition int
	holding   stream.Holding
	now       func() time.Time
	log       *slog.Logger
	enc       *zstd.Encoder

	mu sync.Mutex // guards the next, and the order in which it is told
	n  uint64
}

// errEnded: another may judge the partition.
var errEnded = errors.New("the right to judge the partition has ended")

func newOutbox(bus stream.Bus, h stream.Holding, now func() time.Time, log *slog.Logger) (*outbox, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	return &outbox{bus: bus, partition: h.Partition, holding: h, now: now, log: log, enc: enc}, nil
}

// tell publishes an event.
func (o *outbox) tell(ctx context.Context, f foundEvent) error {
	f.Partition, f.Epoch = o.partition, o.holding.Epoch
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(&f); err != nil {
		return err
	}
	data := o.enc.EncodeAll(b.Bytes(), nil)
	if len(data) > stream.MaxData {
		return o.halve(ctx, f)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holding.Held.Err() != nil || !o.now().Before(o.holding.Until()) {
		return errEnded
	}
	o.n++
	return o.bus.Publish(ctx, stream.Batch{ID: fmt.Sprintf("%d/%d/%d", o.partition, o.holding.Epoch, o.n), Data: data})
}

// halve tells an event that is too large in two.
func (o *outbox) halve(ctx context.Context, f foundEvent) error {
	a, b := f, f
	switch {
	case len(f.Rows) > 1:
		n := len(f.Rows) / 2
		a.Rows, b.Rows, b.Put, b.Delete = f.Rows[:n], f.Rows[n:], nil, nil
	case len(f.Put) > 1:
		n := len(f.Put) / 2
		a.Put, b.Put, b.Delete = f.Put[:n], f.Put[n:], nil
	default:
		o.log.Error("a finding is too large for the stream and is not told")
		return nil
	}
	if err := o.tell(ctx, a); err != nil {
		return err
	}
	return o.tell(ctx, b)
}

// List implements records: nothing is known of what others told.
func (o *outbox) List(context.Context, record.Query) (record.Page, error) { return record.Page{}, nil }

// Write implements records.
func (o *outbox) Write(ctx context.Context, b record.Batch) (int, error) {
	f, size := foundEvent{}, 0
	for i := range b.Put {
		r := b.Put[i]
		r.Rev = foundRev(r.Rev, o.partition)
		f.Put, size = append(f.Put, r), size+len(r.Body)
		if size >= foundRecords {
			if err := o.tell(ctx, f); err != nil {
				return 0, err
			}
			f, size = foundEvent{}, 0
		}
	}
	for _, k := range b.Delete {
		k.Rev = foundRev(k.Rev, o.partition)
		f.Delete = append(f.Delete, k)
	}
	if len(f.Put)+len(f.Delete) == 0 {
		return len(b.Put), nil
	}
	return len(b.Put) + len(b.Delete), o.tell(ctx, f)
}

// Append implements rowStore.
func (o *outbox) Append(ctx context.Context, rows []observation.Row) error {
	for len(rows) > 0 {
		n := min(len(rows), foundRows)
		if err := o.tell(ctx, foundEvent{Rows: rows[:n]}); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// Retain implements rowStore: whoever keeps the rows drops them.
func (o *outbox) Retain(context.Context, time.Time) (int, error) { return 0, nil }

// maxFound bounds an event when it is unpacked.
const maxFound = 64 << 20

// foundReader reads events.
type foundReader struct{ dec *zstd.Decoder }

func newFoundReader() (*foundReader, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFound), zstd.WithDecoderLowmem(true))
	return &foundReader{dec}, err
}

func (r *foundReader) read(data []byte) (f foundEvent, err error) {
	if data, err = r.dec.DecodeAll(data, nil); err != nil {
		return f, err
	}
	err = gob.NewDecoder(io.LimitReader(bytes.NewReader(data), maxFound)).Decode(&f)
	if err == nil && (f.Partition < 0 || f.Partition >= 1<<partitionBits) {
		err = errEvent
	}
	return f, err
}
