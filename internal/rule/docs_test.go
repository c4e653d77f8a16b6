package rule_test

import (
	"os"
	"strings"
	"testing"
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
	}
}
