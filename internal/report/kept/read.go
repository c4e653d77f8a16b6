package kept

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"xiezhi/internal/report"
	"xiezhi/internal/store/record"
)

// MaxReport is how many elements of each list a report made of records holds,
// the latest; Report says when there were more.
const MaxReport = 50_000

// Scope is what a report is about: a site, and defects, attacks and campaigns
// that went on between two times. Empty fields are everything. What was read of
// a site, and its APIs, are of all time.
type Scope struct {
	Site     string
	From, To time.Time // From <= last seen, first seen < To
}

// Lister is what a report is read from: a record.Store, or a view of one.
type Lister interface {
	List(context.Context, record.Query) (record.Page, error)
}

// Report makes the report of what is kept now: ReportOf with everything.
func Report(ctx context.Context, s Lister, version, rules string) (*report.Report, []record.Kind, int, error) {
	return ReportOf(ctx, s, version, rules, Scope{})
}

// ReportOf makes the report of what is kept now. It gives the kinds of which
// there were more than MaxReport. A body that is no element of its list is left
// out and counted.
func ReportOf(ctx context.Context, s Lister, version, rules string, scope Scope) (r *report.Report, cut []record.Kind, bad int, err error) {
	r = &report.Report{Schema: report.SchemaID, Version: version, Rules: rules, Input: report.NewInput(),
		Sites: []report.Site{}, APIs: []report.API{}, Defects: []report.Defect{}, Attacks: []report.Attack{}, Campaigns: []report.Campaign{}}
	r.Input.Addresses = "plain"
	sum := sums{}
	for _, k := range []struct {
		kind record.Kind
		take func(*record.Record) error
	}{
		{record.Site, func(k *record.Record) error {
			var x Site
			if err := json.Unmarshal(k.Body, &x); err != nil {
				return err
			}
			r.Sites = append(r.Sites, x.Site)
			sum.add(&r.Input, &x.Input)
			return nil
		}},
		{record.API, appendTo(&r.APIs)},
		{record.Defect, func(k *record.Record) error {
			x := report.Defect{Site: k.Site}
			if err := json.Unmarshal(k.Body, &x); err != nil {
				return err
			}
			r.Defects = append(r.Defects, x)
			return nil
		}},
		{record.Attack, appendTo(&r.Attacks)},
		{record.Campaign, appendTo(&r.Campaigns)},
	} {
		more, n, err := scope.each(ctx, s, k.kind, k.take)
		if err != nil {
			return nil, nil, 0, err
		}
		bad += n
		if more {
			cut = append(cut, k.kind)
		}
	}
	sum.into(&r.Input)
	report.Order(r)
	r.Statistics = report.Count(r)
	return r, cut, bad, nil
}

func appendTo[T any](list *[]T) func(*record.Record) error {
	return func(k *record.Record) error {
		var x T
		if err := json.Unmarshal(k.Body, &x); err != nil {
			return err
		}
		*list = append(*list, x)
		return nil
	}
}

func (c Scope) each(ctx context.Context, s Lister, kind record.Kind, take func(*record.Record) error) (more bool, bad int, err error) {
	q := record.Query{Kind: kind, Site: c.Site, From: c.From, Limit: record.MaxPage}
	switch {
	case kind == record.Campaign && c.Site != "":
		q.Site, q.Mentions = "", []string{c.Site}
	case kind == record.Site || kind == record.API:
		q.From, c.To = time.Time{}, time.Time{}
	}
	seen := map[string]bool{}
	for n := 0; n < MaxReport; {
		p, err := s.List(ctx, q)
		if err != nil {
			return false, bad, fmt.Errorf("read what is kept of kind %s: %w", kind, err)
		}
		for i := range p.Records {
			if x := &p.Records[i]; seen[x.ID] || !c.To.IsZero() && !x.First.Before(c.To) { // it moved while pages were turned, or began later
				continue
			} else if seen[x.ID] = true; take(x) != nil {
				bad++
			}
		}
		n += len(p.Records)
		if q.After = p.Next; q.After == "" {
			return false, bad, nil
		}
	}
	return true, bad, nil
}

// sums adds up what was read of sites.
type sums struct {
	dropped map[string]uint64
	limits  map[string]uint64
	quality map[[2]string]uint64
	kinds   map[string]report.NotJudged
	sites   int
	unseen  map[string]int
}

func (s *sums) add(to, x *report.Input) {
	if s.dropped == nil {
		*s = sums{map[string]uint64{}, map[string]uint64{}, map[[2]string]uint64{}, map[string]report.NotJudged{}, 0, map[string]int{}}
	}
	s.sites++
	to.Exchanges += x.Exchanges
	to.Analysed += x.Analysed
	to.Observations += x.Observations
	to.Bytes += x.Bytes
	if x.First != nil && (to.First == nil || x.First.Before(*to.First)) {
		to.First = x.First
	}
	if x.Last != nil && (to.Last == nil || x.Last.After(*to.Last)) {
		to.Last = x.Last
	}
	if x.Addresses == "token" {
		to.Addresses = x.Addresses
	}
	to.Key = cmp.Or(to.Key, x.Key)
	for _, d := range x.Dropped {
		s.dropped[d.Reason] += d.Count
	}
	for _, l := range x.Limits {
		s.limits[l.What] += l.Count
	}
	for _, q := range x.Quality {
		s.quality[[2]string{q.Code, q.Detail}] += q.Count
	}
	to.Blind = append(to.Blind, x.Blind...)
	to.Problems = append(to.Problems, x.Problems...)
	for _, n := range x.NotJudged {
		s.kinds[n.Kind] = n
		s.unseen[n.Kind]++
	}
	if len(to.Networks) == 0 {
		to.Networks = x.Networks
	}
}

// into writes the lists. A kind was not judged when no site could show it.
func (s *sums) into(in *report.Input) {
	for reason, n := range s.dropped {
		in.Dropped = append(in.Dropped, report.ReasonCount{Reason: reason, Count: n})
	}
	for what, n := range s.limits {
		in.Limits = append(in.Limits, report.LimitCount{What: what, Count: n})
	}
	for k, n := range s.quality {
		in.Quality = append(in.Quality, report.QualityCount{Code: k[0], Detail: k[1], Count: n})
	}
	for kind, n := range s.kinds {
		if s.unseen[kind] == s.sites {
			in.NotJudged = append(in.NotJudged, n)
		}
	}
	slices.SortFunc(in.Dropped, func(a, b report.ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	slices.SortFunc(in.Limits, func(a, b report.LimitCount) int { return cmp.Compare(a.What, b.What) })
	slices.SortFunc(in.Quality, func(a, b report.QualityCount) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Detail, b.Detail))
	})
	slices.SortFunc(in.NotJudged, func(a, b report.NotJudged) int { return cmp.Compare(a.Kind, b.Kind) })
	slices.SortFunc(in.Blind, func(a, b report.Blind) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Server, b.Server))
	})
}
