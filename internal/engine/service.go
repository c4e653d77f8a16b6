package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"xiezhi/internal/judge/sequence"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/rule/scenario"
	"xiezhi/internal/source"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
	"xiezhi/internal/store/state"
	"xiezhi/internal/stream"
)

// ServiceConfig is what a service is made of. The zero value of every optional
// field means its default.
type ServiceConfig struct {
	Version string
	Tools   *Tools
	File    *FileConfig
	Site    string
	Zone    *time.Location
	Workers int
	Packs   []*policy.File
	Policy  []byte        // YAML of what people decided, as it stands in PolicyName; nil: nothing
	Hub     *scenario.Set // CrowdSec scenarios to run as rules; may be nil
	Order   sequence.Config

	PolicyName string

	Sources []source.Source // what ends when its context does
	Bus     stream.Bus      // of one partition
	Records record.Store
	Rows    observation.Store // nil: rows are not kept
	States  *state.Files
	RowsAge time.Duration // how long rows are kept, by event time and in whole days; 0: for ever

	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger // nil: nothing is told

	Changed func([]record.Record) // told of records that were written; may be nil

	DeliverEvery time.Duration // how often what was found is written down; 0: 2 s
	SaveEvery    time.Duration // how often the state is; 0: 60 s
}

func (cfg *ServiceConfig) defaults() error {
	if cfg.Tools == nil || cfg.Bus == nil || cfg.Records == nil || cfg.States == nil || cfg.Now == nil || cfg.Random == nil {
		return errors.New("a service needs tools, a bus, records, states, a clock and randomness")
	}
	if n := cfg.Bus.Partitions(); n != 1 {
		return fmt.Errorf("a service of one process judges one partition, the stream has %d", n)
	}
	if cfg.File == nil {
		cfg.File = &FileConfig{}
	}
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Workers <= 0 {
		cfg.Workers = 1
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.DeliverEvery <= 0 {
		cfg.DeliverEvery = 2 * time.Second
	}
	if cfg.SaveEvery <= 0 {
		cfg.SaveEvery = time.Minute
	}
	return nil
}

// Service takes traffic for as long as it runs: sources, observers, the bus,
// one partition of judges, and what they found on its way into the records.
type Service struct {
	cfg    ServiceConfig
	tools  *Tools
	forms  *form.Table // of the observers
	ingest *ingest
	pipe   *pipeline
	ledger *source.Ledger

	telling sync.Mutex    // guards the two
	told    source.Totals // in ticks so far
	toldOf  seen

	mu    sync.Mutex // guards all down to ready, but for deliver and rows, which are of whoever judges
	part  *partition
	until uint64 // judging is over with this event; 0: never

	rows      *rows // nil: not kept
	deliver   *deliver
	delivered time.Time
	cost      time.Duration // of the last delivery
	saved     time.Time
	saveCost  time.Duration
	savedSeq  uint64

	ready  chan struct{} // closed when all that was on the bus at the start is judged
	report atomic.Pointer[report.Report]
	status serviceStatus
}

// NewService makes a service and brings its state back. Nothing is read yet.
func NewService(ctx context.Context, cfg ServiceConfig) (*Service, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	policies, err := startPolicy(&cfg)
	if err != nil {
		return nil, err
	}
	tools, err := cfg.Tools.with(cfg.File).withRules(append(cfg.Packs[:len(cfg.Packs):len(cfg.Packs)], policies))
	if err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, tools: tools.withScenarios(cfg.Hub), ledger: &source.Ledger{}, forms: form.NewTable(0).Relay(), ready: make(chan struct{})}
	s.status.started = cfg.Now()
	s.saved = s.status.started
	if err := s.load(); err != nil {
		return nil, err
	}
	if cfg.Rows != nil {
		s.rows = &rows{store: cfg.Rows}
		s.rows.watch(s.part)
	}
	if s.ingest, err = newIngest(context.WithoutCancel(ctx), cfg.Bus, s.forms, s.ledger, cfg.Random, cfg.Log); err != nil {
		return nil, err
	}
	s.deliver, err = newDeliver(ctx, cfg.Records, cfg.Changed, cfg.Log)
	return s, err
}

func startPolicy(cfg *ServiceConfig) (*policy.File, error) {
	if len(cfg.Policy) == 0 {
		return nil, nil
	}
	return policy.Parse(cfg.PolicyName, cfg.Policy)
}

