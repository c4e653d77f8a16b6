package visit

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
)

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// record plays scripts against a handler and keeps what was sent.
func record(t *testing.T, h http.Handler, d *Dialect, scripts ...func(*Actor)) (out []string) {
	t.Helper()
	clock := &Clock{}
	w := New(Config{Host: "a.example", Address: netip.MustParseAddr("192.0.2.1"), Handler: h, Seed: 1, Clock: clock, Prefix: "x", Dialect: d, Sink: func(e *Event) error {
		x := e.Exchange
		scheme := "http"
		if x.Secure {
			scheme = "https"
		}
		line := scheme + " " + string(x.Method) + " " + string(x.Target)
		for _, n := range []string{"referer", "cookie", "content-length"} {
			if v := x.Request.Get(n); v != nil {
				line += " " + n + "=" + string(v)
			}
		}
		out = append(out, line+" "+string(x.Request.Body)+" > "+string(x.Response.Body)+" "+string(x.Response.Get("content-length")))
		return nil
	}})
	defer w.Close()
	for i, s := range scripts {
		w.Enter(monday.Add(time.Duration(i)*time.Second), "person", NewClient(Chrome, Home(i), i), s)
	}
	if err := w.Play(monday.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBrowser(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			http.Redirect(w, r, "https://a.example/", http.StatusMovedPermanently)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s1"})
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<script src="/a.js"></script><script src="https://cdn.example/b.js"></script>`))
	})
	mux.HandleFunc("GET /a.js", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("1")) })
	mux.HandleFunc("GET /bye", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sid", MaxAge: -1})
	})
	mux.HandleFunc("GET /api", func(w http.ResponseWriter, r *http.Request) {
		_, err := r.Cookie("sid")
		_, _ = w.Write([]byte(map[bool]string{true: "known", false: "unknown"}[err == nil]))
	})
	got := record(t, mux, nil, func(a *Actor) {
		a.Plain = true
		a.Open("/")
		a.Get("/api")
		a.Open("/") // the script is in the cache
		a.Get("/bye")
		a.Get("/api")
	})
	for i, want := range []string{"http GET / ", "https GET / ", "https GET /a.js referer=https://a.example/ cookie=sid=s1", "https GET /api referer=https://a.example/ cookie=sid=s1", "https GET / ", "https GET /bye", "https GET /api"} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Fatalf("%d: want %q in\n%s", i, want, strings.Join(got, "\n"))
		}
	}
	if len(got) != 7 || !strings.Contains(got[3], "> known") || !strings.Contains(got[6], "> unknown") {
		t.Error(strings.Join(got, "\n"))
	}
}

// TestActorsTakeTurns: two scripts run side by side, in order of time.
func TestActorsTakeTurns(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {})
	step := func(name string) func(*Actor) {
		return func(a *Actor) {
			for range 3 {
				a.Get("/" + name)
				a.Wait(2 * time.Second)
			}
		}
	}
	got := record(t, h, nil, step("a"), step("b"))
	var order string
	for _, l := range got {
		order += strings.Fields(l)[2]
	}
	if order != "/a/b/a/b/a/b" {
		t.Error(order)
	}
}

func TestDialect(t *testing.T) {
	d := &Dialect{Prefix: "/gw", Under: "/api/", Snake: true, Words: map[string]string{"data": "result"}}
	got := record(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"data":{"plateNo":"data: \"x\"","list":["userName"],"n" :1}}`))
	}), d, func(a *Actor) { a.Post("/api/v1/x?plateNo=%E7%B2%A4&page=1", map[string]string{"itemId": "plateNo"}) })
	want := `https POST /gw/api/v1/x?plate_no=%E7%B2%A4&page=1 content-length=21 {"item_id":"plateNo"} > {"result":{"plate_no":"data: \"x\"","list":["userName"],"n" :1}} 64`
	if len(got) != 1 || got[0] != want {
		t.Errorf("%v\nwant %v", got, want)
	}
	d2 := &Dialect{Segments: map[string]string{"query": "cx.do", "progress": "bj"}, Words: map[string]string{"idNo": "sfzh"}, Texts: map[string]string{"没有": "none"}}
	if p := d2.Path("/api/progress/query;jsessionid=9/{}"); p != "/api/bj/cx.do;jsessionid=9/{}" {
		t.Error(p)
	}
	if x := string(d2.xml([]byte(`<?xml version="1.0"?><r a="idNo"><idNo>idNo</idNo><m>没有</m></r>`))); x != `<?xml version="1.0"?><r a="idNo"><sfzh>idNo</sfzh><m>none</m></r>` {
		t.Error(x)
	}
	if j := string(d2.json([]byte(`{"idNo":"没有","m":["没有"]}`))); j != `{"sfzh":"none","m":["none"]}` {
		t.Error(j)
	}
	script := string(d.script([]byte(`ask("/api/fee?plateNo="+p,function(r){el.textContent=r.data.plateNo+r.list.length})`)))
	if script != `ask("/gw/api/fee?plate_no="+p,function(r){el.textContent=r.result.plate_no+r.list.length})` {
		t.Error(script)
	}
	for _, hostile := range []string{`{"a`, `"`, `{"a\`, `{"data":`, ""} { // cut bodies are kept as they are
		x := exchange.Exchange{Target: []byte("/api/x")}
		x.Response.Header = []exchange.Field{{Name: []byte("Content-Type"), Value: []byte("application/json")}}
		x.Response.Body = []byte(hostile)
		d.translate(&x)
	}
}
