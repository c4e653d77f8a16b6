package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/catalog/drift"
	"xiezhi/internal/catalog/openapi"
	"xiezhi/internal/report"
	"xiezhi/internal/report/html"
	"xiezhi/internal/report/kept"
	"xiezhi/internal/report/sarif"
	"xiezhi/internal/report/xlsx"
	"xiezhi/internal/store/record"
)

func (a *API) counts(ctx context.Context, kind record.Kind, params any) (v1.Counts, record.Query, error) {
	out := v1.Counts{Groups: []v1.Count{}}
	q, err := questionOf(kind, params)
	if err != nil {
		return out, q, err
	}
	groups, err := a.cfg.Store.Tally(ctx, q)
	for _, g := range groups {
		out.Total += int64(g.Count)
		out.Groups = append(out.Groups, v1.Count{Site: g.Site, Type: g.Type, State: g.State, Severity: g.Severity, Count: int64(g.Count)})
	}
	return out, q, err
}

// CountAPIs counts by site, role and lifecycle, and by tags where they are asked
// for.
func (a *API) CountAPIs(ctx context.Context, r v1.CountAPIsRequestObject) (v1.CountAPIsResponseObject, error) {
	c, q, err := a.counts(ctx, record.API, r.Params)
	if err != nil || r.Params.Tags == nil || !*r.Params.Tags {
		return v1.CountAPIs200JSONResponse(c), err
	}
	tags := kept.Tags()
	words := make([]string, len(tags))
	for i := range tags {
		words[i] = tags[i].Word
	}
	held, err := a.cfg.Store.Holding(ctx, q, words)
	c.Tags = []v1.TagCount{}
	for i, n := range held {
		if n > 0 {
			c.Tags = append(c.Tags, v1.TagCount{Name: tags[i].Name, Value: tags[i].Value, Count: int64(n)})
		}
	}
	return v1.CountAPIs200JSONResponse(c), err
}

// CountDefects counts by site, kind, status and severity.
func (a *API) CountDefects(ctx context.Context, r v1.CountDefectsRequestObject) (v1.CountDefectsResponseObject, error) {
	c, _, err := a.counts(ctx, record.Defect, r.Params)
	return v1.CountDefects200JSONResponse(c), err
}

// CountAttacks counts by site, kind and verdict.
func (a *API) CountAttacks(ctx context.Context, r v1.CountAttacksRequestObject) (v1.CountAttacksResponseObject, error) {
	c, _, err := a.counts(ctx, record.Attack, r.Params)
	return v1.CountAttacks200JSONResponse(c), err
}

// CountCampaigns counts by scenario.
func (a *API) CountCampaigns(ctx context.Context, r v1.CountCampaignsRequestObject) (v1.CountCampaignsResponseObject, error) {
	c, _, err := a.counts(ctx, record.Campaign, r.Params)
	return v1.CountCampaigns200JSONResponse(c), err
}

// ListExposure gives a page of the matrix of APIs and types of data.
func (a *API) ListExposure(ctx context.Context, r v1.ListExposureRequestObject) (v1.ListExposureResponseObject, error) {
	q, err := questionOf(record.API, r.Params)
	if err != nil {
		return nil, err
	}
	q.Words = append(q.Words, kept.TagCarries())
	p, err := listOf[report.API](ctx, a, q, nil)
	out := v1.ListExposure200JSONResponse{Items: []v1.Exposure{}, Next: p.next, Total: p.total}
	for i := range p.items {
		out.Items = append(out.Items, exposure(&p.items[i]))
	}
	return out, err
}

func exposure(x *report.API) v1.Exposure {
	e := v1.Exposure{Api: x.ID, Site: x.Site, Host: x.Host, Method: x.Method, Template: x.Template, Exposure: x.Exposure, Auth: x.Auth, Exchanges: int64(x.Exchanges), Data: []v1.ExposedData{}}
	for _, s := range x.Sensitive {
		i := slices.IndexFunc(e.Data, func(d v1.ExposedData) bool { return d.Type == s.Type && string(d.In) == s.In })
		if i < 0 {
			i = len(e.Data)
			e.Data = append(e.Data, v1.ExposedData{Type: s.Type, In: v1.ExposedDataIn(s.In), Masked: true})
		}
		d := &e.Data[i]
		d.Masked, d.Plain = d.Masked && s.Masked, d.Plain || !s.Masked
		d.Fields++
		if s.Masked {
			d.MaskedFields++
		}
		d.Exchanges = max(d.Exchanges, int64(s.Exchanges)) // one exchange may hold several fields
		d.MaxPerResponse = max(d.MaxPerResponse, int64(s.MaxPerResponse))
	}
	return e
}

// ExportOpenAPI gives what was learned of a site.
func (a *API) ExportOpenAPI(ctx context.Context, q v1.ExportOpenAPIRequestObject) (v1.ExportOpenAPIResponseObject, error) {
	leave, err := a.reports.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	r, err := a.learned(ctx, q.Site)
	if err != nil {
		return nil, err
	}
	docs, err := r.OpenAPI(q.Site, ask(ctx).lang, a.cfg.Messages)
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, notFound()
	}
	return file{data: docs[0].Data, media: "application/json", name: "openapi.json"}, nil
}

