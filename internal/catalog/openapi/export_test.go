package openapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"xiezhi/internal/catalog/contract"
	"xiezhi/internal/catalog/drift"
	"xiezhi/internal/catalog/openapi"
)

// validator holds documents against the schema of OpenAPI 3.1, and against what
// the specification says beyond it.
type validator struct{ schema *jsonschema.Schema }

func newValidator(t testing.TB) validator {
	t.Helper()
	f, err := os.Open("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	return validator{s}
}

var braces = regexp.MustCompile(`\{([^{}]*)\}`)

func (v validator) check(data []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if err := v.schema.Validate(doc); err != nil {
		return err
	}
	root := doc.(map[string]any)
	ids, alike := map[string]bool{}, map[string]bool{}
	schemes := map[string]any{}
	if c, ok := root["components"].(map[string]any); ok {
		schemes = c["securitySchemes"].(map[string]any)
	}
	for path, item := range root["paths"].(map[string]any) {
		key := braces.ReplaceAllString(path, "{}")
		if alike[key] {
			return fmt.Errorf("%s differs from another path in names only", path)
		}
		alike[key] = true
		var want []string
		for _, m := range braces.FindAllStringSubmatch(path, -1) {
			if slices.Contains(want, m[1]) {
				return fmt.Errorf("%s names a parameter twice", path)
			}
			want = append(want, m[1])
		}
		for method, o := range item.(map[string]any) {
			if strings.HasPrefix(method, "x-") {
				continue
			}
			op := o.(map[string]any)
			id := op["operationId"].(string)
			if ids[id] {
				return fmt.Errorf("the id %s stands twice", id)
			}
			ids[id] = true
			var have []string
			named := map[string]bool{}
			params, _ := op["parameters"].([]any)
			for _, p := range params {
				x := p.(map[string]any)
				if k := fmt.Sprint(x["in"], " ", x["name"]); named[k] {
					return fmt.Errorf("%s: the parameter %s stands twice", path, k)
				} else {
					named[k] = true
				}
				if x["in"] == "path" {
					have = append(have, x["name"].(string))
				}
			}
			if !slices.Equal(want, have) {
				return fmt.Errorf("%s has parameters %q, described are %q", path, want, have)
			}
			for _, s := range op["security"].([]any) {
				for name := range s.(map[string]any) {
					if schemes[name] == nil {
						return fmt.Errorf("%s: the scheme %s is not described", path, name)
					}
				}
			}
		}
	}
	return nil
}

var moment = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestExport(t *testing.T) {
	apis := []openapi.API{
		{ID: "1", Host: "shop.test", Method: "GET", Template: "/orders/{order_id}", Role: "detail", Auth: "required", Exchanges: 30, FirstSeen: moment, LastSeen: moment,
			Sensitive: []openapi.Sensitive{{Path: "data.mail", Type: "email", In: "response"}},
			Contract: &contract.Contract{Samples: 30,
				Parameters: []contract.Parameter{{Name: "order_id", In: "path", Type: "integer", Required: true}, {Name: "state", In: "query", Type: "string", Values: []string{"open", "paid"}},
					{Name: "X-Tenant", In: "header", Type: "string", Required: true}, {Name: "color", In: "matrix", Type: "string"}},
				Credentials: []contract.Credential{{Kind: "bearer", In: "header", Name: "authorization", JWT: true}, {Kind: "cookie", In: "cookie", Name: "sid"}, {Kind: "api_key", In: "json", Name: "token"}},
				Responses: []contract.Body{{Status: 200, Media: "application/json", Count: 30, Fields: []contract.Field{
					{Path: "data.id", Types: []string{"string"}, Format: "uuid", Required: true}, {Path: "data.mail", Types: []string{"string"}, Format: "email", Sensitive: []string{"email"}},
					{Path: "data.rows[].n", Types: []string{"integer"}, Format: "int64"}, {Path: "data.rows[].tags[]", Types: []string{"string"}}, {Path: "data.by.{}.sum", Types: []string{"null", "number"}},
				}}, {Status: 204, Count: 1}}}},
		{ID: "2", Host: "shop.test", Method: "POST", Template: "/orders/{id}", Auth: "none", Exchanges: 5, FirstSeen: moment, LastSeen: moment,
			Contract: &contract.Contract{Samples: 5, Parameters: []contract.Parameter{{Name: "id", In: "path", Type: "string", Required: true}},
				Requests: []contract.Body{{Media: "multipart/form-data", Count: 5, Fields: []contract.Field{{Path: "photo", Types: []string{"file"}}, {Path: "user[name]", Types: []string{"string"}, Required: true}}}}}},
		{ID: "3", Host: "shop.test", Method: "POST", Template: "/rpc#user.get", Operation: "user.get", Protocol: "json-rpc", Auth: "unknown", FirstSeen: moment, LastSeen: moment},
		{ID: "4", Host: "api.shop.test", Method: "POST", Template: "/rpc#user.put", Operation: "user.put", Protocol: "json-rpc", Auth: "unknown", FirstSeen: moment, LastSeen: moment},
		{ID: "5", Host: "shop.test", Method: "WS", Template: "/live#chat", Operation: "chat", Auth: "unknown", FirstSeen: moment, LastSeen: moment},
	}
	got, err := openapi.Export(openapi.Info{Site: "shop.test", Version: "test", Description: "about"}, apis)
	if err != nil {
		t.Fatal(err)
	}
	if err := newValidator(t).check(got); err != nil {
		t.Errorf("not valid: %v", err)
	}
	if os.Getenv("XIEZHI_UPDATE") != "" {
		if err := os.WriteFile("testdata/shop.golden.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/shop.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from testdata/shop.golden.json (XIEZHI_UPDATE=1 writes it):\n%s", got)
	}
	slices.Reverse(apis)
	again, _ := openapi.Export(openapi.Info{Site: "shop.test", Version: "test", Description: "about"}, apis)
	if !bytes.Equal(got, again) {
		t.Error("the order of the APIs matters")
	}
}

// Whatever names traffic had, the document is valid, it can be read, and what
// was learned does not differ from it.
func TestExportIsValidAndReadsBack(t *testing.T) {
	v := newValidator(t)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.SampledFrom([]string{"id", "a.b", "x[]", "{}", "", "$ref", "手机号", "a/b", "properties", "~1", "a b", "<script>", "\u202e", "[]", "user[name]"}), rapid.StringN(0, 12, 30))
		step := rapid.SampledFrom([]string{"id", "name", "data", "list[]", "{}", "rows[].n", "手机号", "$ref", "x-y", "[]"})
		types := rapid.SampledFrom([][]string{{"string"}, {"integer"}, {"null", "string"}, {"object"}, {"array"}, {"boolean"}, {"number"}, {"array", "null"}})
		fields := func(label string) []contract.Field {
			seen := map[string]bool{}
			out := []contract.Field{}
			for range rapid.IntRange(0, 5).Draw(t, label) {
				p := strings.Join(rapid.SliceOfN(step, 1, 3).Draw(t, "path"), ".")
				p = strings.ReplaceAll(strings.ReplaceAll(p, ".[]", "[]"), "[].[]", "[][]")
				if seen[p] {
					continue
				}
				seen[p] = true
				out = append(out, contract.Field{Path: p, Types: types.Draw(t, "types"), Required: rapid.Bool().Draw(t, "required"), Count: 20,
					Format: rapid.SampledFrom([]string{"", "uuid", "date-time", "email", "phone"}).Draw(t, "format")})
			}
			return out
		}
		var apis []openapi.API
		for i := range rapid.IntRange(0, 6).Draw(t, "apis") {
			segs := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom([]string{"users", "{id}", "{name}", "v1", "a{b", "%zz", "a?b", "x y", "{}"}), rapid.StringMatching(`[a-z{}#%?]{1,6}`)), 0, 4).Draw(t, "segments")
			a := openapi.API{ID: fmt.Sprint(i), Host: rapid.SampledFrom([]string{"a.test", "b.test", "", "bad host"}).Draw(t, "host"), Template: "/" + strings.Join(segs, "/"),
				Method: rapid.SampledFrom([]string{"GET", "POST", "PUT", "WS", "PROPFIND"}).Draw(t, "method"), Auth: rapid.SampledFrom([]string{"none", "optional", "required", "unknown"}).Draw(t, "auth"), FirstSeen: moment, LastSeen: moment, Exchanges: 20}
			c := &contract.Contract{Samples: 20}
			named := map[string]bool{}
			for _, s := range segs {
				if s == "{id}" || s == "{name}" {
					n := s[1 : len(s)-1]
					if named[n] {
						n += "2"
					}
					if named[n] {
						t.Skip("the catalogue numbers on")
					}
					named[n] = true
				}
			}
			a.Template = number(a.Template)
			for _, m := range braces.FindAllStringSubmatch(a.Template, -1) {
				if strings.HasPrefix(m[1], "id") || strings.HasPrefix(m[1], "name") {
					c.Parameters = append(c.Parameters, contract.Parameter{Name: m[1], In: "path", Type: "integer", Required: true})
				}
			}
			seen := map[string]bool{}
			for range rapid.IntRange(0, 3).Draw(t, "query") {
				if n := name.Draw(t, "parameter"); !seen[n] {
					seen[n] = true
					c.Parameters = append(c.Parameters, contract.Parameter{Name: n, In: "query", Type: rapid.SampledFrom([]string{"string", "integer", "boolean"}).Draw(t, "type")})
				}
			}
			for range rapid.IntRange(0, 2).Draw(t, "credentials") {
				c.Credentials = append(c.Credentials, contract.Credential{Kind: rapid.SampledFrom([]string{"bearer", "cookie", "api_key", "other", "signature"}).Draw(t, "kind"), In: rapid.SampledFrom([]string{"header", "query", "json"}).Draw(t, "in"), Name: name.Draw(t, "credential")})
			}
			c.Requests = []contract.Body{{Media: "application/json", Count: 20, Fields: fields("request")}}
			c.Responses = []contract.Body{{Status: 200, Media: "application/json", Count: 20, Fields: fields("response")}, {Status: rapid.SampledFrom([]int{0, 204, 404, 700}).Draw(t, "status"), Count: 2}}
			a.Contract = c
			apis = append(apis, a)
		}
		doc, err := openapi.Export(openapi.Info{Site: "s", Description: "d"}, apis)
		if err != nil {
			t.Fatal(err)
		}
		if err := v.check(doc); err != nil {
			t.Fatalf("not valid: %v\n%s", err, doc)
		}
		if _, err := openapi.Read("s.json", doc); err != nil {
			t.Fatalf("cannot be read: %v\n%s", err, doc)
		}
	})
}

