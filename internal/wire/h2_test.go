package wire

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"xiezhi/internal/exchange"
)

func TestHTTP2(t *testing.T) {
	k, c, s := h2Talk()
	must(c.fr.WritePriority(3, http2.PriorityParam{StreamDep: 0, Weight: 200}))
	c.get(1, "/one?a=b")
	c.post(3, "/three", "sent")
	k.ask(c.take())
	s.headers(3, false, ":status: 201", "x-b: 2", "x-a: 1")
	s.headers(1, false, ":status: 404", "content-length: 4")
	s.data(3, false, "a").data(1, true, "none").data(3, true, "b")
	k.answer(s.take())
	must(c.fr.WriteGoAway(0, 0, nil))
	k.ask(c.take()).close()
	for _, mss := range []int{1448, 1} {
		g, d := decode(t, Config{}, LinkRaw, resegment(k, mss))
		wantLines(t, g, `GET /one?a=b h.example 404 "" "none"`, `POST /three h.example 201 "sent" "ab"`)
		x := g[1]
		if x.ReqHead != "content-type: text/plain\n" || x.RespHead != "x-b: 2\nx-a: 1\n" || x.Proto != 20 || x.Caps != exchange.CapWire || x.Secure {
			t.Fatalf("%+v", x)
		}
		if x.H2 != "2:1;4:65535|1000|3:0:0:201|m,s,p,a" || g[0].H2 != x.H2 {
			t.Fatalf("fingerprint %q", x.H2)
		}
		if st := d.Stats(); st.HTTP2 != 1 || st.H2Errors+st.H2Lost+st.H2Unknown != 0 || st.Requests != 2 || st.Responses != 2 {
			t.Fatalf("%+v", st)
		}
	}
}

// resegment sends the bytes of each packet of k again in segments of mss.
func resegment(k *talk, mss int) []frame {
	out := &talk{addr: k.addr, seq: [2]uint32{0xffffff00, 0x1000}, ts: epoch, step: 1000}
	for _, f := range k.out {
		from := 0
		if f.data[15] == 1 {
			from = 1
		}
		flags, p := f.data[33], f.data[40:]
		for len(p) > mss {
			out.packet(from, flagACK, p[:mss])
			p = p[mss:]
		}
		out.packet(from, flags, p)
	}
	return out.out
}

