package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/catalog/drift"
	"xiezhi/internal/catalog/openapi"
	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/store/record"
)

// Descriptions that are kept.
const (
	maxDescriptions  = 16      // of a site
	maxDescription   = 4 << 20 // bytes of a document
	maxDriftSites    = 64      // whose comparison is remembered
	driftFor         = 30 * time.Second
	maxDriftRecords  = 100_000 // APIs of a site that a filter by drift goes through
	descriptionSpare = 4096    // of a record's body, for what is not the document
)

// description is the body of its record: the document is kept packed, as it was
// given.
type description struct {
	Name       string    `json:"name"`
	Title      string    `json:"title"`
	Version    string    `json:"version"`
	Operations int       `json:"operations"`
	Bytes      int       `json:"bytes"`
	Partial    bool      `json:"partial,omitempty"`
	At         time.Time `json:"at"`
	By         string    `json:"by"`
	Packed     []byte    `json:"packed"`
}

// descriptionID names the record of a site's description.
func descriptionID(site, name string) string {
	sum := sha256.Sum256([]byte(site + "\x00" + name))
	return hex.EncodeToString(sum[:16])
}

func (d *description) info(rev uint64) v1.DescriptionInfo {
	return v1.DescriptionInfo{Name: d.Name, Title: d.Title, Version: d.Version, Operations: int64(d.Operations), Bytes: int64(d.Bytes), Partial: d.Partial, At: d.At, By: d.By, Rev: int64(rev)}
}

func pack(document string) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, document)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

func unpack(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, maxDescription+1))
	if err == nil && len(out) > maxDescription {
		err = fmt.Errorf("it holds more than %d bytes", maxDescription)
	}
	return out, err
}

// described reads a description that somebody gives.
func described(name, document string) (*openapi.Spec, error) {
	spec, err := openapi.Read(report.Inert(name), []byte(document))
	if err != nil {
		return nil, &problem{status: http.StatusUnprocessableEntity, code: "description", fields: []field{{name: "document", text: report.Inert(cut(err.Error(), maxErrorLine))}}}
	}
	return spec, nil
}

// descriptions gives those of a site.
func (a *API) descriptions(ctx context.Context, site string) (out []record.Record, err error) {
	err = a.every(ctx, record.Query{Kind: record.Description, Site: site, Sort: record.ByName, Upwards: true}, func(r *record.Record) error {
		out = append(out, *r)
		return nil
	})
	return out, err
}

// ListDescriptions gives the descriptions of a site, without their documents.
func (a *API) ListDescriptions(ctx context.Context, q v1.ListDescriptionsRequestObject) (v1.ListDescriptionsResponseObject, error) {
	list, err := a.descriptions(ctx, q.Site)
	out := v1.ListDescriptions200JSONResponse{Items: []v1.DescriptionInfo{}}
	for i := range list {
		var d description
		if err := json.Unmarshal(list[i].Body, &d); err != nil {
			return nil, err
		}
		out.Items = append(out.Items, d.info(list[i].Rev))
	}
	return out, err
}

// PutDescription keeps a description of a site.
func (a *API) PutDescription(ctx context.Context, q v1.PutDescriptionRequestObject) (v1.PutDescriptionResponseObject, error) {
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
	d := description{Name: q.Body.Name, Title: spec.Title, Version: spec.Version, Operations: len(spec.Operations), Bytes: len(q.Body.Document), Partial: spec.Partial, At: a.when(ctx), By: ask(ctx).who.name}
	if d.Packed, err = pack(q.Body.Document); err != nil {
		return nil, err
	}
	if len(d.Title) > 200 {
		d.Title = cut(d.Title, 200)
	}
	body, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	if len(q.Body.Document) > maxDescription || len(body) > record.MaxBody-descriptionSpare {
		return nil, refuse(http.StatusRequestEntityTooLarge, "too_large", message.Args{"bytes": fmt.Sprint(maxDescription)})
	}
	a.deciding.Lock()
	defer a.deciding.Unlock()
	list, err := a.descriptions(ctx, q.Site)
	if err != nil {
		return nil, err
	}
	id, rev := descriptionID(q.Site, q.Body.Name), uint64(1)
	if i := slices.IndexFunc(list, func(r record.Record) bool { return r.ID == id }); i >= 0 {
		rev = list[i].Rev + 1
	} else if len(list) >= maxDescriptions {
		return nil, refuse(http.StatusConflict, "full", message.Args{"most": maxDescriptions})
	}
	r := a.kept(ctx, record.Description, id, rev)
	r.Site, r.Name, r.Body = q.Site, cut(q.Body.Name, record.MaxText-4), body
	detail := map[string]any{"site": q.Site, "name": q.Body.Name, "bytes": d.Bytes, "operations": d.Operations}
	if err := a.commit(ctx, "description.put", id, detail, record.Batch{Put: []record.Record{r}}); err != nil {
		return nil, err
	}
	a.drifts.forget(q.Site)
	return v1.PutDescription200JSONResponse(d.info(rev)), nil
}

