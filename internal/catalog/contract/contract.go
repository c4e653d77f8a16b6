// Package contract says what an API takes and gives, as learned from traffic:
// parameters, bodies by JSON path, credentials, and what changed when.
//
// It takes the catalogue's APIs and the table of forms and gives Contracts,
// which the report carries and OpenAPI is written from. Invariant: a contract
// holds names, types, formats, and of values only words that many clients used
// in a field that holds few; the same APIs and table give the same contract.
// Limits: the caps below; fields inside arrays are never called required, since
// a form does not tell whether every element had them; keys that contain a dot
// read as nested.
package contract

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/observe/form"
	"xiezhi/internal/taxonomy"
)

// Caps of one contract. What exceeds them is left out and Partial is set.
const (
	MaxParameters = 256
	MaxFields     = 1024 // per body
	MaxChanges    = 64
	MinRequired   = 10 // samples before something is called required
)

// Contract is what one API takes and gives.
type Contract struct {
	Samples     uint64       `json:"samples"` // granted requests it is learned from
	Parameters  []Parameter  `json:"parameters"`
	Requests    []Body       `json:"requests"`
	Responses   []Body       `json:"responses"`
	Credentials []Credential `json:"credentials"`
	Changes     []Change     `json:"changes"`
	Partial     bool         `json:"partial,omitempty"` // something had no room
}

// Parameter is a parameter in the path, in one of its segments ("matrix"), the
// query or the header.
type Parameter struct {
	Name      string   `json:"name"`
	In        string   `json:"in"` // path, matrix, query or header
	Type      string   `json:"type"`
	Format    string   `json:"format,omitempty"`
	Required  bool     `json:"required"`
	Values    []string `json:"values,omitempty"`
	Sensitive []string `json:"sensitive,omitempty"`
	Count     uint64   `json:"count"` // requests that had it
}

// Body is a body of one media type: of a request, or of answers of one status.
type Body struct {
	Status int     `json:"status,omitempty"`
	Media  string  `json:"media,omitempty"` // empty: none
	Count  uint64  `json:"count"`
	Fields []Field `json:"fields"`
}

// Field is a leaf of a body, or an empty container. Path is dotted, "[]" stands
// for the elements of an array, "{}" for a key that is a value.
type Field struct {
	Path      string   `json:"path"`
	Types     []string `json:"types"` // of JSON, "integer" among them; "file"
	Format    string   `json:"format,omitempty"`
	Required  bool     `json:"required"` // in what stands around it
	Values    []string `json:"values,omitempty"`
	Sensitive []string `json:"sensitive,omitempty"`
	Count     uint64   `json:"count"` // messages that had it
}

// Credential is a way in which requests that were granted said who asks.
type Credential struct {
	Kind  string `json:"kind"`
	In    string `json:"in"`
	Name  string `json:"name"`
	JWT   bool   `json:"jwt,omitempty"`
	Count uint64 `json:"count"`
}

// Media types by kind of body. The kinds are few, since it is the shape of
// bodies that was looked at, not their exact type.
var media = map[observe.BodyKind]string{
	observe.BodyJSON: "application/json", observe.BodyForm: "application/x-www-form-urlencoded", observe.BodyMultipart: "multipart/form-data",
	observe.BodyXML: "application/xml", observe.BodyHTML: "text/html", observe.BodyText: "text/plain", observe.BodyScript: "text/javascript",
	observe.BodyImage: "image/*", observe.BodyFile: "application/octet-stream", observe.BodyBinary: "application/octet-stream",
	observe.BodyMessagePack: "application/msgpack", observe.BodyProtobuf: "application/protobuf",
}

// Of gives the contracts of APIs, in their order.
func Of(apis []*catalog.API, table *form.Table) []*Contract {
	out := make([]*Contract, len(apis))
	for i, a := range apis {
		out[i] = of(a, table)
	}
	versions(apis, out)
	for _, c := range out {
		if c.Changes = order(c.Changes); len(c.Changes) > MaxChanges {
			c.Changes, c.Partial = c.Changes[:MaxChanges:MaxChanges], true
		}
	}
	return out
}

// way is a way of the catalogue with its form; nil when it has no fields.
type way struct {
	*catalog.Way
	form *form.Form
}

