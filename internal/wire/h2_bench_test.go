package wire

import (
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"

	"xiezhi/internal/exchange"
)

// benchFields are the eleven of a browser's request, with a token and cookies.
var benchFields = []string{":method: POST", ":scheme: http", ":path: /api/v1/orders?page=2&size=20", ":authority: api.example.com",
	"user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
	"accept: application/json, text/plain, */*", "accept-language: zh-CN,zh;q=0.9,en;q=0.8", "accept-encoding: gzip, deflate, br",
	"content-type: application/json", "authorization: Bearer eyJhbGciOiJIUzI1NiJ9." + strings.Repeat("eyJzdWIiOiIxMjM0NTY3ODkwIn0", 6),
	"referer: https://www.example.com/orders", "cookie: sid=0123456789abcdef0123456789abcdef; theme=dark", "x-request-id: 7f3c1d2e", "origin: https://www.example.com", "dnt: 1"}

// benchTalk is a connection of n streams whose fields come from the dynamic
// table after the first.
func benchTalk(n int) []frame {
	k, c, s := h2Talk()
	body := strings.Repeat(`{"id":12345,"name":"goods"},`, 73)
	for i := range n {
		id := uint32(2*i + 1)
		k.send(0, c.headers(id, true, benchFields...).take(), 1448)
		k.send(1, s.headers(id, false, ":status: 200", "content-type: application/json", "server: nginx", "content-length: 2044").data(id, true, body).take(), 1448)
	}
	return k.close().out
}

// BenchmarkHTTP2 measures packets to exchanges: a request of eleven ordinary
// fields and a response of 2 KB. One operation is one exchange.
func BenchmarkHTTP2(b *testing.B) {
	frames := benchTalk(1000)
	benchPackets(b, frames, 1000)
}

func BenchmarkWebSocket(b *testing.B) {
	for _, ext := range []string{"", "permessage-deflate"} {
		k, c, s := wsTalk(ext)
		for range 500 {
			k.ask(c.message(1, `{"type":"msg","id":1,"text":"what is said in a chat, as a rule"}`, 1<<20).take())
			k.answer(s.message(1, `{"type":"ack","id":1,"text":"what is said in a chat, as a rule, echoed"}`, 1<<20).take())
		}
		k.close()
		b.Run("deflate="+map[bool]string{true: "yes", false: "no"}[ext != ""], func(b *testing.B) { benchPackets(b, k.out, 1000) })
	}
}

func benchPackets(b *testing.B, frames []frame, per int) {
	d := New(Config{Emit: func(*exchange.Exchange) error { return nil }})
	size, shift := 0, int64(0)
	run := func() {
		for _, f := range frames {
			must(d.Packet(f.ts+shift, LinkRaw, f.data, len(f.data)))
		}
		must(d.Flush())
		shift += int64(1e9)
	}
	for _, f := range frames {
		size += len(f.data)
	}
	run()
	b.SetBytes(int64(size / per))
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += per {
		run()
	}
	b.StopTimer()
	if st := d.Stats(); st.Dropped()+st.H2Errors+st.H2Lost+st.WSLost+st.WSErrors > 0 {
		b.Fatalf("%+v", st)
	}
}

// BenchmarkHpack decodes the block alone: from the dynamic table, and literal.
func BenchmarkHpack(b *testing.B) {
	c := newH2Side()
	cold := c.fields(benchFields...)
	warm := c.fields(benchFields...)
	var t hpackTable
	d := New(Config{})
	for _, x := range []struct {
		name  string
		block []byte
		reset bool
	}{{"cold", cold, true}, {"warm", warm, false}} {
		b.Run(x.name, func(b *testing.B) {
			t.reset()
			d.readBlock(&t, nil, cold)
			m := &message{}
			b.ReportAllocs()
			for b.Loop() {
				if x.reset {
					t.reset()
				}
				m.reset()
				d.kept = 0
				if h := d.readBlock(&t, m, x.block); h.bad || h.unknown > 0 || len(m.fields) != 11 {
					b.Fatalf("%+v", h)
				}
			}
		})
	}
}

// BenchmarkHpackLibrary is x/net's decoder on the same blocks, to compare with.
func BenchmarkHpackLibrary(b *testing.B) {
	c := newH2Side()
	cold := c.fields(benchFields...)
	warm := c.fields(benchFields...)
	for _, x := range []struct {
		name  string
		block []byte
		reset bool
	}{{"cold", cold, true}, {"warm", warm, false}} {
		b.Run(x.name, func(b *testing.B) {
			n := 0
			newDecoder := func() *hpack.Decoder { return hpack.NewDecoder(4096, func(hpack.HeaderField) { n++ }) }
			dec := newDecoder()
			_, err := dec.Write(cold)
			must(err)
			b.ReportAllocs()
			for b.Loop() {
				if x.reset {
					dec = newDecoder()
				}
				_, err := dec.Write(x.block)
				must(err)
				must(dec.Close())
			}
		})
	}
}

// TestSteadyHTTP2 checks that streams and messages cost no allocation once the
// pools are warm.
func TestSteadyHTTP2(t *testing.T) {
	k, c, s := wsTalk("permessage-deflate")
	for range 200 {
		k.ask(c.message(1, `{"type":"msg"}`, 1<<20).take()).answer(s.message(1, `{"type":"ack"}`, 1<<20).take())
	}
	for name, frames := range map[string][]frame{"HTTP/2": benchTalk(400), "WebSocket": k.close().out} {
		d := New(Config{Emit: func(*exchange.Exchange) error { return nil }})
		shift := int64(0)
		allocs := testing.AllocsPerRun(5, func() {
			for _, f := range frames {
				must(d.Packet(f.ts+shift, LinkRaw, f.data, len(f.data)))
			}
			must(d.Flush())
			shift += 1e9
		})
		if allocs > 20 {
			t.Errorf("%s: %.0f allocations for 400 exchanges", name, allocs)
		}
	}
}
