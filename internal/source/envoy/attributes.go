package envoy

import (
	"bytes"
	"net/netip"
	"strconv"
	"time"

	"xiezhi/internal/exchange"
)

// attributes takes what request_attributes asked for: a Struct under the
// filter's name.
func (r *record) attributes(entry []byte) {
	_, value := pair(entry)
	for f := (fields{rest: value}); f.next(); {
		if f.num == 1 {
			name, v := pair(f.data)
			r.attribute(name, v)
		}
	}
}

// attribute takes one attribute: a Value.
func (r *record) attribute(name, value []byte) {
	var text []byte
	for f := (fields{rest: value}); f.next(); {
		if f.num == 3 {
			text = f.data
		}
	}
	if len(text) == 0 {
		return
	}
	x := &r.x
	switch string(name) {
	case "source.address":
		if a := address(text); a.IsValid() {
			x.Client = a
			x.Caps |= exchange.CapClientAddr
		}
	case "destination.address":
		x.Server = address(text)
	case "request.id":
		r.unique = r.text(text)
	case "request.protocol":
		x.Proto = protocol(text)
	case "request.scheme":
		x.Secure = string(text) == "https"
	case "request.time":
		if t, err := time.Parse(time.RFC3339Nano, string(text[:min(len(text), 64)])); err == nil && t.Before(time.Unix(0, x.Start)) && t.After(time.Unix(0, x.Start).Add(-maxAge)) {
			x.Start = t.UnixNano()
		}
	case "connection.tls_version":
		x.Secure = true
		x.TLSVersion = r.text(text)
	case "connection.requested_server_name":
		x.Secure = true
		x.SNI = r.text(text)
	}
}

// maxAge is how long before its headers came a request may have begun; a clock
// that is further off is not believed.
const maxAge = time.Hour

// address reads "192.0.2.1:80" or "[2001:db8::1]:80".
func address(b []byte) netip.AddrPort {
	a, err := netip.ParseAddrPort(string(b[:min(len(b), 80)]))
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// protocol reads HTTP/1.1, HTTP/2 and the like.
func protocol(b []byte) uint8 {
	v, ok := bytes.CutPrefix(b, []byte("HTTP/"))
	if !ok {
		return 0
	}
	major, minor, _ := bytes.Cut(v, []byte("."))
	if len(major) != 1 || len(minor) > 1 {
		return 0
	}
	n, err := strconv.Atoi(string(major) + string(minor))
	if err != nil {
		return 0
	}
	if len(minor) == 0 {
		n *= 10
	}
	switch n {
	case 9, 10, 11, 20, 30:
		return uint8(n)
	}
	return 0
}
