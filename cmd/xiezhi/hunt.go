package main

import (
	"context"
	"time"

	"xiezhi/internal/api"
	"xiezhi/internal/engine"
	"xiezhi/internal/report"
)

// hunter lets the API hunt through what a service's stream holds.
func hunter(s *engine.Service) func(context.Context, api.HuntOrder, func(api.HuntTold)) (api.HuntTold, *report.Report, error) {
	told := func(x *engine.Hunted) api.HuntTold {
		return api.HuntTold{Progress: float64(x.Events) / float64(max(x.All, 1)), Exchanges: x.Exchanges, First: time.Unix(0, x.First), Last: time.Unix(0, x.Last), Stopped: x.Stopped}
	}
	return func(ctx context.Context, o api.HuntOrder, tell func(api.HuntTold)) (api.HuntTold, *report.Report, error) {
		got, err := s.Hunt(ctx, engine.Hunt{From: o.From, To: o.To, Name: "hunt", Text: o.Text, Told: func(x engine.Hunted) { tell(told(&x)) }})
		if err != nil {
			return api.HuntTold{}, nil, err
		}
		return told(got), got.Report, nil
	}
}
