// Package outbox keeps what has to leave the installation until its receiver
// took it: notifications, and records for a SIEM.
//
// It takes items for lanes, one lane per receiver, and gives them to the lane's
// Send in order. Invariants: an item is in the records before Add returns and
// stays there until Send took it, so that a crash loses none; it is sent again
// under the same id, so that the receiver can tell; a receiver that fails holds
// up no other. What was refused for good, or for too long, becomes a dead
// letter that people see and may send again. Limits: MaxWaiting and MaxDead
// items per lane; beyond them the oldest goes, and is counted.
package outbox

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/store/record"
)

// Caps.
const (
	MaxLanes   = 32
	MaxWaiting = 1000
	MaxDead    = 200
	MaxTries   = 100
	MaxAge     = 24 * time.Hour // of an item that is refused again and again
	MaxBody    = 64 << 10
	maxJoined  = 400
	maxWhy     = 300
	sendTime   = 30 * time.Second
)

// Item is one thing for one lane.
type Item struct {
	ID     string          `json:"id"`
	Lane   string          `json:"lane"`
	Kind   string          `json:"kind"`
	Title  message.Text    `json:"title"` // for people who look at the queue
	At     time.Time       `json:"at"`
	Urgent bool            `json:"urgent,omitempty"` // leaves in quiet hours, too
	Body   json.RawMessage `json:"body"`

	Tries int       `json:"tries,omitempty"`
	Next  time.Time `json:"next,omitzero"` // not before
	Why   string    `json:"why,omitempty"` // it was refused last
}

// Failure is why a receiver did not take something.
type Failure struct {
	Why   string
	Final bool          // trying again does not help
	After time.Duration // how long the receiver wants to be left alone; 0: it did not say
}

func (f *Failure) Error() string { return f.Why }

// Lane is the way to one receiver.
type Lane struct {
	Name      string
	PerMinute float64 // 0: as fast as it goes
	Burst     int     // at least 1
	Batch     int     // items that Send takes at once; 0: 1
	Quiet     *Quiet  // nil: none
	// Join makes one item of several when more than Gather wait though something
	// may be sent; nil: never.
	Gather int
	Join   func([]Item) (Item, error)
	// Send hands over. An error that is no Failure is one that may pass.
	Send func(context.Context, []Item) error
}

// Quiet is a time of the day in which only what is urgent leaves.
type Quiet struct {
	From, To time.Duration // since midnight; From > To spans midnight
	Zone     *time.Location
}

func (q *Quiet) covers(at time.Time) bool {
	if q == nil {
		return false
	}
	h, m, s := at.In(q.Zone).Clock()
	t := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
	if q.From <= q.To {
		return q.From <= t && t < q.To
	}
	return t >= q.From || t < q.To
}

// Config is what a Box needs; all but Log has to be there.
type Config struct {
	Store  record.Store
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
	Lanes  []Lane
}

// Box keeps items. It is safe for concurrent use.
type Box struct {
	cfg   Config
	mu    sync.Mutex
	lanes map[string]*lane
	seq   int64
}

// Errors of those who look after dead letters.
var (
	ErrNone = errors.New("there is no such dead letter")
	ErrLane = errors.New("the configuration names no such channel")
)

