package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"xiezhi/internal/observe"
	"xiezhi/internal/stream"
)

// TakeSensed puts the next event of a sensor on the bus. It does not wait for
// room: the sensor keeps what is not taken. An error that wraps
// stream.ErrRefused means that the event is none of that sensor.
func (f *front) TakeSensed(ctx context.Context, sensor string, b stream.Batch) error {
	var e envelope
	if err := e.open(b.Data); err != nil || e.Sensor != sensor || e.id() != b.ID {
		return fmt.Errorf("%w: batch %s is no event of %s of this version", stream.ErrRefused, b.ID, sensor)
	}
	parts := f.ingest.bus.Partitions()
	if parts == 1 {
		return f.ingest.once(ctx, stream.Batch{ID: b.ID, Data: b.Data})
	}
	switch e.Event[0] {
	case eventObserved:
		return f.splitSensed(ctx, &e, b.ID)
	case eventTick:
		return f.tickSensed(ctx, &e, b.ID)
	}
	for p := range parts { // forms: which of them a partition needs is not known
		if err := f.ingest.once(ctx, stream.Batch{Partition: p, ID: b.ID, Data: b.Data}); err != nil {
			return err
		}
	}
	return nil
}

// splitSensed gives each partition what is its own of an event, under the
// event's number.
func (f *front) splitSensed(ctx context.Context, e *envelope, id string) error {
	b := &observe.Batch{}
	if err := b.Decode(e.Event[1:]); err != nil {
		return fmt.Errorf("%w: %w", stream.ErrRefused, err)
	}
	r := f.ingest.rooms.Get().(*ingestRoom)
	defer f.ingest.rooms.Put(r)
	f.ingest.split(r, b)
	for p, order := range r.order {
		if len(order) == 0 {
			continue
		}
		part := *e
		part.Event = b.AppendEncodedOrder([]byte{eventObserved}, order)
		part.Count = exchangesIn(b, order)
		if err := f.ingest.once(ctx, stream.Batch{Partition: p, ID: id, Data: part.append(nil)}); err != nil {
			return err
		}
	}
	return nil
}

// tickSensed tells every partition how far the sensor has told, and one what it
// counted.
func (f *front) tickSensed(ctx context.Context, e *envelope, id string) error {
	var t tick
	if err := json.Unmarshal(e.Event[1:], &t); err != nil {
		return fmt.Errorf("%w: %w", stream.ErrRefused, err)
	}
	t.Tally = tally{}
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	for p := range f.ingest.bus.Partitions() {
		part := *e
		if p > 0 {
			part.Event = append([]byte{eventTick}, text...)
		}
		if err := f.ingest.once(ctx, stream.Batch{Partition: p, ID: id, Data: part.append(nil)}); err != nil {
			return err
		}
	}
	return nil
}
