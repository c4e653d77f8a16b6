package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"xiezhi/internal/judge"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/internal/stream"
)

// reached closes ready when the partition has come to an event.
func (s *Service) reached(first uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.first = first
	s.openIfReached()
}

func (s *Service) openIfReached() {
	if s.part.seq >= s.status.first && !s.status.open {
		s.status.open = true
		close(s.ready)
	}
}

var errReached = errors.New("everything is judged")

// judge reads the bus until ctx is done or s.until is reached.
func (s *Service) judge(ctx context.Context) error {
	for {
		err := s.cfg.Bus.Read(ctx, 0, s.part.seq, func(m stream.Message) error {
			s.mu.Lock()
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
func (s *Service) rewound(b *stream.Behind) {
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
func (s *Service) keep(ctx context.Context) error {
	now := s.cfg.Now()
	if s.rows != nil && len(s.rows.wait) >= rowsAtOnce {
		if err := s.writeRows(ctx); err != nil {
			return err
		}
	}
	if now.Sub(s.delivered) >= max(s.cfg.DeliverEvery, 10*s.cost) {
		if err := s.writeDown(ctx); err != nil {
			return err
		}
	}
	if now.Sub(s.saved) >= max(s.cfg.SaveEvery, 10*s.saveCost) && s.part.seq != s.savedSeq {
		return s.save(ctx)
	}
	return nil
}

func (s *Service) writeRows(ctx context.Context) error {
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
func (s *Service) writeDown(ctx context.Context) error {
	begin := s.cfg.Now()
	s.mu.Lock()
	r, results := s.build()
	base := s.part.base
	rev := base + s.part.seq
	s.mu.Unlock()
	if s.rows != nil {
		s.rows.know(results)
	}
	if err := s.writeRows(ctx); err != nil {
		return err
	}
	if err := s.deliver.write(ctx, r, rev, base); err != nil {
		return fmt.Errorf("write down what was found: %w", err)
	}
	s.report.Store(r)
	s.mu.Lock()
	s.delivered = s.cfg.Now()
	s.cost = s.delivered.Sub(begin)
	s.mu.Unlock()
	return nil
}

// build makes the report of the moment.
func (s *Service) build() (*report.Report, []judge.Result) {
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
func (s *Service) save(ctx context.Context) error {
	if err := s.writeRows(ctx); err != nil {
		return err
	}
	begin := s.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.cfg.States.Save("partition-0", s.part.save); err != nil {
		// The stream still holds what the state would: it is told, and judging
		// goes on.
		s.cfg.Log.Error("the state could not be saved", "why", err)
		s.status.saveFailed++
	} else {
		s.savedSeq = s.part.seq
	}
	s.saved = s.cfg.Now()
	s.saveCost = s.saved.Sub(begin)
	return nil
}

// catchUp lets the judging come to the end of the bus, and ends it.
func (s *Service) catchUp(ctx context.Context, stop func(), judged <-chan error) error {
	stats, err := s.cfg.Bus.Stats(ctx)
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	s.mu.Lock()
	s.until = stats[0].Last
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
func (s *Service) finish(ctx context.Context) error {
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
