package wire

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
)

func seedTalks() []*talk {
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	return []*talk{
		plainTalk().open().ask(request("/1")).answer(response("one")).close(),
		newTalk("[2001:db8::7]:41000", "[2001:db8::1]:80").open().ask("HEAD / HTTP/1.0\r\n\r\n").answer(chunked).close(),
	}
}

// FuzzPacket: any bytes as a frame of any link type, after a sane start.
func FuzzPacket(f *testing.F) {
	for _, k := range seedTalks() {
		for _, p := range k.out {
			f.Add(uint16(LinkRaw), p.data, uint16(0))
			f.Add(uint16(LinkEthernet), ether(0x0800, p.data), uint16(3))
			f.Add(uint16(LinkEthernet), ether(0x8100, put(1, 0x0800, udp("1.1.1.1", "2.2.2.2", "9", "4789", put([]byte{8, 0, 0, 0, 0, 0, 9, 0}, ether(0x0800, p.data))))), uint16(0))
		}
	}
	for i, b := range cut(plainTalk().open().ask(request("/")).out[3].data, 7, 16) {
		f.Add(uint16(LinkRaw), b, uint16(i))
	}
	f.Fuzz(func(t *testing.T, link uint16, b []byte, more uint16) {
		start := plainTalk().open().ask(request("/1")).out
		frames := append(start, frame{ts: epoch + 1e9, data: b, wire: len(b) + int(more)}, frame{ts: epoch + 2e9, data: b})
		decode(t, Config{}, uint32(link), frames)
	})
}

// FuzzSegments: a conversation whose segments are cut, moved, repeated and
// thrown away as the script says; nothing may be invented.
func FuzzSegments(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, []byte{0x10, 0x85, 0x22, 0x47})
	f.Add([]byte{7, 9}, []byte{0xff, 0xc1, 0x33, 0x61, 0x91})
	f.Fuzz(func(t *testing.T, cuts, script []byte) {
		k := plainTalk().open()
		for i, c := range cuts[:min(len(cuts), 40)] {
			path := "/" + strings.Repeat("p", i)
			k.send(0, request(path), int(c%17)*8+3)
			k.send(1, response("to"+path+strings.Repeat("x", int(c))), int(c%13)*16+5)
		}
		frames := slices.Clone(k.close().out)
		for i, s := range script[:min(len(script), 60)] {
			at := 3 + (i*7+int(s))%max(1, len(frames)-3)
			if at >= len(frames) {
				continue
			}
			switch s >> 5 {
			case 0, 1:
				frames = slices.Delete(frames, at, at+1)
			case 2, 3:
				frames = slices.Insert(frames, min(len(frames), at+int(s&31)), frames[at])
			case 4, 5, 6:
				to := min(len(frames)-1, at+int(s&31))
				frames[at], frames[to] = frames[to], frames[at]
			case 7:
				frames[at].wire = max(frames[at].wire, len(frames[at].data))
				frames[at].data = frames[at].data[:max(0, len(frames[at].data)-int(s&31)%20)]
			}
			if len(frames) < 4 {
				return
			}
		}
		g, _ := decode(t, Config{}, LinkRaw, frames)
		for _, x := range g {
			if x.Status == 200 && x.RespCut == 0 && x.Target != "" && !strings.HasPrefix(x.Resp, "to"+x.Target) {
				t.Fatalf("%q was answered with %q", x.Target, x.Resp)
			}
		}
	})
}

// FuzzStream: any two streams in any segmentation; the exchanges must not
// depend on it.
func FuzzStream(f *testing.F) {
	f.Add("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nbody", uint8(5))
	f.Add("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 No\r\nContent-Length: 1\r\n\r\nx", uint8(1))
	f.Add("CONNECT a:1 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", uint8(2))
	f.Add("GET /old\n", "<html>", uint8(3))
	f.Add("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", "\x15\x03\x01", uint8(3))
	f.Add("HEAD / HTTP/1.1\r\nX: a\r\n\tb\r\n\r\nGET", "HTTP/1.1 101 Up\r\nUpgrade: h2c\r\n\r\n", uint8(9))
	f.Fuzz(func(t *testing.T, ask, answer string, mss uint8) {
		if len(ask)+len(answer) > 1<<13 {
			return
		}
		whole, _ := decode(t, Config{}, LinkRaw, plainTalk().open().send(0, ask, 9000).send(1, answer, 9000).close().out)
		parts, _ := decode(t, Config{}, LinkRaw, plainTalk().open().send(0, ask, int(mss)+1).send(1, answer, int(mss)+1).close().out)
		if resyncs(ask, whole) || resyncs(ask, parts) {
			return
		}
		if len(whole) != len(parts) {
			t.Fatalf("%d exchanges whole, %d in parts", len(whole), len(parts))
		}
		for i := range whole {
			a, b := whole[i], parts[i]
			a.ID, a.Start, a.End, b.ID, b.Start, b.End = "", 0, 0, "", 0, 0
			if a != b {
				t.Fatalf("whole %+v\nparts %+v", a, b)
			}
		}
	})
}

