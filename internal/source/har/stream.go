package har

import (
	"bytes"
	"io"
)

const (
	chunk = 256 << 10
	// roomKept is the buffer that survives from one entry to the next.
	roomKept = 8 << 20
)

// stream reads a JSON text through a buffer that grows only for a value that
// is being kept, up to limit.
type stream struct {
	r     io.Reader
	buf   []byte
	pos   int   // next byte
	n     int   // end of the filled part
	mark  int   // start of what is kept, -1 for nothing
	base  int64 // offset of buf[0] in the input
	limit int
	err   error // why reading ended
	taken int64 // bytes read since last asked
}

func (s *stream) reset(r io.Reader, limit int) {
	buf := s.buf
	if cap(buf) > roomKept || buf == nil {
		buf = make([]byte, chunk)
	}
	*s = stream{r: r, buf: buf, mark: -1, limit: limit}
}

func (s *stream) offset() int64 { return s.base + int64(s.pos) }

// more reads on; false at the end. What was kept stays contiguous; beyond the
// limit it is given up and mark becomes -1.
func (s *stream) more() bool {
	if s.err != nil {
		return false
	}
	from := s.pos
	if s.mark >= 0 {
		from = s.mark
		if s.n-s.mark > s.limit {
			s.mark, from = -1, s.pos
		}
	}
	if from > 0 {
		copy(s.buf, s.buf[from:s.n])
		s.base += int64(from)
		s.pos -= from
		s.n -= from
		if s.mark >= 0 {
			s.mark -= from
		}
	}
	if s.n == len(s.buf) {
		grown := make([]byte, min(2*len(s.buf), s.limit+2*chunk))
		copy(grown, s.buf[:s.n])
		s.buf = grown
	} else if len(s.buf) > roomKept && s.n < chunk/2 && s.mark < 0 {
		small := make([]byte, chunk)
		copy(small, s.buf[:s.n])
		s.buf = small
	}
	for range 100 { // a reader may give nothing now and then
		k, err := s.r.Read(s.buf[s.n:])
		s.n += k
		s.taken += int64(k)
		if err != nil {
			s.err = err
		}
		if k > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// head gives up to n bytes without taking them.
func (s *stream) head(n int) []byte {
	s.mark = 0
	for s.n < n && s.more() {
	}
	s.mark = -1
	return s.buf[:min(s.n, n)]
}

// peek skips white space and a byte-order mark and gives the next byte.
func (s *stream) peek() (byte, bool) {
	for {
		for s.pos < s.n {
			switch c := s.buf[s.pos]; c {
			case ' ', '\t', '\r', '\n':
				s.pos++
			case 0xef:
				if s.n-s.pos < 3 && s.keepMore() {
					continue
				}
				if !bytes.HasPrefix(s.buf[s.pos:s.n], bom) {
					return c, true
				}
				s.pos += 3
			default:
				return c, true
			}
		}
		if !s.more() {
			return 0, false
		}
	}
}

var bom = []byte("\xef\xbb\xbf")

// keepMore reads on without giving up the current byte.
func (s *stream) keepMore() bool {
	s.mark = s.pos
	ok := s.more()
	s.mark = -1
	return ok
}

// value passes over one JSON value by matching brackets and quotes; what is
// inside is for the decoder to judge. kept is nil when the value is larger
// than the limit or keep is false; whole is false when the input ended first.
func (s *stream) value(keep bool) (kept []byte, whole bool) {
	if keep {
		s.mark = s.pos
	}
	depth, inString := 0, false
	scalar := true
	for {
		b := s.buf[s.pos:s.n]
		i, quote := 0, -1 // quote: the next one at or after i, found once
		for i < len(b) {
			if inString {
				if quote < i {
					if quote = bytes.IndexByte(b[i:], '"'); quote < 0 {
						quote = len(b)
					} else {
						quote += i
					}
				}
				if e := bytes.IndexByte(b[i:quote], '\\'); e >= 0 {
					i += e + 2 // past the escaped byte, maybe beyond the chunk
					continue
				}
				if quote == len(b) {
					i = quote
					break
				}
				i = quote + 1
				inString = false
				if depth == 0 {
					return s.end(i)
				}
				continue
			}
			switch b[i] {
			case '"':
				inString, scalar = true, false
			case '{', '[':
				depth++
				scalar = false
			case '}', ']':
				if depth == 0 { // the end of what surrounds a number or word
					return s.end(i)
				}
				if depth--; depth == 0 {
					return s.end(i + 1)
				}
			case ',', ' ', '\n', '\r', '\t':
				if depth == 0 && scalar {
					return s.end(i)
				}
			}
			i++
		}
		if over := i - len(b); over > 0 { // an escape lies across the chunks
			s.pos = s.n
			if !s.more() {
				kept, _ = s.end(0)
				return kept, false
			}
			s.pos += over
			continue
		}
		s.pos = s.n
		if !s.more() {
			kept, _ = s.end(0)
			return kept, depth == 0 && scalar && !inString
		}
	}
}

func (s *stream) end(i int) ([]byte, bool) {
	s.pos += i
	m := s.mark
	s.mark = -1
	if m < 0 || s.pos-m > s.limit {
		return nil, true
	}
	return s.buf[m:s.pos], true
}

// line gives the next line without its end; ok is false at the end of input.
// kept is nil for a line beyond the limit.
func (s *stream) line() (kept []byte, ended, ok bool) {
	s.mark = s.pos
	from := s.pos
	for {
		if i := bytes.IndexByte(s.buf[from:s.n], '\n'); i >= 0 {
			s.pos = from + i
			kept, _ = s.end(0)
			s.pos++
			return bytes.TrimSuffix(kept, []byte("\r")), true, true
		}
		s.pos = s.n
		if !s.more() {
			empty := s.mark >= 0 && s.mark == s.pos
			kept, _ = s.end(0)
			return kept, false, !empty
		}
		from = s.pos
	}
}
