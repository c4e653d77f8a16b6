package identity

import (
	"net/netip"

	"xiezhi/internal/observe"
)

// carrierGrade is the shared address space of carriers (RFC 6598): reachable
// from nowhere else, so an address in it is not public.
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// clientOf walks from the peer towards the client as long as the hop that
// vouches for the next one is a trusted proxy. A header that an untrusted peer
// sends is its own invention and is not looked at.
func (r *Resolver) clientOf(o *observe.Observation) netip.Addr {
	addr := o.Client.Addr().Unmap().WithZone("")
	if len(o.Claimed) > 0 && r.trusted(addr) {
		if a := r.claimed(o); a.IsValid() {
			return a
		}
	}
	for i := len(o.Forwarded) - 1; i >= 0 && r.trusted(addr); i-- {
		next := o.Forwarded[i].Unmap().WithZone("")
		if !next.IsValid() {
			break
		}
		addr = next
	}
	return addr
}

// claimed gives the address that a header with the client's address names: one
// that the configuration lists, else any when no header tells the way. Proxies
// pass on headers that they do not know, so what is not configured goes behind
// X-Forwarded-For, to which every proxy adds what it saw itself.
func (r *Resolver) claimed(o *observe.Observation) netip.Addr {
	for _, list := range [...][]string{r.addressHeaders, usualHeaders[:]} {
		for _, h := range list {
			for i := range o.Claimed {
				if c := &o.Claimed[i]; c.Header == h {
					return c.Addr.Unmap().WithZone("")
				}
			}
		}
		if len(o.Forwarded) > 0 {
			break
		}
	}
	return netip.Addr{}
}

// usualHeaders name the client's address, the most reliable first: proxies
// overwrite them with what they see.
var usualHeaders = [...]string{"x-real-ip", "cf-connecting-ip", "true-client-ip", "fastly-client-ip", "fly-client-ip", "ali-cdn-real-ip", "cdn-src-ip", "x-cdn-src-ip", "x-azure-clientip",
	"x-appengine-user-ip", "x-envoy-external-address", "x-cluster-client-ip", "x-client-ip", "wl-proxy-client-ip", "proxy-client-ip"}

func (r *Resolver) trusted(a netip.Addr) bool {
	for _, p := range r.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// network is the block that one subscriber line or rack usually holds.
func network(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

func private(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || carrierGrade.Contains(a)
}

// addressHash is a deterministic hash of an address.
func addressHash(a netip.Addr) uint64 {
	b := a.As16()
	return hashBytes(b[:])
}
