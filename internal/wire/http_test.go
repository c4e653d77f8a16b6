package wire

import (
	"fmt"
	"strings"
	"testing"
)

func TestFraming(t *testing.T) {
	post := func(fields, rest string) string { return "POST / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n" + rest }
	for _, c := range []struct {
		name, ask string
		bodies    []string
		ambiguous uint64
	}{
		{"length", post("Content-Length: 3\r\n", "abc"), []string{"abc"}, 0},
		{"no length", post("", ""), []string{""}, 0},
		{"equal lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), []string{"abc"}, 0},
		{"equal lengths in one", post("Content-Length: 3, 3\r\n", "abc"), []string{"abc"}, 0},
		{"unequal lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), []string{"abc"}, 1},
		{"length and chunked", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), []string{"hello"}, 1},
		{"chunked and length", post("Transfer-Encoding: chunked\r\nContent-Length: 99\r\n", "5\r\nhello\r\n0\r\n\r\n"), []string{"hello"}, 1},
		{"blank before colon", post("Transfer-Encoding : chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), []string{"hello"}, 0},
		{"folded coding", post("Transfer-Encoding:\r\n chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), []string{"hello"}, 0},
		{"several codings", post("Transfer-Encoding: gzip, chunked\r\n", "2\r\nzz\r\n0\r\n\r\n"), []string{"zz"}, 0},
		{"case", post("TRANSFER-ENCODING: Chunked\r\n", "2\r\nzz\r\n0\r\n\r\n"), []string{"zz"}, 0},
		{"negative length", post("Content-Length: -1\r\n", ""), []string{""}, 1},
		{"huge length", post("Content-Length: 99999999999999999999\r\n", ""), []string{""}, 1},
		{"extensions and trailers", post("Transfer-Encoding: chunked\r\n", "003 ;a=\"b\"\r\nabc\r\n0;z\r\nA: b\r\nC: d\r\n\r\n"), []string{"abc"}, 0},
		{"bare line feeds", "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n", []string{"abc"}, 0},
		{"blank lines before", "\r\n\r\n\n" + post("Content-Length: 1\r\n", "x"), []string{"x"}, 0},
		{"two", post("Content-Length: 1\r\n", "x") + "\r\n" + post("Content-Length: 2\r\n", "yy"), []string{"x", "yy"}, 0},
		{"line without colon", post("nonsense here\r\n", ""), []string{""}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := plainTalk().open().ask(c.ask)
			for range c.bodies {
				k.answer(response("ok"))
			}
			g, d := decode(t, Config{}, LinkRaw, k.close().out)
			var bodies []string
			for _, x := range g {
				bodies = append(bodies, x.Req)
				if x.Resp != "ok" || x.ReqCut != 0 || x.Method != "POST" {
					t.Errorf("%+v", x)
				}
			}
			if fmt.Sprintf("%q", bodies) != fmt.Sprintf("%q", c.bodies) || d.Stats().Ambiguous != c.ambiguous {
				t.Fatalf("want %q, have %q; ambiguous %d", c.bodies, bodies, d.Stats().Ambiguous)
			}
		})
	}
}

func TestBrokenChunks(t *testing.T) {
	for _, chunk := range []string{"zz\r\n", "\r\n", "10000000000000000\r\n", "-1\r\n", "3\r\nabcd\r\n", strings.Repeat("0", 5000)} {
		k := plainTalk().open().ask(request("/1")).answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
		k.ask(request("/2")).answer(response("two")).close()
		g, _ := decode(t, Config{}, LinkRaw, k.out)
		wantStatuses(t, g, "/1 200", "/2 200")
		if g[0].RespCut == 0 || g[1].Resp != "two" {
			t.Fatalf("%q: %+v", chunk, g)
		}
	}
}

func TestBodyless(t *testing.T) {
	k := plainTalk().open()
	k.ask("HEAD /1 HTTP/1.1\r\nHost: x\r\n\r\n").answer("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
	k.ask(request("/2")).answer("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n")
	k.ask(request("/3")).answer("HTTP/1.1 204 No Content\r\n\r\n")
	k.ask(request("/4")).answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + response("four"))
	k.ask(request("/5")).answer("HTTP/1.0 200 OK\r\n\r\nto the end").close()
	g, _ := decode(t, Config{}, LinkRaw, k.out)
	wantStatuses(t, g, "/1 200", "/2 304", "/3 204", "/4 200", "/5 200")
	if g[3].Resp != "four" || g[4].Resp != "to the end" || g[4].RespCut != 0 {
		t.Fatalf("%+v", g)
	}
}

func TestEarlyResponse(t *testing.T) {
	k := plainTalk().open().ask("POST /1 HTTP/1.1\r\nContent-Length: 10\r\n\r\n12345").answer(response("early")).ask("67890")
	x, _ := single(t, k.close())
	if x.Req != "1234567890" || x.Resp != "early" {
		t.Fatalf("%+v", x)
	}
}

func TestExpectation(t *testing.T) {
	const head = "POST /1 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 300\r\n\r\n"
	k := plainTalk().open().ask(head).answer("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n").ask(request("/2")).answer(response("two"))
	g, _ := decode(t, Config{}, LinkRaw, k.close().out)
	wantStatuses(t, g, "/1 417", "/2 200")
	k = plainTalk().open().ask(head).answer("HTTP/1.1 100 Continue\r\n\r\n").ask(strings.Repeat("GET / HTTP/1.1\n", 20)).answer(response("x"))
	x, _ := single(t, k.close())
	if x.ReqSize != 300 || x.Status != 200 {
		t.Fatalf("%+v", x)
	}
}

func TestUnlengthedKeepAlive(t *testing.T) {
	k := plainTalk().open().ask(request("/1")).answer("HTTP/1.1 200 OK\r\n\r\none").ask(request("/2")).answer("HTTP/1.1 200 OK\r\n\r\ntwo")
	g, _ := decode(t, Config{}, LinkRaw, k.close().out)
	wantStatuses(t, g, "/1 200", "/2 200")
	if g[0].Resp != "one" || g[1].Resp != "two" {
		t.Fatalf("%+v", g)
	}
}

func TestHeadLimits(t *testing.T) {
	for name, fields := range map[string]string{
		"bytes": "X: " + strings.Repeat("a", maxHead) + "\r\n",
		"lines": strings.Repeat("A: b\r\n", maxLines+1),
	} {
		t.Run(name, func(t *testing.T) {
			k := plainTalk().open().ask("GET /big HTTP/1.1\r\n" + fields + "\r\n").answer("HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n")
			k.ask(request("/2")).answer(response("two")).close()
			g, d := decode(t, Config{}, LinkRaw, k.out)
			wantStatuses(t, g, "/2 200")
			if s := d.Stats(); s.dropped[dropOversize] != 1 || s.Orphans != 0 {
				t.Fatalf("%+v", s)
			}
		})
	}
	k := plainTalk().open().ask("GET /fits HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", maxLines) + "\r\n").answer(response("ok")).close()
	if x, _ := single(t, k); strings.Count(x.ReqHead, "A: b\n") != maxLines {
		t.Fatal("fields missing")
	}
}

func TestBodyLimit(t *testing.T) {
	body := strings.Repeat("0123456789", 1000)
	k := plainTalk().open().ask(request("/1")).answer(response(body)).ask(request("/2")).answer(response("two")).close()
	g, d := decode(t, Config{MaxBody: 1000}, LinkRaw, k.out)
	wantStatuses(t, g, "/1 200", "/2 200")
	if x := g[0]; x.Resp != body[:1000] || x.RespSize != 10000 || x.RespCut != 9000 || d.Stats().BodiesCut != 1 {
		t.Fatalf("size %d cut %d kept %d", x.RespSize, x.RespCut, len(x.Resp))
	}
	g, _ = decode(t, Config{MaxKept: 2000}, LinkRaw, k.out)
	if len(g) != 2 || g[0].RespSize != 10000 || g[0].RespCut < 6000 {
		t.Fatalf("%+v", statuses(g))
	}
}

func TestPendingLimit(t *testing.T) {
	k := plainTalk().open()
	k.packet(1, flagACK, []byte("HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n"))
	for i := range 50 {
		k.ask(request(fmt.Sprintf("/%d", i)))
	}
	peak := 0
	d := New(Config{MaxPending: 10})
	for _, f := range k.out {
		if err := d.Packet(f.ts, LinkRaw, f.data, len(f.data)); err != nil {
			t.Fatal(err)
		}
		if a := d.table.active.head; a != nil {
			peak = max(peak, a.pending)
		}
	}
	if s := d.Stats(); peak > 11 || s.Silent < 39 || s.Orphans != 1 {
		t.Fatalf("peak %d, %+v", peak, s)
	}
}

func TestSimpleRequest(t *testing.T) {
	x, _ := single(t, plainTalk().open().ask("GET /old\r\n").answer("<html>hello</html>").close())
	if x.Proto != 9 || x.Target != "/old" || x.Status != 0 || x.Resp != "<html>hello</html>" {
		t.Fatalf("%+v", x)
	}
	x, _ = single(t, plainTalk().open().ask("GET /old\r\n").send(1, "HTTP/1.0 404 No\r\n\r\nnone", 1).close())
	if x.Status != 404 || x.Resp != "none" {
		t.Fatalf("%+v", x)
	}
}

func TestSimpleRequestCutOff(t *testing.T) {
	x, _ := single(t, plainTalk().open().ask("GET /old\r\n").answer("<html>hel"))
	if x.Resp != "<html>hel" || x.RespCut != 1 {
		t.Fatalf("%+v", x)
	}
}

func TestTargets(t *testing.T) {
	for line, want := range map[string]string{
		"GET /a HTTP/1.1":                "GET /a h",
		"GET http://o.example:81/a?b":    "GET http://o.example:81/a?b o.example:81",
		"GET HTTP://o.example HTTP/1.1":  "GET HTTP://o.example o.example",
		"OPTIONS * HTTP/1.1":             "OPTIONS * h",
		"GET  /two  blanks   HTTP/1.1  ": "GET /two  blanks h",
		"GET HTTP/1.1":                   "GET  h",
		"M-SEARCH * HTTP/1.1":            "M-SEARCH * h",
		"get /lower http/1.1":            "get /lower h",
		"GET /odd HTTP/1.":               "GET /odd h",
		"GET /\xff\x80 HTTP/1.1":         "GET /\xff\x80 h",
	} {
		host := "\r\nHOST: \t h \r\n\r\n"
		x, _ := single(t, plainTalk().open().ask(line+host).answer(response("ok")).close())
		if have := x.Method + " " + x.Target + " " + x.Host; have != want && x.Proto != 9 {
			t.Errorf("%q: want %q, have %q", line, want, have)
		}
	}
}

func TestGarbageBetween(t *testing.T) {
	k := plainTalk().open().ask(request("/1")).answer(response("one")).ask("\x00\x01 nonsense\r\n\r\n").answer("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")
	k.ask(request("/2")).answer(response("two")).close()
	g, d := decode(t, Config{}, LinkRaw, k.out)
	wantStatuses(t, g, "/1 200", "/2 200")
	if s := d.Stats(); s.dropped[dropCorrupt] != 1 || s.Orphans != 0 {
		t.Fatalf("%+v", s)
	}
}
