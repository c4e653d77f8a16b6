package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestForgedSuites(t *testing.T) {
	for _, s := range forgeSuites() {
		t.Run(fmt.Sprintf("%04x", s.id), func(t *testing.T) {
			for _, mss := range []int{1448, 1} {
				f := newForge(s, "10.0.0.7:41000", "10.0.0.1:443")
				f.mss, f.max = mss, 700
				f.handshake()
				f.say(0, request("/1")).say(1, response(strings.Repeat("one", 1000)))
				f.say(0, request("/2")).say(1, response("two")).bye()
				g, d := decode(t, Config{Keys: f.keys()}, LinkRaw, f.out)
				wantStatuses(t, g, "/1 200", "/2 200")
				if g[0].Resp != strings.Repeat("one", 1000) || d.stats.Dropped() != 0 || len(d.Blind()) != 0 {
					t.Fatalf("%+v %+v", d.Stats(), d.Blind())
				}
			}
		})
	}
}

func TestKeyUpdateAndPadding(t *testing.T) {
	for _, s := range forgeSuites()[:3] {
		f := newForge(s, "10.0.0.7:41000", "10.0.0.1:443").handshake()
		for i := range 5 {
			f.pad = i * 31
			f.say(0, request(fmt.Sprint("/", i))).update(0).update(1).say(1, response(fmt.Sprint("to/", i)))
			f.say(1, "") // nothing
			f.write(1, f.seal(1, recordData, nil))
		}
		f.bye()
		g, d := decode(t, Config{Keys: f.keys()}, LinkRaw, f.out)
		wantStatuses(t, g, "/0 200", "/1 200", "/2 200", "/3 200", "/4 200")
		if d.Stats().BadRecords != 0 {
			t.Fatalf("%+v", d.Stats())
		}
	}
}

// TestEarlyData: what is sent with the ClientHello counts once the server has
// taken it, and never when it has not.
func TestEarlyData(t *testing.T) {
	for _, s := range forgeSuites()[:3] {
		for _, taken := range []bool{true, false} {
			f := newForge(s, "10.0.0.7:41000", "10.0.0.1:443")
			f.open()
			f.write(0, record(recordHandshake, f.hello(true)))
			f.now[0] = epoch13(s, stageEarly, f.secret("CLIENT_EARLY_TRAFFIC_SECRET", s.sum().Size()))
			f.say(0, request("/early"))
			f.afterHello(taken)
			if !taken {
				f.say(0, request("/again"))
			}
			f.say(1, response("first")).say(0, request("/2")).say(1, response("two")).bye()
			g, d := decode(t, Config{Keys: f.keys()}, LinkRaw, f.out)
			first := "/again 200"
			if taken {
				first = "/early 200"
			}
			wantStatuses(t, g, first, "/2 200")
			if d.stats.Dropped() != 0 {
				t.Fatalf("%+v", d.Stats())
			}
		}
		// Refused by a HelloRetryRequest: the second ClientHello is in the clear.
		f := newForge(s, "10.0.0.7:41000", "10.0.0.1:443")
		f.open()
		f.write(0, record(recordHandshake, f.hello(true)))
		f.now[0] = epoch13(s, stageEarly, f.secret("CLIENT_EARLY_TRAFFIC_SECRET", s.sum().Size()))
		f.say(0, request("/early"))
		f.write(1, append(record(recordHandshake, f.answerHello(helloRetry)), record(recordChange, []byte{1})...))
		f.write(0, append(record(recordChange, []byte{1}), record(recordHandshake, f.hello(false))...))
		f.afterHello(false)
		f.say(0, request("/again")).say(1, response("x")).bye()
		g, _ := decode(t, Config{Keys: f.keys()}, LinkRaw, f.out)
		wantStatuses(t, g, "/again 200")
	}
}

// TestMissingServerHello: with TLS 1.3 secrets and requests alone, the suite
// is found by trying.
func TestMissingServerHello(t *testing.T) {
	for _, s := range forgeSuites()[:3] {
		f := newForge(s, "10.0.0.7:41000", "10.0.0.1:443").handshake()
		f.say(0, request("/1")).say(1, response("x")).say(0, request("/2")).say(1, response("y")).bye()
		var one []frame
		for _, p := range f.out {
			if p.data[20] == 41000>>8 { // from the client
				one = append(one, p)
			}
		}
		g, _ := decode(t, Config{Keys: f.keys()}, LinkRaw, one)
		wantStatuses(t, g, "/1 0", "/2 0")
	}
}

