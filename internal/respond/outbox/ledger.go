package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"xiezhi/internal/store/record"
)

// MaxTold is how many subjects a Ledger knows. At the cap the ones that were told
// longest ago are forgotten: if they change again, they are told as new.
const MaxTold = 50_000

// Ledger remembers how far an audience was told of each subject. It is for one
// goroutine.
type Ledger struct {
	store    record.Store
	audience string
	told     map[string]toldOf
	began    bool
	Lost     uint64 // subjects that were forgotten
}

type toldOf struct {
	rev uint64
	at  time.Time
	how json.RawMessage
}

// NewLedger brings back what an audience was told.
func NewLedger(ctx context.Context, store record.Store, audience string) (*Ledger, error) {
	l := &Ledger{store: store, audience: audience, told: map[string]toldOf{}}
	err := record.Every(ctx, store, record.Query{Kind: record.Told, Type: []string{audience}}, func(r *record.Record) error {
		l.told[r.ID[len(audience)+1:]] = toldOf{r.Rev, r.Last, r.Body}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was told: %w", err)
	}
	_, l.began = l.told[beginning]
	return l, nil
}

// beginning is the subject that says that telling has begun.
const beginning = "beginning"

// Began reports whether telling began in an earlier run: before it, everything
// that is there is old news.
func (l *Ledger) Began() bool { return l.began }

// Told reads how far a subject was told.
func (l *Ledger) Told(subject string, how any) (bool, error) {
	t, ok := l.told[subject]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(t.how, how)
}

// Note gives the record that says how far a subject is told now. It holds once
// it is written; then Wrote has to be told.
func (l *Ledger) Note(subject string, at time.Time, how any) (record.Record, error) {
	body, err := json.Marshal(how)
	return record.Record{Kind: record.Told, ID: l.audience + ":" + subject, Rev: l.told[subject].rev + 1, Type: l.audience, First: at, Last: at, Body: body}, err
}

// Wrote takes on a record of Note that was written.
func (l *Ledger) Wrote(ctx context.Context, r record.Record) error {
	l.told[r.ID[len(l.audience)+1:]] = toldOf{r.Rev, r.Last, r.Body}
	if len(l.told) <= MaxTold {
		return nil
	}
	page, err := l.store.List(ctx, record.Query{Kind: record.Told, Type: []string{l.audience}, Upwards: true, Limit: record.MaxBatch})
	if err != nil {
		return err
	}
	var b record.Batch
	for i := range page.Records {
		subject := page.Records[i].ID[len(l.audience)+1:]
		if subject == beginning {
			continue
		}
		b.Delete = append(b.Delete, record.Key{Kind: record.Told, ID: page.Records[i].ID, Rev: page.Records[i].Rev})
	}
	if _, err := l.store.Write(ctx, b); err != nil {
		return err
	}
	for _, k := range b.Delete {
		delete(l.told, k.ID[len(l.audience)+1:])
		l.Lost++
	}
	return nil
}

// Begin writes that telling has begun, after what is old news was noted.
func (l *Ledger) Begin(ctx context.Context, at time.Time) error {
	r, err := l.Note(beginning, at, struct{}{})
	if err != nil {
		return err
	}
	if _, err := l.store.Write(ctx, record.Batch{Put: []record.Record{r}}); err != nil {
		return err
	}
	l.began = true
	return l.Wrote(ctx, r)
}
