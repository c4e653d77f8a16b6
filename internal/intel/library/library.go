// Package library is what a running service knows of askers: the indicators of
// feeds that are fetched by schedule, of the owner's own attacks and decoys, of
// people, and of files, held together as one indicator.Set.
//
// It takes attacks and words of people as they come, fetches feeds, and gives
// the set, what may be shared with whom, the health of every feed, and from time
// to time a snapshot for the judges. What was fetched is kept, so that a restart
// needs no network; what is own is made anew from the records by whoever owns
// the library. Invariants: a feed that cannot be read changes nothing but its
// health; what people say outweighs every source; nothing that a feed says is
// shared; a snapshot is given on only when what is known changed. Limits: feeds,
// rows, attacks and rounds are capped (LIMITS.md). It is safe for concurrent use.
package library

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/intel"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/outbound"
	"xiezhi/internal/intel/taxii"
)

// Caps.
const (
	MaxFeeds   = 32
	MaxAttacks = 2048    // that own intelligence is made of: the newest
	MaxIPs     = 1 << 18 // addresses of all of them
	MaxWords   = 10_000  // of people
	MaxWrong   = 10_000  // attacks that people found to be none

	publishEvery = 30 * time.Second // at most so often do judges get a snapshot
	costShare    = 20               // and at most for one in so many seconds is one made
)

// Names of the sources that are not somebody else's.
const (
	OwnSource      = "xiezhi.own"
	DecoySource    = "xiezhi.decoys"
	PeopleSource   = "xiezhi.people"
	HarmlessSource = "xiezhi.harmless"
	EgressSource   = "xiezhi.network"
)

// Own lists those names: feeds have others.
func Own() []string {
	return []string{OwnSource, DecoySource, PeopleSource, HarmlessSource, EgressSource}
}

// Keep keeps what was fetched (store/state).
type Keep interface {
	Save(name string, write func(io.Writer) error) error
	Load(name string, read func(io.Reader) error) (passed, err error)
}

// Config of a library. Now, Keep and Guard have to be there.
type Config struct {
	Feeds    []Feed
	Share    Share
	Fixed    *indicator.Set // of files, which stay as they are; may be nil
	Egress   []netip.Prefix // the owner's own exits, proxies and crawlers
	Networks *intel.Map
	Hash     indicator.Hash // of phones and accounts; nil: those in plain are refused
	Guard    *outbound.Guard
	Keep     Keep
	Open     intel.Open // files of feeds; nil: none are read
	Now      func() time.Time
	// Seen is the time of the traffic up to which everything is judged; zero, or
	// nil: nothing was.
	Seen func() time.Time
	// Publish gives judges a snapshot; nil: nobody gets one.
	Publish func(ctx context.Context, snapshot []byte) error
	Log     *slog.Logger
}

// Library knows.
type Library struct {
	cfg   Config
	feeds []*feedState
	set   atomic.Pointer[indicator.Set]
	dirty chan struct{} // something changed since the last snapshot

	mu      sync.Mutex // guards the rest, and changes of set
	attacks map[string]*indicator.Attack
	ips     int // of all of them
	dropped uint64
	stale   bool // attacks, or what people say of them, changed since the last derivation
	wrong   map[string][]string
	words   []Word
	owner   taxii.Ledger
	others  taxii.Ledger
	shared  [2][]taxii.Shared
	version uint64
	at      uint64 // version that is shared
	told    string // id of the set in the last snapshot
}

