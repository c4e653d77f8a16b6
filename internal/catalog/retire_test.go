package catalog

import (
	"fmt"
	"testing"

	"xiezhi/internal/taxonomy"
)

func TestRetirement(t *testing.T) {
	const hour, day = int64(3600e9), int64(24 * 3600e9)
	alive := func(path string) *build { return request("GET", path).json(200, "orders").leaf("data.id", "1") }
	gone := func(path string) *build { return request("GET", path).small(410, "gone") }
	denied := func(path string) *build { return request("GET", path).small(403, "denied") }
	for _, c := range []struct {
		name    string
		answer  func(string) *build
		n       int
		clients int
		span    int64
		after   *build // an answer at the end
		retired bool
	}{
		{"410 to everybody for two days", gone, 40, 5, 2 * day, nil, true},
		{"410 for an hour", gone, 40, 5, hour, nil, false},
		{"410 to one client", gone, 40, 1, 2 * day, nil, false},
		{"too few", gone, 20, 5, 2 * day, nil, false},
		{"it answers again", gone, 40, 5, 2 * day, alive("/api/v1/orders"), false},
		{"a refused order is an answer", gone, 40, 5, 2 * day, request("GET", "/api/v1/orders").small(409, "taken"), false},
		{"denied for eight days", denied, 40, 5, 8 * day, nil, true},
		{"denied for two days", denied, 40, 5, 2 * day, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			do := func(b *build, at int64, client int) {
				b.Start = at
				s.do(b.from(fmt.Sprintf("203.0.113.%d", client+1)))
			}
			for i := range 20 {
				do(alive("/api/v1/orders"), int64(i)*hour, i%7)
			}
			begun := 20 * hour
			for i := range c.n {
				do(c.answer("/api/v1/orders"), begun+int64(i)*c.span/int64(c.n-1), i%c.clients)
			}
			end := begun + c.span + hour
			if c.after != nil {
				do(c.after, end, 9)
			}
			list := s.APIs()
			if len(list) != 1 {
				t.Fatalf("%d APIs", len(list))
			}
			if got := list[0].Lifecycle(end) == taxonomy.LifeRetired; got != c.retired {
				t.Errorf("retired: %v, want %v", got, c.retired)
			}
		})
	}
}

func TestSuccessor(t *testing.T) {
	const hour, day = int64(3600e9), int64(24 * 3600e9)
	see := func(s *site, path string, from, to int64) {
		for at := from; at <= to; at += hour * 6 {
			b := request("GET", path).json(200, "orders").leaf("data.id", "1")
			b.Start = at
			s.do(b)
		}
	}
	for _, c := range []struct {
		name     string
		old, now string
		silent   bool
		want     bool
	}{
		{"calls move to v2", "/api/v1/orders", "/api/v2/orders", true, true},
		{"and to v3 of a thing with an id", "/v2/orders/17", "/v3/orders/18", true, true},
		{"both are called", "/api/v1/orders", "/api/v2/orders", false, false},
		{"another thing", "/api/v1/orders", "/api/v2/refunds", true, false},
		{"a lower version", "/api/v2/orders", "/api/v1/orders", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			see(s, c.old, 0, 10*day)
			see(s, c.now, 10*day, 20*day)
			if !c.silent {
				see(s, c.old, 15*day, 20*day)
			}
			list := s.APIs()
			if len(list) != 2 {
				t.Fatalf("%d APIs", len(list))
			}
			got := false
			for _, a := range list {
				if a.Successor != "" {
					got = true
					if b := list[0]; b == a && a.Successor != list[1].ID || a.Lifecycle(20*day) != taxonomy.LifeRetired {
						t.Errorf("%s: successor %s, %s", a.Template, a.Successor, a.Lifecycle(20*day))
					}
				}
			}
			if got != c.want {
				t.Errorf("succeeded: %v, want %v", got, c.want)
			}
		})
	}
}

func TestTemplateForms(t *testing.T) {
	for template, want := range map[string]struct {
		anonymous, rest string
		version         int
	}{
		"/api/v2/users/{id}":   {"/api/v2/users/{}", "/api/*/users/{id}", 2},
		"/api/V10/a":           {"/api/V10/a", "/api/*/a", 10},
		"/api/v+2/a":           {"/api/v+2/a", "/api/v+2/a", 0},
		"/v0/v/vote/v2x/{a}.b": {"/v0/v/vote/v2x/{}.b", "/v0/v/vote/v2x/{a}.b", 0},
		"/v99999999999/a":      {"/v99999999999/a", "/v99999999999/a", 0},
		"/a/{b{c}d}/}e":        {"/a/{}/}e", "/a/{b{c}d}/}e", 0},
	} {
		if got := Anonymous(template); got != want.anonymous {
			t.Errorf("%s without names is %s, want %s", template, got, want.anonymous)
		}
		if rest, v := Version(template); rest != want.rest || v != want.version {
			t.Errorf("%s is %s of version %d, want %s of %d", template, rest, v, want.rest, want.version)
		}
	}
}
