// Package truth is what the lab knows about its own traffic: the figures of the
// report, the attacks, the gangs behind them and the defects that are there.
//
// It takes the stage's events and gives the truth file. Invariant: the figures
// are counted request by request from the labels and never from what a detector
// says. Limits: grows with the number of attacks, not of exchanges.
package truth

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/taxonomy"
	"xiezhi/lab/scene"
	"xiezhi/lab/stage"
)

// Schema names the form of truth.json.
const Schema = "xiezhi.lab.truth/v1"

// Truth is the content of truth.json.
type Truth struct {
	Schema    string         `json:"schema"`
	Match     string         `json:"match,omitempty"` // of the arena
	Seed      uint64         `json:"seed"`
	Start     string         `json:"start"` // 2006-01
	Months    int            `json:"months"`
	Scale     string         `json:"scale"`
	Exchanges uint64         `json:"exchanges"`
	Honest    uint64         `json:"honest"`
	Sites     []Site         `json:"sites"`
	Attacks   []Attack       `json:"attacks"`
	Campaigns []Campaign     `json:"campaigns"`
	Events    []Event        `json:"events,omitempty"`
	Defects   []scene.Seeded `json:"defects"`

	AttackedAPIsByMonth map[string]int               `json:"attacked_apis_by_month"`
	ScenarioShare       map[string]Count             `json:"scenario_share"`
	IndustryByScenario  map[string]map[string]uint64 `json:"industry_by_scenario"`
}

// Count is the volume of one scenario.
type Count struct {
	Requests uint64 `json:"requests"`
	APIs     int    `json:"apis"`
}

// Site is one application.
type Site struct {
	Name      string `json:"name"`
	Host      string `json:"host"`
	Industry  string `json:"industry"`
	TimeZone  string `json:"time_zone"`
	Exchanges uint64 `json:"exchanges"`
}

// Attack is one wave of one gang against one application.
type Attack struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Scenario string    `json:"scenario"`
	Site     string    `json:"site"`
	Campaign string    `json:"campaign"`
	APIs     []string  `json:"apis"` // "POST /path/{}"
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Requests uint64    `json:"requests"`
	Blocked  uint64    `json:"blocked"`
	Gained   uint64    `json:"gained,omitempty"` // subjects, accounts or goods
	Actors   int       `json:"actors"`
}

// Campaign is one gang.
type Campaign struct {
	ID       string   `json:"id"`
	Attacks  []string `json:"attacks"`
	Sites    []string `json:"sites"`
	Requests uint64   `json:"requests"`
	Support  uint64   `json:"support,omitempty"` // requests that are no attack of themselves

	// Of the arena, where gangs are equipped on purpose.
	Family     string `json:"family,omitempty"`
	Difficulty string `json:"difficulty,omitempty"`
	Knobs      any    `json:"knobs,omitempty"`
}

