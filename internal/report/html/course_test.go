package html_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"xiezhi/internal/report"
	"xiezhi/internal/report/html"
	"xiezhi/internal/report/reporttest"
)

// about cuts the lived year to a stretch.
func about(t testing.TB, span string) *report.Report {
	t.Helper()
	s, err := report.ParseSpan(span)
	if err != nil {
		t.Fatal(err)
	}
	return report.Cut(reporttest.Lived(1, messages(t)), s, messages(t))
}

func outlined(t testing.TB, r *report.Report, lang, outline string) string {
	t.Helper()
	var b bytes.Buffer
	if err := html.Write(&b, r, html.Config{Lang: lang, Zone: shanghai(t), Messages: messages(t), Outline: outline}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var headPattern = regexp.MustCompile(`<(h[123])>(.*?)</h[123]>`)

// skeleton is what a page has, without what a language says: headings by their
// rank, tables and drawings, cells and links, in order.
func skeleton(page string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`<(h[1-5]|table|svg|figure|section|article|tr|th|td|li|a|dt)[ >]`).FindAllStringSubmatch(page, -1) {
		out = append(out, m[1])
	}
	return out
}

// TestLanguagesAreEqual: a page has the same parts in both languages.
func TestLanguagesAreEqual(t *testing.T) {
	year := reporttest.Lived(1, messages(t))
	for name, r := range map[string]*report.Report{"year": year, "month": about(t, "2025-06"), "quarter": about(t, "2025-Q2"), "empty": empty()} {
		for _, outline := range []string{html.OutlineReport, html.OutlineGBT} {
			zh, en := outlined(t, r, "zh", outline), outlined(t, r, "en", outline)
			save(t, fmt.Sprintf("%s-%s-zh.html", name, outline), zh)
			save(t, fmt.Sprintf("%s-%s-en.html", name, outline), en)
			if a, b := skeleton(zh), skeleton(en); !slices.Equal(a, b) {
				t.Errorf("%s %s: the page has %d parts in Chinese and %d in English", name, outline, len(a), len(b))
			}
			body := regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(en, "")
			body = strings.ReplaceAll(body, "獬豸", "")
			if han := regexp.MustCompile(`[\p{Han}，。；：、]+`).FindString(body); han != "" {
				t.Errorf("%s %s: the English page says %q", name, outline, han)
			}
		}
	}
}

var update = os.Getenv("UPDATE_GOLDEN") != ""

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (UPDATE_GOLDEN=1 writes it anew):\n%s", path, got)
	}
}

var tags = regexp.MustCompile(`<[^>]*>`)

// plain is the text of a piece of the page, a line per block.
func plain(piece string) string {
	piece = regexp.MustCompile(`(?s)<(svg|style).*?</(svg|style)>`).ReplaceAllString(piece, "")
	piece = regexp.MustCompile(`</(p|li|h[1-5]|dd|tr|div|figcaption)>`).ReplaceAllString(piece, "\n")
	piece = regexp.MustCompile(`</(td|th|dt|b)>`).ReplaceAllString(piece, " | ")
	piece = tags.ReplaceAllString(piece, "")
	var out []string
	for l := range strings.Lines(strings.NewReplacer("&amp;", "&", "&#43;", "+", "&#34;", `"`, "&#39;", "'").Replace(piece)) {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			out = append(out, strings.TrimSuffix(l, " |"))
		}
	}
	return strings.Join(out, "\n") + "\n"
}

// section cuts a section out of a page by its id.
func section(t *testing.T, page, id string) string {
	t.Helper()
	i := strings.Index(page, ` id="`+id+`"`)
	if i < 0 {
		t.Fatalf("there is no section %s", id)
	}
	start := strings.LastIndex(page[:i], "<section")
	return page[start : i+strings.Index(page[i:], "</section>")]
}

// TestMonth holds what a month says beyond what a run says: the page for
// management, the course, the comparison, what became of defects.
func TestMonth(t *testing.T) {
	r := about(t, "2025-06")
	for _, lang := range []string{"zh", "en"} {
		page := outlined(t, r, lang, "")
		var b strings.Builder
		for _, id := range []string{"exec", "months", "compare", "mended"} {
			b.WriteString(plain(section(t, page, id)) + "\n")
		}
		golden(t, "month-"+lang+".txt", b.String())
		if n := strings.Count(page, `class="bar now"`); n != 2 { // the chart and the small one
			t.Errorf("%s: %d months stand out", lang, n)
		}
	}
}

// TestOutline holds the order of the chapters.
func TestOutline(t *testing.T) {
	r := about(t, "2025-06")
	for _, outline := range []string{html.OutlineReport, html.OutlineGBT} {
		for _, lang := range []string{"zh", "en"} {
			var b strings.Builder
			for _, m := range headPattern.FindAllStringSubmatch(outlined(t, r, lang, outline), -1) {
				fmt.Fprintf(&b, "%s %s\n", m[1], strings.TrimSpace(tags.ReplaceAllString(m[2], "")))
			}
			golden(t, "outline-"+outline+"-"+lang+".txt", b.String())
		}
	}
}

// TestNoClauseIsCited: of the standard there is its name and no clause.
func TestNoClauseIsCited(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		page := outlined(t, about(t, "2025-06"), lang, html.OutlineGBT)
		if m := regexp.MustCompile(`第\s*\d+(\.\d+)*\s*[条章]|[Cc]lause \d|§\s*\d`).FindString(page); m != "" {
			t.Errorf("%s: the page cites %q", lang, m)
		}
		if !strings.Contains(page, "GB/T 46796-2025") {
			t.Errorf("%s: the page does not say what its order is", lang)
		}
	}
}

// TestNoData: a month that the data does not cover is not a quiet one.
func TestNoData(t *testing.T) {
	for lang, want := range map[string]string{"zh": "没有2031 年 3 月的数据", "en": "There is no data of March 2031"} {
		page := render(t, about(t, "2031-03"), lang)
		if n := strings.Count(page, want); n < 2 {
			t.Errorf("%s: %q stands there %d times", lang, want, n)
		}
		if strings.Contains(page, "is now") {
			t.Errorf("%s: a month without data stands out", lang)
		}
	}
}

// TestThreeOfEach: the page for management is a page.
func TestThreeOfEach(t *testing.T) {
	for name, r := range map[string]*report.Report{"year": reporttest.Lived(1, messages(t)), "month": about(t, "2025-06"), "first month": about(t, "2025-01"), "empty": empty()} {
		page := section(t, render(t, r, "en"), "exec")
		if n := strings.Count(page, `<p class="label">`); n != 3 {
			t.Errorf("%s: %d figures", name, n)
		}
		if n := strings.Count(page, "<li><b>"); n != 3 {
			t.Errorf("%s: %d sentences", name, n)
		}
		if n := strings.Count(page, `class="job"`); n > 3 {
			t.Errorf("%s: %d things to do", name, n)
		}
	}
}

// TestSentences: what is cut is cut where a sentence or a word ends.
func TestSentences(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"Short.", 20, "Short."},
		{"One thing. Another thing that is long.", 20, "One thing."},
		{"一句话。另一句很长很长的话。", 8, "一句话。"},
		{"a single sentence without an end", 20, "a single sentence…"},
		{"version 1.2.3 of it is wanted here", 13, "version…"},
		{strings.Repeat("x", 30), 10, strings.Repeat("x", 9) + "…"},
	} {
		if got := html.Sentences(c.in, c.n); got != c.want {
			t.Errorf("%q within %d is %q, want %q", c.in, c.n, got, c.want)
		}
	}
}
