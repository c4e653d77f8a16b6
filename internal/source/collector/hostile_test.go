package collector

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// brisk are the real limits with short times.
func brisk(c *Config) {
	c.Limits.HeadFor, c.Limits.Stall, c.Limits.BodyFor, c.Limits.Idle = 300*time.Millisecond, 200*time.Millisecond, 600*time.Millisecond, time.Minute
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// served checks that an honest client gets its answer.
func (s *stage) served(id string) {
	s.t.Helper()
	if status, text, _ := s.post("/v1/harl", []byte(line(id, "/"))); status != 200 || !strings.Contains(text, `"accepted":1`) {
		s.t.Errorf("an honest client gets %d %s", status, text)
	}
}

// status reads the first line of an answer.
func status(t testing.TB, c net.Conn) string {
	t.Helper()
	text, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	_, code, _ := strings.Cut(strings.TrimSpace(text), " ")
	return code
}

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// TestSlowHeads: a head that trickles in ends after its time.
func TestSlowHeads(t *testing.T) {
	s := start(t, &taken{}, brisk)
	var slow []net.Conn
	for range 50 {
		c := dial(t, s.addr)
		fmt.Fprint(c, "POST /v1/harl HTTP/1.1\r\nHost: x\r\nX-A: ")
		slow = append(slow, c)
	}
	s.served("a")
	ended := make(chan struct{})
	go func() { // a byte now and then does not buy time
		for {
			select {
			case <-ended:
				return
			case <-time.After(50 * time.Millisecond):
				for _, c := range slow {
					_, _ = c.Write([]byte("b"))
				}
			}
		}
	}()
	for _, c := range slow {
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if text, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s %v", text, err)
		}
	}
	close(ended)
	s.served("b")
}

// TestSlowBodies: one that stalls and one that trickles get 408, and nothing
// of them is taken.
func TestSlowBodies(t *testing.T) {
	s := start(t, &taken{}, brisk)
	stalls, trickles := dial(t, s.addr), dial(t, s.addr)
	const head = "POST /v1/harl HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n"
	fmt.Fprint(stalls, head, line("stalls", "/"))
	fmt.Fprint(trickles, head, line("trickles", "/"))
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(50 * time.Millisecond):
				_, _ = trickles.Write([]byte(" "))
			}
		}
	}()
	s.served("honest")
	for name, c := range map[string]net.Conn{"stalls": stalls, "trickles": trickles} {
		if got := status(t, c); got != "408 Request Timeout" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := s.sink.all(); len(got) != 1 {
		t.Errorf("taken: %q", got)
	}
}

// TestUnwantedBodies: who is refused cannot keep the connection by sending on.
func TestUnwantedBodies(t *testing.T) {
	s := start(t, &taken{}, func(c *Config) { brisk(c); c.Tokens = tokens(t) })
	c := dial(t, s.addr)
	fmt.Fprint(c, "POST /v1/harl HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc")
	begun := time.Now()
	answer, _ := io.ReadAll(c)
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 401 ")) {
		t.Errorf("%q", answer)
	}
	if waited := time.Since(begun); waited > 10*time.Second {
		t.Errorf("open for %s", waited)
	}
}

// TestEndlessBodies: chunks without end are cut at the limit.
func TestEndlessBodies(t *testing.T) {
	s := start(t, &taken{}, func(c *Config) { c.Limits.Wire = 1 << 20 })
	before := memory()
	const senders = 16
	answers := make(chan string, senders)
	for range senders {
		c := dial(t, s.addr)
		go func() {
			fmt.Fprint(c, "POST /v1/harl HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
			chunk := fmt.Appendf(nil, "%x\r\n%s\r\n", 64<<10, bytes.Repeat([]byte("x"), 64<<10))
			go func() {
				for {
					if _, err := c.Write(chunk); err != nil {
						return
					}
				}
			}()
			answers <- status(t, c)
		}()
	}
	for range senders {
		// Whoever keeps sending may lose the answer to a reset.
		if got := <-answers; got != "413 Request Entity Too Large" && got != "429 Too Many Requests" && !strings.Contains(got, "reset") && !strings.Contains(got, "pipe") {
			t.Error(got)
		}
	}
	s.served("a")
	if after := memory(); after > before+100<<20 {
		t.Errorf("memory grew from %d to %d", before, after)
	}
}

// TestBombs: what unpacks to more than the limit is refused at the limit.
func TestBombs(t *testing.T) {
	s := start(t, &taken{}, func(c *Config) { c.Limits.Body = 8 << 20 })
	before := memory()
	zeros := make([]byte, 20<<20)
	copy(zeros, line("bomb", "/"))
	bombs := map[string][]byte{"gzip": gzipped(t, zeros), "zstd": zstandard(t, zeros)}
	for coding, bomb := range bombs {
		for _, path := range []string{"/v1/harl", "/v1/apisix"} {
			if got, text, _ := s.post(path, bomb, "Content-Encoding", coding); got != 413 {
				t.Errorf("%s %s: %d %s", path, coding, got, text)
			}
		}
	}
	// A window of 1 GiB, as zstd --long=30 declares it.
	if got, text, _ := s.post("/v1/harl", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00}, "Content-Encoding", "zstd"); got != 400 {
		t.Errorf("window: %d %s", got, text)
	}
	s.served("a")
	if after := memory(); after > before+64<<20 {
		t.Errorf("memory grew from %d to %d", before, after)
	}
	if got := s.sink.all(); len(got) != 1 {
		t.Errorf("taken: %q", got)
	}
}

