// Package goreplay reads GoReplay's files (.gor): payloads with a line of
// meta data before each and a fixed separator between.
//
// It takes inputs and gives one exchange per recorded request, with header
// lines in wire order, as soon as its response is found; requests without one
// follow at the end, in the order of the file. A replayed response stands in
// only where the original was not recorded. Invariant: every request and every
// response without a request is either accepted or counted under one reason,
// with its byte offset. Limits: a payload beyond Config.PayloadLimit is
// dropped as oversize; at most MaxPending requests and MaxKept bytes wait for
// their other half, after which the oldest goes on without; GoReplay logs no
// addresses.
package goreplay

import (
	"bytes"
	"context"
	"errors"
	"io"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
	"xiezhi/internal/wire"
)

const (
	// DefaultPayloadLimit caps one payload.
	DefaultPayloadLimit = 64 << 20
	// MaxPending is how many requests and early responses wait.
	MaxPending = 65536
	// MaxKept bounds their bytes.
	MaxKept = 256 << 20
)

// Config of the source.
type Config struct {
	Ordinal      uint32 // ordinal of the source within the run
	PayloadLimit int    // bytes; 0 means DefaultPayloadLimit
	Pending      int    // 0 means MaxPending
}

// Source reads GoReplay's files one after another.
type Source struct {
	inputs []source.Input
	cfg    Config
}

// New gives a source; nothing is opened before Run.
func New(inputs []source.Input, cfg Config) *Source {
	if cfg.PayloadLimit <= 0 {
		cfg.PayloadLimit = DefaultPayloadLimit
	}
	if cfg.Pending <= 0 {
		cfg.Pending = MaxPending
	}
	return &Source{inputs: inputs, cfg: cfg}
}

// Run delivers every request. An input that cannot be opened does not keep the
// others from being read; its error is returned at the end. Requests and
// responses are paired within a file.
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

	in    scanner
	table table
	text  wire.Text
	x     exchange.Exchange
	seen  exchange.Occurrences
	id    exchange.ID
	seq   uint64

	name      string
	accepted  uint64
	silent    uint64
	responses uint64 // of either kind in this file
}

// input reads one file to its end. Only errors that end the run are returned.
func (r *run) input(name string, rc io.Reader) error {
	r.name, r.accepted, r.silent, r.responses = name, 0, 0, 0
	r.in.reset(rc, r.cfg.PayloadLimit)
	r.table.reset()
	for {
		raw, at, ok := r.in.next()
		r.ledger.AddBytes(r.in.taken)
		r.in.taken = 0
		if !ok {
			break
		}
		if err := r.payload(raw, at); err != nil {
			return err
		}
	}
	for r.table.len() > 0 {
		if err := r.finish(r.table.oldest()); err != nil {
			return err
		}
	}
	r.ledger.Quality(taxonomy.QualityNoResponses, name, r.silent)
	r.ledger.Quality(taxonomy.QualityNoTLS, name, r.accepted)
	switch err := r.in.err; {
	case err == nil, errors.Is(err, io.EOF):
	case errors.Is(err, io.ErrUnexpectedEOF):
		r.note(taxonomy.DropTruncated, "compressed data ends early")
	default:
		r.note(taxonomy.DropCorrupt, "the input cannot be read any further")
	}
	return nil
}

