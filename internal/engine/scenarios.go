package engine

import (
	"cmp"
	"slices"
	"time"

	"xiezhi/internal/judge"
	"xiezhi/internal/rule/scenario"
)

// Alert is what a CrowdSec scenario told: its bucket ran over.
type Alert struct {
	Scenario string    `json:"scenario"`
	Kind     string    `json:"kind"` // of attack
	Site     string    `json:"site"`
	At       time.Time `json:"at"`
	First    time.Time `json:"first"`
	Events   uint32    `json:"events"`
	Sources  []string  `json:"sources"`
	More     bool      `json:"more,omitempty"` // there were more addresses
}

// withScenarios gives tools whose observers look for scenarios; none changes
// nothing, and costs nothing.
func (t *Tools) withScenarios(s *scenario.Set) *Tools {
	if len(s.Rules()) == 0 {
		return t
	}
	c := *t
	c.scenarios = s
	c.observe.Screen = s.Screen(t.redactor)
	return &c
}

// alerts lists the alerts of all sites by time.
func alerts(results []judge.Result) []Alert {
	var out []Alert
	for i := range results {
		for _, a := range results[i].Alerts {
			x := Alert{Scenario: a.Rule.Name, Kind: string(a.Rule.Attack), Site: results[i].Site.Name, At: time.Unix(0, a.At).UTC(), First: time.Unix(0, a.First).UTC(), Events: a.Events, Sources: []string{}, More: a.More}
			for _, s := range a.Sources {
				x.Sources = append(x.Sources, s.String())
			}
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b Alert) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Site, b.Site), slices.Compare(a.Sources, b.Sources))
	})
	return out
}
