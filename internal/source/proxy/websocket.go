package proxy

import (
	"encoding/binary"
	"io"
	"net/http"
	"strings"

	"xiezhi/internal/exchange"
	"xiezhi/internal/wire"
)

// A WebSocket is given in parts, as from a capture: a part ends with the first
// message that fills one of these.
const (
	partMessages = 64
	partBytes    = 1 << 20
	partTime     = int64(10e9)
)

// upgraded carries what follows a 101 response, and reads the messages of a
// WebSocket on the way.
type upgraded struct {
	io.ReadWriteCloser
	rec    *record
	reads  bool // it is a WebSocket
	client wire.Messages
	server wire.Messages
}

// upgrade takes over the upstream's connection.
func (rec *record) upgrade(c io.ReadWriteCloser, h http.Header) io.ReadWriteCloser {
	u := &upgraded{ReadWriteCloser: c, rec: rec, reads: strings.EqualFold(h.Get("Upgrade"), "websocket")}
	u.client.Client = true
	for _, m := range [2]*wire.Messages{&u.client, &u.server} {
		m.Limit = min(rec.s.cfg.MaxBody, partBytes)
		m.Agree([]byte(h.Get("Sec-Websocket-Extensions")))
	}
	return u
}

// Read implements io.Reader: what the server sends.
func (u *upgraded) Read(p []byte) (int, error) {
	n, err := u.ReadWriteCloser.Read(p)
	u.see(&u.server, p[:n])
	return n, err
}

// Write implements io.Writer: what the client sends. It is seen before it is
// passed on: afterwards the server's reply could be seen first.
func (u *upgraded) Write(p []byte) (int, error) {
	u.see(&u.client, p)
	return u.ReadWriteCloser.Write(p)
}

// CloseWrite passes on that the client sends no more.
func (u *upgraded) CloseWrite() error {
	if c, ok := u.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

func (u *upgraded) see(m *wire.Messages, p []byte) {
	u.rec.mu.Lock()
	defer u.rec.mu.Unlock()
	for u.reads && len(p) > 0 && !u.rec.done {
		rest, done, err := m.Next(p)
		if err != nil {
			u.reads = false // no WebSocket after all; the bytes pass as ever
			return
		}
		if done {
			u.rec.message(m)
		}
		p = rest
	}
}

// message adds a message to the part, which it may fill.
func (rec *record) message(m *wire.Messages) {
	s, x := rec.s, &rec.x
	now := s.cfg.Clock().UnixNano()
	if len(x.Messages) == 0 {
		rec.opened = now
	}
	data := m.Data
	if s.copied.Add(int64(len(data))) > s.cfg.MaxCopied {
		s.copied.Add(-int64(len(data)))
		data = nil
	}
	rec.held += int64(len(data))
	from := len(rec.talk)
	rec.talk = append(rec.talk, data...)
	x.Messages = append(x.Messages, exchange.StreamMessage{Time: now, Sent: m.Client, Text: m.Text,
		Data: rec.talk[from:len(rec.talk):len(rec.talk)], Size: m.Size})
	x.End = max(x.End, now)
	if len(x.Messages) >= partMessages || len(rec.talk) >= partBytes || now-rec.opened >= partTime {
		rec.cutPart()
	}
}

// cutPart hands the part over and begins the next one.
func (rec *record) cutPart() {
	s := rec.s
	next := &record{s: s, held: rec.held}
	var b exchange.Batch
	rec.x.Status, rec.x.Part = rec.status, rec.part
	rec.x.Reason = rec.text(http.StatusText(rec.status))
	b.Append(&rec.x)
	next.x = *b.At(0)
	rec.part++
	rec.held, rec.talk, rec.x.Messages = 0, nil, nil
	var in [40]byte
	id := exchange.HashLine(binary.BigEndian.AppendUint32(append(in[:0], rec.id[:]...), rec.part)).ID(0)
	rec.room = append(rec.room, id[:]...)
	rec.x.ID = rec.room[len(rec.room)-len(id) : len(rec.room) : len(rec.room)]
	s.hand(next)
}
