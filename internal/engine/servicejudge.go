package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/judge"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/internal/store/state"
	"xiezhi/internal/stream"
)

// judging judges one partition of the bus and keeps what was found.
type judging struct {
	cfg    ServiceConfig
	tools  *Tools
	number int
	status serviceStatus

	mu    sync.Mutex // guards all down to ready, but for deliver and rows, which are of whoever judges
	part  *partition
	until uint64 // judging is over with this event; 0: never

	leave func(context.Context) error                 // leaves the state that was saved to others; may be nil
	anew  func() bool                                 // whether everything is to be told again; may be nil
	sweep func(ctx context.Context, rev uint64) error // called when it was, as of a revision

	rows      *rows // nil: not kept
	deliver   *deliver
	unwritten bool // something was judged since the last delivery
	delivered time.Time
	cost      time.Duration // of a delivery
	saved     time.Time
	saveCost  time.Duration
	savedSeq  uint64

	ready  chan struct{} // closed when all that was on the bus at the start is judged
	report atomic.Pointer[report.Report]
	known  atomic.Pointer[map[string]*knownSite] // attacks, as of the report

	knownAt atomic.Int64 // event time up to which known says what is of an attack
}

// newJudging brings the state of a partition back.
func newJudging(cfg ServiceConfig, tools *Tools, number int) (*judging, error) {
	s := &judging{cfg: cfg, tools: tools, number: number, ready: make(chan struct{})}
	s.status.started = cfg.Now()
	s.saved = s.status.started
	if err := s.load(); err != nil {
		return nil, err
	}
	if cfg.Rows != nil {
		s.rows = &rows{store: cfg.Rows, since: cfg.RowsSince}
		s.rows.watch(s.part)
	}
	return s, nil
}

// name is that of the state.
func (s *judging) name() string { return fmt.Sprintf("partition-%d", s.number) }

// fresh gives a partition that has seen nothing.
func (s *judging) fresh() (*partition, error) {
	trusted, err := ParsePrefixes(s.cfg.File.TrustedProxies)
	if err != nil {
		return nil, err
	}
	cfg := AnalyzeConfig{Version: s.cfg.Version, Site: s.cfg.Site, Zone: s.cfg.Zone, File: s.cfg.File, Trusted: trusted}
	namer := newSiteNamer(cfg, map[string]bool{})
	if s.cfg.Bus.Partitions() > 1 {
		namer.beside = fmt.Sprintf("#%d", s.number)
	}
	return newPartition(s.number, newBench(cfg, s.tools, namer), s.cfg.Order), nil
}

// load brings the state back, or starts cold and says so.
func (s *judging) load() error {
	var p *partition
	passed, err := s.cfg.States.Load(s.name(), func(r io.Reader) (err error) {
		if p, err = s.fresh(); err != nil {
			return err
		}
		return p.restore(r, s.cfg.Order)
	})
	if passed != nil {
		s.cfg.Log.Warn("the newest state could not be read; the one before it is used", "why", passed)
	}
	switch {
	case errors.Is(err, state.ErrNone):
		p, err = s.fresh()
	case err != nil:
		s.cfg.Log.Warn("the state could not be read; what was learned is learned anew from what the stream still holds", "why", err)
		s.status.cold = true
		p, err = s.fresh()
	}
	s.part = p
	return err
}

// begin holds the state against the stream.
func (s *judging) begin(ctx context.Context) error {
	stats, err := s.cfg.Bus.Stats(ctx)
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	if err := s.cfg.Bus.Same(ctx, s.number, s.part.seq, s.part.id); err != nil {
		var behind *stream.Behind
		if !errors.As(err, &behind) {
			return fmt.Errorf("look at the stream: %w", err)
		}
		s.rewound(behind)
	}
	s.mu.Lock()
	// Records of another stream, or of traffic that no state knows of and the
	// stream no longer holds, are not to be judged by what is known now.
	if s.deliver.top > s.part.base+stats[s.number].Last || s.part.seq == 0 && stats[s.number].First > 1 {
		s.part.base = s.deliver.top
	}
	s.mu.Unlock()
	s.reached(stats[s.number].Last)
	return nil
}

