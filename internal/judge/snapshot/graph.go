package snapshot

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// stretch is memory that something points to: n values of one type.
type stretch struct {
	ptr  unsafe.Pointer
	plan *plan
	n    int
	root int32 // index of the root that it is, -1 none
}

func (s *stretch) start() uintptr { return uintptr(s.ptr) }
func (s *stretch) end() uintptr   { return uintptr(s.ptr) + uintptr(s.n)*s.plan.size }

// graph is all that can be reached from the roots. Go does not move what is on
// the heap, so that addresses stand while it is looked at.
type graph struct {
	c      *Codec
	seen   map[uintptr]int32 // the longest stretch that begins here
	found  []stretch
	maps   map[unsafe.Pointer]int
	tables []table
	open   []int32 // of found, not gone through yet
	mapped int     // of tables, gone through
	blocks []stretch
	err    error
}

// table is a map.
type table struct {
	ptr  unsafe.Pointer
	plan *plan
}

func (c *Codec) explore(roots []any) (*graph, error) {
	g := &graph{c: c, seen: map[uintptr]int32{}, maps: map[unsafe.Pointer]int{}}
	for i, r := range roots {
		p, pl, err := c.root(r)
		if err != nil {
			return nil, err
		}
		g.add(p, pl, 1, int32(i))
	}
	for g.err == nil && (len(g.open) > 0 || g.mapped < len(g.tables)) {
		if k := len(g.open); k > 0 {
			s := g.found[g.open[k-1]]
			g.open = g.open[:k-1]
			g.values(s.plan, s.ptr, s.n)
			continue
		}
		t := g.tables[g.mapped]
		g.mapped++
		eachEntry(t, func(k, v unsafe.Pointer) {
			g.values(t.plan.key, k, 1)
			g.values(t.plan.elem, v, 1)
		})
	}
	if g.err == nil {
		g.err = g.join()
	}
	return g, g.err
}

func (t table) len() int {
	at := t.ptr
	return reflect.NewAt(t.plan.typ, unsafe.Pointer(&at)).Elem().Len()
}

// eachEntry gives copies of a map's keys and values, in no order.
func eachEntry(t table, f func(k, v unsafe.Pointer)) {
	at := t.ptr
	m := reflect.NewAt(t.plan.typ, unsafe.Pointer(&at)).Elem()
	k, v := reflect.New(t.plan.typ.Key()).Elem(), reflect.New(t.plan.typ.Elem()).Elem()
	for it := m.MapRange(); it.Next(); {
		k.SetIterKey(it)
		v.SetIterValue(it)
		f(k.Addr().UnsafePointer(), v.Addr().UnsafePointer())
	}
}

// add notes that n values of a plan lie at p.
func (g *graph) add(p unsafe.Pointer, pl *plan, n int, root int32) {
	if pl.size == 0 || n == 0 {
		return
	}
	s := stretch{ptr: p, plan: pl, n: n, root: root}
	at, ok := g.seen[s.start()]
	switch {
	case !ok:
		at = int32(len(g.found))
		g.seen[s.start()] = at
		g.found = append(g.found, s)
	case g.found[at].end() >= s.end():
		return
	case g.found[at].root >= 0:
		g.err = fmt.Errorf("root %s is a part of %d × %s", g.found[at].plan.typ, n, pl.typ)
		return
	default:
		g.found[at] = s
	}
	if !pl.raw {
		g.open = append(g.open, at)
	}
}

// values goes through n values of a plan at p.
func (g *graph) values(pl *plan, p unsafe.Pointer, n int) {
	if pl.raw {
		return
	}
	pl.each(p, n, func(o *op, value unsafe.Pointer) error {
		g.step(o, value)
		return g.err
	})
}

