package api

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/record"
)

// What is told of an entity.
const (
	entityPeriod    = 7 * 24 * time.Hour
	entityMost      = 92 * 24 * time.Hour
	entityHours     = 8 * 24 * time.Hour
	entityTop       = 10
	entityAttacks   = 50
	entityLooked    = 2000 // attacks that are opened, the latest
	entityCampaigns = 20
)

// entity is what is asked for: a filter of rows, where there is one, and a test
// of attacks that name it.
type entity struct {
	kind, key string
	dimension observation.Dimension // that rows are pivoted by, if any
	filter    observation.Filter
	rows      bool
	mention   string                    // a text that the record of an attack holds as it is
	named     func(*report.Actors) bool // nil: no attack names it otherwise
	intel     v1.EntityIntel
}

// entityOf reads a kind and key; false for what is no such thing.
func (a *API) entityOf(kind, key string) (e entity, ok bool) {
	e = entity{kind: kind, key: key, rows: true}
	m := a.cfg.Networks
	var err error
	with := func(d observation.Dimension, key string) bool {
		e.filter, err = e.filter.With(d, key)
		return err == nil
	}
	switch kind {
	case "client":
		ip, err := netip.ParseAddr(key)
		if err != nil || ip.Zone() != "" {
			return e, false
		}
		e.key = ip.Unmap().String()
		e.dimension, e.mention, e.intel = observation.ByClient, e.key, networkFacts(m, ip.Unmap())
		return e, with(observation.ByClient, e.key)
	case "prefix":
		p, err := netip.ParsePrefix(key)
		if err != nil {
			return e, false
		}
		p = p.Masked()
		e.key, e.filter.Client, e.intel = p.String(), p, networkFacts(m, p.Addr())
		e.named = func(x *report.Actors) bool {
			return slices.ContainsFunc(x.IPs, func(s string) bool { ip, err := netip.ParseAddr(s); return err == nil && p.Contains(ip) })
		}
		return e, true
	case "asn":
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(key), "AS"), 10, 32)
		if err != nil || n == 0 {
			return e, false
		}
		e.key, e.rows = strconv.FormatUint(n, 10), false
		if owner := m.Org(uint32(n)); owner != "" {
			e.intel = v1.EntityIntel{Asn: int64(n), Owner: owner, Map: m.ID()}
		}
		e.named = func(x *report.Actors) bool {
			return slices.ContainsFunc(x.Networks, func(s report.NetworkCount) bool { return uint64(s.ASN) == n })
		}
		return e, true
	case "country":
		c, known := intel.ParseCountry(key)
		if !known || c == 0 {
			return e, false
		}
		e.key = c.String()
		e.named = func(x *report.Actors) bool {
			return slices.ContainsFunc(x.Countries, func(s report.CountryCount) bool { return s.Country == e.key })
		}
		return e, with(observation.ByCountry, e.key)
	case "network":
		e.named = func(x *report.Actors) bool {
			return slices.ContainsFunc(x.Types, func(s report.TypeCount) bool { return s.Type == key })
		}
		return e, with(observation.ByNetwork, key)
	}
	e.key = strings.ToLower(key)
	e.dimension = dimension(kind) // of tokens, which attacks name under another key: they are found by rows
	return e, with(e.dimension, e.key)
}

func networkFacts(m *intel.Map, ip netip.Addr) v1.EntityIntel {
	n := m.Lookup(ip)
	if !n.Known() {
		return v1.EntityIntel{}
	}
	return v1.EntityIntel{Network: n.Type.String(), Asn: int64(n.ASN), Owner: m.Org(n.ASN), Country: n.Country.String(), Region: n.Region.String(), Map: m.ID()}
}

