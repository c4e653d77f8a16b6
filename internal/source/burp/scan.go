package burp

import (
	"bytes"
	"io"

	"xiezhi/internal/source"
)

const (
	chunk = 256 << 10
	// roomKept is the buffer that survives from one item to the next.
	roomKept = 8 << 20
)

type state uint8

const (
	whole    state = iota
	tooLarge       // passed over
	cut            // the input ended within it
	none           // no further item
)

// scanner finds the items of a file. Only what bounds an item is looked at:
// the start tag, CDATA sections and the end tag.
type scanner struct {
	r        io.Reader
	buf      []byte
	pos, n   int   // next byte, end of what is read
	base     int64 // offset of buf[0] in the input
	limit    int
	err      error
	taken    int64
	items    int
	exported []byte // exportTime of the root element
}

func (s *scanner) reset(r io.Reader, limit int) {
	buf := s.buf
	if buf == nil || cap(buf) > roomKept {
		buf = make([]byte, chunk)
	}
	*s = scanner{r: r, buf: buf, limit: limit, exported: s.exported[:0]}
}

func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

// more reads on, keeping what is behind from; false at the end. from is 0
// afterwards.
func (s *scanner) more(from int) bool {
	if s.err != nil {
		return false
	}
	copy(s.buf, s.buf[from:s.n])
	s.base += int64(from)
	s.pos -= from
	s.n -= from
	if s.n == len(s.buf) {
		grown := make([]byte, min(2*len(s.buf), s.limit+2*chunk))
		copy(grown, s.buf[:s.n])
		s.buf = grown
	}
	k, err := source.ReadSome(s.r, s.buf[s.n:])
	s.n += k
	s.taken += int64(k)
	s.err = err
	return k > 0
}

var (
	itemStart  = []byte("<item")
	itemEnd    = []byte("</item>")
	cdataStart = []byte("<![CDATA[")
	cdataEnd   = []byte("]]>")
	exportTime = []byte(`exportTime="`)
)

// next gives what stands between an item's tags, and where the item begins.
func (s *scanner) next() (item []byte, at int64, st state) {
	if !s.start() {
		return nil, s.offset(), none
	}
	s.items++
	at = s.offset()
	begin := s.pos // of the item's content; -1 when it is given up
	for {
		i := bytes.IndexByte(s.buf[s.pos:s.n], '<')
		if i < 0 {
			s.pos = s.n
			if !s.fill(&begin, 1) {
				return nil, at, cut
			}
			continue
		}
		s.pos += i
		if !s.fill(&begin, len(cdataStart)) && s.n-s.pos < len(itemEnd) {
			s.pos = s.n
			return nil, at, cut
		}
		rest := s.buf[s.pos:s.n]
		switch {
		case bytes.HasPrefix(rest, itemEnd):
			end := s.pos
			s.pos += len(itemEnd)
			if begin < 0 || end-begin > s.limit {
				return nil, at, tooLarge
			}
			return s.buf[begin:end:end], at, whole
		case bytes.HasPrefix(rest, cdataStart):
			s.pos += len(cdataStart)
			if !s.skipTo(&begin, cdataEnd) {
				return nil, at, cut
			}
		default:
			s.pos++
		}
	}
}

// fill sees to it that n bytes from pos on are there. begin moves with the
// buffer; an item beyond the limit is given up.
func (s *scanner) fill(begin *int, n int) bool {
	for s.n-s.pos < n {
		if *begin >= 0 && s.pos-*begin > s.limit {
			*begin = -1
		}
		from := s.pos
		if *begin >= 0 {
			from = *begin
		}
		moved := s.err == nil
		ok := s.more(from)
		if *begin >= 0 && moved {
			*begin = 0
		}
		if !ok {
			return false
		}
	}
	return true
}

// skipTo moves behind the next occurrence of mark.
func (s *scanner) skipTo(begin *int, mark []byte) bool {
	for {
		if i := bytes.Index(s.buf[s.pos:s.n], mark); i >= 0 {
			s.pos += i + len(mark)
			return true
		}
		s.pos = max(s.pos, s.n-len(mark)+1)
		if !s.fill(begin, s.n-s.pos+1) {
			s.pos = s.n
			return false
		}
	}
}

// start moves behind the start tag of the next item.
func (s *scanner) start() bool {
	for {
		i := bytes.Index(s.buf[s.pos:s.n], itemStart)
		if i < 0 {
			s.root(s.buf[s.pos:s.n])
			s.pos = max(s.pos, s.n-len(itemStart)-64)
			if !s.more(s.pos) {
				s.pos = s.n
				return false
			}
			continue
		}
		s.root(s.buf[s.pos : s.pos+i+len(itemStart)])
		s.pos += i
		none := -1
		if !s.fill(&none, len(itemStart)+1) {
			s.pos = s.n
			return false
		}
		switch s.buf[s.pos+len(itemStart)] {
		case '>':
			s.pos += len(itemStart) + 1
			return true
		case ' ', '\t', '\r', '\n':
			return s.skipTo(&none, []byte(">"))
		}
		if s.items == 0 { // the root element, or its declaration
			s.fill(&none, 512)
			s.root(s.buf[s.pos:min(s.n, s.pos+512)])
		}
		s.pos += len(itemStart)
	}
}

// root remembers when the file was exported, for items without a time.
func (s *scanner) root(b []byte) {
	if len(s.exported) > 0 || s.items > 0 {
		return
	}
	if i := bytes.Index(b, exportTime); i >= 0 {
		b = b[i+len(exportTime):]
		if j := bytes.IndexByte(b, '"'); j > 0 && j < 64 {
			s.exported = append(s.exported, b[:j]...)
		}
	}
}
