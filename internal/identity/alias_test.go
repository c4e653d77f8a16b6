package identity

import (
	"testing"

	"xiezhi/internal/observe"
)

func loginAs(r *Resolver, login, credential uint64, leaves ...observe.Leaf) {
	o := &observe.Observation{Method: "POST", Accounts: []observe.Account{{Name: "email", In: observe.InJSON, Kind: observe.AccountEmail, Token: login}},
		Passwords: []observe.Password{{Use: observe.PasswordCurrent}}, Issued: []observe.Credential{{Kind: observe.CredBearer, Token: credential}}, Leaves: leaves}
	r.Learn(o, r.Resolve(o), true)
}

func asker(r *Resolver, credential uint64) Who {
	return r.Resolve(&observe.Observation{Method: "GET", Credentials: []observe.Credential{{Kind: observe.CredBearer, Token: credential}}})
}

func TestAliasesFromLogin(t *testing.T) {
	r := New(Config{})
	loginAs(r, 1, 10, observe.Leaf{Path: "user.id", Token: 42}, observe.Leaf{Path: "user.roleId", Token: 7}, observe.Leaf{Path: "id", Token: 99})
	w := asker(r, 10)
	if !w.Is(1) || !w.Is(42) {
		t.Errorf("aliases %v of principal %d", w.Aliases, w.Principal)
	}
	if w.Is(7) || w.Is(99) || w.Is(0) {
		t.Errorf("a role or a session became a name: %v", w.Aliases)
	}
}

// What many principals share names none of them.
func TestSharedAliasIsVoid(t *testing.T) {
	r := New(Config{})
	for i := uint64(1); i <= 4; i++ {
		loginAs(r, i, 10*i, observe.Leaf{Path: "data.account", Token: 500}, observe.Leaf{Path: "data.userId", Token: 100 + i})
	}
	for i := uint64(1); i <= 4; i++ {
		w := asker(r, 10*i)
		if w.Is(500) {
			t.Errorf("principal %d goes by a shared name", i)
		}
		if !w.Is(100+i) || w.Is(100+i%4+1) {
			t.Errorf("principal %d: %v", i, w.Aliases)
		}
	}
}

func TestAliasesFromProfile(t *testing.T) {
	r := New(Config{})
	loginAs(r, 1, 10)
	word := func(s string) observe.Segment { return observe.Segment{Text: s, Class: observe.ClassWord} }
	o := &observe.Observation{Method: "GET", Segments: []observe.Segment{word("api"), word("me")}, Credentials: []observe.Credential{{Kind: observe.CredBearer, Token: 10}},
		Leaves: []observe.Leaf{{Path: "data.id", Token: 42}, {Path: "data.managerId", Token: 9}}}
	r.Learn(o, r.Resolve(o), true)
	other := *o
	other.Segments = []observe.Segment{word("api"), word("users"), {Text: "43", Class: observe.ClassInt}}
	other.Leaves = []observe.Leaf{{Path: "data.id", Token: 43}}
	r.Learn(&other, r.Resolve(&other), true)
	if w := asker(r, 10); !w.Is(42) || w.Is(9) || w.Is(43) {
		t.Errorf("aliases %v", w.Aliases)
	}
}
