//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"xiezhi/internal/report/kept"
	"xiezhi/internal/store"
	"xiezhi/internal/store/observation/duckdb"
	"xiezhi/internal/store/record/sqlite"
	"xiezhi/rules"
)

// served is a `xiezhi serve` in a process of its own.
type served struct {
	t         *testing.T
	cmd       *exec.Cmd
	collector string
	token     string
	log       *watched
}

// watched keeps what a process says and finds addresses in it.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}
func (w *watched) String() string { w.mu.Lock(); defer w.mu.Unlock(); return w.text.String() }

func startServe(t *testing.T, data string, args ...string) *served {
	t.Helper()
	self, err := exec.LookPath("xiezhi") // put there by TestMain
	if err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, log: &watched{}}
	s.cmd = exec.Command(self, append([]string{"serve", "--data", data, "--http", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--hold", "1s"}, args...)...)
	s.cmd.Env = append(os.Environ(), "LANG=C")
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _, _ = s.cmd.Process.Wait() })
	for range 600 {
		for line := range strings.Lines(s.log.String()) {
			if rest, ok := strings.CutPrefix(line, "listening on "); ok && strings.HasSuffix(line, "\n") {
				s.collector = strings.TrimSpace(rest)
				return s
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("it does not listen: %s", s.log)
	return nil
}

// feed sends lines and reports whether they were acknowledged.
func (s *served) feed(lines [][]byte) error {
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := c.Post(s.collector+"/v1/harl", "application/x-ndjson", bytes.NewReader(bytes.Join(lines, nil)))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return err
}

func (s *served) end() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Fatalf("it ended with %v: %s", err, s.log)
	}
}

// wasFound reads a data folder that nobody holds: the report of its records, and
// how many rows there are.
func wasFound(t *testing.T, data string) (exchanges uint64, found []byte, rows uint64) {
	t.Helper()
	folder, err := store.Take(data)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Release() }()
	records, err := sqlite.Open(t.Context(), folder, sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	r, _, bad, err := kept.Report(t.Context(), records, "test", rules.Version)
	if err != nil || bad > 0 {
		t.Fatal(err, bad)
	}
	found, err = json.MarshalIndent([]any{r.Sites, r.APIs, r.Defects, r.Attacks, r.Campaigns, r.Statistics}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Sites {
		exchanges += s.Exchanges
	}
	db, err := duckdb.Open(t.Context(), folder, duckdb.Config{})
	if errors.Is(err, duckdb.ErrAbsent) {
		return exchanges, found, exchanges
	}
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	days, err := db.Range(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range days.Days {
		rows += uint64(d.Rows)
	}
	return exchanges, found, rows
}

// TestServeKilled kills the service again and again while it is fed: every
// exchange that was acknowledged is judged once, and what is found is what a
// service finds that nobody kills. XIEZHI_KILLS and XIEZHI_KILL_INPUT (HAR
// lines) make it longer.
func TestServeKilled(t *testing.T) {
	kills := 4
	if n, err := strconv.Atoi(os.Getenv("XIEZHI_KILLS")); err == nil {
		kills = n
	}
	lines := killLines(t)

	calm, wild := filepath.Join(t.TempDir(), "calm"), filepath.Join(t.TempDir(), "wild")
	s := startServe(t, calm)
	for at := 0; at < len(lines); at += 200 {
		if err := s.feed(lines[at:min(at+200, len(lines))]); err != nil {
			t.Fatal(err, s.log)
		}
	}
	time.Sleep(4 * time.Second) // until nothing is waited for
	s.end()
	key, err := os.ReadFile(filepath.Join(calm, "key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(wild, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(wild, "key"), key, 0o600); err != nil {
		t.Fatal(err)
	}

	r := rand.New(rand.NewPCG(5, 6))
	s = startServe(t, wild)
	again := 0
	each := len(lines)/(kills+1) + 1 // lines between kills
	for at, killed := 0, 0; at < len(lines); {
		if killed < kills && at >= (killed+1)*each {
			killed++
			victim := s
			time.AfterFunc(time.Duration(r.IntN(300))*time.Millisecond, func() { _ = victim.cmd.Process.Kill() })
			for s.feed(lines[at:min(at+50, len(lines))]) == nil { // until it is dead
				at = min(at+50, len(lines))
				if at == len(lines) {
					break
				}
			}
			again++ // what had no answer comes again
			_, _ = victim.cmd.Process.Wait()
			s = startServe(t, wild)
			continue
		}
		n := min(at+1+r.IntN(300), len(lines))
		if err := s.feed(lines[at:n]); err != nil {
			t.Fatal(err, s.log)
		}
		at = n
	}
	time.Sleep(4 * time.Second)
	s.end()

	count, want, rows := wasFound(t, calm)
	if count != uint64(len(lines)) || rows != count {
		t.Errorf("undisturbed, %d of %d exchanges were judged, %d rows", count, len(lines), rows)
	}
	count, got, rows := wasFound(t, wild)
	if count != uint64(len(lines)) || rows != count {
		t.Errorf("after %d kills, %d of %d exchanges were judged, %d rows", again, count, len(lines), rows)
	}
	if !bytes.Equal(got, want) {
		n := 0
		for n < min(len(got), len(want)) && got[n] == want[n] {
			n++
		}
		t.Errorf("after %d kills the findings differ at byte %d: %s\n---\n%s", again, n, got[max(0, n-200):min(len(got), n+200)], want[max(0, n-200):min(len(want), n+200)])
	}
	t.Log(fmt.Sprintf("%d exchanges, %d kills, %d requests sent again", len(lines), kills, again))
}
