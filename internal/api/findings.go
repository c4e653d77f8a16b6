package api

import (
	"context"
	"encoding/json"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/report"
	"xiezhi/internal/store/record"
)

// usual is how many elements a page has where the request does not say.
const usual = 50

func size(limit int) int {
	if limit == 0 {
		return usual
	}
	return limit
}

// page is one page of a list.
type page[T any] struct {
	items []T
	next  string
	total int64
}

// listOf reads a page. A body that is no such element is left out: it is of
// another version.
func listOf[T any](ctx context.Context, a *API, q record.Query, shorten func(*T)) (out page[T], err error) {
	p, err := a.cfg.Store.List(ctx, q)
	if err != nil {
		return out, err
	}
	out.items, out.next = make([]T, 0, len(p.Records)), p.Next
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
		out.items = append(out.items, x)
	}
	out.total, err = a.total(ctx, &q, &p)
	return out, err
}

// total counts what a query asks for, unless its page is all.
func (a *API) total(ctx context.Context, q *record.Query, p *record.Page) (int64, error) {
	if q.After == "" && p.Next == "" {
		return int64(len(p.Records)), nil
	}
	n, err := a.cfg.Store.Count(ctx, *q)
	return int64(n), err
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
	q, err := questionOf(record.Site, r.Params)
	if err != nil {
		return nil, err
	}
	p, err := listOf[v1.Site](ctx, a, q, nil)
	return v1.ListSites200JSONResponse{Items: p.items, Next: p.next, Total: p.total}, err
}

// GetSite gives one.
func (a *API) GetSite(ctx context.Context, r v1.GetSiteRequestObject) (v1.GetSiteResponseObject, error) {
	x, err := one[v1.Site](ctx, a, record.Site, r.Site)
	return v1.GetSite200JSONResponse(x), err
}

func shortAPI(x *report.API) { x.Contract = nil }

// ListAPIs gives a page of APIs without their contracts.
func (a *API) ListAPIs(ctx context.Context, r v1.ListAPIsRequestObject) (v1.ListAPIsResponseObject, error) {
	q, err := questionOf(record.API, r.Params)
	if err != nil {
		return nil, err
	}
	if mark := string(r.Params.Drift); mark != "" {
		p, err := a.listMarked(ctx, q, mark)
		return v1.ListAPIs200JSONResponse{Items: p.items, Next: p.next, Total: p.total}, err
	}
	p, err := listOf(ctx, a, q, shortAPI)
	return v1.ListAPIs200JSONResponse{Items: p.items, Next: p.next, Total: p.total}, err
}

// GetAPI gives one with its contract.
func (a *API) GetAPI(ctx context.Context, r v1.GetAPIRequestObject) (v1.GetAPIResponseObject, error) {
	x, err := one[report.API](ctx, a, record.API, r.Id)
	return v1.GetAPI200JSONResponse(x), err
}

// ListDefects gives a page of defects.
func (a *API) ListDefects(ctx context.Context, r v1.ListDefectsRequestObject) (v1.ListDefectsResponseObject, error) {
	q, err := questionOf(record.Defect, r.Params)
	if err != nil {
		return nil, err
	}
	p, err := listOf[report.Defect](ctx, a, q, nil)
	return v1.ListDefects200JSONResponse{Items: p.items, Next: p.next, Total: p.total}, err
}

// GetDefect gives one.
func (a *API) GetDefect(ctx context.Context, r v1.GetDefectRequestObject) (v1.GetDefectResponseObject, error) {
	x, err := one[report.Defect](ctx, a, record.Defect, r.Id)
	return v1.GetDefect200JSONResponse(x), err
}

// shortIPs is how many addresses of an attack a list shows.
const shortIPs = 10

func shortAttack(x *report.Attack) {
	x.Actors.IPs = x.Actors.IPs[:min(len(x.Actors.IPs), shortIPs)]
	x.Selector.Keys.IP = x.Selector.Keys.IP[:min(len(x.Selector.Keys.IP), shortIPs)]
	x.Activity, x.Signature = []report.Activity{}, []report.Mark{}
}

// ListAttacks gives a page of attacks in short.
func (a *API) ListAttacks(ctx context.Context, r v1.ListAttacksRequestObject) (v1.ListAttacksResponseObject, error) {
	q, err := questionOf(record.Attack, r.Params)
	if err != nil {
		return nil, err
	}
	p, err := listOf(ctx, a, q, shortAttack)
	return v1.ListAttacks200JSONResponse{Items: p.items, Next: p.next, Total: p.total}, err
}

// GetAttack gives one.
func (a *API) GetAttack(ctx context.Context, r v1.GetAttackRequestObject) (v1.GetAttackResponseObject, error) {
	x, err := one[report.Attack](ctx, a, record.Attack, r.Id)
	return v1.GetAttack200JSONResponse(x), err
}

// ListCampaigns gives a page of campaigns.
func (a *API) ListCampaigns(ctx context.Context, r v1.ListCampaignsRequestObject) (v1.ListCampaignsResponseObject, error) {
	q, err := questionOf(record.Campaign, r.Params)
	if err != nil {
		return nil, err
	}
	p, err := listOf[report.Campaign](ctx, a, q, nil)
	return v1.ListCampaigns200JSONResponse{Items: p.items, Next: p.next, Total: p.total}, err
}

// GetCampaign gives one.
func (a *API) GetCampaign(ctx context.Context, r v1.GetCampaignRequestObject) (v1.GetCampaignResponseObject, error) {
	x, err := one[report.Campaign](ctx, a, record.Campaign, r.Id)
	return v1.GetCampaign200JSONResponse(x), err
}
