package openapi

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// Caps of what is taken from a file.
const (
	MaxOperations = 50_000
	MaxBases      = 16
	maxHops       = 16        // references that lead to references
	maxWork       = 20_000    // schemas visited for one body
	maxAllWork    = 4_000_000 // for all of them
	maxSpecFields = 2_048     // of one body
)

// Spec is what a file says.
type Spec struct {
	File       string
	Title      string
	Version    string   // of the format: "3.0.3", "3.1.0", "2.0"
	Bases      []string // paths that stand before those of the operations
	Hosts      []string
	Operations []Operation
	Keys       []string // headers in which a security scheme wants something
	Partial    bool     // a body had too many fields to take all
}

// Operation is one operation of a file.
type Operation struct {
	Line       int
	Method     string
	Path       string
	Bases      []string // of its own; nil: the file's
	Deprecated bool
	Retired    bool      // the file says so
	Sunset     time.Time // when it ends; zero: not said
	Parameters []Parameter
	Request    *Body // nil: none is described
	Responses  []Response
}

// Parameter is a parameter of an operation.
type Parameter struct {
	Line     int
	Name, In string
	Types    []string // empty: any
	Values   []string
	Required bool
}

// Body is the fields of a body, by path; see contract.Field for paths.
type Body struct {
	Line   int
	Fields map[string]*Field
}

// Field is a place in a body.
type Field struct {
	Line   int
	Types  []string // empty: any
	Values []string
	Open   bool // what stands below it is not described
}

// Response is the answer of a status: "200", "4XX" or "default".
type Response struct {
	Line   int
	Status string
	Body   *Body // nil: none is described
}

// Read reads a description, JSON or YAML. Nothing but data is opened.
func Read(file string, data []byte) (*Spec, error) {
	root, err := parse(file, data)
	if err != nil {
		return nil, err
	}
	r := &reader{file: file, root: root, refs: map[string]*value{}}
	if err := r.local(root); err != nil {
		return nil, err
	}
	s := &Spec{File: file, Title: root.get("info").str("title")}
	switch v := root.scalar("openapi"); {
	case strings.HasPrefix(v, "3.0") || strings.HasPrefix(v, "3.1"):
		s.Version = v
		s.Bases, s.Hosts = serversOf(root.get("servers"))
	case v != "":
		return nil, &Error{file, root.get("openapi").line, "OpenAPI " + cut(v) + " is not read; 3.0 and 3.1 are"}
	case strings.HasPrefix(root.scalar("swagger"), "2"):
		s.Version, r.swagger = "2.0", true
		if h := root.str("host"); h != "" {
			s.Hosts = []string{hostOf(h)}
		}
		s.Bases = []string{strings.TrimRight(root.str("basePath"), "/")}
	default:
		return nil, &Error{file, 1, "neither \"openapi\" nor \"swagger\" stands at the top: no OpenAPI description"}
	}
	if len(s.Bases) == 0 {
		s.Bases = []string{""}
	}
	if err := r.paths(s); err != nil {
		return nil, err
	}
	s.Keys = r.keys()
	s.Partial = r.partial
	return s, nil
}

