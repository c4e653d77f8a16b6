package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"xiezhi/internal/taxonomy"
)

// Template is an edit of the API catalogue. It wins over what traffic teaches
// and sticks. Its file does not say when it ends; who takes a name or a role back
// does so while a service runs.
type Template struct {
	Decision `yaml:",inline"`
	Target   `yaml:",inline"`
	Edit     string        `yaml:"edit"` // split, merge, rename, role
	Title    string        `yaml:"title"`
	Role     taxonomy.Role `yaml:"role"`

	parts []TemplatePart
}

// TemplatePart is one segment of a template.
type TemplatePart struct {
	Text  string // literal, or the parameter's name, which may be empty
	Param bool
	Verb  bool // ":cancel" behind the segment before
}

// Kinds of edits.
const (
	EditSplit  = "split"  // this path is an API of its own: its literals are no values
	EditMerge  = "merge"  // whatever stands at its parameters is a value
	EditRename = "rename" // its parameters are called so; a title for people
	EditRole   = "role"   // this is what it is for
)

const (
	maxAPITitle = 200 // bytes
	maxSegments = 32
	maxSegment  = 200 // bytes
)

// Lasting reports whether the edit cannot be taken back: what a split or a merge
// did to the tree of paths only another edit changes.
func (t *Template) Lasting() bool { return t.Edit != EditRename && t.Edit != EditRole }

// Same reports whether two edits are one: of one moment, place and content.
func (t *Template) Same(u *Template) bool {
	return t.Edit == u.Edit && t.Title == u.Title && t.Role == u.Role && t.Target == u.Target && t.At.Equal(u.At)
}

// Parts gives the segments of the template.
func (t *Template) Parts() []TemplatePart { return t.parts }

// UnmarshalJSON cuts the template again: an edit that went over a bus or into a
// state has to be the one that was checked.
func (t *Template) UnmarshalJSON(data []byte) error {
	type plain Template // without this method
	if err := json.Unmarshal(data, (*plain)(t)); err != nil {
		return err
	}
	t.parts = nil
	return t.split()
}

func (t *Template) check() error {
	switch {
	case t.Template == "":
		return fmt.Errorf("template: name the path, as /users/{name}")
	case strings.HasSuffix(t.Template, "/**"):
		return fmt.Errorf("template: an edit is about one template; /** is none")
	case !t.Expires.IsZero():
		return fmt.Errorf("expires: an edit of the catalogue does not end; leave it out")
	case len(t.Title) > maxAPITitle:
		return fmt.Errorf("title: at most %d bytes", maxAPITitle)
	case strings.Contains(t.Template, "#"):
		return fmt.Errorf("template: operations (#) cannot be edited; name their path")
	}
	if err := t.split(); err != nil {
		return fmt.Errorf("template: %w", err)
	}
	param := slices.ContainsFunc(t.parts, func(p TemplatePart) bool { return p.Param })
	named := slices.ContainsFunc(t.parts, func(p TemplatePart) bool { return p.Param && p.Text != "" })
	switch t.Edit {
	case EditSplit:
		if t.parts[len(t.parts)-1].Param {
			return fmt.Errorf("template: %q ends in a parameter; a split names the literal that is no value", t.Template)
		}
	case EditMerge:
		if !param {
			return fmt.Errorf("template: %q has no parameter; write {name} for the segment whose values belong together", t.Template)
		}
	case EditRename:
		if t.Title == "" && !named {
			return fmt.Errorf("title: a rename gives a title, or names in the template's parameters")
		}
	case EditRole:
		if t.Role == "" {
			return fmt.Errorf("role: name it")
		}
	default:
		return fmt.Errorf("edit: %q is none of split, merge, rename, role", t.Edit)
	}
	if t.Title != "" && t.Edit != EditRename {
		return fmt.Errorf("title: only a rename has one")
	}
	if (t.Role != "") != (t.Edit == EditRole) || t.Role != "" && !slices.Contains(taxonomy.Roles, t.Role) {
		return fmt.Errorf("role: %q is no role, or stands where none belongs", t.Role)
	}
	return nil
}

// split cuts the template into its segments.
func (t *Template) split() error {
	seen := map[string]bool{}
	for _, s := range strings.Split(strings.Trim(t.Template, "/"), "/") {
		verb := ""
		if i := strings.IndexByte(s, '}'); i >= 0 && i+1 < len(s) && s[i+1] == ':' {
			s, verb = s[:i+1], s[i+1:]
		}
		p := TemplatePart{Text: s}
		if isParameter(s) {
			p = TemplatePart{Text: s[1 : len(s)-1], Param: true}
			if !parameterName(p.Text) || p.Text != "" && seen[p.Text] {
				return fmt.Errorf("%q: a parameter is called by letters, digits, _ and -, at most 40, each once", s)
			}
			seen[p.Text] = true
		} else if s == "" || strings.ContainsAny(s, "{}?*") || len(s) > maxSegment {
			return fmt.Errorf("segment %q is neither a literal nor {name}", s)
		}
		t.parts = append(t.parts, p)
		if verb != "" {
			t.parts = append(t.parts, TemplatePart{Text: verb, Verb: true})
		}
	}
	if len(t.parts) > maxSegments {
		return fmt.Errorf("more than %d segments", maxSegments)
	}
	return nil
}

func parameterName(s string) bool {
	if len(s) > 40 {
		return false
	}
	for _, c := range []byte(s) {
		if c != '_' && c != '-' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// conflicts finds two edits that say different things about one place.
func conflicts(list []Template) error {
	type claim struct {
		value string
		entry int
	}
	claims := map[string]claim{}
	for i := range list {
		t := &list[i]
		put := func(what, value string) error {
			if c, ok := claims[what]; ok && c.value != value {
				return fmt.Errorf("templates[%d]: %q contradicts templates[%d], which says %q", i, value, c.entry, c.value)
			}
			claims[what] = claim{value, i}
			return nil
		}
		scope, path := t.Site+"\x00"+t.Host+"\x00", ""
		for _, p := range t.parts {
			if p.Param {
				path += "/{}"
				if p.Text != "" {
					if err := put("name\x00"+scope+path, p.Text); err != nil {
						return err
					}
				}
			} else {
				path += "/" + p.Text
			}
		}
		method := strings.ToUpper(t.Method) + "\x00"
		if t.Title != "" {
			if err := put("title\x00"+scope+method+path, t.Title); err != nil {
				return err
			}
		}
		if t.Role != "" {
			if err := put("role\x00"+scope+method+path, string(t.Role)); err != nil {
				return err
			}
		}
	}
	return nil
}

// OnHost reports whether the edit is about a host.
func (t *Template) OnHost(host string) bool {
	u := Target{Host: t.Host}
	return u.Covers("", host, "", "")
}
