//go:build unix

package tail

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

// fileSink writes ids to a file; a flush hands them to the system.
type fileSink struct{ w *bufio.Writer }

func (f *fileSink) Accept(x *exchange.Exchange) error {
	_, err := fmt.Fprintf(f.w, "%s %s\n", x.ID, x.Target)
	return err
}

func (f *fileSink) Flush() error { return f.w.Flush() }

const helperDir = "XIEZHI_TAIL_HELPER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		fmt.Fprintln(os.Stderr, helper(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// helper is the process that TestKilled kills: it follows until then.
func helper(dir string) error {
	out, err := os.OpenFile(filepath.Join(dir, "out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s, err := New(Config{Paths: []string{filepath.Join(dir, "a.log")}, Checkpoint: filepath.Join(dir, "checkpoint"), Every: time.Millisecond})
	if err != nil {
		return err
	}
	s.often = true
	return s.Run(context.Background(), &fileSink{bufio.NewWriterSize(out, 1<<20)}, &source.Ledger{})
}

// TestKilled kills the follower again and again while a file is written and
// rotated: every line is delivered, and those that come twice have one id.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	log, err := os.OpenFile(filepath.Join(dir, "a.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var written strings.Builder
	n := 0
	write := func() {
		text := ""
		for range 1 + r.IntN(20) {
			if r.IntN(3) > 0 {
				n++
			}
			text += logLine(fmt.Sprintf("/%d", n))
		}
		for rest := text; rest != ""; {
			k := min(len(rest), 1+r.IntN(200))
			if _, err := log.WriteString(rest[:k]); err != nil {
				t.Fatal(err)
			}
			rest = rest[k:]
		}
		written.WriteString(text)
	}
	start := func() *exec.Cmd {
		c := exec.Command(self)
		c.Env = append(os.Environ(), helperDir+"="+dir)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	const kills = 8
	for kill := range kills {
		c := start()
		for begun, life := time.Now(), time.Duration(30+r.IntN(120))*time.Millisecond; time.Since(begun) < life; {
			write()
			time.Sleep(time.Duration(r.IntN(4)) * time.Millisecond)
		}
		if _, err := os.Stat(filepath.Join(dir, "checkpoint")); err == nil && kill%3 == 2 { // the server goes on writing to the renamed file for a while
			if err := os.Rename(filepath.Join(dir, "a.log"), filepath.Join(dir, fmt.Sprintf("a.log.%d", kill))); err != nil {
				t.Fatal(err)
			}
			write()
			log.Close()
			if log, err = os.OpenFile(filepath.Join(dir, "a.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
	}
	want := map[string]bool{}
	for _, id := range reference(t, written.String()) {
		want[id] = true
	}
	c := start()
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	var got map[string]bool
	lines := 0
	for range 400 {
		b, err := os.ReadFile(filepath.Join(dir, "out"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		got, lines = map[string]bool{}, bytes.Count(b, newline)
		for line := range strings.Lines(string(b)) {
			got[strings.TrimSuffix(line, "\n")] = true
		}
		if len(got) >= len(want) {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	for id := range want {
		if !got[id] {
			t.Errorf("%s is lost", id)
		}
	}
	for id := range got {
		if !want[id] {
			t.Errorf("%q is no line's", id)
		}
	}
	t.Logf("%d lines, %d delivered in %d lives", len(want), lines, kills+1)
}
