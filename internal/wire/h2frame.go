package wire

import "encoding/binary"

// The parts of RFC 9113 that frames are made of.
const (
	h2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	frameData         = 0
	frameHeaders      = 1
	framePriority     = 2
	frameReset        = 3
	frameSettings     = 4
	framePromise      = 5
	framePing         = 6
	frameGoAway       = 7
	frameWindow       = 8
	frameContinuation = 9

	flagEndStream  = 0x01 // of DATA and HEADERS; ACK of SETTINGS and PING
	flagEndHeaders = 0x04
	flagPadded     = 0x08
	flagPriority   = 0x20

	h2HeadLen  = 9
	maxH2Joint = 1 << 20 // length of a frame that a stream is joined at
	maxH2Small = 16 << 10
	maxBlock   = 128 << 10 // bytes of a header block before decoding
)

// h2Frame is a frame's head.
type h2Frame struct {
	typ, flags byte
	id         uint32
	length     int
}

func readFrame(b []byte) h2Frame {
	return h2Frame{typ: b[3], flags: b[4], id: binary.BigEndian.Uint32(b[5:]) & (1<<31 - 1), length: int(b[0])<<16 | int(b[1])<<8 | int(b[2])}
}

// plausible reports whether a head is one that a sane sender writes.
func (h h2Frame) plausible(b []byte) bool {
	if b[5]&0x80 != 0 || h.length > maxH2Joint {
		return false
	}
	flags := byte(0)
	ok := h.id != 0
	switch h.typ {
	case frameData:
		flags = flagEndStream | flagPadded
	case frameHeaders:
		flags = flagEndStream | flagEndHeaders | flagPadded | flagPriority
		ok = ok && h.length > 0
	case framePriority:
		ok = ok && h.length == 5
	case frameReset:
		ok = ok && h.length == 4
	case frameSettings:
		flags = flagEndStream
		ok = h.id == 0 && h.length%6 == 0 && h.length <= 64*6 && (h.flags == 0 || h.length == 0)
	case framePromise:
		flags = flagEndHeaders | flagPadded
		ok = ok && h.length > 4
	case framePing:
		flags = flagEndStream
		ok = h.id == 0 && h.length == 8
	case frameGoAway:
		ok = h.id == 0 && h.length >= 8
	case frameWindow:
		ok = h.length == 4
	case frameContinuation:
		flags = flagEndHeaders
	case 0x0a, 0x0c, 0x10: // ALTSVC, ORIGIN, PRIORITY_UPDATE
		ok = true
	default:
		return false
	}
	return ok && h.flags&^flags == 0
}

// h2Begins reports whether b, the start of a segment, is at the start of a
// frame. Every frame in it must be plausible. Where the connection is not yet
// known to be HTTP/2, one must be complete and of a kind whose form leaves no
// doubt.
func h2Begins(b []byte, known bool) bool {
	sure, n := false, 0
	for ; len(b) >= h2HeadLen; n++ {
		h := readFrame(b)
		if !h.plausible(b) {
			return false
		}
		if b = b[h2HeadLen:]; h.length > len(b) {
			return sure || known && (h.typ == frameData || h.typ == frameHeaders)
		}
		p := b[:h.length]
		b = b[h.length:]
		switch h.typ {
		case frameHeaders:
			p, ok := h.fragment(p)
			if !ok || h.flags&flagEndHeaders != 0 && !hpackCheck(p) {
				return false
			}
			sure = sure || h.flags&flagEndHeaders != 0
		case frameSettings:
			// An empty one looks like many another protocol's length.
			sure = sure || len(p) > 0 && p[0] == 0 && p[1] > 0 && p[1] <= 0x10
		case frameWindow:
			sure = sure || binary.BigEndian.Uint32(p) > 0
		case framePing, frameReset, frameGoAway:
			sure = true
		}
	}
	return n > 0 && (sure || known) && (len(b) == 0 || b[0] == 0)
}

// fragment takes padding and priority off the payload of HEADERS.
func (h h2Frame) fragment(p []byte) ([]byte, bool) {
	pad := 0
	if h.flags&flagPadded != 0 {
		if len(p) == 0 {
			return nil, false
		}
		pad = int(p[0])
		p = p[1:]
	}
	if h.flags&flagPriority != 0 && h.typ == frameHeaders {
		if len(p) < 5 {
			return nil, false
		}
		p = p[5:]
	}
	if pad > len(p) {
		return nil, false
	}
	return p[:len(p)-pad], true
}

// h2Opens reports whether b begins with what a server sends first: SETTINGS.
func h2Opens(b []byte) sniffed {
	const head = "\x00\x00\x00\x04\x00\x00\x00\x00\x00" // the last byte of the length is free
	for i, c := range b[:min(len(b), len(head))] {
		switch {
		case i == 1 && c <= 1 || i == 2:
		case c != head[i]:
			return sniffOther
		}
	}
	if len(b) < len(head) {
		return sniffMore
	}
	if h := readFrame(b); h.plausible(b) {
		return sniffSettings
	}
	return sniffOther
}