// GetEntity says what is known of an address, network, country or token.
func (a *API) GetEntity(ctx context.Context, r v1.GetEntityRequestObject) (v1.GetEntityResponseObject, error) {
	e, ok := a.entityOf(string(r.Kind), r.Key)
	if !ok {
		return nil, wrong(field{name: "key", id: "value"})
	}
	seen, err := a.seen(ctx)
	if err != nil {
		return nil, err
	}
	out := v1.Entity{Kind: v1.EntityKind(e.kind), Key: e.key, Intel: e.intel, From: r.Params.From, To: r.Params.To, Attacks: []v1.EntityAttack{}, Campaigns: []v1.EntityCampaign{}}
	if out.To.IsZero() {
		out.To = seen.Add(time.Second) // the newest row is of it
	}
	if out.From.IsZero() {
		out.From = out.To.Add(-entityPeriod)
	}
	switch length := out.To.Sub(out.From); {
	case out.From.Before(time.Unix(0, 0)):
		out.From, out.To = time.Unix(0, 0).UTC(), time.Unix(0, 0).Add(entityPeriod).UTC() // nothing was seen yet
	case length <= 0:
		return nil, wrong(field{name: "from", id: "order"})
	case length > entityMost:
		return nil, wrong(field{name: "from", id: "span", args: message.Args{"days": int(entityMost / (24 * time.Hour))}})
	}
	ids := map[string]bool{}
	if e.rows && a.cfg.Observations != nil {
		e.filter.From, e.filter.To = out.From, out.To
		if out.Rows, err = a.sighted(ctx, &e, ids); err != nil {
			return nil, observed(err)
		}
	}
	if err := a.attacksOf(ctx, &e, ids, &out); err != nil {
		return nil, err
	}
	err = a.campaignsOf(ctx, ids, &out)
	return v1.GetEntity200JSONResponse(out), err
}

// sighted counts the rows of an entity, and gathers the attacks that they are of.
func (a *API) sighted(ctx context.Context, e *entity, ids map[string]bool) (out v1.EntityRows, err error) {
	s := a.cfg.Observations
	step := observation.Daily
	if out.Step = v1.StepDay; e.filter.To.Sub(e.filter.From) <= entityHours {
		step, out.Step = observation.Hour, v1.StepHour
	}
	line, err := s.Series(ctx, observation.SeriesQuery{Filter: e.filter, Step: step, By: observation.ByVerdict})
	if err != nil {
		return out, err
	}
	out.Sightings, out.Verdicts = sightings(&line)
	out.Rows = out.Verdicts.Normal + out.Verdicts.Suspicious + out.Verdicts.Attack
	out.Sites, out.Apis, out.Facets = []v1.TopEntry{}, []v1.TopEntry{}, []v1.Facet{}
	if out.Rows == 0 {
		return out, nil
	}
	for _, t := range []struct {
		of    observation.Dimension
		limit int
		do    func(key string, n int64)
	}{
		{observation.BySite, entityTop, func(k string, n int64) { out.Sites = append(out.Sites, v1.TopEntry{Key: k, Value: n}) }},
		{observation.ByAPI, entityTop, func(k string, n int64) { out.Apis = append(out.Apis, v1.TopEntry{Key: k, Value: n}) }},
		{observation.ByAttack, entityAttacks, func(k string, n int64) { ids[k] = true }},
	} {
		got, err := s.Top(ctx, observation.TopQuery{Filter: e.filter, Of: t.of, Limit: t.limit})
		if err != nil {
			return out, err
		}
		for _, x := range got.List {
			t.do(x.Key, int64(x.Value))
		}
	}
	if e.dimension != observation.NoDimension {
		got, err := s.Pivot(ctx, observation.PivotQuery{Filter: e.filter, Of: e.dimension, Key: e.key})
		if err != nil {
			return out, err
		}
		p := pivoted(&got)
		out.Facets, out.First, out.Last = p.Facets, p.First, p.Last
		return out, nil
	}
	for i, at := range line.Starts { // to the step, where a pivot does not say it
		if out.Sightings.Normal[i]+out.Sightings.Suspicious[i]+out.Sightings.Attack[i] > 0 {
			if out.Last = moments(at); out.First.IsZero() {
				out.First = out.Last
			}
		}
	}
	return out, nil
}

