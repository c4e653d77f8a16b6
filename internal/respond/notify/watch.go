package notify

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/respond/finding"
	"xiezhi/internal/respond/outbox"
	"xiezhi/internal/store/record"
)

// Config is what a Watch needs. Store, Box, Messages and Now have to be there.
type Config struct {
	Store    record.Store
	Box      *outbox.Box
	Messages *message.Catalog
	Channels []Opened
	Zone     *time.Location // of times that people read; nil: UTC
	Now      func() time.Time
	Seen     func() time.Time                     // newest time of traffic; nil: Now
	Surge    func(context.Context) (Surge, error) // nil: surges are not told
	Parts    func(context.Context) []Part         // nil: trouble is not told
	Log      *slog.Logger
	Settle   time.Duration // how long something is left to grow before people are told; 0: 30 s
}

const (
	settle    = 30 * time.Second
	partsEach = 15 * time.Second
	surgeEach = time.Minute
	stale     = 48 * time.Hour // a campaign that ended longer ago is history
	maxDirty  = 10_000
)

// Watch decides what is told. Consider may be called by anybody, the rest is
// for one goroutine.
type Watch struct {
	cfg    Config
	voice  voice
	ledger *outbox.Ledger
	parts  map[string]watched
	asked  struct{ parts, surge time.Time }

	changed *outbox.Changed
}

var kinds = []record.Kind{record.Campaign, record.Defect}

