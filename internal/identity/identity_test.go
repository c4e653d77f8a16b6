package identity

import (
	"fmt"
	"net/netip"
	"testing"

	"xiezhi/internal/observe"
	"xiezhi/internal/sketch"

	"pgregory.net/rapid"
)

func tok(s string) uint64 { return sketch.HashString("token:" + s) }

func from(addr string) *observe.Observation {
	return &observe.Observation{Method: "GET", Client: netip.AddrPortFrom(netip.MustParseAddr(addr), 999), Agent: 1, AgentFamily: "chrome", Status: 200}
}

func login(account, issued string) *observe.Observation {
	o := from("203.0.113.1")
	o.Method = "POST"
	o.Accounts = []observe.Account{{Name: "username", In: observe.InJSON, Kind: observe.AccountName, Token: tok(account)}}
	o.Passwords = []observe.Password{{Use: observe.PasswordCurrent}}
	if issued != "" {
		o.Issued = []observe.Credential{{Kind: observe.CredBearer, Token: tok(issued)}}
	}
	return o
}

func bearer(o *observe.Observation, token string) *observe.Observation {
	o.Credentials = append(o.Credentials, observe.Credential{Kind: observe.CredBearer, Token: tok(token)})
	return o
}

func step(r *Resolver, o *observe.Observation, success bool) Who {
	w := r.Resolve(o)
	r.Learn(o, w, success)
	return w
}

