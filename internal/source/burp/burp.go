// Package burp reads the XML that Burp Suite saves of proxy history, site map
// and search results.
//
// It takes inputs and gives one exchange per item, in the order of the file,
// with header lines in wire order. A file is streamed item by item; the XML is
// read by a scanner of our own, because raw messages in CDATA hold bytes that
// XML forbids, and no entity beyond XML's own five and numbers is known, so
// nothing expands. Invariant: every item that begins is either accepted or
// dropped under one reason with its byte offset. Limits: an item beyond
// Config.ItemLimit is dropped as oversize; Burp logs one time per item, to the
// second, and no client address.
package burp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source"
	"xiezhi/internal/taxonomy"
	"xiezhi/internal/wire"
)

// DefaultItemLimit caps one item.
const DefaultItemLimit = 64 << 20

// Config of the source.
type Config struct {
	Ordinal   uint32         // ordinal of the source within the run
	Location  *time.Location // gives abbreviations of zones their meaning; nil means UTC
	ItemLimit int            // bytes; 0 means DefaultItemLimit
}

// Source reads Burp's files one after another.
type Source struct {
	inputs []source.Input
	cfg    Config
}

// New gives a source; nothing is opened before Run.
func New(inputs []source.Input, cfg Config) *Source {
	if cfg.ItemLimit <= 0 {
		cfg.ItemLimit = DefaultItemLimit
	}
	if cfg.Location == nil {
		cfg.Location = time.UTC
	}
	return &Source{inputs: inputs, cfg: cfg}
}

// Run delivers every item. An input that cannot be opened does not keep the
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

	in   scanner
	item item
	text wire.Text
	x    exchange.Exchange
	seen exchange.Occurrences
	id   exchange.ID
	seq  uint64

	name     string
	accepted uint64
	silent   uint64 // without a response
}

// input reads one file to its end. Only errors that end the run are returned.
func (r *run) input(name string, rc io.Reader) error {
	r.name, r.accepted, r.silent = name, 0, 0
	r.in.reset(rc, r.cfg.ItemLimit)
	for {
		raw, at, state := r.in.next()
		r.ledger.AddBytes(r.in.taken)
		r.in.taken = 0
		if state == none {
			break
		}
		switch state {
		case tooLarge:
			r.drop(taxonomy.DropOversize, at, "the item is larger than the limit")
		case cut:
			r.drop(taxonomy.DropTruncated, at, "the input ends within the item")
		default:
			h := exchange.HashLine(raw)
			if reason, why := r.exchange(raw); why != "" {
				r.drop(reason, at, why)
				continue
			}
			if err := r.accept(h); err != nil {
				return err
			}
		}
	}
	r.ledger.Quality(taxonomy.QualityNoResponses, name, r.silent)
	r.ledger.Quality(taxonomy.QualityNoTLS, name, r.accepted)
	switch err := r.in.err; {
	case err == nil, errors.Is(err, io.EOF):
		if r.in.items == 0 {
			r.drop(taxonomy.DropCorrupt, 0, "no item found")
		}
	case errors.Is(err, io.ErrUnexpectedEOF):
		r.note(taxonomy.DropTruncated, "compressed data ends early")
	default:
		r.note(taxonomy.DropCorrupt, "the input cannot be read any further")
	}
	return nil
}

func (r *run) accept(h exchange.ContentHash) error {
	x := &r.x
	r.id = h.ID(r.seen.Next(h))
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

// exchange puts the exchange of one item together.
func (r *run) exchange(raw []byte) (taxonomy.DropReason, string) {
	it, x := &r.item, &r.x
	if !it.read(raw) {
		return taxonomy.DropCorrupt, "the item is no well-formed XML"
	}
	x.Reset()
	if len(it.request) == 0 {
		return taxonomy.DropCorrupt, "the item has no request"
	}
	if it.badBase64 {
		return taxonomy.DropCorrupt, "a message of the item is not base64"
	}
	switch err := r.text.Request(it.request, x); {
	case errors.Is(err, wire.ErrHeadLimit):
		return taxonomy.DropOversize, "the head is larger than the limit"
	case err != nil:
		return taxonomy.DropCorrupt, "the request is not an HTTP message"
	case len(x.Target) == 0:
		return taxonomy.DropCorrupt, "the request has no method or no target"
	}
	x.Caps = exchange.CapRequestHeaders | exchange.CapHeaderOrder | exchange.CapRequestBody | exchange.CapResponseHeaders | exchange.CapResponseBody | exchange.CapResponse
	if len(it.response) > 0 {
		switch err := r.text.Response(it.response, x); {
		case errors.Is(err, wire.ErrHeadLimit):
			return taxonomy.DropOversize, "the head is larger than the limit"
		case err != nil:
			return taxonomy.DropCorrupt, "the response is not an HTTP message"
		}
	}
	ns, ok := it.when(r.cfg.Location, x)
	if !ok {
		ns, ok = clock(string(r.in.exported), r.cfg.Location)
	}
	if !ok {
		return taxonomy.DropCorrupt, "the time is missing or impossible"
	}
	x.Start, x.End = ns, ns
	x.Secure = string(it.protocol) == "https"
	if len(x.Host) == 0 {
		x.Host = it.host
	}
	if ip, err := netip.ParseAddr(string(it.ip)); err == nil {
		x.Server = netip.AddrPortFrom(ip.WithZone("").Unmap(), port(it.port))
	}
	return "", ""
}

func port(s []byte) uint16 {
	n := 0
	for _, c := range s {
		if c-'0' > 9 || n > 65535 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	if n > 65535 {
		return 0
	}
	return uint16(n)
}

func (r *run) drop(reason taxonomy.DropReason, at int64, text string) {
	r.ledger.DropAt(source.Problem{File: r.name, Offset: at, Reason: reason, Text: text})
}

func (r *run) note(reason taxonomy.DropReason, text string) {
	r.ledger.Note(source.Problem{File: r.name, Offset: r.in.offset(), Reason: reason, Text: text})
}

// Detect recognises Burp's export by its root element.
func Detect(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if t := bytes.TrimLeft(head, " \t\r\n"); len(t) == 0 || t[0] != '<' {
		return false
	}
	i := bytes.Index(head, []byte("<items"))
	if i < 0 || i+6 >= len(head) {
		return false
	}
	tag := head[i+6:]
	if j := bytes.IndexByte(tag, '>'); j >= 0 {
		tag = tag[:j]
	}
	return bytes.Contains(tag, []byte("burpVersion=")) || bytes.Contains(tag, []byte("exportTime="))
}
