package snapshot

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/netip"
	"unsafe"
)

var (
	magic      = [8]byte{'X', 'Z', 'S', 'N', 'A', 'P', '1', '\n'}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// How references are written: 0 is nil, 1 is what has no size, others are
// blocks.
const (
	refNil = iota
	refEmpty
	refBlocks
)

// How addresses are written: the zone if there is one, the number of bytes,
// the bytes.
const (
	addrNone = 0
	addrZone = 255 // a zone follows
)

// Save writes the state that the roots are. Nothing may change it meanwhile.
func (c *Codec) Save(w io.Writer, roots ...any) error {
	g, err := c.explore(roots)
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	s := &saver{g: g, sum: crc32.New(castagnoli), texts: map[text]uint64{}}
	s.w = bufio.NewWriterSize(io.MultiWriter(w, s.sum), 256<<10)
	s.raw(magic[:])
	s.raw(c.print[:])
	s.number(uint64(len(g.blocks)))
	for i := range g.blocks {
		b := &g.blocks[i]
		s.number(uint64(b.plan.id))
		s.number(uint64(b.n))
		s.number(uint64(b.root + 1))
	}
	s.number(uint64(len(g.tables)))
	for _, t := range g.tables {
		s.number(uint64(t.plan.id))
		s.number(uint64(t.len()))
	}
	for i := range g.blocks {
		b := &g.blocks[i]
		s.values(b.plan, b.ptr, b.n)
	}
	for _, t := range g.tables {
		eachEntry(t, func(k, v unsafe.Pointer) {
			s.values(t.plan.key, k, 1)
			s.values(t.plan.elem, v, 1)
		})
	}
	if err := s.w.Flush(); err != nil {
		s.fail(err)
	}
	if s.err == nil {
		_, s.err = w.Write(binary.LittleEndian.AppendUint32(nil, s.sum.Sum32()))
	}
	if s.err != nil {
		return fmt.Errorf("snapshot: %w", s.err)
	}
	return nil
}

// text is a string by where it lies.
type text struct {
	at  *byte
	len int
}

type saver struct {
	g     *graph
	w     *bufio.Writer
	sum   hash.Hash32
	texts map[text]uint64 // strings written, by their number
	room  [binary.MaxVarintLen64]byte
	err   error
}

func (s *saver) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *saver) raw(b []byte) {
	if _, err := s.w.Write(b); err != nil {
		s.fail(err)
	}
}

func (s *saver) number(n uint64) { s.raw(binary.AppendUvarint(s.room[:0], n)) }

func (s *saver) values(pl *plan, p unsafe.Pointer, n int) {
	if pl.raw {
		s.raw(unsafe.Slice((*byte)(p), uintptr(n)*pl.size))
		return
	}
	pl.each(p, n, func(o *op, value unsafe.Pointer) error {
		s.step(o, value)
		return s.err
	})
}

func (s *saver) step(o *op, base unsafe.Pointer) {
	at := unsafe.Add(base, o.off)
	switch o.kind {
	case opRaw:
		s.raw(unsafe.Slice((*byte)(at), o.size))
	case opString:
		s.string(*(*string)(at))
	case opPointer:
		p := *(*unsafe.Pointer)(at)
		if o.external {
			s.external(p)
		} else {
			s.ref(p, o.sub.size)
		}
	case opSlice:
		h := (*header)(at)
		if h.ptr == nil {
			s.number(refNil)
			return
		}
		s.ref(h.ptr, uintptr(h.cap)*o.sub.size)
		s.number(uint64(h.len))
		s.number(uint64(h.cap))
	case opMap:
		if p := *(*unsafe.Pointer)(at); p == nil {
			s.number(0)
		} else {
			s.number(uint64(s.g.maps[p]) + 1)
		}
	case opAny:
		p, pl, err := s.g.c.held(at)
		if err != nil {
			s.fail(err)
			return
		}
		if pl == nil {
			s.number(0)
			return
		}
		s.number(uint64(s.g.c.dynamics[pl.typ]) + 1)
		s.values(pl, p, 1)
	case opAddr:
		s.addr(*(*netip.Addr)(at))
	case opArray:
		s.values(o.sub, at, o.n)
	}
}

// ref writes where a pointer leads.
func (s *saver) ref(p unsafe.Pointer, size uintptr) {
	switch {
	case p == nil:
		s.number(refNil)
	case size == 0:
		s.number(refEmpty)
	default:
		block, off := s.g.find(p)
		s.number(uint64(block) + refBlocks)
		s.number(uint64(off))
	}
}

func (s *saver) external(p unsafe.Pointer) {
	if p == nil {
		s.string("")
		return
	}
	i, ok := s.g.c.outside[p]
	if !ok {
		s.fail(fmt.Errorf("a pointer leads to something external that is not declared"))
		return
	}
	s.string(s.g.c.names[i])
}

// string writes a string, once for all that share its memory: 0 and it, or the
// number it has.
func (s *saver) string(v string) {
	k := text{unsafe.StringData(v), len(v)}
	if len(v) == 0 {
		k.at = nil
	}
	if n, ok := s.texts[k]; ok {
		s.number(n + 1)
		return
	}
	s.texts[k] = uint64(len(s.texts))
	s.number(0)
	s.number(uint64(len(v)))
	if _, err := s.w.WriteString(v); err != nil {
		s.fail(err)
	}
}

func (s *saver) addr(a netip.Addr) {
	b, _ := a.WithZone("").MarshalBinary()
	n := byte(len(b))
	if z := a.Zone(); z != "" {
		s.raw([]byte{addrZone})
		s.string(z)
	}
	s.raw(append([]byte{n}, b...))
}
