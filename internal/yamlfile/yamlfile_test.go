package yamlfile

import (
	"strings"
	"testing"
)

type shelf struct {
	Version int    `yaml:"version"`
	Books   []book `yaml:"books"`
}

type book struct {
	Title string            `yaml:"title"`
	Tags  []string          `yaml:"tags"`
	Notes map[string]string `yaml:"notes"`
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		"version: 1\nbooks: [{title: a, tags: [x]}]": "",
		"version: 1\nbook: []":                       "s.yaml: [2:1] unknown field",
		"version: x":                                 "s.yaml: [1:10]",
		"version: 1\nbooks: &a":                      "s.yaml: ",
		strings.Repeat("[", 2000):                    "s.yaml: it is nested",
		strings.Repeat("- ", 2000):                   "s.yaml: it is nested",
		strings.Repeat("[]", 100_000):                "s.yaml: ",
		"books: ! ":                                  "s.yaml: no YAML", // the parser panics
	} {
		var s shelf
		err := Decode("s.yaml", []byte(text), &s)
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)):
			t.Errorf("%q: %v, expected %q", text, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("version: 1\nbooks: [{title: a, tags: [x], notes: {a: b}}]")
	f.Add("version: 1\nbooks: &a")
	f.Add("books: [&a {title: x}, *a]\n")
	f.Add("books: !!seq\n- title: |\n    a\n")
	f.Fuzz(func(t *testing.T, text string) {
		var s shelf
		if err := Decode("s.yaml", []byte(text), &s); err != nil && !strings.HasPrefix(err.Error(), "s.yaml: ") {
			t.Fatalf("%q: %v does not name the file", text, err)
		}
	})
}
