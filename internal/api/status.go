package api

import (
	"context"
	"sync"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/message"
)

// health is the last answer, which holds for a while: asking costs nobody
// anything.
type health struct {
	mu   sync.Mutex
	said v1.HealthStatus
	at   time.Time
}

const healthFor = time.Second

// GetHealth says whether the service works, and nothing more: anybody may ask.
func (a *API) GetHealth(ctx context.Context, _ v1.GetHealthRequestObject) (v1.GetHealthResponseObject, error) {
	h := &a.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := a.cfg.Now(); h.said == "" || now.Sub(h.at) >= healthFor || now.Before(h.at) {
		h.said, h.at = v1.HealthStatus(a.status(ctx).Status), now
	}
	return v1.GetHealth200JSONResponse{Status: h.said}, nil
}

// GetStatus says how sources, stream, judges and stores are.
func (a *API) GetStatus(ctx context.Context, _ v1.GetStatusRequestObject) (v1.GetStatusResponseObject, error) {
	return v1.GetStatus200JSONResponse(a.status(ctx)), nil
}

func (a *API) status(ctx context.Context) v1.Status {
	s := v1.Status{Status: v1.StatusStatusOk, Stream: v1.Part{Name: "stream", State: v1.PartStateOff}}
	if a.cfg.Status != nil {
		s = a.cfg.Status(ctx)
	}
	s.Version, s.Rules, s.Now = a.cfg.Version, a.cfg.Rules, a.cfg.Now().UTC()
	if s.Started.IsZero() {
		s.Started = a.started.UTC()
	}
	if l := a.cfg.Library; l != nil {
		s.Stores = append(s.Stores, a.intelligencePart(l))
	}
	// A list or map that nobody filled is empty, not absent.
	for _, list := range []*[]v1.Part{&s.Sources, &s.Judges, &s.Stores} {
		if *list == nil {
			*list = []v1.Part{}
		}
		for i := range *list {
			figured(&(*list)[i])
		}
	}
	if s.Dropped == nil {
		s.Dropped = []v1.Loss{}
	}
	figured(&s.Stream)
	s.Events = v1.Part{Name: "events", State: v1.PartStateOk, Figures: a.hub.figures()}
	s.Events.Figures["faults"] = float64(a.faults.Load())
	return s
}

// intelligencePart says how feeds are. One that fails keeps the service from
// nothing: what it said before ages, and the rest goes on.
func (a *API) intelligencePart(l *library.Library) v1.Part {
	feeds, ill := l.Feeds(), 0
	for i := range feeds {
		if state := feedOf(&feeds[i]).State; state == v1.FeedStateStale || state == v1.FeedStateFailing {
			ill++
		}
	}
	p := v1.Part{Name: "intelligence", State: v1.PartStateOk, Figures: map[string]float64{"feeds": float64(len(feeds)), "indicators": float64(l.Set().Len()), "forgotten": float64(l.Forgotten())}}
	if ill > 0 {
		p.State, p.Text = v1.PartStateDegraded, a.cfg.Messages.Text("service.feeds_ill", message.Args{"n": ill})
	}
	return p
}

func figured(p *v1.Part) {
	if p.Figures == nil {
		p.Figures = map[string]float64{}
	}
}
