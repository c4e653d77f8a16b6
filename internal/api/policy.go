package api

import (
	"context"
	"net/http"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// AddPublic puts an API on the allow-list.
func (a *API) AddPublic(ctx context.Context, q v1.AddPublicRequestObject) (v1.AddPublicResponseObject, error) {
	e := v1.PolicyEntry{Kind: v1.PolicyEntryKindPublic}
	if err := fill(q.Body, &e); err != nil {
		return nil, err
	}
	err := a.decide(ctx, &e)
	return v1.AddPublic201JSONResponse(e), err
}

// AddApproval permits what would else be a finding.
func (a *API) AddApproval(ctx context.Context, q v1.AddApprovalRequestObject) (v1.AddApprovalResponseObject, error) {
	e := v1.PolicyEntry{Kind: v1.PolicyEntryKindApproval}
	if err := fill(q.Body, &e); err != nil {
		return nil, err
	}
	err := a.decide(ctx, &e)
	return v1.AddApproval201JSONResponse(e), err
}

// EditTemplate edits the catalogue.
func (a *API) EditTemplate(ctx context.Context, q v1.EditTemplateRequestObject) (v1.EditTemplateResponseObject, error) {
	e := v1.PolicyEntry{Kind: v1.PolicyEntryKindTemplate}
	if err := fill(q.Body, &e); err != nil {
		return nil, err
	}
	err := a.decide(ctx, &e)
	return v1.EditTemplate201JSONResponse(e), err
}

// JudgeDefect says what a defect is.
func (a *API) JudgeDefect(ctx context.Context, q v1.JudgeDefectRequestObject) (v1.JudgeDefectResponseObject, error) {
	e, err := a.judge(ctx, q.Id, q.Body)
	return v1.JudgeDefect201JSONResponse(e), err
}

func (a *API) judge(ctx context.Context, id string, v *v1.NewVerdict) (e v1.PolicyEntry, err error) {
	r, err := a.cfg.Store.Get(ctx, record.Defect, id)
	if err != nil {
		return e, err
	}
	if string(v.Verdict) == string(taxonomy.AcceptedRisk) && v.Expires.IsZero() {
		return e, wrong(field{name: "expires", id: "missing"})
	}
	e = v1.PolicyEntry{Kind: v1.PolicyEntryKindVerdict, Site: r.Site, Defect: r.ID}
	if err := fill(v, &e); err != nil {
		return e, err
	}
	return e, a.decide(ctx, &e)
}

// JudgeDefects says the same of several defects. One that cannot be judged does
// not keep the others from it; what concerns all of them is an error.
func (a *API) JudgeDefects(ctx context.Context, q v1.JudgeDefectsRequestObject) (v1.JudgeDefectsResponseObject, error) {
	out := v1.JudgeDefects200JSONResponse{Items: []v1.PolicyEntry{}, Failed: []v1.FailedVerdict{}}
	v := v1.NewVerdict{Verdict: v1.NewVerdictVerdict(q.Body.Verdict), Reason: q.Body.Reason, Expires: q.Body.Expires}
	for _, id := range q.Body.Defects {
		e, err := a.judge(ctx, id, &v)
		if err == nil {
			out.Items = append(out.Items, e)
			continue
		}
		p := asProblem(err)
		if p.status == http.StatusBadRequest || p.status >= http.StatusInternalServerError {
			return nil, err
		}
		out.Failed = append(out.Failed, v1.FailedVerdict{Defect: id, Code: p.code, Title: a.cfg.Messages.Text("http.title."+p.code, nil).In(ask(ctx).lang)})
	}
	return out, nil
}

// ClaimFix claims that a defect is mended.
func (a *API) ClaimFix(ctx context.Context, q v1.ClaimFixRequestObject) (v1.ClaimFixResponseObject, error) {
	r, err := a.cfg.Store.Get(ctx, record.Defect, q.Id)
	if err != nil {
		return nil, err
	}
	e := v1.PolicyEntry{Kind: v1.PolicyEntryKindFix, Site: r.Site, Defect: r.ID}
	if err := fill(q.Body, &e); err != nil {
		return nil, err
	}
	err = a.decide(ctx, &e)
	return v1.ClaimFix201JSONResponse(e), err
}

// ListPolicy gives a page of decisions.
func (a *API) ListPolicy(ctx context.Context, r v1.ListPolicyRequestObject) (v1.ListPolicyResponseObject, error) {
	q, err := questionOf(record.Policy, r.Params)
	if err != nil {
		return nil, err
	}
	list, err := a.cfg.Store.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := v1.ListPolicy200JSONResponse{Items: []v1.PolicyEntry{}, Next: list.Next}
	for i := range list.Records {
		e, err := entryOf(&list.Records[i])
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, e)
	}
	out.Total, err = a.total(ctx, &q, &list)
	return out, err
}

// GetPolicy gives one decision.
func (a *API) GetPolicy(ctx context.Context, q v1.GetPolicyRequestObject) (v1.GetPolicyResponseObject, error) {
	r, err := a.cfg.Store.Get(ctx, record.Policy, q.Id)
	if err != nil {
		return nil, err
	}
	e, err := entryOf(&r)
	return v1.GetPolicy200JSONResponse(e), err
}

// EndPolicy ends a decision before its time.
func (a *API) EndPolicy(ctx context.Context, q v1.EndPolicyRequestObject) (v1.EndPolicyResponseObject, error) {
	a.deciding.Lock()
	defer a.deciding.Unlock()
	old, err := a.cfg.Store.Get(ctx, record.Policy, q.Id)
	if err != nil {
		return nil, err
	}
	e, err := entryOf(&old)
	if err != nil {
		return nil, err
	}
	switch {
	case e.Kind == v1.PolicyEntryKindTemplate && lasting(e.Edit) || e.Kind == v1.PolicyEntryKindFix:
		return nil, refuse(http.StatusConflict, "endless", nil)
	case e.State != v1.PolicyEntryStateLive:
		return nil, refuse(http.StatusConflict, "not_live", message.Args{"state": string(e.State)})
	}
	err = a.end(ctx, &e, q.Body.Reason)
	return v1.EndPolicy200JSONResponse(e), err
}

// end keeps that a decision holds no longer, and tells the judges.
func (a *API) end(ctx context.Context, e *v1.PolicyEntry, reason string) error {
	e.State, e.Ended, e.EndedBy, e.EndedReason = v1.PolicyEntryStateEnding, a.when(ctx), ask(ctx).who.id, reason
	e.Rev++
	r, err := a.recordOf(ctx, e, uint64(e.Rev))
	if err != nil {
		return err
	}
	if err := a.commit(ctx, "policy.end", e.Id, map[string]any{"reason": reason}, record.Batch{Put: []record.Record{r}}); err != nil {
		return err
	}
	return a.hand(ctx, e)
}

// lasting reports whether an edit of the catalogue cannot be taken back.
func lasting(edit v1.PolicyEntryEdit) bool {
	return (&policy.Template{Edit: string(edit)}).Lasting()
}
