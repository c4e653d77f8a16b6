package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/record"
)

// maxPolicy is how many decisions there may be, as in a policy file.
const maxPolicy = policy.MaxEntries

// entryOf reads a decision. What moves on without people, its state, is the
// record's.
func entryOf(r *record.Record) (v1.PolicyEntry, error) {
	var e v1.PolicyEntry
	err := json.Unmarshal(r.Body, &e)
	e.Id, e.Rev, e.State = r.ID, int64(r.Rev), v1.PolicyEntryState(r.State)
	return e, err
}

func (a *API) recordOf(ctx context.Context, e *v1.PolicyEntry, rev uint64) (record.Record, error) {
	r := a.kept(ctx, record.Policy, e.Id, rev)
	r.Site, r.Type, r.State = e.Site, string(e.Kind), string(e.State)
	r.First, r.Last = e.At, e.At
	if r.Last.Before(r.First) {
		r.Last = r.First
	}
	words := strings.Join([]string{e.Host, e.Method + " " + e.Template, e.Title, e.ByName, e.Reason, strings.Join(e.Clients, " ")}, "\n")
	if words = kept.Fold(words); len(words) > record.MaxWords {
		words = strings.ToValidUTF8(words[:record.MaxWords], "")
	}
	r.Words = words
	var err error
	r.Body, err = json.Marshal(e)
	return r, err
}

// parsed gives a decision as the judges take it. It goes through the reader of
// policy files, so that one rule says what a decision may be.
func parsed(e *v1.PolicyEntry) (policy.Entry, error) {
	f, err := policyFile(e)
	if err != nil {
		return policy.Entry{}, err
	}
	list := f.Entries(e.Site)
	if len(list) != 1 {
		return policy.Entry{}, errors.New("no decision")
	}
	return list[0], nil
}

func policyFile(entries ...*v1.PolicyEntry) (*policy.File, error) {
	doc := map[string]any{"version": policy.Version}
	for _, e := range entries {
		x := map[string]any{}
		put := func(key string, v any) {
			if s, ok := v.(string); !ok || s != "" {
				x[key] = v
			}
		}
		put("at", e.At)
		if !e.Expires.IsZero() {
			put("expires", e.Expires)
		}
		put("by", e.ByName)
		put("reason", e.Reason)
		put("site", e.Site)
		put("host", e.Host)
		put("method", e.Method)
		put("template", e.Template)
		place := map[v1.PolicyEntryKind]string{v1.PolicyEntryKindPublic: "public", v1.PolicyEntryKindApproval: "approvals", v1.PolicyEntryKindVerdict: "verdicts", v1.PolicyEntryKindFix: "fixes", v1.PolicyEntryKindTemplate: "templates"}[e.Kind]
		switch e.Kind {
		case v1.PolicyEntryKindApproval:
			put("kind", string(e.Approval))
			if len(e.Clients) > 0 {
				put("clients", e.Clients)
			}
			if len(e.Kinds) > 0 {
				put("kinds", e.Kinds)
			}
			if e.MaxRecords > 0 {
				put("max_records", e.MaxRecords)
			}
		case v1.PolicyEntryKindVerdict:
			put("defect", e.Defect)
			put("verdict", string(e.Verdict))
		case v1.PolicyEntryKindFix:
			put("defect", e.Defect)
		case v1.PolicyEntryKindTemplate:
			put("edit", string(e.Edit))
			put("title", e.Title)
			put("role", e.Role)
		}
		list, _ := doc[place].([]any)
		doc[place] = append(list, x)
	}
	b, err := json.Marshal(doc) // JSON is YAML
	if err != nil {
		return nil, err
	}
	return policy.Parse("policy", b)
}

// fill makes an entry of a request's body, whose fields are called alike.
func fill(body any, e *v1.PolicyEntry) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, e)
}

// decide keeps a decision with its audit entry and hands it to the judges.
func (a *API) decide(ctx context.Context, e *v1.PolicyEntry) error {
	x := ask(ctx)
	id, err := a.random(12)
	if err != nil {
		return err
	}
	e.Id, e.Rev, e.State = "p-"+id, 1, v1.PolicyEntryStatePending
	e.By, e.ByName = x.who.id, x.who.name
	if e.At.IsZero() {
		e.At = a.when(ctx)
	}
	e.At, e.Expires = e.At.UTC(), e.Expires.UTC()
	for _, t := range []struct {
		name string
		at   v1.Time
	}{{"at", e.At}, {"expires", e.Expires}} {
		if !t.at.IsZero() && (t.at.Year() < 1980 || t.at.Year() > 2200) {
			return wrong(field{name: t.name, id: "time"})
		}
	}
	if !e.Expires.IsZero() && !e.Expires.After(a.when(ctx)) {
		return wrong(field{name: "expires", id: "past"})
	}
	for _, c := range e.Clients {
		if !network(c) {
			return wrong(field{name: "clients", id: "network"})
		}
	}
	if _, err := parsed(e); err != nil {
		return unprocessable(err)
	}
	a.deciding.Lock()
	defer a.deciding.Unlock()
	former, err := a.room(ctx, e)
	if err != nil {
		return err
	}
	r, err := a.recordOf(ctx, e, 1)
	if err != nil {
		return err
	}
	detail := map[string]any{"kind": string(e.Kind), "site": e.Site, "host": e.Host, "method": e.Method, "template": e.Template, "defect": e.Defect,
		"verdict": string(e.Verdict), "edit": string(e.Edit), "approval": string(e.Approval), "reason": e.Reason, "at": e.At.Format(timeForm)}
	if !e.Expires.IsZero() {
		detail["expires"] = e.Expires.Format(timeForm)
	}
	for k, v := range detail {
		if v == "" {
			delete(detail, k)
		}
	}
	if err := a.commit(ctx, "policy.add", e.Id, detail, record.Batch{Put: []record.Record{r}}); err != nil {
		return err
	}
	if err := a.hand(ctx, e); err != nil {
		return err
	}
	for i := range former {
		if err := a.end(ctx, &former[i], a.cfg.Messages.Text("policy.replaced", message.Args{"id": e.Id}).In(ask(ctx).lang)); err != nil {
			return err
		}
	}
	return nil
}

