package api

import (
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
