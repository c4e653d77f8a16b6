package wire

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
)

// wrap applies f to every packet of one plain conversation.
func wrapped(k *talk, f func([]byte) []byte) []frame {
	var out []frame
	for _, p := range k.out {
		out = append(out, frame{ts: p.ts, data: f(p.data)})
	}
	return out
}

func put(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			b = binary.BigEndian.AppendUint16(b, uint16(p))
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

func ether(et int, p []byte) []byte { return put(make([]byte, 12), et, p) }

func udp(src, dst, sport, dport string, p []byte) []byte {
	port := func(s string) int { return int(netip.MustParseAddrPort("1.1.1.1:" + s).Port()) }
	return ipHeader(netip.MustParseAddr(src), netip.MustParseAddr(dst), protoUDP, put(port(sport), port(dport), 8+len(p), 0, p))
}

func TestEncapsulations(t *testing.T) {
	v4 := func() *talk { return plainTalk().open().ask(request("/in")).answer(response("out")).close() }
	v6 := func() *talk {
		return newTalk("[2001:db8::7]:41000", "[2001:db8::1]:80").open().ask(request("/in")).answer(response("out")).close()
	}
	outer := func(p []byte) []byte { return udp("192.0.2.1", "192.0.2.2", "33333", "4789", p) }
	for name, c := range map[string]struct {
		talk *talk
		link uint32
		f    func([]byte) []byte
	}{
		"raw IPv4":  {v4(), LinkRaw, func(b []byte) []byte { return b }},
		"raw IPv6":  {v6(), LinkIPv6, func(b []byte) []byte { return b }},
		"loopback":  {v4(), LinkNull, func(b []byte) []byte { return put([]byte{2, 0, 0, 0}, b) }},
		"loopback6": {v6(), LinkLoop, func(b []byte) []byte { return put([]byte{0, 0, 0, 30}, b) }},
		"Ethernet":  {v4(), LinkEthernet, func(b []byte) []byte { return ether(0x0800, b) }},
		"padding":   {v4(), LinkEthernet, func(b []byte) []byte { return ether(0x0800, put(b, make([]byte, 20))) }},
		"padding6":  {v6(), LinkEthernet, func(b []byte) []byte { return ether(0x86dd, put(b, make([]byte, 20))) }},
		"VLAN":      {v6(), LinkEthernet, func(b []byte) []byte { return ether(0x8100, put(5, 0x86dd, b)) }},
		"QinQ":      {v4(), LinkEthernet, func(b []byte) []byte { return ether(0x88a8, put(5, 0x9100, 6, 0x8100, 7, 0x0800, b)) }},
		"MPLS":      {v4(), LinkEthernet, func(b []byte) []byte { return ether(0x8847, put([]byte{0, 1, 0, 9, 0, 2, 1, 9}, b)) }},
		"MPLS pseudowire": {v4(), LinkEthernet, func(b []byte) []byte {
			return ether(0x8847, put([]byte{0, 2, 1, 9, 0, 0, 0, 0}, ether(0x0800, b)))
		}},
		"PPPoE": {v4(), LinkEthernet, func(b []byte) []byte { return ether(0x8864, put(0x1100, 1, len(b)+2, 0x0021, b)) }},
		"SNAP":  {v4(), LinkEthernet, func(b []byte) []byte { return ether(len(b)+8, put([]byte{0xaa, 0xaa, 3, 0, 0, 0}, 0x0800, b)) }},
		"SLL":   {v4(), LinkSLL, func(b []byte) []byte { return put(make([]byte, 14), 0x0800, b) }},
		"SLL2":  {v4(), LinkSLL2, func(b []byte) []byte { return put(0x0800, make([]byte, 18), b) }},
		"NFLOG": {v4(), LinkNFLOG, func(b []byte) []byte {
			n := len(b) + 4
			return put([]byte{2, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0, byte(n), byte(n >> 8), 9, 0}, b)
		}},
		"VXLAN": {v4(), LinkRaw, func(b []byte) []byte { return outer(put([]byte{8, 0, 0, 0, 0, 0, 9, 0}, ether(0x0800, b))) }},
		"VXLAN in VLAN": {v6(), LinkEthernet, func(b []byte) []byte {
			return ether(0x8100, put(1, 0x0800, outer(put([]byte{8, 0, 0, 0, 0, 0, 9, 0}, ether(0x8100, put(3, 0x86dd, b))))))
		}},
		"GENEVE": {v4(), LinkRaw, func(b []byte) []byte {
			return udp("192.0.2.1", "192.0.2.2", "33333", "6081", put([]byte{1, 0}, etherTrans, []byte{0, 0, 9, 0, 1, 2, 3, 4}, ether(0x0800, b)))
		}},
		"GRE": {v4(), LinkRaw, func(b []byte) []byte {
			return ipHeader(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), protoGRE, put(0x2000, 0x0800, []byte{1, 2, 3, 4}, b))
		}},
		"ERSPAN": {v4(), LinkRaw, func(b []byte) []byte {
			return ipHeader(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), protoGRE, put(0x1000, 0x88be, make([]byte, 12), ether(0x0800, b)))
		}},
		"IP in IP": {v6(), LinkRaw, func(b []byte) []byte {
			return ipHeader(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), protoIPv6, b)
		}},
		"IPv6 options": {v6(), LinkRaw, func(b []byte) []byte {
			p := put(b[:40], []byte{60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0}, b[40:])
			p[6] = 0
			binary.BigEndian.PutUint16(p[4:], uint16(len(p)-40))
			return p
		}},
		"IPv6 atomic fragment": {v6(), LinkRaw, func(b []byte) []byte {
			p := put(b[:40], []byte{6, 0, 0, 0, 0, 0, 0, 9}, b[40:])
			p[6] = 44
			binary.BigEndian.PutUint16(p[4:], uint16(len(p)-40))
			return p
		}},
		"offload": {v4(), LinkRaw, func(b []byte) []byte { return put(b[:2], 0, b[4:]) }},
	} {
		t.Run(name, func(t *testing.T) {
			g, d := decode(t, Config{}, c.link, wrapped(c.talk, c.f))
			if len(g) != 1 || g[0].Target != "/in" || g[0].Resp != "out" || g[0].Client != c.talk.addr[0].String() || g[0].Server != c.talk.addr[1].String() {
				t.Fatalf("%+v %+v", g, d.Stats())
			}
		})
	}
}

