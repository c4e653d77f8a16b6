package proxy

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"sync"

	"xiezhi/internal/exchange"
	"xiezhi/internal/wire"
)

// tap is a client connection that remembers the bytes of the head that comes
// next, because net/http forgets the order and the spelling of its fields.
type tap struct {
	net.Conn
	info *clientConn

	mu   sync.Mutex
	buf  []byte // bytes read since the last head, without its body where its length is known
	skip int64  // bytes of the body still to come
	text wire.Text
}

// maxTapped bounds what is remembered: enough for a head at the end of it.
const maxTapped = 128 << 10

// Read implements net.Conn.
func (t *tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if n > 0 {
		t.mu.Lock()
		t.see(b[:n])
		t.mu.Unlock()
	}
	return n, err
}

// CloseWrite passes on that the upstream sends no more.
func (t *tap) CloseWrite() error {
	if c, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

func (t *tap) see(b []byte) {
	if t.skip > 0 {
		n := min(t.skip, int64(len(b)))
		t.skip -= n
		b = b[n:]
	}
	if len(t.buf)+len(b) > maxTapped {
		// A long body of unknown length; only what comes last can be a head.
		keep := min(len(t.buf), max(0, maxTapped/2-len(b)))
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-keep:]...)
		b = b[max(0, len(b)-maxTapped/2):]
	}
	t.buf = append(t.buf, b...)
}

// head gives r's fields in the order and spelling of the wire. ok is false
// when they were not found; a lookalike inside a body is never taken, since
// the fields must be those that net/http parsed. The fields point into dst,
// which is grown as needed.
func (t *tap) head(r *http.Request, dst []byte, x *exchange.Exchange) (room []byte, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for from := 0; ; {
		start, end := t.find(r, from)
		if start < 0 {
			t.buf = t.buf[:0]
			return dst, false
		}
		dst = append(dst[:0], t.buf[start:end]...)
		x.Request.Header = x.Request.Header[:0]
		if t.text.Request(dst, x) == nil && sameFields(x.Request.Header, r) {
			t.leave(end, r.ContentLength)
			return dst, true
		}
		from = start + 1
	}
}

// leave forgets what stands before the next head.
func (t *tap) leave(end int, length int64) {
	rest := t.buf[end:]
	if length > 0 {
		n := min(length, int64(len(rest)))
		t.skip = length - n
		rest = rest[n:]
	}
	t.buf = append(t.buf[:0], rest...)
	if cap(t.buf) > 8<<10 && len(t.buf) == 0 {
		t.buf = nil // do not hold the room of one large head for an idle connection
	}
}

// find looks for r's request line and the end of its head.
func (t *tap) find(r *http.Request, from int) (start, end int) {
	for from < len(t.buf) {
		i := bytes.Index(t.buf[from:], []byte(r.Method))
		if i < 0 {
			return -1, -1
		}
		start = from + i
		from = start + 1
		rest := t.buf[start+len(r.Method):]
		if len(rest) < len(r.RequestURI)+2 || rest[0] != ' ' || !strings.HasPrefix(string(rest[1:1+len(r.RequestURI)]), r.RequestURI) {
			continue
		}
		rest = rest[1+len(r.RequestURI):]
		if !bytes.HasPrefix(rest, []byte(" HTTP/1.")) {
			continue
		}
		for _, mark := range [...]string{"\r\n\r\n", "\n\n"} {
			if j := bytes.Index(rest, []byte(mark)); j >= 0 {
				return start, len(t.buf) - len(rest) + j + len(mark)
			}
		}
	}
	return -1, -1
}

// sameFields reports whether the fields are exactly those of r.
func sameFields(list []exchange.Field, r *http.Request) bool {
	n := 0
	for _, f := range list {
		name := http.CanonicalHeaderKey(string(f.Name))
		switch name {
		case "Host", "Transfer-Encoding", "Trailer":
			continue // net/http moves them elsewhere
		}
		found := false
		for _, v := range r.Header[name] {
			if v == string(f.Value) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
		n++
	}
	total := 0
	for _, vs := range r.Header {
		total += len(vs)
	}
	return n == total
}
