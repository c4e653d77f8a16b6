package api

import (
	"context"
	"strings"
	"testing"

	v1 "xiezhi/internal/api/v1"
	"xiezhi/internal/message"
	"xiezhi/internal/policy"
	"xiezhi/internal/redact"
	"xiezhi/internal/rule"
)

// compileRules is what a service gives for TestRules.
func compileRules(f *policy.File) error {
	types, err := rule.CompileTypes(f)
	if err != nil {
		return err
	}
	_, err = rule.Compile(redact.New([32]byte{1}), types, rule.Packs(f)...)
	return err
}

func ownRules() []policy.Rule {
	return []policy.Rule{{ID: "r1", Title: message.Text{Zh: "甲", En: "A"}, When: policy.Expression{Text: "true"}}}
}

func TestRulesAreTested(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.TestRules = compileRules })
	g := h.admin()
	for _, c := range []struct {
		yaml, want string
		ok         bool
	}{
		{"version: 1\nrules:\n- {id: a, title: {zh: 甲, en: A}, when: 'true', harm: high, advice: {zh: 乙, en: B}}\n", "", true},
		{"version: 1\nrules:\n- {id: a, title: {zh: 甲, en: A}, when: 'nothing.there', harm: high, advice: {zh: 乙, en: B}}\n", "rules:3:", false},
		{"version: 1\nrules:\n- {id: a, surprise: 1}\n", "surprise", false},
		{"version: 9\n", "version", false},
		{"\x1b[2J: [", "", false},
	} {
		var r v1.RuleTestResult
		g.holds("POST", "/api/v1/rules/test", map[string]any{"yaml": c.yaml}).into(t, &r)
		if r.Ok != c.ok || !strings.Contains(strings.Join(r.Errors, "\n"), c.want) {
			t.Errorf("%q: %+v", c.yaml, r)
		}
	}
	none := newHouse(t)
	if p := none.admin().ask("POST", "/api/v1/rules/test", map[string]any{"yaml": "version: 1"}).problem(t); p.Code != "unavailable" {
		t.Errorf("%+v", p)
	}
}

// TestHostileRules: a text of rules that is made to cost time or memory, or to
// break the reader, is an error like any other.
func TestHostileRules(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.TestRules = compileRules })
	g := h.admin()
	laughs := "version: 1\na: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'k'; c++ {
		p := string(c - 1)
		laughs += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+p+",", 9) + "*" + p + "]\n"
	}
	for what, text := range map[string]string{
		"laughs": laughs + "rules: *k\n", "deep": "version: 1\nrules: " + strings.Repeat("[", 100_000), "deep map": "version: 1\n" + strings.Repeat("? ", 50_000), "cycle": "version: 1\nrules: &a [*a]\n",
		"tags": "version: !!binary 1\nrules: !!set {? a}\n", "quotes": "version: 1\nrules: \"" + strings.Repeat("\\x41", 40_000), "documents": strings.Repeat("---\n", 40_000),
		"expression": "version: 1\nrules:\n- {id: a, title: {zh: 甲, en: A}, when: '" + strings.Repeat("(", 4000) + "', harm: high, advice: {zh: 乙, en: B}}\n",
		"long list":  "version: 1\nrules:\n- {id: a, title: {zh: 甲, en: A}, when: 'true" + strings.Repeat(" && true", 500) + "', harm: high, advice: {zh: 乙, en: B}}\n",
	} {
		a := g.ask("POST", "/api/v1/rules/test", map[string]any{"yaml": text})
		if a.code >= 500 || len(a.body) > 20*maxErrorLine {
			t.Errorf("%s: %d, %d bytes", what, a.code, len(a.body))
		}
		a = g.ask("POST", "/api/v1/sites/"+h.report.Sites[0].Name+"/drift", map[string]any{"name": what, "document": strings.Repeat(text, 5)})
		if a.code >= 500 || len(a.body) > 20*maxErrorLine {
			t.Errorf("%s as a description: %d, %d bytes", what, a.code, len(a.body))
		}
	}
}

// TestRulesAreTriedOut: rules that compile are handed on as they are asked for,
// others are not.
func TestRulesAreTriedOut(t *testing.T) {
	var asked []v1.RuleDryRun
	h := newHouse(t, func(c *Config) { c.TestRules, c.TryRules = compileRules, tryRules(&asked) })
	g := h.admin()
	good := "version: 1\nrules:\n- {id: a, title: {zh: 甲, en: A}, when: 'true', harm: high, advice: {zh: 乙, en: B}}\n"
	var r v1.RuleTestResult
	g.holds("POST", "/api/v1/rules/test", map[string]any{"yaml": good, "dry_run": map[string]any{"hours": 24}}).into(t, &r)
	if len(r.DryRun.Rules) != 1 || r.DryRun.Rules[0].Matched != 3 {
		t.Errorf("%+v", r)
	}
	g.holds("POST", "/api/v1/rules/test", map[string]any{"yaml": good, "dry_run": map[string]any{"hours": 168, "site": "s", "limit": 2}})
	if len(asked) != 2 || asked[0] != (v1.RuleDryRun{Hours: 24, Limit: 20}) || asked[1] != (v1.RuleDryRun{Hours: 168, Site: "s", Limit: 2}) {
		t.Errorf("%+v", asked)
	}
	if g.holds("POST", "/api/v1/rules/test", map[string]any{"yaml": "version: 9", "dry_run": map[string]any{"hours": 24}}); len(asked) != 2 {
		t.Error("what does not compile was tried")
	}
	for _, body := range []map[string]any{{"hours": 169}, {"hours": 0}, {"hours": 1, "limit": 21}, {"hours": 1, "more": 1}, {"limit": 3}} {
		g.must(400, "POST", "/api/v1/rules/test", map[string]any{"yaml": good, "dry_run": body})
	}
	none := newHouse(t, func(c *Config) { c.TestRules = compileRules })
	if p := none.admin().ask("POST", "/api/v1/rules/test", map[string]any{"yaml": good, "dry_run": map[string]any{"hours": 24}}).problem(t); p.Code != "unavailable" {
		t.Errorf("%+v", p)
	}
}

// tryRules is what a service gives for TryRules.
func tryRules(asked *[]v1.RuleDryRun) func(context.Context, *policy.File, v1.RuleDryRun) (v1.DryRun, error) {
	return func(_ context.Context, f *policy.File, how v1.RuleDryRun) (v1.DryRun, error) {
		out := v1.DryRun{Exchanges: 9, Rules: []v1.TriedRule{}}
		for _, r := range f.Rules {
			out.Rules = append(out.Rules, v1.TriedRule{Id: r.ID, Looked: 9, Matched: 3, Apis: []v1.TriedAPI{}, Samples: []v1.TriedSample{}})
		}
		if asked != nil {
			*asked = append(*asked, how)
		}
		return out, nil
	}
}
