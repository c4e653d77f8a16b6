package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// said collects what a run says while others look at it.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) { s.mu.Lock(); defer s.mu.Unlock(); return s.b.Write(p) }
func (s *said) String() string              { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// find waits until what is said matches.
func (s *said) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for range 200 {
		if m := re.FindStringSubmatch(s.String()); m != nil {
			return m[1]
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nothing like %s in %q", pattern, s.String())
	return ""
}

func TestProxyRun(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"ok":true}`) }))
	defer up.Close()
	var out bytes.Buffer
	var talk said
	done := make(chan int)
	go func() {
		done <- run([]string{"convert", "--proxy", "127.0.0.1:0=" + up.URL, "--for", "2s"}, strings.NewReader(""), &out, &talk, func(string) string { return "" })
	}()
	addr := talk.find(t, `proxy: (127\.0\.0\.1:\d+) ->`)
	for range 3 {
		r, err := http.Get("http://" + addr + "/api/me?x=1")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
	}
	if code := <-done; code != 0 {
		t.Errorf("exit code %d: %s", code, talk.String())
	}
	if n := strings.Count(out.String(), `/api/me?x=1"`); n != 3 || !strings.Contains(talk.String(), "3 exchanges written, 0 dropped") {
		t.Errorf("%d exchanges: %s", n, talk.String())
	}
}
