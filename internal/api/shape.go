package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"xiezhi/internal/message"
)

// shapes are what the document says of parameters and bodies, by the pattern of
// the operation. The generated code checks types; this is the rest.
type shapes struct{ operations map[string]*operation }

type operation struct {
	most  int64 // bytes of a body
	query map[string]*shape
	path  map[string]*shape
	body  *shape // nil: none
}

// shape is the part of a schema that requests are made of.
type shape struct {
	Ref         string            `yaml:"$ref"`
	Type        string            `yaml:"type"`
	Format      string            `yaml:"format"`
	Pattern     string            `yaml:"pattern"`
	Required    []string          `yaml:"required"`
	Properties  map[string]*shape `yaml:"properties"`
	Items       *shape            `yaml:"items"`
	Enum        []string          `yaml:"enum"`
	MinLength   int               `yaml:"minLength"`
	MaxLength   *int              `yaml:"maxLength"`
	Minimum     *int64            `yaml:"minimum"`
	Maximum     *int64            `yaml:"maximum"`
	MaxItems    *int              `yaml:"maxItems"`
	Description string            `yaml:"description"`

	pattern *regexp.Regexp
}

type parameter struct {
	Ref    string `yaml:"$ref"`
	Name   string `yaml:"name"`
	In     string `yaml:"in"`
	Schema *shape `yaml:"schema"`
}

type document struct {
	Paths map[string]map[string]struct {
		Parameters  []parameter `yaml:"parameters"`
		RequestBody struct {
			Content map[string]struct {
				Schema *shape `yaml:"schema"`
			} `yaml:"content"`
		} `yaml:"requestBody"`
	} `yaml:"paths"`
	Components struct {
		Schemas    map[string]*shape    `yaml:"schemas"`
		Parameters map[string]parameter `yaml:"parameters"`
	} `yaml:"components"`
}

// readShapes reads the document, which is our own.
func readShapes(data []byte) (*shapes, error) {
	var d document
	if err := yaml.Unmarshal(data, &d); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	last := func(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }
	var resolve func(s *shape, depth int) (*shape, error)
	resolve = func(s *shape, depth int) (*shape, error) {
		if s == nil || depth > 16 {
			return s, nil
		}
		if s.Ref != "" {
			t := d.Components.Schemas[last(s.Ref)]
			if t == nil {
				return nil, fmt.Errorf("openapi.yaml: no schema %s", s.Ref)
			}
			return resolve(t, depth+1)
		}
		var err error
		if s.Pattern != "" && s.pattern == nil {
			if s.pattern, err = regexp.Compile(s.Pattern); err != nil {
				return nil, err
			}
		}
		for name, p := range s.Properties {
			if s.Properties[name], err = resolve(p, depth+1); err != nil {
				return nil, err
			}
		}
		s.Items, err = resolve(s.Items, depth+1)
		return s, err
	}
	out := &shapes{map[string]*operation{}}
	for path, methods := range d.Paths {
		for method, o := range methods {
			x := &operation{most: maxBody, query: map[string]*shape{}, path: map[string]*shape{}}
			for _, p := range o.Parameters {
				if p.Ref != "" {
					p = d.Components.Parameters[last(p.Ref)]
				}
				s, err := resolve(p.Schema, 0)
				if err != nil {
					return nil, err
				}
				switch p.In {
				case "query":
					x.query[p.Name] = s
				case "path":
					x.path[p.Name] = s
				}
			}
			if b, ok := o.RequestBody.Content["application/json"]; ok {
				s, err := resolve(b.Schema, 0)
				if err != nil {
					return nil, err
				}
				if x.body = s; s.wide() {
					x.most = maxWide
				}
			}
			out.operations[strings.ToUpper(method)+" "+path] = x
		}
	}
	return out, nil
}

// maxWrong is how many fields a problem names.
const maxWrong = 20

// check holds a request against the document and leaves its body to be read
// again.
func (o *operation) check(w http.ResponseWriter, r *http.Request) error {
	var bad []field
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return refuse(http.StatusBadRequest, "malformed", nil)
	}
	for name, values := range q {
		s := o.query[name]
		switch {
		case s == nil:
			bad = append(bad, field{name: clip(name), id: "unknown"})
		case s.Type == "array":
			if s.MaxItems != nil && len(values) > *s.MaxItems {
				bad = append(bad, field{name: name, id: "many", args: message.Args{"most": *s.MaxItems}})
			}
			for _, v := range values {
				bad = append(bad, s.Items.word(name, v)...)
			}
		case len(values) > 1:
			bad = append(bad, field{name: name, id: "twice"})
		default:
			bad = append(bad, s.word(name, values[0])...)
		}
	}
	for name, s := range o.path {
		bad = append(bad, s.word(name, r.PathValue(name))...)
	}
	if len(bad) > 0 {
		return ordered(bad)
	}
	if o.body == nil {
		r.Body = http.MaxBytesReader(w, r.Body, 0)
		return nil
	}
	if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return refuse(http.StatusUnsupportedMediaType, "media", nil)
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, o.most))
	if err != nil {
		return err
	}
	if !utf8.Valid(b) || !json.Valid(b) || deep(b) {
		return refuse(http.StatusBadRequest, "malformed", nil)
	}
	if bad = o.body.json("", b); len(bad) > 0 {
		return ordered(bad)
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	return nil
}

