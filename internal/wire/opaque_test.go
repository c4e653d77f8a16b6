package wire

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
)

// hello records what a TLS client sends first.
func hello(t testing.TB, cfg *tls.Config) string {
	a, b := net.Pipe()
	go func() {
		_ = tls.Client(a, cfg).Handshake() // the hello is all that is wanted
		_ = a.Close()
	}()
	buf := make([]byte, 8192)
	n, err := b.Read(buf)
	_ = b.Close()
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func blind(t *testing.T, k *talk) (BlindServer, *Decoder, []got) {
	t.Helper()
	g, d := decode(t, Config{}, LinkRaw, k.out)
	b := d.Blind()
	if len(b) != 1 {
		t.Fatalf("%+v", b)
	}
	return b[0], d, g
}

func TestTLS(t *testing.T) {
	h := hello(t, &tls.Config{ServerName: "www.Example.com", MinVersion: tls.VersionTLS12})
	for _, mss := range []int{1448, 50, 1} {
		k := newTalk("10.0.0.7:41000", "10.0.0.1:443").open().send(0, h, mss).answer("\x16\x03\x03\x00\x05.....").close()
		b, d, _ := blind(t, k)
		if b.SNI != "www.example.com" && b.SNI != "www.Example.com" || b.Version != tls.VersionTLS13 || b.Protocol != "tls" ||
			b.Connections != 1 || b.Bytes != int64(len(h)+10) || b.Server.String() != "10.0.0.1:443" {
			t.Fatalf("mss %d: %+v", mss, b)
		}
		if d.stats.dropped[dropEncrypted] != 1 {
			t.Fatalf("%+v", d.Stats())
		}
	}
	// Begun before the capture: records alone are enough to know it.
	k := newTalk("10.0.0.7:41000", "10.0.0.1:443").open().ask("\x17\x03\x03\x00\x05abcde").close()
	k.out = k.out[3:]
	if b, _, _ := blind(t, k); b.Protocol != "tls" {
		t.Fatalf("%+v", b)
	}
}

func TestOtherProtocols(t *testing.T) {
	for first, want := range map[string]string{
		"SSH-2.0-OpenSSH_9.2\r\n":                    "ssh",
		"\x00\x00\x00\x01binary":                     "unknown",
		"EHLO mail.example\r\nMAIL FROM:<a@b>\r\n":   "unknown",
		"GETX\x01 / HTTP/1.1\r\n":                    "unknown",
		"USER someone\r\nPASS secret\r\n":            "unknown",
		strings.Repeat("A", 3000):                    "unknown",
		"\x16\x05nope this is not a TLS handshake\n": "unknown",
	} {
		for _, mss := range []int{1448, 1} {
			b, d, g := blind(t, plainTalk().open().send(0, first, mss).answer("reply").close())
			if b.Protocol != want || len(g) != 0 || b.Bytes != int64(len(first)+5) || d.stats.dropped[dropUnsupported] != 1 {
				t.Errorf("%.20q at %d: %+v %+v", first, mss, b, d.Stats())
			}
		}
	}
}

func TestBlindBound(t *testing.T) {
	var frames []frame
	for i := range maxBlind + 50 {
		k := newTalk("10.0.0.7:41000", fmt.Sprintf("10.1.%d.%d:22", i/250, i%250+1)).open().answer("SSH-2.0-x\r\n").close()
		for _, f := range k.out {
			f.ts += int64(i) * 1e6
			frames = append(frames, f)
		}
	}
	_, d := decode(t, Config{}, LinkRaw, frames)
	b := d.Blind()
	if len(b) != maxBlind+1 || b[maxBlind].Connections != 50 || b[maxBlind].Server.IsValid() {
		t.Fatalf("%d servers, last %+v", len(b), b[len(b)-1])
	}
}

func TestConnect(t *testing.T) {
	h := hello(t, &tls.Config{ServerName: "inner.example"})
	k := plainTalk().open().ask("CONNECT inner.example:443 HTTP/1.1\r\nHost: inner.example:443\r\n\r\n").answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").ask(h).answer("\x16\x03\x03....").close()
	b, d, g := blind(t, k)
	wantStatuses(t, g, "inner.example:443 200")
	if b.SNI != "inner.example" || b.Protocol != "tls" || d.Stats().Tunnels != 1 {
		t.Fatalf("%+v", b)
	}
	// Refused: it stays HTTP.
	k = plainTalk().open().ask("CONNECT a:443 HTTP/1.1\r\n\r\n").answer("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno").ask(request("/2")).answer(response("two")).close()
	g, _ = decode(t, Config{}, LinkRaw, k.out)
	wantStatuses(t, g, "a:443 403", "/2 200")
	// Plain HTTP inside is read.
	k = plainTalk().open().ask("CONNECT a:80 HTTP/1.1\r\n\r\n").answer("HTTP/1.1 200 OK\r\n\r\n").ask(request("/in")).answer(response("x")).close()
	g, _ = decode(t, Config{}, LinkRaw, k.out)
	wantStatuses(t, g, "a:80 200", "/in 200")
}

func TestBackwardRoles(t *testing.T) {
	// Only the content tells who is the client when the opening is missing.
	k := newTalk("10.0.0.1:80", "10.0.0.7:41000").open()
	k.ask(request("/1")).answer(response("one"))
	g, _ := decode(t, Config{}, LinkRaw, k.out[3:])
	wantStatuses(t, g, "/1 200")
	if g[0].Client != "10.0.0.1:80" {
		t.Fatalf("%+v", g[0])
	}
}