const timeForm = "2006-01-02T15:04:05Z07:00"

func network(s string) bool {
	if _, err := netip.ParsePrefix(s); err == nil {
		return true
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}

// unprocessable tells what the reader of policy files finds wrong.
func unprocessable(err error) error {
	return &problem{status: http.StatusUnprocessableEntity, code: "decision", fields: []field{{name: "", text: cut(strings.TrimPrefix(err.Error(), "policy: "), maxErrorLine)}}}
}

// room refuses decisions beyond the cap, and edits that contradict others. A new
// name or role takes the place of the former ones that it contradicts, which it
// gives; what is split or merged stays.
func (a *API) room(ctx context.Context, e *v1.PolicyEntry) (former []v1.PolicyEntry, err error) {
	groups, err := a.cfg.Store.Tally(ctx, record.Query{Kind: record.Policy})
	if err != nil {
		return nil, err
	}
	n := uint64(0)
	for _, g := range groups {
		n += g.Count
	}
	if n >= maxPolicy {
		return nil, refuse(http.StatusConflict, "full", message.Args{"most": maxPolicy})
	}
	if e.Kind != v1.PolicyEntryKindTemplate {
		return nil, nil
	}
	all := []*v1.PolicyEntry{e}
	q := record.Query{Kind: record.Policy, Type: []string{string(v1.PolicyEntryKindTemplate)}, State: []string{string(v1.PolicyEntryStatePending), string(v1.PolicyEntryStateLive)}}
	err = a.every(ctx, q, func(r *record.Record) error {
		x, err := entryOf(r)
		if err != nil {
			return err
		}
		if x.State == v1.PolicyEntryStateLive && x.Edit == e.Edit && !lasting(x.Edit) {
			if _, err := policyFile(e, &x); err != nil {
				former = append(former, x)
				return nil
			}
		}
		all = append(all, &x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if _, err := policyFile(all...); err != nil {
		return nil, &problem{status: http.StatusConflict, code: "contradiction", fields: []field{{text: strings.TrimPrefix(err.Error(), "policy: ")}}}
	}
	return former, nil
}

// hand gives a decision that is kept to the judges and keeps what became of it.
// One that cannot be given now stays pending: Resume tries again.
func (a *API) hand(ctx context.Context, e *v1.PolicyEntry) error {
	ends := e.State == v1.PolicyEntryStateEnding
	entry, err := parsed(e)
	if err != nil { // it was checked: another version wrote it
		entry, err = policy.Entry{}, ErrRefused
	} else {
		if ends {
			expire(&entry, e.Ended)
		}
		err = a.cfg.Decide(ctx, Decision{ID: e.Id, By: e.By, Site: e.Site, Entry: entry, Ends: ends})
	}
	refused := errors.Is(err, ErrRefused)
	switch {
	case refused && ends:
		e.State = v1.PolicyEntryStateLive
	case refused:
		e.State = v1.PolicyEntryStateRefused
	case err != nil:
		a.cfg.Log.Warn("a decision waits to be handed over", "id", e.Id, "error", err)
		return nil
	case ends:
		e.State = v1.PolicyEntryStateEnded
	default:
		e.State = v1.PolicyEntryStateLive
	}
	r, err := a.recordOf(ctx, e, uint64(e.Rev)+1)
	if err != nil {
		return err
	}
	if _, err := a.cfg.Store.Write(ctx, record.Batch{Put: []record.Record{r}}); err != nil {
		// The judges have it, and are told once more later, which changes nothing.
		a.cfg.Log.Warn("what became of a decision could not be kept", "id", e.Id, "error", err)
		e.State = map[bool]v1.PolicyEntryState{false: v1.PolicyEntryStatePending, true: v1.PolicyEntryStateEnding}[ends]
		return nil
	}
	e.Rev++
	a.hub.publish(Event{Topic: "policy", ID: e.Id, Site: e.Site})
	if refused {
		return refuse(http.StatusUnprocessableEntity, "refused", nil)
	}
	return nil
}

func expire(e *policy.Entry, at v1.Time) {
	switch {
	case e.Public != nil:
		e.Public.Expires = at
	case e.Approval != nil:
		e.Approval.Expires = at
	case e.Verdict != nil:
		e.Verdict.Expires = at
	case e.Fix != nil:
		e.Fix.Expires = at
	}
}

// Resume hands over what could not be: after a crash, or when the judges could
// not take it.
func (a *API) Resume(ctx context.Context) error {
	a.deciding.Lock()
	defer a.deciding.Unlock()
	var wait []v1.PolicyEntry
	q := record.Query{Kind: record.Policy, State: []string{string(v1.PolicyEntryStatePending), string(v1.PolicyEntryStateEnding)}}
	err := a.every(ctx, q, func(r *record.Record) error {
		e, err := entryOf(r)
		wait = append(wait, e)
		return err
	})
	if err != nil {
		return err
	}
	// In the order in which they were decided.
	for i := len(wait) - 1; i >= 0; i-- {
		var p *problem
		if err := a.hand(ctx, &wait[i]); err != nil && !errors.As(err, &p) {
			return err
		}
	}
	return nil
}