// TestWhyBlind: each reason for which a connection is not read is told.
func TestWhyBlind(t *testing.T) {
	talk := func(s *suite) *forge {
		f := newForge(s, "10.0.0.7:41000", "10.0.0.1:443").handshake()
		f.say(0, request("/1")).say(1, response("x")).bye()
		return f
	}
	wrong := func(f *forge) *Keys {
		k := NewKeys()
		for line := range strings.Lines(f.log.String()) {
			b := []byte(line)
			for i := len(b) - 20; i < len(b)-1; i++ {
				b[i] = 'a'
			}
			k.AddLog(b)
		}
		return k
	}
	check := func(name string, k *Keys, frames []frame, why string) {
		t.Helper()
		g, d := decode(t, Config{Keys: k}, LinkRaw, frames)
		b := d.Blind()
		if len(g) != 0 || len(b) != 1 || b[0].Reason != why || b[0].Protocol != "tls" || d.stats.dropped[dropEncrypted] != 1 {
			t.Fatalf("%s: %d exchanges, %+v, %+v", name, len(g), b, d.Stats())
		}
	}
	for _, s := range forgeSuites() {
		f := talk(s)
		check("no key log", nil, f.out, "no_key")
		check("another's key log", newForge(s, "10.0.0.8:1", "10.0.0.1:443").handshake().keys(), f.out, "no_key")
		check("wrong secrets", wrong(f), f.out, "bad_key")
		check("joined midway", f.keys(), f.out[9:], "midway")
	}
	cbc := *findSuite(0x0303, 0xc02f)
	cbc.id = 0xc013
	f := talk(&cbc)
	check("CBC", f.keys(), f.out, "cipher_suite")
	f = newForge(findSuite(0x0303, 0xc02f), "10.0.0.7:41000", "10.0.0.1:443")
	f.open()
	f.write(0, record(recordHandshake, f.hello(false)))
	f.secret("CLIENT_RANDOM", 48)
	old := f.answerHello(f.server)
	old[5] = 2 // TLS 1.1
	f.write(1, record(recordHandshake, old))
	f.close()
	check("TLS 1.1", f.keys(), f.out, "old_version")
}

// TestHandshakeOnly: a connection that was read and carried nothing lost
// nothing.
func TestHandshakeOnly(t *testing.T) {
	f := newForge(&suites13[0], "10.0.0.7:41000", "10.0.0.1:443").handshake().bye()
	g, d := decode(t, Config{Keys: f.keys()}, LinkRaw, f.out)
	if len(g) != 0 || d.stats.Dropped() != 0 || len(d.Blind()) != 0 || d.Stats().Decrypted != 1 {
		t.Fatalf("%+v %+v", d.Stats(), d.Blind())
	}
}

// TestInsideIsNotHTTP: decrypted, but not a protocol that is read.
func TestInsideIsNotHTTP(t *testing.T) {
	f := newForge(&suites13[0], "10.0.0.7:41000", "10.0.0.1:443").handshake()
	f.say(0, "\x00\x01binary").say(1, "\x02").bye()
	_, d := decode(t, Config{Keys: f.keys()}, LinkRaw, f.out)
	if b := d.Blind(); len(b) != 1 || b[0].Protocol != "unknown" || d.stats.dropped[dropUnsupported] != 1 {
		t.Fatalf("%+v %+v", b, d.Stats())
	}
}

