package api

import (
	"context"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
)

// Rows are judged as they come: those of an attack that came before it was
// known are marked as normal. An overview counts them by what is known by now,
// as lists of an attack's rows do.

// unmarked are the verdicts of rows that were judged before more was known.
var unmarked = observation.SetOf(observation.Normal, observation.Suspicious)

// scopesOf gives the rows of the attacks of a time, of the latest where there
// are very many.
func (a *API) scopesOf(ctx context.Context, site string, from, to time.Time) ([]observation.Scope, error) {
	list, err := listed[span](ctx, a, record.Query{Kind: record.Attack, Site: site, From: from, Born: record.Span{To: to}, State: sureVerdicts, Limit: observation.MaxScopes})
	out := make([]observation.Scope, 0, len(list))
	for i := range list {
		out = append(out, list[i].scope())
	}
	return out, err
}

// hindsight is what of the rows of a time belongs to attacks without being marked.
type hindsight struct {
	normal, suspicious []int64 // by step
	blocked            []int64 // of the normal ones: the others count already
	people             int64
}

func (a *API) knownOf(ctx context.Context, f observation.Filter, step observation.Step, offset time.Duration, refused observation.Set) (k hindsight, err error) {
	if f.Within, err = a.scopesOf(ctx, f.Site, f.From, f.To); err != nil || len(f.Within) == 0 {
		return k, err
	}
	f.Verdicts = unmarked
	s := a.cfg.Observations
	rows, err := s.Series(ctx, observation.SeriesQuery{Filter: f, Step: step, Offset: offset, By: observation.ByVerdict})
	if err != nil {
		return k, err
	}
	people, err := s.Top(ctx, observation.TopQuery{Filter: f, Of: observation.ByVerdict, Measure: observation.Subjects})
	if err != nil {
		return k, err
	}
	f.Verdicts, f.Outcomes = observation.SetOf(observation.Normal), refused
	blocked, err := s.Series(ctx, observation.SeriesQuery{Filter: f, Step: step, Offset: offset, By: observation.ByVerdict})
	k.people = int64(people.Total)
	k.normal, k.suspicious, k.blocked = valuesOf(&rows, observation.Normal), valuesOf(&rows, observation.Suspicious), valuesOf(&blocked, observation.Normal)
	return k, err
}

// valuesOf gives the line of a verdict.
func valuesOf(s *observation.Series, v observation.Verdict) []int64 {
	out := make([]int64, len(s.Starts))
	for _, l := range s.Lines {
		if l.Rest || l.Key != v.String() {
			continue
		}
		for i, n := range l.Values {
			out[i] = int64(n)
		}
	}
	return out
}

// correct takes what is known by now into the sums of a time.
func (k *hindsight) correct(r *v1.RowFigures, of func(*v1.Figure) *int64) {
	normal, suspicious := sumOf(k.normal), sumOf(k.suspicious)
	less(of(&r.Requests.Normal), normal)
	less(of(&r.Requests.Suspicious), suspicious)
	*of(&r.Requests.Attack) += normal + suspicious
	*of(&r.Requests.Blocked) += sumOf(k.blocked)
	*of(&r.People) += k.people
}

// redraw takes it into the lines.
func (k *hindsight) redraw(t *v1.Traffic) {
	for i := range min(len(k.normal), len(t.Attack)) {
		less(&t.Normal[i], k.normal[i])
		less(&t.Suspicious[i], k.suspicious[i])
		t.Attack[i] += k.normal[i] + k.suspicious[i]
		t.Blocked[i] += k.blocked[i]
	}
}

// less never goes below nothing: rows may come between two questions.
func less(n *int64, by int64) { *n = max(*n-by, 0) }

func sumOf(list []int64) (n int64) {
	for _, v := range list {
		n += v
	}
	return n
}