// reached closes ready when the partition has come to an event.
func (s *judging) reached(first uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.first = first
	s.openIfReached()
}

func (s *judging) openIfReached() {
	if s.part.seq >= s.status.first && !s.status.open {
		s.status.open = true
		close(s.ready)
	}
}

var errReached = errors.New("everything is judged")

// judge reads the bus until ctx is done or s.until is reached.
func (s *judging) judge(ctx context.Context) error {
	for {
		err := s.cfg.Bus.Read(ctx, s.number, s.part.seq, func(m stream.Message) error {
			s.mu.Lock()
			s.unwritten = s.unwritten || s.part.waits() || !isTick(m.Data)
			s.part.take(m)
			s.openIfReached()
			open, over := s.status.open, s.until != 0 && s.part.seq >= s.until
			s.mu.Unlock()
			if over {
				return errReached
			}
			if !open {
				return nil
			}
			return s.keep(ctx)
		})
		var gap *stream.Gap
		var behind *stream.Behind
		switch {
		case errors.Is(err, errReached):
			return nil
		case errors.As(err, &gap):
			s.mu.Lock()
			s.part.gaps += gap.Missing()
			s.part.seq = gap.Next - 1
			s.openIfReached()
			s.mu.Unlock()
			s.cfg.Log.Error("the stream no longer holds what was not judged yet", "events", gap.Missing())
		case errors.As(err, &behind):
			s.rewound(behind)
		default:
			return err
		}
	}
}

// rewindBy is how many events are read again when their numbers were given to
// others: more than a stream loses with the power.
const rewindBy = 10_000

// rewound goes on with a stream that was made anew, or lost its end. What was
// judged stays judged: read again, it is late.
func (s *judging) rewound(b *stream.Behind) {
	s.mu.Lock()
	to := min(b.Last, s.part.seq)
	if b.Found != "" {
		to = s.part.seq - min(s.part.seq, rewindBy)
	}
	s.part.base += s.part.seq - to
	s.part.seq = to
	s.openIfReached()
	s.mu.Unlock()
	s.cfg.Log.Error("the stream is not the one that was judged, or lost its end", "judged", b.After, "ends", b.Last)
}

// keep writes down what was found, and the state, when it is time. Neither
// takes more than a tenth of the time.
func (s *judging) keep(ctx context.Context) error {
	now := s.cfg.Now()
	if s.rows != nil && s.rows.due() {
		if err := s.writeRows(ctx); err != nil {
			return err
		}
	}
	if s.due(now) {
		if err := s.writeDown(ctx); err != nil {
			return err
		}
	}
	if now.Sub(s.saved) >= max(s.cfg.SaveEvery, 10*s.saveCost) && s.part.seq != s.savedSeq {
		return s.save(ctx)
	}
	return nil
}

// due reports whether what was found is to be written down.
func (s *judging) due(now time.Time) bool {
	return now.Sub(s.delivered) >= max(s.cfg.DeliverEvery, 10*s.cost)
}

// costOf is what something costs, after what it cost before and took now. An
// outage in which it waited is no work, and hardly delays it the next time.
func costOf(before, took time.Duration) time.Duration { return min(took, 2*before+time.Second) }

func (s *judging) writeRows(ctx context.Context) error {
	if s.rows == nil {
		return nil
	}
	if err := s.rows.write(ctx); err != nil {
		return fmt.Errorf("keep the rows of what was judged: %w", err)
	}
	switch days, err := s.rows.retain(ctx, s.Now(), s.cfg.RowsAge); {
	case err != nil: // they are dropped later
		s.cfg.Log.Error("old rows could not be dropped", "why", err)
	case days > 0:
		s.cfg.Log.Info("old rows were dropped", "days", days)
	}
	return nil
}

