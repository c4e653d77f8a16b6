package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/oapi-codegen/runtime/types"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report"
	"xiezhi/internal/store/record"
)

// Caps of an activity.
const (
	activityAttacks = 2000 // that are read, the latest
	activityDays    = 800  // the latest
	activityLines   = 12   // where a request does not say
)

// course is what of an attack says when it did what.
type course struct {
	ID       string            `json:"id"`
	Kind     string            `json:"kind"`
	Scenario string            `json:"scenario"`
	Site     string            `json:"site"`
	Verdict  string            `json:"verdict"`
	Activity []report.Activity `json:"activity"`
}

func (c *course) key(by v1.CountActivityParamsBy) string {
	switch by {
	case v1.CountActivityParamsByScenario:
		return c.Scenario
	case v1.CountActivityParamsBySite:
		return c.Site
	case v1.CountActivityParamsByVerdict:
		return c.Verdict
	case v1.CountActivityParamsByAttack:
		return c.ID
	}
	return c.Kind
}

// done is what was asked of a site in a day.
type done struct{ requests, succeeded, blocked int64 }

func (d *done) add(o done) {
	d.requests += o.requests
	d.succeeded += o.succeeded
	d.blocked += o.blocked
}

// CountActivity gives the requests of attacks by day. Days are as attacks count
// them.
func (a *API) CountActivity(ctx context.Context, r v1.CountActivityRequestObject) (v1.CountActivityResponseObject, error) {
	out := v1.CountActivity200JSONResponse{Lines: []v1.ActivityLine{}}
	list, left, err := a.courses(ctx, &r.Params)
	if err != nil {
		return nil, err
	}
	out.Attacks, out.LeftOut = len(list), left
	from, to := dayOf(r.Params.From), dayOf(r.Params.To)
	lines := map[string]map[int]done{}
	totals := map[string]int64{}
	first, last := 0, -1
	for i := range list {
		for _, x := range list[i].Activity {
			at, err := time.Parse(time.DateOnly, x.Day)
			if err != nil || from != "" && x.Day < from || to != "" && x.Day > to {
				continue
			}
			day := int(at.Unix() / 86400)
			if last < first {
				first, last = day, day
			}
			first, last = min(first, day), max(last, day)
			key := list[i].key(r.Params.By)
			if lines[key] == nil {
				lines[key] = map[int]done{}
			}
			d := lines[key][day]
			d.add(done{int64(x.Requests), int64(x.Succeeded), int64(x.Blocked)})
			lines[key][day] = d
			totals[key] += int64(x.Requests)
		}
	}
	if last < first {
		return out, nil
	}
	first = max(first, last-activityDays+1)
	out.First = types.Date{Time: time.Unix(int64(first)*86400, 0).UTC()}
	out.Days = last - first + 1
	keys := []string{}
	for k := range lines {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(a, b)) })
	most := cmp.Or(r.Params.Lines, activityLines)
	for _, k := range keys[:min(len(keys), most)] {
		out.Lines = append(out.Lines, activityLine(k, first, out.Days, lines[k]))
	}
	if len(keys) > most {
		rest := map[int]done{}
		for _, k := range keys[most:] {
			for day, d := range lines[k] {
				sum := rest[day]
				sum.add(d)
				rest[day] = sum
			}
		}
		l := activityLine("", first, out.Days, rest)
		l.Rest = true
		out.Lines = append(out.Lines, l)
	}
	return out, nil
}

func activityLine(key string, first, days int, of map[int]done) v1.ActivityLine {
	l := v1.ActivityLine{Key: key, Requests: make([]int64, days), Succeeded: make([]int64, days), Blocked: make([]int64, days)}
	for day, d := range of {
		if i := day - first; i >= 0 {
			l.Requests[i], l.Succeeded[i], l.Blocked[i] = d.requests, d.succeeded, d.blocked
		}
	}
	return l
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly) // in the zone that it was asked in
}

// courses reads the attacks that are asked for, the latest first, and says how
// many it left out.
func (a *API) courses(ctx context.Context, p *v1.CountActivityParams) (out []course, left int, err error) {
	if p.Campaign != "" {
		c, err := one[report.Campaign](ctx, a, record.Campaign, p.Campaign)
		if err != nil {
			return nil, 0, err
		}
		ids := c.Attacks // the oldest first
		left = max(0, len(ids)-activityAttacks)
		for _, id := range ids[left:] {
			x, err := one[course](ctx, a, record.Attack, id)
			if errors.Is(err, record.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, 0, err
			}
			out = append(out, x)
		}
		return out, left, nil
	}
	q, err := questionOf(record.Attack, p)
	if err != nil {
		return nil, 0, err
	}
	q.Limit = record.MaxPage
	for len(out) < activityAttacks {
		page, err := a.cfg.Store.List(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		for i := range page.Records {
			var x course
			if json.Unmarshal(page.Records[i].Body, &x) == nil {
				out = append(out, x)
			}
		}
		if q.After = page.Next; q.After == "" {
			return out, 0, nil
		}
	}
	q.After = ""
	n, err := a.cfg.Store.Count(ctx, q)
	return out, max(0, int(n)-len(out)), err
}
