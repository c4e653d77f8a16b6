package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"xiezhi/internal/policy"
	"xiezhi/internal/store/state"
	"xiezhi/internal/stream"
)

// Roles are what a member of a cluster does.
type Roles struct {
	Sense   bool // takes traffic from sources and sensors
	Judge   bool // judges its share of the partitions
	Console bool // keeps the records and serves them; one member has it
}

// ClusterConfig is what a member of a cluster is made of. Bus has any number of
// partitions here; Records and Rows are of the console alone.
type ClusterConfig struct {
	ServiceConfig
	Roles  Roles
	Member string     // name that no other member has
	Found  stream.Bus // of one partition, on which judges tell what they found
	Files  *state.Files
	Shelf  Shelf
	// Join makes the process a member that is given partitions to hold, until
	// leave. Of a judge alone.
	Join func(ctx context.Context, hold func(context.Context, stream.Holding)) (Membership, error)
}

// Membership is what a judge has joined (stream/jetstream.Member).
type Membership interface {
	Leave(ctx context.Context) error
	Members() []string
	Partitions() []int
}

// Shelf is where judges leave their states for each other
// (stream/jetstream.Shelf); stream.ErrNothing says that there is none.
type Shelf interface {
	Put(ctx context.Context, name string, epoch uint64, r io.Reader) error
	Get(ctx context.Context, name string, read func(io.Reader) error) error
}

// Cluster is a member of several processes that share the work of a service: it
// takes traffic, judges the partitions that are its own, keeps what all of them
// found, or does several of these.
type Cluster struct {
	cfg    ClusterConfig
	tools  *Tools
	front  *front
	gather *gather // of the console
	ready  chan struct{}
	began  time.Time

	mu     sync.Mutex // guards the next
	held   map[int]*judging
	member Membership
}

// NewCluster makes a member. Nothing is read yet.
func NewCluster(ctx context.Context, cfg ClusterConfig) (*Cluster, error) {
	switch {
	case cfg.Tools == nil || cfg.Bus == nil || cfg.Found == nil || cfg.Files == nil || cfg.Now == nil || cfg.Random == nil:
		return nil, errors.New("a member needs tools, buses, states, a clock and randomness")
	case cfg.Bus.Partitions() > 1<<partitionBits:
		return nil, fmt.Errorf("a cluster judges at most %d partitions", 1<<partitionBits)
	case cfg.Roles == Roles{}:
		return nil, errors.New("a member has a role: sense, judge, console")
	case cfg.Roles.Judge && (cfg.Shelf == nil || cfg.Join == nil), cfg.Roles.Console && cfg.Records == nil:
		return nil, errors.New("a judge needs a shelf and members, a console records")
	}
	cfg.defaults()
	cfg.States = cfg.Files
	c := &Cluster{cfg: cfg, held: map[int]*judging{}, ready: make(chan struct{}), began: cfg.Now()}
	var err error
	if c.tools, err = cfg.ServiceConfig.tools(); err != nil {
		return nil, err
	}
	c.front = newFront(cfg.Sources, cfg.Workers, c.tools)
	if c.front.ingest, err = newIngest(context.WithoutCancel(ctx), cfg.Bus, c.front.forms, c.front.ledger, cfg.Random, cfg.Log); err != nil {
		return nil, err
	}
	c.front.ingest.namer = newSiteNamer(AnalyzeConfig{Site: cfg.Site, File: cfg.File}, nil)
	if cfg.Roles.Console {
		c.gather, err = newGather(ctx, cfg.ServiceConfig, cfg.Found)
	}
	return c, err
}

// Ready is closed when the member has begun, and a console keeps all that was
// found before.
func (c *Cluster) Ready() <-chan struct{} { return c.ready }

// leaveTime is how long a member may take to hand its partitions over.
const leaveTime = time.Minute

