package pdf_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xiezhi/internal/message"
	"xiezhi/internal/report/html"
	"xiezhi/internal/report/pdf"
	"xiezhi/internal/report/reporttest"
	"xiezhi/rules"
)

// TestPrint prints a whole report with the browser of this machine.
func TestPrint(t *testing.T) {
	browser(t)
	msgs, err := message.Load(rules.FS, "messages")
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := html.Write(&page, reporttest.Small(1, msgs), html.Config{Lang: "zh", Messages: msgs}); err != nil {
		t.Fatal(err)
	}
	b, err := pdf.Print(t.Context(), page.Bytes(), pdf.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte("/Type /Page\n")) + bytes.Count(b, []byte("/Type /Page ")) + bytes.Count(b, []byte("/Type/Page/")); n < 3 && len(b) < 50_000 {
		t.Errorf("%d bytes with %d pages", len(b), n)
	}
}

// TestNothingIsFetched prints a page that asks for things and runs a script.
func TestNothingIsFetched(t *testing.T) {
	browser(t)
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	named := strings.Replace(server.URL, "127.0.0.1", "xiezhi.test", 1)
	page := fmt.Sprintf(`<!DOCTYPE html><title>x</title><p>text</p><script>fetch(%q)</script><link rel="stylesheet" href=%q>`, server.URL, named)
	if _, err := pdf.Print(t.Context(), []byte(page), pdf.Config{}); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the browser asked %d times", n)
	}
}

func browser(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	if _, err := pdf.Find(""); err != nil {
		t.Skipf("%v: install chromium to run this test", err)
	}
}

// fake is a program that stands for a browser.
func fake(t *testing.T, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	name := filepath.Join(t.TempDir(), "browser")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+script), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	return name
}

// TestWhatCanGoWrong: every failure says what failed, and nothing is left.
func TestWhatCanGoWrong(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for name, c := range map[string]struct{ script, want string }{
		"refuses":  {"echo 'no \x1b[2Jdisplay' >&2; exit 7", "it said: no [2Jdisplay"},
		"silent":   {"exit 0", "ended without a PDF"},
		"nonsense": {`for a; do case $a in --print-to-pdf=*) echo hello > "${a#*=}";; esac; done`, "no whole PDF"},
		"chatty":   {"head -c 100000 /dev/zero | tr '\\0' x; exit 1", "exit status 1"},
	} {
		b, err := pdf.Print(t.Context(), []byte("<p>"), pdf.Config{Browser: fake(t, c.script)})
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 2000 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if _, err := pdf.Print(t.Context(), nil, pdf.Config{Browser: filepath.Join(t.TempDir(), "none")}); err == nil || !strings.Contains(err.Error(), "find the browser") {
		t.Errorf("a browser that is not there: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := pdf.Find(""); runtime.GOOS == "linux" && !errors.Is(err, pdf.ErrNoBrowser) {
		t.Errorf("nothing is installed: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "xiezhi-pdf-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestTimeIsUp: a browser that hangs is ended with what it started.
func TestTimeIsUp(t *testing.T) {
	note := filepath.Join(t.TempDir(), "child")
	hang := fake(t, "sleep 300 &\necho $! > "+note+"\nwait\n")
	_, err := pdf.Print(t.Context(), []byte("<p>"), pdf.Config{Browser: hang, Patience: 500 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "did not print within") {
		t.Fatalf("a browser that hangs: %v", err)
	}
	b, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; alive(child); i++ {
		if i == 100 {
			t.Fatal("what the browser started lives on")
		}
		time.Sleep(20 * time.Millisecond)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pdf.Print(ctx, []byte("<p>"), pdf.Config{Browser: hang}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
