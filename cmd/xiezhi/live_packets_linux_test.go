package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLivePackets runs the real program on an interface, in a network
// namespace of its own: what it finds, and that it keeps no privilege.
func TestLivePackets(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it becomes another user")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("ip (iproute2) is not installed: no network to test with can be made")
	}
	if os.Getenv("XIEZHI_TEST_NAMESPACE") == "" {
		dir := t.TempDir()
		bin := filepath.Join(dir, "xiezhi")
		build := exec.Command("go", "build", "-trimpath", "-o", bin, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build: %v: %s", err, out)
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestLivePackets$", "-test.v", "-test.timeout=60s")
		cmd.Env = append(os.Environ(), "XIEZHI_TEST_NAMESPACE=1", "XIEZHI_TEST_BINARY="+bin)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Skipf("a network namespace cannot be made: %v", err)
		}
		if t.Logf("%s", out); err != nil {
			t.Fatal(err)
		}
		return
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("ip: %v: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"path":%q}`, r.URL.Path)
	})}
	go func() { _ = srv.Serve(l) }()
	defer func() { _ = srv.Close() }()

	t.Run("root becomes nobody", func(t *testing.T) { livePacketsAs(t, l.Addr().String(), "--user", "nobody") })
	t.Run("root without capabilities", func(t *testing.T) { livePacketsAs(t, l.Addr().String()) })
	t.Run("without the capability", func(t *testing.T) {
		cmd := exec.Command(os.Getenv("XIEZHI_TEST_BINARY"), "convert", "--live", "lo")
		if err := os.Chmod(filepath.Dir(cmd.Path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(filepath.Dir(cmd.Path)), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != exitRuntime || !strings.Contains(string(out), "CAP_NET_RAW") || !strings.Contains(string(out), "sudo setcap cap_net_raw=ep "+cmd.Path) {
			t.Errorf("%v: %s", err, out)
		}
	})
	t.Run("an output out of reach", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "theirs")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Getenv("XIEZHI_TEST_BINARY"), "analyze", "--live", "lo", "--json", filepath.Join(dir, "r.json"), "--key", filepath.Join(t.TempDir(), "key"))
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(out), "could not be written at the end") {
			t.Errorf("%v: %s", err, out)
		}
	})
}

func livePacketsAs(t *testing.T, server string, args ...string) {
	_, port, _ := net.SplitHostPort(server)
	cmd := exec.Command(os.Getenv("XIEZHI_TEST_BINARY"), append([]string{"convert", "--quiet", "--live", "lo", "--bpf", "tcp port " + port}, args...)...)
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.Env = append(os.Environ(), "SUDO_USER=")
	talk, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(talk)
	for said.Scan() && !strings.HasPrefix(said.Text(), "reading live traffic") {
	}
	time.Sleep(100 * time.Millisecond)
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", cmd.Process.Pid))
	if err != nil || len(tasks) < 2 {
		t.Fatalf("%d threads, %v", len(tasks), err)
	}
	for _, name := range tasks {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		have := map[string]string{}
		for line := range strings.Lines(string(b)) {
			k, v, _ := strings.Cut(strings.TrimSpace(line), ":")
			have[k] = strings.TrimSpace(v)
		}
		for _, k := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
			if strings.Trim(have[k], "0") != "" {
				t.Errorf("%s: %s is %s", name, k, have[k])
			}
		}
		if have["NoNewPrivs"] != "1" {
			t.Errorf("%s: NoNewPrivs is %q", name, have["NoNewPrivs"])
		}
		if len(args) > 0 && have["Uid"] != "65534\t65534\t65534\t65534" {
			t.Errorf("%s: Uid is %q", name, have["Uid"])
		}
	}
	const requests = 20
	for i := range requests {
		resp, err := http.Get(fmt.Sprintf("http://%s/items/%d", server, i))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	time.Sleep(200 * time.Millisecond)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var rest []string
	for said.Scan() {
		rest = append(rest, said.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, rest)
	}
	n := 0
	for line := range bytes.Lines(out.Bytes()) {
		var e struct {
			Request  struct{ URL string }
			Response struct{ Status int }
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("http://%s/items/%d", server, n); e.Request.URL != want || e.Response.Status != 200 {
			t.Errorf("%s, %d; want %s", e.Request.URL, e.Response.Status, want)
		}
		n++
	}
	if n != requests {
		t.Errorf("%d exchanges, want %d: %s", n, requests, rest)
	}
}
