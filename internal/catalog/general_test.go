package catalog

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

// What scanners ask for is listed when it is really there.
func TestExposedComponentIsListed(t *testing.T) {
	s := newSite(t)
	probe := func(path string) *build {
		b := request("GET", path)
		b.Signatures = []observe.Signature{{Rule: "path.sensitive", In: observe.InPath}}
		return b
	}
	b := probe("/actuator/env").json(200, "env")
	b.Markers = []observe.Marker{{Rule: "component/actuator.env", Where: "body"}}
	if ev := s.do(b); ev.API == nil || ev.API.Template != "/actuator/env" {
		t.Errorf("an exposed component is not listed: %+v", ev.API)
	}
	if ev := s.do(probe("/druid/index.html").json(200, "x")); ev.API != nil {
		t.Errorf("a probe without the component is listed: %s", ev.API.Template)
	}
	b = probe("/phpinfo.php").small(404, "e")
	b.Markers = []observe.Marker{{Rule: "component/x", Where: "header"}}
	if ev := s.do(b); ev.API != nil {
		t.Errorf("a miss is listed: %s", ev.API.Template)
	}
	for i := range 40 { // a banner on the page that answers everything proves nothing
		b := probe(fmt.Sprintf("/scan%c%c", 'a'+i%26, 'a'+i/26)).html(200, 900)
		b.Markers = []observe.Marker{{Rule: "component/banner", Where: "header"}}
		s.do(b)
	}
	if n := len(s.APIs()); n > 1+everywhere {
		t.Errorf("%d APIs: %v", n, s.templates())
	}
}

func TestPagesAndFilesGoTogether(t *testing.T) {
	s := newSite(t)
	stems := strings.Fields("how-to-return sizes-guide pingguo xiangjiao gift-wrapping warranty-terms holiday-sale stores-map careers-page press-kit zhinan jieshao")
	for i, w := range stems {
		s.do(request("GET", "/article/"+w+".html").html(200, uint64(900+i)))
		b := request("GET", "/static/img/"+w+".png")
		b.Status, b.RespKind, b.RespBytes = 200, observe.BodyImage, uint64(500+i)
		for range 9 { // fetched on every page
			s.do(b)
		}
	}
	for _, w := range []string{"login.html", "register.html"} { // pages of their own
		s.do(request("GET", "/article/"+w).html(200, 700))
	}
	for i, w := range strings.Fields("sqli xss_r brute exec upload captcha csrf fi weak_id javascript") { // few routes, used a lot
		for range 5 {
			s.do(request("GET", "/vulnerabilities/"+w).html(200, uint64(4000+i)))
		}
	}
	got := strings.Join(s.templates(), " ")
	for _, want := range []string{"GET /article/{", "GET /static/img/{", "GET /article/login.html", "GET /vulnerabilities/sqli", "GET /vulnerabilities/csrf"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not among %s", want, got)
		}
	}
	if n := strings.Count(got, "/article/") + strings.Count(got, "/static/"); n > 5 {
		t.Errorf("%d templates for pages and files: %s", n, got)
	}
}

func TestBackOfficeRole(t *testing.T) {
	for path, want := range map[string]taxonomy.Role{
		"/admin/users": taxonomy.RoleAdmin, "/api/v1/admin/logs": taxonomy.RoleAdmin, "/houtai/yonghu": taxonomy.RoleAdmin,
		"/shop/products": taxonomy.RoleList, "/forum/manage-tips/list": taxonomy.RoleList,
	} {
		s := newSite(t)
		var ev *Event
		for range 8 {
			b := request("GET", path).json(200, "rows").leaf("rows[].id", "7").param("pageSize", "20").param("pageNum", "1")
			b.Records = 20
			ev = s.do(b)
		}
		if ev.API == nil || ev.API.Role != want {
			t.Errorf("%s: %v, want %s", path, ev.API, want)
		}
	}
}

// People are named by a number that their login told, not by their e-mail.
func TestOwnershipThroughAliases(t *testing.T) {
	s := newSite(t)
	visit := func(i, whose int) *Event {
		b := request("GET", fmt.Sprintf("/users/%d/orders/%d", 100+whose, 5000+whose)).json(200, "order").leaf("id", fmt.Sprint(5000+whose)).bearer(fmt.Sprint("u", i))
		return s.do(b)
	}
	for i := range 6 {
		s.do(request("POST", "/login").login(fmt.Sprintf("mail%d@x.org", i)).json(200, "t").leaf("user.id", fmt.Sprint(100+i)).issue(fmt.Sprint("u", i)))
	}
	for round := range 3 {
		for i := range 6 {
			if ev := visit(i, i); round == 2 && ev.Ownership != OwnershipOwn {
				t.Errorf("own order: %d", ev.Ownership)
			}
		}
	}
	if ev := visit(2, 4); ev.Ownership != OwnershipForeign {
		t.Errorf("another's order: %d", ev.Ownership)
	}
	// A clerk opens what the list of open orders gave, and nothing else.
	s.do(request("POST", "/login").login("clerk@x.org").json(200, "t").leaf("user.id", "900").issue("u9"))
	list := request("GET", "/open-orders").json(200, "list").leaf("data[].id", "5001").leaf("data[].id", "5003").bearer("u9")
	list.Records = 2
	s.do(list)
	if ev := visit(9, 3); ev.Ownership != OwnershipEntrusted {
		t.Errorf("a clerk's work: %d", ev.Ownership)
	}
	if ev := visit(9, 4); ev.Ownership != OwnershipForeign {
		t.Errorf("an order that no list gave: %d", ev.Ownership)
	}
}

// A log shows no credentials, so their absence says nothing.
func TestLogsSayNothingOfAuthentication(t *testing.T) {
	s := newSite(t)
	var ev *Event
	for range 9 {
		b := request("GET", "/api/orders").json(200, "")
		b.Caps = exchange.CapResponse
		ev = s.do(b)
	}
	if ev.API.Auth() != taxonomy.AuthUnknown {
		t.Errorf("auth %s", ev.API.Auth())
	}
}

// Browsers leave cookies out when they export; a site where people sign in and
// then never show it is such a recording.
func TestCredentialsLeftOut(t *testing.T) {
	visit := func(shown bool) []*API {
		s := newSite(t)
		for i := range 6 {
			u := fmt.Sprint("u", i)
			s.do(request("POST", "/login").login(u).json(200, "t").issue(u))
			b := request("GET", "/orders").json(200, "orders").leaf("data[].id", u)
			if shown {
				b.bearer(u)
			}
			s.do(b)
		}
		return s.APIs()
	}
	for _, a := range visit(false) {
		if a.Auth() != taxonomy.AuthUnknown || !a.Unseen {
			t.Errorf("%s: auth %s", a.Template, a.Auth())
		}
	}
	for _, a := range visit(true) {
		if a.Unseen {
			t.Errorf("%s: credentials were seen", a.Template)
		}
	}
}
