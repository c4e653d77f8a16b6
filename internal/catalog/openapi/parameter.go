package openapi

import (
	"slices"

	"xiezhi/internal/catalog/contract"
)

// parameters describes those in the path, by the path's own names, and those
// in the query.
func parameters(it *item, apis []*API) []object {
	var out []object
	for i, name := range it.names {
		p := contract.Parameter{Name: name, In: "path", Type: "string", Required: true}
		for _, a := range apis {
			if list := inPath(a); i < len(list) {
				p = list[i]
				p.Name = name
				break
			}
		}
		out = append(out, parameter(&p))
	}
	by := map[string]*contract.Parameter{}
	for _, a := range apis {
		if a.Contract == nil {
			continue
		}
		for _, p := range a.Contract.Parameters {
			if p.In != "query" && p.In != "header" || p.Name == "" {
				continue
			}
			key := p.In + " " + p.Name
			if q := by[key]; q == nil {
				x := p
				x.Required = x.Required && len(apis) == 1
				by[key] = &x
			} else if q.Type != p.Type || q.Format != p.Format || !slices.Equal(q.Values, p.Values) {
				q.Type, q.Format, q.Values = "string", "", nil
			}
		}
	}
	for _, name := range sortedKeys(by) {
		out = append(out, parameter(by[name]))
	}
	return out
}

// matrix describes the parameters of path segments. OpenAPI has words for those
// that every request has at one place of the template only.
func matrix(apis []*API) (out []object) {
	seen := map[string]bool{}
	for _, a := range apis {
		if a.Contract == nil {
			continue
		}
		for _, p := range a.Contract.Parameters {
			if p.In == "matrix" && !seen[p.Name] {
				seen[p.Name] = true
				out = append(out, object{"name": p.Name, "required": p.Required && len(apis) == 1, "schema": leaf([]string{p.Type}, p.Format, p.Values, p.Sensitive)})
			}
		}
	}
	return out
}

func inPath(a *API) (out []contract.Parameter) {
	if a.Contract == nil {
		return nil
	}
	for _, p := range a.Contract.Parameters {
		if p.In == "path" {
			out = append(out, p)
		}
	}
	return out
}

func parameter(p *contract.Parameter) object {
	s := leaf([]string{p.Type}, p.Format, p.Values, p.Sensitive)
	delete(s, "examples")
	o := object{"name": p.Name, "in": p.In, "required": p.In == "path" || p.Required, "schema": s, "example": example(p.Type, p.Format, p.Values)}
	return o
}
