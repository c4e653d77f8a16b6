package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/intel/feed"
	"xiezhi/internal/intel/indicator"
	"xiezhi/internal/intel/library"
	"xiezhi/internal/store/record"
)

// ListFeeds says how feeds are, and what else there is.
func (a *API) ListFeeds(context.Context, v1.ListFeedsRequestObject) (v1.ListFeedsResponseObject, error) {
	l := a.cfg.Library
	if l == nil {
		return nil, errNoLibrary
	}
	out := v1.ListFeeds200JSONResponse{Items: []v1.Feed{}, Sources: []v1.Source{}, Shared: []v1.FeedsShared{}}
	for _, h := range l.Feeds() {
		out.Items = append(out.Items, feedOf(&h))
	}
	set := l.Set()
	for _, s := range set.Sources() {
		out.Sources = append(out.Sources, v1.Source{Name: s.Name, Role: s.Role.String(), Licence: s.Licence, Rows: int64(len(set.Of(s.Name))), Weight: s.Weight()})
	}
	for _, c := range l.Collections() {
		out.Shared = append(out.Shared, v1.FeedsShared(c.Title))
	}
	return out, nil
}

func feedOf(h *library.Health) v1.Feed {
	role := h.Role
	if role == "" {
		role = "feed"
	}
	out := v1.Feed{Name: h.Name, Host: h.Host, Format: h.Format, Role: role, Licence: h.Licence, Every: int(h.Every / time.Second), Rows: int64(h.Rows), Weight: h.Weight, Confirmed: int64(h.Good), Wrong: int64(h.Wrong), Refused: v1.Refused{},
		Digest: h.Digest, State: v1.FeedStateOk, Fetched: h.Fetched, Changed: h.Changed, Tried: h.Tried, Next: h.Next, Error: h.Err, Failed: h.Failed, Reading: h.Reading}
	if out.Host == "" {
		out.Host = h.File
	}
	for reason, n := range h.Refused {
		out.Refused[string(reason)] = int64(n)
	}
	switch {
	case h.Stale && !h.Fetched.IsZero():
		out.State = v1.FeedStateStale
	case h.Err != "":
		out.State = v1.FeedStateFailing
	case h.Fetched.IsZero():
		out.State = v1.FeedStateNever
	}
	return out
}

// RefreshFeed lets a feed be read now.
func (a *API) RefreshFeed(ctx context.Context, q v1.RefreshFeedRequestObject) (v1.RefreshFeedResponseObject, error) {
	l := a.cfg.Library
	if l == nil {
		return nil, errNoLibrary
	}
	all := l.Feeds()
	i := slices.IndexFunc(all, func(h library.Health) bool { return h.Name == q.Name })
	if i < 0 {
		return nil, notFound()
	}
	if err := l.Refresh(q.Name); errors.Is(err, library.ErrNoFeed) {
		return nil, notFound()
	}
	if err := a.commit(ctx, "feed.refresh", q.Name, nil, record.Batch{}); err != nil {
		return nil, err
	}
	return v1.RefreshFeed202JSONResponse(feedOf(&all[i])), nil
}

// media are the forms of what is exported.
var media = map[feed.Format][2]string{feed.CSV: {"text/csv; charset=utf-8", "csv"}, feed.JSONL: {"application/x-ndjson", "jsonl"}, feed.MISP: {"application/json", "misp.json"}, feed.STIX: {"application/json", "stix.json"}}

func (f file) VisitExportIndicatorsResponse(w http.ResponseWriter) error { return f.visit(w) }

// ExportIndicators writes indicators for others.
func (a *API) ExportIndicators(_ context.Context, q v1.ExportIndicatorsRequestObject) (v1.ExportIndicatorsResponseObject, error) {
	l := a.cfg.Library
	if l == nil {
		return nil, errNoLibrary
	}
	most := indicator.Green
	if q.Params.Tlp != "" {
		most, _ = indicator.ParseTLP(string(q.Params.Tlp))
	}
	rows := l.Passable(most, q.Params.Least)
	if q.Params.Sources == "all" {
		rows = l.Everything(most, q.Params.Least)
	}
	var b bytes.Buffer
	format := feed.Format(q.Params.Format)
	if err := feed.Encode(&b, format, rows, feed.Out{Now: l.Now(), Most: most, Who: l.Who()}); err != nil {
		return nil, err
	}
	out := file{data: b.Bytes(), media: "text/plain; charset=utf-8", name: "xiezhi-indicators.txt"}
	if m, ok := media[format]; ok {
		out.media, out.name = m[0], "xiezhi-indicators."+m[1]
	}
	return out, nil
}
