package filter

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// assemble turns labels into distances. A conditional jump reaches 255
// instructions; one that must go farther becomes three.
func (g *generator) assemble() ([]bpf.Instruction, error) {
	long := make([]bool, len(g.ops))
	at := make([]int, len(g.ops)+1)
	for {
		for i := range g.ops {
			size := 1
			if long[i] {
				size = 3
			}
			at[i+1] = at[i] + size
		}
		grown := false
		for i, o := range g.ops {
			if o.in != nil || o.jump || long[i] {
				continue
			}
			if at[g.places[o.yes]]-at[i]-1 > 255 || at[g.places[o.no]]-at[i]-1 > 255 {
				long[i], grown = true, true
			}
		}
		if !grown {
			break
		}
	}
	if n := at[len(g.ops)]; n > maxProgram {
		return nil, fmt.Errorf("the filter needs %d instructions, more than the %d that Linux takes", n, maxProgram)
	}
	out := make([]bpf.Instruction, 0, at[len(g.ops)])
	to := func(l label, from int) uint32 { return uint32(at[g.places[l]] - from - 1) }
	for i, o := range g.ops {
		switch {
		case o.in != nil:
			out = append(out, o.in)
		case o.jump:
			out = append(out, bpf.Jump{Skip: to(o.yes, at[i])})
		case long[i]:
			out = append(out, bpf.JumpIf{Cond: o.cond, Val: o.val, SkipTrue: 0, SkipFalse: 1},
				bpf.Jump{Skip: to(o.yes, at[i]+1)}, bpf.Jump{Skip: to(o.no, at[i]+2)})
		default:
			out = append(out, bpf.JumpIf{Cond: o.cond, Val: o.val, SkipTrue: uint8(to(o.yes, at[i])), SkipFalse: uint8(to(o.no, at[i]))})
		}
	}
	return out, nil
}
