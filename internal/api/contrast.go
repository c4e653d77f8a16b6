package api

import (
	"cmp"
	"context"
	"math"
	"net/netip"
	"slices"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/catalog"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
)

// What a contrast shows.
const (
	contrastEach   = 3
	contrastRows   = 20  // of each
	contrastLooked = 200 // rows of each that figures are made of, the latest
	contrastAmong  = 200 // askers among which ordinary ones are chosen
	contrastPeriod = 7 * 24 * time.Hour
)

// ContrastAttack puts attackers beside those who asked the same API as people
// do, so that a person sees what differs.
func (a *API) ContrastAttack(ctx context.Context, r v1.ContrastAttackRequestObject) (v1.ContrastAttackResponseObject, error) {
	s, err := a.rows()
	if err != nil {
		return nil, err
	}
	x, err := one[span](ctx, a, record.Attack, r.Id)
	if err != nil {
		return nil, err
	}
	out := v1.Contrast{Attack: x.ID, By: v1.ContrastByClient, To: x.LastSeen.Add(time.Second), Attackers: []v1.Contrasted{}, Ordinary: []v1.Contrasted{}, Features: []v1.ContrastFeature{}}
	out.From = x.FirstSeen
	if least := out.To.Add(-contrastPeriod); out.From.Before(least) {
		out.From = least // of a long attack its end
	}
	if out.To.Before(time.Unix(1, 0)) || len(x.APIs) == 0 {
		return v1.ContrastAttack200JSONResponse(out), nil
	}
	out.Api = x.APIs[0]
	of := observation.Filter{From: out.From, To: out.To, Site: x.Site, API: out.Api}
	theirs := of
	theirs.Within = []observation.Scope{x.scope()}
	usual := of
	usual.Verdicts = observation.SetOf(observation.Normal)
	for _, d := range []observation.Dimension{observation.BySession, observation.ByActor, observation.ByClient} {
		evil, err := s.Top(ctx, observation.TopQuery{Filter: theirs, Of: d, Limit: contrastEach})
		if err != nil {
			return nil, observed(err)
		}
		good, err := s.Top(ctx, observation.TopQuery{Filter: usual, Of: d, Limit: contrastAmong})
		if err != nil {
			return nil, observed(err)
		}
		if (len(evil.List) == 0 || len(good.List) == 0) && d != observation.ByClient {
			continue // who asks is not told apart so
		}
		out.By = v1.ContrastBy(d.String())
		if out.Attackers, err = a.contrasted(ctx, s, theirs, d, evil.List, nil); err != nil {
			return nil, observed(err)
		}
		if out.Ordinary, err = a.contrasted(ctx, s, usual, d, spreadOut(good.List, evil.List), x.scope().Clients); err != nil {
			return nil, observed(err)
		}
		break
	}
	out.Features = contrast(out.Attackers, out.Ordinary)
	return v1.ContrastAttack200JSONResponse(out), nil
}

// spreadOut chooses from askers, the busiest first, without those that are not
// meant: one of many requests, one of a usual number, one of few, and then
// others that may take their places.
func spreadOut(list, without []observation.Tally) []observation.Tally {
	list = slices.DeleteFunc(slices.Clone(list), func(t observation.Tally) bool {
		return slices.ContainsFunc(without, func(o observation.Tally) bool { return o.Key == t.Key })
	})
	n := len(list)
	if n <= contrastEach {
		return list
	}
	places := []int{n / 10, n / 2, n * 9 / 10}
	out := make([]observation.Tally, 0, 2*contrastEach)
	for _, i := range places {
		out = append(out, list[i])
	}
	for i := range list {
		if len(out) < 2*contrastEach && !slices.Contains(places, i) {
			out = append(out, list[i])
		}
	}
	return out
}

