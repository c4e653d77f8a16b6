package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"compress/flate"

	"pgregory.net/rapid"

	"xiezhi/internal/exchange"
)

// wsSide writes what one end of a WebSocket sends.
type wsSide struct {
	client   bool
	deflate  bool
	takeover bool
	z        *flate.Writer
	out      bytes.Buffer
	packed   bytes.Buffer
	n        uint32
}

func (s *wsSide) frame(fin bool, rsv, opcode byte, p string) *wsSide {
	b0 := rsv<<4 | opcode
	if fin {
		b0 |= 0x80
	}
	mask := byte(0)
	if s.client {
		mask = 0x80
	}
	s.out.WriteByte(b0)
	switch n := len(p); {
	case n < 126:
		s.out.WriteByte(mask | byte(n))
	case n < 1<<16:
		s.out.WriteByte(mask | 126)
		s.out.Write(binary.BigEndian.AppendUint16(nil, uint16(n)))
	default:
		s.out.WriteByte(mask | 127)
		s.out.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	}
	if !s.client {
		s.out.WriteString(p)
		return s
	}
	s.n++
	key := binary.BigEndian.AppendUint32(nil, 0x9e3779b9*s.n)
	s.out.Write(key)
	for i := range len(p) {
		s.out.WriteByte(p[i] ^ key[i&3])
	}
	return s
}

// message sends p in frames of at most size bytes, a ping before each but the
// first.
func (s *wsSide) message(opcode byte, p string, size int) *wsSide {
	rsv := byte(0)
	if s.deflate {
		rsv = 4
		p = s.pack(p)
	}
	for first := true; first || len(p) > 0; first = false {
		n := min(size, len(p))
		if !first {
			s.frame(true, 0, 9, "ping")
			opcode, rsv = 0, 0
		}
		s.frame(n == len(p), rsv, opcode, p[:n])
		p = p[n:]
	}
	return s
}

func (s *wsSide) pack(p string) string {
	s.packed.Reset()
	if s.z == nil || !s.takeover {
		s.z, _ = flate.NewWriter(&s.packed, 6)
	}
	_, err := s.z.Write([]byte(p))
	must(err)
	must(s.z.Flush())
	return strings.TrimSuffix(s.packed.String(), "\x00\x00\xff\xff")
}

func (s *wsSide) take() string {
	out := s.out.String()
	s.out.Reset()
	return out
}

