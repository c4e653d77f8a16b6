package respond

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// Config is what a Desk needs. Store and Messages have to be there.
type Config struct {
	Store    record.Store
	Messages *message.Catalog
	Policy   *policy.File // nil: everything is observed, nothing done
	Guard    Guard
	// Shadow says what selectors of a site would have met in traffic of late.
	// nil: nobody knows.
	Shadow func(ctx context.Context, site string, list []Selector, since time.Duration) ([]Collateral, error)
	// External makes the tokens that selectors hold.
	External func(domain string, token uint64) string
	OneSite  string            // the only site, as configured; empty: by host
	Changed  func(d *Decision) // told of every change; may be nil

	Now    func() time.Time // nil: time.Now
	Random io.Reader        // nil: crypto/rand
	Log    *slog.Logger     // nil: silent

	ReviewEvery time.Duration // how often what is carried out is held against traffic; 0: 5 min
}

const (
	shadowSpan = 24 * time.Hour
	reviewSpan = time.Hour
	keepEnded  = 24 * time.Hour // that gateways are told of an end
	maxEnded   = 100_000
	maxWaiting = 256 // attacks that wait to be looked at
)

// Desk keeps decisions and makes them. It is safe for concurrent use.
type Desk struct {
	cfg   Config
	table atomic.Pointer[Table]

	write sync.Mutex       // one change at a time
	again map[string]retry // attacks to be looked at once more; guarded by write

	turning    sync.Mutex // one use of the kill switch at a time
	refreshing sync.Mutex // one making of the table at a time: the last made knows most

	mu      sync.Mutex // guards the following
	live    map[string]*Decision
	ended   []*Decision // newest last; what gateways are still told of
	byEnd   map[string]string
	met     map[string]*atomic.Uint64
	changes map[string]uint64 // change at which a decision became what it is
	change  uint64
	turned  uint64 // change at which the kill switch was used last
	number  uint64
	stop    Switch
	left    int // beyond MaxGeneral

	dirty   chan struct{}
	attacks chan *attackBody
	lost    atomic.Uint64 // attacks that found no room to wait
	failed  atomic.Uint64 // that could not be looked at
}

// Switch is the kill switch.
type Switch struct {
	Stopped bool      `json:"stopped"`
	By      string    `json:"by,omitempty"`
	Name    string    `json:"by_name,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at,omitzero"`
	rev     uint64
}

// switchID is the id of the kill switch's record.
const switchID = "enforcement"

// New makes a desk of what the records hold.
func New(ctx context.Context, cfg Config) (*Desk, error) {
	if cfg.Store == nil || cfg.Messages == nil {
		return nil, errors.New("respond: Store and Messages have to be given")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.ReviewEvery <= 0 {
		cfg.ReviewEvery = 5 * time.Minute
	}
	d := &Desk{cfg: cfg, again: map[string]retry{}, live: map[string]*Decision{}, byEnd: map[string]string{}, met: map[string]*atomic.Uint64{}, changes: map[string]uint64{},
		dirty: make(chan struct{}, 1), attacks: make(chan *attackBody, maxWaiting)}
	if err := d.load(ctx); err != nil {
		return nil, err
	}
	return d, d.Refresh(ctx)
}

// Run makes decisions about attacks, ends those whose time is over and watches
// what they meet, until ctx is done.
func (d *Desk) Run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	review := time.NewTicker(d.cfg.ReviewEvery)
	defer review.Stop()
	note := func(what string, err error) {
		if err != nil && ctx.Err() == nil {
			d.failed.Add(1)
			d.cfg.Log.Warn(what, "error", err)
		}
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.dirty:
			note("the table of decisions is old", d.Refresh(ctx))
		case a := <-d.attacks:
			note("an attack could not be answered", d.answer(ctx, a))
		case <-tick.C:
			note("decisions whose time is over are still kept as live", d.Expire(ctx))
			note("an attack could not be answered", d.Retry(ctx))
		case <-review.C:
			note("decisions could not be held against traffic", d.Review(ctx))
		}
	}
}

// Table is what gateways ask. It may be older than the last change by a moment.
func (d *Desk) Table() *Table { return d.table.Load() }

// Refresh makes the table anew.
func (d *Desk) Refresh(ctx context.Context) error {
	d.refreshing.Lock()
	defer d.refreshing.Unlock()
	d.mu.Lock()
	var list []*Live
	named := false
	for _, x := range d.live {
		if x.State != Active || x.Action == taxonomy.ActObserve {
			continue
		}
		m := d.met[x.ID]
		if m == nil {
			m = &atomic.Uint64{}
			d.met[x.ID] = m
		}
		list = append(list, compile(x, m))
		named = true
	}
	parts := tableParts{external: d.cfg.External, one: d.cfg.OneSite, stopped: d.stop.Stopped}
	d.mu.Unlock()
	slices.SortFunc(list, func(a, b *Live) int { return cmp.Compare(a.Number, b.Number) })
	if named {
		var err error
		if parts.routes, err = d.routes(ctx); err != nil {
			return err
		}
	}
	t, left := NewTable(list, parts)
	d.mu.Lock()
	d.left = left
	d.mu.Unlock()
	d.table.Store(t)
	return nil
}

func (d *Desk) touch() {
	select {
	case d.dirty <- struct{}{}:
	default:
	}
}

// Person is who decides.
type Person struct{ ID, Name string }

