package catalog

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func TestScansListNothing(t *testing.T) {
	s := newSite(t)
	for _, b := range userSite() {
		s.do(b)
	}
	before := len(s.APIs())
	for i := range 5000 {
		word := fmt.Sprintf("%s%d", []string{"admin", "backup", ".git", "wp-login", "config"}[i%5], i)
		b := request("GET", "/"+word).from(fmt.Sprintf("198.51.100.%d", i%2+1))
		b.AgentTool = i%3 == 0
		switch i % 4 {
		case 0:
			b.small(404, "nosuchroute")
		case 1:
			b.html(403, 150)
		case 2:
			b.small(405, "method")
		default:
			b.html(404, 200)
		}
		if ev := s.do(b); ev.API != nil {
			t.Fatalf("%s belongs to %s", word, ev.API.Template)
		}
	}
	if n := len(s.APIs()); n != before {
		t.Errorf("%d APIs after the scan, %d before: %v", n, before, s.templates())
	}
}

func TestPathsDeniedToAllAreNotListed(t *testing.T) {
	s := newSite(t)
	for i := range 200 {
		for _, client := range []string{"198.51.100.1", "198.51.100.2"} {
			for range 3 {
				s.do(request("GET", fmt.Sprintf("/secret/place%c%c", 'a'+i%26, 'a'+i/26)).small(401, "denied").from(client))
			}
		}
	}
	if n := len(s.APIs()); n > everywhere {
		t.Errorf("%d APIs from one refusal of everything", n)
	}
}

func TestOneRefusalOfItsOwnIsListed(t *testing.T) {
	s := newSite(t)
	for _, client := range []string{"198.51.100.1", "198.51.100.2", "198.51.100.3"} {
		s.do(request("POST", "/api/pay").small(400, "fields").says(observe.SaysInvalid, "", 0).from(client))
	}
	want(t, s, "POST /api/pay")
	for range 3 {
		s.do(request("POST", "/api/login").login("a").small(401, "wrong").from("198.51.100.1"))
	}
	want(t, s, "POST /api/login", "POST /api/pay")
}

func TestBusinessNotFoundBelongsToTheTemplate(t *testing.T) {
	s := newSite(t)
	for _, b := range userSite() {
		s.do(b)
	}
	for i := range 10 { // what this server says to unknown routes
		s.do(request("GET", fmt.Sprintf("/nothing/here%c", 'a'+i)).html(404, 207))
	}
	ev := s.do(request("GET", "/users/v1/nobody").small(404, "status").says(observe.SaysNotFound, "fail", -1))
	if ev.API == nil || ev.API.Template != "/users/v1/{username}" || ev.Outcome != OutcomeNotFound {
		t.Errorf("unknown user: %+v", ev.API)
	}
	ev = s.do(request("GET", "/users/v1/.htaccess").html(404, 207))
	if ev.API != nil {
		t.Errorf("unknown route: %s", ev.API.Template)
	}
	if s.do(request("DELETE", "/users/v1").small(405, "m")).API != nil {
		t.Error("a method that is not allowed made an API")
	}
	if s.do(request("OPTIONS", "/users/v1").small(200, "")).API != nil {
		t.Error("a preflight made an API")
	}
	if a := s.do(request("HEAD", "/users/v1").small(200, "")).API; a == nil || a.Method != "GET" {
		t.Error("HEAD does not belong to GET")
	}
}

func TestThePageForEveryPathIsNoAPI(t *testing.T) {
	s := newSite(t)
	s.do(request("GET", "/").html(200, 4096))
	for i := range 3000 {
		s.do(request("GET", fmt.Sprintf("/p%x/q%d", i*7919, i)).html(200, 4096))
	}
	want(t, s, "GET /")
}

func TestAttackPayloadsMakeNoAPI(t *testing.T) {
	s := newSite(t)
	b := request("GET", "/item/1' OR '1'='1").json(200, "item")
	b.Signatures = []observe.Signature{{Rule: "sqli", In: observe.InPath}}
	if s.do(b).API != nil || len(s.APIs()) != 0 {
		t.Error("a probe made an API")
	}
}

// A million distinct junk URLs, refused and granted, stay within memory.
func TestBoundedUnderJunk(t *testing.T) {
	if testing.Short() {
		t.Skip("a million observations")
	}
	for name, answer := range map[string]func(b *build, i int){
		"not found":        func(b *build, i int) { b.small(404, "e") },
		"denied":           func(b *build, i int) { b.small(401, "e") },
		"granted alike":    func(b *build, i int) { b.json(200, "x") },
		"granted unlike":   func(b *build, i int) { b.json(200, ""); b.Schema = uint64(i) + 1 },
		"page of any size": func(b *build, i int) { b.html(200, uint64(i)) },
	} {
		n := 200_000
		if name == "not found" || name == "granted unlike" {
			n = 1_000_000
		}
		s := newSite(t)
		start := time.Now()
		var m0, m1 runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m0)
		b := request("GET", "/a/b/c")
		for i := range n {
			x := uint64(i) * 0x9e3779b97f4a7c15
			var w [8]byte
			for k := range w {
				w[k] = 'a' + byte(x>>(8*k))%26
			}
			for k := range b.Segments {
				b.Segments[k].Text = string(w[k : k+5])
				b.Segments[k].Token = x>>(8*k) | 1
			}
			b.Schema = 0
			answer(b, i)
			b.Host = []string{"shop.example", fmt.Sprint("h", i%1000)}[i%2]
			s.do(b)
		}
		runtime.GC()
		runtime.ReadMemStats(&m1)
		mb := (int64(m1.HeapAlloc) - int64(m0.HeapAlloc)) >> 20
		st := s.Stats()
		t.Logf("%s: %d MB, %.1f µs each, %+v", name, mb, float64(time.Since(start).Microseconds())/float64(n), st)
		if mb > 200 || st.APIs > MaxAPIs || st.Nodes > maxNodes {
			t.Errorf("%s: %d MB, %+v", name, mb, st)
		}
		runtime.KeepAlive(s)
	}
}

