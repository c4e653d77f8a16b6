package exchange

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

const (
	// DefaultBodyLimit caps a decoded body when the caller names no limit.
	DefaultBodyLimit = 4 << 20
	// MaxCodings is how many content codings may be stacked.
	MaxCodings = 4
	// bombRatio is beyond what text reaches in practice (deflate's own limit
	// is 1 032); only a body that was cut is tested against it.
	bombRatio = 200
	// zstdWindow is RFC 9659's limit for zstd as a content coding.
	zstdWindow = 8 << 20
)

var (
	// ErrCodingUnsupported: the body is returned as it was under the coding
	// that could not be removed.
	ErrCodingUnsupported = errors.New("content coding not supported")
	// ErrNotCoded: the header names a coding that the bytes do not have; the
	// body is returned as it is, as a server that ignores the header reads it.
	ErrNotCoded = errors.New("body does not have the content coding its header names")
	// ErrCodingCorrupt: what could be decoded is returned.
	ErrCodingCorrupt = errors.New("content coding is corrupt or cut short")
	// ErrBomb: the body decodes to over 200 times its size, or an inner coding
	// to more than four times the limit; the first part is returned.
	ErrBomb = errors.New("content coding expands beyond reason")
	// ErrCodings: more codings are stacked than anyone needs.
	ErrCodings = errors.New("too many content codings")
)

type coding uint8

const (
	codingNone coding = iota
	codingUnknown
	codingGzip
	codingDeflate
	codingZstd
	codingBrotli
)

var bodyDecoders = sync.Pool{New: func() any { return new(bodyDecoder) }}

// DecodeBody removes m's content codings and appends the body to dst; if there
// is nothing to remove, it returns m.Body itself, cut at the limit. limit ≤ 0
// means DefaultBodyLimit. cut is how many bytes are missing because of the
// limit: exact without codings, else a lower bound, since counting on would be
// what a bomb wants. Bytes decoded before an error are returned with it.
func DecodeBody(dst []byte, m *Message, limit int) (body []byte, cut int64, err error) {
	if limit <= 0 {
		limit = DefaultBodyLimit
	}
	plain := func(b []byte) ([]byte, int64) {
		if len(b) > limit {
			return b[:limit:limit], int64(len(b) - limit)
		}
		return b, 0
	}
	if m.Decoded || len(m.Body) == 0 {
		body, cut = plain(m.Body)
		return body, cut, nil
	}
	var list [MaxCodings]coding
	codings, err := contentCodings(m, list[:0])
	if err != nil || len(codings) == 0 {
		body, cut = plain(m.Body)
		return body, cut, err
	}
	if last := codings[len(codings)-1]; last == codingUnknown {
		body, cut = plain(m.Body)
		return body, cut, ErrCodingUnsupported
	} else if !last.matches(m.Body) {
		body, cut = plain(m.Body)
		return body, cut, ErrNotCoded
	}
	d := bodyDecoders.Get().(*bodyDecoder)
	body, cut, err = d.decode(dst, m.Body, codings, limit)
	d.release()
	bodyDecoders.Put(d)
	// Without a magic it is failing that tells: deflate at once, brotli, which
	// makes something of most bytes, by having been given a text.
	switch last := codings[len(codings)-1]; {
	case errors.Is(err, ErrCodingCorrupt) && last == codingBrotli && textual(m.Body),
		err != nil && last == codingDeflate && len(body) == len(dst):
		body, cut = plain(m.Body)
		return body, cut, ErrNotCoded
	}
	return body, cut, err
}

// contentCodings lists the codings in the order they were applied.
func contentCodings(m *Message, list []coding) ([]coding, error) {
	for i := range m.Header {
		if !EqualFold(m.Header[i].Name, "content-encoding") {
			continue
		}
		v := m.Header[i].Value
		for len(v) > 0 {
			name := v
			if j := bytes.IndexByte(v, ','); j >= 0 {
				name, v = v[:j], v[j+1:]
			} else {
				v = nil
			}
			c := codingOf(bytes.TrimSpace(name))
			if c == codingNone {
				continue
			}
			if len(list) == MaxCodings {
				return nil, ErrCodings
			}
			list = append(list, c)
		}
	}
	return list, nil
}

func codingOf(name []byte) coding {
	switch {
	case len(name) == 0, EqualFold(name, "identity"):
		return codingNone
	case EqualFold(name, "gzip"), EqualFold(name, "x-gzip"):
		return codingGzip
	case EqualFold(name, "deflate"):
		return codingDeflate
	case EqualFold(name, "zstd"):
		return codingZstd
	case EqualFold(name, "br"):
		return codingBrotli
	}
	return codingUnknown
}

// textual reports whether b begins as text does: UTF-8 without control
// characters.
func textual(b []byte) bool {
	b = b[:min(len(b), 256)]
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	for range utf8.UTFMax { // the last character may be cut
		if utf8.Valid(b) {
			return true
		}
		b = b[:max(len(b)-1, 0)]
	}
	return false
}

