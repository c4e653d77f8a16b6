package wire

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"xiezhi/internal/exchange"
)

// TestKeysComeLate: packets wait for the secrets of their connection, which
// may come while it goes on, after it has ended, in parts, or never.
func TestKeysComeLate(t *testing.T) {
	for _, s := range forgeSuites() {
		f, want := longTalk(s, 5, 0)
		log := f.log.String()
		for at := 0; at <= len(f.out)+1; at += 3 {
			for _, parts := range []int{1, 2} {
				k := NewKeys()
				now := 0
				k.Grow(func(bool) {
					// The first half comes sooner.
					lines := strings.SplitAfter(log, "\n")
					switch {
					case now >= at:
						k.AddLog([]byte(log))
					case parts == 2 && now >= at/2:
						k.AddLog([]byte(lines[0]))
					}
				})
				var g []got
				d := New(Config{Keys: k, Emit: func(x *exchange.Exchange) error { g = append(g, copyOf(x)); return nil }})
				for _, p := range f.out {
					if err := d.Packet(p.ts, LinkRaw, p.data, len(p.data)); err != nil {
						t.Fatal(err)
					}
					now++
				}
				for i := range 3 { // time goes on
					now++
					if err := d.Packet(f.ts+int64(i+1)*2e9, LinkRaw, newTalk("10.9.9.9:1", "10.9.9.8:2").open().out[0].data, 40); err != nil {
						t.Fatal(err)
					}
				}
				if err := d.Flush(); err != nil {
					t.Fatal(err)
				}
				if whole := honest(t, g, want); whole != 5 || d.parked != 0 || len(d.waiting) != 0 || d.stats.Dropped() != 0 {
					t.Fatalf("suite %04x, keys after %d packets in %d parts: %d exchanges; %+v", s.id, at, parts, whole, d.Stats())
				}
				for i, x := range g {
					if x.Target != fmt.Sprint("/", i) || x.Start >= f.ts || x.End >= f.ts {
						t.Fatalf("not its own time, or out of order: %+v", x)
					}
				}
			}
		}
	}
}

// TestKeysNeverCome: waiting is bounded in bytes and in time, and ends as not
// decrypted.
func TestKeysNeverCome(t *testing.T) {
	run := func(frames []frame) *Decoder {
		k := NewKeys()
		looked := 0
		k.Grow(func(bool) { looked++ })
		most := int64(0)
		d := New(Config{Keys: k})
		for _, p := range frames {
			if err := d.Packet(p.ts, LinkRaw, p.data, len(p.data)); err != nil {
				t.Fatal(err)
			}
			most = max(most, d.parked)
		}
		if err := d.Flush(); err != nil {
			t.Fatal(err)
		}
		if d.parked != 0 || len(d.waiting) != 0 || most > maxParkTotal || looked == 0 || d.stats.Dropped() != d.stats.dropped[dropEncrypted] {
			t.Fatalf("parked %d, waiting %d, at most %d: %+v", d.parked, len(d.waiting), most, d.Stats())
		}
		return d
	}
	f, _ := longTalk(&suites13[0], 3, 0)
	if d := run(f.out); d.stats.dropped[dropEncrypted] != 1 || d.stats.KeysLate != 0 {
		t.Errorf("%+v", d.Stats())
	}
	long := newForge(&suites13[0], "10.0.0.7:41000", "10.0.0.1:443").handshake()
	long.say(0, request("/1")).say(1, response(strings.Repeat("x", 2*maxPark)))
	if d := run(long.out); d.stats.KeysLate != 1 || d.stats.dropped[dropEncrypted] != 1 {
		t.Errorf("%+v", d.Stats())
	}
	slow := newForge(&suites13[0], "10.0.0.7:41000", "10.0.0.1:443").handshake()
	slow.wait(2 * int64(parkTime))
	slow.say(0, request("/1"))
	if d := run(slow.out); d.stats.KeysLate != 1 || d.stats.dropped[dropEncrypted] != 1 {
		t.Errorf("%+v", d.Stats())
	}
	var many []frame
	one := newForge(&suites13[0], "10.0.0.7:41000", "10.0.0.1:443")
	one.mss = 9000
	one.handshake().say(1, response(strings.Repeat("x", maxPark*3/4)))
	for i := range 350 {
		for _, p := range one.out {
			p.data = bytes.Clone(p.data)
			p.ts = epoch + int64(len(many))*int64(time.Microsecond)
			for _, at := range []int{12, 16} { // the client's address
				if p.data[at+3] == 7 {
					p.data[at+1], p.data[at+2] = byte(1+i/256), byte(i)
				}
			}
			many = append(many, p)
		}
	}
	if d := run(many); d.stats.dropped[dropEncrypted] != 350 || d.stats.KeysLate == 0 {
		t.Errorf("%+v", d.Stats())
	}
}
