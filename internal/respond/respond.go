// Package respond decides what gateways do about attacks and exposure, and keeps
// what was decided: who, why, until when, and what it cost honest people.
//
// It takes attacks as the records have them, requests of people, a policy, and a
// way to ask what a selector would have met in recent traffic (Shadow). It gives
// decisions, kept as records with an audit entry each, and a Table that gateways
// ask about single requests; the rooms below enforce it (gate) and hand it to
// other people's gateways (bouncer).
//
// Invariants: no decision without an end, a reason, an origin and an entry in the
// audit log; none is carried out that would meet addresses on the list of what
// is never touched, everybody, or more honest requests than the policy allows;
// wide ones wait for a second person; while the kill switch is set nothing is
// carried out at all. What cannot be asked or read never stops traffic. Limits:
// the Max constants below and LIMITS.md; a selector is carried out only as a
// whole, never by the part of it that a gateway happens to know.
package respond

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Caps. A decision beyond them is refused.
const (
	MaxLive   = 100_000             // decisions that are not over
	MaxValues = 4096                // of one key of a selector
	MaxAPIs   = 256                 // of one selector
	MaxFields = 64                  // that one decision masks
	MaxTTL    = 90 * 24 * time.Hour // of a decision about a selector
	MaxPatch  = 366 * 24 * time.Hour
	MaxReason = 1000 // bytes
	MaxBody   = 4096 // bytes of a uniform answer
)

// State of a decision.
type State string

// The states. Proposed ones would have been carried out had the site's mode been
// enforce; Waiting ones need another person. Of the others, only Active ones are
// carried out, and the rest are over.
const (
	Proposed  State = "proposed"
	Waiting   State = "waiting"
	Active    State = "active"
	Expired   State = "expired"
	Undone    State = "undone"
	Withdrawn State = "withdrawn" // by itself, since it met honest people
	Refused   State = "refused"   // proposed by an attack, and not safe
)

// States lists all of them.
var States = [...]State{Proposed, Waiting, Active, Expired, Undone, Withdrawn, Refused}

// Over reports whether nothing more becomes of it.
func (s State) Over() bool { return s != Proposed && s != Waiting && s != Active }

// API is an API that a selector names, as gateways recognise it.
type API struct {
	ID       string `json:"id"`
	Host     string `json:"host"`
	Method   string `json:"method"`
	Template string `json:"template"`
}

// Selector says which requests of a site are meant: those to one of the APIs, if
// any are named, in which each key that is named has one of its values. It is
// the selector of the report.
type Selector struct {
	APIs []API `json:"apis,omitempty"`
	Keys Keys  `json:"keys"`
}

// Keys of a selector. Hashes are hexadecimal; agents, credentials and accounts
// are tokens of this installation.
type Keys struct {
	IP          []string `json:"ip,omitempty"`
	Prefix      []string `json:"prefix,omitempty"`
	JA4         []string `json:"ja4,omitempty"`
	HeaderOrder []string `json:"header_order,omitempty"`
	ParamShape  []string `json:"param_shape,omitempty"`
	Credential  []string `json:"credential,omitempty"`
	Account     []string `json:"account,omitempty"`
	Agent       []string `json:"agent,omitempty"`
	Path        []string `json:"path,omitempty"` // an alternative to APIs
}

// lists gives the keys by name, without the path, which stands for APIs.
func (k *Keys) lists() [8]struct {
	name   string
	values []string
} {
	type list = struct {
		name   string
		values []string
	}
	return [8]list{{"ip", k.IP}, {"prefix", k.Prefix}, {"ja4", k.JA4}, {"header_order", k.HeaderOrder}, {"param_shape", k.ParamShape},
		{"credential", k.Credential}, {"account", k.Account}, {"agent", k.Agent}}
}

// None reports whether no key is named, so that everybody is meant.
func (k *Keys) None() bool {
	for _, l := range k.lists() {
		if len(l.values) > 0 {
			return false
		}
	}
	return true
}

// AddressesOnly reports whether addresses alone say who is meant, so that
// gateways that know nothing else can carry it out.
func (s *Selector) AddressesOnly() bool {
	for _, l := range s.Keys.lists() {
		if len(l.values) > 0 && l.name != "ip" && l.name != "prefix" {
			return false
		}
	}
	// Both together mean addresses that are in both lists.
	return (len(s.Keys.IP) > 0) != (len(s.Keys.Prefix) > 0) && len(s.APIs) == 0 && len(s.Keys.Path) == 0
}

