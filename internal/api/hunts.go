package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/report"
	"xiezhi/internal/store/record"
	"xiezhi/internal/yamlfile"
)

// Caps of hunts. The oldest that is over goes when there is no room.
const (
	maxHunts        = 8 // that are remembered; one runs at a time
	maxHuntFindings = 200
)

// HuntOrder says what is judged anew, and with what.
type HuntOrder struct {
	From, To time.Time // of the traffic; zero: no bound
	Text     []byte    // a policy file, may be empty
}

// HuntTold says how far a hunt is.
type HuntTold struct {
	Progress    float64
	Exchanges   uint64
	First, Last time.Time
	Stopped     string // why the newest were left out: number, time
}

// hunts are in memory: what they found is a question answered, not a finding.
type hunts struct {
	mu   sync.Mutex
	list []*hunt // newest first
	over sync.WaitGroup
}

type hunt struct {
	info   v1.Hunt
	end    context.CancelFunc
	report *report.Report // when it is done
}

func (s *hunts) find(id string) (*hunt, int) {
	i := slices.IndexFunc(s.list, func(h *hunt) bool { return h.info.Id == id })
	if i < 0 {
		return nil, i
	}
	return s.list[i], i
}

// close ends what runs and waits for it.
func (s *hunts) close() {
	s.mu.Lock()
	for _, h := range s.list {
		h.end()
	}
	s.mu.Unlock()
	s.over.Wait()
}

// ListHunts gives those that are remembered.
func (a *API) ListHunts(context.Context, v1.ListHuntsRequestObject) (v1.ListHuntsResponseObject, error) {
	a.hunts.mu.Lock()
	defer a.hunts.mu.Unlock()
	out := v1.ListHunts200JSONResponse{Items: []v1.Hunt{}}
	for _, h := range a.hunts.list {
		out.Items = append(out.Items, h.info)
	}
	return out, nil
}

// GetHunt gives one.
func (a *API) GetHunt(_ context.Context, q v1.GetHuntRequestObject) (v1.GetHuntResponseObject, error) {
	a.hunts.mu.Lock()
	defer a.hunts.mu.Unlock()
	h, _ := a.hunts.find(q.Id)
	if h == nil {
		return nil, notFound()
	}
	return v1.GetHunt200JSONResponse(h.info), nil
}

// GetHuntReport gives the whole of what one found.
func (a *API) GetHuntReport(ctx context.Context, q v1.GetHuntReportRequestObject) (v1.GetHuntReportResponseObject, error) {
	leave, err := a.reports.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	a.hunts.mu.Lock()
	h, _ := a.hunts.find(q.Id)
	var r *report.Report
	if h != nil {
		r = h.report
	}
	a.hunts.mu.Unlock()
	if r == nil {
		return nil, notFound()
	}
	return a.rendered(ctx, r, "hunt-"+q.Id, string(q.Params.Format), string(q.Params.Lang), "")
}

func (f file) VisitGetHuntReportResponse(w http.ResponseWriter) error { return f.visit(w) }

// StartHunt begins one. It goes on when whoever began it has gone.
func (a *API) StartHunt(ctx context.Context, q v1.StartHuntRequestObject) (v1.StartHuntResponseObject, error) {
	if a.cfg.Hunt == nil {
		return nil, refuse(http.StatusServiceUnavailable, "unavailable", nil)
	}
	o := HuntOrder{From: q.Body.From, To: q.Body.To, Text: []byte(q.Body.Yaml)}
	if !o.From.IsZero() && !o.To.IsZero() && !o.From.Before(o.To) {
		return nil, wrong(field{name: "to", id: "order"})
	}
	if err := a.huntable(o.Text); err != nil {
		return nil, err
	}
	id, err := a.random(8)
	if err != nil {
		return nil, err
	}
	a.hunts.mu.Lock()
	defer a.hunts.mu.Unlock()
	if slices.ContainsFunc(a.hunts.list, func(h *hunt) bool { return h.info.State == v1.HuntStateRunning }) {
		return nil, refuse(http.StatusConflict, "hunting", nil)
	}
	if err := a.commit(ctx, "hunt.start", id, map[string]any{"rules": len(o.Text) > 0}, record.Batch{}); err != nil {
		return nil, err
	}
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	h := &hunt{end: end, info: v1.Hunt{Id: id, By: ask(ctx).who.id, State: v1.HuntStateRunning, Began: a.when(ctx).UTC(), From: o.From, To: o.To, New: []v1.HuntFinding{}}}
	a.hunts.list = slices.Insert(a.hunts.list, 0, h)
	a.hunts.list = a.hunts.list[:min(len(a.hunts.list), maxHunts)]
	a.hunts.over.Go(func() { a.hunt(running, h, o) })
	return v1.StartHunt202JSONResponse(h.info), nil
}

