package filter

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/net/bpf"
)

// label is a place in the program, known once it is placed.
type label int

// op is an instruction, a conditional jump with two labels, or a jump.
type op struct {
	in      bpf.Instruction // of neither jump
	cond    bpf.JumpTest
	val     uint32
	yes, no label
	jump    bool // to yes, unconditionally
}

type generator struct {
	link    Link
	shift   uint32 // bytes of VLAN tags passed
	outside bool   // the next vlan is told by the metadata
	ops     []op
	places  []int // op index by label
	err     error
}

const (
	etherTypeIPv4 = 0x0800
	etherTypeARP  = 0x0806
	etherTypeRARP = 0x8035
	etherTypeIPv6 = 0x86dd

	protoICMP     = 1
	protoTCP      = 6
	protoUDP      = 17
	protoFragment = 44
	protoICMP6    = 58
	protoSCTP     = 132
)

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

func (g *generator) label() label {
	g.places = append(g.places, -1)
	return label(len(g.places) - 1)
}

func (g *generator) place(l label)             { g.places[l] = len(g.ops) }
func (g *generator) op(in bpf.Instruction)     { g.ops = append(g.ops, op{in: in}) }
func (g *generator) jump(to label)             { g.ops = append(g.ops, op{jump: true, yes: to}) }
func (g *generator) load(off uint32, n int)    { g.op(bpf.LoadAbsolute{Off: off, Size: n}) }
func (g *generator) inner() uint32             { return g.start() + g.shift }
func (g *generator) network(off uint32) uint32 { return g.inner() + off }

func (g *generator) start() uint32 {
	if g.link == Raw {
		return 0
	}
	return 14
}

func (g *generator) test(c bpf.JumpTest, v uint32, yes, no label) {
	g.ops = append(g.ops, op{cond: c, val: v, yes: yes, no: no})
}

// either leads to yes when one of the tests holds.
func (g *generator) either(yes, no label, tests ...func(yes, no label)) {
	for i, t := range tests {
		next := no
		if i < len(tests)-1 {
			next = g.label()
		}
		t(yes, next)
		if next != no {
			g.place(next)
		}
	}
}

// both leads to yes when all of the tests hold.
func (g *generator) both(yes, no label, tests ...func(yes, no label)) {
	for i, t := range tests {
		next := yes
		if i < len(tests)-1 {
			next = g.label()
		}
		t(next, no)
		if next != yes {
			g.place(next)
		}
	}
}

func (g *generator) node(n *node, yes, no label) {
	switch n.kind {
	case isAnd:
		g.both(yes, no, func(y, f label) { g.node(n.a, y, f) }, func(y, f label) { g.node(n.b, y, f) })
	case isOr:
		g.either(yes, no, func(y, f label) { g.node(n.a, y, f) }, func(y, f label) { g.node(n.b, y, f) })
	case isNot:
		g.node(n.a, no, yes)
	case isProto:
		g.protocol(n.q.proto, yes, no)
	case isHost:
		g.host(n, yes, no)
	case isPort:
		g.port(n, yes, no)
	case isVLAN:
		g.vlan(n, yes, no)
	case isLongEnough, isShortEnough:
		g.op(bpf.LoadExtension{Num: bpf.ExtLen})
		if n.kind == isLongEnough {
			g.test(bpf.JumpGreaterOrEqual, n.from, yes, no)
		} else {
			g.test(bpf.JumpLessOrEqual, n.from, yes, no)
		}
	}
}

// ether tests the EtherType; without one, the version of IP.
func (g *generator) ether(v uint32, yes, no label) {
	if g.link == Raw {
		version := uint32(0)
		switch v {
		case etherTypeIPv4:
			version = 0x40
		case etherTypeIPv6:
			version = 0x60
		default:
			g.jump(no)
			return
		}
		g.load(0, 1)
		g.op(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0})
		g.test(bpf.JumpEqual, version, yes, no)
		return
	}
	g.load(12+g.shift, 2)
	g.test(bpf.JumpEqual, v, yes, no)
}

func (g *generator) is(v uint32) func(yes, no label) {
	return func(yes, no label) { g.ether(v, yes, no) }
}

// field tests a field of the network header.
func (g *generator) field(off uint32, size int, v uint32) func(yes, no label) {
	return func(yes, no label) {
		g.load(g.network(off), size)
		g.test(bpf.JumpEqual, v, yes, no)
	}
}

func (g *generator) protocol(p string, yes, no label) {
	switch p {
	case "ip":
		g.is(etherTypeIPv4)(yes, no)
	case "ip6":
		g.is(etherTypeIPv6)(yes, no)
	case "arp":
		g.is(etherTypeARP)(yes, no)
	case "rarp":
		g.is(etherTypeRARP)(yes, no)
	case "icmp":
		g.both(yes, no, g.is(etherTypeIPv4), g.field(9, 1, protoICMP))
	case "icmp6":
		g.both(yes, no, g.is(etherTypeIPv6), g.next(protoICMP6))
	default:
		v := transports[p]
		g.either(yes, no,
			func(y, f label) { g.both(y, f, g.is(etherTypeIPv6), g.next(v)) },
			func(y, f label) { g.both(y, f, g.is(etherTypeIPv4), g.field(9, 1, v)) })
	}
}

var transports = map[string]uint32{"tcp": protoTCP, "udp": protoUDP, "sctp": protoSCTP}