func TestHTTP2Forms(t *testing.T) {
	big := strings.Repeat("v", 20000)
	for name, c := range map[string]struct {
		talk func(k *talk, c, s *h2Side)
		want []string
		also func(t *testing.T, g []got, s Stats)
	}{
		"continuation": {func(k *talk, c, s *h2Side) {
			b := c.fields(":method: GET", ":path: /c", ":authority: h", "x-big: "+big)
			must(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b[:7], EndStream: true, Priority: http2.PriorityParam{Weight: 3, StreamDep: 9}}))
			must(c.fr.WriteContinuation(1, false, nil))
			must(c.fr.WriteContinuation(1, false, b[7:9000]))
			must(c.fr.WriteContinuation(1, true, b[9000:]))
			k.ask(c.take()).answer(s.ok(1, "x").take())
		}, []string{`GET /c h 200 "" "x"`}, func(t *testing.T, g []got, _ Stats) {
			if g[0].ReqHead != "x-big: "+big+"\n" {
				t.Fatalf("%.100q", g[0].ReqHead)
			}
		}},
		"padding": {func(k *talk, c, s *h2Side) {
			must(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields(":method: POST", ":path: /p", ":authority: h"), EndHeaders: true, PadLength: 200, Priority: http2.PriorityParam{Weight: 3}}))
			must(c.fr.WriteDataPadded(1, false, []byte("body"), make([]byte, 255)))
			must(c.fr.WriteDataPadded(1, true, nil, make([]byte, 9)))
			k.ask(c.take()).answer(s.ok(1, "x").take())
		}, []string{`POST /p h 200 "body" "x"`}, nil},
		"trailers": {func(k *talk, c, s *h2Side) {
			c.headers(1, false, ":method: POST", ":path: /t", ":authority: h", "te: trailers")
			c.data(1, false, "body").headers(1, true, "x-sum: 1")
			s.headers(1, false, ":status: 200").data(1, false, "answer").headers(1, true, "grpc-status: 0", "grpc-message: fine")
			k.ask(c.take()).answer(s.take())
		}, []string{`POST /t h 200 "body" "answer"`}, func(t *testing.T, g []got, _ Stats) {
			if g[0].ReqTrail != "x-sum: 1\n" || g[0].RespTrail != "grpc-status: 0\ngrpc-message: fine\n" || g[0].RespCut != 0 {
				t.Fatalf("%+v", g[0])
			}
		}},
		"interim": {func(k *talk, c, s *h2Side) {
			k.ask(c.post(1, "/i", "x").take())
			s.headers(1, false, ":status: 100").headers(1, false, ":status: 103", "link: a").ok(1, "done")
			k.answer(s.take())
		}, []string{`POST /i h.example 200 "x" "done"`}, func(t *testing.T, g []got, _ Stats) {
			if strings.Contains(g[0].RespHead, "link") {
				t.Fatalf("%+v", g[0])
			}
		}},
		"promise": {func(k *talk, c, s *h2Side) {
			k.ask(c.get(1, "/page").take())
			must(s.fr.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: s.fields(":method: GET", ":path: /style", ":authority: h", ":scheme: https"), EndHeaders: true}))
			k.answer(s.ok(1, "page").ok(2, "style").take())
		}, []string{`GET /page h.example 200 "" "page"`, `GET /style h 200 "" "style"`}, func(t *testing.T, g []got, s Stats) {
			if s.Pushed != 1 || g[1].Caps&exchange.CapHeaderOrder != 0 || g[1].H2 != "" || !g[1].Secure {
				t.Fatalf("%+v", g[1])
			}
		}},
		"reset by the client": {func(k *talk, c, s *h2Side) {
			k.ask(c.get(1, "/gone").take())
			must(c.fr.WriteRSTStream(1, http2.ErrCodeCancel))
			k.ask(c.get(3, "/next").take()).answer(s.ok(1, "late").ok(3, "x").take())
		}, []string{`GET /gone h.example 0 "" ""`, `GET /next h.example 200 "" "x"`}, func(t *testing.T, g []got, s Stats) {
			if s.H2Resets != 1 || s.Orphans != 0 {
				t.Fatalf("%+v", s)
			}
		}},
		"reset by the server": {func(k *talk, c, s *h2Side) {
			k.ask(c.headers(1, false, ":method: POST", ":path: /r", ":authority: h").data(1, false, "part").take())
			s.headers(1, false, ":status: 413").data(1, false, "too ")
			must(s.fr.WriteRSTStream(1, http2.ErrCodeNo))
			k.answer(s.take())
		}, []string{`POST /r h 413 "part" "too "`}, func(t *testing.T, g []got, _ Stats) {
			if g[0].ReqCut != 1 || g[0].RespCut != 1 {
				t.Fatalf("%+v", g[0])
			}
		}},
		"answer before the request ends": {func(k *talk, c, s *h2Side) {
			k.ask(c.headers(1, false, ":method: POST", ":path: /e", ":authority: h").data(1, false, "a").take())
			k.answer(s.ok(1, "early").take()).ask(c.data(1, true, "b").take())
		}, []string{`POST /e h 200 "ab" "early"`}, nil},
		"goaway": {func(k *talk, c, s *h2Side) {
			k.ask(c.get(1, "/1").get(3, "/3").get(5, "/5").take())
			must(s.fr.WriteGoAway(1, http2.ErrCodeNo, []byte("bye")))
			k.answer(s.take()).answer(s.ok(1, "one").take())
		}, []string{`GET /3 h.example 0 "" ""`, `GET /5 h.example 0 "" ""`, `GET /1 h.example 200 "" "one"`}, nil},
		"table sizes": {func(k *talk, c, s *h2Side) {
			s.settings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 65536})
			k.answer(s.take())
			c.enc.SetMaxDynamicTableSizeLimit(65536)
			c.enc.SetMaxDynamicTableSize(65536)
			k.ask(c.headers(1, true, ":method: GET", ":path: /1", ":authority: h", "x: "+big[:9000]).take())
			c.enc.SetMaxDynamicTableSize(0)
			k.ask(c.headers(3, true, ":method: GET", ":path: /3", ":authority: h", "x: y").take())
			c.enc.SetMaxDynamicTableSize(200)
			k.ask(c.headers(5, true, ":method: GET", ":path: /5", ":authority: h", "x: y").take())
			k.ask(c.headers(7, true, ":method: GET", ":path: /5", ":authority: h", "x: y").take())
			k.answer(s.ok(1, "1").ok(3, "3").ok(5, "5").ok(7, "7").take())
		}, []string{`GET /1 h 200 "" "1"`, `GET /3 h 200 "" "3"`, `GET /5 h 200 "" "5"`, `GET /5 h 200 "" "7"`}, nil},
		"CONNECT": {func(k *talk, c, s *h2Side) {
			k.ask(c.headers(1, false, ":method: CONNECT", ":authority: in.example:443").data(1, false, "\x16\x03\x01").take())
			k.answer(s.headers(1, false, ":status: 200").data(1, true, "secret").take()).ask(c.data(1, true, "more").take())
		}, []string{`CONNECT in.example:443 in.example:443 200 "\x16\x03\x01" ""`}, func(t *testing.T, g []got, s Stats) {
			if s.Tunnels != 1 || s.dropped[dropUnsupported] != 1 {
				t.Fatalf("%+v", s)
			}
		}},
		"unknown frames and settings": {func(k *talk, c, s *h2Side) {
			must(c.fr.WriteRawFrame(0x77, 0xff, 5, []byte("ext")))
			must(c.fr.WriteRawFrame(0x10, 0, 0, []byte("\x00\x00\x00\x01u=1")))
			must(c.fr.WritePing(false, [8]byte{}))
			c.settings(http2.Setting{ID: 0xabab, Val: 1})
			k.ask(c.get(1, "/u").take()).answer(s.ok(1, "x").take())
		}, []string{`GET /u h.example 200 "" "x"`}, nil},
		"no authority": {func(k *talk, c, s *h2Side) {
			k.ask(c.headers(1, true, ":method: GET", ":path: /h", "host: by.example").take()).answer(s.ok(1, "x").take())
		}, []string{`GET /h by.example 200 "" "x"`}, nil},
		"options": {func(k *talk, c, s *h2Side) {
			k.ask(c.headers(1, true, ":method: OPTIONS", ":path: *", ":authority: h").take()).answer(s.headers(1, true, ":status: 204").take())
		}, []string{`OPTIONS * h 204 "" ""`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			k, cl, sv := h2Talk()
			c.talk(k, cl, sv)
			k.close()
			for _, mss := range []int{9000, 1448, 3} {
				g, d := decode(t, Config{}, LinkRaw, resegment(k, mss))
				wantLines(t, g, c.want...)
				if c.also != nil {
					c.also(t, g, d.Stats())
				}
				if st := d.Stats(); st.H2Errors+st.H2Lost+st.H2Unknown != 0 {
					t.Fatalf("mss %d: %+v", mss, st)
				}
			}
		})
	}
}

