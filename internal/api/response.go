package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/respond"
	"xiezhi/internal/respond/bouncer"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// errNoDesk: this process decides nothing for gateways.
var errNoDesk = refuse(http.StatusServiceUnavailable, "no_desk", nil)

// refusedDecision makes a problem of why a decision is not made.
func (a *API) refusedDecision(ctx context.Context, err error) error {
	var r *respond.Refusal
	switch {
	case errors.As(err, &r):
		return &problem{status: http.StatusUnprocessableEntity, code: "decision", fields: []field{{text: r.Why(a.cfg.Messages).In(ask(ctx).lang)}}}
	case errors.Is(err, respond.ErrState):
		return refuse(http.StatusConflict, "decision_state", nil)
	case errors.Is(err, respond.ErrSelf):
		return refuse(http.StatusForbidden, "decision_self", nil)
	}
	return err
}

func person(ctx context.Context) respond.Person {
	x := ask(ctx)
	return respond.Person{ID: x.who.id, Name: x.who.name}
}

// ListDecisions gives a page of what gateways do.
func (a *API) ListDecisions(ctx context.Context, r v1.ListDecisionsRequestObject) (v1.ListDecisionsResponseObject, error) {
	q, err := questionOf(record.Decision, r.Params)
	if err != nil {
		return nil, err
	}
	list, err := a.cfg.Store.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := v1.ListDecisions200JSONResponse{Items: []v1.Decision{}, Next: list.Next}
	for i := range list.Records {
		x, err := a.decisionOf(&list.Records[i])
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, *x)
	}
	out.Total, err = a.total(ctx, &q, &list)
	return out, err
}

func (a *API) decisionOf(r *record.Record) (*respond.Decision, error) {
	x, err := respond.Read(r)
	if err == nil && a.cfg.Desk != nil {
		x.Met = a.cfg.Desk.Met(x.ID)
	}
	return x, err
}

// GetDecision gives one.
func (a *API) GetDecision(ctx context.Context, q v1.GetDecisionRequestObject) (v1.GetDecisionResponseObject, error) {
	r, err := a.cfg.Store.Get(ctx, record.Decision, q.Id)
	if err != nil {
		return nil, err
	}
	x, err := a.decisionOf(&r)
	if err != nil {
		return nil, err
	}
	return v1.GetDecision200JSONResponse(*x), nil
}

// AddDecision decides.
func (a *API) AddDecision(ctx context.Context, q v1.AddDecisionRequestObject) (v1.AddDecisionResponseObject, error) {
	x, err := a.decideGateways(ctx, q.Body, false)
	if err != nil {
		return nil, err
	}
	return v1.AddDecision201JSONResponse(*x), nil
}

// PreviewDecision says what a decision would meet, and keeps nothing.
func (a *API) PreviewDecision(ctx context.Context, q v1.PreviewDecisionRequestObject) (v1.PreviewDecisionResponseObject, error) {
	x, err := a.decideGateways(ctx, q.Body, true)
	if err != nil {
		return nil, err
	}
	return v1.PreviewDecision200JSONResponse(*x), nil
}

func (a *API) decideGateways(ctx context.Context, n *v1.NewDecision, dry bool) (*respond.Decision, error) {
	if a.cfg.Desk == nil {
		return nil, errNoDesk
	}
	x := respond.Decision{Site: n.Site, Action: taxonomy.Action(n.Action), Rate: n.Rate, Attack: n.Attack, Defect: n.Defect,
		Expires: a.when(ctx).Add(time.Duration(n.Seconds) * time.Second), Reason: message.Text{Zh: n.Reason, En: n.Reason}, Selector: respond.Selector{Keys: n.Keys}}
	if p := n.Patch; len(p.Fields) > 0 || p.Records > 0 || p.Uniform != nil {
		x.Patch = &p
	}
	apis := n.Apis
	if n.Attack != "" {
		k, err := one[report.Attack](ctx, a, record.Attack, n.Attack)
		if err != nil {
			return nil, err
		}
		x.Site = k.Site
		if x.Selector.Keys.None() && len(apis) == 0 { // the selector of the report
			apis, x.Selector.Keys = k.Selector.APIs, respond.Keys(k.Selector.Keys)
		}
	}
	if n.Defect != "" {
		more, err := a.ofDefect(ctx, &x)
		if err != nil {
			return nil, err
		}
		apis = append(slices.Clone(apis), more)
	}
	slices.Sort(apis)
	for _, id := range slices.Compact(apis) {
		api, site, err := a.cfg.Desk.Named(ctx, id)
		if err != nil {
			return nil, err
		}
		if x.Site == "" {
			x.Site = site
		}
		if site != x.Site {
			return nil, wrong(field{name: "apis", id: "site"})
		}
		x.Selector.APIs = append(x.Selector.APIs, api)
	}
	out, err := a.cfg.Desk.Create(ctx, person(ctx), x, dry)
	if err != nil {
		return nil, a.refusedDecision(ctx, err)
	}
	return out, nil
}

