package pcap

import (
	"errors"
	"fmt"
	"io"

	"xiezhi/internal/taxonomy"
)

const (
	maxPacket   = 1 << 20 // a longer packet is taken for damage
	windowSize  = 1 << 20
	smallWindow = 128 << 10 // when many files are open at once
)

// damage is what makes the rest of a file unreadable.
type damage struct {
	reason taxonomy.DropReason
	offset int64
	text   string
}

func (e *damage) Error() string { return fmt.Sprintf("%s at byte %d", e.text, e.offset) }

// window reads a stream through one buffer. What next returns stays valid
// until the following call.
type window struct {
	r     io.Reader
	buf   []byte
	p, n  int
	base  int64 // offset in the stream of buf[0]
	err   error
	count func(int64)
}

func newWindow(r io.Reader, size int, count func(int64)) *window {
	return &window{r: r, buf: make([]byte, size), count: count}
}

func (w *window) offset() int64 { return w.base + int64(w.p) }

// next returns the next n bytes. The error is io.EOF when there are none at
// all, io.ErrUnexpectedEOF when there are some.
func (w *window) next(n int) ([]byte, error) {
	if w.n-w.p < n {
		if err := w.fill(n); err != nil {
			return nil, err
		}
	}
	b := w.buf[w.p : w.p+n : w.p+n]
	w.p += n
	return b, nil
}

// peek is next without moving on.
func (w *window) peek(n int) ([]byte, error) {
	b, err := w.next(n)
	if err == nil {
		w.p -= n
	}
	return b, err
}

func (w *window) fill(n int) error {
	w.base += int64(w.p)
	w.n = copy(w.buf, w.buf[w.p:w.n])
	w.p = 0
	if n > len(w.buf) {
		w.buf = append(w.buf[:w.n], make([]byte, n-w.n)...)
	}
	empty := 0
	for w.n < n {
		if w.err != nil {
			if w.n == 0 && errors.Is(w.err, io.EOF) {
				return io.EOF
			}
			if errors.Is(w.err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return w.err
		}
		m, err := w.r.Read(w.buf[w.n:])
		w.n += m
		w.err = err
		if w.count != nil {
			w.count(int64(m))
		}
		if m == 0 && err == nil {
			if empty++; empty > 100 {
				w.err = io.ErrNoProgress
			}
		}
	}
	return nil
}

// skip moves on by n bytes without holding them.
func (w *window) skip(n int64) error {
	for n > 0 {
		if w.p == w.n {
			if err := w.fill(1); err != nil {
				return io.ErrUnexpectedEOF
			}
		}
		m := min(n, int64(w.n-w.p))
		w.p += int(m)
		n -= m
	}
	return nil
}

// broken turns a read error in the middle of a record into damage.
func (w *window) broken(start int64, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return &damage{taxonomy.DropTruncated, start, "the file ends inside a record"}
	}
	return &damage{taxonomy.DropCorrupt, start, "the file cannot be read further"}
}
