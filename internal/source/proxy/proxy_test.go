package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// bed is a proxy between a test and its upstream.
type bed struct {
	t      testing.TB
	addr   string
	src    *Source
	ledger source.Ledger
	cancel context.CancelFunc
	done   chan error

	mu   sync.Mutex
	list exchange.Batch
}

// newBed starts a proxy. The sink keeps what it is given unless one is set.
func newBed(t testing.TB, upstream string, change func(*Config), sink source.Sink) *bed {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Listener: l, Upstream: u, Sensor: "edge", Grace: 2 * time.Second}
	if change != nil {
		change(&cfg)
	}
	b := &bed{t: t, addr: l.Addr().String(), src: New(cfg), done: make(chan error, 1)}
	if sink == nil {
		sink = source.SinkFunc(func(x *exchange.Exchange) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.list.Append(x)
			return nil
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	go func() { b.done <- b.src.Run(ctx, sink, &b.ledger) }()
	t.Cleanup(cancel)
	return b
}

// stop ends the proxy and gives what it saw.
func (b *bed) stop() []*exchange.Exchange {
	b.t.Helper()
	if err := b.wait(); err != nil {
		b.t.Fatal(err)
	}
	var out []*exchange.Exchange
	for i := range b.list.Len() {
		out = append(out, b.list.At(i))
	}
	slices.SortStableFunc(out, func(x, y *exchange.Exchange) int { return int(x.Start - y.Start) })
	return out
}

func (b *bed) wait() error {
	b.t.Helper()
	b.cancel()
	select {
	case err := <-b.done:
		return err
	case <-time.After(20 * time.Second):
		b.t.Fatal("the proxy does not end")
		return nil
	}
}

// talk sends raw bytes and reads everything until the other side closes.
func (b *bed) talk(raw string) string {
	b.t.Helper()
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		b.t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(got)
}

// text writes an exchange as people would, fields in the order they are held.
func text(x *exchange.Exchange) string {
	var b strings.Builder
	side := func(m *exchange.Message) {
		for _, f := range m.Header {
			if string(f.Name) != "Date" {
				fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
			}
		}
		fmt.Fprintf(&b, "[%d-%d] %s\n", m.BodySize, m.Truncated, m.Body)
		for _, f := range m.Trailer {
			fmt.Fprintf(&b, "trailer %s: %s\n", f.Name, f.Value)
		}
	}
	fmt.Fprintf(&b, "%s %s %d host=%s order=%v\n", x.Method, x.Target, x.Proto, x.Host, x.Caps&exchange.CapHeaderOrder != 0)
	side(&x.Request)
	fmt.Fprintf(&b, "-> %d\n", x.Status)
	side(&x.Response)
	return b.String()
}

func upstream(t testing.TB, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestExchangesAreThoseOnTheWire(t *testing.T) {
	var seen []string
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, fmt.Sprintf("%s %s host=%s xff=%s %s", r.Method, r.RequestURI, r.Host, strings.Join(r.Header["X-Forwarded-For"], ", "), body))
		switch r.URL.Path {
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/trail":
			w.Header().Set("Trailer", "X-Sum")
			_, _ = io.WriteString(w, "abc")
			w.Header().Set("X-Sum", "6")
		default:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"you":%q}`, body)
		}
	})
	b := newBed(t, up, nil, nil)
	b.talk("GET /a?x=1;y=%zz&q=%E4%B8%AD HTTP/1.1\r\nhost: shop.example\r\nX-b: 2\r\nx-A: 1\r\nX-b: 3\r\n\r\n" +
		"POST /b HTTP/1.1\r\nHost: shop.example\r\nContent-Type: text/plain\r\nContent-Length: 42\r\nZ: 9\r\nX-Forwarded-For: 203.0.113.9\r\n\r\nPOST /c HTTP/1.1\r\nHost: shop.example\r\n\r\n.." +
		"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: shop.example\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" +
		"HEAD /none HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: x\r\n\r\n" +
		"GET /trail HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n")
	var got []string
	for _, x := range b.stop() {
		got = append(got, text(x))
	}
	want := []string{`GET /a?x=1;y=%zz&q=%E4%B8%AD 11 host=shop.example order=true
host: shop.example
X-b: 2
x-A: 1
X-b: 3
[0-0] 
-> 200
Content-Length: 10
Content-Type: application/json
[10-0] {"you":""}
`, `POST /b 11 host=shop.example order=true
Host: shop.example
Content-Type: text/plain
Content-Length: 42
Z: 9
X-Forwarded-For: 203.0.113.9
[42-0] POST /c HTTP/1.1
Host: shop.example

..
-> 200
Content-Length: 58
Content-Type: application/json
[58-0] {"you":"POST /c HTTP/1.1\r\nHost: shop.example\r\n\r\n.."}
`, `POST /c 11 host=shop.example order=true
Transfer-Encoding: chunked
Host: shop.example
[5-0] abcde
-> 200
Content-Length: 15
Content-Type: application/json
[15-0] {"you":"abcde"}
`, `HEAD /none 11 host=shop.example order=true
Host: shop.example
User-Agent: x
[0-0] 
-> 204
[0-0] 
`, `GET /trail 11 host=shop.example order=true
Host: shop.example
Connection: close
[0-0] 
-> 200
Content-Type: text/plain; charset=utf-8
[3-0] abc
trailer X-Sum: 6
`}
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], "\r", "")
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	wantSeen := []string{
		"GET /a?x=1;y=%zz&q=%E4%B8%AD host=shop.example xff=127.0.0.1 ",
		"POST /b host=shop.example xff=203.0.113.9, 127.0.0.1 POST /c HTTP/1.1\r\nHost: shop.example\r\n\r\n..",
		"POST /c host=shop.example xff=127.0.0.1 abcde",
		"HEAD /none host=shop.example xff=127.0.0.1 ",
		"GET /trail host=shop.example xff=127.0.0.1 ",
	}
	if d := cmp.Diff(wantSeen, seen); d != "" {
		t.Errorf("what the upstream saw: %s", d)
	}
}

func TestIdsDifferAndHaveAllParts(t *testing.T) {
	b := newBed(t, upstream(t, func(http.ResponseWriter, *http.Request) {}), func(c *Config) { c.Site = "shop"; c.Clock = func() time.Time { return time.Unix(1, 0) } }, nil)
	for range 3 {
		b.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	}
	ids := map[string]bool{}
	for _, x := range b.stop() {
		ids[string(x.ID)] = true
		if string(x.Sensor) != "edge" || string(x.Site) != "shop" || x.Client.Addr().String() != "127.0.0.1" || x.Server.String() != b.addr || x.Start != 1e9 || x.End != 1e9 {
			t.Errorf("%+v", x)
		}
	}
	if len(ids) != 6 {
		t.Errorf("%d ids of 6 exchanges", len(ids))
	}
}

func TestProtocols(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "Grpc-Status")
		w.Header().Set("Content-Type", "application/grpc")
		fmt.Fprintf(w, "%d %s", r.ProtoMajor, body)
		w.Header().Set("Grpc-Status", "0")
	})
	var h2c http.Protocols
	h2c.SetUnencryptedHTTP2(true)
	both := h2c
	both.SetHTTP1(true)
	plain := httptest.NewUnstartedServer(handler)
	plain.Config.Protocols = &both
	plain.Start()
	defer plain.Close()
	secure := httptest.NewUnstartedServer(handler)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer secure.Close()
	trust := secure.Client().Transport.(*http.Transport).TLSClientConfig
	for _, tt := range []struct {
		name     string
		upstream string
		tls      bool
		client   *http.Transport
		want     string // protocol between the proxy and the upstream
		proto    uint8
		order    bool
	}{
		{"HTTP/1 to HTTP/1", plain.URL, false, &http.Transport{}, "1", 11, true},
		{"h2c to HTTP/1", plain.URL, false, &http.Transport{Protocols: &h2c}, "1", 20, false},
		{"h2c to h2c", strings.Replace(plain.URL, "http", "h2c", 1), false, &http.Transport{Protocols: &h2c}, "2", 20, false},
		{"HTTP/1 over TLS to HTTP/2 over TLS", secure.URL, true, &http.Transport{}, "2", 11, true},
		{"HTTP/2 over TLS to HTTP/1", plain.URL, true, &http.Transport{ForceAttemptHTTP2: true}, "1", 20, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scheme := "http"
			b := newBed(t, tt.upstream, func(c *Config) {
				if tt.tls {
					c.TLS = &tls.Config{Certificates: secure.TLS.Certificates}
				}
				if strings.HasPrefix(tt.upstream, "https") {
					tr := transport(false)
					tr.TLSClientConfig = trust.Clone()
					tr.TLSClientConfig.ServerName = "example.com"
					tr.TLSClientConfig.NextProtos = nil
					c.Transport = tr
				}
			}, nil)
			if tt.tls {
				scheme = "https"
				tt.client.TLSClientConfig = &tls.Config{RootCAs: trust.RootCAs, ServerName: "example.com"}
			}
			client := &http.Client{Transport: tt.client, Timeout: 10 * time.Second}
			r, err := client.Post(scheme+"://"+b.addr+"/pkg.Service/Call", "application/grpc", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(r.Body)
			r.Body.Close()
			tt.client.CloseIdleConnections()
			if err != nil || string(body) != tt.want+" body" || r.Trailer.Get("Grpc-Status") != "0" {
				t.Errorf("the client got %q, trailer %v, error %v", body, r.Trailer, err)
			}
			list := b.stop()
			if len(list) != 1 {
				t.Fatalf("%d exchanges", len(list))
			}
			x := list[0]
			if x.Proto != tt.proto || x.Secure != tt.tls || x.Caps&exchange.CapHeaderOrder != 0 != tt.order || string(x.Host) != b.addr && string(x.Host) != "example.com" {
				t.Errorf("proto %d secure %v order %v host %s", x.Proto, x.Secure, x.Caps&exchange.CapHeaderOrder != 0, x.Host)
			}
			if string(x.Request.Body) != "body" || string(x.Response.Body) != tt.want+" body" || len(x.Response.Trailer) != 1 {
				t.Errorf("%s", text(x))
			}
			if tt.tls && (string(x.SNI) != "example.com" || string(x.TLSVersion) != "TLSv1.3") {
				t.Errorf("SNI %q, version %q", x.SNI, x.TLSVersion)
			}
			alpn := map[uint8]string{11: "00", 20: "h2"}[tt.proto]
			if ja4 := string(x.JA4); tt.tls && (x.Caps&exchange.CapTLS == 0 || !strings.HasPrefix(ja4, "t13d") || len(ja4) != 36 || ja4[8:10] != alpn) {
				t.Errorf("JA4 %q", ja4)
			}
		})
	}
}

func TestUpgradePassesBothWays(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString("echo " + line)
		_ = rw.Flush()
	})
	b := newBed(t, up, nil, nil)
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(c, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	r := bufio.NewReader(c)
	if line, err := r.ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 101 ") {
		t.Fatalf("%q %v", line, err)
	}
	for line := ""; line != "\r\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintf(c, "hello\n")
	if line, err := r.ReadString('\n'); line != "echo hello\n" {
		t.Errorf("%q %v", line, err)
	}
	_ = c.Close()
	if list := b.stop(); len(list) != 1 || list[0].Status != 101 {
		t.Errorf("%d exchanges", len(list))
	}
}

func TestWebSocketMessages(t *testing.T) {
	frame := func(mask bool, text string) string {
		head := []byte{0x81, byte(len(text))}
		if !mask {
			return string(head) + text
		}
		head[1] |= 0x80
		key := []byte{1, 2, 3, 4}
		body := []byte(text)
		for i := range body {
			body[i] ^= key[i%4]
		}
		return string(head) + string(key) + string(body)
	}
	const rounds = 70
	up := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = rw.Flush()
		for i := range rounds {
			_, _ = io.CopyN(io.Discard, rw, int64(len(frame(true, fmt.Sprintf("ask %02d", i)))))
			_, _ = rw.WriteString(frame(false, fmt.Sprintf("reply %02d", i)))
			_ = rw.Flush()
		}
	})
	b := newBed(t, up, nil, nil)
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	fmt.Fprint(c, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	for line := ""; line != "\r\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	for i := range rounds {
		fmt.Fprint(c, frame(true, fmt.Sprintf("ask %02d", i)))
		want := frame(false, fmt.Sprintf("reply %02d", i))
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Fatalf("%q %v", got, err)
		}
	}
	_ = c.Close()
	list := b.stop()
	ids, n := map[string]bool{}, 0
	for i, x := range list {
		ids[string(x.ID)] = true
		if x.Status != 101 || int(x.Part) != i || string(x.Target) != "/ws" {
			t.Errorf("part %d: %d %s, part %d", i, x.Status, x.Target, x.Part)
		}
		for _, m := range x.Messages {
			want := fmt.Sprintf("ask %02d", n/2)
			if n%2 == 1 {
				want = fmt.Sprintf("reply %02d", n/2)
			}
			if string(m.Data) != want || m.Sent != (n%2 == 0) || !m.Text || m.Size != int64(len(want)) {
				t.Errorf("message %d: %+v", n, m)
			}
			n++
		}
	}
	if len(list) != 3 || len(ids) != 3 || n != 2*rounds {
		t.Errorf("%d parts with %d ids and %d messages", len(list), len(ids), n)
	}
	if held := b.src.copied.Load(); held != 0 {
		t.Errorf("%d bytes are never given back", held)
	}
}

type gate struct {
	request  func(*http.Request) Verdict
	response func(*http.Response)
}

func (g gate) Request(r *http.Request) Verdict { return g.request(r) }
func (g gate) Response(r *http.Response)       { g.response(r) }

func TestGate(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "phone 13800138000") })
	pass := func(*http.Request) Verdict { return Verdict{} }
	for _, tt := range []struct {
		name   string
		gate   gate
		closed bool
		status int
		body   string
	}{
		{"refuses", gate{func(*http.Request) Verdict {
			return Verdict{Status: 403, Header: http.Header{"X-Why": {"policy"}}, Body: []byte("no")}
		}, func(*http.Response) {}}, false, 403, "no"},
		{"changes", gate{pass, func(r *http.Response) {
			b, _ := io.ReadAll(r.Body)
			b = bytes.ReplaceAll(b, []byte("0013800"), []byte("*******"))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
			r.Header.Set("Content-Length", fmt.Sprint(len(b)))
		}}, false, 200, "phone 138*******0"},
		{"panics and is to fail open", gate{func(*http.Request) Verdict { panic("x") }, func(*http.Response) { panic("x") }}, false, 200, "phone 13800138000"},
		{"panics and is to fail closed", gate{func(*http.Request) Verdict { panic("x") }, func(*http.Response) {}}, true, 503, ""},
		{"panics over the response and is to fail closed", gate{pass, func(*http.Response) { panic("x") }}, true, 503, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, up, func(c *Config) { c.Gate, c.FailClosed = tt.gate, tt.closed }, nil)
			r, err := http.Get("http://" + b.addr + "/")
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(r.Body)
			r.Body.Close()
			if r.StatusCode != tt.status || string(body) != tt.body {
				t.Errorf("%d %q", r.StatusCode, body)
			}
			list := b.stop()
			if len(list) != 1 || list[0].Status != tt.status || string(list[0].Response.Body) != tt.body {
				t.Errorf("%d exchanges, %s", len(list), text(list[0]))
			}
		})
	}
}

func TestTrafficOutlivesTheSink(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 1000)) })
	block := make(chan struct{})
	broken := errors.New("disk full")
	for _, tt := range []struct {
		name string
		sink source.SinkFunc
		want error
	}{
		{"blocked", func(*exchange.Exchange) error { <-block; return nil }, nil},
		{"failed", func(*exchange.Exchange) error { return broken }, broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, up, func(c *Config) { c.MaxQueue, c.MaxCopied = 8, 4000 }, tt.sink)
			for i := range 100 {
				r, err := http.Get("http://" + b.addr + "/")
				if err != nil {
					t.Fatal(err)
				}
				n, _ := io.Copy(io.Discard, r.Body)
				r.Body.Close()
				if r.StatusCode != 200 || n != 1000 {
					t.Fatalf("request %d: %d, %d bytes", i, r.StatusCode, n)
				}
			}
			if held := b.src.copied.Load(); held > 4000 {
				t.Errorf("%d bytes are held", held)
			}
			if tt.want == nil {
				close(block)
			}
			if err := b.wait(); !errors.Is(err, tt.want) {
				t.Errorf("error %v", err)
			}
			if in := b.ledger.Totals(); in.Accepted+in.Dropped[taxonomy.DropOverload] != 100 || in.Dropped[taxonomy.DropOverload] < 80 {
				t.Errorf("accepted %d, dropped %v", in.Accepted, in.Dropped)
			}
			if held := b.src.copied.Load(); held != 0 {
				t.Errorf("%d bytes are never given back", held)
			}
		})
	}
}

func TestBodiesAreCutAtTheBound(t *testing.T) {
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) { b, _ := io.ReadAll(r.Body); _, _ = w.Write(b) })
	b := newBed(t, up, func(c *Config) { c.MaxBody = 1000 }, nil)
	big := strings.Repeat("0123456789", 500)
	r, err := http.Post("http://"+b.addr+"/", "text/plain", strings.NewReader(big))
	if err != nil {
		t.Fatal(err)
	}
	back, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if string(back) != big {
		t.Errorf("%d bytes came back", len(back))
	}
	x := b.stop()[0]
	for _, m := range []exchange.Message{x.Request, x.Response} {
		if len(m.Body) != 1000 || m.BodySize != 5000 || m.Truncated != 4000 {
			t.Errorf("%d bytes of %d, %d missing", len(m.Body), m.BodySize, m.Truncated)
		}
	}
}

func TestUpstreamIsDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	b := newBed(t, "http://"+l.Addr().String(), nil, nil)
	if got := b.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
		t.Errorf("%q", got)
	}
	if list := b.stop(); len(list) != 1 || list[0].Status != 502 {
		t.Errorf("%d exchanges", len(list))
	}
}
