package observe

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"xiezhi/internal/observe/jsonleaf"
	"xiezhi/internal/sensitive"
	"xiezhi/internal/taxonomy"
)

// maxRoleWord is how many bytes the name of a role may have: longer values are
// descriptions.
const maxRoleWord = 32

// roleKey reports whether a key is what an object that describes a role calls
// the role: {"roles":[{"id":1,"code":"ADMIN"}]}.
func roleKey(w string) bool {
	switch w {
	case "name", "code", "key", "value", "authority", "title", "slug":
		return true
	}
	return false
}

// roleParent reports whether a key is what objects that describe roles stand
// under; under "admin" stands a person.
func roleParent(p string) bool {
	return strings.Contains(p, "role") || strings.Contains(p, "authorit") || strings.Contains(p, "角色")
}

// roleLeaf keeps the word of a field of the answer that names a role.
func (o *Observer) roleLeaf(f *fieldEntry, k jsonleaf.Kind, v []byte) {
	switch k {
	case jsonleaf.String:
	case jsonleaf.Int:
		if len(v) > 3 {
			return
		}
	case jsonleaf.Bool:
	default:
		return
	}
	w := o.roleWord(v)
	if w == "" {
		return
	}
	list := o.out.roles.open()
	for i := range list {
		if list[i].Word == w && list[i].Path == f.name {
			return
		}
	}
	if len(list) >= MaxRoles {
		o.over(1)
		return
	}
	o.out.roles.add(RoleWord{Path: f.name, Word: w})
}

// roleClaim gives the word of a JWT claim that names a role, empty for other
// claims. Of a scope only what speaks of administration is a role.
func (o *Observer) roleClaim(name, v []byte) string {
	if i := bytes.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	name = bytes.TrimSuffix(name, []byte("[]"))
	switch string(name) {
	case "scope", "scp", "scopes":
		for part := range bytes.FieldsSeq(v[:min(len(v), 512)]) {
			if len(part) <= maxRoleWord && bytes.Contains(bytes.ToLower(part), []byte("admin")) {
				return o.roleWord(part)
			}
		}
		return ""
	}
	if len(name) > 32 || !o.roleName(name) {
		return ""
	}
	return o.roleWord(v)
}

// roleName is Names.role with a memo of the names of claims seen.
func (o *Observer) roleName(name []byte) bool {
	is, ok := o.roleMemo[string(name)]
	if !ok {
		if o.roleMemo == nil || len(o.roleMemo) >= maxRoleMemo {
			o.roleMemo = map[string]bool{}
		}
		is = o.cfg.Names.role.has(normalName(string(name)))
		o.roleMemo[string(name)] = is
	}
	return is
}

const maxRoleMemo = 1024

// roleWord gives a value as a word: letters and digits of any script with what
// joins them, in lower case. Whoever writes the value decides what stands in
// it, so nothing else is kept, and nothing that a recogniser knows.
func (o *Observer) roleWord(v []byte) string {
	v = trimSpace(v)
	if len(v) == 0 || len(v) > maxRoleWord || !utf8.Valid(v) {
		return ""
	}
	digits := 0
	for _, r := range string(v) {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '_', r == '-', r == ':', r == '.', r == '/', unicode.IsLetter(r):
		default:
			return ""
		}
	}
	if digits > 3 { // of a number, an id
		return ""
	}
	if t := o.recognise(sensitive.HintNone, v); t != taxonomy.NotSensitive || len(o.hits) > 0 {
		return ""
	}
	o.lowered = lower(o.lowered[:0], v)
	return o.word(o.lowered)
}
