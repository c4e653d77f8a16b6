package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// longTalk is a session of n rounds with bodies of all sizes.
func longTalk(s *suite, n, pad int) (*forge, map[string]string) {
	f := newForge(s, "10.0.0.7:41000", "10.0.0.1:443")
	f.max, f.pad = 4000, pad
	f.handshake()
	want := map[string]string{}
	for i := range n {
		path := fmt.Sprint("/", i)
		body := strings.Repeat(fmt.Sprintf("%s,", path), i*i*40%9000+1)
		want[path] = body
		f.say(0, request(path)).say(1, response(body))
	}
	return f.bye(), want
}

// honest fails when an exchange shows what was never sent.
func honest(t testing.TB, g []got, want map[string]string) (whole int) {
	t.Helper()
	seen := map[string]bool{}
	for _, x := range g {
		body, ok := want[x.Target]
		if !ok || x.Method != "GET" || seen[x.Target] {
			t.Fatalf("never asked, or twice: %+v", x)
		}
		seen[x.Target] = true
		switch {
		case x.Status == 200 && x.RespCut == 0 && x.Resp == body:
			whole++
		case x.Status == 200 && x.RespCut != 0 && strings.HasPrefix(body, x.Resp):
		case x.Status == 0:
		default:
			t.Fatalf("%s was answered %d, %d bytes cut, with %.60q…", x.Target, x.Status, x.RespCut, x.Resp)
		}
	}
	return whole
}

// TestOnePacketLost: behind any one missing packet reading goes on, and only
// what the packet held is missing.
func TestOnePacketLost(t *testing.T) {
	const rounds = 9
	for _, s := range forgeSuites() {
		for _, pad := range []int{0, 13} {
			if pad > 0 && s != forgeSuites()[0] {
				continue
			}
			f, want := longTalk(s, rounds, pad)
			worst, at := rounds, 0
			for i := 9; i < len(f.out); i++ { // behind the handshake
				g, d := decode(t, Config{Keys: f.keys()}, LinkRaw, slices.Delete(slices.Clone(f.out), i, i+1))
				whole := honest(t, g, want)
				if whole < worst {
					worst, at = whole, i
				}
				if d.Stats().GivenUp > 0 && i < len(f.out)-12 {
					t.Fatalf("suite %04x: given up without packet %d of %d", s.id, i, len(f.out))
				}
			}
			if worst < rounds-2 {
				t.Errorf("suite %04x, padding %d: %d of %d exchanges whole without packet %d", s.id, pad, worst, rounds, at)
			}
		}
	}
}

// TestHandshakePacketLost: the connection is read as far as it can be, or
// counted as one that could not.
func TestHandshakePacketLost(t *testing.T) {
	const rounds = 6
	for _, s := range forgeSuites() {
		f, want := longTalk(s, rounds, 0)
		var whole []int
		for i := 3; i < 14; i++ {
			g, d := decode(t, Config{Keys: f.keys()}, LinkRaw, slices.Delete(slices.Clone(f.out), i, i+1))
			whole = append(whole, honest(t, g, want))
			if len(g) == 0 && d.stats.Dropped() == 0 {
				t.Fatalf("suite %04x: lost without a trace: %+v", s.id, d.Stats())
			}
		}
		t.Logf("suite %04x: whole exchanges without packet 3, 4, …: %v", s.id, whole)
	}
}

// TestSnappedTLS: packets that were all cut short leave nothing to open, and
// nothing is made up.
func TestSnappedTLS(t *testing.T) {
	f, want := longTalk(&suites13[0], 8, 0)
	frames := slices.Clone(f.out)
	for i := range frames {
		frames[i].wire = len(frames[i].data)
		frames[i].data = frames[i].data[:min(96, len(frames[i].data))]
	}
	g, d := decode(t, Config{Keys: f.keys()}, LinkRaw, frames)
	honest(t, g, want)
	if d.stats.Dropped() == 0 {
		t.Fatalf("%+v", d.Stats())
	}
}

