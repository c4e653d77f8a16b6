package exchange

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/netip"
	"strconv"
	"unicode/utf8"
)

// HAREncoder writes exchanges as HAR 1.2 entries with our extensions. Bodies
// lose their content coding and appear as text, or as base64 when they are no
// UTF-8. What HAR cannot carry: the form of the request target (absolute form
// becomes origin form), a '#' in it (written %23), the content coding itself.
// The zero value is ready; one encoder serves one goroutine.
type HAREncoder struct {
	Limit int // cap of a decoded body; 0 means DefaultBodyLimit
	body  []byte
}

// Append adds one entry on one line, without a line end.
func (e *HAREncoder) Append(dst []byte, x *Exchange) []byte {
	dst = append(dst, '{')
	if len(x.ID) > 0 {
		dst = appendMember(dst, `"_id":`, x.ID)
		dst = append(dst, ',')
	}
	if len(x.Site) > 0 {
		dst = appendMember(dst, `"_site":`, x.Site)
		dst = append(dst, ',')
	}
	if len(x.Sensor) > 0 {
		dst = appendMember(dst, `"_source":`, x.Sensor)
		dst = append(dst, ',')
	}
	dst = append(dst, `"startedDateTime":"`...)
	dst = appendTime(dst, x.Start)
	dst = append(dst, `","time":`...)
	elapsed := max(x.End-x.Start, 0)
	dst = appendMilliseconds(dst, elapsed)
	dst = e.appendClient(dst, x)
	if x.Server.IsValid() {
		dst = append(dst, `,"serverIPAddress":"`...)
		dst = x.Server.Addr().WithZone("").AppendTo(dst)
		dst = append(dst, `","_server":`...)
		dst = appendEndpoint(dst, x.Server)
		dst = append(dst, '}')
	}
	var reqMissing, respMissing int64
	dst, reqMissing = e.appendRequest(dst, x)
	dst, respMissing = e.appendResponse(dst, x)
	if reqMissing > 0 || respMissing > 0 {
		dst = append(dst, `,"_truncated":{"request":`...)
		dst = strconv.AppendInt(dst, reqMissing, 10)
		dst = append(dst, `,"response":`...)
		dst = strconv.AppendInt(dst, respMissing, 10)
		dst = append(dst, '}')
	}
	if x.Part > 0 {
		dst = append(dst, `,"_part":`...)
		dst = strconv.AppendUint(dst, uint64(x.Part), 10)
	}
	dst = appendMessages(dst, x.Messages)
	dst = append(dst, `,"cache":{},"timings":{"send":0,"wait":`...)
	dst = appendMilliseconds(dst, elapsed)
	return append(dst, `,"receive":0}}`...)
}

func (e *HAREncoder) appendClient(dst []byte, x *Exchange) []byte {
	// An empty tls object says "secure" where no URL can.
	tls := len(x.JA4) > 0 || len(x.SNI) > 0 || len(x.TLSVersion) > 0 || x.Secure && len(x.Host) == 0
	if !x.Client.IsValid() && !tls && len(x.H2) == 0 {
		return dst
	}
	dst = append(dst, `,"_client":`...)
	if x.Client.IsValid() {
		dst = appendEndpoint(dst, x.Client)
	} else {
		dst = append(dst, '{')
	}
	comma := x.Client.IsValid()
	sep := func() {
		if comma {
			dst = append(dst, ',')
		}
		comma = true
	}
	if tls {
		sep()
		dst = append(dst, `"tls":{`...)
		comma = false
		if len(x.JA4) > 0 {
			sep()
			dst = appendMember(dst, `"ja4":`, x.JA4)
		}
		if len(x.SNI) > 0 {
			sep()
			dst = appendMember(dst, `"sni":`, x.SNI)
		}
		if len(x.TLSVersion) > 0 {
			sep()
			dst = appendMember(dst, `"version":`, x.TLSVersion)
		}
		dst = append(dst, '}')
		comma = true
	}
	if len(x.H2) > 0 {
		sep()
		dst = appendMember(dst, `"h2":`, x.H2)
	}
	return append(dst, '}')
}

// appendEndpoint leaves the object open.
func appendEndpoint(dst []byte, a netip.AddrPort) []byte {
	dst = append(dst, `{"ip":"`...)
	dst = a.Addr().WithZone("").AppendTo(dst)
	dst = append(dst, `","port":`...)
	return strconv.AppendUint(dst, uint64(a.Port()), 10)
}

