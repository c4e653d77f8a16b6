// Package drift compares what developers wrote about a site with what its
// traffic shows.
//
// It takes descriptions (openapi.Spec) and learned APIs with their contracts
// and gives the differences: APIs that nobody described, descriptions that
// nobody calls, old versions still in use, and, where both sides have an API,
// parameters, fields, statuses and types that differ. Invariant: the same input
// gives the same list; templates are aligned by their place, not by the names
// of their parameters. Limits: MaxItems, counted in Result.Over; only what
// granted requests had counts as undocumented; a place that a description
// leaves open has no undocumented fields.
package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/catalog/contract"
	"xiezhi/internal/catalog/openapi"
)

// MaxItems bounds the list, MaxPerAPI what one API may add to it.
const (
	MaxItems  = 20_000
	MaxPerAPI = 200
)

// Kinds of difference.
const (
	Shadow                = "shadow"             // called, in no description
	Zombie                = "zombie"             // deprecated or retired, called all the same
	Orphan                = "orphan"             // described, never called
	DeprecatedVersion     = "deprecated_version" // called, though a higher version is described
	UndocumentedParameter = "undocumented_parameter"
	UndocumentedField     = "undocumented_field"
	UndocumentedStatus    = "undocumented_status"
	TypeMismatch          = "type_mismatch"
)

// Kinds lists the kinds in the order of the report.
var Kinds = []string{Shadow, Zombie, DeprecatedVersion, Orphan, TypeMismatch, UndocumentedParameter, UndocumentedField, UndocumentedStatus}

// Item is one difference. File and Line say where the description stands that
// it is about.
type Item struct {
	Kind      string     `json:"kind"`
	API       string     `json:"api,omitempty"` // id; absent for an orphan
	Host      string     `json:"host,omitempty"`
	Method    string     `json:"method"`
	Template  string     `json:"template"` // learned; an orphan's is the description's
	File      string     `json:"file,omitempty"`
	Line      int        `json:"line,omitempty"`
	Path      string     `json:"path,omitempty"`  // described
	Where     string     `json:"where,omitempty"` // path, query, request, or the status of an answer
	Name      string     `json:"name,omitempty"`
	Expected  string     `json:"expected,omitempty"`
	Observed  string     `json:"observed,omitempty"`
	Exchanges uint64     `json:"exchanges"`
	LastSeen  *time.Time `json:"last_seen,omitempty"`
}

// File is a description that was compared.
type File struct {
	Name       string `json:"name"`
	Title      string `json:"title"`
	Version    string `json:"version"` // of the format
	Operations int    `json:"operations"`
	Partial    bool   `json:"partial,omitempty"`
}

// Result is the comparison.
type Result struct {
	Files    []File   `json:"files"`
	Hosts    []string `json:"hosts"`    // whose APIs were compared
	Matched  int      `json:"matched"`  // APIs that a description has
	Compared int      `json:"compared"` // APIs
	Over     int      `json:"over,omitempty"`
	Items    []Item   `json:"items"`
}

// Compare compares the APIs with the descriptions together: an API is
// documented if one of them has it.
func Compare(specs []*openapi.Spec, apis []openapi.API) *Result {
	c := &comparison{res: &Result{Files: []File{}, Hosts: []string{}, Items: []Item{}}, root: &tree{}, called: map[int]bool{}, newest: map[string]int{}}
	for _, s := range specs {
		c.res.Files = append(c.res.Files, File{s.File, s.Title, s.Version, len(s.Operations), s.Partial})
		c.index(s)
	}
	apis = c.scope(specs, apis)
	slices.SortFunc(apis, func(a, b openapi.API) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Template, b.Template), strings.Compare(a.Method, b.Method), strings.Compare(a.ID, b.ID))
	})
	for i := range apis {
		if apis[i].LastSeen.After(c.now) {
			c.now = apis[i].LastSeen
		}
	}
	for i := range apis {
		c.api(&apis[i])
	}
	c.orphans()
	slices.SortStableFunc(c.res.Items, func(a, b Item) int {
		return cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind))
	})
	if n := len(c.res.Items); n > MaxItems {
		c.res.Over += n - MaxItems
		c.res.Items = c.res.Items[:MaxItems]
	}
	return c.res
}

type comparison struct {
	res    *Result
	root   *tree
	ops    []*operation
	now    time.Time      // of the traffic
	called map[int]bool   // operations that an API matched
	newest map[string]int // highest version described, by the rest of method and path
}

func (c *comparison) index(s *openapi.Spec) {
	for i := range s.Operations {
		o := &operation{s, &s.Operations[i], len(c.ops)}
		c.ops = append(c.ops, o)
		bases := s.Bases
		if o.Bases != nil {
			bases = o.Bases
		}
		method := canonical(o.Method)
		for k, base := range append(slices.Clone(bases), "") { // gateways cut bases off
			full := base + o.Path
			c.root.add(segments(full), method, o)
			if rest, v := catalog.Version(catalog.Anonymous(full)); v > 0 && k < len(bases) {
				key := method + " " + rest
				c.newest[key] = max(c.newest[key], v)
			}
		}
	}
}

