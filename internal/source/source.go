// Package source holds what every way in has in common: the sink that takes
// exchanges, and the ledger that counts what was lost on the way.
//
// A source reads bytes and calls Sink.Accept once per exchange, in the order
// of its input; a nil return is the acknowledgement. Invariant: every exchange
// that a source begins is either accepted or counted in the ledger under one
// drop reason. Limits: a ledger keeps at most 64 problems with their place;
// more are counted only.
package source

import (
	"context"
	"sync"

	"xiezhi/internal/exchange"
	"xiezhi/internal/taxonomy"
)

// Sink takes exchanges. x and everything it points to is valid only during
// the call. An error is final: the source stops and returns it.
type Sink interface {
	Accept(x *exchange.Exchange) error
}

// Flusher is a sink whose acknowledgement alone does not outlive the process:
// after a nil return everything accepted so far does. A source that tells its
// own sender what has arrived, or remembers it, flushes first.
type Flusher interface{ Flush() error }

// Witness is a sink that also looks at what is no exchange but tells of one
// (exchange.Aside). A source gives it that only while Wants is true, and counts
// it as lost all the same.
type Witness interface {
	Wants() bool
	Witness(x *exchange.Exchange) error
}

// SinkFunc makes a function a Sink.
type SinkFunc func(x *exchange.Exchange) error

// Accept calls f.
func (f SinkFunc) Accept(x *exchange.Exchange) error { return f(x) }

// Source delivers its input to a sink and accounts for it in the ledger. Run
// returns an error only when nothing more can be read (not permitted, the
// sink's own error, a cancelled context); damage inside a recognised input is
// a counted drop.
type Source interface {
	Run(ctx context.Context, sink Sink, ledger *Ledger) error
}

// Problem is one thing that went wrong, with its place.
type Problem struct {
	File   string
	Offset int64 // byte offset, -1 when a line is meant
	Line   int64 // 1-based line, 0 when an offset is meant
	Reason taxonomy.DropReason
	Text   string // what is wrong, in one clause, free of input bytes
}

const maxProblems = 64

// Ledger counts what came in and what was lost: in = accepted + dropped. It is
// safe for concurrent use. Times and counts are of the input, not of the wall.
type Ledger struct {
	mu       sync.Mutex
	Bytes    int64 // input bytes read (after decompression)
	Accepted uint64
	dropped  map[taxonomy.DropReason]uint64
	quality  map[QualityKey]uint64
	problems []Problem
	hidden   uint64 // problems beyond maxProblems
}

// QualityKey is a property of the input and the thing it concerns (a server
// "10.0.0.1:443 sni=example.com", a file), which becomes the detail shown.
type QualityKey struct {
	Code   taxonomy.Quality
	Detail string
}

const maxQuality = 1024

// AddBytes counts input bytes.
func (l *Ledger) AddBytes(n int64) { l.mu.Lock(); l.Bytes += n; l.mu.Unlock() }

// Read gives the input bytes read so far.
func (l *Ledger) Read() int64 { l.mu.Lock(); defer l.mu.Unlock(); return l.Bytes }

// AddAccepted counts exchanges the sink took.
func (l *Ledger) AddAccepted(n uint64) { l.mu.Lock(); l.Accepted += n; l.mu.Unlock() }

// Drop counts n exchanges lost for a reason.
func (l *Ledger) Drop(r taxonomy.DropReason, n uint64) {
	if n == 0 {
		return
	}
	l.mu.Lock()
	if l.dropped == nil {
		l.dropped = map[taxonomy.DropReason]uint64{}
	}
	l.dropped[r] += n
	l.mu.Unlock()
}

// DropAt counts one lost exchange and remembers where.
func (l *Ledger) DropAt(p Problem) {
	l.Drop(p.Reason, 1)
	l.Note(p)
}

// Note remembers a problem that cost no exchange.
func (l *Ledger) Note(p Problem) {
	l.mu.Lock()
	if len(l.problems) < maxProblems {
		l.problems = append(l.problems, p)
	} else {
		l.hidden++
	}
	l.mu.Unlock()
}

// Quality counts a property of the input. Beyond 1 024 details, further ones
// are counted under an empty detail.
func (l *Ledger) Quality(code taxonomy.Quality, detail string, n uint64) {
	if n == 0 {
		return
	}
	l.mu.Lock()
	if l.quality == nil {
		l.quality = map[QualityKey]uint64{}
	}
	k := QualityKey{code, detail}
	if _, ok := l.quality[k]; !ok && len(l.quality) >= maxQuality {
		k.Detail = ""
	}
	l.quality[k] += n
	l.mu.Unlock()
}

// Totals is a copy of a ledger's counts.
type Totals struct {
	Bytes    int64
	Accepted uint64
	Dropped  map[taxonomy.DropReason]uint64
	Quality  map[QualityKey]uint64
	Problems []Problem
	Hidden   uint64
}

// Totals copies the counts.
func (l *Ledger) Totals() Totals {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := Totals{Bytes: l.Bytes, Accepted: l.Accepted, Hidden: l.hidden,
		Dropped: make(map[taxonomy.DropReason]uint64, len(l.dropped)),
		Quality: make(map[QualityKey]uint64, len(l.quality))}
	for k, v := range l.dropped {
		t.Dropped[k] = v
	}
	for k, v := range l.quality {
		t.Quality[k] = v
	}
	t.Problems = append([]Problem(nil), l.problems...)
	return t
}