func (e *HAREncoder) appendRequest(dst []byte, x *Exchange) ([]byte, int64) {
	m := &x.Request
	dst = appendMember(dst, `,"request":{"method":`, x.Method)
	dst = append(dst, `,"url":"`...)
	dst = appendURL(dst, x)
	dst = append(dst, `","httpVersion":"`...)
	dst = append(dst, protoName(x.Proto)...)
	dst = append(dst, `","cookies":[],"headers":`...)
	dst, size := appendHeaders(dst, m.Header)
	if x.Caps&(CapRequestHeaders|CapHeaderOrder) == CapRequestHeaders {
		dst = append(dst, `,"_unordered":true`...)
	}
	dst = appendUnknown(dst, m.Unknown)
	dst = appendTrailers(dst, m.Trailer)
	dst = append(dst, `,"queryString":[]`...)
	missing := m.Truncated
	if x.Caps&CapRequestBody != 0 && len(m.Body) > 0 {
		body, cut, comment := e.plainBody(m)
		missing += cut
		dst = appendMember(dst, `,"postData":{"mimeType":`, m.Get("content-type"))
		dst = appendBody(dst, body, comment)
		dst = append(dst, '}')
	}
	if x.Caps&CapRequestHeaders == 0 {
		size = -1
	} else {
		size += len(x.Method) + len(x.Target) + len(" HTTP/1.1 \r\n\r\n")
	}
	bodySize := m.BodySize
	if x.Caps&CapRequestBody == 0 {
		bodySize = -1
	} else if bodySize < 0 {
		bodySize = int64(len(m.Body)) + m.Truncated
	}
	return appendSizes(dst, size, bodySize), missing
}

func (e *HAREncoder) appendResponse(dst []byte, x *Exchange) ([]byte, int64) {
	m := &x.Response
	if x.Status == 0 {
		return append(dst, `,"response":{"status":0,"statusText":"","httpVersion":"","cookies":[],"headers":[],"content":{"size":0,"mimeType":""},"redirectURL":"","headersSize":-1,"bodySize":-1}`...), 0
	}
	dst = append(dst, `,"response":{"status":`...)
	dst = strconv.AppendInt(dst, int64(x.Status), 10)
	dst = appendMember(dst, `,"statusText":`, x.Reason)
	dst = append(dst, `,"httpVersion":"`...)
	dst = append(dst, protoName(x.Proto)...)
	dst = append(dst, `","cookies":[],"headers":`...)
	dst, size := appendHeaders(dst, m.Header)
	dst = appendUnknown(dst, m.Unknown)
	dst = appendTrailers(dst, m.Trailer)
	dst = append(dst, `,"content":{"size":`...)
	missing := m.Truncated
	if x.Caps&CapResponseBody == 0 {
		dst = appendMember(dst, `-1,"mimeType":`, m.Get("content-type"))
	} else {
		body, cut, comment := e.plainBody(m)
		missing += cut
		dst = strconv.AppendInt(dst, int64(len(body))+missing, 10)
		dst = appendMember(dst, `,"mimeType":`, m.Get("content-type"))
		if len(body) > 0 || missing == 0 {
			dst = appendBody(dst, body, comment)
		} else if comment != "" {
			dst = append(append(append(dst, `,"comment":"`...), comment...), '"')
		}
	}
	dst = appendMember(dst, `},"redirectURL":`, m.Get("location"))
	if x.Caps&CapResponseHeaders == 0 {
		size = -1
	} else {
		size += len("HTTP/1.1 200 \r\n\r\n") + len(x.Reason)
	}
	bodySize := m.BodySize
	if bodySize < 0 && x.Caps&CapResponseBody != 0 {
		bodySize = int64(len(m.Body)) + m.Truncated
	}
	return appendSizes(dst, size, bodySize), missing
}

