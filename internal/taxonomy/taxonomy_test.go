package taxonomy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"xiezhi/rules"
)

// file is the form of rules/taxonomy.yaml; strict decoding finds new sections.
type file struct {
	Severity     []string `yaml:"severity"`
	Verdict      []string `yaml:"verdict"`
	DefectStatus []string `yaml:"defect_status"`
	Scenario     map[string]struct {
		Zh string `yaml:"zh"`
	} `yaml:"scenario"`
	Industry    []string `yaml:"industry"`
	DefectClass map[string]struct {
		Zh    string   `yaml:"zh"`
		Kinds []string `yaml:"kinds"`
	} `yaml:"defect_class"`
	AttackKind map[string]struct {
		Zh       string `yaml:"zh"`
		Scenario string `yaml:"scenario"`
	} `yaml:"attack_kind"`
	Role       []string            `yaml:"endpoint_role"`
	Sensitive  map[string][]string `yaml:"sensitive_type"`
	Lifecycle  []string            `yaml:"lifecycle"`
	Exposure   []string            `yaml:"exposure"`
	Shadow     []string            `yaml:"shadow_state"`
	Auth       []string            `yaml:"auth"`
	Family     []string            `yaml:"reason_family"`
	Action     []string            `yaml:"action"`
	DropReason []string            `yaml:"drop_reason"`
	Quality    []string            `yaml:"quality"`
	Network    []string            `yaml:"network_type"`
}

func read(t *testing.T) file {
	t.Helper()
	b, err := rules.FS.ReadFile("taxonomy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := yaml.UnmarshalWithOptions(b, &f, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return f
}

// constants gives the string constants of this package by type name, read from
// the source so that a constant missing in a list is seen.
func constants(t *testing.T) map[string][]string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		src, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(src, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			typ, ok := spec.Type.(*ast.Ident)
			lit, isLit := spec.Values[0].(*ast.BasicLit)
			if ok && isLit && lit.Kind == token.STRING {
				v, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out[typ.Name] = append(out[typ.Name], v)
			}
			return true
		})
	}
	return out
}

func sorted(list []string) []string {
	out := append([]string{}, list...)
	sort.Strings(out)
	return out
}

func keys[V any](m map[string]V) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return sorted(out)
}

func texts[T ~string](list []T) (out []string) {
	for _, v := range list {
		out = append(out, string(v))
	}
	return out
}

func TestConstantsAreTheYAML(t *testing.T) {
	f, c := read(t), constants(t)
	var kinds []string
	for _, class := range f.DefectClass {
		kinds = append(kinds, class.Kinds...)
	}
	for name, want := range map[string][]string{
		"DefectStatus": f.DefectStatus, "Scenario": keys(f.Scenario), "ReasonFamily": f.Family, "Action": f.Action, "Lifecycle": f.Lifecycle, "Exposure": f.Exposure,
		"Auth": f.Auth, "DropReason": f.DropReason, "Quality": f.Quality, "Industry": f.Industry, "Role": f.Role, "DefectClass": keys(f.DefectClass), "DefectKind": kinds,
		"AttackKind": keys(f.AttackKind), "ShadowState": f.Shadow,
	} {
		if diff := cmp.Diff(sorted(want), sorted(c[name])); diff != "" {
			t.Errorf("%s, YAML - Go +:\n%s", name, diff)
		}
		delete(c, name)
	}
	if len(c) > 0 {
		t.Errorf("types without a section in the YAML: %v", keys(c))
	}
}

