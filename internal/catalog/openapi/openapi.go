// Package openapi writes what was learned about a site as OpenAPI 3.1, and
// reads the descriptions that developers wrote: OpenAPI 3.0 and 3.1, Swagger 2.
//
// Export takes APIs with their contracts and gives one JSON document per site;
// Read takes a file and gives its operations in one form, whatever the version.
// Invariant: a document holds names, types and formats, its examples are made
// up, and it is valid OpenAPI whatever the names in traffic were; reading opens
// nothing but the text it is given: a reference to another file or host is
// refused with its line. Limits: the caps of Read below; an API in a convention
// that OpenAPI has no words for (a message of a WebSocket, an unusual method) is
// an extension of its path.
package openapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"xiezhi/internal/catalog/contract"
)

// API is one learned API.
type API struct {
	ID, Host, Method, Template, Operation, Protocol string
	Role, Lifecycle, Exposure, Auth                 string
	Exchanges                                       uint64
	FirstSeen, LastSeen                             time.Time
	Sensitive                                       []Sensitive
	Contract                                        *contract.Contract // may be nil
}

// Sensitive is sensitive data that an API carries.
type Sensitive struct {
	Path   string `json:"path"`
	Type   string `json:"type"`
	In     string `json:"in"`
	Masked bool   `json:"masked"`
}

// Path gives the template without the operation behind "#".
func (a *API) Path() string {
	if a.Operation != "" {
		return strings.TrimSuffix(a.Template, "#"+a.Operation)
	}
	return a.Template
}

// object is a JSON object; its keys are written in order.
type object = map[string]any

// Info is what a document says of itself.
type Info struct {
	Site        string
	Version     string // of the program
	Description string // in the reader's language
}

// Export writes the document of a site.
func Export(info Info, apis []API) ([]byte, error) {
	apis = slices.Clone(apis)
	slices.SortFunc(apis, func(a, b API) int {
		return cmp.Or(cmp.Compare(b.Exchanges, a.Exchanges), strings.Compare(a.ID, b.ID), strings.Compare(a.Host, b.Host), strings.Compare(a.Template, b.Template))
	})
	d := &document{schemes: object{}, names: map[string]bool{}, items: map[string]*item{}}
	var hosts []string
	last := time.Time{}
	for i := range apis {
		a := &apis[i]
		if a.LastSeen.After(last) {
			last = a.LastSeen
		}
		if !slices.Contains(hosts, a.Host) {
			hosts = append(hosts, a.Host)
		}
		d.add(a)
	}
	out := object{
		"openapi":           "3.1.0",
		"info":              object{"title": cmp.Or(info.Site, "site"), "version": last.UTC().Format(time.DateOnly), "description": info.Description, "x-xiezhi-version": info.Version},
		"jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
		"paths":             d.paths(hosts),
	}
	if list := servers(hosts); len(list) > 0 {
		out["servers"] = list
	}
	if len(d.schemes) > 0 {
		out["components"] = object{"securitySchemes": d.schemes}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("write OpenAPI of %s: %w", info.Site, err)
	}
	return b.Bytes(), nil
}

// servers gives the addresses; hosts that are no names have none.
func servers(hosts []string) []object {
	var out []object
	hosts = slices.Clone(hosts)
	slices.Sort(hosts)
	for _, h := range hosts {
		if h == "" || strings.ContainsAny(h, " /?#{}\\\"<>*") {
			continue
		}
		if strings.Contains(h, ":") {
			h = "[" + h + "]"
		}
		if u, err := url.Parse("https://" + h); err == nil && u.Host != "" {
			out = append(out, object{"url": "https://" + h})
		}
	}
	return out
}

// document collects the paths of a site.
type document struct {
	schemes object
	names   map[string]bool // operation ids
	items   map[string]*item
}

// item is one path: its template with the names of whoever comes first.
type item struct {
	path    string
	names   []string // parameters, in the order of the path
	methods map[string][]*API
	others  []*API // that OpenAPI has no words for
}

func (d *document) add(a *API) {
	path, names, key := pathOf(a)
	it := d.items[key]
	if it == nil {
		it = &item{path: path, names: names, methods: map[string][]*API{}}
		d.items[key] = it
	}
	switch m := strings.ToLower(a.Method); m {
	case "get", "put", "post", "delete", "options", "head", "patch", "trace":
		it.methods[m] = append(it.methods[m], a)
	default:
		it.others = append(it.others, a)
	}
}

