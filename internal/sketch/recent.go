package sketch

// Recent is a bounded map with two generations: when the young one is full it
// becomes the old one, and the former old one is forgotten. A look-up of an
// old key makes it young again, so what is in use stays. It costs one or two
// map look-ups and, unlike an LRU list, no pointers and no order of its own.
type Recent[V any] struct {
	young, old map[uint64]V
	half       int
	evicted    uint64
}

// NewRecent makes a map for at most cap keys (at least 2).
func NewRecent[V any](cap int) *Recent[V] {
	half := max(cap/2, 1)
	return &Recent[V]{young: make(map[uint64]V), old: nil, half: half}
}

// Get returns the value of k and keeps k from being forgotten.
func (r *Recent[V]) Get(k uint64) (V, bool) {
	if v, ok := r.young[k]; ok {
		return v, true
	}
	v, ok := r.old[k]
	if ok {
		delete(r.old, k)
		r.insert(k, v)
	}
	return v, ok
}

// Peek is Get without the effect on age, for callers that must not write.
func (r *Recent[V]) Peek(k uint64) (V, bool) {
	if v, ok := r.young[k]; ok {
		return v, true
	}
	v, ok := r.old[k]
	return v, ok
}

// Put stores v under k.
func (r *Recent[V]) Put(k uint64, v V) {
	if _, ok := r.young[k]; ok {
		r.young[k] = v
		return
	}
	delete(r.old, k)
	r.insert(k, v)
}

func (r *Recent[V]) insert(k uint64, v V) {
	if len(r.young) >= r.half {
		r.evicted += uint64(len(r.old))
		spare := r.old
		r.old = r.young
		// The forgotten map's buckets are reused: no garbage per generation.
		clear(spare)
		if spare == nil {
			spare = make(map[uint64]V)
		}
		r.young = spare
	}
	r.young[k] = v
}

// Len is the number of keys held.
func (r *Recent[V]) Len() int { return len(r.young) + len(r.old) }

// Evicted is the number of keys forgotten so far.
func (r *Recent[V]) Evicted() uint64 { return r.evicted }
