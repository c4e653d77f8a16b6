package wire

import "encoding/binary"

// udp looks for tunnels on their registered ports, and for QUIC; everything
// else over UDP cannot hold HTTP that is readable here.
func (d *Decoder) udp(a addrs, b []byte, depth int) {
	if len(b) < 8 {
		d.stats.Malformed++
		return
	}
	sp, dp := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	p := b[8:]
	either := func(port uint16) bool { return sp == port || dp == port }
	switch {
	case dp == 4789 || dp == 8472: // VXLAN
		if len(p) > 8 && p[0]&0x08 != 0 {
			d.nested(p[8:], depth, d.ethernet)
			return
		}
	case dp == 6081: // GENEVE
		if len(p) > 8 && p[0]>>6 == 0 {
			if n := 8 + int(p[0]&0x3f)*4; n < len(p) && depth < maxNesting {
				d.payload(binary.BigEndian.Uint16(p[2:]), p[n:], depth+1)
				return
			}
		}
	case dp == 4754: // GRE in UDP
		d.gre(p, depth)
		return
	case dp == 2152: // GTP-U
		if d.gtp(p, depth) {
			return
		}
	case either(5072): // AYIYA
		if len(p) > 8 {
			// ID length is a power of two in the high nibble, the signature
			// length in words in the next byte.
			n := 8 + 1<<(p[0]>>4) + int(p[1]>>4)*4
			if next := p[3]; n < len(p) && (next == protoIPv6 || next == protoIPIP) {
				d.nested(p[n:], depth, d.ip)
				return
			}
		}
	case either(3544): // Teredo
		if len(p) >= 4 && p[0] == 0 && p[1] == 1 { // authentication
			p = p[min(len(p), 13+int(p[2])+int(p[3])):]
		}
		if len(p) >= 8 && p[0] == 0 && p[1] == 0 { // origin
			p = p[8:]
		}
		if len(p) >= 40 && p[0]>>4 == 6 {
			d.nested(p, depth, d.ip)
			return
		}
	case either(443):
		d.quic(a, sp, dp, p)
	case teredo(p): // between the peers themselves, on any port
		d.nested(p, depth, d.ip)
		return
	}
	d.stats.NotTCP++
}

// teredo reports an IPv6 packet that exactly fills p and has an address of the
// Teredo prefix 2001:0::/32.
func teredo(p []byte) bool {
	return len(p) > 40 && p[0]>>4 == 6 && int(binary.BigEndian.Uint16(p[4:])) == len(p)-40 &&
		(binary.BigEndian.Uint32(p[8:]) == 0x20010000 || binary.BigEndian.Uint32(p[24:]) == 0x20010000)
}

func (d *Decoder) gtp(p []byte, depth int) bool {
	if len(p) < 9 || p[0]>>5 != 1 || p[0]&0x10 == 0 || p[1] != 0xff {
		return false
	}
	n := 8
	if p[0]&7 != 0 {
		n = 12
		if len(p) < n {
			return false
		}
		for next := p[11]; p[0]&4 != 0 && next != 0; {
			if n >= len(p) || p[n] == 0 || n+int(p[n])*4 > len(p) {
				return false
			}
			n += int(p[n]) * 4
			next = p[n-1]
		}
	}
	if n >= len(p) || (p[n]>>4 != 4 && p[n]>>4 != 6) {
		return false
	}
	d.nested(p[n:], depth, d.ip)
	return true
}

func (d *Decoder) gre(b []byte, depth int) {
	if len(b) < 4 || b[1]&7 > 1 || depth >= maxNesting {
		d.stats.NotTCP++
		return
	}
	n := 4
	for _, bit := range [...]byte{0x80, 0x20, 0x10} { // checksum, key, sequence
		if b[0]&bit != 0 {
			n += 4
		}
	}
	if b[1]&7 == 1 && b[1]&0x80 != 0 { // PPTP's acknowledgement
		n += 4
	}
	if n >= len(b) {
		d.stats.NotTCP++
		return
	}
	et := binary.BigEndian.Uint16(b[2:])
	switch et {
	case 0x88be: // ERSPAN: type II has 8 bytes when a sequence number is present
		if b[0]&0x10 != 0 {
			n += 8
		}
	case 0x22eb: // ERSPAN type III
		n += 12
		if n <= len(b) && b[n-1]&1 != 0 {
			n += 8
		}
	case 0x880b: // PPP
		p := b[n:]
		if len(p) > 4 && p[0] == 0xff && p[1] == 3 {
			p = p[2:]
		}
		if len(p) > 2 && p[0] == 0 && (p[1] == 0x21 || p[1] == 0x57) {
			d.ip(p[2:], depth+1)
			return
		}
		d.stats.NotTCP++
		return
	default:
		d.payload(et, b[n:], depth+1)
		return
	}
	if n < len(b) {
		d.ethernet(b[n:], depth+1)
	}
}
