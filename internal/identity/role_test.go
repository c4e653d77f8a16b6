package identity

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/observe"
)

func claims(pairs ...string) *observe.JWT {
	j := &observe.JWT{Alg: "hs256"}
	for i := 0; i+1 < len(pairs); i += 2 {
		j.Claims = append(j.Claims, observe.Claim{Name: pairs[i], Token: uint64(i + 1), Word: pairs[i+1]})
	}
	return j
}

func shown(credential uint64, j *observe.JWT) *observe.Observation {
	return &observe.Observation{Method: "GET", Credentials: []observe.Credential{{Kind: observe.CredBearer, Token: credential, Account: credential + 1000, JWT: j}}}
}

func TestRoleFromToken(t *testing.T) {
	r := New(Config{})
	visit(r, shown(1, claims("role", "admin")))
	w := r.Resolve(shown(1, claims("role", "admin")))
	if w.Role == nil || w.Role.String() != "admin" || w.Role.Rank != RankAdmin {
		t.Fatalf("role %+v", w.Role)
	}
	// The same words in another order, twice, or elsewhere, are one role.
	visit(r, shown(2, claims("roles[]", "auditor", "roles[]", "clerk")))
	a := r.Resolve(shown(2, claims("roles[]", "auditor", "roles[]", "clerk"))).Role
	b := r.Resolve(shown(3, claims("role", "clerk", "roles[]", "clerk", "roles[]", "auditor"))).Role
	if a == nil || a != b || a.String() != "auditor+clerk" || a.Rank != RankElevated {
		t.Errorf("%v and %v", a, b)
	}
	// Another token of the same person with another role: a new job.
	if w := r.Resolve(shown(1, claims("roles[]", "auditor", "roles[]", "clerk"))); w.Role != a {
		t.Errorf("role %v of a new token", w.Role)
	}
	if w := r.Resolve(shown(9, claims("scope", ""))); w.Role != nil {
		t.Errorf("role %v of a token that names none", w.Role)
	}
	visit(r, shown(5, claims("is_admin", "false")))
	if w := r.Resolve(shown(5, claims("is_admin", "false"))); w.Role == nil || w.Role.Rank != RankOrdinary || w.Role.String() != "is_admin=false" {
		t.Errorf("role %v of one who is no administrator", w.Role)
	}
	visit(r, shown(6, claims("is_admin", "true")))
	if w := r.Resolve(shown(6, claims("is_admin", "true"))); w.Role == nil || w.Role.Rank != RankAdmin {
		t.Errorf("role %v of an administrator", w.Role)
	}
	// Only an accepted token teaches.
	o := shown(4, claims("role", "root"))
	r.Learn(o, r.Resolve(o), false)
	if w := r.Resolve(o); w.Role != nil {
		t.Errorf("a refused token taught the role %v", w.Role)
	}
}

func TestRoleFromAnswers(t *testing.T) {
	r := New(Config{})
	login := func(account, credential uint64, roles ...observe.RoleWord) {
		o := &observe.Observation{Method: "POST", Accounts: []observe.Account{{Name: "username", In: observe.InJSON, Kind: observe.AccountName, Token: account}},
			Passwords: []observe.Password{{Use: observe.PasswordCurrent}}, Issued: []observe.Credential{{Kind: observe.CredBearer, Token: credential}}, Roles: roles}
		r.Learn(o, r.Resolve(o), true)
	}
	is := func(credential uint64, want string) {
		t.Helper()
		got := ""
		if w := r.Resolve(&observe.Observation{Credentials: []observe.Credential{{Kind: observe.CredBearer, Token: credential}}}); w.Role != nil {
			got = w.Role.String()
		}
		if got != want {
			t.Errorf("credential %d has the role %q, want %q", credential, got, want)
		}
	}
	login(1, 11, observe.RoleWord{Path: "data.user.roles[].code", Word: "role_admin"})
	login(2, 12, observe.RoleWord{Path: "is_admin", Word: "true"})
	login(3, 13, observe.RoleWord{Path: "isAdmin", Word: "false"})
	login(4, 14, observe.RoleWord{Path: "data.members[].role", Word: "admin"}) // others'
	login(6, 16, observe.RoleWord{Path: "isAdmin", Word: "false"}, observe.RoleWord{Path: "role", Word: "auditor"})
	is(16, "auditor")
	login(5, 15)
	is(11, "role_admin")
	is(12, "admin")
	is(13, "isAdmin=false")
	is(14, "")
	is(15, "")
	// The profile tells, and tells again after a promotion.
	profile := func(credential uint64, word string, path ...string) {
		o := &observe.Observation{Method: "GET", Credentials: []observe.Credential{{Kind: observe.CredBearer, Token: credential}}, Leaves: []observe.Leaf{{Path: "data.id", Token: 77}},
			Roles: []observe.RoleWord{{Path: "data.roles[]", Word: word}}}
		for _, p := range path {
			o.Segments = append(o.Segments, observe.Segment{Text: p, Class: observe.ClassWord})
		}
		r.Learn(o, r.Resolve(o), true)
	}
	profile(15, "clerk", "api", "userinfo")
	is(15, "clerk")
	profile(15, "supervisor", "api", "userinfo")
	is(15, "supervisor")
	profile(15, "admin", "api", "staff") // somebody else's record
	is(15, "supervisor")
}

func TestRankOfNames(t *testing.T) {
	for want, words := range map[Rank]string{
		RankAdmin:    "admin ROLE_ADMIN tenant-admin superuser 超级管理员 sysadmin root xitong_guanliyuan system:admin",
		RankElevated: "supervisor store_manager auditor 部门经理 moderator operator ROLE_STAFF",
		RankOrdinary: "user ROLE_USER member 普通用户 会员 clerk viewer",
		RankUnknown:  "1 x7 sales level-2 财务",
	} {
		for w := range strings.FieldsSeq(words) {
			if got := rankOf(w); got != want {
				t.Errorf("%s has rank %d, want %d", w, got, want)
			}
		}
	}
}

func TestRolesAreBounded(t *testing.T) {
	r := New(Config{})
	for i := range uint64(2000) {
		visit(r, shown(i+1, claims("role", fmt.Sprint("r", i))))
	}
	if len(r.known) != maxRoles || r.Stats().RefusedRoles == 0 {
		t.Errorf("%d roles, %d refused", len(r.known), r.Stats().RefusedRoles)
	}
}

func BenchmarkResolveRole(b *testing.B) {
	b.ReportAllocs()
	r := New(Config{})
	o := shown(1, claims("sub", "", "role", "admin", "roles[]", "auditor"))
	visit(r, o)
	for b.Loop() {
		w := r.Resolve(o)
		r.Learn(o, w, true)
	}
}
