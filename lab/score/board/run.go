package board

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"xiezhi/internal/engine"
	"xiezhi/internal/exchange"
	"xiezhi/internal/judge"
	"xiezhi/internal/report"
	"xiezhi/internal/source"
	"xiezhi/lab/stage"
	"xiezhi/lab/truth"
)

// World is what a run takes from outside.
type World struct {
	Tools  *engine.Tools
	Random io.Reader
	Temp   func() (judge.SpillFile, error)
}

// Run plays a game: once for its labels and the rivals, once through the
// product, once more through it without addresses.
func Run(ctx context.Context, w World, g *Game) (*Record, error) {
	r, l, t, err := survey(ctx, g)
	if err != nil {
		return nil, err
	}
	sites, err := sitesOf(t)
	if err != nil {
		return nil, err
	}
	for _, blind := range []bool{false, true} {
		v, err := watch(ctx, w, g, r, l, sites, blind)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g.Name, err)
		}
		if blind {
			r.Blind = *v
		} else {
			r.Plain = *v
		}
	}
	return r, nil
}

// sitesOf tells the product which hosts are which site, as its owner would.
func sitesOf(t *truth.Truth) (*engine.FileConfig, error) {
	c := &engine.FileConfig{TimeZone: "Asia/Shanghai"}
	for _, s := range t.Sites {
		c.Sites = append(c.Sites, engine.SiteConfig{Name: s.Name, Hosts: []string{s.Host}, Industry: s.Industry, TimeZone: s.TimeZone})
	}
	return c, nil
}

// watch runs the product on a game.
func watch(ctx context.Context, w World, g *Game, r *Record, l *labels, sites *engine.FileConfig, blind bool) (*View, error) {
	hits := &hitLines{in: map[int32][]string{}}
	clock := newClock(r, l)
	res, err := engine.Analyze(ctx, engine.AnalyzeConfig{Version: "score", Tools: w.Tools, File: sites, Zone: time.FixedZone("CST", 8*3600), Random: w.Random, Temp: w.Temp,
		Live:       engine.Live{Sources: []source.Source{&player{game: g, blind: blind}}},
		Attributed: hits, Weak: true, Probe: &engine.Probe{Due: clock.due, Look: clock.look}})
	if err != nil {
		return nil, err
	}
	if n := len(res.Report.Input.Dropped); n > 0 || res.Report.Input.Exchanges != uint64(r.Exchanges) {
		return nil, fmt.Errorf("%d exchanges of %d were analysed, dropped: %v", res.Report.Input.Exchanges, r.Exchanges, res.Report.Input.Dropped)
	}
	if len(hits.rest) > 0 {
		return nil, fmt.Errorf("the attributed exchanges end within a line: %q", hits.rest)
	}
	v := viewOf(res.Report)
	in, err := v.places(hits.in, r.Exchanges)
	if err != nil {
		return nil, err
	}
	v.Groups, v.Found = groupsOf(l, in), clock.found
	return v, nil
}

// places gives the reports that each exchange is in. What is attributed to a
// report that is not there, or of an exchange that never was, is an error: it
// would be counted for another or for none.
func (v *View) places(hits map[int32][]string, exchanges int) (map[int32][]int, error) {
	place := map[string]int{}
	for i := range v.Reports {
		place[v.Reports[i].ID] = i
	}
	in := make(map[int32][]int, len(hits))
	for n, ids := range hits {
		if n < 0 || int(n) >= exchanges {
			return nil, fmt.Errorf("exchange %d of %d is attributed to %v", n, exchanges, ids)
		}
		for _, id := range ids {
			i, ok := place[id]
			if !ok {
				return nil, fmt.Errorf("exchange %d is attributed to %s, which is not in the report", n, id)
			}
			in[n] = append(in[n], i)
		}
	}
	return in, nil
}

// viewOf takes the attacks and campaigns out of a report. An attack of no
// campaign is one by itself.
func viewOf(rep *report.Report) *View {
	v := &View{}
	of := map[string]int{}
	for i, c := range rep.Campaigns {
		for _, a := range c.Attacks {
			of[a] = i
		}
	}
	next := len(rep.Campaigns)
	for _, a := range rep.Attacks {
		c, ok := of[a.ID]
		if !ok {
			c = next
			next++
		}
		v.Reports = append(v.Reports, Reported{ID: a.ID, Kind: a.Kind, Site: a.Site, Verdict: a.Verdict, Score: score(&a), Campaign: c, Reason: a.Reason.En})
	}
	return v
}

// score ranks reports. The confidence is rounded, so reports that are sure are
// told apart by the sum of their evidence.
func score(a *report.Attack) float64 {
	sum := 0.0
	for _, r := range a.Reasons {
		sum += r.Weight
	}
	return a.Confidence*1000 + min(max(sum, 0), 99)/100
}

// player is the source of a game's exchanges.
type player struct {
	game  *Game
	blind bool
}

// Run implements source.Source.
func (p *player) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	n := 0
	var id []byte
	_, err := p.game.Play(ctx, func(e *stage.Event) error {
		x := e.Exchange
		id = name(id, n)
		own := x.ID
		x.ID = id
		if p.blind {
			unseen(x)
		}
		x.Seq = uint64(n)
		n++
		ledger.AddBytes(size(x))
		ledger.AddAccepted(1)
		err := sink.Accept(x)
		x.ID = own
		return err
	})
	return err
}

func size(x *exchange.Exchange) int64 {
	return int64(len(x.Target) + len(x.Request.Body) + len(x.Response.Body))
}

// hitLines reads what the engine writes about attributed exchanges.
type hitLines struct {
	in   map[int32][]string
	rest []byte
}

// Write implements io.Writer.
func (h *hitLines) Write(b []byte) (int, error) {
	h.rest = append(h.rest, b...)
	for {
		i := bytes.IndexByte(h.rest, '\n')
		if i < 0 {
			return len(b), nil
		}
		var line struct{ ID, Attack string }
		if err := json.Unmarshal(h.rest[:i], &line); err != nil {
			return 0, err
		}
		n := number(line.ID)
		h.in[n] = append(h.in[n], line.Attack)
		h.rest = h.rest[i+1:]
	}
}
