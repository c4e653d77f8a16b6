package record

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Entry is something that somebody did. ID tells it from all others: who
// writes a batch again after an unknown end gives the same one.
type Entry struct {
	ID     string
	At     time.Time
	By     string // id of a user or token
	Action string
	Target string
	Detail []byte // JSON, or empty
}

// Sealed is an entry in its place.
type Sealed struct {
	Entry
	Seq  uint64 // 1, 2, 3 …
	Seal [sha256.Size]byte
}

// Head is the end of the log at some moment. Whoever keeps one outside of the
// store can tell later that nothing was cut off; the zero value is the start.
type Head struct {
	Seq  uint64
	Seal [sha256.Size]byte
}

// Chain seals entries over those before them. The key is the installation's,
// so that nobody who can only write the file is able to make a chain.
type Chain struct{ key []byte }

// NewChain derives the key of seals from the installation's.
func NewChain(installation [32]byte) Chain {
	m := hmac.New(sha256.New, installation[:])
	m.Write([]byte("xiezhi audit log v1"))
	return Chain{key: m.Sum(nil)}
}

// Next seals an entry behind a head.
func (c Chain) Next(h Head, e Entry) Sealed {
	m := hmac.New(sha256.New, c.key)
	m.Write(h.Seal[:])
	var n [8]byte
	number := func(v uint64) { binary.BigEndian.PutUint64(n[:], v); m.Write(n[:]) }
	text := func(s string) { number(uint64(len(s))); m.Write([]byte(s)) }
	number(h.Seq + 1)
	text(e.ID)
	number(uint64(e.At.UnixNano()))
	text(e.By)
	text(e.Action)
	text(e.Target)
	text(string(e.Detail))
	s := Sealed{Entry: e, Seq: h.Seq + 1}
	m.Sum(s.Seal[:0])
	return s
}

// Head that the log has with this as its last entry.
func (s Sealed) Head() Head { return Head{Seq: s.Seq, Seal: s.Seal} }

// Walk verifies a log entry by entry.
type Walk struct {
	chain Chain
	known Head
	at    Head
}

// Walk begins at the start of a log in which known has to be met.
func (c Chain) Walk(known Head) *Walk { return &Walk{chain: c, known: known} }

// Step takes the next entry.
func (w *Walk) Step(s Sealed) error {
	want := w.chain.Next(w.at, s.Entry)
	if s.Seq != want.Seq {
		return fmt.Errorf("%w: entry %d is missing", ErrTampered, want.Seq)
	}
	if !hmac.Equal(s.Seal[:], want.Seal[:]) {
		return fmt.Errorf("%w at entry %d", ErrTampered, s.Seq)
	}
	w.at = want.Head()
	if w.at.Seq == w.known.Seq && w.at != w.known {
		return fmt.Errorf("%w: entry %d is another one than it was", ErrTampered, w.at.Seq)
	}
	return nil
}

// End gives the head behind the last entry.
func (w *Walk) End() (Head, error) {
	if w.at.Seq < w.known.Seq {
		return Head{}, fmt.Errorf("%w: it ends at entry %d and had %d", ErrTampered, w.at.Seq, w.known.Seq)
	}
	return w.at, nil
}