// TestTunnels: TLS in a CONNECT tunnel, and in one that is itself under TLS.
func TestTunnelledTLS(t *testing.T) {
	inner := func(mss int) *forge {
		f := newForge(&suites13[0], "10.0.0.7:41000", "10.0.0.1:443")
		f.mss = mss
		return f
	}
	f := inner(1448)
	f.open().ask("CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n").answer("HTTP/1.1 200 OK\r\n\r\n")
	f.write(0, record(recordHandshake, f.hello(false)))
	f.afterHello(false)
	f.say(0, request("/in")).say(1, response("x")).bye()
	g, d := decode(t, Config{Keys: f.keys()}, LinkRaw, f.out)
	wantStatuses(t, g, "shop.example:443 200", "/in 200")
	if g[0].Secure || !g[1].Secure || g[1].SNI != "shop.example" || d.stats.Dropped() != 0 {
		t.Fatalf("%+v %+v", g, d.Stats())
	}

	outer := newForge(&suites13[2], "10.0.0.7:41000", "10.0.0.1:443").handshake()
	outer.say(0, "CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n").say(1, "HTTP/1.1 200 OK\r\n\r\n")
	f = newForge(&suites13[0], "10.0.0.9:1", "10.0.0.1:443")
	pass := func() {
		for _, from := range []int{0, 1} {
			outer.say(from, f.raw[from].String())
			f.raw[from].Reset()
		}
	}
	f.held = true
	f.write(0, record(recordHandshake, f.hello(false)))
	pass()
	// The flights one by one, as they depend on each other.
	f.held = false
	var flights []said
	f.talk = newTalk("10.0.0.9:1", "10.0.0.1:443")
	f.mss = 1 << 15
	f.afterHello(false)
	f.say(0, request("/deep")).say(1, response("y"))
	for _, p := range f.out {
		if from := 0; len(p.data) > 40 {
			if p.data[12+3] == 1 { // the server's address
				from = 1
			}
			flights = append(flights, said{from, p.data[40:]})
		}
	}
	for _, x := range flights {
		outer.say(x.from, string(x.b))
	}
	outer.bye()
	k := outer.keys()
	k.AddLog([]byte(f.log.String()))
	g, d = decode(t, Config{Keys: k}, LinkRaw, outer.out)
	wantStatuses(t, g, "shop.example:443 200", "/deep 200")
	if !g[0].Secure || !g[1].Secure || d.Stats().Decrypted != 2 || d.stats.Dropped() != 0 {
		t.Fatalf("%+v %+v", g, d.Stats())
	}
	// Only the tunnel's keys: what is inside is a server that was not read.
	g, d = decode(t, Config{Keys: outer.keys()}, LinkRaw, outer.out)
	wantStatuses(t, g, "shop.example:443 200")
	if b := d.Blind(); len(b) != 1 || b[0].Reason != "no_key" {
		t.Fatalf("%+v", b)
	}
}

// overForge plays a dialogue over TLS.
func (d dialogue) overForge(t *rapid.T, mss int) *forge {
	f := newForge(rapid.SampledFrom(forgeSuites()).Draw(t, "suite"), d.client, "10.9.0.1:8443")
	f.mss = mss
	f.max = rapid.SampledFrom([]int{1 << 14, 1000, 90}).Draw(t, "record")
	f.handshake()
	for _, turn := range d.turns {
		if !f.suite.old {
			f.pad = rapid.SampledFrom([]int{0, 0, 1, 200}).Draw(t, "pad")
			if rapid.IntRange(0, 3).Draw(t, "update") == 0 {
				f.update(turn.from)
			}
		}
		f.say(turn.from, turn.text)
	}
	return f.bye()
}

// TestSameExchangesOverTLS: a conversation over TLS gives the exchanges that it
// gives in plaintext, whatever the capture does to it short of losing bytes.
func TestSameExchangesOverTLS(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := genDialogue(t, 0)
		mss := rapid.SampledFrom([]int{1448, 9000, 300}).Draw(t, "mss")
		plain, _ := decode(t, Config{}, LinkRaw, d.play(1448).out)
		f := d.overForge(t, mss)
		check := func(frames []frame) {
			have, dec := decode(t, Config{Keys: f.keys()}, LinkRaw, frames)
			if len(have) != len(plain) || dec.Stats().Decrypted != 1 {
				t.Fatalf("%d exchanges, %d in plaintext; %+v", len(have), len(plain), dec.Stats())
			}
			for i := range plain {
				if brief(plain[i]) != brief(have[i]) || plain[i].ReqHead != have[i].ReqHead || plain[i].RespHead != have[i].RespHead ||
					plain[i].RespCut != have[i].RespCut || plain[i].RespSize != have[i].RespSize {
					t.Fatalf("plaintext %+v\nTLS %+v", plain[i], have[i])
				}
			}
		}
		check(f.out)
		bent := slices.Clone(f.out)
		for range rapid.IntRange(0, 20).Draw(t, "duplicates") {
			i := rapid.IntRange(3, len(bent)-1).Draw(t, "which")
			bent = slices.Insert(bent, min(len(bent), i+rapid.IntRange(1, 8).Draw(t, "later")), bent[i])
		}
		for range rapid.IntRange(0, 30).Draw(t, "swaps") {
			i := rapid.IntRange(3, len(bent)-1).Draw(t, "i")
			j := min(len(bent)-1, i+rapid.IntRange(1, 6).Draw(t, "by"))
			bent[i], bent[j] = bent[j], bent[i]
		}
		check(bent)
	})
}
