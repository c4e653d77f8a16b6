package openapi

import "slices"

// content gives the body of all media types together.
func (r *reader) content(v, at *value) (*Body, error) {
	if v == nil || v.kind != mapping || len(v.list) == 0 {
		return nil, nil
	}
	var out *Body
	for i := range v.keys {
		schema := v.list[i].get("schema")
		if schema == nil {
			continue
		}
		b, err := r.body(schema)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = b
			continue
		}
		for p, f := range b.Fields {
			if x := out.Fields[p]; x != nil {
				x.join(f)
			} else {
				out.Fields[p] = f
			}
		}
	}
	if out != nil {
		out.Line = at.line
	}
	return out, nil
}

func (r *reader) body(schema *value) (*Body, error) {
	if schema == nil {
		return nil, nil
	}
	b := &Body{Line: schema.line, Fields: map[string]*Field{}}
	w := walker{r: r, body: b, left: min(maxWork, maxAllWork-r.work)}
	before := w.left
	err := w.walk(schema, "", 0, &Field{})
	r.work += before - max(w.left, 0)
	return b, err
}

// join takes what another description of the same place allows.
func (f *Field) join(o *Field) {
	if len(f.Types) == 0 || len(o.Types) == 0 {
		f.Types = nil
	} else {
		for _, t := range o.Types {
			if !slices.Contains(f.Types, t) {
				f.Types = append(f.Types, t)
			}
		}
	}
	if len(f.Values) == 0 || len(o.Values) == 0 {
		f.Values = nil
	} else {
		for _, v := range o.Values {
			if !slices.Contains(f.Values, v) {
				f.Values = append(f.Values, v)
			}
		}
	}
	f.Open = f.Open || o.Open
}

// walker lists the fields of a schema.
type walker struct {
	r     *reader
	body  *Body
	left  int
	stack []*value // schemas around
}

func (w *walker) field(path string, v *value) *Field {
	f := w.body.Fields[path]
	if f == nil {
		f = &Field{Line: v.line}
		w.body.Fields[path] = f
	}
	return f
}

// walk lists what a schema describes at a path. Where it leads back to itself,
// or there is too much of it, the place is open: whatever stands below it is
// described.
func (w *walker) walk(v *value, path string, depth int, above *Field) error {
	v, err := w.r.resolve(v)
	if err != nil {
		return err
	}
	if w.left--; w.left < 0 || len(w.body.Fields) >= maxSpecFields || depth > 40 || len(path) > 1024 {
		w.r.partial, above.Open = true, true
		return nil
	}
	f := w.field(path, v)
	w.types(v, f)
	if slices.Contains(w.stack, v) {
		f.Open = true
		return nil
	}
	w.stack = append(w.stack, v)
	defer func() { w.stack = w.stack[:len(w.stack)-1] }()
	if v.kind == boolean { // true: anything
		f.Open = true
		return nil
	}
	for _, all := range [...]string{"allOf", "oneOf", "anyOf"} {
		for _, s := range v.get(all).elements() {
			if err := w.walk(s, path, depth+1, f); err != nil {
				return err
			}
		}
	}
	for _, s := range [...]string{"then", "else"} {
		if x := v.get(s); x != nil {
			if err := w.walk(x, path, depth+1, f); err != nil {
				return err
			}
		}
	}
	props := v.get("properties")
	if props != nil && props.kind == mapping {
		for i, name := range props.keys {
			if err := w.walk(props.list[i], join(path, name), depth+1, f); err != nil {
				return err
			}
		}
	}
	if x := v.get("items"); x != nil {
		for _, s := range append(x.elements(), x)[:max(len(x.elements()), 1)] {
			if err := w.walk(s, path+"[]", depth+1, f); err != nil {
				return err
			}
		}
	} else if slices.Contains(f.Types, "array") && v.get("prefixItems") == nil {
		f.Open = true
	}
	for _, s := range v.get("prefixItems").elements() {
		if err := w.walk(s, path+"[]", depth+1, f); err != nil {
			return err
		}
	}
	switch x := v.get("additionalProperties"); {
	case x == nil:
		if props == nil && slices.Contains(f.Types, "object") && v.get("allOf") == nil && v.get("oneOf") == nil && v.get("anyOf") == nil {
			f.Open = true // an object of which nothing is said
		}
	case x.kind == boolean:
		f.Open = f.Open || x.text == "true"
	case len(x.keys) == 0:
		f.Open = true
	default:
		return w.walk(x, join(path, "{}"), depth+1, f)
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// types adds the types and values of a schema to a field.
func (w *walker) types(v *value, f *Field) {
	add := func(t string) {
		if t != "" && !slices.Contains(f.Types, t) {
			f.Types = append(f.Types, t)
		}
	}
	switch t := v.get("type"); {
	case t == nil:
		if v.get("properties") != nil {
			add("object")
		} else if v.get("items") != nil {
			add("array")
		}
	case t.kind == text:
		add(t.text)
	default:
		for _, x := range t.elements() {
			add(x.text)
		}
	}
	if v.is("nullable") || v.is("x-nullable") {
		add("null")
	}
	for _, x := range v.get("enum").elements() {
		if x.kind == null {
			add("null")
		} else if len(f.Values) < 256 {
			f.Values = append(f.Values, x.text)
		}
	}
}