// matches tests the magic; deflate may come without any, brotli has none.
func (c coding) matches(b []byte) bool {
	switch c {
	case codingGzip:
		return len(b) >= 2 && b[0] == 0x1f && b[1] == 0x8b
	case codingZstd: // a frame, or a skippable frame before it
		return len(b) >= 4 && (b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd ||
			b[0]&0xf0 == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18)
	}
	return true
}

// bodyDecoder holds one reader of each kind per stacking level, so that
// nothing is allocated once it has seen its kinds.
type bodyDecoder struct {
	src    bytes.Reader
	stages [MaxCodings]stage
}

type stage struct {
	gzip *gzip.Reader
	raw  io.ReadCloser
	zlib io.ReadCloser
	zstd *zstd.Decoder
	br   *brotli.Reader
	in   *bufio.Reader // before every stage but the first
	left io.LimitedReader
}

func (d *bodyDecoder) release() {
	d.src.Reset(nil)
	for i := range d.stages {
		s := &d.stages[i]
		s.left.R = nil
		if s.in != nil {
			s.in.Reset(nil)
		}
	}
}

func (d *bodyDecoder) decode(dst, src []byte, codings []coding, limit int) ([]byte, int64, error) {
	d.src.Reset(src)
	var r io.Reader = &d.src
	head := src
	inner := int64(limit)*4 + 64<<10
	for i := range codings {
		s := &d.stages[i]
		c := codings[len(codings)-1-i]
		if i > 0 {
			s.left = io.LimitedReader{R: r, N: inner}
			if s.in == nil {
				s.in = bufio.NewReaderSize(nil, 4096)
			}
			s.in.Reset(&s.left)
			head, _ = s.in.Peek(4)
			r = s.in
		}
		if c == codingUnknown || !c.matches(head) {
			err := ErrNotCoded
			if c == codingUnknown {
				err = ErrCodingUnsupported
			}
			body, cut, e := d.drain(dst, r, len(src), limit, i)
			return body, cut, errors.Join(err, e)
		}
		next, err := s.open(c, r, head)
		if err != nil {
			return dst, 0, ErrCodingCorrupt
		}
		r = next
	}
	return d.drain(dst, r, len(src), limit, len(codings))
}

// open gives a reader of what is under coding c. Go's readers differ in how
// they are reset, nothing more.
func (s *stage) open(c coding, r io.Reader, head []byte) (io.Reader, error) {
	var err error
	switch c {
	case codingGzip:
		if s.gzip == nil {
			s.gzip = new(gzip.Reader)
		}
		return s.gzip, s.gzip.Reset(r)
	case codingZstd:
		if s.zstd == nil {
			s.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
			if err != nil {
				return nil, err
			}
		}
		return s.zstd, s.zstd.Reset(r)
	case codingBrotli:
		if s.br == nil {
			s.br = brotli.NewReader(r)
			return s.br, nil
		}
		return s.br, s.br.Reset(r)
	}
	if len(head) >= 2 && head[0]&0x0f == 8 && head[0]>>4 <= 7 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		if s.zlib == nil {
			s.zlib, err = zlib.NewReader(r)
			if err != nil {
				s.zlib = nil
			}
			return s.zlib, err
		}
		return s.zlib, s.zlib.(zlib.Resetter).Reset(r, nil)
	}
	if s.raw == nil {
		s.raw = flate.NewReader(r)
		return s.raw, nil
	}
	return s.raw, s.raw.(flate.Resetter).Reset(r, nil)
}

// drain reads up to the limit and then a little, to see whether there is more.
func (d *bodyDecoder) drain(dst []byte, r io.Reader, coded, limit, stages int) ([]byte, int64, error) {
	start := len(dst)
	var err error
	for err == nil && len(dst)-start < limit {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		room := dst[len(dst):min(cap(dst), start+limit)]
		var n int
		n, err = r.Read(room)
		dst = dst[:len(dst)+n]
	}
	cut := int64(0)
	if err == nil {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		// The byte beyond the limit is read into spare room and not kept.
		var n int
		for n == 0 && err == nil {
			n, err = r.Read(dst[len(dst) : len(dst)+1])
		}
		cut = int64(n)
		err = nil
	}
	if err == io.EOF {
		err = nil
	}
	switch {
	case cut > 0 && (len(dst)-start)/bombRatio >= coded-d.src.Len(): // against what was read so far
		return dst, cut, ErrBomb
	case d.exhausted(stages):
		return dst, cut, ErrBomb
	case err != nil:
		return dst, cut, ErrCodingCorrupt
	}
	return dst, cut, nil
}

// exhausted reports whether an inner coding used up its allowance.
func (d *bodyDecoder) exhausted(stages int) bool {
	for i := 1; i < min(stages+1, MaxCodings); i++ {
		if d.stages[i].left.R != nil && d.stages[i].left.N <= 0 {
			return true
		}
	}
	return false
}