// maxBody is the largest body that is read, in bytes, maxWide one with a text
// that may be larger; maxDepth how deep it may be.
const (
	maxBody  = 256 << 10
	maxWide  = 8 << 20
	maxDepth = 16
)

func ordered(bad []field) error {
	slices.SortStableFunc(bad, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return wrong(bad[:min(len(bad), maxWrong)]...)
}

// deep reports whether valid JSON is nested beyond what a body may be.
func deep(b []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// wide reports whether a text of the object may be larger than most bodies.
func (s *shape) wide() bool {
	for _, p := range s.Properties {
		if p.MaxLength != nil && *p.MaxLength > maxBody {
			return true
		}
	}
	return false
}

func clip(s string) string {
	if len(s) > 64 {
		s = strings.ToValidUTF8(s[:64], "") + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

// word checks what stands in a URL.
func (s *shape) word(name, v string) []field {
	switch s.Type {
	case "integer":
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return []field{{name: name, id: "integer"}}
		}
		return s.number(name, n)
	case "boolean":
		if v != "true" && v != "false" {
			return []field{{name: name, id: "boolean"}}
		}
		return nil
	}
	return s.text(name, v)
}

func (s *shape) text(name, v string) []field {
	n := utf8.RuneCountInString(v)
	switch {
	case !utf8.ValidString(v) || strings.IndexByte(v, 0) >= 0:
		return []field{{name: name, id: "text"}}
	case n < s.MinLength:
		return []field{{name: name, id: "empty"}}
	case s.MaxLength != nil && n > *s.MaxLength:
		return []field{{name: name, id: "long", args: message.Args{"most": *s.MaxLength}}}
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, v):
		return []field{{name: name, id: "word", args: message.Args{"words": strings.Join(s.Enum, ", ")}}}
	case s.pattern != nil && !s.pattern.MatchString(v):
		return []field{{name: name, id: "format"}}
	case s.Format == "date-time" && !moment(v):
		return []field{{name: name, id: "time"}}
	}
	return nil
}

func (s *shape) number(name string, n int64) []field {
	if s.Minimum != nil && n < *s.Minimum {
		return []field{{name: name, id: "small", args: message.Args{"least": strconv.FormatInt(*s.Minimum, 10)}}}
	}
	if s.Maximum != nil && n > *s.Maximum {
		return []field{{name: name, id: "large", args: message.Args{"most": strconv.FormatInt(*s.Maximum, 10)}}}
	}
	return nil
}

// json checks valid JSON.
func (s *shape) json(name string, b json.RawMessage) []field {
	b = bytes.TrimSpace(b)
	kind := map[byte]string{'{': "object", '[': "array", '"': "string", 't': "boolean", 'f': "boolean", 'n': "null"}[b[0]]
	if kind == "" {
		kind = "number"
	}
	switch {
	case s.Type == "integer" && kind == "number":
		n, err := strconv.ParseInt(string(b), 10, 64)
		if err != nil {
			return []field{{name: name, id: "integer"}}
		}
		return s.number(name, n)
	case s.Type != kind:
		return []field{{name: name, id: "type", args: message.Args{"type": s.Type}}}
	case kind == "string":
		var v string
		if json.Unmarshal(b, &v) != nil {
			return []field{{name: name, id: "text"}}
		}
		return s.text(name, v)
	case kind == "array":
		var list []json.RawMessage
		if json.Unmarshal(b, &list) != nil {
			return []field{{name: name, id: "format"}}
		}
		if s.MaxItems != nil && len(list) > *s.MaxItems {
			return []field{{name: name, id: "many", args: message.Args{"most": *s.MaxItems}}}
		}
		var bad []field
		for i, v := range list {
			bad = append(bad, s.Items.json(fmt.Sprintf("%s[%d]", name, i), v)...)
		}
		return bad
	case kind == "object":
		return s.object(name, b)
	}
	return nil
}

func (s *shape) object(name string, b json.RawMessage) (bad []field) {
	dot := func(key string) string {
		if name == "" {
			return clip(key)
		}
		return name + "." + clip(key)
	}
	seen := map[string]bool{}
	d := json.NewDecoder(bytes.NewReader(b))
	_, _ = d.Token() // the brace
	for d.More() {
		key, err := d.Token()
		var v json.RawMessage
		if err != nil || d.Decode(&v) != nil {
			return append(bad, field{name: name, id: "format"})
		}
		k, _ := key.(string)
		switch p := s.Properties[k]; {
		case p == nil:
			bad = append(bad, field{name: dot(k), id: "unknown"})
		case seen[k]:
			bad = append(bad, field{name: dot(k), id: "twice"})
		default:
			seen[k] = true
			bad = append(bad, p.json(dot(k), v)...)
		}
		if len(bad) > maxWrong {
			return bad
		}
	}
	for _, k := range s.Required {
		if !seen[k] {
			bad = append(bad, field{name: dot(k), id: "missing"})
		}
	}
	return bad
}