// next tests the header behind IPv6's, or behind a fragment header there.
func (g *generator) next(v uint32) func(yes, no label) {
	return func(yes, no label) {
		g.either(yes, no, g.field(6, 1, v), func(y, f label) { g.both(y, f, g.field(6, 1, protoFragment), g.field(40, 1, v)) })
	}
}

// direction combines the tests of source and destination.
func (g *generator) direction(dir string, yes, no label, src, dst func(yes, no label)) {
	switch dir {
	case "src":
		src(yes, no)
	case "dst":
		dst(yes, no)
	case "both":
		g.both(yes, no, src, dst)
	default:
		g.either(yes, no, src, dst)
	}
}

func (g *generator) host(n *node, yes, no label) {
	if n.addr.Addr().Is6() {
		g.both(yes, no, g.is(etherTypeIPv6), func(y, f label) {
			g.direction(n.q.dir, y, f, g.words(8, n.addr), g.words(24, n.addr))
		})
		return
	}
	in := func(et, src, dst uint32) func(yes, no label) {
		return func(yes, no label) {
			g.both(yes, no, g.is(et), func(y, f label) {
				g.direction(n.q.dir, y, f, g.words(src, n.addr), g.words(dst, n.addr))
			})
		}
	}
	ip, arp, rarp := in(etherTypeIPv4, 12, 16), in(etherTypeARP, 14, 24), in(etherTypeRARP, 14, 24)
	switch n.q.proto {
	case "ip":
		ip(yes, no)
	case "arp":
		arp(yes, no)
	case "rarp":
		rarp(yes, no)
	default:
		g.either(yes, no, ip, arp, rarp)
	}
}

// words compares an address, word by word.
func (g *generator) words(off uint32, p netip.Prefix) func(yes, no label) {
	return func(yes, no label) {
		b, bits := p.Addr().AsSlice(), p.Bits()
		var tests []func(yes, no label)
		for i := 0; i < len(b) && bits > 0; i, bits = i+4, bits-32 {
			mask := ^uint32(0)
			if bits < 32 {
				mask <<= 32 - bits
			}
			want := be32(b[i:])
			tests = append(tests, func(yes, no label) {
				g.load(g.network(off+uint32(i)), 4)
				if mask != ^uint32(0) {
					g.op(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
				}
				g.test(bpf.JumpEqual, want, yes, no)
			})
		}
		if len(tests) == 0 {
			g.load(g.network(off), 4) // every address, of packets that are long enough
			g.jump(yes)
			return
		}
		g.both(yes, no, tests...)
	}
}

func (g *generator) port(n *node, yes, no label) {
	protocols := []uint32{protoSCTP, protoTCP, protoUDP}
	if v, ok := transports[n.q.proto]; ok {
		protocols = []uint32{v}
	}
	transport := func(off uint32) func(yes, no label) {
		return func(yes, no label) {
			var tests []func(yes, no label)
			for _, v := range protocols {
				tests = append(tests, g.field(off, 1, v))
			}
			g.either(yes, no, tests...)
		}
	}
	in := func(load func()) func(yes, no label) {
		return func(yes, no label) {
			load()
			if n.from == n.to {
				g.test(bpf.JumpEqual, n.from, yes, no)
				return
			}
			up := g.label()
			g.test(bpf.JumpGreaterOrEqual, n.from, up, no)
			g.place(up)
			g.test(bpf.JumpLessOrEqual, n.to, yes, no)
		}
	}
	fixed := func(off uint32) func(yes, no label) {
		return in(func() { g.load(g.network(off), 2) })
	}
	behind := func(off uint32) func(yes, no label) {
		return in(func() {
			g.op(bpf.LoadMemShift{Off: g.network(0)})
			g.op(bpf.LoadIndirect{Off: g.network(off), Size: 2})
		})
	}
	g.either(yes, no,
		func(y, f label) {
			g.both(y, f, g.is(etherTypeIPv6), transport(6), func(y, f label) {
				g.direction(n.q.dir, y, f, fixed(40), fixed(42))
			})
		},
		func(y, f label) {
			g.both(y, f, g.is(etherTypeIPv4), transport(9), func(y, f label) {
				g.load(g.network(6), 2)
				g.test(bpf.JumpBitsSet, 0x1fff, f, y) // only the first fragment has ports
			}, func(y, f label) {
				g.direction(n.q.dir, y, f, behind(0), behind(2))
			})
		})
}

func (g *generator) vlan(n *node, yes, no label) {
	if g.link != Ethernet {
		if g.err == nil {
			g.err = &Error{n.at.at + 1, n.at.text, "this interface has no VLAN tags"}
		}
		return
	}
	if g.outside {
		// The metadata said so already; what follows is where it would be
		// without a tag.
		g.outside = false
		if n.any {
			g.jump(yes)
			return
		}
		g.op(bpf.LoadExtension{Num: bpf.ExtVLANTag})
		g.op(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xfff})
		g.test(bpf.JumpEqual, n.from, yes, no)
		return
	}
	tag := func(yes, no label) {
		g.either(yes, no, g.is(0x8100), g.is(0x88a8), g.is(0x9100))
	}
	if n.any {
		tag(yes, no)
	} else {
		g.both(yes, no, tag, func(y, f label) {
			g.load(14+g.shift, 2)
			g.op(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xfff})
			g.test(bpf.JumpEqual, n.from, y, f)
		})
	}
	g.shift += 4
}
