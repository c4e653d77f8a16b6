package openapi

import (
	"cmp"
	"slices"
	"strings"

	"xiezhi/internal/catalog/contract"
)

// node is a place in a body, while its schema is built from paths.
type node struct {
	types     []string
	format    string
	values    []string
	sensitive []string
	required  map[string]bool // members
	members   map[string]*node
	items     *node
	others    *node // under keys that are values
}

// schemaOf makes a schema of the fields of a body.
func schemaOf(b contract.Body) object {
	root := &node{}
	flat := b.Media == "application/x-www-form-urlencoded" || b.Media == "multipart/form-data"
	for i := range b.Fields {
		f := &b.Fields[i]
		at, owner, name := root, (*node)(nil), ""
		if flat {
			at, owner, name = root.member(f.Path), root, f.Path
		} else {
			for rest := f.Path; rest != ""; {
				var step string
				step, rest = Step(rest)
				switch step {
				case "[]":
					if at.items == nil {
						at.items = &node{}
					}
					at, owner = at.items, nil
				case "{}":
					if at.others == nil {
						at.others = &node{}
					}
					at, owner = at.others, nil
				default:
					owner, name = at, step
					at = at.member(step)
				}
			}
		}
		for _, t := range f.Types {
			if !slices.Contains(at.types, t) {
				at.types = append(at.types, t)
			}
		}
		at.format, at.values, at.sensitive = cmp.Or(f.Format, at.format), f.Values, f.Sensitive
		if owner != nil && f.Required {
			owner.require(name)
		}
	}
	return root.schema()
}

// Step splits the first step off the path of a field: a name, "[]" or "{}".
func Step(path string) (step, rest string) {
	if strings.HasPrefix(path, "[]") || strings.HasPrefix(path, "{}") {
		return path[:2], strings.TrimPrefix(path[2:], ".")
	}
	end := len(path)
	if i := strings.IndexByte(path, '.'); i > 0 {
		end = i
	}
	if i := strings.Index(path[:end], "[]"); i > 0 {
		return path[:i], path[i:]
	}
	return path[:end], strings.TrimPrefix(path[end:], ".")
}

func (n *node) member(name string) *node {
	if n.members == nil {
		n.members = map[string]*node{}
	}
	m := n.members[name]
	if m == nil {
		m = &node{}
		n.members[name] = m
	}
	return m
}

func (n *node) require(name string) {
	if n.required == nil {
		n.required = map[string]bool{}
	}
	n.required[name] = true
}

func (n *node) schema() object {
	types := slices.Clone(n.types)
	if (n.members != nil || n.others != nil) && !slices.Contains(types, "object") {
		types = append(types, "object")
	}
	if n.items != nil && !slices.Contains(types, "array") {
		types = append(types, "array")
	}
	slices.Sort(types)
	s := leaf(types, n.format, n.values, n.sensitive)
	if n.members != nil || n.others != nil || n.items != nil {
		delete(s, "examples")
	}
	if n.members != nil {
		p := object{}
		for name, m := range n.members {
			p[name] = m.schema()
		}
		s["properties"] = p
		if len(n.required) > 0 {
			s["required"] = sortedKeys(n.required)
		}
	}
	if n.others != nil {
		s["additionalProperties"] = n.others.schema()
	}
	if n.items != nil {
		s["items"] = n.items.schema()
	} else if slices.Contains(types, "array") {
		s["items"] = object{}
	}
	return s
}

// leaf is the schema of a value; its example is made up.
func leaf(types []string, format string, values, sensitive []string) object {
	s := object{}
	if i := slices.Index(types, "file"); i >= 0 {
		types = slices.Concat(types[:i], types[i+1:])
		if !slices.Contains(types, "string") {
			types = append(types, "string")
		}
		format = "binary"
	}
	switch len(types) {
	case 0:
	case 1:
		s["type"] = types[0]
	default:
		s["type"] = types
	}
	if format != "" {
		s["format"] = format
	}
	if len(values) > 0 {
		list := make([]any, 0, len(values)+1)
		for _, v := range values {
			list = append(list, v)
		}
		if slices.Contains(types, "null") {
			list = append(list, nil)
		}
		s["enum"] = list
	}
	if len(sensitive) > 0 {
		s["x-xiezhi-sensitive"] = sensitive
	}
	for _, t := range types {
		if x := example(t, format, values); x != nil {
			s["examples"] = []any{x}
			break
		}
	}
	return s
}

// example makes up a value of a type and format.
func example(typ, format string, values []string) any {
	switch typ {
	case "string":
		if len(values) > 0 {
			return values[0]
		}
		switch format {
		case "date":
			return "2024-01-31"
		case "date-time":
			return "2024-01-31T08:00:00Z"
		case "local-date-time":
			return "2024-01-31 08:00:00"
		case "uuid":
			return "00000000-0000-4000-8000-000000000000"
		case "email":
			return "user@example.com"
		case "phone":
			return "+1-202-555-0100"
		case "uri":
			return "https://example.com/"
		case "ipv4":
			return "192.0.2.1"
		case "password":
			return "Example-0000"
		case "binary":
			return nil
		}
		return "text"
	case "integer":
		if format == "int64" {
			return int64(10_000_000_000)
		}
		return 1
	case "number":
		return 1.5
	case "boolean":
		return true
	}
	return nil
}