// Create makes a decision of a person: dry says what would become of it and
// keeps nothing.
func (d *Desk) Create(ctx context.Context, who Person, x Decision, dry bool) (*Decision, error) {
	d.write.Lock()
	defer d.write.Unlock()
	now := d.cfg.Now().UTC()
	x.Origin, x.By, x.Name, x.At, x.Changed, x.State = ByPerson, who.ID, who.Name, now, now, Active
	x.Expires = x.Expires.UTC().Truncate(time.Second)
	x.Approvals, x.Ended, x.Wide = nil, nil, nil
	if err := d.judge(ctx, &x, now); err != nil {
		return nil, err
	}
	if len(x.Wide) > 0 {
		x.State = Waiting
	}
	if dry {
		return &x, nil
	}
	return &x, d.add(ctx, &x)
}

// judge says whether a decision may be made, and whether it is wide. The lock of
// writing is given up meanwhile: what was known of other decisions may not hold
// after it.
func (d *Desk) judge(ctx context.Context, x *Decision, now time.Time) error {
	approved, err := d.approved(ctx, x.Site, now)
	if err != nil {
		return err
	}
	if err := d.cfg.Guard.check(x, now, approved); err != nil {
		return err
	}
	d.mu.Lock()
	full := len(d.live) >= MaxLive
	d.mu.Unlock()
	if full {
		return refuse("full", fmt.Sprint(MaxLive))
	}
	x.Wide = append(x.Wide, x.width()...)
	if d.cfg.Shadow != nil && x.Action != taxonomy.ActMask {
		d.write.Unlock() // it takes seconds, in which people undo and approve
		list, err := d.cfg.Shadow(ctx, x.Site, []Selector{x.Selector}, shadowSpan)
		d.write.Lock()
		if err != nil {
			return fmt.Errorf("hold the decision against traffic: %w", err)
		}
		if len(list) == 1 {
			x.Collateral = list[0]
		}
	}
	r := d.cfg.Policy.ResponseFor(x.Site)
	return x.weigh(*r.MaxCollateral)
}

// add keeps a new decision.
func (d *Desk) add(ctx context.Context, x *Decision) error {
	id := make([]byte, 8)
	if _, err := io.ReadFull(d.cfg.Random, id); err != nil {
		return err
	}
	d.mu.Lock()
	x.Number = d.number + 1
	d.mu.Unlock()
	x.ID, x.Rev = "d-"+hex.EncodeToString(id), 1
	if err := d.keep(ctx, x, "decision.add", x.By, nil); err != nil {
		return err
	}
	d.mu.Lock()
	d.number = x.Number
	d.mu.Unlock()
	return nil
}

// change applies a change to a copy of a decision that is not over and keeps it.
func (d *Desk) alter(ctx context.Context, id, action, by string, f func(*Decision) error) (*Decision, error) {
	d.write.Lock()
	defer d.write.Unlock()
	d.mu.Lock()
	old := d.live[id]
	d.mu.Unlock()
	if old == nil {
		if _, err := d.cfg.Store.Get(ctx, record.Decision, id); err != nil {
			return nil, err
		}
		return nil, ErrState
	}
	x := *old
	x.Approvals = slices.Clone(old.Approvals)
	if err := f(&x); err != nil {
		return nil, err
	}
	x.Rev++
	x.Changed = d.cfg.Now().UTC()
	return &x, d.keep(ctx, &x, action, by, old)
}

// Undo ends a decision.
func (d *Desk) Undo(ctx context.Context, who Person, id, reason string) (*Decision, error) {
	return d.alter(ctx, id, "decision.undo", who.ID, func(x *Decision) error {
		x.State = Undone
		x.Ended = &Ending{At: d.cfg.Now().UTC(), By: who.ID, Name: who.Name, Reason: message.Text{Zh: reason, En: reason}}
		return nil
	})
}

// ErrSelf: nobody approves what they decided themselves.
var ErrSelf = errors.New("another person has to approve it")

// Approve lets a decision be carried out that waits for a second person, or that
// was only proposed.
func (d *Desk) Approve(ctx context.Context, who Person, id string) (*Decision, error) {
	return d.alter(ctx, id, "decision.approve", who.ID, func(x *Decision) error {
		now := d.cfg.Now().UTC()
		switch {
		case x.State == Active:
			return ErrState
		case x.By == who.ID:
			return ErrSelf
		case !x.Expires.After(now):
			return ErrState
		}
		approved, err := d.approved(ctx, x.Site, now)
		if err != nil {
			return err
		}
		if err := d.cfg.Guard.check(x, now, approved); err != nil { // the list of what is never touched may be longer now
			return err
		}
		x.Approvals = append(x.Approvals, Approval{who.ID, who.Name, now})
		x.State = Active
		return nil
	})
}

// Stop sets or clears the kill switch.
func (d *Desk) Stop(ctx context.Context, who Person, stopped bool, reason string) (Switch, error) {
	d.turning.Lock() // of its own: whoever stops everything waits for nothing
	defer d.turning.Unlock()
	d.mu.Lock()
	s := d.stop
	d.mu.Unlock()
	if s.Stopped == stopped {
		return s, nil
	}
	s = Switch{Stopped: stopped, By: who.ID, Name: who.Name, Reason: reason, At: d.cfg.Now().UTC(), rev: s.rev + 1}
	if err := d.keepSwitch(ctx, &s); err != nil {
		return s, err
	}
	d.mu.Lock()
	d.stop = s
	d.change++
	d.turned = d.change
	d.mu.Unlock()
	return s, d.Refresh(ctx)
}

// Stopped gives the kill switch.
func (d *Desk) Stopped() Switch {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stop
}

// machine is who decides when no person does.
const machine = "xiezhi"
