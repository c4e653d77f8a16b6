package attack

import (
	"math"
	"math/bits"
)

// A distinct counts different values: exactly up to 64, then by a HyperLogLog
// of 1 024 registers (3.3 % error). Storage comes from a pool with a budget;
// when it is spent a set stops growing at the size it has, which is counted,
// so its figure is a lower bound and never a reason to accuse.
type distinct struct {
	small []uint64 // first in room: most sets stay that small, and are one line of memory
	room  [4]uint64
	dense []uint8
	known float64 // what count gave of dense; 0: to be counted again
}

const (
	exactMax  = 64
	denseBits = 10
	denseSize = 1 << denseBits
)

// sizes of the exact stage; the first is within the set, the pool recycles the
// others.
var exactSizes = [...]int{len(distinct{}.room), 16, exactMax}

type pool struct {
	budget  int64 // bytes; 0 no limit
	used    int64
	Refused uint64
	heads   []*distinct
	exact   [len(exactSizes)][][]uint64
	dense   [][]uint8
}

// mix64 is a bijective finaliser: tokens are uniform already, small test
// values and handles are not.
func mix64(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// join hashes two words into one.
func join(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xd6e8feb86659fd93)
	return mix64(hi ^ lo ^ b)
}

// hashText is FNV-1a with a finaliser, enough for bounded tables of names.
func hashText(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix64(h)
}

func (p *pool) take(bytes int64) bool {
	if p.budget > 0 && p.used+bytes > p.budget {
		p.Refused++
		return false
	}
	p.used += bytes
	return true
}

// head gives an empty set.
func (p *pool) head() *distinct {
	if n := len(p.heads); n > 0 {
		d := p.heads[n-1]
		p.heads = p.heads[:n-1]
		return d
	}
	return &distinct{}
}

// release gives a set's storage back. nil is allowed.
func (p *pool) release(d *distinct) {
	if d == nil {
		return
	}
	p.drop(d)
	p.heads = append(p.heads, d)
}

func (p *pool) drop(d *distinct) {
	if c := cap(d.small); c > 0 {
		p.used -= int64(c) * 8
		for i, size := range exactSizes {
			if size == c && i > 0 {
				p.exact[i] = append(p.exact[i], d.small[:0])
			}
		}
		d.small = nil
	}
	if d.dense != nil {
		p.used -= denseSize
		clear(d.dense)
		p.dense = append(p.dense, d.dense)
		d.dense, d.known = nil, 0
	}
}

// add puts v into the set at *d, making it on first use, and reports whether
// the value was new (always false once dense).
func (p *pool) add(at **distinct, v uint64) bool {
	d := *at
	if d == nil {
		d = p.head()
		*at = d
	}
	if d.dense != nil {
		d.register(v)
		return false
	}
	for _, x := range d.small {
		if x == v {
			return false
		}
	}
	if len(d.small) < cap(d.small) {
		d.small = append(d.small, v)
		return true
	}
	return p.grow(d, v)
}

func (p *pool) grow(d *distinct, v uint64) bool {
	for i, size := range exactSizes {
		if size <= cap(d.small) {
			continue
		}
		if !p.take(int64(size) * 8) {
			return false
		}
		var next []uint64
		if i == 0 {
			d.small = append(d.room[:0:len(d.room)], v)
			return true
		}
		if n := len(p.exact[i]); n > 0 {
			next = p.exact[i][n-1]
			p.exact[i] = p.exact[i][:n-1]
		} else {
			next = make([]uint64, 0, size)
		}
		next = append(next, d.small...)
		p.drop(d)
		d.small = append(next, v)
		return true
	}
	if !p.densify(d) {
		return false
	}
	d.register(v)
	return false
}

func (p *pool) densify(d *distinct) bool {
	if !p.take(denseSize) {
		return false
	}
	var regs []uint8
	if n := len(p.dense); n > 0 {
		regs = p.dense[n-1]
		p.dense = p.dense[:n-1]
	} else {
		regs = make([]uint8, denseSize)
	}
	old := d.small
	for _, x := range old {
		rank(regs, x)
	}
	p.drop(d)
	d.dense = regs
	return true
}

// rank notes a value in the registers and reports whether that changed them.
func rank(regs []uint8, v uint64) bool {
	h := mix64(v)
	r := uint8(bits.LeadingZeros64(h<<denseBits|1<<(denseBits-1)) + 1)
	i := h >> (64 - denseBits)
	if regs[i] >= r {
		return false
	}
	regs[i] = r
	return true
}

func (d *distinct) register(v uint64) {
	if rank(d.dense, v) {
		d.known = 0
	}
}

// union folds src into the set at *at.
func (p *pool) union(at **distinct, src *distinct) {
	if src == nil || len(src.small) == 0 && src.dense == nil {
		return
	}
	if src.dense == nil {
		for _, v := range src.small {
			p.add(at, v)
		}
		return
	}
	if *at == nil {
		*at = p.head()
	}
	d := *at
	if d.dense == nil && !p.densify(d) {
		return
	}
	for i, r := range src.dense {
		d.dense[i] = max(d.dense[i], r)
	}
	d.known = 0
}

// has reports whether an exact set holds v; ok is false when it cannot tell.
func (d *distinct) has(v uint64) (in, ok bool) {
	if d == nil {
		return false, true
	}
	if d.dense != nil {
		return false, false
	}
	for _, x := range d.small {
		if x == v {
			return true, true
		}
	}
	return false, true
}

// several reports whether there are two values or more.
func (d *distinct) several() bool { return d != nil && (d.dense != nil || len(d.small) >= 2) }

// halves are the powers of a half: no register exceeds 64 - denseBits.
var halves = func() (h [64]float64) {
	for i := range h {
		h[i] = math.Ldexp(1, -i)
	}
	return h
}()

// count is the number of different values.
func (d *distinct) count() float64 {
	if d == nil {
		return 0
	}
	if d.dense == nil {
		return float64(len(d.small))
	}
	if d.known != 0 {
		return d.known
	}
	var sum float64
	zero := 0
	for _, r := range d.dense {
		sum += halves[r&63]
		if r == 0 {
			zero++
		}
	}
	const m = denseSize
	e := 0.7213 / (1 + 1.079/float64(m)) * m * m / sum
	if e <= 2.5*m && zero > 0 {
		e = m * math.Log(float64(m)/float64(zero))
	}
	d.known = math.Round(e)
	return d.known
}
