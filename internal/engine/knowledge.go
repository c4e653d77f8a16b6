package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"

	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/report"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// Knowledge keeps a library up to what a service finds: confirmed attacks, and
// likely ones of campaigns, as they are written down.
type Knowledge struct {
	*library.Library
	log  *slog.Logger
	came chan []record.Record
	lost atomic.Uint64 // records that found no room; they come again with their next change

	// Of whoever calls take.
	likely   map[string]indicator.Attack // that are of no campaign yet
	campaign map[string]string           // of attacks
}

// Caps of what waits.
const (
	cameAtOnce  = 64
	maxLikely   = 4096
	maxCampaign = 1 << 16
)

// NewKnowledge reads what was found before.
func NewKnowledge(ctx context.Context, l *library.Library, store record.Lister, log *slog.Logger) (*Knowledge, error) {
	k := &Knowledge{Library: l, log: log, came: make(chan []record.Record, cameAtOnce), likely: map[string]indicator.Attack{}, campaign: map[string]string{}}
	for _, kind := range []record.Kind{record.Campaign, record.Attack} {
		var page []record.Record
		err := record.Every(ctx, store, record.Query{Kind: kind, Upwards: true}, func(r *record.Record) error { // the newest last: they stay
			if page = append(page, *r); len(page) == record.MaxPage {
				k.take(page)
				page = page[:0]
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read what was found, for intelligence: %w", err)
		}
		k.take(page)
	}
	return k, nil
}

// Consider takes records that were written. It does not block.
func (k *Knowledge) Consider(list []record.Record) {
	var of []record.Record
	for i := range list {
		if x := list[i].Kind; x == record.Attack || x == record.Campaign {
			of = append(of, list[i])
		}
	}
	if len(of) == 0 {
		return
	}
	select {
	case k.came <- of:
	default:
		k.lost.Add(uint64(len(of)))
	}
}

// Lost counts records that were not looked at when they were written.
func (k *Knowledge) Lost() uint64 { return k.lost.Load() }

// Run keeps the library until the context ends.
func (k *Knowledge) Run(ctx context.Context) {
	done := make(chan struct{})
	go func() { defer close(done); k.Library.Run(ctx) }()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case list := <-k.came:
			k.take(list)
		}
	}
	<-done
}

// take goes through records. A body that cannot be read is left out: it is no
// attack of this version.
func (k *Knowledge) take(list []record.Record) {
	var certain []indicator.Attack
	var gone []string
	for i := range list {
		switch r := &list[i]; r.Kind {
		case record.Campaign:
			var c report.Campaign
			if json.Unmarshal(r.Body, &c) != nil {
				continue
			}
			if len(k.campaign)+len(c.Attacks) > maxCampaign {
				clear(k.campaign)
			}
			for _, id := range c.Attacks {
				k.campaign[id] = c.ID
				if a, ok := k.likely[id]; ok {
					a.Campaign = c.ID
					certain = append(certain, a)
					delete(k.likely, id)
				}
			}
		case record.Attack:
			var x report.Attack
			if json.Unmarshal(r.Body, &x) != nil {
				continue
			}
			a := attackOf(&x, k.campaign[x.ID])
			delete(k.likely, x.ID)
			switch {
			case x.Verdict == taxonomy.Confirmed.String(), x.Verdict == taxonomy.Likely.String() && a.Campaign != "":
				certain = append(certain, a)
			case x.Verdict == taxonomy.Likely.String():
				if len(k.likely) >= maxLikely {
					k.forgetOldest()
				}
				k.likely[x.ID] = a
				gone = append(gone, x.ID)
			default:
				gone = append(gone, x.ID)
			}
		}
	}
	if len(certain)+len(gone) > 0 {
		k.Attacks(certain, gone)
	}
}

// forgetOldest makes room for a likely attack: the one that was silent for longest
// comes again with its next change.
func (k *Knowledge) forgetOldest() {
	oldest := ""
	for id, a := range k.likely {
		if o := k.likely[oldest]; oldest == "" || cmp.Or(cmp.Compare(a.Last, o.Last), cmp.Compare(id, oldest)) < 0 {
			oldest = id
		}
	}
	delete(k.likely, oldest)
}
