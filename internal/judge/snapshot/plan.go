package snapshot

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"runtime"
	"unsafe"
)

// opKind is what a piece of memory is.
type opKind uint8

const (
	opRaw     opKind = iota // bytes without pointers
	opString                // a string
	opPointer               // a pointer to sub
	opSlice                 // a slice of sub
	opMap                   // a map; sub is the map's own plan
	opAny                   // an interface
	opAddr                  // a netip.Addr, whose zone is a pointer of the runtime's
	opArray                 // n times sub, in place
)

// op is one step of going through a value.
type op struct {
	kind     opKind
	external bool // an opPointer that may lead outside
	off      uintptr
	size     uintptr // of an opRaw
	n        int     // of an opArray
	sub      *plan
}

// plan is how to go through a value of a type.
type plan struct {
	id   int
	typ  reflect.Type
	size uintptr
	ops  []op
	raw  bool  // all of it is one opRaw
	key  *plan // of a map's entries
	elem *plan
	bad  string

	apart bool // a tagged field lies between the last op and the next
}

// each takes the steps through n values at p, up to one that fails.
func (pl *plan) each(p unsafe.Pointer, n int, step func(o *op, value unsafe.Pointer) error) {
	for i := range n {
		value := unsafe.Add(p, uintptr(i)*pl.size)
		for j := range pl.ops {
			if step(&pl.ops[j], value) != nil {
				return
			}
		}
	}
}

// walker makes plans of the types that roots can reach.
type walker struct {
	c        *Codec
	external map[reflect.Type]bool // pointer types
	queue    []*plan
}

var addrType = reflect.TypeFor[netip.Addr]()

// plan gives the plan of t, which is filled in by finish.
func (w *walker) plan(t reflect.Type) *plan {
	if p := w.c.plans[t]; p != nil {
		return p
	}
	p := &plan{id: len(w.c.list), typ: t, size: t.Size()}
	w.c.plans[t] = p
	w.c.list = append(w.c.list, p)
	w.queue = append(w.queue, p)
	return p
}

// finish fills in all plans and takes their print. A type that cannot be kept
// is an error only where it can be met: behind what is external it may be.
func (w *walker) finish() error {
	for len(w.queue) > 0 {
		p := w.queue[0]
		w.queue = w.queue[1:]
		if p.typ.Kind() == reflect.Map {
			p.key, p.elem = w.plan(p.typ.Key()), w.plan(p.typ.Elem())
			p.ops = []op{{kind: opMap, sub: p}}
			continue
		}
		w.fill(p, p.typ, 0, p.typ.String())
		p.raw = len(p.ops) == 1 && p.ops[0].kind == opRaw && p.ops[0].size == p.size
	}
	h := sha256.New()
	fmt.Fprintln(h, "1", runtime.GOARCH)
	var errs []error
	for _, p := range w.c.list {
		if p.bad != "" {
			errs = append(errs, errors.New(p.bad))
		}
		fmt.Fprintln(h, p.id, p.typ.PkgPath(), p.typ, p.size, p.raw)
		if p.key != nil {
			fmt.Fprintln(h, "map", p.key.id, p.elem.id)
		}
		for _, o := range p.ops {
			sub := -1
			if o.sub != nil {
				sub = o.sub.id
			}
			fmt.Fprintln(h, o.kind, o.external, o.off, o.size, o.n, sub)
		}
		if p.typ.Kind() == reflect.Struct {
			for i := range p.typ.NumField() {
				f := p.typ.Field(i)
				fmt.Fprintln(h, f.Name, f.Type, f.Offset, f.Tag.Get("snapshot"))
			}
		}
	}
	h.Sum(w.c.print[:0])
	return errors.Join(errs...)
}

// fill adds to p the ops of a value of type t at off.
func (w *walker) fill(p *plan, t reflect.Type, off uintptr, path string) {
	if t == addrType {
		p.ops = append(p.ops, op{kind: opAddr, off: off})
		return
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		p.bytes(off, t.Size())
	case reflect.String:
		p.ops = append(p.ops, op{kind: opString, off: off})
	case reflect.Pointer:
		o := op{kind: opPointer, off: off, external: w.external[t]}
		if !o.external {
			o.sub = w.plan(t.Elem())
		}
		p.ops = append(p.ops, o)
	case reflect.Slice:
		p.ops = append(p.ops, op{kind: opSlice, off: off, sub: w.plan(t.Elem())})
	case reflect.Map:
		p.ops = append(p.ops, op{kind: opMap, off: off, sub: w.plan(t)})
	case reflect.Interface:
		if len(w.c.dynamics) == 0 || t.NumMethod() > 0 {
			w.refuse(p, t, path)
			return
		}
		p.ops = append(p.ops, op{kind: opAny, off: off})
	case reflect.Struct:
		if flat(t) {
			p.bytes(off, t.Size())
			return
		}
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Tag.Get("snapshot") == "-" {
				p.apart = true
				continue
			}
			w.fill(p, f.Type, off+f.Offset, path+"."+f.Name)
		}
	case reflect.Array:
		w.array(p, t, off)
	default:
		w.refuse(p, t, path)
	}
}

// array adds an array: as bytes where it holds no pointers.
func (w *walker) array(p *plan, t reflect.Type, off uintptr) {
	if t.Size() == 0 {
		return
	}
	if flat(t.Elem()) {
		p.bytes(off, t.Size())
		return
	}
	p.ops = append(p.ops, op{kind: opArray, off: off, n: t.Len(), sub: w.plan(t.Elem())})
}

func (w *walker) refuse(p *plan, t reflect.Type, path string) {
	if p.bad == "" {
		p.bad = fmt.Sprintf("%s is a %s, which no snapshot can hold; tag it or declare what holds it as external", path, t)
	}
}

// flat tells that a value of t holds neither pointers nor tagged fields.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return flat(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Tag.Get("snapshot") == "-" || !flat(f.Type) {
				return false
			}
		}
		return true
	case reflect.String, reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr:
		return false
	}
	return true
}

// bytes adds a range without pointers, joined with one before it when only
// padding lies between them.
func (p *plan) bytes(off, size uintptr) {
	if size == 0 {
		return
	}
	if k := len(p.ops) - 1; k >= 0 && !p.apart && p.ops[k].kind == opRaw && off-(p.ops[k].off+p.ops[k].size) < 8 {
		p.ops[k].size = off + size - p.ops[k].off
		return
	}
	p.apart = false
	p.ops = append(p.ops, op{kind: opRaw, off: off, size: size})
}