// writeDown brings the records up to date.
func (s *judging) writeDown(ctx context.Context) error {
	begin := s.cfg.Now()
	s.mu.Lock()
	r, results := s.build()
	s.unwritten = false
	base := s.part.base
	rev := base + s.part.seq
	asOf := s.part.order.Mark().UnixNano()
	s.mu.Unlock()
	s.known.Store(knownOf(results))
	s.knownAt.Store(asOf)
	if s.rows != nil {
		s.rows.know(results)
	}
	if err := s.writeRows(ctx); err != nil {
		return err
	}
	again := s.anew != nil && s.anew()
	if again {
		s.deliver.known = map[recordKey]knownRecord{}
	}
	err := s.deliver.write(ctx, r, rev, base)
	if err == nil && again {
		err = s.sweep(ctx, rev)
	}
	if err != nil {
		return fmt.Errorf("write down what was found: %w", err)
	}
	s.report.Store(r)
	s.mu.Lock()
	s.delivered = s.cfg.Now()
	s.cost = costOf(s.cost, s.delivered.Sub(begin))
	s.mu.Unlock()
	return nil
}

// build makes the report of the moment.
func (s *judging) build() (*report.Report, []judge.Result) {
	p, b := s.part, s.part.bench
	t := source.Totals{Bytes: p.tally.Bytes, Dropped: p.dropped(), Problems: p.tally.Problems, Hidden: p.tally.Hidden, Quality: map[source.QualityKey]uint64{}}
	for _, q := range p.tally.Quality {
		t.Quality[q.Key] += q.Count
	}
	results := make([]judge.Result, 0, len(b.order))
	for _, name := range b.sites() {
		results = append(results, b.judges[name].Result())
	}
	in := inputOf(t, p.seen(), b, p.admit.refused, nil, p.forms, s.tools.Messages)
	if p.gaps+p.damaged > 0 {
		in.Limits = append(in.Limits, report.LimitCount{What: "stream.lost", Count: p.gaps + p.damaged})
	}
	if n := p.order.Counts().Forced; n > 0 {
		in.Limits = append(in.Limits, report.LimitCount{What: "judge.waiting", Count: n})
	}
	return report.Build(s.tools.report(s.cfg.Version, s.cfg.File, p.forms), in, results), results
}

// save keeps the state. The rows before it are written first: they would not be
// made again.
func (s *judging) save(ctx context.Context) error {
	if err := s.writeRows(ctx); err != nil {
		return err
	}
	begin := s.cfg.Now()
	s.mu.Lock()
	seq := s.part.seq
	err := s.cfg.States.Save(s.name(), s.part.save)
	s.mu.Unlock()
	if s.leave != nil && err == nil {
		err = s.leave(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		// The stream still holds what the state would: it is told, and judging
		// goes on.
		s.cfg.Log.Error("the state could not be saved", "why", err)
		s.status.saveFailed++
	} else {
		s.savedSeq = seq
	}
	s.saved = s.cfg.Now()
	s.saveCost = costOf(s.saveCost, s.saved.Sub(begin))
	return nil
}

// catchUp lets the judging come to the end of the bus, and ends it.
func (s *judging) catchUp(ctx context.Context, stop func(), judged <-chan error) error {
	stats, err := s.cfg.Bus.Stats(ctx)
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	s.mu.Lock()
	s.until = stats[s.number].Last
	if s.part.seq >= s.until {
		stop() // it waits for what will not come
	}
	s.mu.Unlock()
	if err := <-judged; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// finish writes everything down.
func (s *judging) finish(ctx context.Context) error {
	err := s.writeDown(ctx)
	if e := s.save(ctx); err == nil {
		err = e
	}
	return err
}

// serviceStatus is what a service knows of itself.
type serviceStatus struct {
	started    time.Time
	cold       bool // the state could not be read
	first      uint64
	open       bool
	saveFailed uint64
}

// Now is the event time up to which everything is judged. Decisions are made as
// of it.
func (s *judging) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.part.order.Mark()
}

// Report gives what was found when it was written down last, nil before that.
func (s *judging) Report() *report.Report { return s.report.Load() }

// Ready is closed when all that was on the bus at the start is judged.
func (s *judging) Ready() <-chan struct{} { return s.ready }
