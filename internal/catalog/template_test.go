package catalog

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"xiezhi/internal/observe"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func want(t *testing.T, s *site, list ...string) {
	t.Helper()
	if d := cmp.Diff(list, s.templates()); d != "" {
		t.Errorf("templates (-want +got):\n%s", d)
	}
}

var people = []string{"alice", "bob", "carol", "chen", "zhangwei", "wangfang", "liuyang", "erin", "frank", "zhaolei"}

func TestIDShapesAreParametersAtOnce(t *testing.T) {
	for _, v := range []string{"123", "a8098c1a-f86e-11da-bd1a-00112444be1e", "deadbeef01", "a@b.cn", "2026-01-02", "report20260102", "20260102.pdf", "Zm9vYmFyYmF6MTIzNDU2Nzg5MA", "3.14"} {
		s := newSite(t)
		s.do(request("GET", "/orders/"+v).json(200, "order"))
		if l := s.templates(); len(l) != 1 || l[0] == "GET /orders/"+v {
			t.Errorf("%s: %v", v, l)
		}
	}
}

func TestVersionsStayLiteral(t *testing.T) {
	s := newSite(t)
	for _, v := range []string{"v1", "v2", "2", "2010-04-01"} {
		for _, id := range []string{"1", "2"} {
			s.do(request("GET", "/"+v+"/users/"+id).json(200, "user"+v))
		}
	}
	want(t, s, "GET /2/users/{user_id}", "GET /2010-04-01/users/{user_id}", "GET /v1/users/{user_id}", "GET /v2/users/{user_id}")
}

// userSite is an application with users under names and routes beside them.
func userSite() []*build {
	var l []*build
	for i, p := range people {
		l = append(l,
			request("GET", "/users/v1/"+p).json(200, "user").leaf("username", p),
			request("PUT", "/users/v1/"+p+"/email").small(204, ""),
			request("GET", fmt.Sprintf("/books/v1/%s-notes-%d", p, i)).json(200, "book").leaf("owner", p),
		)
	}
	for range 10 {
		l = append(l,
			request("POST", "/users/v1/login").json(200, "token").login("alice").issue("t"),
			request("POST", "/users/v1/register").small(200, "ok").login("dora"),
			request("GET", "/users/v1/_debug").json(200, "debug"),
			request("GET", "/users/v1").json(200, "users"),
			request("GET", "/books/v1").json(200, "books"),
			request("POST", "/books/v1").json(200, "created").param("book_title", "x").param("secret", "y"),
			request("GET", "/me").json(200, "me").leaf("data.username", "alice"),
		)
	}
	return l
}

var userTemplates = []string{
	"GET /books/v1", "POST /books/v1", "GET /books/v1/{book_name}", "GET /me", "GET /users/v1", "GET /users/v1/_debug",
	"POST /users/v1/login", "POST /users/v1/register", "GET /users/v1/{username}", "PUT /users/v1/{username}/email",
}

func TestWordsBecomeParametersByEvidence(t *testing.T) {
	s := newSite(t)
	for _, b := range userSite() {
		s.do(b)
	}
	want(t, s, userTemplates...)
}

func TestTemplatesDoNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		l := userSite()
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
		s := newSite(t)
		for _, b := range l {
			s.do(b)
		}
		if d := cmp.Diff(userTemplates, s.templates()); d != "" {
			rt.Fatalf("seed %d (-want +got):\n%s", seed, d)
		}
	})
}

// Hard negatives: siblings that must not become one parameter.
func TestRoutesStayApart(t *testing.T) {
	verbs := []string{"login", "logout", "register", "search", "detail", "list", "update", "delete", "export", "import", "status", "stats"}
	nouns := []string{"users", "orders", "products", "coupons", "carts", "invoices", "shops", "reviews", "banners", "regions"}
	cases := map[string]func(s *site){
		"verbs with the same envelope": func(s *site) {
			for _, v := range verbs {
				s.do(request("POST", "/api/"+v).small(200, "envelope"))
			}
		},
		"nouns with the same sub-routes": func(s *site) {
			for _, n := range nouns {
				for _, v := range verbs {
					s.do(request("POST", "/api/"+n+"/"+v).small(200, "envelope"))
				}
			}
		},
		"resources with their own schemas": func(s *site) {
			for _, n := range nouns {
				s.do(request("GET", "/api/"+n).json(200, n+"s"))
				s.do(request("GET", "/api/"+n+"/17").json(200, n))
			}
		},
		"unknown words with their own schemas": func(s *site) {
			for _, n := range []string{"zorb", "blick", "quux", "frob", "wibble", "grault", "plugh", "xyzzy"} {
				s.do(request("GET", "/api/"+n).json(200, n))
			}
		},
		"a route beside a parameter": func(s *site) {
			for i := range 30 {
				s.do(request("GET", fmt.Sprint("/users/", i)).json(200, "user"))
			}
			s.do(request("GET", "/users/me").json(200, "user"))
			s.do(request("GET", "/users/search").json(200, "users"))
		},
	}
	counts := map[string]int{"verbs with the same envelope": 12, "nouns with the same sub-routes": 120, "resources with their own schemas": 20,
		"unknown words with their own schemas": 8, "a route beside a parameter": 3}
	for name, f := range cases {
		s := newSite(t)
		f(s)
		if n := len(s.APIs()); n != counts[name] {
			t.Errorf("%s: %d APIs, want %d: %v", name, n, counts[name], s.templates())
		}
	}
}

