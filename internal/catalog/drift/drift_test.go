package drift

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"xiezhi/internal/catalog/contract"
	"xiezhi/internal/catalog/openapi"
)

var moment = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)

func read(t testing.TB, text string) *openapi.Spec {
	t.Helper()
	s, err := openapi.Read("spec.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func api(method, template string, c *contract.Contract) openapi.API {
	return openapi.API{ID: method + template, Host: "shop.test", Method: method, Template: template, Exchanges: 9, LastSeen: moment, Contract: c}
}

// told writes items shortly.
func told(d *Result) []string {
	var out []string
	for _, x := range d.Items {
		s := x.Kind + " " + x.Method + " " + x.Template
		for _, p := range []string{x.Where, x.Name, x.Expected, x.Observed} {
			if p != "" {
				s += " " + p
			}
		}
		out = append(out, s)
	}
	return out
}

const paths = `openapi: 3.0.0
servers: [{url: /api}]
paths:
  /users/{id}: {get: {responses: {}}, delete: {responses: {}}}
  /users/me: {get: {responses: {}}}
  /v1/orders/{n}: {get: {responses: {}}}
  /v2/orders/{no}: {get: {responses: {}}}
  /old: {get: {deprecated: true, responses: {}}}
  /gone: {get: {x-sunset: 2025-01-01, responses: {}}}
  /later: {get: {x-sunset: 2027-01-01, responses: {}}}
  /files/{name}.{ext}: {get: {responses: {}}}
  /machines/{id}:start: {post: {responses: {}}}
`

func TestPaths(t *testing.T) {
	for _, c := range []struct {
		name     string
		learned  []string
		want     []string // without orphans
		orphaned []string // of these …
		called   []string // … and none of these
	}{
		{"names of parameters differ", []string{"GET /api/users/{user_id}"}, nil, []string{"DELETE /users/{id}", "GET /users/me"}, []string{"GET /users/{id}"}},
		{"a word goes before a parameter", []string{"GET /api/users/me"}, nil, []string{"GET /users/{id}"}, []string{"GET /users/me"}},
		{"a word that is a value", []string{"GET /api/users/alice"}, nil, nil, []string{"GET /users/{id}"}},
		{"a gateway cuts the base off", []string{"GET /users/{x}"}, nil, nil, []string{"GET /users/{id}"}},
		{"another base", []string{"GET /web/users/{x}"}, []string{"shadow GET /web/users/{x}"}, []string{"GET /users/{id}"}, nil},
		{"another method", []string{"PUT /api/users/{x}"}, []string{"shadow PUT /api/users/{x}"}, nil, nil},
		{"an old version, described", []string{"GET /api/v1/orders/{x}"}, []string{"deprecated_version GET /api/v1/orders/{x}"}, []string{"GET /v2/orders/{no}"}, []string{"GET /v1/orders/{n}"}},
		{"the newest version", []string{"GET /api/v2/orders/{x}"}, nil, nil, nil},
		{"a version that is not described, with a higher one that is", []string{"GET /api/v0/orders/{x}", "GET /api/v3/orders/{x}"}, []string{"shadow GET /api/v0/orders/{x}", "shadow GET /api/v3/orders/{x}"}, nil, nil},
		{"deprecated", []string{"GET /api/old"}, []string{"zombie GET /api/old deprecated"}, nil, []string{"GET /old"}},
		{"retired", []string{"GET /api/gone"}, []string{"zombie GET /api/gone retired"}, nil, nil},
		{"an end to come", []string{"GET /api/later"}, nil, nil, nil},
		{"retired and not called", nil, nil, []string{"GET /old"}, []string{"GET /gone"}},
		{"a segment with two parameters", []string{"GET /api/files/{file}"}, nil, nil, []string{"GET /files/{name}.{ext}"}},
		{"a verb behind the resource", []string{"POST /api/machines/{machine_id}:start"}, nil, nil, []string{"POST /machines/{id}:start"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var apis []openapi.API
			for _, s := range c.learned {
				m, p, _ := strings.Cut(s, " ")
				apis = append(apis, api(m, p, nil))
			}
			apis = append(apis, openapi.API{ID: "page", Host: "shop.test", Method: "GET", Template: "/about", Role: "page", LastSeen: moment})
			var got, orphans []string
			for _, s := range told(Compare([]*openapi.Spec{read(t, paths)}, apis)) {
				if o, ok := strings.CutPrefix(s, "orphan "); ok {
					orphans = append(orphans, strings.TrimSuffix(o, " deprecated"))
				} else {
					got = append(got, s)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			for _, o := range c.orphaned {
				if !slices.Contains(orphans, o) {
					t.Errorf("%s is no orphan: %q", o, orphans)
				}
			}
			for _, o := range c.called {
				if slices.Contains(orphans, o) {
					t.Errorf("%s is an orphan", o)
				}
			}
		})
	}
}

const bodies = `openapi: 3.0.0
paths:
  /a/{id}:
    post:
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: page, in: query, schema: {type: integer}}
        - {name: state, in: query, schema: {type: string, enum: [open, paid]}}
        - {name: filter, in: query, schema: {type: object}}
        - {name: X-Tenant, in: header, schema: {type: string}}
        - {name: color, in: path, style: matrix, schema: {type: string}}
      requestBody: {content: {application/json: {schema: {type: object, properties: {n: {type: number}, free: {type: object}, s: {type: string}}}}}}
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/R'}}}}
        5XX: {description: any}
components:
  securitySchemes:
    sign: {type: apiKey, in: header, name: X-Sign}
  schemas:
    R: {type: object, properties: {list: {type: array, items: {type: object, properties: {id: {type: integer}}}}, by: {type: object, additionalProperties: {type: integer}}, self: {$ref: '#/components/schemas/R'}}}
`

func TestContracts(t *testing.T) {
	field := func(p string, types ...string) contract.Field { return contract.Field{Path: p, Types: types, Count: 5} }
	query := func(name, typ string, values ...string) *contract.Contract {
		return &contract.Contract{Parameters: []contract.Parameter{{Name: name, In: "query", Type: typ, Values: values, Count: 5}}}
	}
	placed := func(in, name, typ string, count uint64) *contract.Contract {
		return &contract.Contract{Samples: 10, Parameters: []contract.Parameter{{Name: name, In: in, Type: typ, Count: count}}}
	}
	asked := func(f ...contract.Field) *contract.Contract {
		return &contract.Contract{Requests: []contract.Body{{Media: "application/json", Count: 5, Fields: f}}}
	}
	given := func(status int, f ...contract.Field) *contract.Contract {
		return &contract.Contract{Responses: []contract.Body{{Status: status, Media: "application/json", Count: 5, Fields: f}}}
	}
	for name, c := range map[string]struct {
		c    *contract.Contract
		want []string
	}{
		"a described parameter":       {query("page", "integer"), nil},
		"a parameter nobody knows":    {query("admin", "boolean"), []string{"undocumented_parameter query admin boolean"}},
		"a text for a number":         {query("page", "string"), []string{"type_mismatch query page integer string"}},
		"a word that is not listed":   {query("state", "string", "open", "void"), []string{"type_mismatch query state enum open|paid void"}},
		"words that are listed":       {query("state", "string", "open", "paid"), nil},
		"a part of an object":         {query("filter[a]", "string"), nil},
		"a path parameter":            {&contract.Contract{Parameters: []contract.Parameter{{Name: "key", In: "path", Type: "string"}}}, []string{"type_mismatch path id integer string"}},
		"a described header":          {placed("header", "x-tenant", "string", 10), nil},
		"a header of another type":    {placed("header", "X-Tenant", "integer", 10), nil}, // digits may be a text
		"a header nobody knows":       {placed("header", "X-Region", "string", 10), []string{"undocumented_parameter header X-Region string"}},
		"a header that few send":      {placed("header", "X-Region", "string", 4), nil},
		"a header that is a key":      {placed("header", "x-sign", "string", 10), nil},
		"a described matrix":          {placed("matrix", "color", "string", 10), nil},
		"a matrix nobody knows":       {placed("matrix", "size", "string", 10), []string{"undocumented_parameter path size string"}},
		"described fields":            {asked(field("n", "integer"), field("s", "string"), field("free.x.y", "string")), nil},
		"a field nobody knows":        {asked(field("role", "string")), []string{"undocumented_field request role string"}},
		"a number for a text":         {asked(field("s", "integer")), []string{"type_mismatch request s string integer"}},
		"null":                        {asked(field("s", "null", "string")), []string{"type_mismatch request s string null"}},
		"an answer that is described": {given(200, field("list[].id", "integer"), field("by.{}", "integer"), field("by.red", "integer"), field("self.self.list[].id", "integer")), nil},
		"what an answer gives beyond": {given(200, field("list[].secret.a", "string"), field("list[].secret.b", "string")), []string{"undocumented_field 200 list[].secret object"}},
		"a status nobody knows":       {given(404, field("m", "string")), []string{"undocumented_status 404 404"}},
		"a hundred of statuses":       {given(503), nil},
		"a body nobody described":     {given(500, field("trace", "string")), []string{"undocumented_field 500 * application/json"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range told(Compare([]*openapi.Spec{read(t, bodies)}, []openapi.API{api("POST", "/a/{x}", c.c)})) {
				got = append(got, strings.Replace(s, " POST /a/{x}", "", 1))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A description is of the hosts it names, else of those where it is used.
func TestHosts(t *testing.T) {
	other := openapi.API{ID: "o", Host: "other.test", Method: "GET", Template: "/x", LastSeen: moment}
	d := Compare([]*openapi.Spec{read(t, paths)}, []openapi.API{api("GET", "/api/old", nil), other})
	if !slices.Equal(d.Hosts, []string{"shop.test"}) || d.Compared != 1 {
		t.Errorf("compared %v, %d APIs", d.Hosts, d.Compared)
	}
	named := strings.Replace(paths, "url: /api", "url: 'https://other.test/api'", 1)
	if d := Compare([]*openapi.Spec{read(t, named)}, []openapi.API{api("GET", "/api/old", nil), other}); !slices.Equal(d.Hosts, []string{"other.test"}) {
		t.Errorf("compared %v", d.Hosts)
	}
}

// Whatever is described and learned, the list is the same in any order and
// within its cap.
func TestCompareDoesNotDependOnOrder(t *testing.T) {
	s := read(t, paths)
	rapid.Check(t, func(t *rapid.T) {
		seg := rapid.SampledFrom([]string{"api", "users", "{id}", "{n}", "v1", "v2", "orders", "x.{e}", "me", "old", ":start", "{id}:start", ""})
		var apis []openapi.API
		for i := range rapid.IntRange(0, 12).Draw(t, "n") {
			a := api("GET", "/"+strings.Join(rapid.SliceOfN(seg, 0, 4).Draw(t, "segments"), "/"), nil)
			a.ID = fmt.Sprint(i)
			apis = append(apis, a)
		}
		a := Compare([]*openapi.Spec{s}, apis)
		slices.Reverse(apis)
		if b := Compare([]*openapi.Spec{s}, apis); !slices.Equal(told(a), told(b)) {
			t.Fatalf("%q and %q", told(a), told(b))
		}
	})
}
