package api

import (
	"context"
	"errors"
	"sync"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/catalog"
	"xiezhi/internal/store/observation"
)

// A surge is many times the attack traffic that was usual just before, so that
// one screen says whether something is going on now.
const (
	surgeLast   = 15 * time.Minute
	surgeBefore = 4 * time.Hour
	surgeTimes  = 3
	surgeLeast  = 50
)

// verdictsOf are the lines of an overview's traffic.
var verdictsOf = [...]observation.Verdict{observation.Normal, observation.Suspicious, observation.Attack}

// countedRows fills in what is counted in single observations, all from sums by
// the minute.
func (a *API) countedRows(ctx context.Context, p *period, seen time.Time, out *v1.Overview) error {
	s := a.cfg.Observations
	if s == nil {
		return nil
	}
	now, old := observation.Filter{From: p.from, To: p.to, Site: p.site}, observation.Filter{From: p.before(), To: p.from, Site: p.site}
	refused := observation.SetOf(catalog.OutcomeDenied, catalog.OutcomeThrottled)
	blocked := func(f observation.Filter) observation.Filter {
		f.Outcomes, f.Verdicts = refused, observation.SetOf(observation.Suspicious, observation.Attack)
		return f
	}
	step := stepOf(p.step)
	var group sync.WaitGroup
	var errs [9]error
	r := v1.RowFigures{}
	do := func(i int, f func() error) { group.Go(func() { errs[i] = f() }) }
	var traffic, stopped observation.Series
	do(0, func() (err error) {
		traffic, err = s.Series(ctx, observation.SeriesQuery{Filter: now, Step: step, Offset: p.offset, By: observation.ByVerdict})
		return err
	})
	do(1, func() (err error) {
		stopped, err = s.Series(ctx, observation.SeriesQuery{Filter: blocked(now), Step: step, Offset: p.offset})
		return err
	})
	var were, people, peopleBefore, stoppedBefore observation.Top
	for i, t := range []struct {
		into    *observation.Top
		f       observation.Filter
		measure observation.Measure
	}{{&were, old, observation.Rows}, {&people, now, observation.Subjects}, {&peopleBefore, old, observation.Subjects}, {&stoppedBefore, blocked(old), observation.Rows}} {
		do(2+i, func() (err error) {
			*t.into, err = s.Top(ctx, observation.TopQuery{Filter: t.f, Of: observation.ByVerdict, Measure: t.measure})
			return err
		})
	}
	do(6, func() (err error) {
		r.Surge, err = a.surge(ctx, s, p.site, seen)
		return err
	})
	var later, laterBefore hindsight
	do(7, func() (err error) { later, err = a.knownOf(ctx, now, step, p.offset, refused); return err })
	do(8, func() (err error) { laterBefore, err = a.knownOf(ctx, old, step, p.offset, refused); return err })
	group.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return observed(err)
	}
	of := func(t *observation.Top, v observation.Verdict) int64 {
		for _, x := range t.List {
			if x.Key == v.String() {
				return int64(x.Value)
			}
		}
		return 0
	}
	line := func(s *observation.Series, key string) (int64, []int64) {
		values := make([]int64, len(s.Starts))
		for _, l := range s.Lines {
			if l.Key != key || l.Rest {
				continue
			}
			for i, v := range l.Values {
				values[i] = int64(v)
			}
			return int64(l.Total), values
		}
		return 0, values
	}
	r.Traffic.Starts = make([]v1.Time, 0, len(traffic.Starts))
	for _, at := range traffic.Starts {
		r.Traffic.Starts = append(r.Traffic.Starts, moments(at))
	}
	figures := [...]*v1.Figure{&r.Requests.Normal, &r.Requests.Suspicious, &r.Requests.Attack}
	lines := [...]*[]int64{&r.Traffic.Normal, &r.Traffic.Suspicious, &r.Traffic.Attack}
	for i, v := range verdictsOf {
		figures[i].Value, *lines[i] = line(&traffic, v.String())
		figures[i].Before = of(&were, v)
	}
	r.Requests.Blocked.Value, r.Traffic.Blocked = line(&stopped, "")
	r.Requests.Blocked.Before = int64(stoppedBefore.Total)
	r.Records = v1.Figure{Value: int64(people.Total), Before: int64(peopleBefore.Total)}
	r.People = v1.Figure{Value: of(&people, observation.Attack), Before: of(&peopleBefore, observation.Attack)}
	later.correct(&r, func(f *v1.Figure) *int64 { return &f.Value })
	laterBefore.correct(&r, func(f *v1.Figure) *int64 { return &f.Before })
	later.redraw(&r.Traffic)
	out.Rows = r
	return nil
}

func stepOf(s v1.Step) observation.Step {
	switch s {
	case v1.StepMinute:
		return observation.Minute
	case v1.StepHour:
		return observation.Hour
	}
	return observation.Daily
}

// surge compares the attack traffic of the last minutes of traffic with that of
// the hours before.
func (a *API) surge(ctx context.Context, s observation.Store, site string, seen time.Time) (out v1.Surge, err error) {
	to := seen.Truncate(time.Minute)
	if seen.IsZero() || to.Add(-surgeLast-surgeBefore).Before(time.Unix(0, 0)) {
		to = time.Unix(0, 0).Add(surgeLast + surgeBefore) // nothing was seen yet
	}
	out = v1.Surge{From: to.Add(-surgeLast).UTC(), To: to.UTC(), ReferenceFrom: to.Add(-surgeLast - surgeBefore).UTC()}
	got, err := s.Series(ctx, observation.SeriesQuery{Step: observation.Minute,
		Filter: observation.Filter{From: out.ReferenceFrom, To: out.To, Site: site, Verdicts: observation.SetOf(observation.Attack)}})
	if err != nil {
		return out, err
	}
	within, err := a.scopesOf(ctx, site, out.ReferenceFrom, out.To)
	if err != nil {
		return out, err
	}
	series := []observation.Series{got}
	if len(within) > 0 {
		more, err := s.Series(ctx, observation.SeriesQuery{Step: observation.Minute,
			Filter: observation.Filter{From: out.ReferenceFrom, To: out.To, Site: site, Verdicts: unmarked, Within: within}})
		if err != nil {
			return out, err
		}
		series = append(series, more)
	}
	before := uint64(0)
	for _, got := range series {
		for _, l := range got.Lines {
			for i, n := range l.Values {
				if got.Starts[i] >= out.From.UnixNano() {
					out.Requests += int64(n)
				} else {
					before += n
				}
			}
		}
	}
	out.Reference = float64(before) * float64(surgeLast) / float64(surgeBefore)
	if before > 0 {
		out.Ratio = float64(out.Requests) / out.Reference
	}
	out.Surge = out.Requests >= surgeLeast && float64(out.Requests) >= surgeTimes*out.Reference
	return out, nil
}