func of(a *catalog.API, table *form.Table) *Contract {
	c := &Contract{Parameters: []Parameter{}, Requests: []Body{}, Responses: []Body{}, Credentials: []Credential{}, Changes: []Change{}, Partial: a.WaysOver > 0}
	var asked, answered []way
	for i := range a.Ways {
		w := way{&a.Ways[i], table.Get(a.Ways[i].Form)}
		if w.Form != 0 && w.form == nil || w.form != nil && w.form.More > 0 {
			c.Partial = true
		}
		if w.Form != 0 && w.form == nil {
			continue
		}
		if w.Status == 0 && w.form != nil && len(w.form.Fields) > maxAsked && searching(w.form) {
			continue
		}
		if w.Status == 0 {
			asked = append(asked, w)
			c.Samples += w.Count
		} else {
			answered = append(answered, w)
		}
	}
	c.path(a)
	c.matrix(a, asked)
	c.query(a, asked)
	c.heads(a, table)
	c.requests(a, asked)
	c.responses(a, answered)
	for _, s := range a.Shown {
		c.Credentials = append(c.Credentials, Credential{s.Kind.String(), s.In.String(), s.Name, s.JWT, s.Count})
	}
	slices.SortFunc(c.Credentials, func(a, b Credential) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), strings.Compare(a.In, b.In))
	})
	c.changes(a, asked, answered)
	return c
}

func (c *Contract) path(a *catalog.API) {
	for _, p := range a.Path {
		x := Parameter{Name: p.Name, In: "path", Type: "string", Required: true, Count: a.Exchanges}
		if p.Pure {
			switch p.Class {
			case observe.ClassInt:
				x.Type = "integer"
			case observe.ClassFloat:
				x.Type = "number"
			case observe.ClassUUID:
				x.Format = "uuid"
			case observe.ClassDate:
				x.Format = "date"
			case observe.ClassEmail:
				x.Format = "email"
			}
		}
		if p.Sensitive != 0 {
			x.Type, x.Sensitive = "string", []string{p.Sensitive.String()}
			x.Format = sensitiveFormat(p.Sensitive)
		}
		c.Parameters = append(c.Parameters, x)
	}
}

// maxAsked is how many parameters a request may have; one with more is a search
// for hidden ones, and what it names is the searcher's list.
const maxAsked = 64

// credible is how many of so many requests must have something before it is
// taken for a parameter of the API: who looks for hidden ones is granted his
// requests too, where the application ignores what it does not know.
func credible(total uint64) uint64 { return min(20, 1+total/100) }

func (c *Contract) query(a *catalog.API, ways []way) {
	total := uint64(0)
	for _, w := range ways {
		total += w.Count
	}
	for _, f := range c.gather(a, ways, form.InQuery, false, MaxParameters) {
		if f.Count < credible(total) {
			continue
		}
		c.parameter(f, "query", f.Path, total)
	}
}

// searching reports whether a request has more parameters than any form.
func searching(f *form.Form) bool {
	n := 0
	for i := range f.Fields {
		if f.Fields[i].Bits&(form.InQuery|form.InForm) != 0 {
			n++
		}
	}
	return n > maxAsked
}

func (c *Contract) requests(a *catalog.API, ways []way) {
	by := map[string][]way{}
	for _, w := range ways {
		if m := media[w.Kind]; m != "" {
			by[m] = append(by[m], w)
		}
	}
	for m, list := range by {
		b := Body{Media: m, Fields: c.gather(a, list, form.InForm|form.InJSON|form.InBody, false, MaxFields)}
		for _, w := range list {
			b.Count += w.Count
		}
		b.Fields = slices.DeleteFunc(b.Fields, func(f Field) bool { return f.Count < credible(b.Count) })
		c.Requests = append(c.Requests, b)
	}
	sortBodies(c.Requests)
}

func (c *Contract) responses(a *catalog.API, ways []way) {
	type key struct {
		status uint16
		media  string
	}
	by := map[key][]way{}
	for _, w := range ways {
		k := key{w.Status, media[w.Kind]}
		by[k] = append(by[k], w)
	}
	for k, list := range by {
		b := Body{Status: int(k.status), Media: k.media, Fields: c.gather(a, list, 0, true, MaxFields)}
		for _, w := range list {
			b.Count += w.Count
		}
		c.Responses = append(c.Responses, b)
	}
	sortBodies(c.Responses)
}

func sortBodies(list []Body) {
	slices.SortFunc(list, func(a, b Body) int { return cmp.Or(cmp.Compare(a.Status, b.Status), strings.Compare(a.Media, b.Media)) })
}

// leaf is what the forms say of one path.
type leaf struct {
	bits   form.Bits
	secret bool
	n      uint64
}

