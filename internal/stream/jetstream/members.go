package jetstream

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xiezhi/internal/stream"
)

// Members share the partitions among them by a bucket in which each has a key
// that it renews, and each partition one that its holder renews. The servers
// forget a key that was not renewed for a lease. A partition's key is written
// only on top of the writing that its writer knows of, or where there is none,
// so that one of several gets it.
//
// What holds: a holder stops believing lease/4 before the servers forget its
// key, counted from before it sent its last renewal. So two members never both
// believe to hold a partition as long as the clocks of the servers differ by
// less than lease/4, no member's clock runs slower than that in a lease, and a
// majority of the servers keeps what it acknowledged. A process that was stopped
// believes for the time it takes to look at Holding.Until; Epoch is for what has
// to be sure even then. A partition whose holder died is held again after a
// lease and a renewal, if the servers answer.
const (
	// DefaultLease is how long a member that is silent is believed to live.
	DefaultLease = 6 * time.Second
	// MinLease is what a lease has at least.
	MinLease = time.Second
	// MaxMembers is how many are looked at.
	MaxMembers = 64

	beats     = 6 // renewals in a lease
	margin    = 4 // part of a lease that a holder gives away
	memberKey = "member."
	leaseKey  = "partition."
)

// Holder is what a member does with a partition it holds. It is called in a
// goroutine of its own for each, and should go on until ctx ends: then another
// is to take over, and waits for it to return, or the right has ended, which h
// tells. Between the two there is time to save a state, and the right is
// renewed. If it returns by itself, the partition is given away.
type Holder func(ctx context.Context, h stream.Holding)

// Member is one of those who share the partitions.
type Member struct {
	b     *Bus
	name  string
	value string // in its keys: name and a number nobody else has
	lease time.Duration
	hold  Holder
	kv    jetstream.KeyValue
	rev   uint64 // of the member's key

	unheard bool // the last attempt to renew it failed

	stop context.CancelFunc
	done chan struct{}

	mu       sync.Mutex // guards the following
	holdings map[int]*holding
	last     []string // the members as seen last
}

// Join becomes a member under a name that no other has. It returns when the
// name is its own; partitions come later.
func (b *Bus) Join(ctx context.Context, name string, lease time.Duration, hold Holder) (*Member, error) {
	if lease == 0 {
		lease = DefaultLease
	}
	if lease < MinLease {
		return nil, fmt.Errorf("%w: a lease of %v, %v at least", stream.ErrRefused, lease, MinLease)
	}
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}) {
		return nil, fmt.Errorf("%w: %q is no name of a member, 1 to 64 letters, digits and dashes are allowed", stream.ErrRefused, name)
	}
	var id [8]byte
	if _, err := io.ReadFull(b.cfg.Random, id[:]); err != nil {
		return nil, err
	}
	l, err := b.current()
	if err != nil {
		return nil, err
	}
	m := &Member{b: b, name: name, value: name + " " + hex.EncodeToString(id[:]), lease: lease, hold: hold, holdings: map[int]*holding{}, done: make(chan struct{})}
	if m.kv, err = m.bucket(ctx, l.write.js); err != nil {
		return nil, b.told("make the bucket of members in", err)
	}
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	if err := b.begin(); err != nil {
		return nil, err
	}
	var run context.Context
	run, m.stop = context.WithCancel(b.ctx)
	go m.run(run)
	return m, nil
}

func (m *Member) bucket(ctx context.Context, js jetstream.JetStream) (jetstream.KeyValue, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*callTimeout)
	defer cancel()
	for {
		kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: m.b.prefix + "_members", Description: "Xiezhi: members and the partitions they hold",
			TTL: m.lease, History: 1, Storage: jetstream.FileStorage, Replicas: max(m.b.replicas, 1), MaxValueSize: 256,
		})
		if err == nil || !transient(err) || !wait(ctx, retryWait) {
			return kv, err
		}
	}
}

// enter takes the name; one that a member left behind that died is free after
// its lease.
func (m *Member) enter(ctx context.Context) error {
	for start := m.b.cfg.Now(); ; {
		within, cancel := context.WithTimeout(ctx, callTimeout)
		rev, err := m.kv.Create(within, memberKey+m.name, []byte(m.value))
		cancel()
		if err == nil {
			m.rev = rev
			return nil
		}
		late := m.b.cfg.Now().Sub(start) > 2*m.lease
		switch {
		case errors.Is(err, jetstream.ErrKeyExists) && late:
			return &stream.Fault{What: "join as " + m.name, Where: m.b.where, Do: "give each member a name of its own, or end the other one", Err: errNameTaken}
		case !errors.Is(err, jetstream.ErrKeyExists) && (!transient(err) || late):
			return m.b.told("join as "+m.name, err)
		}
		if !wait(ctx, m.lease/beats) {
			return ctx.Err()
		}
	}
}

var errNameTaken = errors.New("another member has this name")

// Leave gives all partitions to the others: it asks each holder to end, waits
// for it, and returns when the others have been told, or ctx ends.
func (m *Member) Leave(ctx context.Context) error {
	m.stop()
	select {
	case <-m.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Partitions are those held now.
func (m *Member) Partitions() []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []int
	for p := range m.b.parts {
		if h := m.holdings[p]; h != nil && h.holds() {
			list = append(list, p)
		}
	}
	return list
}

// Members are the names of those who live, as seen last.
func (m *Member) Members() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.last...)
}

