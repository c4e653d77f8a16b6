package siem

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
	"xiezhi/internal/taxonomy"
)

// Config is what an Export needs; all but Log, Public and Settle has to be there.
type Config struct {
	Store    record.Store
	Box      *outbox.Box
	Messages *message.Catalog
	Targets  []Opened
	Version  string
	Public   string // URL of the console, for links
	Now      func() time.Time
	Log      *slog.Logger
	Settle   time.Duration // how long a finding is left to grow; 0: 10 s
}

const (
	settle   = 10 * time.Second
	maxDirty = 20_000
	maxLinks = 200_000 // attacks whose campaign is known
)

// Export decides what is sent. Consider may be called by anybody, the rest is
// for one goroutine.
type Export struct {
	cfg    Config
	ledger *outbox.Ledger
	of     map[string]string // campaign of an attack

	changed *outbox.Changed
}

// New makes an export of what was sent before. What changed while nothing ran
// is found in its first turn; what was there when exporting began is sent, too:
// a SIEM wants everything.
func New(ctx context.Context, cfg Config) (*Export, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Settle == 0 {
		cfg.Settle = settle
	}
	ledger, err := outbox.NewLedger(ctx, cfg.Store, "siem")
	if err != nil {
		return nil, err
	}
	return &Export{cfg: cfg, ledger: ledger, of: map[string]string{}, changed: outbox.NewChanged(maxDirty, cfg.Settle, kinds...)}, nil
}

var kinds = []record.Kind{record.Campaign, record.Attack, record.Defect} // campaigns first: attacks name theirs

// Consider takes records that were written. It does not block, and loses none.
func (x *Export) Consider(list []record.Record) { x.changed.Consider(list, x.cfg.Now()) }