// appendUnknown notes how many headers were sent besides those that follow.
func appendUnknown(dst []byte, n int) []byte {
	if n > 0 {
		dst = append(dst, `,"_unknownHeaders":`...)
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	return dst
}

func appendSizes(dst []byte, headers int, body int64) []byte {
	dst = append(dst, `,"headersSize":`...)
	dst = strconv.AppendInt(dst, int64(headers), 10)
	dst = append(dst, `,"bodySize":`...)
	dst = strconv.AppendInt(dst, max(body, -1), 10)
	return append(dst, '}')
}

// plainBody gives the body without content coding. A body that cannot be
// decoded and is no text is left out and counted as missing: an entry's body
// is decoded by definition.
func (e *HAREncoder) plainBody(m *Message) (body []byte, missing int64, comment string) {
	body, missing, err := DecodeBody(e.body[:0], m, e.Limit)
	if cap(body) > cap(e.body) && len(m.Body) > 0 && len(body) > 0 && &body[0] != &m.Body[0] {
		e.body = body[:0]
	}
	switch {
	case err == nil:
		return body, missing, ""
	case errors.Is(err, ErrCodingUnsupported), errors.Is(err, ErrCodings), len(body) == 0:
		if !utf8.Valid(m.Body) {
			return nil, int64(len(m.Body)), err.Error()
		}
	}
	return body, missing, err.Error()
}

// appendBody writes text, encoding and comment of a body.
func appendBody(dst, body []byte, comment string) []byte {
	if utf8.Valid(body) {
		dst = appendMember(dst, `,"text":`, body)
	} else {
		dst = append(dst, `,"encoding":"base64","text":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, body)
		dst = append(dst, '"')
	}
	if comment != "" {
		dst = append(append(append(dst, `,"comment":"`...), comment...), '"')
	}
	return dst
}

func appendHeaders(dst []byte, fields []Field) ([]byte, int) {
	dst = append(dst, '[')
	size := 0
	for i := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendMember(dst, `{"name":`, fields[i].Name)
		dst = appendMember(dst, `,"value":`, fields[i].Value)
		dst = append(dst, '}')
		size += len(fields[i].Name) + len(fields[i].Value) + len(": \r\n")
	}
	return append(dst, ']'), size
}

// appendTrailers writes what HAR has no place for: gRPC tells there how a call
// ended.
func appendTrailers(dst []byte, fields []Field) []byte {
	if len(fields) > 0 {
		dst, _ = appendHeaders(append(dst, `,"_trailers":`...), fields)
	}
	return dst
}

// appendURL writes the request's URL as the content of a JSON string. Host
// comes from the network; what would end an authority early is escaped.
func appendURL(dst []byte, x *Exchange) []byte {
	target := x.Target
	if i := bytes.Index(target, []byte("://")); i > 0 && (EqualFold(target[:i], "http") || EqualFold(target[:i], "https")) {
		return appendURLText(dst, target, "")
	}
	connect := string(x.Method) == "CONNECT" && (len(target) == 0 || target[0] != '/') // with a path it opens a WebSocket in HTTP/2
	if len(x.Host) > 0 || connect {
		if x.Secure {
			dst = append(dst, "https://"...)
		} else {
			dst = append(dst, "http://"...)
		}
		if connect {
			return appendURLText(dst, target, "/?@\\ ")
		}
		dst = appendURLText(dst, x.Host, "/?@\\ ")
		if string(target) == "*" && string(x.Method) == "OPTIONS" {
			return dst
		}
	}
	if len(target) == 0 || target[0] != '/' && (string(target) != "*" || len(x.Host) > 0) {
		dst = append(dst, '/')
	}
	return appendURLText(dst, target, "")
}

func appendURLText(dst, s []byte, escape string) []byte {
	for len(s) > 0 {
		i := 0
		for i < len(s) && s[i] != '#' && (escape == "" || bytes.IndexByte([]byte(escape), s[i]) < 0) {
			i++
		}
		dst = appendJSONText(dst, s[:i])
		if i < len(s) {
			dst = append(dst, '%', upperHex[s[i]>>4], upperHex[s[i]&15])
			i++
		}
		s = s[i:]
	}
	return dst
}

func protoName(p uint8) string {
	switch p {
	case 9:
		return "HTTP/0.9"
	case 10:
		return "HTTP/1.0"
	case 11:
		return "HTTP/1.1"
	case 20:
		return "HTTP/2.0"
	case 30:
		return "HTTP/3.0"
	}
	return "unknown"
}

// appendMilliseconds writes ns as milliseconds, exactly.
func appendMilliseconds(dst []byte, ns int64) []byte {
	dst = strconv.AppendInt(dst, ns/1e6, 10)
	if rest := ns % 1e6; rest > 0 {
		dst = append(dst, '.')
		for div := int64(1e5); rest > 0; div /= 10 {
			dst = append(dst, byte('0'+rest/div))
			rest %= div
		}
	}
	return dst
}

func appendMember(dst []byte, name string, s []byte) []byte {
	dst = append(append(dst, name...), '"')
	return append(appendJSONText(dst, s), '"')
}

const lowerHex = "0123456789abcdef"

// appendJSONText writes the content of a JSON string. A byte that is no UTF-8
// becomes the lone surrogate \udc80…\udcff, which the decoder turns back.
func appendJSONText(dst, s []byte) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			if r, n := utf8.DecodeRune(s[i:]); r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = append(dst, '\\', 'u', 'd', 'c', lowerHex[c>>4], lowerHex[c&15])
		} else if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		} else {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', lowerHex[c>>4], lowerHex[c&15])
			}
		}
		i++
		start = i
	}
	return append(dst, s[start:]...)
}
