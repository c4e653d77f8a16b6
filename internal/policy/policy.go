// Package policy holds what people decided: the allow-list of public APIs,
// approvals, verdicts on findings, claims that a defect is fixed, rules of
// their own, types of sensitive data, edits of the API catalogue, and how far
// the machine may go against attacks.
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
	Name      string     `yaml:"-"` // of the file
	Version   int        `yaml:"version"`
	Public    []Public   `yaml:"public"`
	Approvals []Approval `yaml:"approvals"`
	Verdicts  []Verdict  `yaml:"verdicts"`
	Fixes     []Fix      `yaml:"fixes"`
	Rules     []Rule     `yaml:"rules"`
	DataTypes []DataType `yaml:"data_types"`
	Templates []Template `yaml:"templates"`
	Response  []Response `yaml:"response"`
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
	Kind       string                `yaml:"kind"`    // export, partner, scanner
	Networks   []string              `yaml:"clients"` // addresses and networks; empty: any
	Clients    []netip.Prefix        `yaml:"-"`       // Networks, filled in by Parse
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
