// Package attack detects abuse of APIs, judging cohorts and not single
// addresses.
//
// It takes a site's events in order and gives findings on demand; one file per
// detector. Invariant: same events in the same order, same findings; an id is
// fixed at birth. Limits: bounded keys and windows, see LIMITS.md.
package attack

import (
	"net/netip"

	"xiezhi/internal/catalog"
	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Selector says which exchanges belong to an attack, in terms that a gateway
// can evaluate: an exchange matches when its API is one of APIs or its path one
// of Path (anything when both are empty), its time lies in [From, To], and for
// every key that has values one of them matches.
type Selector struct {
	APIs        []catalog.Handle
	IP          []netip.Addr
	Prefix      []netip.Prefix
	JA4         []string
	HeaderOrder []uint64
	ParamShape  []uint64
	Credential  []uint64
	Account     []uint64
	Agent       []uint64 // tokens of the User-Agent
	Path        []uint64 // hashes of (method, path), for what is no API
	From, To    int64    // ns since the epoch, by exchange end, inclusive
}

// Reason is one piece of evidence: what was observed against what is expected.
type Reason struct {
	Family   taxonomy.ReasonFamily
	Weight   float64 // log-odds, capped at ±6 per family
	Observed string
	Expected string
	Text     message.Text
}

// Finding is one attack.
type Finding struct {
	ID              string // hash of (site, kind, api, scope kind, id of its first exchange)
	Kind            taxonomy.AttackKind
	Site            string
	Verdict         taxonomy.Verdict
	Confidence      float64
	First, Last     int64
	Requests        uint64
	Blocked         uint64
	Succeeded       uint64
	Selector        Selector
	IPs             []netip.Addr // at most 1 000, sorted
	IPCount         uint64
	Accounts        uint64 // distinct accounts aimed at
	Fingerprints    []string
	SubjectsExposed uint64
	Reasons         []Reason // strongest first
	Reason          message.Text
	Action          taxonomy.Action
	Collateral      float64    // share of benign requests the action would touch
	Through         []string   // defect ids, filled in by the judge
	Activity        []Activity // by day and API
	Marks           []Mark     // what campaigns are joined on, rarest first
}
