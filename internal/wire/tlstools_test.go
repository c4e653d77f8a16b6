package wire

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// relay passes connections on to addr and records them.
func relay(t *testing.T, addr string) (string, *recorder) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skipf("no loopback: %v", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	r := &recorder{}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := r.dial(context.Background(), "tcp", addr)
			if err != nil {
				_ = near.Close()
				continue
			}
			go func() { _, _ = io.Copy(far, near); _ = far.(*tape).Conn.(*net.TCPConn).CloseWrite() }()
			go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
		}
	}()
	return l.Addr().String(), r
}

func tool(t *testing.T, name string) string {
	p, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return p
}

// rsaPair writes a certificate and its key.
func rsaPair(t *testing.T, dir string) (cert, key string) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestOpenSSL has OpenSSL's client talk with every suite that is read, for TLS
// 1.3 to a server of crypto/tls and with a KeyUpdate of both sides.
func TestOpenSSL(t *testing.T) {
	openssl := tool(t, "openssl")
	dir := t.TempDir()
	cert, key := rsaPair(t, dir)
	page := strings.Repeat(`{"id":1,"name":"x"}`, 2000)
	if err := os.WriteFile(filepath.Join(dir, "page"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skipf("no loopback: %v", err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	server := exec.Command(openssl, "s_server", "-accept", addr, "-cert", cert, "-key", key, "-WWW", "-quiet", "-cipher", "ALL:@SECLEVEL=0",
		"-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")
	server.Dir = dir
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	for range 100 {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	modern := served(t, &tls.Config{Certificates: []tls.Certificate{testCertificate()}}, http1())
	for _, c := range []struct{ version, suite string }{
		{"1.3", "TLS_AES_128_GCM_SHA256"}, {"1.3", "TLS_AES_256_GCM_SHA384"}, {"1.3", "TLS_CHACHA20_POLY1305_SHA256"},
		{"1.2", "ECDHE-RSA-AES128-GCM-SHA256"}, {"1.2", "ECDHE-RSA-AES256-GCM-SHA384"}, {"1.2", "ECDHE-RSA-CHACHA20-POLY1305"},
		{"1.2", "DHE-RSA-AES128-GCM-SHA256"}, {"1.2", "DHE-RSA-AES256-GCM-SHA384"}, {"1.2", "DHE-RSA-CHACHA20-POLY1305"},
		{"1.2", "AES128-GCM-SHA256"}, {"1.2", "AES256-GCM-SHA384"},
		{"cbc", "ECDHE-RSA-AES128-SHA256"}, {"ccm", "AES128-CCM"},
	} {
		t.Run(c.suite, func(t *testing.T) {
			t.Parallel()
			from, want := addr, page
			if c.version == "1.3" {
				from, want = modern, strings.Repeat("0123456789abcdef", 40*128)
			}
			to, rec := relay(t, from)
			log := filepath.Join(t.TempDir(), "keys.log")
			args := []string{"s_client", "-connect", to, "-keylogfile", log, "-servername", "shop.example", "-tls1_2", "-cipher", c.suite + ":@SECLEVEL=0"}
			input := "GET /page HTTP/1.0\r\nHost: shop.example\r\n\r\n"
			if c.version == "1.3" {
				input = "GET /large HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"
			}
			if c.version == "1.3" {
				args = []string{"s_client", "-connect", to, "-keylogfile", log, "-servername", "shop.example", "-tls1_3", "-ciphersuites", c.suite}
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			client := exec.CommandContext(ctx, openssl, args...)
			in, err := client.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := client.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			client.Stderr = client.Stdout
			var all []byte
			until := func(mark string) {
				buf := make([]byte, 4096)
				for !bytes.Contains(all, []byte(mark)) {
					n, err := out.Read(buf)
					all = append(all, buf[:n]...)
					if err != nil {
						return
					}
				}
			}
			if err := client.Start(); err != nil {
				t.Fatal(err)
			}
			if c.version == "1.3" {
				// K, in a read of its own, changes the keys of both sides.
				until("Verify return code")
				_, _ = io.WriteString(in, "K\n")
				until("KEYUPDATE")
			}
			_, _ = io.WriteString(in, input)
			rest, _ := io.ReadAll(out)
			all = append(all, rest...)
			_ = in.Close()
			_ = client.Wait()
			if !bytes.Contains(all, []byte(" 200 ")) {
				t.Skipf("this openssl does not talk %s: %.200q", c.suite, all)
			}
			lines, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			k := NewKeys()
			k.AddLog(lines)
			g, d := decode(t, Config{Keys: k}, LinkRaw, rec.frames("10.0.0.1:443", 1448))
			if c.version == "cbc" || c.version == "ccm" {
				if b := d.Blind(); len(g) != 0 || len(b) != 1 || b[0].Reason != "cipher_suite" {
					t.Fatalf("%d exchanges, %+v", len(g), b)
				}
				return
			}
			if len(g) != 1 || g[0].Method != "GET" || g[0].Resp != want || g[0].RespCut != 0 || g[0].TLSVersion != "TLSv"+c.version || g[0].SNI != "shop.example" {
				t.Fatalf("%d exchanges; %+v; %+v", len(g), d.Blind(), d.Stats())
			}
		})
	}
}

// TestCurl has curl talk to a Go server and write its key log.
func TestCurl(t *testing.T) {
	curl := tool(t, "curl")
	both := http1()
	both.SetHTTP2(true)
	addr := served(t, &tls.Config{Certificates: []tls.Certificate{testCertificate()}}, both)
	for _, way := range [][]string{{"--http1.1"}, {"--http2"}, {"--http1.1", "--tls-max", "1.2"}, {"--http2", "--tls-max", "1.2"}} {
		to, rec := relay(t, addr)
		log := filepath.Join(t.TempDir(), "keys.log")
		args := append([]string{"-sk", "--max-time", "20", "-d", `{"a":1}`}, way...)
		for i := range 3 {
			args = append(args, fmt.Sprintf("https://%s/echo?n=%d", to, i))
		}
		c := exec.Command(curl, args...)
		c.Env = append(os.Environ(), "SSLKEYLOGFILE="+log)
		out, err := c.Output()
		if err != nil || string(out) != strings.Repeat(`{"a":1}`, 3) {
			t.Fatalf("%v: %v %q", way, err, out)
		}
		lines, err := os.ReadFile(log)
		if err != nil {
			t.Skip("this curl writes no key log")
		}
		k := NewKeys()
		k.AddLog(lines)
		g, d := decode(t, Config{Keys: k}, LinkRaw, rec.frames("10.0.0.1:443", 1448))
		wantStatuses(t, g, "/echo?n=0 200", "/echo?n=1 200", "/echo?n=2 200")
		for _, x := range g {
			if x.Req != `{"a":1}` || x.Resp != `{"a":1}` || !x.Secure {
				t.Fatalf("%v: %+v %+v", way, x, d.Stats())
			}
		}
	}
}
