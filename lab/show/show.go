// Package show plays the lab as a demonstration: months of history that end at
// a moment, with more going on in the last hours, and what follows as the clock
// moves on.
//
// It takes a seed, a moment and a number of months and is a source of
// exchanges, in order of their start. Invariant: the history depends on the
// configuration alone; what is live depends on it and on when the clock is
// asked. Persons, numbers and addresses are made up and belong to nobody.
// Limits: at most lab.MaxMonths months; what is held grows with a day's visits
// and the number of attacks, not with the traffic.
package show

import (
	"bytes"
	"context"
	_ "embed" // the map
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/source"
	"xiezhi/lab"
	"xiezhi/lab/adversary"
	"xiezhi/lab/crowd"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// Config is one demonstration.
type Config struct {
	Seed   uint64
	Until  time.Time // where the history ends
	Months int       // calendar months of history, the one of Until included
	Visits float64   // honest visits, as a multiple of the lab's year; 0: 1

	// Clock is asked what time it is when the history is over; nil: the play ends
	// with the history.
	Clock func() time.Time
}

// Show is the running demonstration, a source of exchanges. It runs once.
type Show struct {
	cfg    Config
	start  time.Time
	st     *stage.Stage
	public *crowd.Crowd
	gangs  *adversary.Underworld
	events []turn // of the story, in order of time
	day    time.Time
	sink   source.Sink
	ledger *source.Ledger

	at     atomic.Int64  // start of the last exchange
	end    int64         // latest so far
	last   int64         // the same of the history
	count  atomic.Uint64 // exchanges so far
	filled chan struct{}
}

// New makes a demonstration.
func New(cfg Config) (*Show, error) {
	if cfg.Months < 1 || cfg.Months > lab.MaxMonths {
		return nil, fmt.Errorf("months: %d is not between 1 and %d", cfg.Months, lab.MaxMonths)
	}
	if cfg.Visits <= 0 {
		cfg.Visits = 1
	}
	s := &Show{cfg: cfg, filled: make(chan struct{})}
	end := cfg.Until.In(lab.Zone())
	s.start = time.Date(end.Year(), end.Month(), 1, 0, 0, 0, 0, lab.Zone()).AddDate(0, 1-cfg.Months, 0)
	s.day = s.start
	town := people.New(cfg.Seed)
	s.st = stage.New(cfg.Seed, scene.Build(cfg.Seed, s.start, town), s.take)
	s.public = crowd.New(cfg.Seed, s.st, town, cfg.Visits)
	s.gangs = adversary.New(cfg.Seed, s.st, town, 1)
	s.gangs.Promote()
	s.st.App("taohui").TakeCards("/mall/order/payByCard")
	s.st.App("lvxing").TakeCards("/v3/payments/card")
	s.events = s.plan()
	return s, nil
}

// Start is the first moment of the history.
func (s *Show) Start() time.Time { return s.start }

// networks is the map of the play's world, whose addresses are reserved ones and
// on no map of this.
//
//go:embed networks.csv
var networks []byte

// Config is the configuration of the organisation: its applications by name, so
// that the first request of each is judged where it belongs, and the map.
func (s *Show) Config() (*engine.FileConfig, error) {
	c := &engine.FileConfig{TimeZone: "Asia/Shanghai", Intel: engine.IntelConfig{Lists: []engine.IntelLists{{File: "networks.csv"}}}}
	for _, app := range s.st.Apps {
		c.Sites = append(c.Sites, engine.SiteConfig{Name: app.Name, Hosts: []string{app.Host}, Industry: app.Industry, TimeZone: app.Zone})
	}
	return c, c.LoadIntel(func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(networks)), nil })
}

// Filled is closed when all of the history was taken.
func (s *Show) Filled() <-chan struct{} { return s.filled }

// Progress says how much of the history was played, from 0 to 1, and how many
// exchanges there were so far.
func (s *Show) Progress() (share float64, exchanges uint64) {
	span := s.cfg.Until.Sub(s.start)
	done := time.Duration(s.at.Load() - s.start.UnixNano())
	return min(max(float64(done)/float64(span), 0), 1), s.count.Load()
}

