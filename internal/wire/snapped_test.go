package wire

import (
	"fmt"
	"strings"
	"testing"

	"xiezhi/internal/exchange"
)

// snap cuts packets to n bytes, as a mirror or a capture with -s does.
func snap(frames []frame, n int) []frame {
	out := make([]frame, len(frames))
	for i, f := range frames {
		out[i] = f
		if len(f.data) > n {
			out[i].data, out[i].wire = f.data[:n:n], len(f.data)
		}
	}
	return out
}

// shopping is a keep-alive connection with what snapped captures meet: long
// and short targets, uploads, answers of several segments, with and without
// length, an answer without body, an interim one.
func shopping() *talk {
	const fields = "Host: shop.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAuthorization: Bearer abcdefghijklmnopqrstuvwxyz\r\n"
	big := strings.Repeat("0123456789", 400)
	k := plainTalk().open()
	ask := func(line, more, body string) { k.ask(line + " HTTP/1.1\r\n" + fields + more + "\r\n" + body) }
	answer := func(line, more, body string) {
		k.answer("HTTP/1.1 " + line + "\r\nServer: nginx\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n" + more + "\r\n" + body)
	}
	ask("GET /a", "", "")
	answer("200 OK", "Content-Length: 4000\r\n", big)
	ask("POST /cart", "Content-Length: 4000\r\n", big)
	answer("201 Created", "Content-Length: 2\r\n", "ok")
	ask("GET /api/v1/items?page=12&size=20&sort=price", "", "")
	answer("200 OK", "Transfer-Encoding: chunked\r\n", "fa0\r\n"+big+"\r\n0\r\n\r\n")
	ask("GET /api/v1/a/rather/long/path/that/no/short/snap/length/shows/whole/items/12345", "", "")
	answer("404 Not Found", "Content-Length: 4\r\n", "none")
	ask("HEAD /a", "", "")
	answer("304 Not Modified", "", "")
	ask("DELETE /a", "", "")
	answer("204 No Content", "", "")
	ask("PUT /b", "Content-Length: 3\r\n", "xyz")
	answer("500 Internal Server Error", "Content-Length: 4000\r\n", big)
	return k.close()
}

// TestSnapped reads the same connection cut at every length: what is found is
// true, and everything is counted.
func TestSnapped(t *testing.T) {
	whole, _ := decode(t, Config{}, LinkRaw, shopping().out)
	if len(whole) != 7 {
		t.Fatalf("%d exchanges: %+v", len(whole), whole)
	}
	original := map[string]got{}
	for _, g := range whole {
		original[fmt.Sprint(g.Start)] = g
	}
	least := map[int]int{54: 4, 58: 5, 70: 6, 96: 6, 128: 7, 1500: 7}
	for n := 20; n < 1500; n++ {
		have, d := decode(t, Config{}, LinkRaw, snap(shopping().out, n))
		st := d.Stats()
		if want, ok := least[n]; ok && len(have) < want {
			t.Errorf("snap %d: %d exchanges found, want %d: %+v", n, len(have), want, st)
		}
		if n >= 56 && len(have)+int(st.Dropped()) != 7 {
			t.Errorf("snap %d: %d exchanges and %d dropped, want 7 together", n, len(have), st.Dropped())
		}
		for _, g := range have {
			o, ok := original[fmt.Sprint(g.Start)]
			if !ok {
				t.Fatalf("snap %d: an exchange that is none: %+v", n, g)
			}
			if g.Method != o.Method || g.Target != o.Target && (!strings.HasPrefix(o.Target, g.Target) || !strings.Contains(o.Target, "?")) {
				t.Fatalf("snap %d: %s %s, is %s %s", n, g.Method, g.Target, o.Method, o.Target)
			}
			if i := len(g.Target); i < len(o.Target) && o.Target[i] != '?' && o.Target[i] != '&' {
				t.Fatalf("snap %d: the target %s cuts a parameter", n, g.Target)
			}
			if g.Status != o.Status && g.Status != 0 {
				t.Fatalf("snap %d: %s %s has %d, is %d", n, g.Method, g.Target, g.Status, o.Status)
			}
			if !strings.HasPrefix(o.ReqHead, g.ReqHead) || !strings.HasPrefix(o.RespHead, g.RespHead) || !strings.HasPrefix(o.Req, g.Req) || !strings.HasPrefix(o.Resp, g.Resp) {
				t.Fatalf("snap %d: not a part of the original: %+v", n, g)
			}
			for _, side := range []struct {
				name           string
				head, whole    string
				size, cut, was int64
				body           string
				heads, bodies  exchange.Caps
			}{
				{"request", g.ReqHead, o.ReqHead, g.ReqSize, g.ReqCut, o.ReqSize, g.Req, exchange.CapRequestHeaders, exchange.CapRequestBody},
				{"response", g.RespHead, o.RespHead, g.RespSize, g.RespCut, o.RespSize, g.Resp, exchange.CapResponseHeaders, exchange.CapResponseBody},
			} {
				if g.Status == 0 && side.name == "response" {
					continue
				}
				if side.head != side.whole && g.Caps&(side.heads|side.bodies) != 0 {
					t.Fatalf("snap %d: the %s's head is cut and yet told to be seen: %+v", n, side.name, g)
				}
				exact := g.Caps&side.bodies != 0 && !strings.Contains(side.head, "chunked") || strings.Contains(side.head, "Content-Length")
				if exact && side.size != side.was || side.size < side.was || side.size > side.was+400 {
					t.Fatalf("snap %d: %s body of %d bytes, is %d: %+v", n, side.name, side.size, side.was, g)
				}
				if side.size != int64(len(side.body))+side.cut {
					t.Fatalf("snap %d: %d bytes of %d, %d cut", n, len(side.body), side.size, side.cut)
				}
			}
		}
	}
}