// Patch is what a masking decision does to answers.
type Patch struct {
	Fields  []string `json:"fields,omitempty"`  // paths in JSON, as data[].phone; a name alone is that field anywhere
	Records int      `json:"records,omitempty"` // of a list in an answer, at most; 0: any
	Uniform *Uniform `json:"uniform,omitempty"`
}

// Uniform gives one answer in the place of all that it is about.
type Uniform struct {
	Statuses []int    `json:"statuses,omitempty"` // of the answers that it is about; empty: 400 to 499 but 429
	Field    string   `json:"field,omitempty"`    // or this field of the answer in JSON …
	Values   []string `json:"values,omitempty"`   // … has one of these values, whatever the status
	Status   int      `json:"status"`             // that is given
	Body     string   `json:"body"`
	Type     string   `json:"type,omitempty"` // media type; empty: JSON
}

// Collateral is what a selector would have met of honest traffic.
type Collateral struct {
	Known      bool      `json:"known"`      // somebody looked
	Requests   uint64    `json:"requests"`   // of honest askers that it would have met
	Of         uint64    `json:"of"`         // honest requests of the site
	Principals uint64    `json:"principals"` // honest askers that it would have met, at most MaxPrincipals are told apart
	Attack     uint64    `json:"attack"`     // requests of known attacks that it would have met
	From       time.Time `json:"from,omitzero"`
	To         time.Time `json:"to,omitzero"`
}

// MaxPrincipals bounds how many honest askers are told apart.
const MaxPrincipals = 10_000

// Share of honest requests that would have been met.
func (c *Collateral) Share() float64 {
	if c.Of == 0 {
		return 0
	}
	return float64(c.Requests) / float64(c.Of)
}

// Approval is a person who agreed.
type Approval struct {
	By   string    `json:"by"`
	Name string    `json:"name,omitempty"`
	At   time.Time `json:"at"`
}

// Decision is one decision. Its body in a record is this as JSON.
type Decision struct {
	ID         string          `json:"id"`
	Number     uint64          `json:"number"` // 1, 2, 3 …; what gateways tell it by
	Rev        uint64          `json:"-"`
	Site       string          `json:"site"`
	Action     taxonomy.Action `json:"action"`
	Selector   Selector        `json:"selector"`
	Rate       int             `json:"rate,omitempty"` // requests a minute that a rate limit lets through, of all it is about together
	Patch      *Patch          `json:"patch,omitempty"`
	Reason     message.Text    `json:"reason"`
	Origin     string          `json:"origin"` // person, attack, patch
	Attack     string          `json:"attack,omitempty"`
	Defect     string          `json:"defect,omitempty"`
	By         string          `json:"by"`
	Name       string          `json:"by_name,omitempty"`
	At         time.Time       `json:"at"`
	Expires    time.Time       `json:"expires"`
	State      State           `json:"state"`
	Wide       []string        `json:"wide,omitempty"` // why a second person is needed: ids of texts
	Approvals  []Approval      `json:"approvals,omitempty"`
	Collateral Collateral      `json:"collateral"`
	Changed    time.Time       `json:"changed"`
	Ended      *Ending         `json:"ended,omitempty"`
	Met        uint64          `json:"met,omitempty"` // requests it was about, when told; not kept
}

// Ending is how a decision ended before its time, or why it never began.
type Ending struct {
	At     time.Time    `json:"at"`
	By     string       `json:"by,omitempty"`
	Name   string       `json:"by_name,omitempty"`
	Reason message.Text `json:"reason"`
}

// Origins of decisions.
const (
	ByPerson = "person"
	ByAttack = "attack"
)

// Refusal says why a decision is not made: Code names a text of respond.why.*.
type Refusal struct {
	Code   string
	Detail string // an address, a number: no personal data beyond what was asked for
}

func (r *Refusal) Error() string {
	if r.Detail == "" {
		return "refused: " + r.Code
	}
	return fmt.Sprintf("refused: %s (%s)", r.Code, r.Detail)
}

// Why gives the refusal's text in both languages.
func (r *Refusal) Why(m *message.Catalog) message.Text {
	return m.Text("respond.why."+r.Code, message.Args{"detail": r.Detail})
}

func refuse(code, detail string) error { return &Refusal{code, detail} }

// ErrState: what was asked for cannot be done to a decision in its state.
var ErrState = errors.New("the decision is in another state")

// Ladder is the order of actions, the mildest first.
var Ladder = [...]taxonomy.Action{taxonomy.ActObserve, taxonomy.ActTag, taxonomy.ActRateLimit, taxonomy.ActChallenge, taxonomy.ActMask, taxonomy.ActDeceive, taxonomy.ActBlock}

// Rank gives an action's place on the ladder, -1 for none.
func Rank(a taxonomy.Action) int { return slices.Index(Ladder[:], a) }
