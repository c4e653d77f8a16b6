package engine

import (
	"bytes"
	"context"
	"slices"

	"xiezhi/internal/intel/indicator"
)

// inform lets every judge know what the snapshot says, from here on in the
// order of events. The same snapshot again is no news.
func (p *partition) inform(data []byte) error {
	s, err := indicator.ParseSnapshot(data)
	if err != nil {
		return err
	}
	b := p.bench
	b.known, b.informed, p.snapshot = s, true, slices.Clone(data)
	for _, name := range b.order {
		b.judges[name].Inform(s)
	}
	return nil
}

// Inform puts a snapshot of intelligence among the events: judges know it from
// there on. One that they know already is left out.
func (s *Service) Inform(_ context.Context, snapshot []byte) error {
	s.mu.Lock()
	known := s.part.bench.informed && bytes.Equal(s.part.snapshot, snapshot)
	s.mu.Unlock()
	if known {
		return nil
	}
	return s.ingest.publish(0, append([]byte{eventKnown}, snapshot...), 0)
}

// Known is the id of the snapshot that judges go by, and how many things it
// knows.
func (s *judging) Known() (id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.part.bench.indicators()
	return k.ID(), k.Len()
}
