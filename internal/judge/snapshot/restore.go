package snapshot

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/netip"
	"reflect"
	"unsafe"
)

// Restore reads a state into roots that were made anew from the same
// configuration. The snapshot is the last thing in r.
func (c *Codec) Restore(r io.Reader, roots ...any) (err error) {
	s := &restorer{c: c, sum: crc32.New(castagnoli)}
	s.r = bufio.NewReaderSize(r, 256<<10)
	defer func() {
		if err != nil {
			err = fmt.Errorf("snapshot: %w", err)
		}
	}()
	var head [8 + len(c.print)]byte
	s.raw(head[:])
	switch {
	case s.err != nil:
		return s.err
	case [8]byte(head[:8]) != magic || [len(c.print)]byte(head[8:]) != c.print:
		return ErrOther
	}
	for _, r := range roots {
		p, pl, err := c.root(r)
		if err != nil {
			return err
		}
		s.roots = append(s.roots, block{ptr: p, plan: pl, n: 1})
	}
	s.layOut()
	for i := range s.blocks {
		if b := &s.blocks[i]; s.err == nil {
			s.values(b.plan, b.ptr, b.n)
		}
	}
	for i := range s.tables {
		s.entries(&s.tables[i])
	}
	if s.err != nil {
		return s.err
	}
	sum := s.sum.Sum32()
	var end [4]byte
	if _, err := io.ReadFull(s.r, end[:]); err != nil || binary.LittleEndian.Uint32(end[:]) != sum {
		return ErrDamaged
	}
	return nil
}

// block is memory made for a stretch.
type block struct {
	ptr  unsafe.Pointer
	plan *plan
	n    int
}

type made struct {
	m    reflect.Value
	plan *plan
	n    int
}

type restorer struct {
	c      *Codec
	r      *bufio.Reader
	sum    hash.Hash32
	roots  []block
	blocks []block
	tables []made
	texts  []string
	total  uint64 // bytes made
	one    [1]byte
	err    error
}

func (s *restorer) damaged() {
	if s.err == nil {
		s.err = ErrDamaged
	}
}

func (s *restorer) raw(b []byte) {
	if s.err != nil {
		return
	}
	if _, err := io.ReadFull(s.r, b); err != nil {
		s.damaged()
		return
	}
	_, _ = s.sum.Write(b)
}

