package message

import (
	"sort"
	"testing"

	"github.com/goccy/go-yaml"

	"xiezhi/rules"
)

func TestEveryTaxonomyIDHasAName(t *testing.T) {
	b, err := rules.FS.ReadFile("taxonomy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var sections map[string]any
	if err := yaml.Unmarshal(b, &sections); err != nil {
		t.Fatal(err)
	}
	prefix := map[string]string{"endpoint_role": "role", "sensitive_type": "sensitive", "reason_family": "family"}
	want := map[string]string{} // id to the name that the taxonomy binds, "" for any
	list := func(p string, ids any) {
		for _, id := range ids.([]any) {
			want[p+"."+id.(string)] = ""
		}
	}
	for section, v := range sections {
		p := section
		if q, ok := prefix[section]; ok {
			p = q
		}
		m, ok := v.(map[string]any)
		if !ok {
			list(p, v)
			continue
		}
		for id, entry := range m {
			switch e := entry.(type) {
			case []any: // sensitive types by label
				list(p, e)
			case map[string]any:
				want[p+"."+id] = e["zh"].(string)
				if kinds, ok := e["kinds"]; ok {
					list("defect_kind", kinds)
				}
			}
		}
	}
	if len(want) < 200 {
		t.Fatalf("only %d ids", len(want))
	}
	c, err := Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range sortedKeys(want) {
		if !c.Has(id) {
			t.Errorf("%s has no name", id)
		} else if zh := c.Text(id, nil).Zh; want[id] != "" && zh != want[id] {
			t.Errorf("%s is %s, the taxonomy says %s", id, zh, want[id])
		}
	}
	if b, err = rules.FS.ReadFile("messages/taxonomy.yaml"); err != nil {
		t.Fatal(err)
	}
	var own map[string]Text
	if err := yaml.Unmarshal(b, &own); err != nil {
		t.Fatal(err)
	}
	for _, id := range sortedKeys(own) {
		if _, ok := want[id]; !ok {
			t.Errorf("%s names no id", id)
		}
	}
}

func sortedKeys[V any](m map[string]V) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
