package wire

import (
	"encoding/binary"
	"net/netip"
)

// addrs are the two ends of a packet, IPv4 in its mapped IPv6 form.
type addrs struct{ srcHi, srcLo, dstHi, dstLo uint64 }

const (
	protoIPIP = 4
	protoTCP  = 6
	protoUDP  = 17
	protoIPv6 = 41
	protoGRE  = 47

	mapped = uint64(0xffff) << 32
)

func toAddr(hi, lo uint64) netip.Addr {
	if hi == 0 && lo>>32 == 0xffff {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], uint32(lo))
		return netip.AddrFrom4(a)
	}
	var a [16]byte
	binary.BigEndian.PutUint64(a[:8], hi)
	binary.BigEndian.PutUint64(a[8:], lo)
	return netip.AddrFrom16(a)
}

func (d *Decoder) ip(b []byte, depth int) {
	if len(b) == 0 {
		d.stats.Malformed++
		return
	}
	switch b[0] >> 4 {
	case 4:
		d.ipv4(b, depth)
	case 6:
		d.ipv6(b, depth)
	default:
		d.stats.NotIP++
	}
}

func (d *Decoder) ipv4(b []byte, depth int) {
	if len(b) < 20 || b[0]>>4 != 4 {
		d.stats.Malformed++
		return
	}
	hl := int(b[0]&15) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total == 0 { // segmentation offload leaves the field empty
		total = len(b) + d.snapped
	}
	if hl < 20 || hl > len(b) || total < hl {
		d.stats.Malformed++
		return
	}
	a := addrs{0, mapped | uint64(binary.BigEndian.Uint32(b[12:])), 0, mapped | uint64(binary.BigEndian.Uint32(b[16:]))}
	proto, id, frag := b[9], binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
	missing := 0
	if total < len(b) {
		b = b[:total] // Ethernet padding
	} else {
		missing = total - len(b)
	}
	b = b[hl:]
	if frag&0x3fff != 0 {
		if b = d.fragment(a, uint32(id)|uint32(proto)<<24, int(frag&0x1fff)*8, frag&0x2000 != 0, b, missing); b == nil {
			return
		}
		missing = 0
	}
	d.transport(proto, a, b, missing, depth)
}

func (d *Decoder) ipv6(b []byte, depth int) {
	if len(b) < 40 || b[0]>>4 != 6 {
		d.stats.Malformed++
		return
	}
	a := addrs{binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:]), binary.BigEndian.Uint64(b[24:]), binary.BigEndian.Uint64(b[32:])}
	size, next := int(binary.BigEndian.Uint16(b[4:])), b[6]
	b = b[40:]
	missing := 0
	switch {
	case size == 0: // jumbogram or segmentation offload
		missing = d.snapped
	case size < len(b):
		b = b[:size]
	default:
		missing = size - len(b)
	}
	for range 16 {
		switch next {
		case 0, 43, 60, 135, 139, 140: // options, routing, mobility …
			if len(b) < 8 {
				d.stats.Malformed++
				return
			}
			n := 8 + int(b[1])*8
			if n > len(b) {
				d.stats.Malformed++
				return
			}
			next, b = b[0], b[n:]
		case 51: // authentication header counts in words
			if len(b) < 8 {
				d.stats.Malformed++
				return
			}
			n := (int(b[1]) + 2) * 4
			if n > len(b) {
				d.stats.Malformed++
				return
			}
			next, b = b[0], b[n:]
		case 44:
			if len(b) < 8 {
				d.stats.Malformed++
				return
			}
			off, id := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:])
			next, b = b[0], b[8:]
			if off&0xfff9 != 0 { // else an atomic fragment, complete in itself
				if b = d.fragment(a, id, int(off&0xfff8), off&1 != 0, b, missing); b == nil {
					return
				}
				missing = 0
			}
		default:
			d.transport(next, a, b, missing, depth)
			return
		}
	}
	d.stats.Malformed++
}

func (d *Decoder) transport(proto byte, a addrs, b []byte, missing, depth int) {
	switch proto {
	case protoTCP:
		d.tcp(a, b, missing)
	case protoUDP:
		d.udp(a, b, depth)
	case protoIPIP, protoIPv6:
		d.nested(b, depth, d.ip)
	case protoGRE:
		d.gre(b, depth)
	default:
		d.stats.NotTCP++
	}
}
