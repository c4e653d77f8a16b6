package api

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// What a history is put together from.
const (
	historyUsual   = 100
	historyDefects = 100
	historyAttacks = 100
)

// GetAPIHistory says what became of an API: the states of its defects, the
// attacks on it, what people decided about it.
func (a *API) GetAPIHistory(ctx context.Context, r v1.GetAPIHistoryRequestObject) (v1.GetAPIHistoryResponseObject, error) {
	x, err := one[report.API](ctx, a, record.API, r.Id)
	if err != nil {
		return nil, err
	}
	out := v1.APIHistory{Api: x.ID, Items: []v1.HistoryItem{}, Defects: []v1.HistoryDefect{}}
	say := func(id string) message.Text { return a.cfg.Messages.Text("history."+id, nil) }
	out.Items = append(out.Items, v1.HistoryItem{Time: x.FirstSeen, Kind: v1.HistoryItemKindAppeared, Text: say("appeared")})
	switch {
	case x.Lifecycle == string(taxonomy.LifeRetired):
		out.Items = append(out.Items, v1.HistoryItem{Time: x.LastSeen, Kind: v1.HistoryItemKindSilent, Text: say("silent")})
	case x.Gone:
		out.Items = append(out.Items, v1.HistoryItem{Time: x.LastSeen, Kind: v1.HistoryItemKindGone, Text: say("gone")})
	}
	for _, step := range []func(context.Context, *report.API, *v1.APIHistory) error{a.historyOfDefects, a.historyOfAttacks, a.historyOfDecisions} {
		if err := step(ctx, &x, &out); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out.Items, func(a, b v1.HistoryItem) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.Id, b.Id))
	})
	if n := cmp.Or(r.Params.Limit, historyUsual); len(out.Items) > n {
		out.LeftOut += int64(len(out.Items) - n)
		out.Items = out.Items[:n]
	}
	return v1.GetAPIHistory200JSONResponse(out), nil
}

func (a *API) historyOfDefects(ctx context.Context, x *report.API, out *v1.APIHistory) error {
	q := record.Query{Kind: record.Defect, Site: x.Site, Mentions: []string{x.ID}, Sort: record.ByRank0, Limit: historyDefects}
	p, err := a.cfg.Store.List(ctx, q)
	if err != nil {
		return err
	}
	total, err := a.total(ctx, &q, &p)
	if err != nil {
		return err
	}
	out.LeftOut += total - int64(len(p.Records))
	for i := range p.Records {
		var d report.Defect
		if json.Unmarshal(p.Records[i].Body, &d) != nil || d.API != x.ID {
			continue
		}
		item := v1.HistoryItem{Time: d.FirstSeen, Kind: v1.HistoryItemKindDefect, Id: d.ID, What: d.Kind, State: d.Status, Severity: d.Severity, Text: d.Reason}
		out.Items = append(out.Items, item)
		h := v1.HistoryDefect{Id: d.ID, Kind: d.Kind, Status: d.Status, Severity: d.Severity, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen}
		if d.Life != nil {
			for _, s := range d.Life.History {
				switch taxonomy.DefectStatus(s.Status) {
				case taxonomy.FixClaimed:
					h.Claims++
				case taxonomy.Regressed:
					h.Returns++
				}
				item.Time, item.Kind, item.State, item.Text = s.Time, v1.HistoryItemKindDefectState, s.Status, s.Text
				out.Items = append(out.Items, item)
			}
			if g := d.Life.Progress; g != nil {
				h.Progress = v1.HistoryProgress{Since: g.Since, Claimed: g.Claimed, Requests: int64(g.Requests), RequestsNeeded: int64(g.Needed), Hours: int64(g.Hours), HoursNeeded: int64(g.HoursNeeded),
					Days: g.Days, DaysNeeded: g.DaysNeeded, DaysLeft: max(g.DaysNeeded-g.Days, 0), Traffic: g.Traffic, TrafficNeeded: g.TrafficNeed}
			}
		}
		out.Defects = append(out.Defects, h)
	}
	return nil
}

func (a *API) historyOfAttacks(ctx context.Context, x *report.API, out *v1.APIHistory) error {
	q := record.Query{Kind: record.Attack, Site: x.Site, Mentions: []string{x.ID}, Limit: historyAttacks}
	p, err := a.cfg.Store.List(ctx, q)
	if err != nil {
		return err
	}
	total, err := a.total(ctx, &q, &p)
	if err != nil {
		return err
	}
	out.LeftOut += total - int64(len(p.Records))
	for i := range p.Records {
		r := &p.Records[i]
		var k struct{ Reason message.Text }
		if json.Unmarshal(r.Body, &k) == nil {
			out.Items = append(out.Items, v1.HistoryItem{Time: r.First, Kind: v1.HistoryItemKindAttack, Id: r.ID, What: r.Type, State: r.State, Text: k.Reason})
		}
	}
	return nil
}

// historyOfDecisions adds the entries of the allow-list, approvals and edits of
// the catalogue that are about the API. Verdicts and claims are in the life of
// its defects.
func (a *API) historyOfDecisions(ctx context.Context, x *report.API, out *v1.APIHistory) error {
	kinds := []string{string(v1.PolicyEntryKindPublic), string(v1.PolicyEntryKindApproval), string(v1.PolicyEntryKindTemplate)}
	return a.every(ctx, record.Query{Kind: record.Policy, Type: kinds}, func(r *record.Record) error {
		e, err := entryOf(r)
		t := policy.Target{Site: e.Site, Host: e.Host, Method: e.Method, Template: e.Template}
		if err != nil || e.State == v1.PolicyEntryStateRefused || !t.Covers(x.Site, x.Host, x.Method, x.Template) {
			return nil
		}
		at := e.At
		if at.IsZero() {
			at = time.Unix(0, 0).UTC() // it always held
		}
		out.Items = append(out.Items, v1.HistoryItem{Time: at, Kind: v1.HistoryItemKindDecision, Id: e.Id, What: string(e.Kind), State: string(e.State), By: e.ByName,
			Text: a.cfg.Messages.Text("history."+string(e.Kind), message.Args{"reason": report.Inert(e.Reason)})})
		return nil
	})
}