// TestSnappedMidway: the same without the handshakes.
func TestSnappedMidway(t *testing.T) {
	have, d := decode(t, Config{}, LinkRaw, snap(shopping().out[3:], 96))
	if len(have) != 6 || have[0].Target != "/a" || have[0].Status != 200 || have[0].RespSize < 4000 || have[5].Target != "/b" || have[5].Status != 500 {
		t.Fatalf("%+v %+v", have, d.Stats())
	}
	if s := d.Stats(); s.HeadsCut != 14 || s.Dropped() != 1 {
		t.Errorf("%+v", s)
	}
}

// TestSnappedPipeline: answers stay with their requests.
func TestSnappedPipeline(t *testing.T) {
	k := plainTalk().open()
	for i := range 5 {
		k.packet(0, flagACK, []byte(request(fmt.Sprintf("/%d", i))))
	}
	for i := range 5 {
		k.answer(fmt.Sprintf("HTTP/1.1 20%d OK\r\nX-Some-Field: of a certain length\r\nContent-Length: 5\r\n\r\nhello", i))
	}
	have, _ := decode(t, Config{}, LinkRaw, snap(k.close().out, 70))
	if len(have) != 5 {
		t.Fatalf("%+v", have)
	}
	for i, g := range have {
		if g.Target != fmt.Sprintf("/%d", i) || g.Status != 200+i {
			t.Errorf("%s has %d", g.Target, g.Status)
		}
	}
}

// FuzzSnapped: whatever is said and wherever it is cut, the books balance.
func FuzzSnapped(f *testing.F) {
	f.Add([]byte(request("/a?b=c&d")+request("/e")), []byte(response("one")+response("two")), uint8(70))
	f.Add([]byte("POST /x HTTP/1.1\r\nContent-Length: 300\r\n\r\n"+strings.Repeat("x", 300)), []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), uint8(56))
	f.Add([]byte("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n"), []byte("HTTP/1.1 200 Connection established\r\nVia: y\r\n\r\nHTTP/1.1 101 Switching\r\n"), uint8(64))
	f.Fuzz(func(t *testing.T, ask, answer []byte, n uint8) {
		if len(ask)+len(answer) > 1<<14 {
			return
		}
		k := plainTalk().open()
		for half := range 2 {
			k.send(0, string(ask[half*len(ask)/2:(half+1)*len(ask)/2]), 536)
			k.send(1, string(answer[half*len(answer)/2:(half+1)*len(answer)/2]), 536)
		}
		decode(t, Config{}, LinkRaw, snap(k.close().out, 40+int(n)))
		decode(t, Config{}, LinkRaw, snap(k.out[3:], 40+int(n)))
	})
}
