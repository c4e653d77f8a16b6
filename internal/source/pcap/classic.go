package pcap

import (
	"encoding/binary"
	"errors"
	"io"

	"xiezhi/internal/taxonomy"
)

// packet is one captured frame; data is valid until the next read.
type packet struct {
	ts   int64
	link uint32
	data []byte
	wire int
}

// reader gives the packets of one file: io.EOF at a clean end, *damage else.
type reader interface {
	read(p *packet) error
}

const (
	magicMicro = 0xa1b2c3d4
	magicNano  = 0xa1b23c4d
	magicNG    = 0x0a0d0d0a
)

// Detect reports whether a file that starts with head is a packet capture.
func Detect(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	be, le := binary.BigEndian.Uint32(head), binary.LittleEndian.Uint32(head)
	return be == magicNG || be == magicMicro || be == magicNano || le == magicMicro || le == magicNano
}

// classic reads the pcap format.
type classic struct {
	w     *window
	big   bool
	scale int64 // nanoseconds per fraction
	link  uint32

	last    int64 // seconds of the latest packet
	resumes int
}

// newReader recognises the format. io.EOF means an empty file.
func newReader(w *window) (reader, error) {
	head, err := w.peek(4)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, w.broken(0, err)
	}
	if binary.BigEndian.Uint32(head) == magicNG {
		return &nextGen{w: w}, nil
	}
	if !Detect(head) {
		return nil, &damage{taxonomy.DropCorrupt, 0, "not a packet capture"}
	}
	h, err := w.next(24)
	if err != nil {
		return nil, w.broken(0, err)
	}
	c := &classic{w: w, scale: 1000}
	c.big = h[0] == 0xa1
	if c.u32(h) == magicNano {
		c.scale = 1
	}
	c.link = c.u32(h[20:]) & 0xffff // the upper bits tell about frame check sequences
	return c, nil
}

func (c *classic) u32(b []byte) uint32 {
	if c.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (c *classic) read(p *packet) error {
	start := c.w.offset()
	h, err := c.w.next(16)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return c.w.broken(start, err)
	}
	size := c.u32(h[8:])
	if size > maxPacket {
		return &damage{taxonomy.DropCorrupt, start, "a record header makes no sense"}
	}
	p.ts = int64(c.u32(h))*1e9 + int64(c.u32(h[4:]))*c.scale
	p.wire = int(min(c.u32(h[12:]), 1<<30))
	p.link = c.link
	if p.data, err = c.w.next(int(size)); err != nil {
		return c.w.broken(start, err)
	}
	c.last = int64(c.u32(h))
	return nil
}