// FuzzTLSLoss: packets are thrown away, repeated, moved, cut and changed as
// the script says; nothing may be invented. Where the answer to one request and
// the next request are both lost, the answer to the latter can stand with the
// former: that limit is known, so here an answer need only be one that was sent.
func FuzzTLSLoss(f *testing.F) {
	f.Add(uint8(0), []byte{0x10, 0x85, 0x22, 0x47})
	f.Add(uint8(1), []byte{0xff, 0xc1, 0x33, 0x61, 0x91})
	f.Add(uint8(3), []byte{0x05, 0x05, 0x05, 0xe3, 0x12, 0x77})
	f.Fuzz(func(t *testing.T, which uint8, script []byte) {
		s := forgeSuites()[int(which)%6]
		k, want := longTalk(s, 7, int(which>>4))
		frames := slices.Clone(k.out)
		for i, c := range script[:min(len(script), 60)] {
			at := 3 + (i*7+int(c))%max(1, len(frames)-3)
			if at >= len(frames) {
				continue
			}
			switch c >> 5 {
			case 0, 1:
				frames = slices.Delete(frames, at, at+1)
			case 2, 3:
				frames = slices.Insert(frames, min(len(frames), at+int(c&31)), frames[at])
			case 4, 5:
				to := min(len(frames)-1, at+int(c&31))
				frames[at], frames[to] = frames[to], frames[at]
			case 6:
				frames[at].wire = max(frames[at].wire, len(frames[at].data))
				frames[at].data = frames[at].data[:max(0, len(frames[at].data)-int(c&31)*20)]
			case 7: // one bit of the payload
				b := slices.Clone(frames[at].data)
				if len(b) > 41 {
					b[40+int(c&31)*13%(len(b)-40)] ^= 1 << (c & 7)
				}
				frames[at].data = b
			}
			if len(frames) < 4 {
				return
			}
		}
		g, _ := decode(t, Config{Keys: k.keys()}, LinkRaw, frames)
		sent := map[string]bool{}
		for _, body := range want {
			sent[body] = true
		}
		for i := range g {
			if x := &g[i]; x.Status == 200 && x.RespCut == 0 && sent[x.Resp] {
				x.Resp = want[x.Target]
			}
			for path := range want {
				if x := &g[i]; x.Status == 200 && x.RespCut != 0 && strings.HasPrefix(want[path], x.Resp) {
					x.Resp = ""
				}
			}
		}
		honest(t, g, want)
	})
}

// FuzzTLSFlow: any bytes behind a ClientHello whose secrets are known.
func FuzzTLSFlow(f *testing.F) {
	k := newForge(&suites13[0], "10.0.0.7:41000", "10.0.0.1:443")
	k.held = true
	k.write(0, record(recordHandshake, k.hello(true)))
	k.afterHello(false)
	k.say(0, request("/1")).say(1, response("x"))
	f.Add([]byte(k.raw[0].String()), []byte(k.raw[1].String()), uint8(100), uint8(0))
	f.Add([]byte(k.raw[0].String()), []byte(k.raw[1].String()), uint8(9), uint8(3))
	keys := k.keys()
	f.Fuzz(func(t *testing.T, ask, answer []byte, mss, lost uint8) {
		if len(ask)+len(answer) > 1<<14 {
			return
		}
		c := newTalk("10.0.0.7:41000", "10.0.0.1:443").open().send(0, string(ask), int(mss)*8+1).send(1, string(answer), int(mss)*8+1).close()
		frames := c.out
		if at := 4 + int(lost); lost > 0 && at < len(frames) {
			frames = slices.Delete(slices.Clone(frames), at, at+1)
		}
		g, _ := decode(t, Config{Keys: keys}, LinkRaw, frames)
		for _, x := range g {
			// Nobody without the keys can say anything under TLS.
			if x.Secure && (x.Method != "GET" || x.Target != "/1" || x.Status == 200 && x.RespCut == 0 && x.Resp != "x") {
				t.Fatalf("made up: %+v", x)
			}
		}
	})
}
