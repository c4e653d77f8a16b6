package arena

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/lab"
	"xiezhi/lab/arena/gang"
	"xiezhi/lab/arena/public"
	"xiezhi/lab/people"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
	"xiezhi/lab/truth"
)

// members is how many accounts an application opens with.
const members = 620

// Play generates a match, hands every event to the sink and gives the truth.
// Attack ids are gang.AttackID of campaign, kind and site.
func Play(ctx context.Context, m Match, sink func(*stage.Event) error) (*truth.Truth, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	town := people.New(m.Seed)
	apps := m.open(town)
	count := truth.NewCounter()
	st := stage.New(m.Seed, apps, func(e *stage.Event) error {
		blind(m.Sensor, e.Exchange)
		count.Add(e)
		return sink(e)
	})
	defer st.Close()
	crowd := public.New(m.Seed, st, town, m.Visits)
	end := m.Start.AddDate(0, 0, m.Days)
	for _, e := range m.Spec.Events {
		crowd.Event(e.Name, apps[e.Site], m.Start.Add(time.Duration(e.At)*time.Hour))
	}
	gangs := gang.New(m.Seed, st, town, crowd)
	for i := range m.Campaigns {
		c := &m.Campaigns[i]
		g := &gang.Campaign{ID: c.ID, Knobs: c.Knobs, From: m.Start.Add(time.Duration(m.Warm) * time.Hour), Until: end.Add(-10 * time.Minute)}
		for _, v := range c.Moves {
			g.Moves = append(g.Moves, gang.Move{Kind: string(v.Kind), App: apps[v.Site], Way: v.Way})
		}
		gangs.Enter(i, g)
	}
	for day := m.Start; day.Before(end); day = day.AddDate(0, 0, 1) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		crowd.Day(day)
		if err := st.Play(day.AddDate(0, 0, 1)); err != nil {
			return nil, err
		}
	}
	if st.Refused() > 0 {
		return nil, fmt.Errorf("stage: %d scripts found no room; lower visits or budgets", st.Refused())
	}
	t := count.Truth(apps)
	t.Match, t.Seed, t.Start, t.Defects = m.Name, m.Seed, m.Start.Format("2006-01"), []scene.Seeded{}
	for i := range t.Campaigns {
		g := &t.Campaigns[i]
		if k := slices.IndexFunc(m.Campaigns, func(c Campaign) bool { return c.ID == g.ID }); k >= 0 {
			c := &m.Campaigns[k]
			g.Family, g.Difficulty, g.Knobs = c.Family, string(c.Difficulty), c.Knobs
		}
	}
	return t, nil
}

// open founds the applications; no two share a name.
func (m *Match) open(town *people.Town) []*scene.App {
	var apps []*scene.App
	taken := map[string]bool{}
	for i, trade := range m.Sites {
		seed := m.Seed
		app := scene.Found(seed, i, trade, m.Start, town, members)
		for taken[app.Name] {
			seed += 1_000_003
			app = scene.Found(seed, i, trade, m.Start, town, members)
		}
		taken[app.Name] = true
		apps = append(apps, app)
	}
	return apps
}

// blind takes from an exchange what the sensor cannot see.
func blind(s Sensor, x *exchange.Exchange) {
	switch s {
	case NoTLS:
		x.JA4, x.H2, x.SNI, x.TLSVersion = nil, nil, nil, nil
		x.Caps &^= exchange.CapTLS | exchange.CapHeaderOrder
		slices.SortStableFunc(x.Request.Header, func(a, b exchange.Field) int {
			return strings.Compare(strings.ToLower(string(a.Name)), strings.ToLower(string(b.Name)))
		})
		x.Proto = 11
	case NoBodies:
		x.Request.Body, x.Response.Body = nil, nil
		x.Caps &^= exchange.CapRequestBody | exchange.CapResponseBody
	case NoResponse:
		x.Response.Body = nil
		x.Caps &^= exchange.CapResponseBody
	}
}

// Write generates a match into a folder, as lab.Write does a year.
func Write(ctx context.Context, m Match, dir string) (*truth.Truth, error) {
	return lab.WriteFrom(dir, func(sink stage.Sink) (*truth.Truth, error) { return Play(ctx, m, sink) })
}
