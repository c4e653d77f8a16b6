package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/policy"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
	"xiezhi/internal/taxonomy"
)

// What a preview looks at, and shows of each.
const (
	previewAPIs    = 20_000
	previewDefects = 5000
	previewAttacks = 2000
	previewShown   = 50
	previewDays    = 7
)

// opened are the kinds of defects that an API on the allow-list does not have.
var opened = []string{string(taxonomy.DefectUnauthenticatedSensitive), string(taxonomy.DefectUnauthenticatedFile), string(taxonomy.DefectOptionalAuthentication)}

// preview is what an entry would cover, while it is put together.
type preview struct {
	target  policy.Target
	clients []netip.Prefix
	kinds   []string
	apis    map[string]bool
	out     v1.PolicyPreview
}

// PreviewPolicy says what an entry would cover, and makes none.
func (a *API) PreviewPolicy(ctx context.Context, q v1.PreviewPolicyRequestObject) (v1.PreviewPolicyResponseObject, error) {
	p, err := a.previewOf(ctx, q.Body)
	if err != nil {
		return nil, err
	}
	leave, err := a.reports.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	seen, err := a.seen(ctx)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context, *preview, time.Time) error{a.previewedAPIs, a.previewedDefects, a.previewedAttacks, a.previewedRows} {
		if err := step(ctx, p, seen); err != nil {
			return nil, err
		}
	}
	return v1.PreviewPolicy200JSONResponse(p.out), nil
}

// previewOf reads the entry as one that is to be made.
func (a *API) previewOf(ctx context.Context, body *v1.PreviewEntry) (*preview, error) {
	e := v1.PolicyEntry{}
	if err := fill(body, &e); err != nil {
		return nil, err
	}
	e.Reason, e.ByName, e.At = "preview", ask(ctx).who.name, a.when(ctx)
	if e.Kind == v1.PolicyEntryKindApproval {
		e.Approval = cmp.Or(e.Approval, v1.PolicyEntryApprovalExport)
	}
	for _, c := range e.Clients {
		if !network(c) {
			return nil, wrong(field{name: "clients", id: "network"})
		}
	}
	x, err := parsed(&e)
	if err != nil {
		return nil, unprocessable(err)
	}
	p := &preview{apis: map[string]bool{}, out: v1.PolicyPreview{Shown: []v1.PreviewAPI{}, Defects: []v1.PreviewDefect{}, Attacks: []v1.PreviewAttack{}}}
	switch {
	case x.Public != nil:
		p.target, p.kinds = x.Public.Target, opened
	case x.Approval != nil:
		p.target, p.clients = x.Approval.Target, x.Approval.Clients
		for _, k := range x.Approval.Kinds {
			p.kinds = append(p.kinds, string(k))
		}
		if len(p.kinds) == 0 {
			p.kinds = []string{string(taxonomy.DefectBulkResponse)}
		}
	}
	return p, nil
}

// literal is the beginning of a template up to its first parameter, as a search
// finds it.
func literal(template string) string {
	before, _, _ := strings.Cut(template, "{")
	return kept.Fold(strings.TrimSuffix(before, "/**"))
}

func (a *API) previewedAPIs(ctx context.Context, p *preview, _ time.Time) error {
	q := record.Query{Kind: record.API, Site: p.target.Site}
	if text := literal(p.target.Template); text != "" && len(text) <= record.MaxText {
		q.Words = []string{text}
	}
	looked := 0
	return a.every(ctx, q, func(r *record.Record) error {
		if looked++; looked > previewAPIs {
			p.out.LeftOut++
			return nil
		}
		var x struct{ ID, Site, Host, Method, Template string }
		if json.Unmarshal(r.Body, &x) != nil || !p.target.Covers(x.Site, x.Host, x.Method, x.Template) {
			return nil
		}
		p.apis[x.ID] = true
		if p.out.Apis++; len(p.out.Shown) < previewShown {
			p.out.Shown = append(p.out.Shown, v1.PreviewAPI{Api: x.ID, Site: x.Site, Host: x.Host, Method: x.Method, Template: x.Template})
		}
		return nil
	})
}

