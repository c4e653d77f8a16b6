package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"xiezhi/internal/exchange"
)

// fine fails the test unless an ordinary client is served.
func (b *bed) fine(when string) {
	b.t.Helper()
	r, err := (&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + b.addr + "/fine")
	if err != nil {
		b.t.Fatalf("%s: %v", when, err)
	}
	defer r.Body.Close()
	if body, err := io.ReadAll(r.Body); r.StatusCode != 200 || string(body) != "ok" {
		b.t.Fatalf("%s: %d %q %v", when, r.StatusCode, body, err)
	}
}

func friendly(t testing.TB) string {
	return upstream(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	})
}

func TestMalformedRequestsGetAClearStatus(t *testing.T) {
	b := newBed(t, friendly(t), func(c *Config) {
		c.BodyPause, c.HeadTimeout, c.MaxHeader = 100*time.Millisecond, 500*time.Millisecond, 8<<10
	}, nil)
	for _, tt := range []struct{ name, raw, want string }{
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "HTTP/1.1 400 "},
		{"no host", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 400 "},
		{"unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n", "HTTP/1.1 501 "},
		{"head too large", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 16<<10) + "\r\n\r\n", "HTTP/1.1 431 "},
		{"head never ends", "GET / HTTP/1.1\r\nHost: a\r\nX", "HTTP/1.1 400 "},
		{"body never comes", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc", "HTTP/1.1 408 "},
		{"chunk of no size", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 502 "},
	} {
		if got := b.talk(tt.raw); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %.60q", tt.name, got)
		}
		b.fine("after " + tt.name)
	}
}

// TestIdleClient is no test: as a process of its own it opens idle connections,
// since one process may not have enough open files for both ends.
func TestIdleClient(t *testing.T) {
	addr := os.Getenv("XIEZHI_IDLE")
	if addr == "" {
		return
	}
	for i := range idleConns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer func() { _ = c.Close() }()
		if i%2 == 0 {
			fmt.Fprint(c, "GET / HTTP/1.1\r\nX-")
		}
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

const idleConns = 10_000

func TestManyIdleConnections(t *testing.T) {
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim); err != nil || lim.Cur < idleConns+500 {
		t.Skipf("needs %d open files, the limit is %d", idleConns+500, lim.Cur)
	}
	b := newBed(t, friendly(t), func(c *Config) { c.HeadTimeout = 5 * time.Minute }, nil)
	before := heap()
	client := exec.Command(os.Args[0], "-test.run=^TestIdleClient$", "-test.v")
	client.Env = append(os.Environ(), "XIEZHI_IDLE="+b.addr)
	hold, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := client.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { hold.Close(); _ = client.Wait() }()
	for lines := bufio.NewScanner(out); ; {
		if !lines.Scan() {
			t.Fatal("the clients gave up")
		}
		if lines.Text() == "open" {
			break
		}
	}
	b.fine("with idle connections")
	if used := (heap() - before) / idleConns; used > 32<<10 {
		t.Errorf("an idle connection holds %d bytes", used)
	}
}

