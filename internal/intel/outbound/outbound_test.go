package outbound

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

func TestInner(t *testing.T) {
	for _, s := range []string{"127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1",
		"::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:a00:1::", "::10.0.0.1", "2001::1", "2001:db8::1", "fec0::1"} {
		if !Inner(netip.MustParseAddr(s)) {
			t.Errorf("%s is taken for an address outside", s)
		}
	}
	for _, s := range []string{"1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"} {
		if Inner(netip.MustParseAddr(s)) {
			t.Errorf("%s is taken for an inner address", s)
		}
	}
	if !Inner(netip.Addr{}) {
		t.Error("no address is taken for one outside")
	}
}

func TestCheck(t *testing.T) {
	g, err := New(Config{Allow: []string{"feeds.lan", "10.0.0.5:8443"}})
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]error{
		"https://lists.example.com/x?key=1": nil, "http://feeds.lan/x": nil, "https://10.0.0.5:8443/x": nil,
		"https://10.0.0.5/x": ErrInner, "http://127.0.0.1/": ErrInner, "http://[::1]/": ErrInner, "http://127.1/": ErrInner, "http://2130706433/": ErrInner,
		"http://0x7f000001/": ErrInner, "http://0177.0.0.1/": ErrInner, "http://[::ffff:10.0.0.1]/": ErrInner, "http://127.0.0.1./": ErrInner,
		"file:///etc/passwd": ErrURL, "gopher://x/": ErrURL, "http://": ErrURL, "http://a:b@example.com/": ErrURL, "%": ErrURL, "http://x/" + strings.Repeat("a", MaxURL): ErrURL,
	} {
		if _, err := g.Check(raw); !errors.Is(err, want) {
			t.Errorf("%.60s gives %v, want %v", raw, err, want)
		}
	}
	if _, err := New(Config{Allow: []string{"10.0.0.0/8"}}); err == nil {
		t.Error("a network was taken for a host")
	}
}

// place is a server on loopback that names resolve to.
func place(t *testing.T, h http.Handler) (port string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (g *Guard) get(t *testing.T, raw string, most int64) (*Answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", "secret")
	return g.Do(r, most)
}

func TestWhatANameLeadsTo(t *testing.T) {
	var asked atomic.Int32
	port := place(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = w.Write([]byte("inside"))
	}))
	names := map[string][]string{"evil.example": {"127.0.0.1"}, "mixed.example": {"8.8.8.8", "127.0.0.1"}, "mapped.example": {"::ffff:127.0.0.1"}, "none.example": {}, "feeds.lan": {"127.0.0.1"}}
	lookup := func(_ context.Context, host string) (out []netip.Addr, err error) {
		for _, s := range names[host] {
			out = append(out, netip.MustParseAddr(s))
		}
		return out, nil
	}
	g, err := New(Config{Allow: []string{"feeds.lan"}, Lookup: lookup})
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"evil.example", "mixed.example", "mapped.example", "none.example"} {
		if _, err := g.get(t, "http://"+host+":"+port+"/?key=hidden", 0); !errors.Is(err, ErrInner) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s gives %v", host, err)
		}
	}
	if asked.Load() != 0 {
		t.Fatal("the inner server was asked")
	}
	if a, err := g.get(t, "http://feeds.lan:"+port+"/", 0); err != nil || string(a.Body) != "inside" {
		t.Errorf("the allowed host gives %v, %v", a, err)
	}
}

// TestRebinding: the address that was looked at is the one that is dialled,
// though the name resolves to another a moment later.
func TestRebinding(t *testing.T) {
	var dialled []string
	turn := 0
	g, err := New(Config{
		Lookup: func(context.Context, string) ([]netip.Addr, error) {
			turn++
			if turn == 1 {
				return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
			}
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		},
		Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return nil, errors.New("not connected")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = g.get(t, "http://rebind.example/", 0)
	if _, err := g.get(t, "http://rebind.example/", 0); !errors.Is(err, ErrInner) {
		t.Errorf("the second time gives %v", err)
	}
	if len(dialled) != 1 || dialled[0] != "8.8.8.8:80" {
		t.Errorf("dialled %v", dialled)
	}
}

func TestRedirectsAndSizes(t *testing.T) {
	inside := place(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inner server was asked") }))
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 8<<20))
	_ = z.Close()
	var other string
	port := place(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/in":
			http.Redirect(w, r, "http://127.0.0.1:"+inside+"/", http.StatusFound)
		case "/name":
			http.Redirect(w, r, "http://evil.example:"+inside+"/", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/elsewhere":
			http.Redirect(w, r, "http://other.lan:"+other+"/", http.StatusFound)
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		case "/long":
			_, _ = w.Write(make([]byte, 1<<20))
		}
	}))
	other = place(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != "" {
			t.Error("the key went to another host")
		}
		_, _ = w.Write([]byte("there"))
	}))
	loop := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	g, err := New(Config{Allow: []string{"feeds.lan", "other.lan"}, Lookup: loop})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{"/in": ErrInner, "/name": ErrInner, "/loop": ErrRedirect, "/file": ErrURL, "/bomb": ErrLarge, "/long": ErrLarge} {
		if _, err := g.get(t, "http://feeds.lan:"+port+path, 64<<10); !errors.Is(err, want) {
			t.Errorf("%s gives %v, want %v", path, err, want)
		}
	}
	if a, err := g.get(t, "http://feeds.lan:"+port+"/elsewhere", 0); err != nil || string(a.Body) != "there" {
		t.Errorf("a redirect to an allowed host gives %v, %v", a, err)
	}
}
