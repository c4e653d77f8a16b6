package collector

import (
	"bytes"
	"errors"
	"io"
	"time"
	"unsafe"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"xiezhi/internal/exchange"
	"xiezhi/internal/source/accesslog"
	"xiezhi/internal/taxonomy"
)

const (
	maxWindow   = 8 << 20 // of a zstd body: what its levels up to 22 use without --long
	maxRejects  = 100     // rejected lines that an answer lists
	bufferKept  = 1 << 20 // room that stays with a decoder or batch
	headersKept = 1024
	// exchangeCost is what an exchange takes beside its bytes.
	exchangeCost = int64(unsafe.Sizeof(exchange.Exchange{})) + 16
	fieldCost    = int64(unsafe.Sizeof(exchange.Field{}))
)

// Why a body is refused as a whole.
var (
	errTooLarge   = errors.New("the body is larger than the limit; send it in parts")
	errEntries    = errors.New("the body holds more entries than the limit; send it in parts")
	errCompressed = errors.New("the compressed body is damaged")
	errBusy       = errors.New("the collector is busy")
)

// Rejection is one line that is no exchange. Its text holds no byte of it.
type Rejection struct {
	Line   int64  `json:"line"`
	Error  string `json:"error"`
	reason taxonomy.DropReason
}

// batch is what a body holds.
type batch struct {
	exchanges exchange.Batch
	hashes    []exchange.ContentHash // of entries without _id; parallel to exchanges
	rejects   []Rejection
	unlisted  uint64 // rejected beyond maxRejects
	read      int64  // bytes after decompression
	raw       []byte // room for the body as sent
}

func (b *batch) reset() {
	if b.exchanges.Bytes() > bufferKept || b.exchanges.Len() > 4096 {
		b.exchanges = exchange.Batch{}
	}
	b.exchanges.Reset()
	if cap(b.raw) > bufferKept {
		b.raw = nil
	}
	*b = batch{exchanges: b.exchanges, hashes: b.hashes[:0], rejects: b.rejects[:0], raw: b.raw}
}

func (b *batch) reject(line int64, reason taxonomy.DropReason, text string) {
	if len(b.rejects) < maxRejects {
		b.rejects = append(b.rejects, Rejection{line, text, reason})
	} else {
		b.unlisted++
	}
}

// decoder turns one body after another into batches. There are few of them:
// what a body may cost while it is decoded is bounded by their number.
type decoder struct {
	limits Limits
	har    exchange.HARDecoder
	log    *accesslog.Lines
	x      exchange.Exchange
	sensor []byte
	site   []byte
	in     bytes.Reader
	gzip   gzip.Reader
	zstd   *zstd.Decoder
	buf    []byte // the decompressed body
	id     exchange.ID
	claim  *claim
	out    *batch
}

func newDecoder(l Limits, loc *time.Location) (*decoder, error) {
	lines, err := accesslog.NewLines(accesslog.Config{Location: loc})
	if err != nil {
		return nil, err
	}
	return &decoder{limits: l, log: lines}, nil
}

// decode fills out from a body as it was sent.
func (d *decoder) decode(f form, coding string, raw []byte, sensor, site string, c *claim, out *batch) error {
	d.sensor, d.site, d.claim, d.out = append(d.sensor[:0], sensor...), append(d.site[:0], site...), c, out
	defer d.release()
	body, err := d.decompress(coding, raw)
	if err != nil {
		return err
	}
	out.read = int64(len(body))
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if f == apisix {
		return d.apisix(body)
	}
	return d.lines(body, d.entry)
}

func (d *decoder) release() {
	if cap(d.buf) > bufferKept {
		d.buf = nil
	}
	if cap(d.x.Request.Header) > headersKept || cap(d.x.Response.Header) > headersKept {
		d.x, d.har = exchange.Exchange{}, exchange.HARDecoder{}
	}
	d.in.Reset(nil)
	d.claim, d.out = nil, nil
}

// decompress removes the content coding, whatever comes out bounded.
func (d *decoder) decompress(coding string, raw []byte) ([]byte, error) {
	d.in.Reset(raw)
	var r io.Reader
	switch coding {
	case "gzip":
		if err := d.gzip.Reset(&d.in); err != nil {
			return nil, errCompressed
		}
		r = &d.gzip
	case "zstd":
		if d.zstd == nil {
			z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return nil, err
			}
			d.zstd = z
		}
		if err := d.zstd.Reset(&d.in); err != nil {
			return nil, errCompressed
		}
		defer func() { _ = d.zstd.Reset(nil) }()
		r = d.zstd
	default:
		return raw, nil
	}
	if d.buf == nil {
		d.buf = make([]byte, 64<<10)
	}
	n := 0
	for {
		if n == len(d.buf) {
			if int64(n) > d.limits.Body {
				return nil, errTooLarge
			}
			grown := make([]byte, min(int64(2*n), d.limits.Body+1))
			copy(grown, d.buf)
			d.buf = grown
		}
		k, err := r.Read(d.buf[n:])
		n += k
		switch {
		case int64(n) > d.limits.Body:
			return nil, errTooLarge
		case err == io.EOF:
			return d.buf[:n], nil
		case err != nil:
			return nil, errCompressed
		}
	}
}

// lines calls one for every line that is not blank.
func (d *decoder) lines(body []byte, one func(n int64, line []byte) error) error {
	for n := int64(1); len(body) > 0; n++ {
		line := body
		if i := bytes.IndexByte(body, '\n'); i >= 0 {
			line, body = body[:i], body[i+1:]
		} else {
			body = nil
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := d.bounded(n, line, one); err != nil {
			return err
		}
	}
	return nil
}

// bounded rejects an entry that is too large.
func (d *decoder) bounded(n int64, raw []byte, one func(n int64, raw []byte) error) error {
	if len(raw) > d.limits.Entry {
		d.out.reject(n, taxonomy.DropOversize, "the entry is larger than the limit")
		return nil
	}
	return one(n, raw)
}

// entry decodes one HAR entry.
func (d *decoder) entry(n int64, raw []byte) error {
	x := &d.x
	if err := d.har.Decode(raw, x); err != nil {
		if errors.Is(err, exchange.ErrNotHTTP) {
			d.out.reject(n, taxonomy.DropUnsupported, "request.url is no HTTP URL")
		} else {
			d.out.reject(n, taxonomy.DropCorrupt, err.Error())
		}
		return nil
	}
	var h exchange.ContentHash
	if len(x.ID) == 0 {
		var err error
		if h, err = d.har.Hash(raw); err != nil { // both walk the same grammar
			h = exchange.HashLine(raw)
		}
	}
	return d.keep(h)
}

// keep copies the exchange in hand into the batch.
func (d *decoder) keep(h exchange.ContentHash) error {
	x, b := &d.x, d.out
	if len(b.hashes) >= d.limits.Entries {
		return errEntries
	}
	x.Sensor = d.sensor
	if len(d.site) > 0 {
		x.Site = d.site
	}
	before := b.exchanges.Bytes()
	cost := exchangeCost + fieldCost*int64(len(x.Request.Header)+len(x.Response.Header))
	b.exchanges.Append(x)
	b.hashes = append(b.hashes, h)
	return d.claim.take(cost + b.exchanges.Bytes() - before)
}
