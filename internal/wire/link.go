package wire

import "encoding/binary"

// Link types, as numbered by tcpdump.org.
const (
	LinkNull     = 0
	LinkEthernet = 1
	LinkRaw      = 101
	LinkLoop     = 108
	LinkSLL      = 113
	LinkIPv4     = 228
	LinkIPv6     = 229
	LinkNFLOG    = 239
	LinkSLL2     = 276
)

// LinkSupported reports whether frames of a link type are decoded.
func LinkSupported(link uint32) bool {
	switch link {
	case LinkNull, LinkEthernet, 12, 14, LinkRaw, LinkLoop, LinkSLL, LinkIPv4, LinkIPv6, LinkNFLOG, LinkSLL2:
		return true
	}
	return false
}

const (
	etherIPv4  = 0x0800
	etherIPv6  = 0x86dd
	etherTrans = 0x6558 // Ethernet inside GRE, VXLAN or GENEVE
	maxNesting = 6      // tunnels within tunnels
)

func (d *Decoder) frame(link uint32, b []byte) {
	switch link {
	case LinkEthernet:
		d.ethernet(b, 0)
	case LinkNull, LinkLoop:
		// The family number depends on the capturing system; the version
		// nibble of the packet does not.
		if len(b) < 5 {
			d.stats.Malformed++
			return
		}
		d.ip(b[4:], 0)
	case 12, 14, LinkRaw, LinkIPv4, LinkIPv6:
		d.ip(b, 0)
	case LinkSLL:
		if len(b) < 16 {
			d.stats.Malformed++
			return
		}
		d.payload(binary.BigEndian.Uint16(b[14:]), b[16:], 0)
	case LinkSLL2:
		if len(b) < 20 {
			d.stats.Malformed++
			return
		}
		d.payload(binary.BigEndian.Uint16(b), b[20:], 0)
	case LinkNFLOG:
		d.nflog(b)
	default:
		d.stats.Unsupported++
	}
}

func (d *Decoder) ethernet(b []byte, depth int) {
	if len(b) < 14 {
		d.stats.Malformed++
		return
	}
	d.payload(binary.BigEndian.Uint16(b[12:]), b[14:], depth)
}

// payload follows EtherTypes down to IP.
func (d *Decoder) payload(et uint16, b []byte, depth int) {
	for range 16 {
		switch {
		case et == etherIPv4:
			d.ipv4(b, depth)
			return
		case et == etherIPv6:
			d.ipv6(b, depth)
			return
		case et == 0x8100 || et == 0x88a8 || et == 0x9100 || et == 0x9200:
			if len(b) < 4 {
				d.stats.Malformed++
				return
			}
			et, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		case et == 0x8864: // PPPoE session
			if len(b) < 8 {
				d.stats.Malformed++
				return
			}
			ppp, n := binary.BigEndian.Uint16(b[6:]), 8
			if b[6]&1 != 0 {
				ppp, n = uint16(b[6]), 7 // compressed
			}
			b = b[n:]
			switch ppp {
			case 0x0021:
				et = etherIPv4
			case 0x0057:
				et = etherIPv6
			default:
				d.stats.NotIP++
				return
			}
		case et == 0x8847 || et == 0x8848:
			d.mpls(b, depth)
			return
		case et < 0x0600: // IEEE 802.3 length, then LLC
			if len(b) < 8 || b[0] != 0xaa || b[1] != 0xaa {
				d.stats.NotIP++
				return
			}
			et, b = binary.BigEndian.Uint16(b[6:]), b[8:]
		case et == etherTrans:
			d.nested(b, depth, d.ethernet)
			return
		default:
			d.stats.NotIP++
			return
		}
	}
	d.stats.Malformed++
}

func (d *Decoder) mpls(b []byte, depth int) {
	for range 16 {
		if len(b) < 5 {
			d.stats.Malformed++
			return
		}
		bottom := b[2]&1 != 0
		b = b[4:]
		if !bottom {
			continue
		}
		switch {
		case b[0]>>4 == 4 || b[0]>>4 == 6:
			d.ip(b, depth)
		case b[0]>>4 == 0 && len(b) > 4: // pseudowire control word
			d.nested(b[4:], depth, d.ethernet)
		default:
			d.stats.NotIP++
		}
		return
	}
	d.stats.Malformed++
}

// nflog finds the packet among the netfilter log's attributes.
func (d *Decoder) nflog(b []byte) {
	if len(b) < 4 {
		d.stats.Malformed++
		return
	}
	for b = b[4:]; len(b) >= 4; {
		// Attributes are in the capturing host's order; a length is small, so
		// the order in which it is small is the right one.
		n, t := int(binary.LittleEndian.Uint16(b)), binary.LittleEndian.Uint16(b[2:])
		if n > len(b) || t > 0xff {
			n, t = int(binary.BigEndian.Uint16(b)), binary.BigEndian.Uint16(b[2:])
		}
		if n < 4 || n > len(b) {
			break
		}
		if t == 9 {
			d.ip(b[4:n], 0)
			return
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	d.stats.Malformed++
}

// nested goes one tunnel deeper, within the bound.
func (d *Decoder) nested(b []byte, depth int, next func([]byte, int)) {
	if depth >= maxNesting {
		d.stats.Malformed++
		return
	}
	next(b, depth+1)
}
