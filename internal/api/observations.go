package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/oapi-codegen/runtime/types"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/taxonomy"
)

// filter is what the queries of observations have in common, by the names that
// the document gives the parameters.
type filter struct {
	From, To                                                  time.Time
	Site, Api, Attack, Client, Actor, Account, Session, Agent string
	Network, Country, Exchange                                string
	Status                                                    int
	Verdict, Outcome, Class, Type, Not                        []string
	Finding                                                   string
}

// rows gives the store of observations, or says that there is none.
func (a *API) rows() (observation.Store, error) {
	if a.cfg.Observations == nil {
		return nil, refuse(http.StatusServiceUnavailable, "unavailable", nil)
	}
	return a.cfg.Observations, nil
}

// filtered reads the common parameters.
func (a *API) filtered(ctx context.Context, params any) (f observation.Filter, err error) {
	b, err := json.Marshal(params)
	if err != nil {
		return f, err
	}
	var x filter
	if err := json.Unmarshal(b, &x); err != nil {
		return f, err
	}
	f.From, f.To = x.From, x.To
	var bad []field
	for _, p := range []struct {
		name, value string
		d           observation.Dimension
	}{
		{"site", x.Site, observation.BySite}, {"api", x.Api, observation.ByAPI}, {"attack", x.Attack, observation.ByAttack},
		{"actor", x.Actor, observation.ByActor}, {"account", x.Account, observation.ByAccount}, {"session", x.Session, observation.BySession},
		{"agent", x.Agent, observation.ByAgent}, {"network", x.Network, observation.ByNetwork}, {"country", x.Country, observation.ByCountry},
	} {
		if p.value == "" {
			continue
		}
		if f, err = f.With(p.d, p.value); err != nil {
			bad = append(bad, field{name: p.name, id: "value"})
		}
	}
	if x.Status != 0 {
		f.Status = uint16(x.Status)
	}
	if x.Exchange != "" {
		f.Exchange = observation.Exchange(x.Exchange)
	}
	if x.Client != "" {
		if p, err := netip.ParsePrefix(x.Client); err == nil {
			f.Client = p
		} else if f, err = f.With(observation.ByClient, x.Client); err != nil {
			bad = append(bad, field{name: "client", id: "network"})
		}
	}
	for _, s := range []struct {
		name   string
		values []string
		d      observation.Dimension
		set    func(*observation.Filter) *observation.Set
	}{
		{"verdict", x.Verdict, observation.ByVerdict, func(f *observation.Filter) *observation.Set { return &f.Verdicts }},
		{"outcome", x.Outcome, observation.ByOutcome, func(f *observation.Filter) *observation.Set { return &f.Outcomes }},
		{"class", x.Class, observation.ByClass, func(f *observation.Filter) *observation.Set { return &f.Classes }},
		{"type", x.Type, observation.ByType, func(f *observation.Filter) *observation.Set { return &f.Types }},
	} {
		for _, v := range s.values {
			one, err := observation.Filter{}.With(s.d, v)
			if err != nil {
				bad = append(bad, field{name: s.name, id: "value"})
				continue
			}
			*s.set(&f) |= *s.set(&one)
		}
	}
	for _, v := range x.Not {
		n, err := not(v)
		if err != nil {
			bad = append(bad, field{name: "not", id: "value"})
			continue
		}
		f.Not = append(f.Not, n)
	}
	if len(bad) > 0 {
		return f, wrong(bad...)
	}
	if x.Finding != "" {
		f.Within, err = a.scopes(ctx, x.Finding)
	}
	return f, err
}

// not reads what is to be left out.
func not(s string) (observation.Filter, error) {
	d, key, _ := strings.Cut(s, ":")
	if d == observation.ByClient.String() {
		if p, err := netip.ParsePrefix(key); err == nil {
			return observation.Filter{Client: p}, nil
		}
	}
	return observation.Filter{}.With(dimension(d), key)
}

// observed tells what a store of observations refuses.
func observed(err error) error {
	if errors.Is(err, observation.ErrInvalid) {
		return &problem{status: http.StatusBadRequest, code: "query", fields: []field{{text: err.Error()}}}
	}
	return err
}

func dimension(name string) observation.Dimension {
	for _, d := range observation.Dimensions() {
		if d.String() == name {
			return d
		}
	}
	return observation.NoDimension
}

// measures, in the order of their names in the document.
var measures = []observation.Measure{observation.Rows, observation.BytesIn, observation.BytesOut, observation.Subjects, observation.MeanLatency, observation.MaxLatency}

func measure(name v1.Measure) observation.Measure {
	i := slices.IndexFunc(measures, func(m observation.Measure) bool { return m.String() == string(name) })
	return measures[max(i, 0)] // absent: rows
}

