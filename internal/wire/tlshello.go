package wire

import "encoding/binary"

const maxHello = 16 << 10

// inHello collects the client's first handshake message for its server name.
func (d *Decoder) inHello(f *flow, dir int, b []byte) {
	h := &f.h[dir]
	m := h.cur
	if m == nil {
		m = d.newMessage()
		h.cur = m
	}
	b = b[:min(len(b), maxHello-len(m.buf))]
	m.buf = append(m.buf, b...)
	d.kept += int64(len(b))
	if sni, version, ok := clientHello(m.buf); ok || len(m.buf) >= maxHello {
		f.sni, f.tlsVersion = sni, version
		d.endHello(f, dir)
	}
}

func (d *Decoder) endHello(f *flow, dir int) {
	h := &f.h[dir]
	if h.cur != nil {
		d.freeMessage(h.cur)
		h.cur = nil
	}
	h.state = sOpaque
}

// clientHello reads server name and highest offered version. ok is false while
// the message is incomplete; what is no ClientHello at all is complete.
func clientHello(b []byte) (sni string, version uint16, ok bool) {
	// A handshake message may be spread over several records.
	var hs []byte
	need := 4
	for len(b) >= 5 {
		if b[0] != 22 || b[1] != 3 {
			return "", 0, true
		}
		n := int(binary.BigEndian.Uint16(b[3:]))
		if n == 0 {
			return "", 0, true
		}
		whole := len(b) >= 5+n
		rec := b[5:min(len(b), 5+n)]
		if hs == nil {
			hs = rec[:len(rec):len(rec)]
		} else {
			hs = append(hs, rec...)
		}
		if len(hs) >= 4 {
			if hs[0] != 1 {
				return "", 0, true
			}
			need = 4 + int(hs[1])<<16 + int(hs[2])<<8 + int(hs[3])
		}
		if len(hs) >= need || !whole {
			break
		}
		b = b[5+n:]
	}
	if len(hs) < 4 || len(hs) < need {
		return "", 0, false
	}
	sni, version = helloBody(hs[4:need])
	return sni, version, true
}

func helloBody(b []byte) (sni string, version uint16) {
	if len(b) < 35 {
		return "", 0
	}
	version = binary.BigEndian.Uint16(b)
	b = b[34:]
	for _, width := range [...]int{1, 2, 1} { // session id, cipher suites, compression
		if len(b) < width {
			return "", version
		}
		n := int(b[0])
		if width == 2 {
			n = int(binary.BigEndian.Uint16(b))
		}
		if b = b[width:]; len(b) < n {
			return "", version
		}
		b = b[n:]
	}
	if len(b) < 2 {
		return "", version
	}
	for b = b[2:]; len(b) >= 4; {
		t, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if b = b[4:]; len(b) < n {
			break
		}
		e := b[:n]
		b = b[n:]
		switch t {
		case 0:
			if len(e) >= 5 && e[2] == 0 {
				if l := int(binary.BigEndian.Uint16(e[3:])); 5+l <= len(e) {
					sni = hostName(e[5 : 5+l])
				}
			}
		case 43:
			if len(e) == 0 {
				continue
			}
			for v := e[1:]; len(v) >= 2; v = v[2:] {
				if x := binary.BigEndian.Uint16(v); x >= 0x0301 && x <= 0x0304 && x > version {
					version = x // the rest is GREASE
				}
			}
		}
	}
	return sni, version
}

// hostName returns b if it looks like a host name; anything else is not shown.
func hostName(b []byte) string {
	if len(b) == 0 || len(b) > 253 {
		return ""
	}
	for _, c := range b {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || digit(c) || c == '.' || c == '-' || c == '_') {
			return ""
		}
	}
	return string(b)
}
