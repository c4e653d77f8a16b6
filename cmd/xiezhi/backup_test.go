//go:build unix

package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBackupAndRestore: what a service found is there in a copy, the copy that
// the service makes itself included, and a service goes on from it.
func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	data, copies := filepath.Join(dir, "data"), filepath.Join(dir, "copies")
	var out, said bytes.Buffer
	if code := run([]string{"convert", "--to", "harl", "../../testdata/vampi/vampi.pcap.zst"}, nil, &out, &said, os.Getenv); code != 0 {
		t.Fatal(code, said.String())
	}
	lines := bytes.SplitAfter(out.Bytes(), []byte("\n"))[:1500]
	s := startServe(t, data, "--backup", copies, "--metrics", "127.0.0.1:0")
	if err := s.feed(lines); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second) // until nothing is waited for
	_, url, _ := strings.Cut(s.log.String(), "metrics at ")
	url, _, _ = strings.Cut(url, "\n")
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := io.ReadAll(res.Body)
	if err != nil || !strings.Contains(string(metrics), "xiezhi_exchanges_analysed_total 1500\n") || !strings.Contains(string(metrics), `xiezhi_part_healthy{name="stream",part="stream"} 1`) {
		t.Errorf("%v: %s", err, metrics)
	}
	_ = res.Body.Close()
	s.end()
	own, err := filepath.Glob(filepath.Join(copies, "xiezhi-*.tar"))
	if err != nil || len(own) != 1 {
		t.Fatal(own, err)
	}

	command := func(want int, args ...string) string {
		t.Helper()
		var said bytes.Buffer
		if code := run(args, nil, io.Discard, &said, os.Getenv); code != want {
			t.Fatalf("%q: %d %s", args, code, said.String())
		}
		return said.String()
	}
	tar := filepath.Join(dir, "copy.tar")
	command(0, "backup", "--data", data, "--to", tar)
	if text := command(3, "backup", "--data", data, "--to", tar); !strings.Contains(text, "name another file") {
		t.Error(text)
	}
	command(2, "backup", "--data", filepath.Join(dir, "nowhere"), "--to", tar)
	restored := filepath.Join(dir, "restored")
	command(0, "restore", "--from", tar, "--data", restored)
	if text := command(3, "restore", "--from", tar, "--data", restored); !strings.Contains(text, "name a new or empty folder") {
		t.Error(text)
	}
	command(0, "restore", "--from", own[0], "--data", filepath.Join(dir, "of-its-own"))

	count, want, rows := wasFound(t, data)
	if c, got, r := wasFound(t, restored); c != count || r != rows || !bytes.Equal(got, want) || count != 1500 {
		t.Errorf("%d exchanges and %d rows are restored of %d and %d", c, r, count, rows)
	}
	s = startServe(t, restored)
	more := bytes.SplitAfter(out.Bytes(), []byte("\n"))[1500:1600]
	if err := s.feed(more); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
	s.end()
	if c, _, r := wasFound(t, restored); c != count+100 || r != rows+100 {
		t.Errorf("a service on the restored folder has %d exchanges and %d rows, 100 more than %d and %d were expected", c, r, count, rows)
	}
	examined := func(want int, lang string, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if code := run(append([]string{"doctor", "--lang", lang, "--data", restored}, args...), nil, &out, io.Discard, os.Getenv); code != want {
			t.Errorf("doctor ended with %d, want %d: %s", code, want, out.String())
		}
		return out.String()
	}
	if text := examined(0, "en"); strings.Count(text, "✓") != 7 || !strings.Contains(text, "the next start goes on from it") {
		t.Error(text)
	}
	if text := examined(0, "zh"); !strings.Contains(text, "下次启动从中继续") {
		t.Error(text)
	}
	states, err := filepath.Glob(filepath.Join(restored, "state", "*"))
	if err != nil || len(states) == 0 {
		t.Fatal(states, err)
	}
	for _, name := range states {
		if err := os.Truncate(name, 500); err != nil {
			t.Fatal(err)
		}
	}
	if text := examined(1, "en", "-o", "json"); !strings.Contains(text, `"state": "failed"`) {
		t.Error(text)
	}
	command(2, "doctor", "--data", filepath.Join(dir, "nowhere"))
	whole, err := os.ReadFile(tar)
	if err != nil {
		t.Fatal(err)
	}
	whole[len(whole)/2] ^= 1
	if err := os.WriteFile(tar, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if text := command(3, "restore", "--from", tar, "--data", filepath.Join(dir, "damaged")); !strings.Contains(text, "manifest") {
		t.Error(text)
	}
}
