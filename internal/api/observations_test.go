package api

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/store/observation"
	"xiezhi/internal/store/observation/observationtest"
)

const manyRows = 300

// someRows is a store with rows.
func someRows(t testing.TB) observation.Store {
	t.Helper()
	m := &lockedRows{Model: observationtest.NewModel()}
	if err := m.Append(t.Context(), theRows()); err != nil {
		t.Fatal(err)
	}
	return m
}

func theRows() []observation.Row {
	var list []observation.Row
	for i := range manyRows {
		r := observationtest.Row(i)
		r.Position = observation.Position{Partition: 1, Seq: uint64(i + 1)}
		list = append(list, r)
	}
	return list
}

// lockedRows makes the model safe for many at once.
type lockedRows struct {
	mu sync.Mutex
	*observationtest.Model
}

func (l *lockedRows) Search(ctx context.Context, q observation.SearchQuery) (observation.Page, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Model.Search(ctx, q)
}

func TestObservations(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Observations = someRows(t) })
	g := h.admin()
	// Turning pages gives every row once, newest first.
	seen, last, next := map[string]int{}, "", ""
	for {
		var p v1.ObservationPage
		g.holds("GET", "/api/v1/observations?limit=70&cursor="+url.QueryEscape(next), nil).into(t, &p)
		for _, o := range p.Items {
			seen[o.Exchange]++
			at := o.Time.Format("2006-01-02T15:04:05.000000000")
			if last != "" && at > last {
				t.Errorf("%s comes after %s", at, last)
			}
			last = at
		}
		if next = p.Next; next == "" {
			break
		}
	}
	if len(seen) != manyRows {
		t.Errorf("%d rows, want %d", len(seen), manyRows)
	}
	// A filter by what one row shows finds it, and only such.
	r := observationtest.Row(17)
	var p v1.ObservationPage
	q := url.Values{"site": {r.Site}, "api": {r.API}, "client": {r.Client.String()}, "verdict": {r.Verdict.String()}, "outcome": {r.Outcome.String()}, "status": {fmt.Sprint(r.Status)}}
	for k, v := range map[string]string{"actor": observation.Token(r.Actor), "account": observation.Token(r.Account), "session": observation.Token(r.Session), "agent": observation.Token(r.Agent)} {
		if v != "" {
			q.Set(k, v)
		}
	}
	for k, v := range q {
		if v[0] == "" || v[0] == "0" || v[0] == "invalid IP" {
			q.Del(k)
		}
	}
	g.holds("GET", "/api/v1/observations?"+q.Encode(), nil).into(t, &p)
	if len(p.Items) == 0 {
		t.Fatalf("%s finds nothing", q.Encode())
	}
	for _, o := range p.Items {
		if o.Site != r.Site || o.Api != r.API || o.Actor != observation.Token(r.Actor) || string(o.Verdict) != r.Verdict.String() {
			t.Errorf("%s finds %+v", q.Encode(), o)
		}
	}
	// All verdicts together are everything.
	var top v1.Top
	g.holds("GET", "/api/v1/observations/top?of=verdict&verdict=normal&verdict=suspicious&verdict=attack", nil).into(t, &top)
	sum := int64(0)
	for _, x := range top.Items {
		sum += x.Value
	}
	if sum != manyRows || top.Total != manyRows {
		t.Errorf("%+v", top)
	}
	for path, want := range map[string]string{
		"/observations?verdict=evil": "verdict", "/observations?client=everywhere": "client", "/observations?actor=12": "actor", "/observations?actor=0000000000000000": "actor",
		"/observations?country=XX1": "country", "/observations?network=x": "network", "/observations/top": "of", "/observations/top?of=name": "of",
		"/observations/series?step=hour": "from", "/observations/series?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z": "step",
		"/observations/pivot?of=api": "key", "/observations?type=soul": "type",
	} {
		p := g.ask("GET", "/api/v1"+path, nil).problem(t)
		if p.Code != "invalid" || len(p.Errors) == 0 || p.Errors[0].Field != want {
			t.Errorf("%s: %+v", path, p)
		}
	}
	for _, path := range []string{"/observations?cursor=x", "/observations/series?from=2020-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&step=minute", "/observations/pivot?of=actor&key=me"} {
		p := g.ask("GET", "/api/v1"+path, nil).problem(t)
		if p.Code != "query" || len(p.Errors) != 1 || strings.Contains(p.Errors[0].Detail, "http.") {
			t.Errorf("%s: %+v", path, p)
		}
	}
	if p := newHouse(t).admin().ask("GET", "/api/v1/observations", nil).problem(t); p.Code != "unavailable" {
		t.Errorf("%+v", p)
	}
}
