package collector

import (
	"net/http"
	"strconv"
)

// A sensor that had to throw exchanges away says how many since it started,
// and which instance of it is speaking, so that the number may be sent any
// number of times.
const (
	headerInstance = "Xiezhi-Instance"
	headerDropped  = "Xiezhi-Dropped"
	maxInstance    = 64
	maxInstances   = 4096 // remembered; beyond, half of them are forgotten
)

// lost is what a request says about that.
type lost struct {
	instance string
	total    uint64
}

func lostOf(h http.Header) lost {
	n, err := strconv.ParseUint(h.Get(headerDropped), 10, 48)
	if i := h.Get(headerInstance); err == nil && len(i) > 0 && len(i) <= maxInstance {
		return lost{i, n}
	}
	return lost{}
}

// lostCounts remembers the last number of each instance.
type lostCounts struct{ young, old map[string]uint64 }

// since gives how many are new.
func (c *lostCounts) since(sensor string, l lost) uint64 {
	if l.instance == "" {
		return 0
	}
	name := sensor + "\x00" + l.instance
	before, ok := c.young[name]
	if !ok {
		before = c.old[name]
	}
	if c.young == nil || !ok && len(c.young) >= maxInstances/2 {
		c.old, c.young = c.young, map[string]uint64{}
	}
	c.young[name] = max(before, l.total)
	return max(before, l.total) - before
}
