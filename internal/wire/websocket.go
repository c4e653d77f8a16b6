package wire

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"xiezhi/internal/exchange"
)

// Messages reads the messages that one end of a WebSocket sends (RFC 6455)
// out of its bytes, however these are cut, and undoes masking, fragmentation
// and permessage-deflate (RFC 7692). Control frames are passed over. The zero
// value with its settings is ready; it keeps at most Limit bytes of the message
// in hand, and 32 KiB of the past where compression goes on from message to
// message.
type Messages struct {
	Client   bool // they come from the client, whose frames are masked
	Deflate  bool // permessage-deflate was agreed; see Agree
	Takeover bool // compression goes on from message to message
	Limit    int  // bytes kept of a message; 0 means 1 MiB

	// The message that Next completed. Data is valid until the next call.
	Text bool
	Data []byte // less than Size when it was beyond the limit or damaged
	Size int64  // of the whole message; as sent, when it cannot be decompressed
	Lost bool   // bytes of it are missing, or what they refer to is

	// Misuse says that frames were masked which must not be, or not masked
	// which must. Some peers take them all the same, and so does Next.
	Misuse bool

	state   wsState
	head    [14]byte
	have    int
	need    int // of the frame's head
	opcode  byte
	fin     bool
	masked  bool
	mask    [4]byte
	maskAt  int
	remain  int64 // of the frame's payload
	control bool  // the frame in hand is one
	within  bool  // a message has begun
	packed  bool  // it is compressed
	text    bool
	cut     bool // bytes of it are not in buf
	damaged bool
	size    int64 // of its payload as sent
	buf     []byte
	past    []byte // what compression may refer to
	blind   bool   // which is not known any more
	out     []byte
	inflate *inflater
}

type wsState uint8

const (
	wsHead wsState = iota
	wsPayload
	wsLost
)

// ErrWebSocket: no endpoint would accept these bytes (RFC 6455, 7.1.7); the
// direction cannot be read any further.
var ErrWebSocket = errors.New("not a WebSocket frame")

const (
	maxMessage = 1 << 20  // bytes kept of a message when nothing else is said
	maxInflate = 16 << 20 // bytes that a message may decompress to
	wsWindow   = 32 << 10
	minResume  = 32 // bytes of text that tell the middle of a stream
)

// Agree takes the Sec-WebSocket-Extensions of the response that opened the
// connection.
func (m *Messages) Agree(extensions []byte) {
	for len(extensions) > 0 {
		var ext []byte
		ext, extensions = element(extensions)
		name, params := parameter(ext)
		if !exchange.EqualFold(name, "permessage-deflate") {
			continue
		}
		m.Deflate, m.Takeover = true, true
		none := "server_no_context_takeover"
		if m.Client {
			none = "client_no_context_takeover"
		}
		for len(params) > 0 {
			var p []byte
			p, params = parameter(params)
			if exchange.EqualFold(p, none) {
				m.Takeover = false
			}
		}
	}
}

// parameter splits off what comes before the first semicolon.
func parameter(b []byte) (first, rest []byte) {
	i := 0
	for i < len(b) && b[i] != ';' {
		i++
	}
	first, _ = element(b[:i])
	if i < len(b) {
		rest = b[i+1:]
	}
	return first, rest
}

// Next reads on in b and returns what it did not need. done says that a
// message is complete. An error is final.
func (m *Messages) Next(b []byte) (rest []byte, done bool, err error) {
	for {
		switch m.state {
		case wsHead:
			if m.have == 0 {
				m.need = 2
			}
			for m.have < m.need {
				if len(b) == 0 {
					return nil, false, nil
				}
				n := copy(m.head[m.have:m.need], b)
				b = b[n:]
				if m.have += n; m.have == 2 {
					m.need = frameNeed(m.head[1])
				}
			}
			m.have = 0
			if err := m.begin(); err != nil {
				return nil, false, err
			}
		case wsPayload:
			n := int(min(int64(len(b)), m.remain))
			if !m.control {
				m.take(b[:n])
			}
			b = b[n:]
			if m.remain -= int64(n); m.remain > 0 {
				return nil, false, nil
			}
			m.state = wsHead
			if m.fin && !m.control {
				m.complete()
				return b, true, nil
			}
		default:
			return nil, false, nil
		}
	}
}