// Run does what the member has to do until ctx is done: then its sources end,
// what they took is on the bus, its partitions are handed over, and what was
// found until then is kept.
func (c *Cluster) Run(ctx context.Context) error {
	work := context.WithoutCancel(ctx)
	defer context.AfterFunc(ctx, func() { close(c.front.ingest.ending) })()
	gathering, stopGathering := context.WithCancel(work)
	defer stopGathering()
	gatheredAll := make(chan error, 1)
	if c.gather != nil {
		go func() { gatheredAll <- c.gather.run(gathering) }()
	}
	if c.cfg.Roles.Judge {
		m, err := c.cfg.Join(ctx, c.hold)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.member = m
		c.mu.Unlock()
	}
	sources, stopSources := context.WithCancel(ctx)
	defer stopSources()
	taken := make(chan error, 1)
	go func() { taken <- c.sense(sources) }()
	go c.begun(ctx)

	var err error
	select {
	case err = <-taken:
	case err = <-gatheredAll:
		gatheredAll <- nil
		stopSources()
		err = errors.Join(err, <-taken)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	if c.member != nil {
		leaving, cancel := context.WithTimeout(work, leaveTime)
		defer cancel()
		if e := c.member.Leave(leaving); e != nil {
			err = errors.Join(err, fmt.Errorf("hand the partitions over: %w", e))
		}
	}
	if c.gather != nil {
		c.gather.catchUp(work)
		stopGathering()
		err = errors.Join(err, <-gatheredAll)
	}
	return err
}

func (c *Cluster) begun(ctx context.Context) {
	if c.gather != nil {
		select {
		case <-c.gather.ready:
		case <-ctx.Done():
			return
		}
	}
	close(c.ready)
}

// sense runs the sources, if it is the member's to do so.
func (c *Cluster) sense(ctx context.Context) error {
	if !c.cfg.Roles.Sense {
		<-ctx.Done()
		return ctx.Err()
	}
	if len(c.cfg.Policy) > 0 {
		if err := c.publish(eventPolicy, policyText{c.cfg.PolicyName, c.cfg.Policy}); err != nil {
			return err
		}
	}
	return c.front.take(ctx, c.tick, c.news)
}

// tick tells what the sources counted: the judges of partitions know how late it
// is.
func (c *Cluster) tick(ctx context.Context) error {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := c.news(); err != nil {
				return err
			}
		}
	}
}

func (c *Cluster) news() error {
	if news := c.front.news(); !news.empty() {
		return c.front.ingest.tick(0, time.Time{}, news)
	}
	return nil
}

// publish puts an event on every partition: which of them it concerns is not
// known here.
func (c *Cluster) publish(kind byte, x any) error {
	var all error
	for p := range c.cfg.Bus.Partitions() {
		all = errors.Join(all, publishTo(c.front.ingest, p, kind, x))
	}
	return all
}

// Decide makes a decision that holds from here on in the order of each
// partition.
func (c *Cluster) Decide(_ context.Context, id, by, site string, e policy.Entry, ends bool) error {
	if ends && e.Template != nil {
		return fmt.Errorf("%w: %w", ErrRefused, errEdit)
	}
	return c.publish(eventDecided, decision{id, by, site, e, ends})
}

// TakeSensed puts the next event of a sensor on the bus.
func (c *Cluster) TakeSensed(ctx context.Context, sensor string, b stream.Batch) error {
	return c.front.TakeSensed(ctx, sensor, b)
}

// hold judges a partition until ctx ends, then leaves its state to the next
// holder.
func (c *Cluster) hold(ctx context.Context, h stream.Holding) {
	err := c.judge(ctx, h)
	if err != nil && h.Held.Err() == nil {
		c.cfg.Log.Error("a partition could not be judged and is given away", "partition", h.Partition, "why", err)
		select { // whoever takes it may fail as well
		case <-h.Held.Done():
		case <-time.After(tickEvery):
		}
	}
}

