package envoy

import (
	"net/netip"
	"slices"
	"strings"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source/sensor"
)

// logs takes a StreamAccessLogsMessage.
func (s *Source) takeLogs(b []byte, who sensor.Sensor) (ok bool) {
	f := fields{rest: b}
	for f.next() {
		if f.num != 2 {
			continue // the identifier; connections of TCP are no exchanges
		}
		for e := f.in(); e.next(); {
			if e.num == 1 && !e.cut {
				s.takeLog(e.data, who)
			}
		}
	}
	return !f.bad
}

// takeLog takes an HTTPAccessLogEntry.
func (s *Source) takeLog(b []byte, who sensor.Sensor) {
	s.logs.Add(1)
	r := s.begin(who)
	x := &r.x
	x.Caps = exchange.CapResponse
	x.Request.BodySize, x.Response.BodySize = -1, -1
	final := true
	for f := (fields{rest: b}); f.next(); {
		switch f.num {
		case 1:
			final = r.common(f.data) && final
		case 2: // PROTOCOL_UNSPECIFIED, HTTP10, HTTP11, HTTP2, HTTP3
			x.Proto = [...]uint8{0, 10, 11, 20, 30}[min(f.n, 5)%5]
		case 3:
			r.logRequest(f.data)
		case 4:
			r.logResponse(f.data)
		}
	}
	if !final { // the same exchange is logged again when it has ended
		s.release(r)
		return
	}
	if len(x.Method) == 0 && len(x.Target) == 0 {
		s.broken.Add(1)
		s.release(r)
		return
	}
	if !x.Client.IsValid() {
		x.Client = lastForwarded(r.forwarded)
	}
	s.deliver(r)
}

// common takes an AccessLogCommon; false when the entry is not about the end
// of an exchange with a client.
func (r *record) common(b []byte) bool {
	x := &r.x
	var peer, client netip.AddrPort
	duration := int64(-1)
	for f := (fields{rest: b}); f.next(); {
		switch f.num {
		case 2:
			client = socket(f.data)
		case 3:
			x.Server = socket(f.data)
		case 4:
			r.logTLS(f.data)
		case 5:
			if n, ok := nanoseconds(f.data); ok {
				x.Start = n
			}
		case 12, 23: // until the last byte to the client; until the log was written
			if n, ok := nanoseconds(f.data); ok && (duration < 0 || f.num == 12) {
				duration = n
			}
		case 20:
			peer = socket(f.data)
		case 22:
			if name, value := pair(f.data); strings.EqualFold(string(name), "ja4") {
				x.JA4 = r.text(value[:min(len(value), 64)])
				x.Caps |= exchange.CapTLS
			}
		case 26:
			r.unique = r.text(f.data)
		case 27:
			if f.n != 0 {
				return false
			}
		case 33:
			switch f.n {
			case 4, 5, 7, 8, 9: // begun, going on; of the upstream
				return false
			}
		}
	}
	x.End = x.Start + max(duration, 0)
	// the peer, whatever Envoy believes of X-Forwarded-For: that is for us to judge
	if x.Client = peer; !peer.IsValid() {
		x.Client = client
	}
	if x.Client.IsValid() {
		x.Caps |= exchange.CapClientAddr
	}
	return true
}

// socket reads an Address.
func socket(b []byte) netip.AddrPort {
	var text []byte
	var port uint64
	for f := (fields{rest: b}); f.next(); {
		if f.num != 1 {
			continue
		}
		for s := f.in(); s.next(); {
			switch s.num {
			case 2:
				text = s.data
			case 3:
				port = s.n
			}
		}
	}
	a, err := netip.ParseAddr(string(text[:min(len(text), 64)]))
	if err != nil || port > 65535 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(port))
}

// logTLS takes TLSProperties.
func (r *record) logTLS(b []byte) {
	x := &r.x
	for f := (fields{rest: b}); f.next(); {
		switch f.num {
		case 1:
			if f.n > 0 && f.n <= 4 {
				x.Secure = true
				x.TLSVersion = r.text([]byte([...]string{"TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"}[f.n-1]))
			}
		case 3:
			x.SNI = r.text(f.data)
		}
	}
}

var logMethods = [...]string{"", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

// logRequest takes HTTPRequestProperties.
func (r *record) logRequest(b []byte) {
	x := &r.x
	var path, original []byte
	add := func(name string, value []byte) {
		if len(value) > 0 {
			x.Request.Header = append(x.Request.Header, exchange.Field{Name: r.text([]byte(name)), Value: r.text(value)})
		}
	}
	for f := (fields{rest: b}); f.next(); {
		switch f.num {
		case 1:
			if f.n < uint64(len(logMethods)) {
				x.Method = r.text([]byte(logMethods[f.n]))
			}
		case 2:
			x.Secure = x.Secure || string(f.data) == "https"
		case 3:
			x.Host = r.text(f.data)
		case 5:
			path = f.data
		case 6:
			add("user-agent", f.data)
		case 7:
			add("referer", f.data)
		case 8:
			add("x-forwarded-for", f.data)
			r.forwarded = r.text(f.data)
		case 9:
			add("x-request-id", f.data)
			if r.unique == nil {
				r.unique = r.text(f.data)
			}
		case 10:
			original = f.data
		case 12:
			x.Request.BodySize = int64(min(f.n, 1<<62))
		case 13:
			r.logField(&x.Request.Header, f.data)
		}
	}
	if len(original) > 0 { // before Envoy rewrote it
		path = original
	}
	x.Target = r.text(path)
	sortFields(x.Request.Header)
}

// logResponse takes HTTPResponseProperties.
func (r *record) logResponse(b []byte) {
	x := &r.x
	for f := (fields{rest: b}); f.next(); {
		switch f.num {
		case 1:
			if n := wrapped(f.data); n >= 100 && n <= 999 {
				x.Status = int(n)
			}
		case 3:
			x.Response.BodySize = int64(min(f.n, 1<<62))
		case 4:
			r.logField(&x.Response.Header, f.data)
		case 5:
			r.logField(&x.Response.Trailer, f.data)
		}
	}
	sortFields(x.Response.Header)
	sortFields(x.Response.Trailer)
}

// logField takes a field that the log's configuration names; a second one of a
// name says the same.
func (r *record) logField(list *[]exchange.Field, entry []byte) {
	name, value := pair(entry)
	if len(name) == 0 || name[0] == ':' || len(*list) >= maxHeaders {
		return
	}
	for _, f := range *list {
		if string(f.Name) == string(name) {
			return
		}
	}
	*list = append(*list, exchange.Field{Name: r.text(name), Value: r.text(value)})
}

// sortFields gives fields that come from a map one order.
func sortFields(list []exchange.Field) {
	slices.SortStableFunc(list, func(a, b exchange.Field) int { return strings.Compare(string(a.Name), string(b.Name)) })
}