func TestUpgradeToHTTP2(t *testing.T) {
	k, c, s := plainTalk().open(), newH2Side(), newH2Side()
	k.ask(request("/before")).answer(response("plain"))
	k.ask("GET /up HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
	k.answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + s.settings().ok(1, "first").take())
	c.WriteString(http2.ClientPreface)
	k.ask(c.settings().get(3, "/second").take()).answer(s.ok(3, "two").take()).close()
	for _, mss := range []int{9000, 1} {
		g, _ := decode(t, Config{}, LinkRaw, resegment(k, mss))
		wantLines(t, g, `GET /before x 200 "" "plain"`, `GET /up x 200 "" "first"`, `GET /second h.example 200 "" "two"`)
		if g[1].Proto != 11 || g[2].Proto != 20 || g[1].RespHead != "content-type: text/plain\nserver: test\n" {
			t.Fatalf("%+v", g)
		}
	}
	// Refused: it stays HTTP/1.
	k = plainTalk().open().ask("GET /up HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n").answer(response("no")).ask(request("/2")).answer(response("two")).close()
	g, _ := decode(t, Config{}, LinkRaw, k.out)
	wantStatuses(t, g, "/up 200", "/2 200")
}

func TestServerSpeaksFirst(t *testing.T) {
	k, c, s := plainTalk().open(), newH2Side(), newH2Side()
	k.answer(s.settings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 100}).take())
	c.WriteString(http2.ClientPreface)
	k.ask(c.settings().get(1, "/1").take()).answer(s.ok(1, "x").take()).close()
	for _, mss := range []int{9000, 1} {
		g, _ := decode(t, Config{}, LinkRaw, resegment(k, mss))
		wantLines(t, g, `GET /1 h.example 200 "" "x"`)
		if g[0].H2 != "0|0|0|m,s,p,a" {
			t.Fatalf("%+v", g[0])
		}
	}
	// A client that speaks HTTP/1 to it is not answered.
	k = plainTalk().open().answer(s.settings().take()).ask(request("/1")).close()
	g, _ := decode(t, Config{}, LinkRaw, k.out)
	wantStatuses(t, g, "/1 0")
}

