package identity

import (
	"slices"
	"strings"

	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"
)

// Caps of roles. At maxRoles further roles are not learned, and whoever has
// one has no role; the count is in Stats.
const (
	maxRoles     = 256 // roles, or sets of roles, of a site
	maxRoleWords = 8   // words of a set
)

// Rank orders roles by what their names promise.
type Rank uint8

const (
	RankUnknown  Rank = iota // the name says nothing
	RankOrdinary             // users, members, visitors, clerks
	RankElevated             // supervisors, operators, auditors
	RankAdmin                // administrators
)

// Role is a group of principals: all whose tokens or answers name the same
// roles. Equal roles of a site are one pointer.
type Role struct {
	ID    uint64
	Words []string // sorted; as the application names them
	Rank  Rank     // of the highest
}

// String names the role for people.
func (r *Role) String() string {
	if len(r.Words) > 3 {
		return strings.Join(r.Words[:3], "+") + "+…"
	}
	return strings.Join(r.Words, "+")
}

// roleOf gives the role of who asks: what the credential says of itself, else
// what an answer told about the principal.
func (r *Resolver) roleOf(c *observe.Credential, principal uint64) *Role {
	if c.JWT != nil {
		if id := claimedID(c.JWT); id != 0 {
			return r.known[id]
		}
	}
	if principal == 0 {
		return nil
	}
	role, _ := r.roles.Peek(principal)
	return role
}

// claimedID is the ID of the role that a token names, 0 for none.
func claimedID(j *observe.JWT) uint64 {
	var k roleKey
	for _, denied := range [...]bool{false, true} {
		for i := range j.Claims {
			if c := &j.Claims[i]; c.Word != "" && (c.Word == "false") == denied {
				k.add(c.Name, c.Word)
			}
		}
		if k.n > 0 {
			break
		}
	}
	return k.id
}

// roleKey makes the ID of a set of words, whatever their order. A flag that
// says no is a role only where nothing else is: it is offered last.
type roleKey struct {
	id   uint64
	seen [maxRoleWords]uint64
	n    int
}

// add takes a field and its word, and says whether it is new and counts.
func (k *roleKey) add(path, word string) bool {
	h := sketch.HashString(word)
	if word == "true" || word == "false" {
		h = sketch.Join(h, sketch.HashString(path[strings.LastIndexByte(path, '.')+1:]))
	}
	h |= 1
	for _, s := range k.seen[:k.n] {
		if s == h {
			return false
		}
	}
	if k.n == maxRoleWords {
		return false
	}
	k.seen[k.n] = h
	k.n++
	k.id += h
	return true
}

// learnRoles takes the roles that the accepted credential names, that issued
// ones name, and that a login's answer or a profile tells of the asker.
func (r *Resolver) learnRoles(o *observe.Observation, w *Who) {
	for i := range o.Credentials {
		if c := &o.Credentials[i]; c.Token == w.Credential && c.JWT != nil {
			r.learnClaims(c.JWT)
		}
	}
	for i := range o.Issued {
		if j := o.Issued[i].JWT; j != nil {
			r.learnClaims(j)
		}
	}
	if len(o.Roles) == 0 {
		return
	}
	principal := w.Principal
	switch {
	case len(o.Passwords) > 0 && w.Subject != 0 && inBody(o), len(o.Issued) > 0 && w.Subject != 0 && w.Credential == 0:
		principal = w.Subject
	case principal == 0 || !selfProfile(o) && len(o.Issued) == 0:
		return
	}
	var k roleKey
	var words []string
	for _, denied := range [...]bool{false, true} {
		for i := range o.Roles {
			if x := &o.Roles[i]; (x.Word == "false") == denied && ofAsker(x.Path) && k.add(x.Path, x.Word) {
				words = append(words, roleWord(x.Path, x.Word))
			}
		}
		if k.n > 0 {
			break
		}
	}
	if len(words) == 0 {
		return
	}
	role := r.known[k.id]
	if role == nil {
		role = r.add(k.id, words)
	}
	if role != nil {
		if old, ok := r.roles.Get(principal); !ok || old != role {
			r.roles.Put(principal, role)
		}
	}
}

