package state

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"xiezhi/internal/store"
)

// A file is a line that says what it is, a salt, and chunks, each sealed with
// AES-256-GCM under a key that is the file's own. The nonce of a chunk is its
// number and whether it is the last, so that none can be left out, moved or
// cut off; what is sealed along is the name.
const (
	head      = "xiezhi-state-v1\n"
	saltSize  = 32
	chunkSize = 64 << 10
)

func (s *Files) cipher(salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, s.key, salt, head, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func nonce(number uint64, last bool) []byte {
	n := binary.BigEndian.AppendUint64(make([]byte, 3, 12), number)
	if last {
		return append(n, 1)
	}
	return append(n, 0)
}

// seal writes a file.
func (s *Files) seal(w io.Writer, name string, write func(io.Writer) error) error {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(s.random, salt); err != nil {
		return err
	}
	aead, err := s.cipher(salt)
	if err != nil {
		return err
	}
	if _, err := w.Write(append([]byte(head), salt...)); err != nil {
		return err
	}
	c := &sealer{w: w, aead: aead, name: []byte(name), chunk: make([]byte, 0, chunkSize)}
	if err := write(c); err != nil {
		return err
	}
	return c.flush(true)
}

type sealer struct {
	w      io.Writer
	aead   cipher.AEAD
	name   []byte
	chunk  []byte
	sealed []byte
	number uint64
}

// Write seals a chunk only when more follows: which one is the last is known
// at the end.
func (c *sealer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if len(c.chunk) == chunkSize {
			if err := c.flush(false); err != nil {
				return n - len(p), err
			}
		}
		k := min(len(p), chunkSize-len(c.chunk))
		c.chunk, p = append(c.chunk, p[:k]...), p[k:]
	}
	return n, nil
}

func (c *sealer) flush(last bool) error {
	if c.number >= MaxBytes/chunkSize {
		return fmt.Errorf("%w: a state has at most %d bytes", store.ErrFull, int64(MaxBytes))
	}
	c.sealed = c.aead.Seal(c.sealed[:0], nonce(c.number, last), c.chunk, c.name)
	c.number++
	c.chunk = c.chunk[:0]
	_, err := c.w.Write(c.sealed)
	return err
}

// open reads a file to its end, whatever read takes of it.
func (s *Files) open(f io.Reader, name string, read func(io.Reader) error) error {
	in := bufio.NewReaderSize(f, chunkSize)
	start := make([]byte, len(head)+saltSize)
	if _, err := io.ReadFull(in, start); err != nil || string(start[:len(head)]) != head {
		return errors.Join(fmt.Errorf("%w: it is no state of this version", store.ErrDamaged), err)
	}
	aead, err := s.cipher(start[len(head):])
	if err != nil {
		return err
	}
	o := &opener{in: in, aead: aead, name: []byte(name), sealed: make([]byte, chunkSize+aead.Overhead())}
	err = read(o)
	if _, e := io.Copy(io.Discard, o); e != nil { // why read failed, if it did
		return e
	}
	return err
}

type opener struct {
	in     *bufio.Reader
	aead   cipher.AEAD
	name   []byte
	sealed []byte
	rest   []byte // of the chunk
	number uint64
	err    error
}

func (o *opener) Read(p []byte) (int, error) {
	for len(o.rest) == 0 && o.err == nil {
		o.rest, o.err = o.next()
	}
	if len(o.rest) == 0 {
		return 0, o.err
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

// next opens a chunk, with io.EOF when it is the last.
func (o *opener) next() ([]byte, error) {
	n, err := io.ReadFull(o.in, o.sealed)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
	case err != nil:
		return nil, err
	}
	_, more := o.in.Peek(1)
	if more != nil && !errors.Is(more, io.EOF) {
		return nil, more
	}
	chunk, err := o.aead.Open(o.sealed[:0], nonce(o.number, more != nil), o.sealed[:n], o.name)
	if err != nil {
		return nil, fmt.Errorf("%w at its chunk %d, or sealed with another key", store.ErrDamaged, o.number)
	}
	o.number++
	if more != nil {
		return chunk, io.EOF
	}
	return chunk, nil
}
