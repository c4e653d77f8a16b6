package engine

import (
	"cmp"
	"slices"

	"xiezhi/internal/defect/audit"
	"xiezhi/internal/message"
	"xiezhi/internal/observe/signature"
	"xiezhi/internal/taxonomy"
)

// BuiltIn is a rule that comes with the product: a kind of defect, or a
// component of it.
type BuiltIn struct {
	ID    string       `json:"id"` // kind, or kind/component
	Class string       `json:"class"`
	Kind  string       `json:"kind"`
	Title message.Text `json:"title"`
	Cases int          `json:"cases"` // examples beside the data that must and must not match; 0: the rule is code
}

// BuiltIns lists the built-in rules, sorted by id.
func (t *Tools) BuiltIns() ([]BuiltIn, error) {
	whole, err := signature.Load(t.files) // with the examples
	if err != nil {
		return nil, err
	}
	by := map[string]*BuiltIn{}
	add := func(kind taxonomy.DefectKind, component string, title message.Text, cases int) {
		id := string(kind)
		if component != "" {
			id += "/" + component
		}
		if x := by[id]; x != nil {
			x.Cases += cases
			return
		}
		by[id] = &BuiltIn{ID: id, Class: string(taxonomy.ClassOf[kind]), Kind: string(kind), Title: title, Cases: cases}
	}
	for _, k := range audit.Kinds() {
		if k != taxonomy.DefectCustom {
			add(k, "", t.Messages.Text("defect_kind."+string(k), nil), 0)
		}
	}
	for _, r := range whole.Rules() {
		if r.Kind != signature.KindAttack && !r.Version() {
			add(taxonomy.DefectKind(r.Kind), r.Component, r.Title, len(r.Cases.Match)+len(r.Cases.Pass))
		}
	}
	for _, p := range t.products.Products() {
		add(taxonomy.DefectOutdatedComponent, p.ID, t.Messages.Text("rules.outdated", message.Args{"name": p.Name}), len(p.Cases))
	}
	for _, r := range whole.Rules() {
		if r.Version() {
			add(taxonomy.DefectOutdatedComponent, r.Component, r.Title, len(r.Cases.Match)+len(r.Cases.Pass))
		}
	}
	out := make([]BuiltIn, 0, len(by))
	for _, x := range by {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b BuiltIn) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}