// Last is when the last exchange of the history ended. It is known when the
// history was taken.
func (s *Show) Last() time.Time {
	<-s.filled
	return time.Unix(0, s.last).UTC()
}

// take hands an exchange on.
func (s *Show) take(e *stage.Event) error {
	if err := s.sink.Accept(e.Exchange); err != nil {
		return err
	}
	s.at.Store(e.Exchange.Start)
	s.end = max(s.end, e.Exchange.End)
	s.count.Add(1)
	s.ledger.AddAccepted(1)
	s.ledger.AddBytes(int64(len(e.Exchange.Request.Body) + len(e.Exchange.Response.Body)))
	return nil
}

// Run implements source.Source.
func (s *Show) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	s.sink, s.ledger = sink, ledger
	defer s.st.Close()
	s.surge()
	for s.day.Before(s.cfg.Until) {
		if err := ctx.Err(); err != nil {
			return err
		}
		next := s.open()
		if next.After(s.cfg.Until) {
			next = s.cfg.Until
		}
		if err := s.st.Play(next); err != nil {
			return err
		}
	}
	if f, ok := sink.(source.Flusher); ok {
		if err := f.Flush(); err != nil {
			return err
		}
	}
	s.last = s.end
	close(s.filled)
	if s.cfg.Clock == nil {
		return nil
	}
	return s.live(ctx)
}

// open puts the next day on the stage and gives its end.
func (s *Show) open() time.Time {
	if s.day.Day() == 1 {
		s.gangs.Month(s.day)
	}
	for len(s.events) > 0 && !s.events[0].at.After(s.day) {
		s.st.App(s.events[0].app).Switch(s.events[0].flaw, s.events[0].on)
		s.events = s.events[1:]
	}
	for _, g := range growth {
		if ends := s.cfg.Until.AddDate(0, 0, -g.days); !ends.Before(s.day) && ends.Before(s.day.AddDate(0, 0, 1)) {
			s.public.Grow(g.factor)
		}
	}
	s.public.Day(s.day)
	s.day = s.day.AddDate(0, 0, 1)
	return s.day
}

// growth is how the public of the applications grew: so many days before the
// end by such a factor.
var growth = []struct {
	days   int
	factor float64
}{{150, 1.15}, {90, 1.15}, {45, 1.2}, {21, 1.25}, {7, 1.3}, {1, 1.6}}

// surge puts what happens in the last hours of the history on the stage.
func (s *Show) surge() {
	r := rand.New(rand.NewPCG(s.cfg.Seed, 0x7375726765))
	for n := range surgeWaves {
		ago := time.Duration(float64(surgeSpan) * (1 - float64(n)/surgeWaves))
		at := s.cfg.Until.Add(-ago).Add(time.Duration(r.Int64N(int64(10 * time.Minute))))
		s.gangs.Strike(n, at, 150+r.IntN(200), 10*time.Minute+time.Duration(r.Int64N(int64(20*time.Minute))))
	}
}

const (
	surgeWaves = 9
	surgeSpan  = 4 * time.Hour
)

// Of what happens live.
const (
	liveEvery  = 200 * time.Millisecond // how often the play catches up with the clock
	liveFirst  = 8 * time.Second        // until the first attack
	livePause  = 150 * time.Second      // between the beginnings of attacks
	liveLeast  = 90                     // requests of one
	liveSpread = 110
)

// live goes on as the clock does: the public comes as on any day, and every few
// minutes somebody attacks.
func (s *Show) live(ctx context.Context) error {
	r := rand.New(rand.NewPCG(s.cfg.Seed, 0x6c697665))
	t := time.NewTicker(liveEvery)
	defer t.Stop()
	strike := s.cfg.Clock().Add(liveFirst)
	for n := surgeWaves; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		now := s.cfg.Clock()
		for !s.day.After(now) {
			if err := s.st.Play(s.day); err != nil {
				return err
			}
			s.open()
		}
		if !strike.After(now) {
			s.gangs.Strike(n, now, liveLeast+r.IntN(liveSpread), 2*time.Minute+time.Duration(r.Int64N(int64(2*time.Minute))))
			strike = now.Add(livePause/2 + time.Duration(r.Int64N(int64(livePause))))
			n++
		}
		if err := s.st.Play(now); err != nil {
			return err
		}
	}
}