func wsTalk(extensions string) (k *talk, c, s *wsSide) {
	k = plainTalk().open().ask("GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	reply := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n"
	if extensions != "" {
		reply += "Sec-WebSocket-Extensions: " + extensions + "\r\n"
	}
	k.answer(reply + "\r\n")
	c, s = &wsSide{client: true}, &wsSide{}
	for _, x := range []*wsSide{c, s} {
		x.deflate = strings.Contains(extensions, "permessage-deflate")
	}
	c.takeover = !strings.Contains(extensions, "client_no")
	s.takeover = !strings.Contains(extensions, "server_no")
	return k, c, s
}

// spoken lists messages without their times.
func spoken(g ...got) (out []string) {
	for _, x := range g {
		for _, line := range strings.Split(strings.TrimSuffix(x.Messages, "\n"), "\n") {
			if _, rest, ok := strings.Cut(line, " "); ok {
				out = append(out, rest)
			}
		}
	}
	return out
}

func wantSpoken(t *testing.T, g []got, want ...string) {
	t.Helper()
	if have := spoken(g...); !slices.Equal(want, have) {
		t.Fatalf("\nwant %.3000q\nhave %.3000q", want, have)
	}
}

func sent(text bool, s string) string {
	return fmt.Sprintf("sent=true text=%v %d %q", text, len(s), s)
}

func received(text bool, s string) string {
	return fmt.Sprintf("sent=false text=%v %d %q", text, len(s), s)
}

func TestWebSocket(t *testing.T) {
	long := strings.Repeat("中文 long ", 9000)
	for _, ext := range []string{"", "permessage-deflate", "permessage-deflate; server_no_context_takeover; client_no_context_takeover", "x-other, permessage-deflate;client_no_context_takeover ; server_max_window_bits=10"} {
		k, c, s := wsTalk(ext)
		k.ask(c.message(1, "hello", 100).message(2, "\x00\x01", 100).take())
		k.answer(s.message(1, "hello back", 3).message(1, "", 10).take())
		k.ask(c.message(1, long, 5000).message(1, long, 1<<20).frame(true, 0, 9, "p").take())
		k.answer(s.frame(true, 0, 10, "p").message(1, "hello again, hello again", 1000).frame(true, 0, 8, "\x03\xe8").take())
		k.ask(c.frame(true, 0, 8, "\x03\xe8").take()).close()
		for _, mss := range []int{9000, 1448, 1} {
			if mss == 1 && len(k.out) > 5000 {
				continue
			}
			g, d := decode(t, Config{}, LinkRaw, resegment(k, mss))
			wantStatuses(t, g, "/ws 101")
			wantSpoken(t, g, sent(true, "hello"), sent(false, "\x00\x01"), received(true, "hello back"), received(true, ""),
				sent(true, long), sent(true, long), received(true, "hello again, hello again"))
			if st := d.Stats(); st.WSErrors+st.WSLost != 0 || st.WSMessages != 7 || st.WebSockets != 1 || len(d.Blind()) != 0 || g[0].Part != 0 {
				t.Fatalf("%q: %+v", ext, st)
			}
		}
	}
}

// TestMessagesInOneSegmentWithTheHandshake: a server may speak at once.
func TestMessagesInOneSegmentWithTheHandshake(t *testing.T) {
	k := plainTalk().open().ask("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n")
	k.answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n" + (&wsSide{}).message(1, "at once", 9).take()).close()
	g, _ := decode(t, Config{}, LinkRaw, k.out)
	wantSpoken(t, g, received(true, "at once"))
}

func TestWebSocketInHTTP2(t *testing.T) {
	k, c, s := h2Talk()
	wc, ws := &wsSide{client: true, deflate: true, takeover: true}, &wsSide{deflate: true, takeover: true}
	k.ask(c.headers(1, false, ":method: CONNECT", ":protocol: websocket", ":scheme: https", ":path: /chat?x=1", ":authority: h", "sec-websocket-extensions: permessage-deflate").take())
	k.answer(s.headers(1, false, ":status: 200", "sec-websocket-extensions: permessage-deflate").take())
	k.ask(c.data(1, false, wc.message(1, "one", 2).take()).get(3, "/between").take()).answer(s.ok(3, "x").data(1, false, ws.message(1, "two", 9).take()).take())
	k.ask(c.data(1, true, wc.message(1, "one", 9).frame(true, 0, 8, "").take()).take()).answer(s.data(1, true, ws.frame(true, 0, 8, "").take()).take()).close()
	for _, mss := range []int{9000, 1} {
		g, d := decode(t, Config{}, LinkRaw, resegment(k, mss))
		wantLines(t, g, `GET /between h.example 200 "" "x"`, `CONNECT /chat?x=1 h 200 "" ""`)
		wantSpoken(t, g, sent(true, "one"), received(true, "two"), sent(true, "one"))
		if !g[1].Secure || d.Stats().WebSockets != 1 {
			t.Fatalf("%+v", g[1])
		}
	}
}

func TestParts(t *testing.T) {
	t.Run("messages", func(t *testing.T) {
		k, c, _ := wsTalk("")
		for i := range 150 {
			c.message(1, fmt.Sprintf("m%d", i), 100)
		}
		k.ask(c.take()).close()
		g, d := decode(t, Config{}, LinkRaw, k.out)
		ids := map[string]bool{}
		for i, x := range g {
			ids[x.ID] = true
			if x.Part != uint32(i) || x.Target != "/ws" || x.Status != 101 {
				t.Fatalf("%+v", x)
			}
		}
		all := spoken(g...)
		if len(g) != 3 || len(ids) != 3 || len(spoken(g[0])) != partMessages || len(all) != 150 || all[149] != sent(true, "m149") || d.Stats().Begun != 3 {
			t.Fatalf("%d parts, %d ids, %d messages", len(g), len(ids), len(all))
		}
	})
	t.Run("bytes", func(t *testing.T) {
		k, c, _ := wsTalk("")
		for range 5 {
			c.message(2, strings.Repeat("b", 400_000), 1<<20)
		}
		k.send(0, c.take(), 9000).close()
		g, _ := decode(t, Config{}, LinkRaw, k.out)
		if len(g) != 2 || len(spoken(g[0])) != 3 || len(spoken(g[1])) != 2 {
			t.Fatalf("%d parts", len(g))
		}
	})
	t.Run("time", func(t *testing.T) {
		k, c, s := wsTalk("")
		for i := range 6 {
			k.ask(c.message(1, fmt.Sprintf("m%d", i), 100).take()).wait(4e9)
		}
		k.wait(30e9)
		k.answer(s.message(1, "late", 100).take()).close()
		g, _ := decode(t, Config{}, LinkRaw, k.out)
		var counts []int
		for _, x := range g {
			counts = append(counts, len(spoken(x)))
			if x.End-x.Start > partTime {
				t.Fatalf("a part of %v", time.Duration(x.End-x.Start))
			}
		}
		if fmt.Sprint(counts) != "[3 3 1]" {
			t.Fatalf("%v", counts)
		}
	})
	t.Run("given while nothing is said", func(t *testing.T) {
		k, c, _ := wsTalk("")
		k.ask(c.message(1, "hello", 9).take())
		other := newTalk("10.0.0.8:1", "10.0.0.1:80").open()
		var out []got
		d := New(Config{Emit: func(x *exchange.Exchange) error { out = append(out, copyOf(x)); return nil }})
		for _, f := range k.out {
			must(d.Packet(f.ts, LinkRaw, f.data, len(f.data)))
		}
		for i := range 30 {
			must(d.Packet(epoch+int64(i)*1e9, LinkRaw, other.out[2].data, len(other.out[2].data)))
			if i == 9 && len(out) != 0 || i == 14 && len(out) != 1 {
				t.Fatalf("%d parts after %d s", len(out), i)
			}
		}
		must(d.Flush())
		if len(out) != 1 || len(spoken(out...)) != 1 {
			t.Fatalf("%+v", out)
		}
	})
}

func TestWebSocketErrors(t *testing.T) {
	good := func(k *talk, c, s *wsSide) { k.ask(c.message(1, "before", 100).take()) }
	for name, bad := range map[string]func(k *talk, c, s *wsSide){
		"reserved opcode":        func(k *talk, c, s *wsSide) { k.answer(s.frame(true, 0, 3, "x").take()) },
		"reserved bit":           func(k *talk, c, s *wsSide) { k.answer(s.frame(true, 1, 1, "x").take()) },
		"not agreed to compress": func(k *talk, c, s *wsSide) { k.answer(s.frame(true, 4, 1, "x").take()) },
		"split control":          func(k *talk, c, s *wsSide) { k.answer(s.frame(false, 0, 9, "x").take()) },
		"long control":           func(k *talk, c, s *wsSide) { k.answer(s.frame(true, 0, 9, strings.Repeat("x", 126)).take()) },
		"nothing to continue":    func(k *talk, c, s *wsSide) { k.answer(s.frame(true, 0, 0, "x").take()) },
		"two at once":            func(k *talk, c, s *wsSide) { k.answer(s.frame(false, 0, 1, "x").frame(true, 0, 1, "y").take()) },
		"length not minimal":     func(k *talk, c, s *wsSide) { k.answer("\x81\x7e\x00\x01x") },
		"length beyond 63 bit":   func(k *talk, c, s *wsSide) { k.answer("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xffx") },
	} {
		t.Run(name, func(t *testing.T) {
			k, c, s := wsTalk("")
			good(k, c, s)
			bad(k, c, s)
			k.answer((&wsSide{}).message(1, "after", 9).take()).close()
			g, d := decode(t, Config{}, LinkRaw, k.out)
			if st := d.Stats(); st.WSErrors != 1 || len(g) != 1 || spoken(g...)[0] != sent(true, "before") || len(d.Blind()) != 1 || d.Blind()[0].Protocol != "websocket" {
				t.Fatalf("%+v %+v", g, st)
			}
		})
	}
}

// TestMasking: against the rules, and read as peers do that do not mind.
func TestMasking(t *testing.T) {
	k, c, s := wsTalk("")
	c.client, s.client = false, true
	k.ask(c.message(1, "bare", 2).message(1, "again", 9).take()).answer(s.message(1, "masked", 9).take()).close()
	for _, mss := range []int{9000, 1} {
		g, d := decode(t, Config{}, LinkRaw, resegment(k, mss))
		wantSpoken(t, g, sent(true, "bare"), sent(true, "again"), received(true, "masked"))
		if st := d.Stats(); st.WSMasking != 2 || st.WSErrors != 0 || len(d.Blind()) != 0 {
			t.Fatalf("%+v", st)
		}
	}
}

func TestWebSocketBombs(t *testing.T) {
	// A compressed message of 20 MiB and one that just goes on.
	k, c, _ := wsTalk("permessage-deflate")
	c.message(1, strings.Repeat("\x00", 20<<20), 1<<20).message(1, "after", 100)
	k.send(0, c.take(), 9000).close()
	g, d := decode(t, Config{}, LinkRaw, k.out)
	all := spoken(g...)
	if len(all) != 2 || !strings.HasPrefix(all[0], "sent=true text=true 168") || d.Stats().WSLost != 2 || d.Stats().BodiesCut != 0 {
		t.Fatalf("%.200q %+v", all, d.Stats())
	}
	k, c, _ = wsTalk("permessage-deflate; client_no_context_takeover")
	c.message(1, strings.Repeat("\x00", 20<<20), 1<<20).message(1, "after", 100)
	k.send(0, c.take(), 9000).close()
	g, _ = decode(t, Config{}, LinkRaw, k.out)
	if all = spoken(g...); len(all) != 2 || all[1] != sent(true, "after") {
		t.Fatalf("%.200q", all)
	}
	// 3 MiB that are kept to 1 MiB; what refers to their end is right.
	text := strings.Repeat("0123456789abcdef", 3<<16)
	k, c, _ = wsTalk("permessage-deflate")
	c.message(1, text+"the very end", 1<<20).message(1, "the very end", 100)
	k.send(0, c.take(), 9000).close()
	g, d = decode(t, Config{}, LinkRaw, k.out)
	all = spoken(g...)
	if len(all) != 2 || !strings.HasPrefix(all[0], fmt.Sprintf("sent=true text=true %d", len(text)+12)) || all[1] != sent(true, "the very end") || d.Stats().WSLost != 0 {
		t.Fatalf("%.200q", all)
	}
}

// TestLostInWebSocket: a hole costs the message it lies in, and where
// compression goes on from it those behind it; nothing wrong is shown.
func TestLostInWebSocket(t *testing.T) {
	for _, ext := range []string{"", "permessage-deflate", "permessage-deflate; client_no_context_takeover; server_no_context_takeover"} {
		k, c, s := wsTalk(ext)
		k.step = int64(50 * time.Millisecond)
		real := map[string]bool{}
		for i := range 12 {
			text := fmt.Sprintf("message %d: %s", i, strings.Repeat("text ", i*i*20))
			k.send(0, c.message(1, text, 500).take(), 700).send(1, s.message(2, "echo "+text, 5000).take(), 700)
			real[sent(true, text)], real[received(false, "echo "+text)] = true, true
		}
		k.close()
		for i := 7; i < len(k.out)-3; i++ {
			if len(k.out[i].data) == 40 {
				continue
			}
			frames := append(append([]frame(nil), k.out[:i]...), k.out[i+1:]...)
			g, d := decode(t, Config{}, LinkRaw, frames)
			whole := 0
			for _, m := range spoken(g...) {
				if real[m] {
					whole++
					continue
				}
				var dir, kind, size, text string
				if n, err := fmt.Sscanf(m, "%s %s %s %q", &dir, &kind, &size, &text); n != 4 || err != nil {
					t.Fatal(m, err)
				}
				found := text == ""
				for r := range real {
					found = found || strings.HasPrefix(r, dir+" "+kind) && strings.Contains(r, `"`+text)
				}
				if !found {
					t.Fatalf("%q without packet %d: %.300q was never sent", ext, i, m)
				}
			}
			if least := map[bool]int{true: 12, false: 14}[ext == "permessage-deflate"]; whole < least || d.Stats().WSLost == 0 {
				t.Errorf("%q without packet %d: %d whole messages, %d lost", ext, i, whole, d.Stats().WSLost)
			}
		}
	}
}

// TestSameMessages: duplicates, other segments and reordering change nothing.
func TestSameMessages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ext := rapid.SampledFrom([]string{"", "permessage-deflate", "permessage-deflate; client_no_context_takeover"}).Draw(t, "ext")
		k, c, s := wsTalk(ext)
		var want []string
		for range rapid.IntRange(1, 30).Draw(t, "messages") {
			p := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("ab中")), 100, 4000, -1)).Draw(t, "text")
			size := rapid.SampledFrom([]int{1 << 20, 125, 7}).Draw(t, "frame")
			text := rapid.Bool().Draw(t, "text")
			opcode := byte(2)
			if text {
				opcode = 1
			}
			if rapid.Bool().Draw(t, "sent") {
				k.ask(c.message(opcode, p, size).take())
				want = append(want, sent(text, p))
			} else {
				k.answer(s.message(opcode, p, size).take())
				want = append(want, received(text, p))
			}
		}
		k.close()
		frames := resegment(k, rapid.SampledFrom([]int{9000, 1448, 100, 11}).Draw(t, "mss"))
		g, _ := decode(t, Config{}, LinkRaw, frames)
		if have := spoken(g...); !slices.Equal(want, have) {
			t.Fatalf("want %q\nhave %q", want, have)
		}
		bent := bend(t, frames)
		again, _ := decode(t, Config{}, LinkRaw, bent)
		if have := spoken(again...); !slices.Equal(want, have) {
			t.Fatalf("bent: want %q\nhave %q", want, have)
		}
	})
}

