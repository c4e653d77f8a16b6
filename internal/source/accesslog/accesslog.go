// Package accesslog reads the access logs of web servers, gateways and load
// balancers: common, combined and vhost_combined with trailing fields, JSON,
// Envoy's, HAProxy's, W3C extended (IIS, CloudFront), AWS's, wrapped by syslog
// or a container runtime or not, and whatever a server's format string
// describes.
//
// It takes inputs and gives one exchange per line, in the order of the file,
// ending at the logged time or, where the start is logged, after the logged
// duration. Each line is judged by itself, so files may be mixed, cut and
// joined; all that is remembered from line to line of a file is a W3C log's
// directives, the year, and the beginning of a line that a container runtime
// split. Invariant: every line that is neither blank nor a
// directive is accepted or dropped under one reason with its line number.
// Limits: a log has a few headers at most, and bodies only where a JSON format
// or a log format names them, so Caps holds CapResponse and those bodies alone; a line beyond 1 MiB is dropped as oversize; a log's client
// is what the server saw, which behind a proxy is the proxy.
package accesslog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
)

// MaxLine caps one line.
const MaxLine = 1 << 20

// chunk is what one read takes: it stays in the core's cache.
const chunk = 128 << 10

// Config of the source.
type Config struct {
	Ordinal  uint32         // ordinal of the source within the run
	Location *time.Location // of times without an offset; nil means UTC
	Format   string         // an nginx log_format, tried before the known ones
}

// Source reads log files one after another.
type Source struct {
	inputs []source.Input
	cfg    Config
	format *format
}

// New gives a source; nothing is opened before Run. The error is about
// Config.Format.
func New(inputs []source.Input, cfg Config) (*Source, error) {
	s := &Source{inputs: inputs, cfg: cfg}
	if cfg.Format != "" {
		f, err := compile(cfg.Format)
		if err != nil {
			return nil, err
		}
		s.format = f
	}
	return s, nil
}

// Run delivers every line. An input that cannot be opened does not keep the
// others from being read; its error is returned at the end.
func (s *Source) Run(ctx context.Context, sink source.Sink, ledger *source.Ledger) error {
	r := &run{cfg: s.cfg, ctx: ctx, sink: sink, ledger: ledger, p: newParser(s.cfg.Location, s.format)}
	if w, ok := sink.(source.Witness); ok && w.Wants() {
		r.witness, r.p.asides = w, true
	}
	return source.Each(ctx, s.inputs, ledger, r.input)
}

// run is the state of one Run.
type run struct {
	cfg    Config
	ctx    context.Context
	sink   source.Sink
	ledger *source.Ledger

	witness source.Witness // nil: nobody looks at what is no exchange

	p    *parser
	x    exchange.Exchange
	seen exchange.Occurrences
	id   exchange.ID
	seq  uint64
	buf  []byte

	name     string
	line     int64
	taken    int64
	accepted uint64
	total    uint64 // accepted of this file
	bare     uint64 // accepted without any body
	messages uint64 // lines of this file that are no requests
}

// input splits one file into lines.
func (r *run) input(name string, rc io.Reader) error {
	r.name, r.line, r.total, r.bare, r.messages = name, 0, 0, 0, 0
	r.p.newFile()
	if r.buf == nil {
		r.buf = make([]byte, MaxLine+chunk+1)
	}
	n, idle, skipping := 0, 0, false
	var readErr error
	for readErr == nil {
		k, err := rc.Read(r.buf[n:min(n+chunk, len(r.buf))])
		r.taken += int64(k)
		n += k
		if idle++; k > 0 {
			idle = 0
		} else if err == nil && idle > 100 {
			err = io.ErrNoProgress
		}
		readErr = err
		p := 0
		for {
			i := bytes.IndexByte(r.buf[p:n], '\n')
			if i < 0 {
				break
			}
			line := r.buf[p : p+i]
			p += i + 1
			r.line++
			if skipping || len(line) > MaxLine {
				skipping = false
				r.drop(taxonomy.DropOversize, whyLong)
				continue
			}
			if err := r.accept(line); err != nil {
				return err
			}
		}
		switch {
		case skipping: // still within a line that is too long
			p = n
		case n-p > MaxLine:
			skipping, p = true, n
		}
		n = copy(r.buf, r.buf[p:n])
		if err := r.flush(); err != nil {
			return err
		}
	}
	if skipping || n > 0 {
		r.line++
		if skipping {
			r.drop(taxonomy.DropOversize, whyLong)
		} else if err := r.accept(r.buf[:n]); err != nil {
			return err
		}
	}
	for i := range r.p.memory.pieces {
		if r.p.memory.pieces[i].waiting() {
			r.drop(taxonomy.DropTruncated, whyPart)
		}
	}
	if err := r.flush(); err != nil {
		return err
	}
	r.ledger.Quality(taxonomy.QualityNoBodies, name, r.bare)
	for _, q := range []taxonomy.Quality{taxonomy.QualityNoHeaderOrder, taxonomy.QualityNoTLS} {
		r.ledger.Quality(q, name, r.total)
	}
	switch {
	case readErr == io.EOF:
	case errors.Is(readErr, io.ErrUnexpectedEOF):
		r.note(taxonomy.DropTruncated, "compressed data ends early")
	default:
		r.note(taxonomy.DropCorrupt, "the input cannot be read any further")
	}
	return nil
}

func (r *run) flush() error {
	r.ledger.AddAccepted(r.accepted)
	r.ledger.AddBytes(r.taken)
	r.total += r.accepted
	r.accepted, r.taken = 0, 0
	return r.ctx.Err()
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func (r *run) accept(line []byte) error {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if r.line == 1 {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	if len(line) == 0 || len(line) < 64 && len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	x := &r.x
	if why := r.p.parse(line, x); why != "" {
		r.refuse(why)
		if r.witness == nil || x.Aside == exchange.AsideNone || x.End == 0 {
			return nil
		}
		h := exchange.HashLine(line)
		r.id = h.ID(r.seen.Next(h))
		r.seq++
		x.ID, x.Ordinal, x.Seq = r.id[:], r.cfg.Ordinal, r.seq
		return r.witness.Witness(x)
	}
	h := exchange.HashLine(line)
	r.id = h.ID(r.seen.Next(h))
	r.seq++
	x.ID, x.Ordinal, x.Seq = r.id[:], r.cfg.Ordinal, r.seq
	if err := r.sink.Accept(x); err != nil {
		return err
	}
	r.accepted++
	if x.Caps&(exchange.CapRequestBody|exchange.CapResponseBody) == 0 {
		r.bare++
	}
	return nil
}

// refuse counts a line that gives no exchange. Error logs between the requests
// are told once per file; they would hide what is broken.
func (r *run) refuse(why string) {
	switch reason := reasonOf(why); reason {
	case "":
	case taxonomy.DropUnsupported:
		r.ledger.Drop(reason, 1)
		if r.messages++; r.messages == 1 {
			r.note(reason, why)
		}
	default:
		r.drop(reason, why)
	}
}

func (r *run) drop(reason taxonomy.DropReason, text string) {
	r.ledger.DropAt(source.Problem{File: r.name, Offset: -1, Line: r.line, Reason: reason, Text: text})
}

func (r *run) note(reason taxonomy.DropReason, text string) {
	r.ledger.Note(source.Problem{File: r.name, Offset: -1, Line: r.line, Reason: reason, Text: text})
}
