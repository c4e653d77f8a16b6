package signature

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// corpus gives a folder of the shared corpora, or skips.
func corpus(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
	dir = filepath.Join(dir, "..", "shared", "corpora", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("corpus %s is absent", dir)
	}
	return dir
}

type payloads struct {
	Payload []string `yaml:"payload"`
	Type    string   `yaml:"type"`
}

func readPayloads(t testing.TB, file string) payloads {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.ReplaceAll(b, []byte(`\'`), []byte(`'`)) // an escape that YAML does not have
	var p payloads
	if err := yaml.Unmarshal(b, &p); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return p
}

// alerts reports the first rule that any part of a request would fire.
func (s *Set) alerts(value string) string {
	var id string
	for _, part := range [...]RequestPart{PartQuery, PartJSON, PartHeader, PartPath} {
		s.MatchRequest(part, []byte(value), func(r *Rule) { id = r.ID })
		if id != "" {
			return id
		}
	}
	return id
}

// Files whose subject is not a pattern in a value: a query language of its
// own, and agents that are named, which no rule here does.
var outOfScope = map[string]bool{"graphql": true, "graphql-post": true, "community-user-agent": true}

func TestGoTestWAFAttacks(t *testing.T) {
	dir := corpus(t, "gotestwaf-cases")
	s := load(t)
	files, _ := filepath.Glob(filepath.Join(dir, "testcases", "*", "*.yml"))
	all, matched := 0, 0
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".yml")
		if outOfScope[name] || filepath.Base(filepath.Dir(f)) == "false-pos" {
			continue
		}
		p := readPayloads(t, f)
		n := 0
		for _, value := range p.Payload {
			if s.alerts(value) != "" {
				n++
			} else if os.Getenv("SHOW_MISSES") != "" {
				t.Logf("%s misses %.150q", name, value)
			}
		}
		t.Logf("%-28s %3d of %3d", name, n, len(p.Payload))
		all, matched = all+len(p.Payload), matched+n
	}
	rate := float64(matched) / float64(all)
	t.Logf("attacks matched: %d of %d (%.1f %%)", matched, all, 100*rate)
	if rate < 0.7 {
		t.Errorf("attack rate %.2f, want at least 0.70", rate)
	}
}

func TestGoTestWAFBenign(t *testing.T) {
	dir := corpus(t, "gotestwaf-cases")
	s := load(t)
	p := readPayloads(t, filepath.Join(dir, "testcases", "false-pos", "texts.yml"))
	alarms := 0
	for _, value := range p.Payload {
		if id := s.alerts(value); id != "" {
			alarms++
			t.Logf("%s matches %.120q", id, value)
		}
	}
	rate := float64(alarms) / float64(len(p.Payload))
	t.Logf("benign texts matched: %d of %d (%.1f %%)", alarms, len(p.Payload), 100*rate)
	if rate > 0.05 {
		t.Errorf("benign rate %.2f, want at most 0.05", rate)
	}
}

// Base64 is nobody's plaintext: encoded texts and attacks alike stay quiet.
func TestBase64IsQuiet(t *testing.T) {
	s := load(t)
	for _, text := range []string{"hello, this is ordinary text that was encoded", "1' or '1'='1", strings.Repeat("a, b; c\n", 50)} {
		if id := s.alerts(base64.StdEncoding.EncodeToString([]byte(text))); id != "" {
			t.Errorf("%s matches the encoding of %q", id, text)
		}
	}
}
