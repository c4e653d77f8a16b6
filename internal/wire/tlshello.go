package wire

import "encoding/binary"

const (
	extServerName = 0
	extSignatures = 13
	extALPN       = 16
	extTicket     = 35
	extEarlyData  = 42
	extVersions   = 43

	maxHello = 16 << 10 // bytes of a handshake message that is read
)

// clientHello is what a ClientHello tells. The lists belong to the Decoder and
// are valid until the next one is read.
type clientHello struct {
	random  [32]byte
	legacy  uint16 // version field of the message
	version uint16 // highest offered
	sni     string
	named   bool // a server name is there, whatever it looks like
	early   bool // 0-RTT data may follow
	whole   bool // every part had the length it claimed

	ciphers, extensions, signatures []uint16
	alpn                            []byte // the first protocol offered
	session, ticket                 []byte // to be resumed
	hasVersions                     bool
}

// read takes the body of the handshake message. It says false when b holds no
// random; of what is broken further on, the part before the break counts.
func (c *clientHello) read(b []byte) bool {
	*c = clientHello{ciphers: c.ciphers[:0], extensions: c.extensions[:0], signatures: c.signatures[:0]}
	if len(b) < 34 {
		return false
	}
	c.legacy = binary.BigEndian.Uint16(b)
	c.version = c.legacy
	copy(c.random[:], b[2:])
	b = b[34:]
	var ok bool
	if c.session, b, ok = prefixed(b, 1); !ok {
		return true
	}
	var list []byte
	if list, b, ok = prefixed(b, 2); !ok {
		return true
	}
	c.ciphers = appendCodes(c.ciphers, list)
	if _, b, ok = prefixed(b, 1); !ok { // compression
		return true
	}
	if len(b) == 0 {
		c.whole = true // no extensions at all
		return true
	}
	list, b, ok = prefixed(b, 2)
	c.whole = ok && len(b) == 0
	for len(list) >= 4 {
		t := binary.BigEndian.Uint16(list)
		var e []byte
		if e, list, ok = prefixed(list[2:], 2); !ok {
			c.whole = false
			return true
		}
		c.extension(t, e)
	}
	c.whole = c.whole && len(list) == 0
	return true
}

func (c *clientHello) extension(t uint16, e []byte) {
	if grease(t) {
		return
	}
	c.extensions = append(c.extensions, t)
	switch t {
	case extServerName:
		c.named = true
		if len(e) >= 5 && e[2] == 0 {
			if l := int(binary.BigEndian.Uint16(e[3:])); 5+l <= len(e) {
				c.sni = hostName(e[5 : 5+l])
			}
		}
	case extALPN:
		if list, _, ok := prefixed(e, 2); ok {
			c.alpn, _, _ = prefixed(list, 1)
		}
	case extSignatures:
		if list, _, ok := prefixed(e, 2); ok {
			c.signatures = appendCodes(c.signatures[:0], list)
		}
	case extTicket:
		c.ticket = e
	case extEarlyData:
		c.early = true
	case extVersions:
		if len(e) == 0 {
			return
		}
		highest := uint16(0)
		for v := e[1:]; len(v) >= 2; v = v[2:] {
			if x := binary.BigEndian.Uint16(v); !grease(x) {
				highest = max(highest, x)
				if x >= 0x0301 && x <= 0x0304 && x > c.version {
					c.version = x
				}
			}
		}
		if highest > 0 {
			c.legacy, c.hasVersions = highest, true
		}
	}
}

// prefixed splits off what follows a length of width bytes.
func prefixed(b []byte, width int) (part, rest []byte, ok bool) {
	if len(b) < width {
		return nil, nil, false
	}
	n := 0
	for _, c := range b[:width] {
		n = n<<8 | int(c)
	}
	if b = b[width:]; len(b) < n {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// appendCodes adds 16-bit codes without the values of GREASE (RFC 8701).
func appendCodes(list []uint16, b []byte) []uint16 {
	for ; len(b) >= 2; b = b[2:] {
		if v := binary.BigEndian.Uint16(b); !grease(v) {
			list = append(list, v)
		}
	}
	return list
}

func grease(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }

// serverHello is what a ServerHello tells.
type serverHello struct {
	random  [32]byte
	version uint16
	suite   uint16
	session []byte
	retry   bool // HelloRetryRequest
}

// helloRetry is the random that marks a HelloRetryRequest (RFC 8446, 4.1.3).
var helloRetry = [32]byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

func (s *serverHello) read(b []byte) bool {
	*s = serverHello{}
	if len(b) < 35 {
		return false
	}
	s.version = binary.BigEndian.Uint16(b)
	copy(s.random[:], b[2:])
	session, b, ok := prefixed(b[34:], 1)
	s.session = session
	if !ok || len(b) < 3 {
		return false
	}
	s.suite = binary.BigEndian.Uint16(b)
	s.retry = s.random == helloRetry
	list, _, _ := prefixed(b[3:], 2)
	for len(list) >= 4 {
		t := binary.BigEndian.Uint16(list)
		var e []byte
		if e, list, ok = prefixed(list[2:], 2); !ok {
			break
		}
		if t == extVersions && len(e) == 2 {
			s.version = binary.BigEndian.Uint16(e)
		}
	}
	return true
}

// hasExtension looks for an extension in the body of EncryptedExtensions.
func hasExtension(b []byte, want uint16) bool {
	list, _, _ := prefixed(b, 2)
	for len(list) >= 4 {
		t := binary.BigEndian.Uint16(list)
		if t == want {
			return true
		}
		var ok bool
		if _, list, ok = prefixed(list[2:], 2); !ok {
			break
		}
	}
	return false
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
