package form

import (
	"container/heap"
	"sync"
)

// Table holds forms by key. It is shared by all observers of a run, which ask
// it only about what they have not met themselves.
type Table struct {
	mu    sync.Mutex
	limit int
	bytes int
	forms map[uint64]*packed
	keys  keyHeap             // of all forms, the highest on top
	cut   uint64              // keys from here on have no room; 0: all have
	lost  map[uint64]struct{} // keys turned away, to count them once
	over  uint64

	relayed bool    // what is offered is kept in fresh
	fresh   []Offer // since Fresh was called last
}

// maxLost is how many keys that were turned away are told apart.
const maxLost = 1 << 16

// DefaultBytes is what a table may hold unless it is told otherwise.
const DefaultBytes = 768 << 20

// NewTable makes a table of at most limit bytes; 0 means DefaultBytes.
func NewTable(limit int) *Table {
	if limit <= 0 {
		limit = DefaultBytes
	}
	return &Table{limit: limit, forms: map[uint64]*packed{}, lost: map[uint64]struct{}{}}
}

// Get gives the form of a key, nil when there is none. Observers must not be at
// work.
func (t *Table) Get(key uint64) *Form {
	if t == nil {
		return nil
	}
	f := t.forms[key]
	if f == nil {
		return nil
	}
	return f.unpack()
}

// Len is the number of forms.
func (t *Table) Len() int { return len(t.forms) }

// Over is how many forms had no room, to maxLost exactly.
func (t *Table) Over() uint64 {
	if t == nil {
		return 0
	}
	return t.over
}

// Offer puts a form into the table unless its key is known, and a sample of it,
// if there is one. build gives the form when it is needed. The answer is the
// rank from which on samples of this key are of no interest.
func (t *Table) Offer(key uint64, build func() *Form, s *Sample) (above uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.forms[key]
	if f == nil {
		if t.cut != 0 && key >= t.cut {
			t.refuse(key)
			return 0
		}
		made := build()
		f = pack(made)
		t.relay(Offer{key, made, s})
		t.forms[key] = f
		t.bytes += f.cost()
		heap.Push(&t.keys, key)
	} else if s != nil {
		t.relay(Offer{key, nil, s})
	}
	if s != nil {
		before := f.cost()
		f.add(s)
		t.bytes += f.cost() - before
	}
	for t.bytes > t.limit && len(t.keys) > 0 {
		t.cut = heap.Pop(&t.keys).(uint64)
		t.bytes -= t.forms[t.cut].cost()
		delete(t.forms, t.cut)
		t.refuse(t.cut)
	}
	if t.cut != 0 && key >= t.cut {
		return 0
	}
	return f.above()
}

func (t *Table) refuse(key uint64) {
	if _, ok := t.lost[key]; ok {
		return
	}
	if len(t.lost) < maxLost {
		t.lost[key] = struct{}{}
		t.over++
	}
}

// keyHeap is a heap of keys, the highest on top.
type keyHeap []uint64

func (h keyHeap) Len() int           { return len(h) }
func (h keyHeap) Less(i, j int) bool { return h[i] > h[j] }
func (h keyHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *keyHeap) Push(x any)        { *h = append(*h, x.(uint64)) }
func (h *keyHeap) Pop() any {
	old := *h
	k := old[len(old)-1]
	*h = old[:len(old)-1]
	return k
}
