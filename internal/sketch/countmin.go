package sketch

import "math/bits"

// A CountMin counts many keys in fixed space. A count is never too low; it is
// too high by about e·(all that was added)/width, less with conservative
// update, which this is.
type CountMin struct {
	cells []uint32 // countRows rows of width
	mask  uint64
	shift int
}

const countRows = 4

// NewCountMin gives a counter of at least that width, which is rounded up to a
// power of two.
func NewCountMin(width int) *CountMin {
	n := bits.Len(uint(max(width, 16) - 1))
	return &CountMin{cells: make([]uint32, countRows<<n), mask: 1<<n - 1, shift: n}
}

// places are where a key's counts stand, one a row.
func (c *CountMin) places(key uint64) (at [countRows]int) {
	h := Mix(key)
	step := Mix(h) | 1
	for r := range at {
		at[r] = r<<c.shift | int(h&c.mask)
		h += step
	}
	return at
}

// Add counts a key once more.
func (c *CountMin) Add(key uint64) {
	at := c.places(key)
	least := c.cells[at[0]]
	for _, i := range at[1:] {
		least = min(least, c.cells[i])
	}
	if least == 1<<32-1 {
		return
	}
	for _, i := range at {
		c.cells[i] = max(c.cells[i], least+1)
	}
}

// Count is how often a key was added, at most.
func (c *CountMin) Count(key uint64) uint64 {
	least := uint32(1<<32 - 1)
	for _, i := range c.places(key) {
		least = min(least, c.cells[i])
	}
	return uint64(least)
}

// Clone gives a copy that counts on by itself.
func (c *CountMin) Clone() *CountMin {
	o := *c
	o.cells = append([]uint32(nil), c.cells...)
	return &o
}