// Run exports until ctx is done.
func (x *Export) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := x.Turn(ctx); err != nil && ctx.Err() == nil {
			x.cfg.Log.Warn("the export of findings is held up", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Turn looks at what is due. A full outbox holds it up: what waits in the
// records is not lost.
func (x *Export) Turn(ctx context.Context) error {
	now := x.cfg.Now()
	if err := x.changed.Scan(ctx, x.cfg.Store, now, x.learn); err != nil {
		return err
	}
	due := x.changed.Due(now)
	slices.SortStableFunc(due, func(a, b record.Key) int { return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind) })
	for _, k := range due {
		if x.full() {
			return nil
		}
		if err := x.changed.Look(k, now, func(k record.Key) error { return x.look(ctx, k) }); err != nil {
			return err
		}
	}
	return nil
}

func (x *Export) full() bool {
	for i := range x.cfg.Targets {
		if h, ok := x.cfg.Box.Health(x.cfg.Targets[i].Name); ok && h.Waiting >= outbox.MaxWaiting {
			return true
		}
	}
	return false
}

// learn notes whose attacks are whose, before any of them is sent.
func (x *Export) learn(r *record.Record) {
	var c finding.Campaign
	if r.Kind == record.Campaign && json.Unmarshal(r.Body, &c) == nil { // else look says so
		x.join(&c)
	}
}

// join notes whose attacks are whose, and gives those for whom that is new.
func (x *Export) join(c *finding.Campaign) (fresh []string) {
	for _, id := range c.Attacks {
		if x.of[id] != c.ID && len(x.of) < maxLinks {
			x.of[id] = c.ID
			fresh = append(fresh, id)
		}
	}
	return fresh
}

// step is how far a SIEM was told of a finding.
type step struct {
	Status    string `json:"status,omitempty"`
	Severity  string `json:"severity,omitempty"`
	Campaign  string `json:"campaign,omitempty"`
	Members   int    `json:"members,omitempty"`
	Requests  uint64 `json:"requests,omitempty"`
	Succeeded bool   `json:"succeeded,omitempty"`
	Exposed   bool   `json:"exposed,omitempty"`
	Closed    bool   `json:"closed,omitempty"`
}

// climbed says whether a finding is worth another event.
func (told step) climbed(now step) bool {
	grown := now.Requests >= 10*max(told.Requests, 1)
	told.Requests, now.Requests = 0, 0
	return grown || told != now
}

func (x *Export) look(ctx context.Context, k record.Key) error {
	r, err := x.cfg.Store.Get(ctx, k.Kind, k.ID)
	if errors.Is(err, record.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var now step
	var event func(m *maker, change int) *Event
	switch k.Kind {
	case record.Attack:
		var a finding.Attack
		if err = json.Unmarshal(r.Body, &a); err != nil {
			return x.unread(k, err)
		}
		if a.Verdict != taxonomy.Likely.String() && a.Verdict != taxonomy.Confirmed.String() {
			return nil
		}
		now = step{Status: a.Verdict, Campaign: x.of[a.ID], Requests: a.Requests, Succeeded: a.Succeeded > 0, Exposed: a.SubjectsExposed > 0}
		event = func(m *maker, change int) *Event { return m.attack(&a, now.Campaign, change) }
	case record.Campaign:
		var c finding.Campaign
		if err = json.Unmarshal(r.Body, &c); err != nil {
			return x.unread(k, err)
		}
		for _, id := range x.join(&c) { // which then say whose they are
			x.changed.Mark(record.Key{Kind: record.Attack, ID: id}, x.cfg.Now())
		}
		now = step{Members: len(c.Attacks), Requests: c.Requests, Succeeded: c.Succeeded > 0, Exposed: c.SubjectsExposed > 0}
		event = func(m *maker, change int) *Event { return m.campaign(&c, change) }
	default:
		var d finding.Defect
		if err = json.Unmarshal(r.Body, &d); err != nil {
			return x.unread(k, err)
		}
		if d.Status == string(taxonomy.Candidate) {
			return nil
		}
		now = step{Status: d.Status, Severity: d.Severity, Closed: closedDefect(d.Status)}
		event = func(m *maker, change int) *Event { return m.defect(&d, r.Site, change) }
	}
	return x.tell(ctx, string(k.Kind)+":"+k.ID, string(k.Kind), now, event)
}

// unread says that a record makes no sense: one that does not holds up no other.
func (x *Export) unread(k record.Key, err error) error {
	x.cfg.Log.Warn("a finding cannot be read, it is not exported", "kind", k.Kind, "id", k.ID, "error", err)
	return nil
}

func closedDefect(status string) bool {
	switch taxonomy.DefectStatus(status) {
	case taxonomy.Fixed, taxonomy.AcceptedRisk, taxonomy.FalsePositive, taxonomy.DefectRetired:
		return true
	}
	return false
}

func (x *Export) tell(ctx context.Context, subject, of string, now step, event func(*maker, int) *Event) error {
	var told step
	known, err := x.ledger.Told(subject, &told)
	if err != nil || known && !told.climbed(now) || !known && now.Closed {
		return err
	}
	change := Created
	if known {
		change = Updated
	}
	if now.Closed {
		change = Closed
	}
	at := x.cfg.Now()
	r, err := x.ledger.Note(subject, at, now)
	if err != nil {
		return err
	}
	var items []outbox.Item
	for i := range x.cfg.Targets {
		t := &x.cfg.Targets[i]
		if len(t.Send) > 0 && !slices.Contains(t.Send, of) {
			continue
		}
		m := &maker{x.cfg.Messages, t.Lang, x.cfg.Public, func(id string) (finding.API, bool) { return x.api(ctx, id) }}
		e := event(m, change)
		l, err := t.render(e, x.cfg.Version)
		if err != nil {
			return err
		}
		body, err := json.Marshal(l)
		if err != nil {
			return err
		}
		items = append(items, outbox.Item{ID: l.ID, Lane: t.Name, Kind: of, At: at.UTC(), Body: body, Title: message.Text{Zh: e.Name, En: e.Name}})
	}
	if err := x.cfg.Box.Add(ctx, items, r); err != nil {
		return err
	}
	return x.ledger.Wrote(ctx, r)
}

func (x *Export) api(ctx context.Context, id string) (a finding.API, ok bool) {
	r, err := x.cfg.Store.Get(ctx, record.API, id)
	return a, err == nil && json.Unmarshal(r.Body, &a) == nil
}
