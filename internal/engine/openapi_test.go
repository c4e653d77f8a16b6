package engine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xiezhi/internal/engine"
	"xiezhi/internal/report"
)

// vampiDocumented is what VAmPI's own documentation says of the operations that
// the recording calls with success: what requests carry and what the answer of
// success gives.
var vampiDocumented = map[string][]string{
	"GET /":                     {"200 help", "200 message", "200 vulnerable"},
	"GET /createdb":             {"200 message"},
	"GET /users/v1":             {"200 users[].email", "200 users[].username"},
	"GET /users/v1/_debug":      {"200 users[].admin", "200 users[].email", "200 users[].password", "200 users[].username"},
	"POST /users/v1/register":   {"username", "password", "email", "200 message", "200 status"},
	"POST /users/v1/login":      {"username", "password", "200 auth_token", "200 message", "200 status"},
	"GET /me":                   {"200 data.admin", "200 data.email", "200 data.username", "200 status"},
	"GET /users/v1/{}":          {"200 email", "200 username"},
	"PUT /users/v1/{}/email":    {"email"},
	"PUT /users/v1/{}/password": {"password"},
	"GET /books/v1":             {"200 Books[].book_title", "200 Books[].user"},
	"POST /books/v1":            {"book_title", "secret", "200 message", "200 status"},
	"GET /books/v1/{}":          {"200 book_title", "200 owner", "200 secret"},
}

// described lists the operations of a document, and their fields.
func described(t *testing.T, doc []byte) (ops, fields []string) {
	t.Helper()
	var d struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		t.Fatal(err)
	}
	type content map[string]struct{ Schema map[string]any }
	for path, item := range d.Paths {
		for method, raw := range item {
			if strings.HasPrefix(method, "x-") {
				continue
			}
			op := strings.ToUpper(method) + " " + regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "{}")
			ops = append(ops, op)
			var o struct {
				Parameters  []struct{ Name, In string }
				RequestBody struct{ Content content }
				Responses   map[string]struct{ Content content }
			}
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatal(err)
			}
			for _, p := range o.Parameters {
				if p.In != "path" {
					fields = append(fields, op+" "+p.In+" "+p.Name)
				}
			}
			for _, c := range o.RequestBody.Content {
				for _, f := range leaves(c.Schema, "") {
					fields = append(fields, op+" "+f)
				}
			}
			for _, c := range o.Responses["200"].Content {
				for _, f := range leaves(c.Schema, "") {
					fields = append(fields, op+" 200 "+f)
				}
			}
		}
	}
	return ops, fields
}

func leaves(s map[string]any, path string) (out []string) {
	if items, ok := s["items"].(map[string]any); ok {
		return leaves(items, path+"[]")
	}
	props, ok := s["properties"].(map[string]any)
	if !ok {
		return []string{path}
	}
	for name, p := range props {
		q := name
		if path != "" {
			q = path + "." + name
		}
		out = append(out, leaves(p.(map[string]any), q)...)
	}
	return out
}

// rates gives precision and recall.
func rates(got, want []string) (precision, recall float64, wrong, missed []string) {
	for _, g := range got {
		if !slices.Contains(want, g) {
			wrong = append(wrong, g)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			missed = append(missed, w)
		}
	}
	hits := float64(len(want) - len(missed))
	return hits / float64(max(len(got), 1)), hits / float64(len(want)), wrong, missed
}

func openAPI(t *testing.T, r *report.Report) []byte {
	t.Helper()
	docs, err := r.OpenAPI("", "en", tools(t).Messages)
	if err != nil || len(docs) != 1 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	return docs[0].Data
}

// The description learned from the recording is the one that its developers
// wrote.
func TestOpenAPIOfVampiIsItsOwn(t *testing.T) {
	r, _ := vampiReport(t)
	ops, fields := described(t, openAPI(t, r))
	var wantOps, wantFields []string
	for op, list := range vampiDocumented {
		wantOps = append(wantOps, op)
		for _, f := range list {
			wantFields = append(wantFields, op+" "+f)
		}
	}
	for name, x := range map[string][2][]string{"operations": {ops, wantOps}, "fields": {fields, wantFields}} {
		p, rec, wrong, missed := rates(x[0], x[1])
		t.Logf("%s: precision %.3f, recall %.3f of %d", name, p, rec, len(x[1]))
		if p < 0.95 || rec < 0.95 {
			t.Errorf("%s: wrong %q, missed %q", name, wrong, missed)
		}
	}
}

func TestOpenAPIDoesNotDependOnWorkersOrSplit(t *testing.T) {
	if testing.Short() {
		t.Skip("analyses the recording three times more")
	}
	r, _ := vampiReport(t) // two workers
	want := openAPI(t, r)
	for _, n := range []int{1, 8} {
		r, _ := run(t, engine.AnalyzeConfig{Workers: n}, capture)
		if !bytes.Equal(openAPI(t, r), want) {
			t.Errorf("%d workers give another description", n)
		}
	}
	dir := t.TempDir()
	splitCapture(t, capture, dir)
	split, _ := run(t, engine.AnalyzeConfig{Workers: 2}, filepath.Join(dir, "a.pcap"), filepath.Join(dir, "b.pcap"))
	if !bytes.Equal(openAPI(t, split), want) {
		t.Error("the recording in two files gives another description")
	}
	if fmt.Sprint(split.APIs[0].Contract.Changes) != fmt.Sprint(r.APIs[0].Contract.Changes) {
		t.Error("the history of changes differs")
	}
}
