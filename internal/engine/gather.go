package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/state"
	"xiezhi/internal/stream"
)

// gather keeps what the judges of a cluster tell: in the records and rows of the
// member that has the console. It goes on where it was; what it takes again
// changes nothing.
type gather struct {
	cfg   ServiceConfig
	bus   stream.Bus // of what was found
	known map[recordKey]uint64

	mu     sync.Mutex // guards the next
	at     gathered
	last   uint64 // number of the event taken last
	open   bool
	first  uint64 // what was there at the start
	ready  chan struct{}
	lost   uint64 // events that were no longer there, or could not be read
	status map[int]heardStatus
	newest int64 // time of a row
	saved  time.Time
	kept   time.Time // day up to which rows were dropped
}

// gathered is what is kept of the place.
type gathered struct {
	Seq    uint64
	ID     string
	Epochs map[int]uint64 // the highest of each partition
}

type heardStatus struct {
	partStatus
	at time.Time
}

const gatherName = "found"

// gatherEvery is how often the place is kept.
const gatherEvery = 5 * time.Second

func newGather(ctx context.Context, cfg ServiceConfig, bus stream.Bus) (*gather, error) {
	g := &gather{cfg: cfg, bus: bus, known: map[recordKey]uint64{}, status: map[int]heardStatus{}, ready: make(chan struct{})}
	passed, err := cfg.States.Load(gatherName, func(r io.Reader) error {
		g.at = gathered{}
		return json.NewDecoder(r).Decode(&g.at)
	})
	if passed != nil || err != nil && !errors.Is(err, state.ErrNone) {
		cfg.Log.Warn("the place in what was found could not be read; it is gone through from the beginning", "why", errors.Join(passed, err))
	}
	if g.at.Epochs == nil {
		g.at.Epochs = map[int]uint64{}
	}
	if err := bus.Same(ctx, 0, g.at.Seq, g.at.ID); g.at.Seq > 0 && err != nil {
		var behind *stream.Behind
		if !errors.As(err, &behind) {
			return nil, fmt.Errorf("look at what was found: %w", err)
		}
		g.at.Seq, g.at.ID = 0, ""
	}
	g.last = g.at.Seq
	d, err := newDeliver(ctx, cfg.Records, nil, cfg.Log)
	if err != nil {
		return nil, err
	}
	for k, r := range d.known {
		g.known[k] = r.rev
	}
	stats, err := bus.Stats(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at what was found: %w", err)
	}
	g.first = stats[0].Last
	g.reached()
	return g, nil
}

// reached opens ready when all that was there at the start is kept.
func (g *gather) reached() {
	if g.last >= g.first && !g.open {
		g.open = true
		close(g.ready)
	}
}

// run keeps what comes until ctx is done.
func (g *gather) run(ctx context.Context) error {
	reader, err := newFoundReader()
	if err != nil {
		return err
	}
	defer reader.dec.Close()
	work := context.WithoutCancel(ctx)
	for {
		err := g.bus.Read(ctx, 0, g.last, func(m stream.Message) error {
			f, err := reader.read(m.Data)
			if err != nil {
				g.cfg.Log.Error("something that was found could not be read", "why", err)
				g.mu.Lock()
				g.lost++
				g.mu.Unlock()
			} else if err := g.take(work, &f); errors.Is(err, record.ErrInvalid) || errors.Is(err, observation.ErrInvalid) {
				g.cfg.Log.Error("something that was found cannot be kept", "why", err)
				g.mu.Lock()
				g.lost++
				g.mu.Unlock()
			} else if err != nil {
				return fmt.Errorf("keep what was found: %w", err)
			}
			g.mu.Lock()
			g.last, g.at.Seq, g.at.ID = m.Seq, m.Seq, m.ID
			g.reached()
			g.mu.Unlock()
			if now := g.cfg.Now(); now.Sub(g.saved) >= gatherEvery {
				g.saved = now
				return g.save()
			}
			return nil
		})
		var gap *stream.Gap
		switch {
		case errors.As(err, &gap):
			g.mu.Lock()
			g.lost += gap.Missing()
			g.last = gap.Next - 1
			g.reached()
			g.mu.Unlock()
			g.cfg.Log.Error("what was found is no longer held in part; judges tell everything again within the hour", "events", gap.Missing())
		case ctx.Err() != nil && errors.Is(err, ctx.Err()):
			return g.save()
		default:
			return err
		}
	}
}

