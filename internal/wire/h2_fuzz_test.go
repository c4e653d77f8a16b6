package wire

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// FuzzHTTP2: any two streams behind the preface, in any segmentation; the
// exchanges must not depend on it, and the books must balance whatever part of
// it the capture lost.
func FuzzHTTP2(f *testing.F) {
	c, s := newH2Side(), newH2Side()
	c.settings().get(1, "/one").post(3, "/two", "body")
	must(c.fr.WriteRSTStream(1, http2.ErrCodeCancel))
	s.settings().headers(1, false, ":status: 103").ok(1, "answer").headers(3, false, ":status: 200").data(3, false, "x").headers(3, true, "grpc-status: 0")
	f.Add(c.take(), s.take(), uint8(5), uint16(60))
	b := c.fields(":method: CONNECT", ":protocol: websocket", ":path: /ws", ":authority: h")
	must(c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, BlockFragment: b[:5], PadLength: 3}))
	must(c.fr.WriteContinuation(5, true, b[5:]))
	c.data(5, false, (&wsSide{client: true}).message(1, "hello", 2).take())
	must(s.fr.WritePushPromise(http2.PushPromiseParam{StreamID: 5, PromiseID: 2, BlockFragment: s.fields(":method: GET", ":path: /p"), EndHeaders: true}))
	must(s.fr.WriteGoAway(3, http2.ErrCodeNo, nil))
	f.Add(c.take(), s.headers(5, false, ":status: 200").data(5, true, "\x81\x02ok").ok(2, "pushed").take(), uint8(1), uint16(9))
	f.Add("\x00\x00\x04\x01\x24\x00\x00\x00\x01\x00\x00\x00\x00", "\x00\x00\x01\x09\x04\x00\x00\x00\x01\x88", uint8(1), uint16(0))
	f.Fuzz(func(t *testing.T, ask, answer string, mss uint8, at uint16) {
		if len(ask)+len(answer) > 1<<13 {
			return
		}
		talk := func(mss int) *talk {
			k := plainTalk().open().send(0, http2.ClientPreface, 1448)
			return k.send(0, ask, mss).send(1, answer, mss).close()
		}
		whole, d := decode(t, Config{}, LinkRaw, talk(9000).out)
		k := talk(int(mss) + 1)
		parts, e := decode(t, Config{}, LinkRaw, k.out)
		if d.stats.H2Lost+e.stats.H2Lost == 0 && d.h2Whole() && e.h2Whole() {
			if len(whole) != len(parts) {
				t.Fatalf("%d exchanges whole, %d in parts", len(whole), len(parts))
			}
			strip := func(g []got) []got {
				for i := range g {
					g[i].ID, g[i].Start, g[i].End = "", 0, 0
					g[i].Messages = strings.Join(spoken(g[i]), "\n")
				}
				return g
			}
			for i := range strip(whole) {
				if a, b := whole[i], strip(parts)[i]; a != b {
					t.Fatalf("whole %+v\nparts %+v", a, b)
				}
			}
		}
		// The same without one packet, and without its beginning.
		i := int(at) % len(k.out)
		decode(t, Config{}, LinkRaw, slices.Delete(slices.Clone(k.out), i, i+1))
		decode(t, Config{}, LinkRaw, k.out[i:])
	})
}

// h2Whole reports that the server's direction was recognised as HTTP/2 too, and
// no WebSocket in it was given up: where reading goes on otherwise depends on
// where segments start, by design.
func (d *Decoder) h2Whole() bool {
	return d.stats.HTTP2 == 1 && d.stats.WSErrors == 0 && len(d.Blind()) == 0
}