// bend repeats and moves packets behind the handshake.
func bend(t *rapid.T, frames []frame) []frame {
	bent := slices.Clone(frames)
	const start = 3
	for range rapid.IntRange(0, 20).Draw(t, "duplicates") {
		i := rapid.IntRange(start, len(bent)-1).Draw(t, "which")
		bent = slices.Insert(bent, min(len(bent), i+rapid.IntRange(1, 8).Draw(t, "later")), bent[i])
	}
	for range rapid.IntRange(0, 20).Draw(t, "swaps") {
		i := rapid.IntRange(start, len(bent)-1).Draw(t, "i")
		j := min(len(bent)-1, i+rapid.IntRange(1, 6).Draw(t, "by"))
		bent[i], bent[j] = bent[j], bent[i]
	}
	return bent
}

// TestMessagesReader: the reader alone, as a proxy uses it.
func TestMessagesReader(t *testing.T) {
	s := &wsSide{client: true, deflate: true, takeover: true}
	stream := s.message(1, "one", 2).message(2, "two", 9).take()
	for cut := range len(stream) {
		m := Messages{Client: true}
		m.Agree([]byte("permessage-deflate"))
		var have []string
		for _, b := range [][]byte{[]byte(stream[:cut]), []byte(stream[cut:])} {
			for len(b) > 0 {
				rest, done, err := m.Next(b)
				if err != nil {
					t.Fatal(err)
				}
				if b = rest; done {
					have = append(have, fmt.Sprint(m.Text, string(m.Data), m.Size, m.Lost))
				}
			}
		}
		if fmt.Sprint(have) != "[true one 3 false false two 3 false]" && fmt.Sprint(have) != "[trueone3 false falsetwo3 false]" {
			t.Fatalf("cut at %d: %q", cut, have)
		}
	}
	m := Messages{}
	if _, done, err := m.Next([]byte("\x81\x81....O")); err != nil || !done || string(m.Data) != "a" || !m.Misuse {
		t.Fatalf("a server that masks: %q %v", m.Data, err)
	}
	if _, _, err := m.Next([]byte("\x83\x01x")); err == nil {
		t.Fatal("a frame of no known kind was accepted")
	}
}

