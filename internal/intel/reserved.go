package intel

import (
	"encoding/binary"
	"net/netip"
)

// reserved4 are the special-purpose networks of IPv4 (RFC 6890 and its
// registry): first address and last.
var reserved4 = [...][2]uint32{
	{0x00000000, 0x00ffffff}, // this network
	{0x0a000000, 0x0affffff}, // private
	{0x64400000, 0x647fffff}, // behind carriers' address translation
	{0x7f000000, 0x7fffffff}, // loopback
	{0xa9fe0000, 0xa9feffff}, // link-local
	{0xac100000, 0xac1fffff}, // private
	{0xc0000000, 0xc00000ff}, // protocol assignments
	{0xc0000200, 0xc00002ff}, // documentation
	{0xc0a80000, 0xc0a8ffff}, // private
	{0xc6120000, 0xc613ffff}, // benchmarks
	{0xc6336400, 0xc63364ff}, // documentation
	{0xcb007100, 0xcb0071ff}, // documentation
	{0xe0000000, 0xffffffff}, // multicast and beyond
}

// Reserved reports whether an address has no place on a map: private, of
// documentation, multicast and the like.
func Reserved(a netip.Addr) bool { return reserved(a.Unmap()) }

// LastOf is the last address of a network.
func LastOf(p netip.Prefix) netip.Addr { return lastOf(p) }

// reserved reports whether an address has no place on a map.
func reserved(a netip.Addr) bool {
	if a.Is4() {
		b := a.As4()
		n := binary.BigEndian.Uint32(b[:])
		for i := range reserved4 {
			if n < reserved4[i][0] {
				return false
			}
			if n <= reserved4[i][1] {
				return true
			}
		}
		return false
	}
	b := a.As16()
	switch {
	case b[0]>>5 != 1: // outside 2000::/3
		return true
	case b[0] == 0x20 && b[1] == 0x01:
		// Teredo, benchmarks, documentation.
		return b[2] == 0 && (b[3] == 0 || b[3] == 2) || b[2] == 0x0d && b[3] == 0xb8
	}
	return false
}
