package policy

import (
	"os"
	"strings"
	"testing"
)

// The examples of the documentation are accepted.
func TestDocumentedExamples(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		data, err := os.ReadFile("../../docs/" + lang + "/USAGE.md")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, ok := strings.Cut(string(data), "```yaml\nversion: 1")
		text, _, end := strings.Cut("version: 1"+rest, "```")
		if !ok || !end {
			t.Fatalf("%s: no example of a policy", lang)
		}
		f, err := Parse(lang, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Public) == 0 || len(f.Approvals) == 0 || len(f.Verdicts) < 2 || len(f.Fixes) == 0 {
			t.Errorf("%s: %+v", lang, f)
		}
	}
}