// gather unites the fields of forms. places selects those of a request that
// stand there; 0 takes all.
func (c *Contract) gather(a *catalog.API, ways []way, places form.Bits, response bool, most int) []Field {
	leaves := map[string]*leaf{}
	around := map[string]uint64{} // messages that had the object of that path
	var forms []*form.Form
	for _, w := range ways {
		if w.form == nil {
			continue
		}
		forms = append(forms, w.form)
		last := ""
		objects := map[string]bool{}
		for i := range w.form.Fields {
			f := &w.form.Fields[i]
			if places != 0 && f.Bits&places == 0 {
				continue
			}
			l := leaves[f.Path]
			if l == nil {
				l = &leaf{}
				leaves[f.Path] = l
			}
			l.bits |= f.Bits
			l.secret = l.secret || f.Secret
			if f.Path != last || i == 0 {
				l.n += w.Count
			}
			last = f.Path
			for p := parent(f.Path); p != ""; p = parent(p) {
				objects[p] = true
			}
			if f.Bits&form.Object != 0 {
				objects[f.Path] = true
			}
		}
		objects[""] = true
		for p := range objects {
			around[p] += w.Count
		}
	}
	paths := make([]string, 0, len(leaves))
	for p := range leaves {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	if len(paths) > most {
		paths, c.Partial = paths[:most], true
	}
	out := make([]Field, 0, len(paths))
	for _, p := range paths {
		l := leaves[p]
		f := Field{Path: p, Count: l.n, Types: types(l.bits), Format: format(l.bits)}
		f.Required = l.n >= MinRequired && l.n == around[parent(p)] && !strings.Contains(p, "[]") && !strings.Contains(p, "{}")
		c.sensitive(a, &f, response)
		if l.secret && f.Format == "" && slices.Contains(f.Types, "string") {
			f.Format = "password"
		}
		if len(f.Sensitive) == 0 && !l.secret && l.bits&form.Word != 0 {
			f.Values = form.Values(forms, p)
		}
		out = append(out, f)
	}
	return out
}

// parent is the path of the object that a field stands in; "" is the root.
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' {
			return path[:i]
		}
	}
	return ""
}

// sensitive marks a field as what recognisers say of it.
func (c *Contract) sensitive(a *catalog.API, f *Field, response bool) {
	for i := range a.Sensitive {
		s := &a.Sensitive[i]
		if s.Response != response || s.Path != f.Path {
			continue
		}
		name := s.Type.String()
		if !slices.Contains(f.Sensitive, name) {
			f.Sensitive = append(f.Sensitive, name)
		}
		if s.Masked || s.Exchanges*10 < f.Count*9 {
			continue
		}
		if x := sensitiveFormat(s.Type); x != "" && (f.Format == "" || len(f.Types) == 1 && f.Types[0] == "integer") {
			f.Format = x
			if len(f.Types) == 1 && f.Types[0] == "integer" && !response {
				f.Types = []string{"string"} // digits, but no number
			}
			if !slices.Contains(f.Types, "string") {
				f.Format = ""
			}
		}
	}
	slices.Sort(f.Sensitive)
}

func sensitiveFormat(t taxonomy.Sensitive) string {
	switch t {
	case taxonomy.SensEmail:
		return "email"
	case taxonomy.SensCNMobile, taxonomy.SensPhone:
		return "phone"
	case taxonomy.SensPassword:
		return "password"
	}
	return ""
}

// types gives the types of JSON that were met, sorted.
func types(b form.Bits) []string {
	var out []string
	add := func(m form.Bits, name string) {
		if b&m != 0 && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	add(form.Array, "array")
	add(form.Bool, "boolean")
	add(form.File, "file")
	add(form.Int|form.Long, "integer")
	if b&form.Float != 0 { // 1 and 1.5 are one type
		out = slices.DeleteFunc(out, func(s string) bool { return s == "integer" })
		add(form.Float, "number")
	}
	add(form.Null, "null")
	add(form.Object, "object")
	const numbers = form.IntText | form.LongText | form.FloatText
	switch t := b & (form.Texts | numbers | form.BoolText); {
	case t == 0:
	case t&^(numbers|form.Empty) == 0 && t&form.FloatText != 0:
		add(numbers, "number")
	case t&^(numbers|form.Empty) == 0 && t != form.Empty:
		add(numbers, "integer")
	case t&^(form.BoolText|form.Empty) == 0 && t != form.Empty:
		add(form.BoolText, "boolean")
	default:
		out = append(out, "string")
	}
	if len(out) == 0 {
		out = append(out, "string")
	}
	return out
}

// format gives the format that all texts or numbers had.
func format(b form.Bits) string {
	switch b & (form.Texts | form.IntText | form.LongText | form.FloatText | form.BoolText) &^ form.Empty {
	case form.Date:
		return "date"
	case form.DateTime:
		return "date-time"
	case form.Stamp:
		return "local-date-time"
	case form.UUID:
		return "uuid"
	case form.URI:
		return "uri"
	case form.IPv4:
		return "ipv4"
	case form.LongText, form.LongText | form.IntText:
		return "int64"
	case 0:
		if b&form.Long != 0 && b&form.Float == 0 {
			return "int64"
		}
	}
	return ""
}

func moment(ns int64) time.Time { return time.Unix(0, ns).UTC() }
