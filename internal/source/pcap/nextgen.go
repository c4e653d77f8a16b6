package pcap

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/bits"

	"xiezhi/internal/taxonomy"
	"xiezhi/internal/wire"
)

const (
	blockInterface = 1
	blockOldPacket = 2
	blockSimple    = 3
	blockEnhanced  = 6
	blockSecrets   = 10

	maxInterfaces = 4096
	maxBlock      = maxPacket + 1<<16 // of the blocks that are looked into
	maxSecrets    = 16 << 20          // of those that hold secrets
	secretsTLS    = 0x544c534b        // a TLS key log
)

// iface is what an interface description says about its packets.
type iface struct {
	link   uint32
	snap   uint32
	units  uint64 // timestamp units per second
	scale  uint64 // nanoseconds per unit, 0 when not whole
	offset int64  // seconds to add
}

// nextGen reads the pcapng format.
type nextGen struct {
	w      *window
	big    bool
	ifaces []iface
	last   int64 // time of the latest packet, for those without one
	keys   *wire.Keys

	resumes int
}

func (g *nextGen) order() binary.ByteOrder {
	if g.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (g *nextGen) read(p *packet) error {
	for {
		start := g.w.offset()
		h, err := g.w.peek(8)
		if err != nil {
			if errors.Is(err, io.EOF) {
				return io.EOF
			}
			return g.w.broken(start, err)
		}
		bad := &damage{taxonomy.DropCorrupt, start, "a block header makes no sense"}
		if binary.BigEndian.Uint32(h) == magicNG {
			if err := g.section(start); err != nil {
				return err
			}
			continue
		}
		o := g.order()
		kind, size := o.Uint32(h), o.Uint32(h[4:])
		if size < 12 || size%4 != 0 {
			return bad
		}
		limit := uint32(maxBlock)
		switch kind {
		case blockInterface, blockOldPacket, blockSimple, blockEnhanced:
		case blockSecrets:
			limit = maxSecrets
		default:
			if err := g.w.skip(int64(size)); err != nil {
				return g.w.broken(start, err)
			}
			continue
		}
		if size > limit {
			return bad
		}
		b, err := g.w.next(int(size))
		if err != nil {
			return g.w.broken(start, err)
		}
		if o.Uint32(b[size-4:]) != size {
			return bad
		}
		b = b[8 : size-4]
		if kind == blockSecrets {
			if !g.secrets(b) {
				return bad
			}
			continue
		}
		if kind == blockInterface {
			if !g.describe(b) {
				return bad
			}
			continue
		}
		if !g.packet(kind, b, p) {
			return bad
		}
		return nil
	}
}

// section starts a section, which may have another byte order.
func (g *nextGen) section(start int64) error {
	h, err := g.w.peek(12)
	if err != nil {
		return g.w.broken(start, err)
	}
	switch {
	case binary.BigEndian.Uint32(h[8:]) == 0x1a2b3c4d:
		g.big = true
	case binary.LittleEndian.Uint32(h[8:]) == 0x1a2b3c4d:
		g.big = false
	default:
		return &damage{taxonomy.DropCorrupt, start, "a section header makes no sense"}
	}
	size := g.order().Uint32(h[4:])
	if size < 28 || size%4 != 0 {
		return &damage{taxonomy.DropCorrupt, start, "a section header makes no sense"}
	}
	g.ifaces = g.ifaces[:0]
	if err := g.w.skip(int64(size)); err != nil {
		return g.w.broken(start, err)
	}
	return nil
}

func (g *nextGen) describe(b []byte) bool {
	if len(b) < 8 || len(g.ifaces) >= maxInterfaces {
		return false
	}
	o := g.order()
	f := iface{link: uint32(o.Uint16(b)), snap: o.Uint32(b[4:]), units: 1e6, scale: 1000}
	for b = b[8:]; len(b) >= 4; {
		code, n := o.Uint16(b), int(o.Uint16(b[2:]))
		if b = b[4:]; code == 0 || n > len(b) {
			break
		}
		switch {
		case code == 9 && n >= 1:
			f.resolution(b[0])
		case code == 14 && n >= 8:
			f.offset = int64(o.Uint64(b))
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	g.ifaces = append(g.ifaces, f)
	return true
}

// gather reads a whole file for nothing but the secrets in it: they may stand
// behind the packets that need them. It stops where the file is damaged.
func (g *nextGen) gather() {
	for {
		h, err := g.w.peek(8)
		if err != nil {
			return
		}
		if binary.BigEndian.Uint32(h) == magicNG {
			if g.section(0) != nil {
				return
			}
			continue
		}
		o := g.order()
		kind, size := o.Uint32(h), o.Uint32(h[4:])
		if size < 12 || size%4 != 0 {
			return
		}
		if kind != blockSecrets {
			if g.w.skip(int64(size)) != nil {
				return
			}
			continue
		}
		if size > maxSecrets {
			return
		}
		b, err := g.w.next(int(size))
		if err != nil || !g.secrets(b[8:size-4]) {
			return
		}
	}
}

// secrets takes a Decryption Secrets Block; those of other protocols are
// passed over.
func (g *nextGen) secrets(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	o := g.order()
	n := o.Uint32(b[4:])
	if uint64(n) > uint64(len(b)-8) {
		return false
	}
	if o.Uint32(b) == secretsTLS && g.keys != nil {
		g.keys.AddLog(b[8 : 8+n])
	}
	return true
}

// resolution reads if_tsresol: a negative power of ten, or of two when the top
// bit is set.
func (f *iface) resolution(v byte) {
	f.scale = 0
	if v&0x80 != 0 {
		f.units = 1 << min(v&0x7f, 63)
		return
	}
	f.units = 1
	for range min(v, 19) {
		f.units *= 10
	}
	if v <= 9 {
		f.scale = 1e9 / f.units
	}
}

// nanos turns a timestamp into ns since the epoch, clamped to what fits.
func (f *iface) nanos(ts uint64) int64 {
	var ns int64
	if f.scale != 0 && ts <= math.MaxInt64/f.scale {
		ns = int64(ts * f.scale)
	} else {
		hi, lo := bits.Mul64(ts, 1e9)
		if hi >= f.units {
			return math.MaxInt64
		}
		q, _ := bits.Div64(hi, lo, f.units)
		if q > math.MaxInt64 {
			return math.MaxInt64
		}
		ns = int64(q)
	}
	if f.offset == 0 {
		return ns
	}
	if f.offset > math.MaxInt64/int64(1e9) || f.offset < math.MinInt64/int64(1e9) {
		return ns
	}
	add := f.offset * 1e9
	if sum := ns + add; (sum < ns) == (add < 0) {
		return sum
	}
	return ns
}

func (g *nextGen) packet(kind uint32, b []byte, p *packet) bool {
	o := g.order()
	var f *iface
	var size uint32
	switch kind {
	case blockSimple:
		if len(b) < 4 || len(g.ifaces) == 0 {
			return false
		}
		f = &g.ifaces[0]
		wire := o.Uint32(b)
		b = b[4:]
		size = min(wire, uint32(len(b)))
		if f.snap > 0 {
			size = min(size, f.snap)
		}
		p.ts, p.wire = g.last, int(min(wire, 1<<30))
	default:
		if len(b) < 20 {
			return false
		}
		id := o.Uint32(b)
		if kind == blockOldPacket {
			id = uint32(o.Uint16(b))
		}
		if id >= uint32(len(g.ifaces)) {
			return false
		}
		f = &g.ifaces[id]
		p.ts = f.nanos(uint64(o.Uint32(b[4:]))<<32 | uint64(o.Uint32(b[8:])))
		size = o.Uint32(b[12:])
		p.wire = int(min(o.Uint32(b[16:]), 1<<30))
		if b = b[20:]; size > uint32(len(b)) || size > maxPacket {
			return false
		}
		g.last = p.ts
	}
	p.link = f.link
	p.data = b[:size]
	return true
}