// fresh gives a partition that has seen nothing.
func (s *Service) fresh() (*partition, error) {
	trusted, err := ParsePrefixes(s.cfg.File.TrustedProxies)
	if err != nil {
		return nil, err
	}
	cfg := AnalyzeConfig{Version: s.cfg.Version, Site: s.cfg.Site, Zone: s.cfg.Zone, File: s.cfg.File, Trusted: trusted}
	return newPartition(0, newBench(cfg, s.tools, newSiteNamer(cfg, map[string]bool{})), s.cfg.Order), nil
}

// load brings the state back, or starts cold and says so.
func (s *Service) load() error {
	var p *partition
	passed, err := s.cfg.States.Load("partition-0", func(r io.Reader) (err error) {
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

// Run takes traffic until ctx is done, then finishes: what the sources took is
// on the bus, everything on the bus is judged, what was found is in the
// records, and the state is saved.
func (s *Service) Run(ctx context.Context) error {
	work := context.WithoutCancel(ctx)
	defer context.AfterFunc(ctx, func() { close(s.ingest.ending) })()
	stats, err := s.cfg.Bus.Stats(work)
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	if err := s.cfg.Bus.Same(work, 0, s.part.seq, s.part.id); err != nil {
		var behind *stream.Behind
		if !errors.As(err, &behind) {
			return fmt.Errorf("look at the stream: %w", err)
		}
		s.rewound(behind)
	}
	s.mu.Lock()
	// Records of another stream, or of traffic that no state knows of and the
	// stream no longer holds, are not to be judged by what is known now.
	if s.deliver.top > s.part.base+stats[0].Last || s.part.seq == 0 && stats[0].First > 1 {
		s.part.base = s.deliver.top
	}
	s.mu.Unlock()
	s.reached(stats[0].Last)
	judging, stopJudging := context.WithCancel(work)
	defer stopJudging()
	judged := make(chan error, 1)
	go func() { judged <- s.judge(judging) }()

	sources, stopSources := context.WithCancel(ctx)
	defer stopSources()
	taken := make(chan error, 1)
	go func() { taken <- s.take(sources) }()

	select {
	case err = <-taken: // ctx is done, or a source or the bus failed
	case err = <-judged:
		judged = nil
		stopSources()
		err = errors.Join(err, <-taken)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	if judged == nil {
		return err
	}
	if e := s.catchUp(work, stopJudging, judged); e != nil {
		return errors.Join(err, e)
	}
	return errors.Join(err, s.finish(work))
}

// take runs the sources and what turns their exchanges into events, until ctx is
// done or something fails.
func (s *Service) take(ctx context.Context) error {
	observer := func() (*observe.Observer, error) { return s.tools.observer(s.forms) }
	observers := make([]*observe.Observer, s.cfg.Workers)
	for i := range observers {
		var err error
		if observers[i], err = observer(); err != nil {
			return err
		}
	}
	if err := s.announce(); err != nil {
		return err
	}
	s.pipe = newPipeline(s.cfg.Workers, max(1, len(s.cfg.Sources)), observers, s.ingest, nil, newTurns(), nil, observer, s.ledger)
	s.pipe.asides = s.tools.scenarios != nil
	running, stop := context.WithCancel(ctx)
	defer stop()
	ticked := make(chan error, 1)
	go func() {
		err := s.tick(running)
		if err != nil {
			stop()
		}
		ticked <- err
	}()
	live := Live{Sources: s.cfg.Sources, Until: running}
	err := live.run(context.WithoutCancel(ctx), func(ctx context.Context, i int, src source.Source) error {
		return newIntake(s.pipe, uint32(i)).run(ctx, src, s.ledger)
	})
	if err == nil {
		<-running.Done() // every source may have ended, the service has not
	}
	stop()
	return errors.Join(err, <-ticked, s.pipe.finish(), s.lastTick())
}

// Now is the event time up to which everything is judged. Decisions are made as
// of it.
func (s *Service) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.part.order.Mark()
}

// Report gives what was found when it was written down last, nil before that.
func (s *Service) Report() *report.Report { return s.report.Load() }

// Ready is closed when all that was on the bus at the start is judged.
func (s *Service) Ready() <-chan struct{} { return s.ready }