// New makes a watch of what was told before. What changed while nothing ran is
// found in its first turn.
func New(ctx context.Context, cfg Config) (*Watch, error) {
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Seen == nil {
		cfg.Seen = cfg.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Settle == 0 {
		cfg.Settle = settle
	}
	ledger, err := outbox.NewLedger(ctx, cfg.Store, "people")
	if err != nil {
		return nil, err
	}
	return &Watch{cfg: cfg, voice: voice{texts: cfg.Messages}, ledger: ledger, parts: map[string]watched{}, changed: outbox.NewChanged(maxDirty, cfg.Settle, kinds...)}, nil
}

// Consider takes records that were written. It does not block, and loses none.
func (w *Watch) Consider(list []record.Record) { w.changed.Consider(list, w.cfg.Now()) }

// Run watches until ctx is done.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := w.Turn(ctx); err != nil && ctx.Err() == nil {
			w.cfg.Log.Warn("notifications are held up", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Turn looks at what is due.
func (w *Watch) Turn(ctx context.Context) error {
	now := w.cfg.Now()
	if !w.ledger.Began() {
		if err := w.begin(ctx, now); err != nil {
			return err
		}
	}
	if err := w.changed.Scan(ctx, w.cfg.Store, now, nil); err != nil {
		return err
	}
	for _, k := range w.changed.Due(now) {
		if err := w.changed.Look(k, now, func(k record.Key) error { return w.look(ctx, k) }); err != nil {
			return err
		}
	}
	if w.cfg.Parts != nil && now.Sub(w.asked.parts) >= partsEach {
		w.asked.parts = now
		if err := w.lookParts(ctx, now); err != nil {
			return err
		}
	}
	if w.cfg.Surge != nil && now.Sub(w.asked.surge) >= surgeEach {
		w.asked.surge = now
		return w.lookSurge(ctx, now)
	}
	return nil
}

// begin notes what is there as told: who switches notifications on wants to
// hear of what comes.
func (w *Watch) begin(ctx context.Context, now time.Time) error {
	for _, kind := range kinds {
		err := record.Every(ctx, w.cfg.Store, record.Query{Kind: kind}, func(r *record.Record) error {
			subject, how, _, err := w.judge(ctx, r)
			if err != nil || subject == "" {
				return err
			}
			return w.tell(ctx, subject, now, how, nil)
		})
		if err != nil {
			return err
		}
	}
	return w.ledger.Begin(ctx, now)
}

func (w *Watch) look(ctx context.Context, k record.Key) error {
	r, err := w.cfg.Store.Get(ctx, k.Kind, k.ID)
	if errors.Is(err, record.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	subject, how, n, err := w.judge(ctx, &r)
	if err != nil || subject == "" {
		return err
	}
	return w.tell(ctx, subject, w.cfg.Now(), how, n)
}

// judge says whether a record climbed a step: its subject, "" when there is
// nothing to note; how far it is told then; the notice, nil when there is none.
func (w *Watch) judge(ctx context.Context, r *record.Record) (subject string, how any, n *Notice, err error) {
	switch r.Kind {
	case record.Campaign:
		var c finding.Campaign
		if err := json.Unmarshal(r.Body, &c); err != nil {
			w.unread(r, err)
			return "", nil, nil, nil
		}
		subject = "campaign:" + c.ID
		var told campaignStep
		known, err := w.ledger.Told(subject, &told)
		if err != nil {
			return "", nil, nil, err
		}
		now := stepOf(&c)
		if !known {
			if c.LastSeen.Before(w.cfg.Seen().Add(-stale)) {
				return subject, now, nil, nil
			}
			return subject, now, w.voice.campaign(&c, nil, w.cfg.Zone), nil
		}
		rungs := told.climbed(now)
		if len(rungs) == 0 {
			return "", nil, nil, nil
		}
		return subject, now, w.voice.campaign(&c, rungs, w.cfg.Zone), nil
	case record.Defect:
		return w.judgeDefect(ctx, r)
	}
	return "", nil, nil, nil
}

// unread says that a record makes no sense: one that does not holds up no other.
func (w *Watch) unread(r *record.Record, err error) {
	w.cfg.Log.Warn("a finding cannot be read, nobody is told of it", "kind", r.Kind, "id", r.ID, "error", err)
}

func (w *Watch) judgeDefect(ctx context.Context, r *record.Record) (string, any, *Notice, error) {
	var d finding.Defect
	if err := json.Unmarshal(r.Body, &d); err != nil {
		w.unread(r, err)
		return "", nil, nil, nil
	}
	subject := "defect:" + d.ID
	var told defectStep
	known, err := w.ledger.Told(subject, &told)
	if err != nil {
		return "", nil, nil, err
	}
	now := defectNow(&d)
	now.Critical = now.Critical || told.Critical // that it is critical is told once
	if !known && now == (defectStep{}) || known && now == told {
		return "", nil, nil, nil
	}
	var a *finding.API
	if d.API != "" {
		if api, err := w.cfg.Store.Get(ctx, record.API, d.API); err == nil {
			a = &finding.API{}
			if err := json.Unmarshal(api.Body, a); err != nil {
				w.unread(&api, err)
				a = nil
			}
		}
	}
	n := w.voice.defect(&d, r.Site, a, told, w.cfg.Zone)
	return subject, now, n, nil
}

// tell notes how far a subject is told and, in the same batch, puts the notice
// into the lane of every channel that wants it.
func (w *Watch) tell(ctx context.Context, subject string, at time.Time, how any, n *Notice) error {
	r, err := w.ledger.Note(subject, at, how)
	if err != nil {
		return err
	}
	var items []outbox.Item
	for i := range w.cfg.Channels {
		if n == nil || !w.cfg.Channels[i].wants(n) {
			continue
		}
		x, err := item(n, w.cfg.Channels[i].Name)
		if err != nil {
			return err
		}
		x.At = w.cfg.Now().UTC() // and not when traffic says that it was
		items = append(items, x)
	}
	if err := w.cfg.Box.Add(ctx, items, r); err != nil {
		return err
	}
	return w.ledger.Wrote(ctx, r)
}

func (x *ChannelConfig) wants(n *Notice) bool {
	if len(x.Tell) > 0 && !slices.Contains(x.Tell, n.family()) {
		return false
	}
	return len(x.Sites) == 0 || len(n.Sites) == 0 || slices.ContainsFunc(n.Sites, func(s string) bool { return slices.Contains(x.Sites, s) })
}

func (w *Watch) lookParts(ctx context.Context, now time.Time) error {
	var err error
	seen := map[string]bool{}
	for _, p := range w.cfg.Parts(ctx) {
		subject := "trouble:" + p.Name
		if p.Site {
			subject = "trouble:site:" + p.Name
		}
		if seen[subject] || len(subject) > 200 {
			continue
		}
		seen[subject] = true
		x, ok := w.parts[subject]
		if !ok || x.bad != p.Bad {
			x = watched{p.Bad, now}
			w.parts[subject] = x
		}
		var told troubleStep
		if _, e := w.ledger.Told(subject, &told); e != nil {
			err = errors.Join(err, e)
			continue
		}
		if step, news := told.next(x, now); news {
			err = errors.Join(err, w.tell(ctx, subject, now, step, w.voice.trouble(&p, x.since, w.cfg.Zone)))
		}
	}
	for subject := range w.parts { // of sites and sensors that are gone
		if !seen[subject] {
			delete(w.parts, subject)
		}
	}
	return err
}

func (w *Watch) lookSurge(ctx context.Context, now time.Time) error {
	s, err := w.cfg.Surge(ctx)
	if err != nil {
		return err
	}
	var told surgeStep
	if _, err := w.ledger.Told("surge", &told); err != nil {
		return err
	}
	step, kind := told.next(s, now)
	if step == told {
		return nil
	}
	var n *Notice
	if kind != "" {
		n = w.voice.surge(s, kind)
	}
	return w.tell(ctx, "surge", now, step, n)
}