func (a *API) previewedDefects(ctx context.Context, p *preview, _ time.Time) error {
	looked := 0
	return a.every(ctx, record.Query{Kind: record.Defect, Site: p.target.Site, Type: p.kinds, State: both(nil, open), Sort: record.ByRank0}, func(r *record.Record) error {
		if looked++; looked > previewDefects {
			p.out.LeftOut++
			return nil
		}
		var x struct{ API string }
		if json.Unmarshal(r.Body, &x) != nil || !p.apis[x.API] {
			return nil
		}
		if p.out.DefectsTotal++; len(p.out.Defects) < previewShown {
			p.out.Defects = append(p.out.Defects, v1.PreviewDefect{Id: r.ID, Api: x.API, Kind: r.Type, Severity: r.Severity, Status: r.State})
		}
		return nil
	})
}

func (a *API) previewedAttacks(ctx context.Context, p *preview, seen time.Time) error {
	q := record.Query{Kind: record.Attack, Site: p.target.Site, Limit: record.MaxPage}
	if !seen.IsZero() {
		q.From = seen.AddDate(0, 0, -previewDays)
	}
	looked := 0
	return a.every(ctx, q, func(r *record.Record) error {
		if looked++; looked > previewAttacks {
			p.out.LeftOut++
			return nil
		}
		var x struct {
			APIs   []string `json:"apis"`
			Actors struct {
				IPs []string `json:"ips"`
			} `json:"actors"`
		}
		if json.Unmarshal(r.Body, &x) != nil || !slices.ContainsFunc(x.APIs, func(id string) bool { return p.apis[id] }) || !p.asks(x.Actors.IPs) {
			return nil
		}
		if p.out.AttacksTotal++; len(p.out.Attacks) < previewShown {
			p.out.Attacks = append(p.out.Attacks, v1.PreviewAttack{Id: r.ID, Kind: r.Type, Verdict: r.State, Site: r.Site, Requests: r.Ranks[0], LastSeen: r.Last})
		}
		return nil
	})
}

// asks reports whether one of the addresses is of the clients that are meant.
func (p *preview) asks(ips []string) bool {
	return len(p.clients) == 0 || slices.ContainsFunc(ips, func(s string) bool {
		ip, err := netip.ParseAddr(s)
		return err == nil && slices.ContainsFunc(p.clients, func(c netip.Prefix) bool { return c.Contains(ip) })
	})
}

func (a *API) previewedRows(ctx context.Context, p *preview, seen time.Time) error {
	if a.cfg.Observations == nil || seen.IsZero() {
		return nil
	}
	rows := v1.PreviewRows{From: seen.AddDate(0, 0, -previewDays), To: seen.Truncate(time.Minute).Add(time.Minute)}
	for _, c := range anyOf(p.clients) {
		for i, into := range []*int64{&rows.Normal, &rows.Suspicious, &rows.Attack} {
			got, err := a.cfg.Observations.Top(ctx, observation.TopQuery{Of: observation.ByAPI, Limit: observation.MaxTop,
				Filter: observation.Filter{From: rows.From, To: rows.To, Site: p.target.Site, Client: c, Verdicts: observation.SetOf(verdictsOf[i])}})
			if err != nil {
				return observed(err)
			}
			for _, x := range got.List {
				if p.apis[x.Key] {
					*into += int64(x.Value)
				}
			}
			rows.AtLeast = rows.AtLeast || len(got.List) == observation.MaxTop
		}
	}
	p.out.Rows = rows
	return nil
}

// anyOf gives the clients to ask for: any when none are named.
func anyOf(list []netip.Prefix) []netip.Prefix {
	if len(list) == 0 {
		return []netip.Prefix{{}}
	}
	return list
}
