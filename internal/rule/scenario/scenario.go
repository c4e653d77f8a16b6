// Package scenario reads CrowdSec scenarios of the HTTP family as rules of ours.
//
// It takes scenario files (YAML) with the data files they name and gives an
// immutable Set: filters that observers evaluate while an exchange is in the
// clear (Set.Screen), and leaky buckets that each judge keeps in event time
// (Pool). Only that a rule was met, and tokens of what it groups and tells
// apart by, are kept of an exchange. Expressions are parsed by expr-lang/expr,
// whose grammar they are written in, and lowered to closures over typed texts:
// that parser is the only one that reads them to the letter, and its virtual
// machine, as CEL's, costs allocations and a map of strings per exchange.
// Invariant: whatever of a scenario is not translated is a Problem with file,
// line and construct, and a scenario with one that changes its meaning does not
// run at all. Limits: see the Max constants; patterns are RE2's.
package scenario

import (
	"fmt"
	"slices"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Caps of what is read; more is refused with its place.
const (
	MaxBytes      = 1 << 20 // of a scenario file
	MaxScenarios  = 1024
	MaxExpression = 8 << 10  // bytes
	MaxDataBytes  = 4 << 20  // of a data file
	MaxDataTotal  = 64 << 20 // of all that a run reads
	MaxDataLines  = 1 << 16
	MaxDataLine   = 4 << 10
	MaxPatterns   = 4096 // regular expressions of a data file
	MaxPattern    = 2 << 10
	maxName       = 128
	maxText       = 256
	maxSteps      = 1 << 14 // evaluations inside loops, for one exchange
	maxArena      = 1 << 18 // bytes of texts made for one exchange
)

// Problem is something of a scenario that is not translated.
type Problem struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Scenario  string `json:"scenario,omitempty"`
	Construct string `json:"construct"` // the key, function, field or operator
	Why       string `json:"why"`       // in English
	Note      bool   `json:"note"`      // the scenario runs all the same

	why phrase // Why in its parts
}

// Error gives the problem with its place.
func (p *Problem) Error() string { return p.placed(p.Why) }

// In gives the problem with its place, in a language.
func (p *Problem) In(m *message.Catalog, lang string) string { return p.placed(p.Text(m).In(lang)) }

func (p *Problem) placed(why string) string {
	s := fmt.Sprintf("%s:%d: ", p.File, p.Line)
	if p.Scenario != "" {
		s += p.Scenario + ": "
	}
	return s + p.Construct + ": " + why
}

// Kind is how a bucket works.
type Kind uint8

const (
	Trigger Kind = iota // every event that the filter lets through
	Leaky               // more events than leak out
	Counter             // what a span of time held, told at its end
)

var kindNames = [...]string{"trigger", "leaky", "counter"}

func (k Kind) String() string { return kindNames[k] }

// Rule is a translated scenario.
type Rule struct {
	Name        string
	File        string
	Line        int
	Description string
	Labels      Labels
	Attack      taxonomy.AttackKind
	Title       message.Text

	Kind      Kind
	Capacity  int           // events that fit
	Leak      time.Duration // one leaks out in this time
	Span      time.Duration // of a counter; of a leaky bucket, how long it lives without news
	Blackhole time.Duration // silence about the same key after an alert

	ByAddress  bool // the key holds the client's address, which the judge resolves
	PerAddress bool // what is told apart is the client's address
	Distinct   bool

	filter   truth
	cancel   truth // nil: none
	group    text  // nil: one bucket for all
	distinct text
	inner    []truth   // conditions over the events of a bucket, for overflow
	overflow condition // nil: every overflow counts
}

// Labels are what a scenario says about itself, as far as we use it.
type Labels struct {
	Behavior       string
	Type           string
	Label          string
	Service        string
	Classification []string
	Confidence     int // 0 to 3; -1 not said
	Spoofable      int // 0 to 3
}

// Set is an immutable set of translated scenarios; it may be nil.
type Set struct {
	rules    []*Rule
	byName   map[string]int32
	problems []Problem
	read     int // scenarios in the files
	memos    int // uses of pattern files
}

// Rules lists the translated scenarios in the order they were read.
func (s *Set) Rules() []*Rule {
	if s == nil {
		return nil
	}
	return slices.Clone(s.rules)
}

// Problems lists what was not translated, by file and line.
func (s *Set) Problems() []Problem {
	if s == nil {
		return nil
	}
	return slices.Clone(s.problems)
}

// Read is how many scenarios the files held.
func (s *Set) Read() int {
	if s == nil {
		return 0
	}
	return s.read
}

// File is a scenario file.
type File struct {
	Name string
	Data []byte
}

// Open gives the content of a data file that a scenario in the named file asks
// for.
type Open func(scenarioFile, dataFile string) ([]byte, error)

// Load translates files. It never fails: what is wrong is in Problems.
func Load(files []File, open Open) *Set {
	l := &loader{set: &Set{byName: map[string]int32{}}, open: open, data: map[string]*dataFile{}}
	for i := range files {
		l.file(&files[i])
	}
	slices.SortStableFunc(l.set.problems, func(a, b Problem) int {
		if a.File != b.File {
			return 0 // files stay in order
		}
		return a.Line - b.Line
	})
	return l.set
}