// Event is something honest that looks like an attack.
type Event struct {
	Name      string    `json:"name"`
	Site      string    `json:"site"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Exchanges uint64    `json:"exchanges"`
}

// Label is one line of the labels file.
type Label struct {
	ID       string `json:"id"`
	Attack   string `json:"attack"` // empty: no attack
	Kind     string `json:"kind"`
	Scenario string `json:"scenario"`
	Campaign string `json:"campaign"`
	Event    string `json:"event,omitempty"` // honest, and looks like an attack
	Actor    string `json:"actor"`
}

// LabelOf gives the line of an event.
func LabelOf(e *stage.Event) Label {
	l := Label{ID: string(e.Exchange.ID), Attack: e.Label.Attack, Kind: e.Label.Kind, Campaign: e.Label.Campaign, Event: e.Label.Event, Actor: e.Label.Actor}
	if l.Kind != "" {
		l.Scenario = string(taxonomy.ScenarioOf[taxonomy.AttackKind(l.Kind)])
	}
	return l
}

// Counter counts events into a truth.
type Counter struct {
	exchanges, honest uint64
	sites             map[string]*siteCount
	attacks           map[string]*attackCount
	months            map[[2]string]bool // month, API
	scenarioAPIs      map[[2]string]bool
	scenarios         map[string]uint64
	industries        map[[2]string]uint64
	support           map[string]uint64
	events            map[[2]string]*Event
}

type siteCount struct {
	zone *time.Location
	n    uint64
}

type attackCount struct {
	Attack
	apis, actors map[string]bool
}

// NewCounter makes an empty counter.
func NewCounter() *Counter {
	return &Counter{sites: map[string]*siteCount{}, attacks: map[string]*attackCount{}, months: map[[2]string]bool{},
		scenarioAPIs: map[[2]string]bool{}, scenarios: map[string]uint64{}, industries: map[[2]string]uint64{},
		support: map[string]uint64{}, events: map[[2]string]*Event{}}
}

// Add counts one event.
func (c *Counter) Add(e *stage.Event) {
	c.exchanges++
	s := c.sites[e.App.Name]
	if s == nil {
		s = &siteCount{zone: e.App.Location()}
		c.sites[e.App.Name] = s
	}
	s.n++
	if e.Label.Attack == "" {
		c.honest++
		c.beside(e)
		return
	}
	at := time.Unix(0, e.Exchange.End).UTC() // the report files an exchange under the day it ended on
	a := c.attacks[e.Label.Attack]
	if a == nil {
		a = &attackCount{apis: map[string]bool{}, actors: map[string]bool{}}
		a.Attack = Attack{ID: e.Label.Attack, Kind: e.Label.Kind, Scenario: string(taxonomy.ScenarioOf[taxonomy.AttackKind(e.Label.Kind)]),
			Site: e.App.Name, Campaign: e.Label.Campaign, First: at}
		c.attacks[a.ID] = a
	}
	a.Last = at
	a.Requests++
	a.Gained += uint64(e.Gained)
	if e.Blocked {
		a.Blocked++
	}
	a.actors[e.Exchange.Client.Addr().String()] = true
	c.scenarios[a.Scenario]++
	c.industries[[2]string{e.App.Industry, a.Scenario}]++
	if e.API != nil {
		api := e.API.Method + " " + e.API.Template()
		a.apis[api] = true
		key := e.App.Name + " " + api
		c.months[[2]string{at.In(s.zone).Format("2006-01"), key}] = true
		c.scenarioAPIs[[2]string{a.Scenario, key}] = true
	}
}

// beside counts what belongs to a gang or to an honest event and is no attack.
func (c *Counter) beside(e *stage.Event) {
	if e.Label.Campaign != "" {
		c.support[e.Label.Campaign]++
	}
	if e.Label.Event == "" {
		return
	}
	key, at := [2]string{e.Label.Event, e.App.Name}, time.Unix(0, e.Exchange.End).UTC()
	v := c.events[key]
	if v == nil {
		v = &Event{Name: key[0], Site: key[1], First: at}
		c.events[key] = v
	}
	v.Last = at
	v.Exchanges++
}

// Truth sums up.
func (c *Counter) Truth(apps []*scene.App) *Truth {
	t := &Truth{Schema: Schema, Exchanges: c.exchanges, Honest: c.honest, AttackedAPIsByMonth: map[string]int{}, ScenarioShare: map[string]Count{},
		IndustryByScenario: map[string]map[string]uint64{}, Attacks: []Attack{}, Campaigns: []Campaign{}, Defects: []scene.Seeded{}}
	for _, app := range apps {
		s := Site{Name: app.Name, Host: app.Host, Industry: app.Industry, TimeZone: app.Zone}
		if n := c.sites[app.Name]; n != nil {
			s.Exchanges = n.n
		}
		t.Sites = append(t.Sites, s)
		t.Defects = append(t.Defects, app.Seeded()...)
	}
	for k := range c.months {
		t.AttackedAPIsByMonth[k[0]]++
	}
	for s, n := range c.scenarios {
		t.ScenarioShare[s] = Count{Requests: n}
	}
	for k := range c.scenarioAPIs {
		n := t.ScenarioShare[k[0]]
		n.APIs++
		t.ScenarioShare[k[0]] = n
	}
	for k, n := range c.industries {
		if t.IndustryByScenario[k[0]] == nil {
			t.IndustryByScenario[k[0]] = map[string]uint64{}
		}
		t.IndustryByScenario[k[0]][k[1]] = n
	}
	gangs := map[string]*Campaign{}
	for _, a := range c.attacks {
		a.APIs = slices.Sorted(maps.Keys(a.apis))
		if a.APIs == nil {
			a.APIs = []string{}
		}
		a.Actors = len(a.actors)
		t.Attacks = append(t.Attacks, a.Attack)
	}
	slices.SortFunc(t.Attacks, func(x, y Attack) int {
		return cmp.Or(x.First.Compare(y.First), strings.Compare(x.ID, y.ID))
	})
	for _, a := range t.Attacks {
		g := gangs[a.Campaign]
		if g == nil {
			g = &Campaign{ID: a.Campaign}
			gangs[a.Campaign] = g
		}
		g.Attacks = append(g.Attacks, a.ID)
		g.Requests += a.Requests
		if !slices.Contains(g.Sites, a.Site) {
			g.Sites = append(g.Sites, a.Site)
		}
	}
	for _, v := range c.events {
		t.Events = append(t.Events, *v)
	}
	slices.SortFunc(t.Events, func(x, y Event) int {
		return cmp.Or(x.First.Compare(y.First), strings.Compare(x.Name, y.Name), strings.Compare(x.Site, y.Site))
	})
	for _, id := range slices.Sorted(maps.Keys(gangs)) {
		gangs[id].Support = c.support[id]
		slices.Sort(gangs[id].Sites)
		t.Campaigns = append(t.Campaigns, *gangs[id])
	}
	return t
}