// TestManySmallThings: entries and headers whose structures are larger than
// their text count with what they take.
func TestManySmallThings(t *testing.T) {
	s := start(t, &taken{}, func(c *Config) { c.Limits.Memory = 32 << 20 })
	entry := `{"startedDateTime":"2026-03-01T08:00:00Z","request":{"method":"GET","url":"/","headers":[` + strings.Repeat(`{"name":"a"},`, 50_000) + `{"name":"a"}]}}` + "\n"
	if got, text, _ := s.post("/v1/harl", gzipped(t, []byte(strings.Repeat(entry, 20))), "Content-Encoding", "gzip"); got != 413 {
		t.Errorf("%d %s", got, text)
	}
	s.served("a")
	s.s.shares.mu.Lock()
	defer s.s.shares.mu.Unlock()
	if s.s.shares.memory != 0 {
		t.Errorf("%d bytes are still claimed", s.s.shares.memory)
	}
}

func TestOversizeAndMalformedHeads(t *testing.T) {
	s := start(t, &taken{}, brisk)
	const post = "POST /v1/harl HTTP/1.1\r\nHost: x\r\n"
	for text, want := range map[string]string{
		post + "X-A: " + strings.Repeat("a", 64<<10) + "\r\n\r\n":                                 "431 Request Header Fields Too Large",
		post + strings.Repeat("X-A: b\r\n", 10_000) + "\r\n":                                      "431 Request Header Fields Too Large",
		"GET /" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n":                    "431 Request Header Fields Too Large",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n":                                    "400 Bad Request",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                                                        "400 Bad Request", // HTTP/2 is not spoken here
		post + "Content-Length: -1\r\n\r\n":                                                       "400 Bad Request",
		post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n":                                   "400 Bad Request",
		post + "Transfer-Encoding: gzip\r\n\r\n":                                                  "501 Not Implemented",
		post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n":                                         "400 Bad Request",
		post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n":                         "400 Bad Request",
		post + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 64<<10) + "\r\na\r\n": "400 Bad Request",
		post + "Bad Header\r\n\r\n":                                                               "400 Bad Request",
		"POST /v1/harl HTTP/1.1\r\n\r\n":                                                          "400 Bad Request",
	} {
		c := dial(t, s.addr)
		go func() { _, _ = io.WriteString(c, text) }()
		if got := status(t, c); !strings.HasPrefix(got, want) {
			t.Errorf("%.60q: %s, want %s", text, got, want)
		}
	}
	s.served("a")
	if got := s.sink.all(); len(got) != 1 {
		t.Errorf("taken: %q", got)
	}
}

// TestCutBody: a body that ends before its length leaves nothing behind.
func TestCutBody(t *testing.T) {
	s := start(t, &taken{}, brisk)
	c := dial(t, s.addr)
	fmt.Fprintf(c, "POST /v1/harl HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n%s", line("cut", "/"))
	_ = c.(*net.TCPConn).CloseWrite()
	if got := status(t, c); got != "400 Bad Request" {
		t.Error(got)
	}
	s.served("a")
	if got := s.sink.all(); len(got) != 1 {
		t.Errorf("taken: %q", got)
	}
}

// TestTenThousandIdle: connections that say nothing push out each other, never
// a client that speaks.
func TestTenThousandIdle(t *testing.T) {
	n := 10_000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if most := int(min(limit.Cur, 1<<20))/2 - 500; n > most { // both ends are ours
		t.Logf("the limit of open files allows %d connections", most)
		n = max(most, 1500)
	}
	s := start(t, &taken{}, nil)
	before := memory()
	var stop atomic.Bool
	honest := make(chan int)
	go func() { // keeps its connection and speaks all the time
		asked := 0
		for ; !stop.Load(); asked++ {
			r, err := s.client.Post("http://"+s.addr+"/v1/harl", "", strings.NewReader(line(fmt.Sprint("h", asked), "/")))
			if err != nil || r.StatusCode != http.StatusOK {
				t.Errorf("the honest client: %v %v", r, err)
				break
			}
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
			time.Sleep(time.Millisecond)
		}
		honest <- asked
	}()
	conns := make([]net.Conn, 0, n)
	for range n {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	grown := int64(memory()) - int64(before)
	stop.Store(true)
	asked := <-honest
	s.s.conns.mu.Lock()
	total := s.s.conns.total
	s.s.conns.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
	if limit := DefaultLimits().Conns; total > limit+100 {
		t.Errorf("%d connections are held, the limit is %d", total, limit)
	}
	if grown > 100<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
	if asked < 10 {
		t.Errorf("the honest client was served %d times", asked)
	}
	s.served("after")
	t.Logf("%d idle connections, %d held, %d KiB more memory, the honest client served %d times", n, total, grown>>10, asked)
}
