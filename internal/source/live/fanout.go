package live

import "golang.org/x/net/bpf"

// Offsets of the kernel's filters that count from the network header, whatever
// stands in front of it.
const fromNetwork = 0xfff00000 // SKF_NET_OFF

// fanout is the program that divides connections among rings: its result,
// modulo the number of rings, is the ring. Both directions of a connection
// give the same. TCP goes by addresses and ports; all else, tunnels above all,
// goes by addresses alone, since the outer ports of a tunnel differ between
// the two directions of what is inside.
//
// The kernel's own hash is not symmetric for tunnels over UDP, and the rings
// need every packet of a connection.
func fanout(network uint32, protocol bpf.Instruction) []bpf.Instruction {
	at := func(off uint32, size int) bpf.Instruction { return bpf.LoadAbsolute{Off: network + off, Size: size} }
	const sum = 0 // scratch
	var prog []bpf.Instruction
	add := func(in ...bpf.Instruction) { prog = append(prog, in...) }
	mix := func() {
		add(bpf.LoadScratch{Dst: bpf.RegX, N: sum}, bpf.ALUOpX{Op: bpf.ALUOpXor}, bpf.StoreScratch{Src: bpf.RegA, N: sum})
	}
	add(bpf.LoadConstant{Dst: bpf.RegA}, bpf.StoreScratch{Src: bpf.RegA, N: sum}, protocol)

	v4 := len(prog)
	add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x0800}) // else to IPv6
	for _, off := range [...]uint32{12, 16} {
		add(at(off, 4))
		mix()
	}
	add(at(9, 1))
	tcp4 := len(prog)
	add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6}) // else to the end
	add(at(6, 2))
	frag := len(prog)
	add(bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff}) // then to the end
	for _, off := range [...]uint32{0, 2} {
		add(bpf.LoadMemShift{Off: network}, bpf.LoadIndirect{Off: network + off, Size: 2})
		mix()
	}
	over := len(prog)
	add(bpf.Jump{}) // to the end

	v6 := len(prog)
	add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x86dd}) // else to the end
	for off := uint32(8); off < 40; off += 4 {
		add(at(off, 4))
		mix()
	}
	add(at(6, 1))
	tcp6 := len(prog)
	add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6}) // else to the end
	for _, off := range [...]uint32{40, 42} {
		add(at(off, 2))
		mix()
	}

	end := len(prog)
	add(bpf.LoadScratch{Dst: bpf.RegA, N: sum}, bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: 0x9e3779b1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 16}, bpf.RetA{})

	skip := func(from, to int) uint8 { return uint8(to - from - 1) }
	prog[v4] = bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x0800, SkipFalse: skip(v4, v6)}
	prog[tcp4] = bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6, SkipFalse: skip(tcp4, end)}
	prog[frag] = bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: skip(frag, end)}
	prog[over] = bpf.Jump{Skip: uint32(end - over - 1)}
	prog[v6] = bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x86dd, SkipFalse: skip(v6, end)}
	prog[tcp6] = bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6, SkipFalse: skip(tcp6, end)}
	return prog
}
