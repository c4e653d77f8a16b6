package policy

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// Caps of what people write into rules.
const (
	MaxRules      = 256
	maxExpression = 4096 // bytes
	maxTitle      = 200  // bytes of a title
	maxMinimum    = 1_000_000
)

// Rule is a defect that people describe: it fires where When holds. Package
// rule compiles it. Its findings are of the kind custom, its id is their
// component.
type Rule struct {
	ID      string       `yaml:"id"`
	Title   message.Text `yaml:"title"`
	Scope   Target       `yaml:"scope"`   // empty: every API
	Given   Expression   `yaml:"given"`   // what makes a request one that could fire; empty: every one in scope
	When    Expression   `yaml:"when"`    // what makes it fire
	Minimum uint64       `yaml:"minimum"` // firings before anything is reported; 0: 2
	Harm    string       `yaml:"harm"`
	Exploit string       `yaml:"exploitability"` // empty: by who could reach it
	Advice  message.Text `yaml:"advice"`
	CWE     []string     `yaml:"cwe"`
}

// Expression is a text of CEL and where it stands.
type Expression struct {
	Text  string
	Place Place
}

// Place is where an expression begins in its file. Lines and columns count
// from 1.
type Place struct {
	Line, Column int
	Indent       int  // of the lines after the first, in a block
	Block        bool // the text begins on the line after Line
}

// UnmarshalYAML reads a scalar and remembers its place.
func (e *Expression) UnmarshalYAML(n ast.Node) error {
	if a, ok := n.(*ast.AnchorNode); ok {
		n = a.Value
	}
	at := n.GetToken().Position
	e.Place = Place{Line: at.Line, Column: at.Column}
	switch s := n.(type) {
	case *ast.StringNode:
		e.Text = s.Value
		if o := s.Token.Origin; strings.ContainsAny(strings.TrimSpace(o)[:min(1, len(strings.TrimSpace(o)))], `"'`) {
			e.Place.Column++
		}
	case *ast.LiteralNode:
		e.Text = s.Value.Value
		e.Place.Block = true
		for line := range strings.Lines(s.Value.Token.Origin) {
			if text := strings.TrimLeft(line, " "); strings.TrimSpace(text) != "" {
				e.Place.Indent = len(line) - len(text)
				break
			}
		}
	case *ast.BoolNode:
		e.Text = s.String()
	default:
		return fmt.Errorf("[%d:%d] an expression is a text", at.Line, at.Column)
	}
	return nil
}

// In gives the place in the file of a line (from 1) and column (from 0) of the
// expression.
func (p Place) In(line, column int) (fileLine, fileColumn int) {
	switch {
	case p.Block:
		return p.Line + line, p.Indent + column + 1
	case line <= 1:
		return p.Line, p.Column + column
	}
	return p.Line + line - 1, column + 1
}

var (
	ruleID  = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)
	cweName = regexp.MustCompile(`^CWE-\d{1,5}$`)
)

// Severities by the words of the file.
var severities = map[string]taxonomy.Severity{"moderate": taxonomy.Moderate, "elevated": taxonomy.Elevated, "high": taxonomy.High, "critical": taxonomy.Critical}

// Severity gives the level of a word of a rule; Unrated for none.
func Severity(word string) taxonomy.Severity { return severities[word] }

func (r *Rule) check() error {
	switch {
	case !ruleID.MatchString(r.ID):
		return fmt.Errorf("id: %q is not of the form debug-parameter: lower-case letters, digits, - and _, at most 64", r.ID)
	case r.When.Text == "":
		return fmt.Errorf("when: say in CEL what must not be")
	case len(r.When.Text) > maxExpression || len(r.Given.Text) > maxExpression:
		return fmt.Errorf("given, when: at most %d bytes each", maxExpression)
	case Severity(r.Harm) == taxonomy.Unrated:
		return fmt.Errorf("harm: %q is none of moderate, elevated, high, critical", r.Harm)
	case r.Exploit != "" && Severity(r.Exploit) == taxonomy.Unrated:
		return fmt.Errorf("exploitability: %q is none of moderate, elevated, high, critical", r.Exploit)
	case r.Minimum > maxMinimum:
		return fmt.Errorf("minimum: %d is more than %d", r.Minimum, maxMinimum)
	}
	for _, t := range []struct {
		name string
		text message.Text
		max  int
	}{{"title", r.Title, maxTitle}, {"advice", r.Advice, maxReason}} {
		if t.text.Zh == "" || t.text.En == "" || len(t.text.Zh) > t.max || len(t.text.En) > t.max {
			return fmt.Errorf("%s: needs zh and en, at most %d bytes each", t.name, t.max)
		}
	}
	for _, c := range r.CWE {
		if !cweName.MatchString(c) {
			return fmt.Errorf("cwe: %q is not of the form CWE-200", c)
		}
	}
	return check(&Decision{}, &r.Scope)
}

// checkRules checks the rules of one file.
func checkRules(rules []Rule) error {
	if len(rules) > MaxRules {
		return fmt.Errorf("rules: %d are more than the %d that a file may have", len(rules), MaxRules)
	}
	seen := map[string]bool{}
	for i := range rules {
		if err := rules[i].check(); err != nil {
			return fmt.Errorf("rules[%d]: %w", i, err)
		}
		if seen[rules[i].ID] {
			return fmt.Errorf("rules[%d]: id: %q is there twice", i, rules[i].ID)
		}
		seen[rules[i].ID] = true
	}
	return nil
}