func (g *graph) step(o *op, base unsafe.Pointer) {
	at := unsafe.Add(base, o.off)
	switch o.kind {
	case opPointer:
		if p := *(*unsafe.Pointer)(at); p != nil && !o.external {
			g.add(p, o.sub, 1, -1)
		}
	case opSlice:
		if s := (*header)(at); s.ptr != nil {
			g.add(s.ptr, o.sub, s.cap, -1)
		}
	case opMap:
		p := *(*unsafe.Pointer)(at)
		if p == nil {
			return
		}
		if _, ok := g.maps[p]; !ok {
			g.maps[p] = len(g.tables)
			g.tables = append(g.tables, table{p, o.sub})
		}
	case opAny:
		p, pl, err := g.c.held(at)
		if err != nil {
			g.err = err
		} else if pl != nil {
			g.values(pl, p, 1)
		}
	case opArray:
		g.values(o.sub, at, o.n)
	}
}

// header is how a slice lies in memory.
type header struct {
	ptr      unsafe.Pointer
	len, cap int
}

// held gives a copy of what an interface without methods at p holds; nil for
// nothing.
func (c *Codec) held(p unsafe.Pointer) (unsafe.Pointer, *plan, error) {
	v := *(*any)(p)
	if v == nil {
		return nil, nil, nil
	}
	t := reflect.TypeOf(v)
	i, ok := c.dynamics[t]
	if !ok {
		return nil, nil, fmt.Errorf("an interface holds a %s, which is not declared", t)
	}
	w := reflect.New(t)
	w.Elem().Set(reflect.ValueOf(v))
	return w.UnsafePointer(), c.dynamic[i], nil
}

// join makes blocks of the stretches: those within others, or overlapping
// others, become one with them.
func (g *graph) join() error {
	g.seen = nil
	all := g.found
	g.found = nil
	slices.SortFunc(all, func(a, b stretch) int {
		return cmp.Or(cmp.Compare(a.start(), b.start()), cmp.Compare(b.end(), a.end()))
	})
	g.blocks = all[:0] // never ahead of what is read
	for _, s := range all {
		if k := len(g.blocks) - 1; k >= 0 && s.start() < g.blocks[k].end() {
			b := &g.blocks[k]
			off := s.start() - b.start()
			switch {
			case s.end() <= b.end():
				if !holds(b.plan, b.n, off, s.plan, s.n) {
					return fmt.Errorf("%d × %s lies askew in %s", s.n, s.plan.typ, b.plan.typ)
				}
			case s.plan == b.plan && off%s.plan.size == 0:
				b.n = int(off/s.plan.size) + s.n
			default:
				return fmt.Errorf("%s overlaps %s", s.plan.typ, b.plan.typ)
			}
			if s.root >= 0 {
				return fmt.Errorf("root %s is a part of %s", s.plan.typ, b.plan.typ)
			}
			continue
		}
		g.blocks = append(g.blocks, s)
	}
	return nil
}

// find gives the block that p points into, and where.
func (g *graph) find(p unsafe.Pointer) (block int, off uintptr) {
	at := uintptr(p)
	k, ok := slices.BinarySearchFunc(g.blocks, at, func(s stretch, at uintptr) int { return cmp.Compare(s.start(), at) })
	if !ok {
		k--
	}
	return k, at - g.blocks[k].start()
}

// holds tells that n values of plan in lie at off of count values of plan out.
func holds(out *plan, count int, off uintptr, in *plan, n int) bool {
	if in == out {
		return off%out.size == 0 && int(off/out.size)+n <= count
	}
	if off/out.size >= uintptr(count) {
		return false
	}
	t, off := out.typ, off%out.size
	for {
		switch {
		case t == in.typ && off == 0:
			return n == 1
		case t.Kind() == reflect.Array && t.Elem() == in.typ:
			return off%in.size == 0 && int(off/in.size)+n <= t.Len()
		case t.Kind() == reflect.Array:
			if t.Elem().Size() == 0 {
				return false
			}
			t, off = t.Elem(), off%t.Elem().Size()
		case t.Kind() == reflect.Struct:
			f, ok := fieldAt(t, off)
			if !ok {
				return false
			}
			t, off = f.Type, off-f.Offset
		default:
			return false
		}
	}
}

// fieldAt gives the field of t that off lies in.
func fieldAt(t reflect.Type, off uintptr) (reflect.StructField, bool) {
	for i := t.NumField() - 1; i >= 0; i-- {
		if f := t.Field(i); f.Offset <= off && off < f.Offset+f.Type.Size() {
			return f, true
		}
	}
	return reflect.StructField{}, false
}
