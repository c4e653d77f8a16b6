package collector

import (
	"net/http"
	"sync"
)

// Stats is what happened at the door.
type Stats struct {
	Requests   uint64         // bodies that were taken
	Accepted   uint64         // exchanges
	Duplicates uint64         // exchanges that came again
	Rejected   uint64         // lines that were none
	Refused    map[int]uint64 // requests by status
	PushedOut  uint64         // connections closed because there were too many
}

type counters struct {
	mu sync.Mutex
	s  Stats
}

func (c *counters) took(j *job) {
	c.mu.Lock()
	c.s.Requests++
	c.s.Accepted += j.accepted
	c.s.Duplicates += j.duplicates
	c.s.Rejected += uint64(len(j.batch.rejects)) + j.batch.unlisted
	c.mu.Unlock()
}

func (c *counters) refused(status int) {
	c.mu.Lock()
	if c.s.Refused == nil {
		c.s.Refused = map[int]uint64{}
	}
	if http.StatusText(status) != "" {
		c.s.Refused[status]++
	}
	c.mu.Unlock()
}

// Stats gives the counts so far.
func (s *Source) Stats() Stats {
	s.stats.mu.Lock()
	defer s.stats.mu.Unlock()
	out := s.stats.s
	out.Refused = make(map[int]uint64, len(s.stats.s.Refused))
	for k, v := range s.stats.s.Refused {
		out.Refused[k] = v
	}
	out.PushedOut = s.conns.pushedOut()
	return out
}
