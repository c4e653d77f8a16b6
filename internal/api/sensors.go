package api

import (
	"context"
	"strings"
	"sync"
	"time"

	v1 "xiezhi/internal/api/v1"
)

// rates remembers what came from each source, so that an answer can say how fast
// it comes.
type rates struct {
	mu   sync.Mutex
	last map[string]counted
}

// counted is how much had come at a time, and how fast it came before.
type counted struct {
	at   time.Time
	n    float64
	rate float64
	sure bool // there was a time before
}

const (
	rateOver  = 5 * time.Second  // the least between two counts
	rateStale = 10 * time.Minute // older counts say nothing about now
	maxRates  = 1024
)

// of gives exchanges a second, as of now.
func (r *rates) of(name string, n float64, now time.Time) (rate float64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, known := r.last[name]
	passed := now.Sub(old.at)
	switch {
	case known && passed >= 0 && passed < rateOver:
		return old.rate, old.sure
	case known && passed <= rateStale && n >= old.n && passed > 0:
		old = counted{now, n, (n - old.n) / passed.Seconds(), true}
	default: // the first, another process's count, or a clock that was set
		old = counted{at: now, n: n}
	}
	if r.last == nil || len(r.last) >= maxRates && !known {
		r.last = map[string]counted{}
	}
	r.last[name] = old
	return old.rate, old.sure
}

// sensorPrefix is how the status names those at the edge.
const sensorPrefix = "sensor "

// ListSensors says where traffic comes from, how it comes, and what is lost.
func (a *API) ListSensors(ctx context.Context, _ v1.ListSensorsRequestObject) (v1.ListSensorsResponseObject, error) {
	s := a.status(ctx)
	out := v1.ListSensors200JSONResponse{Items: []v1.Sensor{}, Dropped: s.Dropped}
	for _, p := range s.Sources {
		x := v1.Sensor{Name: p.Name, Kind: v1.SensorKindSource, State: v1.SensorState(p.State), Text: p.Text, Bytes: int64(p.Figures["bytes"]), Exchanges: int64(p.Figures["accepted"])}
		if name, edge := strings.CutPrefix(p.Name, sensorPrefix); edge {
			x.Name, x.Kind, x.LastSeen = name, v1.SensorKindSensor, p.Since
			x.Exchanges, x.Again, x.Lost = int64(p.Figures["exchanges"]), int64(p.Figures["again"]), int64(p.Figures["shed"])
			x.BufferedBytes, x.LagSeconds = int64(p.Figures["buffered_bytes"]), p.Figures["lag_seconds"]
		}
		if rate, ok := a.rates.of(p.Name, float64(x.Exchanges), a.cfg.Now()); ok {
			x.Rate = &rate
		}
		out.Items = append(out.Items, x)
	}
	return out, nil
}
