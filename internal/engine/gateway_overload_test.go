package engine_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/source/collector"
	"xiezhi/internal/taxonomy"
)

// TestPluginLeavesTrafficAlone: whatever the collector does, every request is
// answered as without the plug-in; what could not be delivered is dropped,
// counted, and told to the collector when it is back.
func TestPluginLeavesTrafficAlone(t *testing.T) {
	g := gateways[0]
	requirePrograms(t, g)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, `{"path":%q,"got":%d}`, r.URL.Path, len(b))
	}))
	defer app.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	s := &setting{dir: openDir(t), app: app.Listener.Addr().String(), port: freePort(t), collector: addr, token: "a-token-of-the-gateway",
		recipe: strings.Replace(recipe(t, "en", g.recipe), `"TOKEN" }`, `"TOKEN", queue_lines = 40, batch_lines = 10, interval = 0.05, timeout = 200 }`, 1)}
	// Bodies that the plug-in cannot see or would rather not are served, too.
	serve(t, s, g)

	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	sent := 0
	traffic := func(mode string) {
		for i := range 100 {
			body := strings.Repeat("x", []int{0, 10, 70_000, 300_000}[i%4])
			path := fmt.Sprintf("/%s/%d", mode, i)
			resp, err := client.Post("http://127.0.0.1:"+s.port+path, "text/plain", strings.NewReader(body))
			if err != nil {
				t.Fatalf("%s: %v", mode, err)
			}
			b, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if want := fmt.Sprintf(`{"path":%q,"got":%d}`, path, len(body)); err != nil || resp.StatusCode != 200 || string(b) != want {
				t.Errorf("%s: %d %s %v, want %s", mode, resp.StatusCode, b, err, want)
			}
			sent++
		}
	}

	// A collector that answers in every wrong way.
	var mode atomic.Value
	mode.Store("500")
	stuck := make(chan struct{})
	asked := map[string]*atomic.Int64{"500": {}, "429": {}, "garbage": {}, "hangs": {}, "hangs up": {}}
	fake := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := mode.Load().(string)
		asked[now].Add(1)
		switch now {
		case "500":
			w.WriteHeader(500)
		case "429":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(429)
		case "garbage":
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, strings.Repeat("\x00nonsense", 1000))
				_ = c.Close()
			}
		case "hangs":
			<-stuck
			panic(http.ErrAbortHandler)
		case "hangs up":
			panic(http.ErrAbortHandler)
		}
	})}
	go func() { _ = fake.Serve(l) }()
	for _, m := range []string{"500", "429", "garbage", "hangs up", "hangs"} {
		mode.Store(m)
		for range 400 { // the plug-in waits longer after every failure
			traffic(m)
			if asked[m].Load() > 0 {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if asked[m].Load() == 0 {
			t.Errorf("the plug-in never met a collector that %s", m)
		}
	}
	close(stuck)
	_ = fake.Close()
	traffic("gone") // nobody listens

	// Now a real one: what was dropped is told.
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Fatal(err)
	}
	c, err := collector.New(collector.Config{Listener: l, Random: rand.Reader, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var ledger source.Ledger
	done := make(chan error, 1)
	go func() {
		done <- c.Run(ctx, source.SinkFunc(func(*exchange.Exchange) error { return nil }), &ledger)
	}()
	for range 1600 {
		if n := ledger.Totals(); int(n.Accepted+n.Dropped[taxonomy.DropOverload]) >= sent {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	n := ledger.Totals()
	if n.Accepted == 0 || n.Dropped[taxonomy.DropOverload] == 0 || int(n.Accepted+n.Dropped[taxonomy.DropOverload]) != sent {
		t.Errorf("%d requests, %d delivered, %d told to be lost", sent, n.Accepted, n.Dropped[taxonomy.DropOverload])
	}
	t.Logf("%d requests, %d delivered, %d told to be lost", sent, n.Accepted, n.Dropped[taxonomy.DropOverload])
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
