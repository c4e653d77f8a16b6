package html_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/html"
	"xiezhi/internal/report/reporttest"
	"xiezhi/rules"
)

var keep = flag.String("keep", "", "write the pages of the tests into this folder, to be looked at")

var catalogue = sync.OnceValues(func() (*message.Catalog, error) { return message.Load(rules.FS, "messages") })

func messages(t testing.TB) *message.Catalog {
	t.Helper()
	m, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func shanghai(t testing.TB) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func render(t testing.TB, r *report.Report, lang string) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, r, html.Config{Lang: lang, Zone: shanghai(t), Messages: messages(t)}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func save(t *testing.T, name, page string) {
	t.Helper()
	if *keep == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*keep, name), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestYear(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		r := reporttest.Year(1, messages(t))
		page := render(t, r, lang)
		save(t, "year-"+lang+".html", page)
		if again := render(t, reporttest.Year(1, messages(t)), lang); again != page {
			t.Errorf("%s: two pages of one report differ", lang)
		}
	}
}

var (
	tagPattern  = regexp.MustCompile(`<([a-zA-Z][a-zA-Z0-9]*)((?:[^<>"]|"[^"]*")*)>`)
	attrPattern = regexp.MustCompile(`\s([a-zA-Z:-]+)(?:=("[^"]*"))?`)
	hrefPattern = regexp.MustCompile(`href="([^"]*)"`)
	idPattern   = regexp.MustCompile(`\sid="([^"]*)"`)
)

// elements lists the kinds of element of a page with their attributes.
func elements(page string) map[string]int {
	out := map[string]int{}
	for _, m := range tagPattern.FindAllStringSubmatch(page, -1) {
		var attrs []string
		for _, a := range attrPattern.FindAllStringSubmatch(m[2], -1) {
			attrs = append(attrs, a[1])
		}
		out[m[1]+" "+strings.Join(attrs, " ")]++
	}
	return out
}

// TestHostileStrings puts strings that break out of text, attributes, styles
// and addresses into every field and looks for elements and attributes that a
// harmless report does not have.
func TestHostileStrings(t *testing.T) {
	known := elements(render(t, reporttest.Small(1, messages(t)), "en"))
	for name, evil := range map[string]string{
		"element":     `</p><script>alert(1)</script><img src=x onerror=alert(1)>`,
		"attribute":   `" onmouseover="alert(1)" x="'><svg onload=alert(1)>`,
		"style":       `</style><style>*{background:url(//evil.example/x)}`,
		"address":     `javascript:alert(1)`,
		"template":    `{{.R}} {{"{{"}} <!-- ]]> -->`,
		"bidi":        "a\u202egnp.exe\u2066\u200b\ufeff\u2028\x00\x1b[31m",
		"bad utf-8":   "\xff\xfe\xc0\xaf<u>",
		"very long":   strings.Repeat("<i>aA0", 500),
		"unbreakable": strings.Repeat("x", 5_000),
	} {
		for _, everything := range []bool{false, true} {
			if everything && strings.HasPrefix(name, "very") {
				continue
			}
			r := reporttest.Small(1, messages(t))
			reporttest.Rewrite(r, func(path, s string) string {
				if !everything && reporttest.Enumerations[path] {
					return s
				}
				return evil
			})
			page := render(t, r, "en")
			for e := range elements(page) {
				if known[e] == 0 {
					t.Errorf("%s: the page has an element that no harmless page has: <%s>", name, e)
				}
			}
			for _, bad := range []string{"<script", "<img", "onerror=alert(1)>", "<style>*", "<u>", "<i>aA0", "\u202e", "\u200b", "\u2028", "\x1b", "\x00", `href="javascript`} {
				if strings.Contains(page, bad) {
					t.Errorf("%s: the page contains %q", name, bad)
				}
			}
			if !utf8.ValidString(page) {
				t.Errorf("%s: the page is not valid UTF-8", name)
			}
			if !everything {
				save(t, "hostile-"+strings.ReplaceAll(name, " ", "-")+".html", page)
			}
		}
	}
}

