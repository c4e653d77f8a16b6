// Package signature matches attack patterns in the values of a request, and
// components, exposed files, debug pages and error traces in a response.
//
// It takes rules/signatures.yaml, components.yaml, traces.yaml and banners.yaml and gives an
// immutable Set that any number of goroutines may share. One pass of an
// Aho-Corasick automaton over the case-folded bytes is the gate; only rules
// whose literals were met run their pattern, on a window around the literal.
// Invariant: a match is a function of (rules, input); a response rule needs a
// marker in the body or in a header, a path alone never matches. A match is a
// weak signal, not a verdict: the judge weighs it with what was answered.
// Limits: see the max constants; what they cut is not looked at.
package signature

import (
	"io/fs"
	"slices"
	"strings"
	"sync"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// KindAttack is the kind of the rules for requests; the kinds of the others
// are defect kinds.
const KindAttack = "attack"

const (
	maxBody     = 64 << 10  // bytes of a response body that are looked at
	maxValue    = 256 << 10 // bytes of a request value that are looked at
	maxHits     = 4         // windows per rule and value
	maxWindows  = 256       // windows per text, all rules together
	windowBack  = 96        // bytes before a literal that a pattern sees
	windowAhead = 256       // and after it
	maxWhole    = 4 << 10   // bytes that a pattern on the whole value sees
	maxExcerpt  = 160
	maxDecode   = 2 // further URL decodings of a value
)

// Rule is one pattern.
type Rule struct {
	ID        string // "sqli.union_select", "component/actuator.env", "trace/java"
	Kind      string // KindAttack or a taxonomy.DefectKind
	Component string // "actuator", for requests the family: "sqli"
	Title     message.Text
	Advice    message.Text
	Harm      taxonomy.Severity
	OWASP     []string
	CWE       []string

	index int
	in    RequestPart
	match matcher
	where conditions

	version bool     // the pattern's group is what the rule emits
	doc     *ruleDoc // until the gates are built
	Cases   Cases    // run by this package's test
}

// Cases are a rule's own examples; the test of this package runs them.
type Cases struct {
	Match, Pass []Case
}

// RequestPart says where a value of a request stands. The values are bits.
type RequestPart uint8

const (
	PartPath RequestPart = 1 << iota
	PartQuery
	PartForm
	PartJSON
	PartHeader
	PartCookie
	PartBody // a body of another format, or one that could not be parsed
	PartName // the name of a parameter or JSON key
)

const everyPart RequestPart = 0xff

// Version reports whether the rule tells the version of a product: what it emits
// is nothing but the version.
func (r *Rule) Version() bool { return r.version }

// Set is an immutable set of compiled rules.
type Set struct {
	rules    []*Rule // sorted by id
	byID     map[string]*Rule
	value    gate // every part of a request but the path
	path     gate // the path: its own, many, literals stay out of the others' way
	response gate
	narrow   gate       // responses, rules for certain paths
	paths    *automaton // of those paths
	headers  []headerGate
	magic    []*Rule // by the body's first bytes
	literals int     // how many, for the scratch
	scratch  sync.Pool
}

// Rule gives the rule with that id, nil when unknown.
func (s *Set) Rule(id string) *Rule { return s.byID[id] }

// Rules lists every rule, sorted by id.
func (s *Set) Rules() []*Rule { return slices.Clone(s.rules) }

// Load compiles signatures.yaml, components.yaml, traces.yaml and banners.yaml.
func Load(fsys fs.FS) (*Set, error) { return loadFiles(fsys, func(b []byte) []byte { return b }) }

// LoadBare is Load without the examples of the rules, which are half of the text.
func LoadBare(fsys fs.FS) (*Set, error) { return loadFiles(fsys, bare) }

func loadFiles(fsys fs.FS, part func([]byte) []byte) (*Set, error) {
	var rules []*Rule
	for _, name := range [...]string{"signatures.yaml", "components.yaml", "traces.yaml", "banners.yaml"} {
		r, err := read(fsys, name, part)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r...)
	}
	slices.SortFunc(rules, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	return assemble(rules)
}