func TestClientBehindProxies(t *testing.T) {
	r := New(Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:f::/48")}})
	addrs := func(l ...string) (out []netip.Addr) {
		for _, s := range l {
			out = append(out, netip.MustParseAddr(s))
		}
		return out
	}
	for name, c := range map[string]struct {
		peer      string
		forwarded []netip.Addr
		want      string
	}{
		"no proxy":                   {"198.51.100.7", nil, "198.51.100.7"},
		"forged by an untrusted one": {"198.51.100.7", addrs("1.2.3.4"), "198.51.100.7"},
		"one proxy":                  {"10.0.0.1", addrs("198.51.100.7"), "198.51.100.7"},
		"forged behind a proxy":      {"10.0.0.1", addrs("1.2.3.4", "198.51.100.7"), "198.51.100.7"},
		"two proxies":                {"10.0.0.1", addrs("198.51.100.7", "10.0.0.2"), "198.51.100.7"},
		"all trusted":                {"10.0.0.1", addrs("10.9.9.9", "10.0.0.2"), "10.9.9.9"},
		"IPv6 proxy":                 {"2001:db8:f::1", addrs("2001:db8:1::5"), "2001:db8:1::5"},
		"mapped":                     {"::ffff:10.0.0.1", addrs("::ffff:198.51.100.7"), "198.51.100.7"},
		"proxy without header":       {"10.0.0.1", nil, "10.0.0.1"},
	} {
		o := from(c.peer)
		o.Forwarded = c.forwarded
		w := r.Resolve(o)
		if w.Client.String() != c.want {
			t.Errorf("%s: %s, want %s", name, w.Client, c.want)
		}
		if !w.Prefix.Contains(w.Client) {
			t.Errorf("%s: prefix %s", name, w.Prefix)
		}
	}
}

func TestPrivateAndPrefix(t *testing.T) {
	r := New(Config{})
	for a, private := range map[string]bool{"10.1.2.3": true, "192.168.0.1": true, "127.0.0.1": true, "fe80::1": true, "fc00::1": true, "100.64.3.4": true, "8.8.8.8": false, "2001:db8::1": false} {
		w := r.Resolve(from(a))
		if w.Private != private {
			t.Errorf("%s: private %v", a, w.Private)
		}
		if bits := w.Prefix.Bits(); w.Client.Is4() && bits != 24 || w.Client.Is6() && bits != 64 {
			t.Errorf("%s: /%d", a, bits)
		}
	}
}

func TestPrincipalIsLearnedAtLogin(t *testing.T) {
	r := New(Config{})
	if w := r.Resolve(bearer(from("203.0.113.1"), "t1")); w.Principal != 0 || !w.Known() {
		t.Errorf("principal before login: %+v", w)
	}
	w := step(r, login("alice", "t1"), true)
	if !w.NewSubject || w.Registered || w.Subject != tok("alice") {
		t.Errorf("first login: %+v", w)
	}
	w = step(r, bearer(from("198.51.100.9"), "t1"), true)
	if w.Principal != tok("alice") || w.Session != tok("t1") {
		t.Errorf("after login: %+v", w)
	}
	w = r.Resolve(login("alice", ""))
	if w.NewSubject || !w.Registered {
		t.Errorf("second login: %+v", w)
	}
	if !r.Registered(tok("alice")) || r.Registered(tok("bob")) {
		t.Error("registered accounts are wrong")
	}
	// Hard negatives: a failed login proves nothing and issues nothing.
	step(r, login("bob", "t2"), false)
	if w := r.Resolve(bearer(from("203.0.113.1"), "t2")); w.Principal != 0 {
		t.Error("a failed login taught a principal")
	}
	if w := r.Resolve(login("bob", "")); w.Registered || w.NewSubject {
		t.Errorf("after a failed try: %+v", w)
	}
}

func TestRefreshedTokensKeepTheirOwner(t *testing.T) {
	r := New(Config{})
	step(r, login("alice", "t1"), true)
	o := bearer(from("203.0.113.1"), "t1")
	o.Issued = []observe.Credential{{Kind: observe.CredBearer, Token: tok("t2")}}
	step(r, o, true)
	if w := r.Resolve(bearer(from("203.0.113.1"), "t2")); w.Principal != tok("alice") {
		t.Error("the refreshed token has no owner")
	}
}

func TestSessionCookieThatLoginKeeps(t *testing.T) {
	r := New(Config{})
	o := login("alice", "")
	o.Credentials = []observe.Credential{{Kind: observe.CredCookie, Name: "JSESSIONID", Token: tok("s")}}
	step(r, o, true)
	o = from("203.0.113.1")
	o.Credentials = []observe.Credential{{Kind: observe.CredCookie, Name: "tracking", Token: tok("x")}, {Kind: observe.CredCookie, Name: "JSESSIONID", Token: tok("s")}}
	if w := r.Resolve(o); w.Principal != tok("alice") || w.Credential != tok("s") {
		t.Errorf("%+v", w)
	}
}

func TestSelfNamedCredentials(t *testing.T) {
	r := New(Config{})
	o := from("203.0.113.1")
	o.Credentials = []observe.Credential{{Kind: observe.CredBearer, Token: tok("jwt"), Account: tok("subject-7")}}
	if w := r.Resolve(o); w.Principal != tok("subject-7") {
		t.Error("JWT subject is not the principal")
	}
	step(r, o, true)
	if !r.Registered(tok("subject-7")) {
		t.Error("an accepted token's subject does not exist")
	}
	// What a login shows goes before what the token says.
	l := login("alice", "jwt")
	step(r, l, true)
	if w := r.Resolve(o); w.Principal != tok("alice") {
		t.Error("login does not overrule the token")
	}
}

func TestProfileNamesTheAsker(t *testing.T) {
	seg := func(words ...string) (l []observe.Segment) {
		for _, w := range words {
			l = append(l, observe.Segment{Text: w, Class: observe.ClassWord})
		}
		return l
	}
	leaves := []observe.Leaf{{Path: "data.email", Token: tok("a@b")}, {Path: "data.username", Token: tok("alice")}}
	r := New(Config{})
	o := bearer(from("203.0.113.1"), "t")
	o.Segments, o.Leaves = seg("api", "me"), leaves
	step(r, o, true)
	if w := r.Resolve(o); w.Principal != tok("alice") {
		t.Error("profile taught nothing")
	}
	// Hard negative: somebody's page is not the asker's profile.
	r = New(Config{})
	o = bearer(from("203.0.113.1"), "t")
	o.Segments, o.Leaves = append(seg("profile"), observe.Segment{Text: "7", Class: observe.ClassInt}), leaves
	step(r, o, true)
	if w := r.Resolve(o); w.Principal != 0 {
		t.Error("another's profile named the asker")
	}
}

func TestSharedAddress(t *testing.T) {
	r := New(Config{})
	for i := range 3 {
		p := fmt.Sprint("user", i)
		step(r, login(p, "t"+p), true)
		for range 5 {
			o := bearer(from("203.0.113.50"), "t"+p)
			o.Agent = uint64(10 + i)
			step(r, o, true)
		}
	}
	if !r.Resolve(from("203.0.113.50")).Shared {
		t.Error("an office is not seen as shared")
	}
	// Hard negative: stolen passwords tried from one address.
	for i := range 50 {
		o := login(fmt.Sprint("victim", i), fmt.Sprint("v", i))
		o.Agent = uint64(1000 + i)
		step(r, o, true)
	}
	if r.Resolve(from("203.0.113.1")).Shared {
		t.Error("an attacker's address is seen as shared")
	}
}

func TestSubjectPrefersTheForm(t *testing.T) {
	o := from("203.0.113.1")
	o.Accounts = []observe.Account{
		{In: observe.InPath, Kind: observe.AccountName, Token: 1}, {In: observe.InJSON, Kind: observe.AccountPhone, Token: 2},
		{In: observe.InJSON, Kind: observe.AccountName, Token: 3}, {In: observe.InQuery, Kind: observe.AccountName, Token: 4},
	}
	if w := New(Config{}).Resolve(o); w.Subject != 3 {
		t.Errorf("subject %d", w.Subject)
	}
}

func TestBoundedAndCounted(t *testing.T) {
	r := New(Config{MaxAccounts: 1000, MaxCredentials: 1000, MaxClients: 1000})
	for i := range 20_000 {
		a := fmt.Sprint(i)
		step(r, login(a, a), true)
		o := bearer(from(netip.AddrFrom4([4]byte{8, 1, byte(i >> 8), byte(i)}).String()), a)
		step(r, o, true)
	}
	s := r.Stats()
	if s.Accounts > 1000 || s.Credentials > 1000 || s.Clients > 1000 {
		t.Errorf("over the caps: %+v", s)
	}
	if s.EvictedAccounts == 0 || s.EvictedCredentials == 0 || s.EvictedClients == 0 {
		t.Errorf("evictions are not counted: %+v", s)
	}
}

// Any observation, however odd, gives an answer, and Resolve does not write.
func TestResolveIsPure(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := New(Config{})
		for range rapid.IntRange(1, 20).Draw(rt, "n") {
			o := from("203.0.113.1")
			if rapid.Bool().Draw(rt, "zero address") {
				o.Client = netip.AddrPort{}
			}
			for range rapid.IntRange(0, 3).Draw(rt, "creds") {
				o.Credentials = append(o.Credentials, observe.Credential{Kind: observe.CredentialKind(rapid.Byte().Draw(rt, "kind")), Token: rapid.Uint64Range(0, 3).Draw(rt, "token"), Account: rapid.Uint64Range(0, 3).Draw(rt, "account")})
			}
			for range rapid.IntRange(0, 3).Draw(rt, "accounts") {
				o.Accounts = append(o.Accounts, observe.Account{In: observe.Location(rapid.Byte().Draw(rt, "in")), Kind: observe.AccountKind(rapid.Byte().Draw(rt, "kind")), Token: rapid.Uint64Range(0, 3).Draw(rt, "token")})
			}
			a, b := r.Resolve(o), r.Resolve(o)
			if a != b {
				rt.Fatalf("%+v then %+v", a, b)
			}
			r.Learn(o, a, rapid.Bool().Draw(rt, "success"))
		}
	})
}

func BenchmarkResolveLearn(b *testing.B) {
	b.ReportAllocs()
	r := New(Config{})
	step(r, login("alice", "t"), true)
	o := bearer(from("203.0.113.1"), "t")
	for b.Loop() {
		step(r, o, true)
	}
}
