package identity

import (
	"strings"

	"xiezhi/internal/observe"
)

// maxClaims is how many principals may go by one name: one person who logs in
// by name, e-mail and phone is three. What more of them claim is no name but a
// tenant, a role or a constant, and is void.
const maxClaims = 3

// claim says which principals go by a name.
type claim struct {
	by   [maxClaims]uint64
	n    uint8
	void bool
}

// alias ties a further name to a principal.
func (r *Resolver) alias(principal, token uint64) {
	if principal == 0 || token == 0 || token == principal {
		return
	}
	c, _ := r.claims.Get(token)
	if c.void {
		return
	}
	known := false
	for _, p := range c.by[:c.n] {
		known = known || p == principal
	}
	if !known {
		if c.n == maxClaims {
			c.void = true
		} else {
			c.by[c.n] = principal
			c.n++
		}
		r.claims.Put(token, c)
		if c.void {
			return
		}
	}
	list, _ := r.aliases.Get(principal)
	for i, a := range list {
		if a == token {
			return
		}
		if a == 0 {
			list[i] = token
			r.aliases.Put(principal, list)
			return
		}
	}
}

// aliasesOf gives the further names of a principal that nobody else claims.
func (r *Resolver) aliasesOf(principal uint64) (out [MaxAliases]uint64) {
	if principal == 0 {
		return out
	}
	list, ok := r.aliases.Peek(principal)
	if !ok {
		return out
	}
	n := 0
	for _, a := range list {
		if a == 0 {
			break
		}
		if c, ok := r.claims.Peek(a); ok && !c.void {
			out[n] = a
			n++
		}
	}
	return out
}

// learnAliases takes the further names from an answer that speaks of the asker:
// that of a login, or the asker's profile.
func (r *Resolver) learnAliases(o *observe.Observation, principal uint64, profile bool) {
	if principal == 0 {
		return
	}
	for i := range o.Issued {
		r.alias(principal, o.Issued[i].Account)
	}
	if o.Records > 1 {
		return
	}
	for i := range o.Leaves {
		if l := &o.Leaves[i]; l.Record == 0 && l.Token != 0 && namesUser(l.Path, profile) {
			r.alias(principal, l.Token)
		}
	}
}

// namesUser reports whether a field of a login's answer or of a profile names
// the user. A bare id does so only in a user's own object; at the top of a
// login's answer it is a session's.
func namesUser(path string, profile bool) bool {
	if strings.Contains(path, "[]") {
		return false
	}
	parent, name := "", path
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		parent, name = path[:i], path[i+1:]
	}
	parent = squeeze(parent[strings.LastIndexByte(parent, '.')+1:])
	switch squeeze(name) {
	case "userid", "uid", "username", "login", "loginname", "account", "accountname", "accountid", "accountno", "email", "mobile", "phone",
		"phonenumber", "memberid", "memberno", "customerid", "customerno", "custno", "custid", "openid", "userno", "usercode", "sub":
		return parent == "" || ofUser(parent)
	case "id", "uuid", "_id":
		switch parent {
		case "", "data", "result":
			return profile
		}
		return ofUser(parent)
	}
	return false
}

func ofUser(parent string) bool {
	switch parent {
	case "data", "result", "user", "userinfo", "account", "profile", "member", "customer", "me", "principal", "payload", "content", "currentuser",
		"loginuser", "sysuser", "authentication", "response", "body", "session":
		return true
	}
	return false
}

// squeeze lower-cases an ASCII name and drops what joins its words.
func squeeze(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c == '_' || c == '-' || 'A' <= c && c <= 'Z' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c == '_' || c == '-':
		case 'A' <= c && c <= 'Z':
			b = append(b, c|0x20)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}