func sightings(s *observation.Series) (out v1.EntitySightings, sum v1.EntityVerdicts) {
	out.Starts = make([]v1.Time, 0, len(s.Starts))
	for _, at := range s.Starts {
		out.Starts = append(out.Starts, moments(at))
	}
	lines, sums := [...]*[]int64{&out.Normal, &out.Suspicious, &out.Attack}, [...]*int64{&sum.Normal, &sum.Suspicious, &sum.Attack}
	for i, v := range verdictsOf {
		*lines[i] = make([]int64, len(s.Starts))
		for _, l := range s.Lines {
			if l.Key == v.String() && !l.Rest {
				*sums[i] = int64(l.Total)
				for k, n := range l.Values {
					(*lines[i])[k] = int64(n)
				}
			}
		}
	}
	return out, sum
}

// attacksOf finds the attacks that name an entity: those that its rows are of,
// and those whose record names it.
func (a *API) attacksOf(ctx context.Context, e *entity, ids map[string]bool, out *v1.Entity) error {
	add := func(r *record.Record) {
		if out.AttacksTotal++; len(out.Attacks) < entityAttacks {
			out.Attacks = append(out.Attacks, v1.EntityAttack{Id: r.ID, Kind: r.Type, Verdict: r.State, Site: r.Site, Requests: r.Ranks[0], FirstSeen: r.First, LastSeen: r.Last})
		}
	}
	q := record.Query{Kind: record.Attack, Limit: record.MaxPage}
	if e.mention != "" {
		q.Mentions = []string{e.mention}
	}
	found := map[string]bool{}
	for looked := 0; looked < entityLooked && (e.mention != "" || e.named != nil); {
		p, err := a.cfg.Store.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range p.Records {
			r := &p.Records[i]
			looked++
			if !ids[r.ID] && e.mention == "" {
				var x struct {
					Actors report.Actors `json:"actors"`
				}
				if json.Unmarshal(r.Body, &x) != nil || !e.named(&x.Actors) {
					continue
				}
			}
			ids[r.ID], found[r.ID] = true, true
			add(r)
		}
		if q.After = p.Next; q.After == "" {
			break
		}
	}
	if q.After != "" {
		q.After = ""
		n, err := a.cfg.Store.Count(ctx, q)
		if err != nil {
			return err
		}
		out.LeftOut = max(int64(n)-entityLooked, 0)
	}
	for id := range ids { // by rows alone
		if found[id] {
			continue
		}
		r, err := a.cfg.Store.Get(ctx, record.Attack, id)
		if err == nil {
			add(&r)
		} else if asProblem(err).status != 404 { // it was joined with another
			return err
		}
	}
	slices.SortFunc(out.Attacks, func(x, y v1.EntityAttack) int { // ties by id
		if c := y.LastSeen.Compare(x.LastSeen); c != 0 {
			return c
		}
		return strings.Compare(x.Id, y.Id)
	})
	return nil
}

// campaignsOf gives those that hold one of the attacks.
func (a *API) campaignsOf(ctx context.Context, ids map[string]bool, out *v1.Entity) error {
	if len(ids) == 0 {
		return nil
	}
	list, err := listed[report.Campaign](ctx, a, record.Query{Kind: record.Campaign, Limit: record.MaxPage})
	for i := range list {
		c := &list[i]
		n := int64(0)
		for _, id := range c.Attacks {
			if ids[id] {
				n++
			}
		}
		if n > 0 && len(out.Campaigns) < entityCampaigns {
			out.Campaigns = append(out.Campaigns, v1.EntityCampaign{Id: c.ID, Name: c.Name, Attacks: n, Sites: c.Sites, LastSeen: c.LastSeen})
		}
	}
	return err
}
