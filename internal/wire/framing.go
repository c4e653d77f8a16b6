package wire

import "xiezhi/internal/exchange"

// framing is what a head says about the length of its body and about what
// comes after it.
type framing struct {
	length    int64 // Content-Length, -1 none
	chunked   bool
	coded     bool // a transfer coding is named, chunked is not the last
	badLength bool // length fields that are no numbers or contradict each other
	expect    bool // Expect: 100-continue
	upgrade   bool
	kind      bodyKind
}

type bodyKind uint8

const (
	bodyNone bodyKind = iota
	bodyLength
	bodyChunked
	bodyClose // until the connection ends
)

// read takes the framing fields out of a complete head in b.
func (m *message) read(b []byte) {
	m.length = -1
	for i := range m.fields {
		r := &m.fields[i]
		name := b[r.name:r.nameEnd]
		switch len(name) {
		case 6:
			if exchange.EqualFold(name, "expect") {
				m.expect = exchange.EqualFold(b[r.value:r.valueEnd], "100-continue")
			}
		case 7:
			if exchange.EqualFold(name, "upgrade") {
				m.upgrade = true
			}
		case 14:
			if exchange.EqualFold(name, "content-length") {
				m.contentLength(b[r.value:r.valueEnd])
			}
		case 17:
			if exchange.EqualFold(name, "transfer-encoding") {
				m.transferEncoding(b[r.value:r.valueEnd])
			}
		}
	}
}

// contentLength accepts repeated equal values, as one field or several.
func (m *message) contentLength(v []byte) {
	for len(v) > 0 {
		var part []byte
		part, v = element(v)
		n := int64(-1)
		if len(part) > 0 && len(part) <= 18 {
			n = 0
			for _, c := range part {
				if !digit(c) {
					n = -1
					break
				}
				n = n*10 + int64(c-'0')
			}
		}
		switch {
		case n < 0:
			m.badLength = true
		case m.length < 0:
			m.length = n
		case m.length != n:
			m.badLength = true // the first one stands
		}
	}
}

func (m *message) transferEncoding(v []byte) {
	for len(v) > 0 {
		var part []byte
		part, v = element(v)
		switch {
		case exchange.EqualFold(part, "chunked"):
			m.chunked, m.coded = true, false
		case exchange.EqualFold(part, "identity") || len(part) == 0:
		default:
			m.chunked, m.coded = false, true
		}
	}
}

// element splits off the first element of a comma-separated list.
func element(v []byte) (part, rest []byte) {
	i := 0
	for i < len(v) && v[i] != ',' {
		i++
	}
	part = v[:i]
	if i < len(v) {
		rest = v[i+1:]
	}
	for len(part) > 0 && (part[0] == ' ' || part[0] == '\t') {
		part = part[1:]
	}
	for len(part) > 0 && (part[len(part)-1] == ' ' || part[len(part)-1] == '\t') {
		part = part[:len(part)-1]
	}
	return part, rest
}

// frameRequest decides how long a request's body is (RFC 9112, 6.3). Chunked
// wins over Content-Length, as it does in most servers.
func (m *message) frameRequest() {
	switch {
	case m.chunked:
		m.kind = bodyChunked
	case m.length > 0:
		m.kind = bodyLength
	default:
		m.kind = bodyNone
	}
}

// frameResponse does the same for a response to req, which may be nil.
func (m *message) frameResponse(req *message) {
	s := m.status
	switch {
	case s < 200 || s == 204 || s == 304,
		req != nil && req.is("HEAD"),
		req != nil && req.is("CONNECT") && s < 300:
		m.kind = bodyNone
	case m.chunked:
		m.kind = bodyChunked
	case m.coded:
		m.kind = bodyClose
	case m.length > 0:
		m.kind = bodyLength
	case m.length == 0:
		m.kind = bodyNone
	default:
		m.kind = bodyClose
	}
}

// ambiguous reports length fields on which two readers may differ.
func (m *message) ambiguous() bool {
	return m.badLength || m.coded || m.chunked && m.length >= 0
}

func (m *message) is(method string) bool {
	return string(m.buf[m.methodAt:m.method]) == method
}