func TestOrderAndMembership(t *testing.T) {
	f := read(t)
	var severities, verdicts []string
	for s := Critical; s >= Moderate; s-- {
		severities = append(severities, s.String())
	}
	for v := Suspicious; v <= Confirmed; v++ {
		verdicts = append(verdicts, v.String())
	}
	for name, pair := range map[string][2][]string{
		"severity": {f.Severity, severities}, "verdict": {f.Verdict, verdicts}, "industry": {f.Industry, texts(Industries)}, "role": {f.Role, texts(Roles)},
		"scenario": {keys(f.Scenario), sorted(texts(Scenarios))}, "class": {keys(f.DefectClass), sorted(texts(DefectClasses))}, "network": {f.Network, NetworkTypes()},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s, YAML - Go +:\n%s", name, diff)
		}
	}
	classes := map[DefectKind]DefectClass{}
	for class, v := range f.DefectClass {
		for _, kind := range v.Kinds {
			classes[DefectKind(kind)] = DefectClass(class)
		}
	}
	if diff := cmp.Diff(classes, ClassOf); diff != "" {
		t.Errorf("class of kind, YAML - Go +:\n%s", diff)
	}
	scenarios := map[AttackKind]Scenario{}
	for kind, v := range f.AttackKind {
		scenarios[AttackKind(kind)] = Scenario(v.Scenario)
	}
	if diff := cmp.Diff(scenarios, ScenarioOf); diff != "" {
		t.Errorf("scenario of attack, YAML - Go +:\n%s", diff)
	}
}

func TestNetworkTypes(t *testing.T) {
	for n := DataCentre; n <= Reserved; n++ {
		if p, ok := ParseNetworkType(n.String()); !ok || p != n {
			t.Errorf("ParseNetworkType(%q) = %v, %v", n, p, ok)
		}
	}
	for _, id := range []string{"", "residential"} {
		if n, ok := ParseNetworkType(id); ok || n != UnknownNetwork {
			t.Errorf("%q: %v", id, n)
		}
	}
}

func TestSensitive(t *testing.T) {
	f := read(t)
	if SensitiveCount > 64 {
		t.Errorf("%d types do not fit into a set of 64 bits", SensitiveCount)
	}
	for level := 1; level <= 4; level++ {
		for n := range CustomPerLevel {
			s := CustomSensitive(level, n)
			if p, ok := ParseSensitive(s.String()); !ok || p != s || s.Level() != level || !s.Custom() || int(s) >= SensitiveCount {
				t.Errorf("%v: %v, level %d", s, p, s.Level())
			}
		}
	}
	if p, ok := ParseSensitive(CustomID(CustomSensitive(3, 2), "member-number")); !ok || p.Level() != 3 {
		t.Errorf("a named type: %v", p)
	}
	for _, id := range []string{"custom.", "custom.5.x", "custom.3", "custom.x.y"} {
		if p, ok := ParseSensitive(id); ok {
			t.Errorf("%q: %v", id, p)
		}
	}
	if len(sensitiveNames) != int(sensitiveCount) || len(sensitiveLevels) != int(sensitiveCount) {
		t.Fatalf("%d types, %d names, %d levels", sensitiveCount, len(sensitiveNames), len(sensitiveLevels))
	}
	levels := map[string]int{}
	for label, ids := range f.Sensitive {
		for _, id := range ids {
			levels[id] = int(label[1] - '0')
		}
	}
	for s := NotSensitive + 1; s < sensitiveCount; s++ {
		if levels[s.String()] != s.Level() {
			t.Errorf("%v has level %d, in the YAML %d", s, s.Level(), levels[s.String()])
		}
		if p, ok := ParseSensitive(s.String()); !ok || p != s {
			t.Errorf("ParseSensitive(%q) = %v, %v", s, p, ok)
		}
		delete(levels, s.String())
	}
	if len(levels) > 0 {
		t.Errorf("types only in the YAML: %v", keys(levels))
	}
	if _, ok := ParseSensitive(""); ok || NotSensitive.String() != "" || NotSensitive.Level() != 0 {
		t.Error("the zero value must be no type")
	}
	_, _ = Sensitive(255).String(), Sensitive(255).Level() // must not crash
	if Severity(200).String() == "" || NetworkType(200).String() == "" || Verdict(200).String() == "" || Unrated.String() != "" || NoVerdict.String() != "" {
		t.Error("names of values out of range")
	}
}