// New makes a library and brings back what was fetched before.
func New(cfg Config) (*Library, error) {
	if cfg.Now == nil || cfg.Keep == nil || cfg.Guard == nil {
		return nil, errors.New("a library needs a clock, a place to keep things and a way out")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := CheckFeeds(cfg.Feeds); err != nil {
		return nil, err
	}
	l := &Library{cfg: cfg, dirty: make(chan struct{}, 1), attacks: map[string]*indicator.Attack{}, wrong: map[string][]string{}}
	set := cfg.Fixed
	now := cfg.Now().UnixNano()
	var err error
	if set, err = set.With(indicator.Source{Name: EgressSource, Role: indicator.Negative, Reliability: 1, Fetched: now}, egress(cfg.Egress), now); err != nil {
		return nil, err
	}
	for i := range cfg.Feeds {
		f := newFeedState(cfg.Feeds[i])
		if err := l.load(f); err != nil {
			cfg.Log.Warn("what was fetched of a feed could not be read; it is fetched anew", "feed", f.cfg.Name, "why", err)
			f.forget()
		}
		l.feeds = append(l.feeds, f)
		if set, err = set.With(f.source(), f.rows, now); err != nil {
			return nil, fmt.Errorf("feed %s: %w", f.cfg.Name, err)
		}
	}
	l.set.Store(set)
	l.version = 1
	l.touch()
	return l, nil
}

func egress(list []netip.Prefix) (out []indicator.Indicator) {
	for _, p := range list {
		p = p.Masked()
		x := indicator.Indicator{Type: indicator.Network, Value: p.String(), Note: EgressSource}
		if p.IsSingleIP() {
			x.Type, x.Value = indicator.Address, p.Addr().String()
		}
		out = append(out, x)
	}
	return out
}

// Set is what is known now.
func (l *Library) Set() *indicator.Set { return l.set.Load() }

// Now is the time as of which things are told: that of the traffic, or the
// clock's where there was none.
func (l *Library) Now() int64 {
	if l.cfg.Seen != nil {
		if t := l.cfg.Seen(); !t.IsZero() && t.UnixNano() > 0 {
			return t.UnixNano()
		}
	}
	return l.cfg.Now().UnixNano()
}

// Hash gives what phones and accounts are known by; nil: they are not hashed.
func (l *Library) Hash() indicator.Hash { return l.cfg.Hash }

// Networks is the map that addresses are looked up in.
func (l *Library) Networks() *intel.Map { return l.cfg.Networks }

func (l *Library) touch() {
	select {
	case l.dirty <- struct{}{}:
	default:
	}
}

// Attacks takes attacks as they are now; those that are gone, or no longer
// certain enough, are named in gone.
func (l *Library) Attacks(list []indicator.Attack, gone []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range gone {
		l.forget(id)
	}
	for i := range list {
		x := list[i]
		l.forget(x.ID)
		x.IPs = slices.Clone(x.IPs[:min(len(x.IPs), MaxIPs/16)])
		l.attacks[x.ID] = &x
		l.ips += len(x.IPs)
		l.stale = true
	}
	for len(l.attacks) > MaxAttacks || l.ips > MaxIPs {
		var old *indicator.Attack
		for _, x := range l.attacks {
			if old == nil || cmp.Or(cmp.Compare(x.Last, old.Last), strings.Compare(x.ID, old.ID)) < 0 {
				old = x
			}
		}
		l.forget(old.ID)
		l.dropped++
	}
	if l.stale {
		l.touch()
	}
}

func (l *Library) forget(id string) {
	if x := l.attacks[id]; x != nil {
		l.ips -= len(x.IPs)
		delete(l.attacks, id)
		l.stale = true
	}
}

// Forgotten counts attacks that found no room: own intelligence is made of the
// others.
func (l *Library) Forgotten() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Word is what somebody of the owner says of a thing.
type Word struct {
	Row      indicator.Indicator
	Harmless bool
}

// People takes what people say now, and which attacks they found to be none,
// with the sources that had spoken for each.
func (l *Library) People(words []Word, wrong map[string][]string) error {
	if len(words) > MaxWords || len(wrong) > MaxWrong {
		return fmt.Errorf("%d words of people and %d verdicts, at most %d and %d", len(words), len(wrong), MaxWords, MaxWrong)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words, l.wrong, l.stale = slices.Clone(words), wrong, true
	return l.derive()
}

// Assess tells what follows of a thing: for an address also from its networks.
func Assess(set *indicator.Set, m *intel.Map, k indicator.Key, at int64) indicator.Assessment {
	if k.Type == indicator.Address {
		if ip, err := netip.ParseAddr(k.Value); err == nil {
			return set.Address(ip, m.Lookup(ip).ASN, at)
		}
	}
	return set.Value(k.Type, k.Value, at)
}

// swap takes another set. The lock is held.
func (l *Library) swap(set *indicator.Set) {
	l.set.Store(set)
	l.version++
	l.touch()
}

// Run fetches feeds and gives snapshots on until the context ends.
func (l *Library) Run(ctx context.Context) {
	var wg sync.WaitGroup
	turns := make(chan struct{}, fetchAtOnce)
	for _, f := range l.feeds {
		wg.Go(func() { l.follow(ctx, f, turns) })
	}
	wg.Go(func() { l.publish(ctx) })
	wg.Wait()
}

// publish gives judges what changed.
func (l *Library) publish(ctx context.Context) {
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.dirty:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		begin := l.cfg.Now()
		if err := l.Tell(ctx); err != nil && ctx.Err() == nil {
			l.cfg.Log.Error("judges could not be told what is known", "why", err)
			l.touch()
		}
		wait = max(publishEvery, costShare*l.cfg.Now().Sub(begin))
	}
}

// Tell derives what is new and gives judges a snapshot, unless nothing changed.
func (l *Library) Tell(ctx context.Context) error {
	l.mu.Lock()
	err := l.derive()
	set := l.Set()
	l.mu.Unlock()
	if err != nil || l.cfg.Publish == nil {
		return err
	}
	id := set.ID()
	l.mu.Lock()
	same := id == l.told
	l.mu.Unlock()
	if same {
		return nil
	}
	at := int64(0)
	if l.cfg.Seen != nil {
		if t := l.cfg.Seen(); !t.IsZero() && t.UnixNano() > 0 {
			at = t.UnixNano()
		}
	}
	data, err := set.Snapshot(at)
	if err != nil {
		return err
	}
	if err := l.cfg.Publish(ctx, data); err != nil {
		return err
	}
	l.mu.Lock()
	l.told = id
	l.mu.Unlock()
	return nil
}
