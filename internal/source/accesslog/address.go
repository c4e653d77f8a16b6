package accesslog

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// address reads an IP address with or without a port. It allocates nothing.
func address(s []byte) netip.AddrPort {
	if len(s) < 2 || len(s) > 64 {
		return netip.AddrPort{}
	}
	if a, ok := ipv4(s); ok {
		return netip.AddrPortFrom(a, 0)
	}
	// netip's errors allocate, so what cannot be an address is kept from it.
	colons, last := 0, 0
	for i, c := range s {
		switch {
		case c == ':':
			colons, last = colons+1, i
		case c == '.' || hexOrColon(c):
		case c == '[' && i == 0 || c == ']' && s[0] == '[':
		default:
			return netip.AddrPort{} // a zone, too: it would be kept for ever
		}
	}
	if colons == 1 {
		a, ok := ipv4(s[:last])
		port, ok2 := digits(s[last+1:])
		if !ok || !ok2 || len(s)-last < 2 || len(s)-last > 6 || port > 65535 {
			return netip.AddrPort{}
		}
		return netip.AddrPortFrom(a, uint16(port))
	}
	if colons < 2 {
		return netip.AddrPort{}
	}
	text := unsafe.String(&s[0], len(s))
	if s[0] != '[' {
		if a, err := netip.ParseAddr(text); err == nil {
			return netip.AddrPortFrom(a.Unmap(), 0)
		}
	} else if s[len(s)-1] == ']' {
		if a, err := netip.ParseAddr(text[1 : len(text)-1]); err == nil {
			return netip.AddrPortFrom(a.Unmap(), 0)
		}
	} else if a, err := netip.ParseAddrPort(text); err == nil {
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	return netip.AddrPort{}
}

func hexOrColon(c byte) bool { _, ok := hexDigit(c); return ok || c == ':' }

func ipv4(s []byte) (netip.Addr, bool) {
	if len(s) < 7 || len(s) > 15 {
		return netip.Addr{}, false
	}
	var ip [4]byte
	part, digits, v := 0, 0, 0
	for _, c := range s {
		switch {
		case c-'0' <= 9:
			v = v*10 + int(c-'0')
			if digits++; digits > 3 || v > 255 {
				return netip.Addr{}, false
			}
		case c == '.' && digits > 0 && part < 3:
			ip[part] = byte(v)
			part, digits, v = part+1, 0, 0
		default:
			return netip.Addr{}, false
		}
	}
	if part != 3 || digits == 0 {
		return netip.Addr{}, false
	}
	ip[3] = byte(v)
	return netip.AddrFrom4(ip), true
}

// withPort joins an address and a port given apart from it.
func withPort(ip, port []byte) netip.AddrPort {
	a := address(ip)
	if a.IsValid() && a.Port() == 0 && len(port) > 0 && len(port) <= 5 {
		if n, ok := digits(port); ok && n < 1<<16 {
			a = netip.AddrPortFrom(a.Addr(), uint16(n))
		}
	}
	return a
}

// endpoint reads address:port, IPv6 without brackets too.
func endpoint(w []byte) netip.AddrPort {
	i := bytes.LastIndexByte(w, ':')
	if i < 0 {
		return netip.AddrPort{}
	}
	return withPort(bytes.Trim(w[:i], "[]"), w[i+1:])
}
