package internal_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"xiezhi/internal/message"
	"xiezhi/rules"
)

// TestProblemsHaveBothLanguages collects the fixed texts with which sources
// say what was wrong and wants each in the message catalogue.
func TestProblemsHaveBothLanguages(t *testing.T) {
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	fixed := regexp.MustCompile(`(?:Text: |\.(?:drop|note|reject)\([^"\n]*|&damage\{[^"\n]*|why[A-Z]\w* += )"([^"\n]+)"`)
	found := 0
	walk(t, func(_, file string) {
		if !strings.Contains(file, "/source/") || strings.HasSuffix(file, "_test.go") {
			return
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range fixed.FindAllStringSubmatch(string(b), -1) {
			found++
			if !msgs.Has("problem." + m[1]) {
				t.Errorf("%s: %q has no text in rules/messages/problems.yaml", file, m[1])
			}
		}
	})
	if found < 20 {
		t.Errorf("found %d texts only: the pattern is broken", found)
	}
}
