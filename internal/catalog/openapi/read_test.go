package openapi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const v30 = `openapi: 3.0.3
info: {title: Shop, version: "1"}
servers:
  - url: https://{env}.shop.test:8443/api/
    variables: {env: {default: www}}
paths:
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: integer}}
      - $ref: '#/components/parameters/Page'
    get:
      deprecated: true
      x-sunset: 2025-12-31
      parameters:
        - {name: page, in: query, schema: {type: string, enum: [all, some]}}
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Order'}
        4XX: {$ref: '#/components/responses/Error'}
    post:
      requestBody:
        content:
          application/json:
            schema:
              allOf:
                - {$ref: '#/components/schemas/Order'}
                - {type: object, properties: {note: {type: string, nullable: true}}}
      responses: {default: {description: any}}
components:
  parameters:
    Page: {name: page, in: query, schema: {type: integer}}
  responses:
    Error: {description: no, content: {application/json: {schema: {type: object, properties: {message: {type: string}}}}}}
  schemas:
    Order:
      type: object
      properties:
        id: {type: integer}
        items: {type: array, items: {$ref: '#/components/schemas/Order'}}
        by: {type: object, additionalProperties: {type: number}}
        free: {type: object}
`

// fields writes a body as "path:types", sorted; "…" marks what is open.
func fields(b *Body) string {
	if b == nil {
		return "-"
	}
	var out []string
	for p, f := range b.Fields {
		s := p + ":" + strings.Join(f.Types, "|")
		if f.Open {
			s += "…"
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestRead30(t *testing.T) {
	s, err := Read("shop.yaml", []byte(v30))
	if err != nil {
		t.Fatal(err)
	}
	if s.Title != "Shop" || s.Version != "3.0.3" || !slices.Equal(s.Bases, []string{"/api"}) || !slices.Equal(s.Hosts, []string{"www.shop.test"}) || len(s.Operations) != 2 {
		t.Fatalf("read as %+v", s)
	}
	get, post := s.Operations[0], s.Operations[1]
	if get.Method != "GET" || get.Line != 11 || !get.Deprecated || !get.Sunset.Equal(time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("get: %+v", get)
	}
	if len(get.Parameters) != 2 || get.Parameters[1].Types[0] != "string" || !slices.Equal(get.Parameters[1].Values, []string{"all", "some"}) {
		t.Errorf("an operation's parameter goes before the path's: %+v", get.Parameters)
	}
	const order = "by.{}:number by:object free:object… id:integer items:array items[]:object…"
	if got := fields(get.Responses[0].Body); got != ":object "+order {
		t.Errorf("answer: %s", got)
	}
	if get.Responses[1].Status != "4XX" || fields(get.Responses[1].Body) != ":object message:string" {
		t.Errorf("errors: %+v", get.Responses[1])
	}
	if got := fields(post.Request); got != ":object "+order+" note:string|null" {
		t.Errorf("request: %s", got)
	}
}

func TestReadVersions(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"3.1": {`{"openapi":"3.1.0","info":{},"paths":{"/a":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":["object","null"],"properties":{"n":{"type":["integer","null"]},"t":{"prefixItems":[{"type":"string"}]}}}}}},"responses":{}}}}}`,
			"POST /a  request :object|null n:integer|null t: t[]:string"},
		"2.0": {"swagger: '2.0'\nhost: Shop.test:80\nbasePath: /v2\npaths:\n  /a:\n    put:\n      parameters:\n        - {name: b, in: body, schema: {$ref: '#/definitions/B'}}\n      responses: {200: {description: ok, schema: {type: array, items: {type: string}}}}\ndefinitions:\n  B: {type: object, properties: {x: {type: string, x-nullable: true}}}\n",
			"PUT /a /v2 request :object x:string|null 200 :array []:string"},
		"2.0 form": {"swagger: '2.0'\npaths:\n  /a:\n    post:\n      parameters:\n        - {name: f, in: formData, type: file}\n        - {name: n, in: formData, type: integer}\n      responses: {}\n",
			"POST /a  request :object f:file n:integer"},
		"a path item by reference": {`{"openapi":"3.0.0","paths":{"/a":{"$ref":"#/x~1y/0"}},"x/y":[{"get":{"responses":{"200":{}}}}]}`, "GET /a  request - 200 -"},
		"one of":                   {`{"openapi":"3.0.0","paths":{"/a":{"get":{"responses":{"200":{"content":{"application/json":{"schema":{"oneOf":[{"type":"string"},{"type":"object","properties":{"a":{"type":"integer"}}}]}}}}}}}}}`, "GET /a  request - 200 :string|object a:integer"},
		"aliases":                  {"openapi: 3.0.0\nx-s: &s {type: object, properties: {a: {type: string}}}\npaths: {/a: {get: {responses: {'200': {content: {application/json: {schema: *s}}}}}}}\n", "GET /a  request - 200 :object a:string"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Read("f", []byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			o := s.Operations[0]
			got := o.Method + " " + o.Path + " " + strings.Join(s.Bases, ",") + " request " + fields(o.Request)
			for _, r := range o.Responses {
				got += " " + r.Status + " " + fields(r.Body)
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// bomb is a text of aliases each of which repeats the last ten times.
func bomb() string {
	var b strings.Builder
	b.WriteString("openapi: 3.0.0\nx-0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "x-%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return b.String()
}

func TestReadRefusesWithPosition(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		line int
		what string
	}{
		"a reference to a host":       {"openapi: 3.0.0\npaths:\n  /a:\n    $ref: https://evil.test/a.yaml\n", 4, "leaves the file"},
		"a reference to a file":       {"{\n\"openapi\":\"3.1.0\",\n\"paths\":{\"/a\":{\"get\":{\"responses\":{\"200\":{\n\"$ref\":\"../../etc/passwd\"}}}}}}", 4, "leaves the file"},
		"a reference below":           {"openapi: 3.0.0\npaths: {}\ncomponents:\n  schemas:\n    A:\n      $ref: 'file:///etc/passwd#/a'\n", 6, "leaves the file"},
		"a reference to nowhere":      {"openapi: 3.0.0\npaths:\n  /a:\n    $ref: '#/nowhere'\n", 4, "leads nowhere"},
		"references in a circle":      {"openapi: 3.0.0\npaths:\n  /a:\n    $ref: '#/x-a'\nx-a: {$ref: '#/x-b'}\nx-b: {$ref: '#/x-a'}\n", 4, "without end"},
		"a bomb of aliases":           {bomb(), 0, "more than 2000000 values"},
		"an alias to itself":          {"openapi: 3.0.0\npaths: &p\n  /a: *p\n", 3, "to itself"},
		"too deep JSON":               {`{"openapi":"3.0.0","x-a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}", 1, "deeper"},
		"very deep JSON":              {strings.Repeat(`{"a":`, 1_000_000), 1, "deeper"},
		"too deep YAML":               {"openapi: 3.0.0\nx-a: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n", 2, "deeper"},
		"very deep YAML":              {"openapi: 3.0.0\nx-a: " + strings.Repeat("[", 1_000_000) + "\n", 2, "brackets"},
		"lists in one line":           {"openapi: 3.0.0\nx-a:\n  " + strings.Repeat("- ", 100_000) + "x\n", 3, "deeper"},
		"no description":              {"a: b\n", 1, "neither"},
		"another version":             {"openapi: 4.0.0\n", 1, "4.0.0 is not read"},
		"a path without a slash":      {"openapi: 3.0.0\npaths:\n  a: {}\n", 3, "does not begin with /"},
		"a name twice":                {"{\"openapi\":\"3.0.0\",\n\"openapi\":\"3.0.1\"}", 2, "stands twice"},
		"JSON that ends":              {"{\"openapi\":\"3.0.0\",\n\"paths\":", 2, "ends inside"},
		"JSON with something behind":  {"{\"openapi\":\"3.0.0\"}\n}", 2, "something follows"},
		"broken YAML":                 {"openapi: 3.0.0\npaths: [\n", 0, "no YAML"},
		"two documents":               {"openapi: 3.0.0\n---\nopenapi: 3.0.0\n", 0, "second document"},
		"nothing":                     {"", 0, "empty"},
		"bytes that are no text":      {"openapi: \xff\n", 0, "UTF-8"},
		"more than the cap of a file": {strings.Repeat(" ", MaxBytes+1), 0, "larger"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read("spec.yaml", []byte(c.in))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if !strings.Contains(e.What, c.what) || c.line != 0 && e.Line != c.line || e.File != "spec.yaml" {
				t.Errorf("got %v, want line %d and %q", e, c.line, c.what)
			}
		})
	}
}

// A schema that multiplies is cut where it is, not followed to its end.
func TestSchemasThatMultiplyAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("openapi: 3.0.0\npaths:\n  /a:\n    get: {responses: {'200': {content: {application/json: {schema: {$ref: '#/components/schemas/S0'}}}}}}\ncomponents:\n  schemas:\n")
	for i := range 30 {
		fmt.Fprintf(&b, "    S%d: {type: object, properties: {a: {$ref: '#/components/schemas/S%d'}, b: {$ref: '#/components/schemas/S%d'}, c: {$ref: '#/components/schemas/S%d'}}}\n", i, i+1, i+1, i+1)
	}
	b.WriteString("    S30: {type: string}\n")
	s, err := Read("f", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Operations[0].Responses[0].Body.Fields); !s.Partial || n > maxSpecFields+8 {
		t.Errorf("partial %v, %d fields", s.Partial, n)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{v30, `{"openapi":"3.1.0","paths":{"/a":{"$ref":"#/x"}},"x":{"get":{"responses":{"200":{}}}}}`, "swagger: '2.0'\npaths: {/a: {get: {parameters: [{in: body, schema: {$ref: '#/definitions/A'}}]}}}\ndefinitions: {A: {items: {$ref: '#/definitions/A'}}}\n",
		"a: &a [*a]\n", "openapi: 3.0.0\n<<: {paths: {}}\n", "- - - x\n", "{\"a\":\"\\ud800\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Read("f", b)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.File != "f" || e.What == "" || e.Line < 0 {
				t.Fatalf("an error without its place: %v", err)
			}
			return
		}
		for _, o := range s.Operations {
			if o.Path == "" || o.Path[0] != '/' || o.Line < 1 {
				t.Fatalf("an operation without path or line: %+v", o)
			}
		}
	})
}
