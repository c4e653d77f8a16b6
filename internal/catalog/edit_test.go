package catalog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"xiezhi/internal/policy"
	"xiezhi/internal/taxonomy"

	"pgregory.net/rapid"
)

// editsOf parses edits as a policy file has them.
func editsOf(t testing.TB, lines ...string) []policy.Template {
	t.Helper()
	f, err := policy.Parse("p.yaml", []byte("version: 1\ntemplates:\n  - "+strings.Join(lines, "\n  - ")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return f.Templates
}

func (s *site) edit(t testing.TB, lines ...string) {
	list := editsOf(t, lines...)
	for i := range list {
		s.Edit(&list[i])
	}
}

var edits = []string{
	`{edit: split, template: /users/v1/alice}`,
	`{edit: split, template: "/books/{kind}/export"}`,
	`{edit: merge, template: "/shops/{city}"}`,
	`{edit: rename, template: "/users/v1/{account}", method: GET, title: A user's page}`,
	`{edit: role, template: /me, role: login}`,
	`{edit: split, template: /orders/17}`,
}

func editTraffic(s *site) {
	for range 2 {
		for _, b := range userSite() {
			s.do(b)
		}
		for i := range 12 {
			s.do(request("GET", fmt.Sprintf("/orders/%d", 12+i)).json(200, "order"))
			s.do(request("GET", "/shops/"+[]string{"oslo", "list", "berlin"}[i%3]).json(200, fmt.Sprint("shop", i%3)))
		}
	}
}

var editedTemplates = []string{
	"GET /books/v1", "POST /books/v1", "GET /books/v1/{book_name}", "GET /me", "GET /orders/17", "GET /orders/{order_id}", "GET /shops/{city}", "GET /users/v1", "GET /users/v1/_debug",
	"GET /users/v1/alice", "PUT /users/v1/alice/email", "POST /users/v1/login", "POST /users/v1/register", "GET /users/v1/{account}", "PUT /users/v1/{account}/email",
}

func TestEditsWin(t *testing.T) {
	s := newSite(t)
	s.edit(t, edits...)
	editTraffic(s)
	want(t, s, editedTemplates...)
	for _, a := range s.APIs() {
		switch a.Method + " " + a.Template {
		case "GET /users/v1/{account}":
			if a.Title != "A user's page" {
				t.Errorf("title %q", a.Title)
			}
		case "PUT /users/v1/{account}/email":
			if a.Title != "" {
				t.Errorf("title %q of another API", a.Title)
			}
		case "GET /me":
			if a.Role != taxonomy.RoleLogin {
				t.Errorf("role %s", a.Role)
			}
		}
	}
	counts := map[string]int{}
	for _, e := range s.Edits() {
		counts[e.Edit] += e.APIs
	}
	if counts["split"] != 2 || counts["merge"] != 1 || counts["rename"] != 1 || counts["role"] != 1 {
		t.Errorf("edits in effect: %v", counts)
	}
}

// An edit that comes late folds what was learned, and says so.
func TestLateMerge(t *testing.T) {
	s := newSite(t)
	var total uint64
	for i, city := range []string{"oslo", "berlin", "list"} {
		s.do(request("GET", "/shops/"+city).json(200, fmt.Sprint(i)))
		total++
	}
	if len(s.APIs()) != 3 {
		t.Fatalf("%v", s.templates())
	}
	s.edit(t, `{edit: merge, template: "/shops/{city}"}`)
	ev := s.do(request("GET", "/shops/paris").json(200, "another"))
	if len(ev.Merges) != 2 || ev.API == nil || ev.API.Exchanges != total+1 {
		t.Errorf("%d merges, %+v", len(ev.Merges), ev.API)
	}
	want(t, s, "GET /shops/{city}")
	if a := s.Lookup(&request("GET", "/shops/list").json(200, "x").Observation); a != ev.API {
		t.Error("the old path leads elsewhere")
	}
}

// Edits hold on every host that they are about, the ones to come included.
func TestEditsOfHosts(t *testing.T) {
	s := newSite(t)
	s.edit(t, `{edit: merge, host: "*.tenant.example", template: "/x/{name}"}`)
	for _, h := range []string{"a.tenant.example", "b.tenant.example", "other.example"} {
		for _, w := range []string{"list", "search"} {
			b := request("GET", "/x/"+w).json(200, w)
			b.Host = h
			s.do(b)
		}
	}
	want(t, s, "GET /x/list", "GET /x/search", "GET /x/{name}", "GET /x/{name}")
}

// Whatever comes in whatever order, with edits from the beginning or from some
// moment on: the books balance, pinned paths stay, gathering places hold
// nothing beside.
func TestAnyTrafficKeepsEdits(t *testing.T) {
	list := editsOf(t, `{edit: split, template: /users/alice}`, `{edit: split, template: "/orders/{id}/17"}`, `{edit: merge, template: "/orders/{id}"}`,
		`{edit: merge, template: "/users/{a}/{b}"}`, `{edit: rename, template: "/v1/{x}", title: T}`, `{edit: role, template: /list, role: login}`, `{edit: split, template: "/v1/{x}:approve"}`)
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 11))
		n := rapid.IntRange(1, 400).Draw(rt, "n")
		late := rapid.IntRange(0, 200).Draw(rt, "late")
		s := newSite(t)
		counts := map[Handle]uint64{}
		for i := range n {
			if i == late {
				for k := range list {
					s.Edit(&list[k])
				}
			}
			ev := s.do(anything(r))
			for _, m := range ev.Merges {
				counts[m.Into] += counts[m.From]
				delete(counts, m.From)
			}
			if ev.API != nil {
				counts[ev.API.Handle]++
			}
		}
		nodes, ops := 0, 0
		for _, root := range s.roots {
			a, b := size(rt, root)
			nodes, ops = nodes+a, ops+b
			if n <= late {
				continue
			}
			if root.lit("users") == nil || root.lit("users").lit("alice") == nil {
				rt.Fatal("a pinned path is gone")
			}
			if g := root.lit("orders"); g != nil {
				for _, k := range g.order {
					if !k.pinned {
						rt.Fatalf("%q stands beside a parameter that takes all", k.text)
					}
				}
			}
		}
		if nodes != s.nodes || ops != s.live {
			rt.Fatalf("%d nodes and %d operations, counted %d and %d", nodes, ops, s.nodes, s.live)
		}
		for h, p := range s.ops {
			if h != 0 && s.Resolve(Handle(h)) == Handle(h) && counts[p.Handle] != p.Exchanges {
				rt.Fatalf("%s: %d folded, %d counted", p.Template, counts[p.Handle], p.Exchanges)
			}
		}
	})
}

