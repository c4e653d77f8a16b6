package outbound

import "net/netip"

// inner are the networks that no setting leads to by itself: the special-purpose
// registries of IANA without what is anycast for everybody.
var inner = func() (list []netip.Prefix) {
	for _, s := range [...]string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
		"64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// Networks of IPv6 whose addresses carry one of IPv4, and where.
var carrying = [...]struct {
	net netip.Prefix
	at  int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4
	{netip.MustParsePrefix("::/96"), 12},        // IPv4-compatible, with :: and ::1
}

// Inner reports whether an address lies inside, or is none.
func Inner(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() {
		return true
	}
	if a.Is6() {
		b := a.As16()
		for _, c := range carrying {
			if c.net.Contains(a) {
				return Inner(netip.AddrFrom4([4]byte(b[c.at : c.at+4])))
			}
		}
	}
	for _, p := range inner {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
