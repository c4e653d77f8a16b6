package source

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// zstdMemory bounds what one zstd stream may ask for; zstd's own tool writes
// windows of up to 128 MiB with --long.
const zstdMemory = 256 << 20

// errReadOnce is what a second reader of a pipe gets.
var errReadOnce = errors.New("standard input and pipes can be read only once")

// ErrCompression: the input's compression is damaged. What came before has
// been delivered.
var ErrCompression = errors.New("compressed data is damaged")

// Decompress removes gzip (any number of members), zstd or zlib from r if its first
// bytes say so, whatever the name; anything else passes through. A stream that
// ends early gives io.ErrUnexpectedEOF after what could be read. It streams:
// how much comes out is for the reader to bound. Closing it closes r.
func Decompress(r io.ReadCloser) (io.ReadCloser, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(4)
	if err != nil && err != io.EOF && len(head) == 0 {
		r.Close()
		return nil, err
	}
	switch {
	case len(head) >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8:
		z, err := gzip.NewReader(br)
		if err != nil {
			r.Close()
			return nil, compressionError(err)
		}
		return &decompressor{Reader: z, close: func() error { return r.Close() }}, nil
	case len(head) >= 4 && isZstd(head):
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(zstdMemory), zstd.WithDecoderMaxWindow(zstdMemory/2))
		if err != nil {
			r.Close()
			return nil, compressionError(err)
		}
		return &decompressor{Reader: z, close: func() error { z.Close(); return r.Close() }}, nil
	}
	if isZlib(head) {
		if head, _ = br.Peek(zlibProbe); isZlib(head) && !isText(head) {
			z, err := zlib.NewReader(br)
			if err != nil {
				r.Close()
				return nil, compressionError(err)
			}
			return &decompressor{Reader: z, close: func() error { return r.Close() }}, nil
		}
	}
	return &passThrough{Reader: br, under: r}, nil
}

// isZstd knows a frame and a skippable frame, which some writers put first.
func isZstd(b []byte) bool {
	return b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd ||
		b[0]&0xf0 == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18
}

// zlibProbe is how many bytes tell a zlib stream from a text that begins with
// an x: its two bytes of header alone do not.
const zlibProbe = 64

func isZlib(b []byte) bool {
	return len(b) >= 4 && b[0] == 0x78 && (int(b[0])<<8|int(b[1]))%31 == 0 && b[1]&0x20 == 0
}

func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' && c != 0x1b || c >= 0x7f {
			return false
		}
	}
	return true
}

func compressionError(err error) error {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	}
	return errors.Join(ErrCompression, err)
}

type decompressor struct {
	io.Reader
	close func() error
}

func (d *decompressor) Read(b []byte) (int, error) {
	n, err := d.Reader.Read(b)
	return n, compressionError(err)
}

func (d *decompressor) Close() error { return d.close() }

// passThrough avoids a second copy once the peeked bytes are gone.
type passThrough struct {
	*bufio.Reader
	under io.ReadCloser
}

func (p *passThrough) Read(b []byte) (int, error) {
	if p.Buffered() == 0 && len(b) >= 4096 {
		return p.under.Read(b)
	}
	return p.Reader.Read(b)
}

func (p *passThrough) Close() error { return p.under.Close() }
