package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"xiezhi/internal/judge/sequence"
	"xiezhi/internal/policy"
	"xiezhi/internal/rule/scenario"
	"xiezhi/internal/source"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
	"xiezhi/internal/stream"
	"xiezhi/internal/stream/uplink"
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
	States  States
	RowsAge time.Duration // how long rows are kept, by event time and in whole days; 0: for ever
	// RowsSince leaves out the rows of what ended before: of a history that is
	// played within seconds, each of whose days would be made a file. Zero: none.
	RowsSince time.Time

	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger // nil: nothing is told

	Changed func([]record.Record) // told of records that were written; may be nil
	Heard   func() []uplink.Heard // sensors that send to this process; may be nil

	DeliverEvery time.Duration // how often what was found is written down; 0: 2 s
	SaveEvery    time.Duration // how often the state is; 0: 60 s
}

// States keeps what judges know (store/state).
type States interface {
	Save(name string, write func(io.Writer) error) error
	Load(name string, read func(io.Reader) error) (passed, err error)
}

func (cfg *ServiceConfig) complete() error {
	if cfg.Tools == nil || cfg.Bus == nil || cfg.Records == nil || cfg.States == nil || cfg.Now == nil || cfg.Random == nil {
		return errors.New("a service needs tools, a bus, records, states, a clock and randomness")
	}
	if n := cfg.Bus.Partitions(); n != 1 {
		return fmt.Errorf("a service of one process judges one partition, the stream has %d", n)
	}
	return nil
}

func (cfg *ServiceConfig) defaults() {
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
}

// Service takes traffic for as long as it runs: sources, observers, the bus,
// one partition of judges, and what they found on its way into the records.
type Service struct {
	cfg ServiceConfig
	*front
	*judging
}

// NewService makes a service and brings its state back. Nothing is read yet.
func NewService(ctx context.Context, cfg ServiceConfig) (*Service, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	cfg.defaults()
	tools, err := cfg.tools()
	if err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg}
	s.front = newFront(cfg.Sources, cfg.Workers, tools)
	if s.judging, err = newJudging(cfg, tools, 0); err != nil {
		return nil, err
	}
	if s.ingest, err = newIngest(context.WithoutCancel(ctx), cfg.Bus, s.forms, s.ledger, cfg.Random, cfg.Log); err != nil {
		return nil, err
	}
	s.deliver, err = newDeliver(ctx, cfg.Records, cfg.Changed, cfg.Log)
	return s, err
}

// tools are those with the rules that people brought along.
func (cfg *ServiceConfig) tools() (*Tools, error) {
	policies, err := startPolicy(cfg)
	if err != nil {
		return nil, err
	}
	tools, err := cfg.Tools.with(cfg.File).withRules(append(cfg.Packs[:len(cfg.Packs):len(cfg.Packs)], policies))
	if err != nil {
		return nil, err
	}
	return tools.withScenarios(cfg.Hub), nil
}

func startPolicy(cfg *ServiceConfig) (*policy.File, error) {
	if len(cfg.Policy) == 0 {
		return nil, nil
	}
	return policy.Parse(cfg.PolicyName, cfg.Policy)
}

// Run takes traffic until ctx is done, then finishes: what the sources took is
// on the bus, everything on the bus is judged, what was found is in the
// records, and the state is saved.
func (s *Service) Run(ctx context.Context) error {
	work := context.WithoutCancel(ctx)
	defer context.AfterFunc(ctx, func() { close(s.ingest.ending) })()
	err := s.begin(work)
	if err != nil {
		return err
	}
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

// take runs the sources and what tells of them, until ctx is done or something
// fails.
func (s *Service) take(ctx context.Context) error {
	if err := s.announce(); err != nil {
		return err
	}
	return s.front.take(ctx, s.tick, s.lastTick)
}
