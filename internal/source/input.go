package source

import (
	"errors"
	"io"
	"sync"
)

// SniffSize is how much of an input Sniff shows.
const SniffSize = 64 << 10

// Input is one named byte stream. Open may be called more than once; a stream
// that cannot be read twice (standard input, a pipe) replays its first
// SniffSize bytes and fails beyond. What an Input from Expand gives is already
// decompressed.
type Input struct {
	Name string
	Open func() (io.ReadCloser, error)
	Once bool // can be read only once beyond its head
}

// Sniff reads up to the first 64 KiB of an input, after decompression. A
// damaged or short input gives what could be read; err is set only when that
// is nothing because of a failure.
func Sniff(in Input) ([]byte, error) {
	r, err := in.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	head := make([]byte, SniffSize)
	n, err := io.ReadFull(r, head)
	if errors.Is(err, io.EOF) || n > 0 {
		err = nil
	}
	return head[:n], err
}

// once is a stream that can be read only once, apart from its head.
type once struct {
	mu   sync.Mutex
	open func() (io.ReadCloser, error)
	r    io.ReadCloser
	head []byte
	pos  int64 // bytes taken from r
	err  error // final result of r, seen while filling the head
}

func (o *once) Open() (io.ReadCloser, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.r == nil {
		r, err := o.open()
		if err != nil {
			return nil, err
		}
		o.r = r
	}
	return &replay{o: o}, nil
}

type replay struct {
	o   *once
	off int64
}

func (p *replay) Read(b []byte) (int, error) {
	o := p.o
	o.mu.Lock()
	defer o.mu.Unlock()
	if p.off < int64(len(o.head)) {
		n := copy(b, o.head[p.off:])
		p.off += int64(n)
		return n, nil
	}
	if p.off != o.pos {
		return 0, errReadOnce
	}
	if o.err != nil {
		return 0, o.err
	}
	if room := SniffSize - len(o.head); room > 0 && len(b) > room {
		b = b[:room]
	}
	n, err := o.r.Read(b)
	if len(o.head) < SniffSize {
		o.head = append(o.head, b[:n]...)
	}
	o.pos += int64(n)
	p.off += int64(n)
	o.err = err
	return n, err
}

// Close keeps the stream open for whoever reads after a sniff.
func (p *replay) Close() error { return nil }
