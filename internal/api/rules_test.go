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