func (m *Member) run(ctx context.Context) {
	defer m.b.going.Done()
	defer close(m.done)
	t := time.NewTicker(m.lease / beats)
	defer t.Stop()
	for {
		m.beat(ctx)
		select {
		case <-t.C:
		case <-ctx.Done():
			m.leave()
			return
		}
	}
}

// within bounds a request to the servers, so that one that hangs leaves time
// for another before the lease ends.
func (m *Member) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, m.lease/margin)
}

// beat renews what there is, and looks who is to hold what.
func (m *Member) beat(ctx context.Context) {
	m.mu.Lock()
	held := make([]*holding, 0, len(m.holdings))
	for p, h := range m.holdings {
		select {
		case <-h.over:
			delete(m.holdings, p)
		default:
			held = append(held, h)
		}
	}
	m.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { m.renewName(ctx) })
	for _, h := range held {
		wg.Go(func() { m.renew(ctx, h) })
	}
	wg.Wait()
	members, err := m.living(ctx)
	if err != nil {
		m.b.cfg.Log.Debug("the members of the stream are not known", "error", err)
		return
	}
	m.mu.Lock()
	m.last = members
	m.mu.Unlock()
	for p, owner := range stream.Share(members, len(m.b.parts)) {
		m.mu.Lock()
		h := m.holdings[p]
		m.mu.Unlock()
		switch {
		case owner != m.name && h != nil:
			h.ask()
		case owner == m.name && h == nil:
			wg.Go(func() { m.take(ctx, p) })
		}
	}
	wg.Wait()
}

// renewName renews the member's own key.
func (m *Member) renewName(ctx context.Context) {
	ctx, cancel := m.within(ctx)
	defer cancel()
	rev, err := m.write(ctx, memberKey+m.name, m.rev)
	switch {
	case err == nil:
		m.rev, m.unheard = rev, false
	case ctx.Err() == nil && !m.unheard:
		m.unheard = true
		m.b.cfg.Log.Warn("a member of the stream could not renew its name, and tries on", "member", m.name, "error", err)
	}
}

// write writes a key on top of what this member wrote before, also if that is
// forgotten by now or an answer was lost.
func (m *Member) write(ctx context.Context, key string, rev uint64) (uint64, error) {
	next, err := m.kv.Update(ctx, key, []byte(m.value), rev)
	if !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return next, err
	}
	e, err := m.kv.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return m.kv.Create(ctx, key, []byte(m.value))
	case err != nil:
		return 0, err
	case string(e.Value()) != m.value:
		return 0, fmt.Errorf("%w: %s", errNameTaken, e.Value())
	}
	return m.kv.Update(ctx, key, []byte(m.value), e.Revision())
}

// living are the members whose keys the servers have not forgotten.
func (m *Member) living(ctx context.Context) ([]string, error) {
	ctx, cancel := m.within(ctx)
	defer cancel()
	l, err := m.b.current()
	if err != nil {
		return nil, err
	}
	prefix := "$KV." + m.kv.Bucket() + "." + memberKey
	s, err := l.write.js.Stream(ctx, "KV_"+m.kv.Bucket())
	if err != nil {
		return nil, err
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(prefix+">"))
	if err != nil {
		return nil, err
	}
	var list []string
	for subject := range info.State.Subjects {
		list = append(list, strings.TrimPrefix(subject, prefix))
	}
	if len(list) > MaxMembers {
		return nil, fmt.Errorf("%w: %d members, %d are allowed", stream.ErrRefused, len(list), MaxMembers)
	}
	return list, nil
}

// leave ends all holdings, renewing them meanwhile, and frees the name.
func (m *Member) leave() {
	m.mu.Lock()
	held := make([]*holding, 0, len(m.holdings))
	for _, h := range m.holdings {
		held = append(held, h)
		h.ask()
	}
	m.mu.Unlock()
	all := make(chan struct{})
	go func() {
		defer close(all)
		for _, h := range held {
			<-h.over
		}
	}()
	t := time.NewTicker(m.lease / beats)
	defer t.Stop()
	for waiting := true; waiting; {
		select {
		case <-all:
			waiting = false
		case <-t.C:
			var wg sync.WaitGroup
			for _, h := range held {
				wg.Go(func() { m.renew(context.Background(), h) })
			}
			wg.Wait()
		}
	}
	ctx, cancel := m.within(context.Background())
	defer cancel()
	m.b.mu.Lock()
	l := m.b.link // even if Close waits
	m.b.mu.Unlock()
	s, err := l.write.js.Stream(ctx, "KV_"+m.kv.Bucket())
	if err == nil { // a deletion would leave a marker that counts as a name
		err = s.Purge(ctx, jetstream.WithPurgeSubject("$KV."+m.kv.Bucket()+"."+memberKey+m.name))
	}
	if err != nil {
		m.b.cfg.Log.Debug("a member of the stream is forgotten only after its lease", "member", m.name, "error", err)
	}
}
