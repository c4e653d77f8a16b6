package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xiezhi/internal/stream"
)

// holding is a partition that this member holds, or held until its holder
// returns.
type holding struct {
	partition int
	epoch     uint64
	rev       uint64
	ask, lose context.CancelFunc
	timer     *time.Timer
	over      chan struct{} // closed when the holder returned

	mu    sync.Mutex // guards the following
	until time.Time
	lost  bool
}

// take tries to get a partition; whoever holds it still has to give it away.
func (m *Member) take(ctx context.Context, partition int) {
	within, cancel := m.within(ctx)
	defer cancel()
	sent := m.b.cfg.Now()
	rev, err := m.kv.Create(within, m.key(partition), []byte(m.value))
	if err != nil {
		if e, getErr := m.kv.Get(within, m.key(partition)); getErr != nil || string(e.Value()) != m.value {
			return
		} else if rev, err = m.kv.Update(within, m.key(partition), []byte(m.value), e.Revision()); err != nil {
			return // its own, of which the answer was lost: the next beat tries again
		}
	}
	run, ask := context.WithCancel(context.Background())
	held, lose := context.WithCancel(context.Background())
	h := &holding{partition: partition, epoch: rev, rev: rev, ask: ask, lose: lose, over: make(chan struct{}), until: m.ends(sent)}
	h.timer = time.AfterFunc(h.until.Sub(m.b.cfg.Now()), h.end)
	m.mu.Lock()
	m.holdings[partition] = h
	m.mu.Unlock()
	m.b.cfg.Log.Info("a partition of the stream is held", "member", m.name, "partition", partition, "epoch", rev)
	go func() {
		defer close(h.over)
		defer m.release(h)
		m.hold(run, stream.Holding{Partition: partition, Epoch: rev, Held: held, Until: h.ends})
	}()
}

func (m *Member) key(partition int) string { return fmt.Sprintf("%s%03d", leaseKey, partition) }

// ends is when a right ends that was asked for at that time.
func (m *Member) ends(sent time.Time) time.Time { return sent.Add(m.lease - m.lease/margin) }

// end tells the holder that its right has ended.
func (h *holding) end() {
	h.mu.Lock()
	h.lost = true
	h.mu.Unlock()
	h.lose()
	h.ask()
}

func (h *holding) ends() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.until
}

func (h *holding) holds() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.lost
}

// renew lengthens a right that has not ended. One that was lost is never taken
// up again under its epoch.
func (m *Member) renew(ctx context.Context, h *holding) {
	if !h.holds() {
		return
	}
	ctx, cancel := m.within(ctx)
	defer cancel()
	sent := m.b.cfg.Now()
	rev, err := m.kv.Update(ctx, m.key(h.partition), []byte(m.value), h.rev)
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		// The answer to an earlier one may have been lost.
		e, getErr := m.kv.Get(ctx, m.key(h.partition))
		switch {
		case getErr == nil && string(e.Value()) == m.value && e.Revision() > h.rev:
			rev, err = m.kv.Update(ctx, m.key(h.partition), []byte(m.value), e.Revision())
		case getErr == nil && string(e.Value()) != m.value, errors.Is(getErr, jetstream.ErrKeyNotFound):
			h.end()
			return
		}
	}
	if err != nil {
		m.b.cfg.Log.Debug("a partition of the stream could not be renewed", "partition", h.partition, "error", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rev = rev
	if !h.lost && h.timer.Stop() {
		h.until = m.ends(sent)
		h.timer.Reset(h.until.Sub(m.b.cfg.Now()))
	}
}

// release gives a partition away after its holder returned.
func (m *Member) release(h *holding) {
	h.timer.Stop()
	mine := h.holds()
	h.end()
	if !mine {
		return
	}
	ctx, cancel := m.within(context.Background())
	defer cancel()
	e, err := m.kv.Get(ctx, m.key(h.partition))
	if err == nil && string(e.Value()) == m.value {
		err = m.kv.Delete(ctx, m.key(h.partition), jetstream.LastRevision(e.Revision()))
	}
	if err != nil {
		m.b.cfg.Log.Debug("a partition of the stream is free only after its lease", "partition", h.partition, "error", err)
	}
}
