package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"xiezhi/internal/source/pcap/pcaptest"
)

// The scripted session that every way in must tell alike: a shop with defects,
// thirty visitors, one who looks for accounts and one who reads all profiles.
// Clients have loopback addresses of their own.

// shop answers the session.
func shop() http.Handler {
	person := func(id int) map[string]any {
		return map[string]any{"id": id, "name": "王小明", "phone": fmt.Sprintf("139%08d", 10000000+id*7919), "city": "杭州市"}
	}
	write := func(w http.ResponseWriter, status int, v any) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		w.WriteHeader(status)
		_, _ = w.Write(b)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/login", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Phone, Password string }
		if json.NewDecoder(r.Body).Decode(&in) != nil {
			write(w, 400, map[string]any{"code": 400, "msg": "bad request"})
			return
		}
		n := 0
		_, _ = fmt.Sscanf(in.Phone, "139%08d", &n)
		switch {
		case (n-10000000)%7919 != 0 || n-10000000 > 40*7919:
			write(w, 200, map[string]any{"code": 1001, "msg": "用户不存在"})
		case in.Password != "Mr7#kQ-"+in.Phone[8:]:
			write(w, 200, map[string]any{"code": 1002, "msg": "密码错误"})
		default:
			w.Header().Set("Set-Cookie", "sid=s"+in.Phone+"xk29vq; Path=/; HttpOnly; Secure")
			write(w, 200, map[string]any{"code": 0, "msg": "ok", "data": map[string]any{"uid": n}})
		}
	})
	mux.HandleFunc("GET /api/users/{id}", func(w http.ResponseWriter, r *http.Request) {
		id := 0
		_, _ = fmt.Sscanf(r.PathValue("id"), "%d", &id)
		write(w, 200, map[string]any{"code": 0, "data": person(id)})
	})
	mux.HandleFunc("GET /api/goods/{id}", func(w http.ResponseWriter, r *http.Request) {
		write(w, 200, map[string]any{"code": 0, "data": map[string]any{"id": r.PathValue("id"), "title": "保温杯", "price": 19.9}})
	})
	mux.HandleFunc("POST /api/orders", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("sid"); err != nil {
			write(w, 401, map[string]any{"code": 401, "msg": "请先登录"})
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		write(w, 200, map[string]any{"code": 0, "data": map[string]any{"order": 88123}})
	})
	return mux
}

// play runs the session against addr. Requests follow each other, so their
// order is the same every time.
func play(t *testing.T, scheme, addr string, transport func(from netip.Addr) http.RoundTripper) (requests int) {
	t.Helper()
	phone := func(i int) string { return fmt.Sprintf("139%08d", 10000000+i*7919) }
	type visitor struct {
		client http.Client
		agent  string
		cookie string
	}
	newVisitor := func(ip, agent string) *visitor {
		return &visitor{client: http.Client{Transport: transport(netip.MustParseAddr(ip)), Timeout: 30 * time.Second}, agent: agent}
	}
	send := func(v *visitor, method, path, body string) string {
		t.Helper()
		requests++
		r, err := http.NewRequest(method, scheme+"://"+addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "shop.example.com"
		r.Header.Set("User-Agent", v.agent)
		r.Header.Set("Accept", "application/json")
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		} else {
			r.Body = nil
		}
		if v.cookie != "" {
			r.Header.Set("Cookie", v.cookie)
		}
		resp, err := v.client.Do(r)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if c := resp.Header.Get("Set-Cookie"); c != "" {
			v.cookie, _, _ = strings.Cut(c, ";")
		}
		return string(b)
	}
	login := func(v *visitor, phone, password string) string {
		return send(v, "POST", "/api/login", fmt.Sprintf(`{"phone":%q,"password":%q}`, phone, password))
	}
	visitors := make([]*visitor, 30)
	for i := range visitors {
		visitors[i] = newVisitor(fmt.Sprintf("127.0.1.%d", 10+i), fmt.Sprintf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", 120+i%9))
	}
	for round := range 4 {
		for i, v := range visitors {
			send(v, "GET", fmt.Sprintf("/api/goods/%d", 100+(i*7+round)%40), "")
			if round == 0 {
				login(v, phone(i), "Mr7#kQ-"+phone(i)[8:])
			}
			send(v, "GET", fmt.Sprintf("/api/users/%d", i), "")
			if round > 0 && i%8 == 0 { // few, as all of them within a moment would be scalpers
				send(v, "POST", "/api/orders", fmt.Sprintf(`{"goods":%d,"count":1,"note":"尽快发货"}`, 100+(i*7+round)%40))
			}
		}
	}
	scanner := newVisitor("127.0.9.1", "python-requests/2.31.0")
	for i := range 160 {
		login(scanner, fmt.Sprintf("139%08d", 10000000+i*7919/2), "123456")
	}
	reader := newVisitor("127.0.9.2", "Go-http-client/1.1")
	for i := range 160 {
		send(reader, "GET", fmt.Sprintf("/api/users/%d", 1000+i), "")
	}
	for _, v := range append(visitors, scanner, reader) {
		v.client.CloseIdleConnections()
	}
	return requests
}

// from gives a transport whose connections come from an address.
func from(ip netip.Addr) *http.Transport {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: ip.AsSlice()}, Timeout: 10 * time.Second}
	return &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 1, DisableCompression: true}
}

