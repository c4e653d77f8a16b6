package attack

// A slicePool recycles the storage of small lists that grow in a few sizes
// within a budget.
type slicePool[T any] struct {
	sizes        []int // at most 4; the largest is the cap of a list
	bytes        int64 // of one element
	budget, used int64
	refused      uint64
	free         [4][][]T
}

// push appends to a list and reports whether there was room; what found none
// is counted.
func (p *slicePool[T]) push(list []T, v T) ([]T, bool) {
	if len(list) == cap(list) {
		list = p.grow(list)
	}
	if len(list) == cap(list) {
		p.refused++
		return list, false
	}
	return append(list, v), true
}

func (p *slicePool[T]) grow(list []T) []T {
	for i, size := range p.sizes {
		if size <= cap(list) {
			continue
		}
		if p.used+int64(size)*p.bytes > p.budget {
			return list
		}
		p.used += int64(size) * p.bytes
		var next []T
		if n := len(p.free[i]); n > 0 {
			next, p.free[i] = p.free[i][n-1], p.free[i][:n-1]
		} else {
			next = make([]T, 0, size)
		}
		next = append(next, list...)
		p.release(list)
		return next
	}
	return list
}

// release takes a list's storage back; nil is allowed.
func (p *slicePool[T]) release(list []T) {
	for i, size := range p.sizes {
		if cap(list) == size {
			p.used -= int64(size) * p.bytes
			p.free[i] = append(p.free[i], list[:0])
		}
	}
}
