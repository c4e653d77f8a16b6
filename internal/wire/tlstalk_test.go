package wire

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// said is one piece of a recorded conversation.
type said struct {
	from int
	b    []byte
}

// tape records what goes over one connection, as its client sees it.
type tape struct {
	net.Conn
	mu   sync.Mutex
	said []said
}

func (c *tape) note(from int, b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(b) > 0 {
		c.said = append(c.said, said{from, bytes.Clone(b)})
	}
}

func (c *tape) Write(b []byte) (int, error) { c.note(0, b); return c.Conn.Write(b) }
func (c *tape) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.note(1, b[:n])
	return n, err
}

// frames plays a recorded connection as packets.
func (c *tape) frames(client, server string, mss int) []frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := newTalk(client, server).open()
	for _, s := range c.said {
		k.send(s.from, string(s.b), mss)
	}
	return k.close().out
}

// recorder dials and keeps a tape of every connection.
type recorder struct {
	mu    sync.Mutex
	tapes []*tape
}

func (r *recorder) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	t := &tape{Conn: c}
	r.mu.Lock()
	r.tapes = append(r.tapes, t)
	r.mu.Unlock()
	return t, nil
}

// frames gives all connections, one after the other.
func (r *recorder) frames(server string, mss int) (all []frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, t := range r.tapes {
		for _, f := range t.frames(net.JoinHostPort("10.0.0.7", []string{"41000", "41001", "41002", "41003"}[i%4]), server, mss) {
			f.ts += int64(i) * 1e9
			all = append(all, f)
		}
	}
	return all
}

var testCertificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "shop.example"}, DNSNames: []string{"shop.example"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// served starts a server that answers in several shapes.
func served(t testing.TB, cfg *tls.Config, protocols *http.Protocols) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skipf("no loopback: %v", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(b.Bytes())
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		for range 40 {
			_, _ = w.Write(bytes.Repeat([]byte("0123456789abcdef"), 128))
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error":"no ` + r.URL.Path + `"}`))
	})
	s := &http.Server{Handler: mux, TLSConfig: cfg, Protocols: protocols, ReadHeaderTimeout: time.Minute}
	go func() {
		if cfg != nil {
			_ = s.ServeTLS(l, "", "")
		} else {
			_ = s.Serve(l)
		}
	}()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// ask makes the same requests each time.
func asks(t testing.TB, c *http.Client, base string) {
	for _, q := range []struct{ method, path, body string }{
		{"GET", "/one?q=1", ""}, {"POST", "/echo", `{"phone":"13800138001"}`}, {"GET", "/large", ""},
		{"HEAD", "/large", ""}, {"PUT", "/echo", string(bytes.Repeat([]byte("put "), 12000))}, {"DELETE", "/two", ""},
	} {
		r, err := http.NewRequest(q.method, base+q.path, bytes.NewReader([]byte(q.body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "shop.example"
		r.Header.Set("X-Trace", q.path)
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_, _ = b.ReadFrom(res.Body)
		res.Body.Close()
	}
}

// session is a recorded session and its key log.
type session struct {
	recorder
	log bytes.Buffer
}

func (s *session) keys() *Keys {
	k := NewKeys()
	k.AddLog(s.log.Bytes())
	return k
}

// overTLS records the requests over TLS; client and server take the changes.
func overTLS(t testing.TB, protocols *http.Protocols, change func(client, server *tls.Config)) *session {
	s := &session{}
	client := &tls.Config{InsecureSkipVerify: true, ServerName: "shop.example", KeyLogWriter: &s.log}
	server := &tls.Config{Certificates: []tls.Certificate{testCertificate()}}
	change(client, server)
	addr := served(t, server, protocols)
	tr := &http.Transport{DialContext: s.dial, TLSClientConfig: client, Protocols: protocols, MaxConnsPerHost: 1}
	asks(t, &http.Client{Transport: tr}, "https://"+addr)
	tr.CloseIdleConnections()
	time.Sleep(10 * time.Millisecond) // for close_notify
	return s
}

// inPlain records them without TLS.
func inPlain(t testing.TB, protocols *http.Protocols) *recorder {
	r := &recorder{}
	tr := &http.Transport{DialContext: r.dial, Protocols: protocols, MaxConnsPerHost: 1}
	asks(t, &http.Client{Transport: tr}, "http://"+served(t, nil, protocols))
	tr.CloseIdleConnections()
	return r
}