func (c *Cluster) judge(ctx context.Context, h stream.Holding) error {
	out, err := newOutbox(c.cfg.Found, h, c.cfg.Now, c.cfg.Log)
	if err != nil {
		return err
	}
	held, end := context.WithCancel(h.Held)
	defer end()
	s := &judging{number: h.Partition}
	if err := c.bring(held, s.name()); err != nil {
		return err
	}
	cfg := c.cfg.ServiceConfig
	cfg.Records, cfg.Rows, cfg.Changed = nil, nil, nil
	if s, err = newJudging(cfg, c.tools, h.Partition); err != nil {
		return err
	}
	s.leave = func(ctx context.Context) error { return c.leave(ctx, s.name(), h.Epoch) }
	s.rows = &rows{store: out}
	s.rows.watch(s.part)
	if s.deliver, err = newDeliver(held, out, nil, cfg.Log); err != nil {
		return err
	}
	swept := time.Time{}
	s.anew = func() bool { return c.cfg.Now().Sub(swept) >= sweepEvery }
	s.sweep = func(ctx context.Context, rev uint64) error {
		swept = c.cfg.Now()
		return out.tell(ctx, foundEvent{Sweep: foundRev(rev, h.Partition)})
	}
	if s.part.seq == 0 {
		s.part.base = h.Epoch << epochShift // above all that was told of a state that is gone
	}
	if err := s.begin(held); err != nil {
		return err
	}
	c.mu.Lock()
	c.held[h.Partition] = s
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.held, h.Partition)
		c.mu.Unlock()
	}()
	run, stop := context.WithCancel(held)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	var wg sync.WaitGroup
	wg.Go(func() { c.look(run, s, out) })
	err = s.judge(run)
	stop()
	wg.Wait()
	if held.Err() != nil || !errors.Is(err, context.Canceled) {
		return err
	}
	// Another is to take over: it goes on from here.
	return s.finish(held)
}

// epochShift leaves room for the events of one epoch in a revision.
const epochShift = 20

// bring has the state that the holder before left.
func (c *Cluster) bring(ctx context.Context, name string) error {
	err := c.cfg.Shelf.Get(ctx, name, func(r io.Reader) error { return c.cfg.Files.Bring(name, r) })
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || errors.Is(err, stream.ErrAway):
		return err
	case !errors.Is(err, stream.ErrNothing):
		c.cfg.Log.Warn("the state that was left could not be read; what was learned is learned anew from what the stream still holds", "state", name, "why", err)
	}
	return c.cfg.Files.Forget(name) // what is here is of another time
}

func (c *Cluster) leave(ctx context.Context, name string, epoch uint64) error {
	r, err := c.cfg.Files.Sealed(name)
	if err != nil {
		return err
	}
	return errors.Join(c.cfg.Shelf.Put(ctx, name, epoch, r), r.Close())
}

// Times of a holder.
const (
	statusEvery = 5 * time.Second
	sweepEvery  = time.Hour        // everything is told again, for whoever missed something
	restEvery   = 30 * time.Second // what an idle partition is told of the time when nothing waits in it
)

// look tells the partition how late it is when nothing comes, and others how its
// judging is.
func (c *Cluster) look(ctx context.Context, s *judging, out *outbox) {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	told, rested := time.Time{}, c.cfg.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := c.cfg.Now()
		if at, waits := s.late(); !at.IsZero() && (waits || now.Sub(rested) >= restEvery) {
			rested = now
			if err := c.front.ingest.tick(s.number, at, tally{}); err != nil && ctx.Err() == nil {
				c.cfg.Log.Warn("a partition could not be told how late it is", "partition", s.number, "why", err)
			}
		}
		if now.Sub(told) >= statusEvery {
			told = now
			if err := c.tellStatus(ctx, s, out); err != nil && ctx.Err() == nil {
				c.cfg.Log.Debug("the status of a partition could not be told", "partition", s.number, "why", err)
			}
		}
	}
}

// Members are the members that live, as seen last, of a judge.
func (c *Cluster) Members() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.member == nil {
		return nil
	}
	list := c.member.Members()
	slices.Sort(list)
	return list
}

// Partitions are those that it judges now.
func (c *Cluster) Partitions() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.member == nil {
		return nil
	}
	return c.member.Partitions()
}
