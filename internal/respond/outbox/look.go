package outbox

import (
	"context"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/store/record"
)

// Health is how a lane does. Counts are since the start.
type Health struct {
	Waiting, Dead              int
	Sent, Failed, Joined, Lost uint64
	LastSent, LastFailed       time.Time
	Why                        string    // what failed last, unless something was taken since
	Next                       time.Time // of what waits after a failure; zero: nothing does
	Quiet                      bool
}

// Health says how a lane does.
func (b *Box) Health(name string) (h Health, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lanes[name]
	if l == nil {
		return h, false
	}
	h = Health{len(l.waiting), len(l.dead), l.sent, l.failed, l.joined, l.lost, l.lastSent, l.lastFailed, l.lastWhy, time.Time{}, l.Quiet.covers(b.cfg.Now())}
	if len(l.waiting) > 0 {
		h.Next = l.waiting[0].Next
		if h.Why == "" {
			h.Why = strings.TrimPrefix(l.waiting[0].Why, splitMark)
		}
	}
	return h, true
}

// Letter is a dead letter.
type Letter struct {
	Key string // names it to Resend and Forget
	Item
}

// Dead lists dead letters, newest first.
func (b *Box) Dead() (out []Letter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.lanes {
		for _, e := range l.dead {
			out = append(out, Letter{e.id, e.Item})
		}
	}
	slices.SortFunc(out, func(a, b Letter) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return strings.Compare(a.Key, b.Key)
	})
	return out
}

func (b *Box) find(key string) (*lane, int) {
	for _, l := range b.lanes {
		if i := slices.IndexFunc(l.dead, func(e *entry) bool { return e.id == key }); i >= 0 {
			return l, i
		}
	}
	return nil, 0
}

// Resend puts a dead letter back into its lane, under the id that it had.
func (b *Box) Resend(ctx context.Context, key string, audit ...record.Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, i := b.find(key)
	if l == nil {
		return ErrNone
	}
	old := l.dead[i]
	b.seq++
	e := &entry{id: old.id, rev: old.rev + 1, seq: b.seq, Item: old.Item}
	e.Tries, e.Next, e.At = 0, time.Time{}, b.cfg.Now().UTC()
	r, err := e.record(stateWaiting)
	if err != nil {
		return err
	}
	if _, err := b.cfg.Store.Write(ctx, record.Batch{Put: []record.Record{r}, Audit: audit}); err != nil {
		return err
	}
	l.dead = slices.Delete(l.dead, i, i+1)
	l.waiting = append(l.waiting, e)
	l.touch()
	return nil
}

// Forget throws a dead letter away.
func (b *Box) Forget(ctx context.Context, key string, audit ...record.Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, i := b.find(key)
	if l == nil {
		return ErrNone
	}
	if _, err := b.cfg.Store.Write(ctx, record.Batch{Delete: []record.Key{l.dead[i].key()}, Audit: audit}); err != nil {
		return err
	}
	l.dead = slices.Delete(l.dead, i, i+1)
	return nil
}