// SearchObservations gives single observations.
func (a *API) SearchObservations(ctx context.Context, r v1.SearchObservationsRequestObject) (v1.SearchObservationsResponseObject, error) {
	s, err := a.rows()
	if err != nil {
		return nil, err
	}
	f, err := a.filtered(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	p, err := s.Search(ctx, observation.SearchQuery{Filter: f, Limit: size(r.Params.Limit), After: r.Params.Cursor})
	if err != nil {
		return nil, observed(err)
	}
	out := v1.SearchObservations200JSONResponse{Items: make([]v1.Observation, 0, len(p.Rows)), Next: p.Next}
	for i := range p.Rows {
		out.Items = append(out.Items, row(&p.Rows[i]))
	}
	return out, nil
}

func row(r *observation.Row) v1.Observation {
	o := v1.Observation{Time: moments(r.Time), Site: r.Site, Api: r.API, Exchange: observation.Token(r.Exchange), Actor: observation.Token(r.Actor),
		Account: observation.Token(r.Account), Session: observation.Token(r.Session), Agent: observation.Token(r.Agent), Network: r.Network.String(),
		Country: r.Country.String(), Status: int(r.Status), Outcome: r.Outcome.String(), Types: []string{}, Subjects: int64(r.Subjects), BytesIn: int64(r.BytesIn),
		BytesOut: int64(r.BytesOut), Latency: int64(r.Latency), Verdict: v1.ObservationVerdict(r.Verdict.String()), Attack: r.Attack}
	if r.Client.IsValid() {
		o.Client = r.Client.String()
	}
	r.Types.Each(func(n int) { o.Types = append(o.Types, taxonomy.Sensitive(n).String()) })
	return o
}

func moments(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// SeriesOfObservations gives a measure over time.
func (a *API) SeriesOfObservations(ctx context.Context, r v1.SeriesOfObservationsRequestObject) (v1.SeriesOfObservationsResponseObject, error) {
	s, err := a.rows()
	if err != nil {
		return nil, err
	}
	f, err := a.filtered(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	step := map[v1.Step]observation.Step{v1.StepMinute: observation.Minute, v1.StepHour: observation.Hour, v1.StepDay: observation.Daily}[r.Params.Step]
	got, err := s.Series(ctx, observation.SeriesQuery{Filter: f, Step: step, Offset: time.Duration(r.Params.Offset) * time.Minute,
		Measure: measure(r.Params.Measure), By: dimension(string(r.Params.By)), Lines: r.Params.Lines})
	if err != nil {
		return nil, observed(err)
	}
	out := v1.SeriesOfObservations200JSONResponse{Starts: make([]v1.Time, 0, len(got.Starts)), Lines: make([]v1.SeriesLine, 0, len(got.Lines))}
	for _, at := range got.Starts {
		out.Starts = append(out.Starts, moments(at))
	}
	for _, l := range got.Lines {
		line := v1.SeriesLine{Key: l.Key, Rest: l.Rest, Total: int64(l.Total), Values: make([]int64, 0, len(l.Values))}
		for _, v := range l.Values {
			line.Values = append(line.Values, int64(v))
		}
		out.Lines = append(out.Lines, line)
	}
	return out, nil
}

// TopOfObservations gives the largest.
func (a *API) TopOfObservations(ctx context.Context, r v1.TopOfObservationsRequestObject) (v1.TopOfObservationsResponseObject, error) {
	s, err := a.rows()
	if err != nil {
		return nil, err
	}
	f, err := a.filtered(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	got, err := s.Top(ctx, observation.TopQuery{Filter: f, Of: dimension(string(r.Params.Of)), Measure: measure(r.Params.Measure), Limit: r.Params.Limit})
	if err != nil {
		return nil, observed(err)
	}
	out := v1.TopOfObservations200JSONResponse{Items: make([]v1.TopEntry, 0, len(got.List)), Total: int64(got.Total)}
	for _, t := range got.List {
		out.Items = append(out.Items, v1.TopEntry{Key: t.Key, Value: int64(t.Value)})
	}
	return out, nil
}

// PivotObservations gives what an entity was seen with.
func (a *API) PivotObservations(ctx context.Context, r v1.PivotObservationsRequestObject) (v1.PivotObservationsResponseObject, error) {
	s, err := a.rows()
	if err != nil {
		return nil, err
	}
	f, err := a.filtered(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	got, err := s.Pivot(ctx, observation.PivotQuery{Filter: f, Of: dimension(string(r.Params.Of)), Key: r.Params.Key, Limit: r.Params.Limit})
	if err != nil {
		return nil, observed(err)
	}
	return v1.PivotObservations200JSONResponse(pivoted(&got)), nil
}

func pivoted(got *observation.Pivot) v1.Pivot {
	out := v1.Pivot{Rows: int64(got.Rows), Facets: make([]v1.Facet, 0, len(got.Facets))}
	if got.Rows > 0 {
		out.First, out.Last = moments(got.First), moments(got.Last)
	}
	for _, x := range got.Facets {
		facet := v1.Facet{Dimension: v1.Dimension(x.Dimension.String()), Distinct: int64(x.Distinct), Top: make([]v1.Sighting, 0, len(x.Top))}
		for _, t := range x.Top {
			facet.Top = append(facet.Top, v1.Sighting{Key: t.Key, Rows: int64(t.Rows), First: moments(t.First), Last: moments(t.Last)})
		}
		out.Facets = append(out.Facets, facet)
	}
	return out
}

// ListObservedDays says which days are there.
func (a *API) ListObservedDays(ctx context.Context, _ v1.ListObservedDaysRequestObject) (v1.ListObservedDaysResponseObject, error) {
	s, err := a.rows()
	if err != nil {
		return nil, err
	}
	got, err := s.Range(ctx)
	if err != nil {
		return nil, err
	}
	out := v1.ListObservedDays200JSONResponse{Days: make([]v1.ObservedDay, 0, len(got.Days)), Aside: []string{}, LeftOut: int64(got.LeftOut)}
	for _, d := range got.Days {
		out.Days = append(out.Days, v1.ObservedDay{Day: types.Date{Time: d.Start.UTC()}, Rows: int64(d.Rows), Bytes: d.Bytes})
	}
	for _, x := range got.Aside {
		out.Aside = append(out.Aside, x.Day.UTC().Format(time.DateOnly))
	}
	return out, nil
}