func TestConnectionsBeyondTheBoundWait(t *testing.T) {
	b := newBed(t, friendly(t), func(c *Config) { c.MaxConns = 4; c.HeadTimeout = time.Second }, nil)
	for range 12 {
		c, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	b.fine("once the first were cut off for their silence")
}

// TestMalformedFrames sends HTTP/2 that no client means.
func TestMalformedFrames(t *testing.T) {
	b := newBed(t, friendly(t), func(c *Config) { c.HeadTimeout, c.IdleTimeout = 200*time.Millisecond, 200*time.Millisecond }, nil)
	frame := func(kind, flags byte, stream uint32, payload string) string {
		n := len(payload)
		return string([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, byte(stream >> 24), byte(stream >> 16), byte(stream >> 8), byte(stream)}) + payload
	}
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	settings := frame(4, 0, 0, "")
	head := frame(1, 4, 1, "\x82\x86\x84\x41\x01a")
	before := heap()
	var wg sync.WaitGroup
	for _, tt := range []struct{ name, raw string }{
		{"no settings", preface + frame(0, 0, 1, "x")},
		{"frame too long", preface + settings + "\xff\xff\xff\x00\x00\x00\x00\x00\x01"},
		{"header block that is none", preface + settings + frame(1, 4, 1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff")},
		{"even stream", preface + settings + frame(1, 4, 2, "\x82\x86\x84\x41\x01a")},
		{"data of no stream", preface + settings + frame(0, 0, 7, "x")},
		{"padding longer than the frame", preface + settings + frame(0, 8, 1, "\xff")},
		{"endless continuation", preface + settings + frame(1, 0, 1, "\x82\x86\x84\x41\x01a") + strings.Repeat(frame(9, 0, 1, strings.Repeat("\x00\x01a\x01b", 100)), 2000)},
		{"rapid reset", preface + settings + rapid(frame)},
		{"settings flood", preface + strings.Repeat(settings, 20000)},
		{"ping flood", preface + settings + strings.Repeat(frame(6, 0, 0, "12345678"), 20000)},
		{"window that overflows", preface + settings + head + frame(8, 0, 1, "\x7f\xff\xff\xff") + frame(8, 0, 1, "\x7f\xff\xff\xff")},
	} {
		wg.Go(func() {
			c, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			go func() { _, _ = io.WriteString(c, tt.raw) }() // it may be cut off in the middle
			var ne net.Error
			if _, err := io.Copy(io.Discard, c); errors.As(err, &ne) && ne.Timeout() {
				t.Errorf("%s: the connection is kept", tt.name)
			}
		})
	}
	for range 10 {
		b.fine("beside malformed frames")
	}
	wg.Wait()
	b.fine("after malformed frames")
	if grown := heap() - before; grown > 16<<20 {
		t.Errorf("%d bytes are held", grown)
	}
}

// rapid opens streams and takes them back at once.
func rapid(frame func(kind, flags byte, stream uint32, payload string) string) string {
	var out strings.Builder
	for i := range uint32(2000) {
		out.WriteString(frame(1, 5, 2*i+1, "\x82\x86\x84\x41\x01a") + frame(3, 0, 2*i+1, "\x00\x00\x00\x08"))
	}
	return out.String()
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func TestEndlessBodies(t *testing.T) {
	b := newBed(t, friendly(t), func(c *Config) { c.MaxBody, c.MaxCopied = 64<<10, 256<<10 }, nil)
	var wg sync.WaitGroup
	quit := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			c, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = c.Close() }()
			go func() { <-quit; _ = c.Close() }()
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
			chunk := []byte("8000\r\n" + strings.Repeat("a", 0x8000) + "\r\n")
			for {
				if _, err := c.Write(chunk); err != nil {
					return
				}
			}
		})
	}
	for range 20 {
		b.fine("beside endless bodies")
		if held := b.src.copied.Load(); held > 256<<10 {
			t.Errorf("%d bytes are held", held)
		}
	}
	close(quit)
	wg.Wait()
	for _, x := range b.stop() {
		if len(x.Request.Body) > 64<<10 {
			t.Errorf("a body of %d bytes was kept", len(x.Request.Body))
		}
		if string(x.Target) == "/" && x.Request.Truncated == 0 {
			t.Error("a body without its end passes as whole")
		}
	}
}

// FuzzTap feeds a connection's bytes in pieces: whatever they are, the head
// that the tap gives is the one that net/http read.
func FuzzTap(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\nb: 1\r\nA: 2\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), uint8(3))
	f.Add([]byte("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\nPOST /x HTTP/1.1\r\nHost: b\r\nC: 1\r\n\r\n.POST /x HTTP/1.1\r\nHost: c\r\n\r\n"), uint8(200))
	f.Add([]byte("P /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nP\r\n0\r\nT: 1\r\n\r\nP /x HTTP/1.0\nHost:b\n\n"), uint8(7))
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		c := &tap{Conn: pieces{r: bytes.NewReader(b), n: int(piece)%64 + 1}}
		br := bufio.NewReaderSize(c, 64)
		var room []byte
		for range 8 {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			var x exchange.Exchange
			var ok bool
			if room, ok = c.head(r, room, &x); ok {
				if string(x.Method) != r.Method || string(x.Target) != r.RequestURI || !sameFields(x.Request.Header, r) {
					t.Fatalf("%s %s, not %s %s", x.Method, x.Target, r.Method, r.RequestURI)
				}
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			if len(c.buf) > maxTapped {
				t.Fatalf("%d bytes are held", len(c.buf))
			}
		}
	})
}

type pieces struct {
	net.Conn
	r io.Reader
	n int
}

func (p pieces) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, errors.New("empty read")
	}
	return p.r.Read(b[:min(len(b), p.n)])
}