// TestJoinedMidway: what the capture did not see is unknown, never invented,
// and what it says is right.
func TestJoinedMidway(t *testing.T) {
	k, c, s := h2Talk()
	want := map[string]got{}
	for i := range 12 {
		id := uint32(2*i + 1)
		path := fmt.Sprintf("/p%d", i/2)
		body := fmt.Sprintf("body %d", i)
		k.ask(c.headers(id, false, ":method: POST", ":scheme: http", ":path: "+path, ":authority: h.example", "x-same: always", fmt.Sprintf("x-new: %d", i)).data(id, true, body).take())
		k.answer(s.headers(id, false, ":status: 299", "x-same: too", fmt.Sprintf("x-new: %d", i)).data(id, true, body).take())
	}
	k.close()
	whole, _ := decode(t, Config{}, LinkRaw, k.out)
	if len(whole) != 12 {
		t.Fatalf("%d exchanges", len(whole))
	}
	for _, x := range whole {
		want[x.ID] = x
	}
	unknown := 0
	for from := 3; from < len(k.out)-10; from++ {
		g, d := decode(t, Config{}, LinkRaw, k.out[from:])
		for _, x := range g {
			w, ok := want[x.ID]
			if !ok {
				t.Fatalf("from packet %d: an exchange that never was: %+v", from, x)
			}
			if x.Method != w.Method || x.Target != w.Target || x.Req != w.Req {
				t.Fatalf("from packet %d:\nwant %+v\nhave %+v", from, w, x)
			}
			if x.Host != w.Host && x.Host != "" || x.Status != w.Status && x.Status != 0 || x.Status != 0 && x.Resp != w.Resp {
				t.Fatalf("from packet %d:\nwant %+v\nhave %+v", from, w, x)
			}
			for _, line := range strings.SplitAfter(x.ReqHead+x.RespHead, "\n") {
				if !strings.Contains(w.ReqHead+w.RespHead, line) {
					t.Fatalf("from packet %d: header %q was never sent", from, line)
				}
			}
			if x.ReqHead != w.ReqHead && (x.ReqUnk == 0 || x.Caps&(exchange.CapRequestHeaders|exchange.CapHeaderOrder) != 0) ||
				x.Status != 0 && x.RespHead != w.RespHead && (x.RespUnk == 0 || x.Caps&exchange.CapResponseHeaders != 0) {
				t.Fatalf("from packet %d: lacks headers and does not say so: %+v", from, x)
			}
			if x.H2 != "" && from > 3 {
				t.Fatalf("from packet %d: fingerprint of a client that was not seen to begin: %s", from, x.H2)
			}
			unknown += x.ReqUnk + x.RespUnk
		}
		if st := d.Stats(); st.H2Errors != 0 || len(g) == 0 && from < len(k.out)-20 {
			t.Fatalf("from packet %d: %d exchanges, %+v", from, len(g), st)
		}
	}
	if unknown == 0 {
		t.Fatal("nothing was unknown: the test tests nothing")
	}
}

