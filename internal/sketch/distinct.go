package sketch

import (
	"math"
	"math/bits"
	"slices"
)

const (
	exactMax  = 64 // items kept as themselves
	precision = 10 // 1 024 one-byte registers: standard error 3.25 %
	registers = 1 << precision
)

// Distinct counts distinct 64-bit values: exactly up to 64, then with a
// HyperLogLog whose estimate is kept up to date, so Count is O(1). The zero
// value is ready. Values are mixed before use, so they need not be uniform.
type Distinct struct {
	exact []uint64 // sorted mixed values while regs is nil
	regs  *[registers]uint8
	sum   float64 // Σ 2^-register
	zero  int     // registers still 0
}

// Add records v and reports whether it changed the state (certainly new in the
// exact range, probably new beyond).
func (d *Distinct) Add(v uint64) bool { return d.add(Mix(v)) }

func (d *Distinct) add(h uint64) bool {
	if d.regs != nil {
		return d.register(h)
	}
	i, found := slices.BinarySearch(d.exact, h)
	if found {
		return false
	}
	if len(d.exact) == exactMax {
		d.promote()
		return d.register(h)
	}
	d.exact = slices.Insert(d.exact, i, h)
	return true
}

func (d *Distinct) promote() {
	d.regs = new([registers]uint8)
	d.sum, d.zero = registers, registers
	for _, h := range d.exact {
		d.register(h)
	}
	d.exact = nil
}

func (d *Distinct) register(h uint64) bool {
	i := h >> (64 - precision)
	// The set bit bounds the rank when all remaining bits are zero.
	rank := uint8(bits.LeadingZeros64(h<<precision|1<<(precision-1))) + 1
	return d.raise(int(i), rank)
}

func (d *Distinct) raise(i int, rank uint8) bool {
	old := d.regs[i]
	if rank <= old {
		return false
	}
	d.regs[i] = rank
	d.sum += math.Ldexp(1, -int(rank)) - math.Ldexp(1, -int(old))
	if old == 0 {
		d.zero--
	}
	return true
}

// Count gives the number of distinct values, an estimate beyond 64.
func (d *Distinct) Count() uint64 {
	if d.regs == nil {
		return uint64(len(d.exact))
	}
	const m = float64(registers)
	alpha := 0.7213 / (1 + 1.079/m)
	e := alpha * m * m / d.sum
	if e <= 2.5*m && d.zero > 0 {
		e = m * math.Log(m/float64(d.zero)) // linear counting, better when sparse
	}
	return max(uint64(e+0.5), exactMax)
}

// Merge adds everything that other has seen.
func (d *Distinct) Merge(other *Distinct) {
	if other.regs == nil {
		for _, h := range other.exact {
			d.add(h)
		}
		return
	}
	if d.regs == nil {
		d.promote()
	}
	for i, r := range other.regs {
		d.raise(i, r)
	}
}
