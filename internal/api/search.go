package api

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
)

const (
	searchHits = 8 // of each kind of record
	searchDays = 7 // of traffic, in which a token is looked for
)

// Search looks for a text or id in everything.
func (a *API) Search(ctx context.Context, r v1.SearchRequestObject) (v1.SearchResponseObject, error) {
	out := v1.SearchResult{Groups: []v1.SearchGroup{}}
	text := strings.TrimSpace(r.Params.Q)
	entities, err := a.searchEntities(ctx, text)
	if err != nil {
		return nil, err
	}
	out.Groups = append(out.Groups, entities...)
	for _, kind := range []record.Kind{record.API, record.Defect, record.Attack, record.Campaign, record.Site} {
		g, err := a.searchRecords(ctx, kind, r.Params.Site, text)
		if err != nil {
			return nil, err
		}
		if len(g.Hits) > 0 {
			out.Groups = append(out.Groups, g)
		}
	}
	return v1.Search200JSONResponse(out), nil
}

func (a *API) searchRecords(ctx context.Context, kind record.Kind, site, text string) (v1.SearchGroup, error) {
	g := v1.SearchGroup{Kind: v1.SearchGroupKind(kind), Hits: []v1.SearchHit{}}
	add := func(r *record.Record) {
		h := v1.SearchHit{Id: r.ID, Site: r.Site, What: r.Type, State: r.State, Severity: r.Severity, Name: r.Name, LastSeen: r.Last}
		if kind == record.API {
			if i := strings.LastIndexByte(r.Name, ' '); i > 0 {
				h.Name = r.Name[i+1:] + " " + r.Name[:i]
			}
		}
		g.Hits = append(g.Hits, h)
	}
	// An id that is given whole is found without a search.
	if len(text) <= record.MaxText {
		switch one, err := a.cfg.Store.Get(ctx, kind, text); {
		case err == nil && (site == "" || one.Site == site):
			add(&one)
			return g, nil
		case err != nil && !errors.Is(err, record.ErrNotFound):
			return g, err
		}
	}
	q := record.Query{Kind: kind, Site: site, Words: []string{kept.Fold(text)}, Limit: searchHits}
	if kind == record.Campaign {
		q.Site = ""
		mention(&q, site)
	}
	p, err := a.cfg.Store.List(ctx, q)
	for i := range p.Records {
		add(&p.Records[i])
	}
	g.More = p.Next != ""
	return g, err
}

// searchEntities gives what a text itself names.
func (a *API) searchEntities(ctx context.Context, text string) (out []v1.SearchGroup, err error) {
	add := func(kind v1.SearchGroupKind, h v1.SearchHit) {
		out = append(out, v1.SearchGroup{Kind: kind, Hits: []v1.SearchHit{h}})
	}
	m := a.cfg.Networks
	facts := func(ip netip.Addr, key string) v1.SearchHit {
		n := m.Lookup(ip)
		return v1.SearchHit{Id: key, What: n.Type.String(), Name: m.Org(n.ASN)}
	}
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		add(v1.SearchGroupKindClient, facts(ip, ip.String()))
		return out, nil
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		add(v1.SearchGroupKindPrefix, facts(p.Addr(), p.Masked().String()))
		return out, nil
	}
	if number, ok := strings.CutPrefix(strings.ToUpper(text), "AS"); ok {
		if n, err := strconv.ParseUint(number, 10, 32); err == nil && n > 0 {
			add(v1.SearchGroupKindAsn, v1.SearchHit{Id: strconv.FormatUint(n, 10), Name: m.Org(uint32(n))})
		}
	}
	if c, ok := intel.ParseCountry(text); ok && c != 0 && len(text) == 2 {
		add(v1.SearchGroupKindCountry, v1.SearchHit{Id: c.String()})
	}
	if len(text) != 16 || a.cfg.Observations == nil {
		return out, nil
	}
	seen, err := a.seen(ctx)
	if err != nil || seen.AddDate(0, 0, -searchDays).Before(time.Unix(0, 0)) {
		return out, err
	}
	for _, d := range []observation.Dimension{observation.ByActor, observation.ByAccount, observation.BySession, observation.ByAgent} {
		f, err := observation.Filter{From: seen.AddDate(0, 0, -searchDays), To: seen.Add(time.Minute)}.With(d, strings.ToLower(text))
		if err != nil {
			return out, nil // it is no token
		}
		got, err := a.cfg.Observations.Top(ctx, observation.TopQuery{Filter: f, Of: observation.ByVerdict, Limit: 3})
		if err != nil {
			return out, observed(err)
		}
		if got.Total > 0 {
			add(v1.SearchGroupKind(d.String()), v1.SearchHit{Id: strings.ToLower(text)})
		}
	}
	return out, nil
}
