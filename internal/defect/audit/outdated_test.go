package audit_test

import (
	"testing"
	"time"

	"xiezhi/internal/catalog"
	"xiezhi/internal/observe"
	"xiezhi/internal/taxonomy"
)

func banner(text string) option { return func(ev *catalog.Event) { ev.ServerBanner = text } }

func TestOutdated(t *testing.T) {
	const api, js = "GET /orders", "GET /js/jquery-1.8.3.min.js"
	script := func(name string) option {
		return func(ev *catalog.Event) {
			ev.RespKind = observe.BodyScript
			ev.Segments = []observe.Segment{{Text: "js", Class: observe.ClassWord}, {Text: name, Class: observe.ClassFile}}
		}
	}
	version := func(rule, v string) option { return marker("version/"+rule, "body", v) }
	many := func(name string, opts ...option) func(s *site) {
		return func(s *site) { times(12, func(i int) { s.do(name, append([]option{source(i)}, opts...)...) }) }
	}
	check(t, []scenario{
		{"a banner with published holes", many(api, banner("nginx/1.14.0")), "outdated_component:probable", []string{"shop.example", "nginx 1.14.0", "CVE-2021-23017", "12 次"}},
		{"a branch given up", many(api, banner("nginx; PHP/5.6.40")), "outdated_component:probable", []string{"PHP 5.6.40", "2018-12-31"}},
		{"both", many(api, banner("Apache/2.2.15 (Unix) OpenSSL/1.0.1e")), "outdated_component:probable outdated_component:probable", []string{"CVE-2014-0160"}},
		{"a distribution's package", many(api, banner("nginx/1.18.0 (Ubuntu)")), "outdated_component:probable", []string{"发行版"}},
		{"a library by its banner", many(js, kind(observe.BodyScript), version("jquery.banner", "1.8.3")), "outdated_component:probable", []string{"jQuery 1.8.3"}},
		{"a library by its file", many(js, script("jquery-1.8.3.min.js")), "outdated_component:probable", []string{"jQuery 1.8.3"}},
		{"an application by its own word", many("GET /api/health", version("grafana.health", "8.2.0")), "outdated_component:probable", []string{"Grafana 8.2.0", "CVE-2021-43798"}},
		{"maintained", many(api, banner("nginx/1.27.4; PHP/8.4.2")), "", nil},
		{"no version", many(api, banner("nginx; ASP.NET")), "", nil},
		{"twice only", func(s *site) { times(2, func(i int) { s.do(api, banner("nginx/1.14.0")) }) }, "", nil},
		{"a page about a library", many("GET /posts", script("jquery-1.8.3.min.js"), kind(observe.BodyHTML)), "", nil},
		{"a script that is not there", many(js, script("jquery-1.8.3.min.js"), answer(404, catalog.OutcomeNotFound)), "", nil},
		{"somebody else's file with such a name", many("GET /js/x", script("our-jquery-1.8.3.js")), "", nil},
	})
}

// Severity and confidence keep within what a number can prove.
func TestOutdatedIsNoProof(t *testing.T) {
	s := newSite()
	times(500, func(i int) {
		s.do("GET /a", source(i), banner("nginx/1.14.0"))
		s.do("GET /a", source(i), banner("Apache/2.4.6 (CentOS) PHP/5.4.16"))
	})
	for _, f := range s.audited(t) {
		if f.Confidence > 0.7 {
			t.Errorf("%s: confidence %.2f", f.Component, f.Confidence)
		}
		if f.Component != "nginx" && f.Severity > taxonomy.Moderate {
			t.Errorf("%s: %s though a distribution may have mended it", f.Component, f.Severity)
		}
	}
}

// An update is proven by the traffic after it; a library that is just gone is not.
func TestOutdatedRepair(t *testing.T) {
	for name, c := range map[string]struct {
		after string
		want  taxonomy.DefectStatus
	}{
		"updated": {"nginx/1.27.4", taxonomy.Fixed},
		"hidden":  {"nginx", taxonomy.Fixed},
		"kept":    {"nginx/1.14.0", taxonomy.Probable},
		"silent":  {"", taxonomy.Probable},
	} {
		s := newSite()
		for day := range 40 {
			text := "nginx/1.14.0"
			if day >= 20 {
				text = c.after
			}
			times(24, func(i int) { s.now += int64(time.Hour) - int64(time.Second); s.do("GET /a", source(i), banner(text)) })
		}
		fs := s.audited(t)
		if len(fs) != 1 || fs[0].Status != c.want {
			t.Errorf("%s: %s, want %s", name, kinds(fs), c.want)
		}
	}
}

func BenchmarkObserveBanner(b *testing.B) {
	bench(b, func(s *site) {
		times(1000, func(i int) { s.do("GET /things", source(i%300), banner("nginx/1.14.0; PHP/5.6.40")) })
	})
}
