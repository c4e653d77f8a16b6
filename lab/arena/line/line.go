// Package line gives the client addresses of the arena by kind of network.
//
// It takes randomness and a network and gives addresses of public blocks, so
// that a geography has something to tell: clouds, broadband and mobile carriers
// at home, campuses, broadband and clouds abroad. Invariant: the numbers stand
// in generated files only; nothing is ever sent to them, and which of a block's
// addresses is drawn says nothing about whoever holds it. Limits: IPv4.
//
// The blocks were checked against published lists in November 2025:
// operators of China by BGP (gaoyifan/china-operator-ip, MIT), data centres
// (X4BNet/lists_vpn, MIT), ranges that clouds publish (lord-alfred/ipranges).
package line

import (
	"math/rand/v2"
	"net/netip"

	"xiezhi/lab/arena/knob"
)

var blocks = map[knob.Network][]netip.Prefix{
	// Alibaba Cloud, Tencent Cloud, Huawei Cloud.
	knob.DataCentre: prefixes("47.92.0.0/16", "120.24.0.0/16", "43.138.0.0/16", "119.29.0.0/16", "129.204.0.0/16", "111.229.0.0/16", "42.193.0.0/16", "121.36.0.0/16"),
	// China Telecom, China Unicom, China Mobile: lines of homes.
	knob.Residential: prefixes("114.80.0.0/16", "114.84.0.0/16", "180.152.0.0/14", "222.64.0.0/14", "113.64.0.0/14", "113.88.0.0/14", "116.16.0.0/14", "125.64.0.0/14", "117.80.0.0/14",
		"122.224.0.0/14", "123.112.0.0/14", "119.112.0.0/14", "112.224.0.0/14", "119.176.0.0/14", "221.192.0.0/15", "60.0.0.0/14", "183.192.0.0/14", "120.192.0.0/14"),
	// China Mobile's gateways.
	knob.Mobile: prefixes("223.104.0.0/16", "117.136.0.0/16", "39.144.0.0/16"),
	// AWS, Azure, Google, DigitalOcean, Vultr, OVH, Hetzner, Linode.
	knob.AbroadCloud: prefixes("3.208.0.0/14", "54.144.0.0/14", "20.36.0.0/16", "34.64.0.0/14", "159.65.0.0/16", "167.99.0.0/16", "45.32.0.0/16", "51.68.0.0/16", "95.216.0.0/16", "139.162.0.0/16"),
	// Comcast, BT, Deutsche Telekom, Orange, NTT, KT, Viettel, True, Telkom Indonesia.
	knob.AbroadHome: prefixes("73.0.0.0/12", "98.192.0.0/12", "86.128.0.0/12", "79.192.0.0/12", "90.0.0.0/12", "153.128.0.0/12", "175.192.0.0/12", "171.224.0.0/12", "171.96.0.0/14", "36.72.0.0/14"),
}

// campuses are universities' blocks.
var campuses = prefixes("166.111.0.0/16", "162.105.0.0/16", "202.120.0.0/16", "59.66.0.0/16")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func within(r *rand.Rand, p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	n += r.Uint32N(1 << (32 - p.Bits()))
	last := n & 0xff
	if last == 0 || last == 255 {
		n ^= 7
	}
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// Any draws an address of a network.
func Any(r *rand.Rand, n knob.Network) netip.Addr {
	of := blocks[n]
	return within(r, of[r.IntN(len(of))])
}

// Campus draws the exit of a university.
func Campus(r *rand.Rand) netip.Addr { return within(r, campuses[r.IntN(len(campuses))]) }

// Neighbours draws n addresses of one /24, as a rented block has.
func Neighbours(r *rand.Rand, n knob.Network, count int) []netip.Addr {
	base := Any(r, n).As4()
	out := make([]netip.Addr, 0, count)
	for _, last := range r.Perm(253)[:min(count, 253)] {
		base[3] = byte(last + 1)
		out = append(out, netip.AddrFrom4(base))
	}
	return out
}

// Of names the network of an address, "" when it is none of ours; campuses are
// "campus".
func Of(a netip.Addr) knob.Network {
	for n, of := range blocks {
		for _, p := range of {
			if p.Contains(a) {
				return n
			}
		}
	}
	for _, p := range campuses {
		if p.Contains(a) {
			return "campus"
		}
	}
	return ""
}