// ofDefect makes a decision about a defect: where nothing else is said, what is
// shown without a mask gets one.
func (a *API) ofDefect(ctx context.Context, x *respond.Decision) (api string, err error) {
	d, err := one[report.Defect](ctx, a, record.Defect, x.Defect)
	if err != nil {
		return "", err
	}
	if x.Patch != nil || x.Action != taxonomy.ActMask {
		return d.API, nil
	}
	p, err := one[report.API](ctx, a, record.API, d.API)
	if err != nil {
		return "", err
	}
	x.Patch = &respond.Patch{}
	for _, s := range p.Sensitive {
		if s.In == "response" && !s.Masked && len(x.Patch.Fields) < respond.MaxFields && !slices.Contains(x.Patch.Fields, s.Path) {
			x.Patch.Fields = append(x.Patch.Fields, s.Path)
		}
	}
	return d.API, nil
}

// UndoDecision ends one.
func (a *API) UndoDecision(ctx context.Context, q v1.UndoDecisionRequestObject) (v1.UndoDecisionResponseObject, error) {
	if a.cfg.Desk == nil {
		return nil, errNoDesk
	}
	x, err := a.cfg.Desk.Undo(ctx, person(ctx), q.Id, q.Body.Reason)
	if err != nil {
		return nil, a.refusedDecision(ctx, err)
	}
	return v1.UndoDecision200JSONResponse(*x), nil
}

// ApproveDecision lets one be carried out.
func (a *API) ApproveDecision(ctx context.Context, q v1.ApproveDecisionRequestObject) (v1.ApproveDecisionResponseObject, error) {
	if a.cfg.Desk == nil {
		return nil, errNoDesk
	}
	x, err := a.cfg.Desk.Approve(ctx, person(ctx), q.Id)
	if err != nil {
		return nil, a.refusedDecision(ctx, err)
	}
	return v1.ApproveDecision200JSONResponse(*x), nil
}

// GetEnforcement says whether decisions are carried out.
func (a *API) GetEnforcement(context.Context, v1.GetEnforcementRequestObject) (v1.GetEnforcementResponseObject, error) {
	if a.cfg.Desk == nil {
		return nil, errNoDesk
	}
	return v1.GetEnforcement200JSONResponse(a.enforcement()), nil
}

func (a *API) enforcement() v1.Enforcement {
	s, f := a.cfg.Desk.Stopped(), a.cfg.Desk.Figures()
	e := v1.Enforcement{Stopped: s.Stopped, By: s.By, ByName: s.Name, Reason: s.Reason, At: s.At,
		Active: f.Live[respond.Active], Waiting: f.Live[respond.Waiting], Proposed: f.Live[respond.Proposed], Left: f.Left, AttacksLost: int(f.Lost), Failed: int(f.Failed)}
	if a.cfg.Gate != nil {
		c, g := &a.cfg.Gate.Counts, &e.Gate
		g.Asked, g.Blocked, g.Limited, g.Challenged, g.Proved = int(c.Asked.Load()), int(c.Blocked.Load()), int(c.Limited.Load()), int(c.Challenged.Load()), int(c.Proved.Load())
		g.Tagged, g.Patched, g.Unread, g.Unpatched = int(c.Tagged.Load()), int(c.Patched.Load()), int(c.Unread.Load()), int(c.Unpatched.Load())
	}
	return e
}