func frameNeed(second byte) int {
	n := 2
	switch second & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if second&0x80 != 0 {
		n += 4
	}
	return n
}

// begin reads a frame's head.
func (m *Messages) begin() error {
	b0, b1 := m.head[0], m.head[1]
	m.fin, m.opcode = b0&0x80 != 0, b0&0x0f
	m.control = m.opcode >= 8
	n, ok := frameLength(m.head[:m.need])
	rsv := b0 & 0x70
	if !ok || m.opcode > 2 && m.opcode < 8 || m.opcode > 10 ||
		m.control && (!m.fin || n > 125 || rsv != 0) || rsv&0x30 != 0 {
		return ErrWebSocket
	}
	m.remain, m.state, m.maskAt = n, wsPayload, 0
	if m.masked = b1&0x80 != 0; m.masked {
		copy(m.mask[:], m.head[m.need-4:m.need])
	}
	m.Misuse = m.Misuse || m.masked != m.Client
	if m.control {
		return nil
	}
	if rsv != 0 && (!m.Deflate || m.opcode == 0) || m.within == (m.opcode != 0) {
		return ErrWebSocket
	}
	if m.opcode != 0 {
		m.within, m.packed, m.text = true, rsv != 0, m.opcode == 1
		m.cut, m.damaged, m.size, m.buf = false, false, 0, m.buf[:0]
	}
	return nil
}

func frameLength(head []byte) (n int64, ok bool) {
	switch n = int64(head[1] & 0x7f); n {
	case 126:
		n = int64(binary.BigEndian.Uint16(head[2:]))
		return n, n > 125
	case 127:
		n = int64(binary.BigEndian.Uint64(head[2:]))
		return n, n > 65535
	}
	return n, true
}

func (m *Messages) limit() int {
	if m.Limit > 0 {
		return m.Limit
	}
	return maxMessage
}

// take adds payload to the message.
func (m *Messages) take(b []byte) {
	m.size += int64(len(b))
	if m.cut {
		return
	}
	if room := m.limit() - len(m.buf); len(b) > room {
		m.cut = true
		b = b[:room]
	}
	at := len(m.buf)
	m.buf = append(m.buf, b...)
	if m.masked {
		unmask(m.buf[at:], m.mask, m.maskAt)
		m.maskAt += len(b)
	}
}

func unmask(b []byte, mask [4]byte, at int) {
	key := [4]byte{mask[at&3], mask[(at+1)&3], mask[(at+2)&3], mask[(at+3)&3]}
	word := uint64(binary.LittleEndian.Uint32(key[:]))
	word |= word << 32
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= key[i&3]
	}
}

// complete ends the message in hand.
func (m *Messages) complete() {
	m.within = false
	m.Text, m.Lost = m.text, m.damaged
	if !m.packed {
		m.Data, m.Size = m.buf, m.size
		return
	}
	m.decompress()
}

func (m *Messages) decompress() {
	m.Data, m.Size = nil, m.size
	if m.Takeover && m.blind {
		m.Lost = true
		return
	}
	if m.inflate == nil {
		m.inflate = new(inflater)
	}
	past := m.past
	if !m.Takeover {
		past = nil
	}
	size, last, err := m.inflate.message(m.out[:0], m.buf, past[max(0, len(past)-wsWindow):], !m.cut, m.limit())
	m.out = m.inflate.out
	m.inflate.out = nil
	m.Data, m.Size = m.out, size
	if err != nil || m.cut {
		m.Lost = true
		m.Size = max(size, m.size)
		m.forget()
		return
	}
	if m.Takeover {
		m.remember(last)
	}
}