// DeleteDescription keeps one no longer.
func (a *API) DeleteDescription(ctx context.Context, q v1.DeleteDescriptionRequestObject) (v1.DeleteDescriptionResponseObject, error) {
	a.deciding.Lock()
	defer a.deciding.Unlock()
	id := descriptionID(q.Site, q.Name)
	r, err := a.cfg.Store.Get(ctx, record.Description, id)
	if err != nil {
		return nil, err
	}
	detail := map[string]any{"site": q.Site, "name": q.Name}
	if err := a.commit(ctx, "description.delete", id, detail, record.Batch{Delete: []record.Key{{Kind: record.Description, ID: id, Rev: r.Rev}}}); err != nil {
		return nil, err
	}
	a.drifts.forget(q.Site)
	return v1.DeleteDescription204Response{}, nil
}

// GetDrift tells how the APIs of a site differ from the descriptions that are
// kept.
func (a *API) GetDrift(ctx context.Context, q v1.GetDriftRequestObject) (v1.GetDriftResponseObject, error) {
	leave, err := a.reports.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	d, _, err := a.drift(ctx, q.Site)
	if err != nil {
		return nil, err
	}
	return v1.GetDrift200JSONResponse(*d), nil
}

// drift compares the APIs of a site with the descriptions that are kept.
func (a *API) drift(ctx context.Context, site string) (*drift.Result, *report.Report, error) {
	list, err := a.descriptions(ctx, site)
	if err != nil {
		return nil, nil, err
	}
	if len(list) == 0 {
		return nil, nil, notFound()
	}
	var specs []*openapi.Spec
	for i := range list {
		var d description
		if err := json.Unmarshal(list[i].Body, &d); err != nil {
			return nil, nil, err
		}
		document, err := unpack(d.Packed)
		if err != nil {
			return nil, nil, fmt.Errorf("description %s: %w", list[i].ID, err)
		}
		spec, err := described(d.Name, string(document))
		if err != nil {
			return nil, nil, err
		}
		specs = append(specs, spec)
	}
	r, err := a.learned(ctx, site)
	if err != nil {
		return nil, nil, err
	}
	return drift.Compare(specs, r.Described(site)), r, nil
}

// drifts remembers for a while how the APIs of sites stand to their
// descriptions, so that pages of a list are not each a comparison.
type drifts struct {
	mu    sync.Mutex
	sites map[string]*drifted
}

type drifted struct {
	at    time.Time
	marks map[string]map[string]bool // ids by mark
}

func (d *drifts) forget(site string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sites, site)
}

// marked gives the ids of a site's APIs that have a mark.
func (a *API) marked(ctx context.Context, site, mark string) (map[string]bool, error) {
	a.drifts.mu.Lock()
	x := a.drifts.sites[site]
	a.drifts.mu.Unlock()
	now := a.cfg.Now()
	if x != nil && now.Sub(x.at) < driftFor && !now.Before(x.at) {
		return x.marks[mark], nil
	}
	got, r, err := a.drift(ctx, site)
	if err != nil {
		return nil, err
	}
	x = &drifted{at: now, marks: map[string]map[string]bool{}}
	add := func(mark, id string) {
		if x.marks[mark] == nil {
			x.marks[mark] = map[string]bool{}
		}
		x.marks[mark][id] = true
	}
	for i := range r.APIs {
		if slices.Contains(got.Hosts, r.APIs[i].Host) {
			add("documented", r.APIs[i].ID)
		}
	}
	for i := range got.Items {
		it := &got.Items[i]
		if it.API == "" {
			continue
		}
		if it.Kind == drift.Shadow {
			delete(x.marks["documented"], it.API)
		}
		if strings.HasPrefix(it.Kind, "undocumented_") {
			add("undocumented", it.API)
		} else {
			add(it.Kind, it.API)
		}
	}
	a.drifts.mu.Lock()
	defer a.drifts.mu.Unlock()
	if len(a.drifts.sites) >= maxDriftSites {
		clear(a.drifts.sites)
	}
	a.drifts.sites[site] = x
	return x.marks[mark], nil
}

// listMarked gives a page of the APIs that have a mark, of those that a query
// asks for.
func (a *API) listMarked(ctx context.Context, q record.Query, mark string) (out page[report.API], err error) {
	if q.Site == "" {
		return out, wrong(field{name: "site", id: "missing"})
	}
	leave, err := a.reports.enter(ctx)
	if err != nil {
		return out, err
	}
	defer leave()
	ids, err := a.marked(ctx, q.Site, mark)
	if err != nil {
		return out, err
	}
	_, after, err := q.Check()
	if err != nil {
		return out, err
	}
	limit, looked := q.Limit, 0
	out.items = []report.API{}
	var last record.Place
	q.After = ""
	err = a.every(ctx, q, func(r *record.Record) error {
		if looked++; looked > maxDriftRecords || !ids[r.ID] {
			return nil
		}
		out.total++
		at := q.PlaceOf(r)
		switch {
		case after != nil && q.Compare(at, *after) <= 0:
			return nil
		case len(out.items) == limit:
			out.next = q.Cursor(last)
			return nil
		}
		var x report.API
		if err := json.Unmarshal(r.Body, &x); err != nil {
			return err
		}
		shortAPI(&x)
		out.items, last = append(out.items, x), at
		return nil
	})
	return out, err
}