// TestLostInHTTP2: a hole inside the data of a frame costs that body only; a
// hole in a head costs what the compression loses with it; nothing is wrong.
func TestLostInHTTP2(t *testing.T) {
	build := func() *talk {
		k, c, s := h2Talk()
		k.step = int64(100 * time.Millisecond)
		for i := range 8 {
			id := uint32(2*i + 1)
			c.headers(id, false, ":method: POST", ":path: "+fmt.Sprintf("/p%d", i), ":authority: h.example", "x-same: always").data(id, true, fmt.Sprintf("ask%d", i))
			k.send(0, c.take(), 1448)
			s.headers(id, false, ":status: 200", "x-same: too").data(id, true, fmt.Sprintf("%d<", i)+strings.Repeat("d", 3000)+fmt.Sprintf(">%d", i))
			k.send(1, s.take(), 1000)
		}
		return k.close()
	}
	whole, _ := decode(t, Config{}, LinkRaw, build().out)
	if len(whole) != 8 {
		t.Fatalf("%d exchanges", len(whole))
	}
	want := map[string]got{}
	for _, x := range whole {
		want[x.ID] = x
	}
	k := build()
	intact := 0
	for i := 3; i < len(k.out)-3; i++ {
		if len(k.out[i].data) == 40 {
			continue
		}
		frames := append(append([]frame(nil), k.out[:i]...), k.out[i+1:]...)
		g, d := decode(t, Config{}, LinkRaw, frames)
		if len(g) < 7 {
			t.Errorf("without packet %d: %d exchanges, %+v", i, len(g), d.Stats())
		}
		for _, x := range g {
			w, ok := want[x.ID]
			if !ok {
				t.Fatalf("without packet %d: an exchange that never was: %+v", i, x)
			}
			if x.Target != w.Target || x.ReqCut == 0 && x.Req != w.Req || x.Status != 0 && (x.Status != 200 || x.RespCut == 0 && x.Resp != w.Resp) {
				t.Fatalf("without packet %d:\nwant %+v\nhave %+v", i, w, x)
			}
			if !strings.HasPrefix(w.Resp, x.Resp) || !strings.HasPrefix(w.Req, x.Req) {
				t.Fatalf("without packet %d: %+v", i, x)
			}
			if x.RespCut > 0 && x.RespSize == w.RespSize {
				intact++
			}
		}
	}
	if intact < 8 {
		t.Fatalf("only %d bodies with a hole kept their size", intact)
	}
}

func TestHTTP2OneSided(t *testing.T) {
	side := func(from byte) []frame {
		k, c, s := h2Talk()
		for i := range 40 {
			id := uint32(2*i + 1)
			k.ask(c.get(id, fmt.Sprintf("/%d", i)).take()).answer(s.ok(id, "x").take())
		}
		var out []frame
		for _, f := range k.close().out {
			if f.data[15] == from {
				out = append(out, f)
			}
		}
		return out
	}
	g, d := decode(t, Config{}, LinkRaw, side(7))
	if st := d.Stats(); len(g) != 40 || st.OneSided != 40 || st.H2Evicted < 20 || g[0].Caps&exchange.CapResponse != 0 {
		t.Fatalf("%d exchanges, %+v", len(g), st)
	}
	g, d = decode(t, Config{}, LinkRaw, side(1))
	if st := d.Stats(); len(g) != 0 || st.Dropped() != 40 {
		t.Fatalf("%d exchanges, %+v", len(g), st)
	}
}

