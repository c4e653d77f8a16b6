package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/defect"
	"xiezhi/internal/judge"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// What an overview is made of.
const (
	overviewPeriod    = 24 * time.Hour
	overviewMost      = 400 * 24 * time.Hour
	overviewTodo      = 5
	overviewAttacks   = 1000 // whose scenarios are summed up, the latest
	overviewClosed    = 1000 // closed defects that are looked at, the latest
	overviewMinutes   = 6 * time.Hour
	overviewHours     = 32 * 24 * time.Hour
	overviewSites     = 100
	overviewBlind     = 20
	overviewQualities = 50
)

// period is the time that an overview is about, in whole steps.
type period struct {
	from, to time.Time
	step     v1.Step
	offset   time.Duration
	site     string
}

// before gives the beginning of the period before.
func (p *period) before() time.Time { return p.from.Add(-p.to.Sub(p.from)) }

// periodOf reads the period that is asked for. Steps are of the clock that the
// offset tells, and their number is bounded.
func (a *API) periodOf(q *v1.GetOverviewParams, seen time.Time) (p period, err error) {
	p = period{from: q.From, to: q.To, site: q.Site, offset: time.Duration(q.Offset) * time.Minute}
	if p.to.IsZero() {
		p.to = seen
	}
	if p.to.IsZero() {
		p.to = a.cfg.Now() // nothing was seen yet
	}
	if p.from.IsZero() {
		p.from = p.to.Add(-overviewPeriod)
	}
	length := p.to.Sub(p.from)
	switch {
	case length <= 0:
		return p, wrong(field{name: "from", id: "order"})
	case length > overviewMost:
		return p, wrong(field{name: "from", id: "span", args: message.Args{"days": int(overviewMost / (24 * time.Hour))}})
	}
	unit := 24 * time.Hour
	switch p.step = v1.StepDay; {
	case length <= overviewMinutes:
		p.step, unit = v1.StepMinute, time.Minute
	case length <= overviewHours:
		p.step, unit = v1.StepHour, time.Hour
	}
	down := func(t time.Time) time.Time { return t.Add(p.offset).Truncate(unit).Add(-p.offset).UTC() }
	p.from, p.to = down(p.from), down(p.to.Add(unit-1))
	if p.from.Add(-length).Before(time.Unix(0, 0)) {
		return p, wrong(field{name: "from", id: "time"})
	}
	return p, nil
}

// GetOverview gives what the first screen shows.
func (a *API) GetOverview(ctx context.Context, r v1.GetOverviewRequestObject) (v1.GetOverviewResponseObject, error) {
	seen, err := a.seen(ctx)
	if err != nil {
		return nil, err
	}
	p, err := a.periodOf(&r.Params, seen)
	if err != nil {
		return nil, err
	}
	out := v1.Overview{From: p.from, To: p.to, Step: p.step, Now: a.cfg.Now().UTC(), Seen: seen, Scenarios: []v1.ScenarioFigure{}}
	// Findings and rows are of different stores; neither waits for the other.
	var group sync.WaitGroup
	var errs [2]error
	group.Go(func() { errs[0] = a.countedRows(ctx, &p, seen, &out) })
	group.Go(func() { errs[1] = a.countedFindings(ctx, &p, seen, &out) })
	group.Wait()
	return v1.GetOverview200JSONResponse(out), errors.Join(errs[:]...)
}

func (a *API) countedFindings(ctx context.Context, p *period, seen time.Time, out *v1.Overview) (err error) {
	for _, f := range []struct {
		into *v1.Figure
		kind record.Kind
		born bool
	}{{&out.Apis, record.API, false}, {&out.NewApis, record.API, true}, {&out.Attacks, record.Attack, false}, {&out.Campaigns, record.Campaign, false}} {
		if f.into.Value, err = a.during(ctx, f.kind, p.site, p.from, p.to, f.born); err != nil {
			return err
		}
		if f.into.Before, err = a.during(ctx, f.kind, p.site, p.before(), p.from, f.born); err != nil {
			return err
		}
	}
	if out.Defects, err = a.openDefects(ctx, p); err != nil {
		return err
	}
	if out.Scenarios, out.ScenariosLeftOut, err = a.scenarios(ctx, p); err != nil {
		return err
	}
	if out.Agenda, err = a.agenda(ctx, p.site, seen, overviewTodo); err != nil {
		return err
	}
	out.Quality, err = a.quality(ctx, p.site)
	return err
}