func TestMixedFamiliesNeedFewSiblings(t *testing.T) {
	s := newSite(t)
	for i := range 3 {
		s.do(request("GET", fmt.Sprintf("/catalog/sku-%04d", i)).json(200, "sku"))
	}
	want(t, s, "GET /catalog/{catalog_name}")
}

func TestNestedParameters(t *testing.T) {
	s := newSite(t)
	for i, o := range people {
		for j := range 3 {
			r := people[(i*3+j*7)%len(people)] + "app"
			s.do(request("GET", "/repos/"+o+"/"+r+"/issues").json(200, "issues"))
			s.do(request("GET", "/repos/"+o+"/"+r).json(200, "repo"))
			s.do(request("GET", "/repos/"+o+"/"+r+"/issues/"+fmt.Sprint(j)).json(200, "issue"))
		}
	}
	want(t, s, "GET /repos/{repo_name}/{repo_name2}", "GET /repos/{repo_name}/{repo_name2}/issues", "GET /repos/{repo_name}/{repo_name2}/issues/{issue_id}")
}

func TestMergesFoldHandles(t *testing.T) {
	s := newSite(t)
	total := map[Handle]uint64{}
	n := uint64(0)
	for range 3 {
		for _, b := range userSite() {
			ev := s.do(b)
			for _, m := range ev.Merges {
				total[m.Into] += total[m.From]
				delete(total, m.From)
			}
			if ev.API == nil {
				t.Fatalf("no API for %s", b.Method)
			}
			if h := ev.API.Handle; s.Resolve(h) != h || s.Get(h) != ev.API {
				t.Fatalf("handle %d is not its own representative", h)
			}
			total[ev.API.Handle]++
			n++
			if got := s.Lookup(&b.Observation); got != ev.API {
				t.Fatalf("Lookup gives %v, Assign gave %s", got, ev.API.Template)
			}
		}
	}
	sum := uint64(0)
	for _, a := range s.APIs() {
		if total[a.Handle] != a.Exchanges {
			t.Errorf("%s %s: detector counts %d, catalogue %d", a.Method, a.Template, total[a.Handle], a.Exchanges)
		}
		sum += a.Exchanges
	}
	if sum != n || len(total) != len(s.APIs()) {
		t.Errorf("%d exchanges in %d APIs, want %d in %d", sum, len(s.APIs()), n, len(total))
	}
}

func TestIDsAreStable(t *testing.T) {
	a, b := newSite(t), newSite(t)
	l := userSite()
	for i := range l {
		a.do(l[i])
		b.do(l[len(l)-1-i])
	}
	ids := map[string]bool{}
	for i, x := range a.APIs() {
		y := b.APIs()[i]
		if x.ID != y.ID || len(x.ID) != 16 {
			t.Errorf("%s: %s and %s", x.Template, x.ID, y.ID)
		}
		if ids[x.ID] {
			t.Errorf("%s: id used twice", x.Template)
		}
		ids[x.ID] = true
	}
}

func TestSensitiveSegmentsHaveNoText(t *testing.T) {
	s := newSite(t)
	b := request("GET", "/parking/x").json(200, "fee")
	b.Segments[1] = observe.Segment{Shape: "京A****8", Token: 99, Class: observe.ClassMixed, Sensitive: 18}
	ev := s.do(b)
	want(t, s, "GET /parking/{plate_number}")
	if ev.Object != 99 {
		t.Errorf("object %d", ev.Object)
	}
}
