// Package filter compiles capture filters, in the common part of tcpdump's
// language, to classic BPF.
//
// It takes an expression and the link type and gives instructions that return
// how many bytes of a packet to keep, 0 for none. Known are the primitives
// host, net, port and portrange with src and dst and with ip, ip6, arp, rarp,
// tcp, udp and sctp in front; these protocols by themselves, icmp and icmp6;
// vlan with or without a number; less and greater; and, or, not, parentheses
// and values that share the words before them ("port 80 or 443"). Invariant:
// on every packet the decision is that of tcpdump, to which the tests hold it.
// As there, "and" and "or" bind alike, from left to right, and a vlan moves
// what is behind it one tag deeper. Limits: addresses and ports are numbers,
// an expression has at most 4 KiB and 64 levels, a program 4 096 instructions.
package filter

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Link is how a packet begins.
type Link uint8

const (
	Ethernet Link = iota
	Raw           // with the IP header
)

// Options are what an expression alone does not say.
type Options struct {
	Link Link
	// Metadata: the first VLAN tag may stand in the packet's metadata instead
	// of its bytes, as where Linux runs filters.
	Metadata bool
	Snap     uint32 // bytes to keep of a packet that matches; 0 means all
}

const (
	maxExpression = 4 << 10
	maxDepth      = 64
	maxProgram    = 4096
)

// Error says what is wrong with an expression, and where.
type Error struct {
	At   int // 1-based character
	Near string
	What string
}

func (e *Error) Error() string {
	if e.Near == "" {
		return fmt.Sprintf("%s, at the end of the filter", e.What)
	}
	return fmt.Sprintf("%s, at %q (character %d)", e.What, e.Near, e.At)
}

// Compile gives the program of an expression. An empty one keeps everything.
func Compile(expression string, o Options) ([]bpf.Instruction, error) {
	if o.Snap == 0 {
		o.Snap = 1<<18 - 1
	}
	n, err := parse(expression)
	if err != nil {
		return nil, err
	}
	g := &generator{link: o.Link}
	yes, no := g.label(), g.label()
	switch {
	case n == nil:
		g.jump(yes)
	case o.Metadata && o.Link == Ethernet && n.tagged():
		outside, inside := g.label(), g.label()
		g.op(bpf.LoadExtension{Num: bpf.ExtVLANTagPresent})
		g.test(bpf.JumpEqual, 1, outside, inside)
		g.place(outside)
		g.shift, g.outside = 0, true
		g.node(n, yes, no)
		g.place(inside)
		g.shift, g.outside = 0, false
		g.node(n, yes, no)
	default:
		g.node(n, yes, no)
	}
	g.place(yes)
	g.op(bpf.RetConstant{Val: o.Snap})
	g.place(no)
	g.op(bpf.RetConstant{Val: 0})
	if g.err != nil {
		return nil, g.err
	}
	return g.assemble()
}