// cut splits an IPv4 packet into fragments of size bytes of payload.
func cut(b []byte, id uint16, size int) (out [][]byte) {
	p := b[20:]
	for off := 0; off < len(p); off += size {
		n := min(size, len(p)-off)
		f := put(b[:20], p[off:off+n])
		binary.BigEndian.PutUint16(f[2:], uint16(20+n))
		binary.BigEndian.PutUint16(f[4:], id)
		v := uint16(off / 8)
		if off+n < len(p) {
			v |= 0x2000
		}
		binary.BigEndian.PutUint16(f[6:], v)
		out = append(out, f)
	}
	return out
}

func TestFragments(t *testing.T) {
	k := plainTalk().open().ask(request("/in")).answer(response("some more text than one fragment holds")).close()
	for name, bend := range map[string]func([][]byte) [][]byte{
		"in order": func(f [][]byte) [][]byte { return f },
		"reversed": func(f [][]byte) [][]byte { slices.Reverse(f); return f },
		"twice": func(f [][]byte) [][]byte {
			return append(f[:len(f)-1:len(f)-1], append(slices.Clone(f[:len(f)-1]), f[len(f)-1])...)
		},
		"rewritten": func(f [][]byte) [][]byte {
			if len(f) < 3 {
				return f
			}
			evil := put(f[0][:20], make([]byte, 16))
			binary.BigEndian.PutUint16(evil[2:], 36)
			return slices.Insert(f, 2, evil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var frames []frame
			for i, p := range k.out {
				for _, f := range bend(cut(p.data, uint16(i), 16)) {
					frames = append(frames, frame{ts: p.ts, data: f})
				}
			}
			g, d := decode(t, Config{}, LinkRaw, frames)
			if len(g) != 1 || g[0].Target != "/in" || g[0].RespCut != 0 || d.Stats().Fragments == 0 {
				t.Fatalf("%+v %+v", g, d.Stats())
			}
		})
	}

	// A flood of first fragments stays within the table.
	var frames []frame
	for i := range 3 * maxFragments {
		frames = append(frames, frame{ts: epoch, data: cut(k.out[3].data, uint16(i), 16)[0]})
	}
	_, d := decode(t, Config{}, LinkRaw, frames)
	if s := d.Stats(); s.FragLost != 3*maxFragments || len(d.frags.live) != 0 {
		t.Fatalf("%+v", s)
	}
}

func TestNestingIsBounded(t *testing.T) {
	b := plainTalk().open().out[0].data
	for range 100 {
		b = ipHeader(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), protoIPIP, b)
	}
	_, d := decode(t, Config{}, LinkRaw, []frame{{ts: epoch, data: b}})
	if s := d.Stats(); s.Malformed != 1 || s.Flows != 0 {
		t.Fatalf("%+v", s)
	}
}
