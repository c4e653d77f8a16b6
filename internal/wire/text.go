package wire

import (
	"bytes"
	"errors"

	"xiezhi/internal/exchange"
)

var (
	// ErrNotHTTP: the first line is that of no HTTP message.
	ErrNotHTTP = errors.New("not an HTTP message")
	// ErrHeadLimit: the head has more than 64 KiB or 512 lines.
	ErrHeadLimit = errors.New("the head is larger than the limit")
)

// Text reads HTTP/1 messages that a recorder stored one by one, head and body
// together. The recorder knew where a message ends, so its body is whatever
// follows the head; a chunked one is unpacked unless it was already. The bytes
// given may be rewritten, and the exchange points into them.
type Text struct {
	m    [2]message
	room [2][]byte // a head whose blank line is missing
}

// Request fills in the request's side of x.
func (t *Text) Request(b []byte, x *exchange.Exchange) error {
	m, err := t.read(0, b, true)
	if err != nil {
		return err
	}
	x.Method = m.buf[m.methodAt:m.method:m.method]
	x.Target = m.buf[m.target:m.targetEnd:m.targetEnd]
	if x.Proto = m.proto; x.Proto == 0 {
		line := m.buf[m.targetEnd:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		x.Proto = laterVersion(bytes.TrimSpace(line))
	}
	m.fill(&x.Request)
	x.Host = authority(x)
	return nil
}

// Response fills in the response's side of x, whose request is known. Interim
// responses before it are passed over.
func (t *Text) Response(b []byte, x *exchange.Exchange) error {
	for {
		m, err := t.read(1, b, false)
		if err != nil {
			return err
		}
		if rest := m.buf[m.headLen:]; m.status < 200 && m.status != 101 && strongResponse(rest) {
			b = rest
			continue
		}
		m.frameResponse(&t.m[0])
		if missing := m.length - m.size; m.kind == bodyLength && missing > 0 {
			m.cut = true
		}
		x.Status = m.status
		x.Reason = m.buf[m.reason:m.reasonEnd:m.reasonEnd]
		m.fill(&x.Response)
		return nil
	}
}

func (t *Text) read(i int, b []byte, request bool) (*message, error) {
	m := &t.m[i]
	m.reset()
	m.buf = b
	n, v := m.parse(b, request)
	if v == more && len(b) <= maxHead {
		// A head without body may have lost its blank line to an editor.
		t.room[i] = append(append(t.room[i][:0], b...), "\r\n\r\n"...)
		b = t.room[i]
		m.reset()
		m.buf = b
		n, v = m.parse(b, request)
		if v == good {
			b = b[:n]
			m.buf = b
		}
	}
	switch v {
	case good:
	case tooLong:
		return nil, ErrHeadLimit
	default:
		return nil, ErrNotHTTP
	}
	m.headLen = n
	if m.folded {
		m.unfold(b)
	}
	m.read(b)
	body := b[n:]
	if m.chunked {
		if out, whole, ok := unchunk(body); ok {
			body, m.cut = out, !whole
		}
	} else if request && m.length > int64(len(body)) {
		m.frameRequest()
		m.cut = true
	}
	m.buf = b[:n+len(body)]
	m.size = int64(len(body))
	return m, nil
}

// unchunk removes the chunked coding in place. ok is false when b does not
// begin with a chunk, whole when the last chunk is there.
func unchunk(b []byte) (out []byte, whole, ok bool) {
	n, at := 0, 0
	for {
		eol := bytes.IndexByte(b[at:], '\n')
		if eol < 0 {
			return b[:n], false, ok
		}
		size, digits := 0, 0
		for _, c := range b[at : at+eol] {
			v := unhex[c]
			if v > 15 || digits == 8 {
				break
			}
			size = size<<4 | int(v)
			digits++
		}
		if rest := bytes.TrimSpace(b[at+digits : at+eol]); digits == 0 || len(rest) > 0 && rest[0] != ';' {
			return b[:n], false, ok
		}
		ok = true
		at += eol + 1
		if size == 0 {
			return b[:n], true, true
		}
		take := min(size, len(b)-at)
		n += copy(b[n:], b[at:at+take])
		if at += take; take < size {
			return b[:n], false, true
		}
		if at < len(b) && b[at] == '\r' {
			at++
		}
		if at < len(b) && b[at] == '\n' {
			at++
		}
	}
}

// laterVersion reads the versions that have no textual form of their own, as
// recorders write them.
func laterVersion(b []byte) uint8 {
	switch {
	case bytes.HasPrefix(b, []byte("HTTP/2")):
		return 20
	case bytes.HasPrefix(b, []byte("HTTP/3")):
		return 30
	}
	return 0
}