func canonical(method string) string {
	if method == "HEAD" {
		return "GET"
	}
	return method
}

// scope chooses the APIs that the descriptions are about: those of the hosts
// they name, else of the hosts where at least one of their operations is
// called, else all.
func (c *comparison) scope(specs []*openapi.Spec, apis []openapi.API) []openapi.API {
	named, met, all := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range apis {
		a := &apis[i]
		all[a.Host] = true
		for _, s := range specs {
			if slices.Contains(s.Hosts, a.Host) {
				named[a.Host] = true
			}
		}
		if m := c.root.find(segments(a.Path()), canonical(a.Method)); m.op != nil && len(segments(a.Path())) > 0 {
			met[a.Host] = true
		}
	}
	hosts := named
	for _, h := range []map[string]bool{met, all} {
		if len(hosts) == 0 {
			hosts = h
		}
	}
	for h := range hosts {
		c.res.Hosts = append(c.res.Hosts, h)
	}
	slices.Sort(c.res.Hosts)
	var out []openapi.API
	for i := range apis {
		if hosts[apis[i].Host] {
			out = append(out, apis[i])
		}
	}
	return out
}

// api compares one API.
func (c *comparison) api(a *openapi.API) {
	m := c.root.find(segments(a.Path()), canonical(a.Method))
	last := a.LastSeen
	item := Item{API: a.ID, Host: a.Host, Method: a.Method, Template: a.Template, Exchanges: a.Exchanges, LastSeen: &last}
	if m.op == nil {
		switch {
		case a.Role == "static" || a.Role == "page":
			return // files and pages are no APIs that anybody describes
		case c.outdated(a):
			item.Kind = DeprecatedVersion
		default:
			item.Kind = Shadow
		}
		c.res.Compared++
		c.res.Items = append(c.res.Items, item)
		return
	}
	c.res.Compared++
	c.res.Matched++
	c.called[m.op.at] = true
	o := m.op
	item.File, item.Line, item.Path = o.spec.File, o.Line, o.Path
	switch {
	case c.outdated(a):
		x := item
		x.Kind = DeprecatedVersion
		c.res.Items = append(c.res.Items, x)
	case c.retired(o) || o.Deprecated:
		x := item
		x.Kind, x.Expected = Zombie, "deprecated"
		if c.retired(o) {
			x.Expected = "retired"
		}
		c.res.Items = append(c.res.Items, x)
	}
	if a.Contract == nil || a.Operation != "" {
		return // the description is of the path, not of one of its functions
	}
	d := differ{item: item, textual: true}
	d.parameters(a.Contract, o)
	d.requests(a.Contract, o)
	d.responses(a.Contract, o)
	c.res.Over += d.over
	c.res.Items = append(c.res.Items, d.items...)
}

// outdated reports whether a higher version of an API is described.
func (c *comparison) outdated(a *openapi.API) bool {
	rest, v := catalog.Version(catalog.Anonymous(a.Path()))
	return v > 0 && c.newest[canonical(a.Method)+" "+rest] > v
}

// retired reports whether the end that a description sets has come.
func (c *comparison) retired(o *operation) bool {
	return o.Retired || !o.Sunset.IsZero() && o.Sunset.Before(c.now)
}

func (c *comparison) orphans() {
	for i, o := range c.ops {
		if c.called[i] || c.retired(o) || o.Method == "OPTIONS" || o.Method == "HEAD" || o.Method == "TRACE" {
			continue
		}
		x := Item{Kind: Orphan, Method: o.Method, Template: o.Path, File: o.spec.File, Line: o.Line, Path: o.Path}
		if o.Deprecated {
			x.Expected = "deprecated"
		}
		c.res.Items = append(c.res.Items, x)
	}
}

// differ collects the differences of one API.
type differ struct {
	item  Item
	items []Item
	over  int

	textual bool // the place being compared has texts only: digits there may be a text
}

func (d *differ) add(kind string, line int, where, name, expected, observed string, count uint64) {
	if len(d.items) >= MaxPerAPI {
		d.over++
		return
	}
	x := d.item
	x.Kind, x.Where, x.Name, x.Expected, x.Observed, x.Exchanges = kind, where, name, expected, observed, count
	if line > 0 {
		x.Line = line
	}
	d.items = append(d.items, x)
}

func (d *differ) parameters(c *contract.Contract, o *operation) {
	var path []openapi.Parameter
	for _, s := range segments(o.Path) {
		if name, ok := strings.CutPrefix(s, "{"); ok {
			for _, p := range o.Parameters {
				if p.In == "path" && p.Name == strings.TrimSuffix(name, "}") {
					path = append(path, p)
				}
			}
		}
	}
	n := 0
	for _, p := range c.Parameters {
		if p.In == "path" {
			if n < len(path) {
				d.compare(path[n].Line, "path", path[n].Name, path[n].Types, path[n].Values, []string{p.Type}, nil, p.Count)
			}
			n++
			continue
		}
		where := p.In
		if where == "matrix" {
			where = "path" // what OpenAPI calls a style of path parameters
		}
		i := slices.IndexFunc(o.Parameters, func(x openapi.Parameter) bool {
			if where == "header" {
				return x.In == where && strings.EqualFold(x.Name, p.Name)
			}
			return x.In == where && sameName(x.Name, p.Name)
		})
		if i < 0 {
			if where == "header" && (p.Count*2 < c.Samples || slices.ContainsFunc(o.spec.Keys, func(k string) bool { return strings.EqualFold(k, p.Name) })) {
				continue // what some clients add, or a credential
			}
			d.add(UndocumentedParameter, 0, where, p.Name, "", p.Type, p.Count)
			continue
		}
		x := o.Parameters[i]
		d.compare(x.Line, where, p.Name, x.Types, x.Values, []string{p.Type}, p.Values, p.Count)
	}
}

