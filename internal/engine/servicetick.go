package engine

import (
	"context"
	"time"
)

// tickEvery is how often an idle service says how late it is, and a busy one
// what its sources counted.
const tickEvery = time.Second

func (s *Service) tick(ctx context.Context) error {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := s.oneTick(); err != nil {
				return err
			}
		}
	}
}

// oneTick publishes how late it is, and what sources counted.
func (s *Service) oneTick() error {
	now, _ := s.late()
	news := s.news()
	if now.IsZero() && news.empty() {
		return nil
	}
	return s.ingest.tick(0, now, news)
}

// late is the time that it would be if traffic had gone on: the newest event
// time and what the clock has moved since the bus took it, so that traffic of
// another time than now is waited for as well. It is zero while traffic comes.
// waits tells that something is not judged, or could be written down, yet.
func (s *judging) late() (now time.Time, waits bool) {
	s.mu.Lock()
	now, at := s.part.order.High(), s.part.at
	waits = s.part.waits() || s.unwritten && s.due(s.cfg.Now())
	s.mu.Unlock()
	if at.Before(s.status.started) {
		at = s.status.started // the time in which nothing ran was no silence
	}
	idle := s.cfg.Now().Sub(at)
	if now.IsZero() || idle < tickEvery {
		return time.Time{}, waits
	}
	return now.Add(idle), waits
}

// lastTick tells what was counted since, when the sources have ended.
func (s *Service) lastTick() error {
	if news := s.news(); !news.empty() {
		return s.ingest.tick(0, time.Time{}, news)
	}
	return nil
}
