// Package rule compiles defects that people describe: a scope, and CEL
// expressions over what an observation holds.
//
// It takes policy.Rule (of a policy file or a rule pack) and gives an immutable
// Set that any number of judges may share; each judge evaluates with a Runner of
// its own. Invariant: a rule compiles before anything is judged, is checked
// against types, and its worst cost is bounded before and while it runs; what an
// expression can see is the View, in which recognised values are names of types,
// classes, shapes and tokens, never text. Limits: see the max constants; an
// evaluation that fails or costs too much counts as one that did not fire, and
// is counted.
package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/interpreter"

	"xiezhi/internal/policy"
	"xiezhi/internal/redact"
)

const (
	// maxEstimate refuses a rule whose worst case is beyond it: CEL's cost model,
	// about a step each.
	maxEstimate = 4_000_000
	// maxCost ends one evaluation.
	maxCost = 200_000
	// DefaultMinimum is how often a rule fires before it is reported.
	DefaultMinimum = 2
)

// Rule is a compiled rule.
type Rule struct {
	policy.Rule
	File        string // where it stands
	given, when cel.Program
}

// Min is how often the rule fires before it is reported.
func (r *Rule) Min() uint64 {
	if r.Minimum == 0 {
		return DefaultMinimum
	}
	return r.Minimum
}

// Set is an immutable set of rules.
type Set struct {
	rules []*Rule
	types *Types
}

// Types are the types of data that expressions know by name; may be nil.
func (s *Set) Types() *Types {
	if s == nil {
		return nil
	}
	return s.types
}

// Rules lists the rules in the order of their files; the set may be nil.
func (s *Set) Rules() []*Rule {
	if s == nil {
		return nil
	}
	return slices.Clone(s.rules)
}

// Pack is the rules of one file: a policy, or a rule pack, which is a policy
// that holds nothing else.
type Pack struct {
	Name  string
	Rules []policy.Rule
}

// Packs gives the rules of files.
func Packs(files ...*policy.File) []Pack {
	var out []Pack
	for _, f := range files {
		if f != nil && len(f.Rules) > 0 {
			out = append(out, Pack{f.Name, f.Rules})
		}
	}
	return out
}

// Compile compiles packs. Ids must differ among them. An error names file, line
// and column.
func Compile(r *redact.Redactor, types *Types, packs ...Pack) (*Set, error) {
	env, err := environment(r)
	if err != nil {
		return nil, err
	}
	s := &Set{types: types}
	owner := map[string]string{}
	var all []error
	for _, p := range packs {
		for i := range p.Rules {
			doc := &p.Rules[i]
			if other, dup := owner[doc.ID]; dup {
				all = append(all, fmt.Errorf("%s: rules[%d]: id: %q is already in %s", p.Name, i, doc.ID, other))
				continue
			}
			owner[doc.ID] = p.Name
			c := &Rule{Rule: *doc, File: p.Name}
			if doc.Given.Text != "" {
				c.given, err = program(env, p.Name, doc.ID, "given", &doc.Given)
				all = append(all, err)
			}
			c.when, err = program(env, p.Name, doc.ID, "when", &doc.When)
			all = append(all, err)
			s.rules = append(s.rules, c)
		}
	}
	if err := errors.Join(all...); err != nil {
		return nil, err
	}
	return s, nil
}

// program compiles one expression.
func program(env *cel.Env, file, id, field string, e *policy.Expression) (cel.Program, error) {
	ast, issues := env.Compile(e.Text)
	if issues.Err() != nil {
		var lines []string
		for i, x := range issues.Errors() {
			if i == 5 {
				lines = append(lines, fmt.Sprintf("%s: rule %s: and %d more", file, id, len(issues.Errors())-i))
				break
			}
			line, column := e.Place.In(x.Location.Line(), x.Location.Column())
			lines = append(lines, fmt.Sprintf("%s:%d:%d: rule %s: %s: %s", file, line, column, id, field, x.Message))
		}
		return nil, errors.New(strings.Join(lines, "\n"))
	}
	line, column := e.Place.In(1, 0)
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s:%d:%d: rule %s: %s: %s", file, line, column, id, field, fmt.Sprintf(format, args...))
	}
	if !ast.OutputType().IsExactType(cel.BoolType) {
		return nil, fail("gives %s, but has to give true or false", ast.OutputType())
	}
	cost, err := env.EstimateCost(ast, sizes{})
	if err != nil {
		return nil, fail("%v", err)
	}
	if cost.Max > maxEstimate {
		return nil, fail("may cost %d steps, at most %d are allowed: go through fewer lists inside each other, or narrow them first", cost.Max, maxEstimate)
	}
	p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(maxCost))
	if err != nil {
		return nil, fail("%v", err)
	}
	return p, nil
}

// Covers reports whether the rule is about an API.
func (r *Rule) Covers(site, host, method, template string) bool {
	return r.Scope.Covers(site, host, method, template)
}

// Verdict is what an evaluation gave.
type Verdict uint8

const (
	Apart  Verdict = iota // not one that could fire
	Quiet                 // it could and did not
	Fired                 // it did
	Failed                // the expression failed: a missing key, a bad index
	Costly                // it was ended
)

// Evaluate applies the rule to what is in the view.
func (r *Rule) Evaluate(v *View) Verdict {
	if r.given != nil {
		if x := run(r.given, v); x != Fired {
			if x == Quiet {
				return Apart
			}
			return x
		}
	}
	return run(r.when, v)
}

func run(p cel.Program, v *View) Verdict {
	out, _, err := p.Eval(v)
	if err != nil {
		var stopped interpreter.EvalCancelledError
		if errors.As(err, &stopped) && stopped.Cause == interpreter.CostLimitExceeded {
			return Costly
		}
		return Failed
	}
	if fired, ok := out.Value().(bool); ok && fired {
		return Fired
	}
	return Quiet
}