// SetEnforcement is the kill switch.
func (a *API) SetEnforcement(ctx context.Context, q v1.SetEnforcementRequestObject) (v1.SetEnforcementResponseObject, error) {
	if a.cfg.Desk == nil {
		return nil, errNoDesk
	}
	if _, err := a.cfg.Desk.Stop(ctx, person(ctx), q.Body.Stopped, q.Body.Reason); err != nil {
		return nil, err
	}
	a.hub.publish(Event{Topic: "status"})
	return v1.SetEnforcement200JSONResponse(a.enforcement()), nil
}

// DecisionChanged tells listeners.
func (a *API) DecisionChanged(d *respond.Decision) {
	a.hub.publish(Event{Topic: "decision", ID: d.ID, Site: d.Site})
}

func (a *API) bouncerOf(k bouncer.Key) v1.Bouncer {
	x := v1.Bouncer{Id: k.ID, Name: k.Name, Site: k.Site, By: k.By, At: k.At}
	if a.cfg.Bouncers != nil {
		s := a.cfg.Bouncers.Seen(k.ID)
		x.Seen, x.Agent, x.Address, x.Pulls, x.Blocked = s.At, s.Agent, s.Address, int64(s.Pulls), int64(s.Blocked)
	}
	return x
}

// ListBouncers gives the gateways that may ask.
func (a *API) ListBouncers(ctx context.Context, _ v1.ListBouncersRequestObject) (v1.ListBouncersResponseObject, error) {
	out := v1.ListBouncers200JSONResponse{Items: []v1.Bouncer{}}
	err := a.every(ctx, record.Query{Kind: record.Bouncer}, func(r *record.Record) error {
		k, err := bouncer.ReadKey(r)
		out.Items = append(out.Items, a.bouncerOf(k))
		return err
	})
	slices.SortFunc(out.Items, func(x, y v1.Bouncer) int { return strings.Compare(x.Name+x.Id, y.Name+y.Id) })
	return out, err
}

// AddBouncer makes a key.
func (a *API) AddBouncer(ctx context.Context, q v1.AddBouncerRequestObject) (v1.AddBouncerResponseObject, error) {
	a.deciding.Lock()
	defer a.deciding.Unlock()
	n, err := a.cfg.Store.Count(ctx, record.Query{Kind: record.Bouncer})
	if err != nil {
		return nil, err
	}
	if n >= bouncer.MaxKeys {
		return nil, refuse(http.StatusConflict, "full", message.Args{"most": bouncer.MaxKeys})
	}
	secret, err := a.random(32)
	if err != nil {
		return nil, err
	}
	secret = bouncer.KeyPrefix + secret
	k := bouncer.Key{Name: norm.NFC.String(q.Body.Name), Site: q.Body.Site, By: ask(ctx).who.id, At: a.when(ctx)}
	r := a.kept(ctx, record.Bouncer, bouncer.IDOf(secret), 1)
	r.Site = k.Site
	if r.Body, err = json.Marshal(k); err != nil {
		return nil, err
	}
	if err := a.commit(ctx, "bouncer.create", r.ID, map[string]any{"name": k.Name, "site": k.Site}, record.Batch{Put: []record.Record{r}}); err != nil {
		return nil, err
	}
	k.ID = r.ID
	return v1.AddBouncer201JSONResponse{Key: secret, Info: a.bouncerOf(k)}, a.bouncersChanged(ctx)
}

// DeleteBouncer ends a key at once.
func (a *API) DeleteBouncer(ctx context.Context, q v1.DeleteBouncerRequestObject) (v1.DeleteBouncerResponseObject, error) {
	r, err := a.cfg.Store.Get(ctx, record.Bouncer, q.Id)
	if err != nil {
		return nil, err
	}
	if err := a.commit(ctx, "bouncer.delete", r.ID, nil, record.Batch{Delete: []record.Key{{Kind: record.Bouncer, ID: r.ID, Rev: r.Rev}}}); err != nil {
		return nil, err
	}
	return v1.DeleteBouncer204Response{}, a.bouncersChanged(ctx)
}

func (a *API) bouncersChanged(ctx context.Context) error {
	if a.cfg.Bouncers == nil {
		return nil
	}
	return a.cfg.Bouncers.Load(ctx)
}