func (s *restorer) number() uint64 {
	var n uint64
	for shift := 0; s.err == nil; shift += 7 {
		b, err := s.r.ReadByte()
		if err != nil || shift > 63 {
			s.damaged()
			return 0
		}
		s.one[0] = b
		_, _ = s.sum.Write(s.one[:])
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
	return 0
}

// take counts memory about to be made for n values; it is the cap on what a
// damaged length can ask for.
func (s *restorer) take(n uint64, size uintptr) bool {
	if s.err != nil {
		return false
	}
	if n > s.c.Limit || size > 0 && n > s.c.Limit/uint64(size) || s.total+n*uint64(size) > s.c.Limit {
		s.damaged()
		return false
	}
	s.total += n * uint64(size)
	return true
}

func (s *restorer) plan() *plan {
	if n := s.number(); s.err == nil && n < uint64(len(s.c.list)) {
		return s.c.list[n]
	}
	s.damaged()
	return nil
}

// layOut makes the memory of all blocks and maps before anything points there.
func (s *restorer) layOut() {
	bound := 0
	for n := s.number(); n > 0 && s.err == nil; n-- {
		pl, count, root := s.plan(), s.number(), s.number()
		if s.err != nil || pl.size == 0 || count == 0 {
			s.damaged()
			return
		}
		if root > 0 {
			if root > uint64(len(s.roots)) || s.roots[root-1].plan != pl || count != 1 {
				s.damaged()
				return
			}
			bound++
			s.blocks = append(s.blocks, s.roots[root-1])
			continue
		}
		if !s.take(count, pl.size) {
			return
		}
		v := reflect.MakeSlice(reflect.SliceOf(pl.typ), int(count), int(count))
		s.blocks = append(s.blocks, block{ptr: v.UnsafePointer(), plan: pl, n: int(count)})
	}
	if bound != len(s.roots) {
		s.damaged()
	}
	for n := s.number(); n > 0 && s.err == nil; n-- {
		pl, count := s.plan(), s.number()
		if s.err != nil || pl.key == nil || !s.take(count, pl.key.size+pl.elem.size) {
			s.damaged()
			return
		}
		s.tables = append(s.tables, made{m: reflect.MakeMapWithSize(pl.typ, int(count)), plan: pl, n: int(count)})
	}
}

// entries fills a map.
func (s *restorer) entries(t *made) {
	k, v := reflect.New(t.plan.key.typ), reflect.New(t.plan.elem.typ)
	for range t.n {
		k.Elem().SetZero()
		v.Elem().SetZero()
		s.values(t.plan.key, k.UnsafePointer(), 1)
		s.values(t.plan.elem, v.UnsafePointer(), 1)
		if s.err != nil {
			return
		}
		t.m.SetMapIndex(k.Elem(), v.Elem())
	}
}

func (s *restorer) values(pl *plan, p unsafe.Pointer, n int) {
	if pl.raw {
		s.raw(unsafe.Slice((*byte)(p), uintptr(n)*pl.size))
		return
	}
	pl.each(p, n, func(o *op, value unsafe.Pointer) error {
		s.step(o, value)
		return s.err
	})
}

func (s *restorer) step(o *op, base unsafe.Pointer) {
	at := unsafe.Add(base, o.off)
	switch o.kind {
	case opRaw:
		s.raw(unsafe.Slice((*byte)(at), o.size))
	case opString:
		*(*string)(at) = s.string()
	case opPointer:
		if o.external {
			*(*unsafe.Pointer)(at) = s.external()
		} else {
			*(*unsafe.Pointer)(at) = s.ref(s.number(), o.sub, 1)
		}
	case opSlice:
		s.slice((*header)(at), o.sub)
	case opMap:
		s.mapped((*unsafe.Pointer)(at), o.sub)
	case opAny:
		*(*any)(at) = s.any()
	case opAddr:
		*(*netip.Addr)(at) = s.addr()
	case opArray:
		s.values(o.sub, at, o.n)
	}
}

// empty is what pointers to nothing lead to.
var empty struct{}

// ref gives the place that a written reference means, if n values of the plan
// lie there.
func (s *restorer) ref(ref uint64, pl *plan, n int) unsafe.Pointer {
	switch ref {
	case refNil:
		return nil
	case refEmpty:
		if pl.size > 0 && n > 0 {
			s.damaged()
		}
		return unsafe.Pointer(&empty)
	}
	off := s.number()
	if s.err != nil || ref-refBlocks >= uint64(len(s.blocks)) {
		s.damaged()
		return nil
	}
	b := &s.blocks[ref-refBlocks]
	if off >= uint64(b.n)*uint64(b.plan.size) || !holds(b.plan, b.n, uintptr(off), pl, n) {
		s.damaged()
		return nil
	}
	return unsafe.Add(b.ptr, uintptr(off))
}

func (s *restorer) slice(h *header, pl *plan) {
	ref := s.number()
	if ref == refNil {
		*h = header{}
		return
	}
	// The capacity is known only after the place, which is checked with it.
	var off uint64
	if ref >= refBlocks {
		off = s.number()
	}
	length, room := s.number(), s.number()
	if s.err != nil || length > room || room > s.c.Limit {
		s.damaged()
		return
	}
	p := unsafe.Pointer(&empty)
	if ref >= refBlocks {
		if ref-refBlocks >= uint64(len(s.blocks)) {
			s.damaged()
			return
		}
		b := &s.blocks[ref-refBlocks]
		if off >= uint64(b.n)*uint64(b.plan.size) || !holds(b.plan, b.n, uintptr(off), pl, int(room)) {
			s.damaged()
			return
		}
		p = unsafe.Add(b.ptr, uintptr(off))
	} else if pl.size > 0 && room > 0 {
		s.damaged()
		return
	}
	h.ptr, h.len, h.cap = p, int(length), int(room)
}

func (s *restorer) mapped(at *unsafe.Pointer, pl *plan) {
	n := s.number()
	if n == 0 {
		*at = nil
		return
	}
	if n > uint64(len(s.tables)) || s.tables[n-1].plan != pl {
		s.damaged()
		return
	}
	*at = s.tables[n-1].m.UnsafePointer()
}

func (s *restorer) any() any {
	n := s.number()
	if n == 0 {
		return nil
	}
	if n > uint64(len(s.c.dynamic)) {
		s.damaged()
		return nil
	}
	pl := s.c.dynamic[n-1]
	v := reflect.New(pl.typ)
	s.values(pl, v.UnsafePointer(), 1)
	return v.Elem().Interface()
}

func (s *restorer) external() unsafe.Pointer {
	name := s.string()
	if name == "" || s.err != nil {
		return nil
	}
	for i, n := range s.c.names {
		if n == name {
			return s.c.at[i]
		}
	}
	s.err = fmt.Errorf("%w: it needs %q, which is not loaded", ErrOther, name)
	return nil
}

func (s *restorer) string() string {
	n := s.number()
	if n > 0 {
		if n > uint64(len(s.texts)) {
			s.damaged()
			return ""
		}
		return s.texts[n-1]
	}
	size := s.number()
	var b []byte
	// A damaged length must not ask for more than there is to read.
	for size > 0 && s.err == nil {
		part := min(size, 1<<20)
		if !s.take(part, 1) {
			return ""
		}
		at := len(b)
		b = append(b, make([]byte, part)...)
		s.raw(b[at:])
		size -= part
	}
	v := string(b)
	s.texts = append(s.texts, v)
	return v
}

func (s *restorer) addr() netip.Addr {
	var n [1]byte
	s.raw(n[:])
	zone := ""
	if n[0] == addrZone {
		zone = s.string()
		s.raw(n[:])
	}
	var b [16]byte
	if n[0] != addrNone && n[0] != 4 && n[0] != 16 {
		s.damaged()
	}
	if s.err != nil {
		return netip.Addr{}
	}
	s.raw(b[:n[0]])
	a, _ := netip.AddrFromSlice(b[:n[0]])
	return a.WithZone(zone)
}
