package defect

import "xiezhi/internal/catalog"

// Table is a map with a cap. At the cap the entry that was not used for
// longest, roughly, makes room (the clock algorithm, so that the choice is the
// same in every run) and is counted.
type Table[K comparable, V any] struct {
	Evicted uint64
	index   map[K]int32
	slots   []slot[K, V]
	free    []int32
	hand    int
	cap     int
}

type slot[K comparable, V any] struct {
	key  K
	val  *V
	used bool
}

// States is detector state per API.
type States[V any] struct{ Table[catalog.Handle, V] }

// NewStates returns a table for at most n APIs.
func NewStates[V any](n int) *States[V] {
	return &States[V]{*NewTable[catalog.Handle, V](n)}
}

// NewTable returns a table for at most n entries.
func NewTable[K comparable, V any](n int) *Table[K, V] {
	return &Table[K, V]{index: map[K]int32{}, cap: max(n, 1)}
}

// Len is the number of entries.
func (t *Table[K, V]) Len() int { return len(t.index) }

// Get gives an entry or nil. The pointer is good until the next Ensure.
func (t *Table[K, V]) Get(k K) *V {
	i, ok := t.index[k]
	if !ok {
		return nil
	}
	t.slots[i].used = true
	return t.slots[i].val
}

// Ensure gives an entry, new and zero if there was none.
func (t *Table[K, V]) Ensure(k K) *V {
	if v := t.Get(k); v != nil {
		return v
	}
	var i int32
	switch {
	case len(t.free) > 0:
		i = t.free[len(t.free)-1]
		t.free = t.free[:len(t.free)-1]
	case len(t.slots) < t.cap:
		i = int32(len(t.slots))
		t.slots = append(t.slots, slot[K, V]{})
	default:
		for t.slots[t.hand].used {
			t.slots[t.hand].used = false
			t.hand = (t.hand + 1) % len(t.slots)
		}
		i = int32(t.hand)
		t.hand = (t.hand + 1) % len(t.slots)
		delete(t.index, t.slots[i].key)
		t.Evicted++
	}
	v := new(V)
	t.slots[i] = slot[K, V]{key: k, val: v, used: true}
	t.index[k] = i
	return v
}

// Delete removes an entry and gives what it held, or nil.
func (t *Table[K, V]) Delete(k K) *V {
	i, ok := t.index[k]
	if !ok {
		return nil
	}
	v := t.slots[i].val
	delete(t.index, k)
	t.slots[i] = slot[K, V]{}
	t.free = append(t.free, i)
	return v
}

// Each visits every entry, in the order of their places: the same in every
// run. It must not add or delete.
func (t *Table[K, V]) Each(visit func(k K, v *V)) {
	for i := range t.slots {
		if t.slots[i].val != nil {
			visit(t.slots[i].key, t.slots[i].val)
		}
	}
}

// Move folds the entry of from into that of into.
func (t *Table[K, V]) Move(from, into K, fold func(dst, src *V)) {
	src := t.Delete(from)
	if src == nil {
		return
	}
	if t.Get(into) == nil {
		*t.Ensure(into) = *src
		return
	}
	fold(t.Get(into), src)
}
