package wire

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xiezhi/internal/exchange"
)

func http1() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return p
}

// alike removes what differs between a session over TLS and one in plaintext:
// times and the ids made of them, that TLS was seen, and the server's Date.
func alike(list []got) []got {
	out := make([]got, len(list))
	for i, g := range list {
		g.ID, g.Start, g.End = "", 0, 0
		g.Caps &^= exchange.CapTLS
		g.Secure, g.JA4, g.SNI, g.TLSVersion = false, "", "", ""
		var lines []string
		for l := range strings.Lines(g.RespHead) {
			if !strings.HasPrefix(strings.ToLower(l), "date:") {
				lines = append(lines, l)
			}
		}
		g.RespHead = strings.Join(lines, "")
		out[i] = g
	}
	return out
}

// TestHTTP2OverTLS: what TLS 1.2 and 1.3 carry as HTTP/2 is what HTTP/2 with
// prior knowledge carries.
func TestHTTP2OverTLS(t *testing.T) {
	clear, under := new(http.Protocols), new(http.Protocols)
	clear.SetUnencryptedHTTP2(true)
	under.SetHTTP2(true)
	plain, _ := decode(t, Config{}, LinkRaw, inPlain(t, clear).frames("10.0.0.1:443", 1448))
	want := alike(plain)
	if len(want) != 6 || want[0].Proto != 20 {
		t.Fatalf("%d exchanges in plaintext: %+v", len(want), want)
	}
	for name, change := range map[string]func(c, s *tls.Config){
		"1.3": func(_, s *tls.Config) { s.MinVersion = tls.VersionTLS13 },
		"1.2": only12(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
	} {
		s := overTLS(t, under, change)
		for _, mss := range []int{1448, 100} {
			have, d := decode(t, Config{Keys: s.keys()}, LinkRaw, s.frames("10.0.0.1:443", mss))
			if diff := cmp.Diff(want, alike(have)); diff != "" {
				t.Fatalf("TLS %s, mss %d, plaintext - TLS +:\n%s", name, mss, diff)
			}
			if d.stats.Dropped() != 0 || !have[0].Secure || have[0].TLSVersion != "TLSv"+name || !strings.Contains(have[0].JA4[8:10], "h2") {
				t.Fatalf("%+v %+v", have[0], d.Stats())
			}
		}
	}
}

// TestResumption: resumed connections have secrets of their own in the log.
func TestResumption(t *testing.T) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		s := &session{}
		client := &tls.Config{InsecureSkipVerify: true, ServerName: "shop.example", KeyLogWriter: &s.log, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
		server := &tls.Config{Certificates: []tls.Certificate{testCertificate()}, MinVersion: version, MaxVersion: version}
		addr := served(t, server, http1())
		resumed := 0
		for i := range 3 {
			tr := &http.Transport{DialContext: s.dial, TLSClientConfig: client, Protocols: http1()}
			res, err := (&http.Client{Transport: tr}).Get(fmt.Sprintf("https://%s/%d", addr, i))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.TLS.DidResume {
				resumed++
			}
			tr.CloseIdleConnections()
		}
		if resumed != 2 {
			t.Fatalf("TLS %s: %d of 3 connections were resumed", name, resumed)
		}
		g, d := decode(t, Config{Keys: s.keys()}, LinkRaw, s.frames("10.0.0.1:443", 1448))
		wantStatuses(t, g, "/0 404", "/1 404", "/2 404")
		if d.Stats().Decrypted != 3 || d.stats.Dropped() != 0 {
			t.Fatalf("%+v", d.Stats())
		}
	}
}

func TestTLSEqualsPlaintext(t *testing.T) {
	plain, _ := decode(t, Config{}, LinkRaw, inPlain(t, http1()).frames("10.0.0.1:443", 1448))
	want := alike(plain)
	if len(want) != 6 {
		t.Fatalf("%d exchanges in plaintext", len(want))
	}
	for name, change := range map[string]func(c, s *tls.Config){
		"1.3":               func(_, s *tls.Config) { s.MinVersion = tls.VersionTLS13 },
		"1.2 aes128":        only12(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
		"1.2 aes256":        only12(tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
		"1.2 chacha":        only12(tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
		"1.3 second hello":  func(c, s *tls.Config) { s.CurvePreferences = []tls.CurveID{tls.CurveP384} },
		"1.3 small records": func(c, s *tls.Config) { c.DynamicRecordSizingDisabled = false },
	} {
		t.Run(name, func(t *testing.T) {
			s := overTLS(t, http1(), change)
			for _, mss := range []int{1448, 9000, 100} {
				have, d := decode(t, Config{Keys: s.keys()}, LinkRaw, s.frames("10.0.0.1:443", mss))
				if diff := cmp.Diff(want, alike(have)); diff != "" {
					t.Fatalf("mss %d, plaintext - TLS +:\n%s", mss, diff)
				}
				if st := d.Stats(); st.Decrypted != uint64(len(s.tapes)) || st.Dropped() != 0 || len(d.Blind()) != 0 {
					t.Fatalf("%+v %+v", st, d.Blind())
				}
				version := "TLSv" + name[:3]
				for _, g := range have {
					if !g.Secure || g.SNI != "shop.example" || g.TLSVersion != version || !strings.HasPrefix(g.JA4, "t1") || g.Caps&exchange.CapTLS == 0 {
						t.Fatalf("%+v", g)
					}
				}
			}
			// Without keys it is a server that could not be read.
			have, d := decode(t, Config{}, LinkRaw, s.frames("10.0.0.1:443", 1448))
			b := d.Blind()
			if len(have) != 0 || len(b) != 1 || b[0].Reason != "no_key" || b[0].SNI != "shop.example" || len(b[0].Clients) != 1 || b[0].Clients[0].Connections != uint64(len(s.tapes)) {
				t.Fatalf("%d exchanges, %+v", len(have), b)
			}
		})
	}
}

func only12(suite uint16) func(c, s *tls.Config) {
	return func(_, s *tls.Config) {
		s.MaxVersion = tls.VersionTLS12
		s.CipherSuites = []uint16{suite}
	}
}