// contrasted tells of askers, but for those who share an address with others.
func (a *API) contrasted(ctx context.Context, s observation.Store, f observation.Filter, d observation.Dimension, list []observation.Tally, without []netip.Addr) ([]v1.Contrasted, error) {
	out := []v1.Contrasted{}
	for _, t := range list {
		if len(out) == contrastEach {
			break
		}
		own, err := f.With(d, t.Key)
		if err != nil {
			return out, err
		}
		p, err := s.Search(ctx, observation.SearchQuery{Filter: own, Limit: contrastLooked})
		if err != nil {
			return out, err
		}
		if slices.ContainsFunc(p.Rows, func(r observation.Row) bool { return slices.Contains(without, r.Client) }) || len(p.Rows) == 0 {
			continue
		}
		out = append(out, contrastedOf(t, p.Rows))
	}
	return out, nil
}

func contrastedOf(t observation.Tally, rows []observation.Row) v1.Contrasted {
	c := v1.Contrasted{Key: t.Key, Requests: int64(t.Value), Looked: int64(len(rows)), Rows: []v1.Observation{}, First: moments(rows[len(rows)-1].Time), Last: moments(rows[0].Time)}
	targets, clients := map[uint64]bool{}, map[netip.Addr]bool{}
	var gaps []float64
	good := 0
	for i := range rows {
		r := &rows[i]
		if len(c.Rows) < contrastRows {
			c.Rows = append(c.Rows, row(r))
		}
		if i > 0 {
			gaps = append(gaps, float64(rows[i-1].Time-r.Time)/float64(time.Second))
		}
		if r.Account != 0 {
			targets[r.Account] = true
		}
		clients[r.Client] = true
		c.Subjects += int64(r.Subjects)
		if r.Outcome == catalog.OutcomeSuccess {
			good++
		}
	}
	c.Targets, c.Clients, c.Success = int64(len(targets)), int64(len(clients)), float64(good)/float64(len(rows))
	if len(gaps) > 0 {
		slices.Sort(gaps)
		c.Spacing = gaps[len(gaps)/2]
	}
	return c
}

// contrast gives the means of both sides, what differs most first.
func contrast(evil, good []v1.Contrasted) []v1.ContrastFeature {
	out := []v1.ContrastFeature{}
	if len(evil) == 0 || len(good) == 0 {
		return out
	}
	mean := func(list []v1.Contrasted, of func(*v1.Contrasted) float64) (sum float64) {
		for i := range list {
			sum += of(&list[i])
		}
		return sum / float64(len(list))
	}
	for _, f := range []struct {
		name v1.ContrastFeatureName
		of   func(*v1.Contrasted) float64
	}{
		{v1.ContrastFeatureNameRequests, func(c *v1.Contrasted) float64 { return float64(c.Requests) }}, {v1.ContrastFeatureNameTargets, func(c *v1.Contrasted) float64 { return float64(c.Targets) }},
		{v1.ContrastFeatureNameSpacing, func(c *v1.Contrasted) float64 { return c.Spacing }}, {v1.ContrastFeatureNameSuccess, func(c *v1.Contrasted) float64 { return c.Success }},
		{v1.ContrastFeatureNameSubjects, func(c *v1.Contrasted) float64 { return float64(c.Subjects) }}, {v1.ContrastFeatureNameClients, func(c *v1.Contrasted) float64 { return float64(c.Clients) }},
	} {
		x := v1.ContrastFeature{Name: f.name, Attack: mean(evil, f.of), Ordinary: mean(good, f.of)}
		if x.Ordinary > 0 {
			x.Ratio = x.Attack / x.Ordinary
		}
		out = append(out, x)
	}
	far := func(x *v1.ContrastFeature) float64 {
		switch {
		case x.Attack == x.Ordinary:
			return 0
		case x.Attack == 0 || x.Ordinary == 0:
			return math.Inf(1)
		}
		return math.Abs(math.Log(x.Ratio))
	}
	slices.SortStableFunc(out, func(a, b v1.ContrastFeature) int { return cmp.Compare(far(&b), far(&a)) })
	return out
}
