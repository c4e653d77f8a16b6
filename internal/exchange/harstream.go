package exchange

import (
	"encoding/base64"
	"math"
	"strconv"
)

// A WebSocket's messages, as Chrome's recordings hold them: entries of type
// "send" or "receive" with a time in seconds, an opcode (1 text, 2 binary) and
// the data, in base64 when binary. A message that was cut has our _size too.

const (
	opText   = 1
	opBinary = 2
)

func appendMessages(dst []byte, list []StreamMessage) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(dst, `,"_webSocketMessages":[`...)
	for i := range list {
		m := &list[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		if m.Sent {
			dst = append(dst, `{"type":"send","time":`...)
		} else {
			dst = append(dst, `{"type":"receive","time":`...)
		}
		dst = appendSeconds(dst, m.Time)
		if m.Text {
			dst = appendMember(dst, `,"opcode":1,"data":`, m.Data)
		} else {
			dst = append(dst, `,"opcode":2,"data":"`...)
			dst = base64.StdEncoding.AppendEncode(dst, m.Data)
			dst = append(dst, '"')
		}
		if m.Size > int64(len(m.Data)) {
			dst = append(dst, `,"_size":`...)
			dst = strconv.AppendInt(dst, m.Size, 10)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendSeconds writes ns as seconds, exactly.
func appendSeconds(dst []byte, ns int64) []byte {
	ns = max(ns, 0)
	dst = strconv.AppendInt(dst, ns/1e9, 10)
	if rest := ns % 1e9; rest > 0 {
		dst = append(dst, '.')
		for div := int64(1e8); rest > 0; div /= 10 {
			dst = append(dst, byte('0'+rest/div))
			rest %= div
		}
	}
	return dst
}

// messages reads _webSocketMessages. What is neither text nor binary, such as a
// ping, is passed over.
func (d *HARDecoder) messages(p *parser, dst []StreamMessage) ([]StreamMessage, error) {
	err := p.array(func(int) error {
		m, keep, err := p.message()
		if err == nil && keep {
			dst = append(dst, m)
		}
		return err
	})
	return dst, err
}

func (p *parser) message() (m StreamMessage, keep bool, err error) {
	opcode, size, seen := int64(opText), int64(0), uint32(0)
	var kind, data []byte
	err = p.object(func(key []byte) (err error) {
		name, field := "", uint(0)
		switch string(key) {
		case "type":
			name, field = "type", 1
		case "time":
			name, field = "time", 2
		case "opcode":
			name, field = "opcode", 3
		case "data":
			name, field = "data", 4
		case "_size":
			name, field = "_size", 5
		default:
			return p.skipIn(key)
		}
		if err := once(p, &seen, field); err != nil {
			return within(name, err)
		}
		if null, err := p.null(); null || err != nil {
			return within(name, err)
		}
		switch field {
		case 1:
			kind, err = p.str()
		case 2:
			m.Time, err = p.seconds()
		case 3:
			opcode, err = p.integer(-1, 255, "opcode")
		case 4:
			data, err = p.str()
		case 5:
			size, err = p.integer(0, maxSize, "size")
		}
		return within(name, err)
	})
	m.Sent, m.Text, m.Data = string(kind) == "send", opcode == opText, data
	if opcode == opBinary {
		// Recorders exist that write binary data as it is.
		if b, err := p.coded(data, []byte("base64"), 0); err == nil {
			m.Data = b
		}
	}
	m.Size = max(size, int64(len(m.Data)))
	keep = (m.Sent || string(kind) == "receive") && (opcode == opText || opcode == opBinary)
	return m, keep, err
}

// seconds reads a time as ns since the epoch, exactly when it is written with
// at most nine decimals.
func (p *parser) seconds() (int64, error) {
	at := p.i
	text, err := p.number()
	if err != nil {
		return 0, p.failAt(at, "number expected")
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || f < 0 || f > maxTime/1e9-1 {
		return 0, p.failAt(at, "time out of range")
	}
	ns, shift, exact := int64(0), -1, true
	for _, c := range text {
		switch {
		case c == '.':
			shift = 0
		case c-'0' > 9:
			exact = false
		case shift < 9:
			ns = ns*10 + int64(c-'0')
			if shift >= 0 {
				shift++
			}
		}
	}
	for shift = max(shift, 0); shift < 9; shift++ {
		ns *= 10
	}
	if !exact {
		ns = int64(math.Round(f * 1e9))
	}
	return ns, nil
}
