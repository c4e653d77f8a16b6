package har

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

// flow is what the corpus expects of an entry.
type flow struct {
	Request struct {
		Method, Scheme, Host, Path string
		HTTPVersion                string `json:"http_version"`
		Headers                    [][2]string
		ContentHash                *string
	}
	Response *struct {
		StatusCode  int `json:"status_code"`
		Reason      string
		Headers     [][2]string
		ContentHash *string
	}
}

func corpus(t *testing.T, folder string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "corpora", folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("corpus %s is absent", folder)
	}
	return dir
}

func TestCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus(t, "har-mitmproxy"), "har_files", "*.har"))
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		inputs, err := source.Expand([]string{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := readAll(Config{}, inputs...)
		raw, err := os.ReadFile(strings.TrimSuffix(file, ".har") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var flows []flow
		if err := json.Unmarshal(raw, &flows); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if r.err != nil || r.exchanges.Len() != len(flows) || r.drops() != "" {
			t.Errorf("%s: %v, %d exchanges of %d, %s %+v", name, r.err, r.exchanges.Len(), len(flows), r.drops(), r.totals.Problems)
			continue
		}
		bodies, same := 0, 0
		for i, f := range flows {
			x := r.exchanges.At(i)
			if string(x.Method) != f.Request.Method || string(x.Target) != f.Request.Path || x.Secure != (f.Request.Scheme == "https") {
				t.Errorf("%s %d: %s %s %v, want %+v", name, i, x.Method, x.Target, x.Secure, f.Request)
			}
			if !sameHeaders(x.Request.Header, f.Request.Headers) {
				t.Errorf("%s %d: request headers %s, want %s", name, i, x.Request.Header, f.Request.Headers)
			}
			if f.Response != nil && x.Status != 0 {
				if x.Status != f.Response.StatusCode || !sameHeaders(x.Response.Header, f.Response.Headers) {
					t.Errorf("%s %d: response %d %s, want %d %s", name, i, x.Status, x.Response.Header, f.Response.StatusCode, f.Response.Headers)
				}
				if f.Response.ContentHash != nil && len(x.Response.Body) > 0 {
					sum := sha256.Sum256(x.Response.Body)
					bodies++
					if hex.EncodeToString(sum[:]) == *f.Response.ContentHash {
						same++
					}
				}
			}
		}
		if same != bodies {
			t.Errorf("%s: %d of %d bodies equal", name, same, bodies)
		}
		t.Logf("%s: %d exchanges, %d of %d bodies equal byte by byte", name, len(flows), same, bodies)
	}
}

// sameHeaders ignores the lengths and codings that the corpus's tool rewrites
// when it makes a flow of an entry.
func sameHeaders(got []exchange.Field, want [][2]string) bool {
	var g, w []string
	for _, f := range got {
		if n := strings.ToLower(string(f.Name)); n != "content-length" && n != "content-encoding" {
			g = append(g, string(f.Name)+": "+string(f.Value))
		}
	}
	for _, f := range want {
		if n := strings.ToLower(f[0]); n != "content-length" && n != "content-encoding" {
			w = append(w, f[0]+": "+f[1])
		}
	}
	return slices.Equal(g, w)
}

// The corpus's other recordings have no expectation beside them: all entries
// have to come through, and the broken files have to be counted.
func TestCorpusFlows(t *testing.T) {
	dir := corpus(t, "har-mitmproxy")
	files, _ := filepath.Glob(filepath.Join(dir, "flows", "*.har"))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Log struct{ Entries []json.RawMessage }
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			t.Fatal(err)
		}
		if r := readAll(Config{}, input(file, raw)); r.err != nil || r.exchanges.Len() != len(doc.Log.Entries) || r.drops() != "" {
			t.Errorf("%s: %v, %d of %d, %s %+v", filepath.Base(file), r.err, r.exchanges.Len(), len(doc.Log.Entries), r.drops(), r.totals.Problems)
		}
	}
	broken, _ := filepath.Glob(filepath.Join(dir, "corrupted_har", "*"))
	for _, file := range broken {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if r := readAll(Config{}, input(file, raw)); r.err != nil || r.exchanges.Len() != 0 || r.drops() == "" {
			t.Errorf("%s: %v %d %q", filepath.Base(file), r.err, r.exchanges.Len(), r.drops())
		}
	}
}
