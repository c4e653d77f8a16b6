// Package policy holds what people decided: corrections of the catalogue, the
// allow-list of public APIs, approvals, verdicts on findings, claims that a
// defect is fixed, identity models, custom data types and custom rules.
//
// It takes one versioned YAML file and gives entries in the order of their
// time; the judge applies each when the traffic reaches that time, so a replay
// sees them at the same place. Invariant: an entry never changes once it is
// read; what is refused is named with its line and the rest is kept out of use
// as a whole, because half a policy is worse than none. Limits: see the Max
// constants and LIMITS.md.
package policy

import (
	"net/netip"
	"time"

	"xiezhi/internal/taxonomy"
)

// Version of the file format.
const Version = 1

// File is the whole policy. Every list may be empty.
type File struct {
	Version   int        `yaml:"version"`
	APIs      []APIEdit  `yaml:"apis"`
	Public    []Public   `yaml:"public"`
	Approvals []Approval `yaml:"approvals"`
	Verdicts  []Verdict  `yaml:"verdicts"`
	Fixes     []Fix      `yaml:"fixes"`
	Identity  []Identity `yaml:"identity"`
	Types     []DataType `yaml:"types"`
	Rules     []Rule     `yaml:"rules"`
}

// Decision is who decided what when. A zero At is "always": it holds from the
// first event on. A zero Expires never ends.
type Decision struct {
	At      time.Time `yaml:"at"`
	Expires time.Time `yaml:"expires"`
	By      string    `yaml:"by"`
	Reason  string    `yaml:"reason"`
}

// Target names APIs. Empty fields match everything; Host may start with "*.",
// Template may end with "/**".
type Target struct {
	Site     string `yaml:"site"`
	Host     string `yaml:"host"`
	Method   string `yaml:"method"`
	Template string `yaml:"template"`
}

// APIEdit corrects the catalogue for ever. Exactly one of the operations is set.
type APIEdit struct {
	Decision `yaml:",inline"`
	Target   `yaml:",inline"`
	Split    string        `yaml:"split"`  // a value of the template's last parameter that is a route of its own
	Merge    bool          `yaml:"merge"`  // paths that fit the template are one API, whatever evidence says
	Rename   string        `yaml:"rename"` // the template with other parameter names, or a name for people
	Role     taxonomy.Role `yaml:"role"`
	Ignore   bool          `yaml:"ignore"` // no API: noise
}

// Public is an entry of the allow-list: this API may answer anyone.
type Public struct {
	Decision `yaml:",inline"`
	Target   `yaml:",inline"`
}

// Approval permits what would else be a finding: a bulk export by staff, a
// partner's batch job, a trusted scanner.
type Approval struct {
	Decision   `yaml:",inline"`
	Target     `yaml:",inline"`
	Kind       string                `yaml:"kind"`     // export, partner, scanner
	Clients    []netip.Prefix        `yaml:"clients"`  // empty: any
	Accounts   []string              `yaml:"accounts"` // empty: any
	Tokens     []uint64              `yaml:"-"`        // of Accounts, filled in when the policy is loaded
	MaxRecords uint32                `yaml:"max_records"`
	Kinds      []taxonomy.DefectKind `yaml:"kinds"` // empty: bulk_response
}

// Match names findings, by id or by what they are.
type Match struct {
	Defect    string              `yaml:"defect"` // id of one finding
	Kind      taxonomy.DefectKind `yaml:"kind"`
	Component string              `yaml:"component"`
	SubKey    string              `yaml:"sub_key"`
}

// Verdict is what a person says of findings.
type Verdict struct {
	Decision `yaml:",inline"`
	Target   `yaml:",inline"`
	Match    `yaml:",inline"`
	Verdict  taxonomy.DefectStatus `yaml:"verdict"` // confirmed, accepted_risk, false_positive
}

// Fix claims that findings are mended; traffic after At has to show it.
type Fix struct {
	Decision `yaml:",inline"`
	Target   `yaml:",inline"`
	Match    `yaml:",inline"`
}

// Identity says where an application keeps who asks. In is cookie, header,
// query, form, json or jwt (a claim).
type Identity struct {
	Decision `yaml:",inline"`
	Target   `yaml:",inline"`
	Session  []Place `yaml:"session"`
	Account  []Place `yaml:"account"`
	Role     []Place `yaml:"role"`
	Login    []Place `yaml:"login"` // fields of a login that name the account
}

// Place is where a value stands.
type Place struct {
	In   string `yaml:"in"`
	Name string `yaml:"name"`
}

// Words are a text in both languages; one of them may be empty, then the other
// is shown.
type Words struct {
	Zh string `yaml:"zh"`
	En string `yaml:"en"`
}

// DataType is a kind of sensitive data of the operator's own.
type DataType struct {
	ID      string   `yaml:"id"`
	Level   int      `yaml:"level"`   // 1 to 4, as S1 to S4
	Pattern string   `yaml:"pattern"` // RE2 on the whole value
	Names   []string `yaml:"names"`   // field names; empty: any
	Title   Words    `yaml:"title"`
	Match   []string `yaml:"match"` // cases, checked when the policy is read
	Not     []string `yaml:"not"`
}

// Rule is a defect of the operator's own, kind custom, component ID.
type Rule struct {
	Decision `yaml:",inline"`
	Target   `yaml:",inline"`
	ID       string            `yaml:"id"`
	When     string            `yaml:"when"` // CEL over the observation, true fires
	Unless   string            `yaml:"unless"`
	AtLeast  int               `yaml:"at_least"` // firings before it is a finding; default 1
	Harm     taxonomy.Severity `yaml:"harm"`
	Title    Words             `yaml:"title"`
	Advice   Words             `yaml:"advice"`
}
