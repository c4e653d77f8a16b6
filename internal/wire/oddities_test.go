package wire

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// genTalks draws connections and gives their packets, mixed, with sequence
// numbers of their own.
func genTalks(t *rapid.T) []frame {
	var talks []*talk
	for i := range rapid.IntRange(1, 3).Draw(t, "connections") {
		d := genDialogue(t, i)
		k := newTalk(d.client, "10.9.0.1:8080")
		k.seq = [2]uint32{rapid.Uint32().Draw(t, "isn"), rapid.Uint32().Draw(t, "isn")}
		k.open()
		for _, turn := range d.turns {
			k.send(turn.from, turn.text, 536)
		}
		talks = append(talks, k.close())
	}
	return mix(talks, t)
}

func overEthernet(b []byte, tags ...int) []byte {
	out := make([]byte, 12)
	for _, v := range tags {
		out = put(out, 0x8100, v)
	}
	return put(out, 0x0800, b)
}

func overVXLAN(b []byte) []byte {
	return ether(0x0800, udp("192.0.2.1", "192.0.2.2", "33333", "4789", put([]byte{8, 0, 0, 0, 0, 0, 9, 0}, ether(0x0800, b))))
}

// TestSeenTwice: a packet that is mirrored at two places arrives in two
// wrappings, the second sooner or later; nothing is counted twice.
func TestSeenTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frames := genTalks(t)
		var plain, both []frame
		delay := rapid.SampledFrom([]int64{0, 500, 20_000, 3_000_000, 2_000_000_000, 1 << 40}).Draw(t, "delay")
		delay = min(delay, int64(10*time.Second))
		segments := uint64(0)
		for _, f := range frames {
			plain = append(plain, frame{ts: f.ts, data: overEthernet(f.data)})
			both = append(both, frame{ts: f.ts, data: overEthernet(f.data, 5)})
			second := overVXLAN(f.data)
			if rapid.Bool().Draw(t, "wrapping") {
				second = overEthernet(f.data, 6)
			}
			both = append(both, frame{ts: f.ts + delay, data: second})
			if len(f.data) > 41 { // one byte may be a probe of a live connection
				segments++
			}
		}
		slices.SortStableFunc(both, func(a, b frame) int { return cmp.Compare(a.ts, b.ts) })
		want, _ := decode(t, Config{}, LinkEthernet, plain)
		have, d := decode(t, Config{}, LinkEthernet, both)
		if !slices.Equal(sorted(want), sorted(have)) {
			t.Fatalf("delay %d: want %d exchanges %+v\nhave %d %+v", delay, len(want), want, len(have), have)
		}
		if n := d.Stats().Duplicates; n < segments {
			t.Fatalf("%d packets told as seen twice, %d were", n, segments)
		}
	})
}

// timeless is an exchange without what depends on the clock.
func timeless(list []got) []string {
	var out []string
	for _, g := range list {
		out = append(out, fmt.Sprintf("%s %s %d %s %d %d", g.Client, brief(g), g.Proto, g.ReqHead, g.ReqCut, g.RespCut))
	}
	slices.Sort(out)
	return out
}

// TestClockJumps: the capturing clock is set forth or back in the middle, or
// goes mad for single packets; the exchanges are the same but for their times.
func TestClockJumps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frames := genTalks(t)
		bent := slices.Clone(frames)
		back := uint64(0)
		for range rapid.IntRange(1, 4).Draw(t, "jumps") {
			at := rapid.IntRange(1, len(bent)-1).Draw(t, "at")
			by := rapid.SampledFrom([]time.Duration{time.Hour, -time.Hour, 40 * time.Second, -40 * time.Second, 6 * time.Minute, 8760 * time.Hour, -8760 * time.Hour}).Draw(t, "by")
			end := len(bent)
			if rapid.IntRange(0, 2).Draw(t, "mad") == 0 {
				end = at + 1
			}
			for i := at; i < end; i++ {
				bent[i].ts += int64(by)
			}
		}
		for i := 1; i < len(bent); i++ {
			if bent[i].ts < bent[i-1].ts-int64(time.Second) {
				back++
			}
		}
		want, _ := decode(t, Config{}, LinkRaw, frames)
		have, d := decode(t, Config{}, LinkRaw, bent)
		if !slices.Equal(timeless(want), timeless(have)) {
			t.Fatalf("want %q\nhave %q", timeless(want), timeless(have))
		}
		if d.Stats().ClockJumps != back {
			t.Fatalf("%d jumps back told, %d were", d.Stats().ClockJumps, back)
		}
		for _, g := range have {
			if g.End < g.Start {
				t.Fatalf("an exchange that ends before it starts: %+v", g)
			}
		}
	})
}

// TestDeliveredOutOfOrder: load balancers deliver mirrored packets in any order
// within some milliseconds, handshakes included.
func TestDeliveredOutOfOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frames := genTalks(t)
		within := rapid.SampledFrom([]int64{2, 5, 20, 100, 400}).Draw(t, "within") * 1000
		bent := make([]frame, len(frames))
		for i, f := range frames {
			late := rapid.Int64Range(0, within).Draw(t, "late")
			if f.data[33]&flagFIN != 0 {
				late = within // with nothing else seen, a FIN is the rest of an older connection
			}
			bent[i] = frame{ts: f.ts + late, data: f.data}
		}
		slices.SortStableFunc(bent, func(a, b frame) int { return cmp.Compare(a.ts, b.ts) })
		want, _ := decode(t, Config{}, LinkRaw, frames)
		have, _ := decode(t, Config{}, LinkRaw, bent)
		if !slices.Equal(timeless(want), timeless(have)) {
			t.Fatalf("within %d\nwant %q\nhave %q\n%s", within, timeless(want), timeless(have), listing(bent))
		}
	})
}

// TestOneDirectionFirst: all packets of one direction before those of the other.
func TestOneDirectionFirst(t *testing.T) {
	for _, first := range []int{0, 1} {
		k := plainTalk().open()
		for i := range 12 {
			k.ask(request(fmt.Sprintf("/%d", i))).answer(response(strings.Repeat("x", 3000)))
		}
		k.close()
		var bent []frame
		for _, dir := range []int{first, 1 - first} {
			for _, f := range k.out {
				if from := btoi(binary.BigEndian.Uint16(f.data[20:]) == k.addr[1].Port()); from == dir {
					f.ts = epoch + int64(len(bent))*1000
					bent = append(bent, f)
				}
			}
		}
		have, d := decode(t, Config{}, LinkRaw, bent)
		if len(have) != 12 {
			t.Fatalf("side %d first: %d exchanges, %+v", first, len(have), d.Stats())
		}
		for i, g := range have {
			if g.Target != fmt.Sprintf("/%d", i) || g.Status != 200 || g.RespCut != 0 {
				t.Fatalf("side %d first: %+v", first, g)
			}
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// listing is a short form of packets, for failures.
func listing(frames []frame) string {
	var b strings.Builder
	for _, f := range frames {
		fmt.Fprintf(&b, "%d->%d seq %d ack %d flags %d len %d\n", binary.BigEndian.Uint16(f.data[20:]), binary.BigEndian.Uint16(f.data[22:]),
			binary.BigEndian.Uint32(f.data[24:]), binary.BigEndian.Uint32(f.data[28:]), f.data[33], len(f.data)-40)
	}
	return b.String()
}