// resyncs reports a conversation in which something was not HTTP: where it
// goes on again then depends on where segments start, by design.
func resyncs(ask string, g []got) bool {
	n := 0
	for _, x := range g {
		n += len(x.Method)
		if x.ReqCut != 0 || x.RespCut != 0 || x.Status == 0 {
			return true
		}
	}
	return n == 0
}

// FuzzChunked compares the chunked decoder with a plain one.
func FuzzChunked(f *testing.F) {
	f.Add("3\r\nabc\r\n0\r\n\r\n", uint8(1))
	f.Add("A;x\n0123456789\n000\nT: 1\n\n", uint8(4))
	f.Add("ffffffffffffffff\r\n", uint8(200))
	f.Fuzz(func(t *testing.T, body string, mss uint8) {
		if len(body) > 1<<12 {
			return
		}
		k := plainTalk().open().ask(request("/"))
		k.send(1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+body, int(mss)+1).close()
		g, _ := decode(t, Config{}, LinkRaw, k.out)
		want, ok := plainChunks(body)
		if len(g) != 1 || g[0].Status != 200 {
			t.Fatalf("%+v", g)
		}
		if g[0].Resp != want || (g[0].RespCut == 0) != ok {
			t.Fatalf("want %q complete %v, have %q cut %d", want, ok, g[0].Resp, g[0].RespCut)
		}
	})
}

// plainChunks is the chunked decoder written the obvious way.
func plainChunks(s string) (body string, ok bool) {
	for {
		line, rest, found := strings.Cut(s, "\n")
		if len(line) > maxChunkLine {
			return body, false
		}
		n, digits := 0, 0
		i := 0
		for ; i < len(line) && unhex[line[i]] < 16; i++ {
			if n > 1<<58-1 {
				return body, false
			}
			n, digits = n<<4|int(unhex[line[i]]), digits+1
		}
		if i < len(line) && !strings.ContainsRune("; \t\r", rune(line[i])) || !found || digits == 0 {
			return body, false
		}
		s = rest
		if n == 0 {
			break
		}
		if n > len(s) {
			return body + s, false
		}
		body, s = body+s[:n], s[n:]
		s = strings.TrimPrefix(s, "\r")
		if !strings.HasPrefix(s, "\n") {
			return body, false
		}
		s = s[1:]
	}
	for {
		line, rest, found := strings.Cut(s, "\n")
		if !found {
			return body, false
		}
		if strings.Trim(line, "\r") == "" {
			return body, true
		}
		s = rest
	}
}

// FuzzHello: any bytes as the body of a TLS ClientHello.
// FuzzHelloJA4 holds the reader of a client's first bytes against any.
func FuzzHelloJA4(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x04\x01\x00\x00\x00"))
	f.Add([]byte("\x16\x03\x01\x00\x02\x01\x00\x16\x03\x01\x00\x02\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := HelloJA4(b).String(); s != "" && (len(s) != 36 || s[0] != 't' || s[10] != '_' || s[23] != '_') {
			t.Fatalf("%q is no JA4", s)
		}
	})
}

func FuzzHello(f *testing.F) {
	f.Add([]byte("\x03\x01"))
	f.Add([]byte(hello(f, &tls.Config{ServerName: "www.example.com"}))[recordHeader+4:])
	var c clientHello
	f.Fuzz(func(t *testing.T, b []byte) {
		if !c.read(b) {
			return
		}
		if c.sni != "" && hostName([]byte(c.sni)) != c.sni {
			t.Fatalf("shows %q", c.sni)
		}
		j, _ := c.ja4(nil)
		for _, x := range []byte(j.String()) {
			if !alphanumeric(x) && x != '_' {
				t.Fatalf("fingerprint %q", j.String())
			}
		}
	})
}
