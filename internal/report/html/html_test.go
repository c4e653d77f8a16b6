package html_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/report"
	"xiezhi/internal/report/html"
	"xiezhi/internal/report/reporttest"
	"xiezhi/rules"
)

var keep = flag.String("keep", "", "write the pages of the tests into this folder, to be looked at")

func messages(t testing.TB) *message.Catalog {
	t.Helper()
	m, err := message.Load(rules.FS, "messages")
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
