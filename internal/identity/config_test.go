package identity

import (
	"net/netip"
	"testing"

	"xiezhi/internal/observe"
)

func TestClaimedAddress(t *testing.T) {
	a := netip.MustParseAddr
	claim := func(pairs ...string) (out []observe.ClaimedAddr) {
		for i := 0; i+1 < len(pairs); i += 2 {
			out = append(out, observe.ClaimedAddr{Header: pairs[i], Addr: a(pairs[i+1])})
		}
		return out
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for name, c := range map[string]struct {
		headers []string
		peer    string
		way     []netip.Addr
		claimed []observe.ClaimedAddr
		want    string
	}{
		"from an untrusted peer":              {nil, "203.0.113.9", nil, claim("cf-connecting-ip", "198.51.100.7"), "203.0.113.9"},
		"configured, from an untrusted peer":  {[]string{"cf-connecting-ip"}, "203.0.113.9", nil, claim("cf-connecting-ip", "198.51.100.7"), "203.0.113.9"},
		"without a way":                       {nil, "10.0.0.1", nil, claim("cf-connecting-ip", "198.51.100.7"), "198.51.100.7"},
		"the more reliable first":             {nil, "10.0.0.1", nil, claim("x-client-ip", "1.2.3.4", "x-real-ip", "198.51.100.7"), "198.51.100.7"},
		"not configured, the way counts":      {nil, "10.0.0.1", []netip.Addr{a("198.51.100.9")}, claim("cf-connecting-ip", "198.51.100.7"), "198.51.100.9"},
		"configured, goes before the way":     {[]string{"cf-connecting-ip"}, "10.0.0.1", []netip.Addr{a("198.51.100.7"), a("172.64.0.1")}, claim("cf-connecting-ip", "198.51.100.7"), "198.51.100.7"},
		"another one is configured":           {[]string{"ali-cdn-real-ip"}, "10.0.0.1", []netip.Addr{a("198.51.100.9")}, claim("cf-connecting-ip", "1.2.3.4"), "198.51.100.9"},
		"a header of the house's own":         {[]string{"x-edge-client"}, "10.0.0.1", nil, claim("x-real-ip", "1.2.3.4", "x-edge-client", "198.51.100.7"), "198.51.100.7"},
		"unknown and not configured, no way":  {nil, "10.0.0.1", nil, claim("x-edge-client", "198.51.100.7"), "10.0.0.1"},
		"the first configured that is there":  {[]string{"true-client-ip", "cf-connecting-ip"}, "10.0.0.1", nil, claim("cf-connecting-ip", "198.51.100.7"), "198.51.100.7"},
		"mapped addresses are the same thing": {nil, "::ffff:10.0.0.1", nil, claim("x-real-ip", "::ffff:198.51.100.7"), "198.51.100.7"},
	} {
		r := New(Config{TrustedProxies: trusted, AddressHeaders: c.headers})
		o := from(c.peer)
		o.Forwarded, o.Claimed = c.way, c.claimed
		if w := r.Resolve(o); w.Client.String() != c.want {
			t.Errorf("%s: %s, want %s", name, w.Client, c.want)
		}
	}
}

func TestConfiguredSession(t *testing.T) {
	cookie := observe.Credential{Kind: observe.CredCookie, In: observe.InCookie, Name: "track", Token: 1, Account: 11}
	field := observe.Credential{Kind: observe.CredAPIKey, In: observe.InJSON, Name: "auth.ticket", Token: 2}
	gateway := observe.Credential{Kind: observe.CredOther, In: observe.InHeader, Name: "x-who", Token: 3, Account: 33}
	o := func(cs ...observe.Credential) *observe.Observation {
		x := from("203.0.113.1")
		x.Credentials = cs
		return x
	}
	who := func(keys []Key, cs ...observe.Credential) uint64 {
		return New(Config{Sessions: keys}).Resolve(o(cs...)).Credential
	}
	if got := who(nil, cookie, field, gateway); got != 1 {
		t.Errorf("credential %d without a configuration", got)
	}
	if got := who([]Key{{observe.InBody, "ticket"}}, cookie, field, gateway); got != 2 {
		t.Errorf("credential %d, want the ticket", got)
	}
	if got := who([]Key{{observe.InBody, "AUTH.ticket"}}, cookie, field, gateway); got != 2 {
		t.Errorf("credential %d, want the ticket by its whole path", got)
	}
	if got := who([]Key{{observe.InQuery, "ticket"}}, cookie, field, gateway); got != 1 {
		t.Errorf("credential %d: a ticket in the body is none in the query", got)
	}
	r := New(Config{Sessions: []Key{{observe.InHeader, "x-who"}}})
	if w := r.Resolve(o(cookie, gateway)); w.Principal != 33 {
		t.Errorf("principal %d, want the one whom the gateway names", w.Principal)
	}
	if w := r.Resolve(o(cookie)); w.Principal != 11 {
		t.Errorf("principal %d where the header is missing", w.Principal)
	}
}
