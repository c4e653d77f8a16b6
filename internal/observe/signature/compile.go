package signature

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"xiezhi/internal/message"
	"xiezhi/internal/taxonomy"
)

// document is one rule file: families share texts, rules hold patterns.
type document struct {
	Families map[string]family `yaml:"families"`
	Rules    []ruleDoc         `yaml:"rules"`
}

// family is what the rules of one kind of attack or one component share.
type family struct {
	Kind   string       `yaml:"kind"`
	Title  message.Text `yaml:"title"`
	Advice message.Text `yaml:"advice"`
	Harm   string       `yaml:"harm"`
	OWASP  []string     `yaml:"owasp"`
	CWE    []string     `yaml:"cwe"`
}

type ruleDoc struct {
	ID      string       `yaml:"id"`
	Family  string       `yaml:"family"`
	Kind    string       `yaml:"kind"`
	Title   message.Text `yaml:"title"`
	Advice  message.Text `yaml:"advice"`
	Harm    string       `yaml:"harm"`
	CWE     []string     `yaml:"cwe"`
	In      []string     `yaml:"in"`
	Any     []string     `yaml:"any"`
	All     []string     `yaml:"all"`
	None    []string     `yaml:"none"`
	Pattern string       `yaml:"pattern"`
	Whole   bool         `yaml:"whole"`
	Before  int          `yaml:"before"`
	After   int          `yaml:"after"`

	Path    []string          `yaml:"path"`
	Status  string            `yaml:"status"`
	Type    []string          `yaml:"type"`
	Header  map[string]string `yaml:"header"`
	Magic   string            `yaml:"magic"`
	Genuine bool              `yaml:"genuine"`

	Component string `yaml:"component"` // another than the family
	Version   string `yaml:"version"`   // a pattern whose group is a version: what is kept of the text

	Match []Case `yaml:"match"`
	Pass  []Case `yaml:"pass"`
}

// Case is an example. A plain string is the value of a request.
type Case struct {
	Value  string            `yaml:"value"`
	In     string            `yaml:"in"`
	Path   string            `yaml:"path"`
	Status int               `yaml:"status"`
	Type   string            `yaml:"type"`
	Header map[string]string `yaml:"header"`
	Body   string            `yaml:"body"`
}

// UnmarshalYAML reads a string or a mapping.
func (c *Case) UnmarshalYAML(unmarshal func(any) error) error {
	if err := unmarshal(&c.Value); err == nil {
		return nil
	}
	type plain Case
	return unmarshal((*plain)(c))
}

// macros shorten patterns; the braces are not valid regexp syntax otherwise.
var macros = strings.NewReplacer(
	"{_}", `(?:[\s\x00+]|/\*.*?\*/|--[^\n]*\n)+`,
	"{_?}", `(?:[\s\x00+]|/\*.*?\*/|--[^\n]*\n)*`,
	"{nl}", `(?:\r?\n|\\r\\n|\\n|\\u000a|<br ?/?>|&#10;)`,
	"{in}", `(?:[ \t]|\\t|&nbsp;|&#9;|\\u0009)*`,
)

var partBits = map[string]RequestPart{"path": PartPath, "query": PartQuery, "form": PartForm, "json": PartJSON, "header": PartHeader,
	"cookie": PartCookie, "body": PartBody, "name": PartName}

var severities = map[string]taxonomy.Severity{"moderate": taxonomy.Moderate, "elevated": taxonomy.Elevated, "high": taxonomy.High, "critical": taxonomy.Critical}

var statuses = map[string]func(int) bool{
	"":      func(s int) bool { return s >= 200 && s < 300 },
	"any":   func(int) bool { return true },
	"error": func(s int) bool { return s >= 400 },
}

