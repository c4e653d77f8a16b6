package proxy

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
)

// BenchmarkProxy asks the same upstream through nothing, through a bare
// httputil.ReverseProxy with the same transport, through ours, and through
// nginx when it is installed. Client, proxy and upstream share the processors.
func BenchmarkProxy(b *testing.B) {
	log.SetOutput(io.Discard)
	body := []byte(`{"items":[` + strings.Repeat(`{"id":12345,"name":"一二三","price":19.9},`, 48) + `{}]}`)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	defer up.Close()
	u, err := url.Parse(up.URL)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("direct", func(b *testing.B) { ask(b, up.URL) })
	b.Run("bare", func(b *testing.B) {
		s := httptest.NewServer(&httputil.ReverseProxy{Transport: transport(false), BufferPool: &bufferPool{},
			Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(u); p.SetXForwarded() }})
		defer s.Close()
		ask(b, s.URL)
	})
	b.Run("xiezhi", func(b *testing.B) {
		bed := newBed(b, up.URL, nil, source.SinkFunc(func(*exchange.Exchange) error { return nil }))
		ask(b, "http://"+bed.addr)
		if err := bed.wait(); err != nil {
			b.Fatal(err)
		}
		if lost := bed.src.overload.Load(); lost > 0 {
			b.Errorf("%d exchanges were left out", lost)
		}
	})
	b.Run("nginx", func(b *testing.B) { ask(b, "http://"+nginx(b, u.Host)) })
}

// ask sends b.N requests over many kept connections.
func ask(b *testing.B, to string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	defer client.CloseIdleConnections()
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			method, payload := http.MethodGet, io.Reader(nil)
			if n%3 == 0 {
				method, payload = http.MethodPost, strings.NewReader(`{"user":"someone","sku":[1,2,3],"note":"一二三"}`)
			}
			r, err := http.NewRequest(method, to+"/api/orders?page=1", payload)
			if err != nil {
				b.Error(err)
				return
			}
			resp, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 200 {
				b.Errorf("status %d", resp.StatusCode)
				return
			}
		}
	})
}

// nginx starts one before the upstream, with two workers and no log.
func nginx(b *testing.B, upstream string) string {
	bin, err := exec.LookPath("nginx")
	if err != nil {
		b.Skip("nginx is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	dir := b.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off; worker_processes 2; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 1024; }
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
 upstream up { server %[2]s; keepalive 64; }
 server { listen %[3]s; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; } } }
`, dir, upstream, addr)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(bin, "-p", dir, "-c", conf)
	if err := cmd.Start(); err != nil {
		b.Skipf("nginx does not start: %v", err)
	}
	b.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() }) // killed, it would leave its workers
	for range 100 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return addr
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.Skip("nginx does not listen")
	return ""
}
