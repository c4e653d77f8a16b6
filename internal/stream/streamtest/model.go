// Package streamtest holds what every stream has to pass: a plain model in
// memory and a contract that compares a stream with it.
//
// It takes a way to open a stream and runs subtests. Invariant: the model says
// what a stream means in the simplest words that do it, slices and one lock,
// and shares nothing with a stream but the checks of package stream. Limits:
// the model keeps everything and remembers every id; crashes, full disks,
// damage and clusters are a stream's own to test.
package streamtest

import (
	"context"
	"slices"
	"sync"
	"time"

	"xiezhi/internal/stream"
)

// Model is a stream in memory. It serves tests of what stands on a stream, too.
type Model struct {
	now func() time.Time

	mu     sync.Mutex
	parts  []part
	more   chan struct{} // closed, and made anew, whenever something changes
	closed bool
}

type part struct {
	dropped uint64
	kept    []stream.Message
	ids     map[string]bool
}

var _ stream.Bus = (*Model)(nil)

// NewModel is an empty stream; now gives the times of its messages.
func NewModel(partitions int, now func() time.Time) *Model {
	m := &Model{now: now, parts: make([]part, partitions), more: make(chan struct{})}
	for i := range m.parts {
		m.parts[i].ids = map[string]bool{}
	}
	return m
}

func (m *Model) Partitions() int { return len(m.parts) }

func (m *Model) Partition(key string) int { return stream.Partition(key, len(m.parts)) }

func (m *Model) Publish(ctx context.Context, b stream.Batch) error {
	if err := b.Check(len(m.parts)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return stream.ErrClosed
	}
	p := &m.parts[b.Partition]
	if p.ids[b.ID] {
		return nil
	}
	p.ids[b.ID] = true
	p.kept = append(p.kept, stream.Message{
		Partition: b.Partition, Seq: p.last() + 1, ID: b.ID, Data: slices.Clone(b.Data), At: m.now(),
	})
	m.changed()
	return nil
}

func (p *part) last() uint64 { return p.dropped + uint64(len(p.kept)) }

func (m *Model) changed() {
	close(m.more)
	m.more = make(chan struct{})
}

func (m *Model) Read(ctx context.Context, partition int, after uint64, fn func(stream.Message) error) error {
	if err := stream.CheckPartition(partition, len(m.parts)); err != nil {
		return err
	}
	for {
		next, more, err := m.next(partition, after)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if next == nil {
			select {
			case <-more:
			case <-ctx.Done():
			}
			continue
		}
		after = next.Seq
		given := *next
		given.Data = slices.Clone(next.Data)
		err = fn(given)
		clear(given.Data) // whoever kept it notices
		if err != nil {
			return err
		}
	}
}

// next is the message behind number after; nil when it is still to come, which
// more tells.
func (m *Model) next(partition int, after uint64) (next *stream.Message, more <-chan struct{}, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.parts[partition]
	switch {
	case m.closed:
		return nil, nil, stream.ErrClosed
	case after > p.last():
		return nil, nil, &stream.Behind{Partition: partition, After: after, Last: p.last()}
	case after < p.dropped:
		return nil, nil, &stream.Gap{Partition: partition, After: after, Next: p.dropped + 1}
	case after == p.last():
		return nil, m.more, nil
	}
	return &p.kept[after-p.dropped], nil, nil
}

func (m *Model) Same(ctx context.Context, partition int, seq uint64, id string) error {
	if err := stream.CheckPartition(partition, len(m.parts)); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.parts[partition]
	switch {
	case m.closed:
		return stream.ErrClosed
	case seq > p.last():
		return &stream.Behind{Partition: partition, After: seq, Last: p.last()}
	case seq <= p.dropped || p.kept[seq-p.dropped-1].ID == id:
		return ctx.Err()
	}
	return &stream.Behind{Partition: partition, After: seq, Last: p.last(), Found: p.kept[seq-p.dropped-1].ID}
}

func (m *Model) Stats(ctx context.Context) ([]stream.Stats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, stream.ErrClosed
	}
	list := make([]stream.Stats, len(m.parts))
	for i := range m.parts {
		p := &m.parts[i]
		list[i] = stream.Stats{Partition: i, First: p.dropped + 1, Last: p.last(), Messages: uint64(len(p.kept))}
		for j := range p.kept {
			list[i].Bytes += uint64(len(p.kept[j].Data))
		}
	}
	return list, ctx.Err()
}

// Drop does what retention does: it drops a partition's messages up to a number.
func (m *Model) Drop(partition int, to uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.parts[partition]
	if to = min(to, p.last()); to > p.dropped {
		p.kept, p.dropped = p.kept[to-p.dropped:], to
		m.changed()
	}
}

func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		m.changed()
	}
	return nil
}
