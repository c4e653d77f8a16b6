// Package signature matches attack patterns in requests, and components,
// traces and exposed files in responses.
package signature

import (
	"io/fs"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Kinds of rule: the first element of an id's family in the report.
const (
	KindAttack = "attack" // a pattern in a request; the other kinds are defect kinds
)

// Rule is one pattern.
type Rule struct {
	ID        string // "sqli.union_select", "component/actuator.env", "trace/python"
	Kind      string // KindAttack, or a taxonomy.DefectKind
	Component string // "actuator"; empty when none
	Title     message.Text
	Advice    message.Text
	Harm      taxonomy.Severity
	OWASP     []string
	CWE       []string
}

// RequestPart says where a value of a request stands.
type RequestPart uint8

const (
	PartPath RequestPart = 1 << iota
	PartQuery
	PartForm
	PartJSON
	PartHeader
	PartCookie
	PartBody
)

// Response is what MatchResponse looks at.
type Response struct {
	Status      int
	Path        []byte // decoded path of the request
	ContentType []byte
	Header      func(lower string) []byte // nil when absent
	Body        []byte
}

// Set is an immutable set of compiled rules.
type Set struct{}

// Load compiles signatures.yaml, components.yaml and traces.yaml.
func Load(fsys fs.FS) (*Set, error) { return &Set{}, nil }

// Rule gives the rule with that id, nil when unknown.
func (s *Set) Rule(id string) *Rule { return nil }

// Rules lists every rule, sorted by id.
func (s *Set) Rules() []*Rule { return nil }

// MatchRequest calls emit once per rule that the decoded value matches.
func (s *Set) MatchRequest(in RequestPart, value []byte, emit func(r *Rule)) {}

// MatchResponse calls emit once per rule that the response matches. where is
// "body" or a header's name, excerpt a part of the response around the marker,
// not redacted.
func (s *Set) MatchResponse(r *Response, emit func(rule *Rule, where string, excerpt []byte)) {}
