// Package pdf prints a page as PDF with a browser that is installed: Chromium,
// Chrome or Edge, without a window.
//
// It takes a page that needs nothing from elsewhere and gives the bytes of a
// PDF. Invariants: the browser has a folder of its own that is gone afterwards
// and reaches no network; when time is up, it and all it started are ended. Limits: no browser comes with Xiezhi, so that where
// none is installed nothing is printed, and the error says what else to do; a
// browser is started anew for each page, a second or two.
package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Patience is how long a browser may take, unless Config says otherwise.
const Patience = 5 * time.Minute

// maxPage is the largest PDF that is taken, in bytes.
const maxPage = 512 << 20

// ErrNoBrowser: none of the known browsers is installed.
var ErrNoBrowser = errors.New("no Chromium, Chrome or Edge was found")

// Config says with what a page is printed.
type Config struct {
	Browser  string        // path or name; empty: the first that is installed
	Patience time.Duration // 0: Patience
}

// names under which browsers are installed, in the order they are tried.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "microsoft-edge-stable", "msedge"}

// places where browsers are that no path names.
func places() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"}
	case "windows":
		var out []string
		for _, root := range []string{"ProgramFiles", "ProgramFiles(x86)", "LocalAppData"} {
			if dir := os.Getenv(root); dir != "" {
				out = append(out, filepath.Join(dir, `Google\Chrome\Application\chrome.exe`), filepath.Join(dir, `Chromium\Application\chrome.exe`), filepath.Join(dir, `Microsoft\Edge\Application\msedge.exe`))
			}
		}
		return out
	}
	return nil
}

// Find gives the path of the browser that is named, or of the first that is
// installed.
func Find(browser string) (string, error) {
	if browser != "" {
		path, err := exec.LookPath(browser)
		if err != nil {
			return "", fmt.Errorf("find the browser %s: %w; name the program of Chromium, Chrome or Edge", browser, err)
		}
		return path, nil
	}
	for _, n := range names {
		if path, err := exec.LookPath(n); err == nil {
			return path, nil
		}
	}
	for _, p := range places() {
		if path, err := exec.LookPath(p); err == nil {
			return path, nil
		}
	}
	return "", ErrNoBrowser
}

// flags of a browser that prints one file and does nothing else.
func flags(dir, page, out string, root bool) []string {
	list := []string{"--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-extensions", "--disable-default-apps", "--disable-breakpad", "--disable-dev-shm-usage", "--metrics-recording-only", "--password-store=basic", "--use-mock-keychain",
		"--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND", "--log-level=3", "--no-pdf-header-footer", "--generate-pdf-document-outline",
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--print-to-pdf=" + out}
	if root { // the sandbox refuses to start
		list = append(list, "--no-sandbox")
	}
	return append(list, (&url.URL{Scheme: "file", Path: filepath.ToSlash(page)}).String())
}

// Print gives the page as PDF.
func Print(ctx context.Context, page []byte, cfg Config) (out []byte, err error) {
	browser, err := Find(cfg.Browser)
	if err != nil {
		return nil, err
	}
	if cfg.Patience <= 0 {
		cfg.Patience = Patience
	}
	dir, err := os.MkdirTemp("", "xiezhi-pdf-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the browser: %w", err)
	}
	defer func() { err = errors.Join(err, removeAll(dir)) }()
	from, to := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.pdf")
	if err := os.WriteFile(from, page, 0o600); err != nil {
		return nil, fmt.Errorf("write the page for the browser: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Patience)
	defer cancel()
	c := exec.CommandContext(ctx, browser, flags(dir, from, to, os.Geteuid() == 0)...) //nolint:gosec // the browser that the user named
	said := &tail{}
	c.Stdout, c.Stderr, c.Dir = said, said, dir
	c.Env = environment(dir)
	alone(c)
	c.WaitDelay = 5 * time.Second
	ran := c.Run()
	end(c) // what it started and left behind
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("%s did not print within %s and was ended", browser, cfg.Patience)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case ran != nil:
		return nil, fmt.Errorf("%s failed: %w%s", browser, ran, said)
	}
	return read(to, browser, said)
}

// read takes what the browser wrote.
func read(name, browser string, said *tail) ([]byte, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("%s ended without a PDF%s", browser, said)
	}
	if st.Size() > maxPage {
		return nil, fmt.Errorf("%s made a PDF of %d MiB, more than %d", browser, st.Size()>>20, maxPage>>20)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read what %s printed: %w", browser, err)
	}
	if !bytes.HasPrefix(b, []byte("%PDF-")) || !bytes.Contains(b[max(0, len(b)-64):], []byte("%%EOF")) {
		return nil, fmt.Errorf("what %s printed is no whole PDF%s", browser, said)
	}
	return b, nil
}

// maxTemp is how long the name of the folder may be for a browser to have its
// temporary files there: it puts a socket below it, and the name of a socket
// has room for about a hundred bytes.
const maxTemp = 50

// environment is what a browser needs of ours. Its home is its own folder, so
// that it neither reads nor changes anything of the user's.
func environment(dir string) []string {
	out := []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_CACHE_HOME=" + dir}
	if len(dir) <= maxTemp {
		out = append(out, "TMPDIR="+dir)
	}
	for _, name := range []string{"PATH", "LANG", "LC_ALL", "FONTCONFIG_PATH", "SystemRoot", "ProgramFiles", "ProgramFiles(x86)", "TEMP", "TMP", "USERPROFILE"} {
		if v, ok := os.LookupEnv(name); ok {
			out = append(out, name+"="+v)
		}
	}
	return out
}

// removeAll takes a folder away from a browser that may still be ending.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	for i := 0; err != nil && i < 20; i++ {
		time.Sleep(50 * time.Millisecond)
		err = os.RemoveAll(dir)
	}
	return err
}

// tail keeps the end of what a browser says.
type tail struct{ b []byte }

const maxTail = 600

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if n := len(t.b) - maxTail; n > 0 {
		t.b = append(t.b[:0], t.b[n:]...)
	}
	return len(p), nil
}

// String is fit to follow a sentence.
func (t *tail) String() string {
	s := strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(t.b), ""))), " ")
	if s == "" {
		return ""
	}
	return "; it said: " + s
}