// bare drops the examples of rules: keys of the fourth column and what stands
// deeper, or is a list, under them. A test compares the rules with and without.
func bare(b []byte) []byte {
	out := make([]byte, 0, len(b))
	dropping := false
	for line := range bytes.Lines(b) {
		rest, four := bytes.CutPrefix(line, []byte("    "))
		switch {
		case four && (bytes.HasPrefix(rest, []byte("match:")) || bytes.HasPrefix(rest, []byte("pass:"))):
			dropping = true
		case dropping && (len(bytes.TrimSpace(line)) == 0 || four && (rest[0] == ' ' || rest[0] == '-')):
		default:
			dropping = false
		}
		if !dropping {
			out = append(out, line...)
		}
	}
	return out
}

func read(fsys fs.FS, name string, part func([]byte) []byte) ([]*Rule, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	b = part(b)
	var doc document
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	rules := make([]*Rule, 0, len(doc.Rules))
	for i := range doc.Rules {
		r, err := doc.Rules[i].rule(doc.Families)
		if err != nil {
			return nil, fmt.Errorf("%s: rule %q: %w", name, doc.Rules[i].ID, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// rule makes a rule of its text; literals are registered by assemble.
func (d *ruleDoc) rule(families map[string]family) (*Rule, error) {
	f, ok := families[d.Family]
	if d.ID == "" || !ok {
		return nil, fmt.Errorf("needs an id and a known family, has %q", d.Family)
	}
	first := func(a, b message.Text) message.Text {
		if a.Zh == "" && a.En == "" {
			return b
		}
		return a
	}
	firstOf := func(a, b string) string {
		if a == "" {
			return b
		}
		return a
	}
	r := &Rule{
		ID: d.ID, Component: firstOf(d.Component, d.Family), Kind: firstOf(d.Kind, f.Kind),
		Title: first(d.Title, f.Title), Advice: first(d.Advice, f.Advice),
		OWASP: f.OWASP, CWE: f.CWE, in: everyPart,
		Cases: Cases{Match: d.Match, Pass: d.Pass},
		doc:   d,
	}
	if len(d.CWE) > 0 {
		r.CWE = d.CWE
	}
	for _, t := range [...]string{r.Kind, r.Title.Zh, r.Title.En, r.Advice.Zh, r.Advice.En} {
		if t == "" {
			return nil, errors.New("needs kind, title and advice in both languages")
		}
	}
	if r.Harm, ok = severities[firstOf(d.Harm, f.Harm)]; !ok {
		return nil, fmt.Errorf("unknown harm %q", firstOf(d.Harm, f.Harm))
	}
	if len(d.In) > 0 {
		r.in = 0
		for _, p := range d.In {
			bit, ok := partBits[p]
			if !ok {
				return nil, fmt.Errorf("unknown part %q", p)
			}
			r.in |= bit
		}
	}
	if d.Version != "" && d.Pattern == "" {
		d.Pattern, r.version = d.Version, true
	}
	if d.Pattern != "" {
		re, err := regexp.Compile("(?is)" + macros.Replace(d.Pattern))
		if err != nil {
			return nil, err
		}
		if r.version && re.NumSubexp() != 1 {
			return nil, errors.New("version: needs one group")
		}
		r.match.pattern, r.match.whole = re, d.Whole
		r.match.before, r.match.after = windowBack, windowAhead
		if d.Before > 0 {
			r.match.before = d.Before
		}
		if d.After > 0 {
			r.match.after = d.After
		}
	}
	return r, r.conditions(d)
}

func (r *Rule) conditions(d *ruleDoc) error {
	status, ok := statuses[d.Status]
	if !ok {
		return fmt.Errorf("unknown status %q", d.Status)
	}
	magic, err := rawLiteral(d.Magic)
	if err != nil {
		return fmt.Errorf("magic %q: %w", d.Magic, err)
	}
	r.where = conditions{paths: d.Path, status: status, types: d.Type, magic: magic, genuine: d.Genuine}
	for _, p := range d.Path {
		if fold(p) != p || p == "" || p[0] != '/' && p[0] != '*' || strings.Count(p, "*") > 1 || p[len(p)-1] == '*' {
			return fmt.Errorf("path %q must be lower case, begin with '/' or '*', and have one star at most, not at its end", p)
		}
	}
	for name, contains := range d.Header {
		r.where.headers = append(r.where.headers, headerMarker{fold(name), fold(contains)})
	}
	slices.SortFunc(r.where.headers, func(a, b headerMarker) int { return strings.Compare(a.name, b.name) })
	marker := len(d.Any)+len(d.All) > 0
	switch {
	case r.Kind == KindAttack && !marker:
		return errors.New("needs a literal in any or all")
	case !marker && len(d.Header) == 0 && d.Magic == "":
		return errors.New("needs a marker in the body or a header")
	case !marker && d.Pattern != "" && !(r.version && len(d.Header) > 0):
		return errors.New("a pattern needs a literal that gates it")
	}
	return nil
}

// rawLiteral turns the notation of first bytes into bytes: "hex:1f8b" or text.
func rawLiteral(s string) (string, error) {
	h, ok := strings.CutPrefix(s, "hex:")
	if !ok {
		return s, nil
	}
	b, err := hex.DecodeString(h)
	return string(b), err
}

// literal turns the notation of a literal into bytes: "hex:aced" or text.
func literal(s string) (string, error) {
	h, ok := strings.CutPrefix(s, "hex:")
	if !ok {
		return fold(s), nil
	}
	b, err := hex.DecodeString(h)
	return fold(string(b)), err
}

func readLiterals(in []string) ([]string, error) {
	out := make([]string, len(in))
	for i, s := range in {
		l, err := literal(s)
		if err != nil || l == "" {
			return nil, fmt.Errorf("literal %q: empty or not hexadecimal", s)
		}
		out[i] = l
	}
	return out, nil
}

// assemble builds the gates over all rules.
func assemble(rules []*Rule) (*Set, error) {
	s := &Set{rules: rules, byID: make(map[string]*Rule, len(rules))}
	t := &literals{ids: map[string]int32{}}
	paths := map[string]bool{}
	for _, g := range [...]*gate{&s.value, &s.path, &s.response, &s.narrow} {
		g.local = map[int32]int32{}
	}
	for i, r := range rules {
		if s.byID[r.ID] != nil {
			return nil, fmt.Errorf("rule %q is defined twice", r.ID)
		}
		s.byID[r.ID] = r
		r.index = i
		anyOf, err1 := readLiterals(r.doc.Any)
		all, err2 := readLiterals(r.doc.All)
		none, err3 := readLiterals(r.doc.None)
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, fmt.Errorf("rule %q: %w", r.ID, err)
		}
		r.match.any, r.match.all, r.match.none = t.all(anyOf), t.all(all), t.all(none)
		switch {
		case r.Kind == KindAttack:
			if r.in&PartPath != 0 {
				s.path.add(t, r)
			}
			if r.in&^PartPath != 0 {
				s.value.add(t, r)
			}
		case len(anyOf)+len(all) > 0 && len(r.where.paths) > 0:
			s.narrow.add(t, r)
			for _, p := range r.where.paths {
				_, end, star := strings.Cut(p, "*")
				if star {
					p = end
				}
				paths[p] = true
			}
		case len(anyOf)+len(all) > 0:
			s.response.add(t, r)
		case r.where.magic != "":
			s.magic = append(s.magic, r)
		default:
			s.addHeader(r)
		}
		r.doc = nil
	}
	var err error
	s.paths, err = newAutomaton(slices.Sorted(maps.Keys(paths)))
	if err := errors.Join(err, s.value.build(t), s.path.build(t), s.response.build(t), s.narrow.build(t)); err != nil {
		return nil, err
	}
	s.literals = len(t.texts)
	return s, nil
}

// addHeader registers a rule that looks at headers only.
func (s *Set) addHeader(r *Rule) {
	name := r.where.headers[0].name
	for i := range s.headers {
		if s.headers[i].name == name {
			s.headers[i].rules = append(s.headers[i].rules, r)
			return
		}
	}
	s.headers = append(s.headers, headerGate{name: name, rules: []*Rule{r}})
}
