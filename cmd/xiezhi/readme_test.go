package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xiezhi/internal/redact"
)

// TestSampleInReadme holds the README's sample to what the program says of the
// bundled capture: every line of it, but for the heading, which has a version.
// The key is fixed, for counts beyond a few dozen are estimates over tokens.
func TestSampleInReadme(t *testing.T) {
	for lang, c := range map[string]struct{ file, head string }{
		"en": {"../../README.md", "Xiezhi API security analysis"},
		"zh": {"../../README.zh-CN.md", "獬豸 API 安全分析"},
	} {
		readme, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		sample := ""
		for _, m := range regexp.MustCompile("(?s)```\\w*\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
			if strings.HasPrefix(strings.TrimSpace(m[1]), c.head) {
				sample = m[1]
			}
		}
		var out, talk bytes.Buffer
		key := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(key, redact.FormatKey([32]byte{1, 2, 3}), 0o600); err != nil {
			t.Fatal(err)
		}
		code := run([]string{"analyze", "--quiet", "--lang", lang, "--key", key, "../../testdata/vampi/vampi.pcap.zst"}, strings.NewReader(""), &out, &talk, func(string) string { return "" })
		if code != 1 {
			t.Fatalf("exit code %d: %s", code, talk.String())
		}
		n := 0
		for line := range strings.Lines(sample) {
			line = strings.TrimSpace(line)
			if line == "" || line == "…" || strings.HasPrefix(line, c.head) {
				continue
			}
			if n++; !strings.Contains(out.String(), line) {
				t.Errorf("%s: the program does not say %q", c.file, line)
			}
		}
		if n < 20 {
			t.Errorf("%s: %d lines of a sample found", c.file, n)
		}
	}
}