func cut(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// reader goes through a parsed file.
type reader struct {
	file    string
	root    *value
	swagger bool
	refs    map[string]*value
	work    int
	partial bool
}

func (r *reader) fail(v *value, what string) error { return &Error{r.file, v.line, what} }

// local refuses every reference that leaves the file.
func (r *reader) local(v *value) error {
	switch v.kind {
	case list:
		for _, e := range v.list {
			if err := r.local(e); err != nil {
				return err
			}
		}
	case mapping:
		for i, k := range v.keys {
			m := v.list[i]
			switch {
			case k == "example" || k == "examples" || k == "default" || k == "enum" || k == "const" || strings.HasPrefix(k, "x-"):
				continue // values, not descriptions
			case (k == "$ref" || k == "$dynamicRef" || k == "operationRef") && m.kind == text && !strings.HasPrefix(m.text, "#"):
				return r.fail(m, "the reference to "+cut(m.text)+" leaves the file; only references inside it are followed: bundle the description into one file")
			case k == "$id" && m.kind == text && strings.Contains(m.text, "://"):
				continue
			}
			if err := r.local(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// serversOf gives the paths and hosts of servers.
func serversOf(v *value) (bases, hosts []string) {
	for _, s := range v.elements() {
		u := s.str("url")
		vars := s.get("variables")
		if vars != nil && vars.kind == mapping {
			for i, name := range vars.keys {
				u = strings.ReplaceAll(u, "{"+name+"}", vars.list[i].scalar("default"))
			}
		}
		if strings.HasPrefix(u, "//") {
			u = "https:" + u
		}
		base := ""
		if x, err := url.Parse(u); err == nil {
			base = strings.TrimRight(x.Path, "/")
			if h := hostOf(x.Host); h != "" && !slices.Contains(hosts, h) && len(hosts) < MaxBases {
				hosts = append(hosts, h)
			}
		}
		if !slices.Contains(bases, base) && len(bases) < MaxBases {
			bases = append(bases, base)
		}
	}
	return bases, hosts
}

func hostOf(s string) string {
	s = strings.ToLower(s)
	if i := strings.LastIndexByte(s, ':'); i > 0 && !strings.HasSuffix(s, "]") {
		s = s[:i]
	}
	return strings.Trim(s, "[]")
}

// resolve follows references inside the file.
func (r *reader) resolve(v *value) (*value, error) {
	first := v
	for hops := 0; ; hops++ {
		ref := v.get("$ref")
		if ref == nil || ref.kind != text {
			return v, nil
		}
		if hops == maxHops {
			return nil, r.fail(first.get("$ref"), "the reference "+cut(ref.text)+" leads to references without end")
		}
		to := r.lookup(ref.text)
		if to == nil {
			return nil, r.fail(ref, "the reference "+cut(ref.text)+" leads nowhere")
		}
		v = to
	}
}

// lookup gives what a JSON pointer points at.
func (r *reader) lookup(ref string) *value {
	if v, ok := r.refs[ref]; ok {
		return v
	}
	v := r.root
	for _, step := range strings.Split(strings.TrimPrefix(ref, "#"), "/")[1:] {
		if u, err := url.PathUnescape(step); err == nil {
			step = u
		}
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		if v.kind == list {
			v = element(v, step)
		} else {
			v = v.get(step)
		}
		if v == nil {
			break
		}
	}
	if !strings.HasPrefix(ref, "#/") {
		v = nil
	}
	r.refs[ref] = v
	return v
}

func element(v *value, step string) *value {
	n := 0
	for _, c := range []byte(step) {
		if c-'0' > 9 || n > len(v.list) {
			return nil
		}
		n = n*10 + int(c-'0')
	}
	if step == "" || n >= len(v.list) {
		return nil
	}
	return v.list[n]
}

// keys gives the headers of the file's security schemes.
func (r *reader) keys() (out []string) {
	for _, v := range [...]*value{r.root.get("securityDefinitions"), r.root.get("components").get("securitySchemes")} {
		if v == nil || v.kind != mapping {
			continue
		}
		for _, s := range v.list {
			if s, err := r.resolve(s); err == nil && s.str("type") == "apiKey" && s.str("in") == "header" && len(out) < MaxBases {
				out = append(out, s.str("name"))
			}
		}
	}
	return out
}

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (r *reader) paths(s *Spec) error {
	paths := r.root.get("paths")
	if paths == nil {
		return nil
	}
	if paths.kind != mapping {
		return r.fail(paths, "paths is no mapping")
	}
	for i, path := range paths.keys {
		if strings.HasPrefix(path, "x-") {
			continue
		}
		if !strings.HasPrefix(path, "/") {
			return r.fail(paths.list[i], "the path "+cut(path)+" does not begin with /")
		}
		item, err := r.resolve(paths.list[i])
		if err != nil {
			return err
		}
		for _, m := range methods {
			v := item.get(m)
			if v == nil {
				continue
			}
			if len(s.Operations) == MaxOperations {
				return r.fail(v, "more than 50000 operations")
			}
			o, err := r.operation(m, path, item, v)
			if err != nil {
				return err
			}
			s.Operations = append(s.Operations, *o)
		}
	}
	return nil
}

func (r *reader) operation(method, path string, item, v *value) (*Operation, error) {
	o := &Operation{Line: v.line, Method: strings.ToUpper(method), Path: path, Deprecated: v.is("deprecated")}
	for _, x := range [...]*value{item, v} {
		if b, _ := serversOf(x.get("servers")); len(b) > 0 {
			o.Bases = b
		}
		r.retired(x, o)
	}
	if b := v.get("requestBody"); b != nil {
		b, err := r.resolve(b)
		if err != nil {
			return nil, err
		}
		if o.Request, err = r.content(b.get("content"), b); err != nil {
			return nil, err
		}
	}
	for _, list := range [...]*value{item.get("parameters"), v.get("parameters")} {
		for _, p := range list.elements() {
			if err := r.parameter(o, p); err != nil {
				return nil, err
			}
		}
	}
	answers := v.get("responses")
	if answers == nil || answers.kind != mapping {
		return o, nil
	}
	for i, status := range answers.keys {
		if strings.HasPrefix(status, "x-") {
			continue
		}
		a, err := r.resolve(answers.list[i])
		if err != nil {
			return nil, err
		}
		x := Response{Line: answers.list[i].line, Status: strings.ToUpper(status)}
		if status == "default" {
			x.Status = status
		}
		if schema := a.get("schema"); r.swagger && schema != nil {
			x.Body, err = r.body(schema)
		} else {
			x.Body, err = r.content(a.get("content"), a)
		}
		if err != nil {
			return nil, err
		}
		o.Responses = append(o.Responses, x)
	}
	return o, nil
}

// retired takes what a description says of the end of its subject.
func (r *reader) retired(v *value, o *Operation) {
	for _, k := range [...]string{"x-sunset", "x-sunset-date", "x-retired", "x-removed", "x-lifecycle", "x-status"} {
		m := v.get(k)
		if m == nil {
			continue
		}
		if m.kind == boolean && m.text == "true" || m.text == "retired" || m.text == "removed" || m.text == "sunset" {
			o.Retired = true
		}
		for _, layout := range [...]string{time.DateOnly, time.RFC3339} {
			if t, err := time.Parse(layout, m.text); err == nil {
				o.Sunset = t
			}
		}
	}
}

func (r *reader) parameter(o *Operation, v *value) error {
	v, err := r.resolve(v)
	if err != nil {
		return err
	}
	p := Parameter{Line: v.line, Name: v.str("name"), In: v.str("in"), Required: v.is("required")}
	schema := v.get("schema")
	if schema == nil && r.swagger {
		schema = v
	}
	if schema == nil {
		if c := v.get("content"); c != nil && len(c.list) > 0 {
			schema = c.list[0].get("schema")
		}
	}
	switch p.In {
	case "body":
		o.Request, err = r.body(schema)
		return err
	case "formData":
		if o.Request == nil {
			o.Request = &Body{Line: v.line, Fields: map[string]*Field{"": {Line: v.line, Types: []string{"object"}}}}
		}
	case "path", "query", "header", "cookie":
	default:
		return nil
	}
	f := &Field{Line: v.line}
	if schema != nil {
		b := Body{Fields: map[string]*Field{}}
		w := walker{r: r, body: &b, left: 200}
		if err := w.walk(schema, "", 0, &Field{}); err != nil {
			return err
		}
		if b.Fields[""] != nil {
			f = b.Fields[""]
		}
	}
	p.Types, p.Values = f.Types, f.Values
	if slices.Contains(p.Types, "array") || slices.Contains(p.Types, "object") {
		p.Types = nil // written as a text in one of many styles
	}
	if p.In == "formData" {
		o.Request.Fields[p.Name] = &Field{Line: v.line, Types: p.Types, Values: p.Values}
		return nil
	}
	for i := range o.Parameters {
		if x := &o.Parameters[i]; x.Name == p.Name && x.In == p.In {
			*x = p
			return nil
		}
	}
	o.Parameters = append(o.Parameters, p)
	return nil
}