// huntable checks a policy file that is brought along.
func (a *API) huntable(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if yamlfile.Nested(text) {
		return wrong(field{name: "yaml", id: "nested"})
	}
	f, err := policy.Parse("hunt", text)
	if err == nil && a.cfg.TestRules != nil {
		err = a.cfg.TestRules(f)
	}
	if err != nil {
		line, _, _ := strings.Cut(err.Error(), "\n")
		return refuse(http.StatusBadRequest, "hunt_text", message.Args{"why": report.Inert(cut(line, maxErrorLine))})
	}
	return nil
}

// hunt runs one to its end.
func (a *API) hunt(ctx context.Context, h *hunt, o HuntOrder) {
	defer h.end()
	tell := func(t HuntTold) {
		a.hunts.mu.Lock()
		defer a.hunts.mu.Unlock()
		h.info.Progress, h.info.Exchanges = float32(t.Progress), int64(t.Exchanges)
		h.info.First, h.info.Last, h.info.Stopped = t.First.UTC(), t.Last.UTC(), v1.HuntStopped(t.Stopped)
		if t.Exchanges == 0 {
			h.info.First, h.info.Last = time.Time{}, time.Time{}
		}
	}
	t, r, err := a.cfg.Hunt(ctx, o, tell)
	var news []v1.HuntFinding
	var further int64
	if err == nil {
		if t.Stopped == "" {
			t.Progress = 1
		}
		tell(t)
		news, further, err = a.newIn(ctx, r)
	}
	a.hunts.mu.Lock()
	defer a.hunts.mu.Unlock()
	h.info.Ended = a.cfg.Now().UTC()
	if err != nil {
		h.info.State = v1.HuntStateFailed
		if ctx.Err() == nil {
			a.cfg.Log.Error("a hunt failed", "hunt", h.info.Id, "error", err)
		}
		return
	}
	h.info.State, h.info.New, h.info.LeftOut = v1.HuntStateDone, news, further
	h.info.Found = v1.HuntFound{Defects: int64(len(r.Defects)), Attacks: int64(len(r.Attacks)), Campaigns: int64(len(r.Campaigns))}
	h.report = r
}

// newIn gives the findings of a report that no record has.
func (a *API) newIn(ctx context.Context, r *report.Report) (out []v1.HuntFinding, further int64, err error) {
	out = []v1.HuntFinding{}
	add := func(kind record.Kind, x v1.HuntFinding) {
		if err != nil {
			return
		}
		_, e := a.cfg.Store.Get(ctx, kind, x.Id)
		switch {
		case e == nil:
		case !errors.Is(e, record.ErrNotFound):
			err = e
		case len(out) >= maxHuntFindings:
			further++
		default:
			x.Record = v1.HuntFindingRecord(kind)
			out = append(out, x)
		}
	}
	sites := make(map[string]string, len(r.APIs))
	for i := range r.APIs {
		sites[r.APIs[i].ID] = r.APIs[i].Site
	}
	for i := range r.Campaigns {
		c := &r.Campaigns[i]
		add(record.Campaign, v1.HuntFinding{Id: c.ID, Kind: strings.Join(c.Kinds, " "), Site: strings.Join(c.Sites, " "), Reason: c.Reason})
	}
	for i := range r.Attacks {
		x := &r.Attacks[i]
		add(record.Attack, v1.HuntFinding{Id: x.ID, Kind: x.Kind, Site: x.Site, Grade: x.Verdict, Reason: x.Reason})
	}
	for i := range r.Defects {
		d := &r.Defects[i]
		site := d.Site
		if site == "" {
			site = sites[d.API]
		}
		add(record.Defect, v1.HuntFinding{Id: d.ID, Kind: d.Kind, Site: site, Grade: d.Severity, Reason: d.Reason})
	}
	return out, further, err
}

// EndHunt ends one and forgets it.
func (a *API) EndHunt(ctx context.Context, q v1.EndHuntRequestObject) (v1.EndHuntResponseObject, error) {
	a.hunts.mu.Lock()
	defer a.hunts.mu.Unlock()
	h, i := a.hunts.find(q.Id)
	if h == nil {
		return nil, notFound()
	}
	if err := a.commit(ctx, "hunt.end", q.Id, nil, record.Batch{}); err != nil {
		return nil, err
	}
	h.end()
	a.hunts.list = slices.Delete(a.hunts.list, i, i+1)
	return v1.EndHunt204Response{}, nil
}
