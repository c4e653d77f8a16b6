// Package snapshot keeps the state of a judge in bytes and brings it back.
//
// It takes pointers to the parts of a state (the roots) and writes everything
// that can be reached from them: structs with their unexported fields, slices
// with what lies between length and capacity, maps, strings, pointers into the
// middle of something, cycles. Read back into roots made anew from the same
// configuration, it gives a state that goes on as the first would have.
//
// A field tagged `snapshot:"-"` is left as the new root has it: configuration,
// functions, scratch. What is immutable and shared (rule sets, texts, time
// zones) is declared as external and kept by name.
//
// Invariant: what is restored is equal to what was saved, aliases included; a
// file of other types, of another architecture or damaged is refused, never
// half believed. Limits: no functions, channels or interfaces with undeclared
// types outside of tagged fields; Codec.Limit bounds what Restore allocates;
// after an error of Restore the roots are of no use. The bytes hold what the
// state holds, so that whoever stores them encrypts them.
package snapshot

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unsafe"
)

// ErrOther means that the snapshot was made by other code: start anew.
var ErrOther = errors.New("the snapshot is of another version")

// ErrDamaged means that the snapshot is not as it was written.
var ErrDamaged = errors.New("the snapshot is damaged")

// External is something immutable that snapshots name instead of holding it.
type External struct {
	Name    string
	Pointer any
}

// Codec saves and restores roots of the same types, always in the same order.
// It is not safe for concurrent use.
type Codec struct {
	Limit uint64 // bytes that Restore allocates at most

	plans    map[reflect.Type]*plan
	list     []*plan // by id
	print    [sha256.Size]byte
	names    []string // of externals
	at       []unsafe.Pointer
	outside  map[unsafe.Pointer]int // index into at
	dynamic  []*plan                // that interfaces may hold
	dynamics map[reflect.Type]int
}

// New returns a codec for roots of the given types: pointers to structs, of
// which only the types matter. types are what interfaces may hold.
func New(roots []any, externals []External, types ...reflect.Type) (*Codec, error) {
	c := &Codec{Limit: 16 << 30, plans: map[reflect.Type]*plan{}, outside: map[unsafe.Pointer]int{}, dynamics: map[reflect.Type]int{}}
	external := map[reflect.Type]bool{}
	add := func(name string, v reflect.Value) error {
		if v.Kind() != reflect.Pointer {
			return fmt.Errorf("external %s is a %s, no pointer", name, v.Type())
		}
		external[v.Type()] = true
		if v.IsNil() {
			return nil
		}
		if _, twice := c.outside[v.UnsafePointer()]; !twice { // it is kept by its first name, and found by any
			c.outside[v.UnsafePointer()] = len(c.at)
		}
		c.names, c.at = append(c.names, name), append(c.at, v.UnsafePointer())
		return nil
	}
	for _, e := range externals {
		if err := add(e.Name, reflect.ValueOf(e.Pointer)); err != nil {
			return nil, err
		}
	}
	_ = add("UTC", reflect.ValueOf(time.UTC))
	_ = add("Local", reflect.ValueOf(time.Local))
	w := &walker{c: c, external: external}
	for _, t := range types {
		c.dynamics[t] = len(c.dynamic)
		p := w.plan(t)
		c.dynamic = append(c.dynamic, p)
	}
	for _, r := range roots {
		t := reflect.TypeOf(r)
		if t == nil || t.Kind() != reflect.Pointer {
			return nil, fmt.Errorf("root %v is no pointer", t)
		}
		w.plan(t.Elem())
	}
	if err := w.finish(); err != nil {
		return nil, err
	}
	return c, nil
}

// root gives the pointer and plan of a root.
func (c *Codec) root(r any) (unsafe.Pointer, *plan, error) {
	v := reflect.ValueOf(r)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil, nil, fmt.Errorf("root %T is no pointer to anything", r)
	}
	p := c.plans[v.Type().Elem()]
	if p == nil {
		return nil, nil, fmt.Errorf("root %T is not of the codec's types", r)
	}
	return v.UnsafePointer(), p, nil
}