// catchUp waits until what was there when it was called is kept, for some
// seconds.
func (g *gather) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, catchUpTime)
	defer cancel()
	stats, err := g.bus.Stats(ctx)
	for err == nil {
		g.mu.Lock()
		over := g.last >= stats[0].Last
		g.mu.Unlock()
		if over {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// catchUpTime bounds what the end of a console waits for; it goes on where it was.
const catchUpTime = 10 * time.Second

func (g *gather) save() error {
	err := g.cfg.States.Save(gatherName, func(w io.Writer) error { return json.NewEncoder(w).Encode(&g.at) })
	if err != nil { // it is taken again
		g.cfg.Log.Error("the place in what was found could not be saved", "why", err)
	}
	return nil
}

// take keeps an event, unless a later holder of the partition has told
// something.
func (g *gather) take(ctx context.Context, f *foundEvent) error {
	if f.Epoch < g.at.Epochs[f.Partition] {
		return nil
	}
	g.at.Epochs[f.Partition] = f.Epoch
	if f.Status != nil {
		g.mu.Lock()
		g.status[f.Partition] = heardStatus{*f.Status, g.cfg.Now()}
		g.mu.Unlock()
	}
	if len(f.Rows) > 0 && g.cfg.Rows != nil {
		if err := g.cfg.Rows.Append(ctx, f.Rows); err != nil {
			return err
		}
		for i := range f.Rows {
			g.newest = max(g.newest, f.Rows[i].Time)
		}
		if err := g.retain(ctx); err != nil {
			return err
		}
	}
	var b record.Batch
	for i := range f.Put {
		r := &f.Put[i]
		if g.known[recordKey{r.Kind, r.ID}] >= r.Rev {
			continue
		}
		if b.Put = append(b.Put, *r); len(b.Put) == record.MaxBatch {
			if err := g.write(ctx, &b); err != nil {
				return err
			}
		}
	}
	gone := func(k recordKey, rev uint64) error {
		if b.Delete = append(b.Delete, record.Key{Kind: k.kind, ID: k.id, Rev: rev}); len(b.Put)+len(b.Delete) >= record.MaxBatch {
			return g.write(ctx, &b)
		}
		return nil
	}
	for _, k := range f.Delete {
		key := recordKey{k.Kind, k.ID}
		if rev, ok := g.known[key]; ok && rev <= k.Rev && foundPartition(rev) == f.Partition {
			if err := gone(key, rev); err != nil {
				return err
			}
		}
	}
	if f.Sweep > 0 {
		for key, rev := range g.known {
			if foundPartition(rev) == f.Partition && rev < f.Sweep {
				if err := gone(key, rev); err != nil {
					return err
				}
			}
		}
	}
	return g.write(ctx, &b)
}

// write writes a batch and empties it.
func (g *gather) write(ctx context.Context, b *record.Batch) error {
	if len(b.Put)+len(b.Delete) == 0 {
		return nil
	}
	if _, err := g.cfg.Records.Write(ctx, *b); err != nil {
		return err
	}
	for i := range b.Put {
		g.known[recordKey{b.Put[i].Kind, b.Put[i].ID}] = b.Put[i].Rev
	}
	for _, k := range b.Delete {
		delete(g.known, recordKey{k.Kind, k.ID})
	}
	if g.cfg.Changed != nil {
		g.cfg.Changed(b.Put)
	}
	*b = record.Batch{}
	return nil
}

// retain drops the days of rows that are older than allowed.
func (g *gather) retain(ctx context.Context) error {
	before := time.Unix(0, g.newest).Add(-g.cfg.RowsAge).UTC().Truncate(24 * time.Hour)
	if g.cfg.RowsAge <= 0 || !before.After(g.kept) {
		return nil
	}
	days, err := g.cfg.Rows.Retain(ctx, before)
	if err != nil { // they are dropped later
		g.cfg.Log.Error("old rows could not be dropped", "why", err)
		return nil
	}
	g.kept = before
	if days > 0 {
		g.cfg.Log.Info("old rows were dropped", "days", days)
	}
	return nil
}
