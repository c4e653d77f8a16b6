package attack

import "math/bits"

// habit is how much people read at an API: learned, like usual, from askers
// that nothing was found against, when they are forgotten. It stands in for
// peers where hardly anybody reads on the same day.
type habit struct {
	n    uint32
	upTo [12]uint32 // cells by the objects they read: 1, 2, 4, …
}

const (
	habitLeast = 20 // askers before it says anything
	habitMost  = 1 << 12
)

func (h *habit) learn(c *cell) {
	objects := uint(c.sets[setObjects].count())
	if c.accused || objects == 0 {
		return
	}
	h.n++
	h.upTo[min(bits.Len(objects-1), len(h.upTo)-1)]++
	if h.n >= habitMost {
		h.n = 0
		for i := range h.upTo {
			h.upTo[i] /= 2
			h.n += h.upTo[i]
		}
	}
}

func (h *habit) fold(o *habit) {
	h.n += o.n
	for i := range h.upTo {
		h.upTo[i] += o.upTo[i]
	}
}

// high is what 95 of 100 do not exceed.
func (h *habit) high() float64 {
	var sum uint32
	for i, n := range h.upTo {
		if sum += n; sum*100 >= h.n*95 {
			return float64(uint(1) << i)
		}
	}
	return float64(uint(1) << (len(h.upTo) - 1))
}

// exceeds gives how many times more objects a scope's askers read than others
// do, today or, where fewer than five are about, before; false when neither is
// known.
func (s *scene) exceeds(sc *scope, asked float64, p *peers) (times float64, known bool) {
	if p.count >= 5 {
		return asked / max(p.objects, 1), true
	}
	if h := &s.e.apis[s.cell(sc.members[0]).api].habit; h.n >= habitLeast {
		return asked / float64(len(sc.members)) / max(h.high(), p.objects), true
	}
	return 0, false
}