// TestHTTP2Hostile: each attack is bounded, counted, and what follows on other
// streams is read where a server would read it.
func TestHTTP2Hostile(t *testing.T) {
	for name, c := range map[string]struct {
		attack func(k *talk, c, s *h2Side)
		lines  int
		check  func(s Stats) bool
	}{
		"CONTINUATION flood": {func(k *talk, c, _ *h2Side) {
			must(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields(":method: GET"), EndStream: true}))
			for range 3000 {
				must(c.fr.WriteContinuation(1, false, bytes.Repeat([]byte{0x82}, 1000)))
			}
			must(c.fr.WriteContinuation(1, true, nil))
		}, 1, func(s Stats) bool { return s.dropped[dropOversize] == 1 }},
		"empty CONTINUATION flood": {func(k *talk, c, _ *h2Side) {
			must(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: nil, EndStream: true}))
			for range 20000 {
				must(c.fr.WriteContinuation(1, false, nil))
			}
			must(c.fr.WriteContinuation(1, true, c.fields(":method: GET", ":path: /x", ":authority: h")))
		}, 2, func(s Stats) bool { return s.Dropped() == 0 }},
		"header list bomb": {func(k *talk, c, _ *h2Side) {
			b := c.fields(":method: GET", ":path: /x", ":authority: h", "x-big: "+strings.Repeat("b", 3900))
			b = append(b, bytes.Repeat([]byte{0x80 | 62}, 12000)...)
			must(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b, EndStream: true, EndHeaders: true}))
		}, 1, func(s Stats) bool { return s.dropped[dropOversize] == 1 }},
		"rapid reset": {func(k *talk, c, _ *h2Side) {
			for i := range uint32(5000) {
				c.get(2*i+1, "/r")
				must(c.fr.WriteRSTStream(2*i+1, http2.ErrCodeCancel))
			}
		}, 5001, func(s Stats) bool { return s.H2Resets == 5000 && s.H2Evicted == 0 }},
		"settings, ping and empty frame floods": {func(k *talk, c, _ *h2Side) {
			for range 5000 {
				c.settings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 1 << 31})
				must(c.fr.WritePing(false, [8]byte{1}))
				must(c.fr.WriteData(0, false, nil))
				must(c.fr.WriteWindowUpdate(0, 1))
			}
		}, 1, func(s Stats) bool { return s.H2Control >= 15000 }},
		"streams never ended": {func(k *talk, c, _ *h2Side) {
			for i := range uint32(3000) {
				c.headers(2*i+1, false, ":method: POST", ":path: /n", ":authority: h").data(2*i+1, false, "x")
			}
		}, 3001, func(s Stats) bool { return s.H2Evicted == 3001-maxStreams }},
		"stream ids that go back": {func(k *talk, c, _ *h2Side) {
			c.get(9, "/9").get(7, "/7").get(9, "/9").get(4, "/4")
		}, 2, func(s Stats) bool { return true }},
		"a table size beyond what was agreed": {func(k *talk, c, _ *h2Side) {
			b := append([]byte{0x3f, 0xe1, 0xff, 0xff, 0x07}, c.fields(":method: GET", ":path: /x", ":authority: h")...)
			must(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b, EndStream: true, EndHeaders: true}))
		}, 2, func(s Stats) bool { return s.Dropped() == 0 }},
		"a reference to nothing": {func(k *talk, c, _ *h2Side) {
			must(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82, 0x84, 0xff, 0x80, 0x7f}, EndStream: true, EndHeaders: true}))
		}, 1, func(s Stats) bool { return s.H2Errors == 1 && s.dropped[dropCorrupt] == 1 }},
		"a block that is interrupted": {func(k *talk, c, _ *h2Side) {
			must(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields(":method: GET", ":path: /x"), EndStream: true}))
			must(c.fr.WritePing(false, [8]byte{}))
		}, 1, func(s Stats) bool { return s.H2Errors == 1 && s.dropped[dropCorrupt] == 1 }},
		"padding longer than the frame": {func(k *talk, c, _ *h2Side) {
			must(c.fr.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersEndHeaders|http2.FlagHeadersPadded, 1, []byte{200, 0x82, 0x84}))
			must(c.fr.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, []byte{200, 1, 2}))
		}, 1, func(s Stats) bool { return s.H2Errors == 2 && s.dropped[dropCorrupt] == 1 }},
		"no pseudo headers, or two": {func(k *talk, c, _ *h2Side) {
			c.headers(1, true, "x: y")
			c.headers(3, true, ":method: GET", ":method: POST", ":path: /two", ":authority: h")
			c.headers(5, true, "x: y", ":method: GET", ":path: /late")
			c.headers(7, true, ":method: GET", ":path: /odd", ":strange: 1")
			c.headers(9, true, ":method: G ET", ":path: /m")
		}, 3, func(s Stats) bool { return s.Ambiguous == 3 && s.Dropped() == 3 }},
	} {
		t.Run(name, func(t *testing.T) {
			k, cl, sv := h2Talk()
			c.attack(k, cl, sv)
			last := newH2Side()
			last.enc.SetMaxDynamicTableSize(0)
			last.headers(99999, true, ":method: GET", ":path: /after", ":authority: h")
			k.send(0, cl.take(), 9000)
			k.ask(last.take()).answer(sv.ok(99999, "fine").take()).close()
			peak := int64(0)
			var out []got
			d := New(Config{Emit: func(x *exchange.Exchange) error { out = append(out, copyOf(x)); return nil }})
			for _, f := range k.out {
				must(d.Packet(f.ts, LinkRaw, f.data, len(f.data)))
				peak = max(peak, d.kept)
			}
			must(d.Flush())
			st := d.Stats()
			if n := len(out); n != c.lines || !strings.Contains(fmt.Sprint(h2Lines(out)), `GET /after h 200 "" "fine"`) || !c.check(st) {
				t.Fatalf("%d exchanges, %+v, %+v %.500v", n, st, st.dropped, h2Lines(out))
			}
			if st.Begun != st.Emitted+st.Dropped() || d.kept != 0 || peak > 1<<20 {
				t.Fatalf("books %+v, kept %d, peak %d", st, d.kept, peak)
			}
		})
	}
}

