package catalog

import (
	"fmt"
	"testing"
)

// towns are words that no route is called by.
var towns = []string{"bergen", "tartu", "gdynia", "plovdiv", "leuven", "aarhus", "graz", "lugano", "brno", "kaunas", "turku", "porto", "malmo", "ghent", "basel", "nantes",
	"zadar", "varna", "sofia", "liege", "lund", "oulu", "pecs", "trier"}

// bare answers a request as a log shows it: no more than that it went well.
func bare(method, path string) *build { return request(method, path).json(200, "") }

// Words that lead to the same things of a collection are names, though routes
// usually stand where they do.
func TestTenantsAreNames(t *testing.T) {
	s := newSite(t)
	for round := range 4 {
		for i, w := range towns {
			s.do(bare("GET", fmt.Sprintf("/%s/orders/%d", w, 1000+i*7+round)))
			s.do(bare("DELETE", fmt.Sprintf("/%s/members/%d/photo", w, 2000+i*5+round)))
		}
	}
	for _, c := range [][2]string{{"GET", "/{}/orders/{}"}, {"DELETE", "/{}/members/{}/photo"}} {
		n := uint64(0)
		for _, a := range s.APIs() {
			if a.Method == c[0] && Anonymous(a.Template) == c[1] {
				n += a.Exchanges
			}
		}
		if n != uint64(4*len(towns)) {
			t.Errorf("%s has %d exchanges of %d: %q", c[1], n, 4*len(towns), templates(s))
		}
	}
	// Another one with a path that is known of them is one of them at once.
	s.do(bare("GET", "/coimbra/orders/77"))
	if a := find(s, "GET", "/{}/orders/{}"); a == nil || a.Exchanges != uint64(4*len(towns)+1) {
		t.Errorf("a new one: %q", templates(s))
	}
}

// Modules that one framework made have verbs in common and stay apart.
func TestModulesAreNoTenants(t *testing.T) {
	s := newSite(t)
	for range 4 {
		for _, w := range towns {
			for _, verb := range []string{"list", "save", "delete", "info", "export"} {
				s.do(bare("POST", "/"+w+"/"+verb))
			}
			s.do(bare("GET", "/"+w+"/actuator/health"))
		}
	}
	if n := len(s.APIs()); n != 6*len(towns) {
		t.Errorf("%d APIs, want %d: %q", n, 6*len(towns), templates(s))
	}
}

func templates(s *site) (out []string) {
	for _, a := range s.APIs() {
		out = append(out, a.Method+" "+a.Template)
	}
	return out
}

func find(s *site, method, template string) *API {
	for _, a := range s.APIs() {
		if a.Method == method && Anonymous(a.Template) == template {
			return a
		}
	}
	return nil
}
