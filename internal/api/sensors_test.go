package api

import (
	"context"
	"testing"
	"time"

	v1 "xiezhi/internal/api/v1"
)

// TestSensorsAreTold: what the status says of sources, with how fast traffic
// comes from one answer to the next.
func TestSensorsAreTold(t *testing.T) {
	n := 100.0
	h := newHouse(t, func(c *Config) {
		c.Status = func(context.Context) v1.Status {
			return v1.Status{Status: v1.StatusStatusOk, Stream: v1.Part{Name: "stream", State: v1.PartStateOk}, Dropped: []v1.Loss{{Reason: "overload", Count: 4}}, Sources: []v1.Part{
				{Name: "sources", State: v1.PartStateOk, Figures: map[string]float64{"accepted": 7, "bytes": 900}},
				{Name: "sensor edge-1", State: v1.PartStateDegraded, Since: start, Figures: map[string]float64{"exchanges": n, "again": 2, "shed": 3, "buffered_bytes": 8, "lag_seconds": 1.5}}}}
		}
	})
	g := h.admin()
	ask := func() (s v1.Sensors) {
		t.Helper()
		g.holds("GET", "/api/v1/sensors", nil).into(t, &s)
		if len(s.Items) != 2 || len(s.Dropped) != 1 || s.Items[0].Kind != "source" || s.Items[0].Exchanges != 7 || s.Items[0].Bytes != 900 {
			t.Fatalf("%+v", s)
		}
		return s
	}
	e := ask().Items[1]
	if e.Name != "edge-1" || e.Kind != "sensor" || e.State != "degraded" || e.Exchanges != 100 || e.Again != 2 || e.Lost != 3 || e.BufferedBytes != 8 || e.LagSeconds != 1.5 || !e.LastSeen.Equal(start) || e.Rate != nil {
		t.Errorf("%+v", e)
	}
	n = 400
	h.pass(time.Second) // too soon to say
	if e = ask().Items[1]; e.Rate != nil {
		t.Errorf("%f a second", *e.Rate)
	}
	h.pass(9 * time.Second)
	if e = ask().Items[1]; e.Rate == nil || *e.Rate != 30 {
		t.Errorf("%+v", e)
	}
	h.pass(10 * time.Second)
	if e = ask().Items[1]; e.Rate == nil || *e.Rate != 0 {
		t.Errorf("silent, and %+v", e)
	}
	n = 5 // it began anew
	h.pass(10 * time.Second)
	if e = ask().Items[1]; e.Rate != nil {
		t.Errorf("%f a second", *e.Rate)
	}
	for i := range 2 * maxRates {
		h.api.rates.of(string(rune(i)), 1, h.now)
	}
	if len(h.api.rates.last) > maxRates {
		t.Errorf("%d are remembered", len(h.api.rates.last))
	}
}