// number makes names of parameters differ, as the catalogue does.
func number(template string) string {
	seen := map[string]int{}
	return regexp.MustCompile(`/\{(id|name)\}`).ReplaceAllStringFunc(template, func(s string) string {
		seen[s]++
		if n := seen[s]; n > 1 {
			return s[:len(s)-1] + fmt.Sprint(n) + "}"
		}
		return s
	})
}

// What was learned does not differ from its own description.
func TestDescriptionOfTrafficDoesNotDriftFromIt(t *testing.T) {
	data, err := os.ReadFile("testdata/shop.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := openapi.Read("shop.json", data)
	if err != nil {
		t.Fatal(err)
	}
	api := openapi.API{ID: "1", Host: "shop.test", Method: "GET", Template: "/orders/{number}", Exchanges: 3, LastSeen: moment, Contract: &contract.Contract{Samples: 30,
		Parameters: []contract.Parameter{{Name: "number", In: "path", Type: "integer"}, {Name: "state", In: "query", Type: "string", Values: []string{"paid"}}},
		Responses:  []contract.Body{{Status: 200, Media: "application/json", Fields: []contract.Field{{Path: "data.rows[].tags[]", Types: []string{"string"}}, {Path: "data.by.{}.sum", Types: []string{"null"}}}}}}}
	if d := drift.Compare([]*openapi.Spec{s}, []openapi.API{api}); d.Matched != 1 || slices.ContainsFunc(d.Items, func(x drift.Item) bool { return x.Kind != drift.Orphan }) {
		b, _ := json.Marshal(d)
		t.Errorf("differs: %s", b)
	}
}
