package rule_test

import (
	"os"
	"strings"
	"testing"

	"xiezhi/internal/policy"
	"xiezhi/internal/rule"
)

// The examples of the documentation compile.
func TestDocumentedExamples(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		data, err := os.ReadFile("../../docs/" + lang + "/USAGE.md")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, ok := strings.Cut(string(data), "```yaml\nversion: 1\nrules:")
		text, _, end := strings.Cut("version: 1\nrules:"+rest, "```")
		if !ok || !end {
			t.Fatalf("%s: no example of a rule", lang)
		}
		if s, err := compile(text); err != nil || len(s.Rules()) != 1 {
			t.Errorf("%s: %v", lang, err)
		}
		_, rest, ok = strings.Cut(string(data), "```yaml\nversion: 1\ndata_types:")
		text, _, end = strings.Cut("version: 1\ndata_types:"+rest, "```")
		if !ok || !end {
			t.Fatalf("%s: no example of a data type", lang)
		}
		f, err := policy.Parse(lang, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if types, err := rule.CompileTypes(f); err != nil || len(types.Custom.IDs()) != 1 {
			t.Errorf("%s: %v", lang, err)
		}
	}
}
