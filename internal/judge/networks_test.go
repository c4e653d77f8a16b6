package judge

import (
	"net/netip"
	"testing"

	"xiezhi/internal/intel"
)

// What the map knows of an address reaches the detectors with the event.
func TestEventsArePlaced(t *testing.T) {
	cfg := benchConfig(t, 0)
	cfg.Networks = intel.Default()
	j := New(cfg)
	w := newTown(5)
	for _, c := range []struct{ addr, land string }{{"8.8.8.8", "US"}, {"114.80.1.1", "CN"}, {"10.0.0.7", ""}} {
		o := w.next()
		o.Client = netip.AddrPortFrom(netip.MustParseAddr(c.addr), 4711)
		j.Observe(o)
		if got := j.event.Net.Country.String(); got != c.land {
			t.Errorf("an event from %s is of %q, want %q", c.addr, got, c.land)
		}
	}
	if j.Unplaced() != 0 {
		t.Errorf("%d unplaced, want none", j.Unplaced())
	}
}
