// Package har reads .har documents and .harl files (one entry per line).
//
// It takes inputs and gives one exchange per entry, in the order of the input.
// A document is streamed entry by entry, so memory is bounded by the largest
// entry kept, whatever the file's size. Invariant: every entry that begins is
// either accepted or dropped under one reason, with its byte offset or line.
// Limits: an entry beyond Config.EntryLimit is dropped as oversize and the
// rest goes on; a document cut short gives the entries before the cut.
package har

import (
	"context"
	"errors"
	"io"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// DefaultEntryLimit caps one entry of a document and one line of a .harl file.
const DefaultEntryLimit = 64 << 20

// Config of the source.
type Config struct {
	Ordinal    uint32 // ordinal of the source within the run
	EntryLimit int    // bytes; 0 means DefaultEntryLimit
}

// Source reads HAR inputs one after another.
type Source struct {
	inputs []source.Input
	cfg    Config
}

// New gives a source; nothing is opened before Run.
func New(inputs []source.Input, cfg Config) *Source {
	if cfg.EntryLimit <= 0 {
		cfg.EntryLimit = DefaultEntryLimit
	}
	return &Source{inputs: inputs, cfg: cfg}
}

// Run delivers every entry. An input that cannot be opened does not keep the
// others from being read; its error is returned at the end.
func (s *Source) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	r := &run{cfg: s.cfg, ctx: ctx, sink: sink, ledger: ledger}
	return source.Each(ctx, s.inputs, ledger, r.input)
}

// run is the state of one Run.
type run struct {
	cfg    Config
	ctx    context.Context
	sink   source.Sink
	ledger *source.Ledger

	dec  exchange.HARDecoder
	x    exchange.Exchange
	seen exchange.Occurrences
	seq  uint64
	id   exchange.ID
	in   stream

	name     string
	accepted uint64
	quality  [4]uint64
}

var qualities = [4]taxonomy.Quality{taxonomy.QualityNoBodies, taxonomy.QualityNoResponses, taxonomy.QualityNoHeaderOrder, taxonomy.QualityNoTLS}

// input reads one file to its end. Only errors that end the run are returned.
func (r *run) input(name string, rc io.Reader) error {
	r.name = name
	r.in.reset(rc, r.cfg.EntryLimit)
	head := r.in.head(source.SniffSize)
	var err error
	switch Detect(head) {
	case Lines:
		err = r.lines()
	default:
		err = r.documents()
	}
	r.flush()
	for i, n := range r.quality {
		r.ledger.Quality(qualities[i], name, n)
		r.quality[i] = 0
	}
	if err != nil {
		return err
	}
	switch e := r.in.err; {
	case e == nil, errors.Is(e, io.EOF):
	case errors.Is(e, io.ErrUnexpectedEOF):
		r.note(taxonomy.DropTruncated, r.in.offset(), 0, "compressed data ends early")
	default:
		r.note(taxonomy.DropCorrupt, r.in.offset(), 0, "the input cannot be read any further")
	}
	return nil
}

// flush passes the counters on; one lock per 256 entries instead of per entry.
func (r *run) flush() {
	r.ledger.AddAccepted(r.accepted)
	r.accepted = 0
	r.ledger.AddBytes(r.in.taken)
	r.in.taken = 0
}

// entry decodes and delivers one entry. at and line give its place. whole is
// false when the input ended within it.
func (r *run) entry(raw []byte, at, line int64, whole bool) error {
	x := &r.x
	err := r.dec.Decode(raw, x)
	if err != nil {
		var h *exchange.HARError
		switch {
		case errors.Is(err, exchange.ErrNotHTTP):
			r.drop(taxonomy.DropUnsupported, at, line, "request.url is no HTTP URL")
		case errors.As(err, &h) && (!whole && h.Offset >= len(raw)):
			r.drop(taxonomy.DropTruncated, at, line, "the input ends within the entry")
		default:
			r.drop(taxonomy.DropCorrupt, at, line, err.Error())
		}
		return nil
	}
	if len(x.ID) == 0 {
		h, err := r.dec.Hash(raw)
		if err != nil { // both walk the same grammar
			h = exchange.HashLine(raw)
		}
		r.id = h.ID(r.seen.Next(h))
		x.ID = r.id[:]
	}
	r.seq++
	x.Ordinal, x.Seq = r.cfg.Ordinal, r.seq
	if err := r.sink.Accept(x); err != nil {
		return err
	}
	r.accepted++
	for i, lacking := range [4]bool{x.Caps&(exchange.CapRequestBody|exchange.CapResponseBody) == 0, x.Status == 0,
		x.Caps&exchange.CapHeaderOrder == 0, x.Caps&exchange.CapTLS == 0} {
		if lacking {
			r.quality[i]++
		}
	}
	if r.accepted >= 256 {
		r.flush()
		return r.ctx.Err()
	}
	return nil
}

func (r *run) drop(reason taxonomy.DropReason, at, line int64, text string) {
	r.ledger.DropAt(r.problem(reason, at, line, text))
}

func (r *run) note(reason taxonomy.DropReason, at, line int64, text string) {
	r.ledger.Note(r.problem(reason, at, line, text))
}

func (r *run) problem(reason taxonomy.DropReason, at, line int64, text string) source.Problem {
	if line > 0 {
		at = -1
	}
	return source.Problem{File: r.name, Offset: at, Line: line, Reason: reason, Text: text}
}
