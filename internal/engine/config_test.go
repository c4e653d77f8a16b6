package engine_test

import (
	"strings"
	"testing"

	"xiezhi/internal/engine"
)

func TestConfig(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":           {"", ""},
		"all":             {"time_zone: Asia/Shanghai\ntrusted_proxies: [10.0.0.0/8, \"2001:db8::/32\"]\nprivacy: {addresses: token}\nsites:\n  - {name: a, hosts: [A.example], industry: finance, time_zone: UTC}\n", ""},
		"unknown field":   {"sites:\n  - name: a\n    colour: red\n", "colour"},
		"wrong type":      {"trusted_proxies: 5\n", "trusted"},
		"bad network":     {"trusted_proxies: [10.0.0.0/99]\n", "neither an address nor a network"},
		"no name":         {"sites:\n  - hosts: [a]\n", "sites[0]: a site needs a name"},
		"star inside":     {"sites:\n  - {name: a, hosts: [a.*.example]}\n", "neither a name nor *. and a domain"},
		"star alone":      {"sites:\n  - {name: a, hosts: ['*']}\n", "neither a name nor *. and a domain"},
		"host twice":      {"sites:\n  - {name: a, hosts: [x]}\n  - {name: b, hosts: [X]}\n", "host x already belongs to site a"},
		"unknown zone":    {"time_zone: Moon\n", "unknown"},
		"unknown privacy": {"privacy: {addresses: maybe}\n", "neither plain nor token"},
		"password days":   {"sites:\n  - {name: a, privileged_password_days: -3}\n", "sites[0]: privileged_password_days"},
		"identity":        {"client_address_headers: [CF-Connecting-IP]\nsites:\n  - name: a\n    identity: {session: [\"cookie:SHOPSID\", \"header:X-Auth\", \"field:auth.ticket\"], account: [\"claim:staff_no\", \"header:X-Who\", \"field:工号\"]}\n", ""},
		"identity place":  {"sites:\n  - {name: a, identity: {session: [\"claim:sub\"]}}\n", "identity.session: \"claim:sub\" is none of cookie:NAME, header:NAME, field:NAME"},
		"identity name":   {"sites:\n  - {name: a, identity: {account: [\"header:X Who\"]}}\n", "cannot stand in a name"},
		"identity empty":  {"sites:\n  - {name: a, identity: {account: [\"header:\"]}}\n", "1 to 64 characters"},
		"address header":  {"client_address_headers: [\"X: y\"]\n", "client_address_headers"},
		"no YAML":         {"\t{", ""},
	} {
		_, err := engine.ParseConfig("c.yaml", []byte(c.text))
		switch {
		case name == "no YAML" && err == nil:
			t.Errorf("%s: accepted", name)
		case name == "no YAML":
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v, want one about %q", name, err, c.want)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("sites:\n  - {name: a, hosts: [x], industry: finance}\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		c, err := engine.ParseConfig("f.yaml", data)
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v with error %v", c, err)
		}
	})
}
