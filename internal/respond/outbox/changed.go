package outbox

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"xiezhi/internal/store/record"
)

// Changed are the findings that were written since somebody looked at them. One
// that changes for a while is looked at once it had time to settle. Beyond the cap
// nothing is lost: everything is looked at again. It may be used by anybody.
type Changed struct {
	kinds  []record.Kind
	limit  int
	settle time.Duration

	mu    sync.Mutex
	since map[record.Key]time.Time
	again bool
}

// NewChanged follows records of these kinds, at most limit at a time. Everything
// that is there already is looked at, too: see Scan.
func NewChanged(limit int, settle time.Duration, kinds ...record.Kind) *Changed {
	return &Changed{kinds: kinds, limit: limit, settle: settle, since: map[record.Key]time.Time{}, again: true}
}

// Consider takes records that were written. It does not block.
func (c *Changed) Consider(list []record.Record, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range list {
		if !slices.Contains(c.kinds, list[i].Kind) {
			continue
		}
		k := record.Key{Kind: list[i].Kind, ID: list[i].ID}
		if _, ok := c.since[k]; ok {
			continue
		}
		if len(c.since) >= c.limit {
			c.again = true
			return
		}
		c.since[k] = now
	}
}

// Mark has a record looked at that did not change itself.
func (c *Changed) Mark(k record.Key, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.since[k]; !ok {
		c.since[k] = now
	}
}

// Scan marks all that is there, after a start or when too much changed at once,
// kind after kind; each, if given, is called with every record.
func (c *Changed) Scan(ctx context.Context, store record.Store, now time.Time, each func(*record.Record)) error {
	c.mu.Lock()
	again := c.again
	c.again = false
	c.mu.Unlock()
	if !again {
		return nil
	}
	var err error
	for _, kind := range c.kinds {
		err = errors.Join(err, record.Every(ctx, store, record.Query{Kind: kind}, func(r *record.Record) error {
			if each != nil {
				each(r)
			}
			c.Mark(record.Key{Kind: kind, ID: r.ID}, now)
			return nil
		}))
	}
	if err != nil {
		c.mu.Lock()
		c.again = true
		c.mu.Unlock()
	}
	return err
}

// Due gives what had time to settle, first changed first.
func (c *Changed) Due(now time.Time) (out []record.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, since := range c.since {
		if now.Sub(since) >= c.settle {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b record.Key) int {
		return cmp.Or(c.since[a].Compare(c.since[b]), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// Look takes one off the list while it is looked at. One that cannot be looked at
// now is due again.
func (c *Changed) Look(k record.Key, now time.Time, look func(record.Key) error) error {
	c.mu.Lock()
	delete(c.since, k) // before it is read: what changes meanwhile marks it again
	c.mu.Unlock()
	err := look(k)
	if err != nil {
		c.mu.Lock()
		c.since[k] = now.Add(-c.settle)
		c.mu.Unlock()
	}
	return err
}