// pathOf gives an API's path as OpenAPI writes it, the names of its parameters,
// and the path without the names. A brace that is no parameter is escaped, and
// so is what would end the path.
func pathOf(a *API) (path string, names []string, key string) {
	known := map[string]bool{}
	if a.Contract != nil {
		for _, p := range a.Contract.Parameters {
			if p.In == "path" {
				known[p.Name] = true
			}
		}
	}
	var b, k strings.Builder
	for t := a.Path(); t != ""; {
		if end := strings.IndexByte(t, '}'); t[0] == '{' && end > 1 && (a.Contract == nil || known[t[1:end]]) && !strings.ContainsAny(t[1:end], "{/") {
			name := t[1:end]
			if slices.Contains(names, name) {
				name += strconv.Itoa(len(names) + 1)
			}
			names = append(names, name)
			b.WriteString("{" + name + "}")
			k.WriteString("{}")
			t = t[end+1:]
			continue
		}
		if c := t[0]; c <= ' ' || c == '{' || c == '}' || c == '?' || c == '#' || c == '%' || c == '"' || c == '\\' || c == 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
			fmt.Fprintf(&k, "%%%02X", c)
		} else {
			b.WriteByte(c)
			k.WriteByte(c)
		}
		t = t[1:]
	}
	if path = b.String(); !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path, names, k.String()
}

