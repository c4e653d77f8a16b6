package wire

import (
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"
)

var errInflate = errors.New("message does not decompress")

// inflater undoes permessage-deflate. One serves any number of connections:
// what a message may refer to is given with it.
type inflater struct {
	src  bytes.Reader
	read io.ReadCloser
	in   []byte
	out  []byte
	tail []byte
}

// inflateEnd is what a sender takes off the end of a message, and an empty
// last block, which makes the reader stop.
const inflateEnd = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// message decompresses p, appending at most limit bytes to dst, which is left
// in z.out. It gives the size of all and its last bytes, up to a window. Of a
// message that is not whole what can be decompressed is given with an error.
func (z *inflater) message(dst, p, past []byte, whole bool, limit int) (size int64, last []byte, err error) {
	z.in = append(z.in[:0], p...)
	if whole {
		z.in = append(z.in, inflateEnd...)
	}
	z.src.Reset(z.in)
	if z.read == nil {
		z.read = flate.NewReaderDict(&z.src, past)
	} else if err := z.read.(flate.Resetter).Reset(&z.src, past); err != nil {
		z.out = dst
		return 0, nil, errInflate
	}
	start := len(dst)
	z.tail = z.tail[:0]
	for err == nil {
		if len(dst)-start < limit {
			if len(dst) == cap(dst) {
				dst = append(dst, 0)[:len(dst)]
			}
			room := dst[len(dst):min(cap(dst), start+limit)]
			var n int
			n, err = z.read.Read(room)
			dst = dst[:len(dst)+n]
			size += int64(n)
			continue
		}
		// The rest is read for its size and for what later messages refer to.
		if size > maxInflate {
			err = errInflate
			break
		}
		if cap(z.tail) < 2*wsWindow {
			z.tail = make([]byte, 0, 2*wsWindow)
		}
		if len(z.tail) == cap(z.tail) {
			z.tail = z.tail[:copy(z.tail, z.tail[len(z.tail)-wsWindow:])]
		}
		var n int
		n, err = z.read.Read(z.tail[len(z.tail):cap(z.tail)])
		z.tail = z.tail[:len(z.tail)+n]
		size += int64(n)
	}
	z.out = dst
	if cap(z.in) > maxSpareBuffer {
		z.in = nil
	}
	if !errors.Is(err, io.EOF) {
		return size, nil, errInflate
	}
	last = dst[start:]
	if len(z.tail) > 0 {
		if len(z.tail) < wsWindow {
			keep := min(wsWindow-len(z.tail), len(last))
			z.tail = append(z.tail, last[len(last)-keep:]...)
			// Older bytes first.
			n := len(z.tail) - keep
			rotated := append(append(make([]byte, 0, len(z.tail)), z.tail[n:]...), z.tail[:n]...)
			z.tail = append(z.tail[:0], rotated...)
		}
		last = z.tail
	}
	return size, last, nil
}