// relay passes connections on, from the client's own address, and writes down
// what passes as packets.
type relay struct {
	t    *testing.T
	l    net.Listener
	to   string
	wg   sync.WaitGroup
	mu   sync.Mutex // guards the following
	last int64
	out  []pcaptest.Frame
}

func newRelay(t *testing.T, to string) *relay {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, l: l, to: to}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.wg.Add(1)
			go r.pass(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return r
}

func (r *relay) addr() string { return r.l.Addr().String() }

func (r *relay) pass(c net.Conn) {
	defer r.wg.Done()
	peer := c.RemoteAddr().(*net.TCPAddr)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: peer.IP}}
	up, err := d.DialContext(context.Background(), "tcp", r.to)
	if err != nil {
		slog.Error("relay", "error", err)
		_ = c.Close()
		return
	}
	talk := pcaptest.NewTalk(c.RemoteAddr().String(), r.addr(), pcaptest.Epoch)
	r.write(talk, talk.Open)
	var both sync.WaitGroup
	for dir, ends := range [2][2]net.Conn{{c, up}, {up, c}} {
		both.Go(func() {
			buf := make([]byte, 16<<10)
			for {
				n, err := ends[0].Read(buf)
				if n > 0 {
					r.write(talk, func() { talk.Send(dir, buf[:n], 1400) })
					if _, e := ends[1].Write(buf[:n]); e != nil {
						err = e
					}
				}
				if err != nil {
					if w, ok := ends[1].(*net.TCPConn); ok {
						_ = w.CloseWrite()
					}
					return
				}
			}
		})
	}
	both.Wait()
	r.write(talk, talk.Close)
	_, _ = c.Close(), up.Close()
}

// write adds what script sends, stamped with the present time.
func (r *relay) write(talk *pcaptest.Talk, script func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	talk.Out = talk.Out[:0]
	script()
	for _, f := range talk.Out {
		r.last = max(r.last+1, time.Now().UnixNano())
		f.TS = r.last
		r.out = append(r.out, f)
	}
}

// capture ends the relay and gives its packets.
func (r *relay) capture() []byte {
	_ = r.l.Close()
	r.wg.Wait()
	return pcaptest.Encode(r.out)
}

// logged writes a combined log line per request, as the server behind sees it.
func logged(h http.Handler, out *bytes.Buffer) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		n, _ := w.Write(rec.Body.Bytes())
		ip, _, _ := net.SplitHostPort(r.RemoteAddr)
		if f := r.Header.Get("X-Forwarded-For"); f != "" {
			ip = f
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, "%s - - [%s] \"%s %s %s\" %d %d \"-\" %q\n", ip, time.Now().Format("02/Jan/2006:15:04:05 -0700"), r.Method, r.RequestURI, r.Proto, rec.Code, n, r.UserAgent())
	})
}