// remember adds to what compression may refer to.
func (m *Messages) remember(b []byte) {
	b = b[max(0, len(b)-wsWindow):]
	if keep := wsWindow - len(b); len(m.past)+len(b) > 2*wsWindow {
		m.past = m.past[:copy(m.past, m.past[len(m.past)-min(keep, len(m.past)):])]
	}
	m.past = append(m.past, b...)
}

// forget says that what compression refers to is not known any more.
func (m *Messages) forget() {
	m.blind = true
	m.past = m.past[:0]
}

// Skip steps over n bytes that are missing. It reports whether the place in
// the stream is still known; if not, Resume looks for it.
func (m *Messages) Skip(n int64) bool {
	if m.state == wsLost {
		return false
	}
	if m.state != wsPayload || n > m.remain {
		m.Lose()
		return false
	}
	m.remain -= n
	if !m.control {
		m.size += n
		m.cut, m.damaged = true, true
		if m.packed {
			m.forget()
		}
	}
	if m.remain == 0 {
		// Whatever comes next tells that the frame has ended.
		m.state = wsPayload
	}
	return true
}

// Lose says that the place in the stream is not known any more.
func (m *Messages) Lose() {
	m.state, m.have, m.within = wsLost, 0, false
	m.forget()
}

// Resume looks for a frame at the start of b. Every frame in b must make
// sense and text must be text; only the last may go on behind b, and if it is
// the first too, it must be a longer text.
func (m *Messages) Resume(b []byte) bool {
	if m.state != wsLost {
		return true
	}
	first := byte(0)
	within := false
	for n := 0; len(b) > 0; n++ {
		if len(b) < 2 || len(b) < frameNeed(b[1]) {
			if n == 0 {
				return false
			}
			break
		}
		h := *m
		h.need = copy(h.head[:], b[:frameNeed(b[1])])
		h.within = within || n == 0 && b[0]&0x0f == 0
		if h.begin() != nil || h.masked != m.Client {
			return false
		}
		p := b[h.need:]
		whole := h.remain <= int64(len(p))
		if whole {
			p = p[:h.remain]
		}
		b = b[h.need+len(p):]
		if n == 0 {
			first = h.opcode
		}
		if h.control {
			continue
		}
		text := h.opcode == 1 && !h.packed
		if text && !validText(p, h.mask, h.masked, !whole || !h.fin) || !whole && n == 0 && (!text || len(p) < minResume || h.remain > maxMessage) {
			return false
		}
		within = !h.fin
	}
	m.state, m.have = wsHead, 0
	m.within = first == 0
	if m.within { // the end of a message whose beginning is missing
		m.packed, m.text, m.cut, m.damaged, m.size, m.buf = false, false, true, true, 0, m.buf[:0]
	}
	return true
}

// validText reports whether p is printable text; if it is cut, its last
// character may be too.
func validText(p []byte, mask [4]byte, masked, cut bool) bool {
	var room [256]byte
	b := room[:copy(room[:], p)]
	cut = cut || len(b) < len(p)
	if masked {
		unmask(b, mask, 0)
	}
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	for n := 1; cut && n < utf8.UTFMax && n < len(b); n++ {
		if utf8.RuneStart(b[len(b)-n]) {
			if !utf8.FullRune(b[len(b)-n:]) {
				b = b[:len(b)-n]
			}
			break
		}
	}
	return utf8.Valid(b)
}

// room is the memory held between messages.
func (m *Messages) room() int { return cap(m.buf) + cap(m.past) + cap(m.out) }

// reset readies m for another connection.
func (m *Messages) reset(client bool, limit int, z *inflater) {
	*m = Messages{Client: client, Limit: limit, inflate: z, buf: m.buf[:0], past: m.past[:0], out: m.out[:0]}
}
