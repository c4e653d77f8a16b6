package collector

import (
	"math"
	"sync"
	"time"

	"xiezhi/internal/source/sensor"
)

// shares is who holds how much of the collector: requests, memory and, for a
// sensor with a rate, exchanges per second. A sensor that is slow or floods
// uses up its own share and leaves the others theirs.
type shares struct {
	limits Limits
	now    func() time.Time

	mu     sync.Mutex
	memory int64
	of     map[string]*share // as many as sensors
}

type share struct {
	requests int
	memory   int64
	credit   float64 // exchanges; below zero the sensor has to wait
	at       time.Time
}

func newShares(l Limits, now func() time.Time) *shares {
	return &shares{limits: l, now: now, of: map[string]*share{}}
}

// claim is what one request holds.
type claim struct {
	all    *shares
	own    *share
	sensor sensor.Sensor
	memory int64
}

// begin admits a request; wait is how long its sender should wait otherwise.
func (s *shares) begin(who sensor.Sensor) (c *claim, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.of[who.Name]
	if own == nil {
		own = &share{credit: float64(who.Rate)}
		s.of[who.Name] = own
	}
	if own.requests >= s.limits.Sensor {
		return nil, time.Second
	}
	if who.Rate > 0 {
		now, rate := s.now(), float64(who.Rate)
		if !own.at.IsZero() {
			own.credit = min(own.credit+max(now.Sub(own.at).Seconds(), 0)*rate, rate)
		}
		own.at = now
		if own.credit <= 0 {
			return nil, time.Duration(math.Min(-own.credit/rate+1, 60) * float64(time.Second))
		}
	}
	own.requests++
	return &claim{all: s, own: own, sensor: who}, 0
}

// take reserves memory. What can never be had is too large; what cannot be had
// now may be sent again.
func (c *claim) take(n int64) error {
	s := c.all
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.memory+n > s.limits.Memory/2:
		return errTooLarge
	case c.own.memory+n > s.limits.Memory/2, s.memory+n > s.limits.Memory:
		return errBusy
	}
	c.memory += n
	c.own.memory += n
	s.memory += n
	return nil
}

// spent charges exchanges to the sensor's rate. A body may be larger than what
// is left; its sender then waits longer.
func (c *claim) spent(exchanges int) {
	if c.sensor.Rate > 0 {
		c.all.mu.Lock()
		c.own.credit -= float64(exchanges)
		c.all.mu.Unlock()
	}
}

// end gives everything back.
func (c *claim) end() {
	s := c.all
	s.mu.Lock()
	c.own.requests--
	c.own.memory -= c.memory
	s.memory -= c.memory
	c.memory = 0
	s.mu.Unlock()
}
