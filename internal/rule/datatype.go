package rule

import (
	"fmt"

	"xiezhi/internal/message"
	"xiezhi/internal/observe"
	"xiezhi/internal/policy"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// Types are the types of sensitive data that people defined.
type Types struct {
	Custom *sensitive.Custom // nil: none
	names  map[taxonomy.Sensitive]typeName
}

type typeName struct {
	id   string
	name message.Text
}

// CompileTypes compiles the types of files. Ids and keys must differ among them.
func CompileTypes(files ...*policy.File) (*Types, error) {
	var list []sensitive.CustomType
	owner := map[string]string{}
	names := map[string]message.Text{}
	for _, f := range files {
		if f == nil {
			continue
		}
		for i := range f.DataTypes {
			d := &f.DataTypes[i]
			if other, dup := owner[d.ID]; dup {
				return nil, fmt.Errorf("%s: data_types[%d]: id: %q is already in %s", f.Name, i, d.ID, other)
			}
			owner[d.ID], names[d.ID] = f.Name, d.Name
			list = append(list, sensitive.CustomType{ID: d.ID, Level: d.Level, Keys: d.Keys, Pattern: d.Pattern, Min: d.Min, Max: d.Max, Checksum: d.Checksum, Minimum: d.Minimum})
			// so that an error names the file
			if _, err := sensitive.NewCustom(list, observe.NormalName); err != nil {
				return nil, fmt.Errorf("%s: data_types[%d]: %w", f.Name, i, err)
			}
		}
	}
	c, err := sensitive.NewCustom(list, observe.NormalName)
	if err != nil {
		return nil, err
	}
	t := &Types{Custom: c, names: map[taxonomy.Sensitive]typeName{}}
	for s, id := range c.IDs() {
		t.names[s] = typeName{id, names[id]}
	}
	return t, nil
}

// ID is the id of a type as reports and rules show it.
func (t *Types) ID(s taxonomy.Sensitive) string {
	if t != nil && s.Custom() {
		if n, ok := t.names[s]; ok {
			return taxonomy.CustomID(s, n.id)
		}
	}
	return s.String()
}

// Named gives an id as reports show it for one that a type gave itself.
func (t *Types) Named(id string) string {
	if s, ok := taxonomy.ParseSensitive(id); ok && s.Custom() {
		return t.ID(s)
	}
	return id
}

// Texts are the names of the types, under the ids of messages.
func (t *Types) Texts() map[string]message.Text {
	out := map[string]message.Text{}
	for s, n := range t.names {
		out["defect.type."+s.String()] = n.name
		out["sensitive."+t.ID(s)] = n.name
	}
	return out
}