// TestManyHTTP2Connections: idle connections cost what the memory bound sees.
func TestManyHTTP2Connections(t *testing.T) {
	d := New(Config{MaxKept: 4 << 20})
	peak := int64(0)
	for i := range 5000 {
		k, _, _ := h2Talk()
		k.addr[0] = newTalk(fmt.Sprintf("10.1.%d.%d:5000", i/250, i%250+1), "10.0.0.1:80").addr[0]
		k.out = nil
		k.seq = [2]uint32{1, 1}
		k.open()
		c := newH2Side()
		c.WriteString(http2.ClientPreface)
		k.ask(c.settings().headers(1, false, ":method: POST", ":path: /x", "a: "+strings.Repeat("x", 2000)).take())
		for _, f := range k.out {
			must(d.Packet(f.ts+int64(i)*1000, LinkRaw, f.data, len(f.data)))
			peak = max(peak, d.kept)
		}
	}
	must(d.Flush())
	if st := d.Stats(); st.Evicted == 0 || peak > 5<<20 || d.kept != 0 || st.Begun != st.Emitted+st.Dropped() {
		t.Fatalf("peak %d, kept %d, %+v", peak, d.kept, st)
	}
}

func TestChunkedTrailer(t *testing.T) {
	k := plainTalk().open().ask(request("/t")).answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\nServer-Timing:  db;dur=1 \r\n\r\n")
	k.ask(request("/2")).answer(response("two")).close()
	for _, mss := range []int{1448, 1} {
		g, _ := decode(t, Config{}, LinkRaw, resegment(k, mss))
		wantStatuses(t, g, "/t 200", "/2 200")
		if x := g[0]; x.Resp != "abc" || x.RespTrail != "X-Sum: 9\nServer-Timing: db;dur=1\n" || x.RespCut != 0 || g[1].RespTrail != "" {
			t.Fatalf("%+v", x)
		}
	}
}
