package product_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/observe/product"
	"xiezhi/rules"
)

func load(t testing.TB) *product.Set {
	t.Helper()
	s, err := product.Load(rules.FS)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// today is a day after every end in the file.
var today = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func parsed(t testing.TB, s string) product.Version {
	t.Helper()
	v, ok := product.ParseVersion(s)
	if !ok {
		t.Fatalf("%q is no version", s)
	}
	return v
}

// The cases that stand beside the facts.
func TestCases(t *testing.T) {
	s := load(t)
	cases := 0
	for _, p := range s.Products() {
		hits, passes := 0, 0
		for _, c := range p.Cases {
			cases++
			v := parsed(t, c.Version)
			a := p.Assess(&v, today)
			if len(c.CVE) == 0 && len(a.CVE) > 0 || c.Ended == a.Ended.IsZero() {
				t.Errorf("%s %s: %+v", p.ID, c.Version, a)
			}
			for _, cve := range c.CVE {
				if !slices.Contains(a.CVE, cve) {
					t.Errorf("%s %s: %s is not among %v", p.ID, c.Version, cve, a.CVE)
				}
			}
			if a.Outdated() {
				hits++
			} else {
				passes++
			}
			if a.Update != "" {
				u := parsed(t, a.Update)
				if b := p.Assess(&u, today); b.Outdated() || u.Compare(&v) <= 0 {
					t.Errorf("%s %s: the advice is %s, against which stand %+v", p.ID, c.Version, a.Update, b)
				}
			}
		}
		if hits == 0 || passes == 0 && p.ID != "exchange" && p.ID != "angularjs" && p.ID != "ckeditor" { // given up as a whole
			t.Errorf("%s: needs a case that is outdated and one that is not", p.ID)
		}
	}
	t.Logf("%d products, %d cases", len(s.Products()), cases)
}

// An end that has not come yet is none.
func TestEndsByTheDay(t *testing.T) {
	v := parsed(t, "8.1.27")
	p := load(t).Product("php")
	if a := p.Assess(&v, time.Date(2025, 12, 30, 23, 0, 0, 0, time.UTC)); a.Outdated() {
		t.Errorf("the day before: %+v", a)
	}
	if a := p.Assess(&v, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); !a.Outdated() {
		t.Errorf("the day after: %+v", a)
	}
}

func TestVersionOrder(t *testing.T) {
	order := []string{"0.9", "1.0.0-alpha", "1.0.0-beta2", "1.0.0.M1", "1.0.0-rc1", "1.0.0-rc2", "1.0.0", "1.0.1", "1.0.1a", "1.0.1g", "1.0.2", "1.0.10", "1.2", "1.10.0", "2.0-SNAPSHOT", "2", "18.09.2", "2019.12.17"}
	for i, a := range order {
		for j, b := range order {
			x, y := parsed(t, a), parsed(t, b)
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := x.Compare(&y); got != want {
				t.Errorf("%s and %s: %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range [][2]string{{"1.2", "1.2.0"}, {"v3.1", "3.1"}, {"2.4.0.Final", "2.4"}} {
		x, y := parsed(t, same[0]), parsed(t, same[1])
		if x.Compare(&y) != 0 {
			t.Errorf("%v differ", same)
		}
	}
}

func TestVendor(t *testing.T) {
	for s, want := range map[string]bool{"1.14.2-2+deb10u1": true, "5.6.40-0ubuntu1": true, "1.0.2k-fips": true, "v1.18.9-eks-d1db3c": true, "9.4.31.v20200723": false, "1.8.2-f3bb7a4a": false,
		"1.14.0": false, "9.0.0.M1": false, "2.0.0-rc.1": false, "4.1.0.Final": false, "3.14.0-04": false, "18.06.1-ce": false} {
		if v := parsed(t, s); v.Vendor != want {
			t.Errorf("%s: vendor %v", s, v.Vendor)
		}
	}
	for _, s := range []string{"", "v", "x1", "1 2", "1.2<b>", strings.Repeat("1", 60), "13800138000.1 "} {
		if v, ok := product.ParseVersion(s); ok {
			t.Errorf("%q: %+v", s, v)
		}
	}
}

func TestBanner(t *testing.T) {
	s := load(t)
	for text, want := range map[string]string{
		"nginx/1.14.0":                     "nginx 1.14.0",
		"nginx/1.18.0 (Ubuntu)":            "nginx 1.18.0+vendor",
		"nginx":                            "",
		"Apache/2.4.6 (CentOS) PHP/5.4.16": "apache_httpd 2.4.6+vendor, php 5.4.16+vendor",
		"Apache/2.4.49 (Unix) OpenSSL/1.0.2u; PHP": "apache_httpd 2.4.49, openssl 1.0.2u",
		"PHP/5.6.40-0+deb8u1":                      "php 5.6.40-0+deb8u1+vendor",
		"Microsoft-IIS/7.5; ASP.NET":               "iis 7.5",
		"MinIO/RELEASE.2021-04-22T15-44-28Z":       "minio 2021.04.22.15.44.28",
		"Werkzeug/0.15.4 Python/3.6.9":             "werkzeug 0.15.4, python 3.6.9",
		"Jetty(9.4.31.v20200723)":                  "jetty 9.4.31.v20200723",
		"Server/nginx/1.2":                         "",
		"(nginx/1.2)":                              "",
		"nginx/one.two; PHP/<script>":              "",
	} {
		var got []string
		s.Banner(text, func(p *product.Product, version string, v product.Version) {
			word := p.ID + " " + version
			if v.Vendor {
				word += "+vendor"
			}
			got = append(got, word)
		})
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: %q, want %q", text, strings.Join(got, ", "), want)
		}
	}
}

func TestFile(t *testing.T) {
	s := load(t)
	for name, want := range map[string]string{
		"js/jquery-1.8.3.min.js":            "jquery 1.8.3",
		"js/jquery.min.js":                  "",
		"1.8.3/jquery.min.js":               "jquery 1.8.3",
		"vue@2.6.14/vue.min.js":             "vue 2.6.14",
		"js/jquery-ui-1.12.1.custom.min.js": "",
		"js/jquery-ui-1.12.1.min.js":        "jquery_ui 1.12.1",
		"js/jquery.validate-1.2.3.js":       "",
		"js/my-jquery-1.8.3.js":             "",
		"js/angular-1.5.8.js":               "angularjs 1.5.8",
		"js/bootstrap-3.js":                 "",
		"js/bootstrap.3f2a91c0.js":          "",
		"v2/vue.js":                         "",
		"js/jquery-1.8.3.css":               "",
	} {
		folder, file, _ := strings.Cut(name, "/")
		got := ""
		if p, version, _ := s.File(folder, file); p != nil {
			got = fmt.Sprint(p.ID, " ", version)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const good = "products:\n  x:\n    name: X\n    kind: server\n    source: https://x\n    advisories: [{cve: [CVE-2020-1234], fixed: ['1.2'], harm: high}]\n"
	if _, err := product.Parse("a", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"name: X": "surname: X", "https://x": "http://x", "CVE-2020-1234": "CVE-20-1", "'1.2'": "'1.2', '1.1'", "harm: high": "harm: huge", "'1.2' ": "", "fixed: ['1.2']": "fixed: ['2 1.2']"} {
		text := strings.Replace(good, from, to, 1)
		if text == good {
			continue
		}
		if _, err := product.Parse("a.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "a.yaml: ") {
			t.Errorf("%s for %s: %v", to, from, err)
		}
	}
}

func FuzzBanner(f *testing.F) {
	f.Add("Apache/2.4.6 (CentOS) PHP/5.4.16", "1.8.3", "jquery.min.js")
	s := load(f)
	f.Fuzz(func(t *testing.T, banner, folder, file string) {
		s.Banner(banner, func(p *product.Product, version string, v product.Version) {
			a := p.Assess(&v, today)
			if len(version) > 48 || a.Update != "" && !a.Outdated() {
				t.Fatalf("%q: %q %+v", banner, version, a)
			}
		})
		s.File(folder, file)
	})
}
