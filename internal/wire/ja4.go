package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// JA4 is a TLS client fingerprint as FoxIO describes it (see NOTICE), of TLS
// over TCP: what a ClientHello offers, without order and GREASE. The zero
// value stands for none.
type JA4 [36]byte

func (j JA4) String() string {
	if j == (JA4{}) {
		return ""
	}
	return string(j[:])
}

// ja4 makes the fingerprint. A ClientHello with broken lengths has none: no
// server answers it, and what it holds is anybody's reading. The lists of c
// are sorted on the way.
func (c *clientHello) ja4(room []byte) (j JA4, rest []byte) {
	if !c.whole {
		return j, room
	}
	b := append(j[:0], 't')
	b = append(b, ja4Version(c.legacy)...)
	if c.named {
		b = append(b, 'd')
	} else {
		b = append(b, 'i')
	}
	b = appendTwo(b, len(c.ciphers))
	b = appendTwo(b, len(c.extensions))
	first, last := ja4ALPN(c.alpn)
	b = append(b, first, last, '_')

	slices.Sort(c.ciphers)
	room = appendHexList(room[:0], c.ciphers)
	b = appendDigest(b, room)
	b = append(b, '_')

	slices.Sort(c.extensions)
	kept := slices.DeleteFunc(c.extensions, func(t uint16) bool { return t == extServerName || t == extALPN })
	room = appendHexList(room[:0], kept)
	if len(kept) > 0 && len(c.signatures) > 0 {
		room = appendHexList(append(room, '_'), c.signatures)
	}
	appendDigest(b, room)
	return j, room
}

func ja4Version(v uint16) string {
	switch v {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	}
	return "00"
}

// ja4ALPN gives the first and last character of a protocol's name, or of its
// hexadecimal form when one of the two is no ASCII letter or digit.
func ja4ALPN(p []byte) (first, last byte) {
	if len(p) == 0 {
		return '0', '0'
	}
	a, z := p[0], p[len(p)-1]
	if alphanumeric(a) && alphanumeric(z) {
		return a, z
	}
	return hexDigits[a>>4], hexDigits[z&15]
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

const hexDigits = "0123456789abcdef"

func appendTwo(b []byte, n int) []byte {
	n = min(n, 99)
	return append(b, byte('0'+n/10), byte('0'+n%10))
}

func appendHexList(b []byte, list []uint16) []byte {
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, hexDigits[v>>12], hexDigits[v>>8&15], hexDigits[v>>4&15], hexDigits[v&15])
	}
	return b
}

// appendDigest adds twelve hexadecimal characters of the SHA-256 of a list,
// zeros for an empty one.
func appendDigest(b, list []byte) []byte {
	if len(list) == 0 {
		return append(b, "000000000000"...)
	}
	sum := sha256.Sum256(list)
	for _, c := range sum[:6] {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

// HelloJA4 makes the fingerprint of a client from the first bytes that it sent
// on a connection, TLS records with a ClientHello. It gives the zero value when
// that is not there, or not whole.
func HelloJA4(b []byte) JA4 {
	var hello []byte
	for len(b) >= recordHeader && b[0] == recordHandshake {
		n := int(binary.BigEndian.Uint16(b[3:]))
		b = b[recordHeader:]
		n = min(n, len(b))
		hello, b = append(hello, b[:n]...), b[n:]
		if len(hello) < 4 {
			continue
		}
		size := int(hello[1])<<16 | int(binary.BigEndian.Uint16(hello[2:]))
		if hello[0] != 1 || size > maxHello {
			break
		}
		if len(hello) >= 4+size {
			var c clientHello
			if !c.read(hello[4 : 4+size]) {
				break
			}
			j, _ := c.ja4(nil)
			return j
		}
	}
	return JA4{}
}