// sameName reports whether a parameter is the described one: ids and ids[], and
// filter[a] of filter in the style of deep objects.
func sameName(described, seen string) bool {
	return described == seen || strings.TrimSuffix(described, "[]") == strings.TrimSuffix(seen, "[]") || strings.HasPrefix(seen, described+"[") || strings.HasPrefix(seen, described+".")
}

func (d *differ) requests(c *contract.Contract, o *operation) {
	for _, b := range c.Requests {
		d.body(b, "request", o.Request)
	}
}

func (d *differ) responses(c *contract.Contract, o *operation) {
	if len(o.Responses) == 0 {
		return
	}
	for _, b := range c.Responses {
		status := fmt.Sprint(b.Status)
		r := answer(o.Responses, status)
		if r == nil {
			d.add(UndocumentedStatus, 0, status, status, "", "", b.Count)
			continue
		}
		if r.Body != nil {
			d.body(b, status, r.Body)
		} else if len(b.Fields) > 0 && r.Status != "default" {
			d.add(UndocumentedField, r.Line, status, "*", "", b.Media, b.Count)
		}
	}
}

// answer finds the description of a status: itself, its hundred, the default.
func answer(list []openapi.Response, status string) *openapi.Response {
	for _, s := range [...]string{status, status[:1] + "XX", "default"} {
		for i := range list {
			if list[i].Status == s {
				return &list[i]
			}
		}
	}
	return nil
}

// body compares the fields of a body.
func (d *differ) body(b contract.Body, where string, spec *openapi.Body) {
	if spec == nil {
		if len(b.Fields) > 0 {
			d.add(UndocumentedField, 0, where, "*", "", b.Media, b.Count)
		}
		return
	}
	d.textual = b.Media != "application/json"
	reported := map[string]bool{}
	for _, f := range b.Fields {
		x, top := locate(spec, f.Path)
		switch {
		case top == "" && x != nil:
			d.compare(x.Line, where, f.Path, x.Types, x.Values, f.Types, f.Values, f.Count)
		case x != nil && x.Open, reported[top]:
		default:
			reported[top] = true
			observed := strings.Join(f.Types, "|")
			if top != f.Path {
				if observed = "object"; strings.HasPrefix(f.Path[len(top):], "[]") {
					observed = "array"
				}
			}
			d.add(UndocumentedField, spec.Line, where, top, "", observed, f.Count)
		}
	}
	d.textual = true
}

// locate follows a path through a description. Where it is described, f is the
// place; else f is the last place on the way, and unknown the path of the first
// step that is not described. A key is described by "{}" where all keys are.
func locate(spec *openapi.Body, path string) (f *openapi.Field, unknown string) {
	at, seen := "", ""
	f = spec.Fields[""]
	for rest := path; rest != ""; {
		var step string
		step, rest = openapi.Step(rest)
		seen = join(seen, step)
		next := join(at, step)
		if spec.Fields[next] == nil && step != "[]" {
			next = join(at, "{}")
		}
		g := spec.Fields[next]
		if g == nil {
			return f, seen
		}
		at, f = next, g
	}
	return f, ""
}

func join(path, step string) string {
	if path == "" || step == "[]" {
		return path + step
	}
	return path + "." + step
}

// compare compares types, then words.
func (d *differ) compare(line int, where, name string, types, values, seen, words []string, count uint64) {
	if len(types) > 0 {
		var odd []string
		for _, t := range seen {
			if !d.fits(types, t) {
				odd = append(odd, t)
			}
		}
		if len(odd) > 0 {
			d.add(TypeMismatch, line, where, name, strings.Join(types, "|"), strings.Join(odd, "|"), count)
			return
		}
	}
	if len(values) == 0 {
		return
	}
	var odd []string
	for _, w := range words {
		if !slices.Contains(values, w) {
			odd = append(odd, w)
		}
	}
	if len(odd) > 0 {
		d.add(TypeMismatch, line, where, name, "enum "+strings.Join(values, "|"), strings.Join(odd, "|"), count)
	}
}

// fits reports whether a type that was seen is one of those described.
func (d *differ) fits(types []string, seen string) bool {
	for _, t := range types {
		switch {
		case t == seen, t == "number" && seen == "integer", t == "string" && seen == "file", t == "file":
			return true
		case d.textual && t == "string" && (seen == "integer" || seen == "number" || seen == "boolean"):
			return true
		case d.textual && t == "array" && seen != "object":
			return true
		}
	}
	return false
}
