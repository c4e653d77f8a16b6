package policy

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestTemplatesRefused(t *testing.T) {
	for text, want := range map[string]string{
		`[{edit: split}]`:                                                                     "name the path",
		`[{edit: fold, template: /a}]`:                                                        "none of split",
		`[{edit: split, template: "/a/{x}"}]`:                                                 "ends in a parameter",
		`[{edit: merge, template: /a/b}]`:                                                     "has no parameter",
		`[{edit: rename, template: "/a/{}"}]`:                                                 "gives a title",
		`[{edit: role, template: /a}]`:                                                        "name it",
		`[{edit: role, template: /a, role: emperor}]`:                                         "is no role",
		`[{edit: split, template: /a, title: x}]`:                                             "only a rename",
		`[{edit: split, template: "/a/**"}]`:                                                  "one template",
		`[{edit: split, template: /a, expires: 2027-01-01T00:00:00Z}]`:                        "does not end",
		`[{edit: merge, template: "/a/{x y}"}]`:                                               "called by letters",
		`[{edit: merge, template: "/{x}/{x}"}]`:                                               "each once",
		`[{edit: split, template: "/a/b{x"}]`:                                                 "neither a literal nor",
		`[{edit: role, template: /a, role: login}, {edit: role, template: /a, role: logout}]`: `templates[1]: "logout" contradicts templates[0]`,
		`[{edit: merge, template: "/a/{x}"}, {edit: rename, template: "/a/{y}/b", title: t}]`: `templates[1]: "y" contradicts templates[0]`,
	} {
		_, err := Parse("p.yaml", []byte("version: 1\ntemplates: "+text))
		if err == nil || !strings.HasPrefix(err.Error(), "p.yaml: templates[") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestTemplateParts(t *testing.T) {
	f, err := Parse("p", []byte(`{version: 1, templates: [{edit: merge, template: "/v1/{name}:cancel/张三"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	p := f.Templates[0].Parts()
	if len(p) != 4 || p[1] != (TemplatePart{Text: "name", Param: true}) || p[2] != (TemplatePart{Text: ":cancel", Verb: true}) || p[3].Text != "张三" {
		t.Errorf("%+v", p)
	}
	if e := f.Entries("any"); len(e) != 1 || e[0].Template == nil {
		t.Errorf("%+v", e)
	}
}

// TestTemplatesOverABus: what a judge is handed as JSON is what was checked.
func TestTemplatesOverABus(t *testing.T) {
	f, err := Parse("p", []byte(`{"version":1,"templates":[
		{"edit":"split","template":"/users/me","site":"s","host":"a.example","reason":"r"},
		{"edit":"merge","template":"/shop/{colour}","reason":"r"},
		{"edit":"rename","template":"/o/{id}:cancel","title":"Cancel","method":"POST","reason":"r"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range f.Entries("s") {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var got Entry
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, e) || len(got.Template.Parts()) == 0 {
			t.Errorf("%s came as %+v, was %+v", b, got.Template, e.Template)
		}
	}
	if err := json.Unmarshal([]byte(`{"Template":{"Template":"/a/{b}/{b}"}}`), new(Entry)); err == nil {
		t.Error("a parameter twice was taken")
	}
}