// payload files one payload. nil stands for one beyond the limit.
func (r *run) payload(raw []byte, at int64) error {
	if raw == nil {
		r.drop(taxonomy.DropOversize, at, "the payload is larger than the limit")
		return nil
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	m, body, ok := readMeta(raw)
	if !ok {
		r.drop(taxonomy.DropCorrupt, at, "the payload has no line of type, id and time")
		return nil
	}
	if m.kind != request {
		r.responses++
	}
	p := r.table.find(m.id)
	if p != nil && (m.kind == request && p.request != nil || m.kind == response && p.response != nil) {
		// The id comes again: a file recorded twice, or looped.
		if err := r.finish(p); err != nil {
			return err
		}
		p = nil
	}
	if p == nil {
		for r.table.len() > 0 && (r.table.len() >= r.cfg.Pending || r.table.kept+int64(len(raw)) > MaxKept) {
			if err := r.finish(r.table.oldest()); err != nil {
				return err
			}
		}
		p = r.table.add(m.id, at)
	}
	switch m.kind {
	case request:
		p.at, p.start, p.requestEnd = at, m.time, m.time+m.latency
		p.hash = exchange.HashLine(raw)
		p.request = r.table.keep(p, body)
	case response:
		p.end = m.time + m.latency
		p.response = r.table.keep(p, body)
	case replayed:
		if p.replayed != nil {
			return nil // of a second target
		}
		p.replayedEnd = m.time + m.latency
		p.replayed = r.table.keep(p, body)
	}
	if p.request != nil && p.response != nil {
		return r.finish(p)
	}
	return nil
}

// finish delivers or counts what has waited and forgets it.
func (r *run) finish(p *pending) error {
	defer r.table.remove(p)
	if p.request == nil {
		r.drop(taxonomy.DropTruncated, p.at, "a response without its request")
		return nil
	}
	x := &r.x
	x.Reset()
	switch err := r.text.Request(p.request, x); {
	case errors.Is(err, wire.ErrHeadLimit):
		r.drop(taxonomy.DropOversize, p.at, "the head is larger than the limit")
		return nil
	case err != nil:
		r.drop(taxonomy.DropCorrupt, p.at, "the request is not an HTTP message")
		return nil
	case len(x.Target) == 0:
		r.drop(taxonomy.DropCorrupt, p.at, "the request has no method or no target")
		return nil
	}
	x.Caps = exchange.CapRequestHeaders | exchange.CapHeaderOrder | exchange.CapRequestBody
	if r.responses > 0 {
		x.Caps |= exchange.CapResponseHeaders | exchange.CapResponseBody | exchange.CapResponse
	}
	x.Start, x.End = p.start, max(p.start, p.requestEnd)
	answer, end := p.response, p.end
	if answer == nil {
		answer, end = p.replayed, p.replayedEnd
	}
	if answer != nil {
		switch err := r.text.Response(answer, x); {
		case errors.Is(err, wire.ErrHeadLimit):
			r.drop(taxonomy.DropOversize, p.at, "the head is larger than the limit")
			return nil
		case err != nil:
			r.drop(taxonomy.DropCorrupt, p.at, "the response is not an HTTP message")
			return nil
		}
		x.End = max(x.End, end)
	}
	r.id = p.hash.ID(r.seen.Next(p.hash))
	r.seq++
	x.ID, x.Ordinal, x.Seq = r.id[:], r.cfg.Ordinal, r.seq
	if err := r.sink.Accept(x); err != nil {
		return err
	}
	r.ledger.AddAccepted(1)
	r.accepted++
	if x.Status == 0 {
		r.silent++
	}
	return r.ctx.Err()
}

func (r *run) drop(reason taxonomy.DropReason, at int64, text string) {
	r.ledger.DropAt(source.Problem{File: r.name, Offset: at, Reason: reason, Text: text})
}

func (r *run) note(reason taxonomy.DropReason, text string) {
	r.ledger.Note(source.Problem{File: r.name, Offset: r.in.base, Reason: reason, Text: text})
}

// Detect recognises GoReplay's first payload: its line of meta data, followed
// by an HTTP message.
func Detect(head []byte) bool {
	_, body, ok := readMeta(bytes.TrimLeft(head, "\n"))
	if !ok {
		return false
	}
	line, _, _ := bytes.Cut(body, []byte("\n"))
	return bytes.HasPrefix(line, []byte("HTTP/")) || bytes.Contains(line, []byte(" HTTP/"))
}