// during counts what went on in a time: it was seen then or later, and first
// before its end; or what began in it. What is only suspected is no attack yet.
func (a *API) during(ctx context.Context, kind record.Kind, site string, from, to time.Time, born bool) (int64, error) {
	q := record.Query{Kind: kind, Site: site, From: from, Born: record.Span{To: to}}
	if born {
		q.From, q.Born.From = time.Time{}, from
	}
	switch kind {
	case record.Attack:
		q.State = sureVerdicts
	case record.Campaign:
		q.Site = ""
		mention(&q, site)
	}
	n, err := a.cfg.Store.Count(ctx, q)
	return int64(n), err
}

// sureVerdicts are those from which on an attack counts in statistics.
var sureVerdicts = []string{taxonomy.Likely.String(), taxonomy.Confirmed.String()}

// openDefects counts what is to be mended now, and what was when a period began:
// those of now that were there, and those that were closed since.
func (a *API) openDefects(ctx context.Context, p *period) (out v1.OpenDefects, err error) {
	out.Severity = map[string]int64{}
	q := record.Query{Kind: record.Defect, Site: p.site, State: both(nil, open)}
	groups, err := a.cfg.Store.Tally(ctx, q)
	if err != nil {
		return out, err
	}
	for _, g := range groups {
		out.Severity[g.Severity] += int64(g.Count)
		out.Value += int64(g.Count)
	}
	q.Born.From = p.from
	n, err := a.cfg.Store.Count(ctx, q)
	if err != nil {
		return out, err
	}
	out.New = int64(n)
	out.Before = out.Value - out.New
	q.Born, q.State, q.Limit = record.Span{To: p.from}, both(nil, shut), overviewClosed
	closed, err := listed[struct {
		Status string       `json:"status"`
		Life   *report.Life `json:"life"`
	}](ctx, a, q)
	for _, d := range closed {
		if d.Life != nil && len(d.Life.History) > 0 && !d.Life.History[len(d.Life.History)-1].Time.Before(p.from) {
			out.Before++
		}
	}
	return out, err
}

// scenarios sums up attacks by scenario. Days are as attacks count them.
func (a *API) scenarios(ctx context.Context, p *period) (out []v1.ScenarioFigure, left int64, err error) {
	out = []v1.ScenarioFigure{}
	q := record.Query{Kind: record.Attack, Site: p.site, From: p.from, Born: record.Span{To: p.to}, State: sureVerdicts, Limit: record.MaxPage}
	from, to := p.from.Add(p.offset).Format(time.DateOnly), p.to.Add(p.offset-1).Format(time.DateOnly)
	at := map[string]int{}
	apis := map[[2]string]bool{}
	total, looked := int64(0), int64(0)
	for looked < overviewAttacks {
		list, next, err := a.activities(ctx, q)
		if err != nil {
			return out, 0, err
		}
		for _, x := range list {
			looked++
			i, ok := at[x.Scenario]
			if !ok {
				i = len(out)
				at[x.Scenario] = i
				out = append(out, v1.ScenarioFigure{Scenario: x.Scenario})
			}
			f := &out[i]
			f.Attacks++
			for _, d := range x.Activity {
				if d.Day < from || d.Day > to {
					continue
				}
				f.Requests += int64(d.Requests)
				total += int64(d.Requests)
				if k := [2]string{x.Scenario, d.API}; d.API != "" && !apis[k] {
					apis[k] = true
					f.Apis++
				}
			}
		}
		if q.After = next; next == "" {
			break
		}
	}
	if q.After != "" {
		q.After = ""
		n, err := a.cfg.Store.Count(ctx, q)
		if err != nil {
			return out, 0, err
		}
		left = int64(n) - looked
	}
	for i := range out {
		if total > 0 {
			out[i].Share = float64(out[i].Requests) / float64(total)
		}
	}
	slices.SortFunc(out, func(a, b v1.ScenarioFigure) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), cmp.Compare(a.Scenario, b.Scenario))
	})
	return out, max(left, 0), nil
}

