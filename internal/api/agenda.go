package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// What an agenda is chosen from: the gravest defects, those that came back, and
// the attacks that were seen last.
const (
	agendaMost       = 20
	agendaDefects    = 100
	agendaRegressed  = 50
	agendaAttacks    = 500
	agendaExploiters = 300
)

// GetAgenda says what a person should do first.
func (a *API) GetAgenda(ctx context.Context, r v1.GetAgendaRequestObject) (v1.GetAgendaResponseObject, error) {
	now, err := a.seen(ctx)
	if err != nil {
		return nil, err
	}
	list, err := a.agenda(ctx, r.Params.Site, now, cmp.Or(r.Params.Limit, agendaMost))
	return v1.GetAgenda200JSONResponse{Items: list, Now: now}, err
}

// seen is the time of the traffic.
func (a *API) seen(ctx context.Context) (now time.Time, err error) {
	if a.cfg.Seen != nil {
		now = a.cfg.Seen()
	}
	if now.Unix() <= 0 {
		now = time.Time{} // a judge that has seen nothing is at the beginning of time
	}
	for _, kind := range []record.Kind{record.API, record.Attack} {
		if !now.IsZero() {
			break
		}
		p, err := a.cfg.Store.List(ctx, record.Query{Kind: kind, Limit: 1})
		if err != nil {
			return now, err
		}
		if len(p.Records) > 0 {
			now = p.Records[0].Last
		}
	}
	return now.UTC(), nil
}

func (a *API) agenda(ctx context.Context, site string, now time.Time, most int) ([]report.Todo, error) {
	if now.IsZero() {
		now = a.cfg.Now() // nothing was seen yet
	}
	w := report.Work{Now: now, People: map[string]uint64{}}
	var err error
	if w.Defects, err = a.gravest(ctx, site); err != nil {
		return nil, err
	}
	q := record.Query{Kind: record.Attack, Site: site, State: []string{taxonomy.Confirmed.String()}, From: now.Add(-24 * time.Hour), Limit: agendaAttacks}
	attacks, err := listed[report.Attack](ctx, a, q)
	if err != nil {
		return nil, err
	}
	w.Attacks = attacks
	if err := a.exploiters(ctx, &w); err != nil {
		return nil, err
	}
	if site == "" {
		w.Troubles = troubles(a.status(ctx))
		if in := a.input(); in != nil {
			w.Quality = in.Quality
		}
	}
	list := w.Agenda(a.cfg.Messages, most)
	if list == nil {
		list = []report.Todo{}
	}
	return list, nil
}

// input is what was read, where somebody knows.
func (a *API) input() *report.Input {
	if a.cfg.Input == nil {
		return nil
	}
	return a.cfg.Input()
}

// gravest gives the defects among which are those to mend first.
func (a *API) gravest(ctx context.Context, site string) ([]report.Defect, error) {
	q := record.Query{Kind: record.Defect, Site: site, State: both(nil, open), Sort: record.ByRank0, Limit: agendaDefects}
	came := q
	came.State, came.Limit = []string{string(taxonomy.Regressed)}, agendaRegressed
	var out []report.Defect
	known := map[string]bool{}
	for _, q := range []record.Query{q, came} {
		p, err := a.cfg.Store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range p.Records {
			d := report.Defect{Site: p.Records[i].Site}
			if json.Unmarshal(p.Records[i].Body, &d) == nil && !known[d.ID] {
				known[d.ID] = true
				out = append(out, d)
			}
		}
	}
	return out, nil
}

// exploiters looks up how many people the attacks saw that go through defects.
func (a *API) exploiters(ctx context.Context, w *report.Work) error {
	looked := 0
	for i := range w.Defects {
		for _, id := range w.Defects[i].ExploitedBy {
			if _, ok := w.People[id]; ok || looked == agendaExploiters {
				continue
			}
			looked++
			w.People[id] = 0
			x, err := one[report.Attack](ctx, a, record.Attack, id)
			switch {
			case errors.Is(err, record.ErrNotFound): // it was joined with another
			case err != nil:
				return err
			default:
				w.People[id] = x.SubjectsExposed
			}
		}
	}
	return nil
}

// listed gives the elements of one page.
func listed[T any](ctx context.Context, a *API, q record.Query) ([]T, error) {
	p, err := a.cfg.Store.List(ctx, q)
	out := make([]T, 0, len(p.Records))
	for i := range p.Records {
		var x T
		if json.Unmarshal(p.Records[i].Body, &x) == nil {
			out = append(out, x)
		}
	}
	return out, err
}

// troubles gives the parts of a service that do not work as they should, and
// sources that are not there.
func troubles(s v1.Status) (out []report.Trouble) {
	add := func(list []v1.Part, off bool) {
		for _, p := range list {
			if p.State == v1.PartStateDegraded || p.State == v1.PartStateFailing || off && p.State == v1.PartStateOff {
				out = append(out, report.Trouble{Name: p.Name, Failing: p.State == v1.PartStateFailing, Since: p.Since, Text: p.Text})
			}
		}
	}
	add(s.Sources, true)
	add([]v1.Part{s.Stream}, false)
	add(s.Judges, false)
	add(s.Stores, false)
	return out
}