// learned gives a report that holds the APIs of a site and nothing else.
func (a *API) learned(ctx context.Context, site string) (*report.Report, error) {
	r := &report.Report{Version: a.cfg.Version}
	err := a.every(ctx, record.Query{Kind: record.API, Site: site}, func(x *record.Record) error {
		if len(r.APIs) >= kept.MaxReport {
			return nil
		}
		var api report.API
		if json.Unmarshal(x.Body, &api) == nil {
			r.APIs = append(r.APIs, api)
		}
		return nil
	})
	report.Order(r)
	return r, err
}

// CompareDescription tells how the APIs of a site differ from a description.
func (a *API) CompareDescription(ctx context.Context, q v1.CompareDescriptionRequestObject) (v1.CompareDescriptionResponseObject, error) {
	leave, err := a.reports.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if _, err := a.cfg.Store.Get(ctx, record.Site, q.Site); err != nil {
		return nil, err
	}
	spec, err := described(q.Body.Name, q.Body.Document)
	if err != nil {
		return nil, err
	}
	r, err := a.learned(ctx, q.Site)
	if err != nil {
		return nil, err
	}
	return v1.CompareDescription200JSONResponse(*drift.Compare([]*openapi.Spec{spec}, r.Described(q.Site))), nil
}

// file is an answer to be kept by who asked. Its policy lets a page style
// itself and do nothing else.
type file struct {
	data        []byte
	media, name string
}

func (f file) visit(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", f.media)
	h.Set("Content-Disposition", `attachment; filename="`+f.name+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox")
	w.WriteHeader(http.StatusOK)
	_, err := io.Copy(w, bytes.NewReader(f.data))
	return err
}

func (f file) VisitExportOpenAPIResponse(w http.ResponseWriter) error { return f.visit(w) }
func (f file) VisitGetReportResponse(w http.ResponseWriter) error     { return f.visit(w) }

// A report takes the memory of all that is kept.
const (
	reportsAtOnce = 1
	reportsWait   = 4
)

// tellInput says in a report what was read, lost and could not be seen, which
// records do not hold. That is not told apart by site: a report of one counts
// its own exchanges, and says of the rest what limits it, too.
func (a *API) tellInput(r *report.Report, site string) {
	in := a.input()
	if in == nil {
		return
	}
	if site == "" {
		r.Input = *in
	} else {
		r.Input.Quality, r.Input.Blind, r.Input.Problems, r.Input.NotJudged = in.Quality, in.Blind, in.Problems, in.NotJudged
		r.Input.Networks, r.Input.Key, r.Input.Limits = in.Networks, in.Key, in.Limits
	}
	r.Input.Limits = slices.Clip(r.Input.Limits) // what is added is of this report alone
}

// GetReport gives the report of the current state.
func (a *API) GetReport(ctx context.Context, q v1.GetReportRequestObject) (v1.GetReportResponseObject, error) {
	leave, err := a.reports.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	about, err := spanOf(&q.Params)
	if err != nil {
		return nil, err
	}
	r, cut, bad, err := kept.ReportOf(ctx, a.cfg.Store, a.cfg.Version, a.cfg.Rules, kept.Scope{Site: q.Params.Site, From: q.Params.From, To: q.Params.To})
	if err != nil {
		return nil, err
	}
	a.tellInput(r, q.Params.Site)
	if len(cut) > 0 || bad > 0 {
		a.cfg.Log.Warn("a report leaves something out", "kinds", cut, "unreadable", bad)
	}
	for _, k := range cut {
		r.Input.Limits = append(r.Input.Limits, report.LimitCount{What: "report." + string(k), Count: 1})
	}
	r = report.Cut(r, about, a.cfg.Messages)
	return a.rendered(ctx, r, about.Name(), string(q.Params.Format), string(q.Params.Lang), string(q.Params.Outline))
}

// rendered writes a report as a file.
func (a *API) rendered(ctx context.Context, r *report.Report, about, format, lang, outline string) (f file, err error) {
	if lang == "" {
		lang = ask(ctx).lang
	}
	var b bytes.Buffer
	f.name = report.FileName(about, lang, format)
	zone := r.Zone(time.UTC)
	switch format {
	case "html":
		f.media = "text/html; charset=utf-8"
		err = html.Write(&b, r, html.Config{Lang: lang, Zone: zone, Messages: a.cfg.Messages, Generated: a.when(ctx), Outline: outline})
	case "xlsx":
		f.media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		err = xlsx.Write(&b, r, xlsx.Config{Lang: lang, Zone: zone, Messages: a.cfg.Messages})
	case "sarif":
		f.media = "application/sarif+json"
		err = sarif.Write(&b, r, sarif.Config{Lang: lang, Messages: a.cfg.Messages})
	default:
		f.media, f.name = "application/json", report.FileName(about, lang, "json")
		err = json.NewEncoder(&b).Encode(r)
	}
	f.data = b.Bytes()
	return f, err
}

// spanOf is the stretch of whole days that a report is about; all of time
// where none is named.
func spanOf(p *v1.GetReportParams) (report.Span, error) {
	if p.Period == "" {
		return report.Span{}, nil
	}
	if !p.From.IsZero() || !p.To.IsZero() {
		return report.Span{}, wrong(field{name: "period", id: "period_and_times"})
	}
	s, err := report.ParseSpan(p.Period)
	if err != nil {
		return report.Span{}, wrong(field{name: "period", id: "period"})
	}
	return s, nil
}
