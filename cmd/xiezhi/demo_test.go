//go:build unix

package main

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startDemo runs xiezhi demo in a process of its own and waits for what it says.
func startDemo(t *testing.T, want *regexp.Regexp, args ...string) (cmd *exec.Cmd, out *watched, match []string) {
	t.Helper()
	self, err := exec.LookPath("xiezhi") // put there by TestMain
	if err != nil {
		t.Fatal(err)
	}
	out = &watched{}
	cmd = exec.Command(self, append([]string{"demo", "--no-open", "--http", "127.0.0.1:0", "--months", "1"}, args...)...)
	cmd.Env = append(os.Environ(), "LANG=C", "TMPDIR="+t.TempDir())
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _, _ = cmd.Process.Wait() })
	return cmd, out, awaitText(t, out, want)
}

func awaitText(t *testing.T, out *watched, want *regexp.Regexp) []string {
	t.Helper()
	for range 1200 {
		if m := want.FindStringSubmatch(out.String()); m != nil {
			return m
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it does not say %s:\n%s", want, out)
	return nil
}

// TestDemo: the link signs in, once; the history comes in; traffic goes on; an
// interrupt ends it and leaves nothing behind.
func TestDemo(t *testing.T) {
	cmd, out, link := startDemo(t, regexp.MustCompile(`(http://\S+)/enter\?token=(\S+)`))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	visitor := &http.Client{Jar: jar}
	get := func(c *http.Client, path string, into any) int {
		t.Helper()
		res, err := c.Get(link[1] + path)
		if err != nil {
			t.Fatal(err, out)
		}
		defer res.Body.Close()
		if into != nil {
			if err := json.NewDecoder(res.Body).Decode(into); err != nil {
				t.Fatal(err)
			}
		}
		return res.StatusCode
	}
	enter := func(c *http.Client, token string) int {
		t.Helper()
		res, err := c.PostForm(link[1]+"/enter", url.Values{"token": {token}})
		if err != nil {
			t.Fatal(err, out)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if code := get(visitor, "/enter?token="+link[2], nil); code != http.StatusOK {
		t.Errorf("the link gives %d", code)
	}
	if code := enter(visitor, link[2]); code != http.StatusOK {
		t.Errorf("entering gives %d", code)
	}
	var me struct{ Name, Role string }
	if get(visitor, "/api/v1/session", &me); me.Name != "demo" || me.Role != "administrator" {
		t.Errorf("the visitor is %+v", me)
	}
	if code := enter(&http.Client{}, link[2]); code != http.StatusForbidden {
		t.Errorf("the second use of the link gives %d", code)
	}
	awaitText(t, out, regexp.MustCompile(`(?s)Found: \d+ APIs, \d+ open defects.*Traffic goes on`))
	var status struct{ Analysed uint64 }
	get(visitor, "/api/v1/status", &status)
	for then, begun := status.Analysed, time.Now(); status.Analysed < then+10; time.Sleep(200 * time.Millisecond) {
		if time.Since(begun) > 2*time.Minute {
			t.Fatalf("%d exchanges at the end of the history, %d after two minutes: %s", then, status.Analysed, out)
		}
		get(visitor, "/api/v1/status", &status)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v: %s", err, out)
	}
	tmp := strings.TrimPrefix(cmd.Env[len(cmd.Env)-1], "TMPDIR=")
	if list, err := os.ReadDir(tmp); err != nil || len(list) > 0 {
		t.Errorf("it leaves %v behind, %v", list, err)
	}
}

// TestDemoOnce: without a visitor it ends by itself, and --data keeps what was
// found for serve.
func TestDemoOnce(t *testing.T) {
	data := t.TempDir() + "/data"
	cmd, out, _ := startDemo(t, regexp.MustCompile(`stays in `), "--once", "--data", data, "--until", "2026-11-20T15:00:00+08:00")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	exchanges, _, _ := wasFound(t, data)
	if exchanges < 5000 || !strings.Contains(out.String(), "xiezhi analyze") {
		t.Errorf("%d exchanges: %s", exchanges, out)
	}
	again := exec.Command(cmd.Path, "demo", "--once", "--data", data)
	if text, err := again.CombinedOutput(); again.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(text), "xiezhi serve --data") {
		t.Errorf("a folder that is in use: %v: %s", err, text)
	}
}