// Open brings back what the records hold.
func Open(ctx context.Context, cfg Config) (*Box, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if len(cfg.Lanes) > MaxLanes {
		return nil, fmt.Errorf("%d receivers, at most %d", len(cfg.Lanes), MaxLanes)
	}
	b := &Box{cfg: cfg, lanes: map[string]*lane{}}
	for _, l := range cfg.Lanes {
		if b.lanes[l.Name] != nil {
			return nil, fmt.Errorf("two receivers are called %q", l.Name)
		}
		l.Batch, l.Burst = max(l.Batch, 1), max(l.Burst, 1)
		b.lanes[l.Name] = &lane{Lane: l, tokens: float64(l.Burst), filled: cfg.Now(), wake: make(chan struct{}, 1)}
	}
	var orphans []record.Key
	gone := map[string]bool{} // lanes that the records know and the configuration does not
	err := record.Every(ctx, cfg.Store, record.Query{Kind: record.Outgoing, Sort: record.ByRank0, Upwards: true}, func(r *record.Record) error {
		e := &entry{id: r.ID, rev: r.Rev, seq: r.Ranks[0]}
		b.seq = max(b.seq, e.seq)
		if err := json.Unmarshal(r.Body, &e.Item); err != nil {
			return fmt.Errorf("read what waits to leave, %s: %w", r.ID, err)
		}
		l := b.lanes[e.Lane]
		switch {
		case l == nil:
			gone[e.Lane] = true
			orphans = append(orphans, record.Key{Kind: record.Outgoing, ID: r.ID, Rev: r.Rev})
		case r.State == stateDead:
			l.dead = append(l.dead, e)
		default:
			l.waiting = append(l.waiting, e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for len(orphans) > 0 { // of receivers that nobody wants any more
		n := min(len(orphans), record.MaxBatch)
		if _, err := cfg.Store.Write(ctx, record.Batch{Delete: orphans[:n]}); err != nil {
			return nil, err
		}
		orphans = orphans[n:]
	}
	for name := range gone {
		cfg.Log.Warn("what waited for a receiver that the configuration no longer names was thrown away", "receiver", name)
	}
	return b, nil
}

// Add takes items and writes them in one batch with what else is to be written
// if, and only if, they are. Items for lanes that are not there are left out.
func (b *Box) Add(ctx context.Context, items []Item, also ...record.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	batch := record.Batch{Put: also}
	var fresh []*entry
	for _, x := range items {
		if b.lanes[x.Lane] == nil {
			continue
		}
		if len(x.Body) > MaxBody {
			return fmt.Errorf("%s for %s has %d bytes, at most %d", x.Kind, x.Lane, len(x.Body), MaxBody)
		}
		e, err := b.fresh(x)
		if err != nil {
			return err
		}
		r, err := e.record(stateWaiting)
		if err != nil {
			return err
		}
		batch.Put = append(batch.Put, r)
		fresh = append(fresh, e)
	}
	if len(batch.Put) == 0 {
		return nil
	}
	if _, err := b.cfg.Store.Write(ctx, batch); err != nil {
		return err
	}
	for _, e := range fresh {
		l := b.lanes[e.Lane]
		l.waiting = append(l.waiting, e)
		l.touch()
		if len(l.waiting) > MaxWaiting {
			// What was asked for is written: that this is not is no error of the asker.
			if err := b.bury(ctx, l, l.oldest(), "too much waits for this receiver"); err != nil {
				b.cfg.Log.Warn("what leaves could not be kept", "receiver", l.Name, "error", err)
			}
		}
	}
	return nil
}

func (b *Box) fresh(x Item) (*entry, error) {
	id := make([]byte, 16)
	if _, err := io.ReadFull(b.cfg.Random, id); err != nil {
		return nil, err
	}
	b.seq++
	e := &entry{id: hex.EncodeToString(id), rev: 1, seq: b.seq, Item: x}
	if e.Item.ID == "" {
		e.Item.ID = "msg_" + e.id
	}
	return e, nil
}

// Run sends until ctx is done.
func (b *Box) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, l := range b.lanes {
		all.Go(func() {
			for ctx.Err() == nil {
				wait := b.turn(ctx, l)
				if wait <= 0 {
					continue
				}
				t := time.NewTimer(wait)
				select {
				case <-ctx.Done():
				case <-l.wake:
				case <-t.C:
				}
				t.Stop()
			}
		})
	}
	all.Wait()
}

// idle is how long a lane with nothing to do looks no further by itself.
const idle = time.Minute

// turn does one thing of a lane and says how long to wait with the next.
func (b *Box) turn(ctx context.Context, l *lane) time.Duration {
	b.mu.Lock()
	now := b.cfg.Now()
	list, wait := l.due(now)
	if len(list) == 0 {
		b.mu.Unlock()
		return wait
	}
	if l.Join != nil && list[0].Tries == 0 && !l.Quiet.covers(now) {
		if parts := l.joinable(); len(parts) > l.Gather {
			if err := b.join(ctx, l, parts); err != nil {
				b.mu.Unlock()
				return b.troubled(ctx, l, err)
			}
			list = []*entry{l.waiting[0]}
		}
	}
	l.tokens--
	items := make([]Item, len(list))
	for i, e := range list {
		e.busy, items[i] = true, e.Item
	}
	b.mu.Unlock()

	sending, cancel := context.WithTimeout(ctx, sendTime)
	err := l.Send(sending, items)
	cancel()
	if ctx.Err() != nil && err != nil {
		return idle // it ends; what was under way stays
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range list {
		e.busy = false
	}
	if err == nil {
		err = b.took(ctx, l, list)
	} else {
		err = b.refused(ctx, l, list, err)
	}
	if err != nil {
		return b.troubled(ctx, l, err)
	}
	return 0
}

// troubled is when the records cannot be written: nothing is forgotten, and
// nothing sent until they can.
func (b *Box) troubled(ctx context.Context, l *lane, err error) time.Duration {
	if ctx.Err() == nil {
		b.cfg.Log.Warn("what leaves could not be kept", "receiver", l.Name, "error", err)
	}
	return 5 * time.Second
}

// join puts one item in the place of several.
func (b *Box) join(ctx context.Context, l *lane, parts []*entry) error {
	items := make([]Item, len(parts))
	for i, e := range parts {
		items[i] = e.Item
	}
	x, err := l.Join(items)
	if err != nil {
		return err
	}
	e, err := b.fresh(x)
	if err != nil {
		return err
	}
	r, err := e.record(stateWaiting)
	if err != nil {
		return err
	}
	batch := record.Batch{Put: []record.Record{r}}
	for _, p := range parts {
		batch.Delete = append(batch.Delete, p.key())
	}
	if _, err := b.cfg.Store.Write(ctx, batch); err != nil {
		return err
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(x *entry) bool { return slices.Contains(parts, x) })
	l.waiting = append([]*entry{e}, l.waiting...)
	l.joined += uint64(len(parts))
	return nil
}

// Step does one thing of every lane, without waiting, and says whether there was
// nothing to do: for tests that move the clock by hand.
func (b *Box) Step(ctx context.Context) (idle bool) {
	idle = true
	for _, l := range b.lanes {
		idle = b.turn(ctx, l) > 0 && idle
	}
	return idle
}