// TestUneditGivesBackWhatTrafficTeaches: a name and a role that were taken back
// leave what traffic and the edits that are left say; a split stays.
func TestUneditGivesBackWhatTrafficTeaches(t *testing.T) {
	plain, s := newSite(t), newSite(t)
	list := editsOf(t,
		`{edit: rename, template: "/users/v1/{account}", method: GET, title: A user's page}`,
		`{edit: rename, template: "/users/v1/{account}/email", title: Mail}`,
		`{edit: role, template: /me, role: login}`,
		`{edit: split, template: /users/v1/alice}`)
	for i := range list {
		s.Edit(&list[i])
	}
	editTraffic(plain)
	editTraffic(s)
	api := func(s *site, name string) *API {
		for _, a := range s.APIs() {
			if a.Method+" "+a.Template == name {
				return a
			}
		}
		t.Fatalf("no %s among %v", name, s.APIs())
		return nil
	}
	for _, i := range []int{0, 2, 3} {
		again := editsOf(t, edits...)[0] // of the same place, and another edit
		s.Unedit(&again)
		other := list[i]
		s.Unedit(&other) // equal, not the same in memory
	}
	editTraffic(plain)
	editTraffic(s)
	if a := api(s, "GET /users/v1/{account}"); a.Title != "" {
		t.Errorf("the title is still %q", a.Title)
	}
	if a := api(s, "PUT /users/v1/{account}/email"); a.Title != "Mail" {
		t.Errorf("the other edit says %q", a.Title)
	}
	if got, want := api(s, "GET /me").Role, api(plain, "GET /me").Role; got != want {
		t.Errorf("the role is %q, %q without the edit", got, want)
	}
	api(s, "GET /users/v1/alice")
	if n := len(s.Edits()); n != 2 {
		t.Errorf("%d edits are left", n)
	}
	mail := list[1]
	s.Unedit(&mail)
	editTraffic(plain)
	editTraffic(s)
	for _, a := range plain.APIs() {
		if a.Template == "/users/v1/{account}" {
			t.Fatal("traffic alone names the parameter so: the test shows nothing")
		}
	}
	for _, a := range s.APIs() {
		if strings.Contains(a.Template, "{account}") || a.Title != "" {
			t.Errorf("%s %s %q is left of the names", a.Method, a.Template, a.Title)
		}
	}
}
