// Package arena plays matches for the scoreboard: a few applications with an
// honest public, several campaigns of attack at once, each with knobs of its
// own, and honest events that look like attacks.
//
// It takes a match, a seed with a specification, and gives HTTP exchanges in
// order of time, each with its label, and the truth about all of them.
// Invariant: the same match gives the same bytes; no clock, no map order;
// nothing here knows how attacks are noticed. Persons, numbers and accounts are
// synthetic. Client addresses are of public blocks, so that a geography has
// something to tell; they are numbers in generated files, and nothing is ever
// sent to them. Limits: MaxSites applications, MaxDays days a match.
package arena

import (
	"fmt"
	"time"

	"xiezhi/internal/taxonomy"
	"xiezhi/lab/arena/knob"
)

// Bounds of a match.
const (
	MaxSites = 16
	MaxDays  = 14
)

// Match is one play of the scoreboard.
type Match struct {
	Seed uint64 `json:"seed"`
	Spec
}

// Spec is what happens in a match.
type Spec struct {
	Name      string     `json:"name"`
	Start     time.Time  `json:"start"`  // midnight, +08:00
	Warm      int        `json:"warm_h"` // hours of honest traffic before the first attack
	Days      int        `json:"days"`   // the warm-up included
	Sites     []string   `json:"sites"`  // trades of the applications, see Trades
	Visits    float64    `json:"visits"` // honest visits of an application a day
	Campaigns []Campaign `json:"campaigns"`
	Events    []Event    `json:"events"`
	Sensor    Sensor     `json:"sensor"`
}

// Campaign is one gang at work.
type Campaign struct {
	ID         string          `json:"id"`
	Family     string          `json:"family"` // how such gangs are equipped, see Families
	Difficulty knob.Difficulty `json:"difficulty"`
	Knobs      knob.Knobs      `json:"knobs"`
	Moves      []Move          `json:"moves"` // share the budget
}

// Move is one line of attack: a kind, at an application, in a way. The attack's
// id in labels and truth is the campaign's, the kind and the site's name.
type Move struct {
	Kind taxonomy.AttackKind `json:"kind"`
	Site int                 `json:"site"`          // index in Spec.Sites
	Way  string              `json:"way,omitempty"` // see Ways; empty: drawn
}

// Event is something honest that looks like an attack. Its exchanges carry its
// name in Label.Event and no attack.
type Event struct {
	Name string `json:"name"` // see EventNames
	Site int    `json:"site"`
	At   int    `json:"at_h"` // hours after the start
}

// Sensor is what the sensor of a match cannot see.
type Sensor string

// Sensors.
const (
	SeesAll    Sensor = "all"
	NoTLS      Sensor = "no_tls"      // behind a balancer: no JA4, no HTTP/2, canonical headers
	NoBodies   Sensor = "no_bodies"   // bodies are not recorded
	NoResponse Sensor = "no_response" // bodies of answers are not recorded
)

// Check says what is out of range.
func (m *Match) Check() error {
	if n := len(m.Sites); n < 1 || n > MaxSites {
		return fmt.Errorf("sites: %d is not between 1 and %d", n, MaxSites)
	}
	if m.Days < 1 || m.Days > MaxDays {
		return fmt.Errorf("days: %d is not between 1 and %d", m.Days, MaxDays)
	}
	if m.Warm < 0 || m.Warm >= m.Days*24 {
		return fmt.Errorf("warm_h: %d leaves nothing of %d days", m.Warm, m.Days)
	}
	if m.Start.IsZero() {
		return fmt.Errorf("start: none")
	}
	switch m.Sensor {
	case SeesAll, NoTLS, NoBodies, NoResponse:
	default:
		return fmt.Errorf("sensor: %q is unknown", m.Sensor)
	}
	seen := map[string]bool{}
	for i := range m.Campaigns {
		c := &m.Campaigns[i]
		if c.ID == "" || seen[c.ID] {
			return fmt.Errorf("campaigns[%d]: id %q is empty or taken", i, c.ID)
		}
		seen[c.ID] = true
		if err := c.Knobs.Check(); err != nil {
			return fmt.Errorf("campaign %s: %w", c.ID, err)
		}
		if len(c.Moves) == 0 {
			return fmt.Errorf("campaign %s: no moves", c.ID)
		}
		for _, v := range c.Moves {
			if v.Site < 0 || v.Site >= len(m.Sites) {
				return fmt.Errorf("campaign %s: no site %d", c.ID, v.Site)
			}
			if !fits(v.Kind, m.Sites[v.Site]) {
				return fmt.Errorf("campaign %s: %s has nothing to find at %q", c.ID, v.Kind, m.Sites[v.Site])
			}
		}
	}
	for i, e := range m.Events {
		if e.Site < 0 || e.Site >= len(m.Sites) {
			return fmt.Errorf("events[%d]: no site %d", i, e.Site)
		}
		if !happens(e.Name, m.Sites[e.Site]) {
			return fmt.Errorf("events[%d]: %s does not happen at %q", i, e.Name, m.Sites[e.Site])
		}
		if e.At < 0 || e.At >= m.Days*24 {
			return fmt.Errorf("events[%d]: hour %d is not in the match", i, e.At)
		}
	}
	return nil
}