// A search for hidden parameters does not fill the table of sensitive data,
// and what the application gives out displaces what requesters send in.
func TestSensitiveTable(t *testing.T) {
	s := newSite(t)
	expose := func(b *build, path string, response bool) *build {
		b.Exposures = append(b.Exposures, observe.Exposure{Path: path, Type: taxonomy.SensEmail, Response: response, Distinct: 3})
		return b
	}
	b := request("GET", "/users").json(200, "users")
	for i := range 100 {
		b.param(fmt.Sprint("p", i), "x")
		expose(b, fmt.Sprint("p", i), false)
	}
	if ev := s.do(b); len(ev.API.Sensitive) != 0 {
		t.Errorf("%d entries from a parameter search", len(ev.API.Sensitive))
	}
	for i := range 100 {
		s.do(expose(request("GET", "/users").json(200, "users"), fmt.Sprint("q", i), false))
	}
	ev := s.do(expose(request("GET", "/users").json(200, "users"), "users[].email", true))
	if n := len(ev.API.Sensitive); n != maxSensitive {
		t.Errorf("%d entries", n)
	}
	ev = s.do(expose(request("GET", "/users").json(200, "users"), "users[].email", true))
	found := false
	for _, x := range ev.API.Sensitive {
		found = found || x.Response && x.Exchanges == 2 && x.MaxPerResponse == 3
	}
	if !found {
		t.Error("the response's entry is missing")
	}
}

// A mistyped id reaches the program of the template beside it, a word that is
// a route or a place without a template does not, and nothing is listed.
func TestErrorBesideATemplate(t *testing.T) {
	s := newSite(t)
	for i := range 30 {
		s.do(request("GET", fmt.Sprintf("/loan/product/%d", 7000+i)).json(200, "detail"))
		s.do(request("GET", fmt.Sprintf("/loan/product/%d/terms", 7000+i)).json(200, "terms"))
	}
	before := len(s.APIs())
	for path, want := range map[string]string{
		"/loan/product/7979a":       "/loan/product/{product_id}",
		"/loan/product/7979a/terms": "/loan/product/{product_id}/terms",
		"/loan/product/xyz":         "/loan/product/{product_id}",
		"/loan/product/list":        "",
		"/loan/product/7979a/else":  "",
		"/loan/7979a":               "",
		"/7979a":                    "",
	} {
		for range 5 {
			b := request("GET", path).small(500, "error")
			b.Markers = append(b.Markers, observe.Marker{Rule: "trace/java", Where: "trace", What: "at com.x.A"})
			ev := s.do(b)
			if ev.API != nil {
				t.Fatalf("%s belongs to %s", path, ev.API.Template)
			}
			got := ""
			if ev.Beside != 0 {
				got = s.Get(ev.Beside).Template
			}
			if got != want {
				t.Errorf("%s stands beside %q, not %q", path, got, want)
			}
		}
		if ev := s.do(request("GET", path).small(500, "error")); ev.Beside != 0 {
			t.Errorf("%s: an error that shows nothing stands beside an API", path)
		}
	}
	if n := len(s.APIs()); n != before {
		t.Errorf("%d APIs after the errors, %d before: %v", n, before, s.templates())
	}
	if p := s.Get(s.do(request("GET", "/loan/product/7001").json(200, "detail")).API.Handle); p.Outcomes[OutcomeError] != 0 {
		t.Error("errors beside an API count for it")
	}
}

// Paths of components draw scanners, and have honest users: a login that gives
// a token, and what is answered to the token.
func TestUsersOfComponentsAreNoScan(t *testing.T) {
	s := newSite(t)
	probed := func(b *build) *build {
		b.Signatures = []observe.Signature{{Rule: "path.component", In: observe.InPath}}
		return b
	}
	for range 3 {
		if ev := s.do(probed(request("GET", "/nacos/v1/cs/configs").json(200, "anything"))); ev.API != nil {
			t.Fatalf("a probe belongs to %s", ev.API.Template)
		}
	}
	want(t, s)
	for range 3 {
		s.do(probed(request("POST", "/nacos/v1/auth/login").login("ops").json(200, "issued").issue("t1")))
		s.do(probed(request("GET", "/nacos/v1/ns/instance/list").bearer("t1").json(200, "instances")))
	}
	want(t, s, "POST /nacos/v1/auth/login", "GET /nacos/v1/ns/instance/list")
}
