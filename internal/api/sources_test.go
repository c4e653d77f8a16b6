package api

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sources collects the problem codes and field texts that the package names.
func sources(t *testing.T) (codes, fields []string) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`refuse\(http\.Status\w+, "(\w+)"|code: "(\w+)"`)
	text := regexp.MustCompile(`\bid: "(\w+)"|\bbad\("(\w+)"\)`)
	for _, n := range names {
		if strings.HasSuffix(n, "_test.go") {
			continue
		}
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(b), -1) {
			codes = append(codes, m[1]+m[2])
		}
		for _, m := range text.FindAllStringSubmatch(string(b), -1) {
			fields = append(fields, m[1]+m[2])
		}
	}
	slices.Sort(codes)
	slices.Sort(fields)
	return slices.Compact(codes), slices.Compact(fields)
}
