package observe

import (
	"net/netip"
	"reflect"
	"testing"
)

func observeWith(t *testing.T, h Hints, c call) *Observation {
	t.Helper()
	cfg := newConfig(t)
	cfg.Names = cfg.Names.With(h)
	o, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	o.Observe(c.exchange(), &b)
	return b.At(0)
}

func TestClaimedAddresses(t *testing.T) {
	c := call{target: "/", head: []string{"CF-Connecting-IP", "198.51.100.7", "X-Forwarded-For", "1.2.3.4", "True-Client-IP", "2001:db8::5", "X-Real-IP", "nonsense",
		"X-Edge-Client", "198.51.100.8, 10.0.0.1", "cf-connecting-ip", "9.9.9.9"}}
	a := netip.MustParseAddr
	want := []ClaimedAddr{{"cf-connecting-ip", a("198.51.100.7")}, {"true-client-ip", a("2001:db8::5")}}
	o := observe(t, c)
	if !reflect.DeepEqual(o.Claimed, want) || !reflect.DeepEqual(o.Forwarded, []netip.Addr{a("1.2.3.4")}) {
		t.Errorf("claimed %v, forwarded %v", o.Claimed, o.Forwarded)
	}
	o = observeWith(t, Hints{AddressHeaders: []string{"X-Edge-Client"}}, c)
	if want = append(want, ClaimedAddr{"x-edge-client", a("198.51.100.8")}); !reflect.DeepEqual(o.Claimed, want) {
		t.Errorf("claimed %v", o.Claimed)
	}
}

func TestHints(t *testing.T) {
	h := Hints{SessionCookies: []string{"_ga_shop"}, SessionHeaders: []string{"X-Shop-Auth"}, SessionFields: []string{"shopkey"},
		AccountHeaders: []string{"X-Who"}, AccountFields: []string{"workNo"}, AccountClaims: []string{"staff_no"}}
	c := call{target: "/x?shopkey=abcdef0123456789", body: `{"workNo":"A1007","qty":2}`, respHead: []string{"Content-Type", "application/json"}, respBody: `{"shopKey":"0f1e2d3c4b5a69788796a5b4"}`,
		head: []string{"Content-Type", "application/json", "Cookie", "_ga_shop=abcdefgh12345678", "X-Shop-Auth", "zzzzyyyyxxxx1234", "X-Who", "A1007",
			"Authorization", "Bearer " + jwtOf(`{"sub":"session-9","staff_no":"A1007"}`)}}
	plain, o := observe(t, c), observeWith(t, h, c)
	if len(plain.Credentials) != 1 || len(plain.Accounts) != 0 || len(plain.Issued) != 0 {
		t.Fatalf("without hints: %+v %+v %+v", plain.Credentials, plain.Accounts, plain.Issued)
	}
	by := map[string]Credential{}
	for _, c := range o.Credentials {
		by[c.Name] = c
	}
	if len(by) != 5 || by["_ga_shop"].Kind != CredCookie || by["x-shop-auth"].Kind != CredAPIKey || by["shopkey"].In != InQuery {
		t.Errorf("credentials %+v", o.Credentials)
	}
	if len(o.Accounts) != 1 || o.Accounts[0].Name != "workNo" || len(o.Issued) != 1 {
		t.Fatalf("accounts %+v, issued %+v", o.Accounts, o.Issued)
	}
	// One account in four places is one token.
	if who := o.Accounts[0].Token; who == 0 || by["x-who"].Account != who || by["authorization"].Account != who {
		t.Errorf("account %x, by header %x, by claim %x", who, by["x-who"].Account, by["authorization"].Account)
	}
	if plain.Credentials[0].Account == o.Accounts[0].Token {
		t.Error("the claim counts without being configured")
	}
}

func TestRoleWords(t *testing.T) {
	body := `{"data":{"roles":["admin","13800138000"],"role":"Store Manager","isAdmin":true,"userType":2,"authorities":[{"authority":"ROLE_USER"}],
		"admin":{"name":"zhangsan"},"user_role":"this-is-a-very-long-description-of-a-role","roleName":"超级管理员","memberRole":"a@b.example"}}`
	o := observe(t, call{target: "/me", respHead: []string{"Content-Type", "application/json"}, respBody: body})
	want := []RoleWord{{"data.roles[]", "admin"}, {"data.isAdmin", "true"}, {"data.userType", "2"}, {"data.authorities[].authority", "role_user"}, {"data.roleName", "超级管理员"}}
	if !reflect.DeepEqual(o.Roles, want) {
		t.Errorf("roles %q", o.Roles)
	}
	words := func(claims string) (out []string) {
		o := observe(t, call{target: "/x", head: []string{"Authorization", "Bearer " + jwtOf(claims)}})
		for _, c := range o.Credentials[0].JWT.Claims {
			if c.Word != "" {
				out = append(out, c.Name+"="+c.Word)
			}
		}
		return out
	}
	for claims, want := range map[string][]string{
		`{"sub":"7","role":"Admin"}`:                                     {"role=admin"},
		`{"sub":"7","realm_access":{"roles":["clerk","x y"]}}`:           {"realm_access.roles[]=clerk"},
		`{"sub":"7","scope":"read write user:admin"}`:                    {"scope=user:admin"},
		`{"sub":"7","scope":"openid profile","name":"root","admin":"1"}`: {"admin=1"},
		`{"sub":"7","is_admin":true,"role":"13800138000"}`:               {"is_admin=true"},
	} {
		if got := words(claims); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", claims, got, want)
		}
	}
}
