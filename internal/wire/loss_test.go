package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
)

func response(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func request(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }

func statuses(g []got) (s []string) {
	for _, x := range g {
		s = append(s, fmt.Sprintf("%s %d", x.Target, x.Status))
	}
	return s
}

func wantStatuses(t *testing.T, g []got, want ...string) {
	t.Helper()
	if have := statuses(g); fmt.Sprint(have) != fmt.Sprint(want) {
		t.Fatalf("want %q, have %q", want, have)
	}
}

// drop removes the data segment of side from that holds text.
func (k *talk) drop(text string) *talk {
	for i, f := range k.out {
		if strings.Contains(string(f.data), text) {
			k.out = append(k.out[:i], k.out[i+1:]...)
			return k
		}
	}
	panic("no segment holds " + text)
}

func TestLostInBody(t *testing.T) {
	body := strings.Repeat("a", 1400) + strings.Repeat("LOST", 300) + strings.Repeat("b", 3000)
	k := plainTalk().open().ask(request("/1")).send(1, response(body), 1200).ask(request("/2")).answer(response("ok")).close()
	k.drop("LOSTLOST")
	g, d := decode(t, Config{}, LinkRaw, k.out)
	wantStatuses(t, g, "/1 200", "/2 200")
	x := g[0]
	if x.RespSize != int64(len(body)) || x.RespCut == 0 || int64(len(x.Resp))+x.RespCut != x.RespSize || !strings.HasPrefix(body, x.Resp) {
		t.Fatalf("size %d cut %d kept %d", x.RespSize, x.RespCut, len(x.Resp))
	}
	if g[1].Resp != "ok" || d.Stats().Gaps != 1 || d.Stats().BodiesCut != 1 {
		t.Fatalf("%+v", d.Stats())
	}
}

func TestLostHeads(t *testing.T) {
	three := func() *talk {
		k := plainTalk().open()
		for i := 1; i <= 3; i++ {
			k.ask(request(fmt.Sprintf("/%d", i))).answer(response(fmt.Sprintf("answer%d", i)))
			k.wait(int64(2 * time.Second))
		}
		return k.close()
	}
	t.Run("response", func(t *testing.T) {
		g, _ := decode(t, Config{}, LinkRaw, three().drop("answer2").out)
		wantStatuses(t, g, "/1 200", "/2 0", "/3 200")
		if g[2].Resp != "answer3" {
			t.Fatalf("wrong pair: %+v", g[2])
		}
	})
	t.Run("request", func(t *testing.T) {
		g, d := decode(t, Config{}, LinkRaw, three().drop("GET /2").out)
		wantStatuses(t, g, "/1 200", "/3 200")
		if s := d.Stats(); g[1].Resp != "answer3" || s.Orphans != 1 || s.dropped[dropGap] != 1 {
			t.Fatalf("%+v", s)
		}
	})
	t.Run("both", func(t *testing.T) {
		g, _ := decode(t, Config{}, LinkRaw, three().drop("GET /2").drop("answer2").out)
		wantStatuses(t, g, "/1 200", "/3 200")
	})
	t.Run("pipelined", func(t *testing.T) {
		k := plainTalk().open().ask(request("/1") + request("/2") + request("/3"))
		k.answer(response("answer1")).answer(response("answer2")).answer(response("answer3")).close()
		g, _ := decode(t, Config{}, LinkRaw, k.drop("answer2").out)
		for _, x := range g {
			if x.Status != 0 && x.Resp != "answer"+x.Target[1:] {
				t.Fatalf("wrong pair: %+v", x)
			}
		}
		if len(g) != 3 {
			t.Fatalf("%+v", g)
		}
	})
	t.Run("half a response head", func(t *testing.T) {
		k := plainTalk().open().ask(request("/1")).send(1, response("answer1"), 10).wait(int64(2 * time.Second))
		k.ask(request("/2")).answer(response("answer2")).close().drop("tent-Lengt")
		g, _ := decode(t, Config{}, LinkRaw, k.out)
		wantStatuses(t, g, "/1 0", "/2 200")
	})
	t.Run("last FIN", func(t *testing.T) {
		k := plainTalk().open().ask(request("/1")).answer("HTTP/1.0 200 OK\r\n\r\nbody")
		k.packet(1, flagACK|flagFIN, nil)
		k.lose(1)
		k.packet(0, flagACK, nil)
		k.wait(int64(2*time.Second)).packet(0, flagACK|flagFIN, nil)
		x, _ := single(t, k)
		if x.Resp != "body" || x.RespCut != 0 || x.RespSize != 4 {
			t.Fatalf("%+v", x)
		}
	})
}

func TestSnappedPackets(t *testing.T) {
	k := plainTalk().open().ask(request("/1")).answer(response(strings.Repeat("x", 1000))).ask(request("/2")).answer(response("ok")).close()
	for i, f := range k.out {
		if len(f.data) > 200 {
			k.out[i].wire, k.out[i].data = len(f.data), f.data[:200]
		}
	}
	g, d := decode(t, Config{}, LinkRaw, k.out)
	wantStatuses(t, g, "/1 200", "/2 200")
	if x := g[0]; x.RespSize != 1000 || x.RespCut != 1000-int64(len(x.Resp)) || x.RespCut == 0 || d.Stats().Snapped != 1 {
		t.Fatalf("%+v %+v", x, d.Stats())
	}
}

func TestOneSided(t *testing.T) {
	side := func(from byte) []frame {
		k := plainTalk().open()
		for i := range 40 {
			k.ask(request(fmt.Sprintf("/%d", i))).answer(response("ok"))
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
	if s := d.Stats(); len(g) != 40 || s.OneSided != 40 || s.Silent != 40 {
		t.Fatalf("%d exchanges, %+v", len(g), s)
	}
	if g[0].Caps&exchange.CapResponse != 0 || g[0].Caps&exchange.CapRequestBody == 0 {
		t.Fatalf("caps %x", g[0].Caps)
	}
	g, d = decode(t, Config{}, LinkRaw, side(1))
	if s := d.Stats(); len(g) != 0 || s.Orphans != 40 {
		t.Fatalf("%d exchanges, %+v", len(g), s)
	}
}

func TestMidStream(t *testing.T) {
	k := plainTalk().open().ask(request("/1")).send(1, response(strings.Repeat("x", 3000)), 1000)
	k.ask(request("/2")).answer(response("two")).ask(request("/3")).answer(response("three")).close()
	for from := 1; from < 9; from++ {
		g, d := decode(t, Config{}, LinkRaw, k.out[from:])
		if len(g) < 2 || g[len(g)-1].Resp != "three" || g[len(g)-2].Resp != "two" || g[0].Client != "10.0.0.7:41000" {
			t.Fatalf("from packet %d: %+v %+v", from, statuses(g), d.Stats())
		}
	}
}

func TestPortReuse(t *testing.T) {
	k := plainTalk().open().ask(request("/1")).answer(response("one"))
	// The first connection just stops; the tuple is used again.
	k.seq = [2]uint32{77777, 88888}
	k.wait(1e9).open().ask(request("/2")).answer(response("two")).close()
	k.seq = [2]uint32{99, 4_000_000_000}
	k.wait(1e9).open().ask(request("/3")).answer(response("three")).close()
	g, d := decode(t, Config{}, LinkRaw, k.out)
	wantStatuses(t, g, "/1 200", "/2 200", "/3 200")
	if d.Stats().Flows != 3 {
		t.Fatalf("%+v", d.Stats())
	}
}

func TestReset(t *testing.T) {
	k := plainTalk().open().ask(request("/1")).answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
	k.packet(0, flagRST|flagACK, nil)
	k.packet(1, flagACK, []byte(" too late"))
	x, _ := single(t, k)
	if x.Resp != "half" || x.RespSize != 100 || x.RespCut != 96 {
		t.Fatalf("%+v", x)
	}
}

func TestFirstArrivedWins(t *testing.T) {
	k := plainTalk().open()
	s := request("/first")
	k.packet(0, flagACK, []byte(s[:9]))
	k.seq[0] -= 5
	k.packet(0, flagACK, []byte("XXXXX"+s[9:20])) // overlaps, tries to rewrite
	k.packet(0, flagACK, []byte(s[20:]))
	at := k.seq[0]
	k.seq[0] = at - uint32(len(s)) + 3
	k.packet(0, flagACK, []byte("rewritten"))
	k.seq[0] = at
	k.answer(response("ok")).close()
	x, d := single(t, k)
	if x.Target != "/first" || d.Stats().Duplicates != 1 {
		t.Fatalf("%+v %+v", x, d.Stats())
	}
}

func TestOutOfOrderBounds(t *testing.T) {
	// A hole that nobody acknowledges, and a sender that goes on.
	k := plainTalk().open()
	k.seq[0] += 100
	for range 3000 {
		k.packet(0, flagACK, []byte(strings.Repeat("x", 1000)))
	}
	cfg := Config{MaxAhead: 64 << 10}
	peak := int64(0)
	d := New(cfg)
	for _, f := range k.out {
		if err := d.Packet(f.ts, LinkRaw, f.data, len(f.data)); err != nil {
			t.Fatal(err)
		}
		peak = max(peak, d.ahead)
	}
	if peak > 70<<10 {
		t.Fatalf("%d bytes held", peak)
	}
	if d.Stats().Gaps == 0 {
		t.Fatal("no gap counted")
	}
}

func TestFlowBounds(t *testing.T) {
	var frames []frame
	for i := range 400 {
		k := newTalk(fmt.Sprintf("10.1.%d.%d:5000", i/250, i%250+1), "10.0.0.1:80").open().ask(request(fmt.Sprintf("/%d", i)))
		for _, f := range k.out {
			f.ts = epoch + int64(len(frames))*1000
			frames = append(frames, f)
		}
	}
	g, d := decode(t, Config{MaxFlows: 100}, LinkRaw, frames)
	if s := d.Stats(); len(g) != 400 || s.Evicted != 300 {
		t.Fatalf("%d exchanges, %+v", len(g), s)
	}

	// Connection attempts alone do not push out those that talk.
	k := plainTalk().open().ask(request("/1"))
	for i := range 5000 {
		s := newTalk(fmt.Sprintf("10.2.%d.%d:5000", i/250, i%250+1), "10.0.0.1:80")
		s.packet(0, flagSYN, nil)
		k.out = append(k.out, frame{ts: k.ts, data: s.out[0].data})
	}
	k.answer(response("ok")).close()
	g, d = decode(t, Config{MaxFlows: 100}, LinkRaw, k.out)
	wantStatuses(t, g, "/1 200")
	if s := d.Stats(); s.Evicted != 0 || s.HalfOpen == 0 {
		t.Fatalf("%+v", s)
	}
}

func TestMemoryBound(t *testing.T) {
	d := New(Config{MaxKept: 1 << 20})
	peak, done := int64(0), plainTalk().open().ask(request("/1")).answer(response("1")).close().out
	feed := func(frames []frame, shift int64) {
		for _, f := range frames {
			if err := d.Packet(f.ts+shift, LinkRaw, f.data, len(f.data)); err != nil {
				t.Fatal(err)
			}
			peak = max(peak, d.kept)
		}
	}
	feed(done, 0) // a closed flow must not be taken for memory to free
	for i := range 500 {
		k := newTalk(fmt.Sprintf("10.1.%d.%d:5000", i/250, i%250+1), "10.0.0.1:80").open()
		if i%2 == 0 {
			k.ask("GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 20000)) // heads that never end
		} else {
			k.ask("POST / HTTP/1.1\r\nContent-Length: 900000\r\n\r\n" + strings.Repeat("x", 20000))
		}
		feed(k.out, int64(i+1)*1e6)
	}
	if s := d.Stats(); peak > 1<<20+100<<10 || s.Evicted == 0 {
		t.Fatalf("%d bytes kept, %+v", peak, s)
	}
}

func TestIdleAndClock(t *testing.T) {
	k := plainTalk().open().ask(request("/1")).answer(response("one"))
	k.out = append(k.out, frame{ts: k.ts + int64(24*365*time.Hour), data: k.out[2].data}) // one mad clock
	k.ask(request("/2")).answer(response("two"))
	other := newTalk("10.0.0.8:41000", "10.0.0.1:80")
	other.ts = k.ts + int64(3*time.Minute)
	k.out = append(k.out, other.open().ask(request("/other")).wait(int64(3*time.Minute)).ask("\r\n").out...)
	k.wait(int64(10 * time.Minute)).ask(request("/3")).answer(response("three"))
	k.wait(int64(-time.Minute)).ask(request("/4")).answer(response("four")).close()
	g, d := decode(t, Config{}, LinkRaw, k.out)
	wantStatuses(t, g, "/1 200", "/2 200", "/other 0", "/3 200", "/4 200")
	if s := d.Stats(); s.Idle != 1 || s.ClockJumps != 2 || s.Flows != 3 {
		t.Fatalf("%+v", s)
	}
}

func TestSinkErrorIsFinal(t *testing.T) {
	stop := errors.New("stop")
	n := 0
	d := New(Config{Emit: func(*exchange.Exchange) error { n++; return stop }})
	var err error
	for _, f := range plainTalk().open().ask(request("/1")).answer(response("1")).ask(request("/2")).answer(response("2")).close().out {
		if err = d.Packet(f.ts, LinkRaw, f.data, len(f.data)); err != nil {
			break
		}
	}
	if !errors.Is(err, stop) || !errors.Is(d.Flush(), stop) || n != 1 {
		t.Fatalf("error %v after %d", err, n)
	}
}