func FuzzMessages(f *testing.F) {
	c, s := &wsSide{client: true, deflate: true, takeover: true}, &wsSide{}
	f.Add(c.message(1, "hello", 3).message(1, "hello", 9).take(), true, true, uint8(3), uint8(0))
	f.Add(s.message(1, "hello", 3).message(2, strings.Repeat("x", 300), 200).take(), false, false, uint8(7), uint8(4))
	f.Add("\xc1\x85....\x00\x00\x00", true, true, uint8(1), uint8(2))
	f.Fuzz(func(t *testing.T, stream string, client, deflate bool, step, hole uint8) {
		read := func(step int) (out []string, failed bool) {
			m := Messages{Client: client, Deflate: deflate, Takeover: deflate, Limit: 1 << 12}
			for b := []byte(stream); len(b) > 0; {
				n := min(step, len(b))
				p := bytes.Clone(b[:n])
				b = b[n:]
				for len(p) > 0 {
					rest, done, err := m.Next(p)
					if err != nil {
						return out, true
					}
					if p = rest; done {
						out = append(out, fmt.Sprintf("%v %q %d %v", m.Text, m.Data, m.Size, m.Lost))
						if len(m.Data) > 1<<12 || int64(len(m.Data)) > m.Size {
							t.Fatalf("%d bytes of %d kept", len(m.Data), m.Size)
						}
					}
				}
			}
			return out, false
		}
		a, fa := read(len(stream) + 1)
		b, fb := read(int(step) + 1)
		if fa != fb || !slices.Equal(a, b) {
			t.Fatalf("whole %q %v\nparts %q %v", a, fa, b, fb)
		}
		m := Messages{Client: client, Deflate: deflate, Limit: 1 << 12}
		m.Skip(int64(hole))
		if m.Resume([]byte(stream)) {
			for p := []byte(stream); len(p) > 0; {
				rest, _, err := m.Next(p)
				if err != nil {
					t.Fatalf("resumed where no frames are: %v", err)
				}
				p = rest
			}
		}
	})
}
