package engine

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/record"
)

// deliver keeps the records of what judges found: what changed is written,
// what is gone is deleted. It knows what is in the records already, so that an
// idle service writes nothing.
type deliver struct {
	store records
	told  func([]record.Record)
	log   *slog.Logger
	known map[recordKey]knownRecord
	top   uint64        // highest revision that was there at the start
	bad   atomic.Uint64 // that could not be kept
}

// records is what it needs of a record.Store.
type records interface {
	List(context.Context, record.Query) (record.Page, error)
	Write(context.Context, record.Batch) (changed int, err error)
}

type recordKey struct {
	kind record.Kind
	id   string
}

type knownRecord struct {
	rev uint64
	sum [16]byte
}

// deliverBytes is how much one batch of records holds at most, unless one
// record is larger.
const deliverBytes = 8 << 20

var deliveredKinds = []record.Kind{record.Site, record.API, record.Defect, record.Attack, record.Campaign}

func newDeliver(ctx context.Context, store records, told func([]record.Record), log *slog.Logger) (*deliver, error) {
	if told == nil {
		told = func([]record.Record) {}
	}
	d := &deliver{store: store, told: told, log: log, known: map[recordKey]knownRecord{}}
	if store == nil {
		return d, nil
	}
	for _, kind := range deliveredKinds {
		err := record.Every(ctx, store, record.Query{Kind: kind}, func(r *record.Record) error {
			d.known[recordKey{kind, r.ID}] = knownRecord{r.Rev, sumOf(r)}
			d.top = max(d.top, r.Rev)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read the records: %w", err)
		}
	}
	return d, nil
}

func sumOf(r *record.Record) (sum [16]byte) {
	h := sha256.New()
	for _, s := range []string{r.Site, r.Type, r.State, r.Severity, r.Words, r.First.UTC().String(), r.Last.UTC().String()} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	h.Write(r.Body)
	copy(sum[:], h.Sum(nil))
	return sum
}

// write brings the records to what a report says as of an event. What was
// written up to a revision is of judges whose state was lost: it stays unless
// it is found again.
func (d *deliver) write(ctx context.Context, r *report.Report, rev, lost uint64) error {
	now := make(map[recordKey]bool, len(d.known))
	var b record.Batch
	size := 0
	flush := func() error {
		if len(b.Put)+len(b.Delete) == 0 {
			return nil
		}
		if _, err := d.store.Write(ctx, b); err != nil {
			return err
		}
		for i := range b.Put {
			d.known[recordKey{b.Put[i].Kind, b.Put[i].ID}] = knownRecord{b.Put[i].Rev, sumOf(&b.Put[i])}
		}
		for _, k := range b.Delete {
			delete(d.known, recordKey{k.Kind, k.ID})
		}
		d.told(b.Put)
		b, size = record.Batch{}, 0
		return nil
	}
	put := func(x record.Record, err error) error {
		if err == nil && len(x.Body) > record.MaxBody {
			err = fmt.Errorf("%s %s: %d bytes, at most %d are kept", x.Kind, x.ID, len(x.Body), record.MaxBody)
		}
		if err != nil {
			d.bad.Add(1)
			d.log.Error("a finding could not be kept", "why", err)
			return nil
		}
		k := recordKey{x.Kind, x.ID}
		now[k] = true
		if old, ok := d.known[k]; ok && (old.rev >= rev || old.sum == sumOf(&x)) {
			return nil
		}
		if b.Put = append(b.Put, x); len(b.Put) < record.MaxBatch {
			if size += len(x.Body); size < deliverBytes {
				return nil
			}
		}
		return flush()
	}
	err := d.each(r, rev, put)
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	for k, old := range d.known {
		if now[k] || old.rev >= rev || old.rev <= lost {
			continue
		}
		if b.Delete = append(b.Delete, record.Key{Kind: k.kind, ID: k.id, Rev: old.rev}); len(b.Delete) == record.MaxBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (d *deliver) each(r *report.Report, rev uint64, put func(record.Record, error) error) error {
	apis := make(map[string]*report.API, len(r.APIs))
	first, last := map[string]*time.Time{}, map[string]*time.Time{}
	for i := range r.APIs {
		a := &r.APIs[i]
		if t := first[a.Site]; t == nil || a.FirstSeen.Before(*t) {
			first[a.Site] = &a.FirstSeen
		}
		if t := last[a.Site]; t == nil || a.LastSeen.After(*t) {
			last[a.Site] = &a.LastSeen
		}
	}
	for i := range r.Sites {
		in := report.NewInput()
		in.First, in.Last = first[r.Sites[i].Name], last[r.Sites[i].Name]
		in.Exchanges, in.Analysed, in.Addresses = r.Sites[i].Exchanges, r.Sites[i].Exchanges, r.Input.Addresses
		if err := put((&kept.Site{Site: r.Sites[i], Input: in}).Of(rev)); err != nil {
			return err
		}
	}
	for i := range r.APIs {
		apis[r.APIs[i].ID] = &r.APIs[i]
		if err := put(kept.API(&r.APIs[i], rev)); err != nil {
			return err
		}
	}
	for i := range r.Defects {
		x := &r.Defects[i]
		site, of := x.Site, apis[x.API]
		if of != nil {
			site = of.Site
		}
		if err := put(kept.Defect(x, site, of, rev)); err != nil {
			return err
		}
	}
	for i := range r.Attacks {
		if err := put(kept.Attack(&r.Attacks[i], rev)); err != nil {
			return err
		}
	}
	for i := range r.Campaigns {
		if err := put(kept.Campaign(&r.Campaigns[i], rev)); err != nil {
			return err
		}
	}
	return nil
}
