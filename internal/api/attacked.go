package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// attackedMost bounds the attacks that are gone through for months; the latest
// are.
const attackedMost = 20_000

// CountAttackedAPIs counts by month the APIs that confirmed attacks reached, as
// the statistics of a report do.
func (a *API) CountAttackedAPIs(ctx context.Context, r v1.CountAttackedAPIsRequestObject) (v1.CountAttackedAPIsResponseObject, error) {
	q := record.Query{Kind: record.Attack, Site: r.Params.Site, From: r.Params.From, Born: record.Span{To: r.Params.To}, State: []string{taxonomy.Confirmed.String()},
		Limit: record.MaxPage}
	from, to := "", "9"
	if !q.From.IsZero() {
		from = q.From.Add(-dayAhead).Format(time.DateOnly)
	}
	if !q.Born.To.IsZero() {
		to = q.Born.To.Add(dayAhead).Format(time.DateOnly)
	}
	type monthAPI struct{ month, api string }
	seen := map[monthAPI]bool{}
	counts := map[string]int64{}
	looked := int64(0)
	for {
		list, next, err := a.activities(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			looked++
			for _, d := range x.Activity {
				if d.API == "" || d.Requests == 0 || len(d.Day) < len("2006-01") || d.Day < from || d.Day > to {
					continue
				}
				if k := (monthAPI{d.Day[:len("2006-01")], d.API}); !seen[k] {
					seen[k] = true
					counts[k.month]++
				}
			}
		}
		if q.After = next; next == "" || looked >= attackedMost {
			break
		}
	}
	out := v1.CountAttackedAPIs200JSONResponse{Months: []v1.AttackedMonth{}}
	if q.After != "" {
		q.After = ""
		n, err := a.cfg.Store.Count(ctx, q)
		if err != nil {
			return nil, err
		}
		out.LeftOut = max(int64(n)-looked, 0)
	}
	for m, n := range counts {
		out.Months = append(out.Months, v1.AttackedMonth{Month: m, Apis: n})
	}
	slices.SortFunc(out.Months, func(a, b v1.AttackedMonth) int { return cmp.Compare(a.Month, b.Month) })
	return out, nil
}

// dayAhead is how far the day of a site may be from that of UTC.
const dayAhead = 14 * time.Hour