// TestSelfContained holds the page to what its reader relies on: nothing is
// fetched, no script, links lead somewhere, ids are unique, every text exists.
func TestSelfContained(t *testing.T) {
	reports := map[string]*report.Report{"year": reporttest.Year(1, messages(t)), "large": reporttest.Large(300, messages(t)), "empty": empty()}
	noCampaigns := reporttest.Year(2, messages(t))
	noCampaigns.Campaigns = []report.Campaign{}
	reports["no campaigns"] = noCampaigns
	for name, r := range reports {
		for _, lang := range []string{"zh", "en"} {
			page := render(t, r, lang)
			save(t, strings.ReplaceAll(name, " ", "-")+"-"+lang+".html", page)
			if !strings.Contains(page, `<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-`) {
				t.Errorf("%s %s: no strict policy", name, lang)
			}
			for _, bad := range []string{"http://", "https://", "url(", "@import", "<script", "style=\"", "ZgotmplZ", "<link", "<iframe"} {
				if strings.Contains(page, bad) {
					t.Errorf("%s %s: the page contains %q", name, lang, bad)
				}
			}
			ids := map[string]bool{}
			for _, m := range idPattern.FindAllStringSubmatch(page, -1) {
				if ids[m[1]] {
					t.Errorf("%s %s: id %s is there twice", name, lang, m[1])
				}
				ids[m[1]] = true
			}
			for _, m := range hrefPattern.FindAllStringSubmatch(page, -1) {
				if !strings.HasPrefix(m[1], "#") || !ids[m[1][1:]] {
					t.Errorf("%s %s: the link %s leads nowhere", name, lang, m[1])
				}
			}
			if m := regexp.MustCompile(`\b(html|report|quality_line|defect_kind|attack_kind|scenario|role|industry)\.[a-z_]+[.<]?`).FindString(page); m != "" {
				t.Errorf("%s %s: a text is missing: %s", name, lang, m)
			}
			if m := regexp.MustCompile(`\{[a-z0-9%]+\}`).FindAllString(page, -1); name != "large" {
				for _, p := range m {
					if !strings.Contains("{id} {resident} {plate}", p) {
						t.Errorf("%s %s: a parameter is missing: %s", name, lang, p)
					}
				}
			}
		}
	}
}

func empty() *report.Report {
	return report.Build(report.Config{Version: "test"}, report.NewInput(), nil)
}

// TestFigures reads the figures that the source report leads with back out of
// the page.
func TestFigures(t *testing.T) {
	r := reporttest.Year(1, messages(t))
	r.Statistics.AttackedAPIsByMonth = map[string]int{"2025-01": 3, "2025-02": 6, "2025-03": 9, "2025-04": 30, "2025-05": 20, "2025-06": 40, "2025-12": 12}
	r.Statistics.ScenarioShare = map[string]report.ScenarioCount{"marketing_fraud": {Requests: 1, APIs: 1}, "account_risk": {Requests: 1, APIs: 2}, "data_theft": {Requests: 1, APIs: 3}, "exploitation": {Requests: 500, APIs: 9}}
	for lang, want := range map[string][]string{
		"en": {"10 APIs were attacked in an average month; June 2025 was the peak with 40. Q2 2025 was the worst quarter with 30 a month.", `>mean 6<`, `>mean 30<`, `>mean 4<`, `>mean 10<`, "33.4%", "33.3%", "0.0%", "never inside the four shares: 500 requests, APIs attacked: 9."},
		"zh": {"报告期内月均 10 个 API 遭到攻击，2025 年 6 月达到峰值 40 个，其中2025 年第二季度月均 30 个，为各季度最高。", `>均值 6<`, "33.4%", "单独统计：500 次请求，涉及 9 个 API"},
	} {
		page := render(t, r, lang)
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("%s: the page does not say %q", lang, w)
			}
		}
	}
}

// TestSizeOf10000 holds the page of ten thousand APIs under 5 MB.
func TestSizeOf10000(t *testing.T) {
	page := render(t, reporttest.Large(10_000, messages(t)), "zh")
	save(t, "10000-zh.html", page)
	if len(page) >= 5_000_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	if n := strings.Count(page, "/resource-"); n < 10_000-40 {
		t.Errorf("only %d of the APIs are listed", n)
	}
}

func BenchmarkHTML10000(b *testing.B) {
	r, msgs := reporttest.Large(10_000, messages(b)), messages(b)
	for b.Loop() {
		if err := html.Write(io.Discard, r, html.Config{Lang: "zh", Messages: msgs}); err != nil {
			b.Fatal(err)
		}
	}
}