func (r *Resolver) learnClaims(j *observe.JWT) {
	if id := claimedID(j); id == 0 || r.known[id] != nil {
		return
	}
	var k roleKey
	var words []string
	for _, denied := range [...]bool{false, true} {
		for i := range j.Claims {
			if c := &j.Claims[i]; c.Word != "" && (c.Word == "false") == denied && k.add(c.Name, c.Word) {
				words = append(words, roleWord(c.Name, c.Word))
			}
		}
		if k.n > 0 {
			break
		}
	}
	r.add(k.id, words)
}

// add learns a role.
func (r *Resolver) add(id uint64, words []string) *Role {
	if len(r.known) >= maxRoles {
		r.refused++
		return nil
	}
	role := &Role{ID: id}
	for _, s := range words {
		s = strings.Clone(s) // the word is a slice of a batch's dictionary
		role.Words = append(role.Words, s)
		role.Rank = max(role.Rank, rankOf(s))
	}
	slices.Sort(role.Words)
	r.known[id] = role
	return role
}

// ofAsker reports whether a field names a role of the one whom the answer is
// about: not the roles of others in a list, nor those to choose from.
func ofAsker(path string) bool {
	parts := strings.Split(path, ".")
	for i, p := range parts[:len(parts)-1] {
		inner := strings.HasSuffix(p, "[]")
		s := squeeze(strings.TrimSuffix(p, "[]"))
		switch {
		case i == len(parts)-2 && (strings.Contains(s, "role") || strings.Contains(s, "authorit")): // roles[].code
		case inner || !ofUser(s):
			return false
		}
	}
	return true
}

// roleWord is the word of a role: where a flag says that somebody is an
// administrator, the flag's name, and where it says no, that.
func roleWord(path, word string) string {
	name := path[strings.LastIndexByte(path, '.')+1:]
	switch word {
	case "true":
		return strings.TrimPrefix(squeeze(name), "is")
	case "false":
		return name + saysNo
	}
	return word
}

const saysNo = "=false"

// rankOf tells what the name of a role promises. Words of administration may be
// joined with others: role_admin, tenant-admin, 超级管理员.
func rankOf(word string) Rank {
	if strings.HasSuffix(word, saysNo) {
		return RankOrdinary
	}
	s := strings.TrimPrefix(squeeze(word), "role")
	if r, ok := ranks[s]; ok {
		return r
	}
	for _, w := range [...]string{"admin", "root", "superuser", "管理员", "guanliyuan"} {
		if strings.Contains(s, w) {
			return RankAdmin
		}
	}
	for _, w := range [...]string{"supervis", "manager", "operator", "audit", "approv", "moderator", "主管", "经理", "审核", "审批", "运维", "运营", "owner"} {
		if strings.Contains(s, w) {
			return RankElevated
		}
	}
	for _, w := range [...]string{"普通", "用户", "会员", "游客"} {
		if strings.Contains(s, w) {
			return RankOrdinary
		}
	}
	return RankUnknown
}

var ranks = map[string]Rank{
	"admin": RankAdmin, "administrator": RankAdmin, "root": RankAdmin, "superuser": RankAdmin, "super": RankAdmin, "superadmin": RankAdmin, "sysadmin": RankAdmin,
	"system": RankAdmin, "staff": RankElevated, "manager": RankElevated, "editor": RankElevated, "support": RankElevated, "reviewer": RankElevated, "boss": RankElevated,
	"user": RankOrdinary, "member": RankOrdinary, "customer": RankOrdinary, "guest": RankOrdinary, "visitor": RankOrdinary, "viewer": RankOrdinary, "reader": RankOrdinary,
	"clerk": RankOrdinary, "employee": RankOrdinary, "student": RankOrdinary, "buyer": RankOrdinary, "patient": RankOrdinary, "anonymous": RankOrdinary, "default": RankOrdinary,
	"common": RankOrdinary, "normal": RankOrdinary, "basic": RankOrdinary, "ordinary": RankOrdinary, "yonghu": RankOrdinary, "huiyuan": RankOrdinary,
}
