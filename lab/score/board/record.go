// Package board is the scoreboard: it plays matches of the arena through the
// product and through its rivals, and sums up how well each of them tells
// attacks from the public.
//
// It takes games and gives a Board of figures, for people in two languages and
// as JSON, and the story of every miss. Invariant: what is counted comes from
// labels on single exchanges; the product gets the exchanges and never the
// labels; a campaign found late counts as late. Nothing of the product is fitted
// on the play, so holding out a family changes nothing for it; what is fitted
// (the stump) is held to recall on the family it never saw; its PR-AUC and its
// windows hold the others too. Limits: MaxExchanges a game; memory is one game's
// labels and one run of the engine per worker.
package board

import (
	"time"

	"xiezhi/lab/arena/knob"
	"xiezhi/lab/score/rival"
)

// MaxExchanges bounds one game.
const MaxExchanges = 8_000_000

// Record is what one game gave: all that the board is made of.
type Record struct {
	Game      string      `json:"game"`
	Seed      uint64      `json:"seed"`
	Sensor    string      `json:"sensor"`
	Sites     int         `json:"sites"`
	Days      float64     `json:"days"`
	Exchanges int         `json:"exchanges"`
	Benign    int         `json:"benign"`  // of no gang
	Support   int         `json:"support"` // of a gang and no attack: signing in, say
	Gangs     []Gang      `json:"gangs"`
	Attacks   []Attack    `json:"attacks"` // by number, from 1: the first is nobody's
	Events    []Event     `json:"events"`  // by number, from 1, likewise
	Plain     View        `json:"plain"`
	Blind     View        `json:"blind"`   // without client addresses
	Buckets   View        `json:"buckets"` // rival
	Windows   rival.Table `json:"windows"` // for the rival that is fitted
}

// Gang is one campaign of the truth.
type Gang struct {
	ID         string          `json:"id"`
	Family     string          `json:"family"`
	Difficulty knob.Difficulty `json:"difficulty"`
	Kind       string          `json:"kind"` // of its first move
	Knobs      knob.Knobs      `json:"knobs"`
}

// Attack is one line of attack of a gang: a kind at an application.
type Attack struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Site     string    `json:"site"`
	Gang     int       `json:"gang"`
	Requests int       `json:"requests"`
	Gained   int       `json:"gained"`
	Actors   int       `json:"actors"` // addresses
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
}

// Event is something honest that looks like an attack.
type Event struct {
	Name      string `json:"name"`
	Exchanges int    `json:"exchanges"`
}

// View is what one observer said about a game.
type View struct {
	Reports []Reported `json:"reports"`
	Groups  []Group    `json:"groups"`
	Found   []Found    `json:"found"` // by number of attack
}

// Reported is one attack that was reported.
type Reported struct {
	ID       string  `json:"id"`
	Kind     string  `json:"kind"`
	Site     string  `json:"site"`
	Verdict  string  `json:"verdict"`
	Score    float64 `json:"score"`
	Campaign int     `json:"campaign"` // reports of one number are said to be one gang's
	Reason   string  `json:"reason,omitempty"`
}

// Weak reports whether the observer only suspects it: it counts in rankings and
// nowhere else.
func (r *Reported) Weak() bool { return r.Verdict == suspicious }

const suspicious = "suspicious"

// Group is how many exchanges of one origin met the same reports.
type Group struct {
	Attack int   `json:"attack"` // number; honest or support, if not above 0
	Event  int   `json:"event,omitempty"`
	In     []int `json:"in,omitempty"` // places in Reports
	N      int   `json:"n"`
}

// Origins of a group beside the attacks.
const (
	honest  = 0
	support = -1
)

// Found says when an attack was first reported: what would have been said, had
// the traffic ended there. The zero value means never.
type Found struct {
	Probes     int           `json:"probes"`      // requests of the attack up to then
	GangProbes int           `json:"gang_probes"` // of its campaign
	After      time.Duration `json:"after_ns"`    // since the attack's first request
	GangAfter  time.Duration `json:"gang_after_ns"`
	Gained     int           `json:"gained"` // of the attack, up to then
}