func (d *document) paths(hosts []string) object {
	out := object{}
	for _, key := range sortedKeys(d.items) {
		it := d.items[key]
		x := object{}
		for _, m := range sortedKeys(it.methods) {
			x[m] = d.operation(it, m, it.methods[m], hosts)
		}
		if len(it.others) > 0 {
			var list []object
			for _, a := range it.others {
				o := extensions(a)
				o["method"] = a.Method
				if a.Operation != "" {
					o["operation"] = a.Operation
				}
				if c := a.Contract; c != nil {
					if r := requestContent([]*API{a}); len(r) > 0 {
						o["request"] = r
					}
				}
				list = append(list, o)
			}
			x["x-xiezhi-others"] = list
		}
		out[it.path] = x
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// operation describes the APIs of one path and method: several where hosts
// have it in common, or where one path serves many functions.
func (d *document) operation(it *item, method string, apis []*API, hosts []string) object {
	o := extensions(apis[0])
	if len(apis) > 1 || apis[0].Operation != "" {
		var list []object
		for _, a := range apis {
			x := extensions(a)
			x["host"] = a.Host
			if a.Operation != "" {
				x["operation"] = a.Operation
			}
			list = append(list, x)
		}
		o["x-xiezhi-operations"] = list
	}
	o["operationId"] = d.operationID(method, it.path)
	o["summary"] = strings.ToUpper(method) + " " + it.path
	if p := parameters(it, apis); len(p) > 0 {
		o["parameters"] = p
	}
	if p := matrix(apis); len(p) > 0 {
		o["x-xiezhi-matrix-parameters"] = p
	}
	if c := requestContent(apis); len(c) > 0 {
		o["requestBody"] = object{"content": c, "required": method != "get" && method != "delete" && bodied(apis)}
	}
	o["responses"] = responses(apis)
	o["security"] = d.security(apis)
	if list := hostsOf(apis); len(list) < len(hosts) {
		if s := servers(list); len(s) > 0 {
			o["servers"] = s
		}
	}
	return o
}

// bodied reports whether every granted request had a body.
func bodied(apis []*API) bool {
	for _, a := range apis {
		if a.Contract == nil {
			return false
		}
		n := uint64(0)
		for _, b := range a.Contract.Requests {
			n += b.Count
		}
		if n < a.Contract.Samples || n < contract.MinRequired {
			return false
		}
	}
	return true
}

func hostsOf(apis []*API) (out []string) {
	for _, a := range apis {
		if !slices.Contains(out, a.Host) {
			out = append(out, a.Host)
		}
	}
	return out
}

func extensions(a *API) object {
	o := object{"x-xiezhi-id": a.ID, "x-xiezhi-role": a.Role, "x-xiezhi-lifecycle": a.Lifecycle, "x-xiezhi-exposure": a.Exposure, "x-xiezhi-auth": a.Auth,
		"x-xiezhi-exchanges": a.Exchanges, "x-xiezhi-first-seen": a.FirstSeen.UTC().Format(time.RFC3339), "x-xiezhi-last-seen": a.LastSeen.UTC().Format(time.RFC3339)}
	if len(a.Sensitive) > 0 {
		o["x-xiezhi-sensitive"] = a.Sensitive
	}
	if a.Contract != nil && a.Contract.Partial {
		o["x-xiezhi-partial"] = true
	}
	return o
}

// operationID is a name of its own in the document.
func (d *document) operationID(method, path string) string {
	var b strings.Builder
	b.WriteString(method)
	word := false
	for _, c := range []byte(path) {
		if c-'0' < 10 || (c|0x20)-'a' < 26 {
			if !word {
				b.WriteByte('_')
			}
			b.WriteByte(c)
			word = true
		} else {
			word = false
		}
	}
	id := b.String()
	for n := 2; d.names[id]; n++ {
		id = b.String() + "_" + strconv.Itoa(n)
	}
	d.names[id] = true
	return id
}

// requestContent gives the bodies by media type.
func requestContent(apis []*API) object {
	by := map[string][]object{}
	for _, a := range apis {
		if a.Contract == nil {
			continue
		}
		for _, b := range a.Contract.Requests {
			if len(b.Fields) > 0 || b.Media != "application/json" {
				by[b.Media] = append(by[b.Media], titled(a, schemaOf(b)))
			}
		}
	}
	return content(by)
}

func titled(a *API, schema object) object {
	if a.Operation != "" {
		schema["title"] = a.Operation
	}
	return schema
}

func content(by map[string][]object) object {
	out := object{}
	for m, list := range by {
		switch {
		case m == "":
		case len(list) == 1:
			out[m] = object{"schema": list[0]}
		default:
			out[m] = object{"schema": object{"anyOf": list}}
		}
	}
	return out
}

func responses(apis []*API) object {
	status := map[int]map[string][]object{}
	for _, a := range apis {
		if a.Contract == nil {
			continue
		}
		for _, b := range a.Contract.Responses {
			if b.Status < 100 || b.Status > 599 {
				continue
			}
			if status[b.Status] == nil {
				status[b.Status] = map[string][]object{}
			}
			if b.Media != "" {
				status[b.Status][b.Media] = append(status[b.Status][b.Media], titled(a, schemaOf(b)))
			}
		}
	}
	out := object{}
	for s, by := range status {
		r := object{"description": cmp.Or(http.StatusText(s), "status "+strconv.Itoa(s))}
		if c := content(by); len(c) > 0 {
			r["content"] = c
		}
		out[strconv.Itoa(s)] = r
	}
	if len(out) == 0 {
		out["default"] = object{"description": "no answer was seen"}
	}
	return out
}

// security gives the ways to say who asks, and enters them as schemes.
func (d *document) security(apis []*API) []object {
	out := []object{}
	var seen []string
	bare := false
	for _, a := range apis {
		bare = bare || a.Auth != "required"
		if a.Contract == nil || a.Auth == "none" {
			continue
		}
		for _, c := range a.Contract.Credentials {
			name, scheme := schemeOf(c)
			if scheme == nil || slices.Contains(seen, name) {
				continue
			}
			seen = append(seen, name)
			if _, ok := d.schemes[name]; !ok {
				d.schemes[name] = scheme
			}
			out = append(out, object{name: []string{}})
		}
	}
	if bare && len(out) > 0 {
		out = append(out, object{})
	}
	return out
}

// schemeOf gives a kind of credential its name and scheme; nil where OpenAPI
// has none, as for a token in a body.
func schemeOf(c contract.Credential) (string, object) {
	authorization := strings.EqualFold(c.Name, "authorization")
	switch {
	case c.Kind == "bearer" && authorization && c.JWT:
		return "bearer_jwt", object{"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
	case c.Kind == "bearer" && authorization:
		return "bearer", object{"type": "http", "scheme": "bearer"}
	case c.Kind == "basic" || c.Kind == "digest":
		return c.Kind, object{"type": "http", "scheme": c.Kind}
	case c.Name == "":
		return "", nil
	}
	in := c.In
	if c.Kind == "cookie" {
		in = "cookie"
	}
	if in != "cookie" && in != "header" && in != "query" {
		return "", nil
	}
	name := []byte(in + "_")
	for _, b := range []byte(c.Name) {
		if b-'0' > 9 && (b|0x20)-'a' > 25 && b != '.' && b != '_' && b != '-' {
			b = '_'
		}
		name = append(name, b)
	}
	return string(name), object{"type": "apiKey", "in": in, "name": c.Name}
}