// active is what of an attack says when it did what.
type active struct {
	Scenario string            `json:"scenario"`
	Activity []report.Activity `json:"activity"`
}

func (a *API) activities(ctx context.Context, q record.Query) (out []active, next string, err error) {
	p, err := a.cfg.Store.List(ctx, q)
	for i := range p.Records {
		var x active
		if json.Unmarshal(p.Records[i].Body, &x) == nil {
			out = append(out, x)
		}
	}
	return out, p.Next, err
}

// shut lists the states of defects about which nothing is to be done.
var shut = slices.DeleteFunc(defectStates(), func(s string) bool { return !defect.Closed(taxonomy.DefectStatus(s)) })

// quality says what was lost and could not be seen, and how each site is.
func (a *API) quality(ctx context.Context, site string) (v1.InputQuality, error) {
	s := a.status(ctx)
	out := v1.InputQuality{Exchanges: s.Exchanges, Analysed: s.Analysed, Dropped: s.Dropped, Codes: []v1.QualityCode{}, Blind: []v1.BlindServer{}, Limits: []v1.Loss{}, Sites: []v1.SiteQuality{}}
	parts := map[string]*v1.Part{}
	for i := range s.Judges {
		parts[s.Judges[i].Name] = &s.Judges[i]
	}
	if order := parts["order"]; order != nil {
		out.Late, out.Ahead = int64(order.Figures["late"]), int64(order.Figures["clock_ahead"])
	}
	if in := a.input(); in != nil {
		a.qualities(in, &out)
	}
	list, err := listed[kept.Site](ctx, a, record.Query{Kind: record.Site, Site: site, Limit: overviewSites})
	for i := range list {
		x := v1.SiteQuality{Site: list[i].Site.Name, Exchanges: int64(list[i].Input.Exchanges), State: v1.SiteQualityStateOk}
		if list[i].Input.Last != nil {
			x.Last = *list[i].Input.Last
		}
		if p := parts[x.Site]; p != nil {
			x.State, x.Text = v1.SiteQualityState(p.State), p.Text
		}
		out.Sites = append(out.Sites, x)
	}
	return out, err
}

func (a *API) qualities(in *report.Input, out *v1.InputQuality) {
	for _, q := range in.Quality[:min(len(in.Quality), overviewQualities)] {
		detail := message.Text{}
		if q.Detail != "" {
			detail = a.cfg.Messages.Text("report.detail", message.Args{"detail": report.Inert(q.Detail)})
		}
		out.NotWarm = out.NotWarm || q.Code == string(taxonomy.QualityNotWarm)
		out.Codes = append(out.Codes, v1.QualityCode{Code: q.Code, Count: int64(q.Count), Text: a.cfg.Messages.Text("quality_line."+q.Code, message.Args{"n": q.Count, "detail": detail})})
	}
	for _, b := range in.Blind[:min(len(in.Blind), overviewBlind)] {
		out.Blind = append(out.Blind, v1.BlindServer{Server: b.Server, Name: b.Name, Protocol: b.Protocol, Reason: b.Reason, Connections: int64(b.Connections), Bytes: int64(b.Bytes)})
	}
	for _, l := range in.Limits {
		out.Limits = append(out.Limits, v1.Loss{Reason: l.What, Count: int64(l.Count), Text: a.limit(l)})
	}
}

// limit says what was given up at a cap, and whether something may be missed.
func (a *API) limit(l report.LimitCount) message.Text {
	what := message.Text{Zh: l.What, En: l.What}
	if id := "limit." + l.What; a.cfg.Messages.Has(id) {
		what = a.cfg.Messages.Text(id, nil)
	}
	line := "limit_line.full"
	if (judge.Limit{What: l.What}).Modest() {
		line = "limit_line.modest"
	}
	return a.cfg.Messages.Text(line, message.Args{"what": what, "n": l.Count})
}
