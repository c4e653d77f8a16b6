package api

import (
	"context"
	"encoding/json"
	"slices"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/defect"
	"xiezhi/internal/report"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// page is how many elements a page has where the request does not say.
const page = 50

func size(limit int) int {
	if limit == 0 {
		return page
	}
	return limit
}

// query begins a query of what all lists can be held to.
func query(kind record.Kind, site, text string, from, to v1.Time, cursor string, limit int) record.Query {
	q := record.Query{Kind: kind, Site: site, From: from, To: to, After: cursor, Limit: size(limit)}
	if text != "" {
		q.Words = append(q.Words, kept.Fold(text))
	}
	return q
}

// listOf reads a page. A body that is no such element is left out: it is of
// another version.
func listOf[T any](ctx context.Context, a *API, q record.Query, shorten func(*T)) ([]T, string, error) {
	p, err := a.cfg.Store.List(ctx, q)
	if err != nil {
		return nil, "", err
	}
	out := make([]T, 0, len(p.Records))
	for i := range p.Records {
		var x T
		if err := json.Unmarshal(p.Records[i].Body, &x); err != nil {
			a.faults.Add(1)
			a.cfg.Log.Error("a record cannot be read", "kind", p.Records[i].Kind, "id", p.Records[i].ID, "error", err)
			continue
		}
		if shorten != nil {
			shorten(&x)
		}
		out = append(out, x)
	}
	return out, p.Next, nil
}

func one[T any](ctx context.Context, a *API, kind record.Kind, id string) (x T, err error) {
	r, err := a.cfg.Store.Get(ctx, kind, id)
	if err != nil {
		return x, err
	}
	return x, json.Unmarshal(r.Body, &x)
}

// ListSites gives a page of sites.
func (a *API) ListSites(ctx context.Context, r v1.ListSitesRequestObject) (v1.ListSitesResponseObject, error) {
	p := r.Params
	items, next, err := listOf[v1.Site](ctx, a, query(record.Site, "", p.Text, v1.Time{}, v1.Time{}, p.Cursor, p.Limit), nil)
	return v1.ListSites200JSONResponse{Items: items, Next: next}, err
}

// GetSite gives one.
func (a *API) GetSite(ctx context.Context, r v1.GetSiteRequestObject) (v1.GetSiteResponseObject, error) {
	x, err := one[v1.Site](ctx, a, record.Site, r.Site)
	return v1.GetSite200JSONResponse(x), err
}

// ListAPIs gives a page of APIs without their contracts.
func (a *API) ListAPIs(ctx context.Context, r v1.ListAPIsRequestObject) (v1.ListAPIsResponseObject, error) {
	p := r.Params
	q := query(record.API, p.Site, p.Text, p.From, p.To, p.Cursor, p.Limit)
	q.Type, q.State = p.Role, p.Lifecycle
	tag := func(value string, tag func(string) string) {
		if value != "" {
			q.Words = append(q.Words, tag(kept.Fold(value)))
		}
	}
	tag(p.Auth, kept.TagAuth)
	tag(p.Exposure, kept.TagExposure)
	tag(p.Method, kept.TagMethod)
	tag(p.Data, kept.TagData)
	if p.Sensitive != nil && *p.Sensitive {
		q.Words = append(q.Words, kept.TagSensitive())
	}
	if p.Gone != nil && *p.Gone {
		q.Words = append(q.Words, kept.TagGone())
	}
	items, next, err := listOf(ctx, a, q, func(x *report.API) { x.Contract = nil })
	return v1.ListAPIs200JSONResponse{Items: items, Next: next}, err
}

// GetAPI gives one with its contract.
func (a *API) GetAPI(ctx context.Context, r v1.GetAPIRequestObject) (v1.GetAPIResponseObject, error) {
	x, err := one[report.API](ctx, a, record.API, r.Id)
	return v1.GetAPI200JSONResponse(x), err
}

// open lists the states of defects about which something is to be done.
var open = slices.DeleteFunc([]string{string(taxonomy.Candidate), string(taxonomy.Probable), string(taxonomy.Established), string(taxonomy.FixClaimed),
	string(taxonomy.Verifying), string(taxonomy.Fixed), string(taxonomy.Regressed), string(taxonomy.AcceptedRisk), string(taxonomy.FalsePositive), string(taxonomy.DefectRetired)},
	func(s string) bool { return defect.Closed(taxonomy.DefectStatus(s)) })

// none is a value that nothing has: a filter that leaves nothing over.
const none = "\uffff"

// both narrows a filter to what another allows; an empty one allows all.
func both(have, and []string) []string {
	if len(have) == 0 {
		return and
	}
	out := slices.DeleteFunc(slices.Clone(have), func(s string) bool { return !slices.Contains(and, s) })
	if len(out) == 0 {
		return []string{none}
	}
	return out
}

// kindsOf gives the kinds that belong to the named groups.
func kindsOf[K, G ~string](groups []string, of map[K]G) []string {
	out := []string{}
	for k, g := range of {
		if slices.Contains(groups, string(g)) {
			out = append(out, string(k))
		}
	}
	if len(out) == 0 {
		return []string{none}
	}
	return out
}

// ListDefects gives a page of defects.
func (a *API) ListDefects(ctx context.Context, r v1.ListDefectsRequestObject) (v1.ListDefectsResponseObject, error) {
	p := r.Params
	q := query(record.Defect, p.Site, p.Text, p.From, p.To, p.Cursor, p.Limit)
	q.Type, q.State, q.Severity = p.Kind, p.Status, p.Severity
	if len(p.Class) > 0 {
		q.Type = both(q.Type, kindsOf(p.Class, taxonomy.ClassOf))
	}
	if p.Open != nil && *p.Open {
		q.State = both(q.State, open)
	}
	if p.Api != "" {
		q.Mentions = append(q.Mentions, p.Api)
	}
	items, next, err := listOf[report.Defect](ctx, a, q, nil)
	return v1.ListDefects200JSONResponse{Items: items, Next: next}, err
}

// GetDefect gives one.
func (a *API) GetDefect(ctx context.Context, r v1.GetDefectRequestObject) (v1.GetDefectResponseObject, error) {
	x, err := one[report.Defect](ctx, a, record.Defect, r.Id)
	return v1.GetDefect200JSONResponse(x), err
}

// shortIPs is how many addresses of an attack a list shows.
const shortIPs = 10

// ListAttacks gives a page of attacks in short.
func (a *API) ListAttacks(ctx context.Context, r v1.ListAttacksRequestObject) (v1.ListAttacksResponseObject, error) {
	p := r.Params
	q := query(record.Attack, p.Site, p.Text, p.From, p.To, p.Cursor, p.Limit)
	q.Type, q.State = p.Kind, p.Verdict
	if len(p.Scenario) > 0 {
		q.Type = both(q.Type, kindsOf(p.Scenario, taxonomy.ScenarioOf))
	}
	for _, id := range []string{p.Api, p.Defect} {
		if id != "" {
			q.Mentions = append(q.Mentions, id)
		}
	}
	items, next, err := listOf(ctx, a, q, func(x *report.Attack) {
		x.Actors.IPs = x.Actors.IPs[:min(len(x.Actors.IPs), shortIPs)]
		x.Selector.Keys.IP = x.Selector.Keys.IP[:min(len(x.Selector.Keys.IP), shortIPs)]
		x.Activity, x.Signature = []report.Activity{}, []report.Mark{}
	})
	return v1.ListAttacks200JSONResponse{Items: items, Next: next}, err
}

// GetAttack gives one.
func (a *API) GetAttack(ctx context.Context, r v1.GetAttackRequestObject) (v1.GetAttackResponseObject, error) {
	x, err := one[report.Attack](ctx, a, record.Attack, r.Id)
	return v1.GetAttack200JSONResponse(x), err
}

// ListCampaigns gives a page of campaigns. A campaign is of every site that it
// names.
func (a *API) ListCampaigns(ctx context.Context, r v1.ListCampaignsRequestObject) (v1.ListCampaignsResponseObject, error) {
	p := r.Params
	q := query(record.Campaign, "", p.Text, p.From, p.To, p.Cursor, p.Limit)
	for _, s := range append([]string{p.Site, p.Attack}, p.Scenario...) {
		if s != "" {
			q.Mentions = append(q.Mentions, s)
		}
	}
	items, next, err := listOf[report.Campaign](ctx, a, q, nil)
	return v1.ListCampaigns200JSONResponse{Items: items, Next: next}, err
}

// GetCampaign gives one.
func (a *API) GetCampaign(ctx context.Context, r v1.GetCampaignRequestObject) (v1.GetCampaignResponseObject, error) {
	x, err := one[report.Campaign](ctx, a, record.Campaign, r.Id)
	return v1.GetCampaign200JSONResponse(x), err
}
